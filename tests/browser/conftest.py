"""What the tests in a real browser stand on: Chromium, and the demonstration community behind the production server.

One browser and one server a run: each visitor has a profile of its own. What a page's console says, what its policy blocks, and whatever
the server answers with 500 is collected, and each test ends with none of it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.server import Server
from bench.server import serving
from ledger import people
from ledger import sign_in
from ledger.store import engine_for
from ledger.web.kit.auth import SESSION_COOKIE
from scripts.browser import ARGUMENTS
from scripts.browser import program
from scripts.demo.stage import Stage
from scripts.demo.till import new_pin
from scripts.demo.till import pairing_code
from tests.conftest import fresh_database
from tests.house.conftest import make_community

#: A cheap phone held upright, and the screen of an office.
PHONE, DESK = {"width": 360, "height": 640}, {"width": 1280, "height": 800}
#: What a browser says of a page without a network, and of an answer that says no: neither is a fault of the page.
EXPECTED = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_FAILED", "with a status of 4")
CAMERA_SIZE = (640, 480)


@dataclass
class Camera:
    """What the phone's camera sees: a file that Chromium opens anew whenever a page asks for the camera."""

    path: Path

    def sees(self, picture: bytes) -> None:
        """Hold a picture before it, on a grey table."""
        self._film(Image.open(io.BytesIO(picture)).convert("RGB"))

    def sees_nothing(self) -> None:
        """Hold nothing before it."""
        self._film(Image.new("RGB", (8, 8), (120, 110, 100)))

    def _film(self, picture: Image.Image) -> None:
        width, height = CAMERA_SIZE
        picture.thumbnail((width - 60, height - 40))
        frame = Image.new("RGB", CAMERA_SIZE, (120, 110, 100))
        frame.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
        light, blue, red = frame.convert("YCbCr").split()
        half = (width // 2, height // 2)
        shot = b"FRAME\n" + light.tobytes() + blue.resize(half).tobytes() + red.resize(half).tobytes()
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + shot * 2)
        fresh.replace(self.path)


@dataclass
class Stand:
    """The community behind a running server."""

    server: Server
    engine: Engine

    @property
    def home(self) -> str:
        """The address that everything begins with."""
        return self.server.settings.public_url

    def play(self, act: Callable[[Stage], Any]) -> Any:
        """Let something happen beside the browser, in a transaction of its own, and return what came of it."""
        with Session(self.engine) as session:
            stage = Stage(session, people.Vault.of(self.server.settings), self.server.clock.now())
            came = act(stage)
            session.commit()
            return came


@dataclass
class Visitor:
    """Somebody at a browser of their own."""

    stand: Stand
    context: BrowserContext
    page: Page
    #: What consoles and policies complained of.
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the service."""
        self.page.goto(self.stand.home + path)
        return self.page


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    camera = Camera(tmp_path_factory.mktemp("camera") / "live.y4m")
    camera.sees_nothing()
    return camera


@pytest.fixture(scope="session")
def browser(camera: Camera) -> Iterator[Browser]:
    films = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera.path}")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program(), args=[*ARGUMENTS, *films])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The community as of now, behind the production server; on SQLite, or on the database that --db names alone."""
    kind = "postgresql" if request.config.getoption("--db") == "postgresql" else "sqlite"
    with fresh_database(kind, request, tmp_path_factory.mktemp("stand")) as database, serving(database.url) as server:
        engine = engine_for(database.url)
        with Session(engine) as session:
            make_community(session, people.Vault.of(server.settings), datetime.now(UTC))
        yield Stand(server, engine)
        engine.dispose()


@pytest.fixture
def visit(browser: Browser, stand: Stand) -> Iterator[Callable[..., Visitor]]:
    """Let somebody of the cast come in on a browser of their own: visit("volunteer"), visit(None), visit("grid_worker", desk=True).

    `at` is another server than the one that all tests share.
    """
    visitors: list[Visitor] = []

    def enter(key: str | None, *, desk: bool = False, at: Stand = stand, **options: Any) -> Visitor:
        screen = DESK if desk else PHONE
        context = browser.new_context(
            **{"locale": "zh-CN", "viewport": screen, "has_touch": not desk, "timezone_id": "Asia/Shanghai"} | options
        )
        visitor = Visitor(at, context, context.new_page())
        visitors.append(visitor)
        _listen(visitor)
        if key:
            token = at.play(lambda stage: sign_in.open_session(stage.session, stage.book, stage.who(key), "passkey", stage.now))
            context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": at.home}])
        return visitor

    yield enter
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.context.close()
    assert faults == []


def _listen(visitor: Visitor) -> None:
    def said(message: Any) -> None:
        if message.type in {"error", "warning"} and not any(words in message.text for words in EXPECTED):
            visitor.faults.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    visitor.context.on("console", said)
    visitor.context.on("weberror", lambda problem: visitor.faults.append(f"uncaught: {problem.error}"))
    visitor.context.on("response", lambda response: visitor.faults.append(f"500: {response.url}") if response.status >= 500 else None)


@pytest.fixture
def till(visit: Callable[..., Visitor], stand: Stand) -> Visitor:
    """A paired device of the shop, on which the cashier has opened a shift."""
    pairing, pin = stand.play(lambda stage: (pairing_code(stage, timedelta(minutes=10)), new_pin(stage)))
    visitor = visit(None)
    page = visitor.open(f"/pair/{pairing}")
    page.get_by_role("button").first.click()
    visitor.open("/shift")
    page.locator("input[name=_pin]").fill(pin)
    page.get_by_role("button").first.click()
    return visitor
