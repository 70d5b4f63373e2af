"""What ends with somebody who leaves for good: their claims that nobody has decided, and their points, which go to everybody."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import Act
from ledger.claims import actions
from ledger.claims import photos
from ledger.claims.model import Claim
from ledger.claims.rules import ON_THE_WAY
from ledger.clock import local_day
from ledger.errors import Refusal


def leaving() -> people.Leaving:
    """Return what claims and passbooks have to do with somebody who leaves."""
    return people.Leaving(_end, _against, photos.remove_of)


def _against(session: Session, act: Act, person_id: UUID) -> Refusal | None:
    wanted = select(Claim.id).where(Claim.book_id == act.book_id, Claim.person_id == person_id, Claim.state.in_(ON_THE_WAY))
    if session.execute(wanted.limit(1)).scalar_one_or_none() is not None:
        return Refusal("points-on-the-way", "person_id")
    passbook = journal.account_ids(session, act.book_id, "passbook", [person_id]).get(person_id)
    if passbook is None:
        return None
    # Under its lock until the points have gone: what is read now is all that there is.
    journal.lock_spendable(session, act.book_id, [passbook], act.at)
    is_held = journal.balance_of(session, act.book_id, passbook, act.at).held > 0
    return Refusal("points-held", "person_id") if is_held else None


def _end(session: Session, act: Act, person_id: UUID) -> None:
    actions.withdraw_all(session, act, person_id)
    passbook = journal.account_ids(session, act.book_id, "passbook", [person_id]).get(person_id)
    points = journal.balance_of(session, act.book_id, passbook, act.at).balance if passbook else 0
    if passbook is None or points == 0:
        return
    (pool,) = journal.open_accounts(session, act.book_id, [("donated", act.book_id)], act.at).values()
    about = journal.About(deed_on=local_day(act.at, areas.book(session, act.book_id).zone))
    given = journal.Transfer(act=act, from_account=passbook, to_account=pool, amount=points, kind="donation", about=about)
    (outcome,) = journal.post(session, act.book_id, [given])
    assert isinstance(outcome, journal.Posted), outcome
