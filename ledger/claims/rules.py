"""The states of a claim, who may move it, and who may not."""

from __future__ import annotations

STATES = (
    "reported",
    "attested",
    "approved",
    "on_notice",
    "objected",
    "awaiting_funds",
    "credited",
    "returned",
    "refused",
    "withdrawn",
)
SOURCES = ("volunteer", "building_leader", "grid_worker", "activity", "import")
ACTS = ("report", "attest", "approve", "return", "refuse", "resubmit", "withdraw", "credit")
