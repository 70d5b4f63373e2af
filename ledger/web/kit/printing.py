"""What is printed, typeset by typst out of data, with fonts of our own and none of the machine's (docs/adr/0012)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.parse import urlsplit

import typst
from flask import Response

from ledger.web.kit import qr
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import language
from ledger.web.kit.extensions import services

_TEMPLATES = Path(__file__).parents[3] / "templates" / "print"


def pdf(template: str, data: Mapping[str, Any], at: datetime) -> bytes:
    """Return `data` as a PDF; what people wrote in it is text and never markup. The same at the same moment is the same to the byte."""
    written = typst.compile(
        _TEMPLATES / f"{template}.typ",
        root=_TEMPLATES,
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data)},
        timestamp=int(at.timestamp()),
    )
    assert isinstance(written, bytes), "without an output and with one format it is given"
    return written


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_TEMPLATES / "fonts"])


def code(told: str | bytes, alt: str) -> dict[str, Any]:
    """Return the QR code of a text or of bytes as templates draw it, with what it says to those who cannot see it."""
    side, path = qr.path(told)
    return {"side": side, "path": path, "alt": alt}


def home() -> str:
    """Return where the service is found, as short as it can be typed."""
    public = urlsplit(services().settings.public_url)
    return f"{public.netloc}{public.path}"


def sent(template: str, title: str, data: dict[str, Any]) -> Response:
    """Answer with a print in the reader's language, called by its title when it is kept."""
    about: dict[str, Any] = {"title": title, "lang": "en" if language() == "en" else "zh", "book": me().book.name, "address": home()}
    answer = Response(pdf(template, about | data, services().clock.now()), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(f'{title}.pdf', safe='')}"
    return answer
