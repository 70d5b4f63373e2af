"""Proving again who one is, for money, roles and exports: whoever is asked for it loses nothing, and types nothing twice.

A page that is opened is asked for the proof first and opened afterwards. A form that was sent is carried along by the page that asks, and
sent on with the proof in fields of its own, which are read here before the view runs: `_proof_passkey`, or
`_proof_password` and `_proof_code`, or `_proof_pin`.
"""

from __future__ import annotations

from typing import cast

from flask import Flask
from flask import Response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import ImmutableMultiDict

from ledger import sign_in
from ledger.errors import Refusal
from ledger.web.kit import trail
from ledger.web.kit import trying
from ledger.web.kit.auth import ProofNeededError
from ledger.web.kit.auth import hand_over
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import is_api
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import say
from ledger.web.kit.problems import show
from ledger.web.kit.writing import csrf_token
from ledger.web.kit.writing import is_own_form

FIELDS = frozenset({"_proof_passkey", "_proof_password", "_proof_code", "_proof_pin"})


def init(app: Flask) -> None:
    """Let `app` ask for proofs."""
    app.extensions["check_proof"] = check
    app.register_error_handler(ProofNeededError, _on_proof_needed)


def site() -> sign_in.Site:
    """Return the service as authenticators know it."""
    return sign_in.Site.of(services().settings, gettext("善行存折"))


def check(is_wanted: bool) -> ResponseReturnValue | None:
    """Read the proof that the request carries, and ask for one where it is wanted and there is none; None lets it pass."""
    if request.method in {"GET", "HEAD"}:
        return ask() if is_wanted and not me().is_fresh else None
    if not FIELDS & request.form.keys():
        return ask() if is_wanted and not me().is_fresh else None
    if not is_own_form():
        return show(problem_body("form-expired"))
    refused = _prove()
    end_reading()
    if refused:
        trail.note("proof", refused.code, book_id=me().book_id, actor=me().actor_id)
        return ask(refused)
    trail.note("proof", book_id=me().book_id, actor=me().actor_id)
    _renew_form()
    return None


def ask(refused: Refusal | None = None) -> Response:
    """Draw the page that asks for the proof and carries the form that was sent, or lead there from a page that was opened."""
    if request.method in {"GET", "HEAD"}:
        return cast("Response", redirect(url_for("account.proof_form", next=request.full_path.rstrip("?"))))
    if not is_own_form():
        return show(problem_body("form-expired"))
    body = body_of(refused) if refused else problem_body("proof-needed")
    say(body)
    carried = [(name, value) for name, value in request.form.items(multi=True) if name not in FIELDS | {"_csrf"}]
    files = sorted({name for name, file in request.files.items(multi=True) if file.filename})
    page = page_that_asks(request.full_path.rstrip("?"), carried=carried, files=files, refused=body if refused else None)
    response = Response(page, body["status"])
    if seconds := body.get("data", {}).get("retry_after"):
        response.headers["Retry-After"] = str(seconds)
    return response


def page_that_asks(action: str, *, carried: object = (), files: object = (), refused: object = None) -> str:
    """Return the page that asks for a proof in the ways that whoever is signed in has, and sends it to `action`."""
    factors = sign_in.factors_of(session(), me().book_id, me().actor_id)
    has_pin = not factors.is_strong and sign_in.has_pin(session(), me().book_id, me().actor_id, "pin")
    return render_template(
        "ledger/account/prove.html",
        action=action,
        carried=carried,
        files=files,
        refused=refused,
        factors=factors,
        has_pin=has_pin,
        csrf=csrf_token(),
    )


def _prove() -> Refusal | None:
    who, now = me(), services().clock.now()
    if "_proof_passkey" in request.form:
        refused = _by_passkey()
    elif "_proof_pin" in request.form:
        refused = _by_pin()
    else:
        refused = _by_password()
    if refused:
        db.session.rollback()
        return refused
    token = sign_in.note_proof(session(), who.signed_in, now)
    session().commit()
    hand_over(who.signed_in.proved(token, now), token)
    return None


def _by_passkey() -> Refusal | None:
    now = services().clock.now()
    prover = (me().book.number, me().actor_id)
    found = sign_in.answered(session(), site(), request.form["_proof_passkey"], now, prover=prover)
    return None if found and sign_in.use_answer(session(), found, now) else Refusal("proof-wrong")


def _by_password() -> Refusal | None:
    who, now = me(), services().clock.now()
    reserved = trying.reserve_own(who.book_id, "proof by password", who.signed_in.token_hash)
    if isinstance(reserved, Refusal):
        return reserved
    password, code = request.form.get("_proof_password", ""), request.form.get("_proof_code", "")
    with trying.comparing(reserved):
        known = sign_in.check_password(session(), services().vault, who.book_id, who.actor_id, password, code, now)
    end_reading()
    if known is None or not sign_in.use_code(session(), who.book_id, who.actor_id, known.code, now):
        return Refusal("proof-wrong")
    sign_in.give_back(session(), reserved)
    return None


def _by_pin() -> Refusal | None:
    who = me()
    reserved = trying.reserve_own(who.book_id, "proof by PIN", who.signed_in.token_hash, is_pin=True)
    if isinstance(reserved, Refusal):
        return reserved
    # A PIN proves nothing where there is something that no neighbour has overheard.
    is_strong = sign_in.factors_of(session(), who.book_id, who.actor_id).is_strong
    tried = None if is_strong else sign_in.pin_of(session(), who.book_id, who.actor_id, "pin")
    end_reading()
    with trying.comparing(reserved):
        is_right = sign_in.pin_matches(services().vault, who.book_id, tried, request.form["_proof_pin"])
    end_reading()
    if tried is None or not is_right:
        return Refusal("proof-wrong")
    sign_in.give_back(session(), reserved)
    return None


def _renew_form() -> None:
    """Let the form be as if it had been drawn after the proof, and without it."""
    kept = [(name, value) for name, value in request.form.items(multi=True) if name not in FIELDS | {"_csrf"}]
    request.form = ImmutableMultiDict([*kept, ("_csrf", csrf_token())])


def _on_proof_needed(error: ProofNeededError) -> Response:
    db.session.rollback()
    return show(body_of(error)) if is_api() else ask()
