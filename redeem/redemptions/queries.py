"""What is asked of redemptions: one of them, a shop's day, a person's own, and what waits for a confirmation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import NotFound
from ledger.people import Person
from redeem import catalogue
from redeem import codes
from redeem import library
from redeem import merchants
from redeem.redemptions.model import Redemption
from redeem.redemptions.model import Void
from redeem.redemptions.rules import REQUEST_LIVES
from redeem.redemptions.rules import Spent
from redeem.redemptions.rules import state_at


@dataclass(frozen=True)
class RedemptionRow:
    """A redemption with what its reader wants beside it; of the person only what a shop may see."""

    id: UUID
    state: str
    way: str
    unit_id: UUID
    unit_name: str
    till_id: UUID
    till_name: str
    cashier_id: UUID
    person_id: UUID | None
    #: The last two digits of the person's handle.
    handle_tail: str | None
    offer_id: UUID | None
    offer_title: str | None
    quantity: int
    points: int
    cash_fen: int
    opened_at: datetime
    expires_at: datetime
    posted_at: datetime | None
    entry_id: UUID | None
    voided: int


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Redemption.id, Redemption.state, Redemption.way, Redemption.unit_id, library.Unit.name, Redemption.till_id, merchants.Till.name,
            Redemption.cashier_id, Redemption.person_id, Person.handle, Redemption.offer_id, catalogue.Offer.title, Redemption.quantity,
            Redemption.points, Redemption.cash_fen, Redemption.opened_at, Redemption.expires_at, Redemption.posted_at, Redemption.entry_id,
            Redemption.voided,
        )
        .join(library.Unit, and_(library.Unit.book_id == Redemption.book_id, library.Unit.id == Redemption.unit_id))
        .join(merchants.Till, and_(merchants.Till.book_id == Redemption.book_id, merchants.Till.id == Redemption.till_id))
        .outerjoin(Person, and_(Person.book_id == Redemption.book_id, Person.id == Redemption.person_id))
        .outerjoin(catalogue.Offer, and_(catalogue.Offer.book_id == Redemption.book_id, catalogue.Offer.id == Redemption.offer_id))
    )  # fmt: skip


def _read(session: Session, wanted: Select[*tuple[Any, ...]], at: datetime) -> list[RedemptionRow]:
    found = []
    names = [field.name for field in fields(RedemptionRow)]
    for row in session.execute(wanted):
        values: dict[str, Any] = dict(zip(names, row, strict=True))
        values["state"] = state_at(values["state"], values["expires_at"], at)
        values["handle_tail"] = values["handle_tail"] and values["handle_tail"][-2:]
        found.append(RedemptionRow(**values))
    return found


def redemption(
    session: Session, book_id: UUID, at: datetime, redemption_id: UUID, *, person_id: UUID | None = None,
    unit_ids: Collection[UUID] | None = None,
) -> RedemptionRow:  # fmt: skip
    """Return a redemption as it stands at `at`; raise NotFound where it is not the person's, nor of the shops, if they are given."""
    found = _read(session, _rows().where(Redemption.book_id == book_id, Redemption.id == redemption_id), at)
    is_theirs = bool(found) and (
        (person_id is None and unit_ids is None)
        or (person_id is not None and found[0].person_id == person_id)
        or (unit_ids is not None and found[0].unit_id in unit_ids)
    )
    if not is_theirs:
        raise NotFound("redemption_id")
    return found[0]


def of_units(
    session: Session, book_id: UUID, at: datetime, unit_ids: Collection[UUID], *, since: datetime | None = None, after: UUID | None = None,
    limit: int = 50,
) -> list[RedemptionRow]:  # fmt: skip
    """Return what was asked for at these shops' tills since a moment, the newest first, from before the redemption `after`."""
    wanted = _rows().where(Redemption.book_id == book_id, Redemption.unit_id.in_(unit_ids))
    if since:
        wanted = wanted.where(Redemption.opened_at >= since)
    if after:
        wanted = wanted.where(Redemption.id < after)
    return _read(session, wanted.order_by(Redemption.id.desc()).limit(limit), at)


