"""The office's register: finding and enrolling people, what they may do, what they are to each other, who asks to join, who is twice."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint
from flask import current_app
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import claims
from ledger import people
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import Person
from ledger.web.kit import forms
from ledger.web.kit import joining
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.kit.writing import is_own_form
from ledger.web.pages.deeds import AT_ONCE
from ledger.web.pages.deeds import persons_typed

pages = Blueprint("register", __name__, url_prefix="/staff/people")

READERS = ("grid_worker", "approver", "administrator")
WRITERS = ("grid_worker", "administrator")
#: Roles in an area; those of a shop or another unit are given there.
AREA_ROLES = tuple(role for role in people.ROLES if role not in people.SHOP_ROLES)
#: So many areas are offered in a list to choose from.
AREAS_MAX = 500
HANDLE_LENGTH_MAX = 20


@pages.get("")
@allow(*READERS)
def listed() -> ResponseReturnValue:
    """List the people of one's areas, going down from them to a grid, with a form to find somebody."""
    scope, book_id = me().scope(*READERS), me().book_id
    area = areas.area(session(), book_id, request.args["area"], scope) if "area" in request.args else None
    below = (
        areas.children(session(), book_id, area.code) if area else [areas.subtree(session(), book_id, path, limit=1)[0] for path in scope]
    )
    (after,) = read_cursor(request.args.get("cursor"), str) or ("",)
    within = (area.path,) if area else scope
    page = page_of(people.living_in(session(), book_id, within, after=after, limit=AT_ONCE + 1), AT_ONCE, lambda one: [one.handle])
    return render_template("ledger/register/list.html", area=area, below=below, next=page.next, **_shown(page.items))


@pages.post("/found")
@allow(*READERS)
def find() -> ResponseReturnValue:
    """Show who of one's areas has a passbook number or a phone, or a name with that phone.

    What is looked for stands in no address, and so in no log and no history of the browser.
    """
    if not is_own_form():
        return show(problem_body("form-expired"))
    number, name = forms.text("number"), forms.text("name")
    found = people.by_handle(session(), me().book_id, number)
    ids = {found.id} if found else _with_phone(number, name)
    near = people.within(session(), me().book_id, ids, me().scope(*READERS))
    persons = people.persons(session(), me().book_id, near)
    return render_template("ledger/register/found.html", **_shown(sorted(persons.values(), key=lambda one: one.handle)))


def _with_phone(number: str, name: str) -> set[UUID]:
    phone = people.normal_phone(number)
    if phone is None:
        return set()
    field, value = ("name_phone", f"{people.normal_name(name)}|{phone}") if name else ("phone", phone)
    return people.found_by(session(), services().vault, me().book_id, field, [value])[value]


@pages.get("/new")
@allow(*WRITERS)
def enrol_form() -> ResponseReturnValue:
    """Ask whom to enrol."""
    return render_template("ledger/register/new.html", areas=_areas(WRITERS))


@pages.post("/new")
@allow(*WRITERS)
@form_write(enrol_form)
def enrol() -> str | Refusal:
    """Enrol somebody as a volunteer."""
    guardian = forms.text("guardian")
    new = people.NewPerson(
        name=forms.text("name"),
        area_code=forms.words("area_code", 64),
        phone=forms.text("phone") or None,
        is_resident=not forms.text("non_resident"),
        birth_month=forms.text("birth_month") or None,
        gender=forms.choice("gender", "male", "female") if forms.text("gender") else None,
        address=forms.words("address", 500, least=0) or None,
        note=forms.words("note", 500, least=0, lines=True) or None,
        guardian_id=_typed("guardian", READERS).id if guardian else None,
    )
    person = people.enrol(session(), act(), services().vault, new, within=me().scope(*WRITERS))
    return person if isinstance(person, Refusal) else url_for("register.person", person_id=person.id)


@pages.get("/<uuid:person_id>")
@allow(*READERS)
def person(person_id: UUID) -> ResponseReturnValue:
    """Show somebody by what the register gave them; their own data are opened with a reason, which they see."""
    current, book_id = session(), me().book_id
    found = people.person(current, book_id, person_id, me().scope(*READERS))
    ties = people.ties_of(current, book_id, person_id)
    charges = people.charges_of(current, book_id, person_id)
    merged = people.merged_into(current, book_id, [person_id])
    others = people.persons(current, book_id, {*(tie.other_id for tie in ties), *charges, *merged.values()})
    grants = people.grants_of(current, book_id, person_id)
    return render_template(
        "ledger/register/person.html",
        person=found,
        opened=people.opened(current, services().vault, book_id, person_id, me().actor_id, services().clock.now()),
        fields=people.PERSONAL_FIELDS,
        reasons=people.OPENING_REASONS,
        grants=grants,
        is_leader=any(grant.role == "building_leader" and _is_alive(grant) for grant in grants),
        ties=ties,
        charges=[others[one] for one in sorted(charges)],
        merged=others.get(merged.get(person_id)),  # type: ignore[arg-type]
        others=others,
        today=me().today,
        areas=_areas(("administrator",)),
        roles=AREA_ROLES,
        kinds=people.TIE_KINDS,
        **_named([found, *others.values()]),
    )


