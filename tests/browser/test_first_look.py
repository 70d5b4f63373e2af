"""Every face opens in a real browser, without a complaint of its console or its policy."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_a_volunteers_home_says_what_she_has(visit: Callable[..., Visitor]) -> None:
    page = visit("volunteer").open("/me")
    expect(page.locator(".cover .balance")).to_contain_text("分")


def test_the_till_opens_on_a_paired_device(till: Visitor) -> None:
    page = till.open("/till")
    expect(page.get_by_role("heading", level=1)).to_have_text("收银")


def test_what_playwright_switches_off_stays_off(browser: Browser) -> None:
    said = browser.new_browser_cdp_session().send("SystemInfo.getInfo")["commandLine"]
    playwrights, ours = (set(names.split(",")) for names in re.findall(r"--disable-features=(\S+)", said))
    assert playwrights < ours
