"""The tariff: what deeds are worth, from which day, and how much of it counts."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger import tariff
from ledger.errors import Refusal
from ledger.points import POINTS_MAX
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Points
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Truth
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.reach import against_part_of_book
from ledger.web.kit.writing import act

blp = Resource("tariff", __name__, "The tariff: categories, rates with their dates, caps")

NAME_LENGTH_MAX = 100


class CategoryOut(Shape):
    """A kind of deed."""

    code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    always_two = fields.Boolean(required=True, metadata={"description": "Takes two approvers, however small"})


class CategoriesOut(Shape):
    """The categories in the order of the screen; they come whole."""

    items = fields.List(fields.Nested(CategoryOut), required=True)
    next = fields.String(required=True, allow_none=True)


class RateOut(Shape):
    """What one deed is worth, from one day to another (both included)."""

    id = Id(required=True)
    category = fields.String(required=True)
    deed = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    with_photo = fields.Boolean(required=True, metadata={"description": "Whoever reports it themselves shows a photo of it"})
    valid_from = Day(required=True)
    valid_to = Day(required=True, allow_none=True)


class RatesOut(Shape):
    """The rates of a day, by category; they come whole."""

    items = fields.List(fields.Nested(RateOut), required=True)
    next = fields.String(required=True, allow_none=True)


class TariffQuery(Shape):
    """Which day's rates."""

    on = Day(load_default=None, metadata={"description": "today unless given"})


class RateIn(Shape):
    """What a deed is worth from a day on."""

    category = Code(required=True)
    deed = Code(required=True)
    name_zh = Words(NAME_LENGTH_MAX, required=True)
    name_en = Words(NAME_LENGTH_MAX, required=True)
    unit = Choice(*tariff.UNITS, required=True)
    points = Points(required=True)
    with_photo = Truth(load_default=False, metadata={"description": "Whoever reports it themselves shows a photo of it"})
    valid_from = Day(required=True)


class CapIn(Shape):
    """The most that a person can earn in a period: of one category, one deed, or of everything."""

    period = Choice(*tariff.PERIODS, required=True)
    measure = Choice(*tariff.MEASURES, required=True)
    most = Whole(0, POINTS_MAX, required=True)
    category = Code(load_default=None, allow_none=True)
    deed = Code(load_default=None, allow_none=True)
    unless_checked_in = Truth(load_default=False)
    valid_from = Day(required=True)


class CapOut(Shape):
    """A cap as it is set."""

    id = Id(required=True)
    period = fields.String(required=True)
    measure = fields.String(required=True)
    most = fields.Integer(required=True)
    category = fields.String(required=True, allow_none=True)
    deed = fields.String(required=True, allow_none=True)
    unless_checked_in = fields.Boolean(required=True)
    valid_from = Day(required=True)
    valid_to = Day(required=True, allow_none=True)


@blp.reads("/categories", CategoriesOut)
@allow()
def list_categories() -> dict[str, Any]:
    """List the categories of deeds."""
    return {"items": tariff.categories(session(), me().book_id), "next": None}


@blp.reads("/tariff", RatesOut, query=TariffQuery)
@allow()
def list_rates(asked: dict[str, Any]) -> dict[str, Any]:
    """List the rates in force on a day."""
    return {"items": tariff.rates_on(session(), me().book_id, asked["on"] or me().today), "next": None}


@blp.writes("/tariff/rates", RateIn, RateOut, status=201)
@allow("administrator", fresh=True)
def set_rate(asked: dict[str, Any]) -> tariff.Rate | Refusal:
    """Set what a deed is worth from a day on, today at the earliest; the rate before it ends. For administrators of the whole book."""
    valid_from = asked.pop("valid_from")
    return against_part_of_book() or tariff.define_rate(session(), act(), tariff.RateRow(**asked), valid_from=valid_from)


@blp.writes("/tariff/caps", CapIn, CapOut, status=201)
@allow("administrator", fresh=True)
def set_cap(asked: dict[str, Any]) -> Any:
    """Set the most that a person can earn in a period, from today at the earliest. For administrators of the whole book."""
    return against_part_of_book() or tariff.define_cap(session(), act(), **asked)
