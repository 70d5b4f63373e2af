"""Card and PIN at a till that asks the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ledger import journal
from ledger import people
from ledger.areas import Book
from ledger.people import Person
from tests.builders import GRID
from tests.builders import Shop
from tests.builders import a_shop
from tests.builders import an_act
from tests.builders import an_offer
from tests.builders import give_points
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card

AsPerson = Callable[[Person], Ask]


@dataclass(frozen=True)
class Till:
    """A till, and a volunteer with 100 points and a card in front of it."""

    session: Session
    book: Book
    shop: Shop
    cashier: Ask
    volunteer: Person
    ask: Ask
    card: str

    def asked(self, points: int | None = 30, **others: Any) -> dict[str, Any]:
        return {"till_id": str(self.shop.till_id), "points": points, "card": self.card, "pin": PIN} | others

    def points(self, clock: HandClock) -> int:
        account = journal.account_of(self.session, self.book.id, "passbook", self.volunteer.id)
        points = journal.balance_of(self.session, self.book.id, account, clock.now()).available
        self.session.rollback()
        return points


@pytest.fixture
def till(somebody: Somebody, as_person: AsPerson, session: Session, book: Book) -> Till:
    shop = a_shop(session, book)
    volunteer, ask = somebody(area_code=GRID)
    give_points(session, book, volunteer, 100)
    card = a_card(session, book, volunteer.id)
    return Till(session, book, shop, as_person(shop.cashier), volunteer, ask, card)


def test_card_and_pin_pay_at_once(till: Till, clock: HandClock) -> None:
    spaced = f"{till.card[:4]} {till.card[4:8]} {till.card[8:]}"
    paid = till.cashier("/redemptions/by-card", till.asked(60, card=spaced)).get_json()
    assert (paid["state"], paid["way"], paid["points"], paid["handle_tail"]) == ("posted", "card", 60, till.volunteer.handle[-2:])
    assert till.points(clock) == 40
    assert till.ask("/redemptions/mine").get_json()["items"] == [paid]


def test_an_offer_is_had_by_card(till: Till) -> None:
    offer = an_offer(till.session, till.book, till.shop.id, points=10, stock=4)
    till.session.commit()
    bought = till.cashier("/redemptions/by-card", till.asked(None, offer_id=str(offer.id), quantity=2)).get_json()
    assert (bought["points"], bought["offer_title"], bought["quantity"]) == (20, "菜籽油5升", 2)


def test_the_same_key_takes_once_and_tells_nobody_whether_another_pin_would_have_been_right(till: Till, clock: HandClock) -> None:
    first = till.cashier("/redemptions/by-card", till.asked(), key="once")
    again = till.cashier("/redemptions/by-card", till.asked(), key="once")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    statuses = [kind(till.cashier("/redemptions/by-card", till.asked(pin=f"27{guess:04}"), key="once")) for guess in range(7)]
    assert statuses == [(403, "card-or-pin-wrong")] * 5 + [(429, "guesses-too-many")] * 2
    assert till.points(clock) == 70


def test_of_thirty_wrong_pins_five_are_served(till: Till, clock: HandClock) -> None:
    answers = [till.cashier("/redemptions/by-card", till.asked(pin=f"27{guess:04}")) for guess in range(30)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 25
    assert answers[-1].headers["Retry-After"] == "900"
    assert kind(till.cashier("/redemptions/by-card", till.asked())) == (429, "guesses-too-many")
    assert till.ask("/pay-code").status_code == 200
    clock.advance(minutes=15)
    assert till.cashier("/redemptions/by-card", till.asked()).get_json()["state"] == "posted"


def test_wrong_revoked_and_no_cards_are_refused_alike(till: Till, clock: HandClock) -> None:
    bodies = [till.cashier("/redemptions/by-card", till.asked(**wrong)).get_json() for wrong in ({"pin": "274914"}, {"card": "1"})]
    people.revoke_card(till.session, an_act(till.book), till.volunteer.id)
    till.session.commit()
    bodies.append(till.cashier("/redemptions/by-card", till.asked()).get_json())
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["type"] == "/problems/card-or-pin-wrong"
    assert till.points(clock) == 100


def test_a_card_is_taken_at_a_till_of_ones_own_shop(till: Till, as_person: AsPerson) -> None:
    other = a_shop(till.session, till.book, name="另一家超市")
    till.session.commit()
    assert kind(till.cashier("/redemptions/by-card", till.asked(till_id=str(other.till_id)))) == (404, "not-found")
    assert kind(as_person(till.volunteer)("/redemptions/by-card", till.asked())) == (403, "not-allowed")


def test_the_shop_learns_neither_who_paid_nor_how_much_they_have(till: Till) -> None:
    refused = till.cashier("/redemptions/by-card", till.asked(101))
    assert (kind(refused), refused.get_json()["data"]) == ((409, "points-insufficient"), {"asked": 101})
    paid = till.cashier("/redemptions/by-card", till.asked()).get_data(as_text=True)
    assert not any(told in paid for told in (till.card, PIN, till.volunteer.handle, str(till.volunteer.id)))
