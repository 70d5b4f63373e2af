"""`flask ledger claims ...`: crediting what has become due."""

from __future__ import annotations

from collections import Counter

import click
from flask.cli import AppGroup

from ledger import claims
from ledger.cli.desk import at_desk

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
