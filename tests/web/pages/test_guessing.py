"""What strangers who guess can do to others: nothing at all, but to those who come from nowhere known as they do."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.test import TestResponse

from ledger import audit
from ledger import sign_in
from ledger.audit.model import AuditRecord
from ledger.people.rules import card_number_of
from ledger.people.rules import handle_of
from ledger.sign_in import hashing
from ledger.sign_in.model import Guesses
from tests.builders import GRID
from tests.builders import OTHER_GRID
from tests.builders import VAULT
from tests.builders import give_points
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device
from tests.web.pages.ways_in import PASSWORD
from tests.web.pages.ways_in import by_password
from tests.web.pages.ways_in import code_now
from tests.web.pages.ways_in import give_password
from tests.web.pages.ways_in import link_for

STRANGE = "198.51.100.9"


def guess(hall: Hall, number: str, address: str = STRANGE, cookie: str | None = None) -> TestResponse:
    """Let a stranger guess from another address, in a browser that brings nothing or a cookie that it has made up."""
    client = hall.app.test_client()
    if cookie:
        client.set_cookie("device", cookie)
    told = {"number": number, "password": "wrong", "code": "000000"}
    return client.post("/sign-in", data=told, environ_overrides={"REMOTE_ADDR": address})


def marked_guess(hall: Hall, number: str, address: str = STRANGE) -> TestResponse:
    """Let a stranger guess in a browser of which the service has never seen anything, with the cookie that it gives."""
    client = hall.app.test_client()
    client.get("/sign-in", environ_overrides={"REMOTE_ADDR": address})
    told = {"number": number, "password": "wrong", "code": "000000"}
    return client.post("/sign-in", data=told, environ_overrides={"REMOTE_ADDR": address})


class Staff:
    """Somebody of the staff with password and codes, and a browser in which they have signed in."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.person = hall.community.person("approver", "volunteer")
        self.app = give_password(hall, self.person)
        self.own = Browser(hall.app)
        assert self.comes_in(self.own) == 200

    def comes_in(self, browser: Browser) -> int:
        """Sign in with all that is right, and return what was answered."""
        return by_password(self.hall, self.person.handle, PASSWORD, code_now(self.hall, self.app), browser).page.status

    def proves(self) -> int:
        """Prove who they are by password, and return what was answered."""
        self.own.open("/proof")
        return self.own.send("验证并继续", _proof_password=PASSWORD, _proof_code=code_now(self.hall, self.app)).status


@pytest.fixture
def staff(hall: Hall) -> Staff:
    return Staff(hall)


def test_strangers_do_not_keep_whoever_has_signed_in_before_out(hall: Hall, staff: Staff) -> None:
    answers = [marked_guess(hall, staff.person.handle, f"198.51.{count // 50}.9").status_code for count in range(130)]
    assert (answers.count(403), answers.count(429)) == (100, 30)
    assert staff.proves() == 200
    assert staff.comes_in(staff.own) == 200
    assert staff.comes_in(Browser(hall.app)) == 429, "a browser that nobody knows waits with the strangers"


def test_a_browser_has_five_tries_of_its_own_at_the_account_that_was_signed_in_to(hall: Hall, staff: Staff) -> None:
    assert [by_password(hall, staff.person.handle, "wrong", "0", staff.own).page.status for _ in range(6)] == [403] * 5 + [429]
    assert by_password(hall, Staff(hall).person.handle, "wrong", "0", staff.own).page.status == 403


def test_at_another_account_a_known_browser_is_a_stranger(hall: Hall, staff: Staff) -> None:
    for count in range(101):
        guess(hall, f"{count:08}", "127.0.0.1")
    assert by_password(hall, "87654321", "wrong", "0", staff.own).page.status == 429
    assert staff.comes_in(staff.own) == 200


def test_a_cookie_that_somebody_made_up_is_none(hall: Hall, staff: Staff) -> None:
    made_up = [f"{secrets.token_hex(16)}.{secrets.token_hex(16)}.{secrets.token_hex(16)}" for _ in range(8)]
    assert [guess(hall, staff.person.handle, cookie=cookie).status_code for cookie in made_up] == [403] * 5 + [429] * 3
    real = staff.own.client.get_cookie("device")
    assert real is not None
    device, signature, mark = real.value.split(".")
    for bent in (f"{device}x.{signature}.{mark}", f"{device}.{signature[:-1]}", device, "", "....", "é.é"):
        assert hall.app.test_client().get("/sign-in", headers={"Cookie": f"device={bent}"}).headers["Set-Cookie"].startswith("device=")


def test_the_cookie_tells_nothing_of_the_person_and_remembers_five_accounts(hall: Hall) -> None:
    browser = Browser(hall.app)
    persons = [hall.community.person("volunteer") for _ in range(7)]
    hall.session.commit()
    for person in persons:
        browser.open(link_for(hall, person))
        browser.send("登录")
    cookie = browser.client.get_cookie("device")
    assert cookie is not None
    assert len(cookie.value.split(".")) == 2 + 5
    assert not any(str(person.id) in cookie.value or person.handle in cookie.value for person in persons)


def test_strangers_at_the_same_address_stop_no_till_and_no_proof(hall: Hall, staff: Staff) -> None:
    book = hall.community.book
    volunteer, _ = hall.enter("volunteer")
    give_points(hall.session, book, volunteer, 100)
    number = a_card(hall.session, book, volunteer.id)
    counter = on_device(hall.app, hall.session, book, area_code=GRID)
    answers = [guess(hall, f"{count:08}", "127.0.0.1").status_code for count in range(101)]
    assert answers[-1] == 429
    assert counter.send("登录", card=number, _pin=PIN).address.startswith("/me")
    assert staff.proves() == 200


