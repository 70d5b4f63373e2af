"""How the database is spoken to: the base of all tables, their column types, and one set-up for SQLite and for PostgreSQL.

Plain SQLAlchemy; Flask-SQLAlchemy is handed this metadata at the edge (docs/adr/0002).
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from functools import cache
from functools import partial
from pathlib import Path
from typing import Any
from typing import TypeVar
from uuid import UUID

import psycopg
import pysqlite3.dbapi2
from psycopg import pq
from sqlalchemy import ARRAY
from sqlalchemy import JSON
from sqlalchemy import BigInteger
from sqlalchemy import BinaryExpression
from sqlalchemy import BindParameter
from sqlalchemy import Boolean
from sqlalchemy import CheckConstraint
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import Date
from sqlalchemy import Dialect
from sqlalchemy import Engine
from sqlalchemy import Insert
from sqlalchemy import LargeBinary
from sqlalchemy import MetaData
from sqlalchemy import SmallInteger
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import Tuple
from sqlalchemy import TypeDecorator
from sqlalchemy import Update
from sqlalchemy import Uuid
from sqlalchemy import bindparam
from sqlalchemy import cast
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import literal_column
from sqlalchemy import make_url
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import type_coerce
from sqlalchemy import update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.pool import NullPool
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import in_op
from sqlalchemy.sql.visitors import cloned_traverse
from sqlalchemy.types import NullType

from ledger.turns import Turns
from ledger.turns import turns_at

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

#: Tables whose rows are inserted and never changed: refused by rights on PostgreSQL, by triggers on both (see migrations).
#: A table adds itself with `info={"append_only": True}` in its `table_args`.
APPEND_ONLY = "append_only"
#: Tables of which the service may delete rows, by the same rights and triggers: what is ended or erased, and nothing that points hang on.
DELETABLE = "deletable"
#: The columns that the service may change, of each table: by rights of PostgreSQL, and by the authorizer of SQLite below.
CHANGES = "changes"
#: What only the sealer does to a table, and the service does not: "insert" or "delete".
SEALERS = "sealers"

#: The databases' own patience, in milliseconds: a statement, and a wait for somebody else's lock (law 5: a bounded time).
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
#: So many read a whole book side by side, at most.
_READERS_AT_MOST = 8
#: So many statements the service keeps as they were put together, and each connection prepared: more than it has.
STATEMENTS_KEPT = 1_000
#: A connection that rested for so many seconds is tried before it is used: the server may have gone away meanwhile.
TRY_AFTER_S = 5.0
Found = TypeVar("Found")
_A_WORD = re.compile(r"[a-z_-]+")
_AN_ID = re.compile(r"[0-9a-f]{32}")


class Instant(TypeDecorator[datetime]):
    """A moment: an aware UTC datetime in Python, integer microseconds since 1970 in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into microseconds."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a moment."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


