"""Writers of one SQLite file take turns, in the order they came: threads of a process and processes of a machine alike.

SQLite itself has no queue: whoever finds the file taken sleeps up to a tenth of a second and tries again, while it may lie idle, and who
comes just then goes first. Measured, and why: docs/adr/0017.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from threading import Lock

#: Places in the file that a process holds: whoever writes, and whoever writes next.
_WRITES, _IS_NEXT = 0, 1
_LOOKS_EVERY_S = 0.001

_known: dict[str, Turns] = {}
_mutex = Lock()


class Turns:
    """The turns at one file: each thread waits for those of its own process, and the first of these for other processes.

    A process stands in line once, until whoever writes for it is done. So two of them go one after the other, however many threads each
    has waiting. What a process held is free when it dies.
    """

    def __init__(self, path: str) -> None:
        self._own = Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, patience_s: float) -> bool:
        """Wait until it is one's turn, so long at most; tell whether it is."""
        until = time.monotonic() + patience_s
        if not self._own.acquire(timeout=patience_s):
            return False
        for place in (_IS_NEXT, _WRITES):
            while not self._hold(place):
                if time.monotonic() >= until:
                    self.leave()
                    return False
                time.sleep(_LOOKS_EVERY_S)
        self._free(_IS_NEXT)
        return True

    def leave(self) -> None:
        """Let the next one go."""
        self._free(_IS_NEXT)
        self._free(_WRITES)
        self._own.release()

    def _hold(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            return False
        return True

    def _free(self, place: int) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)


def turns_at(database: str) -> Turns:
    """Return the turns at a database's file, the same ones for everybody in this process: kept in a file beside it."""
    path = f"{Path(database).resolve()}-turns"
    with _mutex:
        # A file that is opened twice would lose what a process holds of it when either is closed (fcntl(2)).
        if path not in _known:
            _known[path] = Turns(path)
        return _known[path]
