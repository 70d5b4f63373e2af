"""Whoever writes to an SQLite file waits for their turn, in one process and in several."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from ledger.store import engine_for
from ledger.turns import Turns
from ledger.turns import turns_at

_ROOT = Path(__file__).parent.parent.parent
# Another process: writes as often as it can, and says how often it did.
_ENGINE = """
import sys, time
from ledger.store import engine_for
engine = engine_for(sys.argv[1], migrating=True)
"""
_WRITER = f"""{_ENGINE}
print("ready", flush=True)
until, times = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < until:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO note (text) VALUES ('other')")
        time.sleep(0.005)
    times += 1
print(times)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Give the address of an SQLite file with one table."""
    url = f"sqlite:///{tmp_path}/book.db"
    engine = engine_for(url, poolclass=NullPool, migrating=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE note (text TEXT) STRICT")
    return url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Give an engine on it."""
    found = engine_for(url, migrating=True)
    yield found
    found.dispose()


def _other(program: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *words], cwd=_ROOT, stdout=subprocess.PIPE, text=True)


def _write(engine: Engine, text: str = "own") -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO note (text) VALUES (?)", (text,))


def _count(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM note").scalar_one())


def test_those_who_wait_write_in_the_order_they_came(engine: Engine) -> None:
    came: list[int] = []

    def write(number: int) -> None:
        with engine.begin():
            came.append(number)

    with ThreadPoolExecutor(4) as pool, engine.begin():
        tasks = []
        for number in range(4):
            tasks.append(pool.submit(write, number))
            time.sleep(0.05)
    for task in tasks:
        task.result()
    assert came == [0, 1, 2, 3]


@pytest.mark.parametrize("fails", [False, True])
def test_the_next_one_goes_at_once_whether_the_one_before_committed_or_failed(engine: Engine, *, fails: bool) -> None:
    for _ in range(3):
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("INSERT INTO nothing VALUES (1)" if fails else "INSERT INTO note (text) VALUES ('own')")
        except OperationalError:
            assert fails
    assert _count(engine) == (0 if fails else 3)


def test_whoever_waits_too_long_is_told_that_the_database_is_locked(engine: Engine) -> None:
    is_writing, may_end = Event(), Event()

    def hold() -> None:
        with engine.begin():
            is_writing.set()
            may_end.wait(10)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert is_writing.wait(10)
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA busy_timeout = 100")
            with pytest.raises(OperationalError, match="database is locked"):
                connection.exec_driver_sql("SELECT 1")
        may_end.set()
        holding.result()
    _write(engine)
    assert _count(engine) == 1


def test_readers_wait_for_nobody(engine: Engine) -> None:
    _write(engine)
    with engine.begin() as writing:
        writing.exec_driver_sql("INSERT INTO note (text) VALUES ('more')")
        with engine.connect().execution_options(sqlite_begin="DEFERRED") as reading:
            assert reading.exec_driver_sql("SELECT count(*) FROM note").scalar_one() == 1


def test_two_processes_get_as_many_turns_as_each_other(url: str, engine: Engine) -> None:
    with _other(_WRITER, url, "2") as other:
        assert other.stdout
        assert other.stdout.readline() == "ready\n"
        until = time.monotonic() + 2

        def write_on() -> int:
            times = 0
            while time.monotonic() < until:
                with engine.begin() as connection:
                    connection.exec_driver_sql("INSERT INTO note (text) VALUES ('own')")
                    time.sleep(0.005)
                times += 1
            return times

        # However many threads one process has waiting, it stands in line once.
        with ThreadPoolExecutor(4) as pool:
            own = sum(task.result() for task in [pool.submit(write_on) for _ in range(4)])
        others = int(other.stdout.read())
    assert _count(engine) == own + others
    assert min(own, others) * 2 > max(own, others)


def test_the_turn_of_a_process_that_is_killed_is_free(url: str, engine: Engine) -> None:
    with _other(f"{_ENGINE}\nkept = engine.connect()\nkept.begin()\nprint('holds', flush=True)\ntime.sleep(60)", url) as other:
        assert other.stdout
        assert other.stdout.readline() == "holds\n"
        other.kill()
        other.wait()
        began = time.monotonic()
        _write(engine)
        assert time.monotonic() - began < 2


def test_all_who_use_a_file_in_one_process_use_the_same_turns(tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to(tmp_path)
    assert turns_at(f"{tmp_path}/book.db") is turns_at(f"{tmp_path}/there/book.db")
    assert isinstance(turns_at(f"{tmp_path}/other.db"), Turns)
