from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem import catalogue
from redeem.catalogue import StockChange
from redeem.catalogue.model import StockMovement
from tests.builders import a_book
from tests.builders import a_shop
from tests.builders import a_unit
from tests.builders import an_act
from tests.builders import an_offer
from tests.conftest import START

TODAY = START.date()


def movements(session: Session, offer: catalogue.Offer) -> list[tuple[int, str, int, int, int]]:
    wanted = select(StockMovement).where(StockMovement.book_id == offer.book_id, StockMovement.offer_id == offer.id)
    rows = session.execute(wanted.order_by(StockMovement.number)).scalars()
    return [(row.number, row.kind, row.quantity, row.before, row.after) for row in rows]


def test_offers_are_listed_with_what_there_is(session: Session) -> None:
    book = a_book(session)
    shop, other = a_shop(session, book), a_shop(session, book, name="面馆")
    oil, haircut = an_offer(session, book, shop.id, stock=12), an_offer(session, book, shop.id, title="理发")
    noodles = an_offer(session, book, other.id, title="牛肉面", stock=0)
    rows = {row.offer.id: row.on_hand for row in catalogue.offers(session, book.id, TODAY)}
    assert rows == {oil.id: 12, haircut.id: None, noodles.id: 0}
    assert {row.offer.id for row in catalogue.offers(session, book.id, TODAY, unit_ids=[shop.id])} == {oil.id, haircut.id}
    first = catalogue.offers(session, book.id, TODAY, limit=2)
    rest = catalogue.offers(session, book.id, TODAY, after=first[-1].offer.id)
    assert {row.offer.id for row in first + rest} == set(rows)
    assert set(catalogue.offers_by_id(session, book.id, [oil.id, new_id()])) == {oil.id}


