"""The volunteer's phone on its own: the code is drawn without a network, and is the very one that the service knows."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from bench.server import Server
from bench.server import serving
from ledger import people
from ledger import sign_in
from ledger.errors import Refusal
from ledger.store import engine_for
from ledger.tokens import code_at
from ledger.tokens import digits_at
from ledger.web.kit.auth import SESSION_COOKIE
from redeem import codes
from redeem.codes.queries import context as sealed_for
from scripts.browser import ARGUMENTS
from scripts.browser import program
from scripts.demo.stage import Stage
from tests.browser.conftest import PHONE
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.builders import GRID
from tests.builders import a_book
from tests.builders import an_act
from tests.conftest import fresh_database
from tests.journeys import pictures

Visit = Callable[..., Visitor]

OWN_PICTURE = "[data-picture] svg.qr"
#: What a browser keeps for this service: the key, and what the worker keeps.
KEPT = """async () => {
  const held = await new Promise((done) => {
    const opening = indexedDB.open("passbook", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("phone");
    opening.onsuccess = () => {
      const asked = opening.result.transaction("phone").objectStore("phone").get("this");
      asked.onsuccess = () => { opening.result.close(); done(asked.result ?? null); };
    };
  });
  return held && Object.keys(held).sort();
}"""
EXPORTED = """async () => {
  const held = await new Promise((done) => {
    const opening = indexedDB.open("passbook", 1);
    opening.onsuccess = () => {
      opening.result.transaction("phone").objectStore("phone").get("this").onsuccess = (event) => done(event.target.result);
    };
  });
  const tries = ["raw", "jwk"].map((form) => crypto.subtle.exportKey(form, held.key).then(() => "told", (problem) => problem.name));
  return { extractable: held.key.extractable, uses: held.key.usages, tries: await Promise.all(tries) };
}"""
CACHED = """async () => {
  const names = await caches.keys();
  const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return kept.flat().map((one) => new URL(one.url).pathname).sort();
}"""
WORKER_READY = "navigator.serviceWorker.ready.then(() => true)"


def scanned(page: Page) -> str:
    """What a till reads of the code on the screen."""
    shot = page.locator(OWN_PICTURE).screenshot()
    (found,) = pictures.codes_in(Image.open(io.BytesIO(shot)))
    return str(found.text)


def on_own_code(page: Page, home: str) -> None:
    """Open the page with the code, and wait until the phone draws it by itself and the worker keeps its page."""
    page.goto(f"{home}/code")
    expect(page.locator(OWN_PICTURE)).to_be_visible()
    page.evaluate(WORKER_READY)


def seconds_to_code(page: Page) -> float:
    """How long it takes from opening the page anew until the phone has drawn its code."""
    began = time.monotonic()
    page.reload()
    expect(page.locator(OWN_PICTURE)).to_be_visible()
    return time.monotonic() - began


def take(till: Visitor, code: str, points: int = 2) -> Page:
    """Let the cashier take points for a code."""
    page = till.open("/till")
    page.locator("input[name=points]").fill(str(points))
    page.locator("input[name=code]").fill(code)
    page.get_by_role("button", name="收取").click()
    return page


def phones(stand: Stand) -> list[UUID]:
    """The volunteer's phones that draw codes, the newest last."""
    return stand.play(
        lambda stage: [phone.id for phone in codes.phones_of(stage.session, stage.book.id, stage.who("volunteer"), stage.now)]
    )


def with_time_left(page: Page) -> None:
    """Wait for a fresh code where this one is nearly over."""
    left = int(page.locator("progress").get_attribute("value") or 30)
    if left < 14:
        time.sleep(left + 0.5)


def test_the_code_is_drawn_without_a_network_and_good_for_one_payment(visit: Visit, till: Visitor) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    visitor.context.set_offline(True)
    assert min(seconds_to_code(visitor.page) for _ in range(3)) < 1
    with_time_left(visitor.page)
    code = scanned(visitor.page)
    assert code.startswith(f"{visitor.stand.home}/P/1-".upper())
    assert "没有网络也能出示" in visitor.page.locator("main").inner_text()
    expect(take(till, code).locator(".answer.ok")).to_contain_text("2 分")
    expect(take(till, code).locator(".answer.no")).to_contain_text("用过")
    visitor.context.set_offline(False)
    expect(visitor.page.get_by_role("link", name="网络恢复了")).to_be_visible(timeout=8_000)


def test_the_digits_beside_it_are_good_as_well_and_the_page_says_what_was_paid(visit: Visit, till: Visitor) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    with_time_left(visitor.page)
    typed = visitor.page.locator(".say").inner_text()
    expect(take(till, typed, 1).locator(".answer.ok")).to_contain_text("1 分")
    expect(visitor.page.locator("[data-lately] [role=status]")).to_contain_text("付了 1 分", timeout=8_000)
    expect(visitor.page.locator("[data-used]")).to_contain_text("已用")
    expect(visitor.page.locator(OWN_PICTURE)).to_be_hidden()


def test_pages_that_are_somebodys_are_never_kept(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    visitor.open("/me")
    visitor.open("/me/passbook")
    kept = visitor.page.evaluate(CACHED)
    assert [path for path in kept if not path.startswith("/static/")] == ["/check", "/code/offline", "/offline"]
    told = visitor.page.evaluate(
        "Promise.all(['/check', '/code/offline', '/offline'].map(async (one) => (await caches.match(one)).text()))"
    )
    handle = visitor.open("/code").locator("[data-pay]").get_attribute("data-handle") or "?"
    for page in told:
        assert handle not in page
        assert "_csrf" not in page
        assert "退出登录" not in page
    visitor.context.set_offline(True)
    expect(visitor.open("/me/passbook").get_by_role("heading", level=1)).to_have_text("现在连不上网")
    visitor.page.get_by_role("link", name="出示兑换码").click()
    expect(visitor.page.locator(OWN_PICTURE)).to_be_visible()


def test_the_key_cannot_be_read_out_of_the_phone(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    assert visitor.page.evaluate(EXPORTED) == {"extractable": False, "uses": ["sign"], "tries": ["InvalidAccessError"] * 2}
    assert visitor.page.evaluate("Object.keys(localStorage)") == ["looks"]


def test_phone_and_service_draw_the_same_codes(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)

    def told(stage: Stage) -> bytes:
        newest = codes.phones_of(stage.session, stage.book.id, stage.who("volunteer"), stage.now)[-1]
        return stage.vault.open(sealed_for(newest.book_id, newest.id), newest.sealed_key)

    key = visitor.stand.play(told)
    first = 59_000_000
    drawn = visitor.page.evaluate(
        """async ([raw, first]) => {
          const { codeAt, imported } = await import(document.querySelector("script[src*='pay.js']").src);
          const key = await imported(Uint8Array.from(raw));
          return Promise.all(Array.from({ length: 1000 }, (_, more) => codeAt(key, first + more * 977)));
        }""",
        [list(key), first],
    )
    steps = [first + more * 977 for more in range(1000)]
    assert [(one["text"], one["digits"]) for one in drawn] == [(code_at(key, step, "pay"), digits_at(key, step, "pay")) for step in steps]


def test_a_phone_whose_clock_is_wrong_draws_the_code_of_now(visit: Visit, till: Visitor) -> None:
    visitor = visit("volunteer")
    visitor.page.clock.install(time=datetime.now(UTC) - timedelta(hours=7, minutes=3))
    on_own_code(visitor.page, visitor.stand.home)
    with_time_left(visitor.page)
    expect(take(till, scanned(visitor.page), 1).locator(".answer.ok")).to_contain_text("1 分")


def test_a_phone_that_was_not_online_for_as_long_as_a_sign_in_lasts_says_so(visit: Visit) -> None:
    visitor = visit("volunteer")
    visitor.page.clock.install(time=datetime.now(UTC))
    on_own_code(visitor.page, visitor.stand.home)
    visitor.context.set_offline(True)
    visitor.page.clock.fast_forward(timedelta(days=181).total_seconds() * 1000)
    expect(visitor.page.locator("[data-none]")).to_contain_text("要先联网登录")
    expect(visitor.page.locator(OWN_PICTURE)).to_be_hidden()


def test_signing_out_forgets_the_key_and_ends_the_phone(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    before = phones(visitor.stand)
    assert visitor.page.evaluate(KEPT)
    visitor.page.get_by_role("button", name="退出登录").click()
    expect(visitor.page.get_by_role("link", name="登录").first).to_be_visible()
    assert visitor.page.evaluate(KEPT) is None
    assert phones(visitor.stand) == before[:-1]


def test_a_phone_that_was_ended_here_draws_alone_only_when_told_to(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    page = visitor.open("/code/phones")
    page.locator("li", has_text="就是这部").get_by_role("button", name="停用").click()
    expect(page.get_by_role("status")).to_contain_text("已停用")
    page.wait_for_timeout(300)
    assert page.evaluate(KEPT) == ["declined"]
    visitor.open("/code")
    expect(page.locator("[data-drawn] > svg.qr")).to_be_visible()
    page.get_by_role("button", name="让这部手机没有网络也能出码").click()
    expect(page.locator(OWN_PICTURE)).to_be_visible()


def test_a_phone_that_was_signed_out_from_elsewhere_forgets_its_key(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)

    def end(stage: Stage) -> None:
        person_id = stage.who("volunteer")
        newest = codes.phones_of(stage.session, stage.book.id, person_id, stage.now)[-1]
        assert newest.session_id
        sign_in.end_session(stage.session, stage.act("volunteer"), person_id, newest.session_id)

    visitor.stand.play(end)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("登录", timeout=8_000)
    assert visitor.page.evaluate(KEPT) is None


def test_without_a_key_the_offline_page_says_what_can_be_done(visit: Visit) -> None:
    visitor = visit("volunteer")
    visitor.open("/me").evaluate(WORKER_READY)
    visitor.context.set_offline(True)
    page = visitor.open("/code")
    expect(page.locator("[data-none]")).to_contain_text("积分卡")
    assert page.locator("svg.qr").count() == 0


def test_choosing_a_language_leads_back_also_where_the_worker_is_in_between(visit: Visit) -> None:
    visitor = visit("volunteer")
    on_own_code(visitor.page, visitor.stand.home)
    visitor.open("/me/passbook")
    visitor.page.get_by_role("link", name="English").click()
    assert urlsplit(visitor.page.url).path == "/me/passbook"
    for _ in range(40):
        if 'lang="en"' in visitor.page.evaluate("caches.match('/offline').then((page) => page.text())"):
            break
        visitor.page.wait_for_timeout(100)
    visitor.context.set_offline(True)
    expect(visitor.open("/me").locator("html")).to_have_attribute("lang", "en")


def test_phones_can_put_it_on_their_screen(visit: Visit) -> None:
    visitor = visit("volunteer")
    visitor.open("/me").evaluate(WORKER_READY)
    tools = visitor.context.new_cdp_session(visitor.page)
    manifest = tools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest/zh_Hans_CN.webmanifest")
    problems = [one["errorId"] for one in tools.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    # Each test has a profile of its own, that is forgotten.
    assert problems in ([], ["in-incognito"])


# --- A server of one's own, which stops answering


@dataclass
class Alone:
    """One volunteer, and a server that can be ended."""

    server: Server
    token: str

    @property
    def home(self) -> str:
        """The address that everything begins with."""
        return self.server.settings.public_url

    def let_in(self, context: BrowserContext) -> Page:
        """Give the volunteer's session to a browser, and return its page."""
        context.add_cookies([{"name": SESSION_COOKIE, "value": self.token, "url": self.home}])
        return context.pages[0] if context.pages else context.new_page()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server and its workers."""
        os.killpg(self.server.process.pid, number)


@pytest.fixture
def alone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Alone]:
    with fresh_database("sqlite", request, tmp_path) as database, serving(database.url) as server:
        engine, now = engine_for(database.url), datetime.now(UTC)
        with Session(engine) as session:
            book = a_book(session, at=now)
            person = people.enrol(session, an_act(book, now), people.Vault.of(server.settings), people.NewPerson("陈桂芳", GRID))
            assert not isinstance(person, Refusal)
            token = sign_in.open_session(session, book, person.id, "link", now)
            session.commit()
        engine.dispose()
        yield Alone(server, token)


def test_a_server_that_hangs_keeps_nobody_from_the_code(browser: Browser, alone: Alone) -> None:
    with browser.new_context(locale="zh-CN", viewport=PHONE) as context:
        page = alone.let_in(context)
        on_own_code(page, alone.home)
        alone.send(signal.SIGSTOP)
        try:
            began = time.monotonic()
            page.goto(f"{alone.home}/code")
            expect(page.locator(OWN_PICTURE)).to_be_visible()
            assert 1.5 < time.monotonic() - began < 6
            assert "/P/1-" in scanned(page)
        finally:
            alone.send(signal.SIGCONT)


def test_the_code_is_drawn_after_the_phone_was_off_and_with_the_service_gone(browser: Browser, alone: Alone, tmp_path: Path) -> None:
    def opened() -> BrowserContext:
        return browser.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=program(), args=list(ARGUMENTS), locale="zh-CN", viewport=PHONE
        )  # fmt: skip

    context = opened()
    on_own_code(alone.let_in(context), alone.home)
    context.close()
    alone.send(signal.SIGKILL)
    context = opened()
    began = time.monotonic()
    page = context.pages[0]
    page.goto(f"{alone.home}/code")
    expect(page.locator(OWN_PICTURE)).to_be_visible()
    assert time.monotonic() - began < 4
    assert "/P/1-" in scanned(page)
    context.close()
