"""Check a book of the passbook without the passbook: one file, Python 3.9 or newer, nothing to install (docs/auditing.md).

    python3 check_book.py book-1.jsonl.gz [CHECKPOINT ...] [--key VKEY ...]

It takes what `flask ledger dump` wrote, heads of the log that somebody kept from earlier (as the service published them, as a witness
keeps them, or proofs from printed pages), and the public keys of the log and of its witnesses. It computes everything anew: balances,
numbering, that no points come from nowhere, each account's chain, each leaf, the tree, the signatures, and that every head that was kept is
a beginning of this log. It prints what does not hold, with its place, and at last `check: clean, proven up to leaf N of M` or `check: N
faults`; the exit status is 0 or 1, and 2 where what it was given cannot be read. Up to leaf N a head fits that somebody kept.

用途：独立核对账簿。用法：python3 check_book.py 导出文件 [旧检查点 ...] [--key 公钥 ...]
"""

from __future__ import annotations

import argparse
import base64
import binascii
import gzip
import json
import os
import sys
import zlib
from bisect import bisect_right
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from datetime import timedelta
from functools import cached_property
from functools import lru_cache
from hashlib import sha256
from hashlib import sha512
from itertools import accumulate
from pathlib import Path
from typing import IO
from typing import Any
from typing import NamedTuple
from uuid import UUID


class Unreadable(ValueError):
    """What was given is not what it should be; the text says why, and where."""


# --- Ed25519 (RFC 8032, section 5.1): signatures are checked, none is made ---------------------------------------------

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)

#: A point of the curve as x, y, z and t, where x / z and y / z are its coordinates and t is x * y / z.
Point = tuple[int, int, int, int]
_NEUTRAL = (0, 1, 1, 0)


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _point(encoded: bytes) -> Point | None:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(encoded) != 32 or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_1 % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _encoded(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _multiples(point: Point) -> list[list[Point]]:
    """Return of each of the 64 hexadecimal digits of a number what it contributes to that number times the point."""
    rows = []
    for _ in range(64):
        row = [_NEUTRAL]
        for _ in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[-1], point)
    return rows


def _times(rows: list[list[Point]], number: int) -> Point:
    found = _NEUTRAL
    for row in rows:
        if digit := number & 15:
            found = _add(found, row[digit])
        number >>= 4
    return found


@lru_cache(maxsize=1)
def _base() -> list[list[Point]]:
    point = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return _multiples(point)


@lru_cache(maxsize=64)
def _minus(public: bytes) -> list[list[Point]] | None:
    point = _point(public)
    return None if point is None else _multiples((_P - point[0], point[1], 1, _P - point[3]))


def _is_weak(public: bytes) -> bool:
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    point = _point(y.to_bytes(32, "little"))
    for _ in range(3):
        point = point and _add(point, point)
    # Eight times a point of small order is nothing.
    return y >= _P or (point is not None and _encoded(point) == _encoded(_NEUTRAL))


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether this is the signature of the public key's owner under the message."""
    rows, s = _minus(public), int.from_bytes(signature[32:], "little")
    if rows is None or len(signature) != 64 or s >= _ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % _ORDER
    return _encoded(_add(_times(_base(), s), _times(rows, k))) == signature[:32]


# --- Notes, checkpoints, keys (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature) --------------------------------

_LOGS, _WITNESS = 1, 4
_CHANGE = "passbook-log-key/v1"
_DASH = "\u2014 "
_SIGNATURES_MAX = 64
_NUMBER_MAX = 2**63 - 1
_NOTE_BYTES_MAX = 65_536


class Key(NamedTuple):
    """A public key: the name it signs under, whether it is a log's or a witness's, and the key."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def holds(self, signature: bytes, body: str) -> bool:
        """Tell whether the signature is this key's under a note's text."""
        message = body.encode()
        if self.kind == _WITNESS:
            stamp, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            if stamp > _NUMBER_MAX:
                return False
            message = b"cosignature/v1\ntime %d\n" % stamp + message
        return is_signed(self.public, signature, message)


class Signature(NamedTuple):
    """A line under a note."""

    name: str
    key_id: bytes
    value: bytes


class Head(NamedTuple):
    """What a checkpoint says, and who signed it."""

    origin: str
    size: int
    root: bytes
    body: str
    signatures: tuple[Signature, ...]

    def signed_by(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of the keys that signed; refuse it where a signature in the name of one of them does not hold."""
        found = []
        for key in keys:
            own = [one.value for one in self.signatures if (one.name, one.key_id) == (key.name, key.id)]
            if not all(key.holds(value, self.body) for value in own):
                raise Unreadable(f"has a signature in the name of {shown(key.name)} that does not hold")
            found += [key] if own else []
        return found


def key_of(vkey: str) -> Key:
    """Read a public key as it is printed: a name, an id and the key, joined by plus signs."""
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3:
        raise Unreadable("a key has a name, an id and the key itself, joined by +")
    material = _bytes(parts[2])
    if len(material) != 33 or material[0] not in (_LOGS, _WITNESS):
        raise Unreadable("only Ed25519 keys are known, of a log or of a witness")
    if _is_weak(material[1:]):
        raise Unreadable("this key signs whatever anybody likes: it is a point of small order, or not written as RFC 8032 asks for")
    key = Key(_name(parts[0]), material[0], material[1:])
    if key.id.hex() != parts[1]:
        raise Unreadable("the key's id does not belong to it")
    return key


def signature_of(line: str) -> Signature:
    """Read a line under a note."""
    name, _, encoded = line[len(_DASH) :].partition(" ")
    value = _bytes(encoded)
    if not line.startswith(_DASH) or len(value) < 5:
        raise Unreadable("a signature has a dash, a name and the signature in base64")
    return Signature(_name(name), value[:4], value[4:])


