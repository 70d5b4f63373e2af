"""`flask ledger seal`, `flask ledger witness`: the log, carried on; and who watches it."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import Progress
from rich.progress import TaskID
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ledger import areas
from ledger import seal as log
from ledger.areas import Book
from ledger.cli.desk import at_desk
from ledger.cli.desk import telling
from ledger.errors import NotFound
from ledger.store import absolute
from ledger.store import engine_for
from ledger.store import snapshot
from ledger.web.kit.extensions import services

#: How long the sealer rests where nothing waits.
REST_S = 0.5
#: A backlog leaves the processor to those who post: after each piece, so many times as long as it took.
REST_OF_A_BACKLOG = 3.0
#: And where the database is not to be had, or a log cannot be carried on.
REST_AFTER_TROUBLE_S = 10.0
NOTHING_SEALED = "还没有封存过 / nothing of this book was sealed yet: see `flask ledger seal`"


def register(group: click.Group) -> None:
    """Add the commands about the log to `flask ledger`."""
    group.add_command(seal)
    group.add_command(log_key)
    group.add_command(dump)
    group.add_command(witness)


@click.command("seal")
@click.option("--book", "number", type=int, help="number of the book; all of them if not given 账簿号")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="where the last signed heads are kept, apart from the database 存放已签名头的目录",
)
@click.option("--follow", is_flag=True, help="go on until stopped 持续运行")
@click.option("--with-parent", is_flag=True, help="stop when whoever started it is gone 随父进程结束")
@click.option(
    "--begin-here", is_flag=True, help="the folder is new: take the database's word for the heads signed so far 新目录，从库中最新的头开始"
)
@click.option(
    "--key-was-lost", is_flag=True, help="go on with a new key that the one before it does not vouch for 旧钥匙已丢失，用新钥匙继续"
)
@with_appcontext
def seal(number: int | None, folder: Path, *, follow: bool, with_parent: bool, begin_here: bool, key_was_lost: bool) -> None:
    """Write what was posted to the log, and sign its head (封存新记录并签名).

    With --follow a database that is not to be had is tried again, and a book whose log cannot be carried on keeps no other one waiting.
    """
    if services().settings.log_key is None:
        raise click.ClickException("PASSBOOK_LOG_KEY is not set / 缺少设置 PASSBOOK_LOG_KEY: see docs/operating.md")
    sealers: dict[UUID, log.Sealer] = {}
    engine = _sealers_engine()

    resting: dict[str, float] = {}

    def make(book: Book) -> log.Sealer:
        return _sealer(book, engine, log.Memory(folder), resting, begin_here=begin_here, key_was_lost=key_was_lost)

    asker = log.Asker(lambda trouble: click.echo(f"没有问到见证方 / the witnesses could not be asked: {trouble}", err=True))
    parent = os.getppid()
    if follow:
        # Whoever posts comes first.
        os.nice(10)
        asker.start()
    try:
        while True:
            troubles = _round(engine, number, sealers, make, asker, follow=follow)
            for trouble in troubles:
                click.echo(f"账本不能继续封存 / the log cannot be carried on: {trouble}", err=True)
            if not follow:
                asker.ask_all()
                sys.exit(1 if troubles else 0)
            if with_parent and os.getppid() != parent:
                return
            time.sleep(REST_AFTER_TROUBLE_S if troubles else REST_S)
    finally:
        engine.dispose()


def _sealers_engine() -> Engine:
    settings = services().settings
    own = settings.sealer_database_url
    if own is None and settings.database_url.startswith("postgresql"):
        raise click.ClickException("PASSBOOK_SEALER_DATABASE_URL is not set / 缺少设置 PASSBOOK_SEALER_DATABASE_URL: see docs/operating.md")
    return engine_for(absolute(own or settings.database_url), sealing=True)


def _round(
    engine: Engine,
    number: int | None,
    sealers: dict[UUID, log.Sealer],
    make: Callable[[Book], log.Sealer],
    asker: log.Asker,
    *,
    follow: bool,
) -> list[Exception]:
    troubles: list[Exception] = []
    try:
        books = _books(engine, number)
    except OperationalError as trouble:
        return [trouble]
    for book in books:
        try:
            sealer = sealers.setdefault(book.id, make(book))
            if sealed := _carry_on(book, sealer, follow=follow):
                asker.take(sealer, sealed)
        except Exception as trouble:
            # Whatever it is, a full disk or a key that cannot be read: other books go on being sealed.
            if not follow and not isinstance(trouble, (log.SealError, log.KeepingError, OperationalError)):
                raise
            troubles.append(trouble)
    return troubles


def _carry_on(book: Book, sealer: log.Sealer, *, follow: bool) -> log.Sealed | None:
    with Progress(console=Console(stderr=True), transient=True, disable=follow) as progress:
        task = progress.add_task(book.name, total=None)
        sealed = sealer.work(partial(_show, progress, task), rest=REST_OF_A_BACKLOG if follow else 0)
    if sealed:
        click.echo(f"{book.number} {book.name}: {sealed.head.size:,} 条已封存 / sealed, root {base64.b64encode(sealed.head.root).decode()}")
    return sealed or sealer.wanting()


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


def _sealer(
    book: Book, engine: Engine, memory: log.Memory, resting: dict[str, float], *, begin_here: bool, key_was_lost: bool
) -> log.Sealer:  # fmt: skip
    # With an engine of its own: neither this nor the thread that asks the witnesses has the application's.
    return log.Sealer(
        lambda: Session(engine), book.id, _origin(book), _keys(), memory, services().clock, begin_here, key_was_lost, resting=resting
    )


def _origin(book: Book) -> str:
    return log.origin_at(services().settings.public_url, book.number)


def _keys() -> list[bytes]:
    settings = services().settings
    return [key for key in (settings.log_key, settings.log_key_old) if key]


def _books(engine: Engine, number: int | None) -> list[Book]:
    with telling(), Session(engine, expire_on_commit=False) as session:
        # What only reads takes nobody's turn to write.
        snapshot(session)
        books = areas.books(session)
        if number and not (books := [book for book in books if book.number == number]):
            raise NotFound("book")
        return list(books)


@click.command("log-key")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@with_appcontext
def log_key(number: int) -> None:
    """Print the public keys of a book's log, for witnesses and for whoever checks, each with the word of the one before it (日志公钥)."""
    with at_desk() as desk:
        book = desk.book(number)
        known = log.log_keys(desk.session, book.id)
        origin = log.origin_of(desk.session, book.id) or _origin(book)
    named = {str(one.key) for one in known}
    # Of those in the environment, what has not signed yet.
    keys = [*known, *(log.LogKey(key) for key in log.log_keys_of(origin, _keys()) if str(key) not in named)]
    if not keys:
        raise click.ClickException("还没有封存过，也没有 PASSBOOK_LOG_KEY / nothing was sealed yet, and PASSBOOK_LOG_KEY is not set")
    for one in keys:
        click.echo(str(one.key))
        if one.note:
            click.echo(f"\n{one.note}")
        if not one.is_vouched:
            click.echo(f"没有前一把钥匙为它作证 / no key before it vouches for {one.key.id.hex()}", err=True)


