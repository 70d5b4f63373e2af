"""Categories, rates with their dates, and caps: data, not code."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.points import POINTS_MAX
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args
from ledger.tariff.rules import PERIODS
from ledger.tariff.rules import UNITS


class Category(Base):
    """A kind of deed: the seven of the Dingshan model plus patrol, to begin with."""

    __tablename__ = "category"
    __table_args__ = table_args(
        # Nothing of a category changes: PostgreSQL locks rows only for whoever may change a column.
        changes=("rank",),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    #: The order on the screen.
    rank: Mapped[int]
    #: Always wants two approvers, however small ("outstanding contribution").
    always_two: Mapped[bool] = mapped_column(default=False)
    #: Told without a text: of a mediation there are the mediator and the place, never the parties.
    without_text: Mapped[bool] = mapped_column(default=False)


class Rate(Base):
    """What one deed is worth, from one day to another (both included). A new price is a new row; an old one stays."""

    __tablename__ = "rate"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "category"], ["category.book_id", "category.code"]),
        one_of("unit", *UNITS),
        CheckConstraint(f"points BETWEEN 1 AND {POINTS_MAX}", name="points_range"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
        Index("ix_rate_deed", "book_id", "deed", "valid_from", unique=True),
        changes=("valid_to",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    category: Mapped[str]
    #: A code that stays the same while the price changes, for example "evening_patrol".
    deed: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    #: "hour", "deed" or "activity": what the points are for.
    unit: Mapped[str]
    points: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    #: Whoever reports it themselves shows a photo of it.
    with_photo: Mapped[bool] = mapped_column(default=False)


class Cap(Base):
    """The most that a person, or a team as one, can earn in a period: of one category, one deed, or of everything."""

    __tablename__ = "cap"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "category"], ["category.book_id", "category.code"]),
        one_of("period", *PERIODS),
        one_of("measure", "points", "minutes", "deeds"),
        CheckConstraint("most >= 0", name="most_range"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
        changes=("valid_to",),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: One category, or every one.
    category: Mapped[str | None]
    #: One deed, or every one.
    deed: Mapped[str | None]
    #: "day", "month", "year" or "activity"; where a claim names no activity, the same deed on the same day is taken for one.
    period: Mapped[str]
    #: What is counted.
    measure: Mapped[str]
    most: Mapped[int]
    #: Does not count what was attested by check-in and check-out.
    unless_checked_in: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
