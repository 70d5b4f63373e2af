"""SQLite: a writer holds the whole database from its BEGIN IMMEDIATE on, so reading is enough of a lock."""

from __future__ import annotations

import json
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from ledger.journal.decide import AccountState
from ledger.journal.decide import AnswerRow
from ledger.journal.decide import EntryRow
from ledger.journal.decide import HoldEndRow
from ledger.journal.decide import HoldRow
from ledger.journal.decide import LineRow
from ledger.journal.decide import Locked
from ledger.journal.decide import RequestRow
from ledger.journal.decide import Writes

#: Far below SQLite's limit on the number of parameters of a statement.
_CHUNK = 500

_ASKED = """
    SELECT actor, key FROM request WHERE book_id = ? AND (actor, key) IN (VALUES {})
"""
_LOCK = """
    SELECT b.zone, a.id, a.kind, t.lines, t.balance, t.held, t.held_until, t.posted_at, t.year
    FROM account a JOIN book b ON b.id = a.book_id LEFT JOIN tally t ON t.book_id = a.book_id AND t.account_id = a.id
    WHERE a.book_id = ? AND a.id IN ({})
"""
_TALLY = "UPDATE tally SET lines = ?, balance = ?, held = ?, held_until = ?, posted_at = ?, year = ? WHERE book_id = ? AND account_id = ?"


def claim(session: Session, book_id: UUID, requests: Sequence[RequestRow]) -> set[UUID]:
    """Insert those of these requests whose key is free, and return their ids; whoever else wanted to insert one waits at its BEGIN."""
    connection = session.connection()
    taken: set[tuple[str, str]] = set()
    for start in range(0, len(requests), _CHUNK):
        chunk = requests[start : start + _CHUNK]
        asked = [value for request in chunk for value in (request.actor.hex, request.key)]
        rows = connection.exec_driver_sql(_ASKED.format(", ".join(["(?, ?)"] * len(chunk))), (book_id.hex, *asked))
        taken.update((actor, key) for actor, key in rows)
    free = [request for request in requests if (request.actor.hex, request.key) not in taken]
    _insert(connection, "request", book_id, RequestRow._fields, free)
    return {request.id for request in free}


def answer(session: Session, book_id: UUID, answers: Sequence[AnswerRow]) -> None:
    """Insert these answers."""
    rows = [AnswerRow(request_id, status, json.dumps(body)) for request_id, status, body in answers]
    _insert(session.connection(), "answer", book_id, AnswerRow._fields, rows)


def lock(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> Locked:
    """Return these accounts as they stand; nobody else can write until the transaction ends."""
    accounts, zone = {}, ""
    connection = session.connection()
    for chunk in _chunks(account_ids):
        statement = _LOCK.format(", ".join("?" * len(chunk)))
        for zone, id_, kind, lines, balance, held, held_until, posted_at, year in connection.exec_driver_sql(  # noqa: B007  the zone is read after the loop
            statement, (book_id.hex, *(account_id.hex for account_id in chunk))
        ):
            account_id = UUID(id_)
            accounts[account_id] = AccountState(
                account_id, kind, lines or 0, balance or 0, held or 0, held_until, posted_at or 0, year or 0
            )  # fmt: skip
    return Locked(zone, accounts)


def _chunks(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    remaining = iter(ids)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk


def write(session: Session, book_id: UUID, writes: Writes) -> None:
    """Write what was decided, each kind of row by one statement."""
    connection = session.connection()
    _insert(connection, "entry", book_id, EntryRow._fields, writes.entries)
    _insert(connection, "line", book_id, LineRow._fields, writes.lines)
    _insert(connection, "hold", book_id, HoldRow._fields, writes.holds)
    _insert(connection, "hold_end", book_id, HoldEndRow._fields, writes.hold_ends)
    _insert(connection, "unsealed", book_id, ("entry_id",), [(entry.id,) for entry in writes.entries])
    if writes.tallies:
        rows = [
            (it.lines, it.balance, it.held, it.held_until, it.posted_at, it.year, book_id.hex, it.id.hex) for it in writes.tallies.values()
        ]
        connection.exec_driver_sql(_TALLY, rows)


def _insert(connection: Connection, table: str, book_id: UUID, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        statement = f"INSERT INTO {table} (book_id, {', '.join(columns)}) VALUES ({', '.join('?' * (len(columns) + 1))})"  # noqa: S608  names of columns
        connection.exec_driver_sql(statement, [(book_id.hex, *map(_plain, row)) for row in rows])


def _plain(value: Any) -> Any:
    """Return `value` as the column types of ledger/store.py keep it on SQLite."""
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, date) else value