def head_of(text: str) -> Head:
    """Read a checkpoint, or the one that is under a proof from a printed page."""
    if text.startswith("c2sp.org/tlog-proof@v1\n"):
        text = text.partition("\n\n")[2]
    body, signatures = note_of(text)
    told = body[:-1].split("\n")
    if len(told) < 3 or not all(told):
        raise Unreadable("a checkpoint has an origin, a size and a root")
    root = _bytes(told[2])
    if len(root) != 32:
        raise Unreadable("the root of a checkpoint has 32 bytes")
    return Head(told[0], _number(told[1]), root, body, signatures)


def note_of(text: str) -> tuple[str, tuple[Signature, ...]]:
    """Read a signed note: its text, which ends with a new line, and the signatures under it."""
    body, divider, below = text.rpartition("\n\n")
    if not divider or not below.endswith("\n") or any(ord(letter) < 0x20 and letter != "\n" for letter in text):
        raise Unreadable("a note has a text, an empty line and signatures, each ending its line")
    lines = below[:-1].split("\n")
    if len(lines) > _SIGNATURES_MAX or len(text) > _NOTE_BYTES_MAX:
        raise Unreadable("too many signatures")
    return body + "\n", tuple(signature_of(line) for line in lines)


class LogKey:
    """A key of the log, and which heads it is good for: of more than `after` leaves, and up to `until` where another one followed."""

    def __init__(self, key: Key, after: int = 0) -> None:
        self.key, self.after = key, after
        self.until: int | None = None

    def signs(self, size: int) -> bool:
        """Tell whether a head of so many leaves is this key's to sign."""
        return (not self.after or self.after < size) and (self.until is None or size <= self.until)

    def vouches(self, vkey: str, after: int, note: str) -> bool:
        """Tell whether this key, which nothing had followed, signed that another one follows it after so many leaves."""
        body, signatures = note_of(note)
        if self.until is not None or after < self.after or body != f"{_CHANGE}\n{vkey}\n{after}\n":
            return False
        return any((one.name, one.key_id) == (self.key.name, self.key.id) and self.key.holds(one.value, body) for one in signatures)


def _number(told: str) -> int:
    if not (told.isascii() and told.isdigit()) or (told[0] == "0" and told != "0") or len(told) > 19 or int(told) > _NUMBER_MAX:
        raise Unreadable("the size of a checkpoint is not a whole number")
    return int(told)


def _name(name: str) -> str:
    if not name or "+" in name or any(letter.isspace() or not letter.isprintable() for letter in name):
        raise Unreadable("a key's name is not empty and has neither spaces nor plus signs")
    return name


def _bytes(encoded: str) -> bytes:
    try:
        value = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Unreadable("not base64") from None
    if base64.b64encode(value).decode() != encoded:
        raise Unreadable("not base64 as it is written by anybody")
    return value


# --- The tree (RFC 6962, section 2.1) ----------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree to which leaves are added one by one, of which only the perfect subtrees that it is made of are kept."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        """Add a leaf with this hash."""
        number = self.size
        while number & 1:
            hashed, number = node_hash(self._peaks.pop(), hashed), number >> 1
        self._peaks.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """Return the hash over all leaves."""
        if not self._peaks:
            return sha256(b"").digest()
        found = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            found = node_hash(peak, found)
        return found


# --- The book ----------------------------------------------------------------------------------------------------------

#: The kinds of account that are read line by line, numbered without a gap and never below zero; and the others.
LINED = frozenset({"passbook", "team", "unit", "fund"})
UNLINED = frozenset({"receivable", "source", "expired", "donated", "settled"})
_HOLDERS = frozenset({"passbook", "team"})
#: Between which kinds of account each kind of entry moves points.
WAYS = {
    "budget": (frozenset({"source"}), frozenset({"fund"})),
    "award": (frozenset({"fund"}), _HOLDERS),
    "redemption": (_HOLDERS, frozenset({"receivable"})),
    "void": (frozenset({"receivable"}), _HOLDERS),
    "clawback": (_HOLDERS, frozenset({"fund"})),
    "gift": (_HOLDERS, _HOLDERS),
    "donation": (_HOLDERS, frozenset({"donated"})),
    "expiry": (frozenset({"passbook"}), frozenset({"expired"})),
    "closing": (frozenset({"fund"}), frozenset({"source"})),
}

#: Through which of its doors something came into the book.
CHANNELS = frozenset({"page", "api", "command", "import"})

#: What stands in a field of an entry; what ends with a question mark may be absent.
FIELDS = {
    "id": "id", "from_account": "id", "to_account": "id", "amount": "int", "kind": "text", "deed_on": "date", "posted_at": "int",
    "request_id": "id", "position": "int", "actor": "id", "acted_for": "id?", "channel": "text", "reference": "id?", "contract_id": "id?",
    "unit_id": "id?", "till_id": "id?", "reverses": "id?", "reversal_number": "int?", "left_after": "int?",
}  # fmt: skip
LINE = {"number": "int", "amount": "int", "before": "int", "after": "int", "posted_at": "int", "deed_on": "date"}
LINK = {"number": "int", "salt": "bytes"}
#: What stands in a record of hours, and in its link.
HOURS = {"id": "id", "account": "id?", "kind": "text", "minutes": "int", "served_on": "date", "recorded_at": "int"}
HOURS_LINK = {"account": "id", "number": "int", "credit": "int", "honour": "int"}

