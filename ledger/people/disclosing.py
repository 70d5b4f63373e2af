"""What people keeps of somebody, told to themselves."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import OPERATOR
from ledger.clock import local_day
from ledger.people import queries
from ledger.people.cards import cards_of
from ledger.people.correcting import corrections_of
from ledger.people.mandates import mandates_of
from ledger.people.model import Grant
from ledger.people.model import TeamLeader
from ledger.people.model import TeamMember
from ledger.people.opening import openings_of
from ledger.people.paper import prints_of
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.rules import kin_field
from ledger.people.rules import was_field
from ledger.people.vault import Vault

Row = dict[str, Any]


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what is known of somebody, what they are to others, what they hold, and who looked or changed something."""
    person = queries.person(session, book_id, person_id)
    fields = queries.fields_of(session, vault, book_id, [person_id], PERSONAL_FIELDS)[person_id]
    columns = ("id", "handle", "area_code", "is_resident", "status", "created_at", "guarded_until")
    return {
        "person": _columns(person, columns),
        "fields": {field: fields[field] for field in PERSONAL_FIELDS if field in fields},
        "ties": ties_told(session, vault, book_id, person_id),
        "mandates": _mandates(session, book_id, person_id),
        "teams": _teams(session, book_id, person_id),
        "roles": [
            _columns(grant, ("role", "area_code", "starts_on", "ends_on")) for grant in queries.grants_of(session, book_id, person_id)
        ],
        "cards": _cards(session, book_id, person_id),
        "paper_prints": _paper_prints(session, book_id, person_id),
        "openings": _openings(session, book_id, person_id),
        "corrections": _corrections(session, vault, book_id, person_id),
    }


def _columns(row: object, names: Iterable[str]) -> Row:
    return {name: getattr(row, name) for name in names}


def ties_told(session: Session, vault: Vault, book_id: UUID, person_id: UUID) -> list[Row]:
    """Return who belongs to somebody, as they are told it: of which kind, what they call them, and the end of the number."""
    ties = queries.ties_of(session, book_id, person_id)
    labels = queries.fields_of(session, vault, book_id, [person_id], [kin_field(tie.other_id) for tie in ties])[person_id]
    tails = _tails(session, book_id, [tie.other_id for tie in ties])
    return [
        _columns(tie, ("kind", "declared_at")) | {"other": tails[tie.other_id], "label": labels.get(kin_field(tie.other_id))}
        for tie in ties
    ]


def _mandates(session: Session, book_id: UUID, person_id: UUID) -> list[Row]:
    found = mandates_of(session, book_id, person_id)
    tails = _tails(session, book_id, [other for one in found for other in (one.person_id, one.helper_id)])
    names = ("kind", "points_per_day_max", "starts_on", "ends_on", "granted_at", "agreed_at", "ended_at")
    return [
        _columns(one, names) | {"is_helper": one.helper_id == person_id, "person": tails[one.person_id], "helper": tails[one.helper_id]}
        for one in found
    ]


def _teams(session: Session, book_id: UUID, person_id: UUID) -> list[Row]:
    rows = []
    for model, leads in ((TeamMember, False), (TeamLeader, True)):
        wanted = select(model).where(model.book_id == book_id, model.person_id == person_id).order_by(model.starts_on)
        rows += [_columns(one, ("team_id", "starts_on", "ends_on")) | {"leads": leads} for one in session.execute(wanted).scalars()]
    names = queries.teams_by_id(session, book_id, {row["team_id"] for row in rows})
    return [row | {"name": names[row["team_id"]].name} for row in rows]


def _cards(session: Session, book_id: UUID, person_id: UUID) -> list[Row]:
    found = cards_of(session, book_id, person_id)
    acts = {(card.issued_by, card.issued_at) for card in found}
    acts |= {(card.revoked_by, card.revoked_at) for card in found if card.revoked_by and card.revoked_at}
    who = whoever_acted(session, book_id, person_id, acts)
    return [
        _columns(card, ("number", "issued_at", "revoked_at"))
        | {
            "issued": who[card.issued_by, card.issued_at],
            "revoked": who[card.revoked_by, card.revoked_at] if card.revoked_by and card.revoked_at else None,
        }
        for card in found
    ]


def _paper_prints(session: Session, book_id: UUID, person_id: UUID) -> list[Row]:
    found = prints_of(session, book_id, person_id)
    who = whoever_acted(session, book_id, person_id, {(one.printed_by, one.printed_at) for one in found})
    return [_columns(one, ("printed_at", "line_from", "line_to")) | {"by": who[one.printed_by, one.printed_at]} for one in found]


def _openings(session: Session, book_id: UUID, person_id: UUID) -> list[Row]:
    found = openings_of(session, book_id, person_id)
    who = whoever_acted(session, book_id, person_id, {(one.opened_by, one.opened_at) for one in found})
    return [_columns(one, ("opened_at", "reason")) | {"by": who[one.opened_by, one.opened_at]} for one in found]


def _corrections(session: Session, vault: Vault, book_id: UUID, person_id: UUID) -> list[Row]:
    found = corrections_of(session, book_id, person_id)
    before = queries.fields_of(session, vault, book_id, [person_id], [was_field(one.id) for one in found])[person_id]
    who = whoever_acted(session, book_id, person_id, {(one.corrected_by, one.corrected_at) for one in found})
    return [
        _columns(one, ("corrected_at", "field")) | {"was": before.get(was_field(one.id)), "by": who[one.corrected_by, one.corrected_at]}
        for one in found
    ]


def _tails(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the last four digits of each of these persons' numbers: enough to tell them apart, and nothing to type at a till."""
    return {person_id: person.handle[-4:] for person_id, person in queries.persons(session, book_id, ids).items()}


def whoever_acted(session: Session, book_id: UUID, own: UUID, acts: Collection[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], Row]:
    """Return for each (person, moment) who that was: the end of their number, and the roles they held on that day."""
    zone, ids = areas.book(session, book_id).zone, {person_id for person_id, _ in acts}
    tails = _tails(session, book_id, ids)
    held: dict[UUID, list[tuple[str, date, date]]] = {person_id: [] for person_id in ids}
    for grant in session.execute(select(Grant).where(Grant.book_id == book_id, Grant.person_id.in_(ids)).order_by(Grant.role)).scalars():
        if not grant.waits:
            held[grant.person_id].append((grant.role, grant.starts_on, grant.ends_on or date.max))
    found = {}
    for person_id, moment in acts:
        day = local_day(moment, zone)
        roles = [role for role, starts_on, ends_on in held[person_id] if starts_on <= day <= ends_on and role != "volunteer"]
        found[person_id, moment] = {
            "handle_tail": tails.get(person_id), "roles": [] if person_id == own else roles,
            "is_own": person_id == own, "is_operator": person_id == OPERATOR,
        }  # fmt: skip
    return found
