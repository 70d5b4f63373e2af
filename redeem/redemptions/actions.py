"""What is done at the desk: draw an order code, take a pay code, confirm, decline, cancel, void."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.points import is_amount
from ledger.tokens import book_number_of
from ledger.tokens import hash_of
from ledger.tokens import new_token
from ledger.tokens import normalised
from redeem import catalogue
from redeem import codes
from redeem import library
from redeem import merchants
from redeem.redemptions import queries
from redeem.redemptions.charging import Charged
from redeem.redemptions.charging import Request
from redeem.redemptions.charging import carry_out
from redeem.redemptions.model import Redemption
from redeem.redemptions.model import Void
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.rules import NUMBER_LENGTH
from redeem.redemptions.rules import ORDER_LIVES
from redeem.redemptions.rules import QUANTITY_MAX
from redeem.redemptions.rules import REASON_LENGTH_MAX
from redeem.redemptions.rules import REQUEST_LIVES
from redeem.redemptions.rules import Charge
from redeem.redemptions.rules import Terms
from redeem.redemptions.rules import may_void
from redeem.redemptions.rules import state_at

_NUMBERS_TRIED = 20


@dataclass(frozen=True)
class Asked:
    """What is asked at a till: an offer so many times, or so many points."""

    till_id: UUID
    offer_id: UUID | None = None
    quantity: int = 1
    #: Where no offer is named.
    points: int | None = None


@dataclass(frozen=True)
class Taking:
    """A volunteer's pay code, given at a till of one of the shops in which the actor stands."""

    act: Act
    asked: Asked
    unit_ids: frozenset[UUID]
    code: str


@dataclass(frozen=True)
class Order:
    """An order as it is drawn: its code is shown now and kept nowhere."""

    row: RedemptionRow
    #: The token inside the QR code's address.
    token: str
    #: For typing.
    number: str


@dataclass(frozen=True)
class _Priced:
    """What is asked, looked up: the till, the offer, what it costs."""

    till: merchants.TillSeen
    offer: catalogue.Offer | None
    quantity: int
    points: int
    cash_fen: int
    terms: Terms | None


def _price(session: Session, book: areas.Book, asked: Sequence[tuple[Asked, Collection[UUID]]], at: datetime) -> list[_Priced]:
    """Look up what is asked at tills of one's own shops; raise NotFound or Invalid for what nobody could ask."""
    tills = merchants.tills_seen(session, book.id, {one.till_id for one, _ in asked})
    named = {one.offer_id for one, _ in asked if one.offer_id}
    offers = catalogue.offers_by_id(session, book.id, named) if named else {}
    today = local_day(at, book.zone)
    priced = []
    for one, unit_ids in asked:
        till = tills.get(one.till_id)
        if till is None or till.unit_id not in unit_ids:
            raise NotFound("till_id")
        if one.offer_id is None:
            if not is_amount(one.points) or one.quantity != 1:
                raise Invalid("amount-malformed", "points")
            assert one.points is not None
            priced.append(_Priced(till, None, 1, one.points, 0, None))
            continue
        offer = offers.get(one.offer_id)
        if offer is None or offer.unit_id != till.unit_id:
            raise NotFound("offer_id")
        if one.points is not None:
            raise Invalid("offer-or-points", "points")
        if not 1 <= one.quantity <= QUANTITY_MAX or not is_amount(offer.points * one.quantity):
            raise Invalid("number-out-of-range", "quantity", least=1, most=QUANTITY_MAX)
        terms = _terms(offer, today)
        priced.append(_Priced(till, offer, one.quantity, offer.points * one.quantity, offer.cash_fen * one.quantity, terms))
    return priced


def _terms(offer: catalogue.Offer, today: date) -> Terms:
    holds = catalogue.holds_on(offer.valid_from, offer.valid_to, today)
    return Terms(offer.id, offer.unit_id, holds, offer.limit_per_person, offer.limit_period)


def _row(act: Act, redemption_id: UUID, priced: _Priced, way: str, state: str, expires_at: datetime, **more: Any) -> dict[str, Any]:
    """Return a new row of `redemption`."""
    plain = {"person_id": None, "order_hash": None, "order_number": None, "posted_at": None, "entry_id": None, "voided": 0}
    return plain | {
        "book_id": act.book_id, "id": redemption_id, "state": state, "way": way, "unit_id": priced.till.unit_id,
        "till_id": priced.till.id, "cashier_id": act.actor, "offer_id": priced.offer.id if priced.offer else None,
        "quantity": priced.quantity, "points": priced.points, "cash_fen": priced.cash_fen, "opened_at": act.at, "expires_at": expires_at,
    } | more  # fmt: skip


