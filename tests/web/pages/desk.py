"""A shop and those who stand before and behind its counter, each with a browser, for the tests of the pages of `redeem`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from ledger import journal
from ledger.areas import Book
from ledger.people import Person
from tests.builders import Shop
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import a_shop
from tests.builders import an_offer
from tests.builders import give_points
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.journeys.browser import Page
from tests.journeys.browser import signed_in


@dataclass
class Desk:
    """A volunteer with 500 points, a shop, and their browsers."""

    app: Flask
    session: Session
    clock: HandClock
    book: Book
    shop: Shop
    person: Person
    volunteer: Browser
    cashier: Browser
    owner: Browser

    def enter(self, person: Person) -> Browser:
        """Return a browser of somebody else."""
        return signed_in(self.app, self.session, self.book, person, self.clock.now())

    def another(self, *roles: str) -> Browser:
        """Return a browser of somebody enrolled for it."""
        return self.enter(a_person(self.session, self.book, *roles))

    def offer(self, **others: Any) -> None:
        """Let the shop offer something."""
        an_offer(self.session, self.book, self.shop.id, **others)
        self.session.commit()

    def code(self) -> str:
        """Return the address that the volunteer's screen shows as a picture now."""
        return self.volunteer.open("/code").scan()

    def typed_code(self) -> str:
        """Return what the volunteer reads out instead."""
        handle, digits = self.person.handle, self.volunteer.open("/code").text
        after = digits.split(f"{handle[:4]} {handle[4:]} ")[1]
        return f"{handle} {after[:7]}"

    def take(self, points: int, code: str | None = None) -> Page:
        """Let the cashier take points for the code that is shown, or another."""
        self.cashier.open("/till")
        return self.cashier.send("收取", points=str(points), code=code or self.code())

    def draw(self, points: int) -> Page:
        """Let the cashier draw an order code."""
        self.cashier.open("/till/orders")
        return self.cashier.send("出示商户码", points=str(points))

    def balance(self) -> int:
        """Return the volunteer's points."""
        account = journal.account_of(self.session, self.book.id, "passbook", self.person.id)
        found = journal.balance_of(self.session, self.book.id, account, self.clock.now()).balance
        # On SQLite a session that is left open keeps everybody else waiting.
        self.session.rollback()
        return found


def a_desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    """Set up the shop and let everybody sign in."""
    book = a_book(session)
    shop, person = a_shop(session, book), a_person(session, book)
    give_points(session, book, person, 500)
    browsers = [signed_in(app, session, book, who) for who in (person, shop.cashier, shop.owner)]
    return Desk(app, session, clock, book, shop, person, *browsers)
