"""The canary: six bugs are planted, one at a time, and the same checks that the laws are tested with must find each of them.

Here, and only here, the product's own code is replaced: the bug is what is planted. Each test says by what its bug is caught.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger import journal
from ledger.act import Act
from ledger.ids import new_id
from ledger.journal import actions
from ledger.journal import decide as law
from ledger.journal import postgresql
from ledger.journal import sqlite
from tests.books import open_desk
from tests.conftest import Database
from tests.properties import laws
from tests.properties.edge import Edge
from tests.properties.edge import StruckDownError
from tests.properties.edge import struck_down
from tests.properties.histories import histories
from tests.properties.histories import writes
from tests.properties.pure import PureBook
from tests.properties.test_machine import BookMachine

_ALWAYS_THE_SAME = settings(
    max_examples=40,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


def found_by(check: Callable[[Any], object], strategy: st.SearchStrategy[Any]) -> Exception | None:
    """Return what `check` raises on the first of many random examples that it does not pass; None where it passes all."""

    @_ALWAYS_THE_SAME
    @given(example=strategy)
    def search(example: Any) -> None:
        check(example)

    try:
        search()
    except Exception as found:  # noqa: BLE001  whatever gives the bug away
        return found
    return None


def found_by_the_machine(database_engine: Engine) -> Exception | None:
    class Machine(BookMachine):
        engine = database_engine

    try:
        run_state_machine_as_test(Machine, settings=settings(_ALWAYS_THE_SAME, max_examples=8, stateful_step_count=30))
    except Exception as found:  # noqa: BLE001  whatever gives the bug away
        return found
    return None


def found_without_a_database() -> Exception | None:
    return found_by(lambda history: PureBook().live(history), histories)


def found_by_histories(database: Database) -> Exception | None:
    return found_by(partial(laws.whatever_happens, database.engine), histories)


def found_by_repeats(edge_of: type[Edge], database: Database) -> Exception | None:
    return found_by(partial(laws.whoever_sends_again, edge_of, database.engine), writes)


@pytest.mark.walk("postgresql")
def test_control_where_nothing_is_planted_nothing_is_found(database: Database) -> None:
    assert found_without_a_database() is None
    assert found_by_histories(database) is None
    assert found_by_repeats(Edge, database) is None
    assert found_by_the_machine(database.engine) is None


# 1. No idempotency.


class Forgetful(Edge):
    """Carries a write out however often it is sent."""

    def claim(self, session: Session, asks: Sequence[journal.Ask]) -> list[Any]:
        return super().claim(session, [journal.Ask(ask.actor, str(new_id()), ask.input_hash, ask.at) for ask in asks])


def test_no_idempotency_is_caught_by_sending_again(database: Database) -> None:
    """The second answer is not the first one: other line numbers, because the points moved twice."""
    assert isinstance(found_by_repeats(Forgetful, database), AssertionError)


# 2. Two commits instead of one transaction.


class CommitsTwice(Edge):
    """Keeps the points before it keeps the answer."""

    def finish(self, session: Session, request_id: UUID, body: Any) -> None:
        session.commit()
        super().finish(session, request_id, body)


class CommitsTheClaim(Edge):
    """Keeps the claim before it does the work."""

    def claim(self, session: Session, asks: Sequence[journal.Ask]) -> list[Any]:
        claimed = super().claim(session, asks)
        session.commit()
        return claimed


@pytest.mark.parametrize("edge_of", [CommitsTwice, CommitsTheClaim])
def test_two_commits_are_caught_by_striking_the_service_down_between_them(database: Database, edge_of: type[Edge]) -> None:
    """Whoever sends again after it gets no answer at all: the request is taken and was never answered."""
    assert isinstance(found_by_repeats(edge_of, database), KeyError)


@pytest.mark.parametrize("edge_of", [CommitsTwice, CommitsTheClaim])
def test_two_commits_are_caught_by_verify_after_a_stroke_between_them(database: Database, edge_of: type[Edge]) -> None:
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.budget(100)
        make = desk.give("li", 5)
        session.commit()
        edge, stroke, faults = edge_of(database.engine, desk.book_id, desk.clock), 0, []
        while not faults:
            stroke += 1
            with pytest.raises(StruckDownError), struck_down(database.engine, stroke):
                edge.write(f"key {stroke}", b"input", lambda session, act: _posted(session, act, make))
            faults = desk.faults()
            session.commit()
        assert faults[0].what == "was never answered"


def _posted(session: Session, act: Act, make: Any) -> str:
    journal.post(session, act.book_id, [make(act)])
    return "posted"


# 3. The answer is given before the commit.


class AnswersFirst(Edge):
    """Has answered already when its commit fails."""

    def finish(self, session: Session, request_id: UUID, body: Any) -> None:
        journal.answer(session, self.book_id, [(request_id, 200, body)])
        try:
            session.commit()
        except StruckDownError:
            session.rollback()


def test_answering_before_the_commit_is_caught_by_striking_the_service_down_at_the_commit(database: Database) -> None:
    """Whoever has an answer sends nothing again; what it says has no line in the book, or another one."""
    assert isinstance(found_by_repeats(AnswersFirst, database), AssertionError)


# 4. No floor check.


def test_no_floor_check_is_caught_without_a_database_and_by_the_databases_constraint(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a database by the line that ends below zero; with one by the CHECKs of `line` and `tally`."""
    monkeypatch.setattr(law, "_too_little", lambda account, amount: None)
    assert isinstance(found_without_a_database(), AssertionError)
    assert isinstance(found_by_histories(database), IntegrityError)
    assert isinstance(found_by_the_machine(database.engine), IntegrityError)


