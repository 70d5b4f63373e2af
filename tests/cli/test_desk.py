from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger import audit
from ledger import people
from ledger import sign_in
from ledger.act import OPERATOR
from ledger.areas import Book
from tests.builders import GRID
from tests.builders import a_book
from tests.builders import a_person
from tests.conftest import START


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session)
    session.refresh(book)
    session.expunge(book)  # so that reading it takes no lock
    session.commit()
    return book


def lines(session: Session, book: Book) -> list[tuple[str, str, str]]:
    found = [(line.channel, line.act, line.outcome) for line in audit.records(session, book.id, audit.Wanted(actor=OPERATOR))]
    session.rollback()
    return found


def test_a_command_is_in_the_audit_log_under_its_name(app: Flask, session: Session, book: Book) -> None:
    handle = a_person(session, book).handle
    session.commit()
    assert app.test_cli_runner().invoke(args=["ledger", "people", "link", "--book", "1", "--handle", handle]).exit_code == 0
    (line,) = audit.records(session, book.id, audit.Wanted())
    assert (line.channel, line.act, line.outcome, line.network) == ("command", "ledger people link", "done", None)
    assert line.request_id is not None


def test_a_refused_command_is_in_the_audit_log_and_did_nothing(app: Flask, session: Session, book: Book) -> None:
    enrol = ["ledger", "people", "enrol", "--book", "1", "--area", GRID, "--name", "王丽", "--phone", "13800138000"]
    assert app.test_cli_runner().invoke(args=enrol).exit_code == 0
    assert app.test_cli_runner().invoke(args=enrol).exit_code == 1
    assert lines(session, book) == [
        ("command", "ledger people enrol", "already-enrolled"),
        ("command", "ledger people enrol", "done"),
    ]
    assert len(people.living_in(session, book.id, (f"{book.area_code}/",), after="", limit=10)) == 1


def test_a_token_can_be_made_for_one_thing_only(app: Flask, session: Session, book: Book) -> None:
    handle = a_person(session, book, "volunteer", "administrator").handle
    session.commit()
    token = ["ledger", "people", "token", "--book", "1", "--handle", handle, "--scope", "volunteer", "--name", "收银机接口"]
    made = app.test_cli_runner().invoke(args=token)
    found = sign_in.recognise(session, made.output.strip(), START)
    assert found is not None
    assert (found[0].scopes, found[0].way) == (frozenset({"volunteer"}), "收银机接口")
    assert app.test_cli_runner().invoke(args=[*token, "--scope", "everything"]).exit_code == 2
