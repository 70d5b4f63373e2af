"""The connections: one that rested while the server went away is replaced before anybody uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from ledger import store
from ledger.store import engine_for
from tests.conftest import Database
from tests.conftest import fresh_database


@pytest.fixture
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database("postgresql", request, tmp_path_factory.mktemp("store")) as database:
        yield database


def used_and_lost(service: Database) -> tuple[Engine, int]:
    """Return an engine whose one connection was given back, and then lost its server; and which process that was."""
    engine = engine_for(service.url, pool_size=1, max_overflow=0)
    with engine.connect() as connection:
        process: int = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with engine_for(service.owner_url, migrating=True, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as owner:
        assert owner.exec_driver_sql(f"SELECT pg_terminate_backend({process}, 5000)").scalar_one()
    return engine, process


def test_a_connection_that_was_lost_while_it_rested_is_replaced(service: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, lost = used_and_lost(service)
    monkeypatch.setattr(store, "TRY_AFTER_S", 0.0)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != lost
    engine.dispose()


def test_one_that_was_lost_a_moment_ago_fails_once_and_is_replaced(service: Database) -> None:
    engine, lost = used_and_lost(service)
    with pytest.raises(OperationalError) as problem, engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert problem.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != lost
    engine.dispose()


def test_only_the_tables_owner_clears_away_what_was_deleted(service: Database) -> None:
    with pytest.raises(store.ScrubError, match=r"only the owner of .*sealed_field.* can do this"):
        store.scrub(service.url, ["person"])
    store.scrub(service.owner_url, ["person"])


def test_while_somebody_reads_the_log_of_sqlite_is_not_said_to_be_empty(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(store, "LOCK_TIMEOUT_MS", 100)
    with fresh_database("sqlite", request, tmp_path) as database:
        engine = engine_for(database.owner_url, migrating=True, poolclass=NullPool)
        with engine.connect().execution_options(sqlite_begin="DEFERRED") as reader:
            reader.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar_one()
            with pytest.raises(store.ScrubError, match="being read"):
                store.scrub(database.url, [])
        store.scrub(database.url, [])
        log = Path(f"{make_url(database.url).database}-wal")
        assert not log.exists() or log.stat().st_size == 0
        engine.dispose()
