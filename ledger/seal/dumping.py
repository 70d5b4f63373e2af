"""A whole book written down for whoever checks it: everything that the log is made of, and nothing of anybody (docs/auditing.md).

One record a line, each a list in JSON that begins with its kind:

    log         format, name of the log
    key         key of the log, size after which it signs, note of the key before it
    checkpoint  size, note, cosignatures
    account     id, kind
    entry       number of its leaf, whether it waits, its fields, salt, leaf, giver's side, taker's side
    hours       number of its leaf, whether it waits, its fields, salt, leaf, its link in the log
    end         how many of each the database has, and when it was written down: a dump that was cut off does not end, and what belongs
                to nothing is counted

An entry's fields are those of `leaves.EntryFacts`, in that order. A side is its line (number, amount, before, after, moment, day) and its
link in the log (number, salt). The fields of hours are id, account, kind, minutes, day and moment; their link is account, number, and the
minutes of credit and of honour up to it. Ids, salts and leaves are hexadecimal; what is not there is null.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from io import TextIOWrapper
from typing import IO
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import String
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger.activities import HoursRecord
from ledger.errors import NotFound
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Unsealed
from ledger.journal.rules import microseconds
from ledger.seal import leaves
from ledger.seal import queries
from ledger.seal import streams
from ledger.seal.model import Checkpoint
from ledger.seal.model import Cosignature
from ledger.seal.model import Leaf
from ledger.seal.model import SealedHours
from ledger.seal.model import Side
from ledger.store import without_haste

FORMAT = 1
Record = list[Any]
Progress = Callable[[int, int], None]
_COUNTED = {
    "accounts": Account, "entries": Entry, "lines": Line, "hours": HoursRecord, "leaves": Leaf, "sides": Side, "sealed_hours": SealedHours,
    "checkpoints": Checkpoint,
}  # fmt: skip
_FIELDS = len(leaves.EntryFacts._fields)
_LINE_FIELDS = 6
_TOLD_EVERY = 5_000


def dump(session: Session, book_id: UUID, file: IO[bytes], at: datetime, progress: Progress | None = None) -> int:
    """Write a book to `file`, compressed, and return how many records that were; raise NotFound where it has no log.

    Whoever dumps a book that is in use begins with `ledger.store.snapshot`, and reads the clock after it.
    """
    without_haste(session)
    count, total = 0, sum(_how_many(session, book_id, name) for name in ("accounts", "entries", "hours", "checkpoints")) + 2
    with ExitStack() as open_files:
        # Without a time of its own in it: the same book gives the same file.
        packed = open_files.enter_context(gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0, filename=""))
        written = open_files.enter_context(TextIOWrapper(packed, encoding="utf-8", newline="\n"))
        for count, record in enumerate(records(session, book_id, at), 1):
            written.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
            if progress and not count % _TOLD_EVERY:
                progress(count, total)
    if progress:
        progress(count, count)
    return count


def records(session: Session, book_id: UUID, at: datetime) -> Iterator[Record]:
    """Return a book's records one by one; raise NotFound where it has no log."""
    if (origin := queries.origin_of(session, book_id)) is None:
        raise NotFound("log")
    yield ["log", FORMAT, origin]
    yield from (["key", str(one.key), one.after, str(one.note) if one.note else None] for one in queries.log_keys(session, book_id))
    yield from _checkpoints(session, book_id)
    wanted = select(streams.raw_id(session, Account.id), Account.kind).where(Account.book_id == book_id).order_by(Account.id)
    for account_id, kind in streams.rows(session, wanted):
        # An id that is none has no bytes, and is told as not there.
        yield ["account", account_id and account_id.hex(), kind]
    sides = streams.ByLeaf(session, streams.sides(session, book_id))
    hours = streams.ByLeaf(session, streams.hours(session, book_id, sealed=True))
    for is_of_hours, *row in streams.rows(session, _entries(session, book_id, sealed=True)):
        number, salt, data, *_ = row
        yield _hours(hours.of(number), number, salt, data) if is_of_hours else _entry(row, sides.of(number))
    for _, *row in streams.rows(session, _entries(session, book_id, sealed=False)):
        yield _entry(row, [])
    for waiting in streams.rows(session, streams.hours(session, book_id, sealed=False)):
        yield _hours([waiting])
    # Read to their end, so that nothing is left open: what belongs to no leaf is counted and not written down.
    for rows in (sides, hours):
        rows.pass_over()
    yield ["end", {name: _how_many(session, book_id, name) for name in _COUNTED}, microseconds(at)]


