"""What a pay code looks like, scanned or typed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from ledger.tokens import digits_of
from ledger.tokens import normalised

PURPOSE = "pay"
#: What draws codes for somebody.
KINDS = ("service", "phone", "slip")
#: Of one person; with the next one the oldest ends.
PHONES_MAX = 5
HANDLE_LENGTH = 8
DIGITS_LENGTH = 6
CODE_LENGTH = 16


@dataclass(frozen=True)
class Given:
    """A pay code as it was given at a till: whose, and the code, scanned or typed."""

    handle: str
    code: str
    is_typed: bool


def read(text: str, book_number: int) -> Given | None:
    """Return what a scanned address, a bare token, or typed digits say; None where it is none of them.

    Scanned: `<book>-<handle>-<16 characters>`, alone or at the end of an address. Typed: the handle, then 6 digits.
    """
    # A Chinese keyboard types full-width digits.
    token = normalised(unicodedata.normalize("NFKC", text).rsplit("/", 1)[-1])
    digits = digits_of(text)
    if digits.isascii() and digits.isdigit() and len(digits) == HANDLE_LENGTH + DIGITS_LENGTH:
        return Given(digits[:HANDLE_LENGTH], digits[HANDLE_LENGTH:], is_typed=True)
    if not token.isascii():
        return None
    number, _, rest = token.partition("-")
    handle, _, code = rest.partition("-")
    if number == str(book_number) and handle.isdigit() and len(handle) == HANDLE_LENGTH and len(code) == CODE_LENGTH:
        return Given(handle, code, is_typed=False)
    return None
