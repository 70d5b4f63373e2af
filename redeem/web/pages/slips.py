"""Slips of paper that a volunteer without a phone takes along: drawn, looked at, printed, and let be good for nothing."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import people
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from redeem import codes
from redeem.web.pages import prints

pages = Blueprint("slips", __name__)


@pages.get("/slips")
@allow("volunteer", for_others=False)
def slips() -> ResponseReturnValue:
    """List one's own slips that are good."""
    return render_template("redeem/slips/slips.html", rows=_own())


@pages.post("/slips")
@allow("volunteer", for_others=False)
@form_write(slips)
def draw() -> str | Refusal:
    """Draw a slip for oneself."""
    drawn = codes.draw_slip(session(), act(), services().vault)
    return drawn if isinstance(drawn, Refusal) else url_for("slips.slip", slip_id=drawn.id)


@pages.get("/slips/<uuid:slip_id>")
@allow("volunteer", for_others=False)
def slip(slip_id: UUID) -> ResponseReturnValue:
    """Show one's own slip: to print, or to write its number down."""
    shown = _one(slip_id)
    return render_template("redeem/slips/slip.html", row=shown, address=code_address("p", shown.token))


@pages.get("/slips/<uuid:slip_id>/slip.pdf")
@allow("volunteer", for_others=False)
def printed(slip_id: UUID) -> Response:
    """Print one's own slip."""
    return prints.slip(_one(slip_id))


@pages.post("/slips/<uuid:slip_id>/end")
@allow("volunteer", for_others=False)
@form_write(slip)
def end(slip_id: UUID) -> str:
    """Let a slip of one's own be good for nothing."""
    codes.end_slip(session(), act(), slip_id)
    return url_for("slips.slips")


def _own() -> list[codes.Slip]:
    person = people.person(session(), me().book_id, me().person_id)
    return codes.slips_of(session(), services().vault, me().book, person, services().clock.now())


def _one(slip_id: UUID) -> codes.Slip:
    found = next((row for row in _own() if row.id == slip_id), None)
    if found is None:
        raise NotFound("slip_id")
    return found
