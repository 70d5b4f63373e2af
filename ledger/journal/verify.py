"""Recompute a whole book from its entries, and say what does not hold, and where (law 8).

The database reads every line, entry, hold and request, and hands over only those that break a law: told apart here, row by row, a million
entries would take minutes. The lines go by accounts, as many at a time as a statement may well take.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
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
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger.journal.model import Account
from ledger.journal.model import Answer
from ledger.journal.model import Entry
from ledger.journal.model import Hold
from ledger.journal.model import HoldEnd
from ledger.journal.model import Line
from ledger.journal.model import Request
from ledger.journal.model import Tally
from ledger.journal.rules import LINED

Progress = Callable[[int, int], None]
_ROWS_AT_ONCE = 10_000
_LINES_AT_ONCE = 500_000


class Fault(NamedTuple):
    """Something that does not hold: where, and what."""

    place: str
    what: str


class _Reading(NamedTuple):
    session: Session
    book_id: UUID


def verify(session: Session, book_id: UUID, progress: Progress | None = None) -> list[Fault]:
    """Return everything of the book that does not hold; nothing where all of it does."""
    reading = _Reading(session, book_id)
    if session.get_bind().dialect.name == "postgresql":
        # Whoever asks for this waits for it; a large book takes longer than anything else may.
        session.execute(text("SET LOCAL statement_timeout = 0"))
    return [*_lines(reading, progress), *_tallies(reading), *_entries(reading), *_reversals(reading), *_holds(reading), *_requests(reading)]


def _stream(reading: _Reading, wanted: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(reading.session.execute(wanted.execution_options(yield_per=_ROWS_AT_ONCE)))


def _raw(column: Any) -> ColumnElement[int]:
    # The whole microseconds as they are stored: moments are only compared here.
    return type_coerce(column, BigInteger)


def _lines(reading: _Reading, progress: Progress | None) -> Iterator[Fault]:
    """Laws 3, 4 and 7: each account's lines count up without a gap, carry on from each other, and say what their entries say."""
    counted = reading.session.execute(
        select(Line.account_id, func.count()).where(Line.book_id == reading.book_id).group_by(Line.account_id).order_by(Line.account_id)
    ).all()
    total, done, waiting, first = sum(lines for _, lines in counted), 0, 0, None
    for place, (account_id, lines) in enumerate(counted, 1):
        first, waiting = first or account_id, waiting + lines
        if waiting < _LINES_AT_ONCE and place < len(counted):
            continue
        yield from _lines_between(reading, first, account_id)
        done, waiting, first = done + waiting, 0, None
        if progress:
            progress(done, total)
    if progress and not counted:
        progress(0, 0)


