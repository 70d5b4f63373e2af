"""Reading a large book: a page and a balance at many lines, the recomputation of all of it, and that every hot read has its index."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import insert
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.floor import libpq
from bench.floor import times_ms
from ledger import journal
from ledger.act import OPERATOR
from ledger.areas import Book
from ledger.ids import new_id

#: So many lines has each passbook of the filled book.
LINES_EACH = 100
_ACCOUNTS_AT_ONCE = 5_000
_AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
_MICROSECONDS = int(_AT.timestamp()) * 1_000_000

# Awards of one point each, from the source; the same rows that posting them would write, which would take hours for ten millions.
_FILL = f"""
    WITH passbooks AS (
        INSERT INTO account (book_id, id, kind, owner, opened_at)
        SELECT %(book)s, uuidv7(), 'passbook', uuidv7(), {_MICROSECONDS} FROM generate_series(1, %(accounts)s) RETURNING id
    ), tallies AS (
        INSERT INTO tally (book_id, account_id, lines, balance, held, held_until, posted_at, year)
        SELECT %(book)s, id, {LINES_EACH}, {LINES_EACH}, 0, NULL, {_MICROSECONDS + LINES_EACH}, 2026 FROM passbooks
    ), entries AS (
        INSERT INTO entry (book_id, id, from_account, to_account, amount, kind, deed_on, posted_at, request_id, position, actor, channel)
        SELECT %(book)s, uuidv7(), %(source)s, id, 1, 'award', '2026-03-02', {_MICROSECONDS} + n, %(request)s,
            %(position)s + row_number() OVER (), %(actor)s, 'import'
        FROM generate_series(1, {LINES_EACH}) AS n CROSS JOIN passbooks
        RETURNING id, to_account, posted_at
    )
    INSERT INTO line (book_id, account_id, number, entry_id, amount, before, after, term, earned, posted_at, deed_on)
    SELECT %(book)s, to_account, posted_at - {_MICROSECONDS}, id, 1, posted_at - {_MICROSECONDS} - 1, posted_at - {_MICROSECONDS}, 2026, 1,
        posted_at, '2026-03-02'
    FROM entries
"""


@dataclass
class Shelf:
    """A book that is filled more and more."""

    engine: Engine
    owner_url: str
    book_id: UUID
    source: UUID
    request_id: UUID
    lines: int = 0

    def fill_up_to(self, lines: int) -> None:
        """Write lines, behind the service's back and without its foreign keys, until there are so many."""
        with psycopg.connect(libpq(self.owner_url), autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            named = {"book": self.book_id, "source": self.source, "request": self.request_id, "actor": OPERATOR}
            while self.lines < lines:
                accounts = min(_ACCOUNTS_AT_ONCE, (lines - self.lines) // LINES_EACH)
                connection.execute(_FILL, named | {"accounts": accounts, "position": self.lines})
                self.lines += accounts * LINES_EACH
            connection.execute("VACUUM ANALYZE account, tally, entry, line")

    def reads_ms(self, times: int) -> tuple[float, float]:
        """Return the median milliseconds of a passbook's first page and of its balance, of many passbooks in turn."""
        with Session(self.engine) as session:
            wanted = text("SELECT id FROM account WHERE book_id = :book AND kind = 'passbook' ORDER BY owner LIMIT 500")
            ids = list(session.execute(wanted, {"book": self.book_id}).scalars())
            page = times_ms(lambda number: journal.history(session, self.book_id, ids[number % len(ids)], limit=50), times)
            balance = times_ms(lambda number: journal.balance_of(session, self.book_id, ids[number % len(ids)], _AT), times)
            assert journal.balance_of(session, self.book_id, ids[0], _AT).balance == LINES_EACH
        return page[times // 2], balance[times // 2]

    def entries_as_bytes(self, most: int) -> list[bytes]:
        """Return each entry's content as bytes, ready to be hashed."""
        with Session(self.engine) as session:
            rows = session.execute(text("SELECT * FROM entry WHERE book_id = :book LIMIT :most"), {"book": self.book_id, "most": most})
            return ["|".join(map(str, row)).encode() for row in rows]

    def verify(self) -> list[journal.Fault]:
        """Recompute it."""
        with Session(self.engine) as session:
            return journal.verify(session, self.book_id, _AT)


def open_shelf(engine: Engine, owner_url: str) -> Shelf:
    """Open an empty book to be filled."""
    book_id = new_id()
    with Session(engine) as session:
        session.execute(insert(Book).values(id=book_id, number=990, name="shelf", area_code="320106", zone="Asia/Shanghai"))
        opened = journal.open_accounts(session, book_id, [("source", book_id)], _AT)
        (claimed,) = journal.claim(session, book_id, [journal.Ask(OPERATOR, "shelf", b"", _AT)])
        journal.answer(session, book_id, [(claimed.request_id, 200, {})])
        session.commit()
    return Shelf(engine, owner_url, book_id, opened["source", book_id], claimed.request_id)


@dataclass(frozen=True)
class Plan:
    """How a hot read finds its rows."""

    name: str
    indexes: tuple[str, ...]
    #: Tables that it reads from one end to the other, for want of an index.
    scanned: tuple[str, ...]


def plans(engine: Engine, reads: dict[str, Callable[[Session], object]]) -> list[Plan]:
    """Return by which indexes each of `reads` finds its rows."""
    found = []
    for name, read in reads.items():
        with Session(engine) as session, _statements(engine) as statements:
            read(session)
            told = "\n".join(line for statement, parameters in list(statements) for line in _explain(session, statement, parameters))
            indexes = dict.fromkeys(re.findall(r"Index (?:Only )?Scan(?: Backward)? (?:using|on) (\w+)", told))
            found.append(Plan(name, tuple(indexes), tuple(re.findall(r"Seq Scan on (\w+)", told))))
    return found


def _explain(session: Session, statement: str, parameters: Any) -> list[str]:
    # A table of a few rows is rightly read whole; the question is whether an index could serve once it has grown.
    connection = session.connection()
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return list(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())


@contextmanager
def _statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            heard.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)
