from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.journal.model import Answer
from ledger.people import Person
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import Shop
from tests.builders import a_shop
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

AsPerson = Callable[[Person], Ask]


@pytest.fixture
def shop(session: Session, book: Book) -> Shop:
    shop = a_shop(session, book)
    session.commit()
    return shop


def test_an_owner_makes_a_code_which_is_told_and_not_kept(
    app: Flask, shop: Shop, as_person: AsPerson, session: Session, book: Book
) -> None:
    owner = as_person(shop.owner)
    made = owner(f"/units/{shop.id}/devices", {"name": "柜台平板"}, key="once").get_json()
    assert made["address"].endswith(f"/PAIR/{made['code']}")
    assert owner(f"/units/{shop.id}/devices", {"name": "柜台平板"}, key="once").get_json() == made
    kept = [str(body) for body in session.scalars(select(Answer.body).where(Answer.book_id == book.id)) if body]
    session.rollback()
    assert not any(made["code"] in body or made["code"].replace("-", "") in body for body in kept)
    device = Browser(app)
    device.open(made["address"])
    assert device.send("配对这台设备").headings == ["开班"]
    (listed,) = owner(f"/units/{shop.id}/devices").get_json()["items"]
    assert (listed["name"], listed["last_used_on"], listed["unit_id"]) == ("柜台平板", "2026-11-23", str(shop.id))
    assert owner(f"/units/{shop.id}/devices", {"name": "柜台平板"}, key="once").get_json()["code"] is None
    assert owner(f"/devices/{made['id']}/end", {}).get_json()["ended_at"]
    assert owner(f"/units/{shop.id}/devices").get_json()["items"] == []
    assert "没有配对" in device.open("/shift").text


def test_devices_are_their_owners_affair(shop: Shop, as_person: AsPerson, session: Session, book: Book) -> None:
    other = a_shop(session, book, name="另一家超市")
    session.commit()
    owner, stranger, cashier = as_person(shop.owner), as_person(other.owner), as_person(shop.cashier)
    made = owner(f"/units/{shop.id}/devices", {"name": "柜台平板"}).get_json()
    assert kind(stranger(f"/units/{shop.id}/devices")) == (404, "not-found")
    assert kind(stranger(f"/units/{shop.id}/devices", {"name": "x"})) == (404, "not-found")
    assert kind(stranger(f"/devices/{made['id']}/end", {})) == (404, "not-found")
    assert kind(cashier(f"/units/{shop.id}/devices", {"name": "x"})) == (403, "not-allowed")


def test_staff_see_to_the_devices_of_their_own_counters(somebody: Somebody, clock: HandClock) -> None:
    _, worker = somebody("grid_worker", area_code=VILLAGE)
    _, other = somebody("grid_worker", area_code=OTHER_VILLAGE)
    made = worker("/devices", {"name": "窗口平板", "area_code": GRID}).get_json()
    assert (made["area_code"], made["unit_id"]) == (GRID, None)
    assert kind(other("/devices", {"name": "窗口平板", "area_code": GRID})) == (404, "not-found")
    assert kind(other(f"/devices/{made['id']}/end", {})) == (404, "not-found")
    assert [one["id"] for one in worker("/devices").get_json()["items"]] == [made["id"]]
    assert other("/devices").get_json()["items"] == []
    clock.advance(minutes=10)
    assert worker("/devices").get_json()["items"] == [], "nobody can pair it any more"
