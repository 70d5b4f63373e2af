"""A line that waits to be sealed is promised at once, under a key that everybody may know."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ledger.seal import notes
from ledger.seal.leaves import SideFacts
from ledger.seal.promises import promise
from ledger.seal.promises import promiser

SECRET = bytes(range(32))
NAME, ORIGIN = "passbook.example.org/promise", "passbook.example.org/log/1"
SIDE = SideFacts(UUID(int=7), 12, -50, 130, 80, "redemption", date(2026, 11, 26), 1_795_000_000_000_000, None)


def test_a_promise_says_the_line_and_by_when_it_is_sealed() -> None:
    note = promise(promiser(SECRET, NAME), ORIGIN, SIDE)
    assert note.body.split("\n") == [
        "passbook-promise/v1",
        "log passbook.example.org/log/1",
        "account 00000000-0000-0000-0000-000000000007",
        "line 12",
        "amount -50",
        "before 130",
        "after 80",
        "kind redemption",
        "deed 2026-11-26",
        "posted 1795000000000000",
        "sealed-by 1795086400000000",
        "",
    ]


def test_a_promise_is_read_back_and_holds_under_the_public_key() -> None:
    signer = promiser(SECRET, NAME)
    key = notes.key_of(str(signer.key))
    note = notes.note_of(str(promise(signer, ORIGIN, SIDE)))
    assert note.signed_by([key]) == [key]


@pytest.mark.parametrize("change", [{"number": 13}, {"amount": -49}, {"before": 131}, {"after": 79}, {"kind": "gift"}, {"posted_at": 5}])
def test_a_promise_of_another_line_is_not_signed(change: dict[str, Any]) -> None:
    signer = promiser(SECRET, NAME)
    signed, other = promise(signer, ORIGIN, SIDE), promise(signer, ORIGIN, SIDE._replace(**change))
    with pytest.raises(notes.NoteError):
        notes.Note(other.body, signed.signatures).signed_by([signer.key])


def test_the_same_line_is_promised_in_the_same_words_also_once_the_one_before_it_is_sealed() -> None:
    signer = promiser(SECRET, NAME)
    assert promise(signer, ORIGIN, SIDE) == promise(signer, ORIGIN, SIDE._replace(previous=b"\x01" * 32))


def test_the_key_follows_from_the_secret_and_is_not_it() -> None:
    one, same, other = (promiser(secret, NAME) for secret in (SECRET, SECRET, bytes(range(1, 33))))
    assert one.key == same.key != other.key
    assert one.private.private_bytes_raw() != SECRET