#: The kinds of record, how many parts each has, and in which order a dump has them: entries and hours stand in that of the log.
_RECORDS = {"log": (2, 0), "key": (3, 1), "checkpoint": (3, 2), "account": (2, 3), "entry": (7, 4), "hours": (6, 4), "end": (2, 5)}
_COUNTED = ("accounts", "entries", "lines", "hours", "leaves", "sides", "sealed_hours", "checkpoints")
_LINE_BYTES_MAX = 262_144
_FAULTS_KEPT = 1_000
_LEAF_BYTES, _HOURS_LEAF_BYTES = 98, 34
#: A salt of another length could be read as a part of the fields, and one leaf as two entries.
SALT_BYTES = 16
_ABSENT = b"\xff"
#: An entry is promised to be sealed within a day, and clocks of several offices differ by less.
_A_DAY = 86_400_000_000
_TOLD_EVERY = 2_000

#: A value of a record, once it is read: an id or salt is bytes.
Value = Any


class Fault(NamedTuple):
    """Something that does not hold: where, and what."""

    place: str
    what: str


class Report:
    """What a check came to: faults, of which the first are kept, and what was looked at."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.count = 0
        self.said: list[str] = []
        #: How many leaves there are, and up to which of them a head that somebody kept fits.
        self.leaves = self.proven = 0

    def fault(self, place: str, what: str) -> None:
        """Note something that does not hold."""
        self.count += 1
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(Fault(place, what))


class Account:
    """An account as far as it is recomputed."""

    __slots__ = ("balance", "hours", "id", "is_lined", "kind", "lines", "links", "posted_at", "previous", "previous_hours")

    def __init__(self, account_id: bytes, kind: str) -> None:
        self.id, self.kind, self.is_lined = account_id, kind, kind in LINED
        self.balance = self.lines = self.links = self.posted_at = 0
        self.previous = self.previous_hours = _ABSENT
        #: How many records of hours, and their minutes of credit and of honour.
        self.hours = (0, 0, 0)


def shown(text: str) -> str:
    """Return a text from outside so that it can do nothing to a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])


def moment(microseconds: int) -> str:
    """Return a moment as it is told to people."""
    try:
        return f"{datetime(1970, 1, 1) + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M} UTC"  # noqa: DTZ001  both are UTC, and Python 3.9 has no datetime.UTC
    except OverflowError:
        return f"{microseconds} microseconds"


def written(values: Iterable[Value]) -> bytes:
    """Write fields down as they are in a leaf: each as its length in one byte and its bytes."""
    return b"".join(_field(value) for value in values)


def _field(value: Value) -> bytes:
    if value is None:
        return _ABSENT
    told = b"%d" % value if isinstance(value, int) else value if isinstance(value, bytes) else value.encode()
    return bytes((len(told),)) + told


def _read(told: Value, form: dict[str, str], wrong: list[str] | None = None) -> tuple[Value, ...]:
    """Read a list of fields; refuse it where one is not of its form, or name that one in `wrong` where that is given."""
    if not isinstance(told, list) or len(told) != len(form):
        raise Unreadable(f"{len(form)} fields belong here")
    return tuple(_taken(value, kind, name, wrong) for value, (name, kind) in zip(told, form.items()))  # noqa: B905  as long as each other, and Python 3.9 has no `strict`


#: Taken for an id, bytes, a text or a day that the database's owner made into something else: other faults are told beside that one.
_STAND_INS = {"id": bytes(16), "bytes": b"", "text": "", "date": ""}


def _taken(value: Value, kind: str, name: str, wrong: list[str] | None) -> Value:
    try:
        return _value(value, kind, name)
    except ValueError as problem:
        if wrong is None or not (value is None or isinstance(value, str)) or kind.rstrip("?") not in _STAND_INS:
            raise Unreadable(str(problem)) from None
    wrong.append(name)
    return _STAND_INS[kind.rstrip("?")]


def _value(value: Value, kind: str, name: str) -> Value:
    if value is None and kind.endswith("?"):
        return None
    plain = kind.rstrip("?")
    if plain == "int" and type(value) is int and abs(value) <= _NUMBER_MAX:
        return value
    if plain in ("id", "bytes") and isinstance(value, str) and value.isascii() and len(value) <= 512:
        found = bytes.fromhex(value)
        if found.hex() == value and (plain == "bytes" or len(found) == 16):
            return found
    if plain == "text" and isinstance(value, str) and 0 < len(value.encode()) <= 254:
        return value
    if plain == "date" and isinstance(value, str) and len(value) == 10 and date.fromisoformat(value).isoformat() == value:
        return value
    raise Unreadable(f"{name} is not as it should be")


