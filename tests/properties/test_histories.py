"""Whatever happens to a book, its laws hold; and both databases tell the same story."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy.orm import Session

from tests.books import open_desk
from tests.conftest import Database
from tests.conftest import fresh_database
from tests.properties import laws
from tests.properties.edge import Edge
from tests.properties.histories import Told
from tests.properties.histories import histories
from tests.properties.histories import writes


@given(history=histories)
def test_whatever_happens_the_laws_hold(database: Database, history: Any) -> None:
    laws.whatever_happens(database.engine, history)


@given(sent=writes)
def test_whoever_sends_again_and_wherever_the_service_is_struck_down_each_write_happens_once(database: Database, sent: Any) -> None:
    laws.whoever_sends_again(Edge, database.engine, sent)


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
