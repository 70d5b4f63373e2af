"""PostgreSQL: how requests are claimed, accounts locked, and everything that was decided is written in one round trip.

Each statement takes one array a column, so it stays the same whatever the number of rows and is prepared once. It goes to the driver as
it is: compiling and adapting it anew would cost more than the database's own work.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.journal.decide import AccountState
from ledger.journal.decide import AnswerRow
from ledger.journal.decide import Locked
from ledger.journal.decide import RequestRow
from ledger.journal.decide import Writes
from ledger.journal.rules import LOCK_ORDER

# Locked in the one order, hot rows last. The counters come from the lock itself: after a wait PostgreSQL reads the row anew. Row by row
# by their keys, whatever the planner knows of the tables: joined as sets, a thousand accounts once took 230 ms for want of statistics.
_LOCK = f"""
    WITH wanted AS MATERIALIZED (
        SELECT a.id, a.kind
        FROM unnest(%(ids)s::uuid[]) AS asked (id)
        CROSS JOIN LATERAL (SELECT id, kind FROM account WHERE book_id = %(book_id)s AND id = asked.id OFFSET 0) a
        ORDER BY array_position('{{{",".join(LOCK_ORDER)}}}'::text[], a.kind), a.id
    )
    SELECT (SELECT zone FROM book WHERE id = %(book_id)s), w.id, w.kind, t.lines, t.balance, t.held, t.held_until, t.posted_at, t.year
    FROM wanted w
    LEFT JOIN LATERAL (
        SELECT lines, balance, held, held_until, posted_at, year FROM tally WHERE book_id = %(book_id)s AND account_id = w.id
        FOR NO KEY UPDATE
    ) t ON true
"""  # noqa: S608  names of columns, from above

# A column becomes one text, made here: the driver would look at each of its values for itself.
_AS_TEXT: dict[str, Callable[[Any], str]] = {
    "uuid": lambda value: f"{value.int:032x}",
    "bigint": str,
    "date": str,
    "text": lambda value: '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"',
    "json": lambda value: '"' + json.dumps(value).replace("\\", r"\\").replace('"', r"\"") + '"',
    "bytea": lambda value: rf'"\\x{value.hex()}"',
}


def _array(values: Sequence[Any], kind: str) -> str:
    as_text = _AS_TEXT[kind]
    first = values[0] if values else None
    # Often a column is the same object in all rows: the fund, the day, nothing.
    if all(value is first for value in values):
        return "{" + ",".join(["NULL" if first is None else as_text(first)] * len(values)) + "}"
    return "{" + ",".join(["NULL" if value is None else as_text(value) for value in values]) + "}"


class _Table:
    """The columns that are written to a table, and how their rows become one array a column."""

    def __init__(self, name: str, columns: str) -> None:
        self.name = name
        typed = [column.split(":") for column in columns.split()]
        self.names = ", ".join(column for column, _ in typed)
        self.arrays = ", ".join(f"%({name}_{column})s::{kind}[]" for column, kind in typed)
        self._columns = [(f"{name}_{column}", kind) for column, kind in typed]

    @property
    def insert(self) -> str:
        """Return the statement that inserts any number of rows."""
        selected = f"SELECT %(book_id)s, {self.names} FROM unnest({self.arrays}) AS new ({self.names})"  # noqa: S608  names of columns
        return f"INSERT INTO {self.name} (book_id, {self.names}) {selected}"

    def arrays_of(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """Return `rows` by column, as the statement's parameters."""
        by_column = zip(*rows, strict=True) if rows else ((),) * len(self._columns)
        return {name: _array(values, kind) for (name, kind), values in zip(self._columns, by_column, strict=True)}