class Book:
    """A book that is recomputed record by record, as a dump has them."""

    def __init__(self, keys: Sequence[Key], kept: Sequence[tuple[str, Head]], report: Report) -> None:
        self.origin = ""
        self.tree = Tree()
        self.seen = dict.fromkeys(_COUNTED, 0)
        self.has_ended = False
        self._keys, self._report = keys, report
        #: The log's keys: those that were given, else the first one that is told; and those that they vouch for.
        self._logs = [LogKey(key) for key in keys if key.kind == _LOGS]
        self._is_given, self._key_count, self._has_kept = bool(self._logs), 0, False
        self._accounts: dict[bytes, Account] = {}
        #: Of each entry, what is left of it after what was taken back, and how often that was.
        self._left: dict[bytes, tuple[int, int]] = {}
        self._hours: set[bytes] = set()
        #: Which heads are compared with the tree when it has that size: their places and roots.
        self._awaited: dict[int, list[tuple[str, bytes]]] = {}
        self._cosigned: dict[str, int] = {}
        #: Of each size, when a head of it was first cosigned, in microseconds since 1970.
        self._cosigned_at: dict[int, int] = {}
        self._last_size, self._step = -1, 0
        #: Of what waits, when it was recorded and its place; and the last moment of all entries.
        self._waiting: list[tuple[int, str]] = []
        self._newest = 0
        #: The moment of the first leaf that is under no head of the dump.
        self._unsigned: int | None = None
        # Of an empty log everything is a continuation.
        self._kept, self._kept_sizes = kept, {head.size for _, head in kept if head.size}

    def take(self, record: Value) -> None:
        """Take the next record of a dump."""
        if not isinstance(record, list) or not record or not isinstance(record[0], str) or record[0] not in _RECORDS:
            raise Unreadable("not a record of a dump")
        parts, step = _RECORDS[record[0]]
        if len(record) != parts + 1:
            raise Unreadable(f"{parts} parts belong here")
        if self.has_ended or step < self._step or (step == 0) != (not self.origin):
            raise Unreadable("a record where it does not belong")
        self._step = step
        if step > _RECORDS["key"][1] and not self._has_kept:
            self._has_kept = True
            for place, head in self._kept:
                self._await_kept(place, head)
        getattr(self, f"_take_{record[0]}")(*record[1:])

    def _take_log(self, form: Value, origin: Value) -> None:
        if form != 1 or type(form) is not int or not isinstance(origin, str) or not origin:
            raise Unreadable("not a dump of format 1")
        self.origin = origin

    def _take_key(self, vkey: Value, after: Value, note: Value) -> None:
        if not isinstance(vkey, str) or not (note is None or isinstance(note, str)):
            raise Unreadable("a key has itself, a size and a note")
        key, after, is_first = key_of(vkey), _value(after, "int", "after"), not self._key_count
        self._key_count += 1
        own = next((one for one in self._logs if one.key == key), None)
        before = None if note is None else next((one for one in self._logs if one.vouches(vkey, after, note)), None)
        if before is not None:
            before.until = after
            if own is None:
                self._logs.append(LogKey(key, after))
            else:
                own.after = after
        elif not is_first or after or note is not None:
            self._report.fault(f"key {key.id.hex()}", "signs the log, and no key before it that is known vouches for that")
        elif self._is_given and own is None:
            self._report.fault(f"key {key.id.hex()}", "is the log's first key, and none of those that were given")
        elif own is None:
            self._logs.append(LogKey(key))

    def _signing(self, size: int) -> list[Key]:
        """Return whose signatures count under a head of so many leaves, of the keys that were given and those that they vouch for."""
        logs = [one.key for one in self._logs if one.signs(size)] if self._is_given else []
        return [*logs, *(key for key in self._keys if key.kind == _WITNESS)]

    def _await_kept(self, place: str, head: Head) -> None:
        if head.origin != self.origin:
            self._report.fault(place, f"is a head of another log, {shown(head.origin)}")
            return
        try:
            signed = head.signed_by(self._signing(head.size))
        except Unreadable as problem:
            self._report.fault(place, str(problem))
            return
        if self._keys and not signed:
            self._report.fault(place, "is signed by none of the keys that were given")
        self._note_times(head, signed)
        self._await(head, f"{place}, a head of {head.size:,} that was kept")

    def _await(self, head: Head, place: str) -> None:
        if head.size == 0 and head.root != self.tree.root():
            self._report.fault(place, "has another root than an empty log")
        elif head.size:
            self._awaited.setdefault(head.size, []).append((place, head.root))

    def _take_checkpoint(self, size: Value, note: Value, lines: Value) -> None:
        if not isinstance(note, str) or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise Unreadable("a checkpoint has a size, a note and cosignatures")
        self.seen["checkpoints"] += 1
        size = _value(size, "int", "size")
        place = f"checkpoint {size}"
        try:
            head = head_of(note)
            head = head._replace(signatures=(*head.signatures, *map(signature_of, lines[:_SIGNATURES_MAX])))
            signed = head.signed_by(self._signing(head.size))
        except Unreadable as problem:
            self._report.fault(place, str(problem))
            return
        if (head.origin, head.size) != (self.origin, size) or size <= self._last_size:
            self._report.fault(place, f"says {head.size} leaves of {shown(head.origin)}, after one of {self._last_size}")
        self._last_size = max(size, self._last_size)
        if self._is_given and not any(key.kind == _LOGS for key in signed):
            self._report.fault(place, "is not signed by the log")
        for key in signed:
            if key.kind == _WITNESS:
                self._cosigned[key.name] = max(head.size, self._cosigned.get(key.name, 0))
        self._note_times(head, signed)
        self._await(head, place)

    def _note_times(self, head: Head, signed: Sequence[Key]) -> None:
        witnesses = {(key.name, key.id) for key in signed if key.kind == _WITNESS}
        for one in head.signatures:
            if (one.name, one.key_id) in witnesses:
                at = int.from_bytes(one.value[:8], "big") * 1_000_000
                self._cosigned_at[head.size] = min(at, self._cosigned_at.get(head.size, at))

    @cached_property
    def _times(self) -> tuple[list[int], list[int], list[int]]:
        """The sizes of cosigned heads; of each, the last time of those up to it, and the first time of those from it on."""
        sizes = sorted(self._cosigned_at)
        times = [self._cosigned_at[size] for size in sizes]
        return sizes, list(accumulate(times, max)), list(accumulate(times[::-1], min))[::-1]

    def _moment(self, number: int, posted_at: int, place: str) -> None:
        """Hold the moment of a leaf's entry or hours against the times at which others cosigned the heads before it and over it."""
        sizes, last, first = self._times
        at = bisect_right(sizes, number)
        if at and posted_at < last[at - 1] - _A_DAY:
            before = f"was sealed after a head that was cosigned on {moment(last[at - 1])}"
            self._report.fault(place, f"is of {moment(posted_at)}, and {before}")
        if at < len(sizes) and posted_at > first[at] + _A_DAY:
            over = f"stands under a head that was cosigned on {moment(first[at])}"
            self._report.fault(place, f"is of {moment(posted_at)}, and {over}")

    def _take_account(self, account_id: Value, kind: Value) -> None:
        self.seen["accounts"] += 1
        if account_id is None:
            self._report.fault("an account", "has an id that is none")
            return
        found = _value(account_id, "id", "id")
        if found in self._accounts or not isinstance(kind, str):
            raise Unreadable("an account has an id of its own and a kind")
        if kind not in LINED | UNLINED:
            self._report.fault(f"account {UUID(bytes=found)}", f"is a {shown(kind)}, which is no kind of account")
        self._accounts[found] = Account(found, kind)

    def _take_entry(self, number: Value, waits: Value, fields: Value, salt: Value, data: Value, giver: Value, taker: Value) -> None:
        wrong: list[str] = []
        halves = [self._half(giver, wrong), self._half(taker, wrong)]
        entry = None if fields is None else _read(fields, FIELDS, wrong)
        if waits not in (0, 1) or (number is None and entry is None):
            raise Unreadable("an entry has fields or a leaf, and waits or does not")
        if wrong:
            place = "an entry that waits" if number is None else f"leaf {_value(number, 'int', 'number')}"
            self._report.fault(place, f"is not as it should be: {', '.join(wrong)}")
        if entry is not None:
            self._entry(entry, is_sealed=number is not None, waits=bool(waits))
        if number is not None:
            # What is none has no length, and is told.
            leaf = _value(number, "int", "number"), _taken(salt, "bytes", "salt", wrong), _taken(data, "bytes", "leaf", wrong)
            self._leaf(*leaf, entry, halves)
        elif entry is not None:
            self._sides(entry, halves, None)

    def _take_hours(self, number: Value, waits: Value, fields: Value, salt: Value, data: Value, link: Value) -> None:
        wrong: list[str] = []
        hours = None if fields is None else _read(fields, HOURS, wrong)
        sealed = None if link is None else _read(link, HOURS_LINK, wrong)
        if waits not in (0, 1) or (number is None and hours is None):
            raise Unreadable("a record of hours has fields or a leaf, and waits or does not")
        if wrong:
            place = "a record of hours that waits" if number is None else f"leaf {_value(number, 'int', 'number')}"
            self._report.fault(place, f"is not as it should be: {', '.join(wrong)}")
        self.seen["sealed_hours"] += sealed is not None
        if hours is not None:
            self._served(hours, is_sealed=number is not None, waits=bool(waits))
        if number is not None:
            found = _value(number, "int", "number"), _taken(salt, "bytes", "salt", wrong), _taken(data, "bytes", "leaf", wrong)
            self._hours_leaf(*found, hours, sealed)

    def _served(self, hours: tuple[Value, ...], *, is_sealed: bool, waits: bool) -> None:
        hours_id, account_id, kind, minutes = hours[:4]
        place = f"hours {UUID(bytes=hours_id)}"
        self.seen["hours"] += 1
        if hours_id in self._hours:
            self._report.fault(place, "is there more than once")
        self._hours.add(hours_id)
        if is_sealed == waits:
            self._report.fault(place, "is sealed and waits still" if waits else "is neither sealed nor waiting")
        if not is_sealed:
            self._waiting.append((hours[5], place))
        self._newest = max(self._newest, hours[5])
        if kind not in ("credit", "honour") or minutes < 1:
            self._report.fault(place, f"is {minutes} minutes of {shown(kind)}")
        if account_id not in self._accounts or self._accounts[account_id].kind != "passbook":
            self._report.fault(place, "is of nobody who has a passbook")

    def _hours_leaf(
        self, number: int, salt: bytes, data: bytes, hours: tuple[Value, ...] | None, link: tuple[Value, ...] | None
    ) -> None:  # fmt: skip
        place = f"leaf {number}"
        if len(data) != _HOURS_LEAF_BYTES or data[:2] != b"\x01\x02":
            self._report.fault(place, "is not of a form that is known")
        self._salt(salt, place)
        account = None if link is None else self._accounts.get(link[0])
        if hours is not None and number == max(self._last_size, 0):
            self._unsigned = hours[5]
        if hours is None:
            self._report.fault(place, "has lost its hours")
        elif link is None or account is None:
            self._report.fault(place, "has no place in its account's chain")
        else:
            self._hours_link(account, hours, link, number, salt, data[2:])
        if link is not None and account is not None:
            # As of entries: what was sealed, and not what should have been.
            account.hours, account.previous_hours = link[1:], b"\x20" + data[2:]
        self._grow(number, data)

    def _hours_link(
        self, account: Account, hours: tuple[Value, ...], link: tuple[Value, ...], leaf: int, salt: bytes, sealed: bytes
    ) -> None:  # fmt: skip
        hours_id, own, kind, minutes, *when = hours
        (last, credit, honour), (number, *sums) = account.hours, link[1:]
        place = f"account {UUID(bytes=account.id)} hours {number}"
        if number != last + 1:
            self._report.fault(place, f"is sealed where record {last + 1} follows")
        if sums != [credit + minutes * (kind == "credit"), honour + minutes * (kind == "honour")]:
            self._report.fault(place, "does not add up with the record before it")
        fields = written((hours_id, own, number, kind, minutes, *when, *sums)) + account.previous_hours
        if sha256(b"\x12" + salt + fields).digest() != sealed:
            self._report.fault(place, "is not what was sealed, or does not follow the record before it")
        self._moment(leaf, hours[5], place)

    def _leaf(self, number: int, salt: bytes, data: bytes, entry: tuple[Value, ...] | None, halves: list[Any]) -> None:
        place = f"leaf {number}"
        if len(data) != _LEAF_BYTES or data[:2] != b"\x01\x01":
            self._report.fault(place, "is not of a form that is known")
        self._salt(salt, place)
        if entry is None:
            self._report.fault(place, "has lost its entry")
        else:
            self._sides(entry, halves, data)
            if sha256(b"\x10" + salt + written(entry)).digest() != data[2:34]:
                self._report.fault(f"entry {UUID(bytes=entry[0])}", f"is not what was sealed as leaf {number}")
            if number == max(self._last_size, 0):
                self._unsigned = entry[6]
            self._moment(number, entry[6], f"entry {UUID(bytes=entry[0])}")
        self._grow(number, data)

    def _grow(self, number: int, data: bytes) -> None:
        self.seen["leaves"] += 1
        if number != self.tree.size:
            self._report.fault(f"leaf {number}", f"stands where leaf {self.tree.size} follows")
        self.tree.add(leaf_hash(data))
        for head, root in self._awaited.pop(self.tree.size, ()):
            if root != self.tree.root():
                self._report.fault(head, "is not a beginning of this log: what was written before it was changed since")
            elif self.tree.size in self._kept_sizes:
                self._report.proven = self.tree.size

    def _salt(self, salt: bytes, place: str) -> None:
        if len(salt) != SALT_BYTES:
            self._report.fault(place, f"has a salt of {len(salt)} bytes, where {SALT_BYTES} belong")

    def _half(self, told: Value, wrong: list[str]) -> tuple[tuple[Value, ...] | None, tuple[Value, ...] | None]:
        if not isinstance(told, list) or len(told) != 2:
            raise Unreadable("a side has a line and a link")
        line = None if told[0] is None else _read(told[0], LINE, wrong)
        link = None if told[1] is None else _read(told[1], LINK, wrong)
        self.seen["lines"] += line is not None
        self.seen["sides"] += link is not None
        return line, link

    def _entry(self, entry: tuple[Value, ...], *, is_sealed: bool, waits: bool) -> None:
        entry_id, giver, taker, amount, kind = entry[:5]
        reverses, reversal_number, left_after = entry[16:19]
        place = f"entry {UUID(bytes=entry_id)}"
        self.seen["entries"] += 1
        if entry_id in self._left:
            self._report.fault(place, "is there more than once")
        self._left[entry_id] = (amount, 0)
        if is_sealed == waits:
            self._report.fault(place, "is sealed and waits still" if waits else "is neither sealed nor waiting")
        if not is_sealed:
            self._waiting.append((entry[6], place))
        self._newest = max(self._newest, entry[6])
        if amount < 1 or giver == taker:
            self._report.fault(place, f"moves {amount} points")
        if entry[11] not in CHANNELS:
            self._report.fault(place, f"came by {shown(entry[11])}, which is no way in")
        ways = WAYS.get(kind)
        kinds = [self._accounts[one].kind if one in self._accounts else "nothing that is there" for one in (giver, taker)]
        if ways is None or kinds[0] not in ways[0] or kinds[1] not in ways[1] or (kind in ("void", "clawback")) != (reverses is not None):
            self._report.fault(place, f"is a {shown(kind)} from {kinds[0]} to {kinds[1]}")
        if reverses is not None:
            left, times = self._left.get(reverses, (0, 0))
            self._left[reverses] = (left - amount, times + 1)
            if (reversal_number, left_after) != (times + 1, left - amount) or left < amount:
                self._report.fault(place, f"takes back {amount} points of an entry of which {left} are left")

    def _sides(self, entry: tuple[Value, ...], halves: list[Any], data: bytes | None) -> None:
        giver, taker, amount = entry[1:4]
        for account_id, points, half, at in ((giver, -amount, halves[0], 34), (taker, amount, halves[1], 66)):
            account = self._accounts.get(account_id)
            if account is None:
                # Said already, of the entry.
                continue
            line, link = half
            place = f"account {UUID(bytes=account_id)} line {line[0] if line else link[0] if link else '-'}"
            self._line(account, entry, points, line, place)
            if data is not None:
                self._link(account, entry, points, half, data[at : at + 32], place)
            elif link is not None:
                self._report.fault(place, "is linked, and its entry is not sealed")

    def _line(self, account: Account, entry: tuple[Value, ...], points: int, line: tuple[Value, ...] | None, place: str) -> None:
        deed_on, posted_at = entry[5:7]
        if account.is_lined != (line is not None):
            self._report.fault(f"entry {UUID(bytes=entry[0])}", "lacks a line" if account.is_lined else "has a line where none belongs")
        if line is None:
            account.balance += points
            return
        number, amount, before, after, recorded_at, day = line
        if number != account.lines + 1:
            self._report.fault(place, f"is numbered {number} where {account.lines + 1} follows")
        if before != account.balance or before + amount != after or after < 0:
            self._report.fault(place, f"{before} + {amount} = {after} does not follow {account.balance}")
        if (amount, recorded_at, day) != (points, posted_at, deed_on):
            self._report.fault(place, "does not say what its entry says")
        if posted_at <= account.posted_at:
            self._report.fault(place, "was recorded before the line it follows")
        account.lines, account.balance, account.posted_at = number, after, posted_at

    def _link(self, account: Account, entry: tuple[Value, ...], points: int, half: Any, sealed: bytes, place: str) -> None:
        line, link = half
        if link is None:
            self._report.fault(f"entry {UUID(bytes=entry[0])}", "is sealed without a side for each of its accounts")
        else:
            number, salt = link
            self._salt(salt, place)
            if number != account.links + 1 or (line is not None and number != line[0]):
                self._report.fault(place, f"is sealed as number {number} where {account.links + 1} follows")
            before, after = (None, None) if line is None else line[2:4]
            fields = written((account.id, number, points, before, after, *entry[4:7])) + account.previous
            if sha256(b"\x11" + salt + fields).digest() != sealed:
                self._report.fault(place, "is not what was sealed, or does not follow the line before it")
        account.links += 1
        # What was sealed, and not what should have been: so one change is told at its own place alone.
        account.previous = b"\x20" + sealed

    def _take_end(self, counts: Value, told: Value) -> None:
        if not isinstance(counts, dict) or set(counts) != set(_COUNTED):
            raise Unreadable("a dump ends with how much there is")
        for name in _COUNTED:
            there = _value(counts[name], "int", name)
            if there != self.seen[name]:
                self._report.fault("book", f"has {there:,} {name}, of which {self.seen[name]:,} belong to what is written down")
        at = _value(told, "int", "moment")
        self._report.said.append(f"written down on {moment(at)}")
        if self._newest > at + _A_DAY:
            self._report.fault("book", f"was written down on {moment(at)}, and has an entry of {moment(self._newest)}")
        left = self.tree.size - max(self._last_size, 0)
        if self.tree.size and not self.seen["checkpoints"]:
            self._report.fault("book", f"has {self.tree.size:,} leaves and no head of the log over them")
        elif self._unsigned is not None and self._unsigned < at - _A_DAY:
            self._report.fault("book", f"has {left:,} leaves under no head, the first of them since {moment(self._unsigned)}")
        for posted_at, place in self._waiting:
            if posted_at < at - _A_DAY:
                self._report.fault(place, f"waits since {moment(posted_at)}, and was to be sealed within a day")
        self.has_ended = True

    def finish(self) -> None:
        """Say what can only be said at the end."""
        if not self.has_ended:
            raise Unreadable("the dump was cut off: it has no end")
        if points := sum(account.balance for account in self._accounts.values()):
            self._report.fault("book", f"all its accounts together come to {points:+,} points, not to zero")
        for waiting in self._awaited.values():
            for place, _ in waiting:
                there = f"the {self.tree.size:,} that there are"
                self._report.fault(place, f"is of more leaves than {there}: the log was cut off, or turned back")
        said, self._report.leaves = self._report.said, self.tree.size
        said.append(f"{shown(self.origin)}: {self.tree.size:,} leaves, root {base64.b64encode(self.tree.root()).decode()}")
        entries, hours, newest = self.seen["entries"], self.seen["hours"], max(self._last_size, 0)
        sealed_hours = self.seen["sealed_hours"]
        sealed = self.seen["leaves"] - sealed_hours
        said.append(f"{len(self._accounts):,} accounts, {entries:,} entries, of which {entries - sealed:,} wait")
        said.append(f"{hours:,} records of hours, of which {hours - sealed_hours:,} wait")
        said.append(f"{self.seen['checkpoints']:,} heads in the dump, the newest of {newest:,}; {len(self._kept_sizes):,} kept by others")
        said += [f"{shown(name)} cosigned up to {size:,}" for name, size in sorted(self._cosigned.items())]
        if not self._keys:
            said.append("no keys were given: signatures were not looked at")
        if not self._kept_sizes:
            said.append("no head was given that anybody kept: a log that was rewritten as a whole would not be found")


