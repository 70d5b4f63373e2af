"""Slips of paper that show one pay code, for whoever has no phone with them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import people
from ledger.errors import Refusal
from ledger.web.kit.addresses import code_address
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Shape
from ledger.web.kit.writing import act
from redeem import codes

blp = Resource("slips", __name__, "Slips of paper with one pay code, good once and for few points")


class SlipMadeOut(Shape):
    """A slip as it is kept in an answer, without its code."""

    id = Id(required=True)
    points_max = fields.Integer(required=True)
    expires_at = Moment(required=True)


class SlipOut(SlipMadeOut):
    """A slip as it is printed."""

    address = fields.String(required=True, metadata={"description": "what the QR code says"})
    handle = fields.String(required=True)
    digits = fields.String(required=True, metadata={"description": "to type after the handle"})


class SlipsOut(Shape):
    """The slips that are good."""

    items = fields.List(fields.Nested(SlipOut), required=True)


class SlipEndedOut(Shape):
    """The slip that is good for nothing now."""

    id = Id(required=True)


def _own() -> list[dict[str, Any]]:
    person = people.person(session(), me().book_id, me().person_id)
    rows = codes.slips_of(session(), services().vault, me().book, person, services().clock.now())
    return [vars(row) | {"address": code_address("p", row.token)} for row in rows]


def _with_code(made: dict[str, Any]) -> dict[str, Any]:
    # Where it was used or ended since, its code is told no more.
    shown = next((row for row in _own() if row["id"] == UUID(made["id"])), {"address": "", "handle": "", "digits": ""})
    return made | {name: shown[name] for name in ("address", "handle", "digits")}


@blp.reads("/slips", SlipsOut)
@allow("volunteer", for_others=False)
def get_slips() -> tuple[dict[str, Any], int, dict[str, str]]:
    """List one's own slips that are good, the oldest first."""
    return {"items": _own()}, 200, {"Cache-Control": "no-store"}


@blp.writes("/slips", Nothing, SlipMadeOut, status=201, told=(SlipOut, _with_code))
@allow("volunteer", for_others=False)
def draw(asked: dict[str, Any]) -> codes.Slip | Refusal:
    """Draw a slip for oneself, good once within 30 days; a helper draws none for somebody else."""
    return codes.draw_slip(session(), act(), services().vault)


@blp.writes("/slips/<uuid:slip_id>/end", Nothing, SlipEndedOut)
@allow("volunteer", for_others=False)
def end(asked: dict[str, Any], slip_id: UUID) -> dict[str, Any]:
    """Let a slip of one's own be good for nothing."""
    return {"id": codes.end_slip(session(), act(), slip_id)}
