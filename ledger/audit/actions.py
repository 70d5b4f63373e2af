"""Writing the audit log; lines are added and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger.audit.model import AuditRecord
from ledger.audit.rules import Entry
from ledger.ids import new_id

_COLUMNS = tuple(field.name for field in fields(Entry))
# Asked with every write, so it is put together once; to the table itself, since nothing of the rows is wanted back.
_INSERT = insert(AuditRecord.__table__)  # type: ignore[arg-type]


def record(session: Session, book_id: UUID, entries: Sequence[Entry]) -> None:
    """Add lines to the audit log of a book, all in one statement."""
    if entries:
        rows = [{"book_id": book_id, "id": new_id()} | {column: getattr(entry, column) for column in _COLUMNS} for entry in entries]
        session.connection().execute(_INSERT, rows)
