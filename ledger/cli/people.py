"""`flask ledger people ...` and `flask ledger roster ...`: enrolling, roles, ties, sign-in links, and an office's Excel."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger import areas
from ledger import claims
from ledger import people
from ledger import sign_in
from ledger.cli.desk import Desk
from ledger.cli.desk import at_desk
from ledger.cli.desk import done
from ledger.cli.desk import telling
from ledger.cli.words import about_doubt
from ledger.clock import local_day
from ledger.points import POINTS_MAX

_BOOK = click.option("--book", "number", type=int, required=True, help="number of the book 账簿号")
_HANDLE = click.option("--handle", required=True, help="the person's 8-digit number 人员编号")
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_AT_ONCE = 500


people_group = AppGroup("people", help="People, their roles and ties, and how they sign in (人员、角色、亲属与登录).")
roster_group = AppGroup("roster", help="Read and import an office's roster in Excel (居委会的花名册).")


def register(group: click.Group) -> None:
    """Add the commands about people to `flask ledger`."""
    group.add_command(people_group)
    group.add_command(roster_group)


def _person(desk: Desk, number: int, handle: str) -> people.Person:
    if (person := people.by_handle(desk.session, desk.book(number).id, handle)) is None:
        raise click.ClickException(f"没有编号为 {handle} 的人员 / nobody has the handle {handle}")
    return person


@people_group.command("enrol")
@_BOOK
@click.option("--area", "area_code", required=True, help="code of the area 区划代码")
@click.option("--name", prompt="姓名 name")
@click.option("--phone", prompt="电话 phone", default="", show_default=False)
@click.option("--non-resident", is_flag=True, help="works here, lives elsewhere 外来务工")
@click.option("--role", "roles", multiple=True, type=click.Choice(people.ROLES), default=["volunteer"], show_default=True)
def enrol(number: int, area_code: str, name: str, phone: str, non_resident: bool, roles: tuple[str, ...]) -> None:
    """Enrol one person; name and phone are asked for, so that they stay out of the shell's history (登记一人)."""
    with at_desk() as desk:
        new = people.NewPerson(name, area_code, phone=phone or None, is_resident=not non_resident, roles=roles)
        person = done(people.enrol(desk.session, desk.act(number), desk.vault, new))
        click.echo(f"编号 handle: {person.handle}")


@people_group.command("list")
@_BOOK
@click.option("--area", "area_code", help="code of an area, the whole book unless given 区划代码，默认整个账簿")
@click.option("--names", "with_names", is_flag=True, help="their names too 同时列出姓名")
def list_(number: int, area_code: str | None, with_names: bool) -> None:
    """List who is enrolled, by number: where they live and whether they are still there (列出人员编号)."""
    with at_desk() as desk:
        book_id, after = desk.book(number).id, ""
        scope = (areas.path_of(desk.session, book_id, area_code),) if area_code else areas.EVERYWHERE
        while found := people.living_in(desk.session, book_id, scope, after=after, limit=_AT_ONCE):
            names = people.names_of(desk.session, desk.vault, book_id, [one.id for one in found]) if with_names else {}
            for one in found:
                click.echo("  ".join((one.handle, one.area_code, one.status, *([names[one.id]] if with_names else []))))
            after = found[-1].handle


@people_group.command("grant")
@_BOOK
@_HANDLE
@click.option("--role", required=True, type=click.Choice([role for role in people.ROLES if role not in people.SHOP_ROLES]))
@click.option("--area", "area_code", required=True, help="code of the area 区划代码")
@click.option("--from", "starts_on", type=_DAY, help="first day, today unless given 起始日")
@click.option("--to", "ends_on", type=_DAY, help="last day 截止日")
def grant(number: int, handle: str, role: str, area_code: str, starts_on: datetime | None, ends_on: datetime | None) -> None:
    """Give somebody a role in an area and below it (授予角色)."""
    with at_desk() as desk:
        act = desk.act(number)
        first = starts_on.date() if starts_on else local_day(desk.at, desk.book(number).zone)
        last: date | None = ends_on.date() if ends_on else None
        person = _person(desk, number, handle)
        done(people.grant_role(desk.session, act, person_id=person.id, role=role, area_code=area_code, starts_on=first, ends_on=last))
        click.echo(f"{handle}: {role} @ {area_code}, {first} – {last or ''}")


