"""Long lists come a page at a time, by the key of the last row seen: the ten-thousandth page costs what the first does."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from typing import NamedTuple
from typing import TypeVar

from marshmallow import fields

from ledger.errors import Invalid
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole

Row = TypeVar("Row")
LIMIT_MAX = 100
_WHOLE = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)


class Typed(Whole):
    """A whole number in an address, where everything is text."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> int:
        return super()._deserialize(int(value) if _WHOLE.fullmatch(value) else value, attr, data, **more)


class PageQuery(Shape):
    """Where in a list to go on, and how many to give."""

    cursor = fields.String(load_default=None, metadata={"description": "`next` of the page before"})
    limit = Typed(1, LIMIT_MAX, load_default=50, metadata={"description": "How many to give"})


class Page(NamedTuple):
    """Some rows of a list, and the cursor of the next page, if there is one."""

    items: Sequence[Any]
    next: str | None


def read_cursor(text: str | None, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """Return the key that a cursor carries, each part made by one of `kinds`; None for the first page."""
    if text is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        key = tuple(_made(kind, part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Invalid("cursor-malformed", "cursor") from None
    return key


def _made(kind: Callable[[Any], Any], part: object) -> Any:
    if type(part) is not (int if kind is int else str):
        raise ValueError
    made = kind(part)
    # What no database could compare with is no key of a row.
    if (isinstance(made, str) and not made.isprintable()) or (isinstance(made, int) and not 0 <= made < 2**63):
        raise ValueError
    return made


def moment(text: str) -> datetime:
    """Return a moment of a key; raise ValueError where it has no offset."""
    if (found := datetime.fromisoformat(text)).tzinfo is None:
        raise ValueError(text)
    return found


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]]) -> Page:
    """Return a page of `rows`, which were read with `limit` + 1: the one more says that there is a next page."""
    if len(rows) <= limit:
        return Page(rows, None)
    parts = [part if isinstance(part, int) else str(part) for part in key(rows[limit - 1])]
    text = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    return Page(rows[:limit], text)
