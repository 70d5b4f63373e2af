"""The areas of the book: its own tree, and drawing grids in it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger import areas
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("areas", __name__, "Areas of the book: its tree of townships, communities, grids and micro-grids")


class AreaOut(Shape):
    """An area."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(required=True)
    kind = fields.String(required=True, allow_none=True)
    parent_code = fields.String(required=True, allow_none=True)


class AreasQuery(PageQuery):
    """Which part of the tree."""

    below = Code(load_default=None, metadata={"description": "only this area and those below it"})


class GridIn(Shape):
    """A grid to draw."""

    parent_code = Code(required=True)
    code = Code(required=True)
    name = Words(areas.NAME_LENGTH_MAX, required=True)
    level = Choice("grid", "micro_grid", load_default="grid")
    kind = Choice(*areas.GRID_KINDS, load_default=None, allow_none=True)


@blp.reads("/areas", AreaOut, query=AreasQuery, paged=True)
@allow()
def list_areas(asked: dict[str, Any]) -> Page:
    """List the areas of the book, parents first."""
    root = areas.area(session(), me().book_id, asked["below"] or me().book.area_code)
    (after,) = read_cursor(asked["cursor"], str) or ("",)
    found = areas.subtree(session(), me().book_id, root.path, after=after, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda area: [area.path])


@blp.reads("/areas/<code>", AreaOut)
@allow()
def get_area(code: str) -> areas.Area:
    """Show one area of the book."""
    return areas.area(session(), me().book_id, code)


@blp.writes("/areas", GridIn, AreaOut, status=201)
@allow("administrator")
def add_grid(asked: dict[str, Any]) -> areas.Area | Refusal:
    """Draw a grid below a community, or a micro-grid below a grid, where one is administrator."""
    return areas.add_grid(session(), act(), **asked, within=me().scope("administrator"))
