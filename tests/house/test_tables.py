"""What is true of every table, so that the way to a cluster that shards by book stays open (docs/adr/0006)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Table
from sqlalchemy import UniqueConstraint
from sqlalchemy import insert
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from ledger.act import OPERATOR
from ledger.areas.model import Book
from ledger.ids import new_id
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Request
from ledger.store import Base
from ledger.store import append_only_tables
from ledger.store import deletable_tables
from ledger.store import missing_guards
from tests.conftest import START
from tests.conftest import Database
from tests.conftest import fresh_database
from tests.guard import unfiltered

TENANT_TABLES = [table for table in Base.metadata.sorted_tables if not table.info["is_global"]]


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_every_key_of_a_tenant_table_leads_with_the_book(table: Table) -> None:
    keys = [table.primary_key, *(c for c in table.constraints if isinstance(c, UniqueConstraint)), *table.indexes]
    assert all(next(iter(key.columns)).name == "book_id" for key in keys)
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and not constraint.referred_table.info["is_global"]:
            assert constraint.column_keys[0] == "book_id"
            assert constraint.elements[0].column.name == "book_id"


def test_only_a_few_small_tables_are_global() -> None:
    assert {table.name for table in Base.metadata.sorted_tables if table.info["is_global"]} == {"published_area", "book"}


def test_every_append_only_table_has_its_guards(database: Database) -> None:
    with database.engine.connect() as connection:
        assert missing_guards(connection) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {} SET book_id = book_id WHERE book_id = book_id",
        "DELETE FROM {} WHERE book_id = book_id",
        "TRUNCATE {}",
        "TRUNCATE {} CASCADE",
    ],
)
def test_the_service_cannot_change_what_was_appended(database: Database, change: str) -> None:
    for table in append_only_tables():
        refuse(database.engine, change.format(table))


@pytest.mark.parametrize(
    "change", ["UPDATE {} SET amount = amount WHERE book_id = book_id", "DELETE FROM {} WHERE book_id = book_id", "TRUNCATE {} CASCADE"]
)
@pytest.mark.parametrize("table", ["entry", "line"])
def test_the_owner_of_the_tables_is_refused_too(owner: Engine, table: str, change: str) -> None:
    with owner.begin() as connection:
        one_budget_entry(connection)
    refuse(owner, change.format(table))


def test_the_service_deletes_nothing_but_what_ends_or_is_erased(database: Database) -> None:
    for table, known in Base.metadata.tables.items():
        statement = f"DELETE FROM {table} WHERE 1 = 0" + ("" if known.info["is_global"] else " AND book_id = book_id")
        if table in deletable_tables():
            with database.engine.connect() as connection:
                connection.exec_driver_sql(statement)
        else:
            refuse(database.engine, statement)


def test_only_a_few_tables_lose_rows() -> None:
    assert deletable_tables() == [
        *("application", "charge", "guesses", "one_time_key", "passkey", "person_key", "photo", "recovery_code"),
        *("sealed_field", "search_hash", "secret", "sign_up", "tie"),
    ]
    assert not {*deletable_tables()} & {*append_only_tables()}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO alembic_version (version_num) VALUES ('9999')",
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM alembic_version",
        "CREATE TABLE more (id INTEGER)",
        "DROP TABLE line",
        "ALTER TABLE line ADD COLUMN note TEXT",
    ],
)
def test_the_service_does_not_change_what_the_tables_are(database: Database, statement: str) -> None:
    refuse(database.engine, statement)


SQLITE_ONLY = [
    "PRAGMA foreign_keys = OFF",
    "PRAGMA FOREIGN_KEYS = OFF",
    "PRAGMA Recursive_Triggers = OFF",
    "PRAGMA writable_Schema = ON",
    "PRAGMA main.Ignore_Check_Constraints(1)",
    "DELETE FROM sqlite_master WHERE type = 'trigger'",
    "UPDATE SQLITE_SCHEMA SET sql = '' WHERE type = 'trigger'",
    "INSERT INTO sqlite_master (type, name) VALUES ('trigger', 'none')",
    "CREATE TEMP TABLE entry (id TEXT)",
    "CREATE TEMP TRIGGER quiet BEFORE INSERT ON entry BEGIN SELECT 1; END",
    "DROP TRIGGER entry_no_update",
    "ATTACH 'other.db' AS other",
]


@pytest.mark.parametrize("statement", SQLITE_ONLY)
def test_sqlite_takes_no_guard_away(request: pytest.FixtureRequest, tmp_path: Path, statement: str) -> None:
    with (
        fresh_database("sqlite", request, tmp_path) as database,
        database.engine.connect() as connection,
        pytest.raises(DatabaseError, match=r"not authorized|may not be modified"),
    ):
        connection.exec_driver_sql(statement)


def test_sqlite_replaces_no_row_that_is_kept(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with fresh_database("sqlite", request, tmp_path) as database:
        with database.engine.begin() as connection:
            one_budget_entry(connection)
        for same in ("entry SELECT * FROM entry WHERE book_id = book_id", "book SELECT * FROM book"):
            with database.engine.connect() as connection, pytest.raises(DatabaseError, match=r"append-only|is kept"):
                connection.exec_driver_sql(f"INSERT OR REPLACE INTO {same}")


def one_budget_entry(connection: Connection) -> None:
    """Write a book, two accounts, a request, and an entry with its line, as rows."""
    ids = {name: new_id() for name in ("book", "source", "fund", "request", "entry")}
    dates = {"posted_at": START, "deed_on": START.date()}
    rows: list[tuple[type[Base], dict[str, Any]]] = [
        (Book, {"id": ids["book"], "number": 1, "name": "鼓楼区", "area_code": "320106", "zone": "Asia/Shanghai"}),
        *((Account, {"id": ids[kind], "kind": kind, "owner": new_id(), "opened_at": START}) for kind in ("source", "fund")),
        (Request, {"id": ids["request"], "actor": OPERATOR, "key": "k", "input_hash": b"", "at": START}),
        (
            Entry,
            {"id": ids["entry"], "from_account": ids["source"], "to_account": ids["fund"], "amount": 5, "kind": "budget"}
            | {"request_id": ids["request"], "position": 0, "actor": OPERATOR, "channel": "command"}
            | dates,
        ),
        (
            Line,
            {"account_id": ids["fund"], "number": 1, "entry_id": ids["entry"], "amount": 5, "before": 0, "after": 5}
            | {"term": 2026, "earned": 0}
            | dates,
        ),
    ]
    for model, row in rows:
        connection.execute(insert(model).values(row if model is Book else {"book_id": ids["book"], **row}))


def refuse(engine: Engine, statement: str) -> None:
    """Expect `statement` to be refused."""
    with engine.connect() as connection, pytest.raises(DatabaseError):
        connection.execute(text(statement))


def test_the_guard_sees_a_statement_without_its_book() -> None:
    assert unfiltered("SELECT tally.balance FROM tally WHERE tally.account_id = ?", "sqlite") == ("tally",)
    assert unfiltered("SELECT l.amount FROM line l JOIN entry e ON e.id = l.entry_id WHERE l.book_id = ?", "sqlite") == ("entry",)
    assert unfiltered("UPDATE tally SET held = 0 WHERE account_id = ?", "sqlite") == ("tally",)
    assert not unfiltered(
        "SELECT l.amount FROM line l JOIN entry e ON e.book_id = l.book_id AND e.id = l.entry_id WHERE l.book_id = ?", "sqlite"
    )
    assert not unfiltered("SELECT balance FROM tally WHERE book_id = %(book)s FOR NO KEY UPDATE", "postgresql")
