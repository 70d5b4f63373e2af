"""The host's pages: planning activities, the rotating code at the venue, checking people in and out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint
from flask import make_response
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import activities
from ledger import areas
from ledger import claims
from ledger import people
from ledger.activities import HOST_ROLES
from ledger.activities import Activity
from ledger.activities import NewActivity
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.scanning import scanned
from ledger.web.kit.templating import spaced
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.deeds import address_of_outcomes
from ledger.web.pages.deeds import chosen
from ledger.web.pages.deeds import deed_choices
from ledger.web.pages.deeds import moment_of
from ledger.web.pages.deeds import outcomes_asked
from ledger.web.pages.deeds import persons_typed

pages = Blueprint("host", __name__)

AREAS_MAX = 300
#: A volunteer's code, with the number of their passbook in it.
_PAY_CODE = re.compile(r"/P/\d{1,5}-(\d{8})-")


@pages.get("/hosting")
@allow(*HOST_ROLES)
def hosted() -> ResponseReturnValue:
    """Show the activities one hosts, the latest first."""
    found = activities.hosted_by(session(), me().book_id, me().person_id)
    return render_template("ledger/host/hosted.html", rows=activities.rows_of(session(), me().book_id, found, me().person_id))


@pages.get("/hosting/new")
@allow(*HOST_ROLES)
def new_form() -> ResponseReturnValue:
    """Ask what is planned, where and when."""
    paths = areas.widest(me().scope(*HOST_ROLES))
    found = [area for path in paths for area in areas.subtree(session(), me().book_id, path, limit=AREAS_MAX)]
    return render_template("ledger/host/new.html", areas=[(area.code, area.name) for area in found], choices=deed_choices())


@pages.post("/hosting/new")
@allow(*HOST_ROLES)
@form_write(new_form)
def create() -> str | Refusal:
    """Plan an activity that one hosts."""
    new = NewActivity(
        area_code=forms.words("area_code", 64),
        deed=forms.words("deed", 64),
        title=forms.words("title", 200),
        place=forms.words("place", 200),
        starts_at=moment_of("starts_at"),
        ends_at=moment_of("ends_at"),
        capacity=forms.whole("capacity", 1, 100_000),
        host_id=me().person_id,
    )
    made = activities.create(session(), act(), services().vault, me().scope(*HOST_ROLES), new)
    return made if isinstance(made, Refusal) else url_for("host.activity", activity_id=made.id)


@pages.get("/hosting/<uuid:activity_id>")
@allow(*HOST_ROLES)
def activity(activity_id: UUID) -> ResponseReturnValue:
    """Show an activity one hosts: who is there, how to check people in and out, and what became of those just checked."""
    found = _hosted(activity_id)
    attendance = activities.attendance_of(session(), me().book_id, activity_id)
    present = [one.person_id for one in attendance]
    done, refused = outcomes_asked()
    # What the address says is the browser's word: it turns nobody's id into a passbook number.
    asked = activities.within_reach(session(), found, [person_id for ids in refused.values() for person_id in ids], me().today)
    persons = people.persons(session(), me().book_id, [*present, *asked])
    names = people.names_of(session(), services().vault, me().book_id, present)
    return render_template(
        "ledger/host/activity.html", activity=found, attendance=attendance, persons=persons, names=names, done=done, refused=refused
    )  # fmt: skip


def _hosted(activity_id: UUID) -> Activity:
    found = activities.activity(session(), me().book_id, activity_id)
    if found.host_id != me().person_id:
        raise NotFound("activity_id")
    return found


@pages.get("/hosting/<uuid:activity_id>/code")
@allow(*HOST_ROLES)
def code(activity_id: UUID) -> ResponseReturnValue:
    """Show the venue's code of this moment, large, for a projector or a phone that is passed round; the page renews itself."""
    return render_template("ledger/host/code.html", activity=_hosted(activity_id), **_shown_now(activity_id))


@pages.get("/hosting/<uuid:activity_id>/code/now")
@allow(*HOST_ROLES)
def code_now(activity_id: UUID) -> ResponseReturnValue:
    """Give the part of that page which changes, where it has: asked once a second."""
    now = _shown_now(activity_id)
    answer = make_response(render_template("ledger/host/_shown.html", **now))
    answer.set_etag(f"{now['code'].digits}-{now['present']}")
    answer.headers["X-Seconds-Left"] = str(now["seconds"])
    return answer.make_conditional(request)


def _shown_now(activity_id: UUID) -> dict[str, Any]:
    now = services().clock.now()
    shown = activities.venue_code(session(), services().vault, me().book, activity_id, me().person_id, now)
    return {
        "code": shown,
        "address": code_address("v", shown.token),
        "present": activities.count_present(session(), me().book_id, activity_id),
        "seconds": math.ceil((shown.valid_until - now).total_seconds()),
    }


@pages.post("/hosting/<uuid:activity_id>/check-in")
@allow(*HOST_ROLES)
@form_write(activity)
def check_in(activity_id: UUID) -> str | Refusal:
    """Check people in by their passbook numbers, or whoever's code was scanned, and go on scanning."""
    shown = _scanned(forms.text("code"))
    if isinstance(shown, Refusal):
        return shown
    ids = _chosen(activity_id, shown or persons_typed("numbers"))
    outcomes = activities.check_in(session(), act(), ids, activity_id=activity_id, by="host")
    return _shown(activity_id, ids, outcomes, scanned=1 if shown else None)


def _scanned(code: str) -> list[UUID] | Refusal:
    """Return whose code it is, which has the passbook's number in it; the code itself is not used up."""
    if not code:
        return []
    found = scanned(code)
    if isinstance(found, Refusal):
        return found
    number = _PAY_CODE.search(found.path)
    person = people.by_handle(session(), me().book_id, number[1]) if number else None
    return [person.id] if person else Refusal("scan-not-ours", "code")


@pages.post("/hosting/<uuid:activity_id>/check-out")
@allow(*HOST_ROLES)
@form_write(activity)
def check_out(activity_id: UUID) -> str | Refusal:
    """Check out those who were ticked or whose passbook numbers were typed."""
    ids = _chosen(activity_id, persons_typed("numbers"))
    outcomes = claims.check_out(session(), act(), services().vault, ids, activity_id=activity_id, by="host")
    return _shown(activity_id, ids, outcomes)


@pages.post("/hosting/<uuid:activity_id>/reopen")
@allow(*HOST_ROLES)
@form_write(activity)
def reopen(activity_id: UUID) -> str | Refusal:
    """Take the check-out of somebody back who left by mistake."""
    ids = [forms.an_id("person_id")]
    return _shown(activity_id, ids, claims.reopen(session(), act(), ids, activity_id=activity_id))


def _chosen(activity_id: UUID, typed: list[UUID]) -> list[UUID]:
    """Return those who were ticked or whose passbook numbers were typed; a number of whom the host does not dispose stays a number."""
    strangers = set(typed) - activities.within_reach(session(), _hosted(activity_id), typed, me().today)
    if strangers:
        handles = sorted(person.handle for person in people.persons(session(), me().book_id, strangers).values())
        raise Invalid("numbers-not-of-this-activity", "numbers", numbers="、".join(map(spaced, handles)))
    return chosen("person_id", *typed)


def _shown(activity_id: UUID, ids: list[UUID], outcomes: Sequence[object], **more: int | None) -> str | Refusal:
    if len(outcomes) == 1 and isinstance(outcomes[0], Refusal):
        return outcomes[0]
    return address_of_outcomes("host.activity", ids, outcomes, activity_id=activity_id, **more)
