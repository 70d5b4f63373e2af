"""Somebody new with points for each test, so that no test spends what another counts on; and codes as pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from playwright.sync_api import BrowserContext

from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.errors import Refusal
from ledger.web.kit.auth import SESSION_COOKIE
from redeem import codes
from scripts.demo.cast import FIRST
from scripts.demo.stage import Stage
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.builders import give_points
from tests.camera import written
from tests.journeys import pictures


@dataclass
class Neighbour:
    """A volunteer who was enrolled just now."""

    stand: Stand
    id: UUID

    def comes(self, visit: Callable[..., Visitor], **options: object) -> Visitor:
        """Come in on a browser of their own."""
        visitor = visit(None, **options)
        self.signs_in(visitor.context)
        return visitor

    def signs_in(self, context: BrowserContext) -> None:
        """Sign in on a browser that is there."""
        token = self.stand.play(lambda stage: sign_in.open_session(stage.session, stage.book, self.id, "passkey", stage.now))
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": self.stand.home}])

    def code(self) -> str:
        """Return the address that their screen would show as a picture now."""

        def draw(stage: Stage) -> str:
            person = people.person(stage.session, stage.book.id, self.id)
            return codes.pay_code(stage.session, stage.vault, stage.book.number, person, stage.now).token

        return f"{self.stand.home}/p/{self.stand.play(draw)}".upper()

    def points(self) -> int:
        """Return what they have."""

        def read(stage: Stage) -> int:
            account = journal.account_of(stage.session, stage.book.id, "passbook", self.id)
            return journal.balance_of(stage.session, stage.book.id, account, stage.now).balance

        found: int = self.stand.play(read)
        return found


def a_neighbour(stand: Stand, points: int = 100) -> Neighbour:
    """Enrol somebody and give them points."""

    def enrol(stage: Stage) -> UUID:
        person = people.enrol(stage.session, stage.act(), stage.vault, people.NewPerson("丁小燕", FIRST, roles=("volunteer",)))
        assert not isinstance(person, Refusal)
        give_points(stage.session, stage.book, person, points, stage.now)
        return person.id

    return Neighbour(stand, stand.play(enrol))


def picture(text: str, *, is_covered: bool = False) -> bytes:
    """A code as a PNG with its quiet zone; or with a thumb over a corner, so that too little of it is seen."""
    image = pictures.of(text).convert("RGB")
    if is_covered:
        image.paste((150, 110, 90), (image.width * 3 // 5, image.height * 3 // 5, image.width, image.height))
    return written(image, "PNG")
