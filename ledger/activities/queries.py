"""What is asked of activities: which there are, who comes, who was where, and the hours of it."""

from __future__ import annotations

import math
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.activities.model import Activity
from ledger.activities.model import Attendance
from ledger.activities.model import HoursRecord
from ledger.activities.model import SignUp
from ledger.activities.model import WrongDigits
from ledger.activities.rules import CLOSES_AFTER
from ledger.activities.rules import HOST_ROLES
from ledger.activities.rules import OPENS_BEFORE
from ledger.activities.rules import WRONG_DIGITS_MAX
from ledger.activities.rules import WRONG_DIGITS_WITHIN
from ledger.errors import NotFound


def activity(session: Session, book_id: UUID, activity_id: UUID) -> Activity:
    """Return the activity; raise NotFound where there is none."""
    found = session.execute(select(Activity).where(Activity.book_id == book_id, Activity.id == activity_id)).scalar_one_or_none()
    if found is None:
        raise NotFound("activity_id")
    return found


@dataclass(frozen=True)
class ActivityRow:
    """An activity with what a reader wants beside it."""

    activity: Activity
    #: How many have signed up or come.
    signed_up: int
    #: The person has signed up or come ...
    is_mine: bool
    #: ... and is checked in, or was.
    has_come: bool


def coming(
    session: Session, book_id: UUID, since: datetime, person_id: UUID, *, until: datetime | None = None, scope: areas.Scope | None = None,
    deeds: Collection[str] | None = None, after: tuple[datetime, UUID] | None = None, limit: int = 50,
) -> list[ActivityRow]:  # fmt: skip
    """Return the open activities that end after `since`, the soonest first, and whether the person has signed up.

    Only those that begin before `until`, that are in areas of `scope`, or that count as one of `deeds`, where these are given.
    """
    wanted = select(Activity).where(Activity.book_id == book_id, Activity.ends_at > since, Activity.status == "open")
    if until:
        wanted = wanted.where(Activity.starts_at < until)
    if scope is not None:
        wanted = wanted.where(areas.covered(book_id, Activity.area_code, scope))
    if deeds is not None:
        wanted = wanted.where(Activity.deed.in_(deeds))
    if after:
        wanted = wanted.where(tuple_(Activity.starts_at, Activity.id) > after)
    return rows_of(
        session, book_id, session.execute(wanted.order_by(Activity.starts_at, Activity.id).limit(limit)).scalars().all(), person_id
    )


def rows_of(session: Session, book_id: UUID, found: Sequence[Activity], person_id: UUID) -> list[ActivityRow]:
    """Return these activities with how many have signed up or come, and whether the person has."""
    ids = [one.id for one in found]
    signed = select(SignUp.activity_id, SignUp.person_id).where(SignUp.book_id == book_id, SignUp.activity_id.in_(ids))
    came = select(Attendance.activity_id, Attendance.person_id).where(Attendance.book_id == book_id, Attendance.activity_id.in_(ids))
    seats = signed.union(came).subquery()
    is_own = func.max(case((seats.c.person_id == person_id, 1), else_=0))
    counted = select(seats.c.activity_id, func.count(), is_own).group_by(seats.c.activity_id)
    taken = {activity_id: (count, bool(is_mine)) for activity_id, count, is_mine in session.execute(counted)}
    has_come = set(session.execute(came.with_only_columns(Attendance.activity_id).where(Attendance.person_id == person_id)).scalars())
    return [ActivityRow(one, *taken.get(one.id, (0, False)), one.id in has_come) for one in found]


def mine(session: Session, book_id: UUID, person_id: UUID, since: datetime, *, limit: int = 20) -> Sequence[Activity]:
    """Return the open activities that somebody has signed up for and that end after `since`, the soonest first."""
    signed = select(SignUp.activity_id).where(SignUp.book_id == book_id, SignUp.person_id == person_id)
    wanted = select(Activity).where(
        Activity.book_id == book_id, Activity.id.in_(signed), Activity.ends_at > since, Activity.status == "open"
    )
    return session.execute(wanted.order_by(Activity.starts_at, Activity.id).limit(limit)).scalars().all()


def under_way(session: Session, book_id: UUID, at: datetime) -> Sequence[Activity]:
    """Return the activities that one can check in to or out of at that moment, the soonest first."""
    wanted = select(Activity).where(
        Activity.book_id == book_id,
        Activity.status == "open",
        Activity.starts_at <= at + OPENS_BEFORE,
        Activity.ends_at > at - CLOSES_AFTER,
    )
    return session.execute(wanted.order_by(Activity.starts_at, Activity.id)).scalars().all()


