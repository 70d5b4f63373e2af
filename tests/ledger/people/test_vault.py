from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.ids import new_id
from ledger.people.vault import VaultError
from ledger.people.vault import open_field
from ledger.people.vault import seal_field
from tests.builders import VAULT

BOOK, PERSON, OTHER = (UUID(int=number) for number in (1, 2, 3))
KEY, WRAPPED = VAULT.new_key(BOOK, PERSON)


@given(st.text())
def test_what_is_sealed_opens(text: str) -> None:
    assert open_field(KEY, BOOK, PERSON, "name", seal_field(KEY, BOOK, PERSON, "name", text)) == text


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert seal_field(KEY, BOOK, PERSON, "name", "陈") != seal_field(KEY, BOOK, PERSON, "name", "陈")


@pytest.mark.parametrize("place", [(OTHER, PERSON, "name"), (BOOK, OTHER, "name"), (BOOK, PERSON, "phone")])
def test_what_is_moved_to_another_place_does_not_open(place: tuple[UUID, UUID, str]) -> None:
    with pytest.raises(VaultError):
        open_field(KEY, *place, seal_field(KEY, BOOK, PERSON, "name", "陈桂芳"))


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(40)])
def test_what_was_tampered_with_does_not_open(sealed: bytes) -> None:
    with pytest.raises(VaultError):
        open_field(KEY, BOOK, PERSON, "name", sealed)


def test_a_persons_key_opens_only_with_the_master_key_and_for_that_person() -> None:
    assert VAULT.unwrap(BOOK, PERSON, WRAPPED) == KEY
    with pytest.raises(VaultError):
        VAULT.unwrap(BOOK, OTHER, WRAPPED)
    with pytest.raises(VaultError):
        replace(VAULT, master_key=bytes(32)).unwrap(BOOK, PERSON, WRAPPED)


def test_every_person_has_a_key_of_their_own() -> None:
    assert VAULT.new_key(BOOK, new_id())[0] != VAULT.new_key(BOOK, new_id())[0]


def test_hashes_need_the_pepper_and_the_book() -> None:
    assert VAULT.hashed(BOOK, "phone", "1") == VAULT.hashed(BOOK, "phone", "1")
    assert VAULT.hashed(BOOK, "phone", "1") != VAULT.hashed(OTHER, "phone", "1")
    assert VAULT.hashed(BOOK, "phone", "1") != VAULT.hashed(BOOK, "name", "1")
    assert VAULT.hashed(BOOK, "phone", "1") != replace(VAULT, pepper=bytes(32)).hashed(BOOK, "phone", "1")


def test_the_vault_does_not_show_its_keys() -> None:
    assert repr(VAULT) == "Vault(...)"
    assert VAULT.master_key.hex() not in VAULT.master_key_id
