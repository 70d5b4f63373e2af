"""Persons by random ids, the vault that alone holds personal data, ties, teams, roles, and what a person signs in with."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.people.rules import ROLES
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Person(Base):
    """Somebody, as a random id; who that is stands only in the vault."""

    __tablename__ = "person"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        UniqueConstraint("book_id", "handle"),
        one_of("status", "active", "left"),
        Index("ix_person_area", "book_id", "area_code"),
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


class PersonKey(Base):
    """The key that seals one person's data, itself wrapped by the master key; without it the person is erased."""

    __tablename__ = "person_key"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]), deletable=True)

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes]
    #: Which master key wrapped it.
    master_key_id: Mapped[str]


class SealedField(Base):
    """One personal field, sealed: name, phone, address, birth_month, gender, note, or the text of a claim ("claim:<id>")."""

    __tablename__ = "sealed_field"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person_key.book_id", "person_key.person_id"]), deletable=True
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class SearchHash(Base):
    """A peppered HMAC of a field's value, so that the same phone or name can be found without being readable."""

    __tablename__ = "search_hash"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]))

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
        one_of("kind", "household", "kin"),
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
        one_of("kind", "household", "kin"),
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
        Index("ix_role_grant_person", "book_id", "person_id"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    role: Mapped[str]
    area_code: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    granted_by: Mapped[UUID]


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


class Credential(Base):
    """What somebody proves with who they are: a one-time link, the session it opened, a bearer token. Only the hash is kept."""

    __tablename__ = "credential"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        one_of("kind", "link", "session", "bearer"),
        Index("ix_credential_person", "book_id", "person_id"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: Used up (a link), signed out (a session) or revoked.
    ended_at: Mapped[datetime | None]
