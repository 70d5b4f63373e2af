"""Where a form comes from: a page of another site sends none in anybody's name, nor signs anybody in as somebody else."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask
from flask import Response
from flask import request

from ledger.web.kit.extensions import services
from ledger.web.kit.problems import is_api
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show


def init(app: Flask) -> None:
    """Check every form that is sent to `app`."""
    app.before_request(_check)


def _check() -> Response | None:
    # The API is asked with a token that no browser adds by itself.
    if request.method in {"GET", "HEAD", "OPTIONS"} or is_api() or _is_own():
        return None
    return show(problem_body("form-from-elsewhere"))


def _is_own() -> bool:
    """Tell whether the browser says that a page of this service sent the form; what says nothing at all is no browser of today."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    public = urlsplit(services().settings.public_url)
    return origin is None or origin.lower() == f"{public.scheme}://{public.netloc}".lower()
