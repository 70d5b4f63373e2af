from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import journal
from ledger.areas import Book
from ledger.people import Person
from ledger.store import Base
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import Shop
from tests.builders import a_shop
from tests.builders import an_offer
from tests.builders import give_points
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

AsPerson = Callable[[Person], Ask]
#: What is no number of points, as JSON.
NO_AMOUNTS = ["0", "-1", str(2**63), "1.0", "1e400", "NaN", '"１"', '"1"', "true", "[1]", "null", "{}", "1000000000001"]


@dataclass(frozen=True)
class Till:
    """A till with its cashier, and a volunteer with 100 points in front of it."""

    shop: Shop
    cashier: Ask
    volunteer: Person
    ask: Ask

    def asked(self, points: int | None = 30, **others: Any) -> dict[str, Any]:
        return {"till_id": str(self.shop.till_id), "points": points} | others

    def order(self, points: int | None = 30, **others: Any) -> dict[str, Any]:
        """An order as the cashier's screen shows it."""
        response = self.cashier("/orders", self.asked(points, **others))
        assert response.status_code == 201, response.get_json()
        order: dict[str, Any] = response.get_json()
        return order


@pytest.fixture
def till(somebody: Somebody, as_person: AsPerson, session: Session, book: Book) -> Till:
    shop = a_shop(session, book)
    volunteer, ask = somebody(area_code=GRID)
    give_points(session, book, volunteer, 100)
    return Till(shop, as_person(shop.cashier), volunteer, ask)


def points_of(session: Session, book: Book, till: Till, clock: HandClock) -> int:
    account = journal.account_of(session, book.id, "passbook", till.volunteer.id)
    points = journal.balance_of(session, book.id, account, clock.now()).available
    session.rollback()  # on SQLite whoever reads holds the lock
    return points


def test_an_order_names_its_amount_and_can_be_scanned_or_typed(till: Till, book: Book, clock: HandClock) -> None:
    order = till.order(80)
    assert order == {
        "id": order["id"], "code": order["code"], "number": order["number"], "address": order["address"], "points": 80, "cash_fen": 0,
        "expires_at": order["expires_at"],
    }  # fmt: skip
    assert order["code"].startswith(f"{book.number}-")
    assert order["address"] == f"http://localhost:8000/o/{order['code']}".upper()
    assert order["number"].isdigit()
    assert len(order["number"]) == 6


