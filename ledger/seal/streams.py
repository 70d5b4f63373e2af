"""A whole book, row after row in the order of its log: for whoever recomputes it (verify.py) or writes it down (dumping.py).

Ids come as 16 bytes, moments as whole microseconds and dates as text, as leaves are made of them: a million rows are read in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from itertools import count
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any
from typing import NamedTuple
from uuid import UUID

from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import BigInteger
from sqlalchemy import String
from sqlalchemy import and_
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
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
#: So many that asking for them again and again costs little; and so few that they are still in the processor's own cache when they are
#: worked on: what is made of a thousand is not, and to fetch it from further takes a fifth of the time (docs/adr/0016).
_ROWS_SENT_AT_ONCE, _ROWS_MADE_AT_ONCE = 5_000, 64
_cursors = count(1)
#: What comes after the last leaf.
_NO_MORE: tuple[float, Iterator[tuple[Any, ...]]] = (inf, iter(()))
_MOMENTS, _DATES = {"posted_at"}, {"deed_on"}
_PLAIN = {"amount", "kind", "position", "channel", "reversal_number", "left_after"}


def raw_id(session: Session, column: Any) -> Any:
    """Return an expression for an id that `rows` gives as 16 bytes."""
    return raw(column) if session.get_bind().dialect.name == "postgresql" else func.unhex(column, type_=NULLTYPE)


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


def rows(session: Session, wanted: Any) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a query as the driver itself makes them, in half the time: for what is read by the million.

    No type of SQLAlchemy's touches them: the query asks for whatever the driver gives as it is wanted. Ids of PostgreSQL are 16 bytes.
    Whoever does not read to the end leaves PostgreSQL's cursor open until the transaction ends.
    """
    return chain.from_iterable(_pieces(session, wanted))


def _pieces(session: Session, wanted: Any) -> Iterator[list[tuple[Any, ...]]]:
    connection = session.connection()
    statement = str(wanted.compile(connection, compile_kwargs={"literal_binds": True}))
    driver: Any = connection.connection.driver_connection
    is_far = connection.dialect.name == "postgresql"
    with closing(driver.cursor(binary=True) if is_far else driver.cursor()) as cursor:
        if not is_far:
            cursor.execute(statement)
            yield from _made(cursor)
            return
        # By a cursor of the database's, and not by the driver's own for it, which makes all that was sent at once.
        name = f"rows_{next(_cursors)}"
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        driver.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {statement}", prepare=False)
        while cursor.execute(f"FETCH {_ROWS_SENT_AT_ONCE} FROM {name}", prepare=False).rowcount:
            yield from _made(cursor)
        driver.execute(f"CLOSE {name}", prepare=False)


def _made(cursor: Any) -> Iterator[list[tuple[Any, ...]]]:
    return iter(partial(cursor.fetchmany, _ROWS_MADE_AT_ONCE), [])


class Part(NamedTuple):
    """Some leaves of a log: from `first` on, up to and without `last`; None where nothing bounds them."""

    first: int | None = None
    last: int | None = None

    def has(self, number: Any) -> Any:
        """Return the condition that a leaf's number is one of these."""
        if self.first is None:
            # What names no leaf is with the first, as a stray.
            return true() if self.last is None else or_(number < self.last, number.is_(None))
        return and_(number >= self.first, true() if self.last is None else number < self.last)


ALL = Part()


def _leaf_of(table: type[Side | SealedHours]) -> Any:
    return func.coalesce(table.leaf_number, -1)


def sides(session: Session, book_id: UUID, part: Part = ALL) -> Any:
    """Return a query for the sides of a log in the order of its leaves: leaf, account, number, salt and hash of each."""
    return (
        select(_leaf_of(Side), raw_id(session, Side.account_id), Side.number, raw(Side.salt), raw(Side.hash))
        .where(Side.book_id == book_id, part.has(Side.leaf_number))
        .order_by(Side.leaf_number)
    )


def hours(session: Session, book_id: UUID, part: Part = ALL, *, sealed: bool) -> Any:
    """Return a query for records of hours: those of the log in the order of its leaves, or those that have none.

    Each is its leaf; account, number, minutes of credit and of honour as they were sealed; what waits of it; and as the record says, its
    id, the passbook of whoever served, kind, minutes, day and moment. Where the record is gone, these six are not there.
    """
    account = (Account.book_id == book_id) & (Account.kind == "passbook") & (Account.owner == HoursRecord.person_id)
    wanted = select(
        _leaf_of(SealedHours), raw_id(session, SealedHours.account_id), SealedHours.number, SealedHours.credit, SealedHours.honour,
        UnsealedHours.hours_id, raw_id(session, HoursRecord.id), raw_id(session, Account.id), HoursRecord.kind, HoursRecord.minutes,
        cast(HoursRecord.served_on, String), type_coerce(HoursRecord.recorded_at, BigInteger),
    )  # fmt: skip
    if sealed:
        record = (HoursRecord.book_id == book_id) & (HoursRecord.id == SealedHours.hours_id)
        wanted = wanted.select_from(SealedHours).outerjoin(HoursRecord, record)
        wanted = wanted.where(SealedHours.book_id == book_id, part.has(SealedHours.leaf_number)).order_by(SealedHours.leaf_number)
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
        self._groups: Iterator[tuple[float, Iterator[tuple[Any, ...]]]] = groupby(rows(session, wanted), itemgetter(0))
        self._leaf, self._group = next(self._groups, _NO_MORE)
        #: How many were passed over, since nobody asked for their leaf.
        self.strays = 0

    def of(self, leaf: float) -> list[tuple[Any, ...]]:
        """Return the rows of this leaf; those of leaves before it that nobody asked for are passed over."""
        while self._leaf < leaf:
            self.strays += sum(1 for _ in self._group)
            self._leaf, self._group = next(self._groups, _NO_MORE)
        if self._leaf > leaf:
            return []
        found = list(self._group)
        self._leaf, self._group = next(self._groups, _NO_MORE)
        return found

    def pass_over(self) -> int:
        """Pass over all that are left, and return how many were passed over from the first on."""
        self.of(inf)
        return self.strays
