from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.people import RosterChoices
from ledger.people import RosterReport
from ledger.people.model import Grant
from ledger.people.model import Person
from ledger.people.model import SealedField
from ledger.people.model import Tie
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import ROOT
from tests.conftest import START

OFFICE = people.read_roster((ROOT / "examples" / "roster-office.xlsx").read_bytes())
HEADING = ["网格", "姓名", "楼栋", "电话", "出生年月", "家庭编号", "志愿者编号", "备注"]


def roster(*rows: list[Any]) -> people.RosterReading:
    book = openpyxl.Workbook()
    for row in (HEADING, *rows):
        book.active.append([*row, *[None] * (len(HEADING) - len(row))])
    buffer = io.BytesIO()
    book.save(buffer)
    return people.read_roster(buffer.getvalue())


def take_in(session: Session, book: Book, reading: people.RosterReading, *, dry_run: bool = False, **choices: Any) -> RosterReport:
    given = RosterChoices(**({"area_code": VILLAGE} | choices))
    return people.import_roster(session, an_act(book, channel="import"), VAULT, reading, choices=given, dry_run=dry_run)


def rows_in(session: Session, book: Book) -> tuple[int, ...]:
    tables = (Person, SealedField, Tie, Grant)
    return tuple(session.execute(select(func.count()).select_from(table).where(table.book_id == book.id)).scalar_one() for table in tables)


def named(session: Session, book: Book) -> dict[str, dict[str, str]]:
    """Return the sealed fields of everybody by name."""
    ids = session.execute(select(Person.id).where(Person.book_id == book.id)).scalars().all()
    opened = people.fields_of(session, VAULT, book.id, ids, people.PERSONAL_FIELDS)
    return {fields["name"]: fields for fields in opened.values()}


def a_book_of_the_office(session: Session) -> Book:
    book = a_book(session, with_grids=False)
    names = [*((f"第{n}网格", "comprehensive") for n in range(1, 10)), ("专属网格一", "special"), ("专属网格二", "special")]
    for number, (name, kind) in enumerate(names):
        areas.add_grid(session, an_act(book), parent_code=VILLAGE, code=f"{VILLAGE}-{number:02}", name=name, level="grid", kind=kind)
    return book


def test_a_dry_run_writes_nothing(session: Session) -> None:
    book = a_book_of_the_office(session)
    report = take_in(session, book, OFFICE, dry_run=True, duplicates="skip")
    assert (report.rows, report.enrolled, report.left_out, report.is_written) == (418, 378, 40, False)
    assert rows_in(session, book) == (0, 0, 0, 0)


def test_without_choices_the_offices_roster_asks_and_writes_nothing(session: Session) -> None:
    book = a_book_of_the_office(session)
    report = take_in(session, book, OFFICE)
    assert not report.is_written
    assert [(doubt.cell, doubt.says, doubt.code, doubt.data["cell"]) for doubt in report.asks] == [
        ("D219", "陈峰", "same-name", "D149"),
        ("D306", "李阳", "same-name", "D252"),
        ("D417", "杨霞", "same-name", "D59"),
    ]
    assert rows_in(session, book) == (0, 0, 0, 0)


@pytest.mark.parametrize(("duplicates", "enrolled"), [("skip", 378), ("merge", 378), ("enrol", 381)])
def test_the_offices_roster_imported_twice_is_there_once(session: Session, duplicates: str, enrolled: int) -> None:
    book = a_book_of_the_office(session)
    first = take_in(session, book, OFFICE, duplicates=duplicates)
    before = rows_in(session, book)
    second = take_in(session, book, OFFICE, duplicates=duplicates)
    assert (first.is_written, first.enrolled, first.leaders) == (True, enrolled, 33)
    assert (second.is_written, second.enrolled, second.known) == (True, 0, enrolled)
    assert before[0] == enrolled
    assert rows_in(session, book) == before


def test_people_stand_in_their_grids_and_households(session: Session) -> None:
    book = a_book_of_the_office(session)
    take_in(session, book, OFFICE, duplicates="enrol", moved="enrol")
    found = people.found_by(session, VAULT, book.id, "name_phone", ["曾丽|18067910513", "丁杨|13029081970", "毛杨|13439712596"])
    leader = found["曾丽|18067910513"].pop()
    assert {power.role for power in people.powers_of(session, book.id, leader, START.date())} == {"volunteer", "building_leader"}
    assert people.person(session, book.id, leader).area_code == f"{VILLAGE}-00"
    assert people.names_of(session, VAULT, book.id, people.tied(session, book.id, [leader])[leader])
    couriers = session.execute(select(func.count()).select_from(Person).where(Person.book_id == book.id, ~Person.is_resident)).scalar_one()
    assert couriers == 50


