"""Every face opens in a real browser, without a complaint of its console or its policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Browser
from playwright.sync_api import expect

from ledger.web.kit.auth import DEVICE_COOKIE
from ledger.web.kit.auth import SESSION_COOKIE
from scripts.demo.till import new_pin
from scripts.demo.till import pairing_code
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor


def test_a_volunteers_home_says_what_she_has(visit: Callable[..., Visitor]) -> None:
    page = visit("volunteer").open("/me")
    expect(page.locator(".cover .balance")).to_contain_text("分")


def test_the_till_opens_on_a_device_that_was_paired_by_its_code(visit: Callable[..., Visitor], stand: Stand) -> None:
    pairing, pin = stand.play(lambda stage: (pairing_code(stage, timedelta(minutes=10)), new_pin(stage)))
    till = visit(None)
    page = till.open(f"/pair/{pairing}")
    page.get_by_role("button").first.click()
    till.open("/shift")
    page.locator("input[name=_pin]").fill(pin)
    page.get_by_role("button").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("收银")
    assert {cookie["name"] for cookie in till.context.cookies()} >= {DEVICE_COOKIE, SESSION_COOKIE}


def test_the_till_opens_on_a_device_whose_shift_was_opened_beside_the_browser(till: Visitor) -> None:
    page = till.open("/till")
    expect(page.get_by_role("heading", level=1)).to_have_text("收银")


def test_what_playwright_switches_off_stays_off(browser: Browser) -> None:
    said = browser.new_browser_cdp_session().send("SystemInfo.getInfo")["commandLine"]
    playwrights, ours = (set(names.split(",")) for names in re.findall(r"--disable-features=(\S+)", said))
    assert playwrights < ours
