"""A field that comes twice is refused: whoever checks one of the two and whoever uses the other would not mean the same."""

from __future__ import annotations

from flask import Flask
from flask import request
from werkzeug.datastructures import MultiDict

from ledger.errors import Invalid
from ledger.web.kit.problems import PROBLEMS
from ledger.web.kit.problems import is_api

#: Boxes of which several can be ticked.
TICKED = frozenset({"id", "person_id", "team_id"})


def init(app: Flask) -> None:
    """Refuse in every request of `app` what comes twice."""
    app.before_request(_check)


def _check() -> None:
    for name in _twice(request.args):
        # Where a set's outcomes are shown, the address has the ids of those done, and of the others by the code of why not.
        if is_api() or not (name == "done" or name in PROBLEMS):
            raise Invalid("field-repeated", name[:50])
    for name in () if is_api() else _twice(request.form):
        if name not in TICKED:
            raise Invalid("field-repeated", name[:50])


def _twice(fields: MultiDict[str, str]) -> list[str]:
    return [name for name, values in fields.lists() if len(values) > 1]
