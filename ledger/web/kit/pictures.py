"""Pictures that people send: looked at before they are decoded, drawn anew small and upright, and without what the camera wrote into them.

They are drawn before a write begins: while its transaction is open nobody should wait for a decoder.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import struct
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any
from typing import ParamSpec

from flask import Flask
from flask import abort
from flask import current_app
from flask import g
from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow import validate
from PIL import Image
from PIL import ImageOps

from ledger.claims import PHOTOS_MAX
from ledger.claims import NewPhoto
from ledger.errors import Invalid
from ledger.web.kit.writing import is_own_form

P = ParamSpec("P")

FILE_BYTES_MAX = 10 * 1024 * 1024
#: Of a JPEG of one scan, which is decoded at a part of its size; all others are decoded whole.
PIXELS_MAX, WHOLE_PIXELS_MAX = 50_000_000, 16_000_000
#: A camera writes one, a progressive file some ten; one of a thousand is made to keep a machine busy.
SCANS_MAX = 20
_SCAN = b"\xff\xda"
#: How long a picture waits for those before it.
WAITS_S = 4.0
SIDE_MAX, KEPT_BYTES_MAX = 1600, 300_000
SMALL_SIDE_MAX = 360
#: What a form with photos may have: as many as there can be, and the words beside them.
FORM_BYTES_MAX = PHOTOS_MAX * FILE_BYTES_MAX + 1024 * 1024
FIELD = "photos"

KINDS = ("JPEG", "PNG", "WEBP")
_QUALITIES = (85, 75, 65, 55, 45, 35)
#: How a file of an iPhone begins, behind its length.
_HEIF = (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1", b"ftypavif", b"ftypavis")
_BROKEN = (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, OverflowError, EOFError, struct.error)
#: A picture of 50 million pixels takes 200 MB while it is drawn: one at a time.
_DRAWING = Lock()
#: The views of forms that take photos.
_TAKING_PHOTOS: set[Callable[..., ResponseReturnValue]] = set()


def init(app: Flask) -> None:
    """Let the forms of `app` that take photos be as large as those are, and no others."""
    app.before_request(_let_in)


def _let_in() -> None:
    if takes_photos(current_app.view_functions.get(request.endpoint or "")):
        request.max_content_length = FORM_BYTES_MAX


def takes_photos(view: Callable[..., Any] | None) -> bool:
    """Tell whether a view is of a form that takes photos."""
    return view in _TAKING_PHOTOS


def with_photos(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let a form that is written take photos: they are drawn before the write begins, and `photos` gives them to it."""

    @wraps(view)
    def write(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        try:
            # What no page of ours has sent is refused by the write, and nothing is drawn for it.
            g.photos = tuple(drawn(file) for file in _sent()) if is_own_form() else ()
        except Invalid as problem:
            g.photos = problem
        return view(*args, **kwargs)

    _TAKING_PHOTOS.add(write)
    return write


def _sent() -> list[bytes]:
    files = [file for file in request.files.getlist(FIELD) if file.filename]
    if len(files) > PHOTOS_MAX:
        raise Invalid("photos-too-many", FIELD, most=PHOTOS_MAX)
    contents = []
    for file in files:
        contents.append(file.stream.read(FILE_BYTES_MAX + 1))
        file.stream.seek(0)
    return contents


def photos() -> tuple[NewPhoto, ...]:
    """Return the photos of the form that is being written; raise Invalid where one of them is none."""
    found: tuple[NewPhoto, ...] | Invalid = g.get("photos", ())
    if isinstance(found, Invalid):
        raise found
    return found


def drawn(content: bytes) -> NewPhoto:
    """Return a picture drawn anew, at most 1600 pixels wide and high; raise Invalid for what is no picture, or too large to look at."""
    if len(content) > FILE_BYTES_MAX:
        raise Invalid("photo-too-large", FIELD, most=FILE_BYTES_MAX // (1024 * 1024))
    with in_turn(), opened(content, FIELD) as image:
        small = _upright(image)
    return NewPhoto(_jpeg(small), likeness(small))


@contextmanager
def opened(content: bytes, field: str) -> Iterator[Image.Image]:
    """Let a picture that was sent be decoded; raise Invalid for what is none, what is broken, and what takes too long."""
    if content[4:12].startswith(_HEIF):
        raise Invalid("photo-of-iphone", field)
    with warnings.catch_warnings():
        # What is odd about a file is no news to anybody; that it is too large is an answer.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=KINDS) as image:
                _look_at(image, content, field)
                yield image
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise Invalid("photo-of-too-many-pixels", field, most=PIXELS_MAX // 1_000_000) from None
        except _BROKEN:
            raise Invalid("photo-unreadable", field) from None


def _look_at(image: Image.Image, content: bytes, field: str) -> None:
    """Raise Invalid for a picture that takes too long to decode; only its head has been read so far.

    Within the data of a JPEG no 0xFF is followed by anything but zero, so what looks like the beginning of a scan is one.
    """
    if image.format == "JPEG" and content.count(_SCAN) > SCANS_MAX:
        raise Invalid("photo-unreadable", field)
    is_in_parts = image.format == "JPEG" and not image.info.get("progressive")
    if image.width * image.height > (most := PIXELS_MAX if is_in_parts else WHOLE_PIXELS_MAX):
        raise Invalid("photo-of-too-many-pixels", field, most=most // 1_000_000)


@contextmanager
def in_turn() -> Iterator[None]:
    """Let one picture be decoded at a time; whoever would wait long is told to come again."""
    if not _DRAWING.acquire(timeout=WAITS_S):
        abort(503)
    try:
        yield
    finally:
        _DRAWING.release()


def _upright(image: Image.Image) -> Image.Image:
    # A JPEG is decoded no larger than it is needed.
    image.draft("RGB", (SIDE_MAX, SIDE_MAX))
    image.thumbnail((SIDE_MAX, SIDE_MAX))
    turned = ImageOps.exif_transpose(image).convert("RGBA")
    # On a sheet of its own: nothing comes along but what is seen.
    sheet = Image.new("RGB", turned.size, "white")
    sheet.paste(turned, mask=turned.getchannel("A"))
    return sheet


def _jpeg(image: Image.Image) -> bytes:
    for quality in _QUALITIES:
        written = io.BytesIO()
        image.save(written, "JPEG", quality=quality, optimize=True)
        if written.tell() <= KEPT_BYTES_MAX:
            return written.getvalue()
    return _jpeg(image.reduce(2))


def small(content: bytes) -> bytes:
    """Return a picture that was drawn here so small that a page has room for three of them."""
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        image.draft("RGB", (SMALL_SIDE_MAX, SMALL_SIDE_MAX))
        image.thumbnail((SMALL_SIDE_MAX, SMALL_SIDE_MAX))
        written = io.BytesIO()
        image.save(written, "JPEG", quality=60, optimize=True)
    return written.getvalue()


def likeness(image: Image.Image) -> int:
    """Return 64 bits of how a picture looks: of nine columns and eight rows of grey, where it grows darker to the right."""
    grey = list(image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes())
    bits = 0
    for row in range(8):
        for column in range(8):
            bits = bits << 1 | (grey[row * 9 + column] > grey[row * 9 + column + 1])
    return bits - (1 << 64) if bits >> 63 else bits


class Photo(fields.Field[NewPhoto]):
    """A picture in a body: a JPEG, PNG or WebP in base64."""

    def __init__(self, **more: Any) -> None:
        metadata = {"type": "string", "format": "byte", "maxLength": FILE_BYTES_MAX * 4 // 3 + 4, **more.pop("metadata", {})}
        super().__init__(metadata=metadata, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> NewPhoto:
        try:
            return drawn(base64.b64decode(value if isinstance(value, str) else "", validate=True))
        except (binascii.Error, ValueError):
            raise ValidationError("photo-unreadable") from None
        except Invalid as problem:
            raise ValidationError(f"{problem.code}|{json.dumps(problem.data)}") from None


class Photos(fields.List[NewPhoto]):
    """The pictures of a deed, as a tuple."""

    def __init__(self, **more: Any) -> None:
        super().__init__(Photo(), validate=validate.Length(max=PHOTOS_MAX), load_default=(), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **more))
