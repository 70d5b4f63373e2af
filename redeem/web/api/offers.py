"""What can be had for points, and what there is of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import CashFen
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Points
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act
from redeem import catalogue
from redeem import library

blp = Resource("offers", __name__, "What can be had for points, and what there is of it")

#: Who makes offers and keeps stock: an administrator of the shop's area, and its owner.
RUNNERS = ("administrator", "shop_owner")


class OfferOut(Shape):
    """Goods or a service with its price, and how many there are (null: it never runs out)."""

    id = Id(required=True)
    unit_id = Id(required=True)
    unit_name = fields.String(required=True)
    title = fields.String(required=True)
    points = fields.Integer(required=True)
    cash_fen = fields.Integer(required=True)
    limit_per_person = fields.Integer(required=True, allow_none=True)
    limit_period = fields.String(required=True, allow_none=True)
    valid_from = Day(required=True)
    valid_to = Day(required=True, allow_none=True)
    on_hand = fields.Integer(required=True, allow_none=True)


class OffersQuery(PageQuery):
    """Whose offers."""

    unit_id = Id(load_default=None, metadata={"description": "Those of one shop"})


class OfferIn(Shape):
    """An offer to make; without stock it never runs out."""

    title = Words(catalogue.TITLE_LENGTH_MAX, required=True)
    points = Points(required=True)
    cash_fen = CashFen(load_default=0)
    limit_per_person = Whole(1, catalogue.QUANTITY_MAX, load_default=None, allow_none=True)
    limit_period = Choice(*catalogue.LIMIT_PERIODS, load_default=None, allow_none=True)
    stock = Whole(0, catalogue.QUANTITY_MAX, load_default=None, allow_none=True)
    valid_from = Day(load_default=None, allow_none=True)
    valid_to = Day(load_default=None, allow_none=True)


class OfferEndIn(Shape):
    """The last day of an offer."""

    valid_to = Day(required=True)


class DeliveryIn(Shape):
    """Goods that came in."""

    quantity = Whole(1, catalogue.QUANTITY_MAX, required=True)


class CountIn(Shape):
    """What was counted on the shelf."""

    on_hand = Whole(0, catalogue.QUANTITY_MAX, required=True)


class StockOut(Shape):
    """What there is of an offer."""

    offer_id = Id(required=True)
    on_hand = fields.Integer(required=True)


@blp.reads("/offers", OfferOut, query=OffersQuery, paged=True)
@allow()
def list_offers(asked: dict[str, Any]) -> Page:
    """List what can be had today, in one shop if asked."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    unit_ids = [asked["unit_id"]] if asked["unit_id"] else None
    rows = catalogue.offers(session(), me().book_id, me().today, unit_ids=unit_ids, after=after, limit=asked["limit"] + 1)
    page = page_of(rows, asked["limit"], lambda row: [row.offer.id])
    return Page(_shown(page.items), page.next)


@blp.writes("/units/<uuid:unit_id>/offers", OfferIn, OfferOut, status=201)
@allow(*RUNNERS)
def add_offer(asked: dict[str, Any], unit_id: UUID) -> dict[str, Any] | Refusal:
    """Offer something of a shop, from today unless told otherwise."""
    valid_from: date = asked.pop("valid_from") or me().today
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    offer = catalogue.add_offer(session(), act(), unit_id, **asked, valid_from=valid_from, within=within, own=own)
    return offer if isinstance(offer, Refusal) else _shown([catalogue.OfferRow(offer, asked["stock"])])[0]


@blp.writes("/offers/<uuid:offer_id>/end", OfferEndIn, OfferOut)
@allow(*RUNNERS)
def end_offer(asked: dict[str, Any], offer_id: UUID) -> dict[str, Any]:
    """Let an offer end with that day."""
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    offer = catalogue.end_offer(session(), act(), offer_id, asked["valid_to"], within=within, own=own)
    stock = catalogue.lock_stocks(session(), me().book_id, [offer.id]).get(offer.id)
    return _shown([catalogue.OfferRow(offer, stock.on_hand if stock else None)])[0]


@blp.writes("/offers/<uuid:offer_id>/deliveries", DeliveryIn, StockOut)
@allow(*RUNNERS)
def deliver(asked: dict[str, Any], offer_id: UUID) -> dict[str, Any] | Refusal:
    """Take a delivery into stock."""
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    on_hand = catalogue.deliver(session(), act(), offer_id, asked["quantity"], within=within, own=own)
    return on_hand if isinstance(on_hand, Refusal) else {"offer_id": offer_id, "on_hand": on_hand}


@blp.writes("/offers/<uuid:offer_id>/counts", CountIn, StockOut)
@allow(*RUNNERS)
def count(asked: dict[str, Any], offer_id: UUID) -> dict[str, Any] | Refusal:
    """Put the stock at what was counted."""
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    on_hand = catalogue.count(session(), act(), offer_id, asked["on_hand"], within=within, own=own)
    return on_hand if isinstance(on_hand, Refusal) else {"offer_id": offer_id, "on_hand": on_hand}


def _shown(rows: Sequence[catalogue.OfferRow]) -> list[dict[str, Any]]:
    names = library.names_of(session(), me().book_id, {row.offer.unit_id for row in rows})
    columns = ("id", "unit_id", "title", "points", "cash_fen", "limit_per_person", "limit_period", "valid_from", "valid_to")
    return [
        {"unit_name": names[row.offer.unit_id], "on_hand": row.on_hand, **{column: getattr(row.offer, column) for column in columns}}
        for row in rows
    ]
