"""Staff make a passkey, sign in with it and prove with it, in a real Chromium with a virtual authenticator."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bench.server import Server
from bench.server import serving
from ledger import people
from ledger import sign_in
from ledger.people import Person
from ledger.people import Vault
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import an_act
from tests.conftest import Database
from tests.conftest import fresh_database
from tests.journeys.chromium import Tab
from tests.journeys.chromium import chromium


def enrolled(database: Database, server: Server) -> tuple[Person, str]:
    """Enrol an administrator, and return them with a one-time link."""
    now = datetime.now(UTC)
    with Session(database.engine) as session:
        book = a_book(session, at=now)
        new = people.NewPerson("沈文斌", VILLAGE, phone="13951234567", roles=("administrator",))
        person = people.enrol(session, an_act(book, now), Vault.of(server.settings), new)
        other = people.enrol(
            session, an_act(book, now), Vault.of(server.settings), people.NewPerson("陈桂芳", VILLAGE, phone="13951234568")
        )
        assert isinstance(person, Person)
        assert isinstance(other, Person)
        token = sign_in.issue_link(session, an_act(book, now), person.id, lives=timedelta(hours=1))
        session.commit()
        return other, f"{server.settings.public_url}/sign-in/{token}"


def heading(tab: Tab) -> str:
    return str(tab.value("document.querySelector('h1').innerText"))


@pytest.mark.usefixtures("sqlite_template")
def test_a_passkey_is_made_by_a_link_signs_in_and_proves(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with fresh_database("sqlite", request, tmp_path) as database, serving(database.url) as server, chromium() as tab:
        other, link = enrolled(database, server)
        home = server.settings.public_url
        tab.has_authenticator()

        tab.open(link)
        tab.press("登录")
        tab.press("设置通行密钥（推荐）")
        tab.wait("location.pathname === '/account/passkeys/new'")
        tab.press("设置")
        tab.wait("location.search === '?done=strong'")
        assert "1 把" in str(tab.value("document.body.innerText"))

        tab.press("退出登录")
        tab.wait("location.pathname === '/'")
        tab.open(f"{home}/staff")
        tab.wait("location.pathname === '/sign-in'")
        tab.press("用通行密钥登录")
        tab.wait("location.pathname === '/staff'")

        server.clock.move_to(datetime.now(UTC) + timedelta(minutes=6))
        tab.open(f"{home}/staff/sign-ins/{other.id}")
        tab.press("办一个登录链接")
        tab.wait("document.querySelector('h1').innerText === '再验证一次'")
        tab.press("用通行密钥验证")
        tab.wait("document.querySelector('h1').innerText === '登录链接'")
        tab.open(f"{home}/account")
        assert heading(tab) == "我的登录"
