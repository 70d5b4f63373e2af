"""Sealing and opening personal data: every person has a key of their own, and the master key wraps it.

ChaCha20-Poly1305 with a random nonce before each text; what is sealed is bound to its place, so that a sealed field put in another
person's row does not open. Without the person's key the person is erased.
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

    def __repr__(self) -> str:
        return "Vault(...)"

    @property
    def master_key_id(self) -> str:
        """Return which master key this is, without telling it."""
        return hashlib.sha256(b"master-key-id" + self.master_key).hexdigest()[:16]

    def seal(self, context: str, secret: bytes) -> bytes:
        """Return `secret` sealed with the master key; it opens only with the same `context`."""
        return _seal(self.master_key, context, secret)

    def open(self, context: str, sealed: bytes) -> bytes:
        """Return what was sealed with the master key under `context`."""
        return _open(self.master_key, context, sealed)

    def new_key(self, book_id: UUID, person_id: UUID) -> tuple[bytes, bytes]:
        """Return a new key for a person, and the same wrapped, as it is kept."""
        key = secrets.token_bytes(KEY_LENGTH)
        return key, self.seal(f"{book_id}|{person_id}|key", key)

    def unwrap(self, book_id: UUID, person_id: UUID, wrapped: bytes) -> bytes:
        """Return a person's key from its wrapped form."""
        return self.open(f"{book_id}|{person_id}|key", wrapped)

    def hashed(self, book_id: UUID, field: str, value: str) -> bytes:
        """Return the peppered hash by which the same value can be found again in the same book."""
        return hmac.digest(self.pepper, f"{book_id}|{field}|{value}".encode(), "sha256")


def seal_field(key: bytes, book_id: UUID, person_id: UUID, field: str, text: str) -> bytes:
    """Return a personal field sealed with the person's key."""
    return _seal(key, f"{book_id}|{person_id}|{field}", text.encode())


def open_field(key: bytes, book_id: UUID, person_id: UUID, field: str, sealed: bytes) -> str:
    """Return a personal field from its sealed form."""
    return _open(key, f"{book_id}|{person_id}|{field}", sealed).decode()


def _seal(key: bytes, context: str, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_LENGTH)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, context.encode())


def _open(key: bytes, context: str, sealed: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], context.encode())
    except (InvalidTag, ValueError) as problem:
        raise VaultError from problem
