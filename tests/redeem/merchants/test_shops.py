from __future__ import annotations

from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Power
from redeem import merchants
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import Shop
from tests.builders import a_book
from tests.builders import a_claimed_act
from tests.builders import a_person
from tests.builders import a_shop
from tests.builders import a_unit
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import START

TODAY = START.date()


def powers_on(session: Session, book: Book, person_id: Any, day: date) -> set[str]:
    return {power.role for power in merchants.powers_of(session, book.id, person_id, day)}


def test_the_first_till_makes_a_white_unit_a_shop_that_is_owed_nothing_yet(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    with pytest.raises(NotFound):
        merchants.owed(session, book.id, unit.id)
    till = merchants.add_till(session, an_act(book), unit.id, name=" 1号收银台 ")
    assert isinstance(till, merchants.Till)
    assert (till.name, merchants.owed(session, book.id, unit.id)) == ("1号收银台", 0)
    assert isinstance(merchants.add_till(session, an_act(book), unit.id, name="2号收银台"), merchants.Till)
    assert {one.name for one in merchants.tills(session, book.id, [unit.id])} == {"1号收银台", "2号收银台"}


def test_what_is_no_business_has_no_tills_and_no_cashiers(session: Session) -> None:
    book = a_book(session)
    for colour in ("red", "green"):
        unit, person = a_unit(session, book, name=colour, colour=colour), a_person(session, book)
        assert merchants.add_till(session, an_act(book), unit.id, name="1号收银台") == Refusal("unit-not-a-business", "unit_id")
        hired = merchants.hire(session, an_act(book), unit.id, person_id=person.id, role="cashier", starts_on=TODAY)
        assert hired == Refusal("unit-not-a-business", "unit_id")


def test_a_till_has_a_plain_name(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    for name in ("", "　", "长" * 51, "a\nb"):
        with pytest.raises(Invalid):
            merchants.add_till(session, an_act(book), unit.id, name=name)


def test_two_tills_of_a_shop_are_told_apart_by_name(session: Session) -> None:
    book = a_book(session)
    shop, other = a_shop(session, book), a_unit(session, book, name="面馆")
    assert merchants.add_till(session, an_act(book), shop.id, name="1号收银台") == Refusal("till-name-taken", "name")
    assert isinstance(merchants.add_till(session, an_act(book), other.id, name="1号收银台"), merchants.Till)


def test_a_till_is_seen_with_its_shop(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    seen = merchants.tills_seen(session, book.id, [shop.till_id, new_id()])[shop.till_id]
    assert (seen.name, seen.unit_name, seen.unit_id, seen.area_code) == ("1号收银台", shop.name, shop.id, GRID)
    assert merchants.tills_seen(session, book.id, [shop.till_id, new_id()]) == {shop.till_id: seen}
    assert merchants.tills_seen(session, new_id(), [shop.till_id]) == {}


def test_somebody_works_from_their_first_day_to_their_last(session: Session) -> None:
    book = a_book(session)
    shop, person = a_shop(session, book), a_person(session, book)
    week = {"starts_on": TODAY, "ends_on": TODAY + timedelta(days=6)}
    merchants.hire(session, an_act(book), shop.id, person_id=person.id, role="cashier", **week)
    worked = [day for day in range(-1, 8) if powers_on(session, book, person.id, TODAY + timedelta(days=day))]
    assert worked == list(range(7))


def test_a_power_says_in_which_shop_it_holds(session: Session) -> None:
    book = a_book(session)
    shop, other = a_shop(session, book), a_shop(session, book, name="面馆")
    merchants.hire(session, an_act(book), other.id, person_id=shop.cashier.id, role="shop_owner", starts_on=TODAY)
    path = areas.path_of(session, book.id, GRID)
    held = merchants.powers_of(session, book.id, shop.cashier.id, TODAY)
    assert set(held) == {Power("cashier", path, shop.id), Power("shop_owner", path, other.id)}
    assert merchants.powers_of(session, new_id(), shop.cashier.id, TODAY) == []


def test_nobody_hires_themselves(session: Session) -> None:
    book = a_book(session)
    shop, person = a_shop(session, book), a_person(session, book)
    for role in ("cashier", "shop_owner"):
        hired = merchants.hire(session, an_act(book, actor=person.id), shop.id, person_id=person.id, role=role, starts_on=TODAY)
        assert hired == Refusal("role-for-oneself", "person_id")


def hire(session: Session, book: Book, shop: Shop, *, days: tuple[int, int | None], role: str = "cashier", **others: Any) -> object:
    first, last = (None if day is None else TODAY + timedelta(days=day) for day in days)
    assert first is not None
    return merchants.hire(
        session, an_act(book), shop.id, person_id=shop.owner.id, role=role, starts_on=first, ends_on=last, **others
    )  # fmt: skip


def test_one_role_is_held_once_at_a_time(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    assert isinstance(hire(session, book, shop, days=(10, 20)), merchants.ShopStaff)
    for days in ((0, 10), (10, 20), (15, None), (20, 30), (0, None)):
        assert hire(session, book, shop, days=days) == Refusal("already-hired", "person_id")
    assert isinstance(hire(session, book, shop, days=(0, 9)), merchants.ShopStaff)
    assert isinstance(hire(session, book, shop, days=(21, None)), merchants.ShopStaff)


def test_an_owner_hires_cashiers_and_an_administrator_owners_too(session: Session) -> None:
    book = a_book(session)
    shop, person = a_shop(session, book), a_person(session, book)
    here = (areas.path_of(session, book.id, VILLAGE),)
    new = {"person_id": person.id, "starts_on": TODAY}
    own = {"within": (), "own": [shop.id]}
    assert merchants.hire(session, an_act(book), shop.id, role="shop_owner", **new, **own) == Refusal("owner-hires-cashiers", "role")
    assert isinstance(merchants.hire(session, an_act(book), shop.id, role="cashier", **new, **own), merchants.ShopStaff)
    assert isinstance(merchants.hire(session, an_act(book), shop.id, role="shop_owner", **new, within=here), merchants.ShopStaff)
    with pytest.raises(NotFound):
        merchants.hire(session, an_act(book), shop.id, role="cashier", **new, within=(), own=[new_id()])


def test_work_ends_with_a_day_and_does_not_come_back(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    staff = {one.role: one for one in merchants.staff_of(session, book.id, shop.id)}
    own = {"within": (), "own": [shop.id]}
    there = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    ended = merchants.dismiss(session, an_act(book), staff["cashier"].id, TODAY + timedelta(days=3), **own)
    assert isinstance(ended, merchants.ShopStaff)
    worked = [day for day in range(6) if powers_on(session, book, shop.cashier.id, TODAY + timedelta(days=day))]
    assert worked == [0, 1, 2, 3]
    later = merchants.dismiss(session, an_act(book), staff["cashier"].id, TODAY + timedelta(days=4), **own)
    assert later == Refusal("role-already-ended", "ends_on")
    with pytest.raises(Invalid):
        merchants.dismiss(session, an_act(book), staff["cashier"].id, TODAY - timedelta(days=1), **own)
    refused = merchants.dismiss(session, an_act(book), staff["shop_owner"].id, TODAY, **own)
    assert refused == Refusal("owner-hires-cashiers", "staff_id")
    for staff_id, within in ((staff["cashier"].id, there), (new_id(), areas.EVERYWHERE)):
        with pytest.raises(NotFound):
            merchants.dismiss(session, an_act(book), staff_id, TODAY, within=within)


def test_malformed_work_is_not_taken_up(session: Session) -> None:
    book = a_book(session)
    shop, person = a_shop(session, book), a_person(session, book)
    for changed, problem in (
        ({"role": "approver"}, Invalid),
        ({"ends_on": TODAY - timedelta(days=1)}, Invalid),
        ({"person_id": new_id()}, NotFound),
    ):
        with pytest.raises(problem):
            merchants.hire(session, an_act(book), shop.id, **{"person_id": person.id, "role": "cashier", "starts_on": TODAY} | changed)


def test_a_shop_waits_after_ten_wrong_tries_at_any_of_its_tills_until_the_first_is_five_minutes_old(session: Session) -> None:
    book = a_book(session)
    shop = a_shop(session, book)
    second = merchants.add_till(session, an_act(book), shop.id, name="2号收银台")
    assert isinstance(second, merchants.Till)
    shops = [shop.id, new_id()]
    moments = [START + timedelta(seconds=seconds) for seconds in range(10)]
    merchants.note_wrong_tries(session, [(an_act(book, at), second.id) for at in moments[:9]])
    assert merchants.waits(session, book.id, shops, moments[9]) == {}
    merchants.note_wrong_tries(session, [(an_act(book, moments[9]), shop.till_id)])
    assert merchants.waits(session, book.id, shops, moments[9]) == {shop.id: 291}
    assert merchants.waits(session, book.id, shops, START + timedelta(minutes=5, microseconds=-1)) == {shop.id: 1}
    assert merchants.waits(session, book.id, shops, START + timedelta(minutes=5)) == {}


def test_a_shop_is_owed_what_it_has_taken(session: Session) -> None:
    book = a_book(session)
    shop, person = a_shop(session, book), a_person(session, book)
    give_points(session, book, person, 100)
    about = journal.About(deed_on=TODAY)
    moved = journal.Transfer(
        act=a_claimed_act(session, book), from_account=journal.account_of(session, book.id, "passbook", person.id),
        to_account=merchants.receivable_of(session, book.id, shop.id), amount=30, kind="redemption", about=about,
    )  # fmt: skip
    journal.post(session, book.id, [moved])
    assert merchants.owed(session, book.id, shop.id) == 30
