from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.people import Person
from tests.builders import OTHER_VILLAGE
from tests.builders import a_shop
from tests.builders import a_unit
from tests.builders import an_offer
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

AsPerson = Callable[[Person], Ask]
OIL = {"title": "菜籽油5升", "points": 30}
#: What is no number of points, written as JSON.
NO_AMOUNTS = ["0", "-1", str(2**63), "1.0", "1e400", "NaN", '"１"', '"1"', "true", "[1]", "null", "{}", "1000000000001"]


def test_an_owner_makes_an_offer_that_everybody_sees(as_person: AsPerson, somebody: Somebody, session: Session, book: Book) -> None:
    shop = a_shop(session, book)
    owner, (_, volunteer) = as_person(shop.owner), somebody()
    new = OIL | {"cash_fen": 500, "limit_per_person": 1, "limit_period": "month", "stock": 12}
    made = owner(f"/units/{shop.id}/offers", new, key="once")
    assert made.status_code == 201
    assert made.get_json() == {
        "id": made.get_json()["id"], "unit_id": str(shop.id), "unit_name": shop.name, "title": "菜籽油5升", "points": 30, "cash_fen": 500,
        "limit_per_person": 1, "limit_period": "month", "valid_from": "2026-11-23", "valid_to": None, "on_hand": 12,
    }  # fmt: skip
    assert owner(f"/units/{shop.id}/offers", new, key="once").get_json() == made.get_json()
    assert volunteer("/offers").get_json() == {"items": [made.get_json()], "next": None}


def test_offers_are_listed_page_by_page_and_by_shop(somebody: Somebody, session: Session, book: Book) -> None:
    shop, other = a_shop(session, book), a_shop(session, book, name="苏州路理发店")
    made = [an_offer(session, book, shop.id, title=f"第{number}种").id for number in range(3)]
    an_offer(session, book, other.id, title="理发")
    _, ask = somebody()
    first = ask(f"/offers?unit_id={shop.id}&limit=2").get_json()
    rest = ask(f"/offers?unit_id={shop.id}&limit=2&cursor={first['next']}").get_json()
    assert sorted(offer["id"] for offer in first["items"] + rest["items"]) == sorted(map(str, made))
    assert (len(first["items"]), rest["next"]) == (2, None)
    assert len(ask("/offers").get_json()["items"]) == 4
    assert ask(f"/offers?unit_id={uuid4()}").get_json()["items"] == []
    assert kind(ask("/offers?cursor=x")) == (422, "cursor-malformed")


def test_an_offer_is_seen_on_its_days_only(as_person: AsPerson, session: Session, book: Book, clock: HandClock) -> None:
    shop = a_shop(session, book)
    owner = as_person(shop.owner)
    for title, dates in (("今天", {"valid_to": "2026-11-23"}), ("明天", {"valid_from": "2026-11-24"})):
        assert owner(f"/units/{shop.id}/offers", OIL | {"title": title} | dates).status_code == 201
    clock.advance(hours=14, minutes=59)
    assert [offer["title"] for offer in owner("/offers").get_json()["items"]] == ["今天"]
    # Midnight in Nanjing, not in Greenwich.
    clock.advance(minutes=1)
    assert [offer["title"] for offer in owner("/offers").get_json()["items"]] == ["明天"]


def test_an_offer_ends_with_a_day(as_person: AsPerson, session: Session, book: Book) -> None:
    shop = a_shop(session, book)
    offer, owner = an_offer(session, book, shop.id, stock=3), as_person(shop.owner)
    assert owner(f"/offers/{offer.id}/end", {"valid_to": "2026-11-30"}).get_json()["valid_to"] == "2026-11-30"
    assert owner("/offers").get_json()["items"][0]["valid_to"] == "2026-11-30"
    assert kind(owner(f"/offers/{offer.id}/end", {"valid_to": "2026-11-22"})) == (422, "dates-out-of-order")


def test_stock_is_delivered_and_counted(as_person: AsPerson, session: Session, book: Book) -> None:
    shop = a_shop(session, book)
    oil, haircut = an_offer(session, book, shop.id, stock=3), an_offer(session, book, shop.id, title="理发")
    owner = as_person(shop.owner)
    assert owner(f"/offers/{oil.id}/deliveries", {"quantity": 5}, key="once").get_json() == {"offer_id": str(oil.id), "on_hand": 8}
    assert owner(f"/offers/{oil.id}/deliveries", {"quantity": 5}, key="once").get_json()["on_hand"] == 8
    assert owner(f"/offers/{oil.id}/counts", {"on_hand": 0}).get_json()["on_hand"] == 0
    assert [offer["on_hand"] for offer in owner("/offers").get_json()["items"] if offer["id"] == str(oil.id)] == [0]
    assert kind(owner(f"/offers/{haircut.id}/deliveries", {"quantity": 5})) == (409, "stock-not-kept")
    assert kind(owner(f"/offers/{haircut.id}/counts", {"on_hand": 5})) == (409, "stock-not-kept")


