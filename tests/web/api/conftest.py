"""What the tests of the API share: a book, and people in it who ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ledger import journal
from ledger import people
from ledger import tariff
from ledger.areas import Book
from ledger.ids import new_id
from ledger.people import Person
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START

Ask = Callable[..., TestResponse]
Somebody = Callable[..., tuple[Person, Ask]]


@pytest.fixture
def book(session: Session) -> Book:
    """A book with its accounts and its categories."""
    book = a_book(session)
    journal.open_book_accounts(session, book.id, START)
    tariff.define_categories(session, an_act(book))
    session.refresh(book)
    session.expunge(book)  # so that reading it takes no lock
    session.commit()
    return book


@pytest.fixture
def somebody(session: Session, book: Book, client: FlaskClient) -> Somebody:
    """Enrol somebody with roles in an area, and return them with a way to ask the API as them."""

    def enrol(*roles: str, area_code: str = VILLAGE, **others: Any) -> tuple[Person, Ask]:
        person = a_person(session, book, *roles, area_code=area_code, **others)
        token = people.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=1))[0]
        session.commit()
        return person, asking(client, token)

    return enrol


@pytest.fixture
def as_person(session: Session, book: Book, client: FlaskClient) -> Callable[[Person], Ask]:
    """Give a way to ask the API as somebody who is enrolled already."""

    def ask_as(person: Person) -> Ask:
        token = people.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=1))[0]
        session.commit()
        return asking(client, token)

    return ask_as


def asking(client: FlaskClient, token: str) -> Ask:
    """Return a way to ask the API with a bearer token: GET, or POST where there is a body (a dict, or raw JSON)."""

    def ask(path: str, body: dict[str, Any] | str | None = None, key: str | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        if body is None:
            return client.get(f"/api/v1{path}", headers=headers)
        headers["Idempotency-Key"] = key or str(new_id())
        if isinstance(body, str):
            return client.post(f"/api/v1{path}", data=body, content_type="application/json", headers=headers)
        return client.post(f"/api/v1{path}", json=body, headers=headers)

    return ask


def kind(response: TestResponse) -> tuple[int, str]:
    """Return an answer's status and the code of its problem."""
    return response.status_code, response.get_json()["type"].rpartition("/")[2]
