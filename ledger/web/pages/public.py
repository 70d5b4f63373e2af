"""What anybody may see: the landing page, the tariff, the figures of a month, the notice board, what a problem's code means."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint
from flask import abort
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import claims
from ledger import reports
from ledger import tariff
from ledger.areas import Book
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.reports import TOLD_FROM
from ledger.reports import Month
from ledger.reports import Told
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.problems import PROBLEMS
from ledger.web.kit.shared import for_everybody
from ledger.web.kit.templating import named

pages = Blueprint("public", __name__)

NOTICES = 50
#: So many months back can be chosen.
MONTHS = 24


@pages.get("/healthz")
@allow(public=True)
def health() -> ResponseReturnValue:
    """Say that the service is up; nothing else is asked."""
    return {"status": "ok"}


@pages.get("/")
@allow(public=True)
def landing() -> ResponseReturnValue:
    """Show what this is, or, to somebody signed in, their own home."""
    if maybe_me():
        return redirect(url_for("sign_in.home"))
    return for_everybody(render_template("ledger/public/landing.html", books=areas.books(session())))


@pages.get("/tariff/<int(max=99999):number>")
@allow(public=True)
def rates(number: int) -> ResponseReturnValue:
    """Show what each deed is worth today in a book, by category."""
    book = _book(number)
    today = local_day(services().clock.now(), book.zone)
    found = tariff.rates_on(session(), book.id, today)
    categories = [
        (category, [rate for rate in found if rate.category == category.code]) for category in tariff.categories(session(), book.id)
    ]
    return for_everybody(render_template("ledger/public/tariff.html", book=book, categories=categories, today=today))


@pages.get("/figures/<int(max=99999):number>")
@allow(public=True)
def figures(number: int) -> ResponseReturnValue:
    """Show what was credited in a month by category; where it was to very few, so that they could be recognised, not how much."""
    book = _book(number)
    now = services().clock.now()
    this = Month.of(local_day(now, book.zone))
    month = Month.read(request.args["month"]) if request.args.get("month") else this
    if not this.moved(1 - MONTHS) <= month <= this:
        raise NotFound("month")
    rows = reports.told(session(), book, month, now)
    found = {row.category: row for row in rows if row.month == month}
    categories = [(named(category), found[category.code]) for category in tariff.categories(session(), book.id) if category.code in found]
    months = reports.months_to(month, reports.YEAR)
    return for_everybody(
        render_template(
            "ledger/public/figures.html",
            book=book,
            month=month,
            is_over=month < this,
            months=[(str(one), str(one)) for one in reversed(reports.months_to(this, MONTHS))],
            categories=categories,
            told_from=TOLD_FROM,
            total=_total(rows, month),
            year=[(one, *_total(rows, one)) for one in months],
        )
    )


def _total(rows: Iterable[Told], month: Month) -> tuple[int, int]:
    """Return the deeds and points of what is told of a month: with the rest in it, the rest could be reckoned."""
    shown = [row for row in rows if row.month == month and row.owners >= TOLD_FROM]
    return sum(row.deeds for row in shown), sum(row.points for row in shown)


@pages.get("/notices/<int(max=99999):number>")
@allow(public=True)
def notices(number: int) -> ResponseReturnValue:
    """Show what stands on public notice in a book and what was credited this month, with masked names."""
    book = _book(number)
    (after,) = read_cursor(request.args.get("cursor"), UUID) or (None,)
    found = claims.public_notices(session(), services().vault, book, services().clock.now(), after=after, limit=NOTICES + 1)
    page = page_of(found, NOTICES, lambda notice: [notice.id])
    return render_template("ledger/public/notices.html", book=book, notices=page.items, next=page.next)


def _book(number: int) -> Book:
    if (found := areas.book_numbered(session(), number)) is None:
        raise NotFound("book")
    return found


@pages.get("/problems/<code>")
@allow(public=True)
def problem_type(code: str) -> ResponseReturnValue:
    """Explain a problem's code in both languages."""
    if code not in PROBLEMS:
        abort(404)
    return render_template("ledger/public/problem.html", code=code, explained=PROBLEMS[code])
