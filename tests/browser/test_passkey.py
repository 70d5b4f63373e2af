"""Staff make a passkey, sign in with it and prove with it, on a machine with a virtual authenticator."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from bench.server import Server
from bench.server import serving
from ledger import people
from ledger import sign_in
from ledger.people import Person
from ledger.people import Vault
from ledger.store import engine_for
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import an_act
from tests.conftest import fresh_database

#: A finger's reader of the machine's own, and a finger that it knows.
READER = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


@dataclass
class Office:
    """A server whose clock is moved: no other test stands on it."""

    stand: Stand
    #: Where an administrator who has no passkey yet signs in once.
    link: str
    #: Somebody whom they give a link.
    other_id: UUID


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    with fresh_database("sqlite", request, tmp_path) as database, serving(database.url) as server:
        engine = engine_for(database.url)
        with Session(engine) as session:
            link, other_id = enrolled(session, server)
        yield Office(Stand(server, engine), link, other_id)
        engine.dispose()


def enrolled(session: Session, server: Server) -> tuple[str, UUID]:
    """Enrol an administrator and somebody else; return the one's link, and who the other is."""
    now, vault = datetime.now(UTC), Vault.of(server.settings)
    book = a_book(session, at=now)
    new = people.NewPerson("沈文斌", VILLAGE, phone="13951234567", roles=("administrator",))
    person = people.enrol(session, an_act(book, now), vault, new)
    other = people.enrol(session, an_act(book, now), vault, people.NewPerson("陈桂芳", VILLAGE, phone="13951234568"))
    assert isinstance(person, Person)
    assert isinstance(other, Person)
    token = sign_in.issue_link(session, an_act(book, now), person.id, lives=timedelta(hours=1))
    session.commit()
    return f"/sign-in/{token}", other.id


def press(page: Page, words: str) -> None:
    """Press the button or link that says `words`."""
    page.locator("main button:visible, main a:visible, .foot button:visible").filter(has_text=words).first.click()


def test_a_passkey_is_made_by_a_link_signs_in_and_proves(visit: Callable[..., Visitor], office: Office) -> None:
    visitor = visit(None, desk=True, at=office.stand)
    page, home = visitor.page, visitor.stand.home
    tools = visitor.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": READER})

    visitor.open(office.link)
    press(page, "登录")
    press(page, "设置通行密钥（推荐）")
    expect(page).to_have_url(f"{home}/account/passkeys/new")
    # The button is there when its script is; the link to a password, which says as much, was there before.
    page.get_by_role("main").get_by_role("button", name="设置").click()
    expect(page).to_have_url(re.compile(r"\?done=strong$"))
    expect(page.locator("body")).to_contain_text("1 把")

    press(page, "退出登录")
    expect(page).to_have_url(f"{home}/")
    visitor.open("/staff")
    expect(page).to_have_url(re.compile(r"/sign-in(\?|$)"))
    press(page, "用通行密钥登录")
    expect(page).to_have_url(f"{home}/staff")

    office.stand.server.clock.move_to(datetime.now(UTC) + timedelta(minutes=6))
    visitor.open(f"/staff/sign-ins/{office.other_id}")
    press(page, "办一个登录链接")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("再验证一次")
    press(page, "用通行密钥验证")
    expect(heading).to_have_text("登录链接")
    visitor.open("/account")
    expect(heading).to_have_text("我的登录")
