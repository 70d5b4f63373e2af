"""What somebody sets on their phone is so on every page: large text that still fits, light or dark, read aloud when asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

Visit = Callable[..., Visitor]

PAGES = ("/me", "/me/passbook", "/code", "/offers", "/me/claims", "/me/report", "/activities", "/settings", "/code/phones", "/offline")
#: What is wider than the screen, or stands out of the box it is in with its words.
STANDS_OUT = """() => [...document.body.querySelectorAll("*")].filter((one) => {
  const box = one.getBoundingClientRect();
  const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const isSeen = box.width > 1 && box.height > 1 && getComputedStyle(one).visibility === "visible" && box.right > 0;
  const isCut = getComputedStyle(one).display !== "inline" && one.scrollWidth > one.clientWidth + 1;
  return isSeen && words && (box.right > innerWidth + 1 || isCut);
}).map((one) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 30)}`)"""


def choose(page: Page, home: str, *values: str) -> None:
    """Set what is called so in the settings."""
    page.goto(f"{home}/settings")
    for value in values:
        page.locator(f"input[value='{value}']").check()
    page.locator("main button.first").click()
    expect(page.get_by_role("status")).to_be_visible()


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_the_largest_text_fits_a_small_phone(visit: Visit, language: str) -> None:
    visitor = visit("volunteer")
    choose(visitor.page, visitor.stand.home, "text-30", language)
    faults = []
    for path in PAGES:
        page = visitor.open(path)
        if path == "/code":
            expect(page.locator("[data-picture] svg.qr")).to_be_visible()
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == 30
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((path, "scrolls sideways"))
        faults += [(path, one) for one in page.evaluate(STANDS_OUT)]
    assert faults == []


@pytest.mark.parametrize(("size", "pixels"), [("text-18", 18), ("text-20", 20), ("text-24", 24)])
def test_text_is_as_large_as_it_was_chosen(visit: Visit, size: str, pixels: int) -> None:
    visitor = visit(None)
    choose(visitor.page, visitor.stand.home, size)
    assert visitor.open("/").evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == pixels


def test_light_and_dark_are_as_chosen_whatever_the_phone_says(visit: Visit) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    grounds = {}
    for phone in ("light", "dark"):
        visitor = visit(None, color_scheme=phone)
        for chosen in ("auto", "light", "dark"):
            choose(visitor.page, visitor.stand.home, chosen)
            grounds[phone, chosen] = visitor.page.evaluate(paper)
    light, dark = grounds["light", "light"], grounds["light", "dark"]
    assert light != dark
    assert [grounds[phone, chosen] for phone in ("light", "dark") for chosen in ("auto", "light", "dark")] == [
        light, light, dark, dark, light, dark,
    ]  # fmt: skip


def test_the_plain_version_makes_large_what_is_pressed(visit: Visit) -> None:
    visitor = visit("volunteer")
    visitor.open("/me")
    visitor.page.get_by_role("link", name="长辈版").click()
    boxes = [button.bounding_box() for button in visitor.page.locator("main .btn").all()]
    assert boxes
    assert all(box and box["height"] >= 76 for box in boxes)


def listening(visitor: Visitor) -> Page:
    """A page on which it is heard what the browser is told to speak."""
    visitor.page.add_init_script(
        """window.heard = [];
        const speak = speechSynthesis.speak.bind(speechSynthesis);
        speechSynthesis.speak = (words) => { window.heard.push([words.lang, words.text]); speak(words); };"""
    )
    return visitor.page


def test_a_page_is_read_aloud_when_its_button_is_pressed_and_not_before(visit: Visit) -> None:
    visitor = visit("volunteer")
    page = listening(visitor)
    visitor.open("/code")
    page.get_by_role("button", name="朗读").click()
    ((language, words),) = page.evaluate("heard")
    assert language == "zh-CN"
    assert "可用积分" in words


def test_answers_speak_by_themselves_for_whoever_asked_for_it(visit: Visit) -> None:
    visitor = visit("volunteer")
    page = listening(visitor)
    choose(page, visitor.stand.home, "yes")
    assert page.evaluate("heard.map(([, words]) => words)") == ["已保存，只用在这台设备上。"]
    visitor.open("/me")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("heard") == []
    choose(page, visitor.stand.home, "no")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("heard") == []


def test_a_page_with_nothing_to_say_has_no_such_button(visit: Visit) -> None:
    page = visit(None).open("/settings")
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("button", name="朗读").count() == 0
