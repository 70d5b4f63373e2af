"""What an approver weighs of the claims in a queue: who must stand aside, what looks told twice, what else the same people did."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger import tariff
from ledger.claims import queries
from ledger.claims.model import Claim
from ledger.claims.queries import ClaimRow
from ledger.claims.queries import Telling
from ledger.claims.rules import COUNTING
from ledger.claims.rules import NEAR
from ledger.claims.rules import Seen
from ledger.claims.rules import conflict
from ledger.claims.rules import looks_told_twice
from ledger.people import Vault
from ledger.store import words


def standing_aside(session: Session, book_id: UUID, rows: Sequence[ClaimRow], actor_id: UUID) -> dict[UUID, str]:
    """Return why somebody may not approve some of these claims, as approving would refuse it (see `rules.conflict`)."""
    gets = queries.beneficiaries_of(session, book_id, (row.claim for row in rows))
    decisions = queries.decisions_of(session, book_id, [row.id for row in rows])
    vouched = {row.id: {row.claim.reporter_id, row.claim.attester_id or row.claim.reporter_id} for row in rows}
    acted = {row.id: vouched[row.id] | queries.approvers(decisions[row.id]) for row in rows}
    ties = people.tied(session, book_id, {person_id for row in rows for person_id in gets[row.id] | acted[row.id]})
    found: dict[UUID, str] = {}
    for row in rows:
        tied = {other for person_id in gets[row.id] for other in ties[person_id]}
        theirs = {other for person_id in acted[row.id] for other in ties[person_id]}
        why = conflict(actor_id, beneficiaries=gets[row.id], tied=tied, acted=acted[row.id], tied_to_acted=theirs)
        if why is None and (row.claim.attester_id or row.claim.reporter_id) in gets[row.id] | tied:
            why = "attested-by-own"
        if why:
            found[row.id] = why
    return found


@dataclass(frozen=True)
class ToldTwice:
    """Another claim that may tell of the same deed."""

    id: UUID
    deed_on: date
    state: str
    place: str


def told_twice(session: Session, vault: Vault, book_id: UUID, rows: Sequence[ClaimRow]) -> dict[UUID, list[ToldTwice]]:
    """Return for each of these claims the others of the same person or team that may tell of the same deed, the latest first."""
    if not rows:
        return {}
    owners = {row.id: queries.owner_of(row.claim) for row in rows}
    days = [row.claim.deed_on for row in rows]
    wanted = (
        select(Claim, tariff.Rate.deed)
        .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
        .where(
            Claim.book_id == book_id,
            queries.owned(set(owners.values())),
            Claim.state.in_(words(COUNTING)),
            Claim.deed_on.between(min(days) - NEAR, max(days) + NEAR),
            tariff.Rate.deed.in_({row.rate.deed for row in rows}),
        )
        .order_by(Claim.deed_on.desc(), Claim.id.desc())
    )
    others = session.execute(wanted).all()
    # Where they were done is sealed: only what comes near in everything else is opened.
    near = {
        row.id: [claim for claim, deed in others if _comes_near(row, owners[row.id], claim, deed)] for row in rows
    }  # fmt: skip
    close = {claim.id: claim for row in rows if near[row.id] for claim in (row.claim, *near[row.id])}
    told = queries.told_of(session, vault, book_id, close.values())
    return {
        row.id: [
            ToldTwice(claim.id, claim.deed_on, claim.state, told[claim.id].place)
            for claim in near[row.id]
            if looks_told_twice(_seen(row.claim, told), _seen(claim, told))
        ]
        for row in rows
    }


def _comes_near(row: ClaimRow, owner: UUID, other: Claim, deed: str) -> bool:
    is_other = other.id != row.id and (other.person_id or other.team_id) == owner
    return is_other and deed == row.rate.deed and abs(other.deed_on - row.claim.deed_on) <= NEAR


def _seen(claim: Claim, told: dict[UUID, Telling]) -> Seen:
    return Seen(claim.deed_on, claim.starts_at, claim.minutes, told[claim.id].place)


@dataclass(frozen=True)
class Record:
    """What somebody, or a team, is said to have done: how often and for how many points this month and year, and what was turned down."""

    month_count: int = 0
    month_points: int = 0
    year_count: int = 0
    year_points: int = 0
    year_turned_down: int = 0


def records_this_year(session: Session, book_id: UUID, owners: Collection[UUID], today: date) -> dict[UUID, Record]:
    """Return what each person and team is said to have done this month and year, in one query."""
    counts, points = Claim.state.in_(words(COUNTING)), func.coalesce(Claim.points, 0)
    is_this_month = and_(counts, Claim.deed_on >= today.replace(day=1))
    figures = (
        (is_this_month, 1), (is_this_month, points), (counts, 1), (counts, points), (Claim.state.in_(words(("returned", "refused"))), 1),
    )  # fmt: skip
    sums = [func.sum(case((condition, value), else_=0)) for condition, value in figures]
    found = dict.fromkeys(owners, Record())
    for chunk in people.in_sets(set(owners)):
        wanted = (
            select(queries.OWNER, *sums)
            .where(Claim.book_id == book_id, queries.owned(chunk), Claim.deed_on.between(today.replace(month=1, day=1), today))
            .group_by(queries.OWNER)
        )
        found |= {owner: Record(*(int(one) for one in figures)) for owner, *figures in session.execute(wanted)}
    return found


def last_deeds(session: Session, book_id: UUID, person_ids: Collection[UUID]) -> dict[UUID, ClaimRow]:
    """Return the last deed of each of these persons that counts, of those who did any."""
    place = func.row_number().over(partition_by=Claim.person_id, order_by=(Claim.deed_on.desc(), Claim.id.desc()))
    found: dict[UUID, ClaimRow] = {}
    for chunk in people.in_sets(set(person_ids)):
        counted = select(Claim.id, place.label("place")).where(
            Claim.book_id == book_id, Claim.person_id.in_(chunk), Claim.state.in_(words(COUNTING))
        )
        ranked = counted.subquery()
        ids = session.execute(select(ranked.c.id).where(ranked.c.place == 1)).scalars().all()
        rows = queries.rows_of(session, book_id, ids)
        found |= {row.claim.person_id: row for row in rows if row.claim.person_id}
    return found
