"""What the tests of the log stand on: a session of somebody who posts and seals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger.store import engine_for
from tests.conftest import Database
from tests.conftest import quickly


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session that has the rights of the service and of the sealer, so that a test posts and seals by turns."""
    url = make_url(database.url)
    if database.kind == "postgresql":
        url = url.set(username="passbook_test_both")
    engine = quickly(engine_for(url.render_as_string(hide_password=False), sealing=True, poolclass=NullPool))
    with Session(engine) as session:
        yield session
