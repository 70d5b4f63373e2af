"""What is asked of persons: who, called what, tied to whom, with what powers, and who comes in with a token."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import BindParameter
from sqlalchemy import ColumnElement
from sqlalchemy import CompoundSelect
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import union_all
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import OPERATOR
from ledger.areas import Scope
from ledger.errors import NotFound
from ledger.people.model import Charge
from ledger.people.model import Grant
from ledger.people.model import Mandate
from ledger.people.model import Person
from ledger.people.model import PersonKey
from ledger.people.model import SealedField
from ledger.people.model import SearchHash
from ledger.people.model import Team
from ledger.people.model import TeamLeader
from ledger.people.model import TeamMember
from ledger.people.model import Tie
from ledger.people.rules import DECIDING_ROLES
from ledger.people.rules import PLAIN_ROLES
from ledger.people.rules import STAFF_ROLES
from ledger.people.rules import STRONG_ROLES
from ledger.people.rules import UNNAMED_BELOW
from ledger.people.rules import groups_of
from ledger.people.rules import in_sets
from ledger.people.rules import is_below
from ledger.people.rules import is_handle
from ledger.people.vault import Vault
from ledger.people.vault import open_bytes
from ledger.people.vault import open_field
from ledger.store import words
from ledger.tokens import digits_of

#: Stands for a name that is not there (any more).
NO_NAME = "—"


@dataclass(frozen=True)
class Power:
    """A role somebody holds on a day: in an area and below it, and, for the staff of a shop, in a unit."""

    role: str
    area_path: str
    unit_id: UUID | None = None


#: Gives the powers that somebody holds on a day: those in areas, or those in shops too.
PowersOf = Callable[[Session, UUID, UUID, date], list[Power]]


def person(session: Session, book_id: UUID, person_id: UUID, within: Scope = areas.EVERYWHERE) -> Person:
    """Return the person; raise NotFound where there is none in an area within `within`."""
    wanted = select(Person).where(Person.book_id == book_id, Person.id == person_id)
    if within != areas.EVERYWHERE:
        wanted = wanted.where(areas.covered(book_id, Person.area_code, within))
    if (found := session.execute(wanted).scalar_one_or_none()) is None:
        raise NotFound("person_id")
    return found


def persons(session: Session, book_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return those of `ids` that are persons of the book."""
    found: dict[UUID, Person] = {}
    for chunk in in_sets(set(ids)):
        rows = session.execute(select(Person).where(Person.book_id == book_id, Person.id.in_(chunk))).scalars()
        found |= {row.id: row for row in rows}
    return found


def by_handle(session: Session, book_id: UUID, handle: str, within: Scope = areas.EVERYWHERE) -> Person | None:
    """Return the person with that handle, whatever way it was typed, in an area within `within`."""
    digits = digits_of(handle)
    if not is_handle(digits):
        return None
    wanted = select(Person).where(Person.book_id == book_id, Person.handle == digits)
    if within != areas.EVERYWHERE:
        wanted = wanted.where(areas.covered(book_id, Person.area_code, within))
    return session.execute(wanted).scalar_one_or_none()


def by_handles(session: Session, book_id: UUID, handles: Collection[str]) -> dict[str, Person]:
    """Return the person with each of these handles that has one."""
    found: dict[str, Person] = {}
    for chunk in in_sets(handles):
        rows = session.execute(select(Person).where(Person.book_id == book_id, Person.handle.in_(chunk))).scalars()
        found |= {person.handle: person for person in rows}
    return found


def living_in(session: Session, book_id: UUID, scope: Scope, *, after: str = "", limit: int = 50) -> Sequence[Person]:
    """Return the persons of the areas within `scope` by handle, from after the handle `after`."""
    wanted = select(Person).where(Person.book_id == book_id, areas.covered(book_id, Person.area_code, scope), Person.handle > after)
    return session.execute(wanted.order_by(Person.handle).limit(limit)).scalars().all()


def within(session: Session, book_id: UUID, ids: Iterable[UUID], scope: Scope) -> set[UUID]:
    """Return those of `ids` who belong to an area within `scope`."""
    found: set[UUID] = set()
    for chunk in in_sets(set(ids)):
        wanted = select(Person.id).where(Person.book_id == book_id, Person.id.in_(chunk), areas.covered(book_id, Person.area_code, scope))
        found |= set(session.execute(wanted).scalars())
    return found


