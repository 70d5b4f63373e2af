"""The door of the shops: tills, the people who stand at them, and what a shop is owed."""

from __future__ import annotations

from redeem.merchants.actions import NAME_LENGTH_MAX
from redeem.merchants.actions import add_till
from redeem.merchants.actions import dismiss
from redeem.merchants.actions import hire
from redeem.merchants.actions import note_wrong_tries
from redeem.merchants.disclosing import records_of
from redeem.merchants.erasing import leaving
from redeem.merchants.model import ShopStaff
from redeem.merchants.model import Till
from redeem.merchants.queries import TillSeen
from redeem.merchants.queries import cashiers_on
from redeem.merchants.queries import owed
from redeem.merchants.queries import powers_of
from redeem.merchants.queries import receivable_of
from redeem.merchants.queries import staff_of
from redeem.merchants.queries import tills
from redeem.merchants.queries import tills_seen
from redeem.merchants.queries import waits

__all__ = [
    "NAME_LENGTH_MAX",
    "ShopStaff",
    "Till",
    "TillSeen",
    "add_till",
    "cashiers_on",
    "dismiss",
    "hire",
    "leaving",
    "note_wrong_tries",
    "owed",
    "powers_of",
    "receivable_of",
    "records_of",
    "staff_of",
    "tills",
    "tills_seen",
    "waits",
]
