from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger import sign_in
from ledger.act import OPERATOR
from ledger.areas import Book
from ledger.cli.words import DOUBTS
from ledger.people.model import Person
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import ROOT
from tests.conftest import START

OFFICE = ROOT / "examples" / "roster-office.xlsx"
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args, **options: app.test_cli_runner().invoke(args=["ledger", *map(str, args)], **options)


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session, with_grids=False)
    for number, name in enumerate([*(f"第{n}网格" for n in range(1, 10)), "专属网格一", "专属网格二"], start=1):
        areas.add_grid(
            session, an_act(book), parent_code=VILLAGE, code=f"{VILLAGE}-{number:02}", name=name, level="grid", kind="comprehensive"
        )
    session.commit()
    return book


def count(session: Session, book: Book) -> int:
    book_id = book.id
    found = session.execute(select(func.count()).select_from(Person).where(Person.book_id == book_id)).scalar_one()
    session.rollback()  # on SQLite whoever reads holds the lock
    return found


def test_the_roster_is_read_without_a_book(run: Run) -> None:
    result = run("roster", "read", OFFICE)
    assert result.exit_code == 0
    assert "418 people read, 383 doubtful cells" in result.output
    assert re.search(r"G71 .*1555373001.*不是电话号码", result.output)
    assert "Not a phone number (10 digits)" in result.output


def test_the_roster_is_tried_then_chosen_then_written_once(run: Run, session: Session, book: Book) -> None:
    import_ = ("roster", "import", OFFICE, "--book", 1, "--area", VILLAGE)
    assert "dry run, nothing written: 418 people: 378 enrolled" in run(*import_).output
    asked = run(*import_, "--write")
    assert (asked.exit_code, "3 cells want a choice, nothing was written" in asked.output) == (1, True)
    assert count(session, book) == 0
    written = run(*import_, "--write", "--duplicates", "enrol", "--cell", "D417=skip")
    assert written.exit_code == 0, written.output[-600:]
    assert "written: 418 people: 380 enrolled" in written.output
    again = run(*import_, "--write", "--duplicates", "enrol", "--cell", "D417=skip")
    assert "418 people: 0 enrolled, 380 known" in again.output
    assert count(session, book) == 380


def test_a_file_that_is_no_roster_ends_with_a_sentence(run: Run, book: Book, tmp_path: Path) -> None:
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"hello")
    for args in (("read", file), ("import", file, "--book", 1, "--area", VILLAGE)):
        result = run("roster", *args)
        assert (result.exit_code, "workbook-unreadable" in result.output) == (1, True)


