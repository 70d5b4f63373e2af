"""The floors: what the same machine does in the same minute when it does nothing but the unavoidable."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence

import psycopg
from sqlalchemy import make_url

from ledger.ids import new_id
from ledger.store import engine_for

_TABLE = "CREATE TABLE IF NOT EXISTS bench_floor (id uuid PRIMARY KEY, amount bigint NOT NULL)"
_GRANT = "GRANT SELECT ON bench_floor TO PUBLIC"
_SELECT = "SELECT amount FROM bench_floor WHERE id = %s"
_INSERT = "INSERT INTO bench_floor (id, amount) VALUES (%s, %s)"


def libpq(url: str) -> str:
    """Return an address as psycopg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def rate(work: Callable[[int], int], callers: int, seconds: float) -> float:
    """Return how many things a second `callers` threads get done; `work(caller)` does some and returns how many."""
    done = [0] * callers
    start = threading.Barrier(callers + 1)
    end = threading.Event()

    def live(caller: int) -> None:
        start.wait()
        while not end.is_set():
            done[caller] += work(caller)

    threads = [threading.Thread(target=live, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    start.wait()
    began, before = time.monotonic(), sum(done)
    time.sleep(seconds)
    after, ended = sum(done), time.monotonic()
    end.set()
    for thread in threads:
        thread.join()
    return (after - before) / (ended - began)


def durable_inserts(owner_url: str, callers: int, seconds: float) -> float:
    """Return the single-row INSERTs a second, each a transaction that is on the disk before the next, of so many callers."""
    connections = [psycopg.connect(libpq(owner_url), autocommit=True) for _ in range(callers)]
    connections[0].execute(_TABLE)
    connections[0].execute(_GRANT)

    def insert(caller: int) -> int:
        connections[caller].execute(_INSERT, (new_id(), 1))
        return 1

    try:
        return rate(insert, callers, seconds)
    finally:
        for connection in connections:
            connection.close()


def durable_inserts_sqlite(owner_url: str, seconds: float) -> float:
    """Return the same of SQLite, which has one writer."""
    with engine_for(owner_url, migrating=True).connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("CREATE TABLE IF NOT EXISTS bench_floor (id TEXT PRIMARY KEY, amount INTEGER NOT NULL) STRICT")

        def insert(_: int) -> int:
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("INSERT INTO bench_floor (id, amount) VALUES (?, ?)", (new_id().hex, 1))
            raw.execute("COMMIT")
            return 1

        return rate(insert, 1, seconds)


def rate_once(things: int, work: Callable[[], object]) -> float:
    """Return the things a second of a work that does so many at once."""
    began = time.monotonic()
    work()
    return things / (time.monotonic() - began)


def bare_rows(owner_url: str, rows: int) -> float:
    """Return the rows a second that `executemany` writes, in one transaction."""
    with psycopg.connect(libpq(owner_url)) as connection:
        connection.execute(_TABLE)
        values = [(new_id(), number) for number in range(rows)]
        began = time.monotonic()
        connection.cursor().executemany(_INSERT, values)
        connection.commit()
        return rows / (time.monotonic() - began)


def hashes(entries: Sequence[bytes]) -> float:
    """Return the entries a second whose bytes are hashed once."""
    began = time.monotonic()
    for entry in entries:
        hashlib.sha256(entry).digest()
    return len(entries) / (time.monotonic() - began)


def row_reads(url: str, times: int) -> list[float]:
    """Return the milliseconds that each of so many reads of one row by its key took."""
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM bench_floor LIMIT 1000").fetchall()]
        return times_ms(lambda number: connection.execute(_SELECT, (ids[number % len(ids)],)).fetchone(), times)


def times_ms(work: Callable[[int], object], times: int) -> list[float]:
    """Return the milliseconds that each of so many pieces of work took, in ascending order."""
    took = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)
