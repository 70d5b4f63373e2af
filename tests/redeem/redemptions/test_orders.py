from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem import redemptions
from tests.builders import VAULT
from tests.redeem.redemptions.conftest import Market
from tests.redeem.redemptions.test_take import code_of
from tests.redeem.redemptions.test_take import posted


@pytest.mark.parametrize("way", ["token", "number", "address"])
def test_a_volunteer_looks_at_an_order_and_confirms_it(market: Market, way: str) -> None:
    chen = market.volunteer("陈桂芳", 100)
    order = market.order(80)
    code = {"token": order.token.lower(), "number": order.number, "address": f"HTTP://LOCALHOST:8000/O/{order.token}"}[way]
    seen = redemptions.order(market.session, market.book, code, market.clock.now())
    assert (posted(seen).points, posted(seen).unit_name, posted(seen).state) == (80, "惠民超市", "open")
    paid = posted(market.done(redemptions.confirm_order(market.session, market.act(chen), code)))
    assert (paid.state, paid.handle_tail, market.points(chen), market.owed()) == ("posted", chen.handle[-2:], 20, 80)
    assert market.faults() == []


def test_an_order_is_paid_once(market: Market) -> None:
    chen, li = market.volunteer("陈桂芳", 100), market.volunteer("李桂荣", 100)
    order = market.order(10)
    first = posted(market.done(redemptions.confirm_order(market.session, market.act(chen), order.token)))
    for who in (chen, li):
        again = market.done(redemptions.confirm_order(market.session, market.act(who), order.token))
        assert again == Refusal("order-taken", "code", {"at": first.posted_at})
    assert code_of(market.done(redemptions.confirm_order(market.session, market.act(li), order.number))) == "order-unknown"
    assert (market.points(chen), market.points(li)) == (90, 100)


def test_an_order_is_good_for_120_seconds(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    order = market.order(10)
    market.clock.advance(seconds=120)
    assert code_of(redemptions.order(market.session, market.book, order.token, market.clock.now())) == "order-expired"
    assert code_of(market.done(redemptions.confirm_order(market.session, market.act(chen), order.number))) == "order-expired"
    second = market.order(10)
    market.clock.advance(seconds=119)
    assert posted(market.done(redemptions.confirm_order(market.session, market.act(chen), second.number))).state == "posted"


def test_a_cancelled_order_cannot_be_paid(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    order = market.order(10)
    cancelled = redemptions.cancel(market.session, market.act(market.cashier), order.row.id, unit_ids={market.unit.id})
    assert posted(market.done(cancelled)).state == "cancelled"
    assert code_of(market.done(redemptions.confirm_order(market.session, market.act(chen), order.token))) == "order-cancelled"


@pytest.mark.parametrize("code", ["", "abc", "000000", "1-0000000000000000000000000A", "99-0000000000000000000000000A", "1-\x00"])
def test_what_is_no_order_is_unknown(market: Market, code: str) -> None:
    chen = market.volunteer("陈桂芳", 100)
    assert code_of(market.done(redemptions.confirm_order(market.session, market.act(chen), code))) == "order-unknown"


def test_an_order_is_bound_to_what_was_asked(market: Market) -> None:
    oil = market.offer(points=10, cash_fen=990, stock=3)
    order = market.order(offer_id=oil.id, quantity=2)
    assert (order.row.points, order.row.cash_fen, order.row.offer_title) == (20, 1980, "菜籽油 5 升")
    assert market.on_hand(oil) == 3
    chen = market.volunteer("陈桂芳", 100)
    posted(market.done(redemptions.confirm_order(market.session, market.act(chen), order.token)))
    assert market.on_hand(oil) == 1


def test_an_order_for_more_than_is_there_is_refused_when_it_is_paid(market: Market) -> None:
    oil = market.offer(points=10, stock=1)
    first, second = market.order(offer_id=oil.id), market.order(offer_id=oil.id)
    chen = market.volunteer("陈桂芳", 100)
    posted(market.done(redemptions.confirm_order(market.session, market.act(chen), first.token)))
    assert code_of(market.done(redemptions.confirm_order(market.session, market.act(chen), second.token))) == "stock-out"
    assert market.points(chen) == 90


def test_a_cashier_does_not_confirm_their_own_order(market: Market) -> None:
    order = market.order(10)
    assert code_of(market.done(redemptions.confirm_order(market.session, market.act(market.cashier), order.token))) == "own-till"


def test_orders_are_drawn_at_ones_own_tills_only(market: Market) -> None:
    asked = redemptions.Asked(market.tills[0].id, points=5)
    with pytest.raises(NotFound):
        redemptions.open_order(market.session, market.act(market.cashier), VAULT, asked, unit_ids={new_id()})
    ended = market.offer(valid_to=market.clock.now().date())
    market.clock.advance(days=1)
    asked = redemptions.Asked(market.tills[0].id, offer_id=ended.id)
    refused = redemptions.open_order(market.session, market.act(market.cashier), VAULT, asked, unit_ids={market.unit.id})
    assert code_of(refused) == "offer-not-available"


def test_only_the_hash_of_an_order_code_is_kept(market: Market) -> None:
    order = market.order(10)
    kept = market.session.get(redemptions.Redemption, (market.book.id, order.row.id))
    assert kept is not None
    assert order.token not in repr({column.name: getattr(kept, column.name) for column in kept.__table__.columns})


def test_numbers_are_free_again_once_their_orders_lapse(market: Market) -> None:
    first = market.order(10)
    market.clock.advance(minutes=3)
    market.order(10)
    assert redemptions.redemption(market.session, market.book.id, market.clock.now() - timedelta(minutes=3), first.row.id).state == "lapsed"
