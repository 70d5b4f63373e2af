"""What anybody may see: the landing page, the tariff, the notice board, what a problem's code means, and whether the service is up."""

from __future__ import annotations

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
from ledger import tariff
from ledger.areas import Book
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.problems import PROBLEMS

pages = Blueprint("public", __name__)

NOTICES = 50


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
    return render_template("ledger/public/landing.html", books=areas.books(session()))


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
    return render_template("ledger/public/tariff.html", book=book, categories=categories, today=today)


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
