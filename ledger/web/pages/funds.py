"""Funds: what each has left and where it went, and for those who keep them, opening one and giving it more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import claims
from ledger import funds
from ledger import reports
from ledger.errors import Refusal
from ledger.reports import Month
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("funds", __name__)

READERS, BOOKKEEPERS, WRITERS = funds.MAY["read"], funds.MAY["keep"], funds.MAY["give"]
AT_ONCE = 50
#: So many areas are offered to choose from.
AREAS_MAX = 400


@pages.get("/funds")
@allow(*READERS)
def listed() -> ResponseReturnValue:
    """Show the funds of one's areas, what each was given and has left, and what waits for them."""
    book_id, scope = me().book_id, me().scope(*READERS)
    (after,) = read_cursor(request.args.get("cursor"), UUID) or (None,)
    page = page_of(funds.funds(session(), book_id, scope, after=after, limit=AT_ONCE + 1), AT_ONCE, lambda fund: [fund.id])
    ids = [fund.id for fund in page.items]
    count, points = reports.awaiting_funds(session(), book_id, scope)
    return render_template(
        "ledger/funds/list.html", funds=page.items, next=page.next, left=funds.left_in(session(), book_id, ids), today=me().today,
        given=reports.given_to(session(), book_id, ids), places=areas.names_of(session(), book_id, {fund.area_code for fund in page.items}),
        count=count, points=points, kept=_kept(page.items), gives=me().has(*WRITERS), credits=me().has(*claims.MAY["credit"]),
        credited=request.args.get("credited", type=int),
    )  # fmt: skip


def _kept(found: Sequence[funds.Fund]) -> set[UUID]:
    """Return those of these funds whose history whoever asks may read."""
    paths = areas.paths_of(session(), me().book_id, {fund.area_code for fund in found})
    return {fund.id for fund in found if areas.in_scope(paths[fund.area_code], me().scope(*BOOKKEEPERS))}


@pages.post("/funds/credit-due")
@allow(*claims.MAY["credit"])
@form_write(listed)
def credit_due() -> str:
    """Credit what has stood on notice long enough, and what waited for funds that have come."""
    moved = claims.credit_due(session(), act())
    return url_for("funds.listed", credited=sum(one.state == "credited" for one in moved))


@pages.get("/funds/new")
@allow(*WRITERS, fresh=True)
def open_form() -> ResponseReturnValue:
    """Ask for a fund's name, its area, its days and its first budget."""
    tops = areas.widest(me().scope(*WRITERS))
    places = [area for path in tops for area in areas.subtree(session(), me().book_id, path, limit=AREAS_MAX)]
    return render_template("ledger/funds/new.html", places=[(area.code, area.name) for area in places], today=me().today)


@pages.post("/funds/new")
@allow(*WRITERS, fresh=True)
@form_write(open_form)
def open_fund() -> str | Refusal:
    """Open a fund for an area and below it."""
    opened = funds.open_fund(
        session(),
        act(),
        name=forms.words("name", funds.NAME_LENGTH_MAX),
        area_code=forms.text("area_code"),
        opens_on=forms.day("opens_on"),
        closes_on=forms.day("closes_on") if forms.text("closes_on") else None,
        budget=forms.points("budget") if forms.text("budget") else None,
        within=me().scope(*WRITERS),
    )
    return opened if isinstance(opened, Refusal) else url_for("funds.fund", fund_id=opened.id)


@pages.get("/funds/<uuid:fund_id>")
@allow(*BOOKKEEPERS)
def fund(fund_id: UUID) -> ResponseReturnValue:
    """Show what a fund was given, and what it awarded month by month; to whom is not told."""
    found = funds.fund(session(), me().book_id, fund_id, me().scope(*BOOKKEEPERS))
    month = Month.of(me().today)
    covers = reports.covers(session(), me().book_id, areas.EVERYWHERE, me().today, services().clock.now())
    return render_template(
        "ledger/funds/fund.html",
        fund=found,
        place=areas.area(session(), me().book_id, found.area_code),
        left=funds.left_in(session(), me().book_id, [fund_id])[fund_id],
        given=reports.given_to(session(), me().book_id, [fund_id])[fund_id],
        budgets=reports.budgets_of(session(), me().book_id, fund_id),
        months=reports.awarded_by(session(), me().book, fund_id, month),
        cover=next((one for one in covers if one.id == fund_id), None),
        today=me().today,
        gives=areas.in_scope(areas.path_of(session(), me().book_id, found.area_code), me().scope(*WRITERS)),
    )


@pages.get("/funds/<uuid:fund_id>/budget")
@allow(*WRITERS, fresh=True)
def budget_form(fund_id: UUID) -> ResponseReturnValue:
    """Ask how much more a fund is to be given."""
    found = funds.fund(session(), me().book_id, fund_id, me().scope(*WRITERS))
    return render_template("ledger/funds/budget.html", fund=found, left=funds.left_in(session(), me().book_id, [fund_id])[fund_id])


@pages.post("/funds/<uuid:fund_id>/budget")
@allow(*WRITERS, fresh=True)
@form_write(budget_form)
def add_budget(fund_id: UUID) -> str | Refusal:
    """Give a fund more to award."""
    given = funds.add_budget(session(), act(), fund_id, forms.points("points"), within=me().scope(*WRITERS))
    return given if isinstance(given, Refusal) else url_for("funds.fund", fund_id=fund_id)