def _seen(row: dict[str, Any], priced: _Priced, handle: str | None) -> RedemptionRow:
    """Return what was just written as its reader sees it, without reading it again."""
    kept = {key: row[key] for key in row if key not in {"book_id", "order_hash", "order_number"}}
    return RedemptionRow(
        **kept,
        unit_name=priced.till.unit_name,
        till_name=priced.till.name,
        handle_tail=handle and handle[-2:],
        offer_title=priced.offer.title if priced.offer else None,
    )


# The shop's order code


def open_order(session: Session, act: Act, asked: Asked, *, unit_ids: Collection[UUID]) -> Order | Refusal:
    """Draw an order code, bound to shop and amount: a volunteer scans or types it and confirms."""
    book = areas.book(session, act.book_id)
    (priced,) = _price(session, book, [(asked, unit_ids)], act.at)
    if priced.terms is not None and not priced.terms.holds:
        return Refusal("offer-not-available", "offer_id")
    # What nobody confirmed in time gives its number back.
    waited = (Redemption.book_id == act.book_id, Redemption.unit_id == priced.till.unit_id, Redemption.state == "open")
    session.execute(update(Redemption).where(*waited, Redemption.expires_at <= act.at).values(state="lapsed"))
    token = new_token(book.number)
    row = _row(act, new_id(), priced, "order_code", "open", act.at + ORDER_LIVES, order_hash=hash_of(token))
    row["order_number"] = _insert_with_number(session, row)
    return Order(_seen(row, priced, None), token, row["order_number"])


def _insert_with_number(session: Session, row: dict[str, Any]) -> str:
    """Insert an order under a number that no open order of the book has."""
    for _ in range(_NUMBERS_TRIED):
        number = f"{secrets.randbelow(10**NUMBER_LENGTH):0{NUMBER_LENGTH}}"
        try:
            with session.begin_nested():
                session.execute(insert(Redemption), [row | {"order_number": number}])
        except IntegrityError:
            continue
        return number
    raise AssertionError("no free number: more orders are open than a book can have")


def order(session: Session, book: areas.Book, code: str, at: datetime) -> RedemptionRow | Refusal:
    """Return the open order whose code was scanned, or whose number was typed."""
    found = _find_order(session, book, code, at)
    return found if isinstance(found, Refusal) else queries.redemption(session, book.id, at, found.id)


def _find_order(session: Session, book: areas.Book, code: str, at: datetime, *, locks: bool = False) -> Redemption | Refusal:
    token = normalised(code.rsplit("/", 1)[-1])
    wanted = select(Redemption).where(Redemption.book_id == book.id, Redemption.way == "order_code")
    if len(token) == NUMBER_LENGTH and token.isascii() and token.isdigit():
        wanted = wanted.where(Redemption.order_number == token, Redemption.state == "open")
    elif book_number_of(token) == book.number:
        wanted = wanted.where(Redemption.order_hash == hash_of(token))
    else:
        return Refusal("order-unknown", "code")
    if locks:
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.execute(wanted).scalar_one_or_none()
    if found is None:
        return Refusal("order-unknown", "code")
    return _not_open(found, at) or found


def _not_open(found: Redemption, at: datetime) -> Refusal | None:
    state = state_at(found.state, found.expires_at, at)
    if state == "lapsed":
        return Refusal("order-expired", "code")
    if state == "cancelled":
        return Refusal("order-cancelled", "code")
    return Refusal("order-taken", "code", {"at": found.posted_at}) if state == "posted" else None


def confirm_order(session: Session, act: Act, code: str) -> RedemptionRow | Refusal:
    """Pay an open order: the volunteer has seen shop and amount, and says yes."""
    book = areas.book(session, act.book_id)
    found = _find_order(session, book, code, act.at, locks=True)
    return found if isinstance(found, Refusal) else _pay(session, act, book, found)


# The volunteer's pay code


