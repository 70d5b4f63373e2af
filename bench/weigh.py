"""Open every page as everybody who sees it, in every way of looking, and print what it weighs and whether it can be used (`make weigh`).

Exit status 0 only where nothing stands against any page, and the volunteer's first page is at most 100 kB in 3 requests.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from playwright.sync_api import Browser
from playwright.sync_api import BrowserContext
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.orm import Session

from bench import weighing
from bench.server import Server
from bench.server import scratch_database
from bench.server import serving
from bench.weighing import LOOKS
from bench.weighing import Looks
from bench.weighing import Weighed
from ledger import people
from ledger import sign_in
from ledger.store import engine_for
from ledger.web.kit.auth import SESSION_COOKIE
from scripts.browser import ARGUMENTS
from scripts.browser import program
from scripts.demo import make_community
from scripts.demo.days import see_to_todays_activity
from scripts.demo.stage import Stage
from scripts.demo.till import new_pin
from scripts.demo.till import pairing_code

#: Who looks, with the key of the cast, and whether they sit at a desk as well.
AUDIENCES = {
    "public": (None, False),
    "volunteer": ("volunteer", False),
    "leader": ("leader", False),
    "approver": ("first_approver", True),
    "grid worker": ("grid_worker", True),
    "administrator": ("administrator", True),
    "owner": ("owner", False),
    "till": ("cashier", True),
}
#: Who looked, how, and what was measured.
Row = tuple[str, str, Weighed]
FIRST_BYTES_MAX, FIRST_REQUESTS_MAX = 100_000, 3


def main() -> None:
    """Measure, print, and tell by the exit status."""
    chosen = os.environ.get("LOOKS", "")
    looks = [one for one in LOOKS if one.name in chosen.split("; ") or not chosen]
    with scratch_database("sqlite") as (url, _), serving(url) as server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
        with community(server, url) as stage:
            rows = list(_rows(browser, server, stage, looks))
        browser.close()
    console = Console(width=max(140, Console().width))
    _print(console, rows)
    first = next(row for audience, name, row in rows if audience == "volunteer" and row.address == "/me")
    painted = f"painted after {first.first_paint_ms or 0:.0f} ms"
    console.print(f"the volunteer's first page: {first.bytes:,} bytes in {first.requests} requests, {painted}")
    faulty = sum(bool(row.faults) for _, _, row in rows)
    is_light = first.bytes <= FIRST_BYTES_MAX and first.requests <= FIRST_REQUESTS_MAX
    console.print(f"weigh: {'ok' if is_light and not faulty else 'failed'}, {len(rows)} views, {faulty} with faults")
    sys.exit(0 if is_light and not faulty else 1)


@contextlib.contextmanager
def community(server: Server, url: str) -> Iterator[Stage]:
    """Play the demonstration behind a server, until now."""
    engine = engine_for(url)
    with Session(engine) as session:
        stage = Stage(session, people.Vault.of(server.settings), datetime.now(UTC))
        make_community(stage)
        see_to_todays_activity(stage)
        session.commit()
        yield stage
    engine.dispose()


def enter(context: BrowserContext, home: str, stage: Stage, key: str | None) -> None:
    """Sign somebody in; the cashier on a paired device, on which they open a shift."""
    if key == "cashier":
        pairing, pin = pairing_code(stage, timedelta(minutes=10)), new_pin(stage)
        stage.session.commit()
        page = context.new_page()
        page.goto(f"{home}/pair/{pairing}")
        page.get_by_role("button").first.click()
        page.goto(f"{home}/shift")
        page.locator("input[name=_pin]").fill(pin)
        page.get_by_role("button").first.click()
        page.close()
    elif key:
        token = sign_in.open_session(stage.session, stage.book, stage.who(key), "passkey", stage.now)
        stage.session.commit()
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": home}])


def _rows(browser: Browser, server: Server, stage: Stage, looks: list[Looks]) -> Iterator[Row]:
    home = server.settings.public_url
    with Progress(console=Console(stderr=True)) as bar:
        for audience, (key, has_desk) in AUDIENCES.items():
            with browser.new_context() as context:
                enter(context, home, stage, key)
                pages = sorted(weighing.walk(context, home, "/till" if key == "cashier" else "/").values())
                state = context.storage_state()
            wanted = [one for one in looks if has_desk or not one.is_desk]
            task = bar.add_task(audience, total=len(wanted) * len(pages))
            for one in wanted:
                # As a browser that has seen nothing yet, each time.
                with browser.new_context(storage_state=state, **one.options()) as context:
                    one.choose(context, home)
                    weighing.bring_axe(context)
                    page = context.new_page()
                    network = context.new_cdp_session(page)
                    network.send("Network.enable")
                    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
                    network.send("Network.setBypassServiceWorker", {"bypass": True})
                    said: list[str] = []
                    _listen(context, said)
                    for address in pages:
                        page.goto(home + address)
                        weighed = weighing.weigh(page, address)
                        yield audience, one.name, replace(weighed, faults=(*weighed.faults, *said))
                        said.clear()
                        bar.advance(task)


def _listen(context: BrowserContext, said: list[str]) -> None:
    context.on("console", lambda message: said.append(f"console: {message.text}") if message.type in {"error", "warning"} else None)
    context.on("weberror", lambda problem: said.append(f"uncaught: {problem.error}"))


def _print(console: Console, rows: list[Row]) -> None:
    table = Table("who", "page", "looked at", "bytes", "requests", "paint ms", "text px", "target px", "faults")
    for audience, name, row in rows:
        figures = (row.bytes, row.requests, row.first_paint_ms, row.smallest_text_px, row.smallest_target_px)
        told = ("–" if figure is None else f"{figure:,.0f}" for figure in figures)
        table.add_row(audience, weighing.page_of(row.address), name, *told, "; ".join(row.faults))
    console.print(table)


if __name__ == "__main__":
    main()