def fields_of(
    session: Session, vault: Vault, book_id: UUID, ids: Iterable[UUID], fields: Collection[str]
) -> dict[UUID, dict[str, str]]:  # fmt: skip
    """Return the personal fields named `fields` of each of `ids`, opened; an erased person has none."""
    found: dict[UUID, dict[str, str]] = {person_id: {} for person_id in ids}
    keys: dict[UUID, bytes] = {}
    for chunk in in_sets(found):
        rows = session.execute(
            select(SealedField.person_id, SealedField.field, SealedField.sealed, PersonKey.wrapped)
            .join(PersonKey, and_(PersonKey.book_id == SealedField.book_id, PersonKey.person_id == SealedField.person_id))
            .where(SealedField.book_id == book_id, SealedField.person_id.in_(chunk), SealedField.field.in_(fields))
        )
        for person_id, field, sealed, wrapped in rows:
            if person_id not in keys:
                keys[person_id] = vault.unwrap(book_id, person_id, wrapped)
            found[person_id][field] = open_field(keys[person_id], book_id, person_id, field, sealed)
    return found


def open_contents(
    session: Session, vault: Vault, book_id: UUID, contents: Sequence[tuple[UUID, str, bytes]]
) -> list[bytes | None]:  # fmt: skip
    """Return each (person, name, sealed) opened, as `seal_contents` sealed it; nothing of an erased person opens."""
    keys: dict[UUID, bytes] = {}
    for chunk in in_sets({person_id for person_id, _, _ in contents}):
        wanted = select(PersonKey.person_id, PersonKey.wrapped).where(PersonKey.book_id == book_id, PersonKey.person_id.in_(chunk))
        keys |= {person_id: vault.unwrap(book_id, person_id, wrapped) for person_id, wrapped in session.execute(wanted)}
    return [
        open_bytes(keys[person_id], book_id, person_id, name, sealed) if person_id in keys else None for person_id, name, sealed in contents
    ]


