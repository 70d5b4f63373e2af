"""What ends with somebody who leaves for good: what still waits for their yes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from redeem.redemptions.model import Redemption


def leaving() -> people.Leaving:
    """Return what redemptions have to do with somebody who leaves."""
    return people.Leaving(_end)


def _end(session: Session, act: Act, person_id: UUID) -> None:
    waiting = (Redemption.book_id == act.book_id, Redemption.person_id == person_id, Redemption.state == "pending")
    session.execute(update(Redemption).where(*waiting).values(state="cancelled"))