# 5. A gap in the numbers.


def test_a_gap_in_the_numbers_is_caught_by_reading_the_lines_and_by_verify(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """No constraint sees it, since each line and the counters agree; who reads the lines one by one does, and `verify` names the place."""
    decide = law.decide

    def with_a_gap(state: law.State, movements: Sequence[law.Movement]) -> tuple[list[law.Outcome], law.Writes]:
        outcomes, written = decide(state, movements)
        if written.lines and written.lines[-1].number >= 2:
            skipping = written.lines[-1]
            written.lines[-1] = skipping._replace(number=skipping.number + 1)
            written.tallies[skipping.account_id].lines += 1
        return outcomes, written

    monkeypatch.setattr(law, "decide", with_a_gap)
    monkeypatch.setattr(actions, "decide", with_a_gap)
    assert isinstance(found_without_a_database(), AssertionError)
    assert isinstance(found_by_histories(database), AssertionError)
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.budget(100)
        desk.award("li", 5)
        desk.award("li", 5)
        assert f"account {desk.account('li')} line 3: is numbered 3 where 2 follows" in [": ".join(fault) for fault in desk.faults()]


# 6. Double posting of a hold.


def test_a_hold_posted_twice_is_caught_without_a_database_and_by_the_key_of_its_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law that has forgotten which holds have ended writes a second end: the key of `hold_end` has no room for it."""

    def let_go(self: Any, hold_id: UUID, account: law.AccountState) -> None:
        _, amount = account.holds.pop(hold_id, (0, 0))
        account.held -= amount
        account.held_until = min((expires_at for expires_at, _ in account.holds.values()), default=None)

    monkeypatch.setattr(law._Court, "_ended", staticmethod(lambda hold, act: None))
    monkeypatch.setattr(law._Court, "_let_go", let_go)
    assert isinstance(found_without_a_database(), AssertionError)
    assert isinstance(found_by_histories(database), IntegrityError)
    assert isinstance(found_by_the_machine(database.engine), IntegrityError)


def test_an_end_that_is_not_written_is_caught_by_the_counters_and_by_verify(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Where the engine loses a hold's end, posting it again takes the points held below zero: a CHECK; before that, `verify` sees it."""
    for engine in (sqlite, postgresql):
        monkeypatch.setattr(engine, "write", partial(_without_ends, engine.write))
    assert isinstance(found_by_histories(database), AssertionError | IntegrityError)
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.budget(100)
        desk.award("li", 50)
        (held,) = desk.post([desk.reserve("li", 20, minutes=5)])
        assert isinstance(held, journal.Held)
        desk.post([desk.post_hold(held.hold_id)])
        assert [fault.what for fault in desk.faults()] == ["counts 0 points held; its holds say 20"]
        with pytest.raises(IntegrityError):
            desk.post([desk.post_hold(held.hold_id)])


def _without_ends(write: Callable[..., None], session: Session, book_id: UUID, writes: law.Writes) -> None:
    writes.hold_ends.clear()
    write(session, book_id, writes)


# And beside the six: engines that differ.


def test_an_engine_that_differs_from_the_other_is_caught_by_its_answers(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that tells the law less than there is gives other refusals than the other engine for the same history."""
    told = []
    history = [([("give", "li", 50), ("spend", "li", 50)], 1), ([("spend", "li", 1)], 1)]
    for lacking in (0, 1):
        lock = sqlite.lock if database.kind == "sqlite" else postgresql.lock
        monkeypatch.setattr(sqlite if database.kind == "sqlite" else postgresql, "lock", partial(_one_less, lock, lacking))
        with Session(database.engine) as session:
            told.append(laws.Told(open_desk(session)).live(history).answers)
    assert told[0] != told[1]


def _one_less(lock: Callable[..., law.Locked], lacking: int, *args: Any) -> law.Locked:
    locked = lock(*args)
    for account in locked.accounts.values():
        account.balance = max(0, account.balance - lacking)
    return locked
