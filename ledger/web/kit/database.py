"""The check at start: a database that is not at the newest shape, or lacks a guard, is not served from."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from ledger.store import missing_guards
from ledger.web.kit.extensions import db

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parents[3] / "migrations"


class NotReadyError(RuntimeError):
    """The database cannot be served from; the text says what to do."""


def check(app: Flask) -> None:
    """Raise NotReadyError unless the database of `app` is migrated and guarded; log what it is."""
    with app.app_context(), db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        if found != newest:
            raise NotReadyError(f"the database is at version {found}, this program needs {newest}: run `alembic upgrade head`")
        if unguarded := missing_guards(connection):
            raise NotReadyError(f"append-only tables without their triggers: {', '.join(unguarded)}; restore them before serving")
        if connection.dialect.name == "sqlite":
            version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            log.info("SQLite %s, journal mode %s, synchronous FULL", version, mode)
        else:
            log.info("PostgreSQL %s", connection.exec_driver_sql("SHOW server_version").scalar_one())
