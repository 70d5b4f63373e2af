"""What somebody proves with who they are, what that opened, and the guesses that were wrong; of every secret only a hash or a seal."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON
from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.sign_in.rules import SECRET_KINDS
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Credential(Base):
    """A token that stands for somebody: a one-time link, the session it opened, a machine's bearer token. Only the hash is kept."""

    __tablename__ = "credential"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        one_of("kind", "link", "session", "bearer"),
        CheckConstraint("confirmed_by NOT IN (asked_by, person_id)", name="two_people"),
        Index("ix_credential_person", "book_id", "person_id"),
        Index("ux_credential_id", "book_id", "id", unique=True),
        Index("ix_credential_device", "book_id", "device_id", "ended_at"),
        changes=("token_hash", "expires_at", "ended_at", "way", "last_used_at", "proved_at", "acting_for", "confirmed_by"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: Used up (a link), signed out (a session) or revoked.
    ended_at: Mapped[datetime | None]
    #: What it is called where it is listed and ended: the token itself is nowhere. None before migration 0005.
    id: Mapped[UUID | None]
    #: How a session was opened (see `rules.WAYS`); of a link that waits, "anew" where all else is to go with it; of a bearer token, what it
    #: is for, as its owner named it.
    way: Mapped[str | None]
    #: To the minute.
    last_used_at: Mapped[datetime | None]
    #: A session that rests for so many seconds is over.
    rests_max_s: Mapped[int | None]
    #: When whoever holds the session last proved who they are.
    proved_at: Mapped[datetime | None]
    #: On whose behalf the session acts at the moment.
    acting_for: Mapped[UUID | None]
    #: The paired device on which a session was opened.
    device_id: Mapped[UUID | None]
    #: What a bearer token may be used for: roles, and `rules.FURTHER`. None before migration 0005: every role, nothing further.
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    #: The administrator who asked for a link for somebody with a strong role: it opens nothing until another has confirmed it.
    asked_by: Mapped[UUID | None]
    confirmed_by: Mapped[UUID | None]


class Secret(Base):
    """A password or PIN as its Argon2id hash, sealed by the master key: six digits would be guessed from a hash in no time."""

    __tablename__ = "secret"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        one_of("kind", *SECRET_KINDS),
        deletable=True,
        changes=("sealed_hash", "changed_at", "wrong"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    sealed_hash: Mapped[bytes]
    changed_at: Mapped[datetime]
    #: Wrong tries at a PIN since the last right one (see `rules.WRONG_PINS_MAX`).
    wrong: Mapped[int] = mapped_column(default=0)


class OneTimeKey(Base):
    """The key of somebody's one-time codes (RFC 6238), sealed by the master key, and the last step that was used."""

    __tablename__ = "one_time_key"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]), deletable=True, changes=("sealed_key", "last_step")
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed_key: Mapped[bytes]
    last_step: Mapped[int]
    created_at: Mapped[datetime]


class RecoveryCode(Base):
    """A code that stands in for a lost phone, once."""

    __tablename__ = "recovery_code"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]), deletable=True, changes=("used_at",)
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A public key that a phone or computer made for somebody (WebAuthn)."""

    __tablename__ = "passkey"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"]),
        Index("ix_passkey_person", "book_id", "person_id"),
        deletable=True,
        changes=("sign_count", "name", "last_used_at"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: The authenticator's own name of it.
    credential_id: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    #: What its owner calls it.
    name: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class UsedChallenge(Base):
    """A challenge that a passkey has answered: signed by this service, good for minutes, and good once."""

    __tablename__ = "used_challenge"
    __table_args__ = table_args(append_only=True)

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    challenge_hash: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]


class Device(Base):
    """A till's or a counter's device, paired by a code that the owner or staff gave; its token lies in its browser, here only the hash."""

    __tablename__ = "device"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"]),
        UniqueConstraint("book_id", "token_hash"),
        CheckConstraint("(unit_id IS NULL) <> (area_code IS NULL)", name="somewhere"),
        Index("ix_device_unit", "book_id", "unit_id"),
        Index("ix_device_area", "book_id", "area_code"),
        changes=("token_hash", "paired_at", "last_used_at", "ended_at", "ended_by"),
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: The shop it stands in, or else the area whose counter it is.
    unit_id: Mapped[UUID | None]
    area_code: Mapped[str | None]
    name: Mapped[str]
    #: While it waits to be paired: the hash of the 8 characters; afterwards that of its own token.
    token_hash: Mapped[bytes]
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]
    #: Until then it can be paired.
    pair_until: Mapped[datetime]
    paired_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]


class Guesses(Base):
    """The wrong guesses of late at one thing from one place, as moments: reserved before anything is compared."""

    __tablename__ = "guesses"
    __table_args__ = table_args(Index("ix_guesses_tried", "book_id", "tried_at"), changes=("moments", "tried_at"), deletable=True)

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    #: A peppered hash of what is guessed at and from where.
    key: Mapped[bytes] = mapped_column(primary_key=True)
    #: Microseconds since 1970, oldest first; never more than the limit.
    moments: Mapped[list[int]] = mapped_column(JSON)
    #: When somebody last tried and was served.
    tried_at: Mapped[datetime]
