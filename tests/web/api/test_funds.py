from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import journal
from ledger.areas import Book
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

FUND = {"name": "2026年社区积分", "area_code": VILLAGE, "opens_on": "2026-01-01", "budget": 10_000}


@pytest.fixture
def admin(somebody: Somebody) -> Ask:
    return somebody("administrator")[1]


def test_a_fund_is_opened_and_given_more_by_entries(admin: Ask, session: Session, book: Book) -> None:
    made = admin("/funds", FUND)
    assert (made.status_code, made.get_json()["left"], made.get_json()["closes_on"]) == (201, 10_000, None)
    assert admin(f"/funds/{made.get_json()['id']}/budgets", {"points": 500}).get_json()["left"] == 10_500
    assert [(fund["name"], fund["left"]) for fund in admin("/funds").get_json()["items"]] == [("2026年社区积分", 10_500)]
    assert journal.trial_balance(session, book.id) == {"fund": 10_500, "source": -10_500}


def test_a_budget_sent_twice_under_a_key_is_given_once(admin: Ask) -> None:
    fund = admin("/funds", FUND).get_json()
    first, again = (admin(f"/funds/{fund['id']}/budgets", {"points": 500}, key="once") for _ in range(2))
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert kind(admin(f"/funds/{fund['id']}/budgets", {"points": 501}, key="once")) == (422, "idempotency-key-reused")
    assert admin("/funds").get_json()["items"][0]["left"] == 10_500


def test_funds_come_page_by_page_the_newest_first(admin: Ask) -> None:
    for number in range(3):
        admin("/funds", FUND | {"name": f"第{number}期"})
    first = admin("/funds?limit=2").get_json()
    rest = admin(f"/funds?limit=2&cursor={first['next']}").get_json()
    assert [fund["name"] for fund in first["items"] + rest["items"]] == ["第2期", "第1期", "第0期"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"opens_on": "2026-13-01"}, "opens_on"),
        ({"closes_on": "2025-12-31"}, "closes_on"),
        ({"budget": 0}, "budget"),
        ({"left": 1}, "left"),
    ],
)
def test_what_is_wrong_with_a_fund_is_told_by_field(admin: Ask, changed: dict[str, Any], field: str) -> None:
    response = admin("/funds", FUND | changed)
    assert (response.status_code, response.get_json()["field"]) == (422, field)
    assert admin("/funds").get_json()["items"] == []


@pytest.mark.parametrize("points", ["0", "-1", "9223372036854775808", "1000000000001", '"１"', "true", "[1]", "1.5"])
def test_a_budget_is_a_plain_number_of_points(admin: Ask, points: str) -> None:
    fund = admin("/funds", FUND).get_json()
    response = admin(f"/funds/{fund['id']}/budgets", f'{{"points": {points}}}')
    assert (response.status_code, response.get_json()["field"]) == (422, "points")
    assert admin("/funds").get_json()["items"][0]["left"] == 10_000


@pytest.mark.parametrize("points", ["1e400", "NaN", "-Infinity"])
def test_what_is_no_number_of_json_is_no_budget(admin: Ask, points: str) -> None:
    fund = admin("/funds", FUND).get_json()
    assert kind(admin(f"/funds/{fund['id']}/budgets", f'{{"points": {points}}}')) == (400, "body-malformed")


def test_funds_of_other_areas_are_not_to_be_found(admin: Ask, somebody: Somebody) -> None:
    _, county = somebody("administrator", area_code=COUNTY)
    _, approver = somebody("approver", area_code=GRID)
    far = county("/funds", FUND | {"area_code": OTHER_VILLAGE}).get_json()
    assert kind(admin("/funds", FUND | {"area_code": OTHER_VILLAGE})) == (404, "not-found")
    assert kind(admin(f"/funds/{far['id']}/budgets", {"points": 1})) == (404, "not-found")
    assert admin("/funds").get_json()["items"] == approver("/funds").get_json()["items"] == []
    assert len(county("/funds").get_json()["items"]) == 1


def test_whoever_is_no_administrator_opens_no_fund(somebody: Somebody, client: FlaskClient) -> None:
    _, approver = somebody("approver")
    _, volunteer = somebody()
    assert kind(approver("/funds", FUND)) == (403, "not-allowed")
    assert kind(approver(f"/funds/{COUNTY}/budgets", {"points": 1})) == (404, "not-found")
    assert kind(volunteer("/funds")) == (403, "not-allowed")
    assert kind(client.get("/api/v1/funds")) == (401, "not-signed-in")


@pytest.mark.parametrize("cursor", [["x"], [2**70], ["a\0b"], [1, 2]])
def test_a_cursor_that_was_made_up_is_refused(admin: Ask, cursor: list[Any]) -> None:
    made_up = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
    assert kind(admin(f"/funds?cursor={made_up}")) == (422, "cursor-malformed")
