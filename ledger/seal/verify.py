"""Recompute the whole log of a book from its journal, and say what does not hold, and where (law 8).

Its leaves are recomputed from what they are made of (recompute.py, beside.py), and what is said of them by these: the tiles and the heads.

What only this cannot find is a log that was rewritten as a whole, with its heads: that needs a head that somebody else kept, and
scripts/check_book.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy.orm import Session

from ledger.activities import HoursRecord
from ledger.activities import UnsealedHours
from ledger.errors import Fault
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Unsealed
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal import streams
from ledger.seal.beside import side_by_side
from ledger.seal.merkle import HASH_BYTES
from ledger.seal.merkle import TILE_HEIGHT
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.merkle import hash_over
from ledger.seal.merkle import subtrees
from ledger.seal.model import Checkpoint
from ledger.seal.model import Cosignature
from ledger.seal.model import Leaf
from ledger.seal.model import Log
from ledger.seal.model import LogKey
from ledger.seal.model import SealedHours
from ledger.seal.model import Side
from ledger.seal.model import Tile
from ledger.seal.promises import SEALED_WITHIN
from ledger.seal.recompute import Recomputed
from ledger.store import strange_ids
from ledger.store import without_haste

_TILE_BYTES = TILE_WIDTH * HASH_BYTES
#: What is recomputed: where an id is none in one of these, nothing else can be said.
_TABLES = (Account, Entry, Line, HoursRecord, Leaf, Side, SealedHours, Unsealed, UnsealedHours)


def verify(session: Session, book_id: UUID, at: datetime) -> list[Fault]:
    """Return everything of the book's log that does not hold at this moment; nothing where all of it does.

    Whoever verifies a book that is in use begins with `ledger.store.snapshot`.
    """
    without_haste(session)
    return list(_faults(session, book_id, at))


def _faults(session: Session, book_id: UUID, at: datetime) -> Iterator[Fault]:
    if strange := [Fault(*one) for one in strange_ids(session, book_id, _TABLES)]:
        yield from strange
        yield Fault("log", "can be recomputed when the ids are put right")
        return
    recomputed = side_by_side(session, book_id)
    sealed = [_sealed_once(session, book_id, kind) for kind in _KINDS]
    if queries.origin_of(session, book_id) is not None:
        yield from _held_back(session, book_id, at)
    parts = recomputed()
    for number, kind in enumerate(_KINDS):
        if sum(part.found[number] for part in parts) != sealed[number]:
            yield from _queue(session, book_id, kind)
    yield from _leaves(parts)
    tree = Tree(parts)
    yield from _tiles(session, book_id, tree)
    yield from _unsigned(session, book_id, tree, at)
    yield from _keys(session, book_id)
    yield from _checkpoints(session, book_id, tree)


def _leaves(parts: list[Recomputed]) -> Iterator[Fault]:
    yield from (fault for part in parts for fault in part.faults)
    sides, hours = (sum(strays) for strays in zip(*(part.strays for part in parts), strict=True))
    if sides:
        yield Fault("log", f"has {sides} sides of leaves that are not there")
    if hours:
        yield Fault("log", f"has {hours} records of hours of leaves that are not there, or not theirs")


class Tree:
    """The tree over leaves that were recomputed: the rows of its tiles, and its root at each size that was signed."""

    def __init__(self, parts: Sequence[Recomputed]) -> None:
        hashes = b"".join(part.hashes for part in parts)
        self._levels = subtrees([top for part in parts for top in part.tops])
        self._rests = {size: rest for part in parts for size, rest in part.rests.items()}
        self.size = len(hashes) // HASH_BYTES
        #: The hashes of each level of tiles, one after the other.
        self.rows = [hashes, *(b"".join(level) for level in self._levels[::TILE_HEIGHT])]
        #: The largest size that was signed.
        self.newest = max(self._rests, default=0)

    def root(self, size: int) -> bytes | None:
        """Return the root over the first `size` leaves; None where there are not as many, or nothing was signed at this size."""
        return hash_over(self._levels, size // TILE_WIDTH, self._rests[size]) if size in self._rests else None


class _Kind(NamedTuple):
    """Something that has leaves: its name, its table, the column of a leaf's number, and those that name it in the log and in the queue."""

    name: str
    table: type[Entry | HoursRecord]
    leaf: Any
    sealed: Any
    waits: Any


