"""People, for staff: those of their areas; enrolling, roles, ties, charges, teams."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import fields
from marshmallow import validate

from ledger import people
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Truth
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("people", __name__, "People and what they may do")

#: Who sees the people of their areas, and who changes what is known of them.
READERS = ("grid_worker", "approver", "administrator")
WRITERS = ("grid_worker", "administrator")
#: Roles in an area; those of a shop are given by its owner.
AREA_ROLES = tuple(role for role in people.ROLES if role not in people.SHOP_ROLES)
#: A leader looks after 10 to 14 households: this many persons at once are enough.
PERSONS_MAX = 200


class PersonMadeOut(Shape):
    """Somebody, by what the service itself gave them."""

    id = Id(required=True)
    handle = fields.String(required=True)
    area_code = fields.String(required=True)
    is_resident = fields.Boolean(required=True)
    status = fields.String(required=True)


class PersonOut(PersonMadeOut):
    """Somebody, as staff see them before they open anything."""

    name = Personal(required=True, metadata={"description": "The surname and stars"})


class OpeningIn(Shape):
    """Why somebody's data is opened."""

    reason = Choice(*people.OPENING_REASONS, required=True)


class OpeningMadeOut(Shape):
    """An opening as it is written down; the person sees it."""

    id = Id(required=True)
    person_id = Id(required=True)
    reason = fields.String(required=True)
    opened_at = Moment(required=True)


class OpeningOut(OpeningMadeOut):
    """An opening, and for a quarter of an hour what it shows."""

    name = Personal(required=True, allow_none=True)
    phone = Personal(required=True, allow_none=True)
    gender = Personal(required=True, allow_none=True)
    birth_month = Personal(required=True, allow_none=True)
    address = Personal(required=True, allow_none=True)
    volunteer_number = Personal(required=True, allow_none=True)
    note = Personal(required=True, allow_none=True)


class CorrectionIn(Shape):
    """A field of somebody's data and what it is to say; nothing takes it away."""

    field = Choice(*people.PERSONAL_FIELDS, required=True)
    text = Words(500, required=True, allow_none=True, lines=True)


class CorrectionOut(Shape):
    """A correction as it is written down; the person sees it, with what stood there before."""

    id = Id(required=True)
    person_id = Id(required=True)
    field = fields.String(required=True)
    corrected_at = Moment(required=True)


class PeopleQuery(PageQuery):
    """Whom to look for: the one with a handle, or everybody, page by page."""

    handle = fields.String(
        load_default=None, validate=validate.Length(max=20), metadata={"maxLength": 20, "description": "A passbook number"}
    )


class PersonIn(Shape):
    """Somebody to enrol."""

    #: As typed: full-width spaces and digits are made plain before they are checked.
    name = fields.String(required=True, validate=validate.Length(1, 100), metadata={"minLength": 1, "maxLength": 100})
    area_code = Code(required=True)
    phone = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50), metadata={"maxLength": 50})
    is_resident = Truth(load_default=True)
    birth_month = Words(7, load_default=None, allow_none=True)
    gender = Choice("male", "female", load_default=None, allow_none=True)
    address = Words(500, load_default=None, allow_none=True)
    note = Words(500, load_default=None, allow_none=True, lines=True)
    volunteer_number = Words(100, load_default=None, allow_none=True)
    guardian_id = Id(load_default=None, allow_none=True, metadata={"description": "Who acts for somebody below 14; needed there"})


class ErasureIn(Shape):
    """That one means it: nothing brings back what was erased."""

    sure = Choice("yes", required=True)


class ErasureOut(Shape):
    """That somebody was erased, and when; nothing while it waits for another administrator."""

    person_id = Id(required=True)
    erased_at = Moment(required=True, allow_none=True)


class GrantOut(Shape):
    """A role somebody has or had."""

    id = Id(required=True)
    person_id = Id(required=True)
    role = fields.String(required=True)
    area_code = fields.String(required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True, allow_none=True)
    #: It holds only once another administrator has confirmed it.
    waits = fields.Boolean(required=True)


class GrantsOut(Shape):
    """The roles of one person."""

    items = fields.List(fields.Nested(GrantOut), required=True)


class GrantIn(Shape):
    """A role to give, from one day to another (both included)."""

    person_id = Id(required=True)
    role = Choice(*AREA_ROLES, required=True)
    area_code = Code(required=True)
    starts_on = Day(load_default=None, allow_none=True)
    ends_on = Day(load_default=None, allow_none=True)


class EndIn(Shape):
    """The last day of a role."""

    ends_on = Day(required=True)


