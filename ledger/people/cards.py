"""Passbook cards and passbook numbers: drawn by lot, one of each at a time, and dead as soon as another takes their place."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import queries
from ledger.people.actions import free_handles
from ledger.people.model import Card
from ledger.people.model import Person
from ledger.people.queries import PowersOf
from ledger.people.rules import card_number_of
from ledger.people.rules import is_card_number

#: So long an answer may have been lost on its way, and the card not be printed yet.
CARD_TOLD_FOR = timedelta(minutes=10)


def issue_card(session: Session, act: Act, person_id: UUID, *, within: Scope = areas.EVERYWHERE) -> Card | Refusal:
    """Give somebody within `within` a card; refused where they have one, and to oneself."""
    person = _whose(session, act, person_id, within)
    if isinstance(person, Refusal):
        return person
    if _live_card(session, act.book_id, person_id):
        return Refusal("card-there-already", "person_id")
    return _issue(session, act, person_id)


def replace_card(session: Session, act: Act, person_id: UUID, *, within: Scope = areas.EVERYWHERE) -> Card | Refusal:
    """Give somebody another card; the one they had opens nothing from now on."""
    revoked = revoke_card(session, act, person_id, within=within)
    return revoked if isinstance(revoked, Refusal) else _issue(session, act, person_id)


def revoke_card(session: Session, act: Act, person_id: UUID, *, within: Scope = areas.EVERYWHERE) -> Card | Refusal:
    """Let the card that somebody has open nothing from now on."""
    person = _whose(session, act, person_id, within)
    if isinstance(person, Refusal):
        return person
    if (card := _live_card(session, act.book_id, person_id)) is None:
        return Refusal("card-none", "person_id")
    card.revoked_by, card.revoked_at = act.actor, act.at
    session.flush()
    return card


def cards_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[Card]:
    """Return the cards that somebody has or had, the newest first."""
    wanted = select(Card).where(Card.book_id == book_id, Card.person_id == person_id)
    return session.execute(wanted.order_by(Card.issued_at.desc(), Card.number)).scalars().all()


def is_card_told(issued_at: datetime, at: datetime) -> bool:
    """Tell whether the number of a card is still told to whoever issued it, to be printed on it; later only its end is."""
    return at - issued_at <= CARD_TOLD_FOR


def card_number(session: Session, book_id: UUID, card_id: UUID) -> str:
    """Return the number of a card, to be told to whoever issued it."""
    return session.execute(select(Card.number).where(Card.book_id == book_id, Card.id == card_id)).scalar_one()


def holders_of(session: Session, book_id: UUID, numbers: Collection[str]) -> dict[str, Person]:
    """Return whose each of these card numbers is that is one and not revoked."""
    wanted = (
        select(Card.number, Person)
        .join(Person, and_(Person.book_id == Card.book_id, Person.id == Card.person_id))
        .where(Card.book_id == book_id, Card.number.in_([one for one in numbers if is_card_number(one)]), Card.revoked_at.is_(None))
    )
    return {number: person for number, person in session.execute(wanted)}


def replace_handle(
    session: Session, act: Act, person_id: UUID, *, within: Scope = areas.EVERYWHERE, staff_within: Scope = areas.EVERYWHERE,
    powers_of: PowersOf = queries.powers_of,
) -> Person | Refusal:  # fmt: skip
    """Give somebody another passbook number; what was shown or typed with the old one stops.

    `staff_within`: where also those who work for the community or a shop are given one: it is what they sign in with.
    """
    person = _whose(session, act, person_id, within)
    if isinstance(person, Refusal):
        return person
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    if queries.works_beyond(session, act.book_id, person_id, today, staff_within, powers_of=powers_of):
        return Refusal("data-of-staff", "person_id")
    (person.handle,) = free_handles(session, act.book_id, 1)
    session.flush()
    return person


def _whose(session: Session, act: Act, person_id: UUID, within: Scope) -> Person | Refusal:
    """Return the person, locked: of two cards that are issued at once, the second finds the first."""
    queries.person(session, act.book_id, person_id, within)
    wanted = select(Person).where(Person.book_id == act.book_id, Person.id == person_id)
    person = session.execute(wanted.with_for_update(key_share=True)).scalar_one()
    if person_id == act.actor:
        return Refusal("card-for-oneself", "person_id")
    return person if person.status == "active" else Refusal("person-left", "person_id")


def _live_card(session: Session, book_id: UUID, person_id: UUID) -> Card | None:
    wanted = select(Card).where(Card.book_id == book_id, Card.person_id == person_id, Card.revoked_at.is_(None))
    return session.execute(wanted).scalar_one_or_none()


def _issue(session: Session, act: Act, person_id: UUID) -> Card:
    number = card_number_of(secrets.randbelow(10**11))
    while session.execute(select(Card.number).where(Card.book_id == act.book_id, Card.number == number)).scalar_one_or_none():
        number = card_number_of(secrets.randbelow(10**11))
    card = Card(book_id=act.book_id, number=number, id=new_id(), person_id=person_id, issued_by=act.actor, issued_at=act.at)
    session.add(card)
    session.flush()
    return card
