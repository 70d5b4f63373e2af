"""What people sign in with, for the tests of the pages: a password, an app that draws codes, a phone with passkeys."""

from __future__ import annotations

from datetime import timedelta

import pyotp

from ledger import sign_in
from ledger.people import Person
from ledger.sign_in import codes
from ledger.sign_in import passwords
from tests.authenticator import Authenticator
from tests.builders import VAULT
from tests.builders import an_act
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall

PASSWORD = "河边三棵柳树 and one small boat"


def link_for(hall: Hall, person: Person) -> str:
    """Issue a one-time link, and return the path it leads to."""
    token = sign_in.issue_link(hall.session, an_act(hall.community.book, hall.clock.now()), person.id, lives=timedelta(hours=24))
    hall.session.commit()
    return f"/sign-in/{token}"


def by_link(hall: Hall, person: Person) -> Browser:
    """Return a browser in which somebody came by a link."""
    browser = Browser(hall.app)
    browser.open(link_for(hall, person))
    browser.send("登录")
    return browser


def give_password(hall: Hall, person: Person) -> pyotp.TOTP:
    """Let somebody have a password and one-time codes, and return what draws them."""
    book, earlier = hall.community.book, hall.clock.now() - timedelta(hours=1)
    assert passwords.set_password(hall.session, an_act(book, earlier), VAULT, person.id, PASSWORD) is None
    key = codes.new_key(VAULT, book.id, person.id, account="a", issuer="b", at=earlier)
    app = pyotp.TOTP(key.text)
    assert codes.confirm_key(hall.session, an_act(book, earlier), VAULT, person.id, key.sealed, app.at(earlier)) is None
    hall.session.commit()
    return app


def code_now(hall: Hall, app: pyotp.TOTP) -> str:
    """Return the code that the app shows, the next time another one."""
    hall.clock.advance(seconds=30)
    return app.at(hall.clock.now())


def give_passkey(browser: Browser, phone: Authenticator, name: str = "我的手机") -> None:
    """Make a passkey by the page, as its script does."""
    options = browser.client.get("/account/passkeys/options")
    assert options.status_code == 200, options.text
    browser.open("/account/passkeys/new")
    browser.send("设置", name=name, _answer=phone.make(options.text))
    assert browser.page.status == 200


def answer(browser: Browser, phone: Authenticator, what: str = "/sign-in/options") -> str:
    """Let the phone answer what the service asks it."""
    return phone.answer(browser.client.get(what).text)


def by_password(hall: Hall, number: str, password: str, code: str, browser: Browser | None = None) -> Browser:
    """Return a browser in which somebody tried to sign in with a password."""
    browser = browser or Browser(hall.app)
    browser.open("/sign-in")
    browser.send("用密码登录", number=number, password=password, code=code)
    return browser


def by_passkey(hall: Hall, phone: Authenticator) -> Browser:
    """Return a browser in which somebody signed in with a passkey."""
    browser = Browser(hall.app)
    browser.open("/sign-in")
    browser.send("用通行密钥登录", answer=answer(browser, phone))
    return browser


def pin_of(hall: Hall, person: Person, pin: str = "739152") -> None:
    """Let somebody have the PIN of a card."""
    sign_in.set_pin(hall.session, VAULT, hall.community.book.id, person.id, "pin", pin, hall.clock.now())
    hall.session.commit()


def is_in(browser: Browser) -> bool:
    """Tell whether somebody is signed in, in this browser."""
    return browser.client.get("/account").status_code == 200


def copy_of(browser: Browser) -> Browser:
    """Return another browser with a copy of the cookie."""
    cookie = browser.client.get_cookie("passbook")
    assert cookie is not None
    copied = Browser(browser.client.application)
    copied.client.set_cookie("passbook", cookie.value)
    return copied