def _again(person_id: UUID, **_others: UUID) -> ResponseReturnValue:
    return person(person_id)


def _back(outcome: object, person_id: UUID) -> str | Refusal:
    return outcome if isinstance(outcome, Refusal) else url_for("register.person", person_id=person_id)


@pages.post("/<uuid:person_id>/open")
@allow(*READERS)
@form_write(person)
def open_person(person_id: UUID) -> str:
    """Open somebody's data for some minutes, for a reason that they will see."""
    people.open_person(session(), act(), person_id, forms.choice("reason", *people.OPENING_REASONS), within=me().scope(*READERS))
    return url_for("register.person", person_id=person_id)


@pages.post("/<uuid:person_id>/erase")
@allow("administrator", fresh=True)
@form_write(person)
def erase(person_id: UUID) -> str | Refusal:
    """Ask that somebody be erased for good, or do what another administrator asked for; nobody does that for themselves here."""
    if person_id == me().actor_id:
        return Refusal("erasure-by-another", "person_id")
    forms.choice("sure", "yes")
    within = me().scope("administrator")
    return _back(people.ask_to_erase(session(), act(), person_id, current_app.extensions["leavings"], within=within), person_id)


@pages.post("/<uuid:person_id>/roles")
@allow("administrator", fresh=True)
@form_write(person)
def grant_role(person_id: UUID) -> str | Refusal:
    """Give somebody a role in one of one's areas; a strong one waits for another administrator."""
    people.person(session(), me().book_id, person_id, me().scope(*READERS))
    given = people.grant_role(
        session(),
        act(),
        person_id=person_id,
        role=forms.choice("role", *AREA_ROLES),
        area_code=forms.words("area_code", 64),
        starts_on=_day_or("starts_on", me().today),
        ends_on=forms.day("ends_on") if forms.text("ends_on") else None,
        within=me().scope("administrator"),
    )
    return _back(given, person_id)


@pages.post("/<uuid:person_id>/roles/<uuid:grant_id>/confirm")
@allow("administrator", fresh=True)
@form_write(_again)
def confirm_grant(person_id: UUID, grant_id: UUID) -> str | Refusal:
    """Let a role hold that another administrator proposed."""
    return _back(people.confirm_grant(session(), act(), grant_id, within=me().scope("administrator")), person_id)


@pages.post("/<uuid:person_id>/roles/<uuid:grant_id>/end")
@allow("administrator", fresh=True)
@form_write(_again)
def end_grant(person_id: UUID, grant_id: UUID) -> str | Refusal:
    """Let a role end with today."""
    return _back(people.end_grant(session(), act(), grant_id, me().today, within=me().scope("administrator")), person_id)


@pages.post("/<uuid:person_id>/ties")
@allow(*WRITERS, fresh=True)
@form_write(person)
def tie(person_id: UUID) -> str | Refusal:
    """Record that somebody is kin or of the household of another of one's areas."""
    people.person(session(), me().book_id, person_id, me().scope(*WRITERS))
    other = _typed("number", WRITERS)
    label = forms.words("label", 30, least=0)
    refusal = people.tie(session(), act(), person_id, other.id, forms.choice("kind", *people.TIE_KINDS))
    if label and refusal is None:
        people.label_tie(session(), services().vault, me().book_id, person_id, other.id, label)
    return _back(refusal, person_id)


@pages.post("/<uuid:person_id>/ties/end")
@allow("administrator", fresh=True)
@form_write(person)
def untie(person_id: UUID) -> str | Refusal:
    """End a tie that was declared by mistake."""
    kind, within = forms.choice("kind", *people.TIE_KINDS), me().scope("administrator")
    return _back(people.untie(session(), act(), person_id, forms.an_id("other_id"), kind, within=within), person_id)


@pages.post("/<uuid:person_id>/charges")
@allow(*WRITERS)
@form_write(person)
def give_charge(person_id: UUID) -> str | Refusal:
    """Give a building leader the persons whose numbers were typed to look after."""
    ids = persons_typed("numbers")
    return _back(people.give_charge(session(), act(), person_id, ids, within=me().scope(*WRITERS)), person_id)


