"""What redemptions keeps of somebody, told to themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.people import Vault
from redeem.redemptions import queries

#: As many as nobody has: an export is everything.
_ALL = 1_000_000
_REDEMPTION = (
    "id",
    "state",
    "way",
    "unit_name",
    "till_name",
    "offer_title",
    "quantity",
    "points",
    "cash_fen",
    "opened_at",
    "posted_at",
    "voided",
)


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what somebody paid for with points, or was asked to."""
    found = queries.of_person(session, book_id, at, person_id, limit=_ALL)
    return {"redemptions": [{name: getattr(row, name) for name in _REDEMPTION} for row in found]}
