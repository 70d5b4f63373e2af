"""Asking to be enrolled, at home or on the phone of a neighbour; staff confirm it."""

from __future__ import annotations

from flask import Blueprint
from flask import g
from flask import make_response
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import people
from ledger.areas import Book
from ledger.errors import DomainError
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import JOINING_LEVELS
from ledger.web.kit import forms
from ledger.web.kit import joining
from ledger.web.kit.auth import allow
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import say
from ledger.web.kit.problems import show
from ledger.web.kit.writing import is_own_form

pages = Blueprint("joining", __name__)


@pages.get("/join")
@allow(public=True)
def choose() -> ResponseReturnValue:
    """Ask in which book; where there is one only, go on to it."""
    books = areas.books(session())
    if len(books) == 1:
        return redirect(url_for("joining.form", number=books[0].number))
    return render_template("ledger/joining/books.html", books=books)


@pages.get("/join/<int(max=99999):number>")
@allow(public=True)
def form(number: int) -> ResponseReturnValue:
    """Ask who wants to be enrolled, and where they live."""
    return render_template("ledger/joining/form.html", places=_places(_book(number)))


@pages.post("/join/<int(max=99999):number>")
@allow(public=True)
def apply_to_join(number: int) -> ResponseReturnValue:
    """Keep what was told for staff to confirm; everybody is answered the same."""
    # Nobody is signed in: the form's own key makes it one application, however often it is sent.
    if not is_own_form():
        return show(problem_body("form-expired"))
    try:
        new = people.NewPerson(
            name=forms.text("name"),
            area_code=forms.words("area_code", 64),
            phone=forms.text("phone") or None,
            birth_month=forms.text("birth_month") or None,
            address=forms.words("address", 500, least=0) or None,
        )
        refused = joining.received(_book(number), new, forms.words("_key", 64))
    except DomainError as problem:
        db.session.rollback()
        return _drawn_again(number, problem)
    return _drawn_again(number, refused) if refused else redirect(url_for("joining.done"), 303)


def _drawn_again(number: int, problem: DomainError | Refusal) -> ResponseReturnValue:
    g.problem = body_of(problem)
    say(g.problem)
    drawn = make_response(form(number))
    drawn.status_code = g.problem["status"]
    return drawn


@pages.get("/join/done")
@allow(public=True)
def done() -> ResponseReturnValue:
    """Say what happens next."""
    return render_template("ledger/joining/done.html")


def _book(number: int) -> Book:
    if (found := areas.book_numbered(session(), number)) is None:
        raise NotFound("book")
    return found


def _places(book: Book) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the communities of a book, township by township, as the options of a choice."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    root = areas.path_of(session(), book.id, book.area_code)
    for area in areas.subtree(session(), book.id, root):
        if area.level == JOINING_LEVELS[0]:
            if not groups:
                groups.append((book.name, []))
            groups[-1][1].append((area.code, area.name))
        elif area.level not in JOINING_LEVELS:
            groups.append((area.name, []))
    return [(name, places) for name, places in groups if places]