@pages.post("/<uuid:person_id>/charges/end")
@allow(*WRITERS)
@form_write(person)
def end_charge(person_id: UUID) -> str | Refusal:
    """Let a building leader look after somebody no more."""
    people.end_charges(session(), act(), person_id, [forms.an_id("other_id")], within=me().scope(*WRITERS))
    return url_for("register.person", person_id=person_id)


@pages.get("/teams")
@allow(*READERS)
def teams() -> ResponseReturnValue:
    """List the teams of one's areas, and ask for a new one."""
    (after,) = read_cursor(request.args.get("cursor"), str) or ("",)
    rows = people.teams(session(), me().book_id, me().scope(*READERS), after=after, limit=AT_ONCE + 1)
    page = page_of(rows, AT_ONCE, lambda team: [team.name])
    return render_template("ledger/register/teams.html", teams=page.items, next=page.next, areas=_areas(WRITERS))


@pages.post("/teams")
@allow(*WRITERS, fresh=True)
@form_write(teams)
def create_team() -> str | Refusal:
    """Make a team with the members whose numbers were typed."""
    made = people.create_team(
        session(),
        act(),
        name=forms.words("name", 50),
        area_code=forms.words("area_code", 64),
        member_ids=persons_typed("numbers"),
        within=me().scope(*WRITERS),
    )
    return made if isinstance(made, Refusal) else url_for("register.team", team_id=made.id)


@pages.get("/teams/<uuid:team_id>")
@allow(*READERS)
def team(team_id: UUID) -> ResponseReturnValue:
    """Show who belongs to a team and who leads it."""
    current, book_id = session(), me().book_id
    found = people.team(current, book_id, team_id, me().scope(*READERS))
    members = people.members_of_many(current, book_id, [team_id], me().today)[team_id]
    leaders = [one for one in people.leaders_of(current, book_id, team_id) if _is_alive(one)]
    persons = people.persons(current, book_id, {*members, *(one.person_id for one in leaders)})
    return render_template(
        "ledger/register/team.html", team=found, members=[persons[one] for one in sorted(members)], leaders=leaders, today=me().today,
        **_named(persons.values()),
    )  # fmt: skip


def _to_team(outcome: object, team_id: UUID) -> str | Refusal:
    return outcome if isinstance(outcome, Refusal) else url_for("register.team", team_id=team_id)


@pages.post("/teams/<uuid:team_id>/members")
@allow(*WRITERS, fresh=True)
@form_write(team)
def add_members(team_id: UUID) -> str | Refusal:
    """Let the persons whose numbers were typed belong to a team."""
    return _to_team(people.add_members(session(), act(), team_id, persons_typed("numbers"), within=me().scope(*WRITERS)), team_id)


@pages.post("/teams/<uuid:team_id>/members/end")
@allow(*WRITERS, fresh=True)
@form_write(team)
def end_members(team_id: UUID) -> str | Refusal:
    """Let somebody belong to a team until today."""
    ids = [forms.an_id("person_id")]
    return _to_team(people.end_members(session(), act(), team_id, ids, me().today, within=me().scope(*WRITERS)), team_id)


@pages.post("/teams/<uuid:team_id>/leaders")
@allow(*WRITERS, fresh=True)
@form_write(team)
def lead(team_id: UUID) -> str | Refusal:
    """Let one of its members lead a team from today on."""
    leader = people.lead_team(
        session(), act(), team_id=team_id, person_id=forms.an_id("person_id"), starts_on=me().today, within=me().scope(*WRITERS)
    )  # fmt: skip
    return _to_team(leader, team_id)


@pages.post("/teams/<uuid:team_id>/leaders/end")
@allow(*WRITERS, fresh=True)
@form_write(team)
def end_lead(team_id: UUID) -> str | Refusal:
    """Let somebody's leading of a team end with today."""
    ended = people.end_lead(
        session(), act(), team_id=team_id, person_id=forms.an_id("person_id"), ends_on=me().today, within=me().scope(*WRITERS)
    )  # fmt: skip
    return _to_team(ended, team_id)


@pages.get("/applications")
@allow(*WRITERS)
def applications() -> ResponseReturnValue:
    """Show who asks to be enrolled in one's areas, the oldest first, and who is enrolled alike already."""
    after: Any = read_cursor(request.args.get("cursor"), moment, UUID)
    scope, now = me().scope(*WRITERS), services().clock.now()
    found = people.applications(session(), services().vault, me().book_id, scope, now, after=after, limit=AT_ONCE + 1)
    page = page_of(found, AT_ONCE, lambda one: [one.applied_at, one.id])
    alike = joining.alike(page.items, scope)
    persons = people.persons(session(), me().book_id, {person_id for ids in alike.values() for person_id in ids})
    return render_template(
        "ledger/register/applications.html", applications=page.items, next=page.next, alike=alike, persons=persons, areas=_areas(WRITERS),
        fields=people.PERSONAL_FIELDS, **_named(persons.values()),
    )  # fmt: skip