def test_an_order_asked_for_again_shows_the_same_code_and_none_is_kept(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    first = till.cashier("/orders", till.asked(), key="once").get_json()
    clock.advance(minutes=5)
    again = till.cashier("/orders", till.asked(), key="once")
    assert (again.get_json(), again.headers["Idempotency-Replayed"]) == (first, "true")
    answers = Base.metadata.tables["answer"].c
    kept = session.scalars(select(answers.body).where(answers.book_id == book.id, answers.status == 201)).all()
    session.rollback()  # on SQLite whoever reads holds the lock
    assert {"id": first["id"], "points": 30, "cash_fen": 0, "expires_at": first["expires_at"]} in kept


@pytest.mark.parametrize("form", ["code", "number", "address"])
def test_the_volunteer_sees_shop_and_amount_and_pays(till: Till, session: Session, book: Book, clock: HandClock, form: str) -> None:
    order = till.order(80)
    if form != "address":
        seen = till.ask(f"/orders/{order[form]}").get_json()
        assert (seen["id"], seen["state"], seen["points"], seen["unit_name"]) == (order["id"], "open", 80, till.shop.name)
    paid = till.ask("/orders/confirm", {"code": order[form]}, key="once")
    assert (paid.status_code, paid.get_json()["state"], paid.get_json()["way"]) == (200, "posted", "order_code")
    assert paid.get_json()["handle_tail"] == till.volunteer.handle[-2:]
    assert till.ask("/orders/confirm", {"code": order[form]}, key="once").get_json() == paid.get_json()
    assert points_of(session, book, till, clock) == 20
    assert till.cashier(f"/redemptions/{order['id']}").get_json() == paid.get_json()
    assert till.cashier(f"/units/{till.shop.id}/owed").get_json()["owed_points"] == 80


def test_an_order_is_paid_once(till: Till, somebody: Somebody, session: Session, book: Book, clock: HandClock) -> None:
    order = till.order()
    assert till.ask("/orders/confirm", {"code": order["code"]}).status_code == 200
    _, ask = somebody(area_code=GRID)
    for who in (till.ask, ask):
        refused = who("/orders/confirm", {"code": order["code"]})
        assert (kind(refused), refused.get_json()["data"]) == ((409, "order-taken"), {"at": clock.now().isoformat()})
    assert kind(ask("/orders/confirm", {"code": order["number"]})) == (404, "order-unknown")
    assert points_of(session, book, till, clock) == 70


def test_an_order_is_good_for_two_minutes(till: Till, clock: HandClock) -> None:
    order = till.order()
    clock.advance(seconds=119)
    assert till.ask(f"/orders/{order['code']}").status_code == 200
    clock.advance(seconds=1)
    assert kind(till.ask(f"/orders/{order['code']}")) == (410, "order-expired")
    assert kind(till.ask("/orders/confirm", {"code": order["number"]})) == (410, "order-expired")
    assert till.cashier(f"/redemptions/{order['id']}").get_json()["state"] == "lapsed"


def test_the_cashier_takes_an_order_back(till: Till) -> None:
    order = till.order()
    assert till.cashier(f"/redemptions/{order['id']}/cancel", {}).get_json()["state"] == "cancelled"
    assert kind(till.ask("/orders/confirm", {"code": order["code"]})) == (409, "order-cancelled")
    assert kind(till.cashier(f"/redemptions/{order['id']}/cancel", {})) == (409, "not-pending")


def test_an_order_for_an_offer_is_part_points_part_cash(till: Till, session: Session, book: Book) -> None:
    offer = an_offer(session, book, till.shop.id, points=20, cash_fen=500, stock=3)
    session.commit()
    order = till.order(None, offer_id=str(offer.id), quantity=2)
    assert (order["points"], order["cash_fen"]) == (40, 1000)
    assert till.ask(f"/orders/{order['code']}").get_json()["offer_title"] == "菜籽油5升"
    assert till.ask("/orders/confirm", {"code": order["code"]}).get_json()["quantity"] == 2
    assert till.ask("/offers").get_json()["items"][0]["on_hand"] == 1


def test_too_few_points_leave_the_order_open(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    order = till.order(101)
    refused = till.ask("/orders/confirm", {"code": order["code"]})
    assert (kind(refused), refused.get_json()["data"]) == ((409, "points-insufficient"), {"available": 100, "asked": 101})
    assert till.ask(f"/orders/{order['code']}").get_json()["state"] == "open"
    assert points_of(session, book, till, clock) == 100


def test_the_cashier_does_not_pay_their_own_order(till: Till, session: Session, book: Book) -> None:
    give_points(session, book, till.shop.cashier, 100)
    session.commit()
    order = till.order()
    assert kind(till.cashier("/orders/confirm", {"code": order["code"]})) == (403, "own-till")


def test_what_is_no_order_is_not_found(till: Till) -> None:
    for code in ("000000x", "1-0123456789ABCDEFGHJKMNPQRS", "99999-X", "%20", "１２３４５６"):
        assert kind(till.ask(f"/orders/{code}")) == (404, "order-unknown")
        assert kind(till.ask("/orders/confirm", {"code": code})) == (404, "order-unknown")


def test_orders_are_drawn_at_ones_own_tills(till: Till, as_person: AsPerson, session: Session, book: Book) -> None:
    other = a_shop(session, book, name="苏州路理发店", area_code=OTHER_VILLAGE)
    foreign, stranger = an_offer(session, book, other.id), as_person(other.cashier)
    assert kind(stranger("/orders", till.asked())) == (404, "not-found")
    assert kind(till.cashier("/orders", till.asked(None, offer_id=str(foreign.id)))) == (404, "not-found")
    assert kind(till.cashier("/orders", till.asked(till_id=str(uuid4())))) == (404, "not-found")
    assert as_person(till.shop.owner)("/orders", till.asked()).status_code == 201


def test_what_is_no_number_of_points_is_not_asked_for(till: Till) -> None:
    for points in NO_AMOUNTS:
        response = till.cashier("/orders", f'{{"till_id": "{till.shop.till_id}", "points": {points}}}')
        is_json = points not in {"NaN", "1e400"}
        assert (response.status_code, response.get_json()["field"]) == ((422, "points") if is_json else (400, "body")), points


MALFORMED = [({"quantity": 0}, "quantity"), ({"quantity": 2}, "points"), ({"till_id": 1}, "till_id"), ({"code": "x"}, "code")]


def test_malformed_orders_are_told_by_field(till: Till) -> None:
    for changed, field in MALFORMED:
        response = till.cashier("/orders", till.asked() | changed)
        assert (response.status_code, response.get_json()["field"]) == (422, field), changed


def test_shops_draw_orders_and_volunteers_pay_them(till: Till, somebody: Somebody) -> None:
    order = till.order()
    for role in ("building_leader", "grid_worker", "approver", "administrator"):
        _, ask = somebody(role)
        assert kind(ask("/orders", till.asked())) == (403, "not-allowed")
        assert kind(ask(f"/orders/{order['code']}")) == (403, "not-allowed")
        assert kind(ask("/orders/confirm", {"code": order["code"]})) == (403, "not-allowed")
        assert kind(till.ask("/orders", till.asked())) == (403, "not-allowed")
