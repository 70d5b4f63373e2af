from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import claims
from ledger import tariff
from ledger.claims import Reach
from ledger.people import Person
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.conftest import ROOT
from tests.conftest import HandClock
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community

EXAMPLE = ROOT / "examples" / "claims.xlsx"
Run = Callable[..., Result]
#: Those whom the example names, with the numbers of their passbooks.
NAMED = {
    "陈桂芳": "31200006", "李国强": "31201379", "孙守业": "31202748", "马志强": "31204110", "朱福生": "31205489", "林秀英": "31206858",
}  # fmt: skip


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args, **options: app.test_cli_runner().invoke(args=["ledger", *map(str, args)], **options)


@pytest.fixture
def community(session: Session) -> Community:
    community = a_community(session)
    for deed, unit in (
        ("清扫公共区域", "hour"),
        ("茶馆值守调解", "hour"),
        ("夜间巡逻", "deed"),
        ("陪邻居就医", "hour"),
        ("为困难家庭送餐", "deed"),
    ):
        row = tariff.RateRow("dispute_mediation" if "调解" in deed else "patrol", deed, deed, deed, unit, 10)
        tariff.define_rate(session, an_act(community.book), row, valid_from=TODAY.replace(day=1))
    row = tariff.RateRow("dispute_mediation", "settle", "帮助调解邻里纠纷", "settle", "deed", 10)
    tariff.define_rate(session, an_act(community.book), row, valid_from=TODAY.replace(day=1))
    for name, handle in NAMED.items():
        session.execute(
            update(Person).where(Person.book_id == community.book.id, Person.id == community.person(name=name).id).values(handle=handle)
        )
    session.commit()
    return community


def enrol(community: Community, *roles: str, area_code: str = VILLAGE) -> Person:
    person = community.person(*roles, area_code=area_code)
    community.session.commit()
    return person


def waiting(community: Community) -> list[claims.ClaimRow]:
    found = claims.queue(community.session, community.book.id, Reach(community.scope), ["attested"])
    community.session.commit()  # on SQLite whoever reads holds the lock
    return found


def test_the_example_is_tried_and_each_bad_cell_is_told_in_both_languages(run: Run, community: Community) -> None:
    worker = enrol(community, "grid_worker")
    tried = run("claims", "import", EXAMPLE, "--book", 1, "--by", worker.handle)
    assert tried.exit_code == 0, tried.output
    told = "".join(tried.output.split())
    for cell, says in (
        ("A8", "存折号应为8位数字"),
        ("D9", "看不懂这个日期"),
        ("B10", "姓名与存折号不符"),
        ("C11", "积分细则里没有这一项"),
        ("G12", "以免提到当事人"),
        ("E13", "看不懂这个时长"),
        ("A14", "与A7是同一件事"),
    ):
        assert f"│{cell}│" in told, cell
        assert says in told, says
    assert "dry run, nothing written: 12 deeds read, 5 to claim, worth 70 points, 7 cells refused" in tried.output
    refused = run("claims", "import", EXAMPLE, "--book", 1, "--by", worker.handle, "--write")
    assert (refused.exit_code, "7 cells cannot be taken, nothing was written" in refused.output) == (1, True)
    assert waiting(community) == []


def test_the_example_set_right_is_written_once(run: Run, community: Community, tmp_path: Path) -> None:
    worker = enrol(community, "grid_worker")
    book = openpyxl.load_workbook(EXAMPLE)
    sheet = book.active
    assert sheet is not None
    right = {"A8": NAMED["朱福生"], "D9": "2026-11-09", "B10": "林秀英", "C11": "清扫公共区域", "G12": None, "E13": 240, "F14": "6幢"}
    for cell, value in right.items():
        sheet[cell] = value
    file = tmp_path / "claims.xlsx"
    book.save(file)
    command = ("claims", "import", file, "--book", 1, "--by", worker.handle)
    written = run(*command, "--write")
    assert "written: 12 deeds read, 12 to claim" in written.output, written.output
    rows = waiting(community)
    assert {(row.claim.source, row.claim.reporter_id) for row in rows} == {("import", worker.id)}
    assert len(rows) == 12
    again = run(*command, "--write")
    assert (again.exit_code, "sheet-taken-already" in again.output) == (1, True)
    assert len(waiting(community)) == 12


