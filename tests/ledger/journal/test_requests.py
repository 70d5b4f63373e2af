"""Once: the same key gets the same answer, whatever it was, and whoever asks at the same time waits for it (law 5)."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from functools import partial
from threading import Barrier
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger import journal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.store import engine_for
from tests.books import Desk
from tests.books import open_desk
from tests.conftest import Database
from tests.properties.edge import Edge


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


@pytest.fixture
def edge(database: Database, desk: Desk) -> Edge:
    return Edge(database.engine, desk.book_id, desk.clock)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def posting(make: Callable[[Act], Any]) -> Callable[[Session, Act], Any]:
    """Return the work of posting one movement; its answer is what became of it."""

    def work(session: Session, act: Act) -> Any:
        (outcome,) = journal.post(session, act.book_id, [make(act)])
        return {"refused": outcome.code} if isinstance(outcome, Refusal) else {"id": str(outcome[0])}

    return work


def with_points(desk: Desk, points: int) -> Desk:
    """Give li so many points; nothing is left open in the session, which on SQLite would keep everybody else out."""
    desk.budget(1000)
    desk.award("li", points)
    return desk


def test_the_same_key_and_input_get_the_first_answer_again(desk: Desk, edge: Edge) -> None:
    make = with_points(desk, 100).spend("li", 30)
    first = edge.write("key", b"spend 30", posting(make))
    assert edge.write("key", b"spend 30", posting(make)) == first
    assert desk.balance("li").available == 70


def test_a_refusal_is_answered_again_even_when_the_points_would_now_be_there(desk: Desk, edge: Edge) -> None:
    make = with_points(desk, 100).spend("li", 130)
    assert edge.write("key", b"spend 130", posting(make)) == {"refused": "points-insufficient"}
    desk.award("li", 100)
    assert edge.write("key", b"spend 130", posting(make)) == {"refused": "points-insufficient"}
    assert desk.balance("li").available == 200


def test_the_same_key_with_another_input_is_told_apart(desk: Desk) -> None:
    asks = [journal.Ask(OPERATOR, "key", asked, desk.clock.now()) for asked in (b"spend 30", b"spend 40")]
    (claimed,) = journal.claim(desk.session, desk.book_id, asks[:1])
    assert isinstance(claimed, journal.Claimed)
    journal.answer(desk.session, desk.book_id, [(claimed.request_id, 200, {})])
    desk.session.commit()
    assert journal.claim(desk.session, desk.book_id, asks[1:]) == [journal.Differs(claimed.request_id)]


def test_a_key_belongs_to_whoever_made_it(desk: Desk) -> None:
    asks = [journal.Ask(actor, "key", b"input", desk.clock.now()) for actor in (OPERATOR, new_id())]
    assert all(isinstance(claimed, journal.Claimed) for claimed in journal.claim(desk.session, desk.book_id, asks))


def test_a_set_of_old_and_new_requests_gets_old_answers_and_new_claims_in_its_order(desk: Desk) -> None:
    asks = [journal.Ask(OPERATOR, f"key {number}", b"input", desk.clock.now()) for number in range(6)]
    claims = journal.claim(desk.session, desk.book_id, asks[1::2])
    answers = [(claimed.request_id, 200, {"number": index}) for index, claimed in enumerate(claims)]
    journal.answer(desk.session, desk.book_id, answers)
    desk.session.commit()
    again = journal.claim(desk.session, desk.book_id, asks)
    assert again[1::2] == [journal.Answered(*answer) for answer in answers]
    new = again[0::2]
    assert all(isinstance(claimed, journal.Claimed) for claimed in new)
    assert len({claimed.request_id for claimed in (*new, *claims)}) == 6


def test_what_was_rolled_back_leaves_its_key_free(desk: Desk, edge: Edge) -> None:
    make = with_points(desk, 100).spend("li", 30)

    def fail(session: Session, act: Act) -> Any:
        posting(make)(session, act)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        edge.write("key", b"spend 30", fail)
    assert desk.balance("li").available == 100
    desk.session.commit()
    assert "id" in edge.write("key", b"spend 30", posting(make))
    assert desk.balance("li").available == 70


def test_two_effects_of_one_request_under_one_position_are_refused_by_the_database(desk: Desk) -> None:
    act = with_points(desk, 100).act()
    make = desk.spend("li", 30)
    journal.post(desk.session, desk.book_id, [make(act)])
    with pytest.raises(Exception, match=r"(?i)unique"):
        journal.post(desk.session, desk.book_id, [make(act)])


# What went wrong elsewhere.


def test_a_repeated_refund_pays_once_whatever_it_is_answered(desk: Desk, edge: Edge) -> None:
    """Blnk #374: a repeated refund was answered 409 and silently paid again."""
    (spent,) = with_points(desk, 100).post([desk.spend("li", 60)])
    assert isinstance(spent, journal.Posted)
    refund = posting(desk.reverse(spent.entry_id, 60))
    first = edge.write("key", b"refund", refund)
    assert "id" in first
    assert edge.write("key", b"refund", refund) == first
    assert edge.write("another key", b"refund", refund) == {"refused": "reversal-exceeds-the-rest"}
    assert edge.write("another key", b"refund", refund) == {"refused": "reversal-exceeds-the-rest"}
    assert desk.balance("li").available == 100
    assert [line.kind for line in desk.lines("li")] == ["void", "redemption", "award"]


