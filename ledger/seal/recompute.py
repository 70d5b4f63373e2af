"""Recompute the leaves of a log, or a part of them, from the journal: what does not hold of them, and the tree that they make.

A part begins with what its accounts had come to by the leaf before it, as that was sealed; so parts can be recomputed side by side, and
what they say together is what one says that takes all of it (beside.py).

What a line said when it was sealed follows from the entries before it; where that does not fit, the line itself is read. So a single change
is told at its own place, and not at every line after it.
"""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from itertools import accumulate
from math import inf
from typing import Any
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import cast as sql_cast
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.act import CHANNELS
from ledger.errors import Fault
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.rules import LINED
from ledger.seal import leaves
from ledger.seal import notes
from ledger.seal import streams
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.merkle import hash_over
from ledger.seal.merkle import leaf_hash
from ledger.seal.merkle import subtrees
from ledger.seal.model import Checkpoint
from ledger.seal.model import Cosignature
from ledger.seal.model import Leaf
from ledger.seal.model import SealedHours
from ledger.seal.model import Side
from ledger.seal.model import Witness
from ledger.seal.promises import SEALED_WITHIN
from ledger.seal.streams import Part
from ledger.store import EPOCH
from ledger.store import MICROSECOND

_ABSENT, _LENGTHS = b"\xff", [bytes([length]) for length in range(255)]
_LEAF_BEGINS = bytes([leaves.FORMAT, leaves.ENTRY])
#: An entry is promised to be sealed within a day, and clocks of several offices differ by less.
_A_DAY = SEALED_WITHIN // MICROSECOND

#: What comes of values that no leaf is made of, such as one that is not there: whoever owns the tables takes their rules away.
_UNREADABLE = (TypeError, ValueError, AttributeError, OverflowError)
#: So many columns of what `_leaves` asks for are the leaf's, the others its entry's.
_OF_LEAF = 5
_NO_SIDE: tuple[Any, ...] = (None,) * 5
_POSTED_AT, _CHANNEL = (leaves.EntryFacts._fields.index(name) for name in ("posted_at", "channel"))

#: What an account's entries come to before a part.
BalanceOf = Callable[[bytes], int]
#: What an account's line says that it was before and after.
LineOf = Callable[[bytes, int], tuple[int, int] | None]


class Recomputed(NamedTuple):
    """What some leaves came to: what does not hold, their hashes one after the other, and what the tree over them is made of."""

    faults: list[Fault]
    hashes: bytes
    #: The hash over each full tile of them.
    tops: list[bytes]
    #: For each head that ends among them, the hash over its leaves after the last full tile, if there are any.
    rests: dict[int, bytes | None]
    #: How many of the leaves have their entry, and how many their record of hours.
    found: tuple[int, int]
    #: How many sides and records of hours belong to leaves that are not there.
    strays: tuple[int, int]


