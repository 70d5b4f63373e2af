"""Points taken for a card whose PIN was proved: by the same law as pay codes, at once, and only while the card is good."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import people
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.people import Card
from ledger.people import Person
from redeem import merchants
from redeem import redemptions
from redeem.redemptions import CardTaking
from redeem.redemptions import RedemptionRow
from tests.builders import an_act
from tests.conftest import Database
from tests.redeem.redemptions.conftest import Market
from tests.redeem.redemptions.test_take import posted


def a_card(market: Market, person: Person) -> str:
    card = people.issue_card(market.session, an_act(market.book, market.clock.now()), person.id)
    assert isinstance(card, Card)
    number = card.number
    market.session.commit()
    return number


def taking(market: Market, person: Person, card: str, points: int | None = None, **asked: object) -> CardTaking:
    by, till = asked.pop("by", None) or market.cashier, market.tills[0].id
    wanted = redemptions.Asked(till, points=points, **asked)  # type: ignore[arg-type]
    return CardTaking(market.act(by), wanted, frozenset({market.unit.id}), card, person.id)  # type: ignore[arg-type]


def take(market: Market, person: Person, card: str, points: int | None = None, **asked: object) -> RedemptionRow | Refusal:
    (outcome,) = market.done(redemptions.take_by_card(market.session, [taking(market, person, card, points, **asked)]))
    return outcome  # type: ignore[no-any-return]


def test_a_card_pays_at_once_and_uses_up_no_code(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 500)
    row = posted(take(market, chen, a_card(market, chen), 200))
    assert (row.way, row.state, row.points, row.handle_tail) == ("card", "posted", 200, chen.handle[-2:])
    assert row.posted_at == row.opened_at
    assert market.points(chen) == 300
    assert market.owed() == 200
    assert redemptions.verify(market.session, market.book.id) == []
    market.void(row.id)
    assert market.points(chen) == 500
    assert redemptions.verify(market.session, market.book.id) == []


def test_card_and_pin_pay_200_points_a_day_whichever_card_it_is(market: Market) -> None:
    chen, ma = market.volunteer("陈桂芳", 900), market.volunteer("马志强", 900)
    card = a_card(market, chen)
    refused = Refusal("card-limit", "points", {"most": 200})
    assert take(market, chen, card, 201) == refused
    first = posted(take(market, chen, card, 150))
    assert take(market, chen, card, 51) == refused
    posted(take(market, ma, a_card(market, ma), 200))
    people.replace_card(market.session, an_act(market.book, market.clock.now()), chen.id)
    (another,) = [one.number for one in people.cards_of(market.session, market.book.id, chen.id) if one.revoked_at is None]
    market.session.commit()
    posted(take(market, chen, another, 50))
    assert take(market, chen, another, 1) == refused
    market.void(first.id)
    posted(take(market, chen, another, 1))
    market.clock.advance(days=1)
    posted(take(market, chen, another, 200))
    assert redemptions.verify(market.session, market.book.id) == []


def test_of_cards_that_are_taken_together_none_goes_over_the_limit_of_the_day(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 900)
    card = a_card(market, chen)
    outcomes = market.done(redemptions.take_by_card(market.session, [taking(market, chen, card, 120) for _ in range(2)]))
    assert [one.code if isinstance(one, Refusal) else one.state for one in outcomes] == ["posted", "card-limit"]
    assert market.points(chen) == 780


def test_a_card_pays_no_more_than_there_is_in_stock_in_the_limit_and_in_the_passbook(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    card = a_card(market, chen)
    few = market.offer(title="鸡蛋", points=10, stock=1)
    limited = market.offer(title="面粉", points=10, limit_per_person=1, limit_period="day")
    assert take(market, chen, card, 101) == Refusal("points-insufficient", "points", {"asked": 101})
    assert take(market, chen, card, offer_id=few.id, quantity=2) == Refusal("stock-out", "offer_id", {"on_hand": 1})
    posted(take(market, chen, card, offer_id=limited.id))
    refused = take(market, chen, card, offer_id=limited.id)
    assert isinstance(refused, Refusal)
    assert refused.code == "limit-reached"
    posted(take(market, chen, card, offer_id=few.id))
    assert (market.on_hand(few), market.points(chen)) == (0, 80)


def test_of_cards_that_are_taken_together_each_is_judged_by_what_those_before_it_left(market: Market) -> None:
    chen, ma = market.volunteer("陈桂芳", 100), market.volunteer("马志强", 50)
    cards = {person.id: a_card(market, person) for person in (chen, ma)}
    set_ = [taking(market, person, cards[person.id], 60) for person in (chen, chen, ma)]
    outcomes = market.done(redemptions.take_by_card(market.session, set_))
    assert [one.code if isinstance(one, Refusal) else one.state for one in outcomes] == [
        "posted", "points-insufficient", "points-insufficient",
    ]  # fmt: skip
    assert (market.points(chen), market.points(ma)) == (40, 50)


def test_nobody_takes_their_own_points_by_card(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    today = local_day(market.clock.now(), market.book.zone)
    merchants.hire(market.session, market.act(), market.unit.id, person_id=chen.id, role="cashier", starts_on=today)
    assert take(market, chen, a_card(market, chen), 10, by=chen) == Refusal("own-till", "card")


def test_whoever_has_left_pays_nothing(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    card = a_card(market, chen)
    people.person(market.session, market.book.id, chen.id).status = "left"
    assert take(market, chen, card, 10) == Refusal("person-inactive", "card")


def test_a_card_that_was_revoked_or_is_another_persons_takes_nothing(market: Market) -> None:
    chen, ma = market.volunteer("陈桂芳", 100), market.volunteer("马志强", 100)
    card, wrong = a_card(market, chen), Refusal("card-or-pin-wrong", "card")
    assert take(market, ma, card, 10) == wrong, "the PIN that was proved is another one's"
    assert take(market, chen, "123456789012", 10) == wrong
    people.replace_card(market.session, an_act(market.book, market.clock.now()), chen.id)
    assert take(market, chen, card, 10) == wrong
    assert market.points(chen) == 100


FORGED = "UPDATE card SET {} WHERE book_id = :book"


@pytest.mark.parametrize("change", ["issued_at = issued_at + 1", "revoked_at = issued_at - 1", "person_id = :other"])
def test_a_forged_redemption_by_card_is_found(market: Market, session: Session, owner: Engine, change: str) -> None:
    chen, ma = market.volunteer("陈桂芳", 100), market.volunteer("马志强")
    row = posted(take(market, chen, a_card(market, chen), 10))
    _change(owner, market, FORGED.format(change), ma.id if ":other" in change else None)
    (fault,) = redemptions.verify(session, market.book.id)
    assert fault == (f"redemption {row.id}", "was taken by card, and whoever pays had none that was good")


def test_a_pay_code_that_was_made_a_card_is_found(market: Market, owner: Engine, database: Database) -> None:
    chen = market.volunteer("陈桂芳", 100)
    posted(market.take(market.code(chen), 10))
    unguarded = {"sqlite": "DROP TRIGGER redemption_stays_as_taken", "postgresql": "ALTER TABLE redemption DISABLE TRIGGER ALL"}
    with owner.begin() as connection:
        connection.exec_driver_sql(unguarded[database.kind])
        connection.exec_driver_sql("UPDATE redemption SET way = 'card' WHERE book_id = book_id")
    found = {fault.what for fault in redemptions.verify(market.session, market.book.id)}
    assert found == {"used up 1 codes where 0 belong", "was taken by card, and whoever pays had none that was good"}


def _change(owner: Engine, market: Market, statement: str, other: UUID | None) -> None:
    ids = {"book": market.book.id} | ({"other": other} if other else {})
    is_postgresql = owner.dialect.name == "postgresql"
    market.session.commit()
    with owner.begin() as connection:
        connection.execute(text(statement), {name: id_ if is_postgresql else id_.hex for name, id_ in ids.items()})
