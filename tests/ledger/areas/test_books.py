from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.areas.model import Area
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import MICRO_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import PUBLISHED
from tests.builders import TOWNSHIP
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import an_act
from tests.conftest import START


def test_a_book_has_its_own_copy_of_the_published_subtree(session: Session) -> None:
    book = a_book(session, with_grids=False)
    tree = areas.subtree(session, book.id, f"{COUNTY}/")
    assert [area.code for area in tree] == [COUNTY, TOWNSHIP, VILLAGE, OTHER_VILLAGE]
    assert tree[0].parent_code is None
    assert tree[2].path == f"{COUNTY}/{TOWNSHIP}/{VILLAGE}/"


def test_books_are_numbered_from_one(session: Session) -> None:
    first = a_book(session)
    second = areas.open_book(session, name="仙霞路社区", area_code=VILLAGE, zone="Asia/Shanghai", at=START)
    assert (first.number, second.number) == (1, 2)
    assert areas.book_numbered(session, 2) is second
    assert areas.book_numbered(session, 3) is None


def test_a_book_needs_a_published_area_and_a_real_zone(session: Session) -> None:
    areas.import_published(session, PUBLISHED)
    with pytest.raises(NotFound):
        areas.open_book(session, name="x", area_code="99", zone="Asia/Shanghai", at=START)
    for zone in ("Mars/Olympus", "", "../etc/passwd", "Asia"):
        with pytest.raises(Invalid) as problem:
            areas.open_book(session, name="x", area_code=COUNTY, zone=zone, at=START)
        assert problem.value.code == "zone-unknown"


def test_grids_stand_below_communities_and_micro_grids_below_grids(session: Session) -> None:
    book = a_book(session)
    assert areas.path_of(session, book.id, MICRO_GRID) == f"{COUNTY}/{TOWNSHIP}/{VILLAGE}/{GRID}/{MICRO_GRID}/"
    assert areas.area(session, book.id, GRID).kind == "comprehensive"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"code": GRID}, "area-code-taken"),
        ({"name": "第1网格"}, "area-name-taken"),
        ({"parent_code": TOWNSHIP, "code": f"{TOWNSHIP}-1"}, "area-parent-not-above"),
        ({"parent_code": GRID, "code": f"{GRID}-9"}, "area-parent-not-above"),
        ({"parent_code": MICRO_GRID, "code": f"{MICRO_GRID}-9", "level": "micro_grid", "kind": None}, "area-parent-not-above"),
    ],
)
def test_a_grid_in_the_wrong_place_is_refused(session: Session, changed: dict[str, str], code: str) -> None:
    book = a_book(session)
    grid = {"parent_code": VILLAGE, "code": f"{VILLAGE}-09", "name": "第9网格", "level": "grid", "kind": "special"} | changed
    refusal = areas.add_grid(session, an_act(book), **grid)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": "32-01"}, "code"),
        ({"level": "village"}, "level"),
        ({"kind": None}, "kind"),
        ({"kind": "square"}, "kind"),
        ({"name": ""}, "name"),
    ],
)
def test_a_malformed_grid_is_an_error(session: Session, changed: dict[str, str], field: str) -> None:
    book = a_book(session)
    grid = {"parent_code": VILLAGE, "code": f"{VILLAGE}-09", "name": "第9网格", "level": "grid", "kind": "special"} | changed
    with pytest.raises(Invalid) as problem:
        areas.add_grid(session, an_act(book), **grid)
    assert problem.value.field == field


def test_an_area_outside_the_scope_is_not_there(session: Session) -> None:
    book = a_book(session)
    scope = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    with pytest.raises(NotFound):
        areas.area(session, book.id, GRID, scope)
    with pytest.raises(NotFound):
        areas.add_grid(
            session, an_act(book), parent_code=VILLAGE, code=f"{VILLAGE}-09", name="第9网格", level="grid", kind="special", within=scope
        )


def test_another_books_areas_are_not_there(session: Session) -> None:
    a_book(session)
    other = areas.open_book(session, name="苏州路社区", area_code=OTHER_VILLAGE, zone="Asia/Shanghai", at=START)
    with pytest.raises(NotFound):
        areas.path_of(session, other.id, VILLAGE)


codes = st.text(st.sampled_from("0129AZaz-"), min_size=1, max_size=3)
trees = st.lists(st.lists(codes, min_size=1, max_size=3), min_size=1, max_size=8)


@given(tree=trees, others=trees)
def test_covered_agrees_with_is_within(session: Session, tree: list[list[str]], others: list[list[str]]) -> None:
    session.rollback()
    book = a_book(session, with_grids=False)
    paths = sorted({"".join(f"{part}/" for part in parts) for parts in tree})
    rows = [{"code": path, "path": path, "name": path, "level": "village", "kind": None, "parent_code": None} for path in paths]
    session.execute(insert(Area), [{"book_id": book.id, **row} for row in rows])
    scope = tuple("".join(f"{part}/" for part in parts) for parts in others)
    for wanted in (scope, scope[:1], (), ("",), (*scope[:1], paths[0])):
        found = session.execute(select(Area.path).where(Area.book_id == book.id, areas.covered(book.id, Area.code, wanted))).scalars()
        assert set(found) & set(paths) == {path for path in paths if areas.in_scope(path, wanted)}