@contextmanager
def _not_collecting() -> Iterator[None]:
    """Let Python not look for what refers to itself: among millions of rows there is none, and looking takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_not_collecting()
def recompute(session: Session, book_id: UUID, part: Part) -> Recomputed:
    """Recompute these leaves from their entries and records of hours, in the order of the log."""
    faults: list[Fault] = []
    sides = streams.ByLeaf(session, streams.sides(session, book_id, part))
    hours = streams.ByLeaf(session, streams.hours(session, book_id, part, sealed=True))
    cosigned = _Cosigned(session, book_id)
    entered, served = _Entered(session, book_id, part, cosigned), _Served(session, book_id, part, cosigned)
    expected = part.first or 0
    tiles = Tiles(expected, _sizes(session, book_id, part))
    for row in streams.rows(session, _leaves(session, book_id, part)):
        number, salt, data, hashed, is_of_hours = row[:_OF_LEAF]
        if number is None:
            faults.append(Fault("log", "has a leaf without a number"))
            continue
        if number != expected:
            faults.append(_another_number(number, expected))
        expected = number + 1
        own = leaf_hash(data or b"")
        if own != hashed:
            faults.append(Fault(f"leaf {number}", "has another hash than its own"))
        tiles.add(own)
        found = sides.of(number)
        try:
            if len(salt) != leaves.SALT_BYTES:
                faults.append(_another_salt(f"leaf {number}", salt))
            if not is_of_hours:
                entered.take(row[_OF_LEAF:], found, number, salt, data, faults)
                continue
            faults += served.take(hours.of(number), number, salt, data)
        except _UNREADABLE as error:
            faults.append(Fault(f"leaf {number}", f"cannot be recomputed from what there is: {error}"))
            entered.pass_over(found)
            continue
        # Where an entry was taken from its leaf, its sides are told as strays, and their accounts go on from them.
        entered.pass_over(found)
        sides.strays += len(found)
    if part.last is not None and expected != part.last:
        faults.append(_another_number(part.last, expected))
    return Recomputed(faults, *tiles.end(), (entered.found, served.found), (sides.pass_over(), hours.pass_over()))


def _another_number(number: int, expected: int) -> Fault:
    return Fault(f"leaf {number}", f"stands where leaf {expected} follows")


def _leaves(session: Session, book_id: UUID, part: Part) -> Any:
    return (
        select(Leaf.number, *map(streams.raw, (Leaf.salt, Leaf.data, Leaf.hash)), Leaf.entry_id.is_(None), *streams.entry_columns(session))
        .outerjoin(Entry, (Entry.book_id == book_id) & (Entry.id == Leaf.entry_id))
        .where(Leaf.book_id == book_id, part.has(Leaf.number))
        .order_by(Leaf.number)
    )


def _another_salt(place: str, salt: bytes) -> Fault:
    # It could be read as a part of the fields, and one leaf as two entries.
    return Fault(place, f"has a salt of {len(salt)} bytes, where {leaves.SALT_BYTES} belong")


def _sizes(session: Session, book_id: UUID, part: Part) -> Iterator[int]:
    signed = select(Checkpoint.size).where(Checkpoint.book_id == book_id, Checkpoint.size >= 0, part.has(Checkpoint.size))
    return iter(session.execute(signed.order_by(Checkpoint.size)).scalars().all())


class Tiles:
    """The tree over leaves that are added one by one, from a full tile's end on: tile by tile, and up to where it was signed.

    `sizes` are those of its heads among them, in their order.
    """

    def __init__(self, first: int, sizes: Iterator[int]) -> None:
        self._first = first
        self._sizes = sizes
        self._size = next(sizes, None)
        self._tile: list[bytes] = []
        self._hashes = bytearray()
        self._tops: list[bytes] = []
        self._rests: dict[int, bytes | None] = {}

    def add(self, hashed: bytes) -> None:
        """Add a leaf with this hash."""
        self._tile.append(hashed)
        if len(self._tile) == TILE_WIDTH:
            self._tops.append(self._close()[-1][0])

    def _close(self) -> list[list[bytes]]:
        levels, longest = subtrees(self._tile), min(len(self._tile), TILE_WIDTH - 1)
        while self._size is not None and self._size - self._first <= longest:
            self._rests[self._size] = hash_over(levels, self._size - self._first)
            self._size = next(self._sizes, None)
        self._first += len(self._tile)
        self._hashes += b"".join(self._tile)
        self._tile.clear()
        return levels

    def end(self) -> tuple[bytes, list[bytes], dict[int, bytes | None]]:
        """Return the hashes of all leaves, those over the full tiles, and what is over the rest of each head's."""
        self._close()
        return bytes(self._hashes), self._tops, self._rests


