"""What ends with somebody who leaves for good: every way in, and what they called their tokens."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from ledger.sign_in import sessions
from ledger.sign_in.model import Credential


def leaving() -> people.Leaving:
    """Return what sign-in has to do with somebody who leaves."""
    return people.Leaving(_end)


def _end(session: Session, act: Act, person_id: UUID) -> None:
    sessions.end_every_way_in(session, act, person_id)
    named = (Credential.book_id == act.book_id, Credential.person_id == person_id, Credential.kind == "bearer")
    session.execute(update(Credential).where(*named).values(way=None))
