"""Activities: planning them, signing up, checking in and out by the venue's code or by the host."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow import validate

from ledger import activities
from ledger import claims
from ledger import people
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import OutcomeOut
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.problems import body_of
from ledger.web.kit.writing import act

blp = Resource("activities", __name__, "Activities: where hours come from")

PERSONS_MAX = 500
CAPACITY_MAX = 100_000


class ActivityMadeOut(Shape):
    """Something to take part in, without what its host wrote of it."""

    id = Id(required=True)
    area_code = fields.String(required=True)
    deed = fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    capacity = fields.Integer(required=True)
    host_id = Id(required=True)
    status = fields.String(required=True)
    signed_up = fields.Integer(required=True, metadata={"description": "How many have signed up or come"})
    is_mine = fields.Boolean(required=True, metadata={"description": "Whoever asks has signed up or come"})
    has_come = fields.Boolean(required=True, metadata={"description": "Whoever asks has checked in"})


class ActivityOut(ActivityMadeOut):
    """Something to take part in."""

    title = Personal(required=True)
    place = Personal(required=True)


class ActivityIn(Shape):
    """An activity to plan; without a host, whoever plans it is the host."""

    area_code = Code(required=True)
    deed = Code(required=True, metadata={"description": "The deed of the tariff that it counts as"})
    title = Words(activities.TEXT_LENGTH_MAX, required=True)
    place = Words(activities.TEXT_LENGTH_MAX, required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    capacity = Whole(1, CAPACITY_MAX, required=True)
    host_id = Id(load_default=None, allow_none=True)


class VenueCodeOut(Shape):
    """What is shown at the venue until it is drawn anew."""

    token = fields.String(required=True)
    address = fields.String(required=True, metadata={"description": "For the QR code"})
    digits = fields.String(required=True, metadata={"description": "For typing, beside the activity"})
    valid_until = Moment(required=True)


class CodeIn(Shape):
    """What was scanned at the venue, or the activity and the digits that were typed."""

    code = Words(200, load_default=None, allow_none=True, metadata={"description": "The token, or the whole address"})
    activity_id = Id(load_default=None, allow_none=True)
    digits = Words(20, load_default=None, allow_none=True)


class PersonsIn(Shape):
    """Whom the host checks in or out."""

    person_ids = fields.List(Id(), required=True, validate=validate.Length(1, PERSONS_MAX))


class AttendanceOut(Shape):
    """Somebody who came."""

    activity_id = Id(required=True)
    person_id = Id(required=True)
    in_at = Moment(required=True)
    in_by = fields.String(required=True)
    out_at = Moment(required=True, allow_none=True)
    out_by = fields.String(required=True, allow_none=True)
    minutes = fields.Integer(required=True, allow_none=True, metadata={"description": "What counts: within the activity's hours"})


class NamedAttendanceOut(AttendanceOut):
    """Somebody who came, as the host sees them."""

    name = Personal(required=True)


class LeftOut(Shape):
    """An attendance that is over, and the claim that came of it, where it earns."""

    attendance = fields.Nested(AttendanceOut, required=True)
    claim_id = Id(required=True, allow_none=True)


class PresentOut(Shape):
    """What became of each person."""

    items = fields.List(fields.Nested(OutcomeOut), required=True)


@blp.reads("/activities", ActivityOut, paged=True)
@allow()
def list_activities(asked: dict[str, Any]) -> Page:
    """List the activities that are not over, the soonest first."""
    after: Any = read_cursor(asked["cursor"], moment, UUID)
    now, more = services().clock.now(), asked["limit"] + 1
    found = activities.coming(session(), me().book_id, now, me().person_id, after=after, limit=more)
    page = page_of(found, asked["limit"], lambda row: [row.activity.starts_at, row.activity.id])
    return Page([_shown(row) for row in page.items], page.next)


@blp.reads("/activities/<uuid:activity_id>", ActivityOut)
@allow()
def get_activity(activity_id: UUID) -> dict[str, Any]:
    """Show one activity."""
    return _row(activities.activity(session(), me().book_id, activity_id))


@blp.writes("/activities", ActivityIn, ActivityMadeOut, status=201)
@allow(*activities.HOST_ROLES)
def create_activity(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Plan an activity in one of one's areas."""
    host_id = asked.pop("host_id") or me().person_id
    new = activities.NewActivity(**asked, host_id=host_id)
    outcome = activities.create(session(), act(), services().vault, me().scope(*activities.HOST_ROLES), new)
    return outcome if isinstance(outcome, Refusal) else _row(outcome)


@blp.writes("/activities/<uuid:activity_id>/sign-up", Nothing, ActivityMadeOut)
@allow()
def sign_up(asked: dict[str, Any], activity_id: UUID) -> dict[str, Any] | Refusal:
    """Sign up for an activity that has room; twice is once."""
    outcome = activities.sign_up(session(), act(), activity_id)
    return outcome if isinstance(outcome, Refusal) else _row(outcome)


@blp.writes("/activities/<uuid:activity_id>/cancel-sign-up", Nothing, ActivityMadeOut)
@allow()
def cancel_sign_up(asked: dict[str, Any], activity_id: UUID) -> dict[str, Any]:
    """Take one's sign-up back."""
    return _row(activities.cancel_sign_up(session(), act(), activity_id))


