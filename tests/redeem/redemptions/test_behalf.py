"""What a helper spends for somebody: within a limit a day, at nobody's own till, and seen in the book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import journal
from ledger import people
from ledger.act import Act
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.journal.model import Entry
from ledger.people import Person
from redeem import redemptions
from redeem.redemptions.rules import Charge
from redeem.redemptions.rules import Counter
from redeem.redemptions.rules import judge
from tests.builders import VAULT
from tests.builders import a_mandate
from tests.builders import agreed
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database
from tests.earning import at_once
from tests.redeem.redemptions.conftest import Market
from tests.redeem.redemptions.conftest import Order
from tests.redeem.redemptions.test_take import code_of
from tests.redeem.redemptions.test_take import posted


def acting(market: Market, helper: Person, person: Person) -> Act:
    return replace(market.act(helper), acted_for=person.id)


def pay(market: Market, helper: Person, person: Person, order: Order) -> redemptions.RedemptionRow | Refusal:
    return market.done(redemptions.confirm_order(market.session, acting(market, helper, person), order.token))  # type: ignore[no-any-return]


def a_pair(market: Market, points: int) -> tuple[Person, Person]:
    """An elder with 500 points, and a helper who may spend so many a day for them."""
    elder, helper = market.volunteer("陈桂芳", 500), market.volunteer("李桂荣", 500)
    a_mandate(market.session, market.book, elder, helper, points=points)
    market.session.commit()
    return elder, helper


def test_a_helper_pays_an_order_from_the_elders_passbook(market: Market) -> None:
    elder, helper = a_pair(market, 50)
    order = market.order(30)
    paid = posted(pay(market, helper, elder, order))
    assert (paid.state, paid.person_id, paid.handle_tail) == ("posted", elder.id, elder.handle[-2:])
    assert (market.points(elder), market.points(helper), market.owed()) == (470, 500, 30)
    wanted = select(Entry.actor, Entry.acted_for, Entry.kind).where(Entry.book_id == market.book.id, Entry.id == paid.entry_id)
    assert market.session.execute(wanted).one() == (helper.id, elder.id, "redemption")
    account = journal.account_of(market.session, market.book.id, "passbook", elder.id)
    assert [line.on_behalf for line in journal.history(market.session, market.book.id, account)] == [True, False]
    assert market.faults() == []


def test_a_helper_says_yes_or_no_to_what_waits_for_the_elder(market: Market) -> None:
    elder, helper = a_pair(market, 200)
    yes, no = (
        posted(market.take(market.code(elder), 100)),
        market.clock.advance(seconds=30),
        posted(market.take(market.code(elder), 100)),
    )[::2]
    stranger = market.volunteer("王芳")
    for act in (market.act(helper), acting(market, helper, stranger)):
        with pytest.raises(NotFound):
            redemptions.confirm(market.session, act, yes.id)
    assert posted(market.done(redemptions.confirm(market.session, acting(market, helper, elder), yes.id))).state == "posted"
    assert posted(market.done(redemptions.decline(market.session, acting(market, helper, elder), no.id))).state == "cancelled"
    assert market.points(elder) == 400


def test_a_helper_spends_up_to_the_limit_of_a_day(market: Market) -> None:
    elder, helper = a_pair(market, 50)
    assert pay(market, helper, elder, market.order(51)) == Refusal("mandate-limit", "points", {"left": 50})
    posted(pay(market, helper, elder, market.order(30)))
    assert pay(market, helper, elder, market.order(21)) == Refusal("mandate-limit", "points", {"left": 20})
    posted(pay(market, helper, elder, market.order(20)))
    # The elder's own spending is not the helper's, nor the helper's for themselves.
    for who in (elder, helper):
        posted(market.done(redemptions.confirm_order(market.session, market.act(who), market.order(100).token)))
    market.clock.advance(days=1)
    posted(pay(market, helper, elder, market.order(50)))


def test_what_is_given_back_may_be_spent_again(market: Market) -> None:
    elder, helper = a_pair(market, 50)
    paid = posted(pay(market, helper, elder, market.order(50)))
    posted(market.void(paid.id, points=20))
    assert pay(market, helper, elder, market.order(21)) == Refusal("mandate-limit", "points", {"left": 20})
    posted(pay(market, helper, elder, market.order(20)))


def test_each_helper_has_a_limit_of_their_own(market: Market) -> None:
    elder, helper = a_pair(market, 50)
    other = market.volunteer("王芳")
    a_mandate(market.session, market.book, elder, other, points=10)
    posted(pay(market, helper, elder, market.order(50)))
    assert pay(market, other, elder, market.order(11)) == Refusal("mandate-limit", "points", {"left": 10})
    posted(pay(market, other, elder, market.order(10)))


@pytest.mark.parametrize("why", ["none", "nothing may be spent", "it has ended", "it is over"])
def test_without_a_mandate_to_spend_nothing_is_spent(market: Market, why: str) -> None:
    elder, helper = market.volunteer("陈桂芳", 500), market.volunteer("李桂荣", 500)
    if why != "none":
        made = a_mandate(market.session, market.book, elder, helper, points=0 if why == "nothing may be spent" else 50, days=1)
        if why == "it has ended":
            people.end_mandate(market.session, an_act(market.book), made.id, within=("",))
        market.clock.advance(days=2 if why == "it is over" else 0)
    assert pay(market, helper, elder, market.order(1)) == Refusal("mandate-limit", "points", {"left": 0})
    assert market.points(elder) == 500


def test_two_orders_paid_at_once_keep_the_limit_together(market: Market, database: Database) -> None:
    elder, helper = a_pair(market, 50)
    orders = [market.order(30) for _ in range(4)]
    acts = [acting(market, helper, elder) for _ in orders]
    market.session.commit()

    def paying(act: Act, token: str) -> Callable[[Session], str]:
        def work(own: Session) -> str:
            outcome = redemptions.confirm_order(own, act, token)
            return outcome.code if isinstance(outcome, Refusal) else outcome.state

        return work

    outcomes = at_once(database, *(paying(act, order.token) for act, order in zip(acts, orders, strict=True)))
    assert sorted(outcomes) == ["mandate-limit"] * 3 + ["posted"]
    assert market.points(elder) == 470


def test_a_cashier_takes_no_points_of_whom_they_help_at_their_own_till(market: Market) -> None:
    elder = market.volunteer("陈桂芳", 500)
    a_mandate(market.session, market.book, elder, market.cashier, points=200)
    assert code_of(pay(market, market.cashier, elder, market.order(10))) == "own-till"


def test_a_cashier_voids_nothing_of_whom_they_help(market: Market) -> None:
    elder = market.volunteer("陈桂芳", 500)
    paid = posted(market.done(redemptions.confirm_order(market.session, market.act(elder), market.order(10).token)))
    a_mandate(market.session, market.book, elder, market.cashier)
    assert code_of(market.void(paid.id)) == "kin-or-household"


def test_below_14_the_guardian_pays_and_nobody_else(market: Market) -> None:
    parent, child = market.volunteer("何军"), market.volunteer("何子轩", 100)
    person_id = child.id
    code = market.code(child)
    market.session.execute(
        update(Person)
        .where(Person.book_id == market.book.id, Person.id == person_id)
        .values(guarded_until=(START + timedelta(days=30)).date())
    )
    new = people.NewMandate(person_id, parent.id, "guardian", START.date(), (START + timedelta(days=30)).date(), 1000)
    given = people.give_mandate(market.session, an_act(market.book), VAULT, new)
    assert isinstance(given, people.Mandate)
    agreed(market.session, market.book, given)
    market.session.commit()
    assert code_of(market.take(code, 10)) == "guardian-acts"
    own = market.done(redemptions.confirm_order(market.session, market.act(child), market.order(10).token))
    assert code_of(own) == "guardian-acts"
    posted(pay(market, parent, child, market.order(10)))
    market.clock.advance(days=31)
    posted(market.take(market.code(child), 10))


def a_charge(points: int, helper: UUID | None, person: UUID, **others: object) -> Charge:
    act = Act(new_id(), helper or person, "api", new_id(), START, acted_for=person if helper else None)
    plain = {"unit_id": new_id(), "till_id": new_id(), "till_name": "1号", "cashier_id": new_id(), "is_confirmed": True}
    return Charge(act, new_id(), person, points=points, **(plain | others))  # type: ignore[arg-type]


def test_of_a_set_each_charge_is_held_against_what_those_before_left() -> None:
    helper, one, other = new_id(), new_id(), new_id()
    counter = Counter(1000, 1000, {one: 1000, other: 1000}, mandate_left={(helper, one): 50, (helper, other): 5})
    charges = [
        a_charge(30, helper, one),
        a_charge(30, helper, one),
        a_charge(20, helper, one),
        a_charge(6, helper, other),
        a_charge(30, None, one),
    ]
    assert judge(charges, counter) == [
        "posted",
        Refusal("mandate-limit", "points", {"left": 20}),
        "posted",
        Refusal("mandate-limit", "points", {"left": 5}),
        "posted",
    ]


def test_the_helper_of_somebody_is_somebody_else_than_whoever_took_the_points(market: Market) -> None:
    elder, helper = a_pair(market, 50)
    mine = posted(market.take(market.code(elder), 10))
    theirs = posted(pay(market, helper, elder, market.order(10)))
    assert mine.entry_id
    assert theirs.entry_id
    assert journal.helpers_of(market.session, market.book.id, [mine.entry_id, theirs.entry_id]) == {theirs.entry_id: helper.id}