def test_offers_are_made_and_kept_by_whoever_runs_the_shop(as_person: AsPerson, somebody: Somebody, session: Session, book: Book) -> None:
    shop, other = a_shop(session, book), a_shop(session, book, name="苏州路理发店", area_code=OTHER_VILLAGE)
    offer = an_offer(session, book, shop.id, stock=3)
    _, administrator = somebody("administrator")
    _, far = somebody("administrator", area_code=OTHER_VILLAGE)
    writes: list[tuple[str, dict[str, Any]]] = [
        (f"/units/{shop.id}/offers", OIL),
        (f"/offers/{offer.id}/deliveries", {"quantity": 5}),
        (f"/offers/{offer.id}/counts", {"on_hand": 5}),
        (f"/offers/{offer.id}/end", {"valid_to": "2026-11-30"}),
    ]
    for path, body in writes:
        for ask in (as_person(other.owner), far):
            assert kind(ask(path, body)) == (404, "not-found"), path
        for ask in (as_person(shop.cashier), somebody("approver")[1]):
            assert kind(ask(path, body)) == (403, "not-allowed"), path
        for ask in (as_person(shop.owner), administrator):
            assert ask(path, body).status_code in {200, 201}, path


def test_only_a_business_makes_offers(somebody: Somebody, session: Session, book: Book) -> None:
    red = a_unit(session, book, name="党群服务中心", colour="red")
    _, ask = somebody("administrator")
    assert kind(ask(f"/units/{red.id}/offers", OIL)) == (409, "unit-not-a-business")
    assert kind(ask(f"/units/{uuid4()}/offers", OIL)) == (404, "not-found")


def test_what_is_no_number_of_points_prices_nothing(as_person: AsPerson, session: Session, book: Book) -> None:
    shop = a_shop(session, book)
    owner = as_person(shop.owner)
    for points in NO_AMOUNTS:
        response = owner(f"/units/{shop.id}/offers", f'{{"title": "菜籽油5升", "points": {points}}}')
        assert response.status_code == (400 if points in {"NaN", "1e400"} else 422), points
        assert response.get_json()["field"] == ("body" if points in {"NaN", "1e400"} else "points")
    assert owner("/offers").get_json()["items"] == []


MALFORMED = [
    ({"title": " "}, "title"),
    ({"cash_fen": -1}, "cash_fen"),
    ({"cash_fen": 100_000_001}, "cash_fen"),
    ({"cash_fen": 1.5}, "cash_fen"),
    ({"limit_per_person": 0, "limit_period": "day"}, "limit_per_person"),
    ({"limit_per_person": 1}, "limit_period"),
    ({"limit_period": "day"}, "limit_period"),
    ({"limit_per_person": 1, "limit_period": "week"}, "limit_period"),
    ({"stock": -1}, "stock"),
    ({"stock": True}, "stock"),
    ({"valid_from": "2026-11-24", "valid_to": "2026-11-23"}, "valid_to"),
    ({"valid_from": "23.11.2026"}, "valid_from"),
    ({"price": 3}, "price"),
]


def test_malformed_offers_are_told_by_field(as_person: AsPerson, session: Session, book: Book) -> None:
    shop = a_shop(session, book)
    for changed, field in MALFORMED:
        response = as_person(shop.owner)(f"/units/{shop.id}/offers", OIL | changed)
        assert (response.status_code, response.get_json()["field"]) == (422, field), changed


NO_QUANTITIES = [
    ("deliveries", {"quantity": 0}, "quantity"),
    ("deliveries", {"quantity": 1_000_001}, "quantity"),
    ("counts", {"on_hand": -1}, "on_hand"),
]


def test_no_goods_are_moved_by_malformed_numbers(as_person: AsPerson, session: Session, book: Book) -> None:
    shop = a_shop(session, book)
    offer = an_offer(session, book, shop.id, stock=3)
    for path, body, field in NO_QUANTITIES:
        response = as_person(shop.owner)(f"/offers/{offer.id}/{path}", body)
        assert (response.status_code, response.get_json()["field"]) == (422, field), body
