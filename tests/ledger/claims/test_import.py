from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import claims
from ledger import tariff
from ledger.claims import DeedsReport
from ledger.claims import Reach
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.claims.workbook import day_of
from ledger.claims.workbook import minutes_of
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.journal.model import Request
from ledger.people import Person
from ledger.people.model import SealedField
from tests.builders import VAULT
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once

HEADING = ["存折号", "姓名", "善行", "日期", "分钟", "地点", "说明"]

#: A cell of a spreadsheet knows no time zone.
AFTERNOON = datetime(2026, 11, 3, 14, 30)  # noqa: DTZ001


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def a_file(*rows: list[Any], heading: list[str] = HEADING, above: tuple[list[Any], ...] = (), merged: tuple[str, ...] = ()) -> bytes:
    made = openpyxl.Workbook()
    for row in (*above, heading, *rows):
        made.active.append(row)
        for cell in made.active[made.active.max_row]:
            # What was pasted as a value and only looks like an error.
            cell.data_type = "s" if cell.data_type == "e" else cell.data_type
    for cells in merged:
        made.active.merge_cells(cells)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def a_row(
    who: Person | str, deed: Any = "patrol", day: Any = TODAY, minutes: Any = None, place: Any = "3栋", text: Any = "", name: Any = ""
) -> list[Any]:
    return [who if isinstance(who, str) else who.handle, name, deed, day, minutes, place, text]


def take_in(community: Community, content: bytes, *, by: Person | None = None, dry_run: bool = False, reach: Reach | None = None) -> Any:
    by = by or community.person("grid_worker")
    reading = claims.read_deeds(content)
    outcome = claims.import_claims(
        community.session, community.act(by), VAULT, reach or Reach(community.scope), reading, dry_run=dry_run
    )  # fmt: skip
    return outcome.code if isinstance(outcome, Refusal) else outcome


def faults_of(report: DeedsReport) -> list[tuple[str, str]]:
    return [(fault.cell, fault.code) for fault in report.faults]


def count(community: Community, *tables: Any) -> list[int]:
    wanted = [select(func.count()).select_from(table).where(table.book_id == community.book.id) for table in tables]
    return [community.session.execute(one).scalar_one() for one in wanted]


def test_a_sheet_of_deeds_becomes_claims_that_two_approve(community: Community) -> None:
    volunteer, one, two = (community.person(name="陈桂芳") for _ in range(3))
    report = take_in(community, a_file(a_row(volunteer, "sweeping", minutes=90, text="扫了楼道", name="陈桂芳"), a_row(volunteer)))
    assert (report.rows, report.claims, report.points, report.faults, report.is_written) == (2, 2, 65, (), True)
    rows = claims.mine(community.session, community.book.id, volunteer.id)
    assert {(row.claim.source, row.claim.state, row.rate.deed, row.claim.points) for row in rows} == {
        ("import", "attested", "sweeping", 15), ("import", "attested", "patrol", 50),
    }  # fmt: skip
    told = claims.told_of(community.session, VAULT, community.book.id, [row.claim for row in rows])
    assert sorted((one.place, one.text) for one in told.values()) == [("3栋", ""), ("3栋", "扫了楼道")]
    ids = [row.id for row in rows]
    assert community.approve(one, *ids) == ["attested", "attested"]
    assert community.approve(two, *ids) == ["credited", "credited"]
    assert community.balance(volunteer) == 65


def test_a_dry_run_says_the_same_and_writes_nothing(community: Community) -> None:
    content = a_file(a_row(community.person()), a_row(community.person()))
    before = count(community, Claim, Decision, Request, SealedField)
    report = take_in(community, content, dry_run=True)
    assert (report.claims, report.points, report.is_written) == (2, 100, False)
    after = count(community, Claim, Decision, Request, SealedField)
    # The two requests are those of the act and of the person who was enrolled to do it.
    assert (after[0], after[1], after[2] - before[2]) == (0, 0, 1)
    assert take_in(community, content).is_written


