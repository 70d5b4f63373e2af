"""Planning activities, signing up, checking in and out; the hours that come of it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.act import Act
from ledger.activities import queries
from ledger.activities.model import Activity
from ledger.activities.model import Attendance
from ledger.activities.model import HoursRecord
from ledger.activities.model import SignUp
from ledger.activities.model import UnsealedHours
from ledger.activities.model import WrongDigits
from ledger.activities.rules import LONGEST
from ledger.activities.rules import can_check_in
from ledger.activities.rules import can_check_out
from ledger.activities.rules import counted_minutes
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.ids import new_ids
from ledger.people import Person
from ledger.people import Vault
from ledger.store import insert_rows
from ledger.store import update_rows
from ledger.tokens import STEP_SECONDS
from ledger.tokens import code_at
from ledger.tokens import digits_at
from ledger.tokens import digits_of
from ledger.tokens import from_base32
from ledger.tokens import normalised
from ledger.tokens import step_at
from ledger.tokens import to_base32

PURPOSE = "venue"
TEXT_LENGTH_MAX = 200


@dataclass(frozen=True)
class NewActivity:
    """An activity to be planned."""

    area_code: str
    #: The code of the deed of the tariff that it counts as.
    deed: str
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    host_id: UUID


@dataclass(frozen=True)
class VenueCode:
    """What is shown at the venue for one step of time."""

    #: The token inside the QR code's address.
    token: str
    #: For typing.
    digits: str
    valid_until: datetime


def create(session: Session, act: Act, vault: Vault, scope: areas.Scope, new: NewActivity) -> Activity | Refusal:
    """Plan an activity in an area within `scope`; its host holds a role for it there on its day."""
    area = areas.area(session, act.book_id, new.area_code, scope)
    people.person(session, act.book_id, new.host_id)
    for field, text in (("title", new.title), ("place", new.place)):
        if not 1 <= len(text.strip()) <= TEXT_LENGTH_MAX:
            raise Invalid("text-malformed", field)
    if not 1 <= new.capacity <= 100_000:
        raise Invalid("number-out-of-range", "capacity", least=1, most=100_000)
    if not timedelta(0) < new.ends_at - new.starts_at <= LONGEST:
        raise Invalid("activity-times-malformed", "ends_at")
    day = local_day(new.starts_at, areas.book(session, act.book_id).zone)
    if not areas.in_scope(area.path, queries.scope_of_host(session, act.book_id, new.host_id, day)):
        return Refusal("host-without-role", "host_id")
    if tariff.rate_for(session, act.book_id, new.deed, day) is None:
        return Refusal("deed-not-in-tariff", "deed", {"on": day.isoformat()})
    activity_id = new_id()
    key = vault.seal(context(act.book_id, activity_id), secrets.token_bytes(32))
    row = vars(new) | {"title": new.title.strip(), "place": new.place.strip()}
    activity = Activity(book_id=act.book_id, id=activity_id, status="open", venue_key=key, **row)
    session.add(activity)
    session.flush()
    return activity


def context(book_id: UUID, activity_id: UUID) -> str:
    """Return what the key behind an activity's code is sealed to: its own place."""
    return f"{book_id}|{activity_id}|venue"


def sign_up(session: Session, act: Act, activity_id: UUID) -> Activity | Refusal:
    """Sign up for an activity that has room; twice is once."""
    activity = _locked(session, act.book_id, activity_id)
    if activity.ends_at <= act.at:
        return Refusal("activity-over", "activity_id")
    taken = queries.seats_taken(session, act.book_id, activity_id)
    if act.subject in taken:
        return activity
    if len(taken) >= activity.capacity:
        return Refusal("activity-full", "activity_id", {"capacity": activity.capacity})
    session.execute(insert(SignUp).values(book_id=act.book_id, activity_id=activity_id, person_id=act.subject, signed_up_at=act.at))
    return activity


def cancel_sign_up(session: Session, act: Act, activity_id: UUID) -> Activity:
    """Take one's sign-up back; there being none is as good."""
    activity = _locked(session, act.book_id, activity_id)
    this = (SignUp.book_id == act.book_id, SignUp.activity_id == activity_id, SignUp.person_id == act.subject)
    session.execute(delete(SignUp).where(*this))
    return activity


def _locked(session: Session, book_id: UUID, activity_id: UUID) -> Activity:
    wanted = select(Activity).where(Activity.book_id == book_id, Activity.id == activity_id, Activity.status == "open")
    locked = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.execute(locked).scalar_one_or_none()
    if found is None:
        raise NotFound("activity_id")
    return found


