"""What ends with somebody who leaves for good: what they signed up for, and where they are at the moment."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from ledger.activities.model import Attendance
from ledger.activities.model import SignUp


def leaving() -> people.Leaving:
    """Return what activities have to do with somebody who leaves."""
    return people.Leaving(_end)


def _end(session: Session, act: Act, person_id: UUID) -> None:
    session.execute(delete(SignUp).where(SignUp.book_id == act.book_id, SignUp.person_id == person_id))
    there = (Attendance.book_id == act.book_id, Attendance.person_id == person_id, Attendance.out_at.is_(None))
    session.execute(update(Attendance).where(*there).values(out_at=Attendance.in_at, out_by="nobody", minutes=0))
