"""Signed notes, checkpoints, cosignatures and proofs as C2SP writes them down. Pure: keys come in, text goes out.

https://c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature (Ed25519, `cosignature/v1`) and tlog-proof. What cannot be read raises
`NoteError`; a signature by a key that is not asked about is passed over, and one by a key that is, and does not hold, is an error.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.seal.merkle import HASH_BYTES

#: The kinds of key: what a log signs with, and what a witness cosigns with.
ED25519, COSIGNATURE = 0x01, 0x04
_DASH = "— "
_P = 2**255 - 19
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _P - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)
_SIZE_MAX = 2**63 - 1
#: A note with more is nothing that this project wrote.
_SIGNATURES_MAX = 64
_PROOF = "c2sp.org/tlog-proof@v1"
_CHANGE = "passbook-log-key/v1"


class NoteError(ValueError):
    """What was given is not a note, checkpoint, key or proof, or a signature of a known key does not hold."""


@dataclass(frozen=True)
class Key:
    """A public key with the name that it signs under."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """Return the key as a `vkey`."""
        return f"{self.name}+{self.id.hex()}+{_b64(bytes([self.kind]) + self.public)}"

    def holds(self, signature: bytes, body: str) -> bool:
        """Tell whether `signature` (without the key's id) is this key's over the note's text."""
        message = body.encode()
        if self.kind == COSIGNATURE:
            stamp, signature = int.from_bytes(signature[:8]), signature[8:]
            if stamp > _SIZE_MAX:
                return False
            message = _cosigned(stamp, body)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def key_of(vkey: str) -> Key:
    """Read a `vkey`: a name, the key's id and the key, joined by plus signs."""
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteError("a key has a name, an id and the key itself, joined by +")
    name, id_, encoded = parts
    material = _bytes(encoded)
    if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE):
        raise NoteError("only Ed25519 keys are known, of a log or of a witness")
    if _is_weak(material[1:]):
        raise NoteError("this key signs whatever anybody likes: it is a point of small order, or not written as RFC 8032 asks for")
    key = Key(_name(name), material[0], material[1:])
    if key.id.hex() != id_:
        raise NoteError("the key's id does not belong to it")
    return key


def _is_weak(public: bytes) -> bool:
    # RFC 8032, 5.1.3 takes only y below p; the points whose order divides 8 have five of them.
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    return y >= _P or y in _SMALL_ORDER


@dataclass(frozen=True)
class Signer:
    """A private key with its name, which signs notes (a log's) or cosigns checkpoints (a witness's)."""

    name: str
    kind: int
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def key(self) -> Key:
        """The public half."""
        return Key(_name(self.name), self.kind, self.private.public_key().public_bytes_raw())

    def sign(self, body: str, at_s: int | None = None) -> Signature:
        """Sign a note's text; a witness says when, in seconds since 1970."""
        if self.kind == ED25519:
            return Signature(self.name, self.key.id, self.private.sign(body.encode()))
        if at_s is None:
            raise ValueError("a cosignature says when")
        return Signature(self.name, self.key.id, at_s.to_bytes(8) + self.private.sign(_cosigned(at_s, body)))


@dataclass(frozen=True)
class Signature:
    """A line under a note: whose it is, and the signature."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        """Return the line without its end."""
        return f"{_DASH}{self.name} {_b64(self.key_id + self.value)}"

    def is_by(self, key: Key) -> bool:
        """Tell whether the line says that it is this key's."""
        return (self.name, self.key_id) == (key.name, key.id)


def signers_of(origin: str, secrets: Iterable[bytes]) -> list[Signer]:
    """Return who signs the log called `origin` with these private keys, 32 bytes each."""
    return [Signer(origin, ED25519, Ed25519PrivateKey.from_private_bytes(secret)) for secret in secrets]


def log_keys_of(origin: str, secrets: Iterable[bytes]) -> list[Key]:
    """Return the public halves of these private keys, as they sign the log called `origin`."""
    return [signer.key for signer in signers_of(origin, secrets)]


def signature_of(line: str) -> Signature:
    """Read a line under a note."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    value = _bytes(encoded)
    if not line.startswith(_DASH) or len(value) < 5:
        raise NoteError("a signature has a dash, a name and the signature in base64")
    return Signature(_name(name), value[:4], value[4:])


@dataclass(frozen=True)
class Note:
    """A text that ends with a new line, and the signatures under it."""

    body: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        """Return the note as it is written down."""
        return self.body + "\n" + "".join(f"{signature}\n" for signature in self.signatures)

    def signed_by(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of `keys` that signed; raise where a signature says that it is one of theirs and is not."""
        found = []
        for key in keys:
            own = [signature for signature in self.signatures if signature.is_by(key)]
            if not all(key.holds(signature.value, self.body) for signature in own):
                raise NoteError(f"a signature in the name of {key.name} does not hold")
            found += [key] if own else []
        return found

    def with_signatures(self, further: Iterable[Signature]) -> Note:
        """Return the note with more signatures under it, each once."""
        return Note(self.body, tuple(dict.fromkeys([*self.signatures, *further])))


def note_of(text: str) -> Note:
    """Read a note; its text may have empty lines, its signatures stand after the last one."""
    body, divider, below = text.rpartition("\n\n")
    if not divider or not below.endswith("\n") or any(ord(letter) < 0x20 and letter != "\n" for letter in text):
        raise NoteError("a note has a text, an empty line and signatures, each ending its line")
    lines = below[:-1].split("\n")
    if len(lines) > _SIGNATURES_MAX:
        raise NoteError("too many signatures")
    return Note(body + "\n", tuple(signature_of(line) for line in lines))


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: which log, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), _b64(self.root), *self.extensions))


