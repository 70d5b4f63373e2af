"""A shop with two tills, a cashier, and volunteers with points: what the desk's tests stand on."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from ledger import areas
from ledger import funds
from ledger import journal
from ledger import people
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem import catalogue
from redeem import codes
from redeem import library
from redeem import merchants
from redeem import redemptions
from tests.builders import COUNTY
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.conftest import HandClock


@dataclass(frozen=True)
class Order:
    """An order as the till shows it."""

    row: redemptions.RedemptionRow
    token: str
    number: str


@dataclass
class Market:
    """A book with a shop; each act is done under a request of its own and committed."""

    session: Session
    book: areas.Book
    clock: HandClock
    unit: library.Unit
    tills: list[merchants.Till]
    cashier: people.Person
    fund: funds.Fund
    persons: dict[str, people.Person] = field(default_factory=dict)

    def act(self, who: people.Person | None = None) -> Act:
        """Claim and answer a request, and return the act of `who` (the operator if nobody) under it."""
        actor = who.id if who else OPERATOR
        (claimed,) = journal.claim(self.session, self.book.id, [journal.Ask(actor, str(new_id()), b"input", self.clock.now())])
        assert isinstance(claimed, journal.Claimed)
        journal.answer(self.session, self.book.id, [(claimed.request_id, 200, {})])
        return Act(self.book.id, actor, "api", claimed.request_id, self.clock.now())

    def volunteer(self, name: str, points: int = 0) -> people.Person:
        """Somebody with so many points."""
        person = self.persons[name] = a_person(self.session, self.book, name=name)
        if points:
            self.give(person, points)
        self.session.commit()
        return person

    def give(self, person: people.Person, points: int) -> None:
        """So many points more for somebody."""
        owners = [("passbook", person.id), ("fund", self.fund.id)]
        accounts = journal.open_accounts(self.session, self.book.id, owners, self.clock.now())
        giver, taker = accounts["fund", self.fund.id], accounts["passbook", person.id]
        about = journal.About(deed_on=self.clock.now().date())
        award = journal.Transfer(act=self.act(), from_account=giver, to_account=taker, amount=points, kind="award", about=about)
        journal.post(self.session, self.book.id, [award])
        self.session.commit()

    def offer(self, **terms: Any) -> catalogue.Offer:
        """Something that can be had for points."""
        plain = {"title": "菜籽油 5 升", "points": 30, "valid_from": local_day(self.clock.now(), self.book.zone)}
        offer = catalogue.add_offer(self.session, self.act(), self.unit.id, **(plain | terms))
        self.session.commit()
        return offer

    def code(self, person: people.Person, *, typed: bool = False) -> str:
        """What the person's phone shows now."""
        drawn = codes.pay_code(self.session, VAULT, self.book.number, person, self.clock.now())
        self.session.commit()
        return drawn.handle + drawn.digits if typed else drawn.token

    def taking(
        self, code: str, points: int | None = None, *, till: int = 0, by: people.Person | None = None, **asked: Any
    ) -> redemptions.Taking:
        asked_for = redemptions.Asked(self.tills[till].id, points=points, **asked)
        return redemptions.Taking(self.act(by or self.cashier), asked_for, frozenset({self.unit.id}), code)

    def take(self, code: str, points: int | None = None, **asked: Any) -> redemptions.RedemptionRow | Refusal:
        (outcome,) = self.take_all([self.taking(code, points, **asked)])
        return outcome

    def take_all(self, takings: list[redemptions.Taking]) -> list[redemptions.RedemptionRow | Refusal]:
        outcomes = redemptions.take(self.session, VAULT, takings)
        self.session.commit()
        return outcomes

    def order(self, points: int | None = None, **asked: Any) -> Order:
        asked_for = redemptions.Asked(self.tills[0].id, points=points, **asked)
        row = redemptions.open_order(self.session, self.act(self.cashier), VAULT, asked_for, unit_ids={self.unit.id})
        assert isinstance(row, redemptions.RedemptionRow), row
        code = redemptions.order_code(self.session, VAULT, self.book, row.id)
        self.session.commit()
        return Order(row, code.token, code.number)

    def done(self, outcome: Any) -> Any:
        """Commit what an action did, and return what it answered."""
        self.session.commit()
        return outcome

    def void(self, redemption_id: UUID, **more: Any) -> redemptions.RedemptionRow | Refusal:
        by_shop = {} if "scope" in more else {"unit_ids": {self.unit.id}}
        return self.done(
            redemptions.void(self.session, self.act(self.cashier), redemption_id, **({"reason": "wrong-item"} | by_shop | more))
        )  # fmt: skip

    def points(self, person: people.Person) -> int:
        account = journal.account_of(self.session, self.book.id, "passbook", person.id)
        return journal.balance_of(self.session, self.book.id, account, self.clock.now()).available

    def owed(self) -> int:
        return merchants.owed(self.session, self.book.id, self.unit.id)

    def on_hand(self, offer: catalogue.Offer) -> int | None:
        rows = catalogue.offers(self.session, self.book.id, local_day(self.clock.now(), self.book.zone))
        return next(row.on_hand for row in rows if row.offer.id == offer.id)

    def faults(self) -> list[journal.Fault]:
        assert sum(journal.trial_balance(self.session, self.book.id).values()) == 0
        return journal.verify(self.session, self.book.id, self.clock.now())


@pytest.fixture
def market(session: Session, clock: HandClock) -> Market:
    return open_market(session, clock)


def open_market(session: Session, clock: HandClock) -> Market:
    """Open a book with a fund, and a shop with two tills and a cashier."""
    book = a_book(session)
    journal.open_book_accounts(session, book.id, clock.now())
    first = Market(session, book, clock, None, [], None, None)  # type: ignore[arg-type]  # filled in below, with acts of its own
    today = local_day(clock.now(), book.zone)
    unit = library.add_unit(session, first.act(), name="惠民超市", colour="white", area_code=COUNTY)
    assert isinstance(unit, library.Unit)
    for name in ("1号收银台", "2号收银台"):
        till = merchants.add_till(session, first.act(), unit.id, name=name)
        assert isinstance(till, merchants.Till)
        first.tills.append(till)
    cashier = a_person(session, book, name="周店员")
    merchants.hire(session, first.act(), unit.id, person_id=cashier.id, role="cashier", starts_on=today)
    fund = funds.open_fund(session, first.act(), name="积分经费", area_code=COUNTY, opens_on=today, budget=1_000_000)
    assert isinstance(fund, funds.Fund)
    session.commit()
    first.unit, first.cashier, first.fund = unit, cashier, fund
    return first
