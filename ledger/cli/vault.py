"""`flask ledger vault ...`: which keys are in use, and changing them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress

from ledger import areas
from ledger import people
from ledger import store
from ledger.cli.desk import Desk
from ledger.cli.desk import at_desk
from ledger.web.kit.extensions import services

vault_group = AppGroup("vault", help="The keys of the vault, and what is erased (密钥与抹除).")
#: Of these no row is deleted, and erasing somebody empties a column.
_REWRITTEN = ("credential", "person")


def register(group: click.Group) -> None:
    """Add the commands about the vault to `flask ledger`."""
    group.add_command(vault_group)


@dataclass(frozen=True)
class _Part:
    """What of a book is under a key: what it is called, how much there is, and how its next set is looked at or changed."""

    name: str
    count: int
    sweep: Callable[[tuple[Any, ...] | None], people.Swept]


@vault_group.command("status")
def status() -> None:
    """Say how much of each book is not under today's keys (查看还有多少在旧密钥下)."""
    with at_desk() as desk:
        _say_keys(desk)
        left = _sweep(desk, write=False)
    click.echo(
        f"还有 {left} 处在旧密钥下，请运行 vault rotate / {left} under older keys: run `flask ledger vault rotate`"
        if left
        else "全部在今天的密钥下，旧密钥可以拿掉 / everything is under today's keys; older ones can be taken away"
    )


@vault_group.command("rotate")
def rotate() -> None:
    """Bring everything under today's keys, in sets, while the service serves; begun again, it goes on (更换密钥).

    Until it is done the keys before are given as PASSBOOK_MASTER_KEY_OLD and PASSBOOK_PEPPER_OLD.
    """
    with at_desk() as desk:
        _say_keys(desk)
        _sweep(desk, write=True)
        left = _sweep(desk, write=False, is_told=False)
        for book in areas.books(desk.session):
            desk.act(book.number)
    click.echo(f"还剩 {left} 处在旧密钥下 / left under older keys: {left}")
    sys.exit(1 if left else 0)


@vault_group.command("scrub")
@with_appcontext
def scrub() -> None:
    """Clear away what is left of what was deleted, after an erasure; as the tables' owner, like a migration (清除已删除资料的残留)."""
    try:
        store.scrub(services().settings.database_url, _REWRITTEN)
    except store.ScrubError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo("已清除 / cleared away")


def _say_keys(desk: Desk) -> None:
    before = desk.vault.old_master_key_id
    click.echo(f"主密钥 / master key: {desk.vault.master_key_id}{f'，上一把 / before: {before}' if before else ''}")


def _sweep(desk: Desk, *, write: bool, is_told: bool = True) -> int:
    """Go through everything of every book, a set at a time, each committed by itself; return how much is not under today's keys."""
    left = 0
    books = [(book.id, book.number, book.name) for book in areas.books(desk.session)]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for book_id, number, name in books:
            for part in _parts(desk, book_id, write=write):
                task = progress.add_task(f"{name} {part.name}", total=part.count)
                seen, old, lost = _sweep_part(desk, part, partial(progress.update, task))
                if is_told:
                    _say(number, part.name, seen, old, lost, write=write)
                if lost:
                    raise click.ClickException(
                        f"{part.name}：{lost} 处用给出的密钥打不开，请用 PASSBOOK_MASTER_KEY_OLD 给出上一把 / "
                        f"{lost} do not open with the keys given: give the one before as PASSBOOK_MASTER_KEY_OLD"
                    )
                left += old
    return left


def _sweep_part(desk: Desk, part: _Part, show: Callable[..., None]) -> tuple[int, int, int]:
    seen, old, lost = 0, 0, 0
    after: tuple[Any, ...] | None = None
    while True:
        swept = part.sweep(after)
        desk.session.commit()
        seen, old, lost, after = seen + swept.seen, old + swept.old, lost + swept.lost, swept.after
        show(completed=seen)
        if after is None:
            return seen, old, lost


def _parts(desk: Desk, book_id: UUID, *, write: bool) -> Iterator[_Part]:
    session, vault = desk.session, desk.vault
    for part in current_app.extensions["sealed_parts"]:
        sweep = partial(people.reseal, session, vault, book_id, part, write=write)
        yield _Part(part.name, people.count_of(session, book_id, part), sweep)
    # Last, since it opens what is sealed: by then every key opens.
    yield _Part("search_hash", people.count_of_people(session, book_id), partial(people.rehash, session, vault, book_id, write=write))


def _say(number: int, name: str, seen: int, old: int, lost: int, *, write: bool) -> None:
    done = ("已更换", "changed") if write else ("待更换", "to change")
    click.echo(f"{number} {name}: {seen}，{done[0]} {old}，打不开 {lost} / {old} {done[1]}, {lost} do not open")
