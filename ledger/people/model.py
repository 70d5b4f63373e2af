"""Persons by random ids, the vault that alone holds personal data, ties, teams, roles, cards, and who acts for whom."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import UniqueConstraint
from sqlalchemy import text
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.act import OPERATOR
from ledger.people.rules import MANDATE_KINDS
from ledger.people.rules import OPENING_REASONS
from ledger.people.rules import ROLES
from ledger.people.rules import STRONG_ROLES
from ledger.people.rules import TIE_KINDS
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args

_IS_ASKED = text("erasure_asked_by IS NOT NULL")
_IS_LIVE = text("revoked_at IS NULL")
_IS_UNCONFIRMED = text("confirmed_by IS NULL")


class Person(Base):
    """Somebody, as a random id; who that is stands only in the vault."""

    __tablename__ = "person"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        UniqueConstraint("book_id", "handle"),
        one_of("status", "active", "left"),
        Index("ix_person_area", "book_id", "area_code"),
        Index("ix_person_erasure_asked", "book_id", "id", sqlite_where=_IS_ASKED, postgresql_where=_IS_ASKED),
        changes=("handle", "status", "guarded_until", "erasure_asked_by"),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: A random number of 8 digits, the last a check digit: what is typed at a till instead of a name.
    handle: Mapped[str]
    #: Where the person lives, or, for a courier, earns.
    area_code: Mapped[str]
    is_resident: Mapped[bool]
    status: Mapped[str]
    created_at: Mapped[datetime]
    #: The last day on which a guardian acts for a child; plain, so that every way in and every till can see it. None for everybody else.
    guarded_until: Mapped[date | None]
    #: The administrator who asked that this person be erased; another does it.
    erasure_asked_by: Mapped[UUID | None]


class PersonKey(Base):
    """The key that seals one person's data, itself wrapped by the master key; without it the person is erased."""

    __tablename__ = "person_key"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        deletable=True,
        changes=("wrapped", "master_key_id"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes]
    #: Which master key wrapped it.
    master_key_id: Mapped[str]


