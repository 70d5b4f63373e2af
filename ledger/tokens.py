"""Tokens that carry their book, and codes that change with the time.

A token is the book's number, a hyphen and 128 random bits in Crockford's base 32 (https://www.crockford.com/base32.html): short, typable,
and all of it in the alphanumeric set of a QR code. Only its hash is stored.

A rotating code is an HMAC of the step of time it was drawn in (RFC 6238's idea): as long text for a QR code, as 6 digits to type.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from datetime import datetime

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_MEANT = str.maketrans("OIL", "011", " ")
#: Seconds for which a rotating code is drawn; the step before is accepted too.
STEP_SECONDS = 30


def new_token(book_number: int) -> str:
    """Return a new token of that book."""
    return token_of(book_number, secrets.token_bytes(16))


def token_of(book_number: int, key: bytes) -> str:
    """Return the token of that book with the first 128 bits of `key`: drawn again, where it must not be kept."""
    return f"{book_number}-{to_base32(key[:16])}"


def book_number_of(token: str) -> int | None:
    """Return the number of the book that `token` says it belongs to, or None where it has not the form of a token."""
    number, hyphen, rest = token.partition("-")
    if not hyphen or not number.isascii() or not number.isdigit() or len(number) > 5 or not 1 <= len(rest) <= 64:
        return None
    return int(number)


def hash_of(token: str) -> bytes:
    """Return what is stored of a token: its SHA-256; the token has 128 random bits, so no salt is needed."""
    return hashlib.sha256(normalised(token).encode()).digest()


def normalised(token: str) -> str:
    """Return `token` as it was made, whatever way it was typed: upper case, O for 0, I and L for 1, no spaces."""
    return token.strip().upper().translate(_AS_MEANT)


def digits_of(typed: str) -> str:
    """Return a number as it was made, whatever way it was typed: half-width digits, no spaces, no hyphens."""
    plain = unicodedata.normalize("NFKC", typed)
    return "".join(character for character in plain if not character.isspace() and unicodedata.category(character) != "Pd")


def step_at(moment: datetime) -> int:
    """Return the number of the step of time that `moment` falls in."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_at(key: bytes, step: int, purpose: str) -> str:
    """Return the 80-bit code of `step` in base 32: 16 characters."""
    return to_base32(_mac(key, step, purpose)[:10])


def digits_at(key: bytes, step: int, purpose: str, length: int = 6) -> str:
    """Return the digits of `step`, for typing: 6 where a code is good for a minute, more where it is good for longer."""
    return f"{int.from_bytes(_mac(key, step, purpose)[-8:], 'big') % 10**length:0{length}}"


def _mac(key: bytes, step: int, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode() + step.to_bytes(8, "big"), "sha256")


def to_base32(raw: bytes) -> str:
    """Return `raw` in Crockford's base 32, padded with zero bits at its end."""
    bits = len(raw) * 8
    length = -(-bits // 5)
    value = int.from_bytes(raw, "big") << (length * 5 - bits)
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(length)))


def from_base32(text: str, length: int) -> bytes | None:
    """Return the `length` bytes that `to_base32` wrote as `text`, or None where it wrote nothing like it."""
    digits = [ALPHABET.find(character) for character in normalised(text)]
    if len(digits) != -(-length * 8 // 5) or -1 in digits:
        return None
    value = 0
    for digit in digits:
        value = value << 5 | digit
    padding = len(digits) * 5 - length * 8
    return None if value & (1 << padding) - 1 else (value >> padding).to_bytes(length, "big")
