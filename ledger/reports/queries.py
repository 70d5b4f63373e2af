"""What is asked of everything at once: what was credited where and for what, what became of the points, what waits, how long funds last.

Points are dated by when they were recorded: a month that is over stays as it is, and what is taken back counts in the month in which it was
taken back. So the months together come to what the journal has. A fixed number of statements, whatever the book holds (docs/adr/0015).
"""

from __future__ import annotations

from collections import OrderedDict
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Hashable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import date
from datetime import datetime
from datetime import timedelta
from threading import Lock
from typing import Any
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger import areas
from ledger import funds
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.activities import Activity
from ledger.activities import HoursRecord
from ledger.areas import EVERYWHERE
from ledger.areas import Scope
from ledger.claims import Claim
from ledger.clock import local_day
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Tally
from ledger.reports.rules import PACE_WEEKS
from ledger.reports.rules import YEAR
from ledger.reports.rules import Done
from ledger.reports.rules import Month
from ledger.reports.rules import months_between
from ledger.reports.rules import months_to
from ledger.reports.rules import stretches
from ledger.reports.rules import weeks_left
from ledger.store import MICROSECOND
from ledger.tariff import Rate

#: Where points are that somebody holds, and where those go that are spent or run out.
_HOLDERS = ("passbook", "team")
_ENDS = ("receivable", "expired", "donated")
#: What goes out of a fund and comes back, and what goes to where points end.
_AWARDING = ("award", "clawback")
_SPENDING = ("redemption", "expiry", "donation")
#: Where claims stand that somebody is to see to.
_WAITING = ("reported", "attested")


#: What was written as a month ended is there so long after it.
_SETTLED_AFTER = timedelta(days=1)
#: Months of books and of parts of them.
_KEPT_MAX = 3000


class Credited(NamedTuple):
    """What was credited of one category in one area in one month; neither is told of points that came without a deed."""

    month: Month
    category: str | None
    area_code: str | None
    deeds: int
    points: int


class Told(NamedTuple):
    """What was credited of one category in one month, and to how many people and teams."""

    month: Month
    category: str | None
    deeds: int
    points: int
    owners: int


@dataclass
class Flow:
    """What happened in a month."""

    issued: int = 0
    deeds: int = 0
    redeemed: int = 0
    expired: int = 0
    donated: int = 0
    people: int = 0
    minutes: int = 0
    #: What people held when the month ended; not told of a part of the book.
    outstanding: int | None = None


@dataclass(frozen=True)
class Waiting:
    """What waits to be attested or approved, and since when."""

    count: int
    oldest: datetime | None
    median: datetime | None


@dataclass(frozen=True)
class Cover:
    """An open fund, what it has left, and for how many weeks that lasts at the pace of the last weeks."""

    id: UUID
    name: str
    left: int
    spent: int
    weeks: int | None


class FundMonth(NamedTuple):
    """What a fund awarded in a month, for how many deeds, and what it had left when the month ended."""

    month: Month
    deeds: int
    points: int
    left: int


@dataclass(frozen=True)
class Figures:
    """The figures of areas and a month, with the months before it."""

    months: Sequence[Month]
    credited: Sequence[Credited]
    flows: Mapping[Month, Flow]
    #: What people hold now.
    outstanding: int


#: Says of months that follow each other what there is to say of each.
Reckoning = Callable[[Sequence[Month]], Mapping[Month, Any]]


