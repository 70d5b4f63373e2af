from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy import update

from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem import redemptions
from tests.builders import VAULT
from tests.redeem.redemptions.conftest import Market


def code_of(outcome: object) -> str:
    assert isinstance(outcome, Refusal), outcome
    return outcome.code


def posted(outcome: redemptions.RedemptionRow | Refusal) -> redemptions.RedemptionRow:
    assert isinstance(outcome, redemptions.RedemptionRow), outcome
    return outcome


def test_a_small_amount_passes_at_once(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    row = posted(market.take(market.code(chen), 30))
    assert (row.state, row.points, row.till_name, row.handle_tail) == ("posted", 30, "1号收银台", chen.handle[-2:])
    assert (market.points(chen), market.owed()) == (70, 30)
    assert market.faults() == []


def test_a_code_can_be_typed(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    assert posted(market.take(market.code(chen, typed=True), 30)).state == "posted"
    typed = market.code(market.volunteer("李桂荣", 100), typed=True)
    assert posted(market.take(f"{typed[:4]} {typed[4:8]} {typed[8:]}", 30)).state == "posted"


def test_a_second_use_says_when_and_at_which_till_the_first_was(market: Market) -> None:
    code = market.code(market.volunteer("陈桂芳", 100))
    first = posted(market.take(code, 10))
    again = market.take(code, 10, till=1)
    assert again == Refusal("pay-code-used", "code", {"at": first.posted_at, "till": "1号收银台"})
    market.clock.advance(minutes=30)
    assert market.take(code, 10, till=1) == again


def test_of_two_uses_in_one_set_the_second_is_refused(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    code = market.code(chen)
    first, second = market.take_all([market.taking(code, 10), market.taking(code, 10, till=1)])
    assert posted(first).state == "posted"
    assert code_of(second) == "pay-code-used"
    assert market.points(chen) == 90


def test_the_step_before_is_accepted_and_an_older_one_is_not(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    market.clock.moment = datetime(2026, 11, 23, 1, 0, 0, tzinfo=UTC)
    code = market.code(chen)
    market.clock.advance(seconds=59)
    assert posted(market.take(code, 10)).state == "posted"
    market.clock.advance(seconds=31)
    fresh = market.code(chen)
    market.clock.advance(seconds=60)
    assert code_of(market.take(fresh, 10)) == "pay-code-expired"


def test_a_refusal_does_not_burn_the_code(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 20)
    code = market.code(chen)
    assert market.take(code, 30) == Refusal("points-insufficient", "points", {"asked": 30})
    assert posted(market.take(code, 20)).state == "posted"


def test_somebody_without_a_passbook_has_no_points(market: Market) -> None:
    assert market.take(market.code(market.volunteer("陈桂芳")), 5) == Refusal("points-insufficient", "points", {"asked": 5})


def test_of_two_spends_of_80_from_100_in_one_set_the_second_is_refused(market: Market, owner: Engine) -> None:
    this = Book.id == market.book.id
    market.session.commit()
    with owner.begin() as connection:
        connection.execute(update(Book).where(this).values(at_once_points_max=100))
    market.session.refresh(market.book)
    market.session.commit()
    chen = market.volunteer("陈桂芳", 100)
    first = market.code(chen)
    market.clock.advance(seconds=30)
    outcomes = market.take_all([market.taking(first, 80), market.taking(market.code(chen), 80)])
    assert posted(outcomes[0]).state == "posted"
    assert outcomes[1] == Refusal("points-insufficient", "points", {"asked": 80})
    assert market.faults() == []


def test_wrong_codes_are_no_codes_and_make_the_shop_wait(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    wrong = chen.handle + "000000"
    for code in (wrong, "hello", "1-23456789-ABCDEFGHJKMNPQRS", "99-" + chen.handle + "-" + "A" * 16, ""):
        assert code_of(market.take(code, 5)) == "pay-code-unknown"
    for _ in range(5):
        market.take(wrong, 5)
    refused = market.take(market.code(chen), 5)
    assert code_of(refused) == "till-must-wait"
    assert isinstance(refused, Refusal)
    # The shop's other till is no way round.
    assert code_of(market.take(market.code(chen), 5, till=1)) == "till-must-wait"
    market.clock.advance(seconds=refused.data["retry_after"])
    assert posted(market.take(market.code(chen), 5)).state == "posted"


def test_above_the_limit_it_waits_for_the_volunteer_and_nothing_is_taken(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    code = market.code(chen)
    row = posted(market.take(code, 51))
    assert (row.state, market.points(chen)) == ("pending", 100)
    assert code_of(market.take(code, 10)) == "pay-code-used"
    waiting = redemptions.waiting_for(market.session, market.book.id, market.clock.now(), chen.id)
    assert [one.id for one in waiting] == [row.id]
    market.clock.advance(seconds=20)
    paid = posted(market.done(redemptions.confirm(market.session, market.act(chen), row.id)))
    assert (paid.state, market.points(chen), market.owed()) == ("posted", 49, 51)
    assert code_of(market.done(redemptions.confirm(market.session, market.act(chen), row.id))) == "not-pending"
    assert market.faults() == []


def test_the_sixth_small_amount_of_a_day_waits_too(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    states = []
    for _ in range(6):
        states.append(posted(market.take(market.code(chen), 1)).state)
        market.clock.advance(seconds=30)
    assert states == ["posted"] * 5 + ["pending"]
    market.clock.advance(hours=24)
    assert posted(market.take(market.code(chen), 1)).state == "posted"


def test_a_request_can_be_declined_cancelled_or_lapse(market: Market) -> None:
    chen, other = market.volunteer("陈桂芳", 100), market.volunteer("李桂荣", 100)
    rows = []
    for _ in range(3):
        rows.append(posted(market.take(market.code(chen), 60)))
        market.clock.advance(seconds=30)
    session, now = market.session, market.clock.now()
    with pytest.raises(NotFound):
        redemptions.decline(session, market.act(other), rows[0].id)
    assert posted(market.done(redemptions.decline(session, market.act(chen), rows[0].id))).state == "cancelled"
    with pytest.raises(NotFound):
        redemptions.cancel(session, market.act(market.cashier), rows[1].id, unit_ids={new_id()})
    cancelled = redemptions.cancel(session, market.act(market.cashier), rows[1].id, unit_ids={market.unit.id})
    assert posted(market.done(cancelled)).state == "cancelled"
    assert redemptions.redemption(session, market.book.id, now, rows[2].id).state == "pending"
    market.clock.advance(minutes=5)
    assert redemptions.redemption(session, market.book.id, market.clock.now(), rows[2].id).state == "lapsed"
    assert code_of(market.done(redemptions.confirm(session, market.act(chen), rows[2].id))) == "redemption-lapsed"
    assert market.points(chen) == 100


def test_points_spent_meanwhile_refuse_the_confirmation(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 60)
    row = posted(market.take(market.code(chen), 55))
    market.clock.advance(seconds=30)
    market.take(market.code(chen), 10)
    assert code_of(market.done(redemptions.confirm(market.session, market.act(chen), row.id))) == "points-insufficient"


def test_an_offer_takes_stock_and_its_price(market: Market) -> None:
    oil = market.offer(points=20, cash_fen=1500, stock=5)
    chen = market.volunteer("陈桂芳", 100)
    row = posted(market.take(market.code(chen), offer_id=oil.id, quantity=2))
    assert (row.points, row.cash_fen, row.offer_title, row.quantity) == (40, 3000, "菜籽油 5 升", 2)
    assert (market.on_hand(oil), market.points(chen)) == (3, 60)
    market.clock.advance(seconds=30)
    assert market.take(market.code(chen), offer_id=oil.id, quantity=4) == Refusal("stock-out", "offer_id", {"on_hand": 3})


def test_the_last_piece_goes_once_even_in_one_set(market: Market) -> None:
    oil = market.offer(points=20, stock=1)
    buyers = [market.volunteer(name, 100) for name in ("陈桂芳", "李桂荣", "王丽")]
    takings = [market.taking(market.code(buyer), offer_id=oil.id) for buyer in buyers]
    outcomes = market.take_all(takings)
    assert [type(outcome).__name__ for outcome in outcomes] == ["RedemptionRow", "Refusal", "Refusal"]
    assert market.on_hand(oil) == 0


def test_a_limit_counts_within_its_period(market: Market) -> None:
    oil = market.offer(points=5, limit_per_person=2, limit_period="month")
    chen = market.volunteer("陈桂芳", 100)
    posted(market.take(market.code(chen), offer_id=oil.id))
    market.clock.advance(seconds=30)
    assert market.take(market.code(chen), offer_id=oil.id, quantity=2) == Refusal(
        "limit-reached", "offer_id", {"most": 2, "period": "month", "had": 1}
    )
    row = posted(market.take(market.code(chen), offer_id=oil.id))
    market.void(row.id)
    market.clock.advance(seconds=30)
    assert posted(market.take(market.code(chen), offer_id=oil.id)).state == "posted"
    market.clock.advance(days=9)
    assert posted(market.take(market.code(chen), offer_id=oil.id, quantity=2)).state == "posted"


def test_an_offer_of_another_day_or_shop_cannot_be_had(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    over = market.offer(valid_to=market.clock.now().date())
    later = market.offer(valid_from=market.clock.now().date() + timedelta(days=9))
    market.clock.advance(days=1)
    code = market.code(chen)
    assert [code_of(market.take(code, offer_id=offer.id)) for offer in (over, later)] == ["offer-not-available"] * 2
    with pytest.raises(NotFound):
        redemptions.take(market.session, VAULT, [market.taking(code, offer_id=new_id())])


def test_a_till_of_another_shop_is_not_found(market: Market) -> None:
    taking = market.taking(market.code(market.volunteer("陈桂芳", 100)), 5)
    with pytest.raises(NotFound):
        redemptions.take(market.session, VAULT, [redemptions.Taking(taking.act, taking.asked, frozenset({new_id()}), taking.code)])


def test_a_cashier_does_not_take_their_own_points(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    assert code_of(market.take(market.code(chen), 5, by=chen)) == "own-till"


@pytest.mark.parametrize("points", [0, -1, 2**63, True, 1.0, "5", None, [1]])
def test_what_is_no_amount_is_an_error(market: Market, points: object) -> None:
    code = market.code(market.volunteer("陈桂芳", 100))
    with pytest.raises(Invalid):
        market.take(code, points)  # type: ignore[arg-type]


def test_an_offer_and_typed_points_exclude_each_other(market: Market) -> None:
    oil = market.offer()
    code = market.code(market.volunteer("陈桂芳", 100))
    with pytest.raises(Invalid, match="offer-or-points"):
        market.take(code, 5, offer_id=oil.id)
    with pytest.raises(Invalid, match="quantity"):
        market.take(code, offer_id=oil.id, quantity=0)


def test_the_day_of_a_shop_adds_up(market: Market) -> None:
    chen, li = market.volunteer("陈桂芳", 100), market.volunteer("李桂荣", 100)
    oil = market.offer(points=10, cash_fen=500)
    posted(market.take(market.code(chen), 20))
    row = posted(market.take(market.code(li), offer_id=oil.id))
    market.void(row.id, points=4)
    since = market.clock.now() - timedelta(hours=1)
    taken = redemptions.taken_since(market.session, market.book.id, {market.unit.id}, since)
    assert (taken.count, taken.points, taken.cash_fen, taken.voided) == (2, 30, 500, 4)
    back = posted(market.take(market.code(market.volunteer("孙守业", 100)), offer_id=oil.id))
    market.void(back.id)
    taken = redemptions.taken_since(market.session, market.book.id, {market.unit.id}, since)
    assert (taken.count, taken.points, taken.cash_fen, taken.voided) == (3, 40, 500, 14)
    assert market.owed() == 26
    listed = redemptions.of_units(market.session, market.book.id, market.clock.now(), {market.unit.id}, since=since)
    assert [one.id for one in listed[:2]] == [back.id, row.id]
    assert [one.points for one in redemptions.of_person(market.session, market.book.id, market.clock.now(), chen.id)] == [20]
