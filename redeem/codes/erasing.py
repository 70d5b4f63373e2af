"""What ends with somebody who leaves for good: the devices that draw their pay codes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from redeem.codes.model import PayDevice


def leaving() -> people.Leaving:
    """Return what pay codes have to do with somebody who leaves."""
    return people.Leaving(_end)


def _end(session: Session, act: Act, person_id: UUID) -> None:
    drawing = (PayDevice.book_id == act.book_id, PayDevice.person_id == person_id, PayDevice.revoked_at.is_(None))
    session.execute(update(PayDevice).where(*drawing).values(revoked_at=act.at))