@pytest.mark.parametrize("roles", [("volunteer",), ("approver",), ("cashier",)])
def test_whoever_may_not_propose_may_not_import(run: Run, community: Community, roles: tuple[str, ...]) -> None:
    person = enrol(community, *roles)
    result = run("claims", "import", EXAMPLE, "--book", 1, "--by", person.handle, "--write")
    assert (result.exit_code, "not-allowed" in result.output) == (1, True)


def test_whose_role_has_ended_imports_no_more(run: Run, community: Community, clock: HandClock) -> None:
    worker = enrol(community, "grid_worker")
    community.end_role(worker, "grid_worker")
    community.session.commit()
    command = ("claims", "import", EXAMPLE, "--book", 1, "--by", worker.handle)
    assert run(*command).exit_code == 0
    clock.advance(days=1)
    result = run(*command)
    assert (result.exit_code, "not-allowed" in result.output) == (1, True)


def test_only_people_of_ones_areas_are_imported(run: Run, community: Community) -> None:
    worker = enrol(community, "grid_worker", area_code=f"{VILLAGE}-02")
    result = run("claims", "import", EXAMPLE, "--book", 1, "--by", worker.handle)
    assert "0 to claim" in result.output
    assert "There is no passbook of this number" in result.output


def test_nobody_is_who_has_no_passbook(run: Run, community: Community) -> None:
    result = run("claims", "import", EXAMPLE, "--book", 1, "--by", "00000000")
    assert (result.exit_code, "[not-found: by]" in result.output) == (1, True)


def test_nobody_imports_a_deed_of_their_own_or_of_their_kin(run: Run, community: Community, tmp_path: Path) -> None:
    worker, son = enrol(community, "grid_worker"), enrol(community, area_code=GRID)
    community.tie(worker, son)
    community.session.commit()
    book = openpyxl.Workbook()
    for row in (["存折号", "善行", "日期"], [worker.handle, "夜间巡逻", TODAY], [son.handle, "夜间巡逻", TODAY]):
        book.active.append(row)
    file = tmp_path / "own.xlsx"
    book.save(file)
    result = run("claims", "import", file, "--book", 1, "--by", worker.handle, "--write")
    assert result.exit_code == 1
    assert "2 cells cannot be taken" in result.output
    assert waiting(community) == []


def test_the_empty_sheet_is_filled_in_and_taken(run: Run, community: Community, tmp_path: Path) -> None:
    worker, file = enrol(community, "grid_worker"), tmp_path / "empty.xlsx"
    assert run("claims", "template", file, "--book", 1).exit_code == 0
    empty = run("claims", "import", file, "--book", 1, "--by", worker.handle)
    assert (empty.exit_code, "sheet-without-deeds" in empty.output) == (1, True)
    book = openpyxl.load_workbook(file)
    sheet = book["善行"]
    assert [cell.value for cell in sheet[1]] == list(claims.COLUMNS.values())
    choices = [cell.value for cell in book["积分细则"]["A"]]
    assert "夜间巡逻" in choices
    for column, value in enumerate((NAMED["陈桂芳"], "陈桂芳", "夜间巡逻", TODAY, None, "3栋", None), start=1):
        sheet.cell(2, column, value)
    book.save(file)
    assert "written: 1 deeds read, 1 to claim, worth 10 points" in run(
        "claims", "import", file, "--book", 1, "--by", worker.handle, "--write"
    ).output  # fmt: skip


def test_a_file_that_is_no_workbook_ends_with_a_sentence(run: Run, community: Community, tmp_path: Path) -> None:
    worker, file = enrol(community, "grid_worker"), tmp_path / "x.xlsx"
    file.write_bytes(b"hello")
    result = run("claims", "import", file, "--book", 1, "--by", worker.handle)
    assert (result.exit_code, "workbook-unreadable" in result.output) == (1, True)


def test_what_is_claimed_tells_what_the_sheet_told(run: Run, community: Community, tmp_path: Path) -> None:
    worker = enrol(community, "grid_worker")
    book = openpyxl.Workbook()
    for row in (["存折号", "善行", "日期", "说明"], [NAMED["陈桂芳"], "夜间巡逻", TODAY, "关好了单元门"]):
        book.active.append(row)
    file = tmp_path / "one.xlsx"
    book.save(file)
    run("claims", "import", file, "--book", 1, "--by", worker.handle, "--write")
    (row,) = waiting(community)
    (told,) = claims.told_of(community.session, VAULT, community.book.id, [row.claim]).values()
    assert told.text == "关好了单元门"
