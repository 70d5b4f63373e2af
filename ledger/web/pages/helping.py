"""On somebody's behalf: for whom one may act, beginning and stopping, letting somebody act for oneself, and the office's register of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import people
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.points import POINTS_MAX
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("helping", __name__)

GIVERS = ("grid_worker", "administrator")
#: What the form begins with: a quarter of a year, and a small purchase a day.
DAYS, POINTS = timedelta(days=90), 50


@pages.get("/helping")
@allow("volunteer", for_others=False)
def home() -> ResponseReturnValue:
    """Show for whom one may act, and who may act for oneself."""
    found = people.mandates_of(session(), me().book_id, me().person_id)
    own = me().person_id
    alive = [one for one in found if _is_alive(one)]
    return render_template(
        "ledger/helping/home.html",
        helped=[one for one in alive if one.helper_id == own],
        helpers=[one for one in alive if one.person_id == own],
        names=_names(alive),
        today=me().today,
    )


@pages.post("/helping/<uuid:person_id>/act")
@allow("volunteer", for_others=False)
@form_write(lambda person_id: home())
def begin(person_id: UUID) -> str | Refusal:
    """Act for somebody from now on, until one stops."""
    if not people.mandates(session(), me().book_id, helper_id=me().person_id, person_id=person_id, on=me().today):
        return Refusal("mandate-missing")
    sign_in.act_for(session(), me().signed_in, person_id)
    return url_for("volunteer.home")


@pages.post("/helping/stop")
@allow()
@form_write(home)
def stop() -> str:
    """Act as oneself again."""
    sign_in.act_for(session(), me().signed_in, None)
    return url_for("helping.home")


@pages.get("/helping/give")
@allow("volunteer", for_others=False)
def give_form() -> ResponseReturnValue:
    """Ask whom one lets act for oneself, until when, and for how much a day."""
    return render_template("ledger/helping/give.html", until=me().today + DAYS, points=POINTS, today=me().today)


@pages.post("/helping/give")
@allow("volunteer", for_others=False)
@form_write(give_form)
def give() -> str | Refusal:
    """Let somebody act for oneself."""
    helper = _typed("helper")
    new = people.NewMandate(me().person_id, helper.id, "helper", me().today, forms.day("ends_on"), _points_a_day())
    given = people.give_mandate(session(), act(), services().vault, new)
    return given if isinstance(given, Refusal) else url_for("helping.home")


@pages.post("/helping/mandates/<uuid:mandate_id>/end")
@allow("volunteer", for_others=False)
@form_write(lambda mandate_id: home())
def end(mandate_id: UUID) -> str | Refusal:
    """End a mandate that one is in, on whichever side."""
    ended = people.end_mandate(session(), act(), mandate_id)
    return ended if isinstance(ended, Refusal) else url_for("helping.home")


@pages.get("/staff/mandates")
@allow(*GIVERS)
def register() -> ResponseReturnValue:
    """Find somebody of one's areas by their passbook's number, and show who acts for them and for whom they act."""
    number = request.args.get("number", "")
    person = people.by_handle(session(), me().book_id, number, me().scope(*GIVERS)) if number else None
    found = people.mandates_of(session(), me().book_id, person.id) if person else []
    return render_template(
        "ledger/helping/register.html",
        number=number,
        person=person,
        found=found,
        names=_names(found, *([person.id] if person else [])),
        is_alive=_is_alive,
        until=me().today + DAYS,
        points=POINTS,
        today=me().today,
    )


@pages.post("/staff/mandates")
@allow(*GIVERS, fresh=True)
@form_write(register)
def give_by_staff() -> str | Refusal:
    """Let somebody act for a person of one's areas."""
    person, helper, kind = _typed("person"), _typed("helper"), forms.choice("kind", *people.MANDATE_KINDS)
    ends_on: date | None = forms.day("ends_on") if forms.text("ends_on") or kind == "helper" else None
    new = people.NewMandate(person.id, helper.id, kind, me().today, ends_on, _points_a_day())
    given = people.give_mandate(session(), act(), services().vault, new, within=me().scope(*GIVERS))
    return given if isinstance(given, Refusal) else url_for("helping.register", number=person.handle)


@pages.post("/staff/mandates/<uuid:mandate_id>/end")
@allow(*GIVERS)
@form_write(lambda mandate_id: register())
def end_by_staff(mandate_id: UUID) -> str | Refusal:
    """End the mandate of a person of one's areas."""
    ended = people.end_mandate(session(), act(), mandate_id, within=me().scope(*GIVERS))
    if isinstance(ended, Refusal):
        return ended
    return url_for("helping.register", number=people.person(session(), me().book_id, ended.person_id).handle)


def _typed(name: str) -> people.Person:
    typed = forms.words(name, 20)
    if (found := people.by_handle(session(), me().book_id, typed)) is None:
        raise Invalid("passbook-unknown", name, numbers=typed)
    return found


def _points_a_day() -> int:
    return forms.whole("points_per_day_max", 0, POINTS_MAX)


def _is_alive(one: people.Mandate) -> bool:
    return one.ended_at is None and one.ends_on >= me().today


def _names(found: Sequence[people.Mandate], *more: UUID) -> dict[UUID, str]:
    ids = {person_id for one in found for person_id in (one.person_id, one.helper_id)}
    return people.names_of(session(), services().vault, me().book_id, ids | set(more))