def _how_many(session: Session, book_id: UUID, name: str) -> int:
    table: Any = _COUNTED[name]
    return int(session.execute(select(func.count()).select_from(table).where(table.book_id == book_id)).scalar_one())


def _checkpoints(session: Session, book_id: UUID) -> Iterator[Record]:
    cosigned: dict[int, list[str]] = {}
    lines = select(Cosignature.size, Cosignature.line).where(Cosignature.book_id == book_id)
    for size, line in streams.stream(session, lines.order_by(Cosignature.size, Cosignature.witness)):
        cosigned.setdefault(size, []).append(line)
    signed = select(Checkpoint.size, Checkpoint.note).where(Checkpoint.book_id == book_id).order_by(Checkpoint.size)
    for size, note in streams.stream(session, signed):
        yield ["checkpoint", size, note, cosigned.get(size, [])]


def _entries(session: Session, book_id: UUID, *, sealed: bool) -> Any:
    """Return a query for entries with their leaves, both their lines, and whether they wait: the leaves in order, or what has none."""
    giver, taker = aliased(Line), aliased(Line)
    lines = [
        column.label(f"{whose}_{name}")
        for whose, line in (("giver", giver), ("taker", taker))
        for name, column in (
            ("number", line.number), ("amount", line.amount), ("before", line.before), ("after", line.after),
            ("posted_at", type_coerce(line.posted_at, BigInteger)), ("deed_on", cast(line.deed_on, String)),
        )
    ]  # fmt: skip
    is_of_hours = Leaf.entry_id.is_(None)
    wanted: Any = select(is_of_hours, Leaf.number, Leaf.salt, Leaf.data, Unsealed.entry_id, *streams.entry_columns(session), *lines)
    if sealed:
        wanted = wanted.select_from(Leaf).outerjoin(Entry, (Entry.book_id == book_id) & (Entry.id == Leaf.entry_id))
        wanted = wanted.where(Leaf.book_id == book_id).order_by(Leaf.number)
    else:
        wanted = wanted.select_from(Entry).outerjoin(Leaf, (Leaf.book_id == book_id) & (Leaf.entry_id == Entry.id))
        wanted = wanted.where(Entry.book_id == book_id, Leaf.number.is_(None)).order_by(Entry.posted_at, Entry.id)
    for line, account in ((giver, Entry.from_account), (taker, Entry.to_account)):
        wanted = wanted.outerjoin(line, (line.book_id == book_id) & (line.entry_id == Entry.id) & (line.account_id == account))
    return wanted.outerjoin(Unsealed, (Unsealed.book_id == book_id) & (Unsealed.entry_id == Entry.id))


def _entry(row: Any, sides: list[Any]) -> Record:
    number, salt, data, waits, *rest = row
    fields, giving, taking = rest[:_FIELDS], rest[_FIELDS : _FIELDS + _LINE_FIELDS], rest[_FIELDS + _LINE_FIELDS :]
    links = {account_id: [count, own_salt.hex()] for _, account_id, count, own_salt, _ in sides}
    halves = [
        [None if line[0] is None else line, links.get(account)] for account, line in ((fields[1], giving), (fields[2], taking))
    ]  # fmt: skip
    told = None if fields[0] is None else [value.hex() if isinstance(value, bytes) else value for value in fields]
    return ["entry", number, int(waits is not None), told, salt.hex() if salt else None, data.hex() if data else None, *halves]


def _hours(found: list[Any], leaf: int | None = None, salt: bytes | None = None, data: bytes | None = None) -> Record:
    _, account, number, credit, honour, waits, *told = found[0] if found else [None] * 12
    fields = None if told[0] is None else [value.hex() if isinstance(value, bytes) else value for value in told]
    link = None if account is None else [account.hex(), number, credit, honour]
    return ["hours", leaf, int(waits is not None), fields, salt.hex() if salt else None, data.hex() if data else None, link]
