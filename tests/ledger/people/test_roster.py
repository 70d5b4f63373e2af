from __future__ import annotations

import io
import random
import zipfile
from collections import Counter
from datetime import date
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Invalid
from ledger.people.roster import Doubt
from ledger.people.roster import RosterReading
from ledger.people.roster import grid_key
from ledger.people.roster import read_roster
from ledger.people.roster.cells import identity_of
from ledger.people.roster.cells import month_of
from ledger.people.roster.cells import phone_of
from ledger.people.roster.cells import standing_of
from ledger.people.roster.headings import field_of
from ledger.sheets import cell_name
from tests.conftest import ROOT

CONTENT = (ROOT / "examples" / "roster-office.xlsx").read_bytes()


@pytest.fixture(scope="module")
def office() -> RosterReading:
    return read_roster(CONTENT)


def cells(reading: RosterReading, code: str) -> list[str]:
    return [doubt.cell for doubt in reading.doubts if doubt.code == code]


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(*rows: list[Any]) -> RosterReading:
    return read_roster(workbook(("名单", list(rows))))


def test_the_offices_roster_has_418_people(office: RosterReading) -> None:
    assert len(office.rows) == 418
    assert Counter(row.grid for row in office.rows) == Counter(
        [f"第{n}网格" for n in range(1, 10)] * 38 + ["专属网格一", "专属网格二"] * 38
    )


def test_the_first_person_is_read_whole(office: RosterReading) -> None:
    row = office.rows[1]
    assert (row.line, row.name, row.phone, row.gender, row.birth_month) == (5, "李荣", "19765390048", "male", "2009-06")
    assert (row.grid, row.building, row.household, row.note) == ("第1网格", "18栋", "第1网格-012", "退役军人")
    assert row.cells["phone"] == "G5"


def test_phones_dates_and_names_come_in_many_forms(office: RosterReading) -> None:
    by_line = {row.line: row for row in office.rows}
    assert by_line[7].phone == "18067910513"  # full width
    assert by_line[8].phone == "13029081970"  # a number
    assert by_line[11].name == "李荣"  # a full-width space
    assert by_line[8].name == "丁杨"  # a trailing space
    assert [by_line[line].birth_month for line in (4, 6, 7, 9, 11)] == ["1990-12", "1944-07", "1982-10", "1994-04", "1952-07"]
    assert by_line[13].birth_month == ""
    assert by_line[4].volunteer_number == "320106004641"


def test_every_doubtful_cell_of_the_offices_roster_is_named(office: RosterReading) -> None:
    assert Counter(doubt.code for doubt in office.doubts) == {
        "household-in-two-houses": 91,
        "note-formula": 52,
        "note-non-resident": 50,
        "note-left": 37,
        "note-leader": 33,
        "note-ditto": 22,
        "birth-unknown": 21,
        "phone-missing": 15,
        "ditto-of-nothing": 11,
        "phone-malformed": 9,
        "subtotal": 8,
        "remark": 1,
        "sheet-void": 1,
    }
    assert cells(office, "phone-malformed") == ["G71", "G101", "G126", "G248", "G273", "G332", "G389", "G397", "G413"]
    assert cells(office, "ditto-of-nothing") == ["J9", "J17", "J67", "J89", "J94", "J126", "J168", "J171", "J323", "J388", "J409"]
    assert cells(office, "subtotal") == ["D42", "D119", "D158", "D197", "D236", "D313", "D390", "D429"]
    assert cells(office, "phone-missing")[:4] == ["G13", "G57", "G77", "G99"]
    assert cells(office, "birth-unknown")[:4] == ["F13", "F39", "F59", "F72"]
    assert cells(office, "note-left")[:3] == ["J20", "J23", "J24"]
    assert cells(office, "note-leader")[:3] == ["J7", "J26", "J27"]
    assert cells(office, "note-non-resident")[:3] == ["J33", "J39", "J74"]
    assert cells(office, "remark") == ["A431"]


def test_a_doubt_says_what_stands_in_the_cell(office: RosterReading) -> None:
    by_cell = {(doubt.sheet, doubt.cell): doubt for doubt in office.doubts}
    assert by_cell["志愿者登记表", "G71"] == Doubt("志愿者登记表", "G71", "1555373001", "phone-malformed", {"digits": "10"})
    assert by_cell["志愿者登记表", "J6"] == Doubt("志愿者登记表", "J6", "=1+1", "note-formula")
    assert by_cell["志愿者登记表", "J21"].data == {"value": "已搬走"}
    assert by_cell["Sheet2", "A1"] == Doubt("Sheet2", "A1", "作废", "sheet-void")


