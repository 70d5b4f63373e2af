"""`flask redeem unit ...`: the units of the resource library."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table

from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from redeem import library

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
#: Far more than a book has.
_UNITS_MAX = 10_000

unit_group = AppGroup("unit", help="Units of the resource library: red, white, green (资源库单位).")


def register(group: click.Group) -> None:
    """Add the commands about units to `flask redeem`."""
    group.add_command(unit_group)


@unit_group.command("add")
@_BOOK
@click.option("--name", required=True, help="what it is called 名称")
@click.option(
    "--colour", required=True, type=click.Choice(library.COLOURS), help="red party and government, white business, green neighbourhood"
)
@click.option("--area", "area_code", required=True, help="code of the area it lies in 区划代码")
@click.option("--address", default="", help="where it is 地址")
def add(number: int, name: str, colour: str, area_code: str, address: str) -> None:
    """Take a unit into the library (登记单位)."""
    with at_desk() as desk:
        unit = done(library.add_unit(desk.session, desk.act(number), name=name, colour=colour, area_code=area_code, address=address))
        click.echo(f"{unit.name}: {unit.colour}, {unit.area_code}")


@unit_group.command("list")
@_BOOK
@click.option("--colour", type=click.Choice(library.COLOURS), help="only those 只列一种颜色")
def list_(number: int, colour: str | None) -> None:
    """List the units of a book (列出单位)."""
    table = Table("名称\nname", "颜色\ncolour", "区划\narea", "地址\naddress")
    with at_desk() as desk:
        for unit in library.units(desk.session, desk.book(number).id, colour=colour, limit=_UNITS_MAX):
            table.add_row(unit.name, unit.colour, unit.area_code, unit.address)
    Console().print(table)
