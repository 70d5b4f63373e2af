from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.clock import local_day
from ledger.people import Person
from ledger.sign_in.model import Guesses
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import HandClock

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args: app.test_cli_runner().invoke(args=["ledger", "people", *map(str, args)])


@pytest.fixture
def book(session: Session) -> Book:
    session.expire_on_commit = False
    return a_book(session)


@pytest.fixture
def two(session: Session, book: Book) -> tuple[Person, Person]:
    """The record that is kept, and the one that goes."""
    found = a_person(session, book), a_person(session, book)
    session.commit()
    return found


def test_an_operator_alone_merges_nobody(run: Run, session: Session, book: Book, two: tuple[Person, Person]) -> None:
    kept, gone = two
    asked = ("merge", "--book", 1, "--handle", kept.handle, "--gone", gone.handle)
    assert "nobody proposed" in run(*asked, "--confirm").output
    assert "proposed" in run(*asked).output
    refused = run(*asked, "--confirm")
    assert (refused.exit_code, "merge-takes-two" in refused.output) == (1, True)
    assert people.person(session, book.id, gone.id).status == "active"


def test_an_operator_confirms_what_one_of_the_staff_proposed(run: Run, session: Session, book: Book, two: tuple[Person, Person]) -> None:
    kept, gone = two
    worker = a_person(session, book, "grid_worker")
    people.propose_merge(session, an_act(book, actor=worker.id), kept_id=kept.id, gone_id=gone.id)
    session.commit()
    done = run("merge", "--book", 1, "--handle", kept.handle, "--gone", gone.handle, "--confirm")
    assert (done.exit_code, "done" in done.output) == (0, True)
    session.expire_all()
    assert people.person(session, book.id, gone.id).status == "left"


def test_a_member_is_named_leader_of_a_team(run: Run, session: Session, book: Book) -> None:
    member, stranger = a_person(session, book), a_person(session, book)
    people.create_team(session, an_act(book), name="夜巡队", area_code=GRID, member_ids=[member.id])
    session.commit()
    assert "there is no team" in run("lead", "--book", 1, "--handle", member.handle, "--team", "晨练队").output
    assert "not-a-team-member" in run("lead", "--book", 1, "--handle", stranger.handle, "--team", "夜巡队").output
    assert run("lead", "--book", 1, "--handle", member.handle, "--team", "夜巡队", "--to", "2026-12-31").exit_code == 0
    (team,) = people.teams_led_by(session, book.id, member.id, local_day(START, book.zone))
    assert team.name == "夜巡队"


def test_applications_that_nobody_answered_are_swept(run: Run, session: Session, book: Book, clock: HandClock) -> None:
    new = people.NewPerson("王丽", GRID, phone="13800138000")
    people.apply_to_join(session, VAULT, book.id, new, START, key="once")
    session.commit()
    source = sign_in.Source("browser", "198.51.100.9", is_strange=True)
    sign_in.reserve(session, VAULT, book.id, at_what="account", source=source, at=START)
    session.commit()
    kept = select(func.count()).select_from(Guesses).where(Guesses.book_id == book.id)
    assert "0 deleted" in run("sweep", "--book", 1).output
    assert session.execute(kept).scalar_one() == 3
    session.commit()
    clock.moment += timedelta(days=30)
    assert "1 deleted" in run("sweep", "--book", 1).output
    assert session.execute(kept).scalar_one() == 0, "wrong guesses of days ago too"
    session.commit()
    assert "0 deleted" in run("sweep", "--book", 1).output
