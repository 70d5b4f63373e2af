"""`flask ledger areas ...`: the national table, opening a book, drawing grids."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ledger import areas
from ledger import journal
from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.cli.words import about_fault

areas_group = AppGroup("areas", help="Areas, books and grids (区划、账簿与网格).")


def register(group: click.Group) -> None:
    """Add the commands about areas to `flask ledger`."""
    group.add_command(areas_group)


@areas_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=Path("examples/areas.csv"))
def import_(file: Path) -> None:
    """Take in the national table FILE (CSV: code,name,level,parent_code), all or nothing (导入区划表)."""
    with at_desk() as desk, Progress(console=Console(stderr=True)) as bar:
        rows = areas.rows_of(file.read_bytes())
        task = bar.add_task("区划 areas", total=len(rows))
        report = areas.import_published(desk.session, rows, progress=lambda count, total: bar.update(task, completed=count, total=total))
        for fault in report.faults:
            click.echo(about_fault(fault), err=True)
    if report.faults:
        raise click.ClickException(f"共 {len(report.faults)} 处错误，未写入任何内容 / {len(report.faults)} faults, nothing was written")
    click.echo(
        f"读取 {report.read} 行：新增 {report.added}，更名或调整 {report.changed}，不变 {report.unchanged} / "
        f"{report.read} rows read: {report.added} added, {report.changed} changed, {report.unchanged} unchanged"
    )


@areas_group.command("open-book")
@click.option("--name", required=True, help="what the book is called 账簿名称")
@click.option("--area", "area_code", required=True, help="code of the area that it operates 区划代码")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="time zone 时区")
def open_book(name: str, area_code: str, zone: str) -> None:
    """Open a book over a published area, with a copy of its subtree and its accounts (开立账簿)."""
    with at_desk() as desk:
        book = areas.open_book(desk.session, name=name, area_code=area_code, zone=zone, at=desk.at)
        journal.open_book_accounts(desk.session, book.id, desk.at)
        click.echo(f"账簿 {book.number}：{book.name} / book {book.number} is open")


@areas_group.command("grid")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--parent", "parent_code", required=True, help="code of the community or grid above 上级代码")
@click.option("--code", required=True, help="its own code: the parent's with a suffix 网格代码")
@click.option("--name", required=True, help="its name 网格名称")
@click.option("--kind", type=click.Choice([*areas.GRID_KINDS, "micro"]), default="comprehensive", show_default=True)
def grid(number: int, parent_code: str, code: str, name: str, kind: str) -> None:
    """Draw a grid below a community, or a micro-grid below a grid (建立网格)."""
    level, of_kind = ("micro_grid", None) if kind == "micro" else ("grid", kind)
    with at_desk() as desk:
        act = desk.act(number)
        area = done(areas.add_grid(desk.session, act, parent_code=parent_code, code=code, name=name, level=level, kind=of_kind))
        click.echo(f"{area.code} {area.name}")


@areas_group.command("phone")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--area", "code", required=True, help="code of the community or grid 区划代码")
@click.argument("phone", required=False, default="")
def phone(number: int, code: str, phone: str) -> None:
    """Set the number that residents of an area call from their pages, or none (设置服务电话)."""
    with at_desk() as desk:
        area = areas.set_phone(desk.session, desk.act(number), code, phone)
        click.echo(f"{area.code} {area.name} {area.phone}".rstrip())


@areas_group.command("list")
@click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
@click.option("--below", "code", help="only this area and below 只列此区划及其下级")
def list_(number: int, code: str | None) -> None:
    """List a book's areas as a tree (列出区划)."""
    with at_desk() as desk:
        book = desk.book(number)
        table = Table("代码 code", "名称 name", "级别 level", "类型 kind")
        for area in areas.subtree(desk.session, book.id, areas.path_of(desk.session, book.id, code or book.area_code)):
            table.add_row(area.code, "  " * (area.path.count("/") - 1) + area.name, area.level, area.kind or "")
        Console().print(table)
