"""Where a request comes from: which address, behind proxies of one's own; and of a form, that no page of another site sent it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask
from flask import Response
from flask import request
from werkzeug.middleware.proxy_fix import ProxyFix

from ledger.web.kit.extensions import Services
from ledger.web.kit.extensions import services
from ledger.web.kit.problems import is_api
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show


def init(app: Flask) -> None:
    """Check every form that is sent to `app`, and believe its proxies, as many as there are, where a request comes from."""
    app.before_request(_check)
    found: Services = app.extensions["passbook"]
    if found.settings.proxies:
        # Of the addresses told, only the last ones were added by one's own proxies; what a client wrote before them is its own tale.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=found.settings.proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]


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
