"""Recompute who gave whom a role: nobody is given one, or confirmed in it, by somebody who was tied to them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from uuid import UUID

from sqlalchemy import Subquery
from sqlalchemy import and_
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import type_coerce
from sqlalchemy import union_all
from sqlalchemy.orm import Session

from ledger import areas
from ledger.clock import local_day
from ledger.errors import Fault
from ledger.people.model import EndedTie
from ledger.people.model import Grant
from ledger.people.model import Tie
from ledger.store import Instant


def ties_ever(book_id: UUID) -> Subquery:
    """Return who is or was tied to whom, in both directions: person_id, other_id, declared_at and ended_at, which is none of what holds."""
    ended = (EndedTie.declared_at, EndedTie.ended_at)
    return union_all(
        select(Tie.person_id, Tie.other_id, Tie.declared_at, type_coerce(null(), Instant()).label("ended_at")).where(
            Tie.book_id == book_id
        ),
        select(EndedTie.person_id, EndedTie.other_id, *ended).where(EndedTie.book_id == book_id),
        select(EndedTie.other_id, EndedTie.person_id, *ended).where(EndedTie.book_id == book_id),
    ).subquery()


def verify(session: Session, book_id: UUID) -> list[Fault]:
    """Return every role that somebody gave to their own, or confirmed for their own."""
    return list(_faults(session, book_id))


def _faults(session: Session, book_id: UUID) -> Iterator[Fault]:
    zone = areas.book(session, book_id).zone
    ties = ties_ever(book_id)
    # Each pair is looked up by itself: with an OR between them the database compares every role with every tie.
    pairs = union_all(
        *(
            select(Grant.id.label("grant_id"), one.label("person_id"), other.label("other_id")).where(Grant.book_id == book_id)
            for one, other in combinations((Grant.person_id, Grant.granted_by, Grant.confirmed_by), 2)
        )
    ).subquery()
    wanted = (
        select(Grant.id, Grant.role, Grant.starts_on, ties.c.declared_at, ties.c.ended_at)
        .join(pairs, pairs.c.grant_id == Grant.id)
        .join(ties, and_(ties.c.person_id == pairs.c.person_id, ties.c.other_id == pairs.c.other_id))
        .where(Grant.book_id == book_id)
        .order_by(Grant.id)
    )
    for grant_id, role, starts_on, declared_at, ended_at in session.execute(wanted):
        # A grant knows the day on which it begins: a tie that was there before that day, and on it, was there when it was given.
        if local_day(declared_at, zone) < starts_on and (ended_at is None or local_day(ended_at, zone) > starts_on):
            yield Fault(f"grant {grant_id}", f"of {role} was given or confirmed by somebody tied to whom it concerns")