_KINDS = (
    _Kind("entry", Entry, Leaf.number, Leaf.entry_id, Unsealed.entry_id),
    _Kind("hours", HoursRecord, SealedHours.leaf_number, SealedHours.hours_id, UnsealedHours.hours_id),
)


def _sealed_once(session: Session, book_id: UUID, kind: _Kind) -> int | None:
    """Count how many have a leaf where all that do not wait have one; None where one has two leaves, or one and waits still.

    Counting takes a fifth of the time that it takes to name those of which this does not hold (`_queue`).
    """
    log, queue = kind.sealed.class_, kind.waits.class_
    twice = select(func.count(kind.sealed) - func.count(kind.sealed.distinct())).where(log.book_id == book_id)
    waiting = (
        select(func.count(), func.count(kind.leaf))
        .join(kind.table, (kind.table.book_id == book_id) & (kind.table.id == kind.waits))
        .outerjoin(log, (log.book_id == book_id) & (kind.sealed == kind.waits))
        .where(queue.book_id == book_id)
    )
    wait, wait_still = session.execute(waiting.select_from(queue)).one()
    if wait_still or session.execute(twice).scalar_one():
        return None
    return session.execute(select(func.count()).where(kind.table.book_id == book_id)).scalar_one() - wait


def _queue(session: Session, book_id: UUID, kind: _Kind) -> Iterator[Fault]:
    """Tell which entries or records of hours are neither sealed nor waiting, or both, or sealed twice."""
    log, queue = kind.sealed.class_, kind.waits.class_
    wanted = (
        select(kind.table.id, kind.leaf)
        .outerjoin(log, (log.book_id == book_id) & (kind.sealed == kind.table.id))
        .outerjoin(queue, (queue.book_id == book_id) & (kind.waits == kind.table.id))
        .where(kind.table.book_id == book_id, kind.leaf.is_(None) == kind.waits.is_(None))
    )
    for one, number in streams.stream(session, wanted):
        what = "is neither sealed nor waiting" if number is None else f"is sealed as leaf {number} and waits still"
        yield Fault(f"{kind.name} {one}", what)
    twice = select(kind.sealed).where(log.book_id == book_id, kind.sealed.is_not(None)).group_by(kind.sealed).having(func.count() > 1)
    for one in session.execute(twice).scalars():
        yield Fault(f"{kind.name} {one}", "is sealed more than once")


def _held_back(session: Session, book_id: UUID, at: datetime) -> Iterator[Fault]:
    # What has a leaf and waits still is told as such.
    for what, rows in zip(("entry", "hours"), queries.waiting_since(book_id, at - SEALED_WITHIN), strict=True):
        for one, since in streams.stream(session, rows):
            yield Fault(f"{what} {one}", f"waits since {since:%Y-%m-%d %H:%M} UTC, and was to be sealed within a day")


