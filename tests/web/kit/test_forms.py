from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask

from ledger.errors import Invalid
from ledger.web.kit import forms

ID = "01890000-0000-7000-8000-000000000001"


def read(typed: str, reader: Callable[..., Any], *bounds: Any, **more: Any) -> Any:
    with Flask(__name__).test_request_context(method="POST", data={"field": typed}):
        return reader("field", *bounds, **more)


def test_a_form_is_read_without_the_spaces_around_what_was_typed() -> None:
    assert read(" 30 ", forms.points) == 30
    assert read("0", forms.whole, 0, 10) == 0
    assert read("　大米　", forms.words, 10) == "大米"
    assert read("", forms.words, 10, least=0) == ""
    assert read(" 2026-11-23", forms.day) == date(2026, 11, 23)
    assert str(read(ID, forms.an_id)) == ID
    assert read("month", forms.choice, "day", "month") == "month"


@pytest.mark.parametrize("typed", ["0", "-1", "－1", "1.0", "1e3", "①", "٣", "٣0", "+1", "1_0", "010", "NaN", "9" * 40, str(2**63), "十"])
def test_a_form_takes_no_other_number_of_points_than_the_api(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read(typed, forms.points)
    assert (wrong.value.code, wrong.value.field) == ("amount-malformed", "field")


@pytest.mark.parametrize(
    ("typed", "reader", "bounds", "code"),
    [
        ("", forms.points, (), "field-required"),
        ("", forms.whole, (0, 9), "field-required"),
        ("10", forms.whole, (0, 9), "number-out-of-range"),
        ("x" * 11, forms.words, (10,), "text-malformed"),
        ("\x00", forms.words, (10,), "text-malformed"),
        ("26-11-23", forms.day, (), "day-malformed"),
        ("1", forms.an_id, (), "id-malformed"),
        ("week", forms.choice, ("day", "month"), "choice-malformed"),
    ],
)
def test_what_is_wrong_is_told_by_field(typed: str, reader: Callable[..., Any], bounds: tuple[Any, ...], code: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read(typed, reader, *bounds)
    assert (wrong.value.code, wrong.value.field) == (code, "field")


def test_cash_is_typed_in_yuan_and_kept_in_hundredths() -> None:
    assert [read(typed, forms.fen, 100_000) for typed in ("0", "2", "2.5", "2.05", "1000.00")] == [0, 200, 250, 205, 100_000]
    assert read("２．５０", forms.fen, 100_000) == 250
    assert read("６０", forms.points) == 60


@pytest.mark.parametrize("typed", ["", "-1", "1.234", "1e3", "①", ".5", "2.", "1,000", "1000.01", "NaN", "9" * 30])
def test_cash_that_is_none_is_told_by_field(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read(typed, forms.fen, 100_000)
    assert (wrong.value.code, wrong.value.field) == ("cash-malformed", "field")
