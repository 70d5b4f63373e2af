"""The tree of areas as published, the books that each operate a part of it, and each book's own copy with its grids."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.areas.rules import LEVELS
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class PublishedArea(Base):
    """One row of the national table, as published; global."""

    __tablename__ = "published_area"
    __table_args__ = table_args(
        one_of("level", *LEVELS[:5]),
        Index("ix_published_area_parent_code", "parent_code"),
        is_global=True,
        changes=("name", "level", "parent_code"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    level: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("published_area.code"))


class Book(Base):
    """A tenant: one operator's ledger over one subtree; its settings are rows, not code. Global."""

    __tablename__ = "book"
    __table_args__ = table_args(
        CheckConstraint("number BETWEEN 1 AND 99999", name="number_range"),
        CheckConstraint("approve_alone_points_max >= 0 AND notice_above_points >= 0", name="thresholds"),
        CheckConstraint("notice_days BETWEEN 0 AND 60 AND backdated_after_days BETWEEN 0 AND 366", name="days"),
        CheckConstraint("at_once_points_max >= 0 AND at_once_uses_max >= 0", name="at_once"),
        is_global=True,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: A short number that codes and links carry, so that looking one up touches one book.
    number: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str]
    #: The area at the root of this book's own tree.
    area_code: Mapped[str]
    #: IANA name, for example "Asia/Shanghai": in it days begin and years end.
    zone: Mapped[str]
    #: What a point is worth, in thousandths of a yuan: a guide, not a price.
    guide_value: Mapped[int] = mapped_column(default=100)
    #: The sum of a person's month up to which one approver is enough.
    approve_alone_points_max: Mapped[int] = mapped_column(default=200)
    #: An award above this many points is put on public notice before it is credited.
    notice_above_points: Mapped[int] = mapped_column(default=200)
    notice_days: Mapped[int] = mapped_column(default=7)
    #: A deed reported more than this many days later is back-dated and wants two approvers.
    backdated_after_days: Mapped[int] = mapped_column(default=7)
    #: A pay code passes at once up to this many points ...
    at_once_points_max: Mapped[int] = mapped_column(default=50)
    #: ... and this many times a day; beyond, the order waits for the volunteer's confirmation.
    at_once_uses_max: Mapped[int] = mapped_column(default=5)


class Area(Base):
    """A node of a book's own tree: its copy of the published subtree, and the grids below it."""

    __tablename__ = "area"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "parent_code"], ["area.book_id", "area.code"], name="fk_area_parent"),
        one_of("level", *LEVELS),
        one_of("kind", "comprehensive", "special", nullable=True),
        CheckConstraint("(level = 'grid') = (kind IS NOT NULL)", name="grids_have_a_kind"),
        Index("ix_area_path", "book_id", "path"),
        Index("ix_area_parent", "book_id", "parent_code"),
        changes=("phone",),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    #: The published code; a grid's is its parent's with a suffix of its own.
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    level: Mapped[str]
    #: Comprehensive 综合 or special 专属, for a grid.
    kind: Mapped[str | None]
    parent_code: Mapped[str | None]
    #: The codes from the book's root down to this node, each followed by "/" (see `rules.is_within`); compared byte by byte.
    path: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))
    #: Whom its residents call: the office's, never somebody's own.
    phone: Mapped[str] = mapped_column(default="")
