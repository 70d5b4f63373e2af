"""Whatever happens to a book, its laws hold; and both databases tell the same story."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy.orm import Session

from ledger import journal
from tests.books import open_desk
from tests.conftest import Database
from tests.conftest import fresh_database
from tests.properties.histories import NAMES
from tests.properties.histories import Told
from tests.properties.histories import histories


@given(history=histories)
def test_whatever_happens_the_laws_hold(database: Database, history: Any) -> None:
    with Session(database.engine) as session:
        told = Told(open_desk(session)).live(history)
        lines, balances, totals = told.ending()
        assert told.desk.faults() == []  # no gap, before + amount = after, reversals and holds, counters
        assert sum(totals.values()) == 0  # conservation
        for name in (*NAMES, "fund"):
            assert all(line[4] >= 0 for line in lines[name])
            assert balances[name].available >= 0  # never below the floor


@given(history=histories)
def test_both_engines_give_the_same_answers(engines: tuple[Database, Database], history: Any) -> None:
    stories = []
    for database in engines:
        with Session(database.engine) as session:
            told = Told(open_desk(session)).live(history)
            stories.append((told.answers, told.ending()))
    assert stories[0] == stories[1]


@pytest.fixture(scope="module")
def engines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("engines")
    with fresh_database("sqlite", request, folder) as sqlite, fresh_database("postgresql", request, folder) as postgresql:
        yield sqlite, postgresql


@given(history=histories)
def test_a_replay_is_harmless(database: Database, history: Any) -> None:
    with Session(database.engine) as session:
        told = Told(open_desk(session)).live(history)
        before = told.ending()
        ask = journal.Ask(told.desk.book_id, "again", b"input", told.desk.clock.now())
        (first,) = journal.claim(session, told.desk.book_id, [ask])
        assert isinstance(first, journal.Claimed)
        journal.answer(session, told.desk.book_id, [(first.request_id, 200, {"points": 5})])
        session.commit()
        (second,) = journal.claim(session, told.desk.book_id, [ask])
        assert second == journal.Answered(first.request_id, 200, {"points": 5})
        assert told.ending() == before
