"""The log of a book as anybody may read it; its leaves are for auditors.

A page about it, its newest head with a proof, its tree (https://c2sp.org/tlog-tiles), and who has to have witnessed it
(https://c2sp.org/tlog-policy).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import g
from flask import jsonify
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import seal
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.web.kit.addresses import own_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.policy import policy as policy_text
from ledger.web.kit.policy import quorum
from ledger.web.kit.sealing import promise_keys
from ledger.web.kit.watching import WATCHERS

pages = Blueprint("log", __name__, url_prefix="/log/<int(max=99999):number>")

TILE_WIDTH = 256
#: So many alarms are told on the page.
ALARMS_TOLD = 10
_LONG, _NEWEST = "public, max-age=31536000, immutable", "public, max-age=1"
_TEXT = "text/plain; charset=utf-8"
#: A tile's number in groups of three digits, all but the last with an x; and of a partial one, its width.
_WHICH = re.compile(r"((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)
_SIZE = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)


@dataclass(frozen=True)
class Seal:
    """A witness as the page shows it."""

    name: str
    is_till: bool
    #: Whether it cosigned the newest head.
    is_set: bool


@pages.get("")
@allow(public=True)
def page(number: int) -> ResponseReturnValue:
    """Show how far the book is sealed, who witnessed that, and what was refused."""
    book = _book(number)
    newest, watching = seal.newest(session(), book.id), seal.witnesses(session(), book.id)
    signed = newest.witnesses if newest else ()
    seals = [Seal(seal.key_of(one.key).name, one.device_id is not None, one.key in signed) for one in watching]
    return render_template(
        "ledger/log/page.html",
        book=book,
        newest=newest,
        root=base64.b64encode(newest.head.root).decode() if newest else "",
        seals=sorted(seals, key=lambda one: not one.is_set),
        quorum=quorum(len(seals)),
        witnessed=seal.witnessed(session(), book.id, [one.key for one in watching], quorum(len(seals))),
        waiting=seal.waiting(session(), book.id),
        alarms=seal.alarms(session(), book.id, ALARMS_TOLD),
        stalled=seal.is_stalled(session(), book.id, services().clock.now()),
        keys=seal.log_keys(session(), book.id),
        promise_keys=promise_keys(),
    )


@pages.get("/checkpoint")
@allow(public=True)
def checkpoint(number: int) -> ResponseReturnValue:
    """Return the newest signed head, with all cosignatures under it."""
    sealed = _newest(_book(number))
    return Response(str(sealed.note), content_type=_TEXT, headers={"Cache-Control": _NEWEST})


@pages.get("/proof")
@allow(public=True)
def proof(number: int) -> ResponseReturnValue:
    """Return the newest head, and what proves that it carries on from the one of `from` leaves; 409 where it has fewer."""
    book, told = _book(number), request.args.get("from", "0")
    if not _SIZE.fullmatch(told):
        raise NotFound("from")
    sealed, old = _newest(book), int(told)
    if old > sealed.head.size:
        return jsonify(size=sealed.head.size), 409
    hashes = seal.tree(session(), book.id, sealed.head.size).consistency(old)
    response = jsonify(note=str(sealed.note), proof=[base64.b64encode(one).decode() for one in hashes])
    response.headers["Cache-Control"] = _NEWEST
    return response


@pages.get("/policy")
@allow(public=True)
def policy(number: int) -> ResponseReturnValue:
    """Return which keys sign the log, who witnesses it, and how many of them are enough."""
    book = _book(number)
    witnesses = [(one.key, one.address) for one in seal.witnesses(session(), book.id)]
    address = own_address() + url_for("log.page", number=number)
    # Of a key that was changed no new head is signed, and of one for which nobody vouches nothing is known.
    keys = [one.key for one in seal.log_keys(session(), book.id) if one.is_vouched and one.until is None]
    text = policy_text(book.name, keys, address, witnesses)
    return Response(text, content_type=_TEXT, headers={"Cache-Control": _NEWEST})


@pages.get("/tile/<int(max=7):level>/<path:which>")
@allow(public=True)
def tile(number: int, level: int, which: str) -> ResponseReturnValue:
    """Return a tile of the tree: as many hashes of 32 bytes as it is wide."""
    at, width = _which(which)
    hashes = seal.tile(session(), _signed(number, level, at, width), level, at, width)
    return _kept(hashes)


@pages.get("/tile/entries/<path:which>")
@allow("resident_supervisor", "street_auditor", "administrator", for_others=False)
def entries(number: int, which: str) -> ResponseReturnValue:
    """Return a bundle of leaves, each with its length before it; for whoever audits the book."""
    at, width = _which(which)
    book_id = _signed(number, 0, at, width)
    if book_id != me().book_id:
        raise NotFound("book")
    found = seal.entries(session(), book_id, at, width)
    return Response(b"".join(len(one).to_bytes(2) + one for one in found), content_type="application/octet-stream")


def new_alarms() -> int:
    """Return how many alarms are new or hold still, for whoever looks over the whole book; none for anybody else; counted once a page."""
    who = maybe_me()
    if who is None or f"{who.book.area_code}/" not in who.scope(*WATCHERS):
        return 0
    if "new_alarms" not in g:
        g.new_alarms = seal.alarming(session(), who.book_id, services().clock.now())
    found: int = g.new_alarms
    return found


pages.add_app_template_global(new_alarms, "new_alarms")


def _book(number: int) -> Book:
    if (found := areas.book_numbered(session(), number)) is None:
        raise NotFound("book")
    return found


def _newest(book: Book) -> seal.Sealed:
    if (found := seal.newest(session(), book.id)) is None:
        raise NotFound("checkpoint")
    return found


def _which(told: str) -> tuple[int, int]:
    found = _WHICH.fullmatch(told)
    width = int(found[2] or TILE_WIDTH) if found else 0
    if found is None or width > TILE_WIDTH or (found[2] and width == TILE_WIDTH) or len(found[1]) > 20 or found[1].startswith("x000"):
        raise NotFound("tile")
    return int(re.sub(r"\D", "", found[1])), width


def _signed(number: int, level: int, at: int, width: int) -> UUID:
    # What is not under a signed head is not told: it might still be written by nobody.
    book = _book(number)
    sealed = seal.newest(session(), book.id)
    if sealed is None or at * TILE_WIDTH + width > sealed.head.size >> 8 * level:
        raise NotFound("tile")
    return book.id


def _kept(body: bytes) -> Response:
    return Response(body, content_type="application/octet-stream", headers={"Cache-Control": _LONG})
