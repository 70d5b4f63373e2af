"""The door of the audit log: every act that changed something, and every refusal."""

from __future__ import annotations

from ledger.audit.actions import record
from ledger.audit.queries import Wanted
from ledger.audit.queries import done_about
from ledger.audit.queries import records
from ledger.audit.rules import DONE
from ledger.audit.rules import Entry
from ledger.audit.rules import network_of

__all__ = [
    "DONE",
    "Entry",
    "Wanted",
    "done_about",
    "network_of",
    "record",
    "records",
]
