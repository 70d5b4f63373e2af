"""What a pay code looks like, scanned or typed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from ledger.tokens import digits_of
from ledger.tokens import normalised

PURPOSE = "pay"
#: What draws codes for somebody.
KINDS = ("service", "phone", "slip")
#: Of one person; with the next one the oldest ends.
PHONES_MAX = 5
#: What a slip's one code is drawn for, in place of a step of time.
SLIP_PURPOSE, SLIP_STEP = "slip", 0
SLIP_LIVES = timedelta(days=30)
#: Of one person that are good at a time.
SLIPS_MAX = 5
HANDLE_LENGTH = 8
DIGITS_LENGTH = 6
#: Good for a month, so a million would be too few.
SLIP_DIGITS_LENGTH = 10
CODE_LENGTH = 16


@dataclass(frozen=True)
class Given:
    """A pay code as it was given at a till: whose, and the code, scanned or typed."""

    handle: str
    code: str
    is_typed: bool


def read(text: str, book_number: int) -> Given | None:
    """Return what a scanned address, a bare token, or typed digits say; None where it is none of them.

    Scanned: `<book>-<handle>-<16 characters>`, alone or at the end of an address. Typed: the handle, then 6 digits, of a slip 10.
    """
    # A Chinese keyboard types full-width digits.
    token = normalised(unicodedata.normalize("NFKC", text).rsplit("/", 1)[-1])
    digits = digits_of(text)
    if digits.isascii() and digits.isdigit() and len(digits) - HANDLE_LENGTH in {DIGITS_LENGTH, SLIP_DIGITS_LENGTH}:
        return Given(digits[:HANDLE_LENGTH], digits[HANDLE_LENGTH:], is_typed=True)
    if not token.isascii():
        return None
    number, _, rest = token.partition("-")
    handle, _, code = rest.partition("-")
    if number == str(book_number) and handle.isdigit() and len(handle) == HANDLE_LENGTH and len(code) == CODE_LENGTH:
        return Given(handle, code, is_typed=False)
    return None
