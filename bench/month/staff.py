"""People who sign in with a password and a one-time code: they begin with a one-time link, and come in anew when they begin to work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyotp

from bench.month.browser import Browser
from bench.month.browser import Page
from bench.month.client import Client
from bench.month.community import Somebody
from bench.server import MovedClock

_WORDS = "桂花年年开在老街口，{handle}"


@dataclass(frozen=True)
class Officer:
    """Somebody of the staff or of a shop: their browser, and what they sign in with."""

    who: Somebody
    browser: Browser
    password: str
    codes: pyotp.TOTP
    clock: MovedClock

    @property
    def code(self) -> str:
        """Return the code that their phone shows."""
        return self.codes.at(self.clock.now())

    def come_in(self) -> None:
        """Sign in with number, password and code."""
        self.browser.open("/sign-in")
        self.browser.send("/sign-in", number=self.who.handle, password=self.password, code=self.code)

    def leave(self) -> None:
        """Sign out."""
        self.browser.send("/sign-out")

    def prove(self) -> Page:
        """Prove again who one is, where the page that is shown asks for it, and let the form go on its way."""
        return self.browser.send(self.browser.page.address.partition("?")[0], _proof_password=self.password, _proof_code=self.code)

    def decide(self, page: str, step: str, ids: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Tick claims on a page, those of these ids or all that are shown, and return what became of them: done, and by code why not."""
        shown = self.browser.open(page).ticks
        if not (ticked := shown if ids is None else list(ids)):
            return {}
        return self.browser.send("", id=ticked, step=step).asked


def set_up(client: Client, clock: MovedClock, who: Somebody, link: str) -> Officer:
    """Come in by a one-time link, choose a password, and confirm a new key of one-time codes: signed in by them from then on."""
    browser, password = Browser(client), _WORDS.format(handle=who.handle)
    browser.open(link)
    browser.send("")
    browser.open("/account/password")
    page = browser.send("", _new=password, _again=password)
    codes = pyotp.TOTP(page.found(r'<p class="num">([A-Z2-7 ]{16,})</p>').replace(" ", ""))
    browser.send("", _typed=codes.at(clock.now()))
    return Officer(who, browser, password, codes, clock)
