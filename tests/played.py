"""What many tests stand on is played once in a run, for each kind of database: each of them has a copy of the database it was played in."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from ledger.reports import queries
from tests.conftest import Database
from tests.conftest import fresh_database

#: Plays something in a session's database, and returns what a test has to know of it.
Play = Callable[[Session], Any]


@dataclass(frozen=True)
class Played:
    """A database in which something was played, and what came of it."""

    database: Database
    told: Any

    def getfixturevalue(self, name: str) -> Path | URL:
        """Return what `fresh_database` copies, in the place of the empty template that the fixture `name` would be."""
        url = make_url(self.database.owner_url)
        return Path(str(url.database)) if self.database.kind == "sqlite" else url


@dataclass
class Theatre:
    """Where plays on one kind of database are kept, by where they are written."""

    kind: str
    request: pytest.FixtureRequest
    folder: Path
    stack: ExitStack
    _played: dict[str, Played] = field(default_factory=dict)

    def once(self, play: Play, *, after: Played | None = None) -> Played:
        """Play in an empty database, or after something else, unless it was played already."""
        name = f"{play.__module__}.{play.__qualname__}"
        if name not in self._played:
            template: Any = after or self.request
            database = self.stack.enter_context(fresh_database(self.kind, template, self.folder))
            with Session(database.engine) as session:
                told = play(session)
                session.commit()
            database.engine.dispose()
            self._played[name] = Played(database, told)
        return self._played[name]


@pytest.fixture(scope="session")
def theatre_on_sqlite(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Theatre]:  # fmt: skip
    with ExitStack() as stack:
        yield Theatre("sqlite", request, tmp_path_factory.mktemp("played"), stack)


@pytest.fixture(scope="session")
def theatre_on_postgresql(
    request: pytest.FixtureRequest, postgresql_server: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Theatre]:  # fmt: skip
    with ExitStack() as stack:
        yield Theatre("postgresql", request, tmp_path_factory.mktemp("played"), stack)


@pytest.fixture
def theatre(request: pytest.FixtureRequest) -> Theatre:
    """Where plays on this test's kind of database are kept."""
    theatre: Theatre = request.getfixturevalue(f"theatre_on_{request.node.callspec.params['database']}")
    return theatre


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database; where what the test stands on was `played`, a copy of that one."""
    template: Any = request.getfixturevalue("played") if "played" in request.fixturenames else request
    # What the service knows by heart of months that are over is of another copy of the same book.
    queries._finished._kept.clear()
    with fresh_database(request.param, template, tmp_path) as database:
        yield database