def attendance_at(session: Session, book_id: UUID, activity_id: UUID, person_id: UUID) -> Attendance | None:
    """Return whether and when somebody came to an activity."""
    wanted = select(Attendance).where(
        Attendance.book_id == book_id, Attendance.activity_id == activity_id, Attendance.person_id == person_id
    )
    return session.execute(wanted).scalar_one_or_none()


def hosted_by(session: Session, book_id: UUID, host_id: UUID, *, limit: int = 50) -> Sequence[Activity]:
    """Return the activities somebody hosts, the latest first."""
    wanted = select(Activity).where(Activity.book_id == book_id, Activity.host_id == host_id).order_by(Activity.starts_at.desc())
    return session.execute(wanted.limit(limit)).scalars().all()


def presences(
    session: Session, book_id: UUID, person_ids: Collection[UUID], since: datetime, until: datetime
) -> list[tuple[UUID, datetime, datetime]]:  # fmt: skip
    """Return where these persons were checked in, begun between two moments: who, from when, and until when at the latest."""
    found: list[tuple[UUID, datetime, datetime]] = []
    for chunk in people.in_sets(person_ids):
        wanted = (
            select(Attendance.person_id, Attendance.in_at, Attendance.out_at, Activity.ends_at)
            .join(Activity, and_(Activity.book_id == Attendance.book_id, Activity.id == Attendance.activity_id))
            .where(Attendance.book_id == book_id, Attendance.person_id.in_(chunk), Attendance.in_at.between(since, until))
        )
        found += [(person_id, in_at, out_at or ends_at) for person_id, in_at, out_at, ends_at in session.execute(wanted)]
    return found


def attendance_of(
    session: Session, book_id: UUID, activity_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int | None = None
) -> Sequence[Attendance]:  # fmt: skip
    """Return who came to an activity, in the order they came, from after the one who came at (moment, id)."""
    wanted = select(Attendance).where(Attendance.book_id == book_id, Attendance.activity_id == activity_id)
    if after:
        wanted = wanted.where(tuple_(Attendance.in_at, Attendance.person_id) > after)
    return session.execute(wanted.order_by(Attendance.in_at, Attendance.person_id).limit(limit)).scalars().all()


def count_present(session: Session, book_id: UUID, activity_id: UUID) -> int:
    """Return how many are checked in to an activity and not yet out of it."""
    wanted = select(func.count()).where(Attendance.book_id == book_id, Attendance.activity_id == activity_id, Attendance.out_at.is_(None))
    return session.execute(wanted).scalar_one()


def present_at(session: Session, book_id: UUID, person_id: UUID) -> Activity | None:
    """Return the activity that somebody is checked in to and not yet out of."""
    wanted = (
        select(Activity)
        .join(Attendance, and_(Attendance.book_id == Activity.book_id, Attendance.activity_id == Activity.id))
        .where(Activity.book_id == book_id, Attendance.person_id == person_id, Attendance.out_at.is_(None))
    )
    return session.execute(wanted).scalar_one_or_none()


@dataclass(frozen=True)
class Hours:
    """Somebody's minutes of service, by kind; they are not points and never expire."""

    credit: int
    honour: int


