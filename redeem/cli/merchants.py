"""`flask redeem till ...` and `flask redeem staff ...`: the shops' tills, and who stands at them."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import AppGroup

from ledger import people
from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.clock import local_day
from redeem import library
from redeem import merchants

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
_UNIT = click.option("--unit", "unit_name", required=True, help="name of the shop 商户名称")
_DAY = click.DateTime(formats=["%Y-%m-%d"])

till_group = AppGroup("till", help="Tills of shops (收银台).")
staff_group = AppGroup("staff", help="Owners and cashiers of shops (店主与收银员).")


def register(group: click.Group) -> None:
    """Add the commands about shops to `flask redeem`."""
    group.add_command(till_group)
    group.add_command(staff_group)


@till_group.command("add")
@_BOOK
@_UNIT
@click.option("--name", required=True, help="what it is called 收银台名称")
def add(number: int, unit_name: str, name: str) -> None:
    """Open a till in a white unit; its first makes it a shop (开设收银台)."""
    with at_desk() as desk:
        act = desk.act(number)
        unit = library.unit_named(desk.session, act.book_id, unit_name)
        till = done(merchants.add_till(desk.session, act, unit.id, name=name))
        click.echo(f"{unit.name}: {till.name}, {till.id}")


@staff_group.command("hire")
@_BOOK
@_UNIT
@click.option("--handle", required=True, help="the person's 8-digit number 人员编号")
@click.option("--role", required=True, type=click.Choice(people.SHOP_ROLES), help="岗位")
@click.option("--from", "starts_on", type=_DAY, help="first day, today unless given 起始日")
@click.option("--to", "ends_on", type=_DAY, help="last day 截止日")
def hire(number: int, unit_name: str, handle: str, role: str, starts_on: datetime | None, ends_on: datetime | None) -> None:
    """Let somebody work in a shop, as owner or cashier (聘用)."""
    with at_desk() as desk:
        act = desk.act(number)
        unit = library.unit_named(desk.session, act.book_id, unit_name)
        if (person := people.by_handle(desk.session, act.book_id, handle)) is None:
            raise click.ClickException(f"没有编号为 {handle} 的人员 / nobody has the handle {handle}")
        first = starts_on.date() if starts_on else local_day(desk.at, desk.book(number).zone)
        last = ends_on.date() if ends_on else None
        done(merchants.hire(desk.session, act, unit.id, person_id=person.id, role=role, starts_on=first, ends_on=last))
        click.echo(f"{handle}: {role} @ {unit.name}, {first} – {last or ''}")
