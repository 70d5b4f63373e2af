"""The headers of every answer: nothing from elsewhere, no scripts between the lines, nothing private kept by a cache."""

from __future__ import annotations

from flask import Flask
from flask import Response
from flask import request

from ledger.web.kit.auth import maybe_me

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "script-src-attr 'none'",
        # The older way and the newer one of saying where reports go: browsers know either.
        "report-uri /csp-reports",
        "report-to csp",
    )
)

_SIGN_OUTS = frozenset({"sign_in.out"})


def init(app: Flask) -> None:
    """Put them on every answer of `app`."""
    app.after_request(_put)


def _put(response: Response) -> Response:
    headers = response.headers
    # A worker's script has a policy of its own (see `assets`).
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["Reporting-Endpoints"] = 'csp="/csp-reports"'
    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    if response.mimetype == "application/json" and "charset" not in response.content_type:
        response.content_type = "application/json; charset=utf-8"
    if request.endpoint in _SIGN_OUTS and response.status_code < 400:
        # Cookies are not cleared: a paired device stays one, and the session's own is deleted by name. A till keeps what it saw of the log,
        # whoever's shift it is: who could make it forget that could show it another.
        is_till = (who := maybe_me()) is not None and who.signed_in.way == "shift"
        headers["Clear-Site-Data"] = '"cache"' if is_till else '"cache", "storage"'
    if request.endpoint != "static" and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response
