"""Tries at somebody's way in: each is counted before anything is compared, whoever it is at and whether there is anybody.

A page that takes a password or a code from whoever comes along::

    reserved = trying.reserve(book.id, f"account {person.id}", person.id)
    if isinstance(reserved, Refusal):
        return show(body_of(reserved))
    with trying.comparing(reserved):
        is_right = ...  # only reads and hashes: on SQLite nobody waits meanwhile
    end_reading()
    if is_right:
        sign_in.give_back(session(), reserved)
        ...
    session().commit()
    return trying.remembering(response, book.id, person.id)

Each browser has a cookie that tells it from others at the same address. The service makes and signs it, so that nobody makes up as many
browsers as they want tries; it says nothing of anybody. In it are marks of the accounts that were signed in to from there: those tries are
the browser's own, and what strangers do at the account or from the address takes nothing from them.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from flask import Response
from flask import request

from ledger import sign_in
from ledger.errors import Refusal
from ledger.errors import Unavailable
from ledger.web.kit import trail
from ledger.web.kit.auth import is_https
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import transaction_of_its_own

DEVICE_COOKIE = "device"
_DEVICE_LIVES = timedelta(days=400)
#: A family's computer remembers so many accounts, those that were signed in to last.
_MARKS_MAX = 5


def reserve(book_id: UUID, at_what: str, person_id: UUID | None = None) -> sign_in.Try | Refusal:
    """Reserve a try of whoever comes along, at the way in of `person_id` or at something that is nobody's, and commit it.

    What the request has read or written until then is gone.
    """
    device, marks = _cookie_sent()
    if device and person_id and any(hmac.compare_digest(mark, one) for mark in marks for one in _marks(device, book_id, person_id)):
        return _reserve(book_id, at_what, sign_in.Source(f"own {device}"))
    return _reserve(book_id, at_what, sign_in.Source(device or network(), network(), is_strange=True))


def reserve_known(book_id: UUID, at_what: str, device: str, place: str | None = None) -> sign_in.Try | Refusal:
    """Reserve a try on a paired device, or with a till's token, and commit it; `place` is the shop or counter where a PIN is typed."""
    return _reserve(book_id, at_what, sign_in.Source(device, f"device {device}", place=place))


def reserve_own(book_id: UUID, at_what: str, session_hash: bytes, *, is_pin: bool = False) -> sign_in.Try | Refusal:
    """Reserve a try of whoever is signed in at their own way in, and commit it: nobody else's count beside it."""
    here = f"session {session_hash.hex()}"
    return _reserve(book_id, at_what, sign_in.Source(here, place=here if is_pin else None))


@contextmanager
def comparing(reserved: sign_in.Try, counted: sign_in.PinTry | None = None) -> Iterator[None]:
    """Give a try back where nothing could be compared, because too many others wait: a flood must not use up what somebody has left."""
    try:
        yield
    except Unavailable:
        with transaction_of_its_own() as own:
            sign_in.give_back(own, reserved)
            if counted:
                sign_in.uncount_pin(own, reserved.book_id, counted)
        raise


def network() -> str:
    """Return what tries without a signed cookie are counted for: the address, of IPv6 the /64 that one connection has."""
    address = request.remote_addr or ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    plain = getattr(found, "ipv4_mapped", None) or found
    return str(plain) if plain.version == 4 else str(ipaddress.ip_network(f"{plain}/64", strict=False))


def with_device(response: Response) -> Response:
    """Let this browser be told from others at the same address from now on, so that a neighbour's wrong tries are not its own."""
    device, _ = _cookie_sent()
    return response if device else _keep(response, secrets.token_hex(16), [])


def remembering(response: Response, book_id: UUID, person_id: UUID) -> Response:
    """Let this browser have tries of its own at the account that was signed in to from it."""
    device, marks = _cookie_sent()
    device = device or secrets.token_hex(16)
    today, *former = _marks(device, book_id, person_id)
    return _keep(response, device, [today, *(mark for mark in marks if mark not in {today, *former})][:_MARKS_MAX])


def _reserve(book_id: UUID, at_what: str, source: sign_in.Source) -> sign_in.Try | Refusal:
    with transaction_of_its_own() as own:
        reserved = sign_in.reserve(own, services().vault, book_id, at_what=at_what, source=source, at=services().clock.now())
    if isinstance(reserved, sign_in.Try) and reserved.is_last:
        trail.note_last_try(book_id)
    return reserved


def _keep(response: Response, device: str, marks: Sequence[str]) -> Response:
    value = ".".join((device, _signed(f"browser|{device}")[0], *marks))
    response.set_cookie(_cookie(), value, max_age=_DEVICE_LIVES, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


def _cookie_sent() -> tuple[str | None, list[str]]:
    """Return the browser's name, where this service gave it, and the marks it brings."""
    device, _, rest = request.cookies.get(_cookie(), "").partition(".")
    signature, *marks = rest.split(".")
    if not (device.isascii() and rest.isascii() and any(hmac.compare_digest(signature, one) for one in _signed(f"browser|{device}"))):
        return None, []
    return device, marks[:_MARKS_MAX]


def _marks(device: str, book_id: UUID, person_id: UUID) -> list[str]:
    return _signed(f"signed in|{device}|{book_id}|{person_id}")


def _signed(text: str) -> list[str]:
    """Return the signature of `text` under today's secret key, and under the one that is being changed."""
    return [hmac.digest(key, text.encode(), "sha256").hex()[:32] for key in services().settings.secret_keys]


def _cookie() -> str:
    return f"__Host-{DEVICE_COOKIE}" if is_https() else DEVICE_COOKIE
