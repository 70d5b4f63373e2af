"""A proof as bytes for paper says what the proof says, exactly, and fits into one code at a million lines."""

from __future__ import annotations

import dataclasses
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ledger.seal.leaves import HoursFacts
from ledger.seal.leaves import HoursOpening
from ledger.seal.leaves import Opening
from ledger.seal.leaves import SideFacts
from ledger.seal.merkle import inclusion_ranges
from ledger.seal.notes import Head
from ledger.seal.notes import Note
from ledger.seal.notes import Proof
from ledger.seal.notes import Signature
from ledger.seal.packed import CODE_BYTES_MAX
from ledger.seal.packed import for_paper
from ledger.seal.packed import packed
from ledger.seal.packed import proof_of_packed
from ledger.web.kit import qr
from tests.journeys import pictures

#: Modules on a side of a code of version 27.
VERSION_27 = 4 * 27 + 17
ORIGIN = "passbook.example.org/log/1"

hashes = some.binary(min_size=32, max_size=32)
names = some.text("abcdefghijklmnopqrstuvwxyz0123456789./-", min_size=1, max_size=40)
moments = some.integers(0, 2**52)


@some.composite
def served(draw: some.DrawFn) -> HoursOpening:
    credit, honour = draw(some.integers(0, 10**9)), draw(some.integers(0, 10**9))
    hours = HoursFacts(
        draw(some.uuids()), draw(some.uuids()), draw(some.integers(1, 10**9)), draw(some.sampled_from(("credit", "honour"))),
        draw(some.integers(1, 10**6)), draw(some.dates(date(2000, 1, 1))), draw(moments), credit, honour, draw(some.none() | hashes),
    )  # fmt: skip
    return HoursOpening(hours, draw(some.binary(min_size=16, max_size=16)))


@some.composite
def openings(draw: some.DrawFn) -> Opening:
    lined = draw(some.booleans())
    number, before = draw(some.integers(1, 10**9)), draw(some.integers(0, 10**12))
    amount = draw(some.integers(-(10**12), 10**12))
    side = SideFacts(
        UUID(bytes=draw(some.binary(min_size=16, max_size=16))), number, amount,
        before if lined else None, before + amount if lined else None,
        draw(some.sampled_from(("award", "redemption", "gift"))), draw(some.dates(date(2000, 1, 1))), draw(moments),
        draw(some.none() | hashes),
    )  # fmt: skip
    return Opening(side, draw(some.binary(min_size=16, max_size=16)), draw(hashes), draw(hashes))


@some.composite
def proofs(draw: some.DrawFn) -> Proof:
    size = draw(some.integers(1, 2**40))
    index = draw(some.integers(0, size - 1))
    head = Head(draw(names), size, draw(hashes))
    ids = some.binary(min_size=4, max_size=4)
    signed = some.builds(Signature, some.just(head.origin), ids, some.binary(min_size=64, max_size=64))
    cosigned = some.builds(Signature, names, ids, some.binary(min_size=72, max_size=72))
    signatures = (*draw(some.lists(signed, min_size=1, max_size=2)), *draw(some.lists(cosigned, max_size=4)))
    path = tuple(draw(hashes) for _ in inclusion_ranges(index, size))
    return Proof(index, path, Note(str(head), signatures), draw(openings() | served()).packed())


def a_proof(size: int, witnesses: int) -> Proof:
    """A proof of the first of so many lines, with names as long as they are."""
    head = Head(ORIGIN, size, b"\x07" * 32)
    side = SideFacts(UUID(int=7), 1_204, -1_250, 12_800, 11_550, "redemption", date(2026, 11, 26), 1_795_000_000_000_000, b"\x08" * 32)
    opening = Opening(side, b"\x01" * 16, b"\x02" * 32, b"\x03" * 32)
    own = Signature(ORIGIN, b"abcd", b"\x04" * 64)
    others = [Signature(f"witness{number}.example.org", b"efgh", b"\x05" * 72) for number in range(witnesses)]
    path = tuple(bytes([step]) * 32 for step, _ in enumerate(inclusion_ranges(0, size)))
    return Proof(0, path, Note(str(head), (own, *others)), opening.packed())


@given(proofs())
def test_what_is_packed_is_read_again_exactly(proof: Proof) -> None:
    assert proof_of_packed(packed(proof)) == proof


@given(proofs(), some.data())
def test_a_changed_byte_is_refused_or_says_something_else(proof: Proof, data: some.DataObject) -> None:
    changed = bytearray(packed(proof))
    changed[data.draw(some.integers(0, len(changed) - 1))] ^= data.draw(some.integers(1, 255))
    try:
        read = proof_of_packed(bytes(changed))
    except ValueError:
        return
    assert read != proof
    assert packed(read) == changed


@given(proofs(), some.data())
def test_what_ends_early_or_goes_on_is_refused(proof: Proof, data: some.DataObject) -> None:
    whole = packed(proof)
    with pytest.raises(ValueError):
        proof_of_packed(whole[: data.draw(some.integers(0, len(whole) - 1))])
    with pytest.raises(ValueError):
        proof_of_packed(whole + data.draw(some.binary(min_size=1, max_size=40)))


@given(some.binary(max_size=400))
def test_other_bytes_are_refused(noise: bytes) -> None:
    with pytest.raises(ValueError):
        proof_of_packed(noise)


def test_the_name_of_the_log_is_written_once() -> None:
    whole = packed(a_proof(1_000, 1))
    told = len(ORIGIN).to_bytes(1) + ORIGIN.encode()
    assert whole.count(ORIGIN.encode()) == 1
    with pytest.raises(ValueError):
        proof_of_packed(whole.replace(b"\x00abcd", told + b"abcd"))


@pytest.mark.parametrize("size", [1, 1_000_000, 2**21])
def test_a_proof_with_a_witness_fits_into_one_code_of_version_27(size: int) -> None:
    data = for_paper(a_proof(size, 1))
    assert len(data) <= CODE_BYTES_MAX
    assert len(qr.matrix(data)) <= VERSION_27
    assert proof_of_packed(data) == a_proof(size, 1)


def test_where_there_is_no_room_for_all_witnesses_the_first_are_on_the_paper() -> None:
    whole = a_proof(1_000_000, 9)
    short = proof_of_packed(for_paper(whole))
    count = len(short.checkpoint.signatures)
    assert 2 <= count < 10
    assert short == dataclasses.replace(whole, checkpoint=Note(whole.checkpoint.body, whole.checkpoint.signatures[:count]))
    assert len(for_paper(a_proof(2**30, 1))) > CODE_BYTES_MAX


def test_a_proof_of_a_log_without_witnesses_goes_on_paper_too() -> None:
    assert proof_of_packed(for_paper(a_proof(10, 0))) == a_proof(10, 0)


def test_a_camera_reads_the_very_bytes() -> None:
    data = for_paper(a_proof(1_000_000, 1))
    (found,) = pictures.codes_in(pictures.of(data))
    assert found.bytes == data


def test_a_checkpoint_that_says_more_and_a_path_of_another_length_are_not_packed() -> None:
    proof = a_proof(1_000, 1)
    extended = Note(proof.checkpoint.body + "more\n", proof.checkpoint.signatures)
    for other in (
        dataclasses.replace(proof, checkpoint=extended),
        dataclasses.replace(proof, path=proof.path[1:]),
        dataclasses.replace(proof, extra=None),
    ):
        with pytest.raises(ValueError):
            packed(other)
