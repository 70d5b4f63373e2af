"""What a page weighs and whether everybody can use it, measured in a real browser: for `make weigh`, and for the tests."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import ViewportSize

AXE = (Path(__file__).parent.parent / "tests" / "browser" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
#: What is asked of a page besides: sizes, places, weight.
MEASURE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: A cheap phone held upright, and the screen of an office.
PHONE: ViewportSize = {"width": 360, "height": 640}
DESK: ViewportSize = {"width": 1280, "height": 800}
BODY_PX, TARGET_PX = 18, 44
#: Another language is another walk; what is downloaded, signs out or leads away is no page.
NOT_FOLLOWED = re.compile(r"/(language|settings/version|manifest|static)/|\.(pdf|xlsx|json)\b|/sw\.js|^/csp-reports")


@dataclass(frozen=True)
class Looks:
    """How a page is looked at: language, the cookie of the settings, colours of the device, its screen."""

    name: str
    language: str
    cookie: str
    scheme: str = "light"
    is_desk: bool = False

    def options(self) -> dict[str, Any]:
        """Return what a browser's context is made with."""
        screen = DESK if self.is_desk else PHONE
        return {"viewport": screen, "has_touch": not self.is_desk, "color_scheme": self.scheme, "timezone_id": "Asia/Shanghai"}

    def choose(self, context: BrowserContext, home: str) -> None:
        """Let a browser have chosen language and look, as its cookies say."""
        chosen = {"language": self.language, "look": self.cookie}
        context.add_cookies([{"name": name, "value": value, "url": home} for name, value in chosen.items()])


LOOKS = (
    Looks("zh", "zh_Hans_CN", "text-18.light"),
    Looks("zh, largest text", "zh_Hans_CN", "text-30.light"),
    Looks("en, dark", "en", "text-18.auto", scheme="dark"),
    Looks("en, largest text, dark", "en", "text-30.dark"),
    Looks("zh, plain version, dark", "zh_Hans_CN", "text-18.dark.elder"),
    Looks("zh, office", "zh_Hans_CN", "text-18.light", is_desk=True),
    Looks("en, office, dark", "en", "text-18.dark", is_desk=True),
)


@dataclass(frozen=True)
class Weighed:
    """What was measured of one page."""

    address: str
    bytes: int
    requests: int
    first_paint_ms: float | None
    smallest_text_px: float
    smallest_target_px: float | None
    #: What stands against the page: rules of axe, and those of our own.
    faults: tuple[str, ...]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.found.append(href)


def page_of(address: str) -> str:
    """Return which page an address shows: its path, whatever it is a page about."""
    path = urlsplit(address).path
    return re.sub(r"(?<=/)([0-9a-f]{8}-[0-9a-f-]{27}|\d[\d-]*|[0-9A-Z]+-[0-9A-Z-]+)(?=/|$)", "…", path)


def walk(context: BrowserContext, home: str, start: str = "/") -> dict[str, str]:
    """Click through everything that whoever is signed in reaches from `start`, and return an address of each page."""
    found: dict[str, str] = {}
    waiting, seen = deque([start]), set()
    while waiting:
        address = waiting.popleft()
        if page_of(address) in seen:
            continue
        answer = context.request.get(home + address)
        seen.add(page_of(address))
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        path = urlsplit(answer.url)
        seen.add(page_of(path.path))
        found.setdefault(page_of(path.path), path.path + (f"?{path.query}" if path.query else ""))
        links = _Links()
        links.feed(answer.text())
        for href in links.found:
            target = urljoin(answer.url, href)
            if target.startswith(home + "/") and not NOT_FOLLOWED.search(target[len(home) :]):
                waiting.append(target[len(home) :].partition("#")[0])
    return found


def bring_axe(context: BrowserContext) -> None:
    """Give axe-core to all pages of a browser's context: it is large, and would have to be handed over for each of them."""
    context.add_init_script(AXE)


def weigh(page: Page, address: str) -> Weighed:
    """Measure the page that is open, in a context that axe-core was brought to."""
    told = page.evaluate(MEASURE)
    faults = [*axe(page), *told["faults"]]
    if told["text"] < BODY_PX:
        faults.append(f"text of {told['text']} px")
    if told["target"] is not None and told["target"] < TARGET_PX:
        faults.append(f"a target of {told['target']} px: {told['small']}")
    return Weighed(address, told["bytes"], told["requests"], told["paint"], told["text"], told["target"], tuple(faults))


def axe(page: Page) -> Iterator[str]:
    """Return what axe-core finds against the page that is open.

    All of it is on the screen then, so that the steps at a phone's foot cover nothing.
    """
    screen = page.viewport_size
    assert screen
    # With room for what a script still draws.
    page.set_viewport_size({"width": screen["width"], "height": page.evaluate("document.body.scrollHeight") + 1000})
    run = "async tags => (await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})).violations"
    for one in page.evaluate(run, RULES):
        places = ", ".join(" ".join(map(str, node["target"])) for node in one["nodes"][:3])
        yield f"axe {one['id']}: {places}"
    page.set_viewport_size(screen)
