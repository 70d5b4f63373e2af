"""What of sign-in the master key itself seals: the hashes of passwords and PINs, and the keys of one-time codes."""

from __future__ import annotations

from ledger.people import SealedPart
from ledger.sign_in import codes
from ledger.sign_in import hashing
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import Secret


def sealed_parts() -> list[SealedPart]:
    """Return what is sealed anew where the master key is changed."""
    secrets = SealedPart(Secret, "sealed_hash", ("person_id", "kind"), hashing.context)
    return [secrets, SealedPart(OneTimeKey, "sealed_key", ("person_id",), codes.context)]
