"""Recompute the whole log of a book from its journal, and say what does not hold, and where (law 8).

Everything is read once, in the order of the log. What a line said when it was sealed follows from the entries before it; where that does
not fit, the line itself is read. So a single change is told at its own place, and not at every line after it.

What only this cannot find is a log that was rewritten as a whole, with its heads: that needs a head that somebody else kept, and
scripts/check_book.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.act import CHANNELS
from ledger.activities import HoursRecord
from ledger.activities import UnsealedHours
from ledger.errors import Fault
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Unsealed
from ledger.journal.rules import LINED
from ledger.seal import leaves
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal import streams
from ledger.seal.merkle import HASH_BYTES
from ledger.seal.merkle import TILE_HEIGHT
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.merkle import leaf_hash
from ledger.seal.merkle import node_hash
from ledger.seal.model import Checkpoint
from ledger.seal.model import Cosignature
from ledger.seal.model import Leaf
from ledger.seal.model import Log
from ledger.seal.model import LogKey
from ledger.seal.model import SealedHours
from ledger.seal.model import Side
from ledger.seal.model import Tile
from ledger.seal.model import Witness
from ledger.seal.promises import SEALED_WITHIN
from ledger.store import EPOCH
from ledger.store import MICROSECOND
from ledger.store import strange_ids

_TILE_BYTES = TILE_WIDTH * HASH_BYTES
_ABSENT, _LENGTHS = b"\xff", [bytes([length]) for length in range(255)]
_CHANNEL, _POSTED_AT = (leaves.EntryFacts._fields.index(name) for name in ("channel", "posted_at"))
#: An entry is promised to be sealed within a day, and clocks of several offices differ by less.
_A_DAY = SEALED_WITHIN // MICROSECOND
#: What is recomputed: where an id is none in one of these, nothing else can be said.
_TABLES = (Account, Entry, Line, HoursRecord, Leaf, Side, SealedHours, Unsealed, UnsealedHours)
_LEAF_BEGINS = bytes([leaves.FORMAT, leaves.ENTRY])


def verify(session: Session, book_id: UUID, at: datetime) -> list[Fault]:
    """Return everything of the book's log that does not hold at this moment; nothing where all of it does."""
    if session.get_bind().dialect.name == "postgresql":
        # Whoever asks for this waits for it; a large book takes longer than anything else may.
        session.execute(text("SET LOCAL statement_timeout = 0"))
    return list(_faults(session, book_id, at))


def _faults(session: Session, book_id: UUID, at: datetime) -> Iterator[Fault]:
    if strange := [Fault(*one) for one in strange_ids(session, book_id, _TABLES)]:
        yield from strange
        yield Fault("log", "can be recomputed when the ids are put right")
        return
    yield from _queue(session, book_id)
    if queries.origin_of(session, book_id) is not None:
        yield from _held_back(session, book_id, at)
    signed = session.execute(select(Checkpoint.size).where(Checkpoint.book_id == book_id)).scalars()
    tree = Growing(frozenset(signed))
    yield from _leaves(session, book_id, tree)
    yield from _tiles(session, book_id, tree)
    yield from _unsigned(session, book_id, tree, at)
    yield from _keys(session, book_id)
    yield from _checkpoints(session, book_id, tree)


class Growing:
    """A tree to which leaves are added one by one: the rows of its tiles, and its root at each size that is asked for."""

    def __init__(self, sizes: frozenset[int]) -> None:
        self.size = 0
        #: The hashes of each level of tiles, one after the other.
        self.rows: list[bytearray] = [bytearray()]
        self.roots: dict[int, bytes] = {}
        self._sizes = sizes
        #: The perfect subtrees that it is made of, the largest first.
        self._peaks: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        """Add a leaf with this hash."""
        number, height = self.size, 0
        self.rows[0] += hashed
        while number & 1:
            hashed, number, height = node_hash(self._peaks.pop(), hashed), number >> 1, height + 1
            if not height % TILE_HEIGHT:
                level = height // TILE_HEIGHT
                if level == len(self.rows):
                    self.rows.append(bytearray())
                self.rows[level] += hashed
        self._peaks.append(hashed)
        self.size += 1
        if self.size in self._sizes:
            self.roots[self.size] = self._root()

    def _root(self) -> bytes:
        *first, found = self._peaks
        for peak in reversed(first):
            found = node_hash(peak, found)
        return found


