from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger.areas import Book
from tests.builders import give_points
from tests.conftest import START
from tests.conftest import HandClock
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind


def test_whoever_has_earned_nothing_yet_has_a_passbook_of_zeros(somebody: Somebody) -> None:
    _, ask = somebody()
    assert ask("/passbook").get_json() == {"balance": 0, "held": 0, "available": 0, "expiring": 0, "lines": 0}
    assert ask("/passbook/lines").get_json() == {"items": [], "next": None}
    assert ask("/passbook/as-of?day=2026-11-23").get_json() == {"balance": 0}
    assert ask("/hours").get_json() == {"credit_minutes": 0, "honour_minutes": 0}


def test_the_lines_are_numbered_and_add_up_the_newest_first(somebody: Somebody, session: Session, book: Book, clock: HandClock) -> None:
    person, ask = somebody()
    for points in (30, 5, 7):
        give_points(session, book, person, points, clock.advance(hours=1))
    session.commit()
    assert ask("/passbook").get_json()["available"] == 42
    first = ask("/passbook/lines?limit=2").get_json()
    rest = ask(f"/passbook/lines?limit=2&cursor={first['next']}").get_json()
    lines = first["items"] + rest["items"]
    shown = [(line["number"], line["before"], line["amount"], line["after"]) for line in lines]
    assert shown == [(3, 35, 7, 42), (2, 30, 5, 35), (1, 0, 30, 30)]
    assert rest["next"] is None
    assert (lines[0]["kind"], lines[0]["deed_on"]) == ("award", "2026-11-23")


def test_an_award_says_what_it_was_for(somebody: Somebody, earning: Book) -> None:
    _, ask = somebody()
    _, worker = somebody("grid_worker")
    _, approver = somebody("approver")
    ids = {"ids": [ask("/claims", {"deed": "patrol", "deed_on": "2026-11-22", "place": ""}).get_json()["id"]]}
    worker("/claims/attest", ids)
    approver("/claims/approve", ids)
    (line,) = ask("/passbook/lines").get_json()["items"]
    assert (line["deed"], line["name_zh"], line["reference"], line["deed_on"]) == ("patrol", "做patrol", ids["ids"][0], "2026-11-22")


def test_the_past_is_as_it_was_recorded_and_as_it_was_done(somebody: Somebody, session: Session, book: Book, clock: HandClock) -> None:
    person, ask = somebody()
    give_points(session, book, person, 30)
    give_points(session, book, person, 5, clock.advance(days=1))
    session.commit()
    assert ask("/passbook/as-of?moment=2026-11-23T12:00:00Z").get_json() == {"balance": 30}
    assert ask("/passbook/as-of?moment=2026-11-25T08:00:00%2B08:00").get_json() == {"balance": 35}
    assert ask("/passbook/as-of?moment=2020-01-01T00:00:00Z").get_json() == {"balance": 0}
    assert [ask(f"/passbook/as-of?day=2026-11-{day}").get_json()["balance"] for day in (22, 23, 24)] == [0, 30, 35]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "moment"),
        ("?day=2026-11-23&moment=2026-11-23T12:00:00Z", "moment"),
        ("?day=2026-11-31", "day"),
        ("?moment=now", "moment"),
        ("?on=1", "on"),
    ],
)
def test_the_past_is_asked_for_by_a_moment_or_a_day(somebody: Somebody, query: str, field: str) -> None:
    _, ask = somebody()
    response = ask(f"/passbook/as-of{query}")
    assert (response.status_code, response.get_json()["field"]) == (422, field)


def test_everybody_sees_their_own_passbook_only(somebody: Somebody, session: Session, book: Book) -> None:
    one, _ = somebody()
    _, other = somebody("administrator", "approver", "grid_worker")
    give_points(session, book, one, 30, START)
    session.commit()
    assert other("/passbook").get_json()["balance"] == 0
    assert other("/passbook/lines").get_json()["items"] == []


def test_no_passbook_is_shown_without_signing_in(client: FlaskClient) -> None:
    for path in ("/passbook", "/passbook/lines", "/passbook/as-of", "/hours"):
        assert kind(client.get(f"/api/v1{path}")) == (401, "not-signed-in")


def test_answers_are_written_as_people_write(somebody: Somebody) -> None:
    _, ask = somebody(name="陈桂芳")
    assert "陈桂芳" in ask("/me").get_data(as_text=True)
