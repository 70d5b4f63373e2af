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

# A budget for a fund, which awards each passbook its points, and it gives all but one of them to a shop again, one by one: the same rows
# that posting them would write, which would take hours for ten millions.
_ACCOUNTS = f"""
    INSERT INTO account (book_id, id, kind, owner, opened_at)
    SELECT %(book)s, uuidv7(), kind, uuidv7(), {_MICROSECONDS}
    FROM (SELECT 'passbook' FROM generate_series(1, %(accounts)s) UNION ALL VALUES ('fund'), ('receivable')) AS wanted (kind)
    RETURNING id, kind
"""
_FILL = f"""
    WITH passbooks AS (
        SELECT id, row_number() OVER () AS place FROM unnest(%(passbooks)s::uuid[]) AS passbook (id)
    ), moved AS (
        SELECT uuidv7() AS id, %(source)s::uuid AS giver, %(fund)s::uuid AS taker, {LINES_EACH} * %(accounts)s::bigint AS amount,
            'budget' AS kind, {_MICROSECONDS} AS at, 0::bigint AS giver_number, 1::bigint AS taker_number, 0::bigint AS giver_before
        UNION ALL
        SELECT uuidv7(), %(fund)s::uuid, id, {LINES_EACH}, 'award', {_MICROSECONDS} + place, 1 + place, 1,
            {LINES_EACH} * (%(accounts)s - place + 1)
        FROM passbooks
        UNION ALL
        SELECT uuidv7(), id, %(shop)s::uuid, 1, 'redemption', {_MICROSECONDS} + %(accounts)s + n, n, 0, {LINES_EACH} + 2 - n
        FROM generate_series(2, {LINES_EACH}) AS n CROSS JOIN passbooks
    ), numbered AS MATERIALIZED (
        SELECT *, row_number() OVER () AS position FROM moved
    ), entries AS (
        INSERT INTO entry (book_id, id, from_account, to_account, amount, kind, deed_on, posted_at, request_id, position, actor, channel)
        SELECT %(book)s, id, giver, taker, amount, kind, '2026-03-02', at, %(request)s, %(position)s + position, %(actor)s, 'import'
        FROM numbered
    ), queue AS (
        INSERT INTO unsealed (book_id, entry_id) SELECT %(book)s, id FROM numbered
    ), tallies AS (
        INSERT INTO tally (book_id, account_id, lines, balance, held, held_until, posted_at, year)
        SELECT %(book)s, id, {LINES_EACH}, 1, 0, NULL::bigint, {_MICROSECONDS} + %(accounts)s + {LINES_EACH}, 2026 FROM passbooks
        UNION ALL
        SELECT %(book)s, %(fund)s, 1 + %(accounts)s, 0, 0, NULL, {_MICROSECONDS} + %(accounts)s, 2026
    )
    INSERT INTO line (book_id, account_id, number, entry_id, amount, before, after, term, earned, posted_at, deed_on)
    SELECT %(book)s, taker, taker_number, id, amount, 0, amount, 2026, CASE kind WHEN 'award' THEN amount ELSE 0 END, at, '2026-03-02'::date
    FROM numbered WHERE taker_number > 0
    UNION ALL
    SELECT %(book)s, giver, giver_number, id, -amount, giver_before, giver_before - amount, 2026, 0, at, '2026-03-02'::date
    FROM numbered WHERE giver_number > 0
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
            connection.execute("ALTER TABLE entry DISABLE TRIGGER entry_goes_a_known_way")
            named = {"book": self.book_id, "source": self.source, "request": self.request_id, "actor": OPERATOR}
            while self.lines < lines:
                accounts = min(_ACCOUNTS_AT_ONCE, (lines - self.lines) // LINES_EACH)
                opened = connection.execute(_ACCOUNTS, {"book": self.book_id, "accounts": accounts}).fetchall()
                ((fund,), (shop,)) = ([id_ for id_, of in opened if of == kind] for kind in ("fund", "receivable"))
                passbooks = [id_ for id_, kind in opened if kind == "passbook"]
                more = {"accounts": accounts, "passbooks": passbooks, "fund": fund, "shop": shop, "position": 2 * self.lines}
                connection.execute(_FILL, named | more)
                self.lines += accounts * LINES_EACH
            connection.execute("ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_goes_a_known_way")
            connection.execute("VACUUM ANALYZE account, tally, entry, line, unsealed")

    def reads_ms(self, times: int) -> tuple[float, float]:
        """Return the median milliseconds of a passbook's first page and of its balance, of many passbooks in turn."""
        with Session(self.engine) as session:
            wanted = text("SELECT id FROM account WHERE book_id = :book AND kind = 'passbook' ORDER BY owner LIMIT 500")
            ids = list(session.execute(wanted, {"book": self.book_id}).scalars())
            page = times_ms(lambda number: journal.history(session, self.book_id, ids[number % len(ids)], limit=50), times)
            balance = times_ms(lambda number: journal.balance_of(session, self.book_id, ids[number % len(ids)], _AT), times)
            assert journal.balance_of(session, self.book_id, ids[0], _AT).balance == 1
        return page[times // 2], balance[times // 2]

    def verify(self) -> list[journal.Fault]:
        """Recompute it."""
        with Session(self.engine) as session:
            return journal.verify(session, self.book_id, _AT)


def entries_as_bytes(engine: Engine, book_id: UUID, most: int) -> list[bytes]:
    """Return each entry's content as bytes, ready to be hashed."""
    with Session(engine) as session:
        rows = session.execute(text("SELECT * FROM entry WHERE book_id = :book LIMIT :most"), {"book": book_id, "most": most})
        return ["|".join(map(str, row)).encode() for row in rows]


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