_REQUEST = _Table("request", "id:uuid actor:uuid key:text input_hash:bytea at:bigint")
_ANSWER = _Table("answer", "request_id:uuid status:bigint body:json")
_ENTRY = _Table(
    "entry",
    "id:uuid from_account:uuid to_account:uuid amount:bigint kind:text deed_on:date posted_at:bigint request_id:uuid position:bigint "
    "actor:uuid acted_for:uuid channel:text reference:uuid contract_id:uuid unit_id:uuid till_id:uuid reverses:uuid reversal_number:bigint "
    "left_after:bigint",
)
_LINE = _Table(
    "line",
    "account_id:uuid number:bigint entry_id:uuid amount:bigint before:bigint after:bigint term:bigint earned:bigint posted_at:bigint "
    "deed_on:date",
)
_HOLD = _Table(
    "hold", "id:uuid account_id:uuid amount:bigint held_at:bigint expires_at:bigint request_id:uuid position:bigint reference:uuid"
)
_HOLD_END = _Table("hold_end", "hold_id:uuid how:text entry_id:uuid request_id:uuid ended_at:bigint")
_TALLY = _Table("tally", "account_id:uuid lines:bigint balance:bigint held:bigint held_until:bigint posted_at:bigint year:bigint")

_CLAIM = f"{_REQUEST.insert} ON CONFLICT (book_id, actor, key) DO NOTHING RETURNING id"
_ENTRIES = f"""
    WITH entries AS ({_ENTRY.insert}),
    lines AS ({_LINE.insert}),
    tallies AS (
        UPDATE tally SET lines = new.lines, balance = new.balance, held = new.held, held_until = new.held_until,
            posted_at = new.posted_at, year = new.year
        FROM unnest({_TALLY.arrays}) AS new ({_TALLY.names})
        WHERE tally.book_id = %(book_id)s AND tally.account_id = new.account_id
    )"""  # noqa: S608  names of columns
_QUEUE = " INSERT INTO unsealed (book_id, entry_id) SELECT %(book_id)s, id FROM unnest(%(entry_id)s::uuid[]) AS new (id)"
_WITHOUT_HOLDS = _ENTRIES + _QUEUE
_WITH_HOLDS = f"{_ENTRIES}, holds AS ({_HOLD.insert}), ends AS ({_HOLD_END.insert}) {_QUEUE}"


def claim(session: Session, book_id: UUID, requests: Sequence[RequestRow]) -> set[UUID]:
    """Insert these requests in their order, and return the ids of those whose key was free; wait where somebody else is inserting one."""
    rows = session.connection().exec_driver_sql(_CLAIM, {"book_id": book_id} | _REQUEST.arrays_of(requests))
    return set(rows.scalars())


def answer(session: Session, book_id: UUID, answers: Sequence[AnswerRow]) -> None:
    """Insert these answers."""
    session.connection().exec_driver_sql(_ANSWER.insert, {"book_id": book_id} | _ANSWER.arrays_of(answers))


def lock(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> Locked:
    """Lock the lined ones of these accounts until the transaction ends, and return them all as they stand."""
    rows = session.connection().exec_driver_sql(_LOCK, {"book_id": book_id, "ids": _array(list(account_ids), "uuid")}).all()
    accounts = {
        id_: AccountState(id_, kind, lines or 0, balance or 0, held or 0, held_until, posted_at or 0, year or 0)
        for _, id_, kind, lines, balance, held, held_until, posted_at, year in rows
    }
    return Locked(rows[0][0] if rows else "", accounts)


def write(session: Session, book_id: UUID, writes: Writes) -> None:
    """Write what was decided, under the locks it was decided with: one statement that only inserts and sets, and judges nothing."""
    tallies = [
        (it.id, it.lines, it.balance, it.held, it.held_until, it.posted_at, it.year) for it in writes.tallies.values()
    ]  # fmt: skip
    parameters = {"book_id": book_id} | _ENTRY.arrays_of(writes.entries) | _LINE.arrays_of(writes.lines) | _TALLY.arrays_of(tallies)
    statement = _WITHOUT_HOLDS
    if writes.holds or writes.hold_ends:
        statement, parameters = _WITH_HOLDS, parameters | _HOLD.arrays_of(writes.holds) | _HOLD_END.arrays_of(writes.hold_ends)
    session.connection().exec_driver_sql(statement, parameters)
