from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from ledger import areas
from tests.builders import COUNTY
from tests.builders import VILLAGE

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args: app.test_cli_runner().invoke(args=["ledger", *map(str, args)])


def test_the_table_is_imported_once_and_a_book_opened_over_a_county(run: Run, session: Session) -> None:
    assert "新增 6141" in run("areas", "import").output
    again = run("areas", "import", "examples/areas.csv")
    assert (again.exit_code, "unchanged 6141" in again.output or "6141 unchanged" in again.output) == (0, True)
    assert "book 1 is open" in run("areas", "open-book", "--name", "鼓楼区", "--area", COUNTY).output
    grid = run("areas", "grid", "--book", 1, "--parent", VILLAGE, "--code", f"{VILLAGE}-01", "--name", "第1网格")
    assert (grid.exit_code, grid.output) == (0, f"{VILLAGE}-01 第1网格\n")
    assert "第1网格" in run("areas", "list", "--book", 1, "--below", VILLAGE).output
    book = areas.book_numbered(session, 1)
    assert book is not None
    assert areas.area(session, book.id, f"{VILLAGE}-01").kind == "comprehensive"


def test_a_bad_table_is_explained_line_by_line_in_both_languages(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "areas.csv"
    table.write_text("code,name,level,parent_code\n32,江苏省,province,\n3201,南京市,town,32\n", encoding="utf-8")
    result = run("areas", "import", table)
    assert result.exit_code == 1
    assert "第 3 行 level 列 “town”" in result.output
    assert "line 3, column level “town”" in result.output
    assert "nothing was written" in result.output


def test_what_is_refused_or_unknown_ends_with_a_sentence(run: Run) -> None:
    run("areas", "import")
    assert "zone-unknown" in run("areas", "open-book", "--name", "x", "--area", COUNTY, "--zone", "Mars").output
    assert "not-found" in run("areas", "list", "--book", 7).output
    run("areas", "open-book", "--name", "鼓楼区", "--area", COUNTY)
    refused = run("areas", "grid", "--book", 1, "--parent", COUNTY, "--code", f"{COUNTY}-1", "--name", "第1网格")
    assert (refused.exit_code, "area-parent-not-above" in refused.output) == (1, True)
