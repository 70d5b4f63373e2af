"""The shops: their tills and the people who stand at them."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.people import SHOP_ROLES
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Till(Base):
    """A place in a shop where points are taken."""

    __tablename__ = "till"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "unit_id"], ["unit.book_id", "unit.id"]), one_of("status", "open", "closed")
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    name: Mapped[str]
    status: Mapped[str]


class ShopStaff(Base):
    """Somebody who works in a shop, as owner or cashier, from one day to another (both included)."""

    __tablename__ = "shop_staff"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "unit_id"], ["unit.book_id", "unit.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        one_of("role", *sorted(SHOP_ROLES)),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates_in_order"),
        Index("ix_shop_staff_person", "book_id", "person_id"),
        changes=("ends_on",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    person_id: Mapped[UUID]
    role: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class WrongTry(Base):
    """A code that was typed or scanned wrongly at a till: so many in so many minutes and the till has to wait."""

    __tablename__ = "wrong_try"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "till_id"], ["till.book_id", "till.id"]),
        Index("ix_wrong_try_till", "book_id", "till_id", "tried_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    till_id: Mapped[UUID]
    tried_at: Mapped[datetime]
