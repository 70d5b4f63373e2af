"""`flask ledger funds ...`: opening funds and giving them budgets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger import areas
from ledger import funds
from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.clock import local_day

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
_DAY = click.DateTime(formats=["%Y-%m-%d"])

funds_group = AppGroup("funds", help="Where points come from (积分经费).")


def register(group: click.Group) -> None:
    """Add the commands about funds to `flask ledger`."""
    group.add_command(funds_group)


@funds_group.command("open")
@_BOOK
@click.option("--name", required=True, help="its name 经费名称")
@click.option("--area", "area_code", required=True, help="code of the area it pays for 区划代码")
@click.option("--from", "opens_on", type=_DAY, help="first day, today unless given 起始日")
@click.option("--to", "closes_on", type=_DAY, help="last day 截止日")
@click.option("--budget", type=int, help="its first points 首笔预算")
def open_(number: int, name: str, area_code: str, opens_on: datetime | None, closes_on: datetime | None, budget: int | None) -> None:
    """Open a fund for an area and below it, with its first budget if one is given (设立经费)."""
    with at_desk() as desk:
        act = desk.act(number)
        first = opens_on.date() if opens_on else local_day(desk.at, desk.book(number).zone)
        last = closes_on.date() if closes_on else None
        fund = done(
            funds.open_fund(desk.session, act, name=name, area_code=area_code, opens_on=first, closes_on=last, budget=budget)
        )  # fmt: skip
        click.echo(f"{fund.id} {fund.name}")


@funds_group.command("budget")
@_BOOK
@click.option("--fund", "fund_id", type=click.UUID, required=True, help="id of the fund, see `list` 经费编号")
@click.option("--points", type=int, required=True, help="how many more 追加积分")
def budget(number: int, fund_id: UUID, points: int) -> None:
    """Give a fund more to award, by an entry from the book's source (追加预算)."""
    with at_desk() as desk:
        act = desk.act(number)
        done(funds.add_budget(desk.session, act, fund_id, points))
        left = funds.left_in(desk.session, act.book_id, [fund_id])[fund_id]
        click.echo(f"余额 {left:,} 分 / {left:,} points left")


@funds_group.command("list")
@_BOOK
def list_(number: int) -> None:
    """List the funds of a book with what each has left (列出经费与余额)."""
    with at_desk() as desk:
        book = desk.book(number)
        found = funds.funds(desk.session, book.id, areas.EVERYWHERE)
        left = funds.left_in(desk.session, book.id, [fund.id for fund in found])
        table = Table("编号 id", "名称 name", "区划 area", "起止 dates", "余额 left")
        for fund in found:
            dates = f"{fund.opens_on} – {fund.closes_on or ''}"
            table.add_row(str(fund.id), Text(fund.name), fund.area_code, dates, f"{left[fund.id]:,}")
    console = Console()
    console.print(table) if console.is_terminal else Console(width=160).print(table)
