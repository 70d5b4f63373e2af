"""`flask redeem offer ...`: what can be had for points."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table

from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.clock import local_day
from redeem import catalogue
from redeem import library

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
_DAY = click.DateTime(formats=["%Y-%m-%d"])
#: Far more than a book has.
_OFFERS_MAX = 10_000

offer_group = AppGroup("offer", help="What can be had for points (兑换商品与服务).")


def register(group: click.Group) -> None:
    """Add the commands about offers to `flask redeem`."""
    group.add_command(offer_group)


@offer_group.command("add")
@_BOOK
@click.option("--unit", "unit_name", required=True, help="name of the shop 商户名称")
@click.option("--title", required=True, help="what it is 名称")
@click.option("--points", type=int, required=True, help="its price 积分")
@click.option("--cash-fen", type=int, default=0, show_default=True, help="cash beside the points, in fen 另付现金(分)")
@click.option("--limit", "limit_per_person", type=int, help="so many for one person in the --period 每人限兑")
@click.option("--period", "limit_period", type=click.Choice(catalogue.LIMIT_PERIODS), help="限兑周期")
@click.option("--stock", type=int, help="how many there are; without it, it never runs out 库存")
@click.option("--from", "starts_on", type=_DAY, help="first day, today unless given 起始日")
@click.option("--to", "ends_on", type=_DAY, help="last day 截止日")
def add(
    number: int, unit_name: str, title: str, points: int, cash_fen: int, limit_per_person: int | None, limit_period: str | None,
    stock: int | None, starts_on: datetime | None, ends_on: datetime | None,
) -> None:  # fmt: skip
    """Offer something of a shop (上架)."""
    with at_desk() as desk:
        act = desk.act(number)
        unit = library.unit_named(desk.session, act.book_id, unit_name)
        offer = done(
            catalogue.add_offer(
                desk.session,
                act,
                unit.id,
                title=title,
                points=points,
                cash_fen=cash_fen,
                limit_per_person=limit_per_person,
                limit_period=limit_period,
                stock=stock,
                valid_from=starts_on.date() if starts_on else local_day(desk.at, desk.book(number).zone),
                valid_to=ends_on.date() if ends_on else None,
            )
        )
        click.echo(f"{unit.name}: {offer.title}, {offer.points} 分 points, {offer.id}")


@offer_group.command("list")
@_BOOK
@click.option("--unit", "unit_name", help="only of this shop 只列一家商户")
def list_(number: int, unit_name: str | None) -> None:
    """List what can be had today (列出今天可兑换的).

    A stock of – never runs out.
    """
    table = Table("商户\nshop", "名称\ntitle", "积分\npoints", "现金(分)\ncash, fen", "库存\nstock")
    with at_desk() as desk:
        book = desk.book(number)
        unit_ids = [library.unit_named(desk.session, book.id, unit_name).id] if unit_name else None
        rows = catalogue.offers(desk.session, book.id, local_day(desk.at, book.zone), unit_ids=unit_ids, limit=_OFFERS_MAX)
        names = library.names_of(desk.session, book.id, {row.offer.unit_id for row in rows})
        for row in rows:
            on_hand = "–" if row.on_hand is None else str(row.on_hand)
            table.add_row(names[row.offer.unit_id], row.offer.title, str(row.offer.points), str(row.offer.cash_fen), on_hand)
    Console().print(table)
