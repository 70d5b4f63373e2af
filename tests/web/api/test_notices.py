from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

pytestmark = pytest.mark.usefixtures("earning")

RESCUE = {"deed": "rescue", "deed_on": "2026-11-22", "place": "秦淮河边"}


def awarded(somebody: Somebody, ask: Ask, deed: dict[str, Any]) -> str:
    claim_id = ask("/claims", deed).get_json()["id"]
    for role, step in (("grid_worker", "attest"), ("approver", "approve"), ("approver", "approve")):
        assert somebody(role)[1](f"/claims/{step}", {"ids": [claim_id]}).status_code == 200
    return str(claim_id)


def test_everybody_reads_what_is_on_notice_with_masked_names(somebody: Somebody, client: FlaskClient) -> None:
    _, ask = somebody(name="李桂荣", birth_month="1956-03")
    claim_id = awarded(somebody, ask, RESCUE)
    (notice,) = client.get("/api/v1/notices?book=1").get_json()["items"]
    assert notice == {
        "id": claim_id, "name": "李**", "category": "public_welfare_service", "deed": "rescue", "name_zh": "做rescue", "name_en": "rescue",
        "points": 300, "deed_on": "2026-11-22", "state": "on_notice", "notice_ends_at": "2026-11-30T01:00:00+00:00",
    }  # fmt: skip


def test_of_whom_nobody_knows_the_age_not_even_the_surname_is_shown(somebody: Somebody, client: FlaskClient) -> None:
    for birth in (None, "2012-01"):
        _, ask = somebody(name="王小明", birth_month=birth)
        awarded(somebody, ask, RESCUE)
    response = client.get("/api/v1/notices?book=1")
    assert [notice["name"] for notice in response.get_json()["items"]] == ["**", "**"]
    assert "秦淮河" not in response.get_data(as_text=True)


def test_small_awards_are_listed_when_they_are_credited_and_not_before(somebody: Somebody, client: FlaskClient) -> None:
    _, ask = somebody()
    small = RESCUE | {"deed": "patrol"}
    ask("/claims", small | {"deed_on": "2026-11-21"})
    claim_id = awarded(somebody, ask, small)
    shown = client.get("/api/v1/notices?book=1").get_json()["items"]
    assert [(notice["id"], notice["state"]) for notice in shown] == [(claim_id, "credited")]


def test_notices_come_page_by_page_the_newest_first(somebody: Somebody, client: FlaskClient) -> None:
    _, ask = somebody()
    ids = [awarded(somebody, ask, RESCUE | {"deed_on": f"2026-11-{day}"}) for day in (20, 21, 22)]
    first = client.get("/api/v1/notices?book=1&limit=2").get_json()
    rest = client.get(f"/api/v1/notices?book=1&limit=2&cursor={first['next']}").get_json()
    assert [notice["id"] for notice in first["items"] + rest["items"]] == ids[::-1]


@pytest.mark.parametrize("query", ["", "?book=0", "?book=-1", "?book=9223372036854775808", "?book=x", "?book=1e400", "?book=1&x=1"])
def test_a_book_is_asked_for_by_its_number(client: FlaskClient, query: str) -> None:
    response = client.get(f"/api/v1/notices{query}")
    assert (response.status_code, response.get_json()["field"]) == (422, "x" if query.endswith("x=1") else "book")


def test_a_book_that_there_is_not_has_no_notices(client: FlaskClient) -> None:
    assert kind(client.get("/api/v1/notices?book=9")) == (404, "not-found")
