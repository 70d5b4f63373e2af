"""Recompute what claims and the journal say of each other, and that nobody decided for somebody they were tied to at the time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import journal
from ledger import people
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.errors import Fault
from ledger.people.model import TeamMember

_AT_ONCE = 10_000
_DECIDES = ("attest", "approve", "return", "refuse")


def verify(session: Session, book_id: UUID) -> list[Fault]:
    """Return every award and credited claim of the book that do not say the same, and every decision for one's own."""
    return [*_awards(session, book_id), *_decisions(session, book_id)]


def _awards(session: Session, book_id: UUID) -> Iterator[Fault]:
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


def _decisions(session: Session, book_id: UUID) -> Iterator[Fault]:
    ties = people.ties_ever(book_id)
    member = (TeamMember.book_id == book_id, TeamMember.team_id == Claim.team_id, TeamMember.starts_on <= Claim.deed_on)
    for_person = Claim.person_id == ties.c.other_id
    for_team = (
        select(TeamMember.person_id)
        .where(*member, or_(TeamMember.ends_on.is_(None), TeamMember.ends_on >= Claim.deed_on), TeamMember.person_id == ties.c.other_id)
        .exists()
    )
    then = and_(ties.c.declared_at < Decision.decided_at, or_(ties.c.ended_at.is_(None), ties.c.ended_at > Decision.decided_at))
    wanted = (
        select(Decision.claim_id, Decision.number, Decision.act)
        .join(Claim, and_(Claim.book_id == Decision.book_id, Claim.id == Decision.claim_id))
        .join(ties, and_(ties.c.person_id == Decision.actor, or_(for_person, and_(Claim.team_id.is_not(None), for_team))))
        .where(Decision.book_id == book_id, Decision.act.in_(_DECIDES), then)
        .distinct()
        .order_by(Decision.claim_id, Decision.number)
    )
    for claim_id, number, act in session.execute(wanted):
        yield Fault(f"claim {claim_id} decision {number}", f"is to {act} it, by somebody who was tied to whoever gets the points")
