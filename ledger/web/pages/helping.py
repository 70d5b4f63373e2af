"""On somebody's behalf: for whom one may act, beginning and stopping, letting somebody act for oneself, and the office's register of it."""

from __future__ import annotations

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
from ledger.errors import Refusal
from ledger.points import POINTS_MAX
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.consent import against_number
from ledger.web.kit.consent import against_shared_device
from ledger.web.kit.consent import names_in
from ledger.web.kit.consent import whose_number
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("helping", __name__)

GIVERS = ("grid_worker", "administrator")
#: What the form begins with: a quarter of a year, and a small purchase a day.
DAYS, POINTS = timedelta(days=90), 50


@pages.before_request
def _on_own_device() -> ResponseReturnValue | None:
    """Let nobody act for oneself on a device that others use too, and count tries at other people's numbers before a write begins."""
    if request.endpoint not in {"helping.give_form", "helping.give"}:
        return None
    return against_shared_device() or (against_number(request.form.get("helper", "")) if request.method == "POST" else None)


@pages.get("/helping")
@allow("volunteer", for_others=False)
def home() -> ResponseReturnValue:
    """Show who belongs to one's household and family, for whom one may act, and who may act for oneself."""
    found = people.mandates_of(session(), me().book_id, me().person_id)
    own = me().person_id
    alive = [one for one in found if _is_alive(one)]
    return render_template(
        "ledger/helping/home.html",
        ties=people.ties_told(session(), services().vault, me().book_id, own),
        helped=[one for one in alive if one.helper_id == own],
        helpers=[one for one in alive if one.person_id == own],
        names=names_in(alive, is_own=True),
        today=me().today,
    )


@pages.post("/helping/mandates/<uuid:mandate_id>/agree")
@allow("volunteer", for_others=False)
@form_write(lambda mandate_id: home())
def agree(mandate_id: UUID) -> str | Refusal:
    """Say yes to acting for somebody."""
    agreed = people.agree_mandate(session(), act(), mandate_id)
    return agreed if isinstance(agreed, Refusal) else url_for("helping.home")


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
    return render_template(
        "ledger/helping/give.html", until=me().today + DAYS, points=POINTS, most=people.MANDATE_POINTS_MAX, today=me().today
    )  # fmt: skip


@pages.post("/helping/give")
@allow("volunteer", fresh=True, for_others=False)
@form_write(give_form)
def give() -> str | Refusal:
    """Let somebody act for oneself, as soon as they agree."""
    ends_on, points = forms.day("ends_on"), forms.whole("points_per_day_max", 0, people.MANDATE_POINTS_MAX)
    new = people.NewMandate(me().person_id, _typed("helper"), "helper", me().today, ends_on, points)
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
        names=names_in(found, is_own=False),
        most=people.MANDATE_POINTS_MAX,
        is_alive=_is_alive,
        until=me().today + DAYS,
        points=POINTS,
        today=me().today,
    )


@pages.post("/staff/mandates")
@allow(*GIVERS, fresh=True)
@form_write(register)
def give_by_staff() -> str | Refusal:
    """Let somebody act for a person of one's areas, as soon as they agree; a guardian for all that the child has."""
    person_id, helper_id, kind = _typed("person"), _typed("helper"), forms.choice("kind", *people.MANDATE_KINDS)
    ends_on: date | None = forms.day("ends_on") if forms.text("ends_on") or kind == "helper" else None
    points = POINTS_MAX if kind == "guardian" else forms.whole("points_per_day_max", 0, people.MANDATE_POINTS_MAX)
    new = people.NewMandate(person_id, helper_id, kind, me().today, ends_on, points)
    given = people.give_mandate(session(), act(), services().vault, new, within=me().scope(*GIVERS))
    return given if isinstance(given, Refusal) else url_for("helping.register", number=forms.words("person", 20))


@pages.post("/staff/mandates/<uuid:mandate_id>/end")
@allow(*GIVERS)
@form_write(lambda mandate_id: register())
def end_by_staff(mandate_id: UUID) -> str | Refusal:
    """End the mandate of a person of one's areas."""
    ended = people.end_mandate(session(), act(), mandate_id, within=me().scope(*GIVERS))
    if isinstance(ended, Refusal):
        return ended
    return url_for("helping.register", number=people.person(session(), me().book_id, ended.person_id).handle)


def _typed(name: str) -> UUID:
    return whose_number(forms.words(name, 20), name)


def _is_alive(one: people.Mandate) -> bool:
    return one.ended_at is None and one.ends_on >= me().today