@people_group.command("confirm-role")
@_BOOK
@_HANDLE
@click.option("--role", required=True, type=click.Choice(people.ROLES))
def confirm_role(number: int, handle: str, role: str) -> None:
    """Confirm a role that an administrator proposed, where there is no second one (确认管理员提出的角色)."""
    with at_desk() as desk:
        act, person = desk.act(number), _person(desk, number, handle)
        waiting = [one for one in people.grants_of(desk.session, act.book_id, person.id) if one.role == role and one.waits]
        if not waiting:
            raise click.ClickException(f"没有人提出让 {handle} 担任 {role} / nobody proposed {role} for {handle}")
        for one in waiting:
            done(people.confirm_grant(desk.session, act, one.id))
            click.echo(f"{handle}: {role} @ {one.area_code}, {one.starts_on} – {one.ends_on or ''}")


@people_group.command("end-role")
@_BOOK
@_HANDLE
@click.option("--role", required=True, type=click.Choice(people.ROLES))
@click.option("--area", "area_code", required=True, help="code of the area 区划代码")
@click.option("--on", "last", type=_DAY, help="last day, today unless given 截止日")
def end_role(number: int, handle: str, role: str, area_code: str, last: datetime | None) -> None:
    """Let a role end; a resident supervisor's ends in no other way before its last day (结束角色)."""
    with at_desk() as desk:
        act, person = desk.act(number), _person(desk, number, handle)
        ends_on = last.date() if last else local_day(desk.at, desk.book(number).zone)
        held = [
            one
            for one in people.grants_of(desk.session, act.book_id, person.id)
            if (one.role, one.area_code) == (role, area_code) and (one.ends_on is None or one.ends_on > ends_on)
        ]
        if not held:
            raise click.ClickException(f"{handle} 在 {area_code} 没有 {role} / {handle} holds no {role} in {area_code}")
        for one in held:
            done(people.end_grant(desk.session, act, one.id, ends_on))
            click.echo(f"{handle}: -{role} @ {area_code}, {ends_on}")


@people_group.command("tie")
@_BOOK
@_HANDLE
@click.option("--other", required=True, help="the other person's number 另一人编号")
@click.option("--kind", type=click.Choice(people.TIE_KINDS), required=True)
def tie(number: int, handle: str, other: str, kind: str) -> None:
    """Record that two people are kin or of one household: neither decides for the other (登记亲属或同户)."""
    with at_desk() as desk:
        act = desk.act(number)
        done(people.tie(desk.session, act, _person(desk, number, handle).id, _person(desk, number, other).id, kind))
        click.echo(f"{handle} – {other}: {kind}")


@people_group.command("untie")
@_BOOK
@_HANDLE
@click.option("--other", required=True, help="the other person's number 另一人编号")
@click.option("--kind", type=click.Choice(people.TIE_KINDS), required=True)
def untie(number: int, handle: str, other: str, kind: str) -> None:
    """End a tie that was declared by mistake; what it was stays known (解除误登的亲属或同户)."""
    with at_desk() as desk:
        act = desk.act(number)
        done(people.untie(desk.session, act, _person(desk, number, handle).id, _person(desk, number, other).id, kind))
        click.echo(f"{handle} – {other}: -{kind}")


@people_group.command("charge")
@_BOOK
@_HANDLE
@click.argument("handles", nargs=-1, required=True)
def charge(number: int, handle: str, handles: tuple[str, ...]) -> None:
    """Give the building leader --handle the persons HANDLES to look after (划定楼长联系的住户)."""
    with at_desk() as desk:
        act = desk.act(number)
        ids = [_person(desk, number, one).id for one in handles]
        done(people.give_charge(desk.session, act, _person(desk, number, handle).id, ids))
        click.echo(f"{handle}: +{len(handles)}")


@people_group.command("mandate")
@_BOOK
@_HANDLE
@click.option("--helper", required=True, help="number of whoever is to act for --handle 代办人编号")
@click.option("--kind", type=click.Choice(people.MANDATE_KINDS), default="helper", show_default=True)
@click.option("--to", "ends_on", type=_DAY, help="last day; a guardian's is the 14th birthday unless given 截止日")
@click.option("--points-per-day", type=click.IntRange(0, POINTS_MAX), default=0, show_default=True, help="每天最多代兑多少分")
def mandate(number: int, handle: str, helper: str, kind: str, ends_on: datetime | None, points_per_day: int) -> None:
    """Let somebody act for --handle: a helper for an elder, a guardian for a child (登记代办人或监护人)."""
    with at_desk() as desk:
        act, today = desk.act(number), local_day(desk.at, desk.book(number).zone)
        person, by, last = _person(desk, number, handle), _person(desk, number, helper), ends_on.date() if ends_on else None
        given = done(
            people.give_mandate(desk.session, act, desk.vault, people.NewMandate(person.id, by.id, kind, today, last, points_per_day))
        )
        click.echo(f"{helper} → {handle}: {kind}, {given.starts_on} – {given.ends_on}")


