"""Funds: where points come from, and what each has left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import funds
from ledger import journal
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Points
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("funds", __name__, "Funds: where points come from")

READERS, BOOKKEEPERS, WRITERS = funds.MAY["read"], funds.MAY["keep"], funds.MAY["give"]


class FundOut(Shape):
    """A named, dated budget of points for an area and below it."""

    id = Id(required=True)
    name = fields.String(required=True)
    area_code = fields.String(required=True)
    opens_on = Day(required=True)
    closes_on = Day(required=True, allow_none=True)
    left = fields.Integer(required=True, metadata={"description": "The points it can still award"})


class FundLineOut(Shape):
    """A line of a fund's account; nothing of it ever changes."""

    number = fields.Integer(required=True)
    entry_id = Id(required=True)
    kind = fields.String(required=True)
    amount = fields.Integer(required=True)
    after = fields.Integer(required=True)
    posted_at = Moment(required=True)


class FundIn(Shape):
    """A fund to open, with its first budget if one is given."""

    name = Words(funds.NAME_LENGTH_MAX, required=True)
    area_code = Code(required=True)
    opens_on = Day(required=True)
    closes_on = Day(load_default=None, allow_none=True)
    budget = Points(load_default=None, allow_none=True)


class BudgetIn(Shape):
    """More points for a fund to award."""

    points = Points(required=True)


@blp.reads("/funds", FundOut, paged=True)
@allow(*READERS)
def list_funds(asked: dict[str, Any]) -> Page:
    """List the funds of one's areas with what each has left, the newest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = funds.funds(session(), me().book_id, me().scope(*READERS), after=after, limit=asked["limit"] + 1)
    page = page_of(found, asked["limit"], lambda fund: [fund.id])
    return Page(_shown(page.items), page.next)


@blp.writes("/funds", FundIn, FundOut, status=201)
@allow(*WRITERS, fresh=True)
def open_fund(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Open a fund for an area where one is administrator or keeps the funds, and below it."""
    outcome = funds.open_fund(session(), act(), **asked, within=me().scope(*WRITERS))
    return outcome if isinstance(outcome, Refusal) else _shown([outcome])[0]


@blp.writes("/funds/<uuid:fund_id>/budgets", BudgetIn, FundOut, status=201)
@allow(*WRITERS, fresh=True)
def add_budget(asked: dict[str, Any], fund_id: UUID) -> dict[str, Any] | Refusal:
    """Give a fund more to award; answer the fund with what it has now."""
    within = me().scope(*WRITERS)
    outcome = funds.add_budget(session(), act(), fund_id, asked["points"], within=within)
    return outcome if isinstance(outcome, Refusal) else _shown([funds.fund(session(), me().book_id, fund_id, within)])[0]


@blp.reads("/funds/<uuid:fund_id>/lines", FundLineOut, paged=True)
@allow(*BOOKKEEPERS)
def list_lines(asked: dict[str, Any], fund_id: UUID) -> Page:
    """List what came into a fund of one's areas and what it awarded, the newest first; whom is not told."""
    fund = funds.fund(session(), me().book_id, fund_id, me().scope(*BOOKKEEPERS))
    (before,) = read_cursor(asked["cursor"], int) or (None,)
    account_id = journal.account_of(session(), me().book_id, "fund", fund.id)
    found = journal.history(session(), me().book_id, account_id, before_number=before, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda line: [line.number])


def _shown(found: Sequence[funds.Fund]) -> list[dict[str, Any]]:
    left = funds.left_in(session(), me().book_id, [fund.id for fund in found])
    columns = ("id", "name", "area_code", "opens_on", "closes_on")
    return [{"left": left[fund.id], **{column: getattr(fund, column) for column in columns}} for fund in found]
