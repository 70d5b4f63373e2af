from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from ledger import areas
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem import library
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_unit
from tests.builders import an_act

PLAIN = {"name": "旺财便民超市", "colour": "white", "area_code": GRID}


def test_units_are_listed_by_name_and_colour(session: Session) -> None:
    book = a_book(session)
    colours = {"b超市": "white", "a服务中心": "red", "c互助队": "green", "d面馆": "white"}
    for name, colour in colours.items():
        a_unit(session, book, name=name, colour=colour)
    assert [unit.name for unit in library.units(session, book.id)] == sorted(colours)
    assert [unit.name for unit in library.units(session, book.id, colour="white")] == ["b超市", "d面馆"]
    assert [unit.name for unit in library.units(session, book.id, after="b超市", limit=1)] == ["c互助队"]


def test_a_name_is_used_once_in_a_book(session: Session) -> None:
    book = a_book(session)
    other = areas.open_book(session, name="街道善行存折", area_code="320106001", zone="Asia/Shanghai", at=an_act(book).at)
    a_unit(session, book)
    assert library.add_unit(session, an_act(book), **PLAIN | {"name": " 旺财便民超市 "}) == Refusal("unit-name-taken", "name")
    assert isinstance(library.add_unit(session, an_act(other), **PLAIN | {"area_code": VILLAGE}), library.Unit)


def test_a_unit_is_found_within_ones_areas_or_among_ones_own(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book, area_code=GRID)
    here, there = (areas.path_of(session, book.id, VILLAGE),), (areas.path_of(session, book.id, OTHER_VILLAGE),)
    assert library.unit(session, book.id, unit.id, here).name == unit.name
    assert library.unit(session, book.id, unit.id, there, [unit.id]).name == unit.name
    for within, own in ((there, ()), ((), ()), ((), [new_id()])):
        with pytest.raises(NotFound):
            library.unit(session, book.id, unit.id, within, own)
    with pytest.raises(NotFound):
        library.unit(session, new_id(), unit.id)


def test_a_unit_is_found_by_its_name(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    assert library.unit_named(session, book.id, " 旺财便民超市").id == unit.id
    assert library.names_of(session, book.id, [unit.id, new_id()]) == {unit.id: "旺财便民超市"}
    with pytest.raises(NotFound):
        library.unit_named(session, book.id, "超市")


def test_units_are_taken_in_where_one_acts(session: Session) -> None:
    book = a_book(session)
    there = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    with pytest.raises(NotFound):
        library.add_unit(session, an_act(book), **PLAIN, within=there)
    with pytest.raises(NotFound):
        library.add_unit(session, an_act(book), **PLAIN | {"area_code": "99"})
    assert isinstance(library.add_unit(session, an_act(book), **PLAIN | {"area_code": COUNTY}), library.Unit)


MALFORMED = [
    ({"name": "  "}, "name"),
    ({"name": "长" * 101}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"colour": "blue"}, "colour"),
    ({"address": "长" * 501}, "address"),
    ({"address": "a\x00"}, "address"),
]


def test_malformed_units_are_not_taken_in(session: Session) -> None:
    book = a_book(session)
    for changed, field in MALFORMED:
        with pytest.raises(Invalid) as problem:
            library.add_unit(session, an_act(book), **PLAIN | changed)
        assert problem.value.field == field, changed


def test_what_units_give_is_written_down(session: Session) -> None:
    book = a_book(session)
    tea_house, shop = a_unit(session, book, name="党群服务中心", colour="red"), a_unit(session, book)
    for kind, title in (("place", "茶馆调解室"), ("service", "磨刀")):
        library.add_resource(session, an_act(book), tea_house.id, kind=kind, title=title)
    library.add_resource(session, an_act(book), shop.id, kind="goods", title="米面粮油")
    assert {one.title for one in library.resources(session, book.id, [tea_house.id])} == {"茶馆调解室", "磨刀"}
    assert len(library.resources(session, book.id, [tea_house.id, shop.id])) == 3
    (first,) = library.resources(session, book.id, [tea_house.id], limit=1)
    (second,) = library.resources(session, book.id, [tea_house.id], after=first.id)
    assert {first.title, second.title} == {"茶馆调解室", "磨刀"}


def test_malformed_resources_are_not_written_down(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    for kind, title, field in (("money", "钱", "kind"), ("goods", " ", "title"), ("goods", "a\nb", "title")):
        with pytest.raises(Invalid) as problem:
            library.add_resource(session, an_act(book), unit.id, kind=kind, title=title)
        assert problem.value.field == field


def test_nothing_is_written_down_for_units_that_are_not_ones_own(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    with pytest.raises(NotFound):
        library.add_resource(session, an_act(book), unit.id, kind="goods", title="米面粮油", within=(), own=[new_id()])
