"""A proof as bytes, for one code on paper: the opening of a line, its path, the checkpoint, and who signed it. Pure.

    the sign 善 in UTF-8 and the format (1 byte), the opening (its length in 2 bytes), the leaf's number (6 bytes),
    the path (how many hashes in 1 byte, 32 bytes each), the origin (its length in 1 byte), the size (6 bytes), the root (32 bytes),
    the signatures (how many in 1 byte), each: whose (the name's length in 1 byte; 0 where it is the origin), the key's id (4 bytes), and
    the signature (its length in 1 byte)

At a million lines with one witness this is about 1,050 bytes. What is read is written in the one way there is, so that no byte of it says
nothing: whoever changes one changes what is checked.
"""

from __future__ import annotations

from dataclasses import replace

from ledger.seal import leaves
from ledger.seal import notes
from ledger.seal.merkle import HASH_BYTES
from ledger.seal.merkle import inclusion_ranges

MAGIC = "善".encode() + b"\x01"
#: What a code of version 27 holds at level M, as bytes.
CODE_BYTES_MAX = 1_125
_COUNT_BYTES = 6


def packed(proof: notes.Proof) -> bytes:
    """Return a proof as bytes; raise ValueError where it is not one of a line, or has what there is no room for."""
    head = notes.head_of(proof.checkpoint.body)
    if head.extensions or str(head) != proof.checkpoint.body:
        raise ValueError("a checkpoint with more than an origin, a size and a root")
    if len(proof.path) != len(inclusion_ranges(proof.index, head.size)):
        raise ValueError("a path of another length than leaf and tree have")
    opening = proof.extra or b""
    leaves.opening_of(opening)
    signed = [_told("" if one.name == head.origin else one.name) + one.key_id + _short(one.value) for one in proof.checkpoint.signatures]
    parts = (
        MAGIC, len(opening).to_bytes(2), opening, proof.index.to_bytes(_COUNT_BYTES), bytes([len(proof.path)]), *proof.path,
        _told(head.origin), head.size.to_bytes(_COUNT_BYTES), head.root, bytes([len(signed)]), *signed,
    )  # fmt: skip
    return b"".join(parts)


def for_paper(proof: notes.Proof, most: int = CODE_BYTES_MAX) -> bytes:
    """Return a proof as bytes with as many witnesses' signatures as one code has room for, and one of them in any case."""
    note = proof.checkpoint
    origin = notes.head_of(note.body).origin
    own = tuple(one for one in note.signatures if one.name == origin)
    others = tuple(one for one in note.signatures if one.name != origin)
    tried = (packed(replace(proof, checkpoint=notes.Note(note.body, own + others[:count]))) for count in range(len(others), 0, -1))
    fitting = next((one for one in tried if len(one) <= most), None)
    return fitting or packed(replace(proof, checkpoint=notes.Note(note.body, own + others[:1])))


def proof_of_packed(data: bytes) -> notes.Proof:
    """Read such bytes; raise ValueError where they are none, end early, go on, or are written in a way of which there is another."""
    reading = _Reading(data)
    if reading.take(len(MAGIC)) != MAGIC:
        raise ValueError("not a proof of format 1")
    opening, index = reading.take(reading.whole(2)), reading.whole(_COUNT_BYTES)
    path = tuple(reading.take(HASH_BYTES) for _ in range(reading.whole(1)))
    origin = reading.text()
    head = notes.Head(origin, reading.whole(_COUNT_BYTES), reading.take(HASH_BYTES))
    signatures = [
        notes.Signature(reading.text() or origin, reading.take(4), reading.take(reading.whole(1))) for _ in range(reading.whole(1))
    ]
    note = notes.Note(str(head), tuple(signatures))
    proof = notes.Proof(index, path, note, opening)
    if notes.note_of(str(note)) != note or packed(proof) != data:
        raise ValueError("written in a way of its own")
    return proof


def _told(text: str) -> bytes:
    return _short(text.encode())


def _short(value: bytes) -> bytes:
    return bytes([len(value)]) + value


class _Reading:
    """Bytes, read from the first to the last."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, length: int) -> bytes:
        found = self._data[self._at : self._at + length]
        if len(found) < length:
            raise ValueError("a proof that ends early")
        self._at += length
        return found

    def whole(self, length: int) -> int:
        return int.from_bytes(self.take(length))

    def text(self) -> str:
        return self.take(self.whole(1)).decode()
