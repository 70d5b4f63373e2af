"""Enrolling people and what they are to each other: ties, charges, teams, roles."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert_postgresql
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import queries
from ledger.people.model import Card
from ledger.people.model import Charge
from ledger.people.model import EndedTie
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
from ledger.people.rules import CHARGES_MAX
from ledger.people.rules import GUARDED_BELOW
from ledger.people.rules import NAME_LENGTH_MAX
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.rules import ROLES
from ledger.people.rules import TIE_KINDS
from ledger.people.rules import NewPerson
from ledger.people.rules import checked_text
from ledger.people.rules import handle_of
from ledger.people.rules import in_sets
from ledger.people.rules import is_below
from ledger.people.rules import kin_field
from ledger.people.rules import last_day_below
from ledger.people.rules import pairs_of
from ledger.people.rules import personal_fields
from ledger.people.rules import search_values
from ledger.people.vault import Vault
from ledger.people.vault import seal_bytes
from ledger.people.vault import seal_field
from ledger.points import POINTS_MAX
from ledger.store import insert_rows

Rows = dict[Any, list[dict[str, Any]]]


@dataclass(frozen=True)
class NewGrant:
    """A role to be given: to whom, where, from which day to which (both included)."""

    person_id: UUID
    role: str
    area_code: str
    starts_on: date
    ends_on: date | None = None


def enrol(session: Session, act: Act, vault: Vault, new: NewPerson, *, within: Scope = areas.EVERYWHERE) -> Person | Refusal:
    """Enrol somebody in an area within `within`; refused where the book has the same name with the same phone already."""
    person = enrol_many(session, act, vault, [new], within=within)[0]
    assert not isinstance(person, UUID)
    return person


def enrol_many(
    session: Session, act: Act, vault: Vault, news: Sequence[NewPerson], *, within: Scope = areas.EVERYWHERE
) -> list[Person | Refusal]:  # fmt: skip
    """Enrol a set of people in a handful of statements; one outcome for each, in order. A child's guardian acts for it from then on."""
    fields = [personal_fields(new) for new in news]
    _check_areas(session, act.book_id, {new.area_code for new in news}, within)
    taken = _names_with_phone_taken(session, act.book_id, vault, fields)
    against = _against_guardians(session, act, vault, {new.guardian_id for new in news if new.guardian_id})
    today = _today(session, act)
    handles = iter(free_handles(session, act.book_id, len(news)))
    outcomes: list[Person | Refusal] = []
    rows: Rows = {Person: [], PersonKey: [], SealedField: [], SearchHash: [], Grant: [], Mandate: []}
    for new, known in zip(news, fields, strict=True):
        if (both := search_values(known).get("name_phone")) in taken:
            outcomes.append(Refusal("already-enrolled", "phone"))
            continue
        guarded = is_below(known.get("birth_month"), GUARDED_BELOW, today)
        if code := against.get(new.guardian_id) if new.guardian_id else "guardian-needed" if guarded else None:
            outcomes.append(Refusal(code, "guardian_id"))
            continue
        taken |= {both} if both else set()
        person = Person(
            book_id=act.book_id, id=new_id(), handle=next(handles), area_code=new.area_code,
            is_resident=new.is_resident, status="active", created_at=act.at,
            guarded_until=last_day_below(known["birth_month"], GUARDED_BELOW) if guarded else None,
        )  # fmt: skip
        outcomes.append(person)
        _add_rows(rows, act, vault, person, known)
        rows[Grant] += [{"role": role, "person_id": person.id, "area_code": new.area_code} for role in new.roles]
        if new.guardian_id and person.guarded_until:
            # Whoever enrols a child has its guardian before them: that they agreed is part of what is recorded.
            mandate = mandate_row(act, person.id, new.guardian_id, "guardian", POINTS_MAX, today, person.guarded_until)
            rows[Mandate].append(mandate | {"agreed_at": act.at})
    _finish_grants(session, act, rows[Grant])
    _insert(session, act.book_id, rows)
    return outcomes


