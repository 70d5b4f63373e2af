"""The volunteer's phone on its own: the code is drawn without a network, and is the very one that the service knows."""

from __future__ import annotations

import io
from collections.abc import Callable

import zxingcpp
from PIL import Image
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

OWN_PICTURE = "[data-picture] svg.qr"


def scanned(page: Page) -> str:
    """What a till reads of the code on the screen."""
    shot = page.locator(OWN_PICTURE).screenshot()
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)))
    return str(found.text)


def on_own_code(visitor: Visitor) -> Page:
    """Open the page with the code, and wait until the phone draws it by itself."""
    page = visitor.open("/code")
    expect(page.locator(OWN_PICTURE)).to_be_visible()
    return page


def test_smoke(visit: Callable[..., Visitor]) -> None:
    visitor = visit("volunteer")
    page = on_own_code(visitor)
    page.screenshot(path="/tmp/shots/code.png", full_page=True)
    print(scanned(page))
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    visitor.context.set_offline(True)
    page.reload()
    expect(page.locator(OWN_PICTURE)).to_be_visible()
    page.screenshot(path="/tmp/shots/offline.png", full_page=True)
    visitor.open("/me")
    page.screenshot(path="/tmp/shots/nonet.png", full_page=True)
    visitor.context.set_offline(False)
