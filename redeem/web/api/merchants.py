"""The shops: their tills, and the people who stand at them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import people
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act
from redeem import library
from redeem import merchants

blp = Resource("merchants", __name__, "Shops: their tills, and the people who stand at them")

#: Who runs a shop: an administrator of its area, and its owner.
RUNNERS = ("administrator", "shop_owner")


class TillOut(Shape):
    """A place in a shop where points are taken."""

    id = Id(required=True)
    unit_id = Id(required=True)
    name = fields.String(required=True)


class TillIn(Shape):
    """A till to open."""

    name = Words(merchants.NAME_LENGTH_MAX, required=True)


class StaffOut(Shape):
    """Somebody who works or worked in a shop."""

    id = Id(required=True)
    unit_id = Id(required=True)
    person_id = Id(required=True)
    role = fields.String(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True, allow_none=True)


class StaffIn(Shape):
    """Somebody to work in a shop, from one day to another (both included)."""

    person_id = Id(required=True)
    role = Choice(*people.SHOP_ROLES, required=True)
    starts_on = Day(load_default=None, allow_none=True)
    ends_on = Day(load_default=None, allow_none=True)


class StaffEndIn(Shape):
    """The last day of somebody's work in a shop."""

    ends_on = Day(required=True)


@blp.reads("/units/<uuid:unit_id>/tills", TillOut, paged=True)
@allow(*RUNNERS, "cashier")
def list_tills(asked: dict[str, Any], unit_id: UUID) -> Page:
    """List the open tills of a shop, for whoever runs it and for its cashiers."""
    unit = library.unit(session(), me().book_id, unit_id, me().scope("administrator"), me().unit_ids("shop_owner", "cashier"))
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = merchants.tills(session(), me().book_id, [unit.id], after=after, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda till: [till.id])


@blp.writes("/units/<uuid:unit_id>/tills", TillIn, TillOut, status=201)
@allow(*RUNNERS)
def add_till(asked: dict[str, Any], unit_id: UUID) -> merchants.Till | Refusal:
    """Open a till in a white unit; its first makes it a shop."""
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    return merchants.add_till(session(), act(), unit_id, **asked, within=within, own=own)


@blp.reads("/units/<uuid:unit_id>/staff", StaffOut, paged=True)
@allow(*RUNNERS)
def list_staff(asked: dict[str, Any], unit_id: UUID) -> Page:
    """List who works or worked in a shop."""
    unit = library.unit(session(), me().book_id, unit_id, me().scope("administrator"), me().unit_ids("shop_owner"))
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = merchants.staff_of(session(), me().book_id, unit.id, after=after, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda one: [one.id])


@blp.writes("/units/<uuid:unit_id>/staff", StaffIn, StaffOut, status=201)
@allow(*RUNNERS, fresh=True)
def hire(asked: dict[str, Any], unit_id: UUID) -> merchants.ShopStaff | Refusal:
    """Let somebody work in a shop, from today unless told otherwise; an owner hires cashiers only."""
    starts_on: date = asked.pop("starts_on") or me().today
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    return merchants.hire(session(), act(), unit_id, **asked, starts_on=starts_on, within=within, own=own)


@blp.writes("/staff/<uuid:staff_id>/end", StaffEndIn, StaffOut)
@allow(*RUNNERS, fresh=True)
def dismiss(asked: dict[str, Any], staff_id: UUID) -> merchants.ShopStaff | Refusal:
    """Let somebody's work in a shop end with that day; an owner dismisses cashiers only."""
    within, own = me().scope("administrator"), me().unit_ids("shop_owner")
    return merchants.dismiss(session(), act(), staff_id, asked["ends_on"], within=within, own=own)