def test_the_office_keeps_its_sheets_in_its_own_way(community: Community) -> None:
    volunteer = community.person(name="陈桂芳")
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in volunteer.handle)
    content = a_file(
        [wide, "陈　桂芳", "SWEEPING", "2026/11/3", "９０", "3栋", None],
        [volunteer.handle, None, "同上", "2026年11月4日", "1小时30分", "3栋", None],
        [f"{volunteer.handle[:4]} {volunteer.handle[4:]}", None, "sweeping", AFTERNOON.replace(day=5), 90, None, None],
        [int(volunteer.handle), None, "sweeping", 46332, 90.0, "", ""],
        HEADING,
        [None] * 7,
        [volunteer.handle, "", "sweeping", "20261107", "90分钟", "", ""],
        ["合计", None, None, None, 450, None, None],
        ["填表人：李主任"],
        above=(["仙霞路社区11月好事登记表"], [None]),
    )
    report = take_in(community, content)
    assert (report.faults, report.claims) == ((), 5)
    rows = claims.mine(community.session, community.book.id, volunteer.id)
    assert sorted((row.claim.deed_on.day, row.claim.minutes) for row in rows) == [(day, 90) for day in range(3, 8)]


def test_a_merged_cell_speaks_for_all_its_rows(community: Community) -> None:
    one, two = community.person(), community.person()
    content = a_file(a_row(one, "patrol", "2026-11-20"), [two.handle, "", None, None, None, None, None], merged=("C2:C3", "D2:D3", "F2:F3"))
    assert take_in(community, content).claims == 2
    (row,) = claims.mine(community.session, community.book.id, two.id)
    assert (row.rate.deed, row.claim.deed_on, community.place_of(row.id)) == ("patrol", date(2026, 11, 20), "3栋")


def test_hours_are_read_as_such(community: Community) -> None:
    volunteer = community.person()
    content = a_file([volunteer.handle, "sweeping", TODAY, 1.5], heading=["存折号", "善行", "日期", "时长（小时）"])
    take_in(community, content)
    (row,) = claims.mine(community.session, community.book.id, volunteer.id)
    assert row.claim.minutes == 90


def test_every_bad_cell_is_named_and_nothing_is_written(community: Community) -> None:
    good, by, kin = community.person(name="陈桂芳"), community.person("grid_worker"), community.person()
    far = community.person(area_code="320106001004")
    community.tie(by, kin)
    community.scope = ("320106/320106001/320106001003/",)
    content = a_file(
        a_row(good),
        a_row("12345678"),
        a_row("00000000"),
        a_row(far),
        a_row(good, name="李国强", place="a"),
        a_row(good, "sing"),
        a_row(good, day="昨天"),
        a_row(good, day=TODAY + timedelta(days=1)),
        a_row(good, "sweeping", minutes="一会儿"),
        a_row(good, "sweeping", place="b"),
        a_row(good, "sweeping", minutes=1500),
        a_row(good, "tea_house", text="张三和李四吵架", place="c"),
        a_row(good),
        a_row(by),
        a_row(kin),
        a_row(good, "", place="d"),
        a_row(good, place="#REF!"),
        a_row(good, place="长" * 201),
        a_row(good, "sweeping", minutes=1440, place="e"),
    )
    before = count(community, Claim, Decision, SealedField)
    report = take_in(community, content, by=by)
    assert faults_of(report) == [
        ("A3", "sheet-handle-malformed"),
        ("A4", "sheet-handle-unknown"),
        ("A5", "sheet-handle-unknown"),
        ("B6", "sheet-name-differs"),
        ("C7", "deed-not-in-tariff"),
        ("D8", "sheet-day-malformed"),
        ("D9", "deed-day-out-of-range"),
        ("E10", "sheet-minutes-malformed"),
        ("E11", "minutes-missing"),
        ("E12", "sheet-minutes-malformed"),
        ("G13", "deed-told-without-text"),
        ("A14", "sheet-row-twice"),
        ("A15", "own-deed"),
        ("A16", "kin-or-household"),
        ("C17", "sheet-deed-missing"),
        ("F18", "cell-error"),
        ("F19", "sheet-text-too-long"),
    ]
    assert (report.rows, report.claims, report.is_written) == (19, 2, False)
    assert count(community, Claim, Decision, SealedField) == before


def test_the_same_file_is_taken_once_whoever_brings_it(community: Community) -> None:
    volunteer = community.person()
    content = a_file(a_row(volunteer))
    assert take_in(community, content).is_written
    assert take_in(community, content) == "sheet-taken-already"
    assert take_in(community, content, dry_run=True) == "sheet-taken-already"
    assert count(community, Claim) == [1]


def test_a_file_that_could_not_be_taken_can_be_brought_again(community: Community) -> None:
    volunteer = community.person()
    content = a_file(a_row(volunteer, "sing"))
    assert not take_in(community, content).is_written
    act = community.act()
    tariff.define_rate(community.session, act, tariff.RateRow("patrol", "sing", "唱歌", "sing", "deed", 5), valid_from=date(2026, 1, 1))
    assert take_in(community, content).is_written