@pytest.mark.parametrize(
    ("second", "code", "cell"),
    [
        (["第1网格", "王丽", "3栋", "13800138000"], "person-twice", "D3"),
        (["第1网格", "赵敏", "4栋", "138-0013-8000"], "phone-twice", "D3"),
        (["第1网格", "王　丽", "3栋", "13900139000"], "name-and-building-twice", "B3"),
        (["第2网格", "王丽", "9栋", "13900139000"], "same-name", "B3"),
    ],
)
def test_a_likely_duplicate_is_asked_about(session: Session, second: list[str], code: str, cell: str) -> None:
    book = a_book(session)
    report = take_in(session, book, roster(["第1网格", "王丽", "3栋", "13800138000"], second))
    assert [(doubt.cell, doubt.code) for doubt in report.asks] == [(cell, code)]
    assert rows_in(session, book)[0] == 0


def test_a_duplicate_is_skipped_merged_or_enrolled_as_chosen(session: Session) -> None:
    book = a_book(session)
    reading = roster(["第1网格", "王丽", "", "13800138000"], ["第1网格", "赵敏", "4栋", "13800138000", "199012", "", "", "楼长"])
    assert take_in(session, book, reading, duplicates="skip").left_out == 1
    assert set(named(session, book)) == {"王丽"}
    session.rollback()
    book = a_book(session)
    assert take_in(session, book, reading, by_cell={"D3": "merge"}).merged == 1
    assert named(session, book)["王丽"]["address"] == "4栋"
    assert rows_in(session, book)[0::3] == (1, 2)
    session.rollback()
    book = a_book(session)
    assert take_in(session, book, reading, by_cell={"Sheet!D3": "enrol"}).enrolled == 2
    assert set(named(session, book)) == {"王丽", "赵敏"}


def test_one_person_written_twice_is_one_whatever_is_chosen(session: Session) -> None:
    book = a_book(session)
    take_in(session, book, roster(["第1网格", "王丽", "3栋", "13800138000"], ["第2网格", "王丽", "3栋", "13800138000"]), duplicates="enrol")
    assert rows_in(session, book)[0] == 1


def test_namesakes_with_different_birthdays_are_two_people_and_named(session: Session) -> None:
    book = a_book(session)
    report = take_in(
        session, book, roster(["第1网格", "王丽", "3栋", "13800138000", "1980.01"], ["第1网格", "王丽", "4栋", "13900139000", "1990.01"])
    )
    assert (report.enrolled, [(doubt.cell, doubt.code) for doubt in report.doubts]) == (2, [("B3", "namesake")])


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["第1网格", "赵敏", "4栋", "13800138000"], "phone-enrolled"),
        (["第2网格", "王丽", "3栋", "13900139000"], "name-and-building-enrolled"),
        (["第2网格", "赵敏", "4栋", "", "", "", "3201"], "number-enrolled"),
    ],
)
def test_somebody_who_may_be_enrolled_already_is_asked_about(session: Session, row: list[str], code: str) -> None:
    book = a_book(session)
    known = a_person(session, book, name="王丽", phone="13800138000", address="3栋", volunteer_number="3201")
    report = take_in(session, book, roster(row))
    assert [(doubt.code, doubt.data["handle"]) for doubt in report.asks] == [(code, known.handle)]
    report = take_in(session, book, roster(row), duplicates="merge")
    assert (report.known, report.enrolled) == (1, 0)
    assert set(named(session, book)) == {"王丽"}


def test_a_merge_fills_what_was_missing_and_changes_nothing(session: Session) -> None:
    book = a_book(session)
    a_person(session, book, name="王丽", phone="13800138000")
    row = ["第1网格", "王丽", "3栋", "13800138000", "1980.01", "", "", "楼长"]
    take_in(session, book, roster(row), duplicates="merge")
    take_in(session, book, roster([*row[:2], "9栋", *row[3:]]), duplicates="merge")
    assert named(session, book)["王丽"] == {
        "name": "王丽", "phone": "13800138000", "address": "3栋", "birth_month": "1980-01", "note": "楼长",
    }  # fmt: skip
    assert rows_in(session, book)[3] == 2


def test_two_without_phones_who_were_both_enrolled_stay_two(session: Session) -> None:
    book = a_book(session)
    reading = roster(["第1网格", "王丽", "3栋"], ["第1网格", "王丽", "3栋"])
    for _ in range(2):
        take_in(session, book, reading, duplicates="enrol")
        assert rows_in(session, book)[0] == 2


