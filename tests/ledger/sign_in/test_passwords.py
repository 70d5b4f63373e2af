from __future__ import annotations

import unicodedata

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.sign_in import passwords
from ledger.sign_in.model import Secret
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act

GOOD = "河边三棵柳树 and one small boat"

#: As each of them is, and with what somebody adds to make it look better.
COMMON = [
    "passwordpassword",
    "password1234567",
    "P@ssw0rdP@ssw0rd1",
    "Password-Password-1",
    "qwertyuiop123456",
    "1qaz2wsx3edc4rfv",
    "iloveyou2026iloveyou",
    "woaini5201314woaini",
    "zhangwei19820304",
    "Wang Li 2026 Nanjing",
    "aaaaaaaaaaaaaaaaaa",
    "abcabcabcabcabcabc",
    "x7!kQx7!kQx7!kQ",
    "123456789012345",
    "987654321098765",
    "一二三四五六七八九十一二三四五",
]
#: What the service, and what its owner, is called.
CONTEXT = [
    "善行存折善行存折善行存折善行存折",
    "Good Deed Passbook 2026",
    "passbook-passbook-passbook",
    "陈桂芳陈桂芳陈桂芳陈桂芳陈桂芳",
    "陈桂芳 13800001234 善行",
    "1380000123413800001234",
    "13800001234passbook",
]


@pytest.mark.parametrize("password", COMMON + CONTEXT)
def test_a_password_that_others_would_try_is_refused(password: str) -> None:
    assert passwords.why_refused(password, ("12345678", "陈桂芳", "13800001234")) == Refusal("password-common", "password")


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "correct horse battery staple",
        "我在河边种了三棵柳树每年春天都去看",
        "tyrmvkqpzhdwjxb",
        "the cat ate my red hat",
        "              x 1 y 2 z",
        "blue elephants paint quietly",
    ],
)
def test_length_is_all_that_a_password_needs(password: str) -> None:
    assert passwords.why_refused(password, ("12345678", "陈桂芳", "13800001234")) is None


def test_a_password_has_fifteen_to_128_characters() -> None:
    long = "".join(chr(0x4E00 + 7 * number) for number in range(128))
    assert passwords.why_refused(long[:14]) == Refusal("password-too-short", "password", {"least": 15})
    assert [passwords.why_refused(long[:length]) for length in (15, 64, 65, 128)] == [None] * 4
    assert passwords.why_refused(long + "x") == Refusal("password-too-long", "password", {"most": 128})


def test_more_than_three_thousand_words_are_known() -> None:
    assert len(passwords._common_words()) > 3_000


def test_a_password_is_compared_to_its_end_and_in_whatever_way_it_was_typed(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    password = "é" * 3 + "".join(chr(0x4E00 + 7 * number) for number in range(124))
    assert passwords.set_password(session, an_act(book), VAULT, person, password + "a") is None

    def matches(typed: str) -> bool:
        return passwords.matches(session, VAULT, book.id, person, typed)

    assert matches(password + "a")
    assert matches(unicodedata.normalize("NFD", password) + "a")
    assert not matches(password + "b")
    assert not matches(password)
    assert not matches((password + "a").upper())


def test_a_new_password_replaces_the_old_one(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    for password in (GOOD, GOOD + "!"):
        assert passwords.set_password(session, an_act(book), VAULT, person, password) is None
    assert not passwords.matches(session, VAULT, book.id, person, GOOD)
    assert passwords.matches(session, VAULT, book.id, person, GOOD + "!")
    passwords.remove_password(session, an_act(book), person)
    assert not passwords.matches(session, VAULT, book.id, person, GOOD + "!")


def test_ones_own_name_and_phone_are_no_password(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, name="欧阳明轩", phone="13951234567")
    for password in ("欧阳明轩欧阳明轩欧阳明轩欧阳明轩", "欧阳明轩 13951234567", f"{person.handle} {person.handle} x"):
        assert passwords.set_password(session, an_act(book), VAULT, person.id, password) == Refusal("password-common", "password")


def test_nobodys_password_matches(session: Session) -> None:
    book = a_book(session)
    assert not passwords.matches(session, VAULT, book.id, None, GOOD)
    assert not passwords.matches(session, VAULT, book.id, new_id(), "nobody's")
    assert not passwords.matches(session, VAULT, book.id, a_person(session, book).id, "nobody's")


@pytest.mark.usefixtures("real_hashing")
def test_of_a_password_only_a_sealed_hash_is_kept(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    passwords.set_password(session, an_act(book), VAULT, person, GOOD)
    kept = session.execute(select(Secret.sealed_hash).where(Secret.book_id == book.id)).scalar_one()
    assert b"argon2" not in kept
    opened = VAULT.open(f"{book.id}|{person}|secret|password", kept).decode()
    assert opened.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