def venue_code(session: Session, vault: Vault, book: areas.Book, activity_id: UUID, host_id: UUID, at: datetime) -> VenueCode:
    """Return what the host shows at the venue now; nobody else is given it."""
    activity = queries.activity(session, book.id, activity_id)
    if activity.host_id != host_id:
        raise NotFound("activity_id")
    key, step = vault.open(context(book.id, activity_id), activity.venue_key), step_at(at)
    token = f"{book.number}-{to_base32(activity_id.bytes)}-{code_at(key, step, PURPOSE)}"
    until = datetime.fromtimestamp((step + 1) * STEP_SECONDS, at.tzinfo)
    return VenueCode(token, digits_at(key, step, PURPOSE), until)


def recognise_venue_code(session: Session, vault: Vault, book: areas.Book, token: str, at: datetime) -> Activity | Refusal:
    """Return the activity whose code was scanned; the step before is accepted too."""
    number, _, rest = normalised(token).partition("-")
    place, _, code = rest.partition("-")
    raw = from_base32(place, 16)
    if number != str(book.number) or raw is None:
        return Refusal("venue-code-unknown", "code")
    activity = _open(session, book.id, UUID(bytes=raw))
    if activity is None:
        return Refusal("venue-code-unknown", "code")
    return activity if _is_drawn(vault, activity, code_at, code, at) else Refusal("venue-code-expired", "code")


def recognise_venue_digits(session: Session, act: Act, vault: Vault, activity_id: UUID, digits: str) -> Activity | Refusal:
    """Return the activity whose digits were typed; six digits could be guessed, so only a few wrong tries are let through."""
    # Under the person's lock, so that tries made at once are counted one after the other.
    _lock_persons(session, act.book_id, [act.actor])
    if seconds := queries.must_wait(session, act.book_id, act.actor, act.at):
        return Refusal("digits-must-wait", "digits", {"retry_after": seconds})
    activity = _open(session, act.book_id, activity_id)
    if activity is None:
        return Refusal("venue-code-unknown", "digits")
    if _is_drawn(vault, activity, digits_at, digits_of(digits), act.at):
        return activity
    row = {"id": new_id(), "person_id": act.actor, "tried_at": act.at}
    session.execute(insert(WrongDigits).values(book_id=act.book_id, **row))
    return Refusal("venue-code-expired", "digits")


def _open(session: Session, book_id: UUID, activity_id: UUID) -> Activity | None:
    this = (Activity.book_id == book_id, Activity.id == activity_id, Activity.status == "open")
    return session.execute(select(Activity).where(*this)).scalar_one_or_none()


def _is_drawn(vault: Vault, activity: Activity, draw: Callable[[bytes, int, str], str], given: str, at: datetime) -> bool:
    key, now = vault.open(context(activity.book_id, activity.id), activity.venue_key), step_at(at)
    # Both steps are compared, in constant time, so that how long it takes tells nothing.
    matches = [hmac.compare_digest(draw(key, step, PURPOSE).encode(), given.encode()) for step in (now, now - 1)]
    return any(matches)


def check_in(
    session: Session, act: Act, person_ids: Sequence[UUID], *, activity_id: UUID, by: str
) -> list[Attendance | Refusal]:  # fmt: skip
    """Check persons in to an activity, by its venue code or by its host; one outcome for each, in order.

    A host disposes only of who signed up or lives where the host may host; anybody else scans the venue's code.
    """
    if by == "host" and queries.activity(session, act.book_id, activity_id).host_id != act.actor:
        raise NotFound("activity_id")
    _lock_persons(session, act.book_id, person_ids)
    activity = _locked(session, act.book_id, activity_id)
    if not can_check_in(activity.starts_at, activity.ends_at, act.at):
        return [Refusal("check-in-closed", "activity_id", {"starts_at": activity.starts_at}) for _ in person_ids]
    taken = queries.seats_taken(session, act.book_id, activity_id)
    here = {one.person_id: one for one in queries.attendance_of(session, act.book_id, activity_id)}
    mine = _within_reach(session, act, activity, person_ids, by)
    _end_forgotten(session, act, [person_id for person_id in person_ids if person_id in mine], activity_id)
    elsewhere = _open_elsewhere(session, act.book_id, person_ids)
    outcomes: list[Attendance | Refusal] = []
    rows = []
    for person_id in person_ids:
        if by == "host" and person_id == activity.host_id:
            outcomes.append(Refusal("host-checks-in-others", "person_id"))
        elif person_id not in mine:
            outcomes.append(Refusal("not-of-this-activity", "person_id"))
        elif person_id in here:
            left_at = here[person_id].out_at
            outcomes.append(Refusal("checked-out-already", "person_id", {"out_at": left_at}) if left_at else here[person_id])
        elif person_id in elsewhere:
            outcomes.append(Refusal("in-two-places", "person_id"))
        elif person_id not in taken and len(taken) >= activity.capacity:
            outcomes.append(Refusal("activity-full", "activity_id", {"capacity": activity.capacity}))
        else:
            row = {"activity_id": activity_id, "person_id": person_id, "in_at": act.at, "in_by": by, "out_at": None, "out_by": None}
            rows.append({"book_id": act.book_id, "minutes": None, **row})
            here[person_id] = Attendance(**rows[-1])
            taken.add(person_id)
            outcomes.append(here[person_id])
    insert_rows(session, Attendance, rows)
    return outcomes


