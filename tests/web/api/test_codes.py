from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.areas import Book
from ledger.people import Person
from redeem import codes
from redeem.codes import PayDevice
from tests.builders import VAULT
from tests.builders import a_shop
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind


def test_a_volunteer_gets_a_code_without_any_device_of_their_own(
    somebody: Somebody, session: Session, book: Book, clock: HandClock
) -> None:
    person, ask = somebody()
    response = ask("/pay-code")
    code = response.get_json()
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert code["address"] == f"http://localhost:8000/p/{code['token']}".upper()
    assert code["token"].startswith(f"{book.number}-{person.handle}-")
    assert (code["handle"], len(code["digits"])) == (person.handle, 6)
    assert 0 < (datetime.fromisoformat(code["valid_until"]) - clock.now()).total_seconds() <= 30
    for given in (code["address"], code["token"], f"{code['handle']} {code['digits']}"):
        read = codes.read(given, book.number)
        assert read is not None
        assert codes.recognise(session, VAULT, book.id, [read], clock.now())[read].person_id == person.id


def test_the_code_is_the_same_for_its_step_and_another_in_the_next(
    somebody: Somebody, session: Session, book: Book, clock: HandClock
) -> None:
    person, ask = somebody()
    first = ask("/pay-code").get_json()
    assert ask("/pay-code").get_json() == first
    clock.advance(seconds=30)
    assert ask("/pay-code").get_json()["token"] != first["token"]
    devices = select(func.count()).select_from(PayDevice).where(PayDevice.book_id == book.id, PayDevice.person_id == person.id)
    assert session.execute(devices).scalar_one() == 1


def test_two_people_have_two_codes(somebody: Somebody) -> None:
    one, other = somebody()[1]("/pay-code").get_json(), somebody()[1]("/pay-code").get_json()
    assert (one["token"], one["digits"]) != (other["token"], other["digits"])


@pytest.mark.parametrize("role", ["grid_worker", "approver", "administrator"])
def test_who_is_no_volunteer_has_no_code(somebody: Somebody, role: str) -> None:
    assert kind(somebody(role)[1]("/pay-code")) == (403, "not-allowed")


def test_a_cashier_who_is_a_volunteer_has_a_code(
    as_person: Callable[[Person], Ask], session: Session, book: Book, client: FlaskClient
) -> None:
    shop = a_shop(session, book)
    assert as_person(shop.cashier)("/pay-code").get_json()["handle"] == shop.cashier.handle
    assert people.by_handle(session, book.id, shop.cashier.handle) is not None
