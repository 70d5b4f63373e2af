"""What waits for a second administrator: strong roles, merges of two records, and erasing somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import OPERATOR
from ledger.areas import Scope
from ledger.people.model import Grant
from ledger.people.model import Merge
from ledger.people.model import Person
from ledger.people.rules import STRONG_ROLES


def grants_waiting(session: Session, book_id: UUID, scope: Scope, on: date, *, limit: int) -> Sequence[Grant]:
    """Return the roles in areas within `scope` that were proposed and hold only once another administrator confirms them."""
    wanted = select(Grant).where(
        Grant.book_id == book_id,
        areas.covered(book_id, Grant.area_code, scope),
        Grant.role.in_(STRONG_ROLES),
        Grant.granted_by != OPERATOR,
        Grant.confirmed_by.is_(None),
        or_(Grant.ends_on.is_(None), Grant.ends_on >= on),
    )
    return session.execute(wanted.order_by(Grant.role, Grant.id).limit(limit)).scalars().all()


def merges_waiting(session: Session, book_id: UUID, scope: Scope, *, limit: int) -> Sequence[Merge]:
    """Return the merges of persons of the areas within `scope` that nobody has decided yet."""
    near = select(Person.id).where(Person.book_id == book_id, areas.covered(book_id, Person.area_code, scope))
    wanted = select(Merge).where(Merge.book_id == book_id, Merge.state == "proposed", Merge.kept_id.in_(near), Merge.gone_id.in_(near))
    return session.execute(wanted.order_by(Merge.id).limit(limit)).scalars().all()


def erasures_waiting(session: Session, book_id: UUID, scope: Scope, *, limit: int) -> Sequence[Person]:
    """Return the persons of areas within `scope` whom one administrator has asked to erase."""
    wanted = select(Person).where(
        Person.book_id == book_id,
        areas.covered(book_id, Person.area_code, scope),
        Person.erasure_asked_by.is_not(None),
        Person.status == "active",
    )
    return session.execute(wanted.order_by(Person.id).limit(limit)).scalars().all()
