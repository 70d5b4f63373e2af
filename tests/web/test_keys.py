"""What goes on through a change of every key: sessions, open forms, requests asked again, codes on screens, and counted guesses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.ids import new_id
from ledger.people import Vault
from ledger.settings import Settings
from ledger.web.kit.extensions import db
from tests.builders import VAULT
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from wsgi import create_app

NEW_KEYS = {"master_key": os.urandom(32), "pepper": os.urandom(32), "secret_key": os.urandom(32)}


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


@pytest.fixture
def between(settings: Settings, clock: HandClock, desk: Desk) -> Iterator[Flask]:
    """The application after its keys were changed, with those before beside them."""
    old = {f"{name}_old": getattr(settings, name) for name in NEW_KEYS}
    yield from served(replace(settings, **NEW_KEYS, **old), clock)


@pytest.fixture
def after(settings: Settings, clock: HandClock, desk: Desk) -> Iterator[Flask]:
    """The application with new keys alone."""
    yield from served(replace(settings, **NEW_KEYS), clock)


def served(settings: Settings, clock: HandClock) -> Iterator[Flask]:
    app = create_app(settings, clock=clock)
    yield app
    with app.app_context():
        db.engine.dispose()


def moved(browser: Browser, app: Flask) -> Browser:
    """The same browser, with its cookies and the page it shows, in front of another application."""
    other = Browser(app)
    cookie = browser.client.get_cookie("passbook")
    assert cookie is not None
    other.client.set_cookie("passbook", cookie.value)
    other.page = browser.page
    return other


def test_nobody_is_signed_out_by_new_keys(desk: Desk, between: Flask, after: Flask) -> None:
    desk.volunteer.open("/me")
    for app in (between, after):
        assert moved(desk.volunteer, app).open("/activities").status == 200


def test_a_form_drawn_before_is_taken_until_the_old_key_is_taken_away(desk: Desk, between: Flask, after: Flask) -> None:
    code = desk.code()
    desk.cashier.open("/till")
    assert moved(desk.cashier, between).send("收取", points="30", code=code).headings == ["已收 30 分"]
    desk.cashier.open("/till")
    refused = moved(desk.cashier, after).send("收取", points="30", code=code)
    assert refused.status == 403
    assert desk.balance() == 470


def test_codes_that_are_on_a_screen_are_taken(desk: Desk, between: Flask) -> None:
    desk.volunteer.open("/me")
    drawn = desk.draw(20)
    till = moved(desk.cashier, between)
    assert till.open(drawn.address).scan() == drawn.scan()
    volunteer = moved(desk.volunteer, between)
    volunteer.open(drawn.scan())
    volunteer.send("确认")
    assert desk.balance() == 480


def test_a_request_asked_again_finds_its_answer(desk: Desk, app: Flask, between: Flask) -> None:
    token = sign_in.issue_bearer(desk.session, an_act(desk.book), [desk.shop.cashier.id], lives=START - START.replace(year=2025))[0]
    desk.session.commit()
    order, other = {"till_id": str(desk.shop.till_id), "points": 30}, {"till_id": str(desk.shop.till_id), "points": 40}
    taken = {"till_id": str(desk.shop.till_id), "points": 30, "code": desk.code()}
    key, take_key = str(new_id()), str(new_id())
    before = asking(app.test_client(), token)
    first, posted = before("/orders", order, key=key), before("/redemptions", taken, key=take_key)
    assert (first.status_code, posted.status_code) == (201, 201)
    ask = asking(between.test_client(), token)
    again, posted_again = ask("/orders", order, key=key), ask("/redemptions", taken, key=take_key)
    assert (again.headers["Idempotency-Replayed"], again.get_json()) == ("true", first.get_json())
    assert (posted_again.headers["Idempotency-Replayed"], posted_again.get_json()) == ("true", posted.get_json())
    assert kind(ask("/orders", other, key=key)) == (422, "idempotency-key-reused")
    assert desk.balance() == 470


def test_a_new_pepper_gives_nobody_more_guesses(desk: Desk) -> None:
    between = Vault(NEW_KEYS["master_key"], NEW_KEYS["pepper"], VAULT.master_key, VAULT.pepper)
    place = {"at_what": "12345678", "source": sign_in.Source("d", "10.0.0.1", is_strange=True), "at": START}
    tries = [sign_in.reserve(desk.session, VAULT, desk.book.id, **place) for _ in range(3)]
    tries += [sign_in.reserve(desk.session, between, desk.book.id, **place) for _ in range(2)]
    assert all(isinstance(one, sign_in.Try) for one in tries)
    assert not isinstance(sign_in.reserve(desk.session, between, desk.book.id, **place), sign_in.Try)
    last = tries[-1]
    assert isinstance(last, sign_in.Try)
    sign_in.give_back(desk.session, last)
    assert isinstance(sign_in.reserve(desk.session, between, desk.book.id, **place), sign_in.Try)
