"""Reading the audit log, the newest first."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from ledger.audit.model import AuditRecord
from ledger.audit.rules import DONE


@dataclass(frozen=True)
class Wanted:
    """Which lines: those that have all of what is named here."""

    actor: UUID | None = None
    about: UUID | None = None
    act: str | None = None
    #: A code, or "refused" for whatever was not done.
    outcome: str | None = None
    #: From this moment on, and before that one.
    since: datetime | None = None
    until: datetime | None = None


def done_about(session: Session, book_id: UUID, about: Collection[UUID], acts: Collection[str]) -> Sequence[AuditRecord]:
    """Return the lines of these acts that were carried out about somebody or something, the newest first."""
    wanted = select(AuditRecord).where(
        AuditRecord.book_id == book_id, AuditRecord.about.in_(about), AuditRecord.act.in_(acts), AuditRecord.outcome == DONE
    )
    return session.scalars(wanted.order_by(AuditRecord.at.desc(), AuditRecord.id.desc())).all()


def records(
    session: Session, book_id: UUID, wanted: Wanted, after: tuple[datetime, UUID] | None = None, limit: int = 100
) -> Sequence[AuditRecord]:  # fmt: skip
    """Return lines of the audit log of a book, those that come `after` the last one seen."""
    found = select(AuditRecord).where(AuditRecord.book_id == book_id)
    for column, value in ((AuditRecord.about, wanted.about), (AuditRecord.act, wanted.act)):
        if value is not None:
            found = found.where(column == value)
    if wanted.actor is not None:
        # Who acted for somebody is found under either.
        found = found.where((AuditRecord.actor == wanted.actor) | (AuditRecord.acted_for == wanted.actor))
    if wanted.outcome == "refused":
        found = found.where(AuditRecord.outcome != DONE)
    elif wanted.outcome is not None:
        found = found.where(AuditRecord.outcome == wanted.outcome)
    if wanted.since is not None:
        found = found.where(AuditRecord.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(AuditRecord.at < wanted.until)
    if after is not None:
        found = found.where(tuple_(AuditRecord.at, AuditRecord.id) < after)
    return session.scalars(found.order_by(AuditRecord.at.desc(), AuditRecord.id.desc()).limit(limit)).all()
