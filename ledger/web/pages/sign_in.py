"""Signing in by a one-time link, signing out, and the choice of language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import sign_in
from ledger.errors import Refusal
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.auth import session_cookie
from ledger.web.kit.extensions import LANGUAGE_COOKIE
from ledger.web.kit.extensions import LANGUAGES
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show
from ledger.web.kit.writing import is_own_form
from ledger.web.pages.staff import STAFF

pages = Blueprint("sign_in", __name__)

#: Where each role's home is, the first that is held.
HOMES = (
    ("cashier", "till.till"),
    ("shop_owner", "till.till"),
    *((role, "staff.home") for role in STAFF),
    ("building_leader", "leader.home"),
    ("volunteer", "volunteer.home"),
)


@pages.get("/sign-in")
@allow(public=True)
def how() -> ResponseReturnValue:
    """Say how to sign in."""
    return render_template("ledger/sign_in/how.html")


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
    opened = sign_in.use_link(session(), token, now)
    if before and not isinstance(opened, Refusal):
        sign_in.sign_out(session(), before.token, now)
    session().commit()
    if isinstance(opened, Refusal):
        return show(body_of(opened))
    response = redirect(_safe(request.args.get("next")) or url_for("sign_in.home"), 303)
    return _with_cookie(response, session_cookie(), opened, int(sign_in.OWN_PHONE.absolute.total_seconds()))


@pages.get("/home")
@allow()
def home() -> ResponseReturnValue:
    """Go to the home of whoever is signed in."""
    return redirect(url_for(next((page for role, page in HOMES if me().has(role)), "volunteer.home")))


@pages.post("/sign-out")
@allow()
def out() -> ResponseReturnValue:
    """Sign out: the session is dead, also a copy of its cookie."""
    if not is_own_form():
        return show(problem_body("form-expired"))
    sign_in.sign_out(session(), me().token, services().clock.now())
    session().commit()
    response = redirect(url_for("public.landing"), 303)
    response.delete_cookie(session_cookie(), secure=_is_https(), httponly=True, samesite="Lax")
    return response


@pages.get("/language/<chosen>")
@allow(public=True)
def language(chosen: str) -> ResponseReturnValue:
    """Keep the chosen language, and go back."""
    referrer = urlsplit(request.referrer or "")
    response = make_response(redirect(_safe(referrer.path) or url_for("public.landing")))
    if chosen in LANGUAGES:
        _with_cookie(response, LANGUAGE_COOKIE, chosen, 365 * 24 * 3600)
    return response


def _safe(address: str | None) -> str | None:
    """Return `address` where it is a path of this service and nothing that a browser could take for another host."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable() or "\\" in address:
        return None
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc else address


def _is_https() -> bool:
    return services().settings.public_url.startswith("https")


def _with_cookie(response: ResponseReturnValue, name: str, value: str, age_s: int) -> Response:
    made = make_response(response)
    made.set_cookie(name, value, max_age=age_s, secure=_is_https(), httponly=True, samesite="Lax", path="/")
    return made
