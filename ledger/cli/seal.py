"""`flask ledger seal`, `flask ledger witness`: the log, carried on; and who watches it."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from uuid import UUID

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress
from rich.progress import TaskID
from sqlalchemy.orm import Session

from ledger import areas
from ledger import seal as log
from ledger.areas import Book
from ledger.cli.desk import at_desk
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import services

#: How long the sealer rests where nothing waits.
REST_S = 0.5
#: A backlog leaves the processor to those who post: after each piece, so many times as long as it took.
REST_OF_A_BACKLOG = 1.0


def register(group: click.Group) -> None:
    """Add the commands about the log to `flask ledger`."""
    group.add_command(seal)
    group.add_command(log_key)
    group.add_command(witness)


@click.command("seal")
@click.option("--book", "number", type=int, help="number of the book; all of them if not given 账簿号")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="where the last signed heads are kept, apart from the database 存放已签名头的目录")
@click.option("--follow", is_flag=True, help="go on until stopped 持续运行")
@with_appcontext
def seal(number: int | None, folder: Path, *, follow: bool) -> None:
    """Write what was posted to the log, and sign its head (封存新记录并签名)."""
    if services().settings.log_key is None:
        raise click.ClickException("PASSBOOK_LOG_KEY is not set / 缺少设置 PASSBOOK_LOG_KEY: see docs/operating.md")
    sealers: dict[UUID, log.Sealer] = {}
    if follow:
        # Whoever posts comes first.
        os.nice(10)
    while True:
        for book in _books(number):
            sealer = sealers.setdefault(book.id, _sealer(book, log.Memory(folder)))
            with Progress(console=Console(stderr=True), transient=True, disable=follow) as progress:
                task = progress.add_task(book.name, total=None)
                sealed = sealer.work(partial(_show, progress, task), rest=REST_OF_A_BACKLOG if follow else 0)
            if sealed:
                sealer.ask_witnesses(sealed)
                click.echo(f"{book.number} {book.name}: {sealed.head.size:,} 条已封存 / sealed, root {sealed.head.root.hex()[:16]}")
        if not follow:
            return
        time.sleep(REST_S)


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


def _sealer(book: Book, memory: log.Memory) -> log.Sealer:
    settings = services().settings
    keys = [key for key in (settings.log_key, settings.log_key_old) if key]
    origin = f"{settings.public_url.partition('://')[2]}/log/{book.number}"
    return log.Sealer(lambda: Session(db.engine), book.id, origin, keys, memory, services().clock)


def _books(number: int | None) -> list[Book]:
    with at_desk() as desk:
        return [desk.book(number)] if number else areas.books(desk.session)


@click.command("log-key")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@with_appcontext
def log_key(number: int) -> None:
    """Print the public keys that the heads of a book's log are signed with, for witnesses and for whoever checks (日志公钥)."""
    with at_desk() as desk:
        sealer = _sealer(desk.book(number), log.Memory(Path()))
        origin = log.origin_of(desk.session, sealer.book_id) or sealer.origin
    for key in sealer.public_keys(origin):
        click.echo(str(key))


@click.group("witness")
def witness() -> None:
    """Who watches the log: other offices' witnesses (见证方)."""


@witness.command("add")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--key", "vkey", required=True, help="the witness's public key 见证方公钥")
@click.option("--address", required=True, help="where it is asked, for example https://witness.example.org 地址")
@with_appcontext
def add(number: int, vkey: str, address: str) -> None:
    """Let a witness watch a book's log (添加见证方)."""
    try:
        key = log.key_of(vkey)
    except log.NoteError as problem:
        raise click.ClickException(f"公钥不对 / not a witness's key: {problem}") from None
    if key.kind != log.COSIGNATURE or not address.startswith(("https://", "http://")):
        raise click.ClickException("要见证方的公钥和网址 / a witness has a cosignature key (type 4) and an address that begins with https://")
    with at_desk() as desk:
        act = desk.act(number)
        log.begin(desk.session, act.book_id, _sealer(desk.book(number), log.Memory(Path())).origin, act.at)
        log.add_witness(desk.session, act.book_id, key, act.at, address=address)
    click.echo(f"{key.name} 开始见证 / watches")


@witness.command("list")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@with_appcontext
def list_(number: int) -> None:
    """Say who watches a book's log, and up to where each has cosigned (见证方列表)."""
    with at_desk() as desk:
        book_id = desk.book(number).id
        seen = log.seen_by(desk.session, book_id)
        for one in log.witnesses(desk.session, book_id):
            click.echo(f"{log.key_of(one.key).name}\t{seen.get(one.key, 0):,}\t{one.address or '-'}")


@witness.command("end")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--name", required=True, help="the witness's name 名称")
@with_appcontext
def end(number: int, name: str) -> None:
    """Ask a witness no longer; what it has cosigned stays (停用见证方)."""
    with at_desk() as desk:
        act = desk.act(number)
        if not log.end_witness(desk.session, act.book_id, name, act.at):
            raise click.ClickException(f"没有这个见证方 / no such witness: {name}")
    click.echo(f"{name} 不再见证 / watches no longer")
