"""Redemptions from the order to the end, and their voids."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import UniqueConstraint
from sqlalchemy import text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.points import POINTS_MAX
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args
from redeem.redemptions.rules import STATES
from redeem.redemptions.rules import VOID_REASONS
from redeem.redemptions.rules import WAYS


class Redemption(Base):
    """Points asked for at a till: as an order that waits, or at once."""

    __tablename__ = "redemption"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "unit_id"], ["unit.book_id", "unit.id"]),
        ForeignKeyConstraint(["book_id", "till_id"], ["till.book_id", "till.id"]),
        ForeignKeyConstraint(["book_id", "cashier_id"], ["person.book_id", "person.id"], name="fk_redemption_cashier"),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        ForeignKeyConstraint(["book_id", "offer_id"], ["offer.book_id", "offer.id"]),
        one_of("state", *STATES),
        one_of("way", *WAYS),
        CheckConstraint(f"points BETWEEN 1 AND {POINTS_MAX}", name="points_range"),
        CheckConstraint("cash_fen >= 0 AND quantity >= 1", name="cash_and_quantity"),
        CheckConstraint("voided BETWEEN 0 AND points", name="voided_range"),
        CheckConstraint("(state = 'posted') = (entry_id IS NOT NULL)", name="posted_has_an_entry"),
        CheckConstraint("state NOT IN ('posted', 'pending') OR person_id IS NOT NULL", name="somebody_pays"),
        # An order code is looked up by its hash, and two orders never share one.
        UniqueConstraint("book_id", "order_hash"),
        # Six digits are few: no two orders that are open have the same, and a number is free again once its order is not.
        Index(
            "ux_redemption_order_number",
            "book_id",
            "order_number",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_redemption_unit", "book_id", "unit_id", "id"),
        Index("ix_redemption_unit_posted", "book_id", "unit_id", "posted_at"),
        Index("ix_redemption_person", "book_id", "person_id", "opened_at"),
        changes=("state", "person_id", "posted_at", "entry_id", "voided"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    way: Mapped[str]
    unit_id: Mapped[UUID]
    till_id: Mapped[UUID]
    cashier_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
    quantity: Mapped[int]
    points: Mapped[int]
    cash_fen: Mapped[int]
    order_hash: Mapped[bytes | None]
    #: For typing, of an order code.
    order_number: Mapped[str | None]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    posted_at: Mapped[datetime | None]
    entry_id: Mapped[UUID | None]
    #: Points taken back so far.
    voided: Mapped[int] = mapped_column(default=0)


class Void(Base):
    """Points of a redemption given back, in part or in whole."""

    __tablename__ = "void"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "redemption_id"], ["redemption.book_id", "redemption.id"]),
        one_of("reason", *VOID_REASONS),
        CheckConstraint(f"points BETWEEN 1 AND {POINTS_MAX}", name="points_range"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    points: Mapped[int]
    entry_id: Mapped[UUID]
    actor: Mapped[UUID]
    reason: Mapped[str]
    voided_at: Mapped[datetime]
