"""The journal's tables. Only `tally` is ever changed; everything else is inserted once and stays (book.md, laws 1 to 7)."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.act import CHANNELS
from ledger.journal.rules import ENTRY_KINDS
from ledger.journal.rules import KINDS
from ledger.journal.rules import REVERSALS
from ledger.points import POINTS_MAX
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class Account(Base):
    """Where points lie. `owner` is opaque: a person, team, unit, fund, or the book itself."""

    __tablename__ = "account"
    __table_args__ = table_args(one_of("kind", *KINDS), UniqueConstraint("book_id", "kind", "owner"), append_only=True)

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    owner: Mapped[UUID]
    opened_at: Mapped[datetime]


class Tally(Base):
    """The counters of a locked account, apart from what foreign keys reference: the one row of the journal that changes."""

    __tablename__ = "tally"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "account_id"], ["account.book_id", "account.id"]),
        CheckConstraint("balance - held >= 0", name="never_below_zero"),
        CheckConstraint("held >= 0 AND lines >= 0", name="counters"),
        CheckConstraint("(held > 0) = (held_until IS NOT NULL)", name="held_until_says_whether"),
        changes=("lines", "balance", "held", "held_until", "posted_at", "year"),
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    lines: Mapped[int]
    balance: Mapped[int]
    held: Mapped[int]
    #: When the soonest open hold lapses; null where none is open.
    held_until: Mapped[datetime | None]
    #: When the last entry of this account was recorded: no later one may carry an earlier or equal moment.
    posted_at: Mapped[datetime]
    #: The book-local year up to whose beginning the expiry of points has been booked.
    year: Mapped[int]


class Request(Base):
    """A write that was asked for: claimed first, before anything else of its transaction (law 5)."""

    __tablename__ = "request"
    __table_args__ = table_args(UniqueConstraint("book_id", "actor", "key"), append_only=True)

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[UUID]
    key: Mapped[str]
    #: A hash of what was asked; the edge puts a secret into it, so that nobody tells from it what was.
    input_hash: Mapped[bytes]
    at: Mapped[datetime]


class Answer(Base):
    """What a request was answered, inserted last; the same key gets it again."""

    __tablename__ = "answer"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id", "request_id"], ["request.book_id", "request.id"]), append_only=True)

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[int]
    body: Mapped[dict[str, Any]]


class Entry(Base):
    """One movement of points from one account to another (laws 1 and 2)."""

    __tablename__ = "entry"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "from_account"], ["account.book_id", "account.id"], name="fk_entry_from_account"),
        ForeignKeyConstraint(["book_id", "to_account"], ["account.book_id", "account.id"], name="fk_entry_to_account"),
        ForeignKeyConstraint(["book_id", "request_id"], ["request.book_id", "request.id"], name="fk_entry_request"),
        ForeignKeyConstraint(["book_id", "reverses"], ["entry.book_id", "entry.id"], name="fk_entry_reverses"),
        UniqueConstraint("book_id", "request_id", "position"),
        UniqueConstraint("book_id", "reverses", "reversal_number"),
        CheckConstraint(f"amount BETWEEN 1 AND {POINTS_MAX}", name="amount_range"),
        CheckConstraint("from_account <> to_account", name="two_accounts"),
        CheckConstraint(
            "(reverses IS NULL) = (reversal_number IS NULL) AND (reverses IS NULL) = (left_after IS NULL)", name="reversal_whole"
        ),
        CheckConstraint(f"(kind IN {tuple(sorted(REVERSALS))}) = (reverses IS NOT NULL)", name="takes_back"),
        CheckConstraint("reverses IS NULL OR (reversal_number >= 1 AND left_after >= 0)", name="never_more_than_the_rest"),
        one_of("kind", *ENTRY_KINDS),
        one_of("channel", *CHANNELS),
        Index("ix_entry_from_account", "book_id", "from_account"),
        Index("ix_entry_to_account", "book_id", "to_account"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    from_account: Mapped[UUID]
    to_account: Mapped[UUID]
    amount: Mapped[int]
    kind: Mapped[str]
    #: When the deed happened, in the book's own calendar.
    deed_on: Mapped[date]
    #: When it was recorded.
    posted_at: Mapped[datetime]
    request_id: Mapped[UUID]
    #: The place within the request; below zero: what the journal booked by itself (expiry).
    position: Mapped[int]
    actor: Mapped[UUID]
    acted_for: Mapped[UUID | None]
    channel: Mapped[str]
    #: What it is about, opaque: a claim, a redemption, a fund.
    reference: Mapped[UUID | None]
    #: The contract, unit and till, where a shop is concerned; for the settlement to come.
    contract_id: Mapped[UUID | None]
    unit_id: Mapped[UUID | None]
    till_id: Mapped[UUID | None]
    #: The entry this one takes back, in part or in whole, the how-manieth time, and what is left of it after.
    reverses: Mapped[UUID | None]
    reversal_number: Mapped[int | None]
    left_after: Mapped[int | None]


class Line(Base):
    """One side of an entry as it stands in an account that people read (law 3)."""

    __tablename__ = "line"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "account_id"], ["account.book_id", "account.id"]),
        ForeignKeyConstraint(["book_id", "entry_id"], ["entry.book_id", "entry.id"]),
        UniqueConstraint("book_id", "entry_id", "account_id"),
        CheckConstraint("number >= 1", name="numbered_from_one"),
        CheckConstraint("before + amount = after AND amount <> 0", name="adds_up"),
        CheckConstraint("before >= 0 AND after >= 0", name="never_below_zero"),
        CheckConstraint("abs(earned) <= abs(amount) AND earned * amount >= 0", name="earns_no_more_than_it_moves"),
        Index("ix_line_posted_at", "book_id", "account_id", "posted_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    #: Signed: what came in is above zero.
    amount: Mapped[int]
    before: Mapped[int]
    after: Mapped[int]
    #: The book-local year these points belong to, and what the line adds to that year (book.md, "Expiry without lots").
    term: Mapped[int]
    earned: Mapped[int]
    posted_at: Mapped[datetime]
    deed_on: Mapped[date]


class Hold(Base):
    """Points reserved until a moment, for something that is not decided yet (law 6)."""

    __tablename__ = "hold"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "account_id"], ["account.book_id", "account.id"]),
        ForeignKeyConstraint(["book_id", "request_id"], ["request.book_id", "request.id"]),
        UniqueConstraint("book_id", "request_id", "position"),
        CheckConstraint(f"amount BETWEEN 1 AND {POINTS_MAX}", name="amount_range"),
        Index("ix_hold_expires_at", "book_id", "account_id", "expires_at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    amount: Mapped[int]
    held_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    request_id: Mapped[UUID]
    position: Mapped[int]
    reference: Mapped[UUID | None]


class HoldEnd(Base):
    """How a hold ended; its key lets it end once."""

    __tablename__ = "hold_end"
    __table_args__ = table_args(
        ForeignKeyConstraint(["book_id", "hold_id"], ["hold.book_id", "hold.id"]),
        ForeignKeyConstraint(["book_id", "entry_id"], ["entry.book_id", "entry.id"]),
        one_of("how", "posted", "voided", "expired"),
        CheckConstraint("(how = 'posted') = (entry_id IS NOT NULL)", name="posted_has_an_entry"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    how: Mapped[str]
    entry_id: Mapped[UUID | None]
    request_id: Mapped[UUID]
    ended_at: Mapped[datetime]


class Unsealed(Base):
    """An entry that the sealer has not yet written to the log: a queue."""

    __tablename__ = "unsealed"
    __table_args__ = table_args(ForeignKeyConstraint(["book_id", "entry_id"], ["entry.book_id", "entry.id"]), sealers="delete")

    book_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
