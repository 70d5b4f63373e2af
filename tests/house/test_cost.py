"""What an act costs does not grow with what the rest of the book holds: counted in steps of SQLite's machine, so that no clock decides."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from ledger import areas
from ledger import claims
from ledger import people
from ledger import tariff
from ledger.areas import Book
from ledger.claims import NewDeed
from ledger.claims import Reach
from ledger.store import engine_for
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_claimed_act
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START

#: SQLite calls back after so many steps.
AT_ONCE = 10


@pytest.fixture
def session(sqlite_template: Path, tmp_path: Path) -> Iterator[Session]:
    shutil.copyfile(sqlite_template, tmp_path / "book.db")
    engine = engine_for(f"sqlite:///{tmp_path / 'book.db'}")
    with Session(engine) as session:
        yield session
    engine.dispose()


def cost_of_proposing_and_approving(session: Session, book: Book, leader: UUID, approver: UUID, doer: UUID, deed: str) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += AT_ONCE
        return 0

    driver = session.connection().connection.driver_connection
    assert driver is not None
    told = NewDeed(deed, START.date(), "小区", person_id=doer)
    driver.set_progress_handler(count, AT_ONCE)
    act = a_claimed_act(session, book, actor=leader)
    (proposed,) = claims.propose(session, act, VAULT, Reach(areas.EVERYWHERE), "building_leader", [told])
    assert isinstance(proposed, claims.Claim)
    (approved,) = claims.approve(session, a_claimed_act(session, book, actor=approver), areas.EVERYWHERE, [proposed.id])
    assert isinstance(approved, claims.Moved)
    driver.set_progress_handler(None, AT_ONCE)
    return steps


def test_proposing_and_approving_cost_the_same_in_a_book_with_many_families(session: Session) -> None:
    book = a_book(session)
    leader, approver = a_person(session, book, "building_leader").id, a_person(session, book, "approver").id
    first, second = (a_person(session, book).id for _ in range(2))
    tariff.define_categories(session, an_act(book))
    for deed in ("one", "other"):
        rate = tariff.RateRow("hardship_assistance", deed, "帮邻居", "help a neighbour", "deed", 10)
        tariff.define_rate(session, an_act(book), rate, valid_from=START.date())
    in_a_small_book = cost_of_proposing_and_approving(session, book, leader, approver, first, "one")

    news = [people.NewPerson(f"居民{number}", GRID) for number in range(400)]
    enrolled = [one.id for one in people.enrol_many(session, an_act(book), VAULT, news) if isinstance(one, people.Person)]
    people.tie_households(session, an_act(book), [enrolled[start : start + 4] for start in range(0, 400, 4)])

    assert cost_of_proposing_and_approving(session, book, leader, approver, second, "other") < 1.5 * in_a_small_book