def names_of(session: Session, vault: Vault, book_id: UUID, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the name of each of `ids`, in one query; a dash for whoever has none."""
    fields = fields_of(session, vault, book_id, ids, ["name"])
    return {person_id: opened.get("name", NO_NAME) for person_id, opened in fields.items()}


def minors(session: Session, vault: Vault, book_id: UUID, ids: Iterable[UUID], today: date) -> set[UUID]:
    """Return those of `ids` who are not of age on that day; whose month of birth is not known counts as grown up."""
    fields = fields_of(session, vault, book_id, ids, ["birth_month"])
    return {person_id for person_id, opened in fields.items() if is_below(opened.get("birth_month"), UNNAMED_BELOW, today)}


def is_guarded(person: Person, today: date) -> bool:
    """Tell whether a guardian acts for somebody on that day, and they themselves neither sign in nor pay."""
    return person.guarded_until is not None and today <= person.guarded_until


def found_by(session: Session, vault: Vault, book_id: UUID, field: str, values: Iterable[str]) -> dict[str, set[UUID]]:
    """Return who has each of `values` as their `field` (see `rules.search_values`)."""
    found: dict[str, set[UUID]] = {value: set() for value in values}
    hashes = {hashed: value for value in found for hashed in vault.hashes(book_id, field, value)}
    for chunk in in_sets(hashes):
        rows = session.execute(
            select(SearchHash.hashed, SearchHash.person_id).where(
                SearchHash.book_id == book_id, SearchHash.field == field, SearchHash.hashed.in_(chunk)
            )
        )
        for hashed, person_id in rows:
            found[hashes[hashed]].add(person_id)
    return found


def is_confirmed() -> ColumnElement[bool]:
    """Return the condition that a grant is none of the strong roles, or was given by the operator, or confirmed by a second."""
    return or_(Grant.role.not_in(words(STRONG_ROLES)), Grant.granted_by == OPERATOR, Grant.confirmed_by.is_not(None))


def holds_on(day: date) -> ColumnElement[bool]:
    """Return the condition that a grant holds on `day`."""
    return and_(is_confirmed(), Grant.starts_on <= day, or_(Grant.ends_on.is_(None), Grant.ends_on >= day))


def powers_of(session: Session, book_id: UUID, person_id: UUID, on: date) -> list[Power]:
    """Return the roles the person holds in areas on that day of the book."""
    rows = session.execute(
        select(Grant.role, areas.Area.path)
        .join(areas.Area, and_(areas.Area.book_id == Grant.book_id, areas.Area.code == Grant.area_code))
        .where(Grant.book_id == book_id, Grant.person_id == person_id, holds_on(on))
        .order_by(areas.Area.path, Grant.role)
    )
    return [Power(role, path) for role, path in rows]


def works_beyond(
    session: Session, book_id: UUID, person_id: UUID, on: date, scope: Scope, *, powers_of: PowersOf = powers_of,
    plain: Collection[str] = PLAIN_ROLES,
) -> bool:  # fmt: skip
    """Tell whether somebody holds a role other than the `plain` ones that reaches out of `scope`."""
    held = powers_of(session, book_id, person_id, on)
    return any(power.role not in plain and not areas.in_scope(power.area_path, scope) for power in held)


def grants_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[Grant]:
    """Return every grant the person has or had, in the order they were given."""
    wanted = select(Grant).where(Grant.book_id == book_id, Grant.person_id == person_id)
    return session.execute(wanted.order_by(Grant.starts_on, Grant.id)).scalars().all()


def is_staff(session: Session, book_id: UUID, ids: Iterable[UUID], on: date) -> set[UUID]:
    """Return those of `ids` who work for the community on that day."""
    return holding(session, book_id, STAFF_ROLES, ids, on)


def staff_since(session: Session, book_id: UUID, wanted: Collection[tuple[UUID, date]], until: date) -> set[tuple[UUID, date]]:
    """Return those of the (person, day) who worked for the community on that day or at any time since, until `until`."""
    spans: dict[UUID, list[date]] = defaultdict(list)
    for chunk in in_sets({person_id for person_id, _ in wanted}):
        rows = session.execute(
            select(Grant.person_id, Grant.ends_on).where(
                Grant.book_id == book_id,
                Grant.person_id.in_(chunk),
                Grant.role.in_(words(STAFF_ROLES)),
                Grant.starts_on <= until,
                is_confirmed(),
            )
        )
        for person_id, ends_on in rows:
            spans[person_id].append(ends_on or date.max)
    return {(person_id, day) for person_id, day in wanted if any(ends_on >= day for ends_on in spans[person_id])}


def deciding(session: Session, book_id: UUID, ids: Iterable[UUID], on: date) -> set[UUID]:
    """Return those of `ids` who bear witness or decide on that day."""
    return holding(session, book_id, DECIDING_ROLES, ids, on)


def holding(session: Session, book_id: UUID, roles: Collection[str], ids: Iterable[UUID], on: date) -> set[UUID]:
    """Return those of `ids` who hold one of the roles on that day, wherever."""
    found: set[UUID] = set()
    for chunk in in_sets(set(ids)):
        wanted = select(Grant.person_id).where(Grant.book_id == book_id, Grant.person_id.in_(chunk), Grant.role.in_(roles))
        found |= set(session.execute(wanted.where(holds_on(on))).scalars())
    return found


def tied(session: Session, book_id: UUID, person_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Return for each person whoever may not decide for them, nor they for those: declared kin and household, and who acts for whom.

    Two records of one human are one, however many there are; and the kin of whoever acts for somebody are as near as whoever acts.
    """
    found: dict[UUID, set[UUID]] = {person_id: {person_id} for person_id in person_ids}
    edges: dict[UUID, set[tuple[UUID, str]]] = {}
    # Whom each has reached, and what was left to go on by: one tie and one mandate, in either order.
    reached = {person_id: {(person_id, _EITHER)} for person_id in found}
    latest = {person_id: set(steps) for person_id, steps in reached.items()}
    while any(latest.values()):
        _add_edges(session, book_id, edges, {one for steps in latest.values() for one, _ in steps} - edges.keys())
        for person_id, steps in latest.items():
            after = {(other_id, left - {kind}) for one, left in steps for other_id, kind in edges[one] if kind == "same" or kind in left}
            latest[person_id] = after - reached[person_id]
            reached[person_id] |= after
            found[person_id] |= {other_id for other_id, _ in after}
    return {person_id: others - {person_id} for person_id, others in found.items()}


#: What leads from one person to another: a tie, and who acts for whom; "same" leads to no other person.
_EITHER = frozenset({"tie", "mandate"})


def _edges() -> CompoundSelect[UUID, UUID, str]:
    book: BindParameter[UUID] = bindparam("book")
    ids: BindParameter[UUID] = bindparam("ids", expanding=True)
    helps = (Mandate.book_id == book, Mandate.agreed_at.is_not(None))
    ties = select(Tie.person_id, Tie.other_id, Tie.kind).where(Tie.book_id == book, Tie.person_id.in_(ids))
    helped = select(Mandate.person_id, Mandate.helper_id, literal("mandate")).where(*helps, Mandate.person_id.in_(ids))
    helping = select(Mandate.helper_id, Mandate.person_id, literal("mandate")).where(*helps, Mandate.helper_id.in_(ids))
    return union_all(ties, helped, helping)


# Asked several times for each decision, so it is put together once.
_EDGES = _edges()


def _add_edges(session: Session, book_id: UUID, edges: dict[UUID, set[tuple[UUID, str]]], ids: Collection[UUID]) -> None:
    """Learn to whom each of `ids` is tied, and whether as kin, by a mandate, or as another record of the same human."""
    edges |= {person_id: set() for person_id in ids}
    for chunk in in_sets(ids):
        for person_id, other_id, kind in session.execute(_EDGES, {"book": book_id, "ids": chunk}):
            edges[person_id].add((other_id, kind if kind in {"same", "mandate"} else "tie"))


def mandates(
    session: Session, book_id: UUID, *, helper_id: UUID | None = None, person_id: UUID | None = None, on: date | None = None
) -> Sequence[Mandate]:  # fmt: skip
    """Return the mandates of a helper, of a person, or of both; `on`: only those that hold on that day."""
    wanted = select(Mandate).where(Mandate.book_id == book_id)
    if helper_id is not None:
        wanted = wanted.where(Mandate.helper_id == helper_id)
    if person_id is not None:
        wanted = wanted.where(Mandate.person_id == person_id)
    if on is not None:
        wanted = wanted.where(_mandate_holds_on(on))
    return session.execute(wanted.order_by(Mandate.id)).scalars().all()


def limits_of(session: Session, book_id: UUID, pairs: Collection[tuple[UUID, UUID]], on: date) -> dict[tuple[UUID, UUID], int]:
    """Return for each (helper, person) with a mandate that holds on that day how many points a day may be spent for the person."""
    wanted = select(Mandate.helper_id, Mandate.person_id, func.max(Mandate.points_per_day_max)).where(
        Mandate.book_id == book_id, tuple_(Mandate.helper_id, Mandate.person_id).in_(pairs), _mandate_holds_on(on)
    )
    rows = session.execute(wanted.group_by(Mandate.helper_id, Mandate.person_id))
    return {(helper_id, person_id): most for helper_id, person_id, most in rows}


def _mandate_holds_on(day: date) -> ColumnElement[bool]:
    # A guardian acts for a child only, also where somebody was one by a mistake that was corrected since.
    guarded = select(Person.id).where(Person.book_id == Mandate.book_id, Person.id == Mandate.person_id, Person.guarded_until >= day)
    return and_(
        Mandate.agreed_at.is_not(None),
        Mandate.ended_at.is_(None),
        Mandate.starts_on <= day,
        Mandate.ends_on >= day,
        or_(Mandate.kind != "guardian", guarded.exists()),
    )


def ties_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[Tie]:
    """Return the person's ties, households first."""
    wanted = select(Tie).where(Tie.book_id == book_id, Tie.person_id == person_id)
    return session.execute(wanted.order_by(Tie.kind, Tie.other_id)).scalars().all()


def charges_of(session: Session, book_id: UUID, leader_id: UUID) -> set[UUID]:
    """Return the persons whom the building leader looks after."""
    return set(session.execute(select(Charge.person_id).where(Charge.book_id == book_id, Charge.leader_id == leader_id)).scalars())


def households_of_leader(session: Session, book_id: UUID, leader_id: UUID) -> list[list[UUID]]:
    """Return the persons whom the building leader looks after, household by household."""
    members = sorted(charges_of(session, book_id, leader_id))
    pairs: list[tuple[UUID, UUID]] = []
    for chunk in in_sets(members):
        rows = session.execute(
            select(Tie.person_id, Tie.other_id).where(Tie.book_id == book_id, Tie.kind == "household", Tie.person_id.in_(chunk))
        )
        pairs += [(one, other) for one, other in rows]
    return groups_of(members, pairs)


def teams(session: Session, book_id: UUID, scope: Scope, *, after: str = "", limit: int = 50) -> Sequence[Team]:
    """Return the teams of the areas within `scope` by name, from after the name `after`."""
    wanted = select(Team).where(Team.book_id == book_id, areas.covered(book_id, Team.area_code, scope), Team.name > after)
    return session.execute(wanted.order_by(Team.name).limit(limit)).scalars().all()


def teams_by_id(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Team]:
    """Return those of `ids` that are teams of the book."""
    if not ids:
        return {}
    return {team.id: team for team in session.execute(select(Team).where(Team.book_id == book_id, Team.id.in_(ids))).scalars()}


def team(session: Session, book_id: UUID, team_id: UUID, within: Scope = areas.EVERYWHERE) -> Team:
    """Return the team; raise NotFound where there is none in an area within `within`."""
    wanted = select(Team).where(Team.book_id == book_id, Team.id == team_id)
    if within != areas.EVERYWHERE:
        wanted = wanted.where(areas.covered(book_id, Team.area_code, within))
    if (found := session.execute(wanted).scalar_one_or_none()) is None:
        raise NotFound("team_id")
    return found


def team_named(session: Session, book_id: UUID, name: str) -> Team | None:
    """Return the team of that name, which no two of a book have."""
    return session.execute(select(Team).where(Team.book_id == book_id, Team.name == name)).scalar_one_or_none()


def leaders_of(session: Session, book_id: UUID, team_id: UUID) -> Sequence[TeamLeader]:
    """Return who leads or led a team, in the order they began."""
    wanted = select(TeamLeader).where(TeamLeader.book_id == book_id, TeamLeader.team_id == team_id)
    return session.execute(wanted.order_by(TeamLeader.starts_on, TeamLeader.person_id)).scalars().all()


def teams_led_by(session: Session, book_id: UUID, person_id: UUID, on: date) -> Sequence[Team]:
    """Return the teams that somebody leads on that day, and belongs to."""
    wanted = (
        select(Team)
        .join(TeamLeader, and_(TeamLeader.book_id == Team.book_id, TeamLeader.team_id == Team.id))
        .join(TeamMember, and_(TeamMember.book_id == Team.book_id, TeamMember.team_id == Team.id))
        .where(
            Team.book_id == book_id,
            TeamLeader.person_id == person_id,
            TeamLeader.starts_on <= on,
            or_(TeamLeader.ends_on.is_(None), TeamLeader.ends_on >= on),
            TeamMember.person_id == person_id,
            TeamMember.starts_on <= on,
            or_(TeamMember.ends_on.is_(None), TeamMember.ends_on >= on),
        )
    )
    return session.execute(wanted.order_by(Team.name)).scalars().all()


def members_of_many(session: Session, book_id: UUID, team_ids: Collection[UUID], on: date) -> dict[UUID, set[UUID]]:
    """Return for each team who belongs to it on that day."""
    found: dict[UUID, set[UUID]] = {team_id: set() for team_id in team_ids}
    if not found:
        return found
    wanted = select(TeamMember.team_id, TeamMember.person_id).where(
        TeamMember.book_id == book_id,
        TeamMember.team_id.in_(found),
        TeamMember.starts_on <= on,
        or_(TeamMember.ends_on.is_(None), TeamMember.ends_on >= on),
    )
    for team_id, person_id in session.execute(wanted):
        found[team_id].add(person_id)
    return found


def members_since(session: Session, book_id: UUID, wanted: Collection[tuple[UUID, date]]) -> dict[tuple[UUID, date], set[UUID]]:
    """Return for each (team, day) who belonged to the team on that day or at any time since: who did its deed, or has its points."""
    found: dict[tuple[UUID, date], set[UUID]] = {asked: set() for asked in wanted}
    if not found:
        return found
    rows = session.execute(
        select(TeamMember.team_id, TeamMember.person_id, TeamMember.ends_on).where(
            TeamMember.book_id == book_id, TeamMember.team_id.in_({team_id for team_id, _ in found})
        )
    ).all()
    for asked, members in found.items():
        members |= {person_id for team_id, person_id, ends_on in rows if team_id == asked[0] and (ends_on is None or ends_on >= asked[1])}
    return found
