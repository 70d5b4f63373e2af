"""The shop's order code: drawn at the till, bound to shop and amount, paid once by whoever confirms it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.store import insert_rows
from ledger.tokens import book_number_of
from ledger.tokens import digits_of
from ledger.tokens import hash_of
from ledger.tokens import normalised
from ledger.tokens import token_of
from redeem.redemptions import queries
from redeem.redemptions.charging import pay
from redeem.redemptions.model import Redemption
from redeem.redemptions.pricing import Asked
from redeem.redemptions.pricing import new_row
from redeem.redemptions.pricing import price
from redeem.redemptions.pricing import seen
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.rules import NUMBER_LENGTH
from redeem.redemptions.rules import ORDER_LIVES
from redeem.redemptions.rules import state_at

_NUMBERS_TRIED = 20


@dataclass(frozen=True)
class OrderCode:
    """What an order is paid by."""

    #: The token inside the QR code's address.
    token: str
    #: For typing.
    number: str


def open_order(session: Session, act: Act, vault: Vault, asked: Asked, *, unit_ids: Collection[UUID]) -> RedemptionRow | Refusal:
    """Open an order, bound to shop and amount: a volunteer scans or types its code and confirms."""
    book = areas.book(session, act.book_id)
    (priced,) = price(session, book, [(asked, unit_ids)], act.at)
    if priced.terms is not None and not priced.terms.holds:
        return Refusal("offer-not-available", "offer_id")
    # What nobody confirmed in time gives its number back.
    waited = (Redemption.book_id == act.book_id, Redemption.unit_id == priced.till.unit_id, Redemption.state == "open")
    session.execute(update(Redemption).where(*waited, Redemption.expires_at <= act.at).values(state="lapsed"))
    order_id = new_id()
    token = _tokens(vault, book, order_id)[0]
    row = new_row(act, order_id, priced, "order_code", "open", act.at + ORDER_LIVES, order_hash=hash_of(token))
    _insert_with_number(session, row)
    return seen(row, priced, None)


def order_code(session: Session, vault: Vault, book: areas.Book, order_id: UUID) -> OrderCode:
    """Draw the code of an order, whenever it is asked for; whoever calls knows that the order is of one's own shop."""
    wanted = select(Redemption.order_number, Redemption.order_hash).where(Redemption.book_id == book.id, Redemption.id == order_id)
    number, order_hash = session.execute(wanted).one_or_none() or (None, None)
    if number is None:
        raise NotFound("redemption_id")
    tokens = _tokens(vault, book, order_id)
    # As it was drawn first, also where the pepper is being changed.
    return OrderCode(next((token for token in tokens if hash_of(token) == order_hash), tokens[0]), number)


def _tokens(vault: Vault, book: areas.Book, order_id: UUID) -> list[str]:
    # Derived and not drawn by lot, so that no answer that is kept needs to hold it.
    return [token_of(book.number, hashed) for hashed in vault.hashes(book.id, "order-code", str(order_id))]


def _insert_with_number(session: Session, row: dict[str, Any]) -> None:
    """Insert an order under a number that no open order of the book has."""
    for _ in range(_NUMBERS_TRIED):
        number = f"{secrets.randbelow(10**NUMBER_LENGTH):0{NUMBER_LENGTH}}"
        try:
            with session.begin_nested():
                insert_rows(session, Redemption, [row | {"order_number": number}])
        except IntegrityError:
            continue
        return
    raise AssertionError("no free number: more orders are open than a book can have")


def order(session: Session, book: areas.Book, code: str, at: datetime) -> RedemptionRow | Refusal:
    """Return the open order whose code was scanned, or whose number was typed."""
    found = _find_order(session, book, code, at)
    return found if isinstance(found, Refusal) else queries.redemption(session, book.id, at, found.id)


def _find_order(session: Session, book: areas.Book, code: str, at: datetime, *, locks: bool = False) -> Redemption | Refusal:
    token = normalised(code.rsplit("/", 1)[-1])
    wanted = select(Redemption).where(Redemption.book_id == book.id, Redemption.way == "order_code")
    number = digits_of(code)
    if len(number) == NUMBER_LENGTH and number.isascii() and number.isdigit():
        wanted = wanted.where(Redemption.order_number == number, Redemption.state == "open")
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
    return found if isinstance(found, Refusal) else pay(session, act, book, found)