class _Entered:
    """The entries of the journal and their accounts, as far as they are recomputed."""

    def __init__(self, session: Session, book_id: UUID, part: Part, cosigned: _Cosigned) -> None:
        #: How many leaves had their entry.
        self.found = 0
        self._session = session
        self._book_id = book_id
        self._part = part
        self._before: dict[bytes, int] | None = None
        self._chains = _chains(session, book_id, part)
        self._cosigned = cosigned
        self._earliest, self._latest, self._until = cosigned.limits(part.first or 0)

    def take(self, entry: Sequence[Any], sides: list[Any], number: int, salt: bytes, data: bytes, faults: list[Fault]) -> None:
        """Take the next leaf of an entry, and add what does not hold of it."""
        entry_id, giver, taker, amount = entry[:4]
        if entry_id is None:
            faults.append(Fault(f"leaf {number}", "has lost its entry"))
            self.pass_over(sides)
            return
        self.found += 1
        posted_at, said, written = written_entry(entry, salt)
        own = sha256(written).digest()
        if number >= self._until:
            self._earliest, self._latest, self._until = self._cosigned.limits(number)
        if own != data[2:34] or not self._earliest <= posted_at <= self._latest or entry[_CHANNEL] not in CHANNELS:
            faults += self._of_entry(entry, own, number, data)
        giving, taking = sides if len(sides) == 2 else (_NO_SIDE, _NO_SIDE)
        if giving[1] != giver:
            giving, taking = taking, giving
        gives, takes = self._chains.get(giver), self._chains.get(taker)
        if giving[1] != giver or taking[1] != taker or gives is None or takes is None:
            faults.append(Fault(f"leaf {number}", "does not have one side for each account of its entry"))
            self.pass_over(sides)
            return
        if not gives.goes_on(giving, -amount, said):
            faults += gives.take_as_it_is(giving, -amount, said, self._line, self._began_with)
        if not takes.goes_on(taking, amount, said):
            faults += takes.take_as_it_is(taking, amount, said, self._line, self._began_with)
        if data[:2] != _LEAF_BEGINS or data[34:] != giving[4] + taking[4]:
            faults.append(Fault(f"leaf {number}", "is not made of its sides"))

    def _of_entry(self, entry: Sequence[Any], own: bytes, number: int, data: bytes) -> Iterator[Fault]:
        """Tell what does not hold of an entry, of which something does not."""
        place, posted_at, channel = f"entry {UUID(bytes=entry[0])}", entry[_POSTED_AT], entry[_CHANNEL]
        if own != data[2:34]:
            yield Fault(place, f"is not what was sealed as leaf {number}")
        if not self._earliest <= posted_at <= self._latest:
            yield Fault(place, self._cosigned.told(number, posted_at))
        if channel not in CHANNELS:
            yield Fault(place, f"came by {channel}, which is no way in")

    def pass_over(self, sides: list[Any]) -> None:
        """Let the accounts of these sides go on from them, whether they hold or not."""
        # One without a number is the first: the guards of the table are gone where there is one.
        for side in sorted(sides, key=lambda side: side[2] or 0):
            if (chain := self._chains.get(side[1])) is not None:
                chain.go_on_from(side)

    def _began_with(self, account_id: bytes) -> int:
        """Return what an account's entries before this part come to, which is asked where its line says something else."""
        if self._before is None:
            self._before = _balances(self._session, self._book_id, self._part)
        return self._before.get(account_id, 0)

    def _line(self, account_id: bytes, number: int) -> tuple[int, int] | None:
        wanted = select(Line.before, Line.after).where(Line.book_id == self._book_id, Line.account_id == UUID(bytes=account_id))
        line = self._session.execute(wanted.where(Line.number == number)).first()
        return line and (line.before, line.after)


