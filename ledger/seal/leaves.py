"""What a leaf of the log is made of: salted hashes, none of which says anything without its salt. Pure.

    leaf    = format (1 byte), type (1 byte): 1, hash of the entry, hash of the side it leaves, hash of the side it reaches
    entry   = every field of the entry, in the order of `EntryFacts`
    side    = one account's half of it: what its passbook line says, and the hash of that account's side before it
    leaf    = format (1 byte), type (1 byte): 2, hash of the hours
    hours   = a record of hours of service, what its account's come to with it, and the hash of that account's record before it

A receipt opens its own side and nothing else: the other two hashes stay closed. Each account's sides are a chain of their own, so that a
passbook's last line vouches for all lines before it; and so are its hours, so that the sums on a certificate are proven by opening one
record. Whoever knows nobody's salts learns from the log how many entries and records of hours there are.

Fields are written one after the other, each as its length in one byte and its bytes: whole numbers in decimal, dates as 2026-11-26, ids as
16 bytes, moments as microseconds since 1970; a field that is not there is the byte 255. Format 1; a later one gets another first byte.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from hashlib import sha256
from types import NoneType
from typing import Any
from typing import NamedTuple
from uuid import UUID

FORMAT = 1
ENTRY = 1
HOURS = 2
SALT_BYTES = 16
_HASH_BYTES = 32
_ABSENT = b"\xff"
_FIELD_BYTES_MAX = 254
_LENGTHS = [bytes([length]) for length in range(_FIELD_BYTES_MAX + 1)]
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORD_LETTERS = 6

#: What can stand in a field.
Value = UUID | date | int | str | bytes | None


class EntryFacts(NamedTuple):
    """Every field of an entry, as the journal keeps it.

    Said again and not taken from the journal: what is in a leaf of format 1 stays, whatever column an entry is given later.
    """

    id: UUID
    from_account: UUID
    to_account: UUID
    amount: int
    kind: str
    deed_on: date
    posted_at: int
    request_id: UUID
    position: int
    actor: UUID
    acted_for: UUID | None
    channel: str
    reference: UUID | None
    contract_id: UUID | None
    unit_id: UUID | None
    till_id: UUID | None
    reverses: UUID | None
    reversal_number: int | None
    left_after: int | None


class SideFacts(NamedTuple):
    """One account's half of an entry: what its line says. Accounts that nobody reads line by line have no `before` and `after`."""

    account: UUID
    #: The line's number; of an account without lines, the how-manieth entry of it is sealed.
    number: int
    #: Signed: what came in is above zero.
    amount: int
    before: int | None
    after: int | None
    kind: str
    deed_on: date
    #: Whole microseconds since 1970.
    posted_at: int
    #: The hash of this account's side before; none before the first.
    previous: bytes | None


class HoursFacts(NamedTuple):
    """A record of hours of service, and what all of its account's come to with it. What it came from is told by no proof."""

    id: UUID
    #: The passbook of whoever served: an account, never a person.
    account: UUID
    #: The how-manieth record of this account is sealed.
    number: int
    kind: str
    minutes: int
    served_on: date
    #: Whole microseconds since 1970.
    recorded_at: int
    #: The minutes of this record and of all before it: by check-in, and by attested report.
    credit: int
    honour: int
    #: The hash of this account's record before; none before the first.
    previous: bytes | None


def written(values: tuple[Value, ...]) -> bytes:
    """Write fields down, one after the other."""
    return b"".join([_FIELDS[type(value)](value) for value in values])


def _field(told: bytes) -> bytes:
    if len(told) > _FIELD_BYTES_MAX:
        raise ValueError("a field of a leaf has at most 254 bytes")
    return _LENGTHS[len(told)] + told


# Of a few kinds and days the same ones come again and again.
@lru_cache
def _day(value: date) -> bytes:
    return _field(value.isoformat().encode())


@lru_cache
def _text(value: str) -> bytes:
    return _field(value.encode())


_FIELDS: dict[type, Callable[[Any], bytes]] = {
    NoneType: lambda _: _ABSENT,
    UUID: lambda value: b"\x10" + value.bytes,
    int: lambda value: _field(b"%d" % value),
    bytes: _field,
    date: _day,
    str: _text,
}


def entry_hash(salt: bytes, entry: EntryFacts) -> bytes:
    """Return the salted hash over every field of an entry."""
    return sha256(b"\x10" + salt + written(entry)).digest()


def side_hash(salt: bytes, side: SideFacts) -> bytes:
    """Return the salted hash over one account's half of an entry."""
    return sha256(b"\x11" + salt + written(side)).digest()


def hours_hash(salt: bytes, hours: tuple[Value, ...]) -> bytes:
    """Return the salted hash over a record of hours, its fields in the order of `HoursFacts`."""
    return sha256(b"\x12" + salt + written(hours)).digest()


def leaf_of_hours(hours: bytes) -> bytes:
    """Return the leaf over the hash of a record of hours."""
    return bytes([FORMAT, HOURS]) + hours


