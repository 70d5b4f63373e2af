"""The shop's order code: bound to shop and amount, scanned or typed by the volunteer, who sees both and confirms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger.errors import Refusal
from ledger.web.kit.addresses import code_address
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.writing import act
from redeem import redemptions
from redeem.web.api.redemptions import CODE_LENGTH_MAX
from redeem.web.api.redemptions import AskedIn
from redeem.web.api.redemptions import RedemptionOut

blp = Resource("orders", __name__, "Order codes that shops show, and that volunteers scan and confirm")


class OrderMadeOut(Shape):
    """An order as it is kept, without its code."""

    id = Id(required=True)
    points = fields.Integer(required=True)
    cash_fen = fields.Integer(required=True)
    expires_at = Moment(required=True)


class OrderOut(OrderMadeOut):
    """An order as it is drawn."""

    code = fields.String(required=True)
    number = fields.String(required=True, metadata={"description": "for typing"})
    address = fields.String(required=True, metadata={"description": "what the QR code says"})


class ConfirmIn(Shape):
    """The order to pay: its code, its address, or its number."""

    code = Words(CODE_LENGTH_MAX, required=True)


def _with_code(order: dict[str, Any]) -> dict[str, Any]:
    code = redemptions.order_code(session(), services().vault, me().book, UUID(order["id"]))
    return order | {"code": code.token, "number": code.number, "address": code_address("o", code.token)}


@blp.writes("/orders", AskedIn, OrderMadeOut, status=201, told=(OrderOut, _with_code))
@allow("cashier", "shop_owner")
def open_order(asked: dict[str, Any]) -> redemptions.RedemptionRow | Refusal:
    """Draw an order code at a till of one's own shop: good for 120 seconds."""
    unit_ids = me().unit_ids("cashier", "shop_owner")
    return redemptions.open_order(session(), act(), services().vault, redemptions.Asked(**asked), unit_ids=unit_ids)


@blp.reads("/orders/<code>", RedemptionOut)
@allow("volunteer")
def get_order(code: str) -> redemptions.RedemptionRow | Refusal:
    """Show what an open order asks for, before it is confirmed."""
    return redemptions.order(session(), me().book, code, services().clock.now())


@blp.writes("/orders/confirm", ConfirmIn, RedemptionOut)
@allow("volunteer")
def confirm_order(asked: dict[str, Any]) -> redemptions.RedemptionRow | Refusal:
    """Pay an open order from one's own passbook."""
    return redemptions.confirm_order(session(), act(), asked["code"])
