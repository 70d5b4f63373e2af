"""The audit log: every act that changed something and every refusal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from ledger.act import CHANNELS
from ledger.store import Base
from ledger.store import one_of
from ledger.store import table_args


class AuditRecord(Base):
    """Who, for whom, what, when, where from, and what came of it; ids and codes, never words."""

    __tablename__ = "audit_record"
    __table_args__ = table_args(
        one_of("channel", *CHANNELS),
        Index("ix_audit_record_at", "book_id", "at", "id"),
        Index("ix_audit_record_actor", "book_id", "actor", "at"),
        Index("ix_audit_record_acted_for", "book_id", "acted_for", "at"),
        Index("ix_audit_record_about", "book_id", "about", "at"),
        append_only=True,
    )

    book_id: Mapped[UUID] = mapped_column(ForeignKey("book.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    #: The person who acted, `OPERATOR`, or None where nobody was signed in.
    actor: Mapped[UUID | None]
    acted_for: Mapped[UUID | None]
    channel: Mapped[str]
    #: What: the name of the route or command, for example "POST api_claims.approve".
    act: Mapped[str]
    #: "done", or the code of the refusal.
    outcome: Mapped[str]
    #: What or whom it was about: the first id in the address or the answer.
    about: Mapped[UUID | None]
    #: Further ids and figures, from fixed fields only.
    details: Mapped[dict[str, Any] | None]
    #: The session or token, and the paired device.
    credential_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    #: Where from: the network of the address (IPv4 /24, IPv6 /48), which tells a neighbourhood and not a home.
    network: Mapped[str | None]
    #: The request that did it, where it was one of the journal's.
    request_id: Mapped[UUID | None]
