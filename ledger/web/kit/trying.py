"""Tries at somebody's way in: each is counted before anything is compared, whoever it is at and whether there is anybody.

A page that takes a password, a code or a PIN::

    reserved = trying.reserve(book.id, f"account {person.id}")
    if isinstance(reserved, Refusal):
        return show(body_of(reserved))
    is_right = ...  # only reads and hashes: on SQLite nobody waits meanwhile
    end_reading()
    if is_right:
        sign_in.give_back(session(), reserved)
        ...
    session().commit()
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from flask import Response
from flask import request

from ledger import sign_in
from ledger.errors import Refusal
from ledger.web.kit.auth import is_https
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import transaction_of_its_own

DEVICE_COOKIE = "device"
_DEVICE_LIVES = timedelta(days=400)


def reserve(book_id: UUID, at_what: str, device: str | None = None) -> sign_in.Try | Refusal:
    """Reserve a try at one card or account and commit it; what the request has read or written until then is gone.

    It is counted for this browser (see `with_device`) unless a paired `device` is named, else for its address.
    """
    address = request.remote_addr or ""
    with transaction_of_its_own() as own:
        return sign_in.reserve(
            own, services().vault, book_id, at_what=at_what, device=device or _device() or address, address=address,
            at=services().clock.now(),
        )  # fmt: skip


def with_device(response: Response) -> Response:
    """Let this browser be told from others at the same address from now on, so that a neighbour's wrong tries are not its own."""
    if _device() is None:
        made = secrets.token_hex(16)
        response.set_cookie(_cookie(), made, max_age=_DEVICE_LIVES, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


def _device() -> str | None:
    found = request.cookies.get(_cookie(), "")
    return found if len(found) == 32 and found.isascii() and found.isalnum() else None


def _cookie() -> str:
    return f"__Host-{DEVICE_COOKIE}" if is_https() else DEVICE_COOKIE
