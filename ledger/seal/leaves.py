"""What a leaf of the log is made of: three salted hashes, none of which says anything without its salt. Pure.

    leaf    = format (1 byte), type (1 byte), hash of the entry, hash of the side it leaves, hash of the side it reaches
    entry   = every field of the entry, in the order of `EntryFacts`
    side    = one account's half of it: what its passbook line says, and the hash of that account's side before it

A receipt opens its own side and nothing else: the other two hashes stay closed. Each account's sides are a chain of their own, so that a
passbook's last line vouches for all lines before it. Whoever knows nobody's salts learns from the log how many entries there are.

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
SALT_BYTES = 16
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
        """Return it as bytes: format, salt, the two closed hashes, then the side's fields."""
        return bytes([FORMAT]) + self.salt + self.entry + self.other + written(self.side)


def opening_of(packed: bytes) -> Opening:
    """Read a packed opening; raise ValueError where it is none, or is written in a way of which there is another."""
    closed = 1 + SALT_BYTES + 32 + 32
    if len(packed) < closed or packed[0] != FORMAT:
        raise ValueError("not an opening of format 1")
    salt, entry, other = packed[1 : 1 + SALT_BYTES], packed[1 + SALT_BYTES : closed - 32], packed[closed - 32 : closed]
    fields: list[bytes | None] = []
    at = closed
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
    if len(fields) != len(SideFacts._fields):
        raise ValueError("a side has nine fields")
    account, number, amount, before, after, kind, deed_on, posted_at, previous = fields
    if account is None or len(account) != 16 or None in (number, amount, kind, deed_on, posted_at):
        raise ValueError("a field is missing")
    if previous is not None and len(previous) != 32:
        raise ValueError("the side before is told by its hash")
    side = SideFacts(
        UUID(bytes=account), int(number or b""), int(amount or b""),
        None if before is None else int(before), None if after is None else int(after),
        (kind or b"").decode(), date.fromisoformat((deed_on or b"").decode()), int(posted_at or b""), previous,
    )  # fmt: skip
    opening = Opening(side, salt, entry, other)
    if opening.packed() != packed:
        raise ValueError("a field is written in a way of its own")
    return opening


def check_word(side: bytes) -> str:
    """Return the six letters that stand beside a printed line (30 bits of its side's hash), in two groups."""
    bits = int.from_bytes(side[:4]) >> 2
    letters = [_LETTERS[bits >> 5 * place & 31] for place in reversed(range(_WORD_LETTERS))]
    return f"{''.join(letters[:3])}-{''.join(letters[3:])}"
