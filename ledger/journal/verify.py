"""Recompute a whole book from its entries, and say what does not hold, and where (law 8).

The rows come streamed and sorted, so that a million entries need little memory; every check is of one law of docs and book.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session

from ledger.journal.model import Account
from ledger.journal.model import Answer
from ledger.journal.model import Entry
from ledger.journal.model import Hold
from ledger.journal.model import HoldEnd
from ledger.journal.model import Line
from ledger.journal.model import Request
from ledger.journal.model import Tally
from ledger.journal.rules import KINDS

Progress = Callable[[int, int], None]
_AT_ONCE = 10_000


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
    total = session.execute(select(func.count()).select_from(Line).where(Line.book_id == book_id)).scalar_one()
    kinds = {id_: kind for id_, kind in session.execute(select(Account.id, Account.kind).where(Account.book_id == book_id))}
    faults = [*_lines(reading, kinds, total, progress), *_entries(reading, kinds), *_holds(reading), *_requests(reading)]
    if progress:
        progress(total, total)
    return faults


def _stream(reading: _Reading, wanted: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(reading.session.execute(wanted.execution_options(yield_per=_AT_ONCE)))


def _raw(column: Any, name: str) -> ColumnElement[int]:
    # The whole microseconds as they are stored: a million datetimes would only be compared and thrown away.
    return type_coerce(column, BigInteger).label(name)


def _lines(reading: _Reading, kinds: dict[UUID, str], total: int, progress: Progress | None) -> Iterator[Fault]:
    """Laws 3, 4 and 7: each account's lines count up without a gap, carry on from each other, and end where its counters stand."""
    lines = _stream(
        reading,
        select(
            Line.account_id, Line.number, Line.amount, Line.before, Line.after, Line.term, Line.earned,
            _raw(Line.posted_at, "line_posted_at"), Entry.amount, Entry.from_account, Entry.to_account,
            _raw(Entry.posted_at, "entry_posted_at"),
        )
        .outerjoin(Entry, and_(Entry.book_id == Line.book_id, Entry.id == Line.entry_id))
        .where(Line.book_id == reading.book_id)
        .order_by(Line.account_id, Line.number),
    )  # fmt: skip
    ends: dict[UUID, tuple[int, int, int]] = {}
    done = 0
    for account_id, rows in groupby(lines, key=lambda row: row[0]):
        number, balance, last = 0, 0, -1
        earned: dict[int, int] = defaultdict(int)
        for _, numbered, amount, before, after, term, adds, posted_at, moved, giver, taker, entered_at in rows:
            place = f"account {account_id} line {numbered}"
            number += 1
            if numbered != number:
                yield Fault(place, f"is numbered {numbered} where {number} follows")
                number = numbered
            if before != balance or before + amount != after or after < 0:
                yield Fault(place, f"{before} + {amount} = {after} does not follow {balance}")
            if moved is None:
                yield Fault(place, "has no entry")
            elif amount != (moved if account_id == taker else -moved if account_id == giver else None) or posted_at != entered_at:
                yield Fault(place, "does not say what its entry says")
            if posted_at <= last:
                yield Fault(place, "was recorded before the line it follows")
            earned[term] += adds
            if earned[term] < 0:
                yield Fault(place, f"takes more from the year {term} than was earned in it")
            balance, last = after, posted_at
            done += 1
        ends[account_id] = (number, balance, last)
        if progress:
            progress(done, total)
    yield from _tallies(reading, kinds, ends)


def _tallies(reading: _Reading, kinds: dict[UUID, str], ends: dict[UUID, tuple[int, int, int]]) -> Iterator[Fault]:
    """Law 3 and 6: the counters of each lined account say what its lines and open holds say."""
    held: dict[UUID, tuple[int, int]] = {
        account_id: (int(points), until)
        for account_id, points, until in reading.session.execute(
            select(Hold.account_id, func.sum(Hold.amount), _raw(func.min(Hold.expires_at), "until"))
            .outerjoin(HoldEnd, and_(HoldEnd.book_id == Hold.book_id, HoldEnd.hold_id == Hold.id))
            .where(Hold.book_id == reading.book_id, HoldEnd.hold_id.is_(None))
            .group_by(Hold.account_id)
        )
    }
    counted = set()
    tallies = _stream(
        reading,
        select(
            Tally.account_id, Tally.lines, Tally.balance, Tally.held, _raw(Tally.held_until, "held_until"),
            _raw(Tally.posted_at, "posted_at"),
        ).where(Tally.book_id == reading.book_id),
    )  # fmt: skip
    for account_id, lines, balance, holds, held_until, posted_at in tallies:
        counted.add(account_id)
        number, last_balance, last = ends.get(account_id, (0, 0, posted_at))
        if (lines, balance, posted_at) != (number, last_balance, last):
            yield Fault(f"account {account_id}", f"counts {lines} lines and {balance} points; its lines say {number} and {last_balance}")
        if (holds, held_until) != held.get(account_id, (0, None)):
            yield Fault(f"account {account_id}", f"counts {holds} points held; its holds say {held.get(account_id, (0, None))[0]}")
        if balance - holds < 0:
            yield Fault(f"account {account_id}", "is below zero")
    for account_id in {id_ for id_, kind in kinds.items() if KINDS[kind].is_lined} - counted:
        yield Fault(f"account {account_id}", "has no counters")


def _entries(reading: _Reading, kinds: dict[UUID, str]) -> Iterator[Fault]:
    """Laws 1 and 2: each entry has a line on each side that is read line by line, and nothing was taken back twice."""
    entries = _stream(
        reading,
        select(Entry.id, Entry.from_account, Entry.to_account, Entry.amount, func.count(Line.number))
        .outerjoin(Line, and_(Line.book_id == Entry.book_id, Line.entry_id == Entry.id))
        .where(Entry.book_id == reading.book_id)
        .group_by(Entry.id, Entry.from_account, Entry.to_account, Entry.amount),
    )
    for entry_id, giver, taker, amount, lines in entries:
        wanted = sum(account in kinds and KINDS[kinds[account]].is_lined for account in (giver, taker))
        if lines != wanted or not wanted:
            yield Fault(f"entry {entry_id}", f"has {lines} lines where {wanted} belong")
        if amount < 1:
            yield Fault(f"entry {entry_id}", f"moves {amount} points")
    yield from _reversals(reading)


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
