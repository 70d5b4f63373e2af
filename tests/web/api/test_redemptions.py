from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import journal
from ledger.areas import Book
from ledger.clock import local_day
from ledger.people import Person
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

    def code(self) -> dict[str, str]:
        """The pay code the volunteer shows now."""
        code: dict[str, str] = self.ask("/pay-code").get_json()
        return code

    def asked(self, points: int | None = 30, **others: Any) -> dict[str, Any]:
        """What the cashier sends for the code that is shown now."""
        return {"till_id": str(self.shop.till_id), "points": points, "code": self.code()["address"]} | others


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


def test_a_small_pay_code_is_taken_at_once(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    taken = till.cashier("/redemptions", till.asked(30))
    assert taken.status_code == 201
    body = taken.get_json()
    assert body == {
        "id": body["id"], "state": "posted", "way": "pay_code", "points": 30, "cash_fen": 0, "offer_id": None, "offer_title": None,
        "quantity": 1, "unit_id": str(till.shop.id), "unit_name": till.shop.name, "till_name": "1号收银台",
        "handle_tail": till.volunteer.handle[-2:], "opened_at": body["opened_at"], "expires_at": body["expires_at"],
        "posted_at": body["opened_at"], "voided": 0,
    }  # fmt: skip
    assert points_of(session, book, till, clock) == 70
    assert till.ask("/redemptions/mine").get_json()["items"] == [body]
    assert till.cashier(f"/units/{till.shop.id}/redemptions").get_json()["items"] == [body]
    assert till.cashier(f"/units/{till.shop.id}/owed").get_json() == {
        "owed_points": 30, "taken_today": {"count": 1, "points": 30, "cash_fen": 0, "voided": 0},
    }  # fmt: skip
    lines = [(line["kind"], line["shop"], line["goods"]) for line in till.ask("/passbook/lines").get_json()["items"]]
    assert lines == [("redemption", till.shop.name, None), ("award", None, None)]


def test_the_shop_never_learns_who_paid(till: Till) -> None:
    taken = till.cashier("/redemptions", till.asked())
    shown = taken.get_data(as_text=True) + till.cashier(f"/units/{till.shop.id}/redemptions").get_data(as_text=True)
    assert "陈桂芳" not in shown
    assert till.volunteer.handle not in shown
    assert str(till.volunteer.id) not in shown


@pytest.mark.parametrize("form", ["address", "token", "typed", "typed with a space", "typed full-width"])
def test_a_pay_code_is_taken_scanned_or_typed(till: Till, form: str) -> None:
    code = till.code()
    typed = code["handle"] + code["digits"]
    given = {
        "address": code["address"],
        "token": code["token"].lower(),
        "typed": typed,
        "typed with a space": f"{code['handle']} {code['digits']}",
        "typed full-width": typed.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
    }[form]
    assert till.cashier("/redemptions", till.asked(code=given)).get_json()["state"] == "posted"


def test_a_code_is_used_once_and_the_second_time_is_told_of_the_first(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    code, asked = till.code(), till.asked()
    assert till.cashier("/redemptions", asked).status_code == 201
    used_at = clock.now()
    clock.advance(seconds=20)
    typed = asked | {"code": code["handle"] + code["digits"]}
    for again in (asked, typed):
        refused = till.cashier("/redemptions", again)
        assert kind(refused) == (409, "pay-code-used")
        assert refused.get_json()["data"] == {"at": used_at.isoformat(), "till": "1号收银台"}
    clock.advance(minutes=30)
    assert kind(till.cashier("/redemptions", asked)) == (409, "pay-code-used")
    clock.advance(minutes=31)
    assert kind(till.cashier("/redemptions", asked)) == (404, "pay-code-unknown")
    assert points_of(session, book, till, clock) == 70


def test_the_same_key_takes_once(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    asked = till.asked()
    first = till.cashier("/redemptions", asked, key="once")
    again = till.cashier("/redemptions", asked, key="once")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert kind(till.cashier("/redemptions", asked | {"points": 31}, key="once")) == (422, "idempotency-key-reused")
    assert points_of(session, book, till, clock) == 70


def test_a_code_lives_through_its_step_and_the_next(till: Till, clock: HandClock) -> None:
    first, second = till.asked(), till.asked()
    clock.advance(seconds=30)
    assert till.cashier("/redemptions", first).status_code == 201
    clock.advance(seconds=30)
    third = till.asked()
    assert kind(till.cashier("/redemptions", second)) == (409, "pay-code-used")
    clock.advance(seconds=60)
    assert kind(till.cashier("/redemptions", third)) == (410, "pay-code-expired")


def test_whoever_asks_for_nothing_is_told_what_to_ask_for(till: Till) -> None:
    for path, asked in (("/redemptions", till.asked(None)), ("/orders", {"till_id": str(till.shop.till_id)})):
        answer = till.cashier(path, asked)
        assert (*kind(answer), answer.get_json()["field"]) == (422, "nothing-asked", "points")


def test_what_is_no_code_takes_nothing(till: Till) -> None:
    for code in ("x", "12345678 123456", "1-12345678-0123456789ABCDEF", "http://localhost:8000/p/", "😀"):
        assert kind(till.cashier("/redemptions", till.asked(code=code))) == (404, "pay-code-unknown")


def test_a_till_waits_after_ten_wrong_codes(till: Till, clock: HandClock) -> None:
    for _ in range(10):
        assert kind(till.cashier("/redemptions", till.asked(code=f"{till.volunteer.handle}000000"))) == (404, "pay-code-unknown")
    clock.advance(minutes=4)
    refused = till.cashier("/redemptions", till.asked())
    assert kind(refused) == (429, "till-must-wait")
    assert refused.headers["Retry-After"] == "60"
    clock.advance(minutes=1)
    assert till.cashier("/redemptions", till.asked()).status_code == 201


def test_a_refusal_does_not_burn_the_code(till: Till) -> None:
    asked = till.asked(101)
    refused = till.cashier("/redemptions", asked)
    # The shop does not learn how many points there are.
    assert (kind(refused), refused.get_json()["data"]) == ((409, "points-insufficient"), {"asked": 101})
    assert till.cashier("/redemptions", asked | {"points": 50}).get_json()["state"] == "posted"


def test_above_fifty_points_the_volunteer_is_asked_first(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    asked = till.asked(51)
    pending = till.cashier("/redemptions", asked).get_json()
    assert (pending["state"], pending["posted_at"]) == ("pending", None)
    assert kind(till.cashier("/redemptions", asked)) == (409, "pay-code-used")
    assert [row["id"] for row in till.ask("/redemptions/waiting").get_json()["items"]] == [pending["id"]]
    assert points_of(session, book, till, clock) == 100
    confirmed = till.ask(f"/redemptions/{pending['id']}/confirm", {}, key="once").get_json()
    assert confirmed["state"] == "posted"
    assert till.ask(f"/redemptions/{pending['id']}/confirm", {}, key="once").get_json() == confirmed
    assert kind(till.ask(f"/redemptions/{pending['id']}/confirm", {})) == (409, "not-pending")
    assert points_of(session, book, till, clock) == 49
    assert till.ask("/redemptions/waiting").get_json()["items"] == []
    assert till.cashier(f"/redemptions/{pending['id']}").get_json()["state"] == "posted"


def test_what_waits_is_declined_cancelled_or_lapses(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    states = []
    for path, ask in (("decline", till.ask), ("cancel", till.cashier)):
        pending = till.cashier("/redemptions", till.asked(60)).get_json()
        states.append(ask(f"/redemptions/{pending['id']}/{path}", {}).get_json()["state"])
        assert kind(till.ask(f"/redemptions/{pending['id']}/confirm", {})) == (409, "not-pending")
        clock.advance(seconds=30)
    assert states == ["cancelled", "cancelled"]
    pending = till.cashier("/redemptions", till.asked(60)).get_json()
    clock.advance(minutes=5)
    assert till.ask("/redemptions/waiting").get_json()["items"] == []
    assert kind(till.ask(f"/redemptions/{pending['id']}/confirm", {})) == (410, "redemption-lapsed")
    assert till.cashier(f"/redemptions/{pending['id']}").get_json()["state"] == "lapsed"
    assert points_of(session, book, till, clock) == 100


def test_what_waits_for_somebody_is_nobody_elses(till: Till, somebody: Somebody) -> None:
    pending = till.cashier("/redemptions", till.asked(60)).get_json()
    _, other = somebody(area_code=GRID)
    for path, body in (("", None), ("/confirm", {}), ("/decline", {})):
        assert kind(other(f"/redemptions/{pending['id']}{path}", body)) == (404, "not-found")
    assert other("/redemptions/waiting").get_json()["items"] == []
    assert other("/redemptions/mine").get_json()["items"] == []


def test_an_offer_takes_points_cash_and_stock_up_to_the_limit(till: Till, session: Session, book: Book) -> None:
    limits = {"limit_per_person": 3, "limit_period": "month"}
    offer = an_offer(session, book, till.shop.id, points=10, cash_fen=250, stock=4, **limits)
    session.commit()
    bought = till.cashier("/redemptions", till.asked(None, offer_id=str(offer.id), quantity=2)).get_json()
    assert (bought["points"], bought["cash_fen"], bought["offer_title"], bought["quantity"]) == (20, 500, "菜籽油5升", 2)
    assert till.ask("/offers").get_json()["items"][0]["on_hand"] == 2


def test_stock_limit_and_days_of_an_offer_are_kept(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    limits = {"limit_per_person": 1, "limit_period": "day"}
    few, limited = an_offer(session, book, till.shop.id, points=10, stock=1), an_offer(session, book, till.shop.id, points=10, **limits)
    past = an_offer(session, book, till.shop.id, points=10, valid_to=local_day(clock.now(), book.zone))
    session.commit()

    def buy(offer_id: object, *, points: int | None = None, **others: Any) -> Any:
        clock.advance(seconds=30)
        return till.cashier("/redemptions", till.asked(points, offer_id=str(offer_id), **others))

    refused = buy(few.id, quantity=2)
    assert (kind(refused), refused.get_json()["data"]) == ((409, "stock-out"), {"on_hand": 1})
    assert buy(few.id).status_code == 201
    assert kind(buy(few.id)) == (409, "stock-out")
    assert buy(limited.id).status_code == 201
    assert kind(buy(limited.id)) == (409, "limit-reached")
    clock.advance(hours=16)
    assert buy(limited.id).status_code == 201
    assert kind(buy(past.id)) == (409, "offer-not-available")
    assert kind(buy(limited.id, points=10)) == (422, "offer-or-points")


def test_what_was_taken_is_given_back_the_same_day_and_never_more(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    taken = till.cashier("/redemptions", till.asked(30)).get_json()
    void = f"/redemptions/{taken['id']}/void"
    assert till.cashier(void, {"points": 10, "reason": "wrong-item"}, key="once").get_json()["voided"] == 10
    assert till.cashier(void, {"points": 10, "reason": "wrong-item"}, key="once").get_json()["voided"] == 10
    refused = till.cashier(void, {"points": 21, "reason": "returned"})
    assert (kind(refused), refused.get_json()["data"]) == ((409, "void-exceeds"), {"left": 20})
    assert till.cashier(void, {"reason": "returned"}).get_json()["voided"] == 30
    assert kind(till.cashier(void, {"reason": "returned"})) == (409, "voided-already")
    assert points_of(session, book, till, clock) == 100
    assert till.cashier(f"/units/{till.shop.id}/owed").get_json()["owed_points"] == 0


def test_goods_given_back_are_in_stock_again(till: Till, session: Session, book: Book) -> None:
    offer = an_offer(session, book, till.shop.id, points=10, stock=4)
    session.commit()
    bought = till.cashier("/redemptions", till.asked(None, offer_id=str(offer.id), quantity=2)).get_json()
    assert till.cashier(f"/redemptions/{bought['id']}/void", {"reason": "returned"}).status_code == 200
    assert till.ask("/offers").get_json()["items"][0]["on_hand"] == 4


def test_after_its_day_only_staff_of_the_area_void(till: Till, somebody: Somebody, session: Session, book: Book, clock: HandClock) -> None:
    taken = till.cashier("/redemptions", till.asked(30)).get_json()
    void = f"/redemptions/{taken['id']}/void"
    _, approver = somebody("approver")
    _, far = somebody("approver", area_code=OTHER_VILLAGE)
    clock.advance(hours=15)
    assert kind(till.cashier(void, {"reason": "returned"})) == (409, "void-only-same-day")
    assert kind(far(void, {"reason": "returned"})) == (404, "not-found")
    assert approver(void, {"reason": "returned"}).get_json()["voided"] == 30
    assert points_of(session, book, till, clock) == 100


def test_what_was_never_taken_is_not_voided(till: Till) -> None:
    pending = till.cashier("/redemptions", till.asked(60)).get_json()
    assert kind(till.cashier(f"/redemptions/{pending['id']}/void", {"reason": "returned"})) == (409, "nothing-to-void")


def test_nobody_takes_their_own_points_at_their_own_till(till: Till, session: Session, book: Book) -> None:
    give_points(session, book, till.shop.cashier, 100)
    session.commit()
    own = till.cashier("/pay-code").get_json()["address"]
    assert kind(till.cashier("/redemptions", till.asked(code=own))) == (403, "own-till")


def test_a_shop_acts_at_its_own_tills_and_sees_its_own(till: Till, as_person: AsPerson, session: Session, book: Book) -> None:
    other = a_shop(session, book, name="苏州路理发店", area_code=OTHER_VILLAGE)
    foreign = an_offer(session, book, other.id)
    stranger = as_person(other.cashier)
    posted = till.cashier("/redemptions", till.asked(30)).get_json()
    assert kind(stranger("/redemptions", till.asked())) == (404, "not-found")
    assert kind(till.cashier("/redemptions", till.asked(None, offer_id=str(foreign.id)))) == (404, "not-found")
    assert kind(stranger(f"/redemptions/{posted['id']}")) == (404, "not-found")
    assert kind(stranger(f"/redemptions/{posted['id']}/void", {"reason": "returned"})) == (404, "not-found")
    assert kind(stranger(f"/redemptions/{posted['id']}/cancel", {})) == (404, "not-found")
    assert kind(stranger(f"/units/{till.shop.id}/redemptions")) == (404, "not-found")
    assert kind(stranger(f"/units/{till.shop.id}/owed")) == (404, "not-found")
    assert stranger(f"/units/{other.id}/redemptions").get_json()["items"] == []
    assert kind(till.cashier("/redemptions", till.asked(till_id=str(uuid4())))) == (404, "not-found")


def test_staff_see_what_was_taken_in_their_areas(till: Till, somebody: Somebody) -> None:
    taken = till.cashier("/redemptions", till.asked(30)).get_json()
    _, approver = somebody("approver")
    _, far = somebody("administrator", area_code=OTHER_VILLAGE)
    assert approver(f"/redemptions/{taken['id']}").get_json() == taken
    assert approver(f"/units/{till.shop.id}/redemptions").get_json()["items"] == [taken]
    assert approver(f"/units/{till.shop.id}/owed").get_json()["owed_points"] == 30
    assert kind(far(f"/redemptions/{taken['id']}")) == (404, "not-found")
    assert kind(far(f"/units/{till.shop.id}/redemptions")) == (404, "not-found")
    assert kind(far(f"/units/{till.shop.id}/owed")) == (404, "not-found")


def test_long_lists_come_a_page_at_a_time_the_newest_first(till: Till, clock: HandClock) -> None:
    made = []
    for _ in range(3):
        made.append(till.cashier("/redemptions", till.asked(1)).get_json()["id"])
        clock.advance(seconds=30)
    for ask, path in ((till.ask, "/redemptions/mine"), (till.cashier, f"/units/{till.shop.id}/redemptions")):
        first = ask(f"{path}?limit=2").get_json()
        rest = ask(f"{path}?limit=2&cursor={first['next']}").get_json()
        assert [row["id"] for row in first["items"] + rest["items"]] == sorted(made, reverse=True)
        assert rest["next"] is None


def test_what_is_no_number_of_points_takes_none(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    for points in NO_AMOUNTS:
        body = f'{{"till_id": "{till.shop.till_id}", "code": "{till.code()["token"]}", "points": {points}}}'
        response = till.cashier("/redemptions", body)
        is_json = points not in {"NaN", "1e400"}
        assert (response.status_code, response.get_json()["field"]) == ((422, "points") if is_json else (400, "body")), points
    assert points_of(session, book, till, clock) == 100


def test_no_more_is_voided_than_a_number_of_points_that_was_taken(till: Till, session: Session, book: Book, clock: HandClock) -> None:
    taken = till.cashier("/redemptions", till.asked(30)).get_json()
    for points in (*NO_AMOUNTS[:-3], "31", "{}"):
        response = till.cashier(f"/redemptions/{taken['id']}/void", f'{{"reason": "returned", "points": {points}}}')
        assert response.status_code in {400, 409, 422}, points
    assert points_of(session, book, till, clock) == 70


MALFORMED = [
    ({"quantity": 0}, "quantity"),
    ({"quantity": 1001}, "quantity"),
    ({"quantity": "1"}, "quantity"),
    ({"quantity": 2}, "points"),
    ({"till_id": "1"}, "till_id"),
    ({"till_id": None}, "till_id"),
    ({"offer_id": 7}, "offer_id"),
    ({"code": ""}, "code"),
    ({"code": "1" * 201}, "code"),
    ({"code": 12345678123456}, "code"),
    ({"code": "1\n2"}, "code"),
    ({"person_id": "x"}, "person_id"),
]


def test_malformed_requests_are_told_by_field(till: Till) -> None:
    for changed, field in MALFORMED:
        response = till.cashier("/redemptions", till.asked() | changed)
        assert (response.status_code, response.get_json()["field"]) == (422, field), changed


def test_a_void_needs_a_reason(till: Till) -> None:
    taken = till.cashier("/redemptions", till.asked(30)).get_json()
    for reason in ("", "退货", "Returned", 7, None):
        response = till.cashier(f"/redemptions/{taken['id']}/void", {"reason": reason})
        assert (response.status_code, response.get_json()["field"]) == (422, "reason"), reason


def test_only_shops_take_points_and_only_volunteers_confirm(till: Till, somebody: Somebody) -> None:
    taken = till.cashier("/redemptions", till.asked(30)).get_json()
    for role in ("volunteer", "building_leader", "grid_worker", "activity_host", "approver", "administrator"):
        _, ask = somebody(role)
        assert kind(ask("/redemptions", till.asked())) == (403, "not-allowed")
        assert kind(ask(f"/redemptions/{taken['id']}/cancel", {})) == (403, "not-allowed")
        if role != "volunteer":
            for path in ("/redemptions/mine", "/redemptions/waiting"):
                assert kind(ask(path)) == (403, "not-allowed")
            for path in ("confirm", "decline"):
                assert kind(ask(f"/redemptions/{taken['id']}/{path}", {})) == (403, "not-allowed")
        if role not in {"approver", "administrator"}:
            assert kind(ask(f"/redemptions/{taken['id']}/void", {"reason": "returned"})) == (403, "not-allowed")
            assert kind(ask(f"/units/{till.shop.id}/owed")) == (403, "not-allowed")
            assert kind(ask(f"/units/{till.shop.id}/redemptions")) == (403, "not-allowed")
            assert kind(ask(f"/redemptions/{taken['id']}")) == (404, "not-found")


def test_nothing_is_taken_or_shown_without_signing_in(client: FlaskClient) -> None:
    for path in ("/redemptions/mine", "/redemptions/waiting", f"/redemptions/{uuid4()}", f"/units/{uuid4()}/owed", "/orders/123456"):
        assert kind(client.get(f"/api/v1{path}")) == (401, "not-signed-in")
    for path in ("/redemptions", "/orders", "/orders/confirm", f"/redemptions/{uuid4()}/void"):
        assert kind(client.post(f"/api/v1{path}", json={}, headers={"Idempotency-Key": "x"})) == (401, "not-signed-in")