class _Chain:
    """An account as far as it is recomputed: its last side, and its balance where it has lines."""

    __slots__ = ("_balance", "_began", "_id", "_is_lined", "_last", "_previous", "_told")

    def __init__(self, account_id: bytes, *, is_lined: bool) -> None:
        #: As it is written in a side.
        self._id = b"\x10" + account_id
        self._is_lined = is_lined
        self.stands_at(0)
        #: The number of its last side, and of the last one before this part.
        self._last = self._began = 0
        #: The hash of that side as it is written in the next one.
        self._previous = _ABSENT

    def stands_at(self, balance: int | None) -> None:
        """Go on from this balance."""
        self._balance = balance or 0
        #: As it is written in the next side.
        self._told = _WHOLE[self._balance] if self._is_lined else _ABSENT

    def begin(self, side: Sequence[Any], balance: int | None) -> None:
        """Begin after this side, and with this balance."""
        self.stands_at(balance)
        self.go_on_from(side)
        self._began = self._last

    def go_on_from(self, side: Sequence[Any]) -> None:
        """Let this side be the last one, whether it holds or not."""
        _, _, self._last, _, hashed = side
        self._previous = b"\x20" + (hashed or b"")

    def goes_on(self, side: Sequence[Any], points: int, said: bytes) -> bool:
        """Take the account's next side if all of it holds: what the account says of an entry that moves these points."""
        _, _, number, salt, hashed = side
        balance, after = self._balance, _ABSENT
        if self._is_lined:
            balance += points
            after = _WHOLE[balance]
        facts = (b"\x11", salt, self._id, _WHOLE[number], _WHOLE[points], self._told, after, said, self._previous)
        if sha256(b"".join(facts)).digest() != hashed or number != self._last + 1 or len(salt) != leaves.SALT_BYTES:
            return False
        self._balance, self._told, self._last, self._previous = balance, after, number, b"\x20" + hashed
        return True

    def take_as_it_is(self, side: Sequence[Any], points: int, said: bytes, line_of: LineOf, began_with: BalanceOf) -> Iterator[Fault]:
        """Take a side of which not all holds, and tell what does not."""
        _, account_id, number, salt, hashed = side
        place = f"account {UUID(bytes=account_id)} line {number}"
        if len(salt) != leaves.SALT_BYTES:
            yield _another_salt(place, salt)
        if number != self._last + 1:
            yield Fault(place, f"is sealed where line {self._last + 1} follows")
        self._balance += points
        for before, after in self._may_have_stood_at(account_id, number, points, line_of, began_with):
            told = (_WHOLE[before], _WHOLE[after]) if self._is_lined else (_ABSENT, _ABSENT)
            facts = (b"\x11", salt, self._id, _WHOLE[number], _WHOLE[points], *told, said, self._previous)
            if sha256(b"".join(facts)).digest() == hashed:
                self._balance = after
                break
        else:
            yield Fault(place, "is not what was sealed, or does not follow the line before it")
        self.stands_at(self._balance)
        self.go_on_from(side)

    def _may_have_stood_at(
        self, account_id: bytes, number: int, points: int, line_of: LineOf, began_with: BalanceOf
    ) -> Iterator[tuple[int, int]]:
        """Return what the account may have come to before and after a side, the likeliest first."""
        yield self._balance - points, self._balance
        if self._is_lined and self._last == self._began:
            # It began with what its line says, which may say what it likes: it is told by the journal's own verifier.
            began = began_with(account_id)
            yield began, began + points
        # Something before it does not hold, and is told there; the line says itself what it was sealed with.
        if self._is_lined and (line := line_of(account_id, number)) is not None:
            yield line


def _chains(session: Session, book_id: UUID, part: Part) -> dict[bytes, _Chain]:
    kinds = streams.rows(session, select(streams.raw_id(session, Account.id), Account.kind).where(Account.book_id == book_id))
    chains = {account_id: _Chain(account_id, is_lined=kind in LINED) for account_id, kind in kinds}
    if part.first is not None:
        last = _last_before(part.first, Side, book_id)
        wanted = (
            select(
                last.c.leaf_number, streams.raw_id(session, Side.account_id), Side.number, streams.raw(Side.salt), streams.raw(Side.hash),
                Line.after,
            )
            .join(Side, (Side.account_id == last.c.account_id) & (Side.leaf_number == last.c.leaf_number))
            .outerjoin(Line, (Line.book_id == book_id) & (Line.account_id == Side.account_id) & (Line.number == Side.number))
            .where(Side.book_id == book_id)
            .order_by(Side.number)
        )  # fmt: skip
        for *side, balance in streams.rows(session, wanted):
            if (chain := chains.get(side[1])) is not None:
                chain.begin(side, balance)
    return chains


def _balances(session: Session, book_id: UUID, part: Part) -> dict[bytes, int]:
    """Return what the entries of all leaves before a part come to, by account."""
    found: dict[bytes, int] = {}
    for account, points in ((Entry.from_account, -func.sum(Entry.amount)), (Entry.to_account, func.sum(Entry.amount))):
        wanted = (
            select(streams.raw_id(session, account), sql_cast(points, BigInteger))
            .join(Leaf, (Leaf.book_id == book_id) & (Leaf.entry_id == Entry.id))
            .where(Entry.book_id == book_id, Leaf.number < (part.first or 0))
            .group_by(account)
        )
        for account_id, sum_of_them in streams.rows(session, wanted):
            found[account_id] = found.get(account_id, 0) + sum_of_them
    return found


