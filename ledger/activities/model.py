"""Activities, sign-ups, attendances, and the hours that come of them."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Activity(Base):
    """Something to take part in: a place, a time, so many places, one deed of the tariff. A shift of a patrol is one too."""

    __tablename__ = "activity"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        ForeignKeyConstraint(["book_id", "host_id"], ["person.book_id", "person.id"], name="fk_activity_host"),
        CheckConstraint("ends_at > starts_at", name="times_in_order"),
        CheckConstraint("capacity BETWEEN 1 AND 100000", name="capacity_range"),
        one_of("status", "open", "cancelled"),
        Index("ix_activity_starts_at", "book_id", "starts_at"),
        Index("ix_activity_area", "book_id", "area_code", "starts_at"),
        changes=("venue_key",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[str]
    #: The deed of the tariff that it counts as.
    deed: Mapped[str]
    title: Mapped[str]
    place: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    host_id: Mapped[UUID]
    status: Mapped[str]
    #: The secret behind the rotating venue code, sealed with the master key.
    venue_key: Mapped[bytes]


class SignUp(Base):
    """Somebody who means to come."""

    __tablename__ = "sign_up"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "activity_id"], ["activity.book_id", "activity.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_sign_up_person", "book_id", "person_id"),
        deletable=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    signed_up_at: Mapped[datetime]


class Attendance(Base):
    """Somebody who came: checked in, and checked out."""

    __tablename__ = "attendance"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "activity_id"], ["activity.book_id", "activity.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        CheckConstraint("out_at IS NULL OR out_at >= in_at", name="times_in_order"),
        CheckConstraint("(out_at IS NULL) = (minutes IS NULL)", name="counted_when_over"),
        one_of("in_by", "venue_code", "host"),
        # "nobody": whoever did not check out and was seen elsewhere later; it counts for nothing until the host says how long it was.
        one_of("out_by", "venue_code", "host", "nobody", nullable=True),
        CheckConstraint("out_by IS NULL OR out_by <> 'nobody' OR minutes = 0", name="nobody_vouches_for_nothing"),
        # Nobody is in two places at once: one open attendance a person, and overlaps are refused under the person's lock.
        Index(
            "ux_attendance_open",
            "book_id",
            "person_id",
            unique=True,
            sqlite_where=text("out_at IS NULL"),
            postgresql_where=text("out_at IS NULL"),
        ),
        Index("ix_attendance_person", "book_id", "person_id", "in_at"),
        changes=("out_at", "out_by", "minutes"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    in_at: Mapped[datetime]
    in_by: Mapped[str]
    out_at: Mapped[datetime | None]
    out_by: Mapped[str | None]
    #: What counts: within the activity's own hours.
    minutes: Mapped[int | None]


class HoursRecord(Base):
    """Hours of service, kept apart from points and for ever: credit hours by check-in, honour hours by attested report."""

    __tablename__ = "hours_record"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        one_of("kind", "credit", "honour"),
        CheckConstraint("minutes > 0", name="minutes_range"),
        Index("ix_hours_record_person", "book_id", "person_id", "served_on"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    kind: Mapped[str]
    minutes: Mapped[int]
    served_on: Mapped[date]
    #: The activity or the claim it comes from.
    reference: Mapped[UUID]
    recorded_at: Mapped[datetime]


class UnsealedHours(Base):
    """A record of hours that the sealer has not yet written to the log: a queue."""

    __tablename__ = "unsealed_hours"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "hours_id"], ["hours_record.book_id", "hours_record.id"]),
        ForeignKeyConstraint(["book_id", "account_id"], ["account.book_id", "account.id"]),
        sealers="delete",
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    hours_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: The passbook of whoever served: the log knows accounts, and no persons.
    account_id: Mapped[UUID]


class WrongDigits(Base):
    """Digits of a venue code that somebody typed wrongly."""

    __tablename__ = "wrong_digits"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_wrong_digits_person", "book_id", "person_id", "tried_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    tried_at: Mapped[datetime]
