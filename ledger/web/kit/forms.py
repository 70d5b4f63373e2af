"""What a form of a page carries, read as strictly as the API reads its fields, and with the same problems."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TypeVar
from uuid import UUID

from flask import request
from marshmallow import ValidationError
from marshmallow import fields

from ledger.errors import Invalid
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Points
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words

Read = TypeVar("Read")

_WHOLE = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
_HALF_WIDTH = {ord(wide): ord(plain) for wide, plain in zip("０１２３４５６７８９．－", "0123456789.-", strict=True)}
_YUAN = re.compile(r"(0|[1-9]\d{0,17})(?:\.(\d{1,2}))?", re.ASCII)


def text(name: str) -> str:
    """Return what was typed into a field, without the spaces around it; nothing where the form has no such field."""
    # A form that only asks for a page sends its fields in the address.
    return (request.form if request.method == "POST" else request.args).get(name, "").strip()


def words(name: str, most: int, *, least: int = 1, lines: bool = False) -> str:
    """Return a text of printable characters, at most so many."""
    return _read(Words(most, least=least, lines=lines), name)


def whole(name: str, least: int, most: int) -> int:
    """Return a whole number within bounds."""
    return _read(Whole(least, most), name)


def points(name: str) -> int:
    """Return a number of points."""
    return _read(Points(), name)


def fen(name: str, most: int) -> int:
    """Return an amount of cash, which is typed in yuan, in hundredths of a yuan."""
    typed = _YUAN.fullmatch(_half_width(text(name)))
    amount = int(typed[1]) * 100 + int((typed[2] or "").ljust(2, "0")) if typed else None
    if amount is None or amount > most:
        raise Invalid("cash-malformed", name, most=f"{most // 100:,}")
    return amount


def choice(name: str, *choices: str) -> str:
    """Return one of a few words."""
    return _read(Choice(*choices), name)


def day(name: str) -> date:
    """Return a calendar day."""
    return _read(Day(), name)


def an_id(name: str) -> UUID:
    """Return an id."""
    return _read(Id(), name)


def _half_width(typed: str) -> str:
    # What a Chinese keyboard types, and no other digits; a sign stays one.
    return typed.translate(_HALF_WIDTH)


def _read(field: fields.Field[Read], name: str) -> Read:
    typed: str | int = text(name)
    if not typed and not (isinstance(field, Words) and field.least == 0):
        raise Invalid("field-required", name)
    # A form carries text: only the digits of a plain whole number become one, also those of a Chinese keyboard.
    if isinstance(field, Whole) and _WHOLE.fullmatch(digits := _half_width(str(typed))):
        typed = int(digits)
    try:
        return field.deserialize(typed)
    except ValidationError as problem:
        code, _, data = str(problem.messages[0]).partition("|")
        raise Invalid(code, name, **(json.loads(data) if data else {})) from None
