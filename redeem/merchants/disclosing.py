"""What shops keep of somebody, told to themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.people import Vault
from redeem import library
from redeem.merchants.model import ShopStaff


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return in which shops somebody works or worked."""
    unit = library.Unit
    wanted = (
        select(unit.name, ShopStaff.role, ShopStaff.starts_on, ShopStaff.ends_on)
        .join(unit, and_(unit.book_id == ShopStaff.book_id, unit.id == ShopStaff.unit_id))
        .where(ShopStaff.book_id == book_id, ShopStaff.person_id == person_id)
        .order_by(ShopStaff.starts_on, ShopStaff.id)
    )
    return {"shop_work": [dict(row) for row in session.execute(wanted).mappings()]}
