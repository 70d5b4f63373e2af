"""The migrations make the very shape that the models say: what a model changes, a migration changes too."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger import journal
from ledger.activities import HoursRecord
from ledger.activities import UnsealedHours
from ledger.areas.model import Area
from ledger.areas.model import Book
from ledger.ids import new_id
from ledger.people import Person
from ledger.store import Base
from ledger.store import engine_for
from ledger.store import missing_guards
from tests.conftest import ROOT
from tests.conftest import START


def test_the_migrations_make_what_the_models_say(owner: Engine) -> None:
    with owner.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def migrated(engine: Engine, revision: str) -> None:
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["engine"] = engine
    command.upgrade(config, revision)


def test_hours_that_were_recorded_before_the_log_had_any_wait_for_it_under_their_passbooks(owner: Engine, tmp_path: Path) -> None:
    engine = owner
    if owner.dialect.name == "sqlite":
        engine = engine_for(f"sqlite:///{tmp_path / 'before.db'}", migrating=True, poolclass=NullPool)
    else:
        with owner.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    migrated(engine, "0008")
    book_id, (with_passbook, without), hours = new_id(), (new_id(), new_id()), [new_id() for _ in range(3)]
    with Session(engine) as session:
        session.execute(insert(Book).values(id=book_id, number=1, name="鼓楼区", area_code="320106", zone="Asia/Shanghai"))
        session.execute(insert(Area).values(book_id=book_id, code="320106", name="鼓楼区", level="county", path="320106/"))
        plain = {"book_id": book_id, "area_code": "320106", "is_resident": True, "status": "active", "created_at": START}
        for number, one in enumerate((with_passbook, without)):
            session.execute(insert(Person).values(**plain, id=one, handle=f"{number:08}"))
        kept = journal.open_accounts(session, book_id, [("passbook", with_passbook)], START)["passbook", with_passbook]
        for number, (one, person_id) in enumerate(zip(hours, (with_passbook, without, without), strict=True)):
            told = {"kind": "credit", "minutes": 5, "served_on": START.date(), "reference": new_id()}
            at = START + timedelta(minutes=number)
            session.execute(insert(HoursRecord).values(book_id=book_id, id=one, person_id=person_id, recorded_at=at, **told))
        session.commit()
    migrated(engine, "head")
    with Session(engine) as session:
        opened = journal.account_of(session, book_id, "passbook", without)
        waiting = session.execute(select(UnsealedHours.hours_id, UnsealedHours.account_id).where(UnsealedHours.book_id == book_id))
        assert {tuple(row) for row in waiting} == {(hours[0], kept), (hours[1], opened), (hours[2], opened)}
        balance = journal.balance_of(session, book_id, opened, START + timedelta(days=1))
        assert (balance.lines, balance.balance) == (0, 0)
        session.rollback()
        assert journal.verify(session, book_id, START + timedelta(days=1)) == []
        session.rollback()
        assert missing_guards(session.connection()) == []
    engine.dispose()