def _queue(session: Session, book_id: UUID) -> Iterator[Fault]:
    """Tell which entries and records of hours are neither sealed nor waiting, or both, or sealed twice."""
    for name, table, leaf, sealed, queue, waits in (
        ("entry", Entry, Leaf.number, Leaf.entry_id, Unsealed, Unsealed.entry_id),
        ("hours", HoursRecord, SealedHours.leaf_number, SealedHours.hours_id, UnsealedHours, UnsealedHours.hours_id),
    ):
        of_log = sealed.class_
        wanted = (
            select(table.id, leaf)
            .outerjoin(of_log, (of_log.book_id == book_id) & (sealed == table.id))
            .outerjoin(queue, (queue.book_id == book_id) & (waits == table.id))
            .where(table.book_id == book_id, leaf.is_(None) == waits.is_(None))
        )
        for one, number in streams.stream(session, wanted):
            what = "is neither sealed nor waiting" if number is None else f"is sealed as leaf {number} and waits still"
            yield Fault(f"{name} {one}", what)
        twice = select(sealed).where(of_log.book_id == book_id, sealed.is_not(None)).group_by(sealed).having(func.count() > 1)
        for one in session.execute(twice).scalars():
            yield Fault(f"{name} {one}", "is sealed more than once")


def _held_back(session: Session, book_id: UUID, at: datetime) -> Iterator[Fault]:
    # What has a leaf and waits still is told as such.
    for what, rows in zip(("entry", "hours"), queries.waiting_since(book_id, at - SEALED_WITHIN), strict=True):
        for one, since in streams.stream(session, rows):
            yield Fault(f"{what} {one}", f"waits since {since:%Y-%m-%d %H:%M} UTC, and was to be sealed within a day")


class _Chain:
    """An account as far as it is recomputed: its last side, and its balance where it has lines."""

    __slots__ = ("balance", "id", "last", "previous")

    def __init__(self, account_id: bytes, *, is_lined: bool) -> None:
        self.id = account_id
        self.last = 0
        #: The hash of that side as it is written in the next one.
        self.previous = _ABSENT
        self.balance: int | None = 0 if is_lined else None


@lru_cache(maxsize=4_096)
def _text(value: str) -> bytes:
    told = value.encode()
    # One that is longer than any leaf can have it was never sealed: it only must not be taken for another.
    return bytes([min(len(told), 254)]) + told


def _whole(value: int) -> bytes:
    told = b"%d" % value
    return _LENGTHS[len(told)] + told


def _id(value: bytes | None) -> bytes:
    return _ABSENT if value is None else b"\x10" + value


def written_entry(entry: Sequence[Any]) -> bytes:
    """Write down what `streams.entry_columns` gives, as `leaves.written` does with an entry: in a third of the time."""
    (
        entry_id, giver, taker, amount, kind, deed_on, posted_at, request_id, position, actor, acted_for, channel, reference,
        contract_id, unit_id, till_id, reverses, reversal_number, left_after,
    ) = entry  # fmt: skip
    return b"".join((
        b"\x10", entry_id, b"\x10", giver, b"\x10", taker, _whole(amount), _text(kind), _text(deed_on), _whole(posted_at),
        b"\x10", request_id, _whole(position), b"\x10", actor, _id(acted_for), _text(channel), _id(reference), _id(contract_id),
        _id(unit_id), _id(till_id), _id(reverses), _ABSENT if reversal_number is None else _whole(reversal_number),
        _ABSENT if left_after is None else _whole(left_after),
    ))  # fmt: skip