def test_a_hold_that_was_refused_or_let_go_can_never_be_posted(desk: Desk, edge: Edge) -> None:
    """Blnk #182: a rejected hold could still be committed."""
    assert with_points(desk, 100).post([desk.reserve("li", 101, minutes=5)]) == [
        Refusal("points-insufficient", "amount", {"available": 100, "asked": 101})
    ]
    (held,) = desk.post([desk.reserve("li", 60, minutes=5)])
    assert isinstance(held, journal.Held)
    desk.post([desk.void_hold(held.hold_id)])
    for key in ("a", "a", "b"):
        assert edge.write(key, b"post", posting(desk.post_hold(held.hold_id))) == {"refused": "hold-ended"}
    with pytest.raises(NotFound):
        desk.post([desk.post_hold(new_id())])
    assert desk.balance("li") == journal.Balance(balance=100, held=0, lines=1, expiring=0)


# At the same time.


def test_whoever_asks_the_same_meanwhile_waits_and_gets_the_winners_answer(desk: Desk, edge: Edge, pool: ThreadPoolExecutor) -> None:
    make, is_working, may_end = with_points(desk, 100).spend("li", 30), Event(), Event()

    def slowly(session: Session, act: Act) -> Any:
        is_working.set()
        may_end.wait(10)
        return posting(make)(session, act)

    winner = pool.submit(edge.write, "key", b"spend 30", slowly)
    assert is_working.wait(10)
    other = pool.submit(edge.write, "key", b"spend 30", posting(make))
    assert wait([other], 0.2).not_done
    may_end.set()
    assert other.result() == winner.result()
    assert desk.balance("li").available == 70
    assert desk.faults() == []


def test_when_the_winner_fails_whoever_waited_does_the_work(desk: Desk, edge: Edge, pool: ThreadPoolExecutor) -> None:
    make, is_working, may_end = with_points(desk, 100).spend("li", 30), Event(), Event()

    def fail(session: Session, act: Act) -> Any:
        posting(make)(session, act)
        is_working.set()
        may_end.wait(10)
        raise RuntimeError

    winner = pool.submit(edge.write, "key", b"spend 30", fail)
    assert is_working.wait(10)
    other = pool.submit(edge.write, "key", b"spend 30", posting(make))
    assert wait([other], 0.2).not_done
    may_end.set()
    with pytest.raises(RuntimeError):
        winner.result()
    assert "id" in other.result()
    assert desk.balance("li").available == 70


def test_whoever_waits_too_long_is_told_so_and_can_ask_again(
    database: Database, desk: Desk, edge: Edge, pool: ThreadPoolExecutor
) -> None:  # fmt: skip
    make, is_working, may_end = with_points(desk, 100).spend("li", 30), Event(), Event()

    def slowly(session: Session, act: Act) -> Any:
        is_working.set()
        may_end.wait(10)
        return posting(make)(session, act)

    # The connections of this engine have less patience than those of the service, so that the test need not wait for it.
    hasty = Edge(engine_for(database.url, poolclass=NullPool), desk.book_id, desk.clock)
    patience = "PRAGMA busy_timeout = 100" if database.kind == "sqlite" else "SET lock_timeout = 100"
    event.listen(hasty.engine, "connect", lambda connection, record: connection.cursor().execute(patience))
    winner = pool.submit(edge.write, "key", b"spend 30", slowly)
    assert is_working.wait(10)
    with pytest.raises(OperationalError):
        hasty.write("key", b"spend 30", posting(make))
    may_end.set()
    assert hasty.write("key", b"spend 30", posting(make)) == winner.result()
    assert desk.balance("li").available == 70


def test_the_same_write_at_once_from_eight_threads_has_one_effect_and_one_answer(
    desk: Desk, edge: Edge, pool: ThreadPoolExecutor
) -> None:  # fmt: skip
    make, start = with_points(desk, 100).spend("li", 10), Barrier(8)

    def write(number: int) -> Any:
        start.wait()
        return edge.write("key", b"spend 10", posting(make))

    answers = list(pool.map(write, range(8)))
    assert "id" in answers[0]
    assert answers == [answers[0]] * 8
    assert desk.balance("li").available == 90
    assert desk.faults() == []


def test_eight_threads_that_spend_at_once_never_spend_more_than_there_is(desk: Desk, edge: Edge, pool: ThreadPoolExecutor) -> None:
    make, start = with_points(desk, 100).spend("li", 30), Barrier(8)

    def write(number: int) -> Any:
        start.wait()
        return [edge.write(f"key {number} {time}", b"spend 30", posting(make)) for time in range(2)]

    answers = [answer for answers in pool.map(write, range(8)) for answer in answers]
    assert sum("id" in answer for answer in answers) == 3
    assert answers.count({"refused": "points-insufficient"}) == 13
    assert desk.balance("li").available == 10
    assert [line.number for line in desk.lines("li")] == [4, 3, 2, 1]
    assert desk.faults() == []


def test_sets_that_touch_the_same_accounts_in_opposite_orders_do_not_block_each_other_for_ever(
    desk: Desk, edge: Edge, pool: ThreadPoolExecutor
) -> None:  # fmt: skip
    names = ("li", "wang", "zhao", "chen")
    desk.budget(1000)
    for name in names:
        desk.award(name, 100)
    start = Barrier(8)

    def work(session: Session, act: Act, order: tuple[str, ...]) -> Any:
        makes = [
            make(name, 1, position=2 * at + side) for at, name in enumerate(order) for side, make in enumerate((desk.spend, desk.give))
        ]
        return [type(outcome).__name__ for outcome in journal.post(session, act.book_id, [make(act) for make in makes])]

    def write(number: int) -> Any:
        start.wait()
        order = names if number % 2 else names[::-1]
        return [edge.write(f"key {number} {time}", b"", partial(work, order=order)) for time in range(5)]

    assert all(answer == ["Posted"] * 8 for answers in pool.map(write, range(8)) for answer in answers)
    assert {name: desk.balance(name).available for name in names} == dict.fromkeys(names, 100)
    assert desk.faults() == []
