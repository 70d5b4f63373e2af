"""A volunteer's card at a till, with the PIN that they typed: taken at once, since the PIN is their yes."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.tokens import digits_of
from redeem import merchants
from redeem.redemptions.charging import Charged
from redeem.redemptions.charging import carry_out
from redeem.redemptions.charging import for_the_shop
from redeem.redemptions.model import Redemption
from redeem.redemptions.pricing import Asked
from redeem.redemptions.pricing import new_row
from redeem.redemptions.pricing import price
from redeem.redemptions.pricing import seen
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.rules import REQUEST_LIVES
from redeem.redemptions.rules import Charge


@dataclass(frozen=True)
class CardTaking:
    """A card, given at a till of one of the shops in which the actor stands, and whose PIN was proved with it."""

    act: Act
    asked: Asked
    unit_ids: frozenset[UUID]
    card: str
    #: Whoever calls has proved the PIN: there is no taking by card without one.
    person_id: UUID


def shop_of(session: Session, book_id: UUID, till_id: UUID, unit_ids: Collection[UUID]) -> UUID | None:
    """Return in which of these shops a till stands, where wrong PINs are counted; None for another, at which nothing is taken."""
    till = merchants.tills_seen(session, book_id, [till_id]).get(till_id)
    return till.unit_id if till and till.unit_id in unit_ids else None


def take_by_card(session: Session, takings: Sequence[CardTaking]) -> list[RedemptionRow | Refusal]:
    """Take points for cards, one or many, all at once; one outcome for each. A card that was revoked meanwhile takes nothing."""
    book, at = areas.book(session, takings[0].act.book_id), takings[0].act.at
    assert all((taking.act.book_id, taking.act.at) == (book.id, at) for taking in takings), "a set is of one book and one moment"
    priced = price(session, book, [(taking.asked, taking.unit_ids) for taking in takings], at)
    numbers = [digits_of(taking.card) for taking in takings]
    holders = people.holders_of(session, book.id, set(numbers))
    waits = merchants.waits(session, book.id, {one.till.unit_id for one in priced}, at)
    outcomes: dict[int, RedemptionRow | Refusal] = {}
    ready: dict[int, tuple[Charge, str]] = {}
    for index, (taking, number, asked) in enumerate(zip(takings, numbers, priced, strict=True)):
        holder = holders.get(number)
        if asked.till.unit_id in waits:
            outcomes[index] = Refusal("till-must-wait", "till_id", {"retry_after": waits[asked.till.unit_id]})
        elif holder is None or holder.id != taking.person_id:
            outcomes[index] = Refusal("card-or-pin-wrong", "card")
        else:
            charge = Charge(
                taking.act, new_id(), holder.id, asked.till.unit_id, asked.till.id, asked.till.name, taking.act.actor, asked.points,
                asked.quantity, asked.terms, is_confirmed=True, is_active=holder.status == "active",
                is_guarded=people.is_guarded(holder, local_day(at, book.zone)), is_by_card=True,
            )  # fmt: skip
            ready[index] = (charge, holder.handle)
    charged = carry_out(session, book, [charge for charge, _ in ready.values()]) if ready else []
    rows = []
    for (index, (charge, handle)), outcome in zip(ready.items(), charged, strict=True):
        if isinstance(outcome, Refusal):
            outcomes[index] = _about_the_card(for_the_shop(outcome))
            continue
        assert isinstance(outcome, Charged)
        row = new_row(
            charge.act, charge.redemption_id, priced[index], "card", outcome.state, at + REQUEST_LIVES,
            person_id=charge.person_id, posted_at=at, entry_id=outcome.entry_id,
        )  # fmt: skip
        rows.append(row)
        outcomes[index] = seen(row, priced[index], handle)
    if rows:
        session.connection().execute(insert(Redemption), rows)
    return [outcomes[index] for index in range(len(takings))]


def _about_the_card(refusal: Refusal) -> Refusal:
    # Who pays is told by a pay code elsewhere, and here by the card.
    return replace(refusal, field="card") if refusal.field == "code" else refusal