class TieIn(Shape):
    """Two persons who may not decide for each other."""

    person_id = Id(required=True)
    other_id = Id(required=True)
    kind = Choice(*people.TIE_KINDS, required=True)


class TieOut(TieIn):
    """A tie as it is recorded."""


class LabelledTieIn(TieIn):
    """A tie, and what the other is to the person; the words lie sealed with the person."""

    label = Words(30, load_default=None, allow_none=True)


class ChargeIn(Shape):
    """The persons of the households that a building leader is to look after."""

    leader_id = Id(required=True)
    person_ids = fields.List(Id(), required=True, validate=validate.Length(1, PERSONS_MAX))


class ChargesOut(Shape):
    """A building leader's households."""

    leader_id = Id(required=True)
    households = fields.List(fields.List(Id()), required=True)


class TeamIn(Shape):
    """A team to make."""

    name = Words(50, required=True)
    area_code = Code(required=True)
    member_ids = fields.List(Id(), load_default=list, validate=validate.Length(max=PERSONS_MAX))


class TeamOut(Shape):
    """A team that earns as one."""

    id = Id(required=True)
    name = fields.String(required=True)
    area_code = fields.String(required=True)


@blp.reads("/people", PersonOut, query=PeopleQuery, paged=True)
@allow(*READERS)
def list_people(asked: dict[str, Any]) -> Page:
    """List the people of one's areas, or find the one with a handle; names are masked."""
    scope = me().scope(*READERS)
    if asked["handle"] is not None:
        found = people.by_handle(session(), me().book_id, asked["handle"], scope)
        return Page(_shown([found] if found else []), None)
    (after,) = read_cursor(asked["cursor"], str) or ("",)
    page = page_of(
        people.living_in(session(), me().book_id, scope, after=after, limit=asked["limit"] + 1), asked["limit"], lambda row: [row.handle]
    )
    return Page(_shown(page.items), page.next)


@blp.reads("/people/<uuid:person_id>", PersonOut)
@allow(*READERS)
def get_person(person_id: UUID) -> dict[str, Any]:
    """Show somebody of one's areas, without what has to be opened."""
    return _shown([people.person(session(), me().book_id, person_id, me().scope(*READERS))])[0]


@blp.writes("/people", PersonIn, PersonMadeOut, status=201)
@allow(*WRITERS)
def enrol(asked: dict[str, Any]) -> people.Person | Refusal:
    """Enrol somebody as a volunteer in one of one's areas."""
    return people.enrol(session(), act(), services().vault, people.NewPerson(**asked), within=me().scope(*WRITERS))


def _with_what_is_open(opening: dict[str, Any]) -> dict[str, Any]:
    person_id, by, now = UUID(opening["person_id"]), me().actor_id, services().clock.now()
    shown = people.opened(session(), services().vault, me().book_id, person_id, by, now) or {}
    return opening | {field: shown.get(field) for field in people.PERSONAL_FIELDS}


@blp.writes("/people/<uuid:person_id>/openings", OpeningIn, OpeningMadeOut, status=201, told=(OpeningOut, _with_what_is_open))
@allow(*READERS)
def open_person(asked: dict[str, Any], person_id: UUID) -> people.Opening:
    """Open the data of somebody of one's areas, for a reason that they will see."""
    return people.open_person(session(), act(), person_id, asked["reason"], within=me().scope(*READERS))


@blp.writes("/people/<uuid:person_id>/corrections", CorrectionIn, CorrectionOut, status=201)
@allow(*WRITERS, fresh=True)
def correct(asked: dict[str, Any], person_id: UUID) -> people.Correction | Refusal:
    """Put right what is known of somebody of one's areas; of whoever works for the community or a shop, an administrator does."""
    within, staff_within = me().scope(*WRITERS), me().scope("administrator")
    return people.correct(
        session(), act(), services().vault, person_id, asked["field"], asked["text"], within=within, staff_within=staff_within,
        powers_of=powers_of,
    )  # fmt: skip


@blp.writes("/people/<uuid:person_id>/erasure", ErasureIn, ErasureOut, status=201)
@allow("administrator", fresh=True)
def erase(asked: dict[str, Any], person_id: UUID) -> dict[str, Any] | Refusal:
    """Ask that somebody of one's areas be erased, or do what another administrator asked for; nobody does that for themselves here."""
    if person_id == me().actor_id:
        return Refusal("erasure-by-another", "person_id")
    leavings, within = current_app.extensions["leavings"], me().scope("administrator")
    outcome = people.ask_to_erase(session(), act(), person_id, leavings, within=within)
    if isinstance(outcome, Refusal):
        return outcome
    return {"person_id": person_id, "erased_at": outcome.erased_at if isinstance(outcome, people.Erasure) else None}