class _Cosigned:
    """When other offices' witnesses cosigned heads: what no moment of an entry before or after these may gainsay."""

    def __init__(self, session: Session, book_id: UUID) -> None:
        # Those that are asked: the clock of a shop's tablet is nobody's word. Whether the signature holds is told with the heads.
        wanted = (
            select(Cosignature.size, Cosignature.line)
            .join(Witness, (Witness.book_id == Cosignature.book_id) & (Witness.key == Cosignature.witness))
            .where(Cosignature.book_id == book_id, Witness.address.is_not(None))
        )
        first: dict[int, int] = {}
        for size, line in streams.stream(session, wanted):
            with suppress(notes.NoteError):
                at = int.from_bytes(notes.signature_of(line).value[:8]) * 1_000_000
                first[size] = min(at, first.get(size, at))
        self._sizes = sorted(first)
        times = [first[size] for size in self._sizes]
        self._last, self._first = list(accumulate(times, max)), list(accumulate(times[::-1], min))[::-1]

    def gainsay(self, number: int, posted_at: int) -> str | None:
        """Return what is wrong with this moment of the entry of a leaf."""
        at = bisect_right(self._sizes, number)
        if at and posted_at < self._last[at - 1] - _A_DAY:
            what = f"was sealed after a head that was cosigned on {_told(self._last[at - 1])}"
        elif at < len(self._sizes) and posted_at > self._first[at] + _A_DAY:
            what = f"stands under a head that was cosigned on {_told(self._first[at])}"
        else:
            return None
        return f"is of {_told(posted_at)}, and {what}"


def _told(moment: int) -> str:
    try:
        return f"{EPOCH + timedelta(microseconds=moment):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return f"{moment} microseconds"


def _leaves(session: Session, book_id: UUID, tree: Growing) -> Iterator[Fault]:
    kinds = session.connection().execute(select(streams.raw_id(session, Account.id), Account.kind).where(Account.book_id == book_id)).all()
    chains = {account_id: _Chain(account_id, is_lined=kind in LINED) for account_id, kind in kinds}
    sides = streams.ByLeaf(session, streams.sides(session, book_id))
    hours, served = streams.ByLeaf(session, streams.hours(session, book_id, sealed=True)), _Served()
    cosigned = _Cosigned(session, book_id)
    wanted = (
        select(Leaf.number, *map(streams.raw, (Leaf.salt, Leaf.data, Leaf.hash)), Leaf.entry_id.is_(None), *streams.entry_columns(session))
        .outerjoin(Entry, (Entry.book_id == book_id) & (Entry.id == Leaf.entry_id))
        .where(Leaf.book_id == book_id)
        .order_by(Leaf.number)
    )
    expected = 0
    for number, salt, data, hashed, is_of_hours, *entry in streams.stream(session, wanted):
        place = f"leaf {number}"
        if number != expected:
            yield Fault(place, f"stands where leaf {expected} follows")
        expected = number + 1
        if (own := leaf_hash(data)) != hashed:
            yield Fault(place, "has another hash than its own")
        tree.add(own)
        if len(salt) != leaves.SALT_BYTES:
            yield _another_salt(place, salt)
        if is_of_hours:
            yield from served.faults(hours.of(number), number, salt, data)
        elif entry[0] is None:
            yield Fault(place, "has lost its entry")
            _pass_over(chains, sides.of(number))
        else:
            yield from _entry(entry, number, salt, data, cosigned)
            yield from _sides(session, book_id, chains, entry, sides.of(number), place, data)
    if strays := sides.pass_over():
        yield Fault("log", f"has {strays} sides of leaves that are not there")
    if strays := hours.pass_over():
        yield Fault("log", f"has {strays} records of hours of leaves that are not there, or not theirs")


def _entry(entry: list[Any], number: int, salt: bytes, data: bytes, cosigned: _Cosigned) -> Iterator[Fault]:
    if sha256(b"\x10" + salt + written_entry(entry)).digest() != data[2:34]:
        yield Fault(_named(entry), f"is not what was sealed as leaf {number}")
    if (what := cosigned.gainsay(number, entry[_POSTED_AT])) is not None:
        yield Fault(_named(entry), what)
    if (channel := entry[_CHANNEL]) not in CHANNELS:
        yield Fault(_named(entry), f"came by {channel}, which is no way in")


def _named(entry: list[Any]) -> str:
    return f"entry {UUID(bytes=entry[0])}"