def take(session: Session, vault: Vault, takings: Sequence[Taking]) -> list[RedemptionRow | Refusal]:
    """Take points for pay codes, one or many: small ones at once, larger ones once the volunteer confirms. One outcome for each."""
    book = areas.book(session, takings[0].act.book_id)
    at = takings[0].act.at
    assert all(taking.act.book_id == book.id for taking in takings), "points never cross books"
    priced = _price(session, book, [(taking.asked, taking.unit_ids) for taking in takings], at)
    given = [codes.read(taking.code, book.number) for taking in takings]
    recognised = codes.recognise(session, vault, book.id, {one for one in given if one}, at)
    waits = merchants.waits(session, book.id, {one.till.id for one in priced}, at)
    outcomes: dict[int, RedemptionRow | Refusal] = {}
    wrong: list[tuple[Act, UUID]] = []
    ready: dict[int, tuple[Request, str]] = {}
    expired: dict[int, codes.Recognised] = {}
    for index, (taking, one, asked) in enumerate(zip(takings, given, priced, strict=True)):
        whose = recognised.get(one) if one else None
        if asked.till.id in waits:
            outcomes[index] = Refusal("till-must-wait", "till_id", {"retry_after": waits[asked.till.id]})
        elif whose is None:
            wrong.append((taking.act, asked.till.id))
            outcomes[index] = Refusal("pay-code-unknown", "code")
        elif not whose.is_in_time:
            expired[index] = whose
        else:
            charge = Charge(
                new_id(), whose.person_id, asked.till.unit_id, asked.points, asked.quantity, asked.terms, (whose.device_id, whose.step),
                is_active=whose.is_active, cashier_id=taking.act.actor,
            )  # fmt: skip
            ready[index] = (Request(taking.act, charge, asked.till), whose.handle)
    merchants.note_wrong_tries(session, wrong)
    outcomes |= _too_late(session, book.id, expired)
    charged = carry_out(session, book, [request for request, _ in ready.values()]) if ready else []
    rows = []
    for (index, (request, handle)), outcome in zip(ready.items(), charged, strict=True):
        if isinstance(outcome, Refusal):
            outcomes[index] = _for_the_shop(outcome)
            continue
        rows.append(_taken_row(request, priced[index], outcome))
        outcomes[index] = _seen(rows[-1], priced[index], handle)
    if rows:
        session.execute(insert(Redemption), rows)
    return [outcomes[index] for index in range(len(takings))]


def _for_the_shop(refusal: Refusal) -> Refusal:
    """Leave out how many points somebody has: their shop does not learn it, whatever it asks for."""
    return Refusal(refusal.code, refusal.field, {key: value for key, value in refusal.data.items() if key != "available"})


def _taken_row(request: Request, priced: _Priced, charged: Charged) -> dict[str, Any]:
    act, charge = request.act, request.charge
    posted_at = act.at if charged.state == "posted" else None
    return _row(
        act, charge.redemption_id, priced, "pay_code", charged.state, act.at + REQUEST_LIVES,
        person_id=charge.person_id, posted_at=posted_at, entry_id=charged.entry_id,
    )  # fmt: skip


def _too_late(session: Session, book_id: UUID, expired: dict[int, codes.Recognised]) -> dict[int, RedemptionRow | Refusal]:
    """Say of codes that have run out whether they were used, and where."""
    if not expired:
        return {}
    used = queries.uses_of(session, book_id, {(whose.device_id, whose.step) for whose in expired.values()})
    refusals: dict[int, RedemptionRow | Refusal] = {}
    for index, whose in expired.items():
        use = used.get((whose.device_id, whose.step))
        refusals[index] = Refusal("pay-code-used", "code", use._asdict()) if use else Refusal("pay-code-expired", "code")
    return refusals


# What waits for the volunteer, and what is taken back


def confirm(session: Session, act: Act, redemption_id: UUID) -> RedemptionRow | Refusal:
    """Confirm a request that waits for oneself: now it is paid."""
    found = _lock(session, act.book_id, redemption_id)
    if found.person_id != act.actor:
        raise NotFound("redemption_id")
    return _not_pending(found, act.at) or _pay(session, act, areas.book(session, act.book_id), found)


def decline(session: Session, act: Act, redemption_id: UUID) -> RedemptionRow | Refusal:
    """Say no to a request that waits for oneself."""
    found = _lock(session, act.book_id, redemption_id)
    if found.person_id != act.actor:
        raise NotFound("redemption_id")
    return _not_pending(found, act.at) or _end(session, act, found)


def cancel(session: Session, act: Act, redemption_id: UUID, *, unit_ids: Collection[UUID]) -> RedemptionRow | Refusal:
    """Take back an order or a request of one's own shop that nobody has confirmed yet."""
    found = _lock(session, act.book_id, redemption_id)
    if found.unit_id not in unit_ids:
        raise NotFound("redemption_id")
    if (state := state_at(found.state, found.expires_at, act.at)) not in {"open", "pending"}:
        return Refusal("redemption-lapsed" if state == "lapsed" else "not-pending", "redemption_id", {"state": state})
    return _end(session, act, found)


def _lock(session: Session, book_id: UUID, redemption_id: UUID) -> Redemption:
    wanted = select(Redemption).where(Redemption.book_id == book_id, Redemption.id == redemption_id)
    locked = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    if (found := session.execute(locked).scalar_one_or_none()) is None:
        raise NotFound("redemption_id")
    return found


