from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeem.codes import Given
from redeem.codes import read

CODE = "0123456789ABCDEF"


@pytest.mark.parametrize(
    "text",
    [
        f"7-12345678-{CODE}",
        f"7-12345678-{CODE}".lower(),
        f" 7-12345678-{CODE}\n",
        f"7-12345678-{CODE}".replace("0", "O").replace("1", "l"),
        f"HTTPS://EXAMPLE.ORG/P/7-12345678-{CODE}",
        f"https://example.org/community/p/7-12345678-{CODE}",
    ],
)
def test_a_scanned_code_is_read_whatever_the_case_and_the_address(text: str) -> None:
    assert read(text, 7) == Given("12345678", CODE, is_typed=False)


@pytest.mark.parametrize(
    "text",
    [
        "12345678123456",
        "12345678 123456",
        " 1234 5678 123 456 ",
        "12345678-123456",
        "１２３４５６７８１２３４５６",
        "12345678　123456",
        "1234-5678-123-456",
    ],
)
def test_a_typed_code_is_read_with_or_without_spaces(text: str) -> None:
    assert read(text, 7) == Given("12345678", "123456", is_typed=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456",
        "1234567812345",
        "123456781234567",
        "١٢٣٤٥٦٧٨١٢٣٤٥٦x",
        f"8-12345678-{CODE}",
        f"7-1234567-{CODE}",
        f"7-1234567½-{CODE}",
        f"7-12345678-{CODE}0",
        f"7-12345678-{CODE}/",
        "7-12345678-",
        "7-0123456789ABCDEFGHJKMNPQRS",
        "12345678-12345",
        "\x00",
        "😀" * 14,
    ],
)
def test_what_is_no_code_is_read_as_none(text: str) -> None:
    assert read(text, 7) is None


@given(st.text())
def test_whatever_is_typed_is_read_as_a_plain_code_or_none(text: str) -> None:
    found = read(text, 7)
    assert found is None or (found.handle.isascii() and found.handle.isdigit() and len(found.handle) == 8 and found.code.isascii())