@pages.post("/applications/<uuid:application_id>/confirm")
@allow(*WRITERS)
@form_write(lambda application_id: applications())
def confirm_application(application_id: UUID) -> str | Refusal:
    """Enrol whoever asked."""
    guardian = forms.text("guardian")
    made = people.confirm_application(
        session(),
        act(),
        services().vault,
        application_id,
        area_code=forms.words("area_code", 64),
        guardian_id=_typed("guardian", READERS).id if guardian else None,
        within=me().scope(*WRITERS),
    )
    return made if isinstance(made, Refusal) else url_for("register.person", person_id=made.id)


@pages.post("/applications/<uuid:application_id>/refuse")
@allow(*WRITERS)
@form_write(lambda application_id: applications())
def refuse_application(application_id: UUID) -> str:
    """Delete an application."""
    people.refuse_application(session(), act(), application_id, within=me().scope(*WRITERS))
    return url_for("register.applications")


@pages.get("/merges")
@allow(*WRITERS)
def merges() -> ResponseReturnValue:
    """Show which records are said to be of one person, and ask for two more."""
    (after,) = read_cursor(request.args.get("cursor"), UUID) or (None,)
    found = people.merges(session(), me().book_id, me().scope(*WRITERS), after=after, limit=AT_ONCE + 1)
    page = page_of(found, AT_ONCE, lambda merge: [merge.id])
    persons = people.persons(session(), me().book_id, {one for merge in page.items for one in (merge.kept_id, merge.gone_id)})
    return render_template(
        "ledger/register/merges.html", merges=page.items, next=page.next, persons=persons, own=me().actor_id, **_named(persons.values())
    )  # fmt: skip


@pages.post("/merges")
@allow(*WRITERS, fresh=True)
@form_write(merges)
def propose_merge() -> str | Refusal:
    """Propose to merge two records."""
    kept, gone = _typed("kept", WRITERS), _typed("gone", WRITERS)
    made = people.propose_merge(
        session(), act(), kept_id=kept.id, gone_id=gone.id, within=me().scope(*WRITERS), as_administrator=me().scope("administrator"),
        powers_of=powers_of,
    )  # fmt: skip
    return made if isinstance(made, Refusal) else url_for("register.merges")


@pages.post("/merges/<uuid:merge_id>")
@allow(*WRITERS, fresh=True)
@form_write(lambda merge_id: merges())
def decide_merge(merge_id: UUID) -> str | Refusal:
    """Confirm or refuse a merge that somebody else proposed."""
    steps: dict[str, Callable[..., people.Merge | Refusal]] = {"confirm": claims.merge, "refuse": people.refuse_merge}
    step = forms.choice("step", *steps)
    reach = {"within": me().scope(*WRITERS), "as_administrator": me().scope("administrator"), "powers_of": powers_of}
    outcome = steps[step](session(), act(), merge_id, **reach)
    return outcome if isinstance(outcome, Refusal) else url_for("register.merges")


def _typed(name: str, roles: tuple[str, ...]) -> Person:
    """Return the person of the areas of these roles whose passbook number was typed."""
    found = people.by_handle(session(), me().book_id, forms.words(name, HANDLE_LENGTH_MAX), me().scope(*roles))
    if found is None:
        raise NotFound(name)
    return found


def _day_or(name: str, otherwise: date) -> date:
    return forms.day(name) if forms.text(name) else otherwise


def _is_alive(dated: people.Grant | people.TeamLeader) -> bool:
    return dated.ends_on is None or dated.ends_on >= me().today


def _areas(roles: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the areas in which one holds one of these roles, and those below, as the options of a choice."""
    found = {area.code: area.name for path in me().scope(*roles) for area in areas.subtree(session(), me().book_id, path, limit=AREAS_MAX)}
    return list(found.items())


def _named(persons: Iterable[Person]) -> dict[str, Any]:
    """Return the masked names of people and the names of where they live, by id and by code."""
    listed = list(persons)
    names = people.names_of(session(), services().vault, me().book_id, [one.id for one in listed])
    places = areas.names_of(session(), me().book_id, {one.area_code for one in listed})
    return {"names": {one: people.masked_name(name) for one, name in names.items()}, "places": places}


def _shown(persons: Iterable[Person]) -> dict[str, Any]:
    listed = list(persons)
    return {"persons": listed, **_named(listed)}
