"""`flask ledger claims ...`: deeds from an office's sheet, and crediting what has become due."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from ledger import claims
from ledger import people
from ledger import tariff
from ledger.cli.desk import Desk
from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import Person
from ledger.web.kit.problems import sentences

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")

claims_group = AppGroup("claims", help="Deeds on their way to points (申报与发放).")


def register(group: click.Group) -> None:
    """Add the commands about claims to `flask ledger`."""
    group.add_command(claims_group)


@claims_group.command("credit-due")
@_BOOK
def credit_due(number: int) -> None:
    """Credit what has stood on notice long enough, and what waited for funds that have come (发放到期的公示与候拨申报)."""
    with at_desk() as desk:
        states = Counter(moved.state for moved in claims.credit_due(desk.session, desk.act(number)))
        click.echo(
            f"发放 {states['credited']}，仍候拨 {states['awaiting_funds']} / "
            f"{states['credited']} credited, {states['awaiting_funds']} now wait for funds"
        )


@claims_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_BOOK
@click.option("--by", "handle", required=True, help="passbook number of whoever proposes the deeds 申报人的存折号")
@click.option("--write", is_flag=True, help="write it; without this it is only tried 正式写入，不加则只试算")
def import_(file: Path, number: int, handle: str, write: bool) -> None:
    """Propose the deeds of FILE (see `claims template`): a dry run unless --write is given; all or nothing (导入善行表，默认只试算)."""
    with at_desk() as desk, Progress(console=Console(stderr=True)) as bar:
        act = desk.act(number, "import")
        by = people.by_handle(desk.session, act.book_id, handle)
        if by is None:
            raise NotFound("by")
        reach = done(_reach(desk, number, by))
        task = bar.add_task("善行 deeds", total=None)
        reading = claims.read_deeds(file.read_bytes())
        report = done(
            claims.import_claims(
                desk.session, replace(act, actor=by.id), desk.vault, reach, reading, dry_run=not write,
                progress=lambda count, total: bar.update(task, completed=count, total=total),
            )
        )  # fmt: skip
    _show(reading, report)
    if write and not report.is_written:
        raise click.ClickException(
            f"有 {len(report.faults)} 格不能导入，未写入任何内容 / {len(report.faults)} cells cannot be taken, nothing was written"
        )


def _reach(desk: Desk, number: int, by: Person) -> claims.Reach | Refusal:
    """Return whose deeds somebody may take in from a sheet."""
    book = desk.book(number)
    powers = people.powers_of(desk.session, book.id, by.id, local_day(desk.at, book.zone))
    reach = claims.reach_of(desk.session, book.id, by.id, powers, "import")
    return reach if reach.scope else Refusal("not-allowed", "by")


def _show(reading: claims.DeedsReading, report: claims.DeedsReport) -> None:
    table = Table("工作表\nsheet", "单元格\ncell", "内容\nsays", "为什么不能导入\nwhy it cannot be taken", show_lines=True)
    for fault in report.faults:
        said = sentences(fault.code, fault.data)
        # Plain text: what stands in a cell must not be taken for markup.
        table.add_row(*(Text(text) for text in (fault.sheet, fault.cell, fault.says, f"{said['zh']}\n{said['en']}")))
    if report.faults:
        console = Console()
        console.print(table) if console.is_terminal else Console(width=160).print(table)
    for sheet in reading.skipped:
        click.echo(f"工作表“{sheet}”没有善行表头或被隐藏，未读取 / sheet {sheet}: no heading of deeds, or hidden; not read")
    state = ("已写入", "written") if report.is_written else ("试算，未写入", "dry run, nothing written")
    click.echo(
        f"{state[0]}：读到 {report.rows} 件，可申报 {report.claims} 件，共 {report.points} 分，不能导入 {len(report.faults)} 格\n"
        f"{state[1]}: {report.rows} deeds read, {report.claims} to claim, worth {report.points} points, {len(report.faults)} cells refused"
    )


@claims_group.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_BOOK
def template(file: Path, number: int) -> None:
    """Write an empty sheet for deeds to FILE, with today's tariff to choose from (生成空白善行表)."""
    with at_desk() as desk:
        book = desk.book(number)
        rates = tariff.rates_on(desk.session, book.id, local_day(desk.at, book.zone))
        file.write_bytes(claims.empty_sheet([rate.name_zh for rate in rates]))
        click.echo(str(file))