def test_what_a_note_says_is_read(office: RosterReading) -> None:
    by_line = {row.line: row for row in office.rows}
    assert by_line[7].is_leader
    assert not by_line[33].is_resident
    assert by_line[20].has_left
    assert not by_line[21].has_left  # 同上: named, and nobody is struck off by a ditto mark


def test_columns_may_stand_in_any_order_and_have_other_names() -> None:
    reading = read(
        ["二〇二六年志愿者名单"],
        ["手机号码（必填）", "身份证号", "所属网格", "志愿者姓名", "家庭住址", "爱好"],
        [13800138000, "11010519491231002X", "第一网格", "王　丽", "3栋 502", "书法"],
    )
    row = reading.rows[0]
    assert (row.name, row.phone, row.grid, row.building, row.birth_month, row.gender) == (
        *("王丽", "13800138000", "第一网格", "3栋 502", "1949-12", "female"),
    )
    assert [(doubt.cell, doubt.code) for doubt in reading.doubts] == [("F2", "column-unknown"), ("B2", "identity-not-kept")]
    assert "11010519491231002X" not in repr(reading)


def test_a_heading_of_two_rows_is_one() -> None:
    reading = read(["序号", "基本情况", None, "联系方式"], [None, "姓名", "性别", "手机"], [1, "王丽", "女", "13800138000"])
    assert [(row.name, row.phone, row.gender) for row in reading.rows] == [("王丽", "13800138000", "female")]
    reading = read(["姓名", "联系方式", None], [None, "手机", "固定电话"], ["王丽", None, "025-83456789"])
    assert [(row.name, row.phone) for row in reading.rows] == [("王丽", "02583456789")]


def test_several_sheets_are_read_and_a_sheets_name_may_be_the_grid() -> None:
    reading = read_roster(
        workbook(
            ("第1网格", [["姓名", "电话"], ["王丽", "13800138000"]]),
            ("第2网格", [["姓名", "电话"], ["赵敏", "13800138001"]]),
            ("统计", [["合计", 2]]),
        )
    )
    assert [(row.grid, row.name) for row in reading.rows] == [("第1网格", "王丽"), ("第2网格", "赵敏")]
    assert [(doubt.sheet, doubt.code) for doubt in reading.doubts] == [("统计", "sheet-without-heading")]


@pytest.mark.parametrize(
    ("row", "cell", "code"),
    [
        (["", "13800138000", ""], "A2", "name-missing"),
        (["12345", "13800138000", ""], "A2", "name-malformed"),
        (["王丽/赵敏", "13800138000", ""], "A2", "name-odd"),
        (["王丽", "13800138000/13900139000", ""], "B2", "phone-several"),
        (["王丽", "13800138000(儿子)", ""], "B2", "phone-with-words"),
        (["王丽", "1.38E+10", ""], "B2", "phone-malformed"),
        (["王丽", "同上", ""], "B2", "ditto-of-nothing"),
        (["王丽", "13800138000", "原楼长"], "C2", "note-leader-unsure"),
        (["王丽", "13800138000", '=HYPERLINK("x")'], "C2", "note-formula"),
        (["王丽", "13800138000", "楼长、党员"], "C2", "note-leader"),
        (["王丽", "13800138000", "已故"], "C2", "note-left"),
        (["王丽", "13800138000", 5], "C2", "note-formula"),
        (["王丽", "13800138000", "字" * 600], "C2", "text-too-long"),
    ],
)
def test_a_doubtful_cell_is_named(row: list[Any], cell: str, code: str) -> None:
    reading = read(["姓名", "电话", "备注"], row, ["赵敏", "13700137000", None])
    assert [(doubt.cell, doubt.code) for doubt in reading.doubts] == [(cell, code)]


def test_a_subtotal_that_does_not_add_up_is_named() -> None:
    reading = read(["序号", "姓名", "电话"], [1, "王丽", "13800138000"], [3, "小计", None], [2, "赵敏", "13700137000"], [2, "合计", None])
    assert [(doubt.cell, doubt.code) for doubt in reading.doubts] == [("B3", "subtotal-differs"), ("B5", "subtotal")]
    assert reading.doubts[0].data == {"counted": "3", "found": "1"}