def _within_reach(session: Session, act: Act, activity: Activity, person_ids: Sequence[UUID], by: str) -> set[UUID]:
    if by != "host":
        return set(person_ids)
    return queries.within_reach(session, activity, person_ids, local_day(act.at, areas.book(session, act.book_id).zone))


def check_out(
    session: Session, act: Act, person_ids: Sequence[UUID], *, activity_id: UUID, by: str
) -> list[Attendance | Refusal]:  # fmt: skip
    """Check persons out; the minutes within the activity's hours are credit hours. One outcome for each, in order.

    The host's own minutes, and those of the host's kin and household, count once somebody else has attested and approved them.
    """
    if by == "host" and queries.activity(session, act.book_id, activity_id).host_id != act.actor:
        raise NotFound("activity_id")
    _lock_persons(session, act.book_id, person_ids)
    activity = _locked(session, act.book_id, activity_id)
    here = {one.person_id: one for one in queries.attendance_of(session, act.book_id, activity_id)}
    outcomes: list[Attendance | Refusal] = []
    left: list[dict[str, Any]] = []
    mine = _within_reach(session, act, activity, person_ids, by)
    for person_id in person_ids:
        found = here.get(person_id)
        if person_id not in mine:
            outcomes.append(Refusal("not-of-this-activity", "person_id"))
        elif found is None:
            outcomes.append(Refusal("not-checked-in", "person_id"))
        elif found.out_at is not None and not (by == "host" and found.out_by == "nobody"):
            outcomes.append(Refusal("checked-out-already", "person_id", {"out_at": found.out_at}))
        elif by != "host" and not can_check_out(activity.ends_at, act.at):
            outcomes.append(Refusal("check-out-closed", "activity_id"))
        else:
            minutes = counted_minutes(activity.starts_at, activity.ends_at, found.in_at, act.at)
            key = {"book_id": act.book_id, "activity_id": activity_id, "person_id": person_id}
            # What was ended by nobody stays as long as it was: the person was seen elsewhere after it.
            left.append(key | {"out_at": found.out_at or act.at, "out_by": by, "minutes": minutes})
            here[person_id] = Attendance(**left[-1], in_at=found.in_at, in_by=found.in_by)
            outcomes.append(here[person_id])
    if left:
        session.expunge_all()
        update_rows(session, Attendance, left)
    day = local_day(activity.starts_at, areas.book(session, act.book_id).zone)
    unseen = {activity.host_id} | people.tied(session, act.book_id, [activity.host_id])[activity.host_id]
    # Hours are for ever: of a check-out that was taken back, those of the first time stay and only the rest is written.
    before = queries.credited_minutes(session, act.book_id, activity_id, [row["person_id"] for row in left])
    served = [
        Served(row["person_id"], "credit", more, day, activity_id)
        for row in left
        if row["person_id"] not in unseen and (more := row["minutes"] - before.get(row["person_id"], 0)) > 0
    ]
    record_hours(session, act, served)
    return outcomes


