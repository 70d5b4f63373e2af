"""The door of the resource library: units in three colours and what they give."""

from __future__ import annotations

from redeem.library.actions import ADDRESS_LENGTH_MAX
from redeem.library.actions import NAME_LENGTH_MAX
from redeem.library.actions import add_resource
from redeem.library.actions import add_unit
from redeem.library.actions import describe
from redeem.library.model import Resource
from redeem.library.model import Unit
from redeem.library.queries import names_of
from redeem.library.queries import resources
from redeem.library.queries import unit
from redeem.library.queries import unit_named
from redeem.library.queries import units
from redeem.library.queries import units_by_id
from redeem.library.rules import COLOURS
from redeem.library.rules import RESOURCE_KINDS

__all__ = [
    "ADDRESS_LENGTH_MAX",
    "COLOURS",
    "NAME_LENGTH_MAX",
    "RESOURCE_KINDS",
    "Resource",
    "Unit",
    "add_resource",
    "add_unit",
    "describe",
    "names_of",
    "resources",
    "unit",
    "unit_named",
    "units",
    "units_by_id",
]