@blp.reads("/people/<uuid:person_id>/grants", GrantsOut)
@allow("administrator")
def list_grants(person_id: UUID) -> dict[str, Any]:
    """List the roles that somebody of one's areas has or had."""
    person = people.person(session(), me().book_id, person_id, me().scope("administrator"))
    return {"items": people.grants_of(session(), me().book_id, person.id)}


@blp.writes("/grants", GrantIn, GrantOut, status=201)
@allow("administrator", fresh=True)
def grant_role(asked: dict[str, Any]) -> people.Grant | Refusal:
    """Give somebody a role in one of one's areas, from today unless a later day is told; a strong one waits for another administrator."""
    starts_on: date = asked.pop("starts_on") or me().today
    return people.grant_role(session(), act(), **asked, starts_on=starts_on, within=me().scope("administrator"))


@blp.writes("/grants/<uuid:grant_id>/confirm", Nothing, GrantOut)
@allow("administrator", fresh=True)
def confirm_grant(asked: dict[str, Any], grant_id: UUID) -> people.Grant | Refusal:
    """Let a role in one of one's areas hold that another administrator proposed."""
    return people.confirm_grant(session(), act(), grant_id, within=me().scope("administrator"))


@blp.writes("/grants/<uuid:grant_id>/end", EndIn, GrantOut)
@allow("administrator", fresh=True)
def end_grant(asked: dict[str, Any], grant_id: UUID) -> people.Grant | Refusal:
    """Let a role in one of one's areas end with that day, yesterday at the earliest."""
    return people.end_grant(session(), act(), grant_id, asked["ends_on"], within=me().scope("administrator"))


@blp.writes("/ties", LabelledTieIn, TieOut, status=201)
@allow(*WRITERS, fresh=True)
def tie(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Record that two people of one's areas are kin or of one household; of staff, only an administrator does."""
    for person_id in (asked["person_id"], asked["other_id"]):
        people.person(session(), me().book_id, person_id, me().scope(*WRITERS))
    label = asked.pop("label")
    if refusal := people.tie(session(), act(), **asked):
        return refusal
    if label:
        people.label_tie(session(), services().vault, me().book_id, asked["person_id"], asked["other_id"], label)
    return asked


@blp.writes("/ties/end", TieIn, TieOut)
@allow("administrator", fresh=True)
def untie(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """End a tie of two people of one's areas that was declared by mistake."""
    return people.untie(session(), act(), **asked, within=me().scope("administrator")) or asked


@blp.writes("/charges", ChargeIn, ChargesOut)
@allow(*WRITERS)
def give_charge(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Give a building leader of one's areas the persons to look after; answer all their households."""
    refused = people.give_charge(session(), act(), asked["leader_id"], asked["person_ids"], within=me().scope(*WRITERS))
    return refused or _charges(asked["leader_id"])


@blp.writes("/charges/end", ChargeIn, ChargesOut)
@allow(*WRITERS)
def end_charges(asked: dict[str, Any]) -> dict[str, Any]:
    """Let a building leader of one's areas look after these persons no more; answer the households that are left."""
    people.end_charges(session(), act(), asked["leader_id"], asked["person_ids"], within=me().scope(*WRITERS))
    return _charges(asked["leader_id"])


def _charges(leader_id: UUID) -> dict[str, Any]:
    return {"leader_id": leader_id, "households": people.households_of_leader(session(), me().book_id, leader_id)}


@blp.reads("/teams", TeamOut, paged=True)
@allow()
def list_teams(asked: dict[str, Any]) -> Page:
    """List the teams of the book."""
    (after,) = read_cursor(asked["cursor"], str) or ("",)
    rows = people.teams(session(), me().book_id, (f"{me().book.area_code}/",), after=after, limit=asked["limit"] + 1)
    return page_of(rows, asked["limit"], lambda team: [team.name])


@blp.writes("/teams", TeamIn, TeamOut, status=201)
@allow(*WRITERS, fresh=True)
def create_team(asked: dict[str, Any]) -> people.Team | Refusal:
    """Make a team in one of one's areas, with its first members; whoever decides on deeds is added by an administrator of theirs."""
    return people.create_team(session(), act(), **asked, within=me().scope(*WRITERS))


def _shown(found: Iterable[people.Person]) -> list[dict[str, Any]]:
    listed = list(found)
    names = people.names_of(session(), services().vault, me().book_id, [person.id for person in listed])
    columns = ("id", "handle", "area_code", "is_resident", "status")
    return [{"name": people.masked_name(names[person.id]), **{column: getattr(person, column) for column in columns}} for person in listed]
