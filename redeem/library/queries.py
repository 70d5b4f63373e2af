"""What is asked of the library: its units and what they give."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.errors import NotFound
from redeem.library.model import Resource
from redeem.library.model import Unit


def unit(
    session: Session, book_id: UUID, unit_id: UUID, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> Unit:  # fmt: skip
    """Return the unit; raise NotFound where it is neither in an area within `within` nor one of one's `own`."""
    wanted = select(Unit).where(Unit.book_id == book_id, Unit.id == unit_id)
    if within != areas.EVERYWHERE:
        wanted = wanted.where(or_(areas.covered(book_id, Unit.area_code, within), Unit.id.in_(own)))
    if (found := session.execute(wanted).scalar_one_or_none()) is None:
        raise NotFound("unit_id")
    return found


def unit_named(session: Session, book_id: UUID, name: str) -> Unit:
    """Return the unit of that name; raise NotFound where there is none."""
    found = session.execute(select(Unit).where(Unit.book_id == book_id, Unit.name == name.strip())).scalar_one_or_none()
    if found is None:
        raise NotFound("unit")
    return found


def units(
    session: Session, book_id: UUID, *, colour: str | None = None, after: str = "", limit: int = 50
) -> Sequence[Unit]:  # fmt: skip
    """Return the active units by name, of one colour if given, from after the name `after`."""
    wanted = select(Unit).where(Unit.book_id == book_id, Unit.status == "active", Unit.name > after)
    if colour:
        wanted = wanted.where(Unit.colour == colour)
    return session.execute(wanted.order_by(Unit.name).limit(limit)).scalars().all()


def units_by_id(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Unit]:
    """Return those of `ids` that are active units of the book."""
    wanted = select(Unit).where(Unit.book_id == book_id, Unit.id.in_(ids), Unit.status == "active")
    return {unit.id: unit for unit in session.execute(wanted).scalars()}


def names_of(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of those of `ids` that are units of the book."""
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.book_id == book_id, Unit.id.in_(ids)))
    return {unit_id: name for unit_id, name in rows}


def resources(
    session: Session, book_id: UUID, unit_ids: Collection[UUID], *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Resource]:  # fmt: skip
    """Return what these units give, in the order it was written down, from after the resource `after`."""
    wanted = select(Resource).where(Resource.book_id == book_id, Resource.unit_id.in_(unit_ids))
    if after:
        wanted = wanted.where(Resource.id > after)
    return session.execute(wanted.order_by(Resource.id).limit(limit)).scalars().all()