def test_what_stands_in_a_cell_is_not_taken_for_markup(run: Run, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (["姓名", "电话"], ["王丽", "[/red][link=x]"]):
        made.active.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    file = tmp_path / "x.xlsx"
    file.write_bytes(buffer.getvalue())
    assert "[/red][link=x]" in run("roster", "read", file).output


def test_somebody_is_enrolled_granted_tied_and_let_in(run: Run, session: Session, book: Book) -> None:
    enrolled = run("people", "enrol", "--book", 1, "--area", GRID, input="王丽\n13800138000\n")
    handle = re.findall(r"\d{8}$", enrolled.output.strip())[0]
    other = a_person(session, book)
    session.commit()
    assert run("people", "grant", "--book", 1, "--handle", handle, "--role", "approver", "--area", VILLAGE).exit_code == 0
    assert run("people", "tie", "--book", 1, "--handle", handle, "--other", other.handle, "--kind", "kin").exit_code == 0
    refused = run("people", "charge", "--book", 1, "--handle", handle, other.handle)
    assert (refused.exit_code, "not-a-building-leader" in refused.output) == (1, True)
    since = ("--role", "building_leader", "--area", VILLAGE, "--from", "2026-01-01")
    assert run("people", "grant", "--book", 1, "--handle", handle, *since).exit_code == 0
    assert run("people", "charge", "--book", 1, "--handle", handle, other.handle).exit_code == 0
    link = run("people", "link", "--book", 1, "--handle", handle).output.strip().rpartition("/")[2]
    bearer = run("people", "token", "--book", 1, "--handle", handle).output.strip()
    session.rollback()
    person = people.by_handle(session, book.id, handle)
    assert person is not None
    found = sign_in.recognise(session, bearer, START)
    assert found is not None
    assert {power.role for power in found[1]} == {"volunteer", "approver", "building_leader"}
    assert people.tied(session, book.id, [person.id]) == {person.id: {other.id}}
    assert people.charges_of(session, book.id, person.id) == {other.id}
    assert isinstance(sign_in.use_link(session, link, START), str)
    assert people.names_of(session, VAULT, book.id, [person.id]) == {person.id: "王丽"}


def test_the_operator_confirms_a_proposed_role_and_ends_a_supervisors(run: Run, session: Session, book: Book) -> None:
    admin, person = a_person(session, book, "administrator"), a_person(session, book)
    proposed = an_act(book, actor=admin.id)
    people.grant_role(session, proposed, person_id=person.id, role="resident_supervisor", area_code=VILLAGE, starts_on=START.date())
    session.commit()
    whose = ("--book", 1, "--handle", person.handle, "--role", "resident_supervisor")

    book_id, person_id = book.id, person.id
    session.rollback()

    def held(days: int = 0) -> set[str]:
        found = people.powers_of(session, book_id, person_id, START.date() + timedelta(days=days))
        session.rollback()
        return {power.role for power in found}

    assert held() == {"volunteer"}
    assert run("people", "confirm-role", *whose).exit_code == 0
    assert held(1) == {"volunteer", "resident_supervisor"}
    assert run("people", "confirm-role", *whose).exit_code == 1
    assert run("people", "end-role", *whose, "--area", VILLAGE).exit_code == 0
    assert held(1) == {"volunteer"}
    assert run("people", "end-role", *whose, "--area", VILLAGE).exit_code == 1


def test_a_tie_that_was_a_mistake_is_ended(run: Run, session: Session, book: Book) -> None:
    one, other = a_person(session, book), a_person(session, book)
    people.tie(session, an_act(book), one.id, other.id, "kin")
    session.commit()
    untie = ("people", "untie", "--book", 1, "--handle", other.handle, "--other", one.handle, "--kind", "kin")
    assert run(*untie).exit_code == 0
    assert people.tied(session, book.id, [one.id]) == {one.id: set()}
    session.rollback()
    assert run(*untie).exit_code == 1


def test_every_doubt_has_words_in_both_languages() -> None:
    source = "".join(path.read_text() for path in (ROOT / "ledger" / "people").glob("**/*.py"))
    words = "sheet|column|identity|name|phone|birth|gender|grid|household|number|note|ditto|cell|text|subtotal|person|same"
    used = set(re.findall(rf'"((?:{words})-[a-z-]+|minor|guardian-needed|remark|subtotal|ditto|namesake)"', source))
    problems = {"name-malformed", "phone-malformed", "birth-month-malformed", "text-malformed", "number-out-of-range", "person-left"}
    assert used - problems <= DOUBTS.keys()
    assert DOUBTS.keys() <= used | problems
    assert all(chinese and english for chinese, english in DOUBTS.values())


def test_a_helper_is_let_act_and_let_go(run: Run, session: Session, book: Book) -> None:
    elder, helper = a_person(session, book), a_person(session, book)
    session.commit()
    both = ("--book", 1, "--handle", elder.handle, "--helper", helper.handle)
    given = run("people", "mandate", *both, "--points-per-day", 50, "--to", "2026-12-31")
    assert (given.exit_code, f"{helper.handle} → {elder.handle}: helper, 2026-11-23 – 2026-12-31" in given.output) == (0, True)
    (found,) = people.mandates(session, book.id, helper_id=helper.id)
    assert (found.person_id, found.points_per_day_max, found.granted_by) == (elder.id, 50, OPERATOR)
    session.rollback()
    refused = run("people", "mandate", *both, "--to", "2026-12-31")
    assert (refused.exit_code, "mandate-there" in refused.output) == (1, True)
    assert run("people", "end-mandate", *both).exit_code == 0
    assert people.mandates(session, book.id, helper_id=helper.id, on=START.date()) == []
    session.rollback()
    assert run("people", "end-mandate", *both).exit_code == 1


def test_a_roster_with_children_leaves_them_out_when_told_to(run: Run, session: Session, book: Book, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (["姓名", "电话", "出生年月"], ["王丽", "13800138000", "1956-03"], ["何子轩", "13800138001", "2014-05"]):
        made.active.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    file = tmp_path / "x.xlsx"
    file.write_bytes(buffer.getvalue())
    import_ = ("roster", "import", file, "--book", 1, "--area", VILLAGE, "--write")
    asked = run(*import_)
    assert (asked.exit_code, "--children leave-out" in asked.output) == (1, True)
    assert run(*import_, "--children", "leave-out").exit_code == 0
    assert count(session, book) == 1


def test_people_are_listed_by_number_and_by_name_only_where_it_is_asked_for(run: Run, session: Session, book: Book) -> None:
    one, two = (a_person(session, book, name=name, area_code=f"{VILLAGE}-0{grid}") for name, grid in (("陈桂芳", 1), ("马志强", 2)))
    number, lines = book.number, [f"{who.handle}  {who.area_code}  active" for who in (one, two)]
    session.commit()
    assert sorted(run("people", "list", "--book", number).output.splitlines()) == sorted(lines)
    assert run("people", "list", "--book", number, "--area", f"{VILLAGE}-02", "--names").output == f"{lines[1]}  马志强\n"


def test_a_command_without_its_settings_says_which_is_missing() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PASSBOOK_")}
    command = [sys.executable, "-m", "flask", "ledger", "verify"]
    told = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert (told.returncode, "Traceback" in told.stderr, "is not set / 缺少设置" in told.stderr) == (1, False, True)


def test_a_command_says_nothing_beside_what_it_was_asked_for(sqlite_template: Path) -> None:
    secrets = ("PASSBOOK_SECRET_KEY", "PASSBOOK_MASTER_KEY", "PASSBOOK_PEPPER")
    told = {name: base64.b64encode(sha256(name.encode()).digest()).decode() for name in secrets}
    told |= {"PASSBOOK_DATABASE_URL": f"sqlite:///{sqlite_template}", "PASSBOOK_PUBLIC_URL": "http://localhost:8000"}
    command = [sys.executable, "-m", "flask", "ledger", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
