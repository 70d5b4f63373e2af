"""The story's figures: one table on the screen, and one in docs/story.md for each database."""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.month.client import Tally
from bench.month.closing import Books
from bench.month.community import Community
from bench.month.sizes import Sizes

DOCUMENT = Path(__file__).parents[2] / "docs" / "story.md"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HEAD = """# The story: a month of a large community

`make story` plays one month of a community over the pages and the API, against the production server with a clock that is moved:
activities with rotating venue codes, patrols in shifts, deeds reported, proposed and attested, approval by risk, notice, a fund that
runs out, redemptions in both directions, voids, and everything that must be refused. Any answer that was not expected is an error. At
the end every balance that the API tells is compared with the journal, and `flask ledger verify` recomputes all of it.

Everybody comes in as people and machines do:

- **Administrators** (two), by a link of `flask ledger people link`; **approvers and grid workers** by links that took both of them;
  **shop owners** the same way. All set up a password and one-time codes on the pages, and sign in with them whenever they work: every
  morning the administrator, who gives a role with a fresh proof, and an approver, who approves the first page of the queue; grid workers
  bear witness.
- **Cashiers**: the owner hires them and pairs the device of the first till in some shops; they set their PIN by the owner's code and
  open a shift every day. They take pay codes that are typed, draw orders, and let elders type card and PIN. All other tills are machines
  with tokens for a cashier and nothing else, which the administrator made.
- **Volunteers**: some more every day by a link, on phones that stay signed in; they report deeds, show codes, pay orders and say yes on
  the pages. The many others are stood for by tokens that the operator made (`flask ledger people token`), each with the scopes of its role.
- **Elders** with card and PIN at the counter and at tills; a **helper** who agreed to act for one of them pays within the day's limit,
  and once a day beyond it, which is refused; a **guardian** reports what a child did.
- **Every day** somebody tries what must not work: wrong PINs until the device has to wait, a link that was used, a copied cookie after
  its owner signed out, a form that wants a fresh proof, a token whose scopes do not reach.

The figures are written by the command itself (`make story`, `make story DATABASE_URL=postgresql`). Client and server share the cores.
"""


@dataclass(frozen=True)
class Figures:
    """What there is to tell."""

    kind: str
    sizes: Sizes
    community: Community
    tally: Tally
    books: Books
    #: Seconds: of the month itself, and of everything with setting up and checking.
    played_s: float
    whole_s: float


def rows(figures: Figures) -> list[tuple[str, str]]:
    """Return the figures with their names."""
    sizes, books, tally = figures.sizes, figures.books, figures.tally
    return [
        ("residents, households", f"{figures.community.residents:,}, {figures.community.households:,}"),
        ("building leaders, grid workers, patrol volunteers", f"{sizes.building_leaders}, {sizes.grid_workers}, {sizes.patrol_volunteers}"),
        ("activities, units, shops", f"{sizes.activities}, {sizes.units}, {sizes.shops}"),
        ("awards", f"{books.awards:,}"),
        ("points issued", f"{books.issued:,}"),
        ("redemptions", f"{books.redemptions:,}"),
        ("points redeemed, of them given back", f"{books.redeemed:,}, {books.voided:,}"),
        ("points outstanding", f"{books.outstanding:,}"),
        ("refused, as expected", f"{tally.refused.total():,}"),
        ("errors", f"{len(tally.errors)}"),
        ("came in by link, password and code, shift, card", ", ".join(f"{count:,}" for count in came_in(tally))),
        ("requests, of them over the pages", f"{tally.requests:,}, {tally.over_pages:,}"),
        ("requests a second", f"{tally.requests / figures.played_s:,.0f}"),
        ("seconds, with setting up and checking", f"{figures.played_s:,.0f}, {figures.whole_s:,.0f}"),
    ]


def came_in(tally: Tally) -> tuple[int, int, int, int]:
    """Return how often somebody signed in, by each way: what was sent, without what was refused."""
    sent, refused = Counter({route: len(times) for route, times in tally.times.items()}), tally.refused
    return (
        sent["POST /sign-in/…"] - refused["link-used"] - refused["link-not-enough"],
        sent["POST /sign-in"] - refused["sign-in-wrong"],
        sent["POST /shift"] + sent["POST /shift/pin"],
        sent["POST /counter"] - refused["card-or-pin-wrong"] - refused["guesses-too-many"],
    )


def routes(tally: Tally) -> list[tuple[str, int, float, float]]:
    """Return for each route how often it was asked, and the median and 99th percentile in milliseconds, the most asked first."""
    found = []
    for route, times in sorted(tally.times.items(), key=lambda item: -len(item[1])):
        ordered = sorted(times)
        found.append((route, len(ordered), ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]))
    return found


def show(figures: Figures) -> None:
    """Print the one table."""
    table = Table("route", "requests", "p50 ms", "p99 ms", title=f"善行存折 · {NAMES[figures.kind]}")
    for route, count, median, high in routes(figures.tally):
        table.add_row(route, f"{count:,}", f"{median:.1f}", f"{high:.1f}")
    table.add_section()
    for name, value in rows(figures):
        table.add_row(name, value)
    table.add_section()
    for code, count in figures.tally.refused.most_common():
        table.add_row(f"refused: {code}", f"{count:,}")
    console = Console()
    console.print(table) if console.is_terminal else Console(width=140).print(table)


def write(figures: Figures) -> None:
    """Write the database's part of docs/story.md anew; the other's stays."""
    name = NAMES[figures.kind]
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)) if DOCUMENT.exists() else {}
    parts[name] = _part(figures)
    listed = [f"## {each}\n{parts[each]}" for each in NAMES.values() if each in parts]
    DOCUMENT.write_text("\n".join([HEAD, *(part.rstrip() + "\n" for part in listed)]))


def _part(figures: Figures) -> str:
    refused = "，".join(f"{code} {count}" for code, count in figures.tally.refused.most_common())
    lines = [
        "",
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}.",
        "",
        "| figure | |",
        "|---|---:|",
        *(f"| {name} | {value} |" for name, value in rows(figures)),
        "",
        f"Refused by reason: {refused.replace('，', ', ')}.",
        "",
        "| route | requests | p50 ms | p99 ms |",
        "|---|---:|---:|---:|",
        *(f"| {route} | {count:,} | {median:.1f} | {high:.1f} |" for route, count, median, high in routes(figures.tally)),
    ]
    return "\n".join(lines) + "\n"