@blp.reads("/activities/<uuid:activity_id>/venue-code", VenueCodeOut)
@allow(for_others=False)
def venue_code(activity_id: UUID) -> dict[str, Any]:
    """Draw what is shown at the venue now; only its host is given it."""
    code = activities.venue_code(session(), services().vault, me().book, activity_id, me().person_id, services().clock.now())
    return vars(code) | {"address": f"{services().settings.public_url}/v/{code.token}"}


@blp.reads("/activities/<uuid:activity_id>/attendance", NamedAttendanceOut, query=PageQuery, paged=True)
@allow(for_others=False)
def list_attendance(asked: dict[str, Any], activity_id: UUID) -> Page:
    """List who came, in the order they came; only its host is told."""
    if activities.activity(session(), me().book_id, activity_id).host_id != me().person_id:
        raise NotFound("activity_id")
    after: Any = read_cursor(asked["cursor"], moment, UUID)
    found = activities.attendance_of(session(), me().book_id, activity_id, after=after, limit=asked["limit"] + 1)
    page = page_of(found, asked["limit"], lambda one: [one.in_at, one.person_id])
    names = people.names_of(session(), services().vault, me().book_id, [one.person_id for one in page.items])
    return Page([_attendance(one) | {"name": names[one.person_id]} for one in page.items], page.next)


@blp.writes("/check-in", CodeIn, AttendanceOut)
@allow()
def check_in(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Check oneself in where the code was shown."""
    activity = _recognised(asked)
    if isinstance(activity, Refusal):
        return activity
    (outcome,) = activities.check_in(session(), act(), [me().person_id], activity_id=activity.id, by="venue_code")
    return outcome if isinstance(outcome, Refusal) else _attendance(outcome)


@blp.writes("/check-out", CodeIn, LeftOut)
@allow()
def check_out(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Check oneself out where the code was shown; what was earned is claimed at once."""
    activity = _recognised(asked)
    if isinstance(activity, Refusal):
        return activity
    found = claims.check_out(session(), act(), services().vault, [me().person_id], activity_id=activity.id, by="venue_code")
    if isinstance(found[0], Refusal):
        return found[0]
    attendance, claim = found[0]
    return {"attendance": _attendance(attendance), "claim_id": claim.id if claim else None}


@blp.writes("/activities/<uuid:activity_id>/check-ins", PersonsIn, PresentOut)
@allow(for_others=False)
def check_persons_in(asked: dict[str, Any], activity_id: UUID) -> dict[str, Any]:
    """Check persons in, as the host; one outcome for each, in order."""
    ids: Sequence[UUID] = asked["person_ids"]
    outcomes = activities.check_in(session(), act(), ids, activity_id=activity_id, by="host")
    return {"items": _outcomes(ids, outcomes, "checked_in")}


@blp.writes("/activities/<uuid:activity_id>/check-outs", PersonsIn, PresentOut)
@allow(for_others=False)
def check_persons_out(asked: dict[str, Any], activity_id: UUID) -> dict[str, Any]:
    """Check persons out, as the host; what they earned is claimed at once. One outcome for each, in order."""
    ids: Sequence[UUID] = asked["person_ids"]
    outcomes = claims.check_out(session(), act(), services().vault, ids, activity_id=activity_id, by="host")
    return {"items": _outcomes(ids, outcomes, "checked_out")}


@blp.writes("/activities/<uuid:activity_id>/reopen", PersonsIn, PresentOut)
@allow(for_others=False)
def reopen(asked: dict[str, Any], activity_id: UUID) -> dict[str, Any]:
    """Take check-outs back, as the host, where somebody left by mistake; what was claimed is returned. One outcome for each, in order."""
    ids: Sequence[UUID] = asked["person_ids"]
    outcomes = claims.reopen(session(), act(), ids, activity_id=activity_id)
    return {"items": _outcomes(ids, outcomes, "checked_in")}


def _recognised(asked: dict[str, Any]) -> activities.Activity | Refusal:
    """Return the activity whose code was scanned or typed."""
    scanned, typed = asked["code"], asked["activity_id"] and asked["digits"]
    if bool(scanned) == bool(typed):
        raise Invalid("one-of-two", "code", one="code", other="activity_id, digits")
    if typed:
        return activities.recognise_venue_digits(session(), act(), services().vault, asked["activity_id"], asked["digits"])
    # What a camera reads is the whole address; the token is its end.
    return activities.recognise_venue_code(session(), services().vault, me().book, scanned.rpartition("/")[2], act().at)


def _row(activity: activities.Activity) -> dict[str, Any]:
    return _shown(activities.rows_of(session(), me().book_id, [activity], me().person_id)[0])


def _shown(row: activities.ActivityRow) -> dict[str, Any]:
    columns = ("id", "area_code", "deed", "title", "place", "starts_at", "ends_at", "capacity", "host_id", "status")
    return {
        "signed_up": row.signed_up,
        "is_mine": row.is_mine,
        "has_come": row.has_come,
        **{column: getattr(row.activity, column) for column in columns},
    }


def _attendance(one: activities.Attendance) -> dict[str, Any]:
    columns = ("activity_id", "person_id", "in_at", "in_by", "out_at", "out_by", "minutes")
    return {column: getattr(one, column) for column in columns}


def _outcomes(ids: Iterable[UUID], outcomes: Iterable[object], state: str) -> list[dict[str, Any]]:
    return [
        {"id": person_id, "ok": False, "state": None, "problem": body_of(outcome)}
        if isinstance(outcome, Refusal)
        else {"id": person_id, "ok": True, "state": state, "problem": None}
        for person_id, outcome in zip(ids, outcomes, strict=True)
    ]
