"""Checking in and out of an activity: the page that the venue's QR code opens, and typing its digits."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import activities
from ledger import claims
from ledger.activities import Activity
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import show
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("venue", __name__)

#: Whoever checks out so soon after checking in is asked whether they mean it.
SOON = timedelta(minutes=10)


@pages.get("/v/<token>")
@pages.get("/V/<token>")
@allow("volunteer")
def scanned(token: str) -> ResponseReturnValue:
    """Show the activity whose code was scanned, and the button to check in or out."""
    activity = _scanned(token)
    if isinstance(activity, Refusal):
        return show(body_of(activity))
    attendance = activities.attendance_at(session(), me().book_id, activity.id, me().person_id)
    return render_template("ledger/venue/scanned.html", activity=activity, attendance=attendance)


@pages.post("/v/<token>")
@pages.post("/V/<token>")
@allow("volunteer")
@form_write(scanned)
def check(token: str) -> str | Refusal:
    """Check in, or out."""
    return _check(_scanned(token))


@pages.get("/check-in")
@allow("volunteer")
def typed() -> ResponseReturnValue:
    """Ask for the digits shown at the venue."""
    running = activities.under_way(session(), me().book_id, services().clock.now())
    return render_template("ledger/venue/typed.html", activities=running)


@pages.post("/check-in")
@allow("volunteer")
@form_write(typed)
def check_typed() -> str | Refusal:
    """Check in, or out, by the digits that were typed."""
    return _check(
        activities.recognise_venue_digits(session(), act(), services().vault, forms.an_id("activity_id"), forms.words("digits", 16))
    )


@pages.get("/check-in/<uuid:activity_id>")
@allow("volunteer")
def checked(activity_id: UUID) -> ResponseReturnValue:
    """Say that one is checked in, or out, and since when."""
    attendance = activities.attendance_at(session(), me().book_id, activity_id, me().person_id)
    if attendance is None:
        raise NotFound("activity_id")
    activity = activities.activity(session(), me().book_id, activity_id)
    is_credited = bool(activities.credited(session(), me().book_id, [(activity_id, me().person_id)]))
    return render_template("ledger/venue/checked.html", activity=activity, attendance=attendance, is_credited=is_credited)


def _scanned(token: str) -> Activity | Refusal:
    return activities.recognise_venue_code(session(), services().vault, me().book, token, services().clock.now())


def _check(activity: Activity | Refusal) -> str | Refusal:
    if isinstance(activity, Refusal):
        return activity
    activity_id, own = activity.id, [me().person_id]
    if forms.choice("way", "in", "out") == "in":
        (done,) = activities.check_in(session(), act(), own, activity_id=activity_id, by="venue_code")
        outcome = done if isinstance(done, Refusal) else None
    elif hasty := _too_soon(activity):
        outcome = hasty
    else:
        (left,) = claims.check_out(session(), act(), services().vault, own, activity_id=activity_id, by="venue_code")
        outcome = left if isinstance(left, Refusal) else None
    return outcome or url_for("venue.checked", activity_id=activity_id)


def _too_soon(activity: Activity) -> Refusal | None:
    """Ask once more where somebody who has just come checks out: it is done by mistake, and nobody but the host takes it back."""
    found = activities.attendance_at(session(), me().book_id, activity.id, me().person_id)
    if found is None or found.out_at or act().at >= min(found.in_at + SOON, activity.ends_at) or forms.text("sure"):
        return None
    return Refusal("check-out-so-soon", "way")
