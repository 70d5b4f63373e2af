"""How approved claims become awards: notice first where they are large, then points from the nearest fund, all in one post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import false
from sqlalchemy import or_
from sqlalchemy.orm import Session

from ledger import activities
from ledger import areas
from ledger import funds
from ledger import journal
from ledger.act import Act
from ledger.claims.model import Claim
from ledger.clock import local_day
from ledger.store import update_rows


@dataclass(frozen=True)
class Moved:
    """Where a claim stands after an act."""

    id: UUID
    state: str


def award(session: Session, act: Act, claims: Sequence[Claim], *, after_notice: bool = False) -> dict[UUID, dict[str, Any]]:
    """Return the new values of claims that have all their approvals: on notice, credited, or waiting for funds."""
    book = areas.book(session, act.book_id)
    values: dict[UUID, dict[str, Any]] = {}
    paid = []
    for claim in claims:
        if claim.points > book.notice_above_points and not after_notice:
            values[claim.id] = {"state": "on_notice", "notice_ends_at": act.at + timedelta(days=book.notice_days)}
        else:
            paid.append(claim)
    return values | _pay(session, act, book, paid)


def _pay(session: Session, act: Act, book: areas.Book, claims: Sequence[Claim]) -> dict[UUID, dict[str, Any]]:
    if not claims:
        return {}
    payers = _payers(session, act, book, claims)
    owners = {claim.id: _owner(claim) for claim in claims}
    accounts = journal.open_accounts(session, act.book_id, set(owners.values()), act.at)
    asked = [claim for claim in claims if claim.id in payers]
    fund_accounts = journal.account_ids(session, act.book_id, "fund", set(payers.values()))
    movements = [
        journal.Transfer(
            act=act,
            position=position,
            from_account=fund_accounts[payers[claim.id]],
            to_account=accounts[owners[claim.id]],
            amount=claim.points,
            kind="award",
            about=journal.About(deed_on=claim.deed_on, reference=claim.id),
        )
        for position, claim in enumerate(asked)
    ]
    outcomes = journal.post(session, act.book_id, movements) if movements else []
    credited = {
        claim.id: {"state": "credited", "fund_id": payers[claim.id], "entry_id": outcome.entry_id}
        for claim, outcome in zip(asked, outcomes, strict=True)
        if isinstance(outcome, journal.Posted)
    }
    # A fund that is used up leaves approved deeds waiting; it never refuses them.
    return {claim.id: credited.get(claim.id, {"state": "awaiting_funds"}) for claim in claims}


def _payers(session: Session, act: Act, book: areas.Book, claims: Sequence[Claim]) -> dict[UUID, UUID]:
    """Return for each claim the nearest fund that has enough left for it and for those before it."""
    found = funds.open_funds(session, act.book_id, local_day(act.at, book.zone))
    accounts = journal.account_ids(session, act.book_id, "fund", [fund.id for fund in found])
    left = journal.available_of(session, act.book_id, accounts.values())
    paths = areas.paths_of(session, act.book_id, {claim.area_code for claim in claims})
    payers: dict[UUID, UUID] = {}
    for claim in claims:
        for fund in funds.nearest(found, paths[claim.area_code]):
            if left[accounts[fund.id]] >= claim.points:
                left[accounts[fund.id]] -= claim.points
                payers[claim.id] = fund.id
                break
    return payers


def _owner(claim: Claim) -> tuple[str, UUID]:
    if claim.person_id:
        return "passbook", claim.person_id
    assert claim.team_id is not None
    return "team", claim.team_id


def write(session: Session, act: Act, values: dict[UUID, dict[str, Any]]) -> list[Moved]:
    """Write the new values of claims, and say where they stand."""
    for keys in {tuple(sorted(columns)) for columns in values.values()}:
        rows = [
            {"book_id": act.book_id, "id": claim_id, **columns} for claim_id, columns in values.items() if tuple(sorted(columns)) == keys
        ]
        update_rows(session, Claim, rows)
    session.expire_all()
    return [Moved(claim_id, columns["state"]) for claim_id, columns in values.items()]


def payable(session: Session, act: Act) -> ColumnElement[bool]:
    """Return the condition that some open fund has enough left for a claim, so that one that has not holds up nobody else's."""
    found = funds.open_funds(session, act.book_id, local_day(act.at, areas.book(session, act.book_id).zone))
    accounts = journal.account_ids(session, act.book_id, "fund", [fund.id for fund in found])
    left = journal.available_of(session, act.book_id, accounts.values())
    return or_(
        false(),
        *(
            and_(areas.covered(act.book_id, Claim.area_code, (fund.path,)), Claim.points <= left[accounts[fund.id]])
            for fund in found
            if left[accounts[fund.id]] > 0
        ),
    )


def record_hours(session: Session, act: Act, claims: Sequence[Claim]) -> None:
    """Record the honour hours of approved deeds that somebody attested; what check-out attested was recorded then, as credit hours."""
    attended = {(claim.activity_id, claim.person_id) for claim in claims if claim.activity_id and claim.person_id}
    credited = activities.credited(session, act.book_id, attended) if attended else set()
    served = [
        activities.Served(claim.person_id, "honour", claim.minutes, claim.deed_on, claim.id)
        for claim in claims
        if claim.person_id and claim.minutes and (claim.activity_id, claim.person_id) not in credited
    ]
    activities.record_hours(session, act, served)
