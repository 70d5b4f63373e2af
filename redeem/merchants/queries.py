"""What is asked of shops: their tills, who works there, whether a till has to wait."""

from __future__ import annotations

import math
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger.people import Power
from redeem import library
from redeem.merchants.model import ShopStaff
from redeem.merchants.model import Till
from redeem.merchants.model import WrongTry

#: So many wrong tries within so long, and the shop has to wait.
WRONG_TRIES_MAX = 10
WRONG_TRIES_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class TillSeen:
    """A till, its shop, and where that is."""

    id: UUID
    name: str
    unit_id: UUID
    unit_name: str
    area_code: str


# Asked at every till, so they are put together once.
_TILLS_SEEN = (
    select(Till.id, Till.name, Till.unit_id, library.Unit.name, library.Unit.area_code)
    .join(library.Unit, and_(library.Unit.book_id == Till.book_id, library.Unit.id == Till.unit_id))
    .where(
        Till.book_id == bindparam("book_id"),
        Till.id.in_(bindparam("ids", expanding=True)),
        Till.status == "open",
        library.Unit.status == "active",
    )
)
_POWERS = (
    select(ShopStaff.role, areas.Area.path, ShopStaff.unit_id)
    .join(library.Unit, and_(library.Unit.book_id == ShopStaff.book_id, library.Unit.id == ShopStaff.unit_id))
    .join(areas.Area, and_(areas.Area.book_id == library.Unit.book_id, areas.Area.code == library.Unit.area_code))
    .where(
        ShopStaff.book_id == bindparam("book_id"),
        ShopStaff.person_id == bindparam("person_id"),
        ShopStaff.starts_on <= bindparam("on"),
        or_(ShopStaff.ends_on.is_(None), ShopStaff.ends_on >= bindparam("on")),
        library.Unit.status == "active",
    )
)
_WAITS = (
    select(Till.unit_id, func.min(WrongTry.tried_at))
    .join(WrongTry, and_(WrongTry.book_id == Till.book_id, WrongTry.till_id == Till.id))
    .where(
        Till.book_id == bindparam("book_id"),
        Till.unit_id.in_(bindparam("unit_ids", expanding=True)),
        WrongTry.tried_at > bindparam("since"),
    )
    .group_by(Till.unit_id)
    .having(func.count() >= WRONG_TRIES_MAX)
)


def tills_seen(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, TillSeen]:
    """Return those of `ids` that are open tills of shops of the book."""
    rows = session.connection().execute(_TILLS_SEEN, {"book_id": book_id, "ids": list(ids)})
    return {row[0]: TillSeen(*row) for row in rows}


def tills(
    session: Session, book_id: UUID, unit_ids: Collection[UUID], *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Till]:  # fmt: skip
    """Return the open tills of these shops, in the order they were opened, from after the till `after`."""
    wanted = select(Till).where(Till.book_id == book_id, Till.unit_id.in_(unit_ids), Till.status == "open")
    if after:
        wanted = wanted.where(Till.id > after)
    return session.execute(wanted.order_by(Till.id).limit(limit)).scalars().all()


def powers_of(session: Session, book_id: UUID, person_id: UUID, on: date) -> list[Power]:
    """Return what somebody may do in shops on that day."""
    rows = session.connection().execute(_POWERS, {"book_id": book_id, "person_id": person_id, "on": on})
    return [Power(role, path, unit_id) for role, path, unit_id in rows]


def staff_of(
    session: Session, book_id: UUID, unit_id: UUID, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[ShopStaff]:  # fmt: skip
    """Return who works or worked in a shop, in the order they were hired, from after the one `after`."""
    wanted = select(ShopStaff).where(ShopStaff.book_id == book_id, ShopStaff.unit_id == unit_id)
    if after:
        wanted = wanted.where(ShopStaff.id > after)
    return session.execute(wanted.order_by(ShopStaff.id).limit(limit)).scalars().all()


def cashiers_on(session: Session, book_id: UUID, unit_id: UUID, day: date) -> list[UUID]:
    """Return who works as a cashier in a shop on that day, in the order they were hired."""
    wanted = select(ShopStaff.person_id).where(
        ShopStaff.book_id == book_id,
        ShopStaff.unit_id == unit_id,
        ShopStaff.role == "cashier",
        ShopStaff.starts_on <= day,
        or_(ShopStaff.ends_on.is_(None), ShopStaff.ends_on >= day),
    )
    return list(dict.fromkeys(session.execute(wanted.order_by(ShopStaff.id)).scalars()))


def waits(session: Session, book_id: UUID, unit_ids: Collection[UUID], at: datetime) -> dict[UUID, int]:
    """Return those of the shops that have to wait after too many wrong tries at their tills, and for how many seconds."""
    since = at - WRONG_TRIES_WITHIN
    rows = session.connection().execute(_WAITS, {"book_id": book_id, "unit_ids": list(unit_ids), "since": since})
    return {unit_id: max(1, math.ceil((oldest + WRONG_TRIES_WITHIN - at).total_seconds())) for unit_id, oldest in rows}


def receivable_of(session: Session, book_id: UUID, unit_id: UUID) -> UUID:
    """Return the account of what a shop is owed; raise NotFound for a unit that is no shop."""
    return journal.account_of(session, book_id, "receivable", unit_id)


def owed(session: Session, book_id: UUID, unit_id: UUID) -> int:
    """Return the points a shop has taken and not yet been paid for."""
    return journal.sum_of(session, book_id, receivable_of(session, book_id, unit_id))
