"""A till with a device of its own: its owner pairs it, its cashier opens a shift on it every day, and the page takes the points."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from threading import RLock
from typing import Any

from bench.month.browser import Browser
from bench.month.client import Client
from bench.month.client import UnexpectedError
from bench.month.community import Somebody
from bench.month.staff import Officer
from bench.server import MovedClock
from ledger.sign_in.rules import SHIFT

PIN = "90473{number}"
SAY = r'<p class="say">(.*?)</p>'


@dataclass
class Stand:
    """The device of a till, and who works on it."""

    till_id: str
    browser: Browser
    cashier: Somebody
    pin: str
    clock: MovedClock
    #: A till serves one after the other.
    lock: RLock = field(default_factory=RLock)
    used_at: datetime | None = None

    def begin(self) -> None:
        """Open a shift, unless one is open that did not lock itself."""
        if not self._is_open():
            self.browser.open("/shift", person_id=self.cashier.id)
            self.browser.send("/shift", _pin=self.pin)
        self.used_at = self.clock.now()

    def end(self) -> None:
        """End the shift, where one is open."""
        if self._is_open():
            self.browser.open("/shift/end")
            self.browser.send("/shift/end")
            self.used_at = None

    def _is_open(self) -> bool:
        return self.used_at is not None and self.clock.now() - self.used_at < SHIFT.rests - timedelta(minutes=1)

    def take(self, offer: dict[str, Any], code: str) -> str:
        """Take a code that is shown or told for an offer; return the redemption's id."""
        self.browser.open("/till", till_id=self.till_id, offer_id=offer["id"])
        return self.browser.send("/till", code=code, quantity="1").last

    def take_by_card(self, points: int, card: str, pin: str) -> str:
        """Take points for a card and the PIN that its holder types; return the redemption's id."""
        self.browser.open("/till/card", till_id=self.till_id)
        return self.browser.send("/till/card", card=card, _pin=pin, points=str(points)).last

    def order(self, offer: dict[str, Any]) -> tuple[str, str]:
        """Draw an order for an offer; return the redemption's id, and the number to type."""
        self.browser.open("/till/orders", till_id=self.till_id, offer_id=offer["id"])
        page = self.browser.send("/till/orders", quantity="1")
        return page.last, page.found(r'<p class="say"><span>([\d ]+)</span>').replace(" ", "")

    def must_say(self, said: str) -> None:
        """Raise Unexpected unless the page that is shown says so."""
        if said not in self.browser.page.html:
            raise UnexpectedError(f"{self.browser.page.address} does not say {said}")


def pair(client: Client, issuer: Browser, page: str, **told: str) -> Browser:
    """Let one of the staff prepare a device on their page, and pair it with the code that is shown there."""
    issuer.open(page)
    code = issuer.send(page, **told).found(SAY)
    device = Browser(client)
    device.open("/pair")
    device.send("/pair", code=code)
    return device


def set_up(client: Client, owner: Officer, unit_id: str, till_id: str, cashier: Somebody, number: int) -> Stand:
    """Let the owner pair a device for a till, and the cashier set their PIN on it by the owner's code."""
    device = pair(client, owner.browser, f"/shop/{unit_id}/devices", name="1号收银台")
    page = owner.browser.open(f"/shop/{unit_id}/staff")
    action = page.found(rf"{cashier.handle}.*?(/shop/{unit_id}/staff/[0-9a-f-]+/pin-code)")
    code = owner.browser.send(action).found(SAY)
    stand = Stand(till_id, device, cashier, PIN.format(number=number % 10), owner.clock)
    device.open("/shift/pin", person_id=cashier.id)
    device.send("/shift/pin", code=code, _pin=stand.pin, _pin_again=stand.pin)
    stand.used_at = owner.clock.now()
    stand.end()
    return stand
