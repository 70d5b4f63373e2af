from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from ledger import people
from ledger.areas import Book
from tests.builders import a_book
from tests.builders import a_person

Run = Callable[[Sequence[str]], Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda arguments: app.test_cli_runner().invoke(args=["ledger", "cards", *arguments])


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session)
    session.commit()
    session.refresh(book)
    session.expunge(book)
    return book


def test_a_card_is_issued_replaced_and_revoked(run: Run, session: Session, book: Book) -> None:
    person = a_person(session, book)
    session.commit()
    whose = ["--book", str(book.number), "--handle", person.handle]
    numbers = []
    for command in ("issue", "replace"):
        result = run([command, *whose])
        assert result.exit_code == 0, result.output
        numbers.append(re.findall(r"\d{12}", result.output)[0])
        assert set(people.holders_of(session, book.id, numbers)) == {numbers[-1]}
        session.rollback()
    assert "card-there-already" in run(["issue", *whose]).output
    assert run(["revoke", *whose]).exit_code == 0
    assert people.holders_of(session, book.id, numbers) == {}
    session.rollback()
    assert "card-none" in run(["revoke", *whose]).output


def test_a_passbook_number_is_replaced_by_command(run: Run, session: Session, book: Book) -> None:
    person = a_person(session, book)
    session.commit()
    result = run(["renumber", "--book", str(book.number), "--handle", person.handle])
    assert result.exit_code == 0, result.output
    (new,) = re.findall(r"\d{8}", result.output)
    assert people.by_handle(session, book.id, person.handle) is None
    found = people.by_handle(session, book.id, new)
    assert found is not None
    assert found.id == person.id
    assert run(["renumber", "--book", str(book.number), "--handle", "00000000"]).exit_code == 1