def _tiles(session: Session, book_id: UUID, tree: Tree) -> Iterator[Fault]:
    missing = {(level, number) for level, row in enumerate(tree.rows) for number in range(len(row) // _TILE_BYTES)}
    wanted = select(Tile.level, Tile.number, streams.raw(Tile.hashes), streams.raw(Tile.root)).where(Tile.book_id == book_id)
    for level, number, hashes, root in streams.rows(session, wanted.order_by(Tile.level, Tile.number)):
        place = f"tile {level}/{number}"
        if (level, number) not in missing:
            yield Fault(place, "is of more leaves than there are")
            continue
        missing.remove((level, number))
        above = tree.rows[level + 1][number * HASH_BYTES : (number + 1) * HASH_BYTES]
        if hashes != tree.rows[level][number * _TILE_BYTES : (number + 1) * _TILE_BYTES] or root != above:
            yield Fault(place, "is not the tree's over the leaves")
    yield from (Fault(f"tile {level}/{number}", "is not there") for level, number in sorted(missing))


def _unsigned(session: Session, book_id: UUID, tree: Tree, at: datetime) -> Iterator[Fault]:
    if tree.size and not tree.newest and queries.log_keys(session, book_id):
        yield Fault("log", f"has {tree.size} leaves and no head over them, though it was signed")
        return
    # Whatever there was is sealed when a log begins, and signed after that.
    since = session.scalar(
        select(func.coalesce(Entry.posted_at, HoursRecord.recorded_at))
        .select_from(Leaf)
        .join(Log, Log.book_id == Leaf.book_id)
        .outerjoin(Entry, (Entry.book_id == Leaf.book_id) & (Entry.id == Leaf.entry_id))
        .outerjoin(SealedHours, (SealedHours.book_id == Leaf.book_id) & (SealedHours.leaf_number == Leaf.number))
        .outerjoin(HoursRecord, (HoursRecord.book_id == Leaf.book_id) & (HoursRecord.id == SealedHours.hours_id))
        .where(Leaf.book_id == book_id, Leaf.number == tree.newest, true() if tree.newest else Log.begun_at < at - SEALED_WITHIN)
    )
    if since is not None and since < at - SEALED_WITHIN:
        what = f"has {tree.size - tree.newest} leaves under no head, the first of them since {since:%Y-%m-%d %H:%M} UTC"
        yield Fault("log", what)


def _keys(session: Session, book_id: UUID) -> Iterator[Fault]:
    for told in session.execute(select(LogKey.key).where(LogKey.book_id == book_id)).scalars():
        if not queries.is_key(told):
            yield Fault("log", f"has a key that cannot be read: {told[:80]!a}")
    for one in queries.log_keys(session, book_id):
        if not one.is_vouched:
            yield Fault(f"key {one.key.id.hex()}", "signs the log, and no key before it vouches for that")


def _checkpoints(session: Session, book_id: UUID, tree: Tree) -> Iterator[Fault]:
    origin, keys = queries.origin_of(session, book_id), queries.log_keys(session, book_id)
    wanted = select(Checkpoint.size, Checkpoint.root, Checkpoint.note).where(Checkpoint.book_id == book_id).order_by(Checkpoint.size)
    for size, root, note in streams.stream(session, wanted):
        place = f"checkpoint {size}"
        if size is None or size > tree.size:
            yield Fault(place, f"is of more leaves than the {tree.size} that there are")
        elif root != tree.root(size):
            yield Fault(place, "has another root than the leaves")
        # What is to be said of a strange key is said above, once.
        if not _says(note or "", [one.key for one in keys if one.signs(size or 0)], notes.Head(origin or "", size, root)):
            yield Fault(place, "was published with other words, or is not signed by the log")
    signed = (
        select(Checkpoint.size, Checkpoint.note, Cosignature.witness, Cosignature.line)
        .join(Cosignature, (Cosignature.book_id == book_id) & (Cosignature.size == Checkpoint.size))
        .where(Checkpoint.book_id == book_id)
        .order_by(Checkpoint.size)
    )
    for size, note, witness, line in streams.stream(session, signed):
        if not _cosigned(note or "", witness or "", line or ""):
            yield Fault(f"checkpoint {size}", f"has a cosignature that does not hold, of {(witness or '').partition('+')[0]}")


def _says(written: str, keys: list[notes.Key], head: notes.Head) -> bool:
    try:
        note = notes.note_of(written)
        return notes.head_of(note.body) == head and bool(note.signed_by(keys))
    except notes.NoteError:
        return False


def _cosigned(note: str, witness: str, line: str) -> bool:
    try:
        key, signature, body = notes.key_of(witness), notes.signature_of(line), notes.note_of(note).body
    except notes.NoteError:
        return False
    return signature.is_by(key) and key.holds(signature.value, body)
