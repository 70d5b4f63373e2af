from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.sign_in.model import Credential
from ledger.sign_in.model import Secret
from ledger.sign_in.rules import WRONG_PINS_MAX
from ledger.sign_in.rules import is_easy_pin
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

PIN = "274913"


@pytest.mark.parametrize(
    "pin", ["000000", "888888", "123456", "654321", "789012", "109876", "195603", "031956", "202611", "850213", "275603", "560399"]
)
def test_an_easy_pin_is_found(pin: str) -> None:
    assert is_easy_pin(pin, "1956-03")


@pytest.mark.parametrize("pin", [PIN, "112233", "135790", "991372", "195699"])
def test_a_pin_that_nobody_tries_first_is_taken(pin: str) -> None:
    assert not is_easy_pin(pin, "1956-03", ["13800000000", ""])


def test_part_of_ones_numbers_is_no_pin() -> None:
    assert is_easy_pin("738492", numbers=["13873849291"])
    assert not is_easy_pin("738492")


def chosen(session: Session, book: Book, pin: str = PIN, **others: str) -> UUID:
    person = a_person(session, book, **others)
    sign_in.set_pin(session, VAULT, book.id, person.id, "pin", pin, START)
    return person.id


def tried(session: Session, book: Book, person_id: UUID, pin: str, kind: str = "pin") -> bool | Refusal:
    """What comes of a try at a PIN."""
    outcome = sign_in.reserve_pin(session, book.id, person_id, kind)
    if isinstance(outcome, Refusal):
        return outcome
    is_right = sign_in.pin_matches(VAULT, book.id, outcome, pin)
    if is_right and outcome:
        sign_in.forget_wrong_pins(session, book.id, outcome)
    return is_right


def test_a_pin_opens_and_another_does_not(session: Session) -> None:
    book = a_book(session)
    person_id = chosen(session, book)
    assert tried(session, book, person_id, PIN) is True
    assert tried(session, book, person_id, "274914") is False
    assert tried(session, book, person_id, PIN, kind="shift") is False, "the PIN of a card opens no shift"
    assert tried(session, book, a_person(session, book).id, PIN) is False, "nobody has a PIN who was given none"


def test_a_pin_that_others_would_try_first_is_not_kept(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, birth_month="1956-03", phone="13827491377")
    card = people.issue_card(session, an_act(book), person.id)
    assert isinstance(card, people.Card)
    for pin in ("560311", person.handle[1:7], "274913", card.number[3:9], "222222"):
        with pytest.raises(Invalid) as problem:
            sign_in.set_pin(session, VAULT, book.id, person.id, "pin", pin, START)
        assert problem.value.code == "pin-too-easy"
    for pin in ("", "27491", "2749131", "27491x", "２７４９１３"):
        with pytest.raises(Invalid) as problem:
            sign_in.set_pin(session, VAULT, book.id, person.id, "pin", pin, START)
        assert problem.value.code == "pin-malformed"
    assert not sign_in.has_pin(session, book.id, person.id, "pin")


def test_after_thirty_wrong_pins_it_opens_nothing_until_it_is_set_anew(session: Session) -> None:
    book = a_book(session)
    person_id = chosen(session, book)
    for _ in range(WRONG_PINS_MAX - 1):
        assert tried(session, book, person_id, "274914") is False
    assert tried(session, book, person_id, PIN) is True, "the right one begins the count anew"
    for _ in range(WRONG_PINS_MAX):
        assert tried(session, book, person_id, "274914") is False
    assert tried(session, book, person_id, PIN) == Refusal("pin-locked", "_pin")
    assert not sign_in.has_pin(session, book.id, person_id, "pin")
    sign_in.set_pin(session, VAULT, book.id, person_id, "pin", "274915", START)
    assert tried(session, book, person_id, "274915") is True
    assert tried(session, book, person_id, PIN) is False


def test_of_many_tries_at_once_thirty_are_compared(database: Database) -> None:
    with Session(database.engine) as session:
        book = a_book(session)
        person_id = chosen(session, book)
        for _ in range(WRONG_PINS_MAX - 10):
            sign_in.reserve_pin(session, book.id, person_id, "pin")
        session.commit()
        session.refresh(book)
        session.expunge(book)
    together = Barrier(16)

    def guess() -> object:
        together.wait()
        with Session(database.engine) as own, own.begin():
            return sign_in.reserve_pin(own, book.id, person_id, "pin")

    with ThreadPoolExecutor(16) as threads:
        outcomes = [future.result() for future in [threads.submit(guess) for _ in range(16)]]
    assert outcomes.count(Refusal("pin-locked", "_pin")) == 6


def test_wrong_pins_at_tills_do_not_lock_whoever_is_signed_in_on_their_own_phone(session: Session) -> None:
    book = a_book(session)
    person_id = chosen(session, book)
    for _ in range(WRONG_PINS_MAX):
        sign_in.reserve_pin(session, book.id, person_id, "pin")
    assert tried(session, book, person_id, PIN) == Refusal("pin-locked", "_pin")
    assert sign_in.pin_matches(VAULT, book.id, sign_in.pin_of(session, book.id, person_id, "pin"), PIN)
    assert sign_in.pin_of(session, book.id, a_person(session, book).id, "pin") is None


def test_of_a_pin_nothing_readable_is_kept(session: Session) -> None:
    book = a_book(session)
    chosen(session, book)
    kept = session.execute(select(Secret.sealed_hash).where(Secret.book_id == book.id)).scalar_one()
    assert PIN.encode() not in kept
    assert b"argon2" not in kept, "six digits would be guessed from a bare hash"


def test_a_code_sets_a_cashiers_pin_once_within_a_day(session: Session) -> None:
    book = a_book(session)
    cashier, other = a_person(session, book).id, a_person(session, book).id
    first = sign_in.issue_pin_code(session, an_act(book), VAULT, cashier)
    code = sign_in.issue_pin_code(session, an_act(book), VAULT, cashier)
    assert sign_in.open_pin_code(session, VAULT, book.id, cashier, START) == code
    wrong = Refusal("pin-code-wrong", "code")
    assert sign_in.use_pin_code(session, VAULT, book.id, cashier, first, START) == wrong, "the second took its place"
    assert sign_in.use_pin_code(session, VAULT, book.id, other, code, START) == wrong
    assert sign_in.use_pin_code(session, VAULT, book.id, cashier, code, START + timedelta(hours=24)) == wrong
    assert sign_in.use_pin_code(session, VAULT, book.id, cashier, f"{code[:4]}-{code[4:]}".lower(), START) is None
    assert sign_in.use_pin_code(session, VAULT, book.id, cashier, code, START) == wrong
    assert sign_in.open_pin_code(session, VAULT, book.id, cashier, START) is None


def test_a_code_for_a_pin_signs_nobody_in(session: Session) -> None:
    book = a_book(session)
    code = sign_in.issue_pin_code(session, an_act(book), VAULT, a_person(session, book).id)
    for typed in (code, f"{book.number}-{code}"):
        assert sign_in.use_link(session, typed, START) == Refusal("link-unknown", "token")
    kept = session.execute(select(Credential.token_hash).where(Credential.book_id == book.id)).scalar_one()
    assert code.encode() not in kept
