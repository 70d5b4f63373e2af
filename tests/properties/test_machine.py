"""A book and a slow, obvious model of it live through the same random acts; they never differ."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import Session

from ledger import journal
from tests.books import open_desk
from tests.conftest import Database

NAMES = st.sampled_from(["li", "wang"])
AMOUNTS = st.integers(1, 60)


class BookMachine(RuleBasedStateMachine):
    """What a book does, against dictionaries."""

    spends = Bundle("spends")
    holds = Bundle("holds")
    engine: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(self.engine)
        self.desk = open_desk(self.session)
        self.desk.budget(300)
        self.fund = 300
        self.balance = {"li": 0, "wang": 0}
        self.left: dict[UUID, tuple[str, int]] = {}
        self.held: dict[UUID, tuple[str, int, Any]] = {}

    def teardown(self) -> None:
        self.session.close()

    def available(self, name: str) -> int:
        now = self.desk.clock.now()
        return self.balance[name] - sum(points for owner, points, until in self.held.values() if owner == name and until > now)

    @rule(name=NAMES, points=AMOUNTS)
    def award(self, name: str, points: int) -> None:
        (outcome,) = self.desk.post([self.desk.give(name, points)])
        assert isinstance(outcome, journal.Posted) == (points <= self.fund)
        if points <= self.fund:
            self.fund -= points
            self.balance[name] += points

    @rule(target=spends, name=NAMES, points=AMOUNTS)
    def spend(self, name: str, points: int) -> UUID | None:
        (outcome,) = self.desk.post([self.desk.spend(name, points)])
        assert isinstance(outcome, journal.Posted) == (points <= self.available(name))
        if not isinstance(outcome, journal.Posted):
            return None
        self.balance[name] -= points
        self.left[outcome.entry_id] = (name, points)
        return outcome.entry_id

    @rule(entry_id=spends, points=AMOUNTS)
    def void(self, entry_id: UUID | None, points: int) -> None:
        if entry_id:
            name, left = self.left[entry_id]
            (outcome,) = self.desk.post([self.desk.reverse(entry_id, points)])
            assert isinstance(outcome, journal.Posted) == (points <= left)
            if points <= left:
                self.left[entry_id] = (name, left - points)
                self.balance[name] += points

    @rule(target=holds, name=NAMES, points=AMOUNTS, minutes=st.integers(1, 10))
    def reserve(self, name: str, points: int, minutes: int) -> UUID | None:
        make = self.desk.reserve(name, points, minutes=minutes)
        until = make(self.desk.act()).expires_at
        (outcome,) = self.desk.post([make])
        assert isinstance(outcome, journal.Held) == (points <= self.available(name))
        if not isinstance(outcome, journal.Held):
            return None
        self.held[outcome.hold_id] = (name, points, until)
        return outcome.hold_id

    @rule(hold_id=holds, part=st.integers(0, 60), posts=st.booleans())
    def end_hold(self, hold_id: UUID | None, part: int, posts: bool) -> None:
        if not hold_id:
            return
        name, points, until = self.held.get(hold_id, ("", 0, None))
        is_open = until is not None and until > self.desk.clock.now()
        make = self.desk.post_hold(hold_id, max(1, points - part)) if posts else self.desk.void_hold(hold_id)
        (outcome,) = self.desk.post([make])
        assert isinstance(outcome, journal.Posted | journal.Released) == is_open
        if is_open:
            del self.held[hold_id]
            self.balance[name] -= max(1, points - part) if posts else 0

    @rule(minutes=st.integers(1, 8))
    def wait(self, minutes: int) -> None:
        self.desk.clock.advance(minutes=minutes)

    @invariant()
    def the_book_says_what_the_model_says(self) -> None:
        for name in self.balance:
            assert self.desk.balance(name).balance == self.balance[name]
            assert self.desk.balance(name).available == self.available(name)
        assert self.desk.balance("fund").available == self.fund
        assert self.desk.faults() == []


def test_a_book_never_differs_from_its_model(database: Database) -> None:
    class Machine(BookMachine):
        engine = database.engine

    run_state_machine_as_test(Machine, settings=settings(max_examples=8, stateful_step_count=30, deadline=None))
