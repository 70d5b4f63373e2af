"""The pages of `redeem`, one module an audience."""

from __future__ import annotations

from redeem.web.pages import alliance
from redeem.web.pages import catalogue
from redeem.web.pages import devices
from redeem.web.pages import phone
from redeem.web.pages import prints
from redeem.web.pages import shop
from redeem.web.pages import slips
from redeem.web.pages import spend
from redeem.web.pages import till
from redeem.web.pages import witness

ALL = (
    spend.pages,
    phone.pages,
    till.pages,
    witness.pages,
    shop.pages,
    devices.pages,
    prints.pages,
    slips.pages,
    alliance.pages,
    catalogue.pages,
)
