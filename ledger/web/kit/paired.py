"""Paired devices at the edge: which one a request comes from, what is signed in on it, and the PINs that are typed there.

A page whose form carries a card or a cashier, and a PIN; before anything is written, the PIN is proved::

    @pages.post("/counter")
    @allow(public=True)
    @open_form(card_form)
    def enter():
        person_id = proved(book_id, f"card {number}", device_id, area, holder_id, "pin", request.form["_pin"], "card-or-pin-wrong")
        ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response
from flask import current_app
from flask import g
from flask import make_response
from flask import request
from flask.typing import ResponseReturnValue

from ledger import people
from ledger import sign_in
from ledger.errors import DomainError
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.sign_in import PairedDevice
from ledger.tokens import digits_of
from ledger.web.kit import forms
from ledger.web.kit import trying
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import device_cookie
from ledger.web.kit.auth import is_https
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.auth import session_cookie
from ledger.web.kit.auth import with_session
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import say
from ledger.web.kit.problems import show
from ledger.web.kit.writing import is_own_form

PIN_LENGTH_MAX = 10
#: Longer than any device lasts; whoever paired it ends it.
_DEVICE_LIVES_S = 5 * 365 * 24 * 3600


def this_device() -> PairedDevice | None:
    """Return the paired device that the request comes from."""
    token = request.cookies.get(device_cookie(), "")
    return sign_in.recognise_device(session(), token) if token else None


def with_device(response: ResponseReturnValue, token: str) -> Response:
    """Let this browser be the paired device with this token from now on."""
    made = make_response(response)
    made.set_cookie(device_cookie(), token, max_age=_DEVICE_LIVES_S, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return made


def entered(response: ResponseReturnValue, device: PairedDevice, person_id: UUID, way: str) -> Response:
    """Sign somebody in on a paired device, in place of whoever was before, and commit."""
    now, before = services().clock.now(), maybe_me()
    if before:
        sign_in.sign_out(session(), before.token, now)
    token = sign_in.open_on_device(session(), device, person_id, way, now)
    session().commit()
    return with_session(make_response(response), token)


def without_session(response: ResponseReturnValue) -> Response:
    """Let this browser forget its session, which has ended."""
    made = make_response(response)
    made.delete_cookie(session_cookie(), secure=is_https(), httponly=True, samesite="Lax")
    return made


def proved(
    book_id: UUID, at_what: str, device: str, place: str, person_id: UUID | None, kind: str, pin: str, wrong: str, field: str = "_pin"
) -> UUID:  # fmt: skip
    """Return whose PIN it is, where it is; raise Invalid `wrong` where it is not, whether there is such a person or not.

    `device` is what is typed on, `place` the shop or counter that it stands in.
    The try is reserved and committed before anything is compared, and no transaction waits while it is; what the request has read until
    then is gone. Whoever writes afterwards begins anew.
    """
    set_at = sign_in.pin_set_at(session(), book_id, person_id, kind) if person_id else None
    reserved = trying.reserve_known(book_id, at_what, device, f"{place} {set_at}")
    if isinstance(reserved, Refusal):
        raise Invalid(reserved.code, field, **reserved.data)
    tried = None
    if person_id:
        with transaction_of_its_own() as own:
            tried = sign_in.reserve_pin(own, book_id, person_id, kind)
    if isinstance(tried, Refusal):
        # Of a card nobody is told that there is one.
        wrong, tried = wrong if kind == "pin" else tried.code, None
    db.session.rollback()
    with trying.comparing(reserved, tried):
        is_right = sign_in.pin_matches(services().vault, book_id, tried, pin)
    if not is_right or tried is None:
        raise Invalid(wrong, field)
    with transaction_of_its_own() as own:
        sign_in.give_back(own, reserved)
        sign_in.forget_wrong_pins(own, book_id, tried)
    end_reading()
    return tried.person_id


def proved_card(book_id: UUID, number: str, pin: str, device: str, place: str, field: str = "_pin") -> UUID:
    """Return whose card and PIN these are; a wrong card, a wrong PIN and a revoked card are refused alike."""
    digits = digits_of(number)
    holder = people.holders_of(session(), book_id, [digits]).get(digits)
    holder_id = holder.id if holder else None
    return proved(book_id, f"card {digits}", device, place, holder_id, "pin", digits_of(pin), "card-or-pin-wrong", field)


def device_named() -> str:
    """Return what a try is counted for where somebody is signed in: the paired device, else the session or machine that asks."""
    signed_in = me().signed_in
    return str(signed_in.device_id or signed_in.id)


def typed_pin() -> str:
    """Return the PIN that somebody typed twice, to have it from now on."""
    pin, again = (digits_of(forms.words(name, PIN_LENGTH_MAX)) for name in ("_pin", "_pin_again"))
    if pin != again:
        raise Invalid("pins-differ", "_pin_again")
    return pin


def pairing_shown(device: sign_in.Device) -> dict[str, object]:
    """Return what a page shows of how a device is paired: nothing once it is, or can be no more."""
    now = services().clock.now()
    if device.paired_at or device.ended_at or device.pair_until <= now:
        return {"code": None, "address": None, "minutes": 0}
    code = sign_in.shown_code(session(), me().book, sign_in.pairing_code(services().vault, device))
    return {"code": code, "address": code_address("pair", code), "minutes": int((device.pair_until - now).total_seconds() + 59) // 60}


def open_form(form: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a page view take a form that proves who somebody is: it answers, or returns or raises what draws `form` again."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def send(*args: Any, **kwargs: Any) -> Any:
            if not is_own_form():
                return show(problem_body("form-expired"))
            try:
                outcome = view(*args, **kwargs)
            except DomainError as problem:
                outcome = problem
            if not isinstance(outcome, Refusal | DomainError):
                return outcome
            db.session.rollback()
            g.problem = body_of(outcome)
            say(g.problem)
            drawn = current_app.make_response(form(*args, **kwargs))
            drawn.status_code = g.problem["status"]
            if drawn.status_code == 429:
                drawn.headers["Retry-After"] = str(g.problem["data"]["retry_after"])
            return drawn

        return send

    return decorate
