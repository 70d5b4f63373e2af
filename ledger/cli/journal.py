"""`flask ledger verify`, `flask ledger close-year`: the journal, recomputed and closed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress
from rich.progress import TaskID
from sqlalchemy.orm import Session

from ledger import areas
from ledger import claims
from ledger import journal
from ledger.cli.desk import at_desk
from ledger.store import snapshot
from ledger.web.kit.extensions import services

#: Returns what does not hold of a book.
Verifier = Callable[[Session, UUID], list[journal.Fault]]
#: Of each part: many of one hide none of another.
_FAULTS_SHOWN = 50


def register(group: click.Group) -> None:
    """Add the commands about the journal to `flask ledger`."""
    group.add_command(verify)
    group.add_command(close_year)


@click.command("verify")
@click.option("--book", "number", type=int, help="number of the book; all of them if not given 账簿号")
@with_appcontext
def verify(number: int | None) -> None:
    """Recompute everything of a book and say what does not hold, with its place (核对账簿).

    All of it in one snapshot: whoever posts meanwhile neither waits nor is seen.
    """
    found = 0
    with at_desk() as desk, Progress(console=Console(stderr=True), transient=True) as progress:
        snapshot(desk.session)
        books = [desk.book(number)] if number else areas.books(desk.session)
        # Read after the snapshot has begun: nothing in it is later.
        at = services().clock.now()
        for book in books:
            task = progress.add_task(book.name, total=None)
            parts = [journal.verify(desk.session, book.id, at, partial(_show, progress, task))]
            others = (claims.verify, *current_app.extensions["verifiers"])
            # How long these take is not known beforehand: a bar that moves tells that they go on.
            progress.remove_task(task)
            task = progress.add_task(book.name, total=None)
            parts += (recompute(desk.session, book.id) for recompute in others)
            progress.remove_task(task)
            sums = journal.trial_balance(desk.session, book.id)
            click.echo(f"{book.number} {book.name}: {'，'.join(f'{kind} {points:+,}' for kind, points in sorted(sums.items()))}")
            for faults in parts:
                for fault in faults[:_FAULTS_SHOWN]:
                    # A file of SQLite may hold text that is none.
                    click.echo(f"  {fault.place}: {fault.what}".encode(errors="backslashreplace"))
                if hidden := len(faults[_FAULTS_SHOWN:]):
                    click.echo(f"  …… {hidden:,} 处未列出 / more that are not shown")
                found += len(faults)
    click.echo(f"verify: {found} faults" if found else "verify: clean")
    sys.exit(1 if found else 0)


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


@click.command("close-year")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@with_appcontext
def close_year(number: int) -> None:
    """Book the points that ran out when the year turned (结转到期积分)."""
    with at_desk() as desk:
        act = desk.act(number)
        click.echo(f"{journal.close_year(desk.session, act):,} 分到期 / points ran out")
