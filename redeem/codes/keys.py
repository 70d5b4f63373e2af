"""What of pay codes the master key itself seals: the keys of the devices that draw them."""

from __future__ import annotations

from ledger.people import SealedPart
from redeem.codes import queries
from redeem.codes.model import PayDevice


def sealed_parts() -> list[SealedPart]:
    """Return what is sealed anew where the master key is changed."""
    return [SealedPart(PayDevice, "sealed_key", ("id",), queries.context)]
