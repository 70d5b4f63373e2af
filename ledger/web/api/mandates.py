"""Mandates: who acts for whom, given by staff or by the person, and ended by whoever is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import fields

from ledger import people
from ledger.errors import Refusal
from ledger.points import POINTS_MAX
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.consent import against_number
from ledger.web.kit.consent import against_shared_device
from ledger.web.kit.consent import names_in
from ledger.web.kit.consent import whose_number
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.writing import act

blp = Resource("mandates", __name__, "Who acts for whom")

GIVERS = ("grid_worker", "administrator")
HANDLE_LENGTH_MAX = 20


class MandateMadeOut(Shape):
    """That somebody acts for somebody else."""

    id = Id(required=True)
    person_id = Id(required=True, metadata={"description": "On whose behalf"})
    helper_id = Id(required=True, metadata={"description": "Who acts"})
    kind = fields.String(required=True)
    points_per_day_max = fields.Integer(required=True, metadata={"description": "So many points a day may be spent; 0: none"})
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    agreed_at = Moment(required=True, allow_none=True, metadata={"description": "When the helper said yes; until then nobody acts"})
    ended_at = Moment(required=True, allow_none=True)


class MandateOut(MandateMadeOut):
    """The same with the names of both: masked until the helper has agreed, and for staff."""

    person_name = Personal(required=True)
    helper_name = Personal(required=True)


class MandatesOut(Shape):
    """The mandates of one person, the last given first."""

    items = fields.List(fields.Nested(MandateOut), required=True)


class LimitsIn(Shape):
    """For how long, and how much a day; from today unless a later day is told."""

    starts_on = Day(load_default=None, allow_none=True)
    ends_on = Day(required=True)
    points_per_day_max = Whole(0, POINTS_MAX, load_default=0, metadata={"description": "A helper's is 200 at most"})


class OwnMandateIn(LimitsIn):
    """Whom one lets act for oneself, by their passbook's number."""

    helper_handle = Words(HANDLE_LENGTH_MAX, required=True)


class MandateIn(LimitsIn):
    """Who is to act for whom; a guardian until the child grows out of it, unless told otherwise."""

    person_id = Id(required=True)
    helper_id = Id(required=True)
    kind = Choice(*people.MANDATE_KINDS, required=True)
    ends_on = Day(load_default=None, allow_none=True)


def _count_numbers() -> ResponseReturnValue | None:
    """Count tries at other people's numbers before the write begins."""
    asked = request.get_json(silent=True) if request.endpoint == "api_mandates.give_own" else None
    if not isinstance(asked, dict) or not isinstance(typed := asked.get("helper_handle"), str):
        return None
    return against_shared_device() or against_number(typed)


blp.before_request(_count_numbers)


@blp.reads("/mandates/mine", MandatesOut)
@allow(for_others=False)
def list_mine() -> dict[str, Any]:
    """List for whom one acts, and who acts for oneself."""
    return {"items": _shown(people.mandates_of(session(), me().book_id, me().person_id), is_own=True)}


@blp.reads("/people/<uuid:person_id>/mandates", MandatesOut)
@allow(*GIVERS)
def list_of_person(person_id: UUID) -> dict[str, Any]:
    """List for whom somebody of one's areas acts, and who acts for them."""
    person = people.person(session(), me().book_id, person_id, me().scope(*GIVERS))
    return {"items": _shown(people.mandates_of(session(), me().book_id, person.id), is_own=False)}


@blp.writes("/mandates", MandateIn, MandateMadeOut, status=201)
@allow(*GIVERS, fresh=True)
def give(asked: dict[str, Any]) -> people.Mandate | Refusal:
    """Let somebody act for a person of one's areas, as soon as they agree."""
    new = people.NewMandate(**_from_today(asked))
    return people.give_mandate(session(), act(), services().vault, new, within=me().scope(*GIVERS))


@blp.writes("/mandates/own", OwnMandateIn, MandateMadeOut, status=201)
@allow("volunteer", fresh=True, for_others=False)
def give_own(asked: dict[str, Any]) -> people.Mandate | Refusal:
    """Let somebody act for oneself, as soon as they agree; unknown numbers are counted, and five in 15 minutes have to wait."""
    helper_id = whose_number(asked.pop("helper_handle"), "helper_handle")
    new = people.NewMandate(person_id=me().person_id, helper_id=helper_id, kind="helper", **_from_today(asked))
    return people.give_mandate(session(), act(), services().vault, new)


@blp.writes("/mandates/<uuid:mandate_id>/agree", Nothing, MandateMadeOut)
@allow("volunteer", for_others=False)
def agree(asked: dict[str, Any], mandate_id: UUID) -> people.Mandate | Refusal:
    """Say yes to acting for somebody; one acts from now on, and each is told the other's name."""
    return people.agree_mandate(session(), act(), mandate_id)


@blp.writes("/mandates/<uuid:mandate_id>/end", Nothing, MandateMadeOut)
@allow(for_others=False)
def end(asked: dict[str, Any], mandate_id: UUID) -> people.Mandate | Refusal:
    """End a mandate of one's own, or of a person of one's areas, from now on."""
    return people.end_mandate(session(), act(), mandate_id, within=me().scope(*GIVERS))


def _from_today(asked: dict[str, Any]) -> dict[str, Any]:
    starts_on: date = asked["starts_on"] or me().today
    return asked | {"starts_on": starts_on}


def _shown(found: Sequence[people.Mandate], *, is_own: bool) -> list[dict[str, Any]]:
    columns = ("id", "person_id", "helper_id", "kind", "points_per_day_max", "starts_on", "ends_on", "agreed_at", "ended_at")
    names = names_in(found, is_own=is_own)
    return [
        {column: getattr(one, column) for column in columns} | dict(zip(("person_name", "helper_name"), names[one.id], strict=True))
        for one in found
    ]
