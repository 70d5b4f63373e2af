from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from datetime import timedelta
from threading import Barrier

from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.errors import Refusal
from ledger.sign_in import guesses
from tests.builders import VAULT
from tests.builders import a_book
from tests.conftest import START
from tests.conftest import Database

MINUTE = timedelta(minutes=1)


def tried(session: Session, book: Book, at: datetime = START, *, at_what: str = "card", device: str = "d", address: str = "a") -> object:
    """What came of a wrong try."""
    outcome = guesses.reserve(session, VAULT, book.id, at_what=at_what, device=device, address=address, at=at)
    return dict(outcome.data) if isinstance(outcome, Refusal) else "served"


def test_there_are_five_wrong_tries_in_any_quarter_of_an_hour(session: Session) -> None:
    book = a_book(session)
    assert [tried(session, book, START + count * MINUTE) for count in range(5)] == ["served"] * 5
    assert tried(session, book, START + 5 * MINUTE) == {"retry_after": 600}
    assert tried(session, book, START + 15 * MINUTE) == "served"
    assert tried(session, book, START + 15 * MINUTE) == {"retry_after": 60}


def test_a_right_try_does_not_count(session: Session) -> None:
    book = a_book(session)
    for count in range(20):
        at = START + count * timedelta(seconds=1)
        outcome = guesses.reserve(session, VAULT, book.id, at_what="card", device="d", address="a", at=at)
        assert isinstance(outcome, guesses.Try)
        guesses.give_back(session, outcome)


def test_a_strangers_guesses_leave_the_owners_own_phone_alone(session: Session) -> None:
    book = a_book(session)
    assert [tried(session, book, device="strange") for _ in range(30)].count("served") == 5
    assert tried(session, book, device="own", address="home") == "served"


def test_many_devices_do_not_guess_for_ever_at_one_card(session: Session) -> None:
    book = a_book(session)
    served = [tried(session, book, device=f"{number}", address=f"{number // 3}") for number in range(130)].count("served")
    assert served == 100


def test_one_address_does_not_guess_for_ever_at_many_cards(session: Session) -> None:
    book = a_book(session)
    served = [tried(session, book, at_what=f"card {number}", device="d") for number in range(130)].count("served")
    assert served == 100


def test_of_many_tries_at_once_five_are_served(database: Database) -> None:
    with Session(database.engine) as session:
        book = a_book(session)
        session.commit()
        session.refresh(book)
        session.expunge(book)
    together = Barrier(16)

    def guess() -> object:
        together.wait()
        with Session(database.engine) as own, own.begin():
            return tried(own, book)

    with ThreadPoolExecutor(16) as threads:
        outcomes = [future.result() for future in [threads.submit(guess) for _ in range(16)]]
    assert outcomes.count("served") == 5
