from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import COUNTY
from tests.builders import VILLAGE
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

PATROL = {
    "category": "patrol",
    "deed": "evening_patrol",
    "name_zh": "夜间巡逻",
    "name_en": "evening patrol",
    "unit": "deed",
    "points": 50,
    "valid_from": "2026-11-23",
}
CAP = {"period": "month", "measure": "points", "most": 300, "valid_from": "2026-11-23"}


@pytest.fixture
def admin(somebody: Somebody) -> Ask:
    return somebody("administrator", area_code=COUNTY)[1]


def test_everybody_reads_the_categories_in_their_order(somebody: Somebody) -> None:
    _, ask = somebody()
    found = ask("/categories").get_json()["items"]
    assert (len(found), found[0]["code"], found[-1]["code"]) == (8, "study_education", "patrol")
    assert [category["code"] for category in found if category["always_two"]] == ["outstanding_contribution"]


def test_a_rate_holds_until_the_day_before_the_next(admin: Ask, somebody: Somebody) -> None:
    first = admin("/tariff/rates", PATROL)
    assert (first.status_code, first.get_json()["valid_to"]) == (201, None)
    assert admin("/tariff/rates", PATROL | {"points": 40, "valid_from": "2026-12-01"}).status_code == 201
    _, ask = somebody()
    today, later = (ask(path).get_json()["items"] for path in ("/tariff", "/tariff?on=2026-12-01"))
    assert [(rate["points"], rate["valid_from"], rate["valid_to"]) for rate in today] == [(50, "2026-11-23", "2026-11-30")]
    assert [(rate["points"], rate["valid_to"]) for rate in later] == [(40, None)]
    assert ask("/tariff?on=2026-11-22").get_json()["items"] == []
    early = admin("/tariff/rates", PATROL | {"valid_from": "2026-11-24"})
    assert kind(early) == (409, "rate-not-after-the-last")
    assert "2026-12-01" in early.get_json()["messages"]["zh"]


@pytest.mark.parametrize(("path", "body"), [("/tariff/rates", PATROL), ("/tariff/caps", CAP)])
def test_no_price_and_no_cap_is_set_for_days_that_are_past(admin: Ask, path: str, body: dict[str, Any]) -> None:
    early = admin(path, body | {"valid_from": "2026-11-22"})
    assert (kind(early), early.get_json()["field"]) == ((409, "rate-in-the-past"), "valid_from")
    assert "2026-11-23" in early.get_json()["messages"]["zh"]
    assert admin(path, body).status_code == 201


def test_a_rate_is_set_once_under_a_key(admin: Ask) -> None:
    first, again = (admin("/tariff/rates", PATROL, key="once") for _ in range(2))
    assert first.get_json() == again.get_json()
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert kind(admin("/tariff/rates", PATROL | {"points": 51}, key="once")) == (422, "idempotency-key-reused")


def test_caps_are_set_for_everything_a_category_or_a_deed(admin: Ask) -> None:
    admin("/tariff/rates", PATROL)
    everything = admin("/tariff/caps", CAP)
    assert (everything.status_code, everything.get_json()["category"], everything.get_json()["most"]) == (201, None, 300)
    assert admin("/tariff/caps", CAP | {"category": "patrol", "most": 0}).status_code == 201
    assert admin("/tariff/caps", CAP | {"deed": "evening_patrol", "unless_checked_in": True}).get_json()["unless_checked_in"] is True


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/tariff/rates", PATROL | {"category": "gossip"}, "category"),
        ("/tariff/rates", PATROL | {"unit": "week"}, "unit"),
        ("/tariff/rates", PATROL | {"deed": "夜巡"}, "deed"),
        ("/tariff/rates", PATROL | {"name_zh": " "}, "name_zh"),
        ("/tariff/rates", PATROL | {"valid_from": "2026-02-30"}, "valid_from"),
        ("/tariff/rates", PATROL | {"more": 1}, "more"),
        ("/tariff/caps", CAP | {"category": "gossip"}, "category"),
        ("/tariff/caps", CAP | {"deed": "gossip"}, "deed"),
        ("/tariff/caps", CAP | {"period": "week"}, "period"),
        ("/tariff/caps", CAP | {"most": -1}, "most"),
        ("/tariff/caps", CAP | {"most": 2**63}, "most"),
    ],
)
def test_what_is_wrong_with_a_rate_or_a_cap_is_told_by_field(admin: Ask, path: str, body: dict[str, Any], field: str) -> None:
    response = admin(path, body)
    assert (response.status_code, response.get_json()["field"]) == (422, field)


@pytest.mark.parametrize("points", ["0", "-1", "9223372036854775808", '"１"', '"1"', "true", "[1]", "1.0", "null"])
def test_points_are_plain_numbers_within_bounds(admin: Ask, points: str) -> None:
    body = json.dumps(PATROL).replace('"points": 50', f'"points": {points}')
    response = admin("/tariff/rates", body)
    assert (response.status_code, response.get_json()["field"]) == (422, "points")
    assert admin("/tariff").get_json()["items"] == []


@pytest.mark.parametrize("points", ["1e400", "NaN", "Infinity"])
def test_what_is_no_number_of_json_is_no_body(admin: Ask, points: str) -> None:
    body = json.dumps(PATROL).replace('"points": 50', f'"points": {points}')
    assert kind(admin("/tariff/rates", body)) == (400, "body-malformed")


def test_only_an_administrator_of_the_whole_book_changes_the_tariff(somebody: Somebody) -> None:
    _, local = somebody("administrator", area_code=VILLAGE)
    _, approver = somebody("approver", area_code=COUNTY)
    for path, body in (("/tariff/rates", PATROL), ("/tariff/caps", CAP)):
        assert kind(local(path, body)) == (403, "for-the-whole-book")
        assert kind(approver(path, body)) == (403, "not-allowed")
    assert local("/tariff").get_json()["items"] == []


def test_the_tariff_is_not_shown_without_signing_in(client: FlaskClient) -> None:
    for path in ("/categories", "/tariff"):
        assert kind(client.get(f"/api/v1{path}")) == (401, "not-signed-in")
