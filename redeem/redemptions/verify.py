"""Recompute what the desk and the journal say of each other: points, shop and till of each redemption, and what was given back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import journal
from ledger.journal import Fault
from redeem.redemptions.model import Redemption
from redeem.redemptions.model import Void

_AT_ONCE = 10_000


class _Told(NamedTuple):
    entry_id: UUID | None
    points: int
    unit_id: UUID
    till_id: UUID
    person_id: UUID | None


def verify(session: Session, book_id: UUID) -> list[Fault]:
    """Return every redemption and void of the book, and every entry of them, that do not say the same."""
    return list(_faults(session, book_id))


def _faults(session: Session, book_id: UUID) -> Iterator[Fault]:
    told: dict[UUID, _Told] = {}
    voided: dict[UUID, int] = {}
    wanted = select(
        Redemption.id, Redemption.voided,
        Redemption.entry_id, Redemption.points, Redemption.unit_id, Redemption.till_id, Redemption.person_id,
    ).where(Redemption.book_id == book_id, Redemption.state == "posted")  # fmt: skip
    for redemption_id, given_back, entry_id, points, unit_id, till_id, person_id in session.execute(
        wanted.execution_options(yield_per=_AT_ONCE)
    ):
        told[redemption_id] = _Told(entry_id, points, unit_id, till_id, person_id)
        voided[redemption_id] = given_back
    unpaid = dict(told)
    returned: dict[UUID, int] = {}
    for entry in journal.entries_of_kinds(session, book_id, ["redemption", "void"]):
        redemption = told.get(entry.reference) if entry.reference else None
        if redemption is None or entry.reference is None:
            yield Fault(f"entry {entry.id}", f"is a {entry.kind} of no redemption")
        elif entry.kind == "void":
            returned[entry.reference] = returned.get(entry.reference, 0) + entry.amount
            if entry.reverses != redemption.entry_id:
                yield Fault(f"entry {entry.id}", "voids another entry than its redemption's")
        else:
            unpaid.pop(entry.reference, None)
            says = _Told(entry.id, entry.amount, entry.taker[1], entry.till_id or entry.id, entry.giver[1])
            if says != redemption:
                yield Fault(f"redemption {entry.reference}", f"says {redemption.points} points; entry {entry.id} says {entry.amount}")
    for redemption_id in unpaid:
        yield Fault(f"redemption {redemption_id}", "is posted, but no entry takes its points")
    yield from _voids(session, book_id, voided, returned)


def _voids(session: Session, book_id: UUID, voided: dict[UUID, int], returned: dict[UUID, int]) -> Iterator[Fault]:
    sums = select(Void.redemption_id, func.sum(Void.points)).where(Void.book_id == book_id).group_by(Void.redemption_id)
    recorded = {redemption_id: int(points) for redemption_id, points in session.execute(sums)}
    for redemption_id in voided.keys() | returned.keys() | recorded.keys():
        says = [counts.get(redemption_id, 0) for counts in (voided, recorded, returned)]
        if len(set(says)) > 1:
            what = f"was voided by {says[0]} points, has voids of {says[1]}, and entries that give back {says[2]}"
            yield Fault(f"redemption {redemption_id}", what)
