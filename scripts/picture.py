"""Draw the pictures of docs/img from the pages as they are, in a real browser before the production server (`make picture`).

faces.png: the volunteer, the shop, the office. largest-….png: the volunteer's pages on a small phone with the largest text.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import ViewportSize
from playwright.sync_api import sync_playwright

from bench.server import scratch_database
from bench.server import serving
from bench.weigh import community
from bench.weigh import enter
from bench.weighing import LOOKS
from bench.weighing import PHONE
from scripts.browser import ARGUMENTS
from scripts.browser import program
from scripts.demo.stage import Stage

FOLDER = Path(__file__).parent.parent / "docs" / "img"
BYTES_MAX = 400_000
GAP, GROUND = 24, (233, 230, 223)
TALL: ViewportSize = {"width": 390, "height": 844}
#: What a volunteer does, in the order of doing it.
PAGES = ("/me", "/code", "/me/passbook", "/me/report", "/offers", "/me/claims", "/activities", "/settings")
LARGEST = {"zh": LOOKS[1], "en": LOOKS[3]}


def faces(browser: Browser, home: str, stage: Stage) -> list[Image.Image]:
    """Return the volunteer's home and her code, the till's answer to it, and the office's queue."""
    with _context(browser, home, stage, "volunteer", TALL) as volunteer, _context(browser, home, stage, "cashier", TALL) as cashier:
        phone, till = volunteer.new_page(), cashier.new_page()
        phone.goto(f"{home}/me")
        pictures = [_shot(phone)]
        phone.goto(f"{home}/code")
        digits = "".join(phone.locator(".say").inner_text().split())
        pictures.append(_shot(phone))
        till.goto(f"{home}/till")
        till.get_by_text("理发一次").first.click()
        till.locator("input[name=code]").fill(digits)
        till.get_by_role("button", name="收取").click()
        till.locator(".answer.ok").wait_for()
        pictures.append(_shot(till))
    with _context(browser, home, stage, "first_approver", {"width": 1280, "height": TALL["height"]}) as context:
        desk = context.new_page()
        desk.goto(f"{home}/staff/queue")
        return [*pictures, _shot(desk)]


def largest(browser: Browser, home: str, stage: Stage, language: str) -> list[Image.Image]:
    """Return what a small phone shows first of the volunteer's pages, with the largest text."""
    with _context(browser, home, stage, "volunteer", PHONE) as context:
        LARGEST[language].choose(context, home)
        page, pictures = context.new_page(), []
        for path in PAGES:
            page.goto(home + path)
            pictures.append(_shot(page))
        return pictures


def _context(browser: Browser, home: str, stage: Stage, key: str, screen: ViewportSize) -> BrowserContext:
    context = browser.new_context(viewport=screen, locale="zh-CN", timezone_id="Asia/Shanghai")
    enter(context, home, stage, key)
    return context


def _shot(page: Page) -> Image.Image:
    # What a script draws, as the phone its code, is there by then; pages that wait never rest.
    page.wait_for_timeout(600)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def keep(name: str, pictures: list[Image.Image], *, across: int) -> None:
    """Lay pictures out side by side, so many across, and keep them as a small file."""
    rows = [pictures[place : place + across] for place in range(0, len(pictures), across)]
    width = max(sum(one.width + GAP for one in row) for row in rows) + GAP
    whole = Image.new("RGB", (width, sum(max(one.height for one in row) + GAP for row in rows) + GAP), GROUND)
    top = GAP
    for row in rows:
        left = GAP
        for one in row:
            whole.paste(one, (left, top))
            left += one.width + GAP
        top += max(one.height for one in row) + GAP
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / name
    whole.quantize(96).save(path, optimize=True)
    if (size := path.stat().st_size) > BYTES_MAX:
        sys.exit(f"{path.name}: {size:,} bytes are too many")


def main() -> None:
    """Draw the pictures."""
    with scratch_database("sqlite") as (url, _), serving(url) as server, sync_playwright() as play:
        browser, home = play.chromium.launch(executable_path=program(), args=list(ARGUMENTS)), server.settings.public_url
        with community(server, url) as stage:
            keep("faces.png", faces(browser, home, stage), across=4)
            for language in LARGEST:
                keep(f"largest-{language}.png", largest(browser, home, stage, language), across=4)
        browser.close()


if __name__ == "__main__":
    main()
