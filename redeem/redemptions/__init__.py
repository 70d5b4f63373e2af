"""The door of the desk: where points are taken, by the shop's order code or the volunteer's pay code, and given back."""

from __future__ import annotations

from redeem.redemptions.actions import cancel
from redeem.redemptions.actions import confirm
from redeem.redemptions.actions import decline
from redeem.redemptions.actions import void
from redeem.redemptions.carding import CardTaking
from redeem.redemptions.carding import shop_of
from redeem.redemptions.carding import take_by_card
from redeem.redemptions.disclosing import records_of
from redeem.redemptions.erasing import leaving
from redeem.redemptions.model import Redemption
from redeem.redemptions.model import Void
from redeem.redemptions.orders import OrderCode
from redeem.redemptions.orders import confirm_order
from redeem.redemptions.orders import open_order
from redeem.redemptions.orders import order
from redeem.redemptions.orders import order_code
from redeem.redemptions.pricing import Asked
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.queries import Taken
from redeem.redemptions.queries import had
from redeem.redemptions.queries import lately
from redeem.redemptions.queries import of_person
from redeem.redemptions.queries import of_units
from redeem.redemptions.queries import redemption
from redeem.redemptions.queries import standing
from redeem.redemptions.queries import taken_since
from redeem.redemptions.queries import waiting_for
from redeem.redemptions.rules import NUMBER_LENGTH
from redeem.redemptions.rules import ORDER_LIVES
from redeem.redemptions.rules import QUANTITY_MAX
from redeem.redemptions.rules import REQUEST_LIVES
from redeem.redemptions.rules import VOID_REASONS
from redeem.redemptions.taking import Taking
from redeem.redemptions.taking import take
from redeem.redemptions.verify import verify

__all__ = [
    "NUMBER_LENGTH",
    "ORDER_LIVES",
    "QUANTITY_MAX",
    "REQUEST_LIVES",
    "VOID_REASONS",
    "Asked",
    "CardTaking",
    "OrderCode",
    "Redemption",
    "RedemptionRow",
    "Taken",
    "Taking",
    "Void",
    "cancel",
    "confirm",
    "confirm_order",
    "decline",
    "had",
    "lately",
    "leaving",
    "of_person",
    "of_units",
    "open_order",
    "order",
    "order_code",
    "records_of",
    "redemption",
    "shop_of",
    "standing",
    "take",
    "take_by_card",
    "taken_since",
    "verify",
    "void",
    "waiting_for",
]
