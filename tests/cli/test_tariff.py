from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from ledger import tariff
from ledger.areas import Book
from ledger.cli.words import RATE_FAULTS
from tests.builders import a_book
from tests.conftest import ROOT
from tests.conftest import START

TABLE = ROOT / "examples" / "tariff.csv"
HEAD = "category,deed,deed_zh,unit,points\n"
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args, **options: app.test_cli_runner().invoke(args=["ledger", "tariff", *map(str, args)], **options)


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session)
    session.refresh(book)
    session.expunge(book)
    session.commit()
    return book


def prices(session: Session, book: Book) -> dict[str, int]:
    found = {rate.deed: rate.points for rate in tariff.rates_on(session, book.id, START.date())}
    session.rollback()  # on SQLite whoever reads holds the lock
    return found


def test_the_example_is_taken_in_once(run: Run, session: Session, book: Book) -> None:
    first = run("import", TABLE, "--book", 1, "--from", "2026-01-01")
    assert (first.exit_code, "17 added, 0 changed, 0 unchanged" in first.output) == (0, True), first.output
    assert "0 added, 0 changed, 17 unchanged" in run("import", TABLE, "--book", 1, "--from", "2026-01-01").output
    assert (len(prices(session, book)), prices(session, book)["evening_patrol"]) == (17, 50)


def test_a_table_from_excel_in_chinese_is_read_as_well(run: Run, session: Session, book: Book, tmp_path: Path) -> None:
    file = tmp_path / "tariff.csv"
    file.write_bytes(f"{HEAD}patrol,evening patrol,夜间巡逻,deed,50\n".encode("gb18030"))
    assert "1 added" in run("import", file, "--book", 1, "--from", "2026-01-01").output
    assert prices(session, book) == {"evening_patrol": 50}


def test_a_new_price_holds_from_its_day_and_not_before_the_last(run: Run, session: Session, book: Book, tmp_path: Path) -> None:
    file = tmp_path / "tariff.csv"
    for points, day, told in (
        (50, "2026-01-01", "1 added"),
        (40, "2026-11-01", "1 changed"),
        (30, "2026-06-01", "rate-not-after-the-last"),
    ):
        file.write_text(f"{HEAD}patrol,evening patrol,夜间巡逻,deed,{points}\n")
        assert told in run("import", file, "--book", 1, "--from", day).output
    assert prices(session, book) == {"evening_patrol": 40}


def test_a_table_with_faults_is_not_taken_in_at_all(run: Run, session: Session, book: Book, tmp_path: Path) -> None:
    file = tmp_path / "tariff.csv"
    bad = [
        "gossip,a,甲,deed,1",
        "patrol,!,甲,deed,1",
        "patrol,b,,deed,1",
        "patrol,c,甲,week,1",
        "patrol,d,甲,deed,１",
        "patrol,e,甲,deed,5",
    ]
    file.write_text(HEAD + "\n".join(bad))
    result = run("import", file, "--book", 1, "--from", "2026-01-01")
    assert (result.exit_code, "5 faults, nothing was written" in result.output) == (1, True)
    for line, column in enumerate(RATE_FAULTS, start=2):
        assert f"line {line}, column {column}" in result.output
    assert prices(session, book) == {}


def test_a_file_that_is_no_tariff_ends_with_a_sentence(run: Run, book: Book, tmp_path: Path) -> None:
    file = tmp_path / "tariff.csv"
    file.write_text("名称,分值\n夜巡,50\n")
    result = run("import", file, "--book", 1, "--from", "2026-01-01")
    assert (result.exit_code, "columns-missing" in result.output) == (1, True)
    assert "not-found" in run("import", TABLE, "--book", 7, "--from", "2026-01-01").output


def test_caps_are_set_and_listed_beside_the_rates(run: Run, book: Book) -> None:
    run("import", TABLE, "--book", 1, "--from", "2026-01-01")
    cap = ("cap", "--book", 1, "--period", "month", "--measure", "points", "--most", 300, "--from", "2026-01-01")
    assert run(*cap, "--category", "patrol").exit_code == 0
    listed = run("list", "--book", 1).output
    assert "夜间巡逻" in listed
    assert any("month" in line and "300" in line and "patrol" in line for line in listed.splitlines())
    assert "夜间巡逻" not in run("list", "--book", 1, "--on", "2025-12-31").output
    for wrong, told in ((("--category", "gossip"), "category"), (("--deed", "gossip"), "deed")):
        result = run(*cap, *wrong)
        assert (result.exit_code, f"[choice-malformed: {told}]" in result.output) == (1, True)
    assert "number-out-of-range" in run(*cap[:8], -1, *cap[9:]).output
