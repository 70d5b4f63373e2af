"""A gate that gathers the commands of concurrent callers into sets: one transaction serves all that came while the last one ran.

Pure Python; it knows no database. Why a gate owns its transaction, although elsewhere the edge does: docs/adr/0007.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence
from enum import Enum
from threading import Lock
from typing import Generic
from typing import TypeVar

Command = TypeVar("Command")
Result = TypeVar("Result")


class _Turn(Enum):
    """What a waiting caller is woken for."""

    LEAD = "lead the next set"
    TAKE = "take the result"
    ALONE = "the set failed: run your own command alone"


class _Caller(Generic[Command, Result]):
    """A caller and its command, from `submit` until it has its result."""

    def __init__(self, command: Command, key: Hashable) -> None:
        self.command = command
        self.key = key
        self.turn = _Turn.LEAD
        self.result: Result
        # A lock held from the beginning and released once is the cheapest thing to wait for.
        self._waiting = Lock()
        self._waiting.acquire()

    def wake(self, turn: _Turn) -> None:
        """Let the caller go on, and say what for."""
        self.turn = turn
        self._waiting.release()

    def wait(self) -> _Turn:
        """Wait until somebody wakes this caller, however long it takes: an answer must not get lost."""
        self._waiting.acquire()
        return self.turn


class Gatherer(Generic[Command, Result]):
    """Gathers commands: `run` is given a set of them, carries all out in one transaction of its own, and returns a result for each.

    Whoever comes while nothing runs leads at once, with a set of one; whoever comes while a set runs waits, and the first of those leads
    the next set, with all the others in it, in the order they came. So nobody waits for company, and nobody is overtaken.

    Two commands of the same `key` never share a set: the second is to find what the first one left. If `run` raises, nothing of the set
    was kept, or nobody knows; every caller then runs its own command alone, in its own thread, so that one malformed command fails alone.
    `run` must therefore be safe to repeat: it claims its requests (law 5).
    """

    def __init__(
        self,
        run: Callable[[Sequence[Command]], Sequence[Result]],
        *,
        key: Callable[[Command], Hashable] = id,
        most: int = 64,
    ) -> None:
        self._run = run
        self._key = key
        self._most = most
        self._mutex = Lock()
        self._queue: deque[_Caller[Command, Result]] = deque()
        self._is_led = False

    def submit(self, command: Command) -> Result:
        """Return what became of `command`, or raise what `run` raised when it was run alone."""
        caller: _Caller[Command, Result] = _Caller(command, self._key(command))
        with self._mutex:
            self._queue.append(caller)
            must_wait, self._is_led = self._is_led, True
        turn = caller.wait() if must_wait else _Turn.LEAD
        if turn is _Turn.LEAD:
            turn = self._lead(caller)
        if turn is _Turn.ALONE:
            (caller.result,) = self._run([command])
        return caller.result

    def _lead(self, leader: _Caller[Command, Result]) -> _Turn:
        """Run the set at the head of the queue, whose first is `leader`, and wake everybody in it; say how it went."""
        callers = self._take()
        turn = _Turn.ALONE
        try:
            results = self._run([caller.command for caller in callers])
            for caller, result in zip(callers, results, strict=True):
                caller.result = result
            turn = _Turn.TAKE
        except Exception:
            if len(callers) == 1:
                raise
        finally:
            # Also when this thread is being stopped: those who wait must go on without it. Those who are done go first: who comes again
            # at once is in the next set.
            for caller in callers:
                if caller is not leader:
                    caller.wake(turn)
            self._hand_on()
        return turn

    def _take(self) -> list[_Caller[Command, Result]]:
        """Take the next set off the queue; those whose key is in it already keep their place in front of all later ones."""
        taken: list[_Caller[Command, Result]] = []
        keys: set[Hashable] = set()
        passed: deque[_Caller[Command, Result]] = deque()
        with self._mutex:
            while self._queue and len(taken) < self._most:
                caller = self._queue.popleft()
                if caller.key in keys:
                    passed.append(caller)
                else:
                    keys.add(caller.key)
                    taken.append(caller)
            self._queue.extendleft(reversed(passed))
        return taken

    def _hand_on(self) -> None:
        with self._mutex:
            if not self._queue:
                self._is_led = False
                return
            heir = self._queue[0]
        heir.wake(_Turn.LEAD)
