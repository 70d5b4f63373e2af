"""What can be had for points, and what there is of it."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.points import POINTS_MAX
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Offer(Base):
    """Goods or a service with its price: points, and the cash beside them where it is part points, part cash."""

    __tablename__ = "offer"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "unit_id"], ["unit.book_id", "unit.id"]),
        CheckConstraint(f"points BETWEEN 1 AND {POINTS_MAX}", name="points_range"),
        CheckConstraint("cash_fen BETWEEN 0 AND 100000000", name="cash_range"),
        CheckConstraint("limit_per_person IS NULL OR limit_per_person >= 1", name="limit_range"),
        one_of("limit_period", "day", "month", "year", nullable=True),
        CheckConstraint("(limit_per_person IS NULL) = (limit_period IS NULL)", name="limit_has_a_period"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
        Index("ix_offer_unit", "book_id", "unit_id"),
        changes=("valid_to",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    title: Mapped[str]
    points: Mapped[int]
    #: Hundredths of a yuan, paid in cash beside the points.
    cash_fen: Mapped[int]
    limit_per_person: Mapped[int | None]
    limit_period: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Stock(Base):
    """How many of an offer there are; an offer without a row here never runs out."""

    __tablename__ = "stock"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "offer_id"], ["offer.book_id", "offer.id"]),
        CheckConstraint("on_hand >= 0 AND movements >= 0", name="never_below_zero"),
        changes=("on_hand", "movements"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[int]
    movements: Mapped[int]


class StockMovement(Base):
    """One change of a stock, numbered without a gap."""

    __tablename__ = "stock_movement"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "offer_id"], ["stock.book_id", "stock.offer_id"]),
        one_of("kind", "delivered", "redeemed", "voided", "counted"),
        CheckConstraint("before + quantity = after AND before >= 0 AND after >= 0 AND quantity <> 0", name="adds_up"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    quantity: Mapped[int]
    before: Mapped[int]
    after: Mapped[int]
    #: The redemption or void it belongs to.
    reference: Mapped[UUID | None]
    actor: Mapped[UUID]
    moved_at: Mapped[datetime]
