"""Passbook cards and passbook numbers: issued, replaced and revoked by staff; a card's number is told once and kept in no answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import people
from ledger import sign_in
from ledger.errors import Refusal
from ledger.people import Card
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Shape
from ledger.web.kit.writing import act

blp = Resource("cards", __name__, "Passbook cards and passbook numbers")

WORKERS = ("grid_worker", "administrator")


class CardIn(Shape):
    """Whom a card is for."""

    person_id = Id(required=True)


class CardMadeOut(Shape):
    """A card as it is kept in an answer: without its number, which opens a passbook together with a PIN."""

    id = Id(required=True)
    person_id = Id(required=True)
    issued_at = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)


class CardIssuedOut(CardMadeOut):
    """A card that was just issued, with the number to be printed on it: told for ten minutes, and never again."""

    number = fields.String(required=True, allow_none=True, metadata={"description": "null after ten minutes"})


class CardOut(CardMadeOut):
    """A card in a list, known by the end of its number."""

    tail = fields.Function(lambda card: card.number[-4:], required=True, metadata={"type": "string"})


class CardsOut(Shape):
    """The cards of one person."""

    items = fields.List(fields.Nested(CardOut), required=True)
    has_pin = fields.Boolean(required=True, metadata={"description": "that still opens something; only the person sets one"})


class HandleOut(Shape):
    """Somebody by their new passbook number."""

    id = Id(required=True)
    handle = fields.String(required=True)


def _with_number(card: dict[str, Any]) -> dict[str, Any]:
    if not people.is_card_told(datetime.fromisoformat(card["issued_at"]), services().clock.now()):
        return card | {"number": None}
    return card | {"number": people.card_number(session(), me().book_id, UUID(card["id"]))}


@blp.reads("/people/<uuid:person_id>/cards", CardsOut)
@allow(*WORKERS)
def list_cards(person_id: UUID) -> dict[str, Any]:
    """List the cards that somebody of one's areas has or had, the newest first."""
    person = people.person(session(), me().book_id, person_id, me().scope(*WORKERS))
    return {
        "items": people.cards_of(session(), me().book_id, person.id),
        "has_pin": sign_in.has_pin(session(), me().book_id, person.id, "pin"),
    }


@blp.writes("/cards", CardIn, CardMadeOut, status=201, told=(CardIssuedOut, _with_number))
@allow(*WORKERS, fresh=True)
def issue(asked: dict[str, Any]) -> Card | Refusal:
    """Give somebody of one's areas a card."""
    return people.issue_card(session(), act(), asked["person_id"], within=me().scope(*WORKERS))


@blp.writes("/cards/replace", CardIn, CardMadeOut, status=201, told=(CardIssuedOut, _with_number))
@allow(*WORKERS, fresh=True)
def replace(asked: dict[str, Any]) -> Card | Refusal:
    """Give somebody of one's areas another card; the one they had opens nothing from now on."""
    replaced = people.replace_card(session(), act(), asked["person_id"], within=me().scope(*WORKERS))
    if not isinstance(replaced, Refusal):
        sign_in.end_card(session(), act(), asked["person_id"])
    return replaced


@blp.writes("/cards/revoke", CardIn, CardMadeOut)
@allow(*WORKERS)
def revoke(asked: dict[str, Any]) -> Card | Refusal:
    """Let the card of somebody of one's areas open nothing from now on."""
    revoked = people.revoke_card(session(), act(), asked["person_id"], within=me().scope(*WORKERS))
    if not isinstance(revoked, Refusal):
        sign_in.end_card(session(), act(), asked["person_id"])
    return revoked


@blp.writes("/people/<uuid:person_id>/handle", Nothing, HandleOut)
@allow(*WORKERS, fresh=True)
def replace_handle(asked: dict[str, Any], person_id: UUID) -> people.Person | Refusal:
    """Give somebody of one's areas another passbook number; cards and codes shown with the old one stop."""
    within, staff_within = me().scope(*WORKERS), me().scope("administrator")
    return people.replace_handle(session(), act(), person_id, within=within, staff_within=staff_within, powers_of=powers_of)