@people_group.command("end-mandate")
@_BOOK
@_HANDLE
@click.option("--helper", required=True, help="number of whoever acts for --handle 代办人编号")
def end_mandate(number: int, handle: str, helper: str) -> None:
    """Let somebody act for --handle no more, from now on (结束代办)."""
    with at_desk() as desk:
        act, today = desk.act(number), local_day(desk.at, desk.book(number).zone)
        person, by = _person(desk, number, handle), _person(desk, number, helper)
        found = people.mandates(desk.session, act.book_id, helper_id=by.id, person_id=person.id)
        alive = [one for one in found if one.ended_at is None and one.ends_on >= today]
        if not alive:
            raise click.ClickException(f"{helper} 不能替 {handle} 代办 / {helper} does not act for {handle}")
        for one in alive:
            done(people.end_mandate(desk.session, act, one.id, within=areas.EVERYWHERE))
        click.echo(f"{helper} → {handle}: -")


@people_group.command("lead")
@_BOOK
@_HANDLE
@click.option("--team", "team_name", required=True, help="name of the team 团队名称")
@click.option("--to", "ends_on", type=_DAY, help="last day 截止日")
def lead(number: int, handle: str, team_name: str, ends_on: datetime | None) -> None:
    """Let one of its members lead a team from today: report for it, and see its passbook (指定队长)."""
    with at_desk() as desk:
        act, today = desk.act(number), local_day(desk.at, desk.book(number).zone)
        team, last = _team(desk, number, team_name), ends_on.date() if ends_on else None
        person = _person(desk, number, handle)
        done(people.lead_team(desk.session, act, team_id=team.id, person_id=person.id, starts_on=today, ends_on=last))
        click.echo(f"{handle}: {team.name}, {today} – {last or ''}")


def _team(desk: Desk, number: int, name: str) -> people.Team:
    if (team := people.team_named(desk.session, desk.book(number).id, name)) is None:
        raise click.ClickException(f"没有叫 {name} 的团队 / there is no team called {name}")
    return team


@people_group.command("merge")
@_BOOK
@_HANDLE
@click.option("--gone", required=True, help="number of the record that goes 不保留的编号")
@click.option("--confirm", is_flag=True, help="confirm what somebody else proposed 确认别人提出的合并")
def merge(number: int, handle: str, gone: str, confirm: bool) -> None:
    """Propose that --gone is the same person as --handle; what one of the staff proposed can be confirmed here (合并重复的记录)."""
    with at_desk() as desk:
        act, kept, going = desk.act(number), _person(desk, number, handle), _person(desk, number, gone)
        if confirm:
            proposed = people.merge_proposed(desk.session, act.book_id, kept.id, going.id)
            if proposed is None:
                raise click.ClickException(f"没有人提出把 {gone} 并入 {handle} / nobody proposed to merge {gone} into {handle}")
            found = done(claims.merge(desk.session, act, proposed.id))
        else:
            found = done(people.propose_merge(desk.session, act, kept_id=kept.id, gone_id=going.id))
        click.echo(f"{gone} → {handle}: {found.state}")


@people_group.command("sweep")
@_BOOK
def sweep(number: int) -> None:
    """Delete the applications nobody answered in 30 days, and wrong guesses of more than a day ago; for once a day (删去过期的登记申请)."""
    with at_desk() as desk:
        book_id = desk.book(number).id
        count = people.sweep_applications(desk.session, book_id, desk.at)
        sign_in.sweep_guesses(desk.session, book_id, desk.at)
        click.echo(f"删去 {count} 份 / {count} deleted")


@people_group.command("link")
@_BOOK
@_HANDLE
@click.option("--hours", type=click.IntRange(1, 24), default=24, show_default=True, help="how long it can be used 有效小时数")
def link(number: int, handle: str, hours: int) -> None:
    """Print a one-time sign-in link (生成一次性登录链接)."""
    with at_desk() as desk:
        act = desk.act(number)
        token = sign_in.issue_link(desk.session, act, _person(desk, number, handle).id, lives=timedelta(hours=hours))
        click.echo(desk.link_address(token))


@people_group.command("reset")
@_BOOK
@_HANDLE
def reset(number: int, handle: str) -> None:
    """Let somebody set up another way in: what they signed in with is gone, every session ends; print a one-time link (重办登录)."""
    with at_desk() as desk:
        act = desk.act(number)
        person, within = _person(desk, number, handle), areas.EVERYWHERE
        issued = done(sign_in.issue_way_in(desk.session, act, desk.vault, person.id, anew=True, within=within, staff_within=within))
        click.echo(desk.link_address(sign_in.link_token(desk.session, desk.vault, act.book_id, issued)))