class _Served:
    """The hours of every account as far as they are recomputed."""

    def __init__(self) -> None:
        #: Of each account, how many records there are, their minutes of credit and of honour, and the last one's hash.
        self._last: dict[bytes, tuple[int, int, int, bytes | None]] = {}

    def faults(self, found: list[Any], leaf: int, salt: bytes, data: bytes) -> Iterator[Fault]:
        """Take the next leaf of hours, and tell what does not hold of it."""
        place = f"leaf {leaf}"
        if len(found) != 1:
            yield Fault(place, "has no entry, and not one record of hours")
            return
        _, account, number, credit, honour, _, hours_id, own, kind, minutes, *when = found[0]
        last, *sums, previous = self._last.get(account, (0, 0, 0, None))
        sealed = leaves.hours_in(data)
        self._last[account] = (number, credit, honour, sealed)
        if hours_id is None:
            yield Fault(place, "has lost its hours")
            return
        place = f"account {UUID(bytes=account)} hours {number}"
        if number != last + 1:
            yield Fault(place, f"is sealed where record {last + 1} follows")
        # What they came to when they were sealed is told once more, so that one change is told at its own place alone.
        if [credit, honour] != [sums[0] + minutes * (kind == "credit"), sums[1] + minutes * (kind == "honour")]:
            yield Fault(place, "does not add up with the record before it")
        facts = (hours_id, own, number, kind, minutes, *when, credit, honour, previous)
        if leaves.leaf_of_hours(leaves.hours_hash(salt, facts)) != data:
            yield Fault(place, "is not what was sealed, or does not follow the record before it")


def _sides(
    session: Session, book_id: UUID, chains: dict[bytes, _Chain], entry: list[Any], found: list[Any], place: str, data: bytes
) -> Iterator[Fault]:  # fmt: skip
    _, giver, taker, amount, kind, deed_on, posted_at, *_ = entry
    by_account = {side[1]: side for side in found}
    if len(found) != 2 or by_account.keys() != {giver, taker} or not by_account.keys() <= chains.keys():
        yield Fault(place, "does not have one side for each account of its entry")
        _pass_over(chains, found)
        return
    giving, taking, said = by_account[giver], by_account[taker], _text(kind) + _text(deed_on) + _whole(posted_at)
    for chain, side, points in ((chains[giver], giving, -amount), (chains[taker], taking, amount)):
        if len(side[3]) != leaves.SALT_BYTES:
            yield _another_salt(f"account {UUID(bytes=chain.id)} line {side[2]}", side[3])
        if (fault := _side(session, book_id, chain, side, points, said)) is not None:
            yield fault
    if data[:2] != _LEAF_BEGINS or data[34:] != giving[4] + taking[4]:
        yield Fault(place, "is not made of its sides")


def _another_salt(place: str, salt: bytes) -> Fault:
    # It could be read as a part of the fields, and one leaf as two entries.
    return Fault(place, f"has a salt of {len(salt)} bytes, where {leaves.SALT_BYTES} belong")


def _pass_over(chains: dict[bytes, _Chain], sides: list[Any]) -> None:
    for _, account_id, number, _, hashed in sides:
        if (chain := chains.get(account_id)) is not None:
            chain.last, chain.previous = number, b"\x20" + hashed


def _side(session: Session, book_id: UUID, chain: _Chain, side: Any, points: int, said: bytes) -> Fault | None:
    _, _, number, salt, hashed = side
    before, last = chain.balance, chain.last
    after = None if before is None else before + points
    begins, ends = b"".join((b"\x11", salt, b"\x10", chain.id, _whole(number), _whole(points))), said + chain.previous
    balances = b"\xff\xff" if before is None or after is None else _whole(before) + _whole(after)
    holds = sha256(begins + balances + ends).digest() == hashed
    if not holds and before is not None:
        # Something before it does not hold, and is told there; the line says itself what it was sealed with.
        own = session.execute(
            select(Line.before, Line.after).where(Line.book_id == book_id, Line.account_id == UUID(bytes=chain.id), Line.number == number)
        ).one_or_none()
        if own is not None:
            holds, after = sha256(begins + _whole(own[0]) + _whole(own[1]) + ends).digest() == hashed, own[1]
    chain.balance, chain.last, chain.previous = after, number, b"\x20" + hashed
    if number != last + 1:
        return Fault(f"account {UUID(bytes=chain.id)} line {number}", f"is sealed where line {last + 1} follows")
    if not holds:
        return Fault(f"account {UUID(bytes=chain.id)} line {number}", "is not what was sealed, or does not follow the line before it")
    return None