def to_microseconds(moment: datetime) -> int:
    """Return `moment` (aware) as whole microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own way of stating it
        str: Text,
        int: BigInteger,
        bool: Boolean,
        datetime: Instant,
        date: Date,
        UUID: Uuid,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
    }


def table_args(
    *constraints: Any, changes: Sequence[str] = (), append_only: bool = False, deletable: bool = False, sealers: str = "",
    is_global: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """Return `__table_args__`: the constraints, strict on SQLite.

    `changes`: the columns that the service may change, and no others; a migration grants the same. `append_only`: the database refuses to
    change or delete its rows. `deletable`: the service may delete them, as it may of no other table. `sealers`: what the sealer alone does
    to it, "insert" or "delete". `is_global`: not kept per book, so `book_id` does not lead its keys.
    """
    info = {CHANGES: frozenset(changes), APPEND_ONLY: append_only, DELETABLE: deletable, SEALERS: sealers, "is_global": is_global}
    return (*constraints, {"sqlite_strict": True, "info": info})


def one_of(column: str, *values: str, nullable: bool = False) -> CheckConstraint:
    """Return the CHECK that `column` holds one of `values` (or nothing, where `nullable`)."""
    listed = ", ".join(f"'{value}'" for value in values)
    either = f"{column} IS NULL OR " if nullable else ""
    return CheckConstraint(f"{either}{column} IN ({listed})", name=f"{column}_known")


# A STRICT table of SQLite knows INT, INTEGER, REAL, TEXT, BLOB and ANY, and refuses values of another type.
def _as(name: str) -> Any:
    return lambda element, compiler, **options: name


for _integer in (BigInteger, SmallInteger, Boolean):
    compiles(_integer, "sqlite")(_as("INTEGER"))
for _text in (Uuid, Date, JSON):
    compiles(_text, "sqlite")(_as("TEXT"))


@compiles(BinaryExpression, "postgresql")
def _one_of_many(element: BinaryExpression[Any], compiler: SQLCompiler, **options: Any) -> str:
    # Of so many values PostgreSQL is given one array: the statement is the same however many there are, so it is put together, prepared
    # and planned once. Not where a page is asked for: of one value it is to be an equality, so that an index gives the page its order.
    many = element.right
    is_page = getattr(compiler.current_executable, "_has_row_limiting_clause", False)
    is_of_values = element.operator is in_op and not isinstance(element.left, Tuple) and not is_page
    if is_of_values and isinstance(many, BindParameter) and many.expanding and not isinstance(many.type, NullType):
        # Under its own key: the same condition in two places of a statement stays the same.
        array: BindParameter[Any] = cloned_traverse(many, {"maintain_key": True}, {})
        array.expanding, array.type = False, ARRAY(many.type, dimensions=1)
        return f"{compiler.process(element.left, **options)} = ANY ({compiler.process(array, **options)})"
    written: str = compiler.visit_binary(element, **options)  # type: ignore[no-untyped-call]  # it has no types
    return written


def engine_for(url: str, *, migrating: bool = False, sealing: bool = False, **options: Any) -> Engine:
    """Return an engine for `url` set up the way this project needs it; only migrations change the shape of things, only sealers the log."""
    engine = create_engine(url, **engine_options(url), **options)
    prepare(engine, migrating=migrating, sealing=sealing)
    return engine


def absolute(url: str) -> str:
    """Return `url` with the path of an SQLite file made absolute: Flask-SQLAlchemy would look for a relative one in a folder of its own."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite" and made.database and made.database != ":memory:":
        made = made.set(database=str(Path(made.database).resolve()))
    return made.render_as_string(hide_password=False)


def engine_options(url: str) -> dict[str, Any]:
    """Return what `create_engine` must be given for `url`."""
    # An error's text goes to the log: what was told of people must not stand in it.
    always = {"hide_parameters": True, "query_cache_size": STATEMENTS_KEPT}
    if make_url(url).get_backend_name() == "sqlite":
        # Python's own SQLite may have the WAL-reset bug (3.7.0 to 3.51.2); this driver carries one that has not.
        connecting = {"factory": _SQLiteConnection, "timeout": LOCK_TIMEOUT_MS / 1000, "check_same_thread": False}
        return always | {"module": pysqlite3.dbapi2, "connect_args": connecting | {"cached_statements": STATEMENTS_KEPT}}
    timeouts = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC"
    return always | {"connect_args": {"options": timeouts}}


