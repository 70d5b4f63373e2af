"""Recompute each stock from its movements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.journal import Fault
from redeem.catalogue.model import Stock
from redeem.catalogue.model import StockMovement

_AT_ONCE = 10_000


def verify(session: Session, book_id: UUID) -> list[Fault]:
    """Return every stock of the book whose movements have a gap, do not carry on from each other, or end elsewhere."""
    return list(_faults(session, book_id))


def _faults(session: Session, book_id: UUID) -> Iterator[Fault]:
    wanted = select(StockMovement.offer_id, StockMovement.number, StockMovement.before, StockMovement.after).where(
        StockMovement.book_id == book_id
    )
    ordered = wanted.order_by(StockMovement.offer_id, StockMovement.number).execution_options(yield_per=_AT_ONCE)
    ends: dict[UUID, tuple[int, int]] = {}
    for offer_id, movements in groupby(session.execute(ordered), key=lambda row: row[0]):
        count, on_hand = 0, 0
        for _, number, before, after in movements:
            count += 1
            if (number, before) != (count, on_hand):
                yield Fault(f"stock {offer_id} movement {number}", f"starts from {before} where {on_hand} was on hand")
            on_hand = after
        ends[offer_id] = (on_hand, count)
    stocks = select(Stock.offer_id, Stock.on_hand, Stock.movements).where(Stock.book_id == book_id)
    for offer_id, on_hand, count in session.execute(stocks):
        if (on_hand, count) != ends.get(offer_id, (0, 0)):
            yield Fault(f"stock {offer_id}", f"counts {on_hand} on hand; its movements say {ends.get(offer_id, (0, 0))[0]}")