def _add_rows(rows: Rows, act: Act, vault: Vault, person: Person, known: dict[str, str]) -> None:
    key, wrapped = vault.new_key(act.book_id, person.id)
    columns = ("id", "handle", "area_code", "is_resident", "status", "created_at", "guarded_until")
    rows[Person].append({column: getattr(person, column) for column in columns})
    rows[PersonKey].append({"person_id": person.id, "wrapped": wrapped, "master_key_id": vault.master_key_id})
    for field, text in known.items():
        sealed = seal_field(key, act.book_id, person.id, field, text)
        rows[SealedField].append({"person_id": person.id, "field": field, "sealed": sealed})
    rows[SearchHash] += _search_rows(vault, act.book_id, person.id, known)


def mandate_row(
    act: Act, person_id: UUID, helper_id: UUID, kind: str, points_per_day_max: int, starts_on: date, ends_on: date
) -> dict[str, Any]:  # fmt: skip
    """Return a new row of `mandate`."""
    return {
        "id": new_id(), "person_id": person_id, "helper_id": helper_id, "kind": kind, "points_per_day_max": points_per_day_max,
        "starts_on": starts_on, "ends_on": ends_on, "granted_by": act.actor, "granted_at": act.at, "agreed_at": None,
        "ended_by": None, "ended_at": None,
    }  # fmt: skip


def against_helper(session: Session, act: Act, helper_id: UUID) -> str | None:
    """Return why whoever acts may not let this helper act for somebody: nobody gives that to themselves, or to their own."""
    if helper_id == act.actor:
        return "mandate-for-oneself"
    return "mandate-for-own" if helper_id in queries.tied(session, act.book_id, [act.actor])[act.actor] else None


