"""`flask ledger cards ...`: passbook cards, and passbook numbers that have become known to others."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ledger import people
from ledger import sign_in
from ledger.cli.desk import Desk
from ledger.cli.desk import at_desk
from ledger.cli.desk import done

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
_HANDLE = click.option("--handle", required=True, help="the person's 8-digit number 人员编号")

cards_group = AppGroup("cards", help="Passbook cards, and passbook numbers (存折卡与存折号).")


def register(group: click.Group) -> None:
    """Add the commands about cards to `flask ledger`."""
    group.add_command(cards_group)


def _person(desk: Desk, number: int, handle: str) -> people.Person:
    if (person := people.by_handle(desk.session, desk.book(number).id, handle)) is None:
        raise click.ClickException(f"没有编号为 {handle} 的人员 / nobody has the handle {handle}")
    return person


@cards_group.command("issue")
@_BOOK
@_HANDLE
def issue(number: int, handle: str) -> None:
    """Give somebody a card and print its number; the PIN they set themselves, at the counter (发卡)."""
    with at_desk() as desk:
        act = desk.act(number)
        card = done(people.issue_card(desk.session, act, _person(desk, number, handle).id))
        click.echo(f"卡号 card: {card.number}")


@cards_group.command("replace")
@_BOOK
@_HANDLE
def replace(number: int, handle: str) -> None:
    """Give somebody another card; the one they had opens nothing from now on (换卡)."""
    with at_desk() as desk:
        act = desk.act(number)
        person = _person(desk, number, handle)
        card = done(people.replace_card(desk.session, act, person.id))
        sign_in.end_card(desk.session, act, person.id)
        click.echo(f"卡号 card: {card.number}")


@cards_group.command("revoke")
@_BOOK
@_HANDLE
def revoke(number: int, handle: str) -> None:
    """Let somebody's card open nothing from now on (卡作废)."""
    with at_desk() as desk:
        act = desk.act(number)
        person = _person(desk, number, handle)
        card = done(people.revoke_card(desk.session, act, person.id))
        sign_in.end_card(desk.session, act, person.id)
        click.echo(f"-{card.number}")


@cards_group.command("renumber")
@_BOOK
@_HANDLE
def renumber(number: int, handle: str) -> None:
    """Give somebody another passbook number; the old one is dead (换存折号)."""
    with at_desk() as desk:
        act = desk.act(number)
        click.echo(f"编号 handle: {done(people.replace_handle(desk.session, act, _person(desk, number, handle).id)).handle}")
