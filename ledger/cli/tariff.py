"""`flask ledger tariff ...`: taking in a tariff, setting caps, showing what is in force."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger import areas
from ledger import tariff
from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.cli.words import about_rate_fault
from ledger.clock import local_day

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_FROM = click.option("--from", "valid_from", type=_DAY, required=True, help="first day it holds 生效日")

tariff_group = AppGroup("tariff", help="What deeds are worth, and how much of it counts (积分细则).")


def register(group: click.Group) -> None:
    """Add the commands about the tariff to `flask ledger`."""
    group.add_command(tariff_group)


@tariff_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=Path("examples/tariff.csv"))
@_BOOK
@_FROM
def import_(file: Path, number: int, valid_from: datetime) -> None:
    """Take in a tariff FILE (CSV: category,deed,deed_zh,unit,points), all or nothing (导入积分细则)."""
    with at_desk() as desk:
        rows = areas.rows_of(file.read_bytes(), tariff.COLUMNS)
        report = tariff.import_tariff(desk.session, desk.act(number, "import"), rows, valid_from=valid_from.date())
    for fault in report.faults:
        click.echo(about_rate_fault(fault), err=True)
    if report.faults:
        raise click.ClickException(f"共 {len(report.faults)} 处错误，未写入任何内容 / {len(report.faults)} faults, nothing was written")
    click.echo(
        f"新增 {report.added}，改价 {report.changed}，不变 {report.unchanged} / "
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged"
    )


@tariff_group.command("cap")
@_BOOK
@click.option("--period", type=click.Choice(tariff.PERIODS), required=True, help="in which 周期")
@click.option("--measure", type=click.Choice(tariff.MEASURES), required=True, help="what is counted 计量")
@click.option("--most", type=int, required=True, help="how much at most 上限")
@_FROM
@click.option("--category", help="only this category 只限此类别")
@click.option("--deed", help="only this deed 只限此事项")
@click.option("--unless-checked-in", is_flag=True, help="does not count what a check-out attests 签到签退的不计")
def cap(
    number: int, period: str, measure: str, most: int, valid_from: datetime, category: str | None, deed: str | None, unless_checked_in: bool
) -> None:  # fmt: skip
    """Set the most that a person can earn in a period (设定上限)."""
    with at_desk() as desk:
        act = desk.act(number)
        made = done(
            tariff.define_cap(
                desk.session, act, period=period, measure=measure, most=most, valid_from=valid_from.date(), category=category, deed=deed,
                unless_checked_in=unless_checked_in,
            )
        )  # fmt: skip
        click.echo(f"{made.period} {made.measure} <= {made.most:,}")


@tariff_group.command("list")
@_BOOK
@click.option("--on", type=_DAY, help="of which day, today unless given 哪一天")
def list_(number: int, on: datetime | None) -> None:
    """List the rates and caps in force on a day (列出当日细则)."""
    with at_desk() as desk:
        book = desk.book(number)
        day = on.date() if on else local_day(desk.at, book.zone)
        rates = Table("类别 category", "事项 deed", "名称 name", "单位 unit", "积分 points", "生效 from")
        for rate in tariff.rates_on(desk.session, book.id, day):
            rates.add_row(rate.category, rate.deed, Text(rate.name_zh), rate.unit, f"{rate.points:,}", str(rate.valid_from))
        caps = Table("周期 period", "计量 measure", "上限 most", "只限 only", "生效 from")
        for limit in tariff.limits(desk.session, book.id):
            if limit.valid_from <= day and (limit.valid_to is None or day <= limit.valid_to):
                only = limit.deed or limit.category or ""
                caps.add_row(limit.period, limit.measure, f"{limit.most:,}", only, str(limit.valid_from))
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    console.print(rates)
    console.print(caps)
