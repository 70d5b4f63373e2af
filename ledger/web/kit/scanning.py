"""Codes that come in at a page: read from a photo where no camera can scan, and followed only where they are this service's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

import zxingcpp
from flask import g
from flask import request
from flask.typing import ResponseReturnValue
from PIL import Image

from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.tokens import digits_of
from ledger.web.kit import forms
from ledger.web.kit import pictures
from ledger.web.kit.extensions import services
from ledger.web.kit.writing import is_own_form

P = ParamSpec("P")

CODE_LENGTH_MAX = 200
#: A code that fills a tenth of the picture's width is still read at this size.
SIDE = 2000

#: What follows the service's own address in its codes: of an order, a venue, a volunteer's pay code.
_TOKENS = re.compile(r"/(?:O/\d{1,5}-[0-9A-Z]{26}|V/\d{1,5}-[0-9A-Z]{26}-[0-9A-Z]{16}|P/\d{1,5}-\d{8}-[0-9A-Z]{16})")
#: What wallets show for paying with money: WeChat's, and Alipay's.
_OF_WALLETS = re.compile(r"1[0-5]\d{16}|(?:2[5-9]|30)\d{14,22}", re.ASCII)


@dataclass(frozen=True)
class Scanned:
    """A code of this service."""

    #: Where it leads: a path of our own, put together from what was read, and no address that somebody else wrote.
    path: str


def scanned(text: str) -> Scanned | Refusal:
    """Return where a code of this service leads; whatever else was scanned is refused, and nothing of it followed."""
    if refusal := against(text):
        return refusal
    path = _below(text)
    return Scanned(request.script_root + path) if path else Refusal("scan-not-ours", "code")


def against(text: str) -> Refusal | None:
    """Return what stands against a code before anybody looks it up: it is another service's, or only a part of one of ours."""
    given = unicodedata.normalize("NFKC", text).strip()
    path = _below(given)
    if path is None:
        return Refusal("scan-not-ours", "code") if "://" in given else None
    return None if _TOKENS.fullmatch(path) else Refusal("scan-cut-off", "code")


def is_of_a_wallet(text: str) -> bool:
    """Tell whether digits that nobody knows look like those for paying with money, which people hold up by mistake."""
    return bool(_OF_WALLETS.fullmatch(digits_of(text)))


def code_given(name: str, photo: str) -> str:
    """Return the code that a form carries: scanned or typed into the field `name`, or read from the picture `photo`."""
    file = request.files.get(photo)
    if file is not None and file.filename:
        found: str | Invalid = g.get("code_in_photo") or _read(photo)
        if isinstance(found, Invalid):
            raise found
        return found
    if not forms.text(name):
        raise Invalid("scan-nothing-given", name)
    return forms.words(name, CODE_LENGTH_MAX)


def with_photo(name: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a form that is written take the photo of a code: it is read before the write begins, while nobody waits for its transaction."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def write(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            file = request.files.get(name)
            if file is not None and file.filename and is_own_form():
                g.code_in_photo = _read(name)
            return view(*args, **kwargs)

        return write

    return decorate


def _read(name: str) -> str | Invalid:
    try:
        return in_photo(name)
    except Invalid as problem:
        return problem


def in_photo(name: str) -> str:
    """Return what the code in an uploaded picture says, one of ours before any other; raise Invalid where none can be read."""
    # Made anew for each picture: one that is still there when a command ends is complained of on its terminal.
    kinds = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    with pictures.in_turn():
        found = zxingcpp.read_barcodes(_grey(name), formats=kinds)
    texts = sorted((str(one.text) for one in found if one.text), key=lambda text: _below(text) is None)
    if not texts or len(texts[0]) > CODE_LENGTH_MAX:
        raise Invalid("scan-not-ours" if texts else "scan-nothing-seen", name)
    return texts[0]


def _below(text: str) -> str | None:
    """Return what follows the service's own address in an upper-case text; None where it does not begin with it."""
    given, own = unicodedata.normalize("NFKC", text).strip().upper(), services().settings.public_url.upper()
    return given.removeprefix(own) if given.startswith(f"{own}/") else None


def _grey(name: str) -> Image.Image:
    """Return an uploaded picture, no larger than codes want it; its kind and its pixels are looked at before anything is decoded."""
    with pictures.opened(request.files[name].stream.read(), name) as picture:
        picture.draft("L", (SIDE, SIDE))
        grey = picture.convert("L")
        grey.thumbnail((SIDE, SIDE))
    return grey