# --- In Chinese --------------------------------------------------------------------------------------------------------

#: What each fault says, by words of it; where the words of two are in one, the first counts.
_CHINESE = {
    "is not a beginning of this log": "历史被改写：现在的账不是这个检查点签过的账",
    "the log was cut off, or turned back": "记录被截断，或退回到旧备份",
    "is not signed by the log": "不是您给的日志公钥签的",
    "is signed by none of the keys": "您给的公钥里没有一个签过它",
    "that does not hold": "冒名的签名，或签名上面的文字被改过",
    "vouches for that": "签日志的钥匙换了，原来的钥匙没有为它作证",
    "is the log's first key": "日志最早的公钥，您没有给",
    "is a head of another log": "这是另一本日志的检查点",
    "has another root than an empty log": "空的日志不是这个根",
    ", after one of": "检查点的条数或日志名不对",
    "is not what was sealed as leaf": "这一笔流水被改动，不是封存的那样",
    "is not what was sealed, or does not follow": "不是封存的那样，或接不上前一条",
    "stands where leaf": "位置不对：有记录被抽走、塞进或调换",
    "is not of a form that is known": "不是认得的格式",
    "has lost its entry": "封存过的流水不见了",
    "has lost its hours": "封存过的时数不见了",
    "is there more than once": "重复出现",
    "is neither sealed nor waiting": "既没有封存也不在等待：是绕过服务塞进库里的",
    "is sealed and waits still": "已经封存，却还在等待",
    "takes back": "撤销得比原来的多，或撤销的次序不对",
    "is linked, and its entry is not sealed": "流水没有封存，却已经连进日志",
    "lacks a line": "缺了存折上的一行",
    "has a line where none belongs": "多了不该有的一行",
    "is numbered": "序号不连续",
    "does not follow": "结余接不上前一行",
    "does not say what its entry says": "和它的流水说法不一",
    "was recorded before the line it follows": "记账时刻早于前一行",
    "is sealed without a side": "封存时少了一方",
    "is sealed as number": "封存的序号不连续",
    "is sealed where record": "封存的次序不对",
    "does not add up with the record": "累计接不上前一条",
    "has no place in its account's chain": "没有连进这个账户",
    "is of nobody who has a passbook": "不属于任何一本存折",
    " minutes of ": "时数或种类不对",
    "belong to what is written down": "库里有不属于任何流水的东西",
    "all its accounts together": "有凭空出现的积分：全部相加不为零",
    "has an id that is none": "编号不成编号",
    "which is no kind of account": "没有这种账户",
    "which is no way in": "来路不明：没有这个入口",
    "is not as it should be": "有的字段不成样子",
    "has a salt of": "盐的长度不对",
    "was sealed after a head": "写的时刻，早于前面一次联署",
    "stands under a head": "写的时刻，晚于盖在它上面的联署",
    "and has an entry of": "有导出以后的流水",
    "was to be sealed within a day": "等得太久：说好一天之内封存",
    "is of ": "写的时刻，和见证方联署的时刻对不上",
    "no head of the log over them": "日志的检查点不见了：上面一个也没有",
    "leaves under no head": "一天以上没有签过检查点，或检查点被删除",
    "moves ": "金额或账户不对",
    "is a ": "积分走了这种流水从来不走的路",
}


