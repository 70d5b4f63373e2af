"""Erasing somebody: what they were is destroyed with their key, and of what they did only random numbers stay."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.people import actions
from ledger.people import queries
from ledger.people.model import Charge
from ledger.people.model import Erasure
from ledger.people.model import Mandate
from ledger.people.model import Merge
from ledger.people.model import Person
from ledger.people.model import PersonKey
from ledger.people.model import SealedField
from ledger.people.model import SearchHash
from ledger.people.model import TeamLeader
from ledger.people.model import TeamMember
from ledger.people.rules import kin_field


@dataclass(frozen=True)
class Leaving:
    """What a capability has to do with somebody who leaves for good."""

    #: End it.
    end: Callable[[Session, Act, UUID], None]
    #: Why they cannot leave yet; asked of every part before any ends something.
    against: Callable[[Session, Act, UUID], Refusal | None] = lambda session, act, person_id: None
    #: Take away what it keeps sealed, of a person of that book: also of the former records that were merged into theirs.
    forget: Callable[[Session, UUID, UUID], None] = lambda session, book_id, person_id: None


def ask_to_erase(
    session: Session, act: Act, person_id: UUID, parts: Sequence[Leaving], *, within: Scope = areas.EVERYWHERE
) -> Person | Erasure | Refusal:  # fmt: skip
    """Erase somebody where another administrator has asked for it; otherwise write down that this one does. Neither has to do with them."""
    person = _locked(session, act, person_id, within)
    if refusal := _against(session, act, person):
        return refusal
    if (asked_by := person.erasure_asked_by) is None:
        person.erasure_asked_by = act.actor
        session.flush()
        return person
    if act.actor == asked_by or act.actor in queries.tied(session, act.book_id, [asked_by])[asked_by]:
        return Refusal("erasure-takes-two", "person_id")
    return erase(session, act, person_id, parts, within=within)


def _locked(session: Session, act: Act, person_id: UUID, within: Scope) -> Person:
    queries.person(session, act.book_id, person_id, within)
    this = (Person.book_id == act.book_id, Person.id == person_id)
    locked = select(Person).where(*this).with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.execute(locked).scalar_one()


def erase(
    session: Session, act: Act, person_id: UUID, parts: Sequence[Leaving], *, within: Scope = areas.EVERYWHERE
) -> Erasure | Refusal:  # fmt: skip
    """Erase somebody within `within`, who asks for it themselves or of whom one is not kin; `parts` end what other capabilities keep."""
    person = _locked(session, act, person_id, within)
    if refusal := _against(session, act, person):
        return refusal
    for part in parts:
        if refusal := part.against(session, act, person_id):
            return refusal
    for part in parts:
        part.end(session, act, person_id)
    _end(session, act, person_id)
    ids = [person_id, *_merged_into(session, act.book_id, person_id)]
    for one in ids:
        for part in parts:
            part.forget(session, act.book_id, one)
        _forget(session, act.book_id, one)
    session.add_all([Erasure(book_id=act.book_id, person_id=one, erased_by=act.actor, erased_at=act.at) for one in ids])
    session.flush()
    return session.get_one(Erasure, (act.book_id, person_id))


def _merged_into(session: Session, book_id: UUID, person_id: UUID) -> list[UUID]:
    """Return the former records of the same person: what was told of them there is theirs too."""
    found: list[UUID] = []
    asked = [person_id]
    while asked:
        wanted = select(Merge.gone_id).where(Merge.book_id == book_id, Merge.state == "done", Merge.kept_id.in_(asked))
        asked = list(session.execute(wanted).scalars())
        found += asked
    return found


def _against(session: Session, act: Act, person: Person) -> Refusal | None:
    if person.status != "active":
        return Refusal("person-left", "person_id")
    # Whoever decided for others answers for it by name until somebody else has ended their roles.
    if queries.is_staff(session, act.book_id, [person.id], local_day(act.at, areas.book(session, act.book_id).zone)):
        return Refusal("erasure-of-staff", "person_id")
    if person.id != act.subject and act.actor in queries.tied(session, act.book_id, [person.id])[person.id]:
        return Refusal("kin-or-household", "person_id")
    return None


def _end(session: Session, act: Act, person_id: UUID) -> None:
    book_id, today = act.book_id, local_day(act.at, areas.book(session, act.book_id).zone)
    actions.end_standing(session, act, person_id)
    mandates = or_(Mandate.person_id == person_id, Mandate.helper_id == person_id)
    open_ = (Mandate.book_id == book_id, mandates, Mandate.ended_at.is_(None))
    session.execute(update(Mandate).where(*open_).values(ended_by=act.actor, ended_at=act.at))
    yesterday = today - timedelta(days=1)
    for model in (TeamMember, TeamLeader):
        held = (model.book_id == book_id, model.person_id == person_id, or_(model.ends_on.is_(None), model.ends_on >= today))
        session.execute(update(model).where(*held, model.starts_on <= yesterday).values(ends_on=yesterday))
        session.execute(update(model).where(*held, model.starts_on > yesterday).values(ends_on=model.starts_on))
    charges = or_(Charge.person_id == person_id, Charge.leader_id == person_id)
    session.execute(delete(Charge).where(Charge.book_id == book_id, charges))


def _forget(session: Session, book_id: UUID, person_id: UUID) -> None:
    # What others have sealed of them: what they are to those.
    session.execute(delete(SealedField).where(SealedField.book_id == book_id, SealedField.field == kin_field(person_id)))
    for model in (SearchHash, SealedField, PersonKey):
        session.execute(delete(model).where(model.book_id == book_id, model.person_id == person_id))
    # Until when somebody was a child tells when they were born.
    session.execute(update(Person).where(Person.book_id == book_id, Person.id == person_id).values(guarded_until=None))