class _Finished:
    """What was reckoned of months that are over, which stays as it is: only the month that goes on is reckoned again and again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def of(self, book: areas.Book, what: Hashable, months: Sequence[Month], at: datetime, reckon: Reckoning) -> dict[Month, Any]:
        """Return what is known of these months, and what `reckon` says of each stretch of the others."""
        keys = {month: (book.id, book.zone, what, month) for month in months}
        found = {month: self._kept[key] for month, key in keys.items() if key in self._kept}
        for stretch in stretches([month for month in months if month not in found]):
            fresh = reckon(stretch)
            self._keep(book, what, fresh, at)
            found |= fresh
        return found

    def _keep(self, book: areas.Book, what: Hashable, found: Mapping[Month, Any], at: datetime) -> None:
        """Keep what was found of the months that were over a while ago, with all that was being written when they ended."""
        with self._lock:
            for month, one in found.items():
                if month.moved(1).begins(book.zone) + _SETTLED_AFTER <= at:
                    self._kept[book.id, book.zone, what, month] = one
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)


_finished = _Finished()


def figures(session: Session, book: areas.Book, within: Scope, month: Month, at: datetime) -> Figures:
    """Return what happened in areas in a month and in the year before it, as of now; `EVERYWHERE` for the whole book."""
    months = months_to(month, YEAR + 1)
    # What people held when a month ended is what they hold now without what came after.
    span = months_between(months[0], Month.of(local_day(at, book.zone)))
    found = _finished.of(book, within, span, at, lambda stretch: _reckoned(session, book, within, stretch))
    flows, held = {one: replace(flow) for one, (_, flow) in found.items()}, outstanding(session, book.id, within)
    if within == EVERYWHERE:
        _look_back(flows, span, held)
    return Figures(months, [row for one in months for row in found[one][0]], {one: flows[one] for one in months}, held)


def _reckoned(session: Session, book: areas.Book, within: Scope, span: Sequence[Month]) -> dict[Month, tuple[list[Credited], Flow]]:
    found: dict[Month, tuple[list[Credited], Flow]] = {one: ([], Flow()) for one in span}
    for row in _credited(session, book, within, span):
        rows, flow = found[row.month]
        rows.append(row)
        flow.issued += row.points
        flow.deeds += row.deeds
    for one, kind, points in _spent(session, book, within, span):
        _, flow = found[one]
        flow.expired += points if kind == "expiry" else 0
        flow.donated += points if kind == "donation" else 0
        flow.redeemed += points if kind in {"redemption", "void"} else 0
    for one, persons in _people(session, book, within, span):
        found[one][1].people = persons
    for one, minutes in _minutes(session, book, within, span):
        found[one][1].minutes = minutes
    return found


def _look_back(flows: dict[Month, Flow], span: Sequence[Month], held: int) -> None:
    for one in reversed(span):
        flow = flows[one]
        flow.outstanding = held
        held -= flow.issued - flow.redeemed - flow.expired - flow.donated


def _month_of(moment: Any, span: Sequence[Month], zone: str) -> ColumnElement[int]:
    """Return the place of a moment's month in `span`, in which it lies."""
    return case(*((moment < month.moved(1).begins(zone), place) for place, month in enumerate(span)))


def _within(moment: Any, span: Sequence[Month], zone: str) -> ColumnElement[bool]:
    return and_(moment >= span[0].begins(zone), moment < span[-1].moved(1).begins(zone))


def _awards(book: areas.Book, within: Scope, span: Sequence[Month], *columns: Any) -> Select[Any]:
    """Select from what funds awarded, and what of it was taken back, with the deed it was for, in `span`.

    A fund's lines are few to look through by time, and each leads to its entry and its deed by their keys.
    """
    taken_back = aliased(Entry)
    wanted = (
        select(*columns)
        .select_from(Line)
        .join(Entry, and_(Entry.book_id == Line.book_id, Entry.id == Line.entry_id))
        .outerjoin(taken_back, and_(taken_back.book_id == Entry.book_id, taken_back.id == Entry.reverses))
        .outerjoin(Claim, and_(Claim.book_id == Entry.book_id, Claim.id == func.coalesce(taken_back.reference, Entry.reference)))
        .outerjoin(Rate, and_(Rate.book_id == Claim.book_id, Rate.id == Claim.rate_id))
        .where(
            Line.book_id == book.id,
            Line.account_id.in_(select(Account.id).where(Account.book_id == book.id, Account.kind == "fund")),
            _within(Line.posted_at, span, book.zone),
            Entry.kind.in_(_AWARDING),
        )
    )
    return wanted if within == EVERYWHERE else wanted.where(areas.covered(book.id, Claim.area_code, within))


