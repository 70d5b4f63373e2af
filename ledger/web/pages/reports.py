"""Where browsers say that a page wanted to load what its policy forbids: the first sign of a text that became a script."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint
from flask import current_app
from flask import request
from flask.typing import ResponseReturnValue

from ledger.web.kit.auth import allow
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show

pages = Blueprint("reports", __name__)

log = logging.getLogger(__name__)

_BYTES_MAX = 16 * 1024
#: So many are written down in a minute: anybody can send any number.
A_MINUTE_MAX = 30
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")


@pages.post("/csp-reports")
@allow(public=True)
def csp() -> ResponseReturnValue:
    """Write down which rule was broken by what host; never the page's address, which may hold a token."""
    if (request.content_length or 0) > _BYTES_MAX:
        return show(problem_body("too-large", "body"))
    if not _has_room():
        return show(problem_body("too-many-requests", data={"retry_after": 60}))
    try:
        told = json.loads(request.get_data())
    except (ValueError, RecursionError):
        return show(problem_body("body-malformed", "body"))
    for report in (told if isinstance(told, list) else [told])[:10]:
        log.warning("a page broke its policy", extra={"fields": _figures(report)})
    return "", 204


def _has_room() -> bool:
    # Of two threads that come at once, one more than the limit may be written down: it protects a log, not points.
    of_late: deque[float] = current_app.extensions.setdefault("csp_reports", deque(maxlen=A_MINUTE_MAX))
    now = time.monotonic()
    if len(of_late) == A_MINUTE_MAX and now - of_late[0] < 60:
        return False
    of_late.append(now)
    return True


def _figures(report: Any) -> dict[str, str]:
    """Return the rule and the host of a report, in the old form or the new."""
    body = report.get("csp-report", report.get("body")) if isinstance(report, dict) else None
    body = body if isinstance(body, dict) else {}
    rule = str(body.get("effective-directive") or body.get("effectiveDirective") or body.get("violated-directive") or "").partition(" ")[0]
    blocked = str(body.get("blocked-uri") or body.get("blockedURL") or "")
    try:
        host = urlsplit(blocked).hostname or ""
    except ValueError:
        host = ""
    return {"rule": rule if _DIRECTIVE.fullmatch(rule) else "?", "host": host[:100], "kind": blocked if blocked in _KINDS else ""}


#: What a browser says instead of an address.
_KINDS = frozenset({"inline", "eval", "wasm-eval", "data", "blob", "self"})
