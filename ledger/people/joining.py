"""People who ask to be enrolled: what they tell lies sealed until staff confirm it, and is deleted then, or when nobody answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import actions
from ledger.people import queries
from ledger.people.model import Application
from ledger.people.model import Person
from ledger.people.rules import NewPerson
from ledger.people.rules import personal_fields
from ledger.people.rules import search_values
from ledger.people.vault import Vault

#: Unanswered for so long, what somebody told is deleted, and shown to nobody even before that.
KEPT_FOR = timedelta(days=30)
#: Where somebody can ask to be enrolled: a community, or a grid of it.
JOINING_LEVELS = ("village", "grid", "micro_grid")
#: What an applicant tells of themselves; the rest is found out at the counter.
FIELDS = ("name", "phone", "birth_month", "address")


@dataclass(frozen=True)
class Applied:
    """An application as staff read it."""

    id: UUID
    area_code: str
    applied_at: datetime
    #: Of `FIELDS` those that were told.
    fields: dict[str, str]


def application_context(book_id: UUID, application_id: UUID) -> str:
    """Return what an application is sealed to: its own place."""
    return f"{book_id}|{application_id}|application"


def apply_to_join(session: Session, vault: Vault, book_id: UUID, new: NewPerson, at: datetime, *, key: str) -> None:
    """Keep what somebody who asks to be enrolled tells, under seal; the same `key` is the same application.

    Nothing is looked up, so that nobody learns by asking whether somebody is enrolled.
    """
    if not (new.phone or "").strip():
        raise Invalid("field-required", "phone")
    fields = personal_fields(new)
    if areas.area(session, book_id, new.area_code).level not in JOINING_LEVELS:
        raise Invalid("choice-malformed", "area_code")
    application_id = UUID(bytes=vault.hashed(book_id, "application", key)[:16])
    told = json.dumps({field: fields[field] for field in FIELDS if field in fields}, ensure_ascii=False).encode()
    row = {
        "book_id": book_id, "id": application_id, "area_code": new.area_code, "applied_at": at,
        "sealed": vault.seal(application_context(book_id, application_id), told),
    }  # fmt: skip
    insert = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    session.execute(insert(Application).values(row).on_conflict_do_nothing())


def applications(
    session: Session, vault: Vault, book_id: UUID, scope: Scope, at: datetime, *, after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Applied]:  # fmt: skip
    """Return the applications of the areas within `scope` that wait, the oldest first, from after the one of (moment, id)."""
    wanted = select(Application).where(
        Application.book_id == book_id, Application.applied_at > at - KEPT_FOR, areas.covered(book_id, Application.area_code, scope)
    )
    if after:
        wanted = wanted.where(tuple_(Application.applied_at, Application.id) > after)
    found = session.execute(wanted.order_by(Application.applied_at, Application.id).limit(limit)).scalars()
    return [_opened(vault, row) for row in found]


def applications_waiting(session: Session, book_id: UUID, scope: Scope, at: datetime, *, most: int) -> int:
    """Return how many applications of the areas within `scope` wait, at most `most`."""
    wanted = select(Application.id).where(
        Application.book_id == book_id, Application.applied_at > at - KEPT_FOR, areas.covered(book_id, Application.area_code, scope)
    )
    return session.execute(select(func.count()).select_from(wanted.limit(most).subquery())).scalar_one()


def application(session: Session, vault: Vault, book_id: UUID, application_id: UUID, at: datetime, within: Scope) -> Applied:
    """Return an application of an area within `within`; raise NotFound for any other, and for one that nobody answered in time."""
    return _opened(vault, _waiting(session, book_id, application_id, at, within))


def _waiting(session: Session, book_id: UUID, application_id: UUID, at: datetime, within: Scope) -> Application:
    this = (Application.book_id == book_id, Application.id == application_id, Application.applied_at > at - KEPT_FOR)
    wanted = select(Application).where(*this, areas.covered(book_id, Application.area_code, within))
    if (found := session.execute(wanted.with_for_update(key_share=True)).scalar_one_or_none()) is None:
        raise NotFound("application_id")
    return found


def _opened(vault: Vault, row: Application) -> Applied:
    told: dict[str, str] = json.loads(vault.open(application_context(row.book_id, row.id), row.sealed))
    return Applied(row.id, row.area_code, row.applied_at, told)


def enrolled_alike(session: Session, vault: Vault, book_id: UUID, applied: Iterable[Applied]) -> dict[UUID, set[UUID]]:
    """Return for each application who is enrolled already with the same phone, or with the same name and address."""
    values = {one.id: search_values(one.fields) for one in applied}
    found: dict[UUID, set[UUID]] = {application_id: set() for application_id in values}
    for field in ("phone", "name_address"):
        asked = {told[field] for application_id, told in values.items() if field in told}
        persons = queries.found_by(session, vault, book_id, field, asked)
        for application_id, told in values.items():
            found[application_id] |= persons.get(told.get(field, ""), set())
    return found


def confirm_application(
    session: Session, act: Act, vault: Vault, application_id: UUID, *, area_code: str | None = None, guardian_id: UUID | None = None,
    within: Scope = areas.EVERYWHERE,
) -> Person | Refusal:  # fmt: skip
    """Enrol whoever asked, in the area they named or the one that staff put right; what they told is deleted with it."""
    row = _waiting(session, act.book_id, application_id, act.at, within)
    asked = _opened(vault, row)
    told = {field: asked.fields.get(field) for field in ("phone", "birth_month", "address")}
    new = NewPerson(asked.fields["name"], area_code or asked.area_code, guardian_id=guardian_id, **told)  # type: ignore[arg-type]  # texts
    person = actions.enrol(session, act, vault, new, within=within)
    if not isinstance(person, Refusal):
        _delete(session, act.book_id, [row.id])
    return person


def refuse_application(session: Session, act: Act, application_id: UUID, *, within: Scope = areas.EVERYWHERE) -> None:
    """Delete an application that staff do not confirm."""
    _delete(session, act.book_id, [_waiting(session, act.book_id, application_id, act.at, within).id])


def sweep_applications(session: Session, book_id: UUID, at: datetime) -> int:
    """Delete the applications that nobody answered in time, and return how many there were."""
    late = delete(Application).where(Application.book_id == book_id, Application.applied_at <= at - KEPT_FOR)
    return len(session.execute(late.returning(Application.id)).all())


def _delete(session: Session, book_id: UUID, ids: Sequence[UUID]) -> None:
    session.execute(delete(Application).where(Application.book_id == book_id, Application.id.in_(ids)))
