"""Recompute a whole book from its entries, and say what does not hold, and where (law 8).

The database reads every line, entry, hold and request, and hands over only those that break a law: told apart here, row by row, a million
entries would take minutes. The lines go by accounts, so many at a time; where they are more than go at once, PostgreSQL reads them and all
else side by side. Whoever verifies a book that is in use begins with `ledger.store.snapshot`: statement by statement, what is posted
meanwhile would look like faults.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Integer
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import cast
from sqlalchemy import false
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import not_
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger import areas
from ledger.errors import Fault
from ledger.journal.decide import year_begins
from ledger.journal.decide import year_of
from ledger.journal.model import Account
from ledger.journal.model import Answer
from ledger.journal.model import Entry
from ledger.journal.model import Hold
from ledger.journal.model import HoldEnd
from ledger.journal.model import Line
from ledger.journal.model import Request
from ledger.journal.model import Tally
from ledger.journal.queries import trial_balance
from ledger.journal.rules import EXPIRING
from ledger.journal.rules import LINED
from ledger.journal.rules import REVERSALS
from ledger.journal.rules import WAYS
from ledger.journal.rules import microseconds
from ledger.store import read_beside
from ledger.store import strange_ids
from ledger.store import without_haste

Progress = Callable[[int, int], None]
_ROWS_AT_ONCE = 10_000
_LINES_AT_ONCE = 500_000
_AHEAD_AT_MOST = 100 * 366 * 86_400 * 1_000_000
#: The kinds of entry whose side of a passbook may belong to a year that has passed.
_OF_ANOTHER_YEAR = ("gift", "clawback")


_TABLES = (Account, Entry, Line, Tally, Hold, HoldEnd, Request, Answer)


class _Reading(NamedTuple):
    session: Session
    book_id: UUID
    zone: str
    #: The book-local year that it is, and all in which anything can have been recorded.
    this_year: int
    years: range

    def year(self, moment: ColumnElement[int]) -> ColumnElement[int]:
        """Return the book-local year in which `moment` falls; null outside of the book's years."""
        return case(
            (moment < year_begins(self.years.start, self.zone), null()),
            *((moment < year_begins(year + 1, self.zone), literal_column(str(year))) for year in self.years),
            else_=null(),
        )


_Law = Callable[[_Reading], Iterator[Fault]]


class _Piece(NamedTuple):
    """The lines of some accounts, from the first to the last, and how many lines there are up to their end."""

    first: UUID
    last: UUID
    done: int


def verify(session: Session, book_id: UUID, at: datetime, progress: Progress | None = None) -> list[Fault]:
    """Return everything of the book that does not hold at `at`; nothing where all of it does."""
    without_haste(session)
    if strange := [Fault(*one) for one in strange_ids(session, book_id, _TABLES)]:
        return [*strange, Fault("book", "can be recomputed when its ids are put right")]
    reading = _reading(session, book_id, at)
    pieces = _pieces(reading)
    laws: list[_Law] = [partial(_lines, first=piece.first, last=piece.last) for piece in pieces]
    laws += [_entries, _requests, _tallies, _sums, _reversals, _clawbacks, _holds]
    # One piece is a small book: another connection is not worth it, and what the session has not committed is seen.
    beside = read_beside if len(pieces) > 1 else _read_in_turn
    found: list[Fault] = []
    for number, faults in enumerate(beside(session, [partial(_broken, reading, law) for law in laws])):
        found += faults
        if progress and number < len(pieces):
            progress(pieces[number].done, pieces[-1].done)
    return found


def _read_in_turn(session: Session, readings: Sequence[Callable[[Session], list[Fault]]]) -> Iterator[list[Fault]]:
    return (reading(session) for reading in readings)


def _broken(reading: _Reading, law: _Law, session: Session) -> list[Fault]:
    return list(law(reading._replace(session=session)))


def _reading(session: Session, book_id: UUID, at: datetime) -> _Reading:
    zone, now = areas.book(session, book_id).zone, microseconds(at)
    opened = session.execute(select(func.min(_raw(Account.opened_at))).where(Account.book_id == book_id)).scalar_one()
    latest = session.execute(select(func.max(_raw(Tally.posted_at))).where(Tally.book_id == book_id)).scalar_one()
    this_year = year_of(now, zone)
    first = year_of(max(opened, 0), zone) if opened is not None else this_year
    # The counters may say anything: what they say is no reason to go through a million years.
    last = year_of(min(max(now, (latest or 0) + 1), now + _AHEAD_AT_MOST), zone)
    return _Reading(session, book_id, zone, this_year, range(min(first, this_year), last + 1))


