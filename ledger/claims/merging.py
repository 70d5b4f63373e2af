"""Two records of one person become one: points, ties and mandates go over to the one that is kept, and nobody signs in as the other."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.act import Act
from ledger.areas import Scope
from ledger.claims.model import Claim
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.people import Merge
from ledger.people import PowersOf

#: On their way to points: decided first, or the points would come to a passbook that nobody has any more.
UNDER_WAY = ("reported", "attested", "approved", "on_notice", "objected", "awaiting_funds")


def merge(
    session: Session, act: Act, merge_id: UUID, *, within: Scope = areas.EVERYWHERE, as_administrator: Scope = areas.EVERYWHERE,
    powers_of: PowersOf = people.powers_of,
) -> Merge | Refusal:  # fmt: skip
    """Confirm a proposed merge, as another of the staff; what was done and earned until now stays written where it was."""
    found = people.merge_to_decide(session, act, merge_id, within=within, as_administrator=as_administrator, powers_of=powers_of)
    if isinstance(found, Refusal):
        return found
    if refusal := _claims_under_way(session, act.book_id, found.gone_id) or _move_points(session, act, found):
        return refusal
    people.take_over(session, act, found)
    sign_in.end_every_way_in(session, act, found.gone_id)
    return found


def _claims_under_way(session: Session, book_id: UUID, person_id: UUID) -> Refusal | None:
    wanted = select(Claim.id).where(Claim.book_id == book_id, Claim.person_id == person_id, Claim.state.in_(UNDER_WAY))
    is_any = session.execute(wanted.limit(1)).scalar_one_or_none() is not None
    return Refusal("merge-claims-under-way", "gone_id") if is_any else None


def _move_points(session: Session, act: Act, found: Merge) -> Refusal | None:
    gone = journal.account_ids(session, act.book_id, "passbook", [found.gone_id]).get(found.gone_id)
    if gone is None:
        return None
    (kept,) = journal.open_accounts(session, act.book_id, [("passbook", found.kept_id)], act.at).values()
    journal.lock_spendable(session, act.book_id, [gone, kept], act.at)
    # Under the locks of both: what is read now is what is moved.
    balance = journal.balance_of(session, act.book_id, gone, act.at)
    if balance.held:
        return Refusal("merge-holds-open", "gone_id")
    day = local_day(act.at, areas.book(session, act.book_id).zone)
    about = journal.About(deed_on=day, reference=found.id)
    # Points keep the year they belong to: what runs out at the end of this one was earned in the last.
    by_term = {day.year - 1: balance.expiring, day.year: balance.balance - balance.expiring}
    movements = [
        journal.Transfer(
            act=act, position=position, together="merge", from_account=gone, to_account=kept, amount=points, kind="gift", about=about,
            term=term,
        )
        for position, (term, points) in enumerate(by_term.items())
        if points
    ]  # fmt: skip
    outcomes = journal.post(session, act.book_id, movements) if movements else []
    return next((outcome for outcome in outcomes if isinstance(outcome, Refusal)), None)
