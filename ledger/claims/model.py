"""Claims, and the decisions taken on them."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.claims.rules import ACTS
from ledger.claims.rules import SOURCES
from ledger.claims.rules import STATES
from ledger.points import POINTS_MAX
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Claim(Base):
    """A deed that was reported, on its way to points. What is told of people in it lies sealed in the vault."""

    __tablename__ = "claim"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        ForeignKeyConstraint(["book_id", "rate_id"], ["rate.book_id", "rate.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        ForeignKeyConstraint(["book_id", "team_id"], ["team.book_id", "team.id"]),
        ForeignKeyConstraint(["book_id", "reporter_id"], ["person.book_id", "person.id"], name="fk_claim_reporter"),
        ForeignKeyConstraint(["book_id", "attester_id"], ["person.book_id", "person.id"], name="fk_claim_attester"),
        ForeignKeyConstraint(["book_id", "activity_id"], ["activity.book_id", "activity.id"]),
        ForeignKeyConstraint(["book_id", "fund_id"], ["fund.book_id", "fund.id"]),
        ForeignKeyConstraint(["book_id", "entry_id"], ["entry.book_id", "entry.id"]),
        one_of("state", *STATES),
        one_of("source", *SOURCES),
        CheckConstraint("(person_id IS NULL) <> (team_id IS NULL)", name="one_beneficiary"),
        CheckConstraint(f"points BETWEEN 0 AND {POINTS_MAX}", name="points_range"),
        CheckConstraint("minutes IS NULL OR minutes BETWEEN 1 AND 1440", name="minutes_range"),
        CheckConstraint("approvals >= 0 AND approvals_needed IN (1, 2)", name="approvals_range"),
        CheckConstraint(
            "state NOT IN ('approved', 'on_notice', 'objected', 'awaiting_funds', 'credited') OR approvals >= approvals_needed",
            name="enough_approvals",
        ),
        CheckConstraint("(state = 'credited') = (entry_id IS NOT NULL)", name="credited_has_an_entry"),
        CheckConstraint("(state = 'on_notice') <= (notice_ends_at IS NOT NULL)", name="notice_has_an_end"),
        # A deed of an activity is claimed once.
        UniqueConstraint("book_id", "activity_id", "person_id"),
        Index("ix_claim_queue", "book_id", "state", "reported_at", "id"),
        Index("ix_claim_person", "book_id", "person_id", "deed_on"),
        Index("ix_claim_team", "book_id", "team_id", "deed_on"),
        Index("ix_claim_area", "book_id", "area_code", "state"),
        changes=(
            "state",
            "rate_id",
            "deed_on",
            "starts_at",
            "minutes",
            "points",
            "reported_at",
            "attester_id",
            "approvals",
            "approvals_needed",
            "fund_id",
            "notice_ends_at",
            "entry_id",
        ),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    source: Mapped[str]
    area_code: Mapped[str]
    #: Who gets the points: a person or a team.
    person_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    rate_id: Mapped[UUID]
    deed_on: Mapped[date]
    #: When on that day, where it is known: nobody is in two places at once.
    starts_at: Mapped[datetime | None]
    minutes: Mapped[int | None]
    #: What the tariff gives, after the caps.
    points: Mapped[int]
    activity_id: Mapped[UUID | None]
    #: Who wrote it down: the volunteer, or who proposes it for the volunteer.
    reporter_id: Mapped[UUID]
    reported_at: Mapped[datetime]
    attester_id: Mapped[UUID | None]
    #: Distinct persons who approved, and how many it takes (by risk).
    approvals: Mapped[int] = mapped_column(default=0)
    approvals_needed: Mapped[int] = mapped_column(default=1)
    #: The fund that pays, once approved.
    fund_id: Mapped[UUID | None]
    notice_ends_at: Mapped[datetime | None]
    #: The award in the journal.
    entry_id: Mapped[UUID | None]


class Decision(Base):
    """One act on a claim by one person. Triggers refuse one by the beneficiary, kin, household, or whoever acted on it before."""

    __tablename__ = "decision"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "claim_id"], ["claim.book_id", "claim.id"]),
        one_of("act", *ACTS),
        Index("ix_decision_actor", "book_id", "actor", "decided_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    #: "report", "attest", "approve", "return", "refuse", "resubmit", "withdraw", "credit".
    act: Mapped[str]
    actor: Mapped[UUID]
    decided_at: Mapped[datetime]
    #: A code of the fixed list; what the volunteer is told besides is about a person, and lies sealed in the vault.
    reason: Mapped[str | None]


class Photo(Base):
    """A picture that a deed is told with: drawn anew without what the camera wrote into it, and sealed for whoever the deed is of."""

    __tablename__ = "photo"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "claim_id"], ["claim.book_id", "claim.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_photo_claim", "book_id", "claim_id", "added_at", "id"),
        Index("ix_photo_person", "book_id", "person_id"),
        # Whatever is asked of many photos stands in an index: SQLite would read through each picture to come to what lies behind it.
        Index("ix_photo_added_at", "book_id", "added_at", "claim_id", "likeness"),
        Index("ix_photo_likeness", "book_id", "claim_id", "likeness", "added_at"),
        deletable=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID]
    #: Whose key it is sealed with.
    person_id: Mapped[UUID]
    sealed: Mapped[bytes]
    #: 64 bits of how it looks: pictures that look alike differ in few of them.
    likeness: Mapped[int]
    added_at: Mapped[datetime]
