"""The browser that tests and pictures are made with is found on any machine."""

from __future__ import annotations

from playwright.sync_api import Browser

from scripts import browser as program


def test_playwrights_own_is_asked_for_while_a_browser_is_at_work(browser: Browser) -> None:
    assert browser.is_connected()
    assert "chrom" in program._playwrights_own().lower()