#: What has gone out of a fund, and for how many deeds: one that is taken back whole is none.
_POINTS = func.sum(-Line.amount)
_DEEDS = func.sum(case((Entry.kind == "award", 1), (Entry.left_after == 0, -1), else_=0))
#: Who got it.
_OWNER = func.coalesce(Claim.person_id, Claim.team_id)


def _credited(session: Session, book: areas.Book, within: Scope, span: Sequence[Month]) -> list[Credited]:
    place = _month_of(Line.posted_at, span, book.zone)
    wanted = _awards(book, within, span, place, Rate.category, Claim.area_code, _DEEDS, _POINTS)
    rows = session.execute(wanted.group_by(place, Rate.category, Claim.area_code))
    return [Credited(span[at], category, area_code, int(deeds), int(points)) for at, category, area_code, deeds, points in rows]


def _people(session: Session, book: areas.Book, within: Scope, span: Sequence[Month]) -> list[tuple[Month, int]]:
    """Return to how many people something was credited in each month, and not taken back in the same."""
    place = _month_of(Line.posted_at, span, book.zone).label("place")
    each = _awards(book, within, span, place, Claim.person_id).group_by(place, Claim.person_id).having(_POINTS > 0).subquery()
    rows = session.execute(select(each.c.place, func.count(each.c.person_id)).group_by(each.c.place))
    return [(span[at], persons) for at, persons in rows]


def _spent(session: Session, book: areas.Book, within: Scope, span: Sequence[Month]) -> list[tuple[Month, str, int]]:
    """Return what went where it ends in each month, by kind; what shops gave back is below zero."""
    found = []
    place = _month_of(Entry.posted_at, span, book.zone)
    for holder, end, sign in ((Entry.from_account, Entry.to_account, 1), (Entry.to_account, Entry.from_account, -1)):
        wanted = select(place, Entry.kind, func.sum(Entry.amount)).where(
            Entry.book_id == book.id,
            end.in_(select(Account.id).where(Account.book_id == book.id, Account.kind.in_(_ENDS))),
            Entry.kind.in_(_SPENDING if sign > 0 else ("void",)),
            _within(Entry.posted_at, span, book.zone),
        )
        if within != EVERYWHERE:
            wanted = wanted.where(holder.in_(_accounts_in(book.id, within)))
        rows = session.execute(wanted.group_by(place, Entry.kind))
        found += [(span[at], kind, sign * int(points)) for at, kind, points in rows]
    return found


def _accounts_in(book_id: UUID, within: Scope) -> Select[UUID]:
    """Select the accounts of whoever lives in areas, and of their teams."""
    persons = select(people.Person.id).where(people.Person.book_id == book_id, areas.covered(book_id, people.Person.area_code, within))
    teams = select(people.Team.id).where(people.Team.book_id == book_id, areas.covered(book_id, people.Team.area_code, within))
    either = or_(
        and_(Account.kind == "passbook", Account.owner.in_(persons)),
        and_(Account.kind == "team", Account.owner.in_(teams)),
    )
    return select(Account.id).where(Account.book_id == book_id, either)


def outstanding(session: Session, book_id: UUID, within: Scope) -> int:
    """Return the points that those who live in areas, and their teams, hold now: what the shops may yet be asked for."""
    held = select(Account.id).where(Account.book_id == book_id, Account.kind.in_(_HOLDERS))
    accounts = held if within == EVERYWHERE else _accounts_in(book_id, within)
    wanted = select(func.coalesce(func.sum(Tally.balance), 0)).where(Tally.book_id == book_id, Tally.account_id.in_(accounts))
    return int(session.execute(wanted).scalar_one())