class _SQLiteConnection(pysqlite3.dbapi2.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that writes when it is its turn, and lets the next one go when its transaction has ended."""

    def __init__(self, database: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(database, *args, **kwargs)
        # A database in memory is its connection's own.
        self._turns: Turns | None = None if database == ":memory:" else turns_at(database)
        self._is_its_turn = False

    def begin_writing(self) -> None:
        """Wait for its turn, as long as the connection is patient, and begin; raise the driver's own OperationalError after that."""
        ((patience_ms,),) = self.execute("PRAGMA busy_timeout")
        if self._turns and not self._is_its_turn:
            if not self._turns.take(patience_ms / 1000):
                raise pysqlite3.dbapi2.OperationalError("database is locked")
            self._is_its_turn = True
        try:
            self.execute("BEGIN IMMEDIATE")
        finally:
            self._end_turn()

    def commit(self) -> None:
        """Commit, and let the next one go."""
        super().commit()
        self._end_turn()

    def rollback(self) -> None:
        """Take back what was written, and let the next one go."""
        super().rollback()
        self._end_turn()

    def close(self) -> None:
        """Close, and let the next one go."""
        super().close()
        self._end_turn(is_closed=True)

    def _end_turn(self, *, is_closed: bool = False) -> None:
        if self._turns and self._is_its_turn and (is_closed or not self.in_transaction):
            self._is_its_turn = False
            self._turns.leave()


class _PostgreSQLConnection(psycopg.Connection[Any]):
    """A connection that keeps what it has prepared."""

    def rollback(self) -> None:
        """Take back what was written.

        The driver's own way forgets every prepared statement with it, as some might be of tables that are taken back too: planning them
        anew was half of what the database did. Here nobody makes tables but the migrations, over connections of their own.
        """
        with self.lock:
            if self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                done = self.pgconn.exec_(b"ROLLBACK")
                if done.status != pq.ExecStatus.COMMAND_OK:
                    raise psycopg.OperationalError(done.get_error_message())


def prepare(engine: Engine, *, migrating: bool = False, sealing: bool = False) -> None:
    """Attach to `engine` what each new connection and transaction needs."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if not migrating:
            event.listen(engine, "connect", partial(_authorise_sqlite, sealing))
    else:
        event.listen(engine, "do_connect", _connect_to_postgresql)
        event.listen(engine, "checkin", _rest)
        event.listen(engine, "checkout", partial(_try_rested, engine.dialect))


def _connect_to_postgresql(dialect: Dialect, record: ConnectionPoolEntry, arguments: Any, options: Any) -> Any:
    connection = _PostgreSQLConnection.connect(*arguments, **options)
    connection.prepared_max = STATEMENTS_KEPT
    return connection


def _rest(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _try_rested(dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
    # As SQLAlchemy's `pool_pre_ping`, which tries each connection each time: a round trip for every request of a busy service.
    if time.monotonic() - record.info.get("rests_since", math.inf) < TRY_AFTER_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as lost:
        raise DisconnectionError from lost


# What is deleted is overwritten: an erased person's key must not stay in a page that is free.
_PRAGMAS = (
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON"),
    f"busy_timeout={LOCK_TIMEOUT_MS}",
)


def _set_up_sqlite(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    # The driver must never begin by itself: its own way silently lost 445 of 600 updates.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes the lock first and never has to upgrade; a reader says so with the option `sqlite_begin="DEFERRED"`.
    if (mode := connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")) != "IMMEDIATE":
        connection.exec_driver_sql(f"BEGIN {mode}")
        return
    try:
        connection.connection.driver_connection.begin_writing()
    except pysqlite3.dbapi2.OperationalError as locked:
        raise OperationalError("BEGIN IMMEDIATE", None, locked) from locked


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns in one statement; what they leave out is empty.

    The plain table, not the class: none of the mapper's care is needed, which costs more than the database does.
    """
    if rows:
        session.connection().execute(_insert(model), rows)


def update_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Change rows of the same columns, told by their keys, in one statement; as with `insert_rows`, no object that was read changes."""
    if rows:
        changed = frozenset(rows[0]) - {column.name for column in model.__mapper__.primary_key}
        told = [{f"to_{name}" if name in changed else f"of_{name}": value for name, value in row.items()} for row in rows]
        session.connection().execute(_update(model, changed), told)


def words(known: Iterable[str]) -> list[ColumnElement[str]]:
    """Return words of the code itself, for `in_`: as they stand in a statement, and no parameters, which are written out anew each time."""
    listed = sorted(known)
    assert all(_A_WORD.fullmatch(word) for word in listed), listed
    return [literal_column(f"'{word}'", String()) for word in listed]


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


@cache
def _insert(model: type[Base]) -> Insert:
    return insert(_table(model))


@cache
def _update(model: type[Base], changed: frozenset[str]) -> Update:
    these = [column == bindparam(f"of_{column.name}") for column in model.__mapper__.primary_key]
    return update(_table(model)).where(*these).values({name: bindparam(f"to_{name}") for name in sorted(changed)})


def snapshot(session: Session, same: str | None = None) -> None:
    """Begin the session's transaction as one snapshot of everything, which only reads and blocks no writer.

    On PostgreSQL it is the `same` that another session has given (`exported_snapshot`), if that one's transaction still goes on.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.connection(execution_options={"sqlite_begin": "DEFERRED"})
        return
    connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
    if same is not None:
        connection.execute(text(f"SET TRANSACTION SNAPSHOT {literal(same).compile(connection, compile_kwargs={'literal_binds': True})}"))


def exported_snapshot(session: Session) -> str:
    """Return the name of what this session sees on PostgreSQL, for others to see the same while its transaction goes on."""
    return str(session.execute(select(func.pg_export_snapshot())).scalar_one())


def without_haste(session: Session) -> None:
    """Let this transaction's statements take their time, and memory to sort in: a whole book takes more than anything else may.

    On SQLite text that is none is read as well (whoever has the file writes what they like), and is no other text.
    """
    if session.get_bind().dialect.name == "sqlite":
        driver: Any = session.connection().connection.driver_connection
        driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = 0"))
        # It may do nothing while others read by the snapshot that it gave them.
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        session.execute(text("SET LOCAL work_mem = '64MB'"))


def read_beside(session: Session, readings: Sequence[Callable[[Session], Found]]) -> Iterator[Found]:
    """Let each of these read what the session sees, and return what each found, in their order.

    On PostgreSQL they read side by side, each by a connection of its own, as many as there are processors; what the session itself has
    written and not yet committed they do not see. What has no connection, or waits for somebody who waits for this session, is read by the
    session itself. SQLite has no snapshot that could be shared: there one reads after the other.
    """
    engine = session.get_bind().engine
    if engine.dialect.name != "postgresql":
        yield from (reading(session) for reading in readings)
        return
    same = exported_snapshot(session)

    def read(reading: Callable[[Session], Found]) -> Found:
        with Session(engine) as beside:
            snapshot(beside, same)
            without_haste(beside)
            return reading(beside)

    with ThreadPoolExecutor(readers_at_once()) as readers:
        begun = [readers.submit(read, reading) for reading in readings]
        for reading, found in zip(readings, begun, strict=True):
            try:
                yield found.result()
            except OperationalError:
                yield reading(session)


def readers_at_once() -> int:
    """Return how many read a whole book side by side: as many as this process may use processors, and not more than eight."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _READERS_AT_MOST)


def strange_ids(session: Session, book_id: UUID, tables: Iterable[type[Base]]) -> Iterator[tuple[str, str]]:
    """Tell where rows of a book have an id that is none, and which: SQLite keeps whatever its owner writes, PostgreSQL refuses it."""
    if session.get_bind().dialect.name != "sqlite":
        return
    for table in tables:
        columns = [column for column in table.__table__.columns if column.name != "book_id"]
        ids = [type_coerce(column, String).label(column.name) for column in columns if isinstance(column.type, Uuid)]
        key = [type_coerce(column, String) for column in columns if column.primary_key]
        wanted = select(*key, *ids).where(
            # By its bytes: SQLite takes whatever stands behind a NUL for nothing.
            table.__table__.c.book_id == book_id,
            or_(*(or_(func.length(cast(one, LargeBinary)) != 32, one.op("GLOB")("*[^0-9a-f]*")) for one in ids)),
        )  # fmt: skip
        for row in session.connection().execute(wanted):
            place = f"{table.__tablename__} {' '.join(map(str, row[: len(key)]))}"
            for column, value in zip(ids, row[len(key) :], strict=True):
                if value is not None and not _AN_ID.fullmatch(value):
                    yield place, f"has an id that is none, {column.name} {value!a}"


def append_only_tables() -> list[str]:
    """Return the names of the tables whose rows are inserted and never changed."""
    return sorted(table.name for table in Base.metadata.tables.values() if table.info.get(APPEND_ONLY))


def deletable_tables() -> list[str]:
    """Return the names of the tables of which the service may delete rows."""
    return sorted(table.name for table in Base.metadata.tables.values() if table.info.get(DELETABLE))


def sealers_tables(act: str) -> list[str]:
    """Return the names of the tables to which the sealer alone does `act`: "insert" or "delete"."""
    return sorted(table.name for table in Base.metadata.tables.values() if table.info[SEALERS] == act)


def changing_columns() -> dict[str, frozenset[str]]:
    """Return of each table the names of the columns that the service may change."""
    return {table.name: table.info[CHANGES] for table in Base.metadata.tables.values()}


# What SQLite's authorizer is asked (https://www.sqlite.org/c3ref/c_alter_table.html), as far as the service never may.
_DELETE, _INSERT, _UPDATE, _PRAGMA = 9, 18, 23, 19
_SHAPE = frozenset({5, 7, 11, 14, 16, 17, 24, 26})  # temporary or dropped tables, triggers and views; ATTACH; ALTER TABLE
_SWITCHES = frozenset({"writable_schema", "recursive_triggers", "foreign_keys", "ignore_check_constraints"})
#: What the tables are, and which migrations they have had.
_CATALOGUE = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "alembic_version"})


def _authorise_sqlite(sealing: bool, connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    # SQLite has no roles: this stands in for the rights that the service lacks on PostgreSQL. Who seals may do what the service may, too.
    changing, not_inserted = changing_columns(), frozenset() if sealing else frozenset(sealers_tables("insert"))
    deletable = frozenset(deletable_tables() + (sealers_tables("delete") if sealing else []))

    def allowed(code: int, first: str | None, second: str | None, schema: str | None, source: str | None) -> int:
        # A table is named as it was made, a PRAGMA as whoever asks has written it.
        refused = (
            code in _SHAPE
            or (code == _DELETE and first not in deletable)
            or (code == _INSERT and first in not_inserted)
            or (code == _UPDATE and second not in changing.get(first or "", ()))
            or (code in (_DELETE, _INSERT, _UPDATE) and (first or "").lower() in _CATALOGUE)
            or (code == _PRAGMA and (first or "").lower() in _SWITCHES and second is not None)
        )
        return 1 if refused else 0

    connection.set_authorizer(allowed)


class ScrubError(RuntimeError):
    """What was deleted cannot be cleared away now; the text says why."""


def scrub(url: str, further: Iterable[str]) -> None:
    """Clear away what was deleted or replaced, in the tables of which rows may be deleted and in `further` ones, as their owner.

    Until then PostgreSQL keeps it in dead rows, and SQLite in its log and in the slack of its pages.
    """
    engine = create_engine(url, poolclass=NullPool, **engine_options(url))
    tables = sorted({*deletable_tables(), *further})
    # The driver's own connection: none of this can be done inside a transaction.
    connection = engine.raw_connection()
    try:
        (_scrub_sqlite if engine.dialect.name == "sqlite" else _scrub_postgresql)(connection.driver_connection, tables)
    finally:
        connection.close()


def _scrub_sqlite(connection: Any, tables: Sequence[str]) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={LOCK_TIMEOUT_MS}")
    cursor.execute("VACUUM")
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if cursor.fetchone()[0]:
        raise ScrubError("the database is being read: what was deleted is still in its log / 有人正在读取，日志里还有残留：try again")


def _scrub_postgresql(connection: Any, tables: Sequence[str]) -> None:
    connection.autocommit = True
    cursor = connection.cursor()
    # PostgreSQL only warns where somebody else's table is to be vacuumed, and does not do it.
    foreign = cursor.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s) AND NOT pg_has_role(relowner, 'USAGE')", [list(tables)])
    if names := sorted(name for (name,) in foreign.fetchall()):
        raise ScrubError(f"only the owner of {', '.join(names)} can do this / 只有表的所有者可以：use the role that runs the migrations")
    cursor.execute("SET statement_timeout = 0")
    for table in tables:
        cursor.execute(f"VACUUM (FULL) {table}")


def missing_guards(connection: Connection) -> list[str]:
    """Return the append-only tables that lack a trigger: a copy-and-move migration of SQLite drops them without a word."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
        wanted = ("update", "delete")
    else:
        found = connection.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'").scalars()
        wanted = ("change", "truncate")
    present = set(found)
    return [table for table in append_only_tables() if not all(f"{table}_no_{act}" in present for act in wanted)]
