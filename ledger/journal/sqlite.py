"""SQLite: a writer holds the whole database from its BEGIN IMMEDIATE on, so reading is enough of a lock."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.journal.decide import AccountState
from ledger.journal.decide import EntryRow
from ledger.journal.decide import HoldEndRow
from ledger.journal.decide import HoldRow
from ledger.journal.decide import LineRow
from ledger.journal.decide import Writes

#: Far below SQLite's limit on the number of parameters of a statement.
_CHUNK = 500

_LOCK = """
    SELECT a.id, a.kind, t.lines, t.balance, t.held, t.held_until, t.posted_at, t.year
    FROM account a LEFT JOIN tally t ON t.book_id = a.book_id AND t.account_id = a.id
    WHERE a.book_id = ? AND a.id IN ({})
"""
_TALLY = "UPDATE tally SET lines = ?, balance = ?, held = ?, held_until = ?, posted_at = ?, year = ? WHERE book_id = ? AND account_id = ?"


def lock(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> dict[UUID, AccountState]:
    """Return these accounts as they stand; nobody else can write until the transaction ends."""
    found = {}
    connection = session.connection()
    for chunk in _chunks(account_ids):
        statement = _LOCK.format(", ".join("?" * len(chunk)))
        for id_, kind, lines, balance, held, held_until, posted_at, year in connection.exec_driver_sql(
            statement, (book_id.hex, *(account_id.hex for account_id in chunk))
        ):
            account_id = UUID(id_)
            found[account_id] = AccountState(
                account_id, kind, lines or 0, balance or 0, held or 0, held_until, posted_at or 0, year or 0
            )  # fmt: skip
    return found


def _chunks(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    remaining = iter(ids)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk


def write(session: Session, book_id: UUID, writes: Writes) -> None:
    """Write what was decided, each kind of row by one statement."""
    connection = session.connection()

    def insert(table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            statement = f"INSERT INTO {table} (book_id, {', '.join(columns)}) VALUES ({', '.join('?' * (len(columns) + 1))})"  # noqa: S608
            connection.exec_driver_sql(statement, [(book_id.hex, *map(_plain, row)) for row in rows])

    insert("entry", EntryRow._fields, writes.entries)
    insert("line", LineRow._fields, writes.lines)
    insert("hold", HoldRow._fields, writes.holds)
    insert("hold_end", HoldEndRow._fields, writes.hold_ends)
    insert("unsealed", ("entry_id",), [(entry.id,) for entry in writes.entries])
    if writes.tallies:
        rows = [
            (it.lines, it.balance, it.held, it.held_until, it.posted_at, it.year, book_id.hex, it.id.hex) for it in writes.tallies.values()
        ]
        connection.exec_driver_sql(_TALLY, rows)


def _plain(value: Any) -> Any:
    """Return `value` as the column types of ledger/store.py keep it on SQLite."""
    if isinstance(value, UUID):
        return value.hex
    return value if value is None or isinstance(value, int | str) else value.isoformat()
