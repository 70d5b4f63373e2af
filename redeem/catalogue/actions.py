"""Making offers, and moving stock: each change is a numbered movement under the stock's lock."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.points import is_amount
from redeem.catalogue import queries
from redeem.catalogue.model import Offer
from redeem.catalogue.model import Stock
from redeem.catalogue.model import StockMovement
from redeem.catalogue.rules import LIMIT_PERIODS

TITLE_LENGTH_MAX = 100
QUANTITY_MAX = 1_000_000
CASH_FEN_MAX = 100_000_000


def add_offer(
    session: Session,
    act: Act,
    unit_id: UUID,
    *,
    title: str,
    points: int,
    valid_from: date,
    cash_fen: int = 0,
    valid_to: date | None = None,
    limit_per_person: int | None = None,
    limit_period: str | None = None,
    stock: int | None = None,
) -> Offer:
    """Offer something for points, and cash beside them; without `stock` it never runs out. A new price is a new offer."""
    if not 1 <= len(title.strip()) <= TITLE_LENGTH_MAX or not title.isprintable():
        raise Invalid("text-malformed", "title")
    if not is_amount(points):
        raise Invalid("amount-malformed", "points")
    if type(cash_fen) is not int or not 0 <= cash_fen <= CASH_FEN_MAX:
        raise Invalid("number-out-of-range", "cash_fen", least=0, most=CASH_FEN_MAX)
    if (limit_per_person is None) != (limit_period is None) or limit_period not in {None, *LIMIT_PERIODS}:
        raise Invalid("choice-malformed", "limit_period")
    if valid_to is not None and valid_to < valid_from:
        raise Invalid("dates-out-of-order", "valid_to")
    offer = Offer(
        book_id=act.book_id, id=new_id(), unit_id=unit_id, title=title.strip(), points=points, cash_fen=cash_fen,
        limit_per_person=limit_per_person, limit_period=limit_period, valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip
    session.add(offer)
    session.flush()
    if stock is not None:
        session.execute(insert(Stock).values(book_id=act.book_id, offer_id=offer.id, on_hand=0, movements=0))
        if stock:
            deliver(session, act, offer.id, stock)
    return offer


def end_offer(session: Session, act: Act, offer_id: UUID, *, unit_ids: Collection[UUID], valid_to: date) -> Offer:
    """Let an offer of one of the shops `unit_ids` end with a day."""
    offer = queries.offer(session, act.book_id, offer_id, unit_ids)
    if valid_to < offer.valid_from:
        raise Invalid("dates-out-of-order", "valid_to")
    session.execute(update(Offer).where(Offer.book_id == act.book_id, Offer.id == offer_id).values(valid_to=valid_to))
    return offer


def lock_stock(session: Session, book_id: UUID, offer_id: UUID) -> Stock | None:
    """Lock the stock of an offer and return it as it stands; None for an offer that never runs out."""
    wanted = select(Stock).where(Stock.book_id == book_id, Stock.offer_id == offer_id)
    return session.execute(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).scalar_one_or_none()


def move(session: Session, act: Act, stock: Stock, quantity: int, kind: str, reference: UUID | None = None) -> int:
    """Write one movement of a locked stock and return what is on hand after it."""
    after = stock.on_hand + quantity
    assert after >= 0, "whoever takes has looked under the lock"
    row = {"number": stock.movements + 1, "kind": kind, "quantity": quantity, "before": stock.on_hand, "after": after}
    whose = {"reference": reference, "actor": act.actor, "moved_at": act.at}
    session.execute(insert(StockMovement).values(book_id=act.book_id, offer_id=stock.offer_id, **row, **whose))
    this = (Stock.book_id == act.book_id, Stock.offer_id == stock.offer_id)
    changed = update(Stock).where(*this).values(on_hand=after, movements=Stock.movements + 1)
    session.execute(changed.execution_options(synchronize_session=False))
    return after


def deliver(session: Session, act: Act, offer_id: UUID, quantity: int, *, unit_ids: Collection[UUID] | None = None) -> int | Refusal:
    """Take a delivery into stock and return what is on hand."""
    queries.offer(session, act.book_id, offer_id, unit_ids)
    if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
        raise Invalid("number-out-of-range", "quantity", least=1, most=QUANTITY_MAX)
    stock = lock_stock(session, act.book_id, offer_id)
    return Refusal("stock-not-kept", "offer_id") if stock is None else move(session, act, stock, quantity, "delivered")


def count(session: Session, act: Act, offer_id: UUID, found: int, *, unit_ids: Collection[UUID] | None = None) -> int | Refusal:
    """Put the stock at what was counted, by one movement, and return it."""
    queries.offer(session, act.book_id, offer_id, unit_ids)
    if type(found) is not int or not 0 <= found <= QUANTITY_MAX:
        raise Invalid("number-out-of-range", "quantity", least=0, most=QUANTITY_MAX)
    stock = lock_stock(session, act.book_id, offer_id)
    if stock is None:
        return Refusal("stock-not-kept", "offer_id")
    return found if found == stock.on_hand else move(session, act, stock, found - stock.on_hand, "counted")