def in_chinese(what: str) -> str:
    """Return what a fault says in Chinese."""
    return next((told for words, told in _CHINESE.items() if words in what), "对不上")


# --- Reading -----------------------------------------------------------------------------------------------------------


def _records(file: gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(_LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > _LINE_BYTES_MAX or not line.endswith(b"\n"):
            raise Unreadable(f"line {number}: too long, or cut off")
        yield number, line


def _no_number(told: str) -> None:
    raise Unreadable(f"{told} is no number")


def check(
    dump: IO[bytes], kept: Sequence[tuple[str, str]] = (), keys: Sequence[str] = (), progress: Callable[[], None] | None = None
) -> Report:  # fmt: skip
    """Check a dump; `kept` are heads from earlier, each with a name for it. Raise Unreadable where something cannot be read."""
    report = Report()
    book = Book([key_of(key) for key in keys], [(name, _kept(name, text)) for name, text in kept], report)
    number = 0
    try:
        with gzip.GzipFile(fileobj=dump, mode="rb") as file:
            for number, line in _records(file):
                book.take(json.loads(line, parse_constant=_no_number))
                if progress and not number % _TOLD_EVERY:
                    progress()
        number += 1
        book.finish()
    except (EOFError, OSError, zlib.error) as problem:
        raise Unreadable(f"the dump cannot be unpacked after line {number}: {shown(str(problem))}") from None
    except (Unreadable, ValueError, TypeError, RecursionError, OverflowError) as problem:
        if isinstance(problem, Unreadable) and str(problem).startswith("line "):
            raise
        raise Unreadable(f"line {number}: {shown(str(problem))}") from None
    return report


def _kept(name: str, text: str) -> Head:
    try:
        # However an editor has left it.
        return head_of(text.replace("\r\n", "\n").strip("\ufeff \t\r\n") + "\n")
    except Unreadable as problem:
        raise Unreadable(f"{name}: {problem}") from None


def _text(path: Path) -> str:
    if path.stat().st_size > _NOTE_BYTES_MAX:
        raise Unreadable(f"{path}: too large for a checkpoint")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(f"{path}: not a text in UTF-8") from None


def _bar(dump: IO[bytes], total: int) -> None:
    done = min(dump.tell() / max(total, 1), 1)
    filled = int(done * 30)
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done:4.0%}")
    sys.stderr.flush()


def main(told: Sequence[str] | None = None) -> int:
    """Read what is asked for, check it, print what was found, and return the exit status."""
    about = "Check a book without the passbook 独立核对账簿"
    parser = argparse.ArgumentParser(description=about, epilog="docs/auditing.md says how to read what it says")
    parser.add_argument("dump", type=Path, help="what `flask ledger dump` wrote 导出文件")
    parser.add_argument("kept", nargs="*", type=Path, metavar="CHECKPOINT", help="heads of the log that somebody kept 留存的旧检查点")
    keys = "public key of the log or of a witness 日志或见证方的公钥"
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help=keys)
    asked = parser.parse_args(told)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    has_bar = sys.stderr.isatty()
    try:
        kept = [(str(path), _text(path)) for path in asked.kept]
        with asked.dump.open("rb") as dump:
            total = os.fstat(dump.fileno()).st_size
            report = check(dump, kept, asked.key, (lambda: _bar(dump, total)) if has_bar else None)
    except (Unreadable, OSError) as problem:
        print(f"cannot be read 无法读取: {shown(str(problem))}", file=sys.stderr)
        return 2
    finally:
        if has_bar:
            sys.stderr.write("\r\033[K")
    for sentence in report.said:
        print(sentence)
    print(f"发现 {report.count} 处问题：" if report.count else "未发现问题")
    for fault in report.faults:
        print(f"  {fault.place}: {fault.what} ({in_chinese(fault.what)})")
    if report.count > len(report.faults):
        print(f"  ... and {report.count - len(report.faults):,} more")
    clean = f"check: clean, proven up to leaf {report.proven:,} of {report.leaves:,}"
    print(f"check: {report.count} faults" if report.count else clean)
    return 1 if report.count else 0


if __name__ == "__main__":
    sys.exit(main())
