"""What activities keeps of somebody, told to themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.activities.model import Activity
from ledger.activities.model import Attendance
from ledger.activities.model import HoursRecord
from ledger.activities.model import SignUp
from ledger.people import Vault


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return somebody's hours of service, where they were, and what they signed up for."""
    hours = select(HoursRecord.kind, HoursRecord.minutes, HoursRecord.served_on, HoursRecord.recorded_at)
    hours = hours.where(HoursRecord.book_id == book_id, HoursRecord.person_id == person_id).order_by(HoursRecord.recorded_at)
    came = (
        select(Activity.title, Attendance.in_at, Attendance.out_at, Attendance.minutes)
        .join(Activity, and_(Activity.book_id == Attendance.book_id, Activity.id == Attendance.activity_id))
        .where(Attendance.book_id == book_id, Attendance.person_id == person_id)
        .order_by(Attendance.in_at)
    )
    coming = (
        select(Activity.title, Activity.starts_at, SignUp.signed_up_at)
        .join(Activity, and_(Activity.book_id == SignUp.book_id, Activity.id == SignUp.activity_id))
        .where(SignUp.book_id == book_id, SignUp.person_id == person_id)
        .order_by(Activity.starts_at)
    )
    asked = {"hours": hours, "attendances": came, "sign_ups": coming}
    return {name: [dict(row) for row in session.execute(wanted).mappings()] for name, wanted in asked.items()}
