"""What the service says of itself while it runs: one line of JSON for each request and event, on stderr, and nothing of anybody in it.

A line names the endpoint, not the address: that may hold a token, or what somebody looked for. People are their random ids, places their
networks. Of what went wrong it has the kind and where in the code, not the words: they may quote what was typed.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from datetime import UTC
from datetime import datetime
from typing import Any

from flask import Flask
from flask import Response
from flask import g
from flask import request

from ledger import audit
from ledger.ids import new_id
from ledger.web.kit.auth import maybe_me

log = logging.getLogger(__name__)

#: What an answer is worth a second look for.
_WARNS = frozenset({401, 403, 409, 429, 503})


class Lines(logging.Handler):
    """Writes each record as a line of JSON; what would end a line or move a terminal's cursor is escaped."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sys.stderr.write(line_of(record) + "\n")


def line_of(record: logging.LogRecord) -> str:
    """Return a record as JSON on one line."""
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": record.getMessage(),
    }
    line |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[1]:
        line["error"] = type(record.exc_info[1]).__name__
        line["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(record.exc_info[2])]
    return json.dumps(line, default=str)


def init(app: Flask) -> None:
    """Write a line for each request of `app`, and let everything else that is logged be such lines too."""
    root = logging.getLogger()
    if not any(isinstance(handler, Lines) for handler in root.handlers):
        root.addHandler(Lines())
    log.setLevel(logging.INFO)
    # First in, last out: the line has the answer as it is sent, and the time that all of it took.
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request_funcs.setdefault(None, []).insert(0, _end)


def _begin() -> None:
    g.begun = time.perf_counter()


def _end(response: Response) -> Response:
    who, act, now = maybe_me(), g.get("act"), time.perf_counter()
    fields = {
        "request": act.request_id if act else new_id(),
        "method": request.method,
        "endpoint": request.endpoint,
        "status": response.status_code,
        "problem": g.get("problem_code"),
        "ms": round((now - g.get("begun", now)) * 1000, 1),
        "book": who.book.number if who else None,
        "person": who.actor_id if who else None,
        "acted_for": who.acted_for if who else None,
        "network": audit.network_of(request.remote_addr),
    }
    level = logging.ERROR if response.status_code == 500 else logging.WARNING if response.status_code in _WARNS else logging.INFO
    log.log(level, "request", extra={"fields": fields})
    return response
