"""What is asked of the catalogue: what can be had, and how many there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import NotFound
from redeem.catalogue.model import Offer
from redeem.catalogue.model import Stock
from redeem.catalogue.model import StockMovement


@dataclass(frozen=True)
class OfferRow:
    """An offer and how many there are; None where it never runs out."""

    offer: Offer
    on_hand: int | None


def offers(
    session: Session, book_id: UUID, on: date, *, unit_ids: Collection[UUID] | None = None, points_most: int | None = None,
    after: UUID | None = None, limit: int = 50,
) -> list[OfferRow]:  # fmt: skip
    """Return the offers that hold on a day, in the order they were made, of some shops if given.

    With `points_most` only what can be had for so many points: it costs no more, and there is some of it.
    """
    wanted = _holding(select(Offer, Stock.on_hand), book_id, on, points_most)
    if unit_ids is not None:
        wanted = wanted.where(Offer.unit_id.in_(unit_ids))
    if after:
        wanted = wanted.where(Offer.id > after)
    return [OfferRow(offer, on_hand) for offer, on_hand in session.execute(wanted.order_by(Offer.id).limit(limit))]


def _holding(wanted: Select[*tuple[Any, ...]], book_id: UUID, on: date, points_most: int | None) -> Select[*tuple[Any, ...]]:
    wanted = wanted.outerjoin(Stock, and_(Stock.book_id == Offer.book_id, Stock.offer_id == Offer.id)).where(
        Offer.book_id == book_id, Offer.valid_from <= on, or_(Offer.valid_to.is_(None), Offer.valid_to >= on)
    )
    if points_most is not None:
        wanted = wanted.where(Offer.points <= points_most, or_(Stock.on_hand.is_(None), Stock.on_hand > 0))
    return wanted


def offers_by_shop(
    session: Session, book_id: UUID, on: date, unit_ids: Collection[UUID], *, points_most: int | None = None, each: int
) -> dict[UUID, list[OfferRow]]:  # fmt: skip
    """Return the offers of each of these shops, at most so many of each, in the order they were made."""
    number = func.row_number().over(partition_by=Offer.unit_id, order_by=Offer.id)
    ranked = _holding(select(Offer.id, number.label("number")).select_from(Offer), book_id, on, points_most)
    first = ranked.where(Offer.unit_id.in_(unit_ids)).subquery()
    wanted = (
        select(Offer, Stock.on_hand)
        .outerjoin(Stock, and_(Stock.book_id == Offer.book_id, Stock.offer_id == Offer.id))
        .join(first, first.c.id == Offer.id)
        .where(Offer.book_id == book_id, first.c.number <= each)
    )
    found: dict[UUID, list[OfferRow]] = {unit_id: [] for unit_id in unit_ids}
    for offer, on_hand in session.execute(wanted.order_by(Offer.id)):
        found[offer.unit_id].append(OfferRow(offer, on_hand))
    return found


def shops_offering(session: Session, book_id: UUID, on: date, *, points_most: int | None = None) -> set[UUID]:
    """Return the shops with an offer that `offers` would give."""
    wanted = _holding(select(Offer.unit_id).select_from(Offer), book_id, on, points_most)
    return set(session.execute(wanted.distinct()).scalars())


def offer(session: Session, book_id: UUID, offer_id: UUID, unit_ids: Collection[UUID] | None = None) -> Offer:
    """Return the offer; raise NotFound where there is none, or none of the shops `unit_ids` where they are given."""
    found = session.execute(select(Offer).where(Offer.book_id == book_id, Offer.id == offer_id)).scalar_one_or_none()
    if found is None or (unit_ids is not None and found.unit_id not in unit_ids):
        raise NotFound("offer_id")
    return found


# Asked at every till, so it is put together once.
_BY_ID = select(Offer).where(Offer.book_id == bindparam("book_id"), Offer.id.in_(bindparam("ids", expanding=True)))


def offers_by_id(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Offer]:
    """Return those of `ids` that are offers of the book."""
    return {row.id: row for row in session.execute(_BY_ID, {"book_id": book_id, "ids": list(ids)}).scalars()}


def moved_for_redemptions(book_id: UUID) -> Select[*tuple[Any, ...]]:
    """Return what says how many of an offer were taken for each redemption (`reference`), and brought back; for those who verify."""
    taken = func.sum(case((StockMovement.kind == "redeemed", -StockMovement.quantity), else_=0))
    back = func.sum(case((StockMovement.kind == "voided", StockMovement.quantity), else_=0))
    return (
        select(StockMovement.offer_id, StockMovement.reference, taken.label("taken"), back.label("brought_back"))
        .where(StockMovement.book_id == book_id, StockMovement.kind.in_(("redeemed", "voided")))
        .group_by(StockMovement.offer_id, StockMovement.reference)
    )
