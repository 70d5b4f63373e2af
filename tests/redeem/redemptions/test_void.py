from __future__ import annotations

from datetime import UTC
from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy import update

from ledger import journal
from ledger import people
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.funds import Fund
from ledger.ids import new_id
from redeem import redemptions
from tests.redeem.redemptions.conftest import Market
from tests.redeem.redemptions.test_take import code_of
from tests.redeem.redemptions.test_take import posted

COUNTY_SCOPE = ("320106/",)


def test_a_void_is_mirrored_in_the_passbook_and_takes_the_goods_back(market: Market) -> None:
    oil = market.offer(points=30, stock=5)
    chen = market.volunteer("陈桂芳", 100)
    row = posted(market.take(market.code(chen), offer_id=oil.id))
    voided = posted(market.void(row.id))
    assert (voided.voided, market.points(chen), market.owed(), market.on_hand(oil)) == (30, 100, 0, 5)
    account = journal.account_of(market.session, market.book.id, "passbook", chen.id)
    lines = journal.history(market.session, market.book.id, account)
    assert [(line.kind, line.amount, line.reference) for line in lines[:2]] == [("void", 30, row.id), ("redemption", -30, row.id)]
    assert market.faults() == []


def test_voids_never_exceed_what_is_left(market: Market) -> None:
    oil = market.offer(points=40, stock=5)
    chen = market.volunteer("陈桂芳", 100)
    row = posted(market.take(market.code(chen), offer_id=oil.id))
    assert posted(market.void(row.id, points=25)).voided == 25
    assert market.on_hand(oil) == 4
    assert market.void(row.id, points=16) == Refusal("void-exceeds", "points", {"left": 15})
    assert posted(market.void(row.id)).voided == 40
    assert market.on_hand(oil) == 5
    assert code_of(market.void(row.id)) == "voided-already"
    assert (market.points(chen), market.owed()) == (100, 0)
    assert market.faults() == []


def test_a_cashier_voids_on_the_same_day_of_the_book_and_staff_later(market: Market) -> None:
    market.clock.moment = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # a minute before midnight in Nanjing
    chen = market.volunteer("陈桂芳", 100)
    row = posted(market.take(market.code(chen), 10))
    market.clock.advance(minutes=1)
    assert code_of(market.void(row.id)) == "void-only-same-day"
    with pytest.raises(NotFound):
        market.void(row.id, scope=("320106/320106001/",))
    assert posted(market.void(row.id, scope=COUNTY_SCOPE)).voided == 10


def test_what_was_never_taken_is_not_voided(market: Market) -> None:
    row = posted(market.take(market.code(market.volunteer("陈桂芳", 100)), 60))
    assert code_of(market.void(row.id)) == "nothing-to-void"
    assert code_of(market.void(market.order(5).row.id)) == "nothing-to-void"


def test_another_shop_voids_nothing(market: Market) -> None:
    row = posted(market.take(market.code(market.volunteer("陈桂芳", 100)), 10))
    with pytest.raises(NotFound):
        market.void(row.id, unit_ids={new_id()})
    with pytest.raises(NotFound):
        market.void(new_id())


@pytest.mark.parametrize(("field", "values"), [("reason", ["", " ", "拿错了", "posted"]), ("points", [0, -1, 2**63, True, "5"])])
def test_a_malformed_void_is_an_error(market: Market, field: str, values: list[object]) -> None:
    row = posted(market.take(market.code(market.volunteer("陈桂芳", 100)), 10))
    for value in values:
        with pytest.raises(Invalid, match=field):
            redemptions.void(
                market.session, market.act(market.cashier), row.id, **({"reason": "other", "unit_ids": {market.unit.id}} | {field: value})
            )  # fmt: skip


def test_points_that_a_void_brings_back_after_their_year_live_to_the_end_of_the_current_one(market: Market, owner: Engine) -> None:
    market.clock.moment = datetime(2025, 6, 1, tzinfo=UTC)
    this = (Fund.book_id == market.book.id, Fund.id == market.fund.id)
    market.session.commit()
    with owner.begin() as connection:
        connection.execute(update(Fund).where(*this).values(opens_on=market.clock.now().date()))
    chen = market.volunteer("陈桂芳", 40)
    market.clock.moment = datetime(2026, 12, 30, tzinfo=UTC)
    row = posted(market.take(market.code(chen), 40))
    market.clock.moment = datetime(2027, 1, 2, tzinfo=UTC)
    assert posted(market.void(row.id, scope=COUNTY_SCOPE)).voided == 40
    assert market.points(chen) == 40
    market.clock.moment = datetime(2028, 1, 2, tzinfo=UTC)
    assert market.points(chen) == 0
    assert market.faults() == []


def test_nobody_voids_their_own_redemption_or_that_of_their_kin(market: Market) -> None:
    husband = market.volunteer("周德贵")
    people.tie(market.session, market.act(), market.cashier.id, husband.id, "household")
    for owner, code in ((market.cashier, "own-redemption"), (husband, "kin-or-household")):
        market.give(owner, 100)
        other = market.volunteer("吴店员")
        row = posted(market.take(market.code(owner), 10, by=other))
        assert code_of(market.void(row.id)) == code
        assert code_of(market.void(row.id, scope=COUNTY_SCOPE)) == code
        by_another = redemptions.void(market.session, market.act(other), row.id, reason="wrong-item", unit_ids={market.unit.id})
        assert posted(market.done(by_another)).voided == 10