def reopen(
    session: Session, act: Act, person_ids: Sequence[UUID], *, activity_id: UUID, kept: Callable[[], Mapping[UUID, Refusal]]
) -> list[Attendance | Refusal]:  # fmt: skip
    """Take check-outs back, as the host, where somebody left by mistake; one outcome for each, in order.

    `kept` says, under the locks, whose check-out stays as it is, and why.
    """
    if queries.activity(session, act.book_id, activity_id).host_id != act.actor:
        raise NotFound("activity_id")
    _lock_persons(session, act.book_id, person_ids)
    activity = _locked(session, act.book_id, activity_id)
    here = {one.person_id: one for one in queries.attendance_of(session, act.book_id, activity_id)}
    later = queries.last_seen(session, act.book_id, person_ids)
    stays = kept()
    outcomes: list[Attendance | Refusal] = []
    rows: list[dict[str, Any]] = []
    for person_id in person_ids:
        found = here.get(person_id)
        if found is None:
            outcomes.append(Refusal("not-checked-in", "person_id"))
        elif person_id == activity.host_id:
            outcomes.append(Refusal("host-checks-in-others", "person_id"))
        elif found.out_at is None:
            outcomes.append(found)
        elif not can_check_out(activity.ends_at, act.at):
            outcomes.append(Refusal("reopening-closed", "activity_id"))
        elif later[person_id] > found.in_at:
            outcomes.append(Refusal("in-two-places", "person_id"))
        elif person_id in stays:
            outcomes.append(stays[person_id])
        else:
            key = {"book_id": act.book_id, "activity_id": activity_id, "person_id": person_id}
            rows.append(key | {"out_at": None, "out_by": None, "minutes": None})
            here[person_id] = Attendance(**rows[-1], in_at=found.in_at, in_by=found.in_by)
            outcomes.append(here[person_id])
    if rows:
        session.expunge_all()
        update_rows(session, Attendance, rows)
    return outcomes


def _lock_persons(session: Session, book_id: UUID, person_ids: Sequence[UUID]) -> None:
    wanted = select(Person.id).where(Person.book_id == book_id, Person.id.in_(person_ids)).order_by(Person.id)
    found = session.execute(wanted.with_for_update(key_share=True)).scalars().all()
    if len(found) < len(set(person_ids)):
        raise NotFound("person_id")


def _end_forgotten(session: Session, act: Act, person_ids: Sequence[UUID], activity_id: UUID) -> None:
    # Who did not check out of an activity that is over is not there any more; its host can still say so.
    wanted = (
        select(Attendance.activity_id, Attendance.person_id, Attendance.in_at, Activity.ends_at)
        .join(Activity, and_(Activity.book_id == Attendance.book_id, Activity.id == Attendance.activity_id))
        .where(
            Attendance.book_id == act.book_id,
            Attendance.person_id.in_(person_ids),
            Attendance.out_at.is_(None),
            Attendance.activity_id != activity_id,
            Activity.ends_at <= act.at,
        )
    )
    rows = [
        {
            "book_id": act.book_id, "activity_id": other, "person_id": person_id, "out_at": max(in_at, ends_at), "out_by": "nobody",
            "minutes": 0,
        }
        for other, person_id, in_at, ends_at in session.execute(wanted)
    ]  # fmt: skip
    update_rows(session, Attendance, rows)


def _open_elsewhere(session: Session, book_id: UUID, person_ids: Sequence[UUID]) -> set[UUID]:
    wanted = select(Attendance.person_id).where(
        Attendance.book_id == book_id, Attendance.person_id.in_(person_ids), Attendance.out_at.is_(None)
    )
    return set(session.execute(wanted).scalars())


@dataclass(frozen=True)
class Served:
    """Minutes that somebody served, and what vouches for them."""

    person_id: UUID
    kind: str
    minutes: int
    served_on: date
    reference: UUID


def record_hours(session: Session, act: Act, served: Iterable[Served]) -> None:
    """Write hours of service: kept apart from points, and for ever. They wait to be sealed under the passbook of whoever served."""
    all_served = [*served]
    if not all_served:
        return
    # They are sealed in the order of their ids, and the log does not tell who served.
    rows: list[dict[str, Any]] = [
        {"book_id": act.book_id, "id": one, "recorded_at": act.at, **vars(hours)}
        for one, hours in zip(new_ids(len(all_served)), all_served, strict=True)
    ]
    accounts = journal.open_accounts(session, act.book_id, [("passbook", row["person_id"]) for row in rows], act.at)
    insert_rows(session, HoursRecord, rows)
    waiting = [{"book_id": act.book_id, "hours_id": row["id"], "account_id": accounts["passbook", row["person_id"]]} for row in rows]
    insert_rows(session, UnsealedHours, waiting)