def _lines_between(reading: _Reading, first: UUID, last: UUID) -> Iterator[Fault]:
    def previous(column: ColumnElement[Any], otherwise: int) -> ColumnElement[Any]:
        return func.coalesce(func.lag(column).over(partition_by=Line.account_id, order_by=Line.number), otherwise)

    before = select(
        Line.account_id, Line.number, Line.entry_id, Line.amount, Line.before, Line.after, Line.term,
        _raw(Line.posted_at).label("posted_at"),
        previous(Line.number.expression, 0).label("last_number"),
        previous(Line.after.expression, 0).label("last_after"),
        previous(_raw(Line.posted_at), -1).label("last_posted_at"),
        func.sum(Line.earned).over(partition_by=[Line.account_id, Line.term], order_by=Line.number).label("earned"),
    ).where(Line.book_id == reading.book_id, Line.account_id.between(first, last)).subquery("l")  # fmt: skip
    line, entered_at = before.c, _raw(Entry.posted_at)
    signed = case((line.account_id == Entry.to_account, Entry.amount), (line.account_id == Entry.from_account, -Entry.amount))
    wrong = {
        "number": line.number != line.last_number + 1,
        "carry": or_(line.before != line.last_after, line.before + line.amount != line.after, line.after < 0),
        "orphan": Entry.id.is_(None),
        "entry": or_(line.amount.is_distinct_from(signed), line.posted_at.is_distinct_from(entered_at)),
        "time": line.posted_at <= line.last_posted_at,
        "earned": line.earned < 0,
    }
    wanted = (
        select(
            line.account_id, line.number, line.last_number, line.before, line.amount, line.after, line.last_after, line.term,
            *(cast(condition, Integer).label(f"wrong_{name}") for name, condition in wrong.items()),
        )
        .select_from(before)
        .outerjoin(Entry, and_(Entry.book_id == reading.book_id, Entry.id == line.entry_id))
        .where(or_(*wrong.values()))
        .order_by(line.account_id, line.number)
    )  # fmt: skip
    for row in _stream(reading, wanted):
        place = f"account {row.account_id} line {row.number}"
        if row.wrong_number:
            yield Fault(place, f"is numbered {row.number} where {row.last_number + 1} follows")
        if row.wrong_carry:
            yield Fault(place, f"{row.before} + {row.amount} = {row.after} does not follow {row.last_after}")
        if row.wrong_orphan:
            yield Fault(place, "has no entry")
        elif row.wrong_entry:
            yield Fault(place, "does not say what its entry says")
        if row.wrong_time:
            yield Fault(place, "was recorded before the line it follows")
        if row.wrong_earned:
            yield Fault(place, f"takes more from the year {row.term} than was earned in it")


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
    holds_differ = or_(Tally.held != points, _raw(Tally.held_until).is_distinct_from(held.c.until))
    wanted = (
        select(
            Account.id, Tally.account_id, Tally.lines, Tally.balance, Tally.held, last_number.label("last_number"),
            last_after.label("last_after"), points.label("points"), cast(lines_differ, Integer).label("lines_differ"),
            cast(holds_differ, Integer).label("holds_differ"),
        )
        .outerjoin(Tally, and_(Tally.book_id == Account.book_id, Tally.account_id == Account.id))
        .outerjoin(newest, newest.c.account_id == Account.id)
        .outerjoin(Line, and_(Line.book_id == reading.book_id, Line.account_id == Account.id, Line.number == newest.c.number))
        .outerjoin(held, held.c.account_id == Account.id)
        .where(
            Account.book_id == reading.book_id,
            Account.kind.in_(LINED),
            or_(Tally.account_id.is_(None), lines_differ, holds_differ, Tally.balance - Tally.held < 0),
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
        if row.balance - row.held < 0:
            yield Fault(place, "is below zero")


def _entries(reading: _Reading) -> Iterator[Fault]:
    """Laws 1 and 2: each entry has a line on each side that is read line by line, and moves something."""
    giver, taker = aliased(Account), aliased(Account)
    counted = (
        select(Line.entry_id, func.count().label("lines"))
        .where(Line.book_id == reading.book_id)
        .group_by(Line.entry_id)
        .subquery("counted")
    )
    lines = func.coalesce(counted.c.lines, 0)
    sides = [case((account.kind.in_(LINED), 1), else_=0) for account in (giver, taker)]
    wanted = (
        select(Entry.id, Entry.amount, lines.label("lines"), (sides[0] + sides[1]).label("wanted"))
        .outerjoin(counted, counted.c.entry_id == Entry.id)
        .outerjoin(giver, and_(giver.book_id == reading.book_id, giver.id == Entry.from_account))
        .outerjoin(taker, and_(taker.book_id == reading.book_id, taker.id == Entry.to_account))
        .where(Entry.book_id == reading.book_id, or_(lines != sides[0] + sides[1], sides[0] + sides[1] == 0, Entry.amount < 1))
    )
    for row in _stream(reading, wanted):
        if row.lines != row.wanted or not row.wanted:
            yield Fault(f"entry {row.id}", f"has {row.lines} lines where {row.wanted} belong")
        if row.amount < 1:
            yield Fault(f"entry {row.id}", f"moves {row.amount} points")


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


def _holds(reading: _Reading) -> Iterator[Fault]:
    """Law 6: a hold that was posted has an entry out of its own account, of its own request, and of no more than was held."""
    rows = _stream(
        reading,
        select(Hold.id, Hold.amount, Hold.account_id, HoldEnd.request_id, Entry.amount, Entry.from_account, Entry.request_id)
        .join(HoldEnd, and_(HoldEnd.book_id == Hold.book_id, HoldEnd.hold_id == Hold.id))
        .outerjoin(Entry, and_(Entry.book_id == HoldEnd.book_id, Entry.id == HoldEnd.entry_id))
        .where(Hold.book_id == reading.book_id, HoldEnd.how == "posted"),
    )
    entries = set()
    for hold_id, held, account_id, ended_by, posted, giver, entered_by in rows:
        if posted is None or posted > held or giver != account_id or entered_by != ended_by:
            yield Fault(f"hold {hold_id}", f"of {held} points ended in an entry of {posted}")
        entries.add(hold_id)
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
