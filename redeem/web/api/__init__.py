"""The API of `redeem`, one module a resource."""

from __future__ import annotations

from flask_smorest import Blueprint

from redeem.web.api import codes
from redeem.web.api import devices
from redeem.web.api import merchants
from redeem.web.api import offers
from redeem.web.api import orders
from redeem.web.api import redemptions
from redeem.web.api import slips
from redeem.web.api import units

ALL: tuple[Blueprint, ...] = (units.blp, merchants.blp, offers.blp, codes.blp, orders.blp, redemptions.blp, devices.blp, slips.blp)
