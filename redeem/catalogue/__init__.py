"""The door of the catalogue: what can be had for points, and what there is of it."""

from __future__ import annotations

from redeem.catalogue.actions import CASH_FEN_MAX
from redeem.catalogue.actions import QUANTITY_MAX
from redeem.catalogue.actions import TITLE_LENGTH_MAX
from redeem.catalogue.actions import StockChange
from redeem.catalogue.actions import StockSeen
from redeem.catalogue.actions import add_offer
from redeem.catalogue.actions import count
from redeem.catalogue.actions import deliver
from redeem.catalogue.actions import end_offer
from redeem.catalogue.actions import lock_stocks
from redeem.catalogue.actions import move
from redeem.catalogue.model import Offer
from redeem.catalogue.model import Stock
from redeem.catalogue.queries import OfferRow
from redeem.catalogue.queries import moved_for_redemptions
from redeem.catalogue.queries import offer
from redeem.catalogue.queries import offers
from redeem.catalogue.queries import offers_by_id
from redeem.catalogue.queries import offers_by_shop
from redeem.catalogue.queries import shops_offering
from redeem.catalogue.rules import LIMIT_PERIODS
from redeem.catalogue.rules import holds_on
from redeem.catalogue.rules import period_begins
from redeem.catalogue.verify import verify

__all__ = [
    "CASH_FEN_MAX",
    "LIMIT_PERIODS",
    "QUANTITY_MAX",
    "TITLE_LENGTH_MAX",
    "Offer",
    "OfferRow",
    "Stock",
    "StockChange",
    "StockSeen",
    "add_offer",
    "count",
    "deliver",
    "end_offer",
    "holds_on",
    "lock_stocks",
    "move",
    "moved_for_redemptions",
    "offer",
    "offers",
    "offers_by_id",
    "offers_by_shop",
    "period_begins",
    "shops_offering",
    "verify",
]
