"""The log's tables: all of them are inserted into and never changed."""

from __future__ import annotations

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

from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args

_WATCHING = text("ended_at IS NULL")


class Log(Base):
    """The log of a book: the name that its checkpoints carry for good, whatever address the service moves to."""

    __tablename__ = "log"
    __table_args__ = table_args(append_only=True, sealers="insert")

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    origin: Mapped[str]
    begun_at: Mapped[datetime]


class LogKey(Base):
    """A public key that a log's heads were signed with, from then on: the web service shows it and never has the private one.

    What it is good for follows from all keys of a log: notes.followed.
    """

    __tablename__ = "log_key"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id"], ["log.book_id"]), append_only=True, sealers="insert")

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: As a `vkey`.
    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    #: Of heads of more than so many leaves it is the log's key, and the one before it is no longer.
    after: Mapped[int]
    #: The word of the key before it: a signed note that says this (notes.Change). The first one has none.
    note: Mapped[str | None]


class Leaf(Base):
    """The place of an entry or of a record of hours in the log, numbered from 0 without a gap."""

    __tablename__ = "leaf"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id"], ["log.book_id"]),
        ForeignKeyConstraint(["book_id", "entry_id"], ["entry.book_id", "entry.id"]),
        UniqueConstraint("book_id", "entry_id"),
        CheckConstraint("number >= 0", name="numbered_from_zero"),
        append_only=True,
        sealers="insert",
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    #: None where it is of hours.
    entry_id: Mapped[UUID | None]
    #: Opens the hash of the entry or of the hours.
    salt: Mapped[bytes]
    #: The leaf itself (leaves.py), and its hash in the tree.
    data: Mapped[bytes]
    hash: Mapped[bytes]


class Side(Base):
    """One account's half of a leaf: a link of that account's own chain, numbered from 1 as its lines are."""

    __tablename__ = "side"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "account_id"], ["account.book_id", "account.id"]),
        ForeignKeyConstraint(["book_id", "leaf_number"], ["leaf.book_id", "leaf.number"]),
        CheckConstraint("number >= 1", name="numbered_from_one"),
        append_only=True,
        sealers="insert",
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    leaf_number: Mapped[int]
    salt: Mapped[bytes]
    hash: Mapped[bytes]


class SealedHours(Base):
    """A record of hours in the log: a link of its account's own chain, numbered from 1. Its salt and its hash stand in its leaf."""

    __tablename__ = "sealed_hours"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "account_id"], ["account.book_id", "account.id"]),
        ForeignKeyConstraint(["book_id", "hours_id"], ["hours_record.book_id", "hours_record.id"]),
        ForeignKeyConstraint(["book_id", "leaf_number"], ["leaf.book_id", "leaf.number"]),
        UniqueConstraint("book_id", "hours_id"),
        CheckConstraint("number >= 1", name="numbered_from_one"),
        append_only=True,
        sealers="insert",
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    hours_id: Mapped[UUID]
    leaf_number: Mapped[int]
    #: The minutes of this record and of all of its account before it, by kind.
    credit: Mapped[int]
    honour: Mapped[int]


class Tile(Base):
    """A full tile of the tree: 256 hashes of a level, and the one over them, which stands in the level above."""

    __tablename__ = "tile"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id"], ["log.book_id"]),
        CheckConstraint("level >= 0 AND number >= 0", name="counted_from_zero"),
        append_only=True,
        sealers="insert",
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    hashes: Mapped[bytes]
    root: Mapped[bytes]


class Checkpoint(Base):
    """A head of the log that was signed: the note as it was published."""

    __tablename__ = "checkpoint"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id"], ["log.book_id"]), append_only=True, sealers="insert")

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[bytes]
    note: Mapped[str]
    signed_at: Mapped[datetime]


class Cosignature(Base):
    """A witness's word that a checkpoint carries on from all that it saw before."""

    __tablename__ = "cosignature"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id", "size"], ["checkpoint.book_id", "checkpoint.size"]), append_only=True)

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(primary_key=True)
    #: The witness's key, as a `vkey`.
    witness: Mapped[str] = mapped_column(primary_key=True)
    #: The line under the note.
    line: Mapped[str]
    added_at: Mapped[datetime]


class Alarm(Base):
    """A witness would not cosign, having seen another history; or the log could not show that it carries on; or a line was changed."""

    __tablename__ = "alarm"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id"], ["log.book_id"]),
        one_of("what", "witness-refused", "till-refused", "does-not-extend", "line-differs"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    what: Mapped[str]
    #: Who says so: a witness's name, or the log's.
    witness: Mapped[str]
    #: The head that was shown, and the size that the witness had seen; of a line that differs the number of its leaf, counted from 1.
    size: Mapped[int]
    seen: Mapped[int | None]
    root: Mapped[bytes]
    at: Mapped[datetime]
    #: Of a till's: the head that was shown, and the one that it had seen, as the log signed both.
    note: Mapped[str | None]
    seen_note: Mapped[str | None]


class Witness(Base):
    """Who watches the log: another office's witness that is asked, or a shop's device that cosigns by itself."""

    __tablename__ = "witness"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id"], ["log.book_id"]),
        # Nobody watches twice at once; whoever was ended may come back.
        Index("ux_witness_watching", "book_id", "key", unique=True, sqlite_where=_WATCHING, postgresql_where=_WATCHING),
        CheckConstraint("(address IS NULL) <> (device_id IS NULL)", name="asked_or_comes_by_itself"),
        changes=("ended_at",),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Its public key, as a `vkey`.
    key: Mapped[str]
    #: Where it is asked (https://c2sp.org/tlog-witness), or the device that it lives on.
    address: Mapped[str | None]
    device_id: Mapped[UUID | None]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
