"""Staff look into somebody's personal data: with a reason, for some minutes, written down, and told to the person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.errors import Invalid
from ledger.ids import new_id
from ledger.people import queries
from ledger.people.model import Opening
from ledger.people.rules import OPEN_FOR
from ledger.people.rules import OPENING_REASONS
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.vault import Vault


def open_person(session: Session, act: Act, person_id: UUID, reason: str, *, within: Scope = areas.EVERYWHERE) -> Opening:
    """Write down that the actor opens the data of somebody within `within`, and why; from now on `opened` shows them for a while."""
    if reason not in OPENING_REASONS:
        raise Invalid("opening-reason-unknown", "reason")
    queries.person(session, act.book_id, person_id, within)
    opening = Opening(book_id=act.book_id, id=new_id(), person_id=person_id, opened_by=act.actor, reason=reason, opened_at=act.at)
    session.add(opening)
    session.flush()
    return opening


def opened(session: Session, vault: Vault, book_id: UUID, person_id: UUID, by: UUID, at: datetime) -> dict[str, str] | None:
    """Return the personal fields of somebody whose data `by` opened minutes ago; None where they did not."""
    wanted = select(Opening.id).where(
        Opening.book_id == book_id, Opening.person_id == person_id, Opening.opened_by == by, Opening.opened_at > at - OPEN_FOR
    )
    if session.execute(wanted.limit(1)).scalar_one_or_none() is None:
        return None
    return queries.fields_of(session, vault, book_id, [person_id], PERSONAL_FIELDS)[person_id]


def openings_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[Opening]:
    """Return who opened somebody's data, when and why, the last first."""
    wanted = select(Opening).where(Opening.book_id == book_id, Opening.person_id == person_id)
    return session.execute(wanted.order_by(Opening.opened_at.desc(), Opening.id.desc())).scalars().all()