def test_an_offer_holds_from_its_first_day_to_its_last(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    offer = an_offer(session, book, shop.id, valid_from=TODAY, valid_to=TODAY + timedelta(days=2))
    days = [TODAY + timedelta(days=day) for day in range(-1, 5)]
    listed = [day for day in days if catalogue.offers(session, book.id, day)]
    assert listed == days[1:4]
    assert [day for day in days if catalogue.holds_on(offer.valid_from, offer.valid_to, day)] == listed
    catalogue.end_offer(session, an_act(book), offer.id, TODAY)
    assert [day for day in days if catalogue.offers(session, book.id, day)] == [TODAY]
    with pytest.raises(Invalid):
        catalogue.end_offer(session, an_act(book), offer.id, TODAY - timedelta(days=1))


def test_only_a_business_makes_offers(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book, colour="green")
    made = catalogue.add_offer(session, an_act(book), unit.id, title="磨刀", points=5, valid_from=TODAY)
    assert made == Refusal("unit-not-a-business", "unit_id")


MALFORMED = [
    ({"title": " "}, "title"),
    ({"title": "长" * 101}, "title"),
    ({"title": "a\x00"}, "title"),
    ({"points": 0}, "points"),
    ({"points": -1}, "points"),
    ({"points": 2**63}, "points"),
    ({"points": True}, "points"),
    ({"points": 1.0}, "points"),
    ({"points": "１"}, "points"),
    ({"points": float("nan")}, "points"),
    ({"points": [1]}, "points"),
    ({"cash_fen": -1}, "cash_fen"),
    ({"cash_fen": 100_000_001}, "cash_fen"),
    ({"cash_fen": 1.5}, "cash_fen"),
    ({"stock": -1}, "stock"),
    ({"stock": 1_000_001}, "stock"),
    ({"limit_per_person": 0, "limit_period": "day"}, "limit_per_person"),
    ({"limit_per_person": 1}, "limit_period"),
    ({"limit_period": "day"}, "limit_period"),
    ({"limit_per_person": 1, "limit_period": "week"}, "limit_period"),
    ({"valid_to": TODAY - timedelta(days=1)}, "valid_to"),
]


def test_malformed_offers_are_not_made(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    for changed, field in MALFORMED:
        with pytest.raises(Invalid) as problem:
            catalogue.add_offer(session, an_act(book), unit.id, **{"title": "油", "points": 30, "valid_from": TODAY} | changed)
        assert problem.value.field == field, changed
    assert catalogue.offers(session, book.id, TODAY) == []


def test_every_change_of_a_stock_is_a_numbered_movement_that_adds_up(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    offer, redemption_id = an_offer(session, book, shop.id, stock=3), new_id()
    assert catalogue.deliver(session, an_act(book), offer.id, 5) == 8
    taken = [StockChange(an_act(book), offer.id, -2, "redeemed", redemption_id), StockChange(an_act(book), offer.id, -1, "redeemed")]
    assert catalogue.move(session, book.id, taken) == {offer.id: 5}
    assert catalogue.move(session, book.id, [StockChange(an_act(book), offer.id, 2, "voided", redemption_id)]) == {offer.id: 7}
    assert catalogue.count(session, an_act(book), offer.id, 6) == 6
    assert catalogue.count(session, an_act(book), offer.id, 6) == 6
    assert movements(session, offer) == [
        (1, "delivered", 3, 0, 3),
        (2, "delivered", 5, 3, 8),
        (3, "redeemed", -2, 8, 6),
        (4, "redeemed", -1, 6, 5),
        (5, "voided", 2, 5, 7),
        (6, "counted", -1, 7, 6),
    ]
    assert catalogue.lock_stocks(session, book.id, [offer.id])[offer.id].on_hand == 6


def test_several_stocks_are_moved_at_once_and_those_that_never_run_out_are_passed_over(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    oil, rice, haircut = (an_offer(session, book, shop.id, stock=stock) for stock in (5, 7, None))
    changes = [StockChange(an_act(book), offer.id, -1, "redeemed") for offer in (oil, rice, haircut, oil)]
    assert catalogue.move(session, book.id, changes) == {oil.id: 3, rice.id: 6}
    assert movements(session, haircut) == []
    assert catalogue.lock_stocks(session, book.id, []) == {}


def test_no_stock_goes_below_zero(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    offer = an_offer(session, book, shop.id, stock=1)
    with pytest.raises(AssertionError):
        catalogue.move(session, book.id, [StockChange(an_act(book), offer.id, -2, "redeemed")])
    assert catalogue.lock_stocks(session, book.id, [offer.id])[offer.id].on_hand == 1


def test_what_never_runs_out_is_neither_delivered_nor_counted(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    offer = an_offer(session, book, shop.id)
    assert catalogue.deliver(session, an_act(book), offer.id, 5) == Refusal("stock-not-kept", "offer_id")
    assert catalogue.count(session, an_act(book), offer.id, 0) == Refusal("stock-not-kept", "offer_id")


def test_malformed_deliveries_move_nothing(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    offer = an_offer(session, book, shop.id, stock=3)
    for quantity in (0, -1, 1_000_001, True, 1.0, "1", None):
        with pytest.raises(Invalid):
            catalogue.deliver(session, an_act(book), offer.id, quantity)
        if quantity != 0 or type(quantity) is not int:
            with pytest.raises(Invalid):
                catalogue.count(session, an_act(book), offer.id, quantity)
    assert len(movements(session, offer)) == 1


def test_offers_of_shops_that_are_not_ones_own_are_not_found(session: Session) -> None:
    book = a_book(session)
    shop, other = a_shop(session, book), a_shop(session, book, name="面馆")
    offer = an_offer(session, book, shop.id, stock=3)
    for reach in ({"within": (), "own": [other.id]}, {"within": ()}):
        with pytest.raises(NotFound):
            catalogue.deliver(session, an_act(book), offer.id, 1, **reach)
        with pytest.raises(NotFound):
            catalogue.count(session, an_act(book), offer.id, 1, **reach)
        with pytest.raises(NotFound):
            catalogue.end_offer(session, an_act(book), offer.id, TODAY, **reach)
        with pytest.raises(NotFound):
            catalogue.add_offer(session, an_act(book), shop.id, title="油", points=30, valid_from=TODAY, **reach)
    assert catalogue.deliver(session, an_act(book), offer.id, 1, within=(), own=[shop.id]) == 4
    for book_id, offer_id, unit_ids in ((book.id, offer.id, [other.id]), (book.id, new_id(), None), (new_id(), offer.id, None)):
        with pytest.raises(NotFound):
            catalogue.offer(session, book_id, offer_id, unit_ids)
