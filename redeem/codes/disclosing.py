"""What pay codes keep of somebody, told to themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.people import Vault
from redeem.codes.model import PayDevice


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return the devices that draw somebody's pay codes, without their keys."""
    columns = (PayDevice.kind, PayDevice.created_at, PayDevice.revoked_at)
    wanted = select(*columns).where(PayDevice.book_id == book_id, PayDevice.person_id == person_id)
    return {"pay_devices": [dict(row) for row in session.execute(wanted.order_by(PayDevice.id)).mappings()]}
