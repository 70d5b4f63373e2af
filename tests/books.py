"""A small book to test the journal on: one fund, one shop, passbooks by name."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger import journal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas.model import Book
from ledger.ids import new_id
from ledger.journal import About
from tests.conftest import HandClock


@dataclass
class Desk:
    """Whoever posts: names instead of ids, a clock in the hand, and a request for each set."""

    session: Session
    book_id: UUID
    accounts: dict[str, UUID]
    clock: HandClock = field(default_factory=HandClock)
    zone: str = "Asia/Shanghai"

    def laid(self) -> Laid:
        """Return what a groundwork has to tell of this desk."""
        return Laid(self.book_id, self.accounts, self.clock)

    def act(self) -> Act:
        """Claim a request, answer it at once, and return the act under it."""
        ask = journal.Ask(OPERATOR, str(new_id()), b"input", self.clock.now())
        (claimed,) = journal.claim(self.session, self.book_id, [ask])
        assert isinstance(claimed, journal.Claimed)
        journal.answer(self.session, self.book_id, [(claimed.request_id, 200, {})])
        return Act(self.book_id, OPERATOR, "command", claimed.request_id, self.clock.now())

    def account(self, name: str) -> UUID:
        """Return the account of that name; a passbook is opened for whoever has none."""
        if name not in self.accounts:
            owner = new_id()
            opened = journal.open_accounts(self.session, self.book_id, [("passbook", owner)], self.clock.now())
            self.accounts[name] = opened["passbook", owner]
        return self.accounts[name]

    def about(self, deed_on: date | None = None) -> About:
        return About(deed_on=deed_on or self.clock.now().date())

    def post(self, movements: list[Any]) -> list[journal.Outcome]:
        """Post a set under one request of its own, and commit."""
        act = self.act()
        outcomes = journal.post(self.session, self.book_id, [make(act) for make in movements])
        self.session.commit()
        return outcomes

    def transfer(self, giver: str, taker: str, amount: int, kind: str, *, position: int = 0, together: object = None, **more: Any) -> Any:
        ends = {"from_account": self.account(giver), "to_account": self.account(taker)}
        about = self.about(more.pop("deed_on", None))
        return lambda act: journal.Transfer(
            act=act, amount=amount, kind=kind, about=about, position=position, together=together, **ends, **more
        )  # fmt: skip

    def give(self, name: str, amount: int, **more: Any) -> Any:
        return self.transfer("fund", name, amount, "award", **more)

    def spend(self, name: str, amount: int, **more: Any) -> Any:
        return self.transfer(name, "shop", amount, "redemption", **more)

    def reverse(self, entry_id: UUID, amount: int, kind: str = "void", position: int = 0) -> Any:
        return lambda act: journal.Reversal(act=act, entry_id=entry_id, amount=amount, kind=kind, about=self.about(), position=position)

    def reserve(self, name: str, amount: int, *, minutes: int, position: int = 0) -> Any:
        account, until = self.account(name), self.clock.now() + timedelta(minutes=minutes)
        return lambda act: journal.Reserve(act=act, account=account, amount=amount, expires_at=until, position=position)

    def post_hold(self, hold_id: UUID, amount: int | None = None, position: int = 0) -> Any:
        return lambda act: journal.PostHold(
            act=act,
            hold_id=hold_id,
            to_account=self.account("shop"),
            kind="redemption",
            about=self.about(),
            amount=amount,
            position=position,
        )

    def void_hold(self, hold_id: UUID, position: int = 0) -> Any:
        return lambda act: journal.VoidHold(act=act, hold_id=hold_id, position=position)

    def budget(self, amount: int) -> None:
        self.post([self.transfer("source", "fund", amount, "budget")])

    def award(self, name: str, amount: int, **more: Any) -> journal.Posted:
        (posted,) = self.post([self.give(name, amount, **more)])
        assert isinstance(posted, journal.Posted), posted
        return posted

    def balance(self, name: str) -> journal.Balance:
        return journal.balance_of(self.session, self.book_id, self.account(name), self.clock.now())

    def lines(self, name: str) -> list[journal.LineRow]:
        return journal.history(self.session, self.book_id, self.account(name))

    def all_lines(self, name: str) -> list[journal.LineRow]:
        return journal.history(self.session, self.book_id, self.account(name), limit=1_000_000)

    def totals(self) -> dict[str, int]:
        totals = journal.trial_balance(self.session, self.book_id)
        assert sum(totals.values()) == 0
        return totals

    def faults(self) -> list[journal.Fault]:
        return journal.verify(self.session, self.book_id, self.clock.now())

    def close_year(self) -> int:
        points = journal.close_year(self.session, self.act())
        self.session.commit()
        return points


@dataclass(frozen=True)
class Laid:
    """A desk without a session: what was opened as a groundwork, for each test to go on with."""

    book_id: UUID
    accounts: dict[str, UUID]
    clock: HandClock

    def desk(self, session: Session) -> Desk:
        """Return the desk on a test's own copy of the database."""
        return Desk(session, self.book_id, self.accounts, self.clock)


_numbers = count(1)


def open_desk(session: Session) -> Desk:
    """Open a book with a fund and a shop; many of them can stand in one database."""
    book_id, clock = new_id(), HandClock()
    session.execute(insert(Book).values(id=book_id, number=next(_numbers), name="鼓楼区", area_code="320106", zone="Asia/Shanghai"))
    owners = {"source": book_id, "expired": book_id, "fund": new_id(), "receivable": new_id()}
    opened = journal.open_accounts(session, book_id, owners.items(), clock.now().replace(year=2024, month=1))
    session.commit()
    accounts = {"shop" if kind == "receivable" else kind: account_id for (kind, _), account_id in opened.items()}
    return Desk(session, book_id, accounts, clock)
