"""Sealing and opening personal data: every person has a key of their own, and the master key wraps it.

ChaCha20-Poly1305 with a random nonce before each text; what is sealed is bound to its place, so that a sealed field put in another
person's row does not open. Without the person's key the person is erased. While the master key or the pepper is being changed, the one
before it opens and finds what is there; nothing new is made with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from ledger.errors import DomainError
from ledger.settings import Settings

KEY_LENGTH = 32
NONCE_LENGTH = 12


class VaultError(DomainError):
    """What is sealed does not open: another master key, or the row was tampered with."""

    code = "vault-cannot-open"


@dataclass(frozen=True, repr=False)
class Vault:
    """The master key, and the pepper of the hashes by which people are found; made once at start."""

    master_key: bytes
    pepper: bytes
    #: Those before, until everything is under the new ones.
    old_master_key: bytes | None = None
    old_pepper: bytes | None = None

    @classmethod
    def of(cls, settings: Settings) -> Vault:
        """Return the vault with the keys of `settings`."""
        return cls(settings.master_key, settings.pepper, settings.master_key_old, settings.pepper_old)

    def __repr__(self) -> str:
        return "Vault(...)"

    @property
    def master_key_id(self) -> str:
        """Return which master key this is, without telling it."""
        return key_id(self.master_key)

    @property
    def old_master_key_id(self) -> str | None:
        """Return which master key was there before, where one is given."""
        return key_id(self.old_master_key) if self.old_master_key else None

    def seal(self, context: str, secret: bytes) -> bytes:
        """Return `secret` sealed with the master key; it opens only with the same `context`."""
        return _seal(self.master_key, context, secret)

    def open(self, context: str, sealed: bytes) -> bytes:
        """Return what was sealed with the master key, or with the one before it, under `context`."""
        try:
            return _open(self.master_key, context, sealed)
        except VaultError:
            if not self.old_master_key:
                raise
            return _open(self.old_master_key, context, sealed)

    def sealed_by(self, context: str, sealed: bytes) -> str | None:
        """Return the id of the master key, today's or the one before, that opens what is sealed; None where neither does."""
        for key in (self.master_key, self.old_master_key):
            try:
                if key:
                    _open(key, context, sealed)
                    return key_id(key)
            except VaultError:
                continue
        return None

    def new_key(self, book_id: UUID, person_id: UUID) -> tuple[bytes, bytes]:
        """Return a new key for a person, and the same wrapped, as it is kept."""
        key = secrets.token_bytes(KEY_LENGTH)
        return key, self.seal(key_context(book_id, person_id), key)

    def unwrap(self, book_id: UUID, person_id: UUID, wrapped: bytes) -> bytes:
        """Return a person's key from its wrapped form."""
        return self.open(key_context(book_id, person_id), wrapped)

    def hashed(self, book_id: UUID, field: str, value: str) -> bytes:
        """Return the peppered hash by which the same value can be found again in the same book."""
        return self.hashes(book_id, field, value)[0]

    def hashes(self, book_id: UUID, field: str, value: str) -> tuple[bytes, ...]:
        """Return every hash under which the same value may be kept: today's first, then the one under the pepper before."""
        peppers = (self.pepper, self.old_pepper) if self.old_pepper else (self.pepper,)
        return tuple(hmac.digest(pepper, f"{book_id}|{field}|{value}".encode(), "sha256") for pepper in peppers)


def key_context(book_id: UUID, person_id: UUID) -> str:
    """Return what a person's key is wrapped for: its own place."""
    return f"{book_id}|{person_id}|key"


def key_id(key: bytes) -> str:
    """Return which master key `key` is, without telling it."""
    return hashlib.sha256(b"master-key-id" + key).hexdigest()[:16]


def seal_field(key: bytes, book_id: UUID, person_id: UUID, field: str, text: str) -> bytes:
    """Return a personal field sealed with the person's key."""
    return _seal(key, f"{book_id}|{person_id}|{field}", text.encode())


def open_field(key: bytes, book_id: UUID, person_id: UUID, field: str, sealed: bytes) -> str:
    """Return a personal field from its sealed form."""
    return _open(key, f"{book_id}|{person_id}|{field}", sealed).decode()


def seal_bytes(key: bytes, book_id: UUID, person_id: UUID, field: str, content: bytes) -> bytes:
    """Return what is no text, as a picture, sealed with the person's key."""
    return _seal(key, f"{book_id}|{person_id}|{field}", content)


def open_bytes(key: bytes, book_id: UUID, person_id: UUID, field: str, sealed: bytes) -> bytes:
    """Return what is no text from its sealed form."""
    return _open(key, f"{book_id}|{person_id}|{field}", sealed)


def _seal(key: bytes, context: str, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_LENGTH)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, context.encode())


def _open(key: bytes, context: str, sealed: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], context.encode())
    except (InvalidTag, ValueError) as problem:
        raise VaultError from problem
