"""A small community to walk through: a host, a volunteer, a building leader, an approver, a shop; a tariff, and a fund to pay from."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from ledger import claims
from ledger import funds
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.people import Person
from redeem import catalogue
from redeem import redemptions
from tests.builders import VILLAGE
from tests.builders import Shop
from tests.builders import a_book
from tests.builders import a_claimed_act
from tests.builders import a_person
from tests.builders import a_shop
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.journeys.browser import signed_in

TARIFF = Path(__file__).parents[2] / "examples" / "tariff.csv"
SINCE = date(2026, 1, 1)


@dataclass
class Community:
    """Everybody of it, each with a browser, and the clock that all live by."""

    app: Flask
    session: Session
    clock: HandClock
    book: Book
    shop: Shop
    person: Person
    officer: Person
    host: Browser
    volunteer: Browser
    leader: Browser
    approver: Browser
    cashier: Browser

    def begin_work(self) -> None:
        """Let the approver sign in anew: a session of the staff that rests is over."""
        self.approver = signed_in(self.app, self.session, self.book, self.officer, self.clock.now())

    def passbook(self) -> list[list[str]]:
        """Return the lines of the volunteer's passbook, the newest first, as they are read on its page."""
        return self.volunteer.open("/me/passbook").rows

    def faults(self) -> list[object]:
        """Return what does not hold in the book, its claims, its redemptions and its stocks."""
        found: list[object] = list(journal.verify(self.session, self.book.id, self.clock.now()))
        for check in (claims.verify, redemptions.verify, catalogue.verify):
            found += check(self.session, self.book.id)
        self.session.rollback()
        return found

    def sums(self) -> dict[str, int]:
        """Return what all accounts of each kind come to."""
        found = journal.trial_balance(self.session, self.book.id)
        self.session.rollback()
        return found


def a_community(app: Flask, session: Session, clock: HandClock) -> Community:
    """Found it, and let everybody sign in."""
    book = a_book(session)
    journal.open_book_accounts(session, book.id, START)
    with TARIFF.open(encoding="utf-8") as file:
        report = tariff.import_tariff(session, an_act(book), csv.DictReader(file), valid_from=SINCE)
    assert not report.faults
    fund = funds.open_fund(session, a_claimed_act(session, book), name="社区积分经费", area_code=VILLAGE, opens_on=SINCE, budget=10_000)
    assert not isinstance(fund, Refusal)
    shop = a_shop(session, book)
    person = a_person(session, book)
    host = a_person(session, book, "activity_host", name="郑海明", area_code=VILLAGE)
    leader = a_person(session, book, "volunteer", "building_leader", name="赵淑华")
    approver = a_person(session, book, "approver", name="周建国", area_code=VILLAGE)
    people.give_charges(session, an_act(book), {leader.id: [person.id]})
    browsers = [signed_in(app, session, book, who) for who in (host, person, leader, approver, shop.cashier)]
    return Community(app, session, clock, book, shop, person, approver, *browsers)
