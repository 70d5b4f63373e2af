"""The pay code that a volunteer shows at a till, drawn by this service where no phone of theirs does."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger.errors import Refusal
from ledger.web.kit.addresses import code_address
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Shape
from redeem.web.kit import own_pay_code

blp = Resource("codes", __name__, "Pay codes that volunteers show")


class PayCodeOut(Shape):
    """A pay code: for scanning, and to type after the handle."""

    token = fields.String(required=True)
    address = fields.String(required=True, metadata={"description": "what the QR code says"})
    handle = fields.String(required=True)
    digits = fields.String(required=True)
    valid_until = Moment(required=True)


@blp.reads("/pay-code", PayCodeOut)
@allow("volunteer")
def pay_code() -> tuple[dict[str, Any], int, dict[str, str]] | Refusal:
    """Return the code to show at a till now; a new one every 30 seconds. A helper draws none for somebody else."""
    code = own_pay_code()
    if isinstance(code, Refusal):
        return code
    return vars(code) | {"address": code_address("p", code.token)}, 200, {"Cache-Control": "no-store"}