def _last_before(leaf: int, links: type[Side | SealedHours], book_id: UUID, *conditions: Any) -> Any:
    return (
        select(links.account_id, func.max(links.leaf_number).label("leaf_number"))
        .where(links.book_id == book_id, links.leaf_number < leaf, *conditions)
        .group_by(links.account_id)
        .subquery()
    )


class _Served:
    """The hours of every account as far as they are recomputed."""

    def __init__(self, session: Session, book_id: UUID, part: Part, cosigned: _Cosigned) -> None:
        #: How many leaves had their record.
        self.found = 0
        self._cosigned = cosigned
        #: Of each account, how many records there are, their minutes of credit and of honour, and the last one's hash.
        self._last: dict[bytes, tuple[int, int, int, bytes | None]] = {}
        if part.first is None:
            return
        # One that was moved to the leaf of an entry is a stray, and nothing goes on from it.
        of_hours = select(Leaf.number).where(Leaf.book_id == book_id, Leaf.number == SealedHours.leaf_number, Leaf.entry_id.is_(None))
        last = _last_before(part.first, SealedHours, book_id, of_hours.exists())
        wanted = (
            select(
                streams.raw_id(session, SealedHours.account_id), SealedHours.number, SealedHours.credit, SealedHours.honour,
                streams.raw(Leaf.data),
            )
            .join(last, (SealedHours.account_id == last.c.account_id) & (SealedHours.leaf_number == last.c.leaf_number))
            .join(Leaf, (Leaf.book_id == book_id) & (Leaf.number == SealedHours.leaf_number))
            .where(SealedHours.book_id == book_id)
            .order_by(SealedHours.number)
        )  # fmt: skip
        for account_id, number, credit, honour, data in streams.rows(session, wanted):
            self._last[account_id] = (number, credit, honour, leaves.hours_in(data))

    def take(self, found: list[Any], leaf: int, salt: bytes, data: bytes) -> Iterator[Fault]:
        """Take the next leaf of hours, and tell what does not hold of it."""
        place = f"leaf {leaf}"
        if len(found) != 1:
            yield Fault(place, "has no entry, and not one record of hours")
            for _, account, number, credit, honour, *_ in found:
                self._last[account] = (number, credit, honour, leaves.hours_in(data))
            return
        _, account, number, credit, honour, _, hours_id, own, kind, minutes, *when = found[0]
        last, *sums, previous = self._last.get(account, (0, 0, 0, None))
        sealed = leaves.hours_in(data)
        self._last[account] = (number, credit, honour, sealed)
        if hours_id is None:
            yield Fault(place, "has lost its hours")
            return
        self.found += 1
        place = f"account {UUID(bytes=account)} hours {number}"
        if number != last + 1:
            yield Fault(place, f"is sealed where record {last + 1} follows")
        # What they came to when they were sealed is told once more, so that one change is told at its own place alone.
        if [credit, honour] != [sums[0] + minutes * (kind == "credit"), sums[1] + minutes * (kind == "honour")]:
            yield Fault(place, "does not add up with the record before it")
        facts = (hours_id, own, number, kind, minutes, *when, credit, honour, previous)
        if leaves.leaf_of_hours(leaves.hours_hash(salt, facts)) != data:
            yield Fault(place, "is not what was sealed, or does not follow the record before it")
        recorded_at = when[-1]
        earliest, latest, _ = self._cosigned.limits(leaf)
        if not earliest <= recorded_at <= latest:
            yield Fault(place, self._cosigned.told(leaf, recorded_at))