class SealedField(Base):
    """One personal field, sealed: name, phone, address, birth_month, gender, note, or a text such as a claim's ("claim:<id>")."""

    __tablename__ = "sealed_field"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person_key.book_id", "person_key.person_id"]),
        deletable=True,
        changes=("sealed",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class SearchHash(Base):
    """A peppered HMAC of a field's value, so that the same phone or name can be found without being readable."""

    __tablename__ = "search_hash"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_search_hash_person", "book_id", "person_id"),
        deletable=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    hashed: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class Tie(Base):
    """Two persons who may not decide for each other; written in both directions, as plain ids, so that the database can see it."""

    __tablename__ = "tie"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        ForeignKeyConstraint(["book_id", "other_id"], ["person.book_id", "person.id"], name="fk_tie_other"),
        one_of("kind", *TIE_KINDS),
        CheckConstraint("person_id <> other_id", name="two_persons"),
        deletable=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    other_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    declared_by: Mapped[UUID]
    declared_at: Mapped[datetime]


class EndedTie(Base):
    """A tie that was declared by mistake: who declared it, and who ended it, stay known."""

    __tablename__ = "ended_tie"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        ForeignKeyConstraint(["book_id", "other_id"], ["person.book_id", "person.id"], name="fk_ended_tie_other"),
        one_of("kind", *TIE_KINDS),
        Index("ix_ended_tie_person", "book_id", "person_id", "other_id"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    other_id: Mapped[UUID]
    kind: Mapped[str]
    declared_by: Mapped[UUID]
    declared_at: Mapped[datetime]
    ended_by: Mapped[UUID]
    ended_at: Mapped[datetime]


class Team(Base):
    """A team that earns as one, for example a patrol or a choir."""

    __tablename__ = "team"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        UniqueConstraint("book_id", "name"),
        # Nothing of a team changes: PostgreSQL locks rows only for whoever may change a column.
        changes=("name",),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    area_code: Mapped[str]


class TeamMember(Base):
    """Who belongs to a team, from when to when."""

    __tablename__ = "team_member"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "team_id"], ["team.book_id", "team.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_team_member_person", "book_id", "person_id"),
        changes=("starts_on", "ends_on"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Grant(Base):
    """A role somebody holds in an area and below it, from one day to another (both included)."""

    __tablename__ = "role_grant"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        one_of("role", *ROLES),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates_in_order"),
        CheckConstraint("confirmed_by NOT IN (granted_by, person_id)", name="two_people"),
        Index("ix_role_grant_person", "book_id", "person_id"),
        Index("ix_role_grant_unconfirmed", "book_id", "role", "id", sqlite_where=_IS_UNCONFIRMED, postgresql_where=_IS_UNCONFIRMED),
        changes=("ends_on", "confirmed_by"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    role: Mapped[str]
    area_code: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    granted_by: Mapped[UUID]
    #: The second administrator, or the operator: without one a strong role that an administrator gave is a proposal.
    confirmed_by: Mapped[UUID | None]

    @property
    def waits(self) -> bool:
        """Tell whether it is a proposal as yet (see `queries.is_confirmed`)."""
        return self.role in STRONG_ROLES and self.granted_by != OPERATOR and self.confirmed_by is None


class Charge(Base):
    """A household's person whom a building leader looks after (10 to 14 households each)."""

    __tablename__ = "charge"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "leader_id"], ["person.book_id", "person.id"], name="fk_charge_leader"),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_charge_person", "book_id", "person_id"),
        deletable=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    leader_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class TeamLeader(Base):
    """Who reports for a team and sees its passbook, from when to when."""

    __tablename__ = "team_leader"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "team_id"], ["team.book_id", "team.id"]),
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates_in_order"),
        Index("ix_team_leader_person", "book_id", "person_id"),
        changes=("ends_on",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    ends_on: Mapped[date | None]
    granted_by: Mapped[UUID]


class Mandate(Base):
    """Somebody acts for somebody else: a helper for an elder, a guardian for a child; dated, limited, and ended at any time."""

    __tablename__ = "mandate"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        ForeignKeyConstraint(["book_id", "helper_id"], ["person.book_id", "person.id"], name="fk_mandate_helper"),
        one_of("kind", *MANDATE_KINDS),
        CheckConstraint("person_id <> helper_id", name="two_persons"),
        CheckConstraint("granted_by <> helper_id", name="not_for_oneself"),
        CheckConstraint("ends_on >= starts_on", name="dates_in_order"),
        CheckConstraint("points_per_day_max >= 0", name="points_per_day"),
        Index("ix_mandate_person", "book_id", "person_id"),
        Index("ix_mandate_helper", "book_id", "helper_id"),
        changes=("agreed_at", "ended_by", "ended_at"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: On whose behalf.
    person_id: Mapped[UUID]
    #: Who acts.
    helper_id: Mapped[UUID]
    kind: Mapped[str]
    #: So many points a day may be spent for the person; 0: none.
    points_per_day_max: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    granted_by: Mapped[UUID]
    granted_at: Mapped[datetime]
    #: When the helper said yes: until then nobody acts, and neither is told who the other is.
    agreed_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]


class Card(Base):
    """A passbook card: a random number of 12 digits, the last a check digit, that stands for somebody until it is revoked."""

    __tablename__ = "card"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        UniqueConstraint("book_id", "id"),
        Index("ix_card_person", "book_id", "person_id"),
        # Nobody has two cards that open their passbook.
        Index("ux_card_live", "book_id", "person_id", unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE),
        changes=("revoked_by", "revoked_at"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    #: What it is called in answers that are kept and in the audit log: its number opens something.
    id: Mapped[UUID]
    person_id: Mapped[UUID]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    revoked_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]


class Application(Base):
    """Somebody who asks to be enrolled: what they told lies sealed by the master key until staff confirm it, and is deleted then."""

    __tablename__ = "application"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        Index("ix_application_area", "book_id", "area_code"),
        deletable=True,
        changes=("sealed",),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[str]
    sealed: Mapped[bytes]
    applied_at: Mapped[datetime]


class Merge(Base):
    """Two records of one person made one: proposed by one of the staff, decided by another."""

    __tablename__ = "merge"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "kept_id"], ["person.book_id", "person.id"], name="fk_merge_kept"),
        ForeignKeyConstraint(["book_id", "gone_id"], ["person.book_id", "person.id"], name="fk_merge_gone"),
        one_of("state", "proposed", "done", "refused"),
        CheckConstraint("kept_id <> gone_id", name="two_records"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="two_people"),
        Index("ix_merge_gone", "book_id", "gone_id"),
        changes=("state", "decided_by", "decided_at"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kept_id: Mapped[UUID]
    gone_id: Mapped[UUID]
    state: Mapped[str]
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


class Opening(Base):
    """One of the staff opened somebody's data, and said why; the person sees it."""

    __tablename__ = "opening"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        one_of("reason", *OPENING_REASONS),
        Index("ix_opening_person", "book_id", "person_id", "opened_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    opened_by: Mapped[UUID]
    reason: Mapped[str]
    opened_at: Mapped[datetime]


class Correction(Base):
    """A personal field was corrected: by whom and when; what stood there before lies sealed as "was:<id>" in the person's own part."""

    __tablename__ = "correction"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_correction_person", "book_id", "person_id", "corrected_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    field: Mapped[str]
    corrected_by: Mapped[UUID]
    corrected_at: Mapped[datetime]


class Erasure(Base):
    """Somebody's data was erased: when and by whom, and nothing else of them."""

    __tablename__ = "erasure"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    erased_by: Mapped[UUID]
    erased_at: Mapped[datetime]


class PassbookPrint(Base):
    """Lines that were printed into somebody's paper passbook: where the next ones go, follows from the last of these."""

    __tablename__ = "passbook_print"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        CheckConstraint("line_from >= 1 AND line_to >= line_from AND row_from >= 1", name="lines_in_order"),
        Index("ix_passbook_print_person", "book_id", "person_id", "printed_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    #: The numbers of the first and of the last line.
    line_from: Mapped[int]
    line_to: Mapped[int]
    #: The row of the booklet, counted over its pages, that the first of them stands in; 1 begins a new booklet.
    row_from: Mapped[int]
    printed_by: Mapped[UUID]
    printed_at: Mapped[datetime]
