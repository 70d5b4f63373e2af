"""A team's leader: what the team has, who belongs to it, what it did, and reporting its deeds."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import claims
from ledger import people
from ledger.errors import Refusal
from ledger.web.kit import team
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.pictures import with_photos
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.pages.deeds import AT_ONCE
from ledger.web.pages.deeds import deed_choices
from ledger.web.pages.deeds import deed_from_form

pages = Blueprint("team", __name__, url_prefix="/teams")

#: The last deeds on the team's page.
DEEDS = 10


@pages.get("")
@allow("volunteer", for_others=False)
def led() -> ResponseReturnValue:
    """List the teams that one leads."""
    return render_template("ledger/team/led.html", teams=people.teams_led_by(session(), me().book_id, me().person_id, me().today))


@pages.get("/<uuid:team_id>")
@allow("volunteer", for_others=False)
def home(team_id: UUID) -> ResponseReturnValue:
    """Show what a team has, who belongs to it, and its last deeds."""
    found = team.seen(team_id)
    members = people.members_of_many(session(), me().book_id, [team_id], me().today)[team_id]
    rows = claims.of_team(session(), me().book_id, team_id, limit=DEEDS)
    names = people.names_of(session(), services().vault, me().book_id, members)
    return render_template(
        "ledger/team/home.html", team=found, balance=team.balance_of(found), members=people.persons(session(), me().book_id, members),
        names={one: people.masked_name(name) for one, name in names.items()}, rows=rows,
    )  # fmt: skip


@pages.get("/<uuid:team_id>/passbook")
@allow("volunteer", for_others=False)
def passbook(team_id: UUID) -> ResponseReturnValue:
    """Show the lines of a team's passbook, the newest first."""
    found = team.seen(team_id)
    (before,) = read_cursor(request.args.get("cursor"), int) or (None,)
    lines, deeds = team.lines_of(found, before, AT_ONCE + 1)
    page = page_of(lines, AT_ONCE, lambda line: [line.number])
    return render_template("ledger/team/passbook.html", team=found, lines=page.items, deeds=deeds, next=page.next)


@pages.get("/<uuid:team_id>/report")
@allow("volunteer", for_others=False)
def report_form(team_id: UUID) -> ResponseReturnValue:
    """Ask what the team did."""
    return render_template("ledger/team/report.html", team=team.seen(team_id), choices=deed_choices(), today=me().today)


@pages.post("/<uuid:team_id>/report")
@allow("volunteer", for_others=False)
@with_photos
@form_write(report_form)
def report(team_id: UUID) -> str | Refusal:
    """Report a deed of the team; somebody else bears witness to it."""
    told = replace(deed_from_form(), team_id=team_id)
    outcome = claims.report_for_team(session(), act(), services().vault, told)
    return outcome if isinstance(outcome, Refusal) else url_for("team.home", team_id=team_id)
