"""What the edge keeps beside each request: the database session, the languages, and the services handed in at start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from flask import current_app
from flask import g
from flask import has_request_context
from flask import request
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session

from ledger import store
from ledger.clock import Clock
from ledger.people import Vault
from ledger.settings import Settings
from ledger.store import Base

db = SQLAlchemy(metadata=Base.metadata)
babel = Babel()

LANGUAGES = ("zh_Hans_CN", "en")
LANGUAGE_COOKIE = "language"


@dataclass(frozen=True)
class Services:
    """What the whole application shares."""

    settings: Settings
    clock: Clock
    vault: Vault


def services() -> Services:
    """Return the services of the running application."""
    found: Services = current_app.extensions["passbook"]
    return found


def session() -> Session:
    """Return the session of the request: it begins by reading, which on SQLite waits for no writer.

    On PostgreSQL each statement sees what was committed before it, in a transaction or not: so reading begins none, and need not end it.
    """
    current: Session = db.session()
    if has_request_context() and "session_begun" not in g:
        g.session_begun = True
        reading = {"sqlite_begin": "DEFERRED"} if db.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        current.connection(execution_options=reading)
    return current


def end_reading(*kept: object) -> None:
    """End what a request that will write has read so far, and keep the objects `kept`: the next statement begins the write.

    Between the two the body comes in, as slowly as its sender likes; nobody waits for it with a lock or a connection.
    """
    for thing in kept:
        db.session.expunge(thing)
    db.session.rollback()
    g.session_begun = True


def end_writing() -> None:
    """Let what is still asked after a write be mere reading again, which waits for nobody."""
    g.pop("session_begun", None)


@contextmanager
def transaction_of_its_own() -> Iterator[Session]:
    """Give a session that writes although its request only reads, and commit it; until then the request itself reads nothing."""
    # The request's own transaction would take a second connection, and not see what is written.
    db.session.rollback()
    with Session(db.engine) as own, own.begin():
        yield own
    g.pop("session_begun", None)
    session()


def language() -> str:
    """Return the language to answer in: the one that was chosen, else the one the browser asks for."""
    if not has_request_context():
        return LANGUAGES[0]
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh")
    return "en" if best == "en" else LANGUAGES[0]


def init(app: Flask, services: Services) -> None:
    """Attach everything to `app`."""
    app.extensions["passbook"] = services
    url = store.absolute(services.settings.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = store.engine_options(url) | {"pool_size": 20}
    db.init_app(app)
    babel.init_app(app, default_locale=LANGUAGES[0], locale_selector=language)
    with app.app_context():
        store.prepare(db.engine)
