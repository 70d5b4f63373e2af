"""A team's affairs: its members and leaders, its passbook, and the deeds its leader reports."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow import validate

from ledger import claims
from ledger import journal
from ledger import people
from ledger.errors import Refusal
from ledger.web.api.accounts import LineOut
from ledger.web.api.accounts import PassbookOut
from ledger.web.api.accounts import line_told
from ledger.web.api.people import PERSONS_MAX
from ledger.web.api.people import WRITERS
from ledger.web.kit import parts
from ledger.web.kit import team
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Shape
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("teams", __name__, "A team's members and leaders, its passbook, its deeds")


class LeaderIn(Shape):
    """Who is to lead a team, from one day to another (both included)."""

    person_id = Id(required=True)
    starts_on = Day(load_default=None, allow_none=True)
    ends_on = Day(load_default=None, allow_none=True)


class LeaderEndIn(Shape):
    """Whose leading of a team ends, and its last day."""

    person_id = Id(required=True)
    ends_on = Day(required=True)


class LeaderOut(Shape):
    """Somebody who leads or led a team."""

    team_id = Id(required=True)
    person_id = Id(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True, allow_none=True)


class MembersIn(Shape):
    """Who is to belong to a team."""

    person_ids = fields.List(Id(), required=True, validate=validate.Length(1, PERSONS_MAX))


class MembersEndIn(MembersIn):
    """Whose belonging to a team ends, and its last day."""

    ends_on = Day(required=True)


class MembersOut(Shape):
    """Who belongs to a team today, and who leads it."""

    team_id = Id(required=True)
    member_ids = fields.List(Id(), required=True)
    leaders = fields.List(fields.Nested(LeaderOut), required=True)


class TeamDeedOut(Shape):
    """A team's deed on its way to points."""

    id = Id(required=True)
    team_id = Id(required=True)
    state = fields.String(required=True)
    points = fields.Integer(required=True)
    deed_on = Day(required=True)


@blp.reads("/teams/<uuid:team_id>/members", MembersOut)
@allow(for_others=False)
def list_members(team_id: UUID) -> dict[str, Any]:
    """List who belongs to a team that one leads, or of one's areas."""
    return _members(team.seen(team_id).id)


@blp.writes("/teams/<uuid:team_id>/members", MembersIn, MembersOut)
@allow(*WRITERS, fresh=True)
def add_members(asked: dict[str, Any], team_id: UUID) -> dict[str, Any] | Refusal:
    """Let people of one's areas belong to a team of one's areas from today on; whoever decides on deeds, by an administrator of theirs."""
    refused = people.add_members(session(), act(), team_id, asked["person_ids"], within=me().scope(*WRITERS))
    return refused or _members(team_id)


@blp.writes("/teams/<uuid:team_id>/members/end", MembersEndIn, MembersOut)
@allow(*WRITERS, fresh=True)
def end_members(asked: dict[str, Any], team_id: UUID) -> dict[str, Any] | Refusal:
    """Let people belong to a team of one's areas until that day, yesterday at the earliest; what it did until then stays theirs too."""
    refused = people.end_members(session(), act(), team_id, asked["person_ids"], asked["ends_on"], within=me().scope(*WRITERS))
    return refused or _members(team_id)


@blp.writes("/teams/<uuid:team_id>/leaders", LeaderIn, LeaderOut, status=201)
@allow(*WRITERS, fresh=True)
def lead(asked: dict[str, Any], team_id: UUID) -> people.TeamLeader | Refusal:
    """Let one of its members lead a team of one's areas, from today unless a later day is told."""
    starts_on: date = asked.pop("starts_on") or me().today
    return people.lead_team(session(), act(), team_id=team_id, **asked, starts_on=starts_on, within=me().scope(*WRITERS))


@blp.writes("/teams/<uuid:team_id>/leaders/end", LeaderEndIn, LeaderOut)
@allow(*WRITERS, fresh=True)
def end_lead(asked: dict[str, Any], team_id: UUID) -> people.TeamLeader | Refusal:
    """Let somebody's leading of a team of one's areas end with that day, yesterday at the earliest."""
    return people.end_lead(session(), act(), team_id=team_id, **asked, within=me().scope(*WRITERS))


@blp.reads("/teams/<uuid:team_id>/passbook", PassbookOut)
@allow(for_others=False)
def passbook(team_id: UUID) -> journal.Balance:
    """Show what a team has that one leads, or of one's areas."""
    return team.balance_of(team.seen(team_id))


@blp.reads("/teams/<uuid:team_id>/passbook/lines", LineOut, paged=True)
@allow(for_others=False)
def lines(asked: dict[str, Any], team_id: UUID) -> Page:
    """List the lines of such a team's passbook, the newest first."""
    (before,) = read_cursor(asked["cursor"], int) or (None,)
    rows, deeds = team.lines_of(team.seen(team_id), before, asked["limit"] + 1)
    page = page_of(rows, asked["limit"], lambda line: [line.number])
    had = parts.had(page.items)
    return Page([line_told(line, deeds.get(line.reference), had.get(line.reference)) for line in page.items], page.next)


@blp.reads("/teams/<uuid:team_id>/claims", TeamDeedOut, paged=True)
@allow(for_others=False)
def list_claims(asked: dict[str, Any], team_id: UUID) -> Page:
    """List the deeds of such a team, the newest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    rows = claims.of_team(session(), me().book_id, team.seen(team_id).id, after=after, limit=asked["limit"] + 1)
    page = page_of(rows, asked["limit"], lambda row: [row.id])
    return Page([row.claim for row in page.items], page.next)


def _members(team_id: UUID) -> dict[str, Any]:
    members = people.members_of_many(session(), me().book_id, [team_id], me().today)[team_id]
    leaders = people.leaders_of(session(), me().book_id, team_id)
    return {"team_id": team_id, "member_ids": sorted(members), "leaders": leaders}