def _tiles(session: Session, book_id: UUID, tree: Growing) -> Iterator[Fault]:
    missing = {(level, number) for level, row in enumerate(tree.rows) for number in range(len(row) // _TILE_BYTES)}
    wanted = select(Tile.level, Tile.number, Tile.hashes, Tile.root).where(Tile.book_id == book_id).order_by(Tile.level, Tile.number)
    for level, number, hashes, root in streams.stream(session, wanted):
        place = f"tile {level}/{number}"
        if (level, number) not in missing:
            yield Fault(place, "is of more leaves than there are")
            continue
        missing.remove((level, number))
        above = tree.rows[level + 1][number * HASH_BYTES : (number + 1) * HASH_BYTES]
        if hashes != tree.rows[level][number * _TILE_BYTES : (number + 1) * _TILE_BYTES] or root != above:
            yield Fault(place, "is not the tree's over the leaves")
    yield from (Fault(f"tile {level}/{number}", "is not there") for level, number in sorted(missing))


def _unsigned(session: Session, book_id: UUID, tree: Growing, at: datetime) -> Iterator[Fault]:
    newest = max(tree.roots, default=0)
    if tree.size and not newest and queries.log_keys(session, book_id):
        yield Fault("log", f"has {tree.size} leaves and no head over them, though it was signed")
        return
    # Whatever there was is sealed when a log begins, and signed after that.
    since = session.execute(
        select(Entry.posted_at)
        .join(Leaf, (Leaf.book_id == Entry.book_id) & (Leaf.entry_id == Entry.id))
        .join(Log, Log.book_id == Entry.book_id)
        .where(Entry.book_id == book_id, Leaf.number == newest, Log.begun_at < at - SEALED_WITHIN)
    ).scalar_one_or_none()
    if since is not None and since < at - SEALED_WITHIN:
        what = f"has {tree.size - newest} leaves under no head, the first of them since {since:%Y-%m-%d %H:%M} UTC"
        yield Fault("log", what)


def _keys(session: Session, book_id: UUID) -> Iterator[Fault]:
    for told in session.execute(select(LogKey.key).where(LogKey.book_id == book_id)).scalars():
        if not queries.is_key(told):
            yield Fault("log", f"has a key that cannot be read: {told[:80]!a}")
    for one in queries.log_keys(session, book_id):
        if not one.is_vouched:
            yield Fault(f"key {one.key.id.hex()}", "signs the log, and no key before it vouches for that")


def _checkpoints(session: Session, book_id: UUID, tree: Growing) -> Iterator[Fault]:
    origin, keys = queries.origin_of(session, book_id), queries.log_keys(session, book_id)
    wanted = select(Checkpoint.size, Checkpoint.root, Checkpoint.note).where(Checkpoint.book_id == book_id).order_by(Checkpoint.size)
    for size, root, note in streams.stream(session, wanted):
        place = f"checkpoint {size}"
        if size > tree.size:
            yield Fault(place, f"is of more leaves than the {tree.size} that there are")
        elif root != tree.roots.get(size):
            yield Fault(place, "has another root than the leaves")
        # What is to be said of a strange key is said above, once.
        if not _says(note, [one.key for one in keys if one.signs(size)], notes.Head(origin or "", size, root)):
            yield Fault(place, "was published with other words, or is not signed by the log")
    signed = (
        select(Checkpoint.size, Checkpoint.note, Cosignature.witness, Cosignature.line)
        .join(Cosignature, (Cosignature.book_id == book_id) & (Cosignature.size == Checkpoint.size))
        .where(Checkpoint.book_id == book_id)
        .order_by(Checkpoint.size)
    )
    for size, note, witness, line in streams.stream(session, signed):
        if not _cosigned(note, witness, line):
            yield Fault(f"checkpoint {size}", f"has a cosignature that does not hold, of {witness.partition('+')[0]}")


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
