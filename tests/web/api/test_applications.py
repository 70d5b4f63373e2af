from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ledger.areas import Book
from ledger.ids import new_id
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.conftest import HandClock
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

WANG = {"area_code": VILLAGE, "name": "王　丽", "phone": "138 0013 8000", "birth_month": "1951-03", "address": "3栋502"}


def apply(client: FlaskClient, *, key: str = "", address: str = "192.0.2.7", **changed: Any) -> TestResponse:
    """Ask to be enrolled, as somebody whom the service does not know."""
    headers = {"Idempotency-Key": key or str(new_id())}
    return client.post("/api/v1/applications", json=WANG | changed, headers=headers, environ_base={"REMOTE_ADDR": address})


def test_anybody_asks_to_be_enrolled_and_staff_of_the_area_confirm(client: FlaskClient, somebody: Somebody) -> None:
    _, worker = somebody("grid_worker")
    _, far_worker = somebody("grid_worker", area_code=OTHER_VILLAGE)
    asked = apply(client)
    assert (asked.status_code, asked.get_json()) == (202, {"state": "received"})
    (waiting,) = worker("/applications").get_json()["items"]
    assert {field: waiting[field] for field in ("name", "phone", "birth_month", "address")} == {
        "name": "王丽", "phone": "13800138000", "birth_month": "1951-03", "address": "3栋502",
    }  # fmt: skip
    assert far_worker("/applications").get_json()["items"] == []
    assert kind(far_worker(f"/applications/{waiting['id']}/confirm", {})) == (404, "not-found")
    made = worker(f"/applications/{waiting['id']}/confirm", {"area_code": GRID})
    assert (made.status_code, made.get_json().keys()) == (201, {"id", "handle", "area_code", "is_resident", "status"})
    assert made.get_json()["area_code"] == GRID
    assert worker("/applications").get_json() == {"items": [], "next": None}
    assert kind(worker(f"/applications/{waiting['id']}/refuse", {})) == (404, "not-found")


def test_the_answer_is_the_same_whoever_is_enrolled_already(client: FlaskClient, somebody: Somebody) -> None:
    _, worker = somebody("grid_worker")
    known, _ = somebody(name="王丽", phone="13800138000", area_code=GRID)
    somebody(name="王丽丽", phone="13800138000", area_code=OTHER_VILLAGE)
    answers = [apply(client), apply(client, name="吴生", phone="13911112222")]
    assert [(answer.status_code, answer.data) for answer in answers] == [(202, answers[0].data)] * 2
    by_name = {one["name"]: one for one in worker("/applications").get_json()["items"]}
    first, second = by_name["王丽"], by_name["吴生"]
    # Whoever lives elsewhere is no concern of these staff.
    assert (first["alike"], second["alike"]) == ([str(known.id)], [])
    assert kind(worker(f"/applications/{first['id']}/confirm", {})) == (409, "already-enrolled")
    assert worker(f"/applications/{first['id']}/refuse", {}).get_json() == {"id": first["id"]}
    assert [one["id"] for one in worker("/applications").get_json()["items"]] == [second["id"]]


def test_the_same_key_is_one_application(client: FlaskClient, somebody: Somebody) -> None:
    _, worker = somebody("grid_worker")
    assert [apply(client, key="once").status_code for _ in range(2)] == [202, 202]
    # A key is one's own: that of somebody at another address keeps nobody out.
    apply(client, key="once", address="192.0.2.8")
    assert len(worker("/applications").get_json()["items"]) == 2
    assert kind(client.post("/api/v1/applications", json=WANG)) == (400, "idempotency-key-missing")


def test_too_many_from_one_address_wait_and_keep_nobody_else_out(client: FlaskClient, book: Book, clock: HandClock) -> None:
    assert [apply(client).status_code for _ in range(5)] == [202] * 5
    refused = apply(client)
    assert kind(refused) == (429, "guesses-too-many")
    assert int(refused.headers["Retry-After"]) > 0
    assert apply(client, address="192.0.2.8").status_code == 202
    clock.advance(minutes=15)
    assert apply(client).status_code == 202


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"phone": "12"}, "phone"), ({"name": " "}, "name"), ({"area_code": "320106"}, "area_code"), ({"birth_month": "1951"}, "birth_month")],
)
def test_what_is_told_wrongly_is_told_by_field(client: FlaskClient, book: Book, changed: dict[str, Any], field: str) -> None:
    answer = apply(client, **changed)
    assert (answer.status_code, answer.get_json()["field"]) == (422, field)


def test_applications_are_listed_page_by_page(client: FlaskClient, somebody: Somebody, clock: HandClock) -> None:
    _, worker = somebody("grid_worker")
    for number in range(3):
        apply(client, phone=f"1380013800{number}")
        clock.advance(seconds=1)
    first = worker("/applications?limit=2").get_json()
    rest = worker(f"/applications?limit=2&cursor={first['next']}").get_json()
    assert [one["phone"] for one in first["items"] + rest["items"]] == ["13800138000", "13800138001", "13800138002"]
    assert rest["next"] is None


@pytest.mark.parametrize("role", ["volunteer", "building_leader", "approver", "street_auditor", "finance"])
def test_only_those_who_enrol_people_see_who_asks(somebody: Somebody, role: str) -> None:
    _, ask = somebody(role)
    assert kind(ask("/applications")) == (403, "not-allowed")
    assert kind(ask(f"/applications/{new_id()}/confirm", {})) == (403, "not-allowed")


def test_a_book_that_is_not_there_takes_no_application(client: FlaskClient, book: Book) -> None:
    assert kind(apply(client, book_number=99)) == (404, "not-found")
    assert apply(client, book_number=book.number).status_code == 202
