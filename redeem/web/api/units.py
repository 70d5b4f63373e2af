"""The units of the resource library in their three colours, and the resources they give."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act
from redeem import library

blp = Resource("units", __name__, "Units of the resource library, red, white and green, and what they give")

#: Who speaks for a unit: the owner of a shop, the representative of any other.
OWN = ("shop_owner", "unit_representative")


class UnitOut(Shape):
    """A unit of the library."""

    id = Id(required=True)
    name = fields.String(required=True)
    colour = fields.String(required=True)
    area_code = fields.String(required=True)
    address = fields.String(required=True)


class UnitsQuery(PageQuery):
    """Which units."""

    colour = Choice(*library.COLOURS, load_default=None, metadata={"description": "Those of one colour"})


class UnitIn(Shape):
    """A unit to take into the library."""

    name = Words(library.NAME_LENGTH_MAX, required=True)
    colour = Choice(*library.COLOURS, required=True)
    area_code = Code(required=True)
    address = Words(library.ADDRESS_LENGTH_MAX, least=0, load_default="")


class ResourceOut(Shape):
    """Something a unit gives."""

    id = Id(required=True)
    unit_id = Id(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True)


class ResourceIn(Shape):
    """Something a unit gives, to write down."""

    kind = Choice(*library.RESOURCE_KINDS, required=True)
    title = Words(library.NAME_LENGTH_MAX, required=True)


@blp.reads("/units", UnitOut, query=UnitsQuery, paged=True)
@allow()
def list_units(asked: dict[str, Any]) -> Page:
    """List the units of the book by name, of one colour if asked."""
    (after,) = read_cursor(asked["cursor"], str) or ("",)
    found = library.units(session(), me().book_id, colour=asked["colour"], after=after, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda unit: [unit.name])


@blp.writes("/units", UnitIn, UnitOut, status=201)
@allow("administrator")
def add_unit(asked: dict[str, Any]) -> library.Unit | Refusal:
    """Take a unit of one of one's areas into the library."""
    return library.add_unit(session(), act(), **asked, within=me().scope("administrator"))


@blp.reads("/units/<uuid:unit_id>/resources", ResourceOut, paged=True)
@allow()
def list_resources(asked: dict[str, Any], unit_id: UUID) -> Page:
    """List what a unit gives."""
    unit = library.unit(session(), me().book_id, unit_id)
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = library.resources(session(), me().book_id, [unit.id], after=after, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda resource: [resource.id])


@blp.writes("/units/<uuid:unit_id>/resources", ResourceIn, ResourceOut, status=201)
@allow("administrator", *OWN)
def add_resource(asked: dict[str, Any], unit_id: UUID) -> library.Resource:
    """Write down something that a unit of one of one's areas, or one's own, gives."""
    within, own = me().scope("administrator"), me().unit_ids(*OWN)
    return library.add_resource(session(), act(), unit_id, **asked, within=within, own=own)