def _minutes(session: Session, book: areas.Book, within: Scope, span: Sequence[Month]) -> list[tuple[Month, int]]:
    """Return the minutes of service recorded in each month, where the deed or the activity was."""
    place = _month_of(HoursRecord.recorded_at, span, book.zone)
    wanted = select(place, func.sum(HoursRecord.minutes)).where(
        HoursRecord.book_id == book.id, _within(HoursRecord.recorded_at, span, book.zone)
    )
    if within != EVERYWHERE:
        wanted = (
            wanted.select_from(HoursRecord)
            .outerjoin(Claim, and_(Claim.book_id == HoursRecord.book_id, Claim.id == HoursRecord.reference))
            .outerjoin(Activity, and_(Activity.book_id == HoursRecord.book_id, Activity.id == HoursRecord.reference))
            .where(areas.covered(book.id, func.coalesce(Claim.area_code, Activity.area_code), within))
        )
    return [(span[at], int(minutes)) for at, minutes in session.execute(wanted.group_by(place))]


def told(session: Session, book: areas.Book, month: Month, at: datetime) -> list[Told]:
    """Return what was credited in the whole book in a month and the year before it by category, and to how many, to be published."""
    months = months_to(month, YEAR + 1)
    found = _finished.of(book, "told", months, at, lambda stretch: _told(session, book, stretch))
    return [row for one in months for row in found[one]]


def _told(session: Session, book: areas.Book, span: Sequence[Month]) -> dict[Month, list[Told]]:
    place = _month_of(Line.posted_at, span, book.zone).label("place")
    columns = (place, Rate.category, _OWNER.label("owner"), _DEEDS.label("deeds"), _POINTS.label("points"))
    each = _awards(book, EVERYWHERE, span, *columns).group_by(place, Rate.category, _OWNER).subquery()
    owners = func.count(case((each.c.points > 0, each.c.owner)))
    wanted = select(each.c.place, each.c.category, func.sum(each.c.deeds), func.sum(each.c.points), owners)
    rows = session.execute(wanted.group_by(each.c.place, each.c.category))
    found: dict[Month, list[Told]] = {one: [] for one in span}
    for at, category, deeds, points, owners in rows:
        found[span[at]].append(Told(span[at], category, int(deeds), int(points), owners))
    return found


