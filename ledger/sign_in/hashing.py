"""Passwords and PINs: hashed with Argon2id, the hash sealed by the master key, and never more than two at a time.

19 MiB and two passes are what OWASP's cheat sheet and ASVS 5.0 appendix C ask for; a third hash at the same time would starve the tills.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from uuid import UUID

from argon2 import PasswordHasher
from argon2 import Type
from argon2.exceptions import InvalidHashError
from argon2.exceptions import VerifyMismatchError

from ledger.errors import Unavailable
from ledger.people.vault import Vault

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
_TWO_AT_A_TIME = BoundedSemaphore(2)
#: Whoever has waited so long is told to come again: a queue that grows would keep every thread of the service waiting.
WAITS_MAX_S = 2.0


@contextmanager
def turn() -> Iterator[None]:
    """Wait for one's turn to hash; raise Unavailable where it does not come soon."""
    if not _TWO_AT_A_TIME.acquire(timeout=WAITS_MAX_S):
        raise Unavailable
    try:
        yield
    finally:
        _TWO_AT_A_TIME.release()


def context(book_id: UUID, person_id: UUID, kind: str) -> str:
    """Return what the hash of a password or PIN is sealed to: its own place."""
    return f"{book_id}|{person_id}|secret|{kind}"


def hashed(vault: Vault, book_id: UUID, person_id: UUID, kind: str, secret: str) -> bytes:
    """Return what is kept of a password or PIN."""
    with turn():
        found = _HASHER.hash(_fed(secret))
    return vault.seal(context(book_id, person_id, kind), found.encode())


def matches(vault: Vault, book_id: UUID, person_id: UUID, kind: str, kept: bytes, secret: str) -> bool:
    """Tell whether `secret` is the one of which `kept` was made."""
    found = vault.open(context(book_id, person_id, kind), kept).decode()
    with turn():
        return _verifies(found, secret)


def match_nothing(secret: str) -> None:
    """Take as long as `matches` does, for somebody who is not there."""
    with turn():
        _verifies(_NOBODYS, secret)


def _verifies(found: str, secret: str) -> bool:
    try:
        return _HASHER.verify(found, _fed(secret))
    except (VerifyMismatchError, InvalidHashError):
        return False


def _fed(secret: str) -> bytes:
    # However long a password is, the hash is fed with 32 bytes of it: nothing is cut off, and nobody makes it slow.
    return hashlib.sha256(secret.encode()).digest()


_NOBODYS = _HASHER.hash(b"nobody's")
