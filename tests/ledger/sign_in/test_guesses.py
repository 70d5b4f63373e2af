from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from datetime import timedelta
from threading import Barrier

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.errors import Refusal
from ledger.sign_in import guesses
from ledger.sign_in.model import Guesses
from tests.builders import VAULT
from tests.builders import a_book
from tests.conftest import START
from tests.conftest import Database

MINUTE = timedelta(minutes=1)


def tried(session: Session, book: Book, at: datetime = START, *, at_what: str = "card", device: str = "d", address: str = "a") -> object:
    """What came of a wrong try."""
    source = guesses.Source(device, address, is_strange=True)
    return outcome_of(guesses.reserve(session, VAULT, book.id, at_what=at_what, source=source, at=at))


def outcome_of(outcome: guesses.Try | Refusal) -> object:
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
        outcome = guesses.reserve(session, VAULT, book.id, at_what="card", source=guesses.Source("d", "a", is_strange=True), at=at)
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


def test_what_strangers_do_takes_nothing_from_ones_own_browser(session: Session) -> None:
    book = a_book(session)
    served = [tried(session, book, device=f"{number}", address="home") for number in range(130)].count("served")
    assert served == 100
    own = guesses.Source("own browser")
    assert [outcome_of(guesses.reserve(session, VAULT, book.id, at_what="card", source=own, at=START)) for _ in range(6)] == [
        *["served"] * 5,
        {"retry_after": 900},
    ]


def test_in_one_shop_there_are_ten_wrong_tries_a_day_and_as_many_in_another(session: Session) -> None:
    book = a_book(session)

    def typed(till: int, shop: str, at: datetime = START) -> object:
        source = guesses.Source(f"till {till}", f"till {till}", place=shop)
        return outcome_of(guesses.reserve(session, VAULT, book.id, at_what="card", source=source, at=at))

    assert [typed(number // 5, "shop") for number in range(15)] == ["served"] * 10 + [{"retry_after": 24 * 3600}] * 5
    assert typed(9, "another shop") == "served"
    assert typed(9, "shop", START + timedelta(days=1)) == "served"


def test_whoever_is_refused_writes_nothing(session: Session) -> None:
    book = a_book(session)
    for number in range(100):
        assert tried(session, book, at_what=f"card {number}", device=f"{number}") == "served"
    before = session.execute(select(func.count()).select_from(Guesses).where(Guesses.book_id == book.id)).scalar_one()
    assert all(tried(session, book, at_what=f"card {number}", device=f"{number}") != "served" for number in range(200, 300))
    assert session.execute(select(func.count()).select_from(Guesses).where(Guesses.book_id == book.id)).scalar_one() == before


def test_the_last_try_is_known_as_such(session: Session) -> None:
    book = a_book(session)
    outcomes = [guesses.reserve(session, VAULT, book.id, at_what="card", source=guesses.Source("d"), at=START) for _ in range(5)]
    assert [isinstance(one, guesses.Try) and one.is_last for one in outcomes] == [False] * 4 + [True]


def test_what_nobody_tried_for_a_day_is_forgotten_and_nothing_else(session: Session) -> None:
    book = a_book(session)
    for _ in range(5):
        tried(session, book, at_what="old")
    tried(session, book, START + timedelta(hours=20), at_what="new", address="b", device="e")
    later = START + timedelta(hours=24, seconds=1)
    assert guesses.sweep_guesses(session, book.id, later) == 3
    assert guesses.sweep_guesses(session, book.id, later) == 0
    assert session.execute(select(func.count()).select_from(Guesses).where(Guesses.book_id == book.id)).scalar_one() == 3


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
