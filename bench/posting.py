"""Posting to the journal, singly through the gate and in sets: claim, decide, write, answer, commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from itertools import count
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench.floor import rate
from ledger import journal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.gathering import Gatherer
from ledger.ids import new_id
from ledger.journal import About

_numbers = count(1)


class Wanted(NamedTuple):
    """One post that a caller wants: its key and where points go."""

    key: str
    giver: UUID
    taker: UUID


@dataclass
class Bank:
    """A book with many passbooks and funds, and a gate in front of it."""

    engine: Engine
    book_id: UUID
    funds: Sequence[UUID]
    passbooks: Sequence[UUID]

    def post(self, wanted: Sequence[Wanted]) -> list[journal.Outcome]:
        """Carry a set out in one transaction: all requests claimed, all answers stored."""
        now = datetime.now(UTC)
        with Session(self.engine) as session:
            asks = [journal.Ask(OPERATOR, one.key, b"bench", now) for one in wanted]
            claims = journal.claim(session, self.book_id, asks)
            about = About(deed_on=now.date())
            movements = [
                journal.Transfer(
                    act=Act(self.book_id, OPERATOR, "api", claimed.request_id, now),
                    from_account=one.giver, to_account=one.taker, amount=1, kind="award", about=about,
                )
                for claimed, one in zip(claims, wanted, strict=True)
            ]  # fmt: skip
            outcomes = journal.post(session, self.book_id, movements)
            answers = [(act.act.request_id, 201, _body(outcome)) for act, outcome in zip(movements, outcomes, strict=True)]
            journal.answer(session, self.book_id, answers)
            session.commit()
            return outcomes


def _body(outcome: journal.Outcome) -> dict[str, object]:
    assert isinstance(outcome, journal.Posted), outcome
    assert outcome.to_line is not None
    return {"id": str(outcome.entry_id), "number": outcome.to_line.number, "after": outcome.to_line.after}


def open_bank(engine: Engine, accounts: int) -> Bank:
    """Open a book with so many funded funds and as many passbooks."""
    book_id, now = new_id(), datetime.now(UTC)
    with Session(engine) as session:
        session.execute(
            insert(Book).values(id=book_id, number=900 + next(_numbers), name="bench", area_code="320106", zone="Asia/Shanghai")
        )
        owners = [("source", book_id), *(("fund", new_id()) for _ in range(accounts)), *(("passbook", new_id()) for _ in range(accounts))]
        opened = journal.open_accounts(session, book_id, owners, now)
        funds = [opened[pair] for pair in owners if pair[0] == "fund"]
        passbooks = [opened[pair] for pair in owners if pair[0] == "passbook"]
        (claimed,) = journal.claim(session, book_id, [journal.Ask(OPERATOR, "budgets", b"", now)])
        act = Act(book_id, OPERATOR, "command", claimed.request_id, now)
        about = About(deed_on=now.date())
        budgets = [
            journal.Transfer(
                act=act,
                position=position,
                from_account=opened["source", book_id],
                to_account=fund,
                amount=10**9,
                kind="budget",
                about=about,
            )
            for position, fund in enumerate(funds)
        ]
        journal.post(session, book_id, budgets)
        journal.answer(session, book_id, [(claimed.request_id, 200, {})])
        session.commit()
    return Bank(engine, book_id, funds, passbooks)


def single_posts(bank: Bank, callers: int, seconds: float, *, is_hot: bool) -> float:
    """Return the posts a second of so many callers, each with a key of its own, from one fund or from a thousand."""
    gate = Gatherer(bank.post, key=lambda wanted: wanted.key)
    numbers = [count(caller, callers) for caller in range(callers)]

    def post(caller: int) -> int:
        number = next(numbers[caller])
        giver = bank.funds[0] if is_hot else bank.funds[number % len(bank.funds)]
        gate.submit(Wanted(str(new_id()), giver, bank.passbooks[number % len(bank.passbooks)]))
        return 1

    return rate(post, callers, seconds)


def sets(bank: Bank, size: int, seconds: float) -> float:
    """Return the movements a second of one caller who posts sets of `size`, from one fund."""
    numbers = count()

    def post(caller: int) -> int:
        bank.post([Wanted(str(new_id()), bank.funds[0], bank.passbooks[next(numbers) % len(bank.passbooks)]) for _ in range(size)])
        return size

    return rate(post, 1, seconds)
