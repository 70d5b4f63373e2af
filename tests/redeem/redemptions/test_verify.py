"""What a row written past the program does to the books: `verify` says where."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import claims
from ledger.ids import new_id
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
    unguarded = {"sqlite": "DROP TRIGGER redemption_stays_as_taken", "postgresql": "ALTER TABLE redemption DISABLE TRIGGER ALL"}
    with owner.begin() as connection:
        connection.exec_driver_sql(unguarded[database.kind])
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


STAYS = {
    "unit_id": "offer_id",
    "till_id": "id",
    "cashier_id": "id",
    "person_id": "cashier_id",
    "offer_id": "NULL",
    "quantity": "quantity + 1",
    "points": "points + 1",
    "cash_fen": "cash_fen + 1",
    "way": "'order'",
    "posted_at": "posted_at + 1",
    "opened_at": "opened_at + 1",
    "entry_id": "id",
    "voided": "voided - 1",
}


@pytest.mark.parametrize("column", STAYS)
def test_a_posted_redemption_stays_as_it_was_taken(market: Market, owner: Engine, column: str) -> None:
    oil = market.offer(points=10, stock=9)
    row = posted(market.take(market.code(market.volunteer("陈桂芳", 100)), offer_id=oil.id))
    market.void(row.id, points=3)
    market.session.commit()
    with owner.connect() as connection, pytest.raises(DBAPIError, match="redemption_stays_as_taken"):
        connection.execute(text(f"UPDATE redemption SET {column} = {STAYS[column]} WHERE book_id = book_id"))


@pytest.mark.parametrize(("column", "value"), [("points", "1"), ("cash_fen", "1"), ("title", "'x'"), ("unit_id", "id")])
def test_an_offer_keeps_its_price(market: Market, owner: Engine, column: str, value: str) -> None:
    market.offer(points=10)
    market.session.commit()
    with owner.connect() as connection, pytest.raises(DBAPIError, match="offer_keeps_its_price"):
        connection.execute(text(f"UPDATE offer SET {column} = {value} WHERE book_id = book_id"))


MOVED = (
    "INSERT INTO stock_movement (book_id, offer_id, number, kind, quantity, before, after, reference, actor, moved_at) "
    "SELECT book_id, offer_id, 3, {}, {}, actor, moved_at FROM stock_movement WHERE book_id = :book AND number = 2"
)
SPENT = (
    "INSERT INTO spent_step (book_id, device_id, step, redemption_id, spent_at) "
    "SELECT book_id, device_id, step + 9, {}, spent_at FROM spent_step WHERE book_id = :book"
)
DESK = [
    (MOVED.format("'redeemed', -2, 8, 6", ":other"), r"stock \S+: 2 were taken and 0 came back for redemption \S+, which is none"),
    (MOVED.format("'redeemed', -2, 8, 6", "reference"), r"stock \S+: 3 were taken and 0 came back for redemption \S+ of 1 and 0"),
    (MOVED.format("'voided', 1, 8, 9", "reference"), r"stock \S+: 1 were taken and 1 came back for redemption \S+ of 1 and 0"),
    (SPENT.format(":other"), r"redemption \S+: is none, and used up 1 codes"),
    (SPENT.format("redemption_id"), r"redemption \S+: used up 2 codes where 1 belong"),
]


@pytest.mark.parametrize(("change", "said"), DESK)
def test_goods_and_codes_that_no_redemption_used_are_found(market: Market, database: Database, change: str, said: str) -> None:
    oil = market.offer(points=10, stock=9)
    posted(market.take(market.code(market.volunteer("陈桂芳", 100)), offer_id=oil.id))
    ids = {"book": market.book.id} | ({"other": new_id()} if ":other" in change else {})
    named = {name: id_ if database.kind == "postgresql" else id_.hex for name, id_ in ids.items()}
    assert redemptions.verify(market.session, market.book.id) == []
    market.session.execute(text(change), named)
    market.session.commit()
    found = [": ".join(fault) for fault in redemptions.verify(market.session, market.book.id)]
    assert any(re.fullmatch(said, line) for line in found), found


TAKEN_AWAY = [
    ("stock_movement", "kind = 'redeemed'", r"stock \S+: 0 were taken and 1 came back for redemption \S+ of 1 and 1"),
    ("stock_movement", "kind = 'voided'", r"stock \S+: 1 were taken and 0 came back for redemption \S+ of 1 and 1"),
    ("stock_movement", "kind IN ('redeemed', 'voided')", r"stock \S+: 0 were taken and 0 came back for redemption \S+ of 1 and 1"),
    ("spent_step", "step > 0", r"redemption \S+: used up 0 codes where 1 belong"),
]


@pytest.mark.parametrize(("table", "which", "said"), TAKEN_AWAY)
def test_goods_and_codes_that_a_redemption_used_are_missed(
    market: Market, database: Database, owner: Engine, table: str, which: str, said: str
) -> None:
    oil = market.offer(points=10, stock=9)
    row = posted(market.take(market.code(market.volunteer("陈桂芳", 100)), offer_id=oil.id))
    market.void(row.id)
    assert redemptions.verify(market.session, market.book.id) == []
    unguarded = {"sqlite": f"DROP TRIGGER {table}_no_delete", "postgresql": f"ALTER TABLE {table} DISABLE TRIGGER ALL"}
    market.session.rollback()
    with owner.begin() as connection:
        connection.exec_driver_sql(unguarded[database.kind])
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE book_id = book_id AND {which}")
    found = [": ".join(fault) for fault in redemptions.verify(market.session, market.book.id)]
    assert any(re.fullmatch(said, line) for line in found), found
