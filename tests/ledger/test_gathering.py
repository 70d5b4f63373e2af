"""The gate: what comes while a set runs is the next set; nobody is overtaken, nobody is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from threading import Lock
from threading import get_ident
from typing import Any

import pytest

from ledger.gathering import Gatherer


class Kitchen:
    """Doubles numbers, remembers its sets, and stands still while its door is shut."""

    def __init__(self) -> None:
        self.sets: list[list[Any]] = []
        self.threads: list[int] = []
        self.door = Event()
        self.door.set()
        self.is_busy = Lock()

    def run(self, commands: Sequence[Any]) -> list[Any]:
        assert self.is_busy.acquire(blocking=False), "two sets at once"
        try:
            self.sets.append(list(commands))
            self.threads.append(get_ident())
            self.door.wait()
            return [command * 2 for command in commands]
        finally:
            self.is_busy.release()


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


def until(condition: Callable[[], bool]) -> None:
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("it never came to that")


def queue_up(pool: ThreadPoolExecutor, gatherer: Gatherer[Any, Any], commands: Sequence[Any]) -> list[Future[Any]]:
    """Let each command be submitted by a thread of its own, and be in the queue before the next one comes."""
    futures = []
    for command in commands:
        waiting = len(gatherer._queue)
        futures.append(pool.submit(gatherer.submit, command))
        until(lambda waiting=waiting: len(gatherer._queue) > waiting)  # type: ignore[misc]
    return futures


def shut(pool: ThreadPoolExecutor, gatherer: Gatherer[Any, Any], kitchen: Kitchen, command: Any) -> Future[Any]:
    """Let one command be running, and stand still."""
    kitchen.door.clear()
    running = pool.submit(gatherer.submit, command)
    until(lambda: bool(kitchen.sets) and kitchen.sets[-1] == [command])
    return running


def test_who_comes_alone_does_not_wait_for_company(kitchen: Kitchen) -> None:
    gatherer = Gatherer(kitchen.run)
    assert [gatherer.submit(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert kitchen.sets == [[1], [2], [3]]


def test_who_comes_while_a_set_runs_is_in_the_next_one_in_the_order_of_coming(kitchen: Kitchen, pool: ThreadPoolExecutor) -> None:
    gatherer = Gatherer(kitchen.run)
    first = shut(pool, gatherer, kitchen, 0)
    others = queue_up(pool, gatherer, range(1, 9))
    kitchen.door.set()
    assert first.result() == 0
    assert [other.result() for other in others] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert kitchen.sets == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]


def test_each_set_is_led_by_the_first_of_its_own_callers(kitchen: Kitchen, pool: ThreadPoolExecutor) -> None:
    gatherer = Gatherer(kitchen.run, most=2)
    threads: dict[int, int] = {}

    def submit(number: int) -> int:
        threads[number] = get_ident()
        return gatherer.submit(number)

    kitchen.door.clear()
    futures = [pool.submit(submit, 0)]
    until(lambda: kitchen.sets == [[0]])
    for number in range(1, 7):
        futures.append(pool.submit(submit, number))
        until(lambda number=number: len(gatherer._queue) == number)  # type: ignore[misc]
    kitchen.door.set()
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8, 10, 12]
    assert kitchen.sets == [[0], [1, 2], [3, 4], [5, 6]]
    assert kitchen.threads == [threads[0], threads[1], threads[3], threads[5]]


def test_a_set_is_never_larger_than_the_most(kitchen: Kitchen, pool: ThreadPoolExecutor) -> None:
    gatherer = Gatherer(kitchen.run, most=10)
    first = shut(pool, gatherer, kitchen, 0)
    others = queue_up(pool, gatherer, range(1, 26))
    kitchen.door.set()
    assert [future.result() for future in (first, *others)] == [number * 2 for number in range(26)]
    assert [len(commands) for commands in kitchen.sets] == [1, 10, 10, 5]


def test_two_commands_of_the_same_key_are_never_in_one_set_and_keep_their_order(kitchen: Kitchen, pool: ThreadPoolExecutor) -> None:
    gatherer = Gatherer(kitchen.run, key=lambda command: command[0], most=3)
    first = shut(pool, gatherer, kitchen, "z0")
    others = queue_up(pool, gatherer, ["a1", "a2", "b1", "a3", "b2", "c1", "d1"])
    kitchen.door.set()
    assert [future.result() for future in (first, *others)] == [text * 2 for text in ("z0", "a1", "a2", "b1", "a3", "b2", "c1", "d1")]
    assert kitchen.sets == [["z0"], ["a1", "b1", "c1"], ["a2", "b2", "d1"], ["a3"]]


def test_without_a_key_equal_commands_are_still_two(kitchen: Kitchen, pool: ThreadPoolExecutor) -> None:
    gatherer = Gatherer(kitchen.run)
    first = shut(pool, gatherer, kitchen, [0])
    others = queue_up(pool, gatherer, [[1], [1]])
    kitchen.door.set()
    assert [future.result() for future in (first, *others)] == [[0, 0], [1, 1], [1, 1]]
    assert kitchen.sets == [[[0]], [[1], [1]]]


class Malformed(Exception):
    pass


def test_a_malformed_command_fails_alone(pool: ThreadPoolExecutor) -> None:
    door, runs = Event(), []

    def run(commands: Sequence[int]) -> list[int]:
        runs.append(sorted(commands))
        if commands == [0]:
            door.wait()
        if 3 in commands:
            raise Malformed(len(commands))
        return [command * 2 for command in commands]

    gatherer = Gatherer(run)
    first = pool.submit(gatherer.submit, 0)
    until(lambda: runs == [[0]])
    futures = queue_up(pool, gatherer, [1, 2, 3, 4])
    door.set()
    assert first.result() == 0
    assert [futures[index].result() for index in (0, 1, 3)] == [2, 4, 8]
    with pytest.raises(Malformed) as raised:
        futures[2].result()
    assert raised.value.args == (1,)  # raised by its own run, not by that of the set
    assert runs[:2] == [[0], [1, 2, 3, 4]]
    assert sorted(runs[2:]) == [[1], [2], [3], [4]]
    assert gatherer.submit(5) == 10


def test_what_fails_in_a_set_of_one_is_not_run_again() -> None:
    runs = []

    def run(commands: Sequence[int]) -> list[int]:
        runs.append(list(commands))
        raise Malformed

    gatherer = Gatherer(run)
    with pytest.raises(Malformed):
        gatherer.submit(1)
    assert runs == [[1]]


def test_a_run_that_gives_too_few_results_is_a_failure_and_gives_nobody_the_result_of_another(pool: ThreadPoolExecutor) -> None:
    door, runs = Event(), []

    def run(commands: Sequence[int]) -> list[int]:
        runs.append(list(commands))
        if commands == [0]:
            door.wait()
        return [command * 2 for command in commands][: 1 if len(commands) > 1 else None]

    gatherer = Gatherer(run)
    first = pool.submit(gatherer.submit, 0)
    until(lambda: runs == [[0]])
    others = queue_up(pool, gatherer, [1, 2, 3])
    door.set()
    assert [future.result() for future in (first, *others)] == [0, 2, 4, 6]


def test_when_a_leader_is_stopped_the_others_go_on(pool: ThreadPoolExecutor) -> None:
    door, runs = Event(), []

    def run(commands: Sequence[int]) -> list[int]:
        runs.append(list(commands))
        if commands == [0]:
            door.wait()
        if len(commands) > 1:
            raise SystemExit
        return [command * 2 for command in commands]

    gatherer = Gatherer(run, most=3)
    first = pool.submit(gatherer.submit, 0)
    until(lambda: runs == [[0]])
    leader, *others = queue_up(pool, gatherer, [1, 2, 3, 4])
    door.set()
    assert first.result() == 0
    with pytest.raises(SystemExit):
        leader.result()
    assert [other.result() for other in others] == [4, 6, 8]
    assert gatherer.submit(5) == 10


def test_every_caller_gets_its_own_result_whatever_the_crowd(pool: ThreadPoolExecutor) -> None:
    sizes, is_busy = [], Lock()

    def run(commands: Sequence[int]) -> list[int]:
        assert is_busy.acquire(blocking=False), "two sets at once"
        sizes.append(len(commands))
        assert len({command % 40 for command in commands}) == len(commands)
        time.sleep(0.0005)
        is_busy.release()
        return [command * command for command in commands]

    gatherer = Gatherer(run, key=lambda command: command % 40, most=20)

    def live(caller: int) -> bool:
        return all(gatherer.submit(number) == number * number for number in range(caller, 4000, 40))

    assert all(pool.map(live, range(40)))
    assert sum(sizes) == 4000
    assert max(sizes) == 20  # a crowd is gathered, and no further than the most


def test_nobody_who_came_first_is_overtaken_by_those_who_come_again_and_again(pool: ThreadPoolExecutor) -> None:
    order: list[str] = []
    door = Event()

    def run(commands: Sequence[str]) -> list[str]:
        order.extend(commands)
        if commands == ["first"]:
            door.wait()
        return list(commands)

    gatherer = Gatherer(run, most=2)
    first = pool.submit(gatherer.submit, "first")
    until(lambda: order == ["first"])
    patient = queue_up(pool, gatherer, [f"patient {number}" for number in range(6)])

    def greedy(name: str) -> None:
        for number in range(20):
            gatherer.submit(f"{name} {number}")

    crowd = [pool.submit(greedy, name) for name in ("x", "y", "z")]
    until(lambda: len(gatherer._queue) == 9)
    door.set()
    for future in (first, *patient, *crowd):
        future.result()
    assert order[1:7] == [f"patient {number}" for number in range(6)]
