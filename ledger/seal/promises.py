"""The promise that is given at once for a line that waits to be sealed: a signed note of what it says, and by when it is sealed. Pure.

The service signs it itself, by a key of its own: the key of the log is not in its hands. A line that is promised and that the log does not
have by then, or has otherwise, is proof against the service.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.seal.leaves import SideFacts
from ledger.seal.notes import ED25519
from ledger.seal.notes import Note
from ledger.seal.notes import Signer

PROMISE = "passbook-promise/v1"
#: A line is sealed so long after it was posted, at the latest.
SEALED_WITHIN = timedelta(days=1)


def promiser(secret_key: bytes, name: str) -> Signer:
    """Return who signs promises: a key that follows from the service's secret key, under this name."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"passbook promise").derive(secret_key)
    return Signer(name, ED25519, Ed25519PrivateKey.from_private_bytes(derived))


def promise(signer: Signer, origin: str, side: SideFacts) -> Note:
    """Promise that the log called `origin` will have a line that says this; the hash of the side before it may not be known yet."""
    told = {
        "log": origin,
        "account": side.account,
        "line": side.number,
        "amount": side.amount,
        "before": side.before,
        "after": side.after,
        "kind": side.kind,
        "deed": side.deed_on.isoformat(),
        "posted": side.posted_at,
        "sealed-by": side.posted_at + SEALED_WITHIN // timedelta(microseconds=1),
    }
    body = "".join(f"{line}\n" for line in (PROMISE, *(f"{name} {value}" for name, value in told.items())))
    return Note(body, (signer.sign(body),))
