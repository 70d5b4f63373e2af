"""Putting right what is known of somebody, so that what stood there before, who changed it and when stays to be seen by them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import actions
from ledger.people import queries
from ledger.people.model import Correction
from ledger.people.model import PersonKey
from ledger.people.model import SealedField
from ledger.people.model import SearchHash
from ledger.people.queries import PowersOf
from ledger.people.rules import GUARDED_BELOW
from ledger.people.rules import OWN_FIELDS
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.rules import checked_field
from ledger.people.rules import is_below
from ledger.people.rules import search_values
from ledger.people.rules import was_field
from ledger.people.vault import Vault


def correct(
    session: Session, act: Act, vault: Vault, person_id: UUID, field: str, text: str | None, *, within: Scope = areas.EVERYWHERE,
    staff_within: Scope = areas.EVERYWHERE, powers_of: PowersOf = queries.powers_of,
) -> Correction | Refusal:  # fmt: skip
    """Put `text` in the place of a personal field of somebody within `within`, or nothing; people themselves change `OWN_FIELDS` only.

    `staff_within`: where whoever corrects may do so of those who work for the community or a shop.
    """
    if field not in PERSONAL_FIELDS:
        raise Invalid("personal-field-unknown", "field")
    queries.person(session, act.book_id, person_id, within)
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    beyond = partial(queries.works_beyond, session, act.book_id, person_id, today, powers_of=powers_of)
    if code := _not_theirs(act, person_id, field, is_beyond=beyond(staff_within)):
        return Refusal(*code)
    # Locked like this also where the pepper is changed: neither leaves a hash of the other's.
    key = select(PersonKey.person_id).where(PersonKey.book_id == act.book_id, PersonKey.person_id == person_id)
    if session.execute(key.with_for_update()).scalar_one_or_none() is None:
        return Refusal("person-left", "person_id")
    before = queries.fields_of(session, vault, act.book_id, [person_id], PERSONAL_FIELDS)[person_id]
    after = {name: told for name, told in before.items() if name != field}
    if told := checked_field(field, text):
        after[field] = told
    if after == before:
        return Refusal("nothing-to-correct", "text")
    # Whoever counts as a child neither signs in nor decides: that is no way to send one of the staff away.
    makes_child = field == "birth_month" and is_below(told, GUARDED_BELOW, today) and beyond(())
    if makes_child or _is_somebody_elses(session, act, vault, person_id, after):
        return Refusal("staff-of-age" if makes_child else "already-enrolled", "text")
    correction = Correction(book_id=act.book_id, id=new_id(), person_id=person_id, field=field, corrected_by=act.actor, corrected_at=act.at)
    session.add(correction)
    session.flush()
    texts = [(person_id, was_field(correction.id), before[field])] if field in before else []
    actions.seal_texts(session, vault, act.book_id, [*texts, *([(person_id, field, told)] if told else [])])
    if not told:
        this = (SealedField.book_id == act.book_id, SealedField.person_id == person_id, SealedField.field == field)
        session.execute(delete(SealedField).where(*this))
    _search_anew(session, vault, act.book_id, person_id, search_values(before), search_values(after))
    if field == "birth_month":
        actions.guard_children(session, act.book_id, {person_id: told or None}, today)
    return correction


def _not_theirs(act: Act, person_id: UUID, field: str, *, is_beyond: bool) -> tuple[str, str] | None:
    if act.subject == person_id and field not in OWN_FIELDS:
        return "correction-by-staff", "field"
    return ("data-of-staff", "person_id") if is_beyond else None


def _is_somebody_elses(session: Session, act: Act, vault: Vault, person_id: UUID, fields: dict[str, str]) -> bool:
    both = search_values(fields).get("name_phone")
    return bool(both) and bool(queries.found_by(session, vault, act.book_id, "name_phone", [str(both)])[str(both)] - {person_id})


def _search_anew(
    session: Session, vault: Vault, book_id: UUID, person_id: UUID, before: dict[str, str], after: dict[str, str]
) -> None:  # fmt: skip
    gone = {field: value for field, value in before.items() if after.get(field) != value}
    if gone:
        hashes = [(field, hashed) for field, value in gone.items() for hashed in vault.hashes(book_id, field, value)]
        this = (SearchHash.book_id == book_id, SearchHash.person_id == person_id)
        session.execute(delete(SearchHash).where(*this, tuple_(SearchHash.field, SearchHash.hashed).in_(hashes)))
    new = {field: value for field, value in after.items() if before.get(field) != value}
    same = {"book_id": book_id, "person_id": person_id}
    rows = [same | {"field": field, "hashed": vault.hashed(book_id, field, value)} for field, value in new.items()]
    if rows:
        session.execute(insert(SearchHash), rows)


def corrections_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[Correction]:
    """Return what of somebody was corrected, by whom and when, the last first."""
    wanted = select(Correction).where(Correction.book_id == book_id, Correction.person_id == person_id)
    return session.execute(wanted.order_by(Correction.corrected_at.desc(), Correction.id.desc())).scalars().all()
