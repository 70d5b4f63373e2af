"""One's own data: all of it to take along, putting it right, and having it erased; a guardian does the first two for a child."""

from __future__ import annotations

from typing import Any

from flask import current_app
from marshmallow import fields

from ledger import people
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.parts import in_json
from ledger.web.kit.parts import own_records
from ledger.web.kit.reach import against_own_data
from ledger.web.kit.reach import against_own_erasure
from ledger.web.kit.writing import act

blp = Resource("my_data", __name__, "What is kept of oneself")


class ExportOut(Shape):
    """Everything that is kept of somebody, each kind under its own name."""

    exported_at = fields.String(required=True)
    book = fields.Dict(required=True)
    person = fields.Dict(required=True)
    fields_ = fields.Dict(data_key="fields", attribute="fields", required=True, metadata={"description": "What lies sealed in the vault"})
    passbook = fields.Dict(required=True, metadata={"description": "The balance, and every line"})
    claims = fields.List(fields.Dict(), required=True, metadata={"description": "With every word and decision"})
    hours = fields.List(fields.Dict(), required=True)
    attendances = fields.List(fields.Dict(), required=True)
    sign_ups = fields.List(fields.Dict(), required=True)
    redemptions = fields.List(fields.Dict(), required=True)
    ties = fields.List(fields.Dict(), required=True)
    mandates = fields.List(fields.Dict(), required=True)
    teams = fields.List(fields.Dict(), required=True)
    roles = fields.List(fields.Dict(), required=True)
    shop_work = fields.List(fields.Dict(), required=True)
    cards = fields.List(fields.Dict(), required=True)
    paper_prints = fields.List(fields.Dict(), required=True, metadata={"description": "What was printed into a paper passbook"})
    pay_devices = fields.List(fields.Dict(), required=True)
    sessions = fields.List(fields.Dict(), required=True)
    secrets = fields.List(fields.Dict(), required=True, metadata={"description": "Which there are, and since when; never what they are"})
    one_time_keys = fields.List(fields.Dict(), required=True)
    passkeys = fields.List(fields.Dict(), required=True)
    handled = fields.List(
        fields.Dict(),
        required=True,
        metadata={"description": "Who of the staff issued a way in, a card or a number, or set a PIN, and when"},
    )
    openings = fields.List(fields.Dict(), required=True, metadata={"description": "Who of the staff looked, when and why"})
    corrections = fields.List(fields.Dict(), required=True, metadata={"description": "What was changed, and what stood there before"})


class OwnCorrectionIn(Shape):
    """A field that people change themselves, and what it is to say; nothing takes it away."""

    field = Choice(*people.OWN_FIELDS, required=True)
    text = Words(500, required=True, allow_none=True)


class OwnCorrectionOut(Shape):
    """A correction as it is written down."""

    id = Id(required=True)
    field = fields.String(required=True)
    corrected_at = Moment(required=True)


class OwnErasureIn(Shape):
    """That one means it: nothing brings back what was erased."""

    sure = Choice("yes", required=True)


class OwnErasureOut(Shape):
    """When one was erased: the last answer that one gets."""

    erased_at = Moment(required=True)


@blp.reads("/me/export", ExportOut)
@allow(fresh=True)
def export() -> dict[str, Any] | Refusal:
    """Take along everything that is kept of oneself."""
    return against_own_data() or in_json(own_records())


@blp.writes("/me/corrections", OwnCorrectionIn, OwnCorrectionOut, status=201)
@allow(fresh=True)
def correct(asked: dict[str, Any]) -> people.Correction | Refusal:
    """Put one's own phone or address right; anything else is put right at the office."""
    return against_own_data() or people.correct(session(), act(), services().vault, me().person_id, asked["field"], asked["text"])


@blp.writes("/me/erasure", OwnErasureIn, OwnErasureOut, status=201)
@allow(fresh=True)
def erase(asked: dict[str, Any]) -> people.Erasure | Refusal:
    """Have everything erased that tells who one is; points that are left go to everybody, and nothing brings them back."""
    return against_own_erasure() or people.erase(session(), act(), me().person_id, current_app.extensions["leavings"])
