"""What is asked at a till, looked up: whose till, which offer, what it costs; and the row it becomes."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.points import is_amount
from redeem import catalogue
from redeem import merchants
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.rules import QUANTITY_MAX
from redeem.redemptions.rules import Terms


@dataclass(frozen=True)
class Asked:
    """What is asked at a till: an offer so many times, or so many points."""

    till_id: UUID
    offer_id: UUID | None = None
    quantity: int = 1
    #: Where no offer is named.
    points: int | None = None


@dataclass(frozen=True)
class Priced:
    """What is asked, looked up: the till, the offer, what it costs."""

    till: merchants.TillSeen
    offer: catalogue.Offer | None
    quantity: int
    points: int
    cash_fen: int
    terms: Terms | None


def price(session: Session, book: areas.Book, asked: Sequence[tuple[Asked, Collection[UUID]]], at: datetime) -> list[Priced]:
    """Look up what is asked at tills of one's own shops; raise NotFound or Invalid for what nobody could ask."""
    tills = merchants.tills_seen(session, book.id, {one.till_id for one, _ in asked})
    named = {one.offer_id for one, _ in asked if one.offer_id}
    offers = catalogue.offers_by_id(session, book.id, named) if named else {}
    today = local_day(at, book.zone)
    priced = []
    for one, unit_ids in asked:
        till = tills.get(one.till_id)
        if till is None or till.unit_id not in unit_ids:
            raise NotFound("till_id")
        if one.offer_id is None:
            if one.points is None:
                raise Invalid("nothing-asked", "points")
            if not is_amount(one.points) or one.quantity != 1:
                raise Invalid("amount-malformed", "points")
            priced.append(Priced(till, None, 1, one.points, 0, None))
            continue
        offer = offers.get(one.offer_id)
        if offer is None or offer.unit_id != till.unit_id:
            raise NotFound("offer_id")
        if one.points is not None:
            raise Invalid("offer-or-points", "points")
        if not 1 <= one.quantity <= QUANTITY_MAX or not is_amount(offer.points * one.quantity):
            raise Invalid("number-out-of-range", "quantity", least=1, most=QUANTITY_MAX)
        terms = terms_of(offer, today)
        priced.append(Priced(till, offer, one.quantity, offer.points * one.quantity, offer.cash_fen * one.quantity, terms))
    return priced


def terms_of(offer: catalogue.Offer, today: date) -> Terms:
    """Return what an offer promises on a day."""
    holds = catalogue.holds_on(offer.valid_from, offer.valid_to, today)
    return Terms(offer.id, offer.unit_id, holds, offer.limit_per_person, offer.limit_period)


def new_row(act: Act, redemption_id: UUID, priced: Priced, way: str, state: str, expires_at: datetime, **more: Any) -> dict[str, Any]:
    """Return a new row of `redemption`."""
    plain = {"person_id": None, "order_hash": None, "order_number": None, "posted_at": None, "entry_id": None, "voided": 0}
    return plain | {
        "book_id": act.book_id, "id": redemption_id, "state": state, "way": way, "unit_id": priced.till.unit_id,
        "till_id": priced.till.id, "cashier_id": act.actor, "offer_id": priced.offer.id if priced.offer else None,
        "quantity": priced.quantity, "points": priced.points, "cash_fen": priced.cash_fen, "opened_at": act.at, "expires_at": expires_at,
    } | more  # fmt: skip


def seen(row: dict[str, Any], priced: Priced, handle: str | None) -> RedemptionRow:
    """Return what was just written as its reader sees it, without reading it again."""
    kept = {key: row[key] for key in row if key not in {"book_id", "order_hash", "order_number"}}
    return RedemptionRow(
        **kept,
        unit_name=priced.till.unit_name,
        till_name=priced.till.name,
        handle_tail=handle and handle[-2:],
        offer_title=priced.offer.title if priced.offer else None,
    )