def _stream(reading: _Reading, wanted: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(reading.session.execute(wanted.execution_options(yield_per=_ROWS_AT_ONCE)))


def _raw(column: Any) -> ColumnElement[int]:
    # The whole microseconds as they are stored: moments are only compared here.
    return type_coerce(column, BigInteger)


def _pieces(reading: _Reading) -> list[_Piece]:
    counted = reading.session.execute(
        select(Line.account_id, func.count()).where(Line.book_id == reading.book_id).group_by(Line.account_id).order_by(Line.account_id)
    ).all()
    pieces, first, before, done = list[_Piece](), None, 0, 0
    for place, (account_id, lines) in enumerate(counted, 1):
        first, done = first or account_id, done + lines
        if done - before >= _LINES_AT_ONCE or place == len(counted):
            pieces.append(_Piece(first, account_id, done))
            first, before = None, done
    return pieces


def _lines(reading: _Reading, first: UUID, last: UUID) -> Iterator[Fault]:
    """Laws 3, 4 and 7: each account's lines count up without a gap, carry on from each other, and say what their entries say.

    Of the accounts from the first to the last. What a line adds to which year is worked out again from its entry's kind, and compared.
    """

    def previous(column: ColumnElement[Any], otherwise: int) -> ColumnElement[Any]:
        return func.coalesce(func.lag(column).over(partition_by=Line.account_id, order_by=Line.number), otherwise)

    before = select(
        Line.account_id, Line.number, Line.entry_id, Line.amount, Line.before, Line.after, Line.term, Line.deed_on, Line.earned,
        _raw(Line.posted_at).label("posted_at"),
        previous(Line.number.expression, 0).label("last_number"),
        previous(Line.after.expression, 0).label("last_after"),
        previous(_raw(Line.posted_at), -1).label("last_posted_at"),
        func.sum(Line.earned).over(partition_by=[Line.account_id, Line.term], order_by=Line.number).label("earned_by_then"),
    ).where(Line.book_id == reading.book_id, Line.account_id.between(first, last)).subquery("l")  # fmt: skip
    line, entered_at = before.c, _raw(Entry.posted_at)
    signed = case((line.account_id == Entry.to_account, Entry.amount), (line.account_id == Entry.from_account, -Entry.amount))
    expires, year = Account.kind.in_(EXPIRING), reading.year(line.posted_at)
    earned = _earned(expires, line.amount, line.earned_by_then - line.earned)
    wrong = {
        "number": line.number != line.last_number + 1,
        "carry": or_(line.before != line.last_after, line.before + line.amount != line.after, line.after < 0),
        "orphan": Entry.id.is_(None),
        "entry": or_(
            line.amount.is_distinct_from(signed), line.posted_at.is_distinct_from(entered_at), line.deed_on.is_distinct_from(Entry.deed_on)
        ),
        "time": line.posted_at <= line.last_posted_at,
        "overdrawn": line.earned_by_then < 0,
        "year": or_(year.is_(None), line.term > year, and_(line.term < year, not_(and_(expires, Entry.kind.in_(_OF_ANOTHER_YEAR))))),
        "earned": line.earned != earned,
    }
    wanted = (
        select(
            line.account_id, line.number, line.last_number, line.before, line.amount, line.after, line.last_after, line.term,
            line.earned, earned.label("worth"), year.label("year"),
            *(cast(condition, Integer).label(f"wrong_{name}") for name, condition in wrong.items()),
        )
        .select_from(before)
        .outerjoin(Entry, and_(Entry.book_id == reading.book_id, Entry.id == line.entry_id))
        .outerjoin(Account, and_(Account.book_id == reading.book_id, Account.id == line.account_id))
        .where(or_(*wrong.values()))
        .order_by(line.account_id, line.number)
    )  # fmt: skip
    for row in _stream(reading, wanted):
        place = f"account {row.account_id} line {row.number}"
        yield from (Fault(place, what) for is_wrong, what in _told(row) if is_wrong)


def _told(row: Any) -> list[tuple[bool, str]]:
    """Return what may be wrong with a line, and whether it is."""
    return [
        (row.wrong_number, f"is numbered {row.number} where {row.last_number + 1} follows"),
        (row.wrong_carry, f"{row.before} + {row.amount} = {row.after} does not follow {row.last_after}"),
        (row.wrong_orphan, "has no entry"),
        (row.wrong_entry and not row.wrong_orphan, "does not say what its entry says"),
        (row.wrong_time, "was recorded before the line it follows"),
        (row.wrong_overdrawn, f"takes more from the year {row.term} than was earned in it"),
        (row.wrong_year, f"belongs to the year {row.term} and was recorded in {row.year}"),
        (row.wrong_earned, f"adds {row.earned} points to the year {row.term} where {row.worth} belong"),
    ]


def _earned(expires: ColumnElement[bool], amount: ColumnElement[int], before: ColumnElement[int]) -> ColumnElement[int]:
    """Return what a line adds to the year it belongs to (book.md, "Expiry without lots"); `before` is what that year had until then."""
    return case(
        (not_(expires), 0),
        (and_(amount > 0, Entry.kind.in_(("award", "gift"))), amount),
        # What is taken back or given away takes the year no further down than to nothing.
        (and_(amount < 0, Entry.kind.in_(_OF_ANOTHER_YEAR)), case((before <= 0, 0), (before < -amount, -before), else_=amount)),
        else_=0,
    )


def _tallies(reading: _Reading) -> Iterator[Fault]:
    """Law 3, 4 and 6: the counters of each lined account say what its newest line and its open holds say."""
    held = (
        select(Hold.account_id, func.sum(Hold.amount).label("points"), func.min(_raw(Hold.expires_at)).label("until"))
        .outerjoin(HoldEnd, and_(HoldEnd.book_id == Hold.book_id, HoldEnd.hold_id == Hold.id))
        .where(Hold.book_id == reading.book_id, HoldEnd.hold_id.is_(None))
        .group_by(Hold.account_id)
        .subquery("held")
    )
    newest = (
        select(Line.account_id, func.max(Line.number).label("number"))
        .where(Line.book_id == reading.book_id)
        .group_by(Line.account_id)
        .subquery("newest")
    )
    last_number, last_after = func.coalesce(newest.c.number, 0), func.coalesce(Line.after, 0)
    points = func.coalesce(held.c.points, 0)
    lines_differ = or_(
        Tally.lines != last_number, Tally.balance != last_after, and_(Line.number.is_not(None), Tally.posted_at != Line.posted_at)
    )
    # As `decide` turns the year: by what it is now, or by the moment after the last entry where the clock has been set back.
    ahead = and_(Tally.year > reading.this_year, func.coalesce(Tally.year > reading.year(_raw(Tally.posted_at) + 1), true()))
    holds_differ = or_(Tally.held != points, _raw(Tally.held_until).is_distinct_from(held.c.until))
    wanted = (
        select(
            Account.id, Tally.account_id, Tally.lines, Tally.balance, Tally.held, Tally.year, last_number.label("last_number"),
            last_after.label("last_after"), points.label("points"), cast(lines_differ, Integer).label("lines_differ"),
            cast(holds_differ, Integer).label("holds_differ"), cast(ahead, Integer).label("ahead"),
        )
        .outerjoin(Tally, and_(Tally.book_id == Account.book_id, Tally.account_id == Account.id))
        .outerjoin(newest, newest.c.account_id == Account.id)
        .outerjoin(Line, and_(Line.book_id == reading.book_id, Line.account_id == Account.id, Line.number == newest.c.number))
        .outerjoin(held, held.c.account_id == Account.id)
        .where(
            Account.book_id == reading.book_id,
            Account.kind.in_(LINED),
            or_(Tally.account_id.is_(None), lines_differ, holds_differ, ahead, Tally.balance - Tally.held < 0),
        )
    )  # fmt: skip
    for row in _stream(reading, wanted):
        place = f"account {row.id}"
        if row.account_id is None:
            yield Fault(place, "has no counters")
            continue
        if row.lines_differ:
            yield Fault(place, f"counts {row.lines} lines and {row.balance} points; its lines say {row.last_number} and {row.last_after}")
        if row.holds_differ:
            yield Fault(place, f"counts {row.held} points held; its holds say {row.points}")
        if row.ahead:
            yield Fault(place, f"is closed up to the year {row.year}, which has not begun")
        if row.balance - row.held < 0:
            yield Fault(place, "is below zero")


def _sums(reading: _Reading) -> Iterator[Fault]:
    """Law 1: the counters of the lined accounts and the entries of all others, each added up by itself, come to nothing."""
    if points := sum(trial_balance(reading.session, reading.book_id).values()):
        yield Fault("book", f"all its accounts together come to {points:+,} points, not to zero")


def _entries(reading: _Reading) -> Iterator[Fault]:
    """Laws 1 and 2: each entry goes a way that its kind may go, has a line on each side that is read line by line, and moves something."""
    giver, taker = aliased(Account), aliased(Account)
    counted = (
        select(Line.entry_id, func.count().label("lines"))
        .where(Line.book_id == reading.book_id)
        .group_by(Line.entry_id)
        .subquery("counted")
    )
    lines = func.coalesce(counted.c.lines, 0)
    sides = [case((account.kind.in_(LINED), 1), else_=0) for account in (giver, taker)]
    ways = (and_(Entry.kind == kind, giver.kind.in_(way.givers), taker.kind.in_(way.takers)) for kind, way in WAYS.items())
    fits = and_(or_(*ways), Entry.kind.in_(REVERSALS) == Entry.reverses.is_not(None))
    wrong = {
        "lines": or_(lines != sides[0] + sides[1], sides[0] + sides[1] == 0),
        "amount": Entry.amount < 1,
        "way": not_(func.coalesce(fits, false())),
    }
    wanted = (
        select(
            Entry.id, Entry.amount, Entry.kind, lines.label("lines"), (sides[0] + sides[1]).label("wanted"),
            giver.kind.label("giver"), taker.kind.label("taker"),
            *(cast(condition, Integer).label(f"wrong_{name}") for name, condition in wrong.items()),
        )
        .outerjoin(counted, counted.c.entry_id == Entry.id)
        .outerjoin(giver, and_(giver.book_id == reading.book_id, giver.id == Entry.from_account))
        .outerjoin(taker, and_(taker.book_id == reading.book_id, taker.id == Entry.to_account))
        .where(Entry.book_id == reading.book_id, or_(*wrong.values()))
    )  # fmt: skip
    for row in _stream(reading, wanted):
        place = f"entry {row.id}"
        if row.wrong_lines:
            yield Fault(place, f"has {row.lines} lines where {row.wanted} belong")
        if row.wrong_amount:
            yield Fault(place, f"moves {row.amount} points")
        if row.wrong_way:
            yield Fault(place, f"is a {row.kind} from {row.giver} to {row.taker}")


def _reversals(reading: _Reading) -> Iterator[Fault]:
    taking, taken = Entry.__table__.alias("taking"), Entry.__table__.alias("taken")
    rows = _stream(
        reading,
        select(
            taken.c.id, taken.c.amount, taken.c.reverses, taken.c.from_account, taken.c.to_account,
            taking.c.amount, taking.c.reversal_number, taking.c.left_after, taking.c.from_account, taking.c.to_account,
        )
        .join(taken, and_(taken.c.book_id == taking.c.book_id, taken.c.id == taking.c.reverses))
        .where(taking.c.book_id == reading.book_id, taken.c.book_id == reading.book_id)
        .order_by(taken.c.id, taking.c.reversal_number),
    )  # fmt: skip
    for (entry_id, amount), reversals in groupby(rows, key=lambda row: (row[0], row[1])):
        left, number = amount, 0
        for _, _, is_reversal, giver, taker, points, numbered, left_after, back_from, back_to in reversals:
            left, number = left - points, number + 1
            if (numbered, left_after) != (number, left) or left < 0 or is_reversal or (back_from, back_to) != (taker, giver):
                yield Fault(f"entry {entry_id}", f"reversal {numbered} leaves {left_after} of {amount}")


def _clawbacks(reading: _Reading) -> Iterator[Fault]:
    """Take what is taken back from a passbook from the year in which it was awarded (book.md, "Expiry without lots")."""
    taking, taken = Entry.__table__.alias("taking"), Entry.__table__.alias("taken")
    awarded = reading.year(_raw(taken.c.posted_at))
    wanted = (
        select(Line.account_id, Line.number, Line.term, awarded.label("awarded"))
        .join(taking, and_(taking.c.book_id == Line.book_id, taking.c.id == Line.entry_id, taking.c.from_account == Line.account_id))
        .join(taken, and_(taken.c.book_id == taking.c.book_id, taken.c.id == taking.c.reverses))
        .join(Account, and_(Account.book_id == Line.book_id, Account.id == Line.account_id))
        .where(
            Line.book_id == reading.book_id, taking.c.book_id == reading.book_id, taken.c.book_id == reading.book_id,
            taking.c.kind == "clawback", Account.kind.in_(EXPIRING), Line.term.is_distinct_from(awarded),
        )
    )  # fmt: skip
    for row in _stream(reading, wanted):
        place = f"account {row.account_id} line {row.number}"
        yield Fault(place, f"takes back points of the year {row.awarded} from the year {row.term}")


def _holds(reading: _Reading) -> Iterator[Fault]:
    """Law 6: a hold ended in its time, by a request; posted, in an entry of that request out of its account, of no more than was held."""
    ended_at, expires_at = _raw(HoldEnd.ended_at), _raw(Hold.expires_at)
    of_request = aliased(Request)
    is_posted = HoldEnd.how == "posted"
    wrong = {
        "entry": and_(
            is_posted,
            or_(
                Entry.id.is_(None),
                Entry.amount > Hold.amount,
                Entry.from_account != Hold.account_id,
                Entry.request_id != HoldEnd.request_id,
            ),
        ),
        "early": and_(HoldEnd.how == "expired", ended_at < expires_at),
        # A post is recorded after what its accounts recorded last, which may be later than it was asked for.
        "late": and_(HoldEnd.how != "expired", ended_at >= expires_at, func.coalesce(_raw(Request.at) >= expires_at, true())),
        "request": and_(HoldEnd.hold_id.is_not(None), Request.id.is_(None)),
        "orphan": of_request.id.is_(None),
    }
    wanted = (
        select(
            Hold.id, Hold.amount, HoldEnd.how, Entry.amount.label("posted"),
            *(cast(condition, Integer).label(f"wrong_{name}") for name, condition in wrong.items()),
        )
        .outerjoin(HoldEnd, and_(HoldEnd.book_id == Hold.book_id, HoldEnd.hold_id == Hold.id))
        .outerjoin(Entry, and_(Entry.book_id == HoldEnd.book_id, Entry.id == HoldEnd.entry_id))
        .outerjoin(Request, and_(Request.book_id == HoldEnd.book_id, Request.id == HoldEnd.request_id))
        .outerjoin(of_request, and_(of_request.book_id == Hold.book_id, of_request.id == Hold.request_id))
        .where(Hold.book_id == reading.book_id, or_(*wrong.values()))
    )  # fmt: skip
    for row in _stream(reading, wanted):
        place = f"hold {row.id}"
        if row.wrong_entry:
            yield Fault(place, f"of {row.amount} points ended in an entry of {row.posted}")
        if row.wrong_early:
            yield Fault(place, "is said to have expired before its time")
        if row.wrong_late:
            yield Fault(place, f"was {row.how} after its time")
        if row.wrong_request:
            yield Fault(place, "was ended by no request")
        if row.wrong_orphan:
            yield Fault(place, "belongs to no request")
    twice = reading.session.execute(
        select(HoldEnd.entry_id)
        .where(HoldEnd.book_id == reading.book_id, HoldEnd.entry_id.is_not(None))
        .group_by(HoldEnd.entry_id)
        .having(func.count() > 1)
    ).scalars()
    for entry_id in twice:
        yield Fault(f"entry {entry_id}", "ends more than one hold")


def _requests(reading: _Reading) -> Iterator[Fault]:
    """Law 5: every request was answered; every entry and hold belongs to a request."""
    unanswered = _stream(
        reading,
        select(Request.id)
        .outerjoin(Answer, and_(Answer.book_id == Request.book_id, Answer.request_id == Request.id))
        .where(Request.book_id == reading.book_id, Answer.request_id.is_(None)),
    )
    for (request_id,) in unanswered:
        yield Fault(f"request {request_id}", "was never answered")
    orphans = _stream(
        reading,
        select(Entry.id)
        .outerjoin(Request, and_(Request.book_id == Entry.book_id, Request.id == Entry.request_id))
        .where(Entry.book_id == reading.book_id, Request.id.is_(None)),
    )
    for (entry_id,) in orphans:
        yield Fault(f"entry {entry_id}", "belongs to no request")
