from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.areas.rules import check_rows
from ledger.areas.rules import is_own_code
from ledger.areas.rules import is_within
from ledger.areas.rules import path_below
from ledger.areas.rules import range_within
from ledger.areas.rules import rows_of
from ledger.errors import Invalid

codes = st.text(st.sampled_from("0129AZaz-"), min_size=1, max_size=4)
paths = st.lists(codes, min_size=1, max_size=4).map(lambda parts: "".join(f"{part}/" for part in parts))


def test_a_longer_code_is_not_below_a_shorter_one() -> None:
    assert is_within("32/3201/", "32/")
    assert is_within("32/", "32/")
    assert not is_within("320/", "32/")
    assert not is_within("32/", "32/3201/")


def test_everything_lies_within_the_empty_path() -> None:
    assert is_within(path_below("", "32"), "")


@given(paths, paths)
def test_the_range_holds_exactly_what_lies_within(path: str, ancestor: str) -> None:
    first, end = range_within(ancestor)
    assert (first <= path < end) == is_within(path, ancestor)


def test_a_grids_code_is_its_parents_with_a_suffix() -> None:
    assert is_own_code("320106001003-01", "320106001003")
    assert not is_own_code("320106001003", "320106001003")
    assert not is_own_code("320106001004-01", "320106001003")
    assert not is_own_code("320106001003/1", "320106001003")
    assert not is_own_code("320106001003%", "320106001003")


GOOD = {"code": "32", "name": "江苏省", "level": "province", "parent_code": ""}


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ({"code": "3a"}, "code", "area-code-malformed"),
        ({"code": "３２０１"}, "code", "area-code-malformed"),
        ({"code": ""}, "code", "area-code-malformed"),
        ({"code": "32"}, "code", "area-code-twice"),
        ({"name": " "}, "name", "area-name-malformed"),
        ({"name": "南\n京"}, "name", "area-name-malformed"),
        ({"level": "grid"}, "level", "area-level-unknown"),
        ({"parent_code": ""}, "parent_code", "area-parent-missing"),
        ({"parent_code": "99"}, "parent_code", "area-parent-unknown"),
        ({"level": "province"}, "parent_code", "area-parent-not-above"),
        ({"parent_code": "3201"}, "parent_code", "area-parent-not-above"),
    ],
)
def test_a_fault_is_named_by_line_and_column(row: dict[str, str], column: str, code: str) -> None:
    bad = {"code": "3201", "name": "南京市", "level": "city", "parent_code": "32"} | row
    _, faults = check_rows([GOOD, bad], {})
    assert [(fault.line, fault.column, fault.code, fault.value) for fault in faults] == [(3, column, code, bad[column].strip())]


def test_a_level_may_be_left_out() -> None:
    township = {"code": "4419", "name": "东莞市某镇", "level": "township", "parent_code": "32"}
    rows, faults = check_rows([township, GOOD], {})
    assert not faults
    assert [row.code for row in rows] == ["32", "4419"]


def test_a_table_may_come_in_utf8_or_in_gb18030() -> None:
    table = "code,name,level,parent_code\n32,江苏省,province,\n"
    assert rows_of(table.encode("utf-8-sig")) == rows_of(table.encode("gb18030")) == [GOOD]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "columns-missing"),
        ("编码,名称\n".encode(), "columns-missing"),
        (b"PK\x03\x04\x00\x00\xff\xff\xff", "file-unreadable"),
        (b'code,name,level,parent_code\n"' + b"x" * 200_000, "file-unreadable"),
    ],
)
def test_what_is_no_such_table_is_told(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as problem:
        rows_of(content)
    assert problem.value.code == code


def test_a_short_or_long_line_is_a_fault_and_no_crash() -> None:
    rows = rows_of(b"code,name,level,parent_code\n32\n33,a,province,,more\n")
    _, faults = check_rows(rows, {})
    assert {fault.line for fault in faults} == {2}