def _not_pending(found: Redemption, at: datetime) -> Refusal | None:
    state = state_at(found.state, found.expires_at, at)
    if state == "pending":
        return None
    return Refusal("redemption-lapsed", "redemption_id") if state == "lapsed" else Refusal("not-pending", "redemption_id", {"state": state})


def _end(session: Session, act: Act, found: Redemption) -> RedemptionRow:
    found.state = "cancelled"
    session.flush()
    return queries.redemption(session, act.book_id, act.at, found.id)


def _pay(session: Session, act: Act, book: areas.Book, found: Redemption) -> RedemptionRow | Refusal:
    """Post a locked order or request, which the volunteer who acts has confirmed."""
    till = merchants.tills_seen(session, book.id, [found.till_id]).get(found.till_id)
    if till is None:
        return Refusal("till-closed", "till_id")
    offer = catalogue.offer(session, book.id, found.offer_id) if found.offer_id else None
    terms = _terms(offer, local_day(act.at, book.zone)) if offer else None
    is_active = people.person(session, book.id, act.actor).status == "active"
    charge = Charge(
        found.id, act.actor, found.unit_id, found.points, found.quantity, terms,
        is_confirmed=True, is_active=is_active, cashier_id=found.cashier_id,
    )  # fmt: skip
    (outcome,) = carry_out(session, book, [Request(act, charge, till)])
    if isinstance(outcome, Refusal):
        return outcome
    found.state, found.person_id, found.posted_at, found.entry_id = "posted", act.actor, act.at, outcome.entry_id
    session.flush()
    return queries.redemption(session, book.id, act.at, found.id)


def void(
    session: Session, act: Act, redemption_id: UUID, *, reason: str, points: int | None = None, unit_ids: Collection[UUID] = (),
    scope: areas.Scope = (),
) -> RedemptionRow | Refusal:  # fmt: skip
    """Give points of a redemption back, all that is left or a part: by its shop on the same day, by staff of its area later too."""
    if not 1 <= len(reason := reason.strip()) <= REASON_LENGTH_MAX or not reason.isprintable():
        raise Invalid("text-malformed", "reason", length_max=REASON_LENGTH_MAX)
    if points is not None and not is_amount(points):
        raise Invalid("amount-malformed", "points")
    found = _lock(session, act.book_id, redemption_id)
    book = areas.book(session, act.book_id)
    by_shop = found.unit_id in unit_ids
    by_staff = bool(scope) and _is_in_scope(session, found, scope)
    if not by_shop and not by_staff:
        raise NotFound("redemption_id")
    if found.state != "posted" or found.posted_at is None or found.entry_id is None:
        return Refusal("nothing-to-void", "redemption_id", {"state": state_at(found.state, found.expires_at, act.at)})
    if not may_void(by_shop=not by_staff, posted_on=local_day(found.posted_at, book.zone), today=local_day(act.at, book.zone)):
        return Refusal("void-only-same-day", "redemption_id")
    left = found.points - found.voided
    if left == 0:
        return Refusal("voided-already", "redemption_id")
    amount = left if points is None else points
    if amount > left:
        return Refusal("void-exceeds", "points", {"left": left})
    return _give_back(session, act, book, found, amount, reason)


def _is_in_scope(session: Session, found: Redemption, scope: areas.Scope) -> bool:
    try:
        library.unit(session, found.book_id, found.unit_id, scope)
    except NotFound:
        return False
    return True


def _give_back(session: Session, act: Act, book: areas.Book, found: Redemption, amount: int, reason: str) -> RedemptionRow | Refusal:
    assert found.entry_id is not None
    about = journal.About(
        deed_on=local_day(act.at, book.zone), reference=found.id, unit_id=found.unit_id, till_id=found.till_id
    )  # fmt: skip
    (posted,) = journal.post(
        session, act.book_id, [journal.Reversal(act=act, entry_id=found.entry_id, amount=amount, kind="void", about=about)]
    )
    if isinstance(posted, Refusal):
        return posted
    assert isinstance(posted, journal.Posted)
    number = queries.voids_of(session, act.book_id, found.id) + 1
    row = {"redemption_id": found.id, "number": number, "points": amount, "entry_id": posted.entry_id, "reason": reason}
    session.execute(insert(Void).values(book_id=act.book_id, actor=act.actor, voided_at=act.at, **row))
    found.voided += amount
    session.flush()
    if found.voided == found.points and found.offer_id is not None:
        # Points given back in whole bring the goods back too; a part is a correction of the price.
        change = catalogue.StockChange(act, found.offer_id, found.quantity, "voided", found.id)
        catalogue.move(session, act.book_id, [change])
    return queries.redemption(session, act.book_id, act.at, found.id)