def test_two_who_bring_one_file_at_once_bring_it_once(community: Community, database: Database) -> None:
    volunteer, *workers = (community.person() for _ in range(3))
    content = a_file(a_row(volunteer))
    community.session.commit()
    works = [lambda session, by=by: take_in(Community(session, community.book), content, by=by) for by in workers]
    outcomes = at_once(database, *works)
    assert sorted(isinstance(outcome, DeedsReport) for outcome in outcomes) == [False, True]
    assert count(community, Claim) == [1]


def test_what_was_told_already_is_not_taken_from_another_sheet(community: Community) -> None:
    volunteer = community.person()
    take_in(community, a_file(a_row(volunteer)))
    report = take_in(community, a_file(a_row(volunteer), a_row(volunteer, place="5栋")))
    assert faults_of(report) == [("C2", "deed-told-already")]


def test_caps_count_within_a_sheet(community: Community) -> None:
    volunteer = community.person()
    community.cap("day", "deeds", 1, deed="patrol")
    report = take_in(
        community, a_file(a_row(volunteer, place="a"), a_row(volunteer, place="b"), a_row(volunteer, day=TODAY - timedelta(days=1)))
    )
    assert faults_of(report) == [("C3", "cap-reached")]


def test_a_leader_brings_a_sheet_of_those_in_their_charge(community: Community) -> None:
    mine, theirs = community.person(), community.person()
    report = take_in(community, a_file(a_row(mine), a_row(theirs)), reach=Reach(charges=frozenset([mine.id])))
    assert faults_of(report) == [("A3", "sheet-handle-unknown")]


def test_a_person_of_another_book_is_not_found(community: Community) -> None:
    other = a_community(community.session)
    assert faults_of(take_in(community, a_file(a_row(other.person())))) == [("A2", "sheet-handle-unknown")]


@pytest.mark.parametrize(
    ("rows", "heading", "code"),
    [
        ((), HEADING, "sheet-without-deeds"),
        ((["1", "2"],), ["姓名", "电话"], "sheet-without-deeds"),
        ((["1", "2"],), ["存折号", "姓名"], "sheet-without-deeds"),
    ],
)
def test_a_workbook_without_deeds_is_an_error(rows: tuple[list[Any], ...], heading: list[str], code: str) -> None:
    with pytest.raises(Invalid) as problem:
        claims.read_deeds(a_file(*rows, heading=heading))
    assert problem.value.code == code


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-11-03", date(2026, 11, 3)),
        ("2026.11.3", date(2026, 11, 3)),
        ("２０２６／１１／３", date(2026, 11, 3)),
        ("2026年11月3日", date(2026, 11, 3)),
        ("2026年11月3日 星期二", date(2026, 11, 3)),
        ("20261103", date(2026, 11, 3)),
        (20261103, date(2026, 11, 3)),
        (46329, date(2026, 11, 3)),
        (AFTERNOON, date(2026, 11, 3)),
        ("11月3日", None),
        ("2026-02-30", None),
        ("2026-13-01", None),
        ("", None),
        (True, None),
        (1.5, None),
    ],
)
def test_a_day_is_read_however_it_is_written(value: Any, day: date | None) -> None:
    assert day_of(value) == day


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        (90, 90), (90.0, 90), ("90", 90), ("９０", 90), ("90分钟", 90), ("90 分", 90), ("1小时30分", 90), ("1.5小时", 90), ("2h", 120),
        (timedelta(hours=1, minutes=30), 90), ("", None), ("半天", None), (90.5, None), ("-5", None), ("1e3", None),
    ],
)  # fmt: skip
def test_a_length_is_read_however_it_is_written(value: Any, minutes: int | None) -> None:
    assert minutes_of(value) == minutes


def test_deeds_of_a_sheet_are_written_in_sets(community: Community) -> None:
    persons = [community.person() for _ in range(40)]

    def statements(rows: int, street: str) -> int:
        days = [(persons[number % 40], TODAY - timedelta(days=number // 40)) for number in range(rows)]
        file = a_file(*(a_row(person, "sweeping", day, 30, f"{street}{number}号") for number, (person, day) in enumerate(days)))
        sent: list[str] = []
        with listening(sent):
            report = claims.import_claims(
                community.session, community.act(community.person()), VAULT, Reach(community.scope), claims.read_deeds(file), dry_run=False
            )
        assert isinstance(report, DeedsReport)
        assert report.is_written
        return len(sent)

    assert statements(80, "南街")
    assert statements(80, "东街") == statements(800, "西街")


@contextmanager
def listening(sent: list[str]) -> Iterator[None]:
    """Write down every statement that is sent."""

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