class _Cosigned:
    """When other offices' witnesses cosigned heads: what no moment of an entry or of hours before or after these may gainsay."""

    def __init__(self, session: Session, book_id: UUID) -> None:
        # Those that are asked: the clock of a shop's tablet is nobody's word. Whether the signature holds is told with the heads.
        wanted = (
            select(Cosignature.size, Cosignature.line)
            .join(Witness, (Witness.book_id == Cosignature.book_id) & (Witness.key == Cosignature.witness))
            .where(Cosignature.book_id == book_id, Witness.address.is_not(None))
        )
        first: dict[int, int] = {}
        for size, line in streams.rows(session, wanted.where(Cosignature.size.is_not(None))):
            with suppress(notes.NoteError):
                at = int.from_bytes(notes.signature_of(line or "").value[:8]) * 1_000_000
                first[size] = min(at, first.get(size, at))
        self._sizes = sorted(first)
        times = [first[size] for size in self._sizes]
        self._last, self._first = list(accumulate(times, max)), list(accumulate(times[::-1], min))[::-1]

    def limits(self, number: int) -> tuple[float, float, float]:
        """Return from when until when what a leaf is of may be, and up to which leaf that is so, without that one."""
        at, heads = bisect_right(self._sizes, number), len(self._sizes)
        earliest = self._last[at - 1] - _A_DAY if at else -inf
        return (earliest, inf, inf) if at == heads else (earliest, self._first[at] + _A_DAY, self._sizes[at])

    def told(self, number: int, moment: int) -> str:
        """Return what is wrong with this moment of what a leaf is of, which is outside of its limits."""
        at = bisect_right(self._sizes, number)
        if moment < self.limits(number)[0]:
            return f"is of {_told(moment)}, and was sealed after a head that was cosigned on {_told(self._last[at - 1])}"
        return f"is of {_told(moment)}, and stands under a head that was cosigned on {_told(self._first[at])}"


def _told(moment: int) -> str:
    try:
        return f"{EPOCH + timedelta(microseconds=moment):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return f"{moment} microseconds"


class _Told(dict[Any, bytes]):
    """What is written of a value, by the value: those that come again and again are kept."""

    def __init__(self, write: Callable[[Any], bytes], kept_at_most: int) -> None:
        super().__init__()
        self._write = write
        self._kept_at_most = kept_at_most

    def __missing__(self, value: Any) -> bytes:
        told = self._write(value)
        if len(self) < self._kept_at_most:
            self[value] = told
        return told


def _written_whole(value: int) -> bytes:
    # As it is: a fraction, which no leaf has, is not cut off.
    told = str(value).encode()
    return _LENGTHS[len(told)] + told


def _written_text(value: str) -> bytes:
    told = value.encode(errors="surrogateescape")
    # One that is longer than any leaf can have it was never sealed: it only must not be taken for another.
    return _LENGTHS[min(len(told), 254)] + told


_WHOLE, _TEXT = _Told(_written_whole, 65_536), _Told(_written_text, 4_096)


def written_entry(entry: Sequence[Any], salt: bytes) -> tuple[int, bytes, bytes]:
    """Write down what `streams.entry_columns` gives, as `leaves` does with an entry: in a third of the time.

    Returned are when it was posted, what both its sides say as well, and all that its hash is over.
    """
    (
        entry_id, giver, taker, amount, kind, deed_on, posted_at, request_id, position, actor, acted_for, channel, reference, contract_id,
        unit_id, till_id, reverses, reversal_number, left_after,
    ) = entry  # fmt: skip
    moment = str(posted_at).encode()
    said = _TEXT[kind] + _TEXT[deed_on] + _LENGTHS[len(moment)] + moment
    written = b"".join((
        b"\x10", salt, b"\x10", entry_id, b"\x10", giver, b"\x10", taker, _WHOLE[amount], said,
        b"\x10", request_id, _WHOLE[position], b"\x10", actor,
        _ABSENT if acted_for is None else b"\x10" + acted_for,
        _TEXT[channel],
        _ABSENT if reference is None else b"\x10" + reference,
        _ABSENT if contract_id is None else b"\x10" + contract_id,
        _ABSENT if unit_id is None else b"\x10" + unit_id,
        _ABSENT if till_id is None else b"\x10" + till_id,
        _ABSENT if reverses is None else b"\x10" + reverses,
        _ABSENT if reversal_number is None else _WHOLE[reversal_number],
        _ABSENT if left_after is None else _WHOLE[left_after],
    ))  # fmt: skip
    return posted_at, said, written
