"""The keys behind rotating pay codes, and the steps that were spent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args
from redeem.codes.rules import KINDS


class PayDevice(Base):
    """Something that draws pay codes for a person: a phone, this service in its stead, or a slip of paper. Its key is sealed at rest."""

    __tablename__ = "pay_device"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_pay_device_person", "book_id", "person_id"),
        one_of("kind", *KINDS),
        CheckConstraint("(kind = 'slip') = (expires_at IS NOT NULL AND points_max IS NOT NULL)", name="slip_has_bounds"),
        CheckConstraint("(kind = 'phone') = (session_id IS NOT NULL)", name="phone_has_session"),
        changes=("sealed_key", "revoked_at"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    sealed_key: Mapped[bytes]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    #: "service" draws where no phone can; "phone" draws without a network; "slip" shows one code, on paper.
    kind: Mapped[str] = mapped_column(default="service")
    #: Of a slip: until when, and for how many points at most.
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    points_max: Mapped[int | None] = mapped_column(default=None)
    #: Of a phone: the sign-in in which it was given its key, and with which the key ends.
    session_id: Mapped[UUID | None] = mapped_column(default=None)


class SpentStep(Base):
    """A step of a device's code that a posted or pending redemption has used up; the key lets it be used once."""

    __tablename__ = "spent_step"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id", "device_id"], ["pay_device.book_id", "pay_device.id"]), append_only=True)

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Unix time divided by 30.
    step: Mapped[int] = mapped_column(primary_key=True)
    redemption_id: Mapped[UUID]
    spent_at: Mapped[datetime]
