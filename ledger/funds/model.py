"""Funds: where points come from. What a fund has left stands in the journal, in its account."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.store import Base
from ledger.store import table_args


class Fund(Base):
    """A named, dated budget of points for an area and below it."""

    __tablename__ = "fund"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        CheckConstraint("closes_on IS NULL OR closes_on >= opens_on", name="dates_in_order"),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    area_code: Mapped[str]
    opens_on: Mapped[date]
    closes_on: Mapped[date | None]