def of_person(
    session: Session, book_id: UUID, at: datetime, person_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[RedemptionRow]:  # fmt: skip
    """Return somebody's own redemptions, the newest first, from before the redemption `after`."""
    wanted = _rows().where(Redemption.book_id == book_id, Redemption.person_id == person_id)
    if after:
        wanted = wanted.where(Redemption.id < after)
    return _read(session, wanted.order_by(Redemption.id.desc()).limit(limit), at)


def waiting_for(session: Session, book_id: UUID, at: datetime, person_id: UUID) -> list[RedemptionRow]:
    """Return what waits for somebody's confirmation, the oldest first."""
    this = (Redemption.book_id == book_id, Redemption.person_id == person_id, Redemption.opened_at > at - REQUEST_LIVES)
    waiting = (Redemption.state == "pending", Redemption.expires_at > at)
    return _read(session, _rows().where(*this, *waiting).order_by(Redemption.id), at)


def had(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, tuple[str, str | None]]:
    """Return at which shop each of these redemptions was, and what was had, where it was an offer; in one query."""
    wanted = (
        select(Redemption.id, library.Unit.name, catalogue.Offer.title, Redemption.quantity)
        .join(library.Unit, and_(library.Unit.book_id == Redemption.book_id, library.Unit.id == Redemption.unit_id))
        .outerjoin(catalogue.Offer, and_(catalogue.Offer.book_id == Redemption.book_id, catalogue.Offer.id == Redemption.offer_id))
        .where(Redemption.book_id == book_id, Redemption.id.in_(ids))
    )
    return {
        redemption_id: (shop, f"{title} × {quantity}" if title and quantity > 1 else title)
        for redemption_id, shop, title, quantity in session.execute(wanted)
    }


@dataclass(frozen=True)
class Taken:
    """What shops took: how many redemptions, points, points given back, and the cash beside what was not wholly given back."""

    count: int
    points: int
    cash_fen: int
    voided: int


def standing(session: Session, book_id: UUID, at: datetime, redemption_id: UUID, *, unit_ids: Collection[UUID]) -> str:
    """Return the state of a redemption of one's own shops: read by its key alone, for a page that asks once a second."""
    wanted = select(Redemption.state, Redemption.expires_at).where(
        Redemption.book_id == book_id, Redemption.id == redemption_id, Redemption.unit_id.in_(unit_ids)
    )
    found = session.execute(wanted).one_or_none()
    if found is None:
        raise NotFound("redemption_id")
    return state_at(found.state, found.expires_at, at)


def lately(session: Session, book_id: UUID, at: datetime, person_id: UUID) -> list[tuple[UUID, str]]:
    """Return how what was asked of somebody in the last minutes stands, the oldest first: one read by an index, once a second."""
    wanted = select(Redemption.id, Redemption.state, Redemption.expires_at).where(
        Redemption.book_id == book_id, Redemption.person_id == person_id, Redemption.opened_at > at - REQUEST_LIVES
    )
    rows = session.execute(wanted.order_by(Redemption.opened_at, Redemption.id))
    return [(redemption_id, state_at(state, expires_at, at)) for redemption_id, state, expires_at in rows]


def taken_since(
    session: Session, book_id: UUID, unit_ids: Collection[UUID], since: datetime, *, cashier_id: UUID | None = None
) -> Taken:  # fmt: skip
    """Return what these shops, or one cashier of them, took since a moment; cash goes back with the last of the points, no part of them."""
    kept = case((Redemption.voided < Redemption.points, Redemption.cash_fen), else_=0)
    wanted = select(func.count(), func.sum(Redemption.points), func.sum(kept), func.sum(Redemption.voided)).where(
        Redemption.book_id == book_id, Redemption.unit_id.in_(unit_ids), Redemption.posted_at >= since
    )
    if cashier_id:
        wanted = wanted.where(Redemption.cashier_id == cashier_id)
    return Taken(*(int(value or 0) for value in session.execute(wanted).one()))


def uses_of(session: Session, book_id: UUID, steps: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], Spent]:
    """Return when and at which till those of `steps` (device, step) were used that were."""
    used = codes.spent(session, book_id, steps)
    if not used:
        return {}
    rows = session.execute(
        select(Redemption.id, merchants.Till.name)
        .join(merchants.Till, and_(merchants.Till.book_id == Redemption.book_id, merchants.Till.id == Redemption.till_id))
        .where(Redemption.book_id == book_id, Redemption.id.in_([step.redemption_id for step in used.values()]))
    )
    tills = {redemption_id: name for redemption_id, name in rows}
    return {place: Spent(step.spent_at, tills[step.redemption_id]) for place, step in used.items()}


def voids_of(session: Session, book_id: UUID, redemption_id: UUID) -> int:
    """Return how many times a redemption was taken back; asked under its lock."""
    wanted = select(func.count()).select_from(Void).where(Void.book_id == book_id, Void.redemption_id == redemption_id)
    return session.execute(wanted).scalar_one()