def counted(hall: Hall) -> tuple[int, int]:
    """How many lines the log has, and how many rows the guesses have."""
    found = tuple(
        hall.session.execute(select(func.count()).select_from(model).where(model.book_id == hall.community.book.id)).scalar_one()
        for model in (AuditRecord, Guesses)
    )
    hall.session.commit()
    return found[0], found[1]


def test_whoever_is_refused_fills_neither_the_log_nor_the_guesses(hall: Hall) -> None:
    for count in range(100):
        guess(hall, f"{count:08}")
    before = counted(hall)
    assert {guess(hall, f"{count:08}").status_code for count in range(200, 260)} == {429}
    assert counted(hall) == before
    lines = audit.records(hall.session, hall.community.book.id, audit.Wanted(outcome="guesses-too-many"))
    assert len(lines) == 1
    hall.session.rollback()


def test_a_number_is_counted_alike_however_it_is_typed_whether_it_is_somebodys_or_not(hall: Hall) -> None:
    person = hall.community.person("grid_worker")
    hall.session.commit()
    unknown = next(found for number in range(100) if (found := handle_of(number)) != person.handle)
    seen = []
    for handle, address in ((person.handle, "198.51.100.1"), (unknown, "198.51.100.2")):
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in handle)
        typed = [handle, f"{handle[:4]}-{handle[4:]}", f"{handle[:4]} {handle[4:]}", wide, f"1-{handle}", handle]
        seen.append([guess(hall, one, address).status_code for one in typed])
    assert seen == [[403] * 5 + [429]] * 2


def test_a_connections_64_bits_of_addresses_are_one(hall: Hall) -> None:
    hall.enter("volunteer")
    answers = [guess(hall, f"{count:08}", f"2001:db8::{count:x}").status_code for count in range(110)]
    assert (answers.count(403), answers.count(429)) == (100, 10)
    assert guess(hall, "00000000", "2001:db8:0:1::1").status_code == 403
    assert guess(hall, "00000000", "::ffff:198.51.100.20").status_code == 403


def test_wrong_pins_close_a_card_in_one_place_and_not_on_ones_own_phone(hall: Hall) -> None:
    book = hall.community.book
    person, phone = hall.enter("volunteer")
    number = a_card(hall.session, book, person.id)
    tills = [on_device(hall.app, hall.session, book, area_code=GRID) for _ in range(3)]
    for till in tills:
        for _ in range(5):
            till.open("/counter")
            till.send("登录", card=number, _pin="111112")
    tills[2].open("/counter")
    assert tills[2].send("登录", card=number, _pin=PIN).status == 429, "ten at this counter today"
    elsewhere = on_device(hall.app, hall.session, book, area_code=OTHER_GRID)
    assert elsewhere.send("登录", card=number, _pin=PIN).address.startswith("/me")
    hall.clock.advance(minutes=20)
    phone.open("/proof")
    assert phone.send("验证并继续", _proof_pin=PIN).status == 200
    sign_in.set_pin(hall.session, VAULT, book.id, person.id, "pin", PIN, hall.clock.now())
    hall.session.commit()
    tills[2].open("/counter")
    assert tills[2].send("登录", card=number, _pin=PIN).address.startswith("/me"), "at one that was set anew nothing was tried yet"


@pytest.mark.parametrize("is_there", [True, False])
def test_after_many_wrong_pins_everywhere_nobody_is_told_whether_there_is_such_a_card(hall: Hall, is_there: bool) -> None:
    book = hall.community.book
    person, _ = hall.enter("volunteer")
    number = a_card(hall.session, book, person.id)
    typed = number if is_there else card_number_of(12345678901)
    counter = on_device(hall.app, hall.session, book, area_code=GRID)
    statuses = []
    for _ in range(4):
        for _ in range(11):
            counter.open("/counter")
            page = counter.send("登录", card=typed, _pin="111112")
            statuses.append((page.status, "锁" in page.text))
            hall.clock.advance(minutes=16 if len(statuses) % 5 == 0 else 0)
        hall.clock.advance(days=1)
    assert {status for status, _ in statuses} == {403, 429}
    assert not any(tells for _, tells in statuses)
    assert [status for status, _ in statuses].count(403) == 40
    counter.open("/counter")
    assert counter.send("登录", card=number, _pin=PIN).status == (403 if is_there else 200)


def test_whoever_would_wait_long_to_be_hashed_is_told_to_come_again(hall: Hall) -> None:
    person, _ = hall.enter("volunteer")
    with hashing.turn(), hashing.turn(), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(guess, hall, person.handle).result(timeout=20)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "稍后再试" in answer.text
    assert [guess(hall, person.handle).status_code for _ in range(6)] == [403] * 5 + [429], "that one was no try"


def test_a_pin_that_could_not_be_compared_is_no_try_at_it(hall: Hall) -> None:
    book = hall.community.book
    person, _ = hall.enter("volunteer")
    number = a_card(hall.session, book, person.id)
    for _ in range(29):
        sign_in.reserve_pin(hall.session, book.id, person.id, "pin")
    hall.session.commit()
    counter = on_device(hall.app, hall.session, book, area_code=GRID)
    form = counter.page.form("登录")

    def typed() -> TestResponse:
        return counter.client.post("/counter", data=form.fields | {"card": number, "_pin": PIN})

    with hashing.turn(), hashing.turn(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(typed).result(timeout=20).status_code == 503
    assert typed().status_code == 303
