"""Recompute what claims and the journal say of each other: no award without its claim, no credited claim without its award."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import journal
from ledger.claims.model import Claim
from ledger.journal import Fault

_AT_ONCE = 10_000


def verify(session: Session, book_id: UUID) -> list[Fault]:
    """Return every award and every credited claim of the book that do not say the same."""
    return list(_faults(session, book_id))


def _faults(session: Session, book_id: UUID) -> Iterator[Fault]:
    wanted = select(Claim.id, Claim.entry_id, Claim.points, Claim.person_id, Claim.team_id).where(
        Claim.book_id == book_id, Claim.state == "credited"
    )
    credited = {
        claim_id: (entry_id, points, ("passbook", person_id) if person_id else ("team", team_id))
        for claim_id, entry_id, points, person_id, team_id in session.execute(wanted.execution_options(yield_per=_AT_ONCE))
    }
    for entry in journal.entries_of_kinds(session, book_id, ["award"]):
        told = credited.pop(entry.reference, None) if entry.reference else None
        if told is None:
            yield Fault(f"entry {entry.id}", "awards points for no credited claim")
        elif told != (entry.id, entry.amount, entry.taker):
            yield Fault(f"claim {entry.reference}", f"is credited with {told[1]} points; entry {entry.id} says {entry.amount}")
    for claim_id, (entry_id, _, _) in credited.items():
        yield Fault(f"claim {claim_id}", f"is credited by entry {entry_id}, which awards nothing for it")
