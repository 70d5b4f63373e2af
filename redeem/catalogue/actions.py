"""Making offers, and moving stock: each change is a numbered movement under the stock's lock."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
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


@dataclass(frozen=True)
class StockChange:
    """So many more or fewer of an offer, and why."""

    act: Act
    offer_id: UUID
    quantity: int
    kind: str
    reference: UUID | None = None


def lock_stocks(session: Session, book_id: UUID, offer_ids: Collection[UUID]) -> dict[UUID, int]:
    """Lock the stocks of offers, in the order of their ids, and return what is on hand; an offer that never runs out has none."""
    return {offer_id: on_hand for offer_id, (on_hand, _) in _locked(session, book_id, offer_ids).items()}


def _locked(session: Session, book_id: UUID, offer_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    if not offer_ids:
        return {}
    wanted = select(Stock.offer_id, Stock.on_hand, Stock.movements).where(Stock.book_id == book_id, Stock.offer_id.in_(offer_ids))
    rows = session.execute(wanted.order_by(Stock.offer_id).with_for_update(key_share=True))
    return {offer_id: (on_hand, movements) for offer_id, on_hand, movements in rows}


def move(session: Session, book_id: UUID, changes: Sequence[StockChange]) -> dict[UUID, int]:
    """Write each change as a numbered movement, and return what is on hand after them; offers without a stock are passed over."""
    stocks = _locked(session, book_id, {change.offer_id for change in changes})
    rows: list[dict[str, Any]] = []
    for change in changes:
        if change.offer_id in stocks:
            before, movements = stocks[change.offer_id]
            after = before + change.quantity
            assert after >= 0, "whoever takes has looked under the lock"
            stocks[change.offer_id] = (after, movements + 1)
            row = {"number": movements + 1, "kind": change.kind, "quantity": change.quantity, "before": before, "after": after}
            whose = {"reference": change.reference, "actor": change.act.actor, "moved_at": change.act.at}
            rows.append({"book_id": book_id, "offer_id": change.offer_id, **row, **whose})
    if rows:
        session.execute(insert(StockMovement), rows)
        counted = [{"book_id": book_id, "offer_id": id_, "on_hand": after, "movements": moved} for id_, (after, moved) in stocks.items()]
        session.execute(update(Stock), counted)
    return {offer_id: on_hand for offer_id, (on_hand, _) in stocks.items()}


def deliver(session: Session, act: Act, offer_id: UUID, quantity: int, *, unit_ids: Collection[UUID] | None = None) -> int | Refusal:
    """Take a delivery into stock and return what is on hand."""
    queries.offer(session, act.book_id, offer_id, unit_ids)
    if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
        raise Invalid("number-out-of-range", "quantity", least=1, most=QUANTITY_MAX)
    after = move(session, act.book_id, [StockChange(act, offer_id, quantity, "delivered")])
    return after.get(offer_id, Refusal("stock-not-kept", "offer_id"))


def count(session: Session, act: Act, offer_id: UUID, found: int, *, unit_ids: Collection[UUID] | None = None) -> int | Refusal:
    """Put the stock at what was counted, by one movement, and return it."""
    queries.offer(session, act.book_id, offer_id, unit_ids)
    if type(found) is not int or not 0 <= found <= QUANTITY_MAX:
        raise Invalid("number-out-of-range", "on_hand", least=0, most=QUANTITY_MAX)
    on_hand = lock_stocks(session, act.book_id, [offer_id]).get(offer_id)
    if on_hand is None:
        return Refusal("stock-not-kept", "offer_id")
    if found != on_hand:
        move(session, act.book_id, [StockChange(act, offer_id, found - on_hand, "counted")])
    return found
