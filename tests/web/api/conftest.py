"""What the tests of the API share: a book, and people in it who ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ledger import areas
from ledger import funds
from ledger import journal
from ledger import sign_in
from ledger import tariff
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from tests.builders import COUNTY
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_claimed_act
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.played import Played
from tests.played import Theatre

Ask = Callable[..., TestResponse]
#: Category, deed, unit and points: by the hour, small, to be put on notice, always by two, and told without a text.
RATES = (
    ("environmental_maintenance", "sweeping", "hour", 10),
    ("patrol", "patrol", "deed", 50),
    ("public_welfare_service", "rescue", "deed", 300),
    ("outstanding_contribution", "honour", "deed", 20),
    ("dispute_mediation", "tea_house", "deed", 10),
)
Somebody = Callable[..., tuple[Person, Ask]]


@pytest.fixture
def played(request: pytest.FixtureRequest, theatre: Theatre) -> Played:
    opened = theatre.once(opens)
    return theatre.once(earns, after=opened) if "earning" in request.fixturenames else opened


def opens(session: Session) -> None:
    """Open a book with its accounts and its categories."""
    book = a_book(session)
    journal.open_book_accounts(session, book.id, START)
    tariff.define_categories(session, an_act(book))


def earns(session: Session) -> None:
    """Let the book have a tariff in force and a fund of 10,000 points."""
    (book,) = areas.books(session)
    for category, deed, unit, points in RATES:
        row = tariff.RateRow(category, deed, f"做{deed}", deed, unit, points)
        assert not isinstance(tariff.define_rate(session, an_act(book), row, valid_from=date(2025, 1, 1)), Refusal)
    act = a_claimed_act(session, book)
    fund = funds.open_fund(session, act, name="积分经费", area_code=COUNTY, opens_on=date(2026, 1, 1), budget=10_000)
    assert not isinstance(fund, Refusal)


@pytest.fixture
def book(played: Played, session: Session) -> Book:
    """A book with its accounts and its categories."""
    (book,) = areas.books(session)
    session.expunge(book)  # so that reading it takes no lock
    session.commit()
    return book


@pytest.fixture
def earning(book: Book) -> Book:
    """The book with a tariff in force and a fund of 10,000 points: see `played`."""
    return book


@pytest.fixture
def somebody(session: Session, book: Book, client: FlaskClient) -> Somebody:
    """Enrol somebody with roles in an area, and return them with a way to ask the API as them."""

    def enrol(*roles: str, area_code: str = VILLAGE, **others: Any) -> tuple[Person, Ask]:
        person = a_person(session, book, *roles, area_code=area_code, **others)
        token = sign_in.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=366))[0]
        session.commit()
        return person, asking(client, token)

    return enrol


@pytest.fixture
def as_person(session: Session, book: Book, client: FlaskClient) -> Callable[[Person], Ask]:
    """Give a way to ask the API as somebody who is enrolled already."""

    def ask_as(person: Person) -> Ask:
        token = sign_in.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=366))[0]
        session.commit()
        return asking(client, token)

    return ask_as


def asking(client: FlaskClient, token: str) -> Ask:
    """Return a way to ask the API with a bearer token: GET, or POST where there is a body (a dict, or raw JSON); for another person too."""

    def ask(
        path: str, body: dict[str, Any] | str | None = None, key: str | None = None, *, acting_for: object = None
    ) -> TestResponse:  # fmt: skip
        headers = {"Authorization": f"Bearer {token}"} | ({"Acting-For": str(acting_for)} if acting_for else {})
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
