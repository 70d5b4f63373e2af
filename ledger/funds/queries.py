"""What is asked of funds: which one pays, and what each has left."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger.errors import NotFound
from ledger.funds.model import Fund


@dataclass(frozen=True)
class OpenFund:
    """A fund that awards on a day, and the path of its area."""

    id: UUID
    name: str
    path: str


def fund(session: Session, book_id: UUID, fund_id: UUID, within: areas.Scope = areas.EVERYWHERE) -> Fund:
    """Return the fund; raise NotFound where there is none within `within`."""
    wanted = select(Fund).where(Fund.book_id == book_id, Fund.id == fund_id, areas.covered(book_id, Fund.area_code, within))
    if (found := session.execute(wanted).scalar_one_or_none()) is None:
        raise NotFound("fund_id")
    return found


def funds(
    session: Session, book_id: UUID, within: areas.Scope, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[Fund]:  # fmt: skip
    """Return the funds of the areas within `within`, the newest first, from before the fund `after`."""
    wanted = select(Fund).where(Fund.book_id == book_id, areas.covered(book_id, Fund.area_code, within))
    if after:
        wanted = wanted.where(Fund.id < after)
    return session.execute(wanted.order_by(Fund.id.desc()).limit(limit)).scalars().all()


def left_in(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return what each of these funds has left to award."""
    accounts = journal.account_ids(session, book_id, "fund", ids)
    left = journal.available_of(session, book_id, accounts.values())
    return {fund_id: left[account_id] for fund_id, account_id in accounts.items()}


def open_funds(session: Session, book_id: UUID, on: date) -> list[OpenFund]:
    """Return the funds that award on a day, those opened first before the others."""
    rows = session.execute(
        select(Fund.id, Fund.name, areas.Area.path)
        .join(areas.Area, and_(areas.Area.book_id == Fund.book_id, areas.Area.code == Fund.area_code))
        .where(Fund.book_id == book_id, Fund.opens_on <= on, or_(Fund.closes_on.is_(None), Fund.closes_on >= on))
        .order_by(Fund.opens_on, Fund.id)
    )
    return [OpenFund(fund_id, name, path) for fund_id, name, path in rows]


def nearest(found: Iterable[OpenFund], path: str) -> list[OpenFund]:
    """Return the funds that can pay for the area at `path`, the nearest up the tree first."""
    paying = [fund for fund in found if areas.is_within(path, fund.path)]
    return sorted(paying, key=lambda fund: -len(fund.path))
