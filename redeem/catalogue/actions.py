"""Making offers, and moving stock: each change is a numbered movement under the stock's lock."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.points import is_amount
from redeem import library
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
    within: areas.Scope = areas.EVERYWHERE,
    own: Collection[UUID] = (),
) -> Offer | Refusal:
    """Offer something of a shop for points, and cash beside them; without `stock` it never runs out. A new price is a new offer."""
    unit = library.unit(session, act.book_id, unit_id, within, own)
    if not 1 <= len(title.strip()) <= TITLE_LENGTH_MAX or not title.isprintable():
        raise Invalid("text-malformed", "title")
    if not is_amount(points):
        raise Invalid("amount-malformed", "points")
    _check("cash_fen", cash_fen, 0, CASH_FEN_MAX)
    if (limit_per_person is None) != (limit_period is None) or limit_period not in {None, *LIMIT_PERIODS}:
        raise Invalid("choice-malformed", "limit_period")
    if limit_per_person is not None:
        _check("limit_per_person", limit_per_person, 1, QUANTITY_MAX)
    if stock is not None:
        _check("stock", stock, 0, QUANTITY_MAX)
    if valid_to is not None and valid_to < valid_from:
        raise Invalid("dates-out-of-order", "valid_to")
    if unit.colour != "white":
        return Refusal("unit-not-a-business", "unit_id")
    offer = Offer(
        book_id=act.book_id, id=new_id(), unit_id=unit_id, title=title.strip(), points=points, cash_fen=cash_fen,
        limit_per_person=limit_per_person, limit_period=limit_period, valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip
    session.add(offer)
    session.flush()
    if stock is not None:
        session.execute(insert(Stock).values(book_id=act.book_id, offer_id=offer.id, on_hand=0, movements=0))
        if stock:
            move(session, act.book_id, [StockChange(act, offer.id, stock, "delivered")])
    return offer


def _check(name: str, number: int, least: int, most: int) -> None:
    if type(number) is not int or not least <= number <= most:
        raise Invalid("number-out-of-range", name, least=least, most=most)


def _offer_of(session: Session, act: Act, offer_id: UUID, within: areas.Scope, own: Collection[UUID]) -> Offer:
    """Return the offer; raise NotFound where its shop is neither within `within` nor one of one's `own`."""
    offer = queries.offer(session, act.book_id, offer_id)
    library.unit(session, act.book_id, offer.unit_id, within, own)
    return offer


def end_offer(
    session: Session, act: Act, offer_id: UUID, valid_to: date, *, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> Offer:  # fmt: skip
    """Let an offer end with a day."""
    offer = _offer_of(session, act, offer_id, within, own)
    if valid_to < offer.valid_from:
        raise Invalid("dates-out-of-order", "valid_to")
    offer.valid_to = valid_to
    session.flush()
    return offer


@dataclass(frozen=True)
class StockChange:
    """So many more or fewer of an offer, and why."""

    act: Act
    offer_id: UUID
    quantity: int
    kind: str
    reference: UUID | None = None


# Done at every till, so they are put together once.
_LOCK = (
    select(Stock.offer_id, Stock.on_hand, Stock.movements)
    .where(Stock.book_id == bindparam("book_id"), Stock.offer_id.in_(bindparam("ids", expanding=True)))
    .order_by(Stock.offer_id)
    .with_for_update(key_share=True)
)
_MOVE = insert(StockMovement)
_COUNT = (
    update(Stock)
    .where(Stock.book_id == bindparam("of_book"), Stock.offer_id == bindparam("of_offer"))
    .values(on_hand=bindparam("on_hand"), movements=bindparam("movements"))
)


class StockSeen(NamedTuple):
    """A stock under its lock: what is on hand, and after how many movements."""

    on_hand: int
    movements: int


def lock_stocks(session: Session, book_id: UUID, offer_ids: Collection[UUID]) -> dict[UUID, StockSeen]:
    """Lock the stocks of offers, in the order of their ids, and return how they stand; an offer that never runs out has none."""
    if not offer_ids:
        return {}
    rows = session.connection().execute(_LOCK, {"book_id": book_id, "ids": list(offer_ids)})
    return {offer_id: StockSeen(on_hand, movements) for offer_id, on_hand, movements in rows}


def move(
    session: Session, book_id: UUID, changes: Sequence[StockChange], *, locked: Mapping[UUID, StockSeen] | None = None
) -> dict[UUID, int]:  # fmt: skip
    """Write each change as a numbered movement, and return what is on hand after them; offers without a stock are passed over.

    `locked` is what `lock_stocks` has returned of these offers, where it was asked before in the same transaction.
    """
    ids = {change.offer_id for change in changes}
    stocks = lock_stocks(session, book_id, ids) if locked is None else {id_: locked[id_] for id_ in ids if id_ in locked}
    rows: list[dict[str, Any]] = []
    for change in changes:
        if change.offer_id in stocks:
            before, movements = stocks[change.offer_id]
            after = before + change.quantity
            assert after >= 0, "whoever takes has looked under the lock"
            stocks[change.offer_id] = StockSeen(after, movements + 1)
            row = {"number": movements + 1, "kind": change.kind, "quantity": change.quantity, "before": before, "after": after}
            whose = {"reference": change.reference, "actor": change.act.actor, "moved_at": change.act.at}
            rows.append({"book_id": book_id, "offer_id": change.offer_id, **row, **whose})
    if rows:
        session.connection().execute(_MOVE, rows)
        counted = [{"of_book": book_id, "of_offer": id_, "on_hand": after, "movements": moved} for id_, (after, moved) in stocks.items()]
        session.connection().execute(_COUNT, counted)
    return {offer_id: on_hand for offer_id, (on_hand, _) in stocks.items()}


def deliver(
    session: Session, act: Act, offer_id: UUID, quantity: int, *, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> int | Refusal:  # fmt: skip
    """Take a delivery into stock and return what is on hand."""
    _offer_of(session, act, offer_id, within, own)
    _check("quantity", quantity, 1, QUANTITY_MAX)
    after = move(session, act.book_id, [StockChange(act, offer_id, quantity, "delivered")])
    return after.get(offer_id, Refusal("stock-not-kept", "offer_id"))


def count(
    session: Session, act: Act, offer_id: UUID, found: int, *, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> int | Refusal:  # fmt: skip
    """Put the stock at what was counted, by one movement, and return it."""
    _offer_of(session, act, offer_id, within, own)
    _check("on_hand", found, 0, QUANTITY_MAX)
    locked = lock_stocks(session, act.book_id, [offer_id])
    if offer_id not in locked:
        return Refusal("stock-not-kept", "offer_id")
    if found != (on_hand := locked[offer_id].on_hand):
        move(session, act.book_id, [StockChange(act, offer_id, found - on_hand, "counted")], locked=locked)
    return found
