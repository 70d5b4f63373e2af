from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from ledger.areas import Book
from redeem import catalogue
from redeem import library
from redeem import merchants
from tests.builders import GRID
from tests.builders import a_book
from tests.builders import a_person
from tests.conftest import START

Run = Callable[..., Result]
SHOP = ("--book", 1, "--unit", "旺财便民超市")


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args, **options: app.test_cli_runner().invoke(args=["redeem", *map(str, args)], **options)


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session)
    session.commit()
    return book


@pytest.fixture
def with_shop(run: Run, book: Book) -> None:
    """A white unit in the library."""
    added = run("unit", "add", "--book", 1, "--name", "旺财便民超市", "--colour", "white", "--area", GRID, "--address", "仙霞路8号")
    assert added.exit_code == 0, added.output


@pytest.mark.usefixtures("with_shop")
def test_units_are_added_and_listed_by_colour(run: Run) -> None:
    assert run("unit", "add", "--book", 1, "--name", "党群服务中心", "--colour", "red", "--area", GRID).exit_code == 0
    assert "旺财便民超市" in run("unit", "list", "--book", 1).output
    red = run("unit", "list", "--book", 1, "--colour", "red").output
    assert ("党群服务中心" in red, "旺财便民超市" in red) == (True, False)
    again = run("unit", "add", "--book", 1, "--name", "旺财便民超市", "--colour", "green", "--area", GRID)
    assert (again.exit_code, "unit-name-taken" in again.output) == (1, True)


@pytest.mark.usefixtures("with_shop")
def test_a_shop_gets_a_till_and_people_who_stand_at_it(run: Run, session: Session, book: Book) -> None:
    owner, cashier = a_person(session, book), a_person(session, book)
    session.commit()
    assert run("till", "add", *SHOP, "--name", "1号收银台").exit_code == 0
    assert run("staff", "hire", *SHOP, "--handle", owner.handle, "--role", "shop_owner").exit_code == 0
    hired = run("staff", "hire", *SHOP, "--handle", cashier.handle, "--role", "cashier", "--from", "2026-11-24", "--to", "2026-12-31")
    assert "cashier @ 旺财便民超市, 2026-11-24 – 2026-12-31" in hired.output
    unit = library.unit_named(session, book.id, "旺财便民超市")
    assert [till.name for till in merchants.tills(session, book.id, [unit.id])] == ["1号收银台"]
    (power,) = merchants.powers_of(session, book.id, owner.id, START.date())
    assert (power.role, power.unit_id) == ("shop_owner", unit.id)
    assert merchants.powers_of(session, book.id, cashier.id, START.date()) == []


@pytest.mark.usefixtures("with_shop")
def test_offers_are_added_and_listed(run: Run, session: Session, book: Book) -> None:
    oil = ("--title", "菜籽油5升", "--points", 30, "--cash-fen", 500, "--stock", 12, "--limit", 1, "--period", "month")
    assert run("offer", "add", *SHOP, *oil).exit_code == 0
    assert run("offer", "add", *SHOP, "--title", "理发", "--points", 15, "--from", "2026-11-24").exit_code == 0
    listed = run("offer", "list", "--book", 1, "--unit", "旺财便民超市").output
    assert ("菜籽油5升" in listed, "理发" in listed) == (True, False)
    (row,) = catalogue.offers(session, book.id, START.date())
    assert (row.offer.points, row.offer.cash_fen, row.offer.limit_per_person, row.offer.limit_period, row.on_hand) == (
        30,
        500,
        1,
        "month",
        12,
    )


UNDOABLE = [
    (("till", "add", "--book", 1, "--unit", "没有的店", "--name", "1号收银台"), "not-found: unit"),
    (("till", "add", "--book", 2, "--unit", "旺财便民超市", "--name", "1号收银台"), "not-found: book"),
    (("unit", "add", "--book", 1, "--name", "面馆", "--colour", "white", "--area", "99"), "not-found: area_code"),
    (("offer", "add", *SHOP, "--title", "油", "--points", 0), "amount-malformed: points"),
    (("offer", "add", *SHOP, "--title", "油", "--points", 2**63), "amount-malformed: points"),
    (("offer", "add", *SHOP, "--title", "油", "--points", 30, "--stock", -1), "number-out-of-range: stock"),
    (("offer", "add", *SHOP, "--title", "油", "--points", 30, "--cash-fen", -1), "number-out-of-range: cash_fen"),
    (("offer", "add", *SHOP, "--title", "油", "--points", 30, "--limit", 1), "choice-malformed: limit_period"),
    (("offer", "add", *SHOP, "--title", "油", "--points", 30, "--to", "2026-11-22"), "dates-out-of-order: valid_to"),
    (("staff", "hire", *SHOP, "--handle", "00000000", "--role", "cashier"), "nobody has the handle 00000000"),
]


@pytest.mark.usefixtures("with_shop")
def test_what_cannot_be_done_ends_with_a_sentence(run: Run) -> None:
    for args, code in UNDOABLE:
        result = run(*args)
        assert (result.exit_code, code in result.output) == (1, True), result.output
    assert "油" not in run("offer", "list", "--book", 1).output