def waiting(session: Session, book_id: UUID, within: Scope) -> Waiting:
    """Return how many claims wait in areas to be attested or approved, and since when the oldest and the middle one of them do."""
    asked = [Claim.book_id == book_id, Claim.state.in_(_WAITING)]
    if within != EVERYWHERE:
        asked.append(areas.covered(book_id, Claim.area_code, within))
    count, oldest = session.execute(select(func.count(), func.min(Claim.reported_at)).where(*asked)).one()
    middle = select(Claim.reported_at).where(*asked).order_by(Claim.reported_at).offset(max(0, count - 1) // 2).limit(1)
    return Waiting(count, oldest, session.execute(middle).scalar_one_or_none() if count else None)


def covers(session: Session, book_id: UUID, within: Scope, on: date, at: datetime) -> list[Cover]:
    """Return the open funds that pay for something in areas, with what each has left and for how long it lasts."""
    paying = [fund for fund in funds.open_funds(session, book_id, on) if _pays_in(fund.path, within)]
    accounts = journal.account_ids(session, book_id, "fund", [fund.id for fund in paying])
    left = journal.available_of(session, book_id, accounts.values())
    wanted = (
        select(Line.account_id, _POINTS)
        .join(Entry, and_(Entry.book_id == Line.book_id, Entry.id == Line.entry_id))
        .where(
            Line.book_id == book_id,
            Line.account_id.in_(list(accounts.values())),
            Line.posted_at > at - timedelta(weeks=PACE_WEEKS),
            Entry.kind.in_(_AWARDING),
        )
        .group_by(Line.account_id)
    )
    spent = {account_id: int(points) for account_id, points in session.execute(wanted)}
    found = []
    for fund in paying:
        account_id = accounts[fund.id]
        of_late = spent.get(account_id, 0)
        found.append(Cover(fund.id, fund.name, left[account_id], of_late, weeks_left(left[account_id], of_late)))
    return found


def _pays_in(path: str, within: Scope) -> bool:
    return any(areas.is_within(path, one) or areas.is_within(one, path) for one in within)


def given_to(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return what each of these funds was given in all, without what went back from it."""
    accounts = journal.account_ids(session, book_id, "fund", ids)
    given: dict[UUID, int] = defaultdict(int)
    source = select(Account.id).where(Account.book_id == book_id, Account.kind == "source")
    for end, fund, sign in ((Entry.from_account, Entry.to_account, 1), (Entry.to_account, Entry.from_account, -1)):
        wanted = select(fund, func.sum(Entry.amount)).where(Entry.book_id == book_id, end.in_(source)).group_by(fund)
        for account_id, points in session.execute(wanted):
            given[account_id] += sign * int(points)
    return {fund_id: given[account_id] for fund_id, account_id in accounts.items()}


def budgets_of(session: Session, book_id: UUID, fund_id: UUID) -> list[tuple[datetime, int]]:
    """Return when a fund was given how much, the last first; what went back from it is below zero."""
    account_id = journal.account_of(session, book_id, "fund", fund_id)
    source = select(Account.id).where(Account.book_id == book_id, Account.kind == "source")
    found: list[tuple[datetime, int]] = []
    for end, fund, sign in ((Entry.from_account, Entry.to_account, 1), (Entry.to_account, Entry.from_account, -1)):
        wanted = select(Entry.posted_at, Entry.amount).where(Entry.book_id == book_id, end.in_(source), fund == account_id)
        found += [(at, sign * points) for at, points in session.execute(wanted)]
    return sorted(found, reverse=True)


def awarded_by(session: Session, book: areas.Book, fund_id: UUID, month: Month) -> list[FundMonth]:
    """Return what a fund awarded in each month of a year, up to and including `month`, with what it had left at each month's end."""
    account_id = journal.account_of(session, book.id, "fund", fund_id)
    span = months_to(month, YEAR)
    place = _month_of(Line.posted_at, span, book.zone)
    wanted = _awards(book, EVERYWHERE, span, place, _DEEDS, _POINTS).where(Line.account_id == account_id).group_by(place)
    awarded = {span[at]: (int(deeds), int(points)) for at, deeds, points in session.execute(wanted)}
    ends = {one: one.moved(1).begins(book.zone) - MICROSECOND for one in span}
    return [FundMonth(one, *awarded.get(one, (0, 0)), journal.as_of(session, book.id, account_id, ends[one])) for one in span]


def awaiting_funds(session: Session, book_id: UUID, within: Scope) -> tuple[int, int]:
    """Return how many approved deeds wait in areas for a fund that can pay, and for how many points."""
    wanted = select(func.count(), func.coalesce(func.sum(Claim.points), 0)).where(Claim.book_id == book_id, Claim.state == "awaiting_funds")
    if within != EVERYWHERE:
        wanted = wanted.where(areas.covered(book_id, Claim.area_code, within))
    count, points = session.execute(wanted).one()
    return count, int(points)


def done_of(session: Session, book_id: UUID, deed: str, since: date, until: date) -> list[Done]:
    """Return how often a deed was told from a day to another, by how long it took, without what was turned down or taken back."""
    wanted = (
        select(Claim.minutes, func.count(), func.sum(Claim.points))
        .join(Rate, and_(Rate.book_id == Claim.book_id, Rate.id == Claim.rate_id))
        .where(
            Claim.book_id == book_id,
            Claim.state.not_in(("returned", "refused", "withdrawn")),
            Claim.deed_on.between(since, until),
            Rate.deed == deed,
        )
        .group_by(Claim.minutes)
    )
    return [Done(minutes, times, int(points)) for minutes, times, points in session.execute(wanted)]


def cost_of(done: Sequence[Done], unit: str, points: int) -> int:
    """Return what such deeds come to at a rate, before any cap; by the hour, one of which nobody said how long comes to nothing."""
    return sum(tariff.points_for(unit, points, one.minutes) * one.times for one in done)
