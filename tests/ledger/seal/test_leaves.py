"""What a leaf is made of: an opening is read back exactly, in one way only, and every field of it counts."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ledger.seal import leaves
from ledger.seal.leaves import EntryFacts
from ledger.seal.leaves import HoursFacts
from ledger.seal.leaves import HoursOpening
from ledger.seal.leaves import Opening
from ledger.seal.leaves import SideFacts

whole = some.integers(-(2**63), 2**63 - 1)
hashes = some.binary(min_size=32, max_size=32)
salts = some.binary(min_size=leaves.SALT_BYTES, max_size=leaves.SALT_BYTES)
sides = some.builds(
    SideFacts,
    account=some.uuids(),
    number=some.integers(1, 2**63 - 1),
    amount=whole.filter(bool),
    before=some.none() | whole,
    after=some.none() | whole,
    kind=some.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=30),
    deed_on=some.dates(),
    posted_at=whole,
    previous=some.none() | hashes,
)
served = some.builds(
    HoursFacts,
    id=some.uuids(),
    account=some.uuids(),
    number=some.integers(1, 2**63 - 1),
    kind=some.sampled_from(["credit", "honour"]),
    minutes=some.integers(1, 2**40),
    served_on=some.dates(),
    recorded_at=whole,
    credit=some.integers(0, 2**62),
    honour=some.integers(0, 2**62),
    previous=some.none() | hashes,
)
openings = some.builds(Opening, side=sides, salt=salts, entry=hashes, other=hashes) | some.builds(HoursOpening, hours=served, salt=salts)
entries = some.builds(
    EntryFacts,
    id=some.uuids(),
    from_account=some.uuids(),
    to_account=some.uuids(),
    amount=some.integers(1, 2**40),
    kind=some.sampled_from(["award", "redemption", "void"]),
    deed_on=some.dates(),
    posted_at=whole,
    request_id=some.uuids(),
    position=whole,
    actor=some.uuids(),
    acted_for=some.none() | some.uuids(),
    channel=some.sampled_from(["api", "page", "import"]),
    reference=some.none() | some.uuids(),
    contract_id=some.none() | some.uuids(),
    unit_id=some.none() | some.uuids(),
    till_id=some.none() | some.uuids(),
    reverses=some.none() | some.uuids(),
    reversal_number=some.none() | whole,
    left_after=some.none() | whole,
)

SIDE = SideFacts(UUID(int=7), 3, -12, 40, 28, "redemption", date(2026, 11, 26), 1_795_000_000_000_000, b"\x05" * 32)
OPENING = Opening(SIDE, b"\x01" * 16, b"\x02" * 32, b"\x03" * 32)
SERVED = HoursFacts(
    UUID(int=8), UUID(int=7), 3, "credit", 90, date(2026, 11, 26), 1_795_000_000_000_000, 240, 75, b"\x05" * 32
)  # fmt: skip
HOURS = HoursOpening(SERVED, b"\x01" * 16)


@given(openings)
def test_an_opening_is_read_back_exactly(opening: Opening | HoursOpening) -> None:
    packed = opening.packed()
    read = leaves.opening_of(packed)
    assert read == opening
    assert read.packed() == packed
    assert (read.leaf, read.word) == (opening.leaf, opening.word)


@given(openings, some.data())
def test_an_opening_with_any_bit_changed_is_none_or_opens_another_leaf(opening: Opening | HoursOpening, data: some.DataObject) -> None:
    packed = bytearray(opening.packed())
    at = data.draw(some.integers(0, len(packed) * 8 - 1))
    packed[at // 8] ^= 1 << at % 8
    try:
        read = leaves.opening_of(bytes(packed))
    except ValueError:
        return
    assert read.packed() == bytes(packed)
    assert read.leaf != opening.leaf


@given(some.binary(max_size=300))
def test_bytes_by_chance_are_no_opening_and_never_a_mistake(given: bytes) -> None:
    for packed in (given, b"\x01" + given, b"\x02" + given, OPENING.packed()[:81] + given, HOURS.packed()[:17] + given):
        try:
            read = leaves.opening_of(packed)
        except ValueError:
            continue
        assert read.packed() == packed


@pytest.mark.parametrize("opening", [OPENING, HOURS], ids=["line", "hours"])
def test_an_opening_that_is_cut_off_anywhere_or_carries_more_is_none(opening: Opening | HoursOpening) -> None:
    packed = opening.packed()
    assert leaves.opening_of(packed) == opening
    for length in range(len(packed)):
        with pytest.raises(ValueError):
            leaves.opening_of(packed[:length])
    for more in (b"\x00", b"\xff", b"\x01x"):
        with pytest.raises(ValueError):
            leaves.opening_of(packed + more)


def told_with(name: str, field: bytes) -> bytes:
    """Return the opening with one field written as these bytes, its length before them."""
    at = SideFacts._fields.index(name)
    fields = [leaves.written((value,)) for value in SIDE]
    fields[at] = field
    return OPENING.packed()[:81] + b"".join(fields)


def field(value: bytes) -> bytes:
    return bytes([len(value)]) + value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account", b"\xff"),
        ("account", field(b"")),
        ("account", field(b"\x00" * 15)),
        ("account", field(b"\x00" * 17)),
        ("number", b"\xff"),
        ("number", field(b"")),
        ("number", field(b"03")),
        ("number", field(b"+3")),
        ("number", field(b" 3")),
        ("number", field(b"3_0")),
        ("number", field("３".encode())),
        ("amount", b"\xff"),
        ("amount", field(b"-012")),
        ("amount", field(b"-0")),
        ("amount", field(b"- 12")),
        ("amount", field(b"12.0")),
        ("before", field(b"040")),
        ("after", field(b"")),
        ("after", field(b"x")),
        ("kind", b"\xff"),
        ("kind", field(b"\xff\xfe")),
        ("deed_on", b"\xff"),
        ("deed_on", field(b"20261126")),
        ("deed_on", field(b"2026-W48-4")),
        ("deed_on", field(b"2026-02-30")),
        ("deed_on", field(b"2026-11-26T00:00")),
        ("posted_at", b"\xff"),
        ("posted_at", field(b"1e6")),
        ("previous", field(b"")),
        ("previous", field(b"\x05" * 31)),
        ("previous", field(b"\x05" * 33)),
    ],
)
def test_a_field_that_is_written_in_another_way_is_refused(name: str, value: bytes) -> None:
    with pytest.raises(ValueError):
        leaves.opening_of(told_with(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", b"\xff"),
        ("id", field(b"\x00" * 15)),
        ("account", b"\xff"),
        ("account", field(b"\x00" * 17)),
        ("number", b"\xff"),
        ("number", field(b"03")),
        ("kind", b"\xff"),
        ("kind", field(b"\xff\xfe")),
        ("minutes", b"\xff"),
        ("minutes", field(b"9e1")),
        ("served_on", b"\xff"),
        ("served_on", field(b"20261126")),
        ("recorded_at", b"\xff"),
        ("credit", b"\xff"),
        ("credit", field(b"0240")),
        ("honour", field(b"")),
        ("honour", field(b"+75")),
        ("previous", field(b"")),
        ("previous", field(b"\x05" * 31)),
    ],
)
def test_a_field_of_hours_that_is_written_in_another_way_is_refused(name: str, value: bytes) -> None:
    fields = [leaves.written((value,)) for value in SERVED]
    fields[HoursFacts._fields.index(name)] = value
    with pytest.raises(ValueError):
        leaves.opening_of(HOURS.packed()[:17] + b"".join(fields))


def test_another_format_is_refused() -> None:
    for first in (0, 3, 255):
        for opening in (OPENING, HOURS):
            with pytest.raises(ValueError, match="format 1"):
                leaves.opening_of(bytes([first]) + opening.packed()[1:])
    for opening, other in ((OPENING, b"\x02"), (HOURS, b"\x01")):
        with pytest.raises(ValueError, match="field"):
            leaves.opening_of(other + opening.packed()[1:])


def test_a_field_that_is_too_long_is_not_written() -> None:
    with pytest.raises(ValueError, match="254"):
        leaves.written(("x" * 255,))
    assert leaves.written(("x" * 254,)) == b"\xfe" + b"x" * 254


def test_what_is_hashed_is_as_the_format_says() -> None:
    written = (
        b"\x10" + UUID(int=7).bytes + b"\x013" + b"\x03-12" + b"\x0240" + b"\x0228" + b"\x0aredemption" + b"\x0a2026-11-26"
        + b"\x101795000000000000" + b"\x20" + b"\x05" * 32
    )  # fmt: skip
    assert leaves.written(SIDE) == written
    assert leaves.written(SIDE._replace(before=None, after=None, previous=None)).count(b"\xff") == 3
    own = sha256(b"\x11" + b"\x01" * 16 + written).digest()
    assert leaves.side_hash(b"\x01" * 16, SIDE) == own
    assert OPENING.leaf == b"\x01\x01" + b"\x02" * 32 + own + b"\x03" * 32
    assert len(OPENING.leaf) == 98


def test_what_is_hashed_of_hours_is_as_the_format_says() -> None:
    written = (
        b"\x10" + UUID(int=8).bytes + b"\x10" + UUID(int=7).bytes + b"\x013" + b"\x06credit" + b"\x0290" + b"\x0a2026-11-26"
        + b"\x101795000000000000" + b"\x03240" + b"\x0275" + b"\x20" + b"\x05" * 32
    )  # fmt: skip
    assert leaves.written(SERVED) == written
    own = sha256(b"\x12" + b"\x01" * 16 + written).digest()
    assert leaves.hours_hash(b"\x01" * 16, SERVED) == own
    assert HOURS.packed() == b"\x02" + b"\x01" * 16 + written
    assert HOURS.leaf == b"\x01\x02" + own
    assert (len(HOURS.leaf), leaves.hours_in(HOURS.leaf)) == (34, own)
    assert own.hex() == "a79b86cf503162e9ca30e6cff5064c4df075f4dec27038245507e510dcce0352"
    assert HOURS.word == leaves.check_word(own) == "MYD-RDK"


def test_the_side_that_takes_stands_after_the_side_that_gives() -> None:
    taken = OPENING._replace(side=SIDE._replace(amount=12))
    own = leaves.side_hash(taken.salt, taken.side)
    assert taken.leaf == b"\x01\x01" + taken.entry + taken.other + own


def another(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, UUID):
        return UUID(int=value.int ^ 1)
    if isinstance(value, date):
        return date.fromordinal(value.toordinal() ^ 1) if value.toordinal() > 1 else date(2, 1, 1)
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, str):
        return value + "x"
    return 1 if value is None else value ^ 1


@given(entries, salts)
def test_every_field_of_an_entry_counts(entry: EntryFacts, salt: bytes) -> None:
    own = leaves.entry_hash(salt, entry)
    changed = [leaves.entry_hash(salt, entry._replace(**{name: another(value)})) for name, value in entry._asdict().items()]
    assert len({own, leaves.entry_hash(another(salt), entry), *changed}) == len(EntryFacts._fields) + 2


@given(sides, salts)
def test_every_field_of_a_side_counts(side: SideFacts, salt: bytes) -> None:
    own = leaves.side_hash(salt, side)
    changed = [leaves.side_hash(salt, side._replace(**{name: another(value)})) for name, value in side._asdict().items()]
    assert len({own, leaves.side_hash(another(salt), side), *changed}) == len(SideFacts._fields) + 2


@given(served, salts)
def test_every_field_of_hours_counts(hours: HoursFacts, salt: bytes) -> None:
    own = leaves.hours_hash(salt, hours)
    changed = [leaves.hours_hash(salt, hours._replace(**{name: another(value)})) for name, value in hours._asdict().items()]
    assert len({own, leaves.hours_hash(another(salt), hours), *changed}) == len(HoursFacts._fields) + 2


@given(openings, openings)
def test_no_two_openings_open_one_leaf(one: Opening | HoursOpening, other: Opening | HoursOpening) -> None:
    assert (one.leaf == other.leaf) == (one == other)


@given(some.binary(min_size=16, max_size=16))
def test_an_entry_a_side_and_a_leaf_never_have_the_same_hash(salt: bytes) -> None:
    written = leaves.written(SIDE)
    assert len({sha256(first + salt + written).digest() for first in (b"\x00", b"\x01", b"\x10", b"\x11", b"\x12")}) == 5


def test_a_check_word_is_the_first_thirty_bits_of_the_side() -> None:
    assert leaves.check_word(bytes.fromhex("08864298") + b"\xff" * 28) == "123-456"
    assert leaves.check_word(b"\x00" * 32) == "000-000"
    assert leaves.check_word(b"\xff" * 32) == "ZZZ-ZZZ"
    assert OPENING.word == leaves.check_word(leaves.side_hash(OPENING.salt, SIDE))


@given(hashes)
def test_a_check_word_has_no_letters_that_look_alike(side: bytes) -> None:
    word = leaves.check_word(side)
    assert len(word) == 7
    assert word[3] == "-"
    assert not set(word) & set("ILOU")


@given(sides, salts)
def test_a_line_told_otherwise_has_another_check_word(side: SideFacts, salt: bytes) -> None:
    word = leaves.check_word(leaves.side_hash(salt, side))
    assert word != leaves.check_word(leaves.side_hash(salt, side._replace(amount=side.amount + 1)))