def hours_in(leaf: bytes) -> bytes:
    """Return the hash of the hours that a leaf of theirs has in it."""
    return leaf[2:]


def leaf_of(entry: bytes, giver: bytes, taker: bytes) -> bytes:
    """Return the leaf over the hashes of an entry, of the side that gives, and of the side that takes."""
    return bytes([FORMAT, ENTRY]) + entry + giver + taker


class Opening(NamedTuple):
    """What opens one side of a leaf: its fields and salt, and what else the leaf is made of."""

    side: SideFacts
    salt: bytes
    entry: bytes
    other: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf that this opens."""
        own = side_hash(self.salt, self.side)
        giver, taker = (own, self.other) if self.side.amount < 0 else (self.other, own)
        return leaf_of(self.entry, giver, taker)

    @property
    def word(self) -> str:
        """The check word of the line."""
        return check_word(side_hash(self.salt, self.side))

    def packed(self) -> bytes:
        """Return it as bytes: what it opens, salt, the two closed hashes, then the side's fields."""
        return bytes([ENTRY]) + self.salt + self.entry + self.other + written(self.side)


class HoursOpening(NamedTuple):
    """What opens a leaf of hours: its fields and salt."""

    hours: HoursFacts
    salt: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf that this opens."""
        return leaf_of_hours(hours_hash(self.salt, self.hours))

    @property
    def word(self) -> str:
        """The check word of these hours."""
        return check_word(hours_hash(self.salt, self.hours))

    def packed(self) -> bytes:
        """Return it as bytes: what it opens, salt, then the fields."""
        return bytes([HOURS]) + self.salt + written(self.hours)


def opening_of(packed: bytes) -> Opening | HoursOpening:
    """Read a packed opening; raise ValueError where it is none, or is written in a way of which there is another.

    Its first byte says what kind of leaf it opens, as a leaf of format 1 has it; openings of later formats begin with others.
    """
    if packed[:1] not in (bytes([ENTRY]), bytes([HOURS])):
        raise ValueError("not an opening of format 1")
    opening = _side_of(packed) if packed[0] == ENTRY else _hours_of(packed)
    if opening.packed() != packed:
        raise ValueError("a field is written in a way of its own")
    return opening


def _side_of(packed: bytes) -> Opening:
    salt, entry, other, fields = _parts(packed, (SALT_BYTES, _HASH_BYTES, _HASH_BYTES), len(SideFacts._fields))
    account, number, amount, before, after, kind, deed_on, posted_at, previous = fields
    side = SideFacts(
        _id(account), _whole(number), _whole(amount), None if before is None else _whole(before), None if after is None else _whole(after),
        _there(kind).decode(), date.fromisoformat(_there(deed_on).decode()), _whole(posted_at), _previous(previous),
    )  # fmt: skip
    return Opening(side, salt, entry, other)


def _hours_of(packed: bytes) -> HoursOpening:
    salt, fields = _parts(packed, (SALT_BYTES,), len(HoursFacts._fields))
    hours_id, account, number, kind, minutes, served_on, recorded_at, credit, honour, previous = fields
    hours = HoursFacts(
        _id(hours_id), _id(account), _whole(number), _there(kind).decode(), _whole(minutes),
        date.fromisoformat(_there(served_on).decode()), _whole(recorded_at), _whole(credit), _whole(honour), _previous(previous),
    )  # fmt: skip
    return HoursOpening(hours, salt)


def _parts(packed: bytes, closed: tuple[int, ...], count: int) -> Any:
    """Return what stands in a packed opening: parts of these lengths, then so many fields."""
    found: list[Any] = []
    at = 1
    for length in closed:
        found.append(packed[at : at + length])
        at += length
    if len(packed) < at:
        raise ValueError("an opening that ends early")
    fields: list[bytes | None] = []
    while at < len(packed):
        length = packed[at]
        if length == 255:
            fields.append(None)
            at += 1
            continue
        if at + 1 + length > len(packed):
            raise ValueError("an opening that ends in the middle of a field")
        fields.append(packed[at + 1 : at + 1 + length])
        at += 1 + length
    if len(fields) != count:
        raise ValueError(f"{count} fields belong here")
    return (*found, fields)


def _there(field: bytes | None) -> bytes:
    if field is None:
        raise ValueError("a field is missing")
    return field


def _whole(field: bytes | None) -> int:
    return int(_there(field))


def _id(field: bytes | None) -> UUID:
    if field is None or len(field) != 16:
        raise ValueError("an id has 16 bytes")
    return UUID(bytes=field)


def _previous(field: bytes | None) -> bytes | None:
    if field is not None and len(field) != _HASH_BYTES:
        raise ValueError("what stands before is told by its hash")
    return field


def check_word(hashed: bytes) -> str:
    """Return the six letters that stand beside a printed line or printed hours (30 bits of the hash), in two groups."""
    bits = int.from_bytes(hashed[:4]) >> 2
    letters = [_LETTERS[bits >> 5 * place & 31] for place in reversed(range(_WORD_LETTERS))]
    return f"{''.join(letters[:3])}-{''.join(letters[3:])}"
