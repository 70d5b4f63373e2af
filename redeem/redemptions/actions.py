"""What is done with what waits at the desk, and with what was taken: confirm, decline, cancel, void."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.points import is_amount
from redeem import catalogue
from redeem import library
from redeem.redemptions import queries
from redeem.redemptions.charging import pay
from redeem.redemptions.model import Redemption
from redeem.redemptions.model import Void
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.rules import VOID_REASONS
from redeem.redemptions.rules import may_void
from redeem.redemptions.rules import state_at


def confirm(session: Session, act: Act, redemption_id: UUID) -> RedemptionRow | Refusal:
    """Confirm a request that waits for oneself: now it is paid."""
    found = _lock(session, act.book_id, redemption_id)
    if found.person_id != act.subject:
        raise NotFound("redemption_id")
    return _not_pending(found, act.at) or pay(session, act, areas.book(session, act.book_id), found)


def decline(session: Session, act: Act, redemption_id: UUID) -> RedemptionRow | Refusal:
    """Say no to a request that waits for oneself."""
    found = _lock(session, act.book_id, redemption_id)
    if found.person_id != act.subject:
        raise NotFound("redemption_id")
    return _not_pending(found, act.at) or _end(session, act, found)


def cancel(session: Session, act: Act, redemption_id: UUID, *, unit_ids: Collection[UUID]) -> RedemptionRow | Refusal:
    """Take back an order or a request of one's own shop that nobody has confirmed yet."""
    found = _lock(session, act.book_id, redemption_id)
    if found.unit_id not in unit_ids:
        raise NotFound("redemption_id")
    if (state := state_at(found.state, found.expires_at, act.at)) not in {"open", "pending"}:
        return Refusal("redemption-lapsed" if state == "lapsed" else "not-pending", "redemption_id", {"state": state})
    return _end(session, act, found)


def _lock(session: Session, book_id: UUID, redemption_id: UUID) -> Redemption:
    wanted = select(Redemption).where(Redemption.book_id == book_id, Redemption.id == redemption_id)
    locked = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    if (found := session.execute(locked).scalar_one_or_none()) is None:
        raise NotFound("redemption_id")
    return found


def _not_pending(found: Redemption, at: datetime) -> Refusal | None:
    state = state_at(found.state, found.expires_at, at)
    if state == "pending":
        return None
    return Refusal("redemption-lapsed", "redemption_id") if state == "lapsed" else Refusal("not-pending", "redemption_id", {"state": state})


def _end(session: Session, act: Act, found: Redemption) -> RedemptionRow:
    found.state = "cancelled"
    session.flush()
    return queries.redemption(session, act.book_id, act.at, found.id)


def void(
    session: Session, act: Act, redemption_id: UUID, *, reason: str, points: int | None = None, unit_ids: Collection[UUID] = (),
    scope: areas.Scope = (),
) -> RedemptionRow | Refusal:  # fmt: skip
    """Give points of a redemption back, all that is left or a part: by its shop on the same day, by staff of its area later too."""
    if reason not in VOID_REASONS:
        raise Invalid("choice-malformed", "reason")
    if points is not None and not is_amount(points):
        raise Invalid("amount-malformed", "points")
    found = _lock(session, act.book_id, redemption_id)
    book = areas.book(session, act.book_id)
    by_shop = found.unit_id in unit_ids
    by_staff = bool(scope) and _is_in_scope(session, found, scope)
    if not by_shop and not by_staff:
        raise NotFound("redemption_id")
    if refusal := _against_void(session, act, book, found, by_shop=not by_staff):
        return refusal
    left = found.points - found.voided
    amount = left if points is None else points
    if amount > left:
        return Refusal("void-exceeds", "points", {"left": left})
    return _give_back(session, act, book, found, amount, reason)


def _against_void(session: Session, act: Act, book: areas.Book, found: Redemption, *, by_shop: bool) -> Refusal | None:
    """Return why nothing of a redemption can be given back by whoever acts."""
    if found.state != "posted" or found.posted_at is None:
        return Refusal("nothing-to-void", "redemption_id", {"state": state_at(found.state, found.expires_at, act.at)})
    if found.person_id == act.actor:
        return Refusal("own-redemption", "redemption_id")
    if found.person_id in people.tied(session, act.book_id, [act.actor])[act.actor]:
        return Refusal("kin-or-household", "redemption_id")
    if not may_void(by_shop=by_shop, posted_on=local_day(found.posted_at, book.zone), today=local_day(act.at, book.zone)):
        return Refusal("void-only-same-day", "redemption_id")
    return Refusal("voided-already", "redemption_id") if found.voided == found.points else None


def _is_in_scope(session: Session, found: Redemption, scope: areas.Scope) -> bool:
    try:
        library.unit(session, found.book_id, found.unit_id, scope)
    except NotFound:
        return False
    return True


def _give_back(session: Session, act: Act, book: areas.Book, found: Redemption, amount: int, reason: str) -> RedemptionRow | Refusal:
    assert found.entry_id is not None
    about = journal.About(
        deed_on=local_day(act.at, book.zone), reference=found.id, unit_id=found.unit_id, till_id=found.till_id
    )  # fmt: skip
    (posted,) = journal.post(
        session, act.book_id, [journal.Reversal(act=act, entry_id=found.entry_id, amount=amount, kind="void", about=about)]
    )
    if isinstance(posted, Refusal):
        return posted
    assert isinstance(posted, journal.Posted)
    number = queries.voids_of(session, act.book_id, found.id) + 1
    row = {"redemption_id": found.id, "number": number, "points": amount, "entry_id": posted.entry_id, "reason": reason}
    session.execute(insert(Void).values(book_id=act.book_id, actor=act.actor, voided_at=act.at, **row))
    found.voided += amount
    session.flush()
    if found.voided == found.points and found.offer_id is not None:
        # Points given back in whole bring the goods back too; a part is a correction of the price.
        change = catalogue.StockChange(act, found.offer_id, found.quantity, "voided", found.id)
        catalogue.move(session, act.book_id, [change])
    return queries.redemption(session, act.book_id, act.at, found.id)