@people_group.command("token")
@_BOOK
@_HANDLE
@click.option("--days", type=click.IntRange(1, 366), default=1, show_default=True, help="how long it is good 有效天数")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([*people.ROLES, *sign_in.FURTHER]), help="all unless given 用途，默认全部"
)
@click.option("--name", default="", help="what it is for 用于何处")
def token(number: int, handle: str, days: int, scopes: tuple[str, ...], name: str) -> None:
    """Print a bearer token for the API, good for what its person may do and its scopes say (生成接口令牌)."""
    with at_desk() as desk:
        act, person_id, lives = desk.act(number), _person(desk, number, handle).id, timedelta(days=days)
        click.echo(sign_in.issue_bearer(desk.session, act, [person_id], lives=lives, scopes=scopes or None, name=name)[0])


_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@roster_group.command("read")
@_FILE
def read(file: Path) -> None:
    """Read FILE and name every doubtful cell; no book is touched (试读花名册，逐格列出疑点)."""
    with telling():
        reading = people.read_roster(file.read_bytes())
        doubts = (*people.duplicates_in(reading), *reading.doubts)
    _show(doubts)
    click.echo(f"读到 {len(reading.rows)} 人，疑点 {len(doubts)} 处 / {len(reading.rows)} people read, {len(doubts)} doubtful cells")


def _choices(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.rpartition("=") for text in given]
    if any(not cell for cell, _, _ in pairs):
        raise click.BadParameter("--cell G17=skip")
    return {cell: choice for cell, _, choice in pairs}


@roster_group.command("import")
@_FILE
@_BOOK
@click.option("--area", "area_code", required=True, help="code of the community whose roster it is 社区代码")
@click.option("--duplicates", type=click.Choice(["ask", "skip", "merge", "enrol"]), default="ask", show_default=True, help="疑似重复的人员")
@click.option("--cell", "by_cell", multiple=True, callback=_choices, help="the same for one cell, for example G17=skip 单格选择")
@click.option("--moved", type=click.Choice(["leave-out", "enrol"]), default="leave-out", show_default=True, help="已搬走的人员")
@click.option("--children", type=click.Choice(["ask", "leave-out"]), default="ask", show_default=True, help="未满 14 岁的人员")
@click.option("--unknown-grids", type=click.Choice(["ask", "community", "leave-out"]), default="ask", show_default=True, help="没有的网格")
@click.option("--write", is_flag=True, help="write it; without this it is only tried 正式写入，不加则只试算")
def import_(file: Path, number: int, write: bool, **given: str) -> None:
    """Import FILE into a book: a dry run unless --write is given; all of it or nothing (导入花名册，默认只试算)."""
    with at_desk() as desk:
        reading = people.read_roster(file.read_bytes())
        choices = people.RosterChoices(**given)  # type: ignore[arg-type]  # --cell has become a dict, the rest is text
        report = people.import_roster(desk.session, desk.act(number, "import"), desk.vault, reading, choices=choices, dry_run=not write)
    _show(report.doubts)
    _sum_up(report)
    if write and not report.is_written:
        raise click.ClickException(
            f"有 {len(report.asks)} 处需要选择，未写入任何内容：请用 --duplicates、--cell、--children 或 --unknown-grids 选择 / "
            f"{len(report.asks)} cells want a choice, nothing was written: choose with --duplicates, --cell, --children or --unknown-grids"
        )


def _show(doubts: tuple[people.Doubt, ...]) -> None:
    table = Table("工作表\nsheet", "单元格\ncell", "内容\nsays", "疑点与处理\ndoubt, and what happens", show_lines=True)
    for doubt in doubts:
        # Plain text: what stands in a cell must not be taken for markup.
        table.add_row(*(Text(text) for text in (doubt.sheet, f"{doubt.cell}{' ?' if doubt.asks else ''}", doubt.says, about_doubt(doubt))))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=160).print(table)


def _sum_up(report: people.RosterReport) -> None:
    state = ("已写入", "written") if report.is_written else ("试算，未写入", "dry run, nothing written")
    click.echo(
        f"{state[0]}：共 {report.rows} 人，登记 {report.enrolled}，已在册 {report.known}，合并 {report.merged}，不导入 {report.left_out}，"
        f"待选择 {len(report.asks)}；楼长 {report.leaders}，家庭 {report.households}\n"
        f"{state[1]}: {report.rows} people: {report.enrolled} enrolled, {report.known} known, {report.merged} merged, "
        f"{report.left_out} left out, {len(report.asks)} to choose; {report.leaders} leaders, {report.households} households"
    )
