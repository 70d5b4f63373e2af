"""PostgreSQL: what waits is read in one round trip, and a piece of the log is written in another, however long it is.

Each statement takes one array a column and finds its rows by their keys, whatever the planner knows of the tables: as in
ledger/journal/postgresql.py, and for the same reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.seal.leaves import EntryFacts

_LINE = """
    LEFT JOIN LATERAL (
        SELECT number, before, after FROM line WHERE book_id = %(book_id)s AND entry_id = e.id AND account_id = e.{side} OFFSET 0
    ) {side} ON true
"""
_ENTRIES = f"""
    SELECT {", ".join(f"e.{name}" for name in EntryFacts._fields)},
        from_account.number, from_account.before, from_account.after, to_account.number, to_account.before, to_account.after
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (SELECT entry_id FROM unsealed WHERE book_id = %(book_id)s AND entry_id = wanted.id OFFSET 0) waiting
    CROSS JOIN LATERAL (
        SELECT {", ".join(EntryFacts._fields)} FROM entry WHERE book_id = %(book_id)s AND id = waiting.entry_id OFFSET 0
    ) e {_LINE.format(side="from_account")} {_LINE.format(side="to_account")}
"""  # noqa: S608  names of columns, from above
_HEADS = """
    SELECT wanted.id, last.number, last.hash
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT number, hash FROM side WHERE book_id = %(book_id)s AND account_id = wanted.id ORDER BY number DESC LIMIT 1
    ) last
"""
_WRITE = """
    WITH leaves AS (
        INSERT INTO leaf (book_id, number, entry_id, salt, data, hash)
        SELECT %(book_id)s, number, entry_id, salt, data, hash
        FROM unnest(%(numbers)s::bigint[], %(entries)s::uuid[], %(salts)s::bytea[], %(data)s::bytea[], %(hashes)s::bytea[])
            AS new (number, entry_id, salt, data, hash)
    ), sides AS (
        INSERT INTO side (book_id, account_id, number, leaf_number, salt, hash)
        SELECT %(book_id)s, account_id, number, leaf_number, salt, hash
        FROM unnest(%(accounts)s::uuid[], %(sides)s::bigint[], %(leaves)s::bigint[], %(side_salts)s::bytea[], %(side_hashes)s::bytea[])
            AS new (account_id, number, leaf_number, salt, hash)
    ), done AS (
        DELETE FROM unsealed WHERE book_id = %(book_id)s AND entry_id = ANY (%(entries)s::uuid[])
    )
    INSERT INTO tile (book_id, level, number, hashes, root)
    SELECT %(book_id)s, level, number, hashes, root
    FROM unnest(%(levels)s::bigint[], %(tiles)s::bigint[], %(tile_hashes)s::bytea[], %(roots)s::bytea[])
        AS new (level, number, hashes, root)
"""
_LEAF = {"numbers": "bigint", "entries": "uuid", "salts": "bytea", "data": "bytea", "hashes": "bytea"}
_SIDE = {"accounts": "uuid", "sides": "bigint", "leaves": "bigint", "side_salts": "bytea", "side_hashes": "bytea"}
_TILE = {"levels": "bigint", "tiles": "bigint", "tile_hashes": "bytea", "roots": "bytea"}

# A column becomes one text, made here: the driver would look at each of its values for itself.
_AS_TEXT: dict[str, Callable[[Any], str]] = {
    "uuid": lambda value: f"{value.int:032x}" if value else "NULL",
    "bigint": str,
    "bytea": lambda value: rf'"\\x{value.hex()}"',
}


def _array(values: Collection[Any], kind: str) -> str:
    return "{" + ",".join(map(_AS_TEXT[kind], values)) + "}"


def _arrays(rows: Sequence[tuple[Any, ...]], kinds: dict[str, str]) -> dict[str, str]:
    by_column = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return {name: _array(values, kind) for (name, kind), values in zip(kinds.items(), by_column, strict=True)}


def entries(session: Session, book_id: UUID, entry_ids: Collection[UUID]) -> list[tuple[Any, ...]]:
    """Return those of these entries that wait: the fields of `EntryFacts`, then number, before and after of the two lines."""
    return [tuple(row) for row in _ask(session, _ENTRIES, book_id, entry_ids)]


def heads(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> list[tuple[UUID, int, bytes]]:
    """Return number and hash of the last side of each of these accounts that has any."""
    return [(account_id, number, hashed) for account_id, number, hashed in _ask(session, _HEADS, book_id, account_ids)]


def _ask(session: Session, statement: str, book_id: UUID, ids: Collection[UUID]) -> Any:
    return session.connection().exec_driver_sql(statement, {"book_id": book_id, "ids": _array(ids, "uuid")}).all()


def write(
    session: Session, book_id: UUID, leaves: Sequence[tuple[Any, ...]], sides: Sequence[tuple[Any, ...]], tiles: Sequence[tuple[Any, ...]]
) -> None:
    """Write a piece of the log, its rows in the order of the columns above, and take its entries from the queue."""
    parameters = {"book_id": book_id} | _arrays(leaves, _LEAF) | _arrays(sides, _SIDE) | _arrays(tiles, _TILE)
    session.connection().exec_driver_sql(_WRITE, parameters)
