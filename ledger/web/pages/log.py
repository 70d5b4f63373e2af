"""The log of a book as anybody may read it (https://c2sp.org/tlog-tiles): its newest head and its tree; its leaves for auditors."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint
from flask import Response
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import seal
from ledger.errors import NotFound
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session

pages = Blueprint("log", __name__, url_prefix="/log/<int(max=99999):number>")

TILE_WIDTH = 256
LEVELS = 8
_LONG = "public, max-age=31536000, immutable"
#: A tile's number in groups of three digits, all but the last with an x; and of a partial one, its width.
_WHICH = re.compile(r"((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?")


@pages.get("/checkpoint")
@allow(public=True)
def checkpoint(number: int) -> ResponseReturnValue:
    """Return the newest signed head, with all cosignatures under it."""
    sealed = seal.newest(session(), _book_id(number))
    if sealed is None:
        raise NotFound("checkpoint")
    return Response(str(sealed.note), content_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=1"})


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


def _book_id(number: int) -> UUID:
    if (found := areas.book_numbered(session(), number)) is None:
        raise NotFound("book")
    return found.id


def _which(told: str) -> tuple[int, int]:
    found = _WHICH.fullmatch(told)
    width = int(found[2] or TILE_WIDTH) if found else 0
    if found is None or width > TILE_WIDTH or (found[2] and width == TILE_WIDTH) or len(found[1]) > 20 or found[1].startswith("x000"):
        raise NotFound("tile")
    return int(re.sub(r"\D", "", found[1])), width


def _signed(number: int, level: int, at: int, width: int) -> UUID:
    # What is not under a signed head is not told: it might still be written by nobody.
    book_id = _book_id(number)
    sealed = seal.newest(session(), book_id)
    if sealed is None or at * TILE_WIDTH + width > sealed.head.size >> 8 * level:
        raise NotFound("tile")
    return book_id


def _kept(body: bytes) -> Response:
    return Response(body, content_type="application/octet-stream", headers={"Cache-Control": _LONG})
