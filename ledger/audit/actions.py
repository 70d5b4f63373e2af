"""Writing the audit log; lines are added and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.audit.model import AuditRecord
from ledger.audit.rules import Entry
from ledger.ids import new_id
from ledger.store import insert_rows

_COLUMNS = tuple(field.name for field in fields(Entry))


def record(session: Session, book_id: UUID, entries: Sequence[Entry]) -> None:
    """Add lines to the audit log of a book, all in one statement."""
    rows = [{"book_id": book_id, "id": new_id()} | {column: getattr(entry, column) for column in _COLUMNS} for entry in entries]
    insert_rows(session, AuditRecord, rows)