def test_a_repeated_heading_and_an_empty_form_line_are_nobody() -> None:
    reading = read(["序号", "姓名", "电话"], [1, "王丽", "13800138000"], ["序号", "姓名", "电话"], [2, None, None], [None, None, None])
    assert len(reading.rows) == 1
    assert not reading.doubts


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("1982年10月", "1982-10"),
        ("1982年10月3日", "1982-10"),
        ("1994.04", "1994-04"),
        (1994.04, "1994-04"),
        ("1994-4", "1994-04"),
        ("1994/04/01", "1994-04"),
        ("199012", "1990-12"),
        (199012.0, "1990-12"),
        ("19901231", "1990-12"),
        ("１９８２年１０月", "1982-10"),
        (date(1944, 7, 1), "1944-07"),
        (datetime(1944, 7, 1, 0, 0), "1944-07"),  # noqa: DTZ001  a spreadsheet's date has no zone
        ("", ""),
    ],
)
def test_a_month_of_birth_is_read_in_any_form(written: Any, month: str) -> None:
    assert (month_of(written).value, month_of(written).doubt) == (month, None)


@pytest.mark.parametrize(
    ("written", "doubt"),
    [
        ("不详", "birth-unknown"),
        ("1982年", "birth-year-only"),
        (1982.0, "birth-year-only"),
        (1994.1, "birth-ambiguous"),
        ("1982年13月", "birth-malformed"),
        ("199013", "birth-malformed"),
        ("属马", "birth-malformed"),
        ("82年10月", "birth-century"),
        (30000.0, "birth-day-number"),
        (-5.5, "birth-malformed"),
        (float("nan"), "birth-malformed"),
        (True, "birth-malformed"),
    ],
)
def test_a_month_of_birth_that_is_not_plain_is_doubted(written: Any, doubt: str) -> None:
    assert month_of(written).doubt == doubt


def test_an_identity_number_tells_birth_and_gender_only_if_its_check_digit_is_right() -> None:
    assert identity_of("11010519491231002x") == ("1949-12", "female")
    assert identity_of("110105194912310021") is None
    assert identity_of("abc") is None


def test_grids_are_the_same_however_their_number_is_written() -> None:
    assert grid_key("第一网格") == grid_key("第1网格") == grid_key(" 第 01 网格 ") == grid_key("1网格")
    assert grid_key("第十二网格") == grid_key("第12网格")
    assert grid_key("专属网格一") == grid_key("专属网格1") != grid_key("第1网格")


def test_headings_are_known_by_many_words() -> None:
    words = {
        "姓 名": "name",
        "联系方式": "phone",
        "手机": "phone",
        "出生日期": "birth",
        "志愿者编号（无则空）": "volunteer_number",
        "爱好": None,
    }
    assert {word: field_of(word) for word in words} == words


def test_a_leader_that_was_is_none() -> None:
    assert not standing_of("原楼长").is_leader
    assert standing_of("党员，楼长").is_leader
    assert standing_of("志愿者").doubts == ()


def test_cells_are_named_as_a_spreadsheet_names_them() -> None:
    assert [cell_name(0, 0), cell_name(16, 6), cell_name(0, 26), cell_name(0, 702)] == ["A1", "G17", "AA1", "AAA1"]


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.dates()))
def test_no_value_of_a_cell_makes_the_reading_crash(value: Any) -> None:
    month_of(value)
    phone_of(value)
    identity_of(value)
    grid_key(str(value))
    standing_of(str(value))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "workbook-unreadable"),
        (b"name,phone\n", "workbook-unreadable"),
        (b"PK\x03\x04" + bytes(100), "workbook-unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "workbook-unreadable"),
        (CONTENT[: len(CONTENT) // 2], "workbook-unreadable"),
        (bytes(21_000_000), "workbook-too-large"),
        (workbook(("空", [])), "roster-nobody"),
        (workbook(("表", [["姓名", "电话"]])), "roster-nobody"),
    ],
)
def test_what_is_no_roster_is_told(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as problem:
        read_roster(content)
    assert problem.value.code == code


def test_a_sheet_that_reaches_to_the_worlds_end_is_too_large() -> None:
    book = openpyxl.Workbook()
    book.active.append(["姓名", "电话"])
    book.active["XFD1048576"] = "x"
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(Invalid) as problem:
        read_roster(buffer.getvalue())
    assert problem.value.code == "workbook-too-large"


def test_a_file_that_unpacks_without_end_is_too_large() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(201_000_000))
    with pytest.raises(Invalid) as problem:
        read_roster(buffer.getvalue())
    assert problem.value.code == "workbook-too-large"


def code_of(content: bytes) -> str:
    try:
        read_roster(content)
    except Invalid as problem:
        return problem.code
    return "roster-read"


def test_damaged_bytes_never_crash_the_reading() -> None:
    chance = random.Random(7)
    for _ in range(60):
        damaged = bytearray(CONTENT)
        for _ in range(chance.randint(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert code_of(bytes(damaged)).partition("-")[0] in {"roster", "workbook"}
