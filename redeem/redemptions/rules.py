"""How points are taken at a till: the states of a redemption, how long it waits, and the law by which a set of charges is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from ledger.act import Act
from ledger.errors import Refusal

#: open: an order code waits for a volunteer; pending: a volunteer is asked to confirm; lapsed: nobody did in time.
STATES = ("open", "pending", "posted", "cancelled", "lapsed")
WAYS = ("order_code", "pay_code", "card", "slip")
#: How long the shop's order code is good.
ORDER_LIVES = timedelta(seconds=120)
#: How long a request waits for the volunteer's confirmation; longer than any code's countdown.
REQUEST_LIVES = timedelta(minutes=5)
NUMBER_LENGTH = 6
#: What is paid in a day by card and PIN or by slips, in all shops: whoever has seen the PIN at a till, or found a purse, spends no more.
CARD_POINTS_PER_DAY = 200
#: What a shop takes in a day for slips of paper, of everybody: whoever finds or copies slips has no use of many.
SLIP_POINTS_PER_SHOP_DAY = 500
#: Why points are given back: codes, because a void is kept for ever and nobody's words may be.
VOID_REASONS = ("wrong-item", "wrong-amount", "returned", "twice", "other")
QUANTITY_MAX = 1000


class Terms(NamedTuple):
    """What an offer promises on a day: whether it holds, and its limit."""

    offer_id: UUID
    unit_id: UUID
    holds: bool
    limit_per_person: int | None
    limit_period: str | None


@dataclass(frozen=True)
class Charge:
    """Points that somebody is to pay at a till."""

    act: Act
    redemption_id: UUID
    person_id: UUID
    unit_id: UUID
    till_id: UUID
    till_name: str
    cashier_id: UUID
    points: int
    quantity: int = 1
    terms: Terms | None = None
    #: The device and step of the pay code that was given.
    code: tuple[UUID, int] | None = None
    #: The volunteer has said yes, on the order or on the request.
    is_confirmed: bool = False
    is_active: bool = True
    #: A guardian acts for the person, who pays nothing themselves.
    is_guarded: bool = False
    #: Paid by card and PIN, typed at the till.
    is_by_card: bool = False
    #: Of a slip of paper, which is handed over and asks nobody: for how many points it is good.
    slip_points_max: int | None = None


class Spent(NamedTuple):
    """When a code was used, and at which till."""

    at: datetime
    till: str


@dataclass
class Counter:
    """What charges are judged by, read under the locks of codes, passbooks and stocks; what is accepted is taken off at once."""

    at_once_points_max: int
    at_once_uses_max: int
    available: dict[UUID, int]
    spent: dict[tuple[UUID, int], Spent] = field(default_factory=dict)
    #: Pay codes that passed at once today, by person.
    at_once_uses: dict[UUID, int] = field(default_factory=dict)
    on_hand: dict[UUID, int] = field(default_factory=dict)
    #: How many of an offer somebody has had in the period of its limit, by (person, offer).
    had: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    #: What a helper may still spend for somebody today, by (helper, person).
    mandate_left: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    #: What was paid by card and PIN or by slips today, by person: another card or slip does not begin anew.
    by_card: dict[UUID, int] = field(default_factory=dict)
    #: What was paid by slips today, by shop.
    by_slip: dict[UUID, int] = field(default_factory=dict)


def judge(charges: Sequence[Charge], counter: Counter) -> list[str | Refusal]:
    """Return for each charge, in order, "posted", "pending", or why not; each is judged against what those before it left."""
    return [_judge_one(charge, counter) for charge in charges]


def _judge_one(charge: Charge, counter: Counter) -> str | Refusal:
    if refusal := _against(charge, counter):
        return refusal
    if charge.code is not None:
        # A refusal does not burn a code; a posted or pending redemption does.
        counter.spent[charge.code] = Spent(charge.act.at, charge.till_name)
    if not charge.is_confirmed and not _passes_at_once(charge, counter):
        return "pending"
    counter.available[charge.person_id] -= charge.points
    if charge.act.acted_for:
        counter.mandate_left[charge.act.actor, charge.person_id] -= charge.points
    if charge.is_by_card or charge.slip_points_max is not None:
        counter.by_card[charge.person_id] = counter.by_card.get(charge.person_id, 0) + charge.points
    if charge.slip_points_max is not None:
        counter.by_slip[charge.unit_id] = counter.by_slip.get(charge.unit_id, 0) + charge.points
    elif charge.code is not None:
        counter.at_once_uses[charge.person_id] = counter.at_once_uses.get(charge.person_id, 0) + 1
    if charge.terms is not None:
        offer_id = charge.terms.offer_id
        counter.had[charge.person_id, offer_id] = counter.had.get((charge.person_id, offer_id), 0) + charge.quantity
        if offer_id in counter.on_hand:
            counter.on_hand[offer_id] -= charge.quantity
    return "posted"


def _against(charge: Charge, counter: Counter) -> Refusal | None:
    """Return what stands against a charge: the code first, then the person, the offer, the points."""
    used = counter.spent.get(charge.code) if charge.code is not None else None
    if used is not None:
        return Refusal("pay-code-used", "code", used._asdict())
    if charge.cashier_id == charge.person_id or (charge.act.acted_for and charge.cashier_id == charge.act.actor):
        return Refusal("own-till", "code")
    if not charge.is_active:
        return Refusal("person-inactive", "code")
    if refusal := _against_who_pays(charge, counter):
        return refusal
    if charge.terms is not None and (refusal := _against_offer(charge, charge.terms, counter)):
        return refusal
    available = counter.available.get(charge.person_id, 0)
    return Refusal("points-insufficient", "points", {"available": available, "asked": charge.points}) if available < charge.points else None


def _against_who_pays(charge: Charge, counter: Counter) -> Refusal | None:
    if charge.slip_points_max is not None and (refusal := _against_slip(charge, charge.slip_points_max, counter)):
        return refusal
    is_on_paper = charge.is_by_card or charge.slip_points_max is not None
    if is_on_paper and counter.by_card.get(charge.person_id, 0) + charge.points > CARD_POINTS_PER_DAY:
        return Refusal("card-limit", "points", {"most": CARD_POINTS_PER_DAY})
    if charge.act.acted_for is None:
        return Refusal("guardian-acts", "code") if charge.is_guarded else None
    left = counter.mandate_left.get((charge.act.actor, charge.person_id), 0)
    return Refusal("mandate-limit", "points", {"left": left}) if left < charge.points else None


def _against_slip(charge: Charge, points_max: int, counter: Counter) -> Refusal | None:
    if charge.points > points_max:
        return Refusal("slip-limit", "points", {"most": points_max})
    left = SLIP_POINTS_PER_SHOP_DAY - counter.by_slip.get(charge.unit_id, 0)
    return Refusal("slip-limit-of-shop", "points", {"left": max(0, left)}) if left < charge.points else None


def _against_offer(charge: Charge, terms: Terms, counter: Counter) -> Refusal | None:
    if not terms.holds or terms.unit_id != charge.unit_id:
        return Refusal("offer-not-available", "offer_id")
    on_hand = counter.on_hand.get(terms.offer_id)
    if on_hand is not None and on_hand < charge.quantity:
        return Refusal("stock-out", "offer_id", {"on_hand": on_hand})
    if terms.limit_per_person is not None:
        had = counter.had.get((charge.person_id, terms.offer_id), 0)
        if had + charge.quantity > terms.limit_per_person:
            return Refusal("limit-reached", "offer_id", {"most": terms.limit_per_person, "period": terms.limit_period, "had": had})
    return None


def _passes_at_once(charge: Charge, counter: Counter) -> bool:
    is_small = charge.points <= counter.at_once_points_max
    return is_small and counter.at_once_uses.get(charge.person_id, 0) < counter.at_once_uses_max


def state_at(state: str, expires_at: datetime, at: datetime) -> str:
    """Return the state a redemption is in at a moment: what waits lapses by itself."""
    return "lapsed" if state in {"open", "pending"} and expires_at <= at else state


def may_void(*, by_shop: bool, posted_on: date, today: date) -> bool:
    """Tell whether a redemption can still be voided: by the shop on its own day, by staff later too."""
    return not by_shop or posted_on == today
