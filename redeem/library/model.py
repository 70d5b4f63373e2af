"""The resource library: units in three colours and the resources they give."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args
from redeem.library.rules import COLOURS
from redeem.library.rules import RESOURCE_KINDS


class Unit(Base):
    """A member of the alliance. The shops are white units."""

    __tablename__ = "unit"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        UniqueConstraint("book_id", "name"),
        one_of("colour", *COLOURS),
        one_of("status", "active", "left"),
        changes=("address", "phone", "open_hours"),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    colour: Mapped[str]
    area_code: Mapped[str]
    address: Mapped[str]
    status: Mapped[str]
    #: What customers call, and when it is open, in its own words.
    phone: Mapped[str] = mapped_column(default="")
    open_hours: Mapped[str] = mapped_column(default="")


class Resource(Base):
    """Something a unit gives: a room, a skill, goods, a service."""

    __tablename__ = "resource"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "unit_id"], ["unit.book_id", "unit.id"]),
        one_of("kind", *RESOURCE_KINDS),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID]
    kind: Mapped[str]
    title: Mapped[str]
