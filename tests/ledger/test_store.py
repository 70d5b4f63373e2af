"""The connections: one that was lost is replaced, what is prepared stays prepared, and many values are asked for as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BindParameter
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import make_url
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger import store
from ledger.areas import Book
from ledger.ids import new_id
from ledger.store import Instant
from ledger.store import engine_for
from tests.conftest import START
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


def test_a_connection_that_rolls_back_keeps_what_it_has_prepared(service: Database) -> None:
    engine = engine_for(service.url, pool_size=1, max_overflow=0)
    for _ in range(10):
        with engine.connect() as connection:
            connection.execute(select(Book.id))
            connection.rollback()
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
    engine.dispose()
    assert any(statement.startswith("SELECT book.id") for statement in kept)


def test_what_was_written_is_taken_back(service: Database) -> None:
    engine = engine_for(service.url, pool_size=1, max_overflow=0)
    with engine.connect() as connection:
        connection.execute(insert(Book).values(a_book(7)))
        connection.rollback()
        assert connection.execute(select(Book.id)).all() == []
    engine.dispose()


def test_a_transaction_that_lost_its_server_cannot_be_taken_back_and_its_connection_is_replaced(service: Database) -> None:
    engine = engine_for(service.url, pool_size=1, max_overflow=0)
    connection = engine.connect()
    connection.execute(insert(Book).values(a_book(7)))
    process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with engine_for(service.owner_url, migrating=True, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as owner:
        assert owner.exec_driver_sql(f"SELECT pg_terminate_backend({process}, 5000)").scalar_one()
    with pytest.raises(OperationalError) as problem:
        connection.rollback()
    connection.close()
    assert problem.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.execute(select(Book.id)).all() == []
    engine.dispose()


def a_book(number: int) -> dict[str, object]:
    return {"id": new_id(), "number": number, "name": "book", "area_code": "320106", "zone": "Asia/Shanghai"}


@pytest.mark.parametrize("many", [0, 1, 2, 1_000])
def test_of_many_values_each_is_found_whatever_is_asked_for_how_often(database: Database, many: int) -> None:
    books = [a_book(number) for number in range(1, 4)]
    wanted = [book["number"] for book in books]
    with Session(database.engine) as session:
        store.insert_rows(session, Book, books)
        asked = [*(book["id"] for book in books), *(new_id() for _ in range(1_000))][:many]
        for column, values in ((Book.id, asked), (Book.number, range(1, many + 1)), (Book.zone, {"Asia/Shanghai"} if many else set())):
            statement = select(Book.number).where(column.in_(values)).order_by(Book.number)
            assert session.execute(statement).scalars().all() == wanted[: 3 if values == {"Asia/Shanghai"} else many]
        assert len(session.execute(select(Book.number).where(Book.id.not_in(asked))).all()) == max(0, 3 - many)


@pytest.mark.parametrize(
    "value", [literal(b"\x00\xff"), literal(START, Instant()), literal(START.date()), literal(new_id()), literal(7), literal("seven")]
)
def test_values_of_every_kind_are_found_among_many(database: Database, value: BindParameter[Any]) -> None:
    with Session(database.engine) as session:
        assert session.execute(select(value.in_([value.value]))).scalar_one()
        assert not session.execute(select(value.in_([]))).scalar_one()


def test_the_same_condition_in_two_places_of_a_statement_stays_the_same(database: Database) -> None:
    small = Book.number.in_([1, 2])
    with Session(database.engine) as session:
        store.insert_rows(session, Book, [a_book(number) for number in range(1, 6)])
        found = session.execute(select(small, func.count()).group_by(small).order_by(small)).all()
    assert [(bool(is_small), count) for is_small, count in found] == [(False, 3), (True, 2)]


def test_a_page_is_asked_for_by_an_equality_so_that_an_index_gives_its_order(service: Database) -> None:
    engine, asked = engine_for(service.url), list[str]()
    event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, statement, *_: asked.append(statement))
    with Session(engine) as session:
        for wanted in (select(Book.number), select(Book.number).limit(1), select(Book).limit(1), select(Book)):
            session.execute(wanted.where(Book.number.in_([1])).order_by(Book.number)).all()
    engine.dispose()
    assert ["= ANY (" in statement for statement in asked] == [True, False, False, True]


def test_words_of_the_code_stand_in_a_statement_as_they_are() -> None:
    assert "book.zone IN ('a-word', 'another')" in str(select(Book.id).where(Book.zone.in_(store.words({"another", "a-word"}))))
    with pytest.raises(AssertionError):
        store.words({"'"})


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
