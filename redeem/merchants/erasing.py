"""What ends with somebody who leaves for good: their work in shops."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from redeem.merchants.model import ShopStaff


def leaving() -> people.Leaving:
    """Return what shops have to do with somebody who leaves."""
    return people.Leaving(_end)


def _end(session: Session, act: Act, person_id: UUID) -> None:
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    yesterday = today - timedelta(days=1)
    held = (
        ShopStaff.book_id == act.book_id,
        ShopStaff.person_id == person_id,
        or_(ShopStaff.ends_on.is_(None), ShopStaff.ends_on >= today),
    )
    session.execute(update(ShopStaff).where(*held, ShopStaff.starts_on <= yesterday).values(ends_on=yesterday))
    session.execute(update(ShopStaff).where(*held, ShopStaff.starts_on > yesterday).values(ends_on=ShopStaff.starts_on))
