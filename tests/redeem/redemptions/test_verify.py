"""What a row written past the program does to the books: `verify` says where."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy import text

from ledger import claims
from redeem import catalogue
from redeem import redemptions
from tests.conftest import Database
from tests.redeem.redemptions.conftest import Market
from tests.redeem.redemptions.test_take import posted


def test_a_day_at_the_desk_verifies(market: Market) -> None:
    oil = market.offer(points=10, stock=9)
    chen = market.volunteer("陈桂芳", 100)
    for quantity in (1, 2):
        row = posted(market.take(market.code(chen), offer_id=oil.id, quantity=quantity))
        market.clock.advance(seconds=30)
    market.void(row.id, points=5)
    market.void(row.id)
    market.take(market.code(chen), 60)
    assert redemptions.verify(market.session, market.book.id) == []
    assert catalogue.verify(market.session, market.book.id) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE redemption SET points = points + 1 WHERE book_id = :book", "says 11 points; entry"),
        ("UPDATE redemption SET voided = 3 WHERE book_id = :book", "was voided by 3 points, has voids of 0"),
        ("UPDATE redemption SET state = 'cancelled', entry_id = NULL WHERE book_id = :book", "is a redemption of no redemption"),
    ],
)
def test_a_changed_redemption_is_found(market: Market, database: Database, owner: Engine, change: str, said: str) -> None:
    posted(market.take(market.code(market.volunteer("陈桂芳", 100)), 10))
    market.session.rollback()
    book_id = market.book.id if database.kind == "postgresql" else market.book.id.hex
    market.session.rollback()
    with owner.begin() as connection:
        connection.execute(text(change), {"book": book_id})
    faults = redemptions.verify(market.session, market.book.id)
    assert [said in fault.what for fault in faults] == [True]


def test_a_changed_stock_is_found(market: Market, database: Database, owner: Engine) -> None:
    oil = market.offer(stock=5)
    book_id = market.book.id if database.kind == "postgresql" else market.book.id.hex
    market.session.rollback()
    with owner.begin() as connection:
        connection.execute(text("UPDATE stock SET on_hand = 6 WHERE book_id = :book"), {"book": book_id})
    (fault,) = catalogue.verify(market.session, market.book.id)
    assert fault.what == "counts 6 on hand; its movements say 5"
    assert str(oil.id) in fault.place


def test_points_awarded_past_the_claims_are_found(market: Market) -> None:
    market.volunteer("陈桂芳", 100)
    (fault,) = claims.verify(market.session, market.book.id)
    assert fault.what == "awards points for no credited claim"