def credited(session: Session, book_id: UUID, pairs: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Return those of the (activity, person) for which credit hours are written."""
    found: set[tuple[UUID, UUID]] = set()
    for chunk in people.in_sets(set(pairs)):
        wanted = select(HoursRecord.reference, HoursRecord.person_id).where(
            HoursRecord.book_id == book_id,
            HoursRecord.kind == "credit",
            HoursRecord.reference.in_({activity_id for activity_id, _ in chunk}),
            HoursRecord.person_id.in_({person_id for _, person_id in chunk}),
        )
        found |= {(activity_id, person_id) for activity_id, person_id in session.execute(wanted)}
    return found & set(pairs)


def credited_minutes(session: Session, book_id: UUID, activity_id: UUID, person_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many minutes of an activity are written as credit hours, of those who have any."""
    wanted = select(HoursRecord.person_id, func.sum(HoursRecord.minutes)).where(
        HoursRecord.book_id == book_id,
        HoursRecord.kind == "credit",
        HoursRecord.reference == activity_id,
        HoursRecord.person_id.in_(person_ids),
    )
    return {person_id: int(minutes) for person_id, minutes in session.execute(wanted.group_by(HoursRecord.person_id))}


def last_seen(session: Session, book_id: UUID, person_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return when each of these persons last checked in anywhere, of those who ever did."""
    wanted = select(Attendance.person_id, func.max(Attendance.in_at)).where(
        Attendance.book_id == book_id, Attendance.person_id.in_(person_ids)
    )
    return {person_id: in_at for person_id, in_at in session.execute(wanted.group_by(Attendance.person_id))}


def hours_of(session: Session, book_id: UUID, person_id: UUID) -> Hours:
    """Return what somebody has served."""
    wanted = select(HoursRecord.kind, func.sum(HoursRecord.minutes)).where(
        HoursRecord.book_id == book_id, HoursRecord.person_id == person_id
    )
    sums = {kind: int(minutes) for kind, minutes in session.execute(wanted.group_by(HoursRecord.kind))}
    return Hours(sums.get("credit", 0), sums.get("honour", 0))


def hours_by_year(session: Session, book_id: UUID, person_id: UUID) -> dict[int, Hours]:
    """Return what somebody has served in each year in which they did."""
    wanted = select(HoursRecord.served_on, HoursRecord.kind, HoursRecord.minutes).where(
        HoursRecord.book_id == book_id, HoursRecord.person_id == person_id
    )
    sums: dict[int, dict[str, int]] = {}
    for served_on, kind, minutes in session.execute(wanted):
        year = sums.setdefault(served_on.year, {"credit": 0, "honour": 0})
        year[kind] += minutes
    return {year: Hours(**minutes) for year, minutes in sums.items()}


@dataclass(frozen=True)
class Service:
    """Hours of somebody as they were recorded: of an activity by its title, or of a claim."""

    served_on: date
    kind: str
    minutes: int
    #: The activity or the claim it comes from.
    reference: UUID
    title: str | None


def services_of(session: Session, book_id: UUID, person_id: UUID, year: int) -> list[Service]:
    """Return what somebody served in a year, the latest first."""
    wanted = (
        select(HoursRecord.served_on, HoursRecord.kind, HoursRecord.minutes, HoursRecord.reference, Activity.title)
        .outerjoin(Activity, and_(Activity.book_id == HoursRecord.book_id, Activity.id == HoursRecord.reference))
        .where(
            HoursRecord.book_id == book_id,
            HoursRecord.person_id == person_id,
            HoursRecord.served_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .order_by(HoursRecord.served_on.desc(), HoursRecord.id.desc())
    )
    return [Service(*row) for row in session.execute(wanted)]


def seats_taken(session: Session, book_id: UUID, activity_id: UUID) -> set[UUID]:
    """Return who has signed up or come."""
    signed = select(SignUp.person_id).where(SignUp.book_id == book_id, SignUp.activity_id == activity_id)
    came = select(Attendance.person_id).where(Attendance.book_id == book_id, Attendance.activity_id == activity_id)
    return set(session.execute(signed.union(came)).scalars())


def scope_of_host(session: Session, book_id: UUID, host_id: UUID, on: date) -> areas.Scope:
    """Return the areas in which somebody may host on that day."""
    powers = people.powers_of(session, book_id, host_id, on)
    return tuple(power.area_path for power in powers if power.role in HOST_ROLES)


def within_reach(session: Session, activity: Activity, person_ids: Collection[UUID], on: date) -> set[UUID]:
    """Return those of `person_ids` of whom the host disposes on that day: who signed up or came, or lives where the host may host."""
    book_id = activity.book_id
    near = people.within(session, book_id, person_ids, scope_of_host(session, book_id, activity.host_id, on))
    return near | (seats_taken(session, book_id, activity.id) & set(person_ids))


def must_wait(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> int:
    """Return for how many seconds somebody has to wait after too many wrong digits; 0 for not at all."""
    wanted = select(func.count(), func.min(WrongDigits.tried_at)).where(
        WrongDigits.book_id == book_id, WrongDigits.person_id == person_id, WrongDigits.tried_at > at - WRONG_DIGITS_WITHIN
    )
    count, oldest = session.execute(wanted).one()
    return 0 if count < WRONG_DIGITS_MAX else max(1, math.ceil((oldest + WRONG_DIGITS_WITHIN - at).total_seconds()))
