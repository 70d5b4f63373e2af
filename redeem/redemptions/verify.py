"""Recompute what the desk and the journal say of each other: points, shop and till of each redemption, and what was given back.

And what stocks, codes and cards say of redemptions: goods taken and brought back, codes used up, cards that were good.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import not_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import journal
from ledger import people
from ledger.journal import Fault
from redeem import catalogue
from redeem import codes
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
    return [*_faults(session, book_id), *_goods(session, book_id), *_codes(session, book_id), *_cards(session, book_id)]


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


def _goods(session: Session, book_id: UUID) -> Iterator[Fault]:
    """Compare the goods that each redemption took, and brought back when it was voided in whole, with what stocks say they gave."""
    moved = catalogue.moved_for_redemptions(book_id).subquery("moved")
    taken, back = func.coalesce(moved.c.taken, 0), func.coalesce(moved.c.brought_back, 0)
    is_posted = Redemption.state == "posted"
    owes = case((is_posted, Redemption.quantity), else_=0)
    owed_back = case((and_(is_posted, Redemption.voided == Redemption.points), Redemption.quantity), else_=0)
    wanted = (
        select(Redemption.id, Redemption.offer_id, taken, back, owes, owed_back)
        .join(catalogue.Stock, and_(catalogue.Stock.book_id == Redemption.book_id, catalogue.Stock.offer_id == Redemption.offer_id))
        .outerjoin(moved, and_(moved.c.reference == Redemption.id, moved.c.offer_id == Redemption.offer_id))
        .where(Redemption.book_id == book_id, or_(taken != owes, back != owed_back))
    )
    for redemption_id, offer_id, *counts in session.execute(wanted):
        said = "{} were taken and {} came back for redemption {} of {} and {}".format(*counts[:2], redemption_id, *counts[2:])
        yield Fault(f"stock {offer_id}", said)
    strays = (
        select(moved.c.offer_id, moved.c.reference, taken, back)
        .outerjoin(
            Redemption,
            and_(Redemption.book_id == book_id, Redemption.id == moved.c.reference, Redemption.offer_id == moved.c.offer_id),
        )
        .where(Redemption.id.is_(None))
    )
    for offer_id, reference, count, returned in session.execute(strays):
        yield Fault(f"stock {offer_id}", f"{count} were taken and {returned} came back for redemption {reference}, which is none")


def _codes(session: Session, book_id: UUID) -> Iterator[Fault]:
    """Look for one step of a device of whoever pays, used up when a redemption by pay code was opened, and for none of any other."""
    used = codes.used_up(book_id).subquery("used")
    steps = func.coalesce(used.c.steps, 0)
    belong = case((Redemption.way.in_(("pay_code", "slip")), 1), else_=0)
    differs = or_(used.c.person_id != Redemption.person_id, used.c.spent_at != Redemption.opened_at)
    wanted = (
        select(Redemption.id, steps, belong)
        .outerjoin(used, used.c.redemption_id == Redemption.id)
        .where(Redemption.book_id == book_id, or_(steps != belong, differs))
    )
    for redemption_id, count, right in session.execute(wanted):
        said = f"used up {count} codes where {right} belong" if count != right else "used up a code of another person or time"
        yield Fault(f"redemption {redemption_id}", said)
    strays = (
        select(used.c.redemption_id, steps)
        .outerjoin(Redemption, and_(Redemption.book_id == book_id, Redemption.id == used.c.redemption_id))
        .where(Redemption.id.is_(None))
    )
    for redemption_id, count in session.execute(strays):
        yield Fault(f"redemption {redemption_id}", f"is none, and used up {count} codes")


def _cards(session: Session, book_id: UUID) -> Iterator[Fault]:
    """Look for a card of whoever pays that was good when a redemption by card was taken, at once as all of them are."""
    was_good = (
        select(people.Card.number)
        .where(
            people.Card.book_id == book_id,
            people.Card.person_id == Redemption.person_id,
            people.Card.issued_at <= Redemption.opened_at,
            or_(people.Card.revoked_at.is_(None), people.Card.revoked_at >= Redemption.opened_at),
        )
        .exists()
    )
    is_at_once = and_(Redemption.state == "posted", Redemption.posted_at == Redemption.opened_at)
    wanted = select(Redemption.id, was_good).where(Redemption.book_id == book_id, Redemption.way == "card")
    for redemption_id, has_card in session.execute(wanted.where(or_(~was_good, not_(is_at_once)))):
        said = "was not taken at once, as by card" if has_card else "was taken by card, and whoever pays had none that was good"
        yield Fault(f"redemption {redemption_id}", said)
