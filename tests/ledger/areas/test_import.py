from __future__ import annotations

from pathlib import Path

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.areas.model import PublishedArea
from tests.builders import PUBLISHED
from tests.conftest import ROOT

TABLE = Path(ROOT, "examples", "areas.csv")


def count(session: Session) -> int:
    return session.execute(select(func.count()).select_from(PublishedArea)).scalar_one()


def test_the_national_table_imported_twice_is_there_once(session: Session) -> None:
    rows = areas.rows_of(TABLE.read_bytes())
    steps: list[tuple[int, int]] = []
    first = areas.import_published(session, rows, progress=lambda done, of: steps.append((done, of)))
    second = areas.import_published(session, rows)
    assert (first.added, first.changed, first.unchanged) == (6141, 0, 0)
    assert (second.added, second.changed, second.unchanged) == (0, 0, 6141)
    assert count(session) == 6141
    assert len(steps) > 3
    assert steps == sorted(steps)
    assert steps[-1] == (6141, 6141)


def test_a_changed_name_is_taken_over_and_counted(session: Session) -> None:
    areas.import_published(session, PUBLISHED)
    renamed = [row | {"name": "南京"} if row["code"] == "3201" else row for row in PUBLISHED]
    report = areas.import_published(session, renamed)
    assert (report.added, report.changed, report.unchanged) == (0, 1, len(PUBLISHED) - 1)
    assert session.execute(select(PublishedArea.name).where(PublishedArea.code == "3201")).scalar_one() == "南京"


def test_one_bad_row_and_nothing_is_written(session: Session) -> None:
    report = areas.import_published(session, [*PUBLISHED, {"code": "x", "name": "y", "level": "z", "parent_code": ""}])
    assert [(fault.line, fault.column) for fault in report.faults] == [(8, "code"), (8, "level")]
    assert (report.added, count(session)) == (0, 0)


def test_a_parent_may_be_there_from_an_earlier_import(session: Session) -> None:
    areas.import_published(session, PUBLISHED[:3])
    assert areas.import_published(session, PUBLISHED[3:]).added == 3
