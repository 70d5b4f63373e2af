"""Pages that say the same to everybody, kept for a few minutes by browsers and by whatever stands between."""

from __future__ import annotations

from flask import Response
from flask import make_response
from flask import request

from ledger.web.kit.auth import device_cookie
from ledger.web.kit.auth import token_shown

KEPT_S = 300


def for_everybody(page: str) -> Response:
    """Return a public page, to be kept where nothing in the request says who asks: it may differ by language and by how it is to look."""
    response = make_response(page)
    if token_shown() is None and device_cookie() not in request.cookies:
        response.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
        response.vary.update(("Cookie", "Accept-Language"))
        response.add_etag()
        response.make_conditional(request)
    return response
