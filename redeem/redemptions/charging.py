"""How a set of charges is carried out: locked in the one order, judged, posted and written, one or hundreds in the same statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Refusal
from redeem import catalogue
from redeem import codes
from redeem import library
from redeem import merchants
from redeem.redemptions import queries
from redeem.redemptions.model import Redemption
from redeem.redemptions.pricing import terms_of
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.queries import uses_of
from redeem.redemptions.rules import Charge
from redeem.redemptions.rules import Counter
from redeem.redemptions.rules import judge


@dataclass(frozen=True)
class Charged:
    """What came of a charge: paid, with its entry, or waiting for the volunteer."""

    state: str
    entry_id: UUID | None = None


def carry_out(session: Session, book: areas.Book, charges: Sequence[Charge]) -> list[Charged | Refusal]:
    """Charge a set; whoever calls holds the locks of its codes and orders. One outcome for each, in order.

    Locks: passbooks, then stocks, then the shops that take slips; what is checked is read after them. A fund is never touched: hot rows
    last, and there is none.
    """
    accounts = journal.accounts(
        session,
        book.id,
        [("passbook", charge.person_id) for charge in charges] + [("receivable", charge.unit_id) for charge in charges],
    )
    counter, locked, stocks = _counter(session, book, charges, accounts)
    verdicts = judge(charges, counter)
    paid = [charge for charge, verdict in zip(charges, verdicts, strict=True) if verdict == "posted"]
    entries = _post(session, book, paid, accounts, locked)
    _write(session, book, charges, verdicts, stocks)
    return [
        verdict if isinstance(verdict, Refusal) else Charged(verdict, entries.get(charge.redemption_id))
        for charge, verdict in zip(charges, verdicts, strict=True)
    ]


def _counter(
    session: Session, book: areas.Book, charges: Sequence[Charge], accounts: dict[tuple[str, UUID], UUID]
) -> tuple[Counter, journal.Locked, dict[UUID, catalogue.StockSeen]]:  # fmt: skip
    """Lock what the charges touch, and return what they are judged by, and what is locked."""
    at = charges[0].act.at
    owners = {account_id: owner for (kind, owner), account_id in accounts.items() if kind == "passbook"}
    spendable, locked = journal.lock_spendable(session, book.id, owners, at, takers=accounts.values())
    offers = [charge.terms for charge in charges if charge.terms]
    stocks = catalogue.lock_stocks(session, book.id, {terms.offer_id for terms in offers})
    counter = Counter(
        book.at_once_points_max,
        book.at_once_uses_max,
        {owners[account_id]: points for account_id, points in spendable.items()},
        on_hand={offer_id: stock.on_hand for offer_id, stock in stocks.items()},
    )
    if steps := {charge.code for charge in charges if charge.code}:
        counter.spent = uses_of(session, book.id, steps)
        counter.at_once_uses = _at_once_uses(session, book, {charge.person_id for charge in charges}, at)
    if by_card := {charge.person_id for charge in charges if charge.is_by_card or charge.slip_points_max is not None}:
        counter.by_card = _by_card(session, book, by_card, at)
    if by_slip := {charge.unit_id for charge in charges if charge.slip_points_max is not None}:
        counter.by_slip = _by_slip(session, book, by_slip, at)
    if any(terms.limit_period for terms in offers):
        counter.had = _had(session, book, charges, at)
    if pairs := {(charge.act.actor, charge.person_id) for charge in charges if charge.act.acted_for}:
        counter.mandate_left = _mandate_left(session, book, pairs, at)
    return counter, locked, stocks


# Asked at every till, so they are put together once.
_AT_ONCE_USES = (
    select(Redemption.person_id, func.count())
    .where(
        Redemption.book_id == bindparam("book_id"),
        Redemption.person_id.in_(bindparam("person_ids", expanding=True)),
        Redemption.opened_at >= bindparam("since"),
        Redemption.way == "pay_code",
        # What waited for a confirmation was posted later than it was opened.
        Redemption.posted_at == Redemption.opened_at,
    )
    .group_by(Redemption.person_id)
)
_BY_CARD = (
    select(Redemption.person_id, func.sum(Redemption.points - Redemption.voided))
    .where(
        Redemption.book_id == bindparam("book_id"),
        Redemption.person_id.in_(bindparam("person_ids", expanding=True)),
        Redemption.way.in_(("card", "slip")),
        Redemption.posted_at >= bindparam("since"),
    )
    .group_by(Redemption.person_id)
)
_BY_SLIP = (
    select(Redemption.unit_id, func.sum(Redemption.points - Redemption.voided))
    .where(
        Redemption.book_id == bindparam("book_id"),
        Redemption.unit_id.in_(bindparam("unit_ids", expanding=True)),
        Redemption.way == "slip",
        Redemption.posted_at >= bindparam("since"),
    )
    .group_by(Redemption.unit_id)
)
_HAD = (
    select(Redemption.person_id, Redemption.offer_id, func.sum(Redemption.quantity))
    .where(
        Redemption.book_id == bindparam("book_id"),
        Redemption.person_id.in_(bindparam("person_ids", expanding=True)),
        Redemption.offer_id.in_(bindparam("offer_ids", expanding=True)),
        Redemption.state == "posted",
        Redemption.posted_at >= bindparam("since"),
        # What was given back in whole was not had.
        Redemption.voided < Redemption.points,
    )
    .group_by(Redemption.person_id, Redemption.offer_id)
)


def _at_once_uses(session: Session, book: areas.Book, person_ids: set[UUID], at: datetime) -> dict[UUID, int]:
    since = catalogue.period_begins("day", local_day(at, book.zone), book.zone)
    rows = session.connection().execute(_AT_ONCE_USES, {"book_id": book.id, "person_ids": list(person_ids), "since": since})
    return {person_id: count for person_id, count in rows if person_id}


def _by_card(session: Session, book: areas.Book, person_ids: set[UUID], at: datetime) -> dict[UUID, int]:
    since = catalogue.period_begins("day", local_day(at, book.zone), book.zone)
    rows = session.connection().execute(_BY_CARD, {"book_id": book.id, "person_ids": list(person_ids), "since": since})
    return {person_id: int(points) for person_id, points in rows if person_id}


def _by_slip(session: Session, book: areas.Book, unit_ids: set[UUID], at: datetime) -> dict[UUID, int]:
    # The shop's row, last of all locks: no two tills count the same rest of its day.
    own = select(library.Unit.id).where(library.Unit.book_id == book.id, library.Unit.id.in_(unit_ids)).order_by(library.Unit.id)
    session.execute(own.with_for_update(key_share=True))
    since = catalogue.period_begins("day", local_day(at, book.zone), book.zone)
    rows = session.connection().execute(_BY_SLIP, {"book_id": book.id, "unit_ids": list(unit_ids), "since": since})
    return {unit_id: int(points) for unit_id, points in rows}


def _had(session: Session, book: areas.Book, charges: Sequence[Charge], at: datetime) -> dict[tuple[UUID, UUID], int]:
    limited = {charge.terms.offer_id: charge.terms for charge in charges if charge.terms and charge.terms.limit_period}
    had: dict[tuple[UUID, UUID], int] = {}
    for period in sorted({terms.limit_period for terms in limited.values() if terms.limit_period}):
        asked = {
            "book_id": book.id,
            "person_ids": list({charge.person_id for charge in charges}),
            "offer_ids": [terms.offer_id for terms in limited.values() if terms.limit_period == period],
            "since": catalogue.period_begins(period, local_day(at, book.zone), book.zone),
        }
        rows = session.connection().execute(_HAD, asked)
        had |= {(person_id, offer_id): int(quantity) for person_id, offer_id, quantity in rows if person_id and offer_id}
    return had


def _mandate_left(
    session: Session, book: areas.Book, pairs: set[tuple[UUID, UUID]], at: datetime
) -> dict[tuple[UUID, UUID], int]:  # fmt: skip
    """Return for each (helper, person) what the helper may still spend for the person on this day of the book."""
    today = local_day(at, book.zone)
    left = people.limits_of(session, book.id, pairs, today)
    spent = session.execute(
        select(Redemption.entry_id, Redemption.person_id, Redemption.points - Redemption.voided).where(
            Redemption.book_id == book.id,
            Redemption.person_id.in_({person_id for _, person_id in pairs}),
            Redemption.posted_at >= catalogue.period_begins("day", today, book.zone),
        )
    ).all()
    helpers = journal.helpers_of(session, book.id, [entry_id for entry_id, _, _ in spent if entry_id])
    for entry_id, person_id, points in spent:
        if entry_id in helpers and person_id and (pair := (helpers[entry_id], person_id)) in left:
            left[pair] -= points
    return left


def _post(
    session: Session, book: areas.Book, paid: Sequence[Charge], accounts: dict[tuple[str, UUID], UUID], locked: journal.Locked
) -> dict[UUID, UUID]:  # fmt: skip
    """Move the points of what was accepted, and return the entries by redemption."""
    if not paid:
        return {}
    movements = [
        journal.Transfer(
            act=charge.act,
            from_account=accounts["passbook", charge.person_id],
            to_account=accounts["receivable", charge.unit_id],
            amount=charge.points,
            kind="redemption",
            about=journal.About(
                deed_on=local_day(charge.act.at, book.zone),
                reference=charge.redemption_id,
                unit_id=charge.unit_id,
                till_id=charge.till_id,
            ),
        )
        for charge in paid
    ]
    entries = {}
    for charge, outcome in zip(paid, journal.post(session, book.id, movements, locked=locked), strict=True):
        assert isinstance(outcome, journal.Posted), "judged under the same locks"
        entries[charge.redemption_id] = outcome.entry_id
    return entries


def _write(
    session: Session, book: areas.Book, charges: Sequence[Charge], verdicts: Sequence[str | Refusal],
    stocks: dict[UUID, catalogue.StockSeen],
) -> None:  # fmt: skip
    """Use up the codes of what was accepted, and take the goods out of stock."""
    uses, changes = [], []
    for charge, verdict in zip(charges, verdicts, strict=True):
        if isinstance(verdict, Refusal):
            continue
        if charge.code:
            uses.append((charge.act, *charge.code, charge.redemption_id))
        if charge.terms and verdict == "posted":
            taken = catalogue.StockChange(charge.act, charge.terms.offer_id, -charge.quantity, "redeemed", charge.redemption_id)
            changes.append(taken)
    codes.spend(session, uses)
    if changes:
        catalogue.move(session, book.id, changes, locked=stocks)


def for_the_shop(refusal: Refusal) -> Refusal:
    """Leave out how many points somebody has: their shop does not learn it, whatever it asks for."""
    return Refusal(refusal.code, refusal.field, {key: value for key, value in refusal.data.items() if key != "available"})


def pay(session: Session, act: Act, book: areas.Book, found: Redemption) -> RedemptionRow | Refusal:
    """Post a locked order or request, which the volunteer who acts has confirmed."""
    till = merchants.tills_seen(session, book.id, [found.till_id]).get(found.till_id)
    if till is None:
        return Refusal("till-closed", "till_id")
    offer = catalogue.offer(session, book.id, found.offer_id) if found.offer_id else None
    terms = terms_of(offer, local_day(act.at, book.zone)) if offer else None
    person = people.person(session, book.id, act.subject)
    charge = Charge(
        act, found.id, act.subject, found.unit_id, found.till_id, till.name, found.cashier_id, found.points, found.quantity, terms,
        is_confirmed=True, is_active=person.status == "active", is_guarded=people.is_guarded(person, local_day(act.at, book.zone)),
    )  # fmt: skip
    (outcome,) = carry_out(session, book, [charge])
    if isinstance(outcome, Refusal):
        return outcome
    found.state, found.person_id, found.posted_at, found.entry_id = "posted", act.subject, act.at, outcome.entry_id
    session.flush()
    return queries.redemption(session, book.id, act.at, found.id)
