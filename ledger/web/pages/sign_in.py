"""Signing in: by passkey, by password and one-time code, by a one-time link; signing out, and the choice of language."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import g
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import sign_in
from ledger.errors import Refusal
from ledger.tokens import digits_of
from ledger.web.kit import proof
from ledger.web.kit import trail
from ledger.web.kit import trying
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import is_https
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.auth import session_cookie
from ledger.web.kit.auth import with_session
from ledger.web.kit.extensions import LANGUAGE_COOKIE
from ledger.web.kit.extensions import LANGUAGES
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import say
from ledger.web.kit.problems import show
from ledger.web.kit.writing import is_own_form
from ledger.web.pages.office import STAFF

pages = Blueprint("sign_in", __name__)

#: Where each role's home is, the first that is held.
HOMES = (
    ("cashier", "till.till"),
    ("shop_owner", "till.till"),
    *((role, "staff.home") for role in STAFF),
    ("finance", "figures.board"),
    ("county_viewer", "figures.board"),
    ("resident_supervisor", "audit.log"),
    ("building_leader", "leader.home"),
    ("volunteer", "volunteer.home"),
)

#: Of a passbook's number; the book's may stand before it.
_DIGITS = 8

#: Where signing out leads on a paired device: to where the next one signs in.
_AFTER = {"card": "counter.card_form", "shift": "devices.shift"}


@pages.get("/sign-in")
@allow(public=True)
def how() -> ResponseReturnValue:
    """Show the ways in."""
    return trying.with_device(make_response(render_template("ledger/sign_in/how.html", next=safe(request.args.get("next")))))


@pages.get("/sign-in/options")
@allow(public=True)
def options() -> ResponseReturnValue:
    """Tell a browser what to ask a passkey for."""
    return Response(sign_in.sign_in_options(proof.site(), services().clock.now()), content_type="application/json")


@pages.post("/sign-in")
@allow(public=True)
def by_password() -> ResponseReturnValue:
    """Sign in with number, password, and one-time or recovery code; nobody is told which of them was wrong."""
    now, number = services().clock.now(), request.form.get("number", "")
    found = sign_in.find_person(session(), number)
    book = found[0] if found else next(iter(areas.books(session())), None)
    if book is None:
        return _again(Refusal("sign-in-wrong"))
    session().expunge(book)
    book_id, person_id = book.id, found[1].id if found and found[1] else None
    # Where it is nobody's, counted at its eight digits however they were typed, so that nobody's is refused like somebody's.
    reserved = trying.reserve(book_id, f"account {person_id or digits_of(number)[-_DIGITS:]}", person_id)
    if isinstance(reserved, Refusal):
        return _again(reserved)
    password, code = request.form.get("password", ""), request.form.get("code", "")
    with trying.comparing(reserved):
        known = sign_in.check_password(session(), services().vault, book_id, person_id, password, code, now)
    end_reading()
    opened = sign_in.open_by_password(session(), book, known, now, powers_of=powers_of) if known else Refusal("sign-in-wrong")
    if isinstance(opened, Refusal):
        return _refused(opened, book_id, person_id)
    sign_in.give_back(session(), reserved)
    assert known is not None, "nothing is opened for nobody"
    return _come_in(opened, book_id, known.person_id)


@pages.post("/sign-in/passkey")
@allow(public=True)
def by_passkey() -> ResponseReturnValue:
    """Sign in with a passkey; one that is known and one that is not are answered alike where it does not hold."""
    now = services().clock.now()
    found = sign_in.answered(session(), proof.site(), request.form.get("answer", ""), now)
    if found is None:
        return _again(Refusal("sign-in-wrong"))
    book_id = found.book.id
    opened = sign_in.open_by_passkey(session(), found, now, powers_of=powers_of)
    return _refused(opened, book_id, found.person_id) if isinstance(opened, Refusal) else _come_in(opened, book_id, found.person_id)


def _come_in(token: str, book_id: UUID, person_id: UUID) -> Response:
    """Commit, end the session before, and lead on with the new one."""
    if before := maybe_me():
        sign_in.sign_out(session(), before.token, services().clock.now())
    session().commit()
    trail.note("sign-in", book_id=book_id, actor=person_id)
    response = with_session(make_response(redirect(safe(request.args.get("next")) or url_for("sign_in.home"), 303)), token)
    return trying.remembering(response, book_id, person_id)


def _refused(refusal: Refusal, book_id: UUID, person_id: UUID | None) -> Response:
    trail.note("sign-in", refusal.code, book_id=book_id, about=person_id)
    return _again(refusal)


def _again(refusal: Refusal) -> Response:
    """Draw the page again with what is wrong."""
    db.session.rollback()
    g.problem = body_of(refusal)
    say(g.problem)
    response = make_response(render_template("ledger/sign_in/how.html", next=safe(request.args.get("next"))), g.problem["status"])
    if seconds := refusal.data.get("retry_after"):
        response.headers["Retry-After"] = str(seconds)
    return response


@pages.get("/sign-in/<token>")
@allow(public=True)
def link(token: str) -> ResponseReturnValue:
    """Show the button that uses a one-time link; looking at the page does not use it up."""
    return render_template("ledger/sign_in/link.html", token=token)


@pages.post("/sign-in/<token>")
@allow(public=True)
def use_link(token: str) -> ResponseReturnValue:
    """Use the link up and sign in; whoever was signed in before is signed out."""
    # Nobody is signed in yet, so there is nothing to act on in another's name: the link itself is the proof, and works once.
    now, before = services().clock.now(), maybe_me()
    opened = sign_in.use_link(session(), token, now, powers_of=powers_of)
    if before and not isinstance(opened, Refusal):
        sign_in.sign_out(session(), before.token, now)
    session().commit()
    if isinstance(opened, Refusal):
        return show(body_of(opened))
    if found := sign_in.recognise(session(), opened, now):
        trail.note("sign-in", book_id=found[0].book_id, actor=found[0].person_id)
    response = with_session(make_response(redirect(safe(request.args.get("next")) or url_for("sign_in.home"), 303)), opened)
    return trying.remembering(response, found[0].book_id, found[0].person_id) if found else response


@pages.get("/home")
@allow()
def home() -> ResponseReturnValue:
    """Go to the home of whoever is signed in; staff who came by a link begin with setting up a strong way in."""
    if me().withheld:
        return redirect(url_for("account.set_up"))
    return redirect(url_for(next((page for role, page in HOMES if me().has(role)), "volunteer.home")))


@pages.post("/sign-out")
@allow()
def out() -> ResponseReturnValue:
    """Sign out: the session is dead, also a copy of its cookie."""
    if not is_own_form():
        return show(problem_body("form-expired"))
    sign_in.sign_out(session(), me().token, services().clock.now())
    session().commit()
    trail.note("sign-out", book_id=me().book_id, actor=me().actor_id)
    # On a paired device the next one signs in.
    response = redirect(url_for(_AFTER.get(me().signed_in.way or "", "public.landing")), 303)
    # What a shared computer has kept of these pages; the language and what tells the browser from others stay.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    response.delete_cookie(session_cookie(), secure=is_https(), httponly=True, samesite="Lax")
    return response


@pages.get("/language/<chosen>")
@allow(public=True)
def language(chosen: str) -> ResponseReturnValue:
    """Keep the chosen language, and go back."""
    referrer = urlsplit(request.referrer or "")
    response = make_response(redirect(safe(referrer.path) or url_for("public.landing")))
    if chosen in LANGUAGES:
        age_s = 365 * 24 * 3600
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=age_s, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


def safe(address: str | None) -> str | None:
    """Return `address` where it is a path of this service and nothing that a browser could take for another host."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable() or "\\" in address:
        return None
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc else address