def head_of(body: str) -> Head:
    """Read a checkpoint's text."""
    origin, size, root, *extensions = [*body.removesuffix("\n").split("\n"), "", ""][: max(3, body.count("\n"))]
    if not body.endswith("\n") or not origin or not all(extensions) or len(hashed := _bytes(root)) != HASH_BYTES:
        raise NoteError("a checkpoint has an origin, a size and a root of 32 bytes")
    return Head(origin, whole(size), hashed, tuple(extensions))


def whole(text: str) -> int:
    """Read a whole number as it is written in checkpoints: decimal, without leading zeroes."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19 or int(text) > _SIZE_MAX:
        raise NoteError("not a whole number")
    return int(text)


@dataclass(frozen=True)
class Change:
    """That a log changes its key: heads of more than `after` leaves are signed by `key`. The key before it signs this."""

    key: Key
    after: int

    def __str__(self) -> str:
        """Return the text that is signed."""
        return f"{_CHANGE}\n{self.key}\n{self.after}\n"


def change_of(body: str) -> Change:
    """Read the text of such a note."""
    lines = body.split("\n")
    if len(lines) != 4 or lines[0] != _CHANGE or lines[3]:
        raise NoteError("a change of keys has its kind, the new key and a size")
    return Change(key_of(lines[1]), whole(lines[2]))


@dataclass(frozen=True)
class LogKey:
    """A key of a log, and which heads it is good for: of more than `after` leaves, and up to `until` where another one followed."""

    key: Key
    after: int = 0
    until: int | None = None
    #: The word of the key before it, and whether there is one that leads back to the first key.
    note: Note | None = None
    is_vouched: bool = True

    def signs(self, size: int) -> bool:
        """Tell whether a head of so many leaves is this key's to sign."""
        return (not self.after or self.after < size) and (self.until is None or size <= self.until)


def followed(known: Iterable[LogKey], told: Iterable[LogKey]) -> list[LogKey]:
    """Return the keys that are known, and after them those that are told, each vouched for by one before it that nothing had followed.

    Where none is known, the first one that is told is taken for the log's. A key for which nobody vouches ends no other one.
    """
    found = list(known)
    for one in told:
        before = next((at for at, key in enumerate(found) if key.until is None and _vouches(key, one)), None)
        if before is not None:
            found[before] = replace(found[before], until=one.after)
        found.append(replace(one, is_vouched=not found or (before is not None and found[before].is_vouched)))
    return found


def _vouches(before: LogKey, one: LogKey) -> bool:
    if one.note is None or one.note.body != str(Change(one.key, one.after)) or one.after < before.after:
        return False
    try:
        return bool(one.note.signed_by([before.key]))
    except NoteError:
        return False


def signing(keys: Iterable[LogKey], size: int) -> list[Key]:
    """Return those of a log's keys that a head of so many leaves may be signed with: of which somebody says that they are the log's."""
    return [one.key for one in keys if one.is_vouched and one.signs(size)]


@dataclass(frozen=True)
class Proof:
    """A `tlog-proof`: a leaf's number, its path to the root, the checkpoint with that root, and what the leaf is made of."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None

    def __str__(self) -> str:
        """Return the proof as it is written down."""
        extra = [] if self.extra is None else [f"extra {_b64(self.extra)}"]
        lines = [_PROOF, *extra, f"index {self.index}", *map(_b64, self.path)]
        return "".join(f"{line}\n" for line in lines) + "\n" + str(self.checkpoint)


def proof_of(text: str) -> Proof:
    """Read a `tlog-proof`."""
    above, divider, below = text.partition("\n\n")
    first, *lines = above.split("\n")
    if first != _PROOF or not divider:
        raise NoteError("a proof begins with its kind and has an empty line before its checkpoint")
    extra = _bytes(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise NoteError("a proof says which leaf it is about")
    index, path = whole(lines[0].removeprefix("index ")), hashes_of(lines[1:])
    return Proof(index, tuple(path), note_of(below), extra)


def hashes_of(lines: Sequence[str]) -> list[bytes]:
    """Read hashes, one in each line; at most 63."""
    found = [_bytes(line) for line in lines]
    if len(found) > 63 or any(len(one) != HASH_BYTES for one in found):
        raise NoteError("a proof has at most 63 hashes of 32 bytes")
    return found


def hash_lines(hashes: Iterable[bytes]) -> str:
    """Return hashes as they are written down, each in a line of its own."""
    return "".join(f"{_b64(one)}\n" for one in hashes)


def origin_at(public_url: str, number: int) -> str:
    """Return what the log of a book is called where nothing else was settled: its address without the scheme, as C2SP has it."""
    return f"{public_url.partition('://')[2]}/log/{number}"


def origin_hash(origin: str) -> str:
    """Return the name under which a witness keeps a log: the SHA-256 of its origin in hexadecimal."""
    return sha256(origin.encode()).hexdigest()


def _cosigned(at_s: int, body: str) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{body}".encode()


def _name(name: str) -> str:
    if not name or "+" in name or any(letter.isspace() or not letter.isprintable() for letter in name):
        raise NoteError("a key's name is not empty and has neither spaces nor plus signs")
    return name


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(encoded: str) -> bytes:
    try:
        value = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as wrong:
        raise NoteError("not base64") from wrong
    # The last letter may carry bits that nothing stands for: one value is written in one way.
    if _b64(value) != encoded:
        raise NoteError("not base64 as it is written by anybody")
    return value
