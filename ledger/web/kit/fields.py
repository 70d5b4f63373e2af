"""The fields of the API: strict, so that "1", 1.0, true, １, NaN or 2^63 is never taken for a number of points.

A field that cannot be taken says the code of its problem (see `problems.PROBLEMS`), with data behind a bar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields

from ledger.points import POINTS_MAX

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


class Shape(Schema):
    """The base of every schema: unknown fields are refused, and nothing is left out of an answer."""

    class Meta:
        """What is not named is not taken."""

        unknown = RAISE


class Whole(fields.Field[int]):
    """A plain whole number within bounds."""

    def __init__(self, least: int, most: int, *, code: str = "number-out-of-range", **more: Any) -> None:
        metadata = {"type": "integer", "minimum": least, "maximum": most, **more.pop("metadata", {})}
        super().__init__(metadata=metadata, **more)
        self.least, self.most, self.code = least, most, code

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise ValidationError(f"{self.code}|{json.dumps({'least': self.least, 'most': self.most})}")
        return value


class Points(Whole):
    """A number of points: 1 to 10^12."""

    def __init__(self, **more: Any) -> None:
        super().__init__(1, POINTS_MAX, code="amount-malformed", **more)


class CashFen(Whole):
    """An amount of cash in hundredths of a yuan."""

    def __init__(self, **more: Any) -> None:
        super().__init__(0, 100_000_000, **more)


class Minutes(Whole):
    """Minutes of one day."""

    def __init__(self, **more: Any) -> None:
        super().__init__(1, 1440, **more)


class Words(fields.Field[str]):
    """Text that people wrote: trimmed, not empty unless allowed, of printable characters and at most so many."""

    def __init__(self, most: int, *, least: int = 1, lines: bool = False, **more: Any) -> None:
        # `least` counts after trimming, which JSON Schema cannot say; the length before it is what the document promises.
        super().__init__(metadata={"type": "string", "minLength": least, "maxLength": most, **more.pop("metadata", {})}, **more)
        self.least, self.most, self.lines = least, most, lines

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        # The full-width space is what a Chinese keyboard types.
        text = value.replace("\u3000", " ").strip() if isinstance(value, str) else ""
        plain = text.replace("\n", " ").replace("\r", " ") if self.lines else text
        if not isinstance(value, str) or not self.least <= len(text) <= self.most or not (plain.isprintable() and _encodable(plain)):
            raise ValidationError("text-malformed")
        return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Code(fields.Field[str]):
    """A code of the system: ASCII letters, digits, full stop, underscore and hyphen."""

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"type": "string", "pattern": f"^{_CODE.pattern}$", **more.pop("metadata", {})}, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            raise ValidationError("field-malformed")
        return value


class Choice(fields.Field[str]):
    """One of a few words."""

    def __init__(self, *choices: str, **more: Any) -> None:
        super().__init__(metadata={"type": "string", "enum": list(choices), **more.pop("metadata", {})}, **more)
        self.choices = frozenset(choices)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ValidationError("choice-malformed")
        return value


class Truth(fields.Field[bool]):
    """True or false, and nothing that only counts as either."""

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"type": "boolean", **more.pop("metadata", {})}, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("field-malformed")
        return value


class Day(fields.Field[date]):
    """A calendar day, as 2026-11-23."""

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "date", **more.pop("metadata", {})}, **more)

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **more: Any) -> str | None:
        return value.isoformat() if value else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> date:
        try:
            if not isinstance(value, str) or not _DAY.fullmatch(value) or not 1900 <= (day := date.fromisoformat(value)).year <= 2199:
                raise ValueError
        except ValueError:
            raise ValidationError("day-malformed") from None
        return day


class Moment(fields.Field[datetime]):
    """A moment with its offset, as 2026-11-23T09:00:00+08:00; answered in UTC."""

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "date-time", **more.pop("metadata", {})}, **more)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **more: Any) -> str | None:
        return value.astimezone(UTC).isoformat() if value else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
            if moment is None or moment.tzinfo is None or not 1900 <= moment.year <= 2199:
                raise ValueError
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("moment-malformed") from None


class Id(fields.Field[UUID]):
    """An id: a UUID."""

    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "uuid", **more.pop("metadata", {})}, **more)

    def _serialize(self, value: UUID | None, attr: str | None, obj: Any, **more: Any) -> str | None:
        return str(value) if value else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> UUID:
        try:
            if not isinstance(value, str) or len(value) != 36:
                raise ValueError
            return UUID(value)
        except ValueError:
            raise ValidationError("id-malformed") from None


class Personal(fields.String):
    """What is told of people or by them, in which anything may stand: names, places, texts, notes.

    Reads show it. A write's answer is kept for ever, where no key that is destroyed reaches it: `Resource.writes` refuses one that has it.
    """


def personal_in(out: type[Schema]) -> list[str]:
    """Return where in an answer something personal would stand, also below lists and other schemas."""
    return [".".join(place) for name, field in out().fields.items() for place in _personal(name, field)]


def _personal(name: str, field: fields.Field[Any]) -> Iterator[tuple[str, ...]]:
    if isinstance(field, Personal):
        yield (name,)
    elif isinstance(field, fields.List):
        yield from _personal(name, field.inner)
    elif isinstance(field, fields.Nested):
        for below, inner in field.schema.fields.items():
            yield from ((name, *place) for place in _personal(below, inner))


class Nothing(Shape):
    """A request without fields: an empty object."""


class OutcomeOut(Shape):
    """What became of one of a set: its id, whether it was done, and if not, why."""

    id = Id()
    ok = fields.Boolean()
    state = fields.String(allow_none=True)
    problem = fields.Dict(allow_none=True)
