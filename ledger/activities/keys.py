"""What of activities the master key itself seals: the keys behind the codes at their venues."""

from __future__ import annotations

from ledger.activities import actions
from ledger.activities.model import Activity
from ledger.people import SealedPart


def sealed_parts() -> list[SealedPart]:
    """Return what is sealed anew where the master key is changed."""
    return [SealedPart(Activity, "venue_key", ("id",), actions.context)]