def test_an_unknown_grid_is_asked_about(session: Session) -> None:
    book = a_book(session)
    reading = roster(["第7网格", "王丽", "3栋", "13800138000"])
    assert [(doubt.cell, doubt.code) for doubt in take_in(session, book, reading).asks] == [("A2", "grid-unknown")]
    assert take_in(session, book, reading, unknown_grids="leave-out").left_out == 1
    assert take_in(session, book, reading, unknown_grids="community").enrolled == 1
    assert session.execute(select(Person.area_code).where(Person.book_id == book.id)).scalar_one() == VILLAGE


def test_minors_and_impossible_ages_are_named(session: Session) -> None:
    book = a_book(session)
    report = take_in(
        session,
        book,
        roster(["第1网格", "王丽", "", "", "2009.01"], ["第1网格", "赵敏", "", "", "2030.01"], ["第1网格", "钱多", "", "", "1905.1"]),
    )
    about_age = [(doubt.cell, doubt.code) for doubt in report.doubts if doubt.code in ("minor", "birth-implausible")]
    assert about_age == [("E2", "minor"), ("E3", "birth-implausible"), ("E4", "birth-implausible")]


def test_a_roster_goes_only_where_one_may_write(session: Session) -> None:
    book = a_book(session)
    scope = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    with pytest.raises(NotFound):
        people.import_roster(session, an_act(book), VAULT, roster(["", "王丽"]), choices=RosterChoices(VILLAGE), within=scope)


@pytest.mark.parametrize("choice", [{"duplicates": "x"}, {"moved": "x"}, {"unknown_grids": "x"}, {"by_cell": {"A1": "ask"}}])
def test_a_choice_that_is_none_is_an_error(session: Session, choice: dict[str, Any]) -> None:
    book = a_book(session)
    with pytest.raises(Invalid) as problem:
        take_in(session, book, roster(["", "王丽"]), **choice)
    assert problem.value.code == "choice-unknown"


def test_a_leader_who_is_known_gets_the_role_once(session: Session) -> None:
    book = a_book(session)
    known = a_person(session, book, name="王丽", phone="13800138000")
    for _ in range(2):
        take_in(session, book, roster(["第1网格", "王丽", "3栋", "13800138000", "", "", "", "楼长"]))
    assert [grant.role for grant in people.grants_of(session, book.id, known.id)] == ["volunteer", "building_leader"]
    assert people.grants_of(session, book.id, known.id)[1].area_code == GRID
    assert not people.holding(session, book.id, {"building_leader"}, [known.id], START.date() - timedelta(days=1))


def test_a_roster_asks_about_children_and_can_leave_them_out(session: Session) -> None:
    book = a_book(session)
    reading = roster(["第1网格", "陈桂芳", "3栋", "13800138000", "1956-03"], ["第1网格", "何子轩", "3栋", None, "2014-05"])
    tried = take_in(session, book, reading)
    assert [(doubt.code, doubt.says) for doubt in tried.asks] == [("guardian-needed", "2014-05")]
    assert (tried.is_written, rows_in(session, book)) == (False, (0, 0, 0, 0))
    written = take_in(session, book, reading, children="leave-out")
    assert (written.is_written, written.enrolled, written.left_out) == (True, 1, 1)
    assert list(named(session, book)) == ["陈桂芳"]
    with pytest.raises(Invalid):
        take_in(session, book, reading, children="enrol")


def test_a_child_that_is_enrolled_already_is_no_doubt_to_a_roster(session: Session) -> None:
    book = a_book(session)
    parent = a_person(session, book)
    new = people.NewPerson("何子轩", VILLAGE, phone="13800138001", guardian_id=parent.id, birth_month="2014-05")
    assert isinstance(people.enrol(session, an_act(book), VAULT, new), Person)
    reading = roster([None, "何子轩", None, "13800138001", "2014-05"])
    report = take_in(session, book, reading)
    assert (report.is_written, report.known, report.asks) == (True, 1, ())


def test_whom_a_roster_shows_to_be_a_child_is_guarded_from_then_on(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, name="何子轩", phone="13800138001", area_code=VILLAGE)
    person_id = person.id
    report = take_in(session, book, roster([None, "何子轩", None, "13800138001", "2014-05"]), duplicates="merge")
    assert report.is_written
    session.expire_all()
    assert people.is_guarded(people.person(session, book.id, person_id), START.date())
