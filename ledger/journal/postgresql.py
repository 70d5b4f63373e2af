"""PostgreSQL: how accounts are locked, and how everything that was decided is written in one round trip."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.journal.decide import AccountState
from ledger.journal.decide import Writes
from ledger.journal.rules import LOCK_ORDER

# Locked in the one order, hot rows last. The counters come from the lock itself: after a wait PostgreSQL reads the row anew.
_LOCK = text(
    """
    WITH locked AS (
        SELECT t.account_id, t.lines, t.balance, t.held, t.held_until, t.posted_at, t.year
        FROM tally t JOIN account a ON a.book_id = t.book_id AND a.id = t.account_id
        WHERE t.book_id = :book_id AND a.book_id = :book_id AND t.account_id = ANY(:ids)
        ORDER BY array_position(:lock_order, a.kind), t.account_id
        FOR NO KEY UPDATE OF t
    )
    SELECT a.id, a.kind, l.lines, l.balance, l.held, l.held_until, l.posted_at, l.year
    FROM account a LEFT JOIN locked l ON l.account_id = a.id
    WHERE a.book_id = :book_id AND a.id = ANY(:ids)
    """
)


def lock(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> dict[UUID, AccountState]:
    """Lock the lined ones of these accounts until the transaction ends, and return them all as they stand."""
    rows = session.execute(_LOCK, {"book_id": book_id, "ids": list(account_ids), "lock_order": list(LOCK_ORDER)})
    return {
        id_: AccountState(id_, kind, lines or 0, balance or 0, held or 0, held_until, posted_at or 0, year or 0)
        for id_, kind, lines, balance, held, held_until, posted_at, year in rows
    }


def _insert(table: str, columns: str, types: str) -> str:
    # One array a column: the statement stays the same whatever the number of rows, so its plan is made once.
    names = columns.split()
    arrays = ", ".join(f":{table}_{name}::{kind}[]" for name, kind in zip(names, types.split(), strict=True))
    listed = ", ".join(names)
    return f"INSERT INTO {table} (book_id, {listed}) SELECT :book_id, {listed} FROM unnest({arrays}) AS new ({listed})"  # noqa: S608


_ENTRY = (
    (
        "id from_account to_account amount kind deed_on posted_at request_id position actor acted_for channel reference contract_id "
        "unit_id till_id reverses reversal_number left_after"
    ),
    "uuid uuid uuid bigint text date bigint uuid bigint uuid uuid text uuid uuid uuid uuid uuid bigint bigint",
)
_LINE = (
    "account_id number entry_id amount before after term earned posted_at deed_on",
    "uuid bigint uuid bigint bigint bigint bigint bigint bigint date",
)
_HOLD = ("id account_id amount held_at expires_at request_id position reference", "uuid uuid bigint bigint bigint uuid bigint uuid")
_HOLD_END = ("hold_id how entry_id request_id ended_at", "uuid text uuid uuid bigint")
_TALLY = ("account_id lines balance held held_until posted_at year", "uuid bigint bigint bigint bigint bigint bigint")

_ENTRIES = f"""
    WITH entries AS ({_insert("entry", *_ENTRY)}),
    lines AS ({_insert("line", *_LINE)}),
    tallies AS (
        UPDATE tally SET lines = new.lines, balance = new.balance, held = new.held, held_until = new.held_until,
            posted_at = new.posted_at, year = new.year
        FROM unnest({", ".join(f":tally_{name}::{kind}[]" for name, kind in zip(_TALLY[0].split(), _TALLY[1].split(), strict=True))})
            AS new ({", ".join(_TALLY[0].split())})
        WHERE tally.book_id = :book_id AND tally.account_id = new.account_id
    )"""  # noqa: S608
_QUEUE = " INSERT INTO unsealed (book_id, entry_id) SELECT :book_id, id FROM unnest(:entry_id::uuid[]) AS new (id)"
_WITHOUT_HOLDS = text((_ENTRIES + _QUEUE).replace("::", "\\:\\:"))
_WITH_HOLDS = text(
    (_ENTRIES + f", holds AS ({_insert('hold', *_HOLD)}), ends AS ({_insert('hold_end', *_HOLD_END)})" + _QUEUE).replace("::", "\\:\\:")
)


def write(session: Session, book_id: UUID, writes: Writes) -> None:
    """Write what was decided, under the locks it was decided with: one statement that only inserts and sets, and judges nothing."""
    tallies = [
        (it.id, it.lines, it.balance, it.held, it.held_until, it.posted_at, it.year) for it in writes.tallies.values()
    ]  # fmt: skip
    parameters = {"book_id": book_id} | _arrays("entry", _ENTRY[0], writes.entries) | _arrays("line", _LINE[0], writes.lines)
    parameters |= _arrays("tally", _TALLY[0], tallies)
    if not writes.holds and not writes.hold_ends:
        session.execute(_WITHOUT_HOLDS, parameters)
        return
    holds = _arrays("hold", _HOLD[0], writes.holds) | _arrays("hold_end", _HOLD_END[0], writes.hold_ends)
    session.execute(_WITH_HOLDS, parameters | holds)


def _arrays(table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    names = columns.split()
    by_column = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {f"{table}_{name}": list(values) for name, values in zip(names, by_column, strict=True)}
