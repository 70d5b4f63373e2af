from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Invalid
from ledger.people.rules import NewPerson
from ledger.people.rules import groups_of
from ledger.people.rules import handle_of
from ledger.people.rules import in_sets
from ledger.people.rules import is_handle
from ledger.people.rules import normal_name
from ledger.people.rules import normal_phone
from ledger.people.rules import personal_fields

PLAIN = NewPerson("陈桂芳", "320106001003")


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "１３８００１３８０００",
        "+86 138 0013 8000",
        "8613800138000",
        "0086-13800138000",
        "138\u30000013\u20108000",
    ],
)
def test_a_phone_is_the_same_however_it_was_typed(typed: str) -> None:
    assert normal_phone(typed) == "13800138000"


def test_a_landline_is_a_phone_too() -> None:
    assert normal_phone("025-83456789") == "02583456789"
    assert normal_phone("83456789") == "83456789"


@pytest.mark.parametrize(
    "typed", ["", "1380013800", "12800138000", "138001380001", "abc", "138x0013800", "1", "9" * 40, "٣" * 11, "²" * 11]
)
def test_what_cannot_be_a_phone_is_none(typed: str) -> None:
    assert normal_phone(typed) is None


def test_a_name_is_the_same_however_it_was_padded() -> None:
    assert normal_name("李　荣") == normal_name(" 李荣 ") == normal_name("李 荣") == "李荣"
    assert normal_name(" Mary   Ann  Li ") == "Mary Ann Li"


@given(st.integers(0, 9_999_999))
def test_a_handle_is_eight_digits_and_checks(number: int) -> None:
    assert len(handle_of(number)) == 8
    assert is_handle(handle_of(number))


@given(st.integers(0, 9_999_999), st.integers(0, 7), st.integers(1, 9))
def test_one_wrong_digit_is_no_handle(number: int, place: int, more: int) -> None:
    handle = handle_of(number)
    wrong = str((int(handle[place]) + more) % 10)
    assert not is_handle(handle[:place] + wrong + handle[place + 1 :])


@given(st.integers(0, 9_999_999), st.integers(0, 6))
def test_two_digits_swapped_are_no_handle(number: int, place: int) -> None:
    handle = handle_of(number)
    swapped = handle[:place] + handle[place + 1] + handle[place] + handle[place + 2 :]
    assert is_handle(swapped) == (handle == swapped)


@pytest.mark.parametrize("text", ["", "1234567", "١٢٣٤٥٦٧٨", "1234567a", "-1234567", "²2345678"])
def test_a_handle_is_plain_digits(text: str) -> None:
    assert not is_handle(text)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "　"}, "name"),
        ({"name": "陈" * 51}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"phone": "123"}, "phone"),
        ({"birth_month": "1982"}, "birth_month"),
        ({"birth_month": "1982-13"}, "birth_month"),
        ({"roles": ("king",)}, "roles"),
        ({"note": "x" * 501}, "note"),
        ({"address": "a\0"}, "address"),
        ({"note": "\ud800"}, "note"),
        ({"name": "\ud800"}, "name"),
    ],
)
def test_malformed_personal_data_names_its_field(changed: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as problem:
        personal_fields(replace(PLAIN, **changed))
    assert problem.value.field == field


def test_blank_fields_are_not_kept() -> None:
    assert personal_fields(replace(PLAIN, phone="", note=" ")) == {"name": "陈桂芳"}


def test_people_who_are_tied_form_a_group() -> None:
    assert groups_of([1, 2, 3, 4], [(1, 3), (3, 1), (9, 1)]) == [[1, 3], [2], [4]]


def test_sets_have_a_largest_size() -> None:
    assert list(in_sets(range(5), 2)) == [[0, 1], [2, 3], [4]]