def _against_guardians(session: Session, act: Act, vault: Vault, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return for each of `ids` that cannot be a guardian why not."""
    if not ids:
        return {}
    found = queries.persons(session, act.book_id, ids)
    if len(found) < len(ids):
        raise NotFound("guardian_id")
    unfit = queries.minors(session, vault, act.book_id, ids, _today(session, act))
    unfit |= {person.id for person in found.values() if person.status != "active"}
    why = {person_id: "guardian-unfit" if person_id in unfit else against_helper(session, act, person_id) for person_id in ids}
    deciding = dict.fromkeys(not_to_draw_in(session, act.book_id, act.actor, ids, _today(session, act)), "mandate-of-staff")
    return deciding | {person_id: code for person_id, code in why.items() if code}


def not_to_draw_in(session: Session, book_id: UUID, actor: UUID, ids: Collection[UUID], today: date) -> set[UUID]:
    """Return those of `ids` whom the actor may not make a helper or a team's member.

    Whoever helps somebody, or is in their team, decides nothing for them: it would take an approver out of the way. So whoever bears
    witness or decides is drawn in by an administrator of where they live and by nobody else.
    """
    if actor == OPERATOR or not (found := queries.deciding(session, book_id, ids, today)):
        return set()
    powers = queries.powers_of(session, book_id, actor, today)
    return found - queries.within(session, book_id, found, tuple(power.area_path for power in powers if power.role == "administrator"))


def _search_rows(vault: Vault, book_id: UUID, person_id: UUID, known: dict[str, str]) -> list[dict[str, Any]]:
    values = search_values(known).items()
    return [{"person_id": person_id, "field": field, "hashed": vault.hashed(book_id, field, value)} for field, value in values]


def _finish_grants(session: Session, act: Act, grants: list[dict[str, Any]]) -> None:
    today = _today(session, act)
    for grant in grants:
        grant |= {"id": new_id(), "starts_on": today, "ends_on": None, "granted_by": act.actor}


def _today(session: Session, act: Act) -> date:
    return local_day(act.at, areas.book(session, act.book_id).zone)


def _insert(session: Session, book_id: UUID, rows: Mapping[Any, list[dict[str, Any]]]) -> None:
    for model, listed in rows.items():
        insert_rows(session, model, [{"book_id": book_id, **row} for row in listed])


def _check_areas(session: Session, book_id: UUID, codes: Collection[str], within: Scope) -> None:
    paths = areas.paths_of(session, book_id, codes)
    if any(code not in paths or not areas.in_scope(paths[code], within) for code in codes):
        raise NotFound("area_code")


def _names_with_phone_taken(session: Session, book_id: UUID, vault: Vault, fields: Iterable[dict[str, str]]) -> set[str]:
    asked = {both for known in fields if (both := search_values(known).get("name_phone"))}
    return {both for both, ids in queries.found_by(session, vault, book_id, "name_phone", asked).items() if ids}


def free_handles(session: Session, book_id: UUID, count: int) -> list[str]:
    """Return so many handles that nobody of the book has."""
    # Drawn by lot, a few at a time again where some are taken already: 10 million numbers for a book of some hundred thousand.
    free: list[str] = []
    while len(free) < count:
        drawn = {handle_of(secrets.randbelow(10_000_000)) for _ in range(count - len(free))} - set(free)
        for chunk in in_sets(drawn):
            taken = session.execute(select(Person.handle).where(Person.book_id == book_id, Person.handle.in_(chunk))).scalars()
            free += set(chunk) - set(taken)
    return free


def seal_texts(session: Session, vault: Vault, book_id: UUID, texts: Iterable[tuple[UUID, str, str]]) -> None:
    """Seal for each (person, field, text) that text, for example ("claim:<id>"), replacing what was sealed there before."""
    listed = [(person_id, field, checked_text(text, field)) for person_id, field, text in texts]
    keys = _keys_of(session, vault, book_id, {person_id for person_id, _, _ in listed})
    rows = [
        {"person_id": person_id, "field": field, "sealed": seal_field(keys[person_id], book_id, person_id, field, text)}
        for person_id, field, text in listed
    ]
    if rows:
        upsert = upsert_postgresql if session.get_bind().dialect.name == "postgresql" else upsert_sqlite
        new = upsert(SealedField)
        placed = new.on_conflict_do_update(index_elements=["book_id", "person_id", "field"], set_={"sealed": new.excluded.sealed})
        session.connection().execute(placed, [{"book_id": book_id, **row} for row in rows])


def seal_contents(session: Session, vault: Vault, book_id: UUID, contents: Sequence[tuple[UUID, str, bytes]]) -> list[bytes]:
    """Return for each (person, name, content) that content sealed with the person's key, for a table of another capability."""
    keys = _keys_of(session, vault, book_id, {person_id for person_id, _, _ in contents})
    return [seal_bytes(keys[person_id], book_id, person_id, name, content) for person_id, name, content in contents]


def add_fields(session: Session, vault: Vault, book_id: UUID, added: Mapping[UUID, dict[str, str]]) -> None:
    """Seal for each person the fields that they have not had yet; what they have stays."""
    there = queries.fields_of(session, vault, book_id, added, PERSONAL_FIELDS)
    missing = {
        person_id: {field: text for field, text in fields.items() if field not in there[person_id]} for person_id, fields in added.items()
    }
    seal_texts(
        session, vault, book_id, [(person_id, field, text) for person_id, fields in missing.items() for field, text in fields.items()]
    )
    rows = []
    for person_id, fields in missing.items():
        before, after = search_values(there[person_id]), search_values(there[person_id] | fields)
        new = {field: value for field, value in after.items() if before.get(field) != value}
        rows += [{"person_id": person_id, "field": field, "hashed": vault.hashed(book_id, field, value)} for field, value in new.items()]
    _insert(session, book_id, {SearchHash: rows})


def guard_children(session: Session, book_id: UUID, births: Mapping[UUID, str | None], today: date) -> None:
    """Note until when a guardian acts for each of these, now that their month of birth has become known or another."""
    for person_id, birth_month in births.items():
        until = last_day_below(birth_month, GUARDED_BELOW) if birth_month and is_below(birth_month, GUARDED_BELOW, today) else None
        this = (Person.book_id == book_id, Person.id == person_id, Person.guarded_until.is_distinct_from(until))
        session.execute(update(Person).where(*this).values(guarded_until=until))


def _keys_of(session: Session, vault: Vault, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, bytes]:
    keys: dict[UUID, bytes] = {}
    for chunk in in_sets(ids):
        rows = session.execute(
            select(PersonKey.person_id, PersonKey.wrapped).where(PersonKey.book_id == book_id, PersonKey.person_id.in_(chunk))
        )
        keys |= {person_id: vault.unwrap(book_id, person_id, wrapped) for person_id, wrapped in rows}
    if len(keys) < len(ids):
        raise NotFound("person_id")
    return keys


def grant_role(
    session: Session, act: Act, *, person_id: UUID, role: str, area_code: str, starts_on: date, ends_on: date | None = None,
    within: Scope = areas.EVERYWHERE,
) -> Grant | Refusal:  # fmt: skip
    """Give somebody a role in an area within `within`; nobody gives one to themselves."""
    return grant_roles(session, act, [NewGrant(person_id, role, area_code, starts_on, ends_on)], within=within)[0]


def grant_roles(session: Session, act: Act, news: Sequence[NewGrant], *, within: Scope = areas.EVERYWHERE) -> list[Grant | Refusal]:
    """Give a set of roles in one statement; one outcome for each, in order. Only the operator gives one for days that are past.

    A strong role (see `STRONG_ROLES`) is a proposal until somebody else has confirmed it (see `confirm_grant`), but the operator's.
    """
    for new in news:
        if new.role not in ROLES:
            raise Invalid("role-unknown", "role", role=new.role)
        if new.ends_on and new.ends_on < new.starts_on:
            raise Invalid("dates-out-of-order", "ends_on")
    _check_areas(session, act.book_id, {new.area_code for new in news}, within)
    _check_persons(session, act.book_id, {new.person_id for new in news})
    earliest = _earliest(session, act)
    own = {act.actor} | queries.tied(session, act.book_id, [act.actor])[act.actor]
    outcomes: list[Grant | Refusal] = [
        _refused(act, new, earliest, own) or Grant(book_id=act.book_id, id=new_id(), granted_by=act.actor, **vars(new)) for new in news
    ]
    columns = ("id", "person_id", "role", "area_code", "starts_on", "ends_on", "granted_by")
    given = [{column: getattr(grant, column) for column in columns} for grant in outcomes if isinstance(grant, Grant)]
    _insert(session, act.book_id, {Grant: given})
    return outcomes


def _refused(act: Act, new: NewGrant, earliest: date, own: Collection[UUID]) -> Refusal | None:
    if new.person_id in own:
        return Refusal("role-for-oneself" if new.person_id == act.actor else "role-for-own", "person_id")
    return Refusal("role-in-the-past", "starts_on", {"earliest": earliest.isoformat()}) if new.starts_on < earliest else None


def _earliest(session: Session, act: Act) -> date:
    # What was done on days that are past was judged by the roles of those days; an operator takes over what an office kept on paper.
    return date.min if act.actor == OPERATOR else _today(session, act)


def confirm_grant(session: Session, act: Act, grant_id: UUID, *, within: Scope = areas.EVERYWHERE) -> Grant | Refusal:
    """Let a role hold that an administrator proposed: another of an area within `within` does, who has to do with neither of the two."""
    grant = _locked(session, act, grant_id, within)
    if not grant.waits:
        return Refusal("role-confirmed-already", "grant_id")
    if grant.ends_on and grant.ends_on < _today(session, act):
        return Refusal("role-already-ended", "grant_id")
    both = {grant.granted_by, grant.person_id}
    if act.actor in both.union(*queries.tied(session, act.book_id, both).values()):
        return Refusal("role-takes-two", "grant_id")
    grant.confirmed_by = act.actor
    session.flush()
    return grant


def _locked(session: Session, act: Act, grant_id: UUID, within: Scope) -> Grant:
    wanted = select(Grant).where(Grant.book_id == act.book_id, Grant.id == grant_id, areas.covered(act.book_id, Grant.area_code, within))
    grant = session.execute(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).scalar_one_or_none()
    if grant is None:
        raise NotFound("grant_id")
    return grant


def end_grant(session: Session, act: Act, grant_id: UUID, ends_on: date, *, within: Scope = areas.EVERYWHERE) -> Grant | Refusal:
    """Let a role end with that day, yesterday at the earliest; a role that has ended already does not come back."""
    grant = _locked(session, act, grant_id, within)
    # Whoever these residents look over the shoulder of does not send them away.
    if grant.role == "resident_supervisor" and act.actor != OPERATOR and not grant.waits:
        return Refusal("supervisor-by-operator", "grant_id")
    if grant.ends_on and grant.ends_on < ends_on:
        return Refusal("role-already-ended", "ends_on")
    if ends_on < grant.starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    yesterday = _today(session, act) - timedelta(days=1)
    if act.actor != OPERATOR and ends_on < yesterday:
        return Refusal("role-in-the-past", "ends_on", {"earliest": yesterday.isoformat()})
    grant.ends_on = ends_on
    session.flush()
    return grant


def _check_persons(session: Session, book_id: UUID, ids: Collection[UUID], within: Scope = areas.EVERYWHERE) -> None:
    found = queries.persons(session, book_id, ids)
    if len(found) < len(set(ids)):
        raise NotFound("person_id")
    if within != areas.EVERYWHERE:
        _check_areas(session, book_id, {person.area_code for person in found.values()}, within)


def tie(session: Session, act: Act, person_id: UUID, other_id: UUID, kind: str) -> Refusal | None:
    """Record that two persons are kin or of one household, in both directions; twice is once."""
    if person_id == other_id:
        raise Invalid("tie-with-oneself", "other_id")
    return tie_all(session, act, [(person_id, other_id)], kind)


def label_tie(session: Session, vault: Vault, book_id: UUID, person_id: UUID, other_id: UUID, label: str) -> None:
    """Seal with somebody what another is to them, for example a daughter; the tie itself says only that there is one."""
    seal_texts(session, vault, book_id, [(person_id, kin_field(other_id), label)])


def tie_households(session: Session, act: Act, households: Iterable[Sequence[UUID]]) -> Refusal | None:
    """Record of each household that its members belong together."""
    return tie_all(session, act, [pair for household in households for pair in pairs_of(household)], "household")


def tie_all(session: Session, act: Act, pairs: Iterable[tuple[UUID, UUID]], kind: str) -> Refusal | None:
    """Record a set of ties of one kind, each in both directions, or none where one of them is not the actor's to declare."""
    if kind not in TIE_KINDS:
        raise Invalid("tie-kind-unknown", "kind")
    wanted = {pair for one, other in pairs for pair in ((one, other), (other, one))}
    members = {person_id for pair in wanted for person_id in pair}
    _check_persons(session, act.book_id, members)
    if not _may_declare(session, act, wanted, kind):
        return Refusal("tie-by-administrator" if kind == "same" else "tie-of-staff", "other_id" if kind != "same" else "kind")
    there: set[tuple[UUID, UUID]] = set()
    for chunk in in_sets(members):
        rows = session.execute(
            select(Tie.person_id, Tie.other_id).where(Tie.book_id == act.book_id, Tie.kind == kind, Tie.person_id.in_(chunk))
        )
        there |= {(one, other) for one, other in rows}
    same = {"kind": kind, "declared_by": act.actor, "declared_at": act.at}
    missing = [{"person_id": one, "other_id": other, **same} for one, other in sorted(wanted - there)]
    _insert(session, act.book_id, {Tie: missing})
    return None


def _may_declare(session: Session, act: Act, pairs: Collection[tuple[UUID, UUID]], kind: str) -> bool:
    # Whoever is tied to somebody decides nothing for them: a false tie would take an approver out of the way. That two records are of one
    # human is said by whoever answers for both.
    if act.actor == OPERATOR:
        return True
    today, members = _today(session, act), {person_id for pair in pairs for person_id in pair}
    staff = queries.is_staff(session, act.book_id, members, today)
    powers = queries.powers_of(session, act.book_id, act.actor, today)
    scope = tuple(power.area_path for power in powers if power.role == "administrator")
    near = queries.within(session, act.book_id, members, scope)
    return all({one, other} <= near for one, other in pairs if kind == "same" or {one, other} & staff)


def untie(
    session: Session, act: Act, person_id: UUID, other_id: UUID, kind: str, *, within: Scope = areas.EVERYWHERE
) -> Refusal | None:  # fmt: skip
    """End a tie that was declared by mistake, of two persons within `within`; nobody ends one of their own."""
    _check_persons(session, act.book_id, {person_id, other_id}, within)
    if act.actor in {person_id, other_id}:
        return Refusal("tie-of-ones-own", "person_id")
    directions = tuple_(Tie.person_id, Tie.other_id).in_([(person_id, other_id), (other_id, person_id)])
    this = (Tie.book_id == act.book_id, Tie.kind == kind, directions)
    tie = session.execute(select(Tie.declared_by, Tie.declared_at).where(*this).limit(1)).one_or_none()
    if tie is None:
        raise NotFound("other_id")
    # The database lets go of a tie only once it is written down that it was ended.
    row = {"id": new_id(), "person_id": person_id, "other_id": other_id, "kind": kind, "ended_by": act.actor, "ended_at": act.at}
    _insert(session, act.book_id, {EndedTie: [row | tie._asdict()]})
    session.execute(delete(Tie).where(*this))
    labels = [(person_id, kin_field(other_id)), (other_id, kin_field(person_id))]
    session.execute(
        delete(SealedField).where(SealedField.book_id == act.book_id, tuple_(SealedField.person_id, SealedField.field).in_(labels))
    )
    return None


def give_charge(
    session: Session, act: Act, leader_id: UUID, person_ids: Collection[UUID], *, within: Scope = areas.EVERYWHERE
) -> Refusal | None:  # fmt: skip
    """Give a building leader the persons of the households to look after; whom they have already stays."""
    return give_charges(session, act, {leader_id: person_ids}, within=within)


def give_charges(
    session: Session, act: Act, charges: Mapping[UUID, Collection[UUID]], *, within: Scope = areas.EVERYWHERE
) -> Refusal | None:  # fmt: skip
    """Give a set of building leaders their persons in one statement, or nobody any; nobody looks after themselves."""
    wanted = {(leader_id, person_id) for leader_id, ids in charges.items() for person_id in ids if person_id != leader_id}
    _check_persons(session, act.book_id, {person_id for pair in wanted for person_id in pair} | set(charges), within)
    if act.actor in charges:
        return Refusal("charges-for-oneself", "leader_id")
    if queries.holding(session, act.book_id, ["building_leader"], charges, _today(session, act)) != set(charges):
        return Refusal("not-a-building-leader", "leader_id")
    there: set[tuple[UUID, UUID]] = set()
    for chunk in in_sets(sorted(charges)):
        _lock_persons(session, act.book_id, chunk)
        rows = session.execute(select(Charge.leader_id, Charge.person_id).where(Charge.book_id == act.book_id, Charge.leader_id.in_(chunk)))
        there |= {(leader_id, person_id) for leader_id, person_id in rows}
    if max(Counter(leader_id for leader_id, _ in wanted | there).values(), default=0) > CHARGES_MAX:
        return Refusal("charges-too-many", "person_ids", {"most": CHARGES_MAX})
    missing = [{"leader_id": leader_id, "person_id": person_id} for leader_id, person_id in sorted(wanted - there)]
    _insert(session, act.book_id, {Charge: missing})
    return None


def _lock_persons(session: Session, book_id: UUID, ids: Collection[UUID]) -> None:
    # Who is given charges twice at once is given them one after the other, and has no more than the most.
    wanted = select(Person.id).where(Person.book_id == book_id, Person.id.in_(ids)).order_by(Person.id)
    session.execute(wanted.with_for_update(key_share=True)).all()


def end_standing(session: Session, act: Act, person_id: UUID) -> None:
    """End what somebody who is here no more could do: their roles until yesterday, their cards now."""
    today = _today(session, act)
    yesterday = today - timedelta(days=1)
    held = (Grant.book_id == act.book_id, Grant.person_id == person_id, or_(Grant.ends_on.is_(None), Grant.ends_on >= today))
    session.execute(update(Grant).where(*held, Grant.starts_on <= yesterday).values(ends_on=yesterday))
    session.execute(update(Grant).where(*held, Grant.starts_on > yesterday).values(ends_on=Grant.starts_on))
    cards = (Card.book_id == act.book_id, Card.person_id == person_id, Card.revoked_at.is_(None))
    session.execute(update(Card).where(*cards).values(revoked_at=act.at, revoked_by=act.actor))
    session.execute(update(Person).where(Person.book_id == act.book_id, Person.id == person_id).values(status="left"))


def end_charges(
    session: Session, act: Act, leader_id: UUID, person_ids: Collection[UUID], *, within: Scope = areas.EVERYWHERE
) -> None:  # fmt: skip
    """Let a building leader look after these persons no more; whom they do not have is as good."""
    _check_persons(session, act.book_id, {leader_id, *person_ids}, within)
    this = (Charge.book_id == act.book_id, Charge.leader_id == leader_id)
    for chunk in in_sets(person_ids):
        session.execute(delete(Charge).where(*this, Charge.person_id.in_(chunk)))


def create_team(
    session: Session, act: Act, *, name: str, area_code: str, member_ids: Collection[UUID], within: Scope = areas.EVERYWHERE
) -> Team | Refusal:  # fmt: skip
    """Make a team that earns as one, with its first members."""
    if not 1 <= len(name := name.strip()) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("name-malformed", "name")
    _check_areas(session, act.book_id, {area_code}, within)
    _check_persons(session, act.book_id, set(member_ids))
    if session.execute(select(Team.id).where(Team.book_id == act.book_id, Team.name == name)).scalar_one_or_none():
        return Refusal("team-name-taken", "name")
    if not_to_draw_in(session, act.book_id, act.actor, member_ids, _today(session, act)):
        return Refusal("team-member-of-staff", "member_ids")
    team = Team(book_id=act.book_id, id=new_id(), name=name, area_code=area_code)
    session.add(team)
    session.flush()
    today = _today(session, act)
    members = [{"team_id": team.id, "person_id": person_id, "starts_on": today, "ends_on": None} for person_id in sorted(set(member_ids))]
    _insert(session, act.book_id, {TeamMember: members})
    return team


def add_members(
    session: Session, act: Act, team_id: UUID, person_ids: Collection[UUID], *, within: Scope = areas.EVERYWHERE
) -> Refusal | None:  # fmt: skip
    """Let people of these areas belong to a team from today on; who does already stays, and who did comes back."""
    queries.team(session, act.book_id, team_id, within)
    _check_persons(session, act.book_id, set(person_ids), within)
    today = _today(session, act)
    if not_to_draw_in(session, act.book_id, act.actor, person_ids, today):
        return Refusal("team-member-of-staff", "person_ids")
    this = (TeamMember.book_id == act.book_id, TeamMember.team_id == team_id, TeamMember.person_id.in_(person_ids))
    there = {member.person_id: member for member in session.execute(select(TeamMember).where(*this)).scalars()}
    for member in there.values():
        if member.ends_on is not None:
            member.ends_on = None
    session.flush()
    missing = [
        {"team_id": team_id, "person_id": person_id, "starts_on": today, "ends_on": None}
        for person_id in sorted(set(person_ids) - there.keys())
    ]
    _insert(session, act.book_id, {TeamMember: missing})
    return None


def end_members(
    session: Session, act: Act, team_id: UUID, person_ids: Collection[UUID], ends_on: date, *, within: Scope = areas.EVERYWHERE
) -> Refusal | None:  # fmt: skip
    """Let people belong to a team until that day, yesterday at the earliest, and lead it no longer; what they did before stays theirs."""
    queries.team(session, act.book_id, team_id, within)
    yesterday = _today(session, act) - timedelta(days=1)
    if act.actor != OPERATOR and ends_on < yesterday:
        return Refusal("role-in-the-past", "ends_on", {"earliest": yesterday.isoformat()})
    this = (TeamMember.book_id == act.book_id, TeamMember.team_id == team_id, TeamMember.person_id.in_(person_ids))
    members = session.execute(select(TeamMember).where(*this).with_for_update(key_share=True)).scalars().all()
    if {member.person_id for member in members} != set(person_ids):
        raise NotFound("person_id")
    if any(member.starts_on > ends_on for member in members):
        raise Invalid("dates-out-of-order", "ends_on")
    leads = (TeamLeader.book_id == act.book_id, TeamLeader.team_id == team_id, TeamLeader.person_id.in_(person_ids))
    for dated in (*members, *session.execute(select(TeamLeader).where(*leads, TeamLeader.starts_on <= ends_on)).scalars()):
        dated.ends_on = min(dated.ends_on or ends_on, ends_on)
    session.flush()
    return None


def lead_team(
    session: Session, act: Act, *, team_id: UUID, person_id: UUID, starts_on: date, ends_on: date | None = None,
    within: Scope = areas.EVERYWHERE,
) -> TeamLeader | Refusal:  # fmt: skip
    """Let one of a team's members lead it: report for it, and see its passbook. Whoever belongs to it decides on none of its deeds."""
    queries.team(session, act.book_id, team_id, within)
    queries.person(session, act.book_id, person_id)
    if ends_on and ends_on < starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    if person_id == act.actor:
        return Refusal("role-for-oneself", "person_id")
    if person_id in queries.tied(session, act.book_id, [act.actor])[act.actor]:
        return Refusal("role-for-own", "person_id")
    if starts_on < (earliest := _earliest(session, act)):
        return Refusal("role-in-the-past", "starts_on", {"earliest": earliest.isoformat()})
    if person_id not in queries.members_of_many(session, act.book_id, [team_id], starts_on)[team_id]:
        return Refusal("not-a-team-member", "person_id")
    if any(
        one.person_id == person_id and one.starts_on <= (ends_on or date.max) and starts_on <= (one.ends_on or date.max)
        for one in queries.leaders_of(session, act.book_id, team_id)
    ):
        return Refusal("leads-already", "person_id")
    leader = TeamLeader(
        book_id=act.book_id, team_id=team_id, person_id=person_id, starts_on=starts_on, ends_on=ends_on, granted_by=act.actor
    )  # fmt: skip
    session.add(leader)
    session.flush()
    return leader


def end_lead(
    session: Session, act: Act, *, team_id: UUID, person_id: UUID, ends_on: date, within: Scope = areas.EVERYWHERE
) -> TeamLeader | Refusal:  # fmt: skip
    """Let somebody's leading of a team end with that day, yesterday at the earliest; what has ended already does not come back."""
    queries.team(session, act.book_id, team_id, within)
    this = (TeamLeader.book_id == act.book_id, TeamLeader.team_id == team_id, TeamLeader.person_id == person_id)
    wanted = select(TeamLeader).where(*this).order_by(TeamLeader.starts_on.desc()).limit(1)
    leader = session.execute(wanted.with_for_update(key_share=True)).scalar_one_or_none()
    if leader is None:
        raise NotFound("person_id")
    if leader.ends_on and leader.ends_on < ends_on:
        return Refusal("role-already-ended", "ends_on")
    if ends_on < leader.starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    yesterday = _today(session, act) - timedelta(days=1)
    if act.actor != OPERATOR and ends_on < yesterday:
        return Refusal("role-in-the-past", "ends_on", {"earliest": yesterday.isoformat()})
    leader.ends_on = ends_on
    session.flush()
    return leader
