"""The door of codes: drawn for the volunteer, recognised at the till, used once."""

from __future__ import annotations

from redeem.codes.actions import add_device
from redeem.codes.actions import add_phone
from redeem.codes.actions import end_phone
from redeem.codes.actions import pay_code
from redeem.codes.actions import spend
from redeem.codes.disclosing import records_of
from redeem.codes.erasing import leaving
from redeem.codes.keys import sealed_parts
from redeem.codes.model import PayDevice
from redeem.codes.queries import PayCode
from redeem.codes.queries import Recognised
from redeem.codes.queries import devices_of
from redeem.codes.queries import is_used
from redeem.codes.queries import is_used_on
from redeem.codes.queries import phones_of
from redeem.codes.queries import recognise
from redeem.codes.queries import spent
from redeem.codes.queries import used_up
from redeem.codes.rules import PHONES_MAX
from redeem.codes.rules import Given
from redeem.codes.rules import read
from redeem.codes.slips import Slip
from redeem.codes.slips import draw_slip
from redeem.codes.slips import end_slip
from redeem.codes.slips import slips_of

__all__ = [
    "PHONES_MAX",
    "Given",
    "PayCode",
    "PayDevice",
    "Recognised",
    "Slip",
    "add_device",
    "add_phone",
    "devices_of",
    "draw_slip",
    "end_phone",
    "end_slip",
    "is_used",
    "is_used_on",
    "leaving",
    "pay_code",
    "phones_of",
    "read",
    "recognise",
    "records_of",
    "sealed_parts",
    "slips_of",
    "spend",
    "spent",
    "used_up",
]