@click.command("dump")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--to", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the file to write 导出文件")
@with_appcontext
def dump(number: int, path: Path) -> None:
    """Write a book down for whoever checks it: everything that the log is made of, and nothing of anybody (导出供审计核对).

    In one snapshot: whoever posts meanwhile neither waits nor is seen. docs/auditing.md says how to check it.
    """
    with at_desk() as desk, Progress(console=Console(stderr=True), transient=True) as progress:
        snapshot(desk.session)
        book = desk.book(number)
        if log.origin_of(desk.session, book.id) is None:
            raise click.ClickException(NOTHING_SEALED)
        try:
            # Whoever has it can open every leaf: it is for those who audit the book.
            file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        except FileExistsError:
            raise click.ClickException(f"文件已存在 / there is such a file already: {path}") from None
        except OSError as problem:
            raise click.ClickException(f"无法写入 / cannot be written: {path}: {problem.strerror}") from None
        task = progress.add_task(book.name, total=None)
        try:
            with file:
                count = log.dump(desk.session, book.id, file, services().clock.now(), partial(_show, progress, task))
        except BaseException as problem:
            # A piece of a book is no dump, and would keep the next run from writing one.
            path.unlink(missing_ok=True)
            if not isinstance(problem, OSError):
                raise
            raise click.ClickException(f"无法写入 / cannot be written: {path}: {problem.strerror}") from None
    click.echo(f"{book.number} {book.name}: {count:,} 条记录已导出 / records written to {path}")


@click.group("witness")
def witness() -> None:
    """Who watches the log: other offices' witnesses (见证方)."""


@witness.command("add")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--key", "vkey", required=True, help="the witness's public key 见证方公钥")
@click.option("--address", required=True, help="where it is asked, for example https://witness.example.org 地址")
@with_appcontext
def add(number: int, vkey: str, address: str) -> None:
    """Let a witness watch a book's log, one that has moved at its new address (添加见证方；换了网址的再添加一次).

    One that was ended may come back.
    """
    try:
        key = log.key_of(vkey)
    except log.NoteError as problem:
        raise click.ClickException(f"公钥不对 / not a witness's key: {problem}") from None
    if key.kind != log.COSIGNATURE or not _is_address(address):
        raise click.ClickException(
            "要见证方的公钥和网址 / a witness has a cosignature key (type 4) and an address that begins with https://"
        )
    with at_desk() as desk:
        act = desk.act(number)
        if log.origin_of(desk.session, act.book_id) is None:
            raise click.ClickException(NOTHING_SEALED)
        if not log.ask_at(desk.session, act.book_id, key, address, act.at):
            raise click.ClickException(f"已经在见证 / watches already: {key.name}")
    click.echo(f"{key.name} 开始见证 / watches")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_port = parts.port != 0
    except ValueError:
        return False
    is_plain = text.isascii() and not parts.query and not parts.fragment
    return is_plain and is_port and parts.scheme in {"https", "http"} and bool(parts.hostname)


@witness.command("list")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@with_appcontext
def list_(number: int) -> None:
    """Say who watches a book's log, and up to where each has cosigned (见证方列表)."""
    with at_desk() as desk:
        book_id = desk.book(number).id
        watching = log.witnesses(desk.session, book_id)
        seen = log.seen_by(desk.session, book_id, [one.key for one in watching])
        for one in watching:
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
