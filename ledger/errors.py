"""What can go wrong, and what can be refused, in words that know nothing of HTTP.

A *refusal* is an answer: the request was understood and the rules say no. It is a value, it commits, and the same key gets it again.
An *error* is raised: the input was malformed, or something failed; the transaction rolls back and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import Any
from typing import NamedTuple


@dataclass(frozen=True)
class Refusal:
    """The rules say no: `code` is the stable problem type, `field` what it is about, `data` what the sentence needs."""

    code: str
    field: str | None = None
    data: Mapping[str, Any] = field_of(default_factory=dict)


class Fault(NamedTuple):
    """Something of a book that does not hold when it is recomputed: where, and what."""

    place: str
    what: str


class DomainError(Exception):
    """Something went wrong; the transaction rolls back."""

    code = "failed"

    def __init__(self, field: str | None = None, **data: Any) -> None:
        super().__init__(self.code, field, data)
        self.field = field
        self.data = data


class Invalid(DomainError):
    """The input is malformed or out of range."""

    code = "invalid"

    def __init__(self, code: str, field: str | None = None, **data: Any) -> None:
        self.code = code
        super().__init__(field, **data)


class NotFound(DomainError):
    """There is no such thing, or none that this person may know of."""

    code = "not-found"


class Conflict(DomainError):
    """Something else is under way; trying again with the same key may work."""

    code = "busy"


class Unavailable(DomainError):
    """There is more to do than can be done at the moment; trying again shortly may work."""

    code = "unavailable"
