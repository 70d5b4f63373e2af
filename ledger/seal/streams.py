"""A whole book, row after row in the order of its log: for whoever recomputes it (verify.py) or writes it down (dumping.py).

Ids come as 16 bytes, moments as whole microseconds and dates as text, as leaves are made of them: a million rows are read in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import String
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NULLTYPE

from ledger.activities import HoursRecord
from ledger.activities import UnsealedHours
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.seal import leaves
from ledger.seal.model import SealedHours
from ledger.seal.model import Side

ROWS_AT_ONCE = 10_000
_MOMENTS, _DATES = {"posted_at"}, {"deed_on"}
_PLAIN = {"amount", "kind", "position", "channel", "reversal_number", "left_after"}


def raw_id(session: Session, column: Any) -> Any:
    """Return an expression for an id as 16 bytes."""
    function = func.uuid_send if session.get_bind().dialect.name == "postgresql" else func.unhex
    return function(column, type_=NULLTYPE)


def raw(column: Any) -> Any:
    """Return an expression for bytes as the driver gives them: its type would make each of some millions anew."""
    return type_coerce(column, NULLTYPE)


def entry_columns(session: Session) -> list[Any]:
    """Return the columns of an entry as they are sealed, in the order of `EntryFacts`."""
    return [_column(session, name) for name in leaves.EntryFacts._fields]


def _column(session: Session, name: str) -> Any:
    column = getattr(Entry, name)
    if name in _MOMENTS:
        return type_coerce(column, BigInteger)
    if name in _DATES:
        return cast(column, String)
    return column if name in _PLAIN else raw_id(session, column)


def stream(session: Session, wanted: Any) -> Iterator[Any]:
    """Return the rows of a query, a piece at a time."""
    # By the connection and not by the session, which would make each row twice.
    for piece in session.connection().execute(wanted.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
        yield from piece


def sides(session: Session, book_id: UUID) -> Any:
    """Return a query for the sides of a log in the order of its leaves: leaf, account, number, salt and hash of each."""
    return (
        select(Side.leaf_number, raw_id(session, Side.account_id), Side.number, raw(Side.salt), raw(Side.hash))
        .where(Side.book_id == book_id)
        .order_by(Side.leaf_number)
    )


def hours(session: Session, book_id: UUID, *, sealed: bool) -> Any:
    """Return a query for records of hours: those of the log in the order of its leaves, or those that have none.

    Each is its leaf; account, number, minutes of credit and of honour as they were sealed; what waits of it; and as the record says, its
    id, the passbook of whoever served, kind, minutes, day and moment. Where the record is gone, these six are not there.
    """
    account = (Account.book_id == book_id) & (Account.kind == "passbook") & (Account.owner == HoursRecord.person_id)
    wanted = select(
        SealedHours.leaf_number, raw_id(session, SealedHours.account_id), SealedHours.number, SealedHours.credit, SealedHours.honour,
        UnsealedHours.hours_id, raw_id(session, HoursRecord.id), raw_id(session, Account.id), HoursRecord.kind, HoursRecord.minutes,
        cast(HoursRecord.served_on, String), type_coerce(HoursRecord.recorded_at, BigInteger),
    )  # fmt: skip
    if sealed:
        record = (HoursRecord.book_id == book_id) & (HoursRecord.id == SealedHours.hours_id)
        wanted = wanted.select_from(SealedHours).outerjoin(HoursRecord, record)
        wanted = wanted.where(SealedHours.book_id == book_id).order_by(SealedHours.leaf_number)
    else:
        link = (SealedHours.book_id == book_id) & (SealedHours.hours_id == HoursRecord.id)
        wanted = wanted.select_from(HoursRecord).outerjoin(SealedHours, link)
        wanted = wanted.where(HoursRecord.book_id == book_id, SealedHours.number.is_(None)).order_by(
            HoursRecord.recorded_at, HoursRecord.id
        )
    queue = (UnsealedHours.book_id == book_id) & (UnsealedHours.hours_id == HoursRecord.id)
    return wanted.outerjoin(Account, account).outerjoin(UnsealedHours, queue)


class ByLeaf:
    """Rows that belong to leaves of a log and are read in their order, to be taken leaf by leaf; each begins with its leaf's number."""

    def __init__(self, session: Session, wanted: Any) -> None:
        self._rows = stream(session, wanted)
        self._next = next(self._rows, None)
        #: How many were passed over, since nobody asked for their leaf.
        self.strays = 0

    def of(self, leaf: int) -> list[Any]:
        """Return the rows of this leaf; those of leaves before it that nobody asked for are passed over."""
        found = []
        row = self._next
        while row is not None and row[0] <= leaf:
            if row[0] == leaf:
                found.append(row)
            else:
                self.strays += 1
            row = next(self._rows, None)
        self._next = row
        return found

    def pass_over(self) -> int:
        """Pass over all that are left, and return how many were passed over from the first on."""
        self.strays += sum(1 for _ in self._rows) + (self._next is not None)
        self._next = None
        return self.strays
