from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.errors import Refusal
from ledger.sign_in import codes
from ledger.sign_in.codes import NewKey
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import RecoveryCode
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

STEP = timedelta(seconds=30)
SAID = {"account": "1-12345678", "issuer": "善行存折"}


def shown(book: Book, person_id: UUID, at: datetime = START) -> NewKey:
    return codes.new_key(VAULT, book.id, person_id, **SAID, at=at)


def digits(key: NewKey, at: datetime) -> str:
    return pyotp.TOTP(key.text).at(at)


def set_up(session: Session, book: Book, person_id: UUID, at: datetime = START) -> NewKey:
    key = shown(book, person_id, at)
    assert codes.confirm_key(session, an_act(book, at), VAULT, person_id, key.sealed, digits(key, at)) is None
    return key


def used(session: Session, book: Book, person_id: UUID, code: str, at: datetime) -> bool:
    found = codes.find(session, VAULT, book.id, person_id, code, at)
    return found is not None and codes.use(session, book.id, person_id, found, at)


def test_a_key_has_160_bits_and_goes_into_an_app_by_its_address(session: Session) -> None:
    book = a_book(session)
    one, other = (shown(book, a_person(session, book).id) for _ in range(2))
    assert one.text != other.text
    assert len(pyotp.TOTP(one.text).byte_secret()) == 20
    read = pyotp.parse_uri(one.address)
    assert (read.name, read.issuer, read.secret) == ("1-12345678", "善行存折", one.text)


def test_a_key_counts_once_a_code_of_it_was_typed(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    key = shown(book, person)
    assert not used(session, book, person, digits(key, START), START)
    wrong = "000000" if digits(key, START) != "000000" else "111111"
    assert codes.confirm_key(session, an_act(book), VAULT, person, key.sealed, wrong) == Refusal("one-time-code-wrong", "code")
    assert session.execute(select(OneTimeKey).where(OneTimeKey.book_id == book.id)).all() == []
    assert codes.confirm_key(session, an_act(book), VAULT, person, key.sealed, digits(key, START)) is None
    assert used(session, book, person, digits(key, START + STEP), START + STEP)


def test_a_key_that_was_shown_is_for_one_person_and_half_an_hour(session: Session) -> None:
    book = a_book(session)
    person, other = a_person(session, book).id, a_person(session, book).id
    key, late = shown(book, person), START + codes.CONFIRM_WITHIN + timedelta(seconds=1)
    expired = Refusal("one-time-key-expired", "code")
    assert codes.confirm_key(session, an_act(book), VAULT, other, key.sealed, digits(key, START)) == expired
    assert codes.confirm_key(session, an_act(book, late), VAULT, person, key.sealed, digits(key, late)) == expired
    for nonsense in ("", "x", "é", key.sealed[:-8]):
        assert codes.confirm_key(session, an_act(book), VAULT, person, nonsense, digits(key, START)) == expired


def test_a_form_that_is_drawn_again_shows_the_same_key(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    key = shown(book, person)
    assert codes.shown_again(VAULT, book.id, person, key.sealed, **SAID) == key
    assert codes.shown_again(VAULT, book.id, person, "x", **SAID) is None


@pytest.mark.parametrize(("steps_later", "is_good"), [(-2, False), (-1, True), (0, True), (1, False)])
def test_the_code_of_this_step_and_of_the_one_before_is_good(session: Session, steps_later: int, is_good: bool) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    key, at = set_up(session, book, person), START + 10 * STEP
    assert used(session, book, person, digits(key, at + steps_later * STEP), at) is is_good


def test_a_code_is_good_once_and_so_is_every_one_before_it(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    key = set_up(session, book, person)
    assert not used(session, book, person, digits(key, START), START)
    at = START + 10 * STEP
    assert used(session, book, person, f" {digits(key, at)[:3]} {digits(key, at)[3:]}", at)
    assert not used(session, book, person, digits(key, at), at)
    assert not used(session, book, person, digits(key, at - STEP), at)
    assert used(session, book, person, digits(key, at + STEP), at + STEP)


def test_of_many_uses_of_one_code_at_once_one_holds(database: Database) -> None:
    at = START + 10 * STEP
    with Session(database.engine) as session:
        book = a_book(session)
        person = a_person(session, book).id
        key = set_up(session, book, person)
        session.commit()
        session.refresh(book)
        session.expunge(book)
    together = Barrier(8)

    def use() -> bool:
        with Session(database.engine) as own:
            found = codes.find(own, VAULT, book.id, person, digits(key, at), at)
        together.wait()
        with Session(database.engine) as own, own.begin():
            return found is not None and codes.use(own, book.id, person, found, at)

    with ThreadPoolExecutor(8) as threads:
        assert [future.result() for future in [threads.submit(use) for _ in range(8)]].count(True) == 1


def test_another_key_replaces_the_one_before(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    old, at = set_up(session, book, person), START + 10 * STEP
    new = set_up(session, book, person, at)
    assert not used(session, book, person, digits(old, at + STEP), at + STEP)
    assert used(session, book, person, digits(new, at + STEP), at + STEP)


def test_ten_recovery_codes_stand_in_for_a_code_once_each(session: Session) -> None:
    book = a_book(session)
    person, other = a_person(session, book).id, a_person(session, book).id
    for one in (person, other):
        set_up(session, book, one)
    made = codes.new_recovery_codes(session, an_act(book), person)
    assert len(set(made)) == 10
    assert not used(session, book, other, made[0], START)
    assert used(session, book, person, made[0].lower().replace("-", " "), START)
    assert not used(session, book, person, made[0], START)
    assert all(used(session, book, person, code, START) for code in made[1:])


def test_new_recovery_codes_end_the_old_ones(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    set_up(session, book, person)
    old, new = (codes.new_recovery_codes(session, an_act(book), person) for _ in range(2))
    assert not used(session, book, person, old[0], START)
    assert used(session, book, person, new[0], START)


def test_a_recovery_code_is_nothing_where_there_are_no_codes(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    made = codes.new_recovery_codes(session, an_act(book), person)
    assert not used(session, book, person, made[0], START)
    assert codes.find(session, VAULT, book.id, None, made[0], START) is None


def test_neither_key_nor_recovery_code_stands_anywhere(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    key = set_up(session, book, person)
    made = codes.new_recovery_codes(session, an_act(book), person)
    sealed = session.execute(select(OneTimeKey.sealed_key).where(OneTimeKey.book_id == book.id)).scalar_one()
    hashes = session.execute(select(RecoveryCode.code_hash).where(RecoveryCode.book_id == book.id)).scalars().all()
    assert key.text.encode() not in sealed
    assert {len(one) for one in hashes} == {32}
    assert not any(code.replace("-", "").encode() in one for code in made for one in hashes)
