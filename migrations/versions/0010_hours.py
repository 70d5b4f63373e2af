"""Hours of service in the log: a queue of records that wait, a chain of those that are sealed; and leaves that are of no entry.

What was recorded before waits from here on, like everything that is recorded after; whoever has hours and no passbook yet is given one,
since the log knows accounts and no persons. On PostgreSQL the sealer alone writes the chain and empties the queue, as of entries (0009).
"""

from __future__ import annotations

from datetime import UTC
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from ledger.ids import new_id

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LOG = "(SELECT true FROM public.log l WHERE l.book_id = one.book_id)"
ENTRY = "(SELECT true FROM public.entry e WHERE e.book_id = one.book_id AND e.id = one.entry_id)"


def upgrade() -> None:
    """Make the tables, with their guards and rights, and fill the queue."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    (_loosen_postgresql if is_postgresql else _loosen_sqlite)()
    _make_tables()
    _open_passbooks()
    op.execute(
        "INSERT INTO unsealed_hours (book_id, hours_id, account_id) SELECT h.book_id, h.id, a.id FROM hours_record h "
        "JOIN account a ON a.book_id = h.book_id AND a.kind = 'passbook' AND a.owner = h.person_id"
    )
    (_guard_postgresql if is_postgresql else _guard_sqlite)()


def _loosen_postgresql() -> None:
    op.execute("ALTER TABLE leaf ALTER COLUMN entry_id DROP NOT NULL")
    # The trigger of 0009, for leaves that are of an entry.
    op.execute(
        "CREATE OR REPLACE FUNCTION leaf_is_of_an_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$ BEGIN "
        f"IF EXISTS (SELECT FROM brought one WHERE {LOG} IS NULL OR (one.entry_id IS NOT NULL AND {ENTRY} IS NULL)) THEN "
        "RAISE EXCEPTION 'leaf_is_of_an_entry' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$"
    )


def _loosen_sqlite() -> None:
    # As 0005 does: a copy of the table would lose its triggers.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'leaf' AND instr(sql, :old) > 0"),
        {"old": "entry_id TEXT NOT NULL", "new": "entry_id TEXT"},
    )
    assert changed.rowcount == 1, "leaf has its entry as 0008 made it"
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _make_tables() -> None:
    op.create_table(
        "unsealed_hours",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("hours_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id", "hours_id"], ["hours_record.book_id", "hours_record.id"], name=op.f("fk_unsealed_hours_book_id_hours_id")
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "account_id"], ["account.book_id", "account.id"], name=op.f("fk_unsealed_hours_book_id_account_id")
        ),
        sa.PrimaryKeyConstraint("book_id", "hours_id", name=op.f("pk_unsealed_hours")),
        sqlite_strict=True,
    )
    op.create_table(
        "sealed_hours",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hours_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_number", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("honour", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_sealed_hours_numbered_from_one")),
        sa.ForeignKeyConstraint(
            ["book_id", "account_id"], ["account.book_id", "account.id"], name=op.f("fk_sealed_hours_book_id_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "hours_id"], ["hours_record.book_id", "hours_record.id"], name=op.f("fk_sealed_hours_book_id_hours_id")
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "leaf_number"], ["leaf.book_id", "leaf.number"], name=op.f("fk_sealed_hours_book_id_leaf_number")
        ),
        sa.PrimaryKeyConstraint("book_id", "account_id", "number", name=op.f("pk_sealed_hours")),
        sa.UniqueConstraint("book_id", "hours_id", name=op.f("uq_sealed_hours_book_id_hours_id")),
        sqlite_strict=True,
    )


def _open_passbooks() -> None:
    connection = op.get_bind()
    hours = sa.table("hours_record", sa.column("book_id", sa.Uuid()), sa.column("person_id", sa.Uuid()), sa.column("recorded_at"))
    account = sa.table(
        "account", *(sa.column(name, sa.Uuid()) for name in ("book_id", "id", "owner")), *map(sa.column, ("kind", "opened_at"))
    )
    counted = ("lines", "balance", "held", "posted_at", "year")
    tally = sa.table("tally", *(sa.column(name, sa.Uuid()) for name in ("book_id", "account_id")), *map(sa.column, counted))
    own = (account.c.book_id == hours.c.book_id) & (account.c.kind == "passbook") & (account.c.owner == hours.c.person_id)
    without = sa.select(hours.c.book_id, hours.c.person_id, sa.func.min(hours.c.recorded_at)).select_from(hours.outerjoin(account, own))
    for book_id, person_id, first in connection.execute(
        without.where(account.c.id.is_(None)).group_by(hours.c.book_id, hours.c.person_id)
    ).all():  # fmt: skip
        opened, year = new_id(), datetime.fromtimestamp(first // 1_000_000, UTC).year
        row = {"book_id": book_id, "id": opened, "owner": person_id, "kind": "passbook", "opened_at": first}
        connection.execute(sa.insert(account).values(row))
        counters = {"lines": 0, "balance": 0, "held": 0, "posted_at": first, "year": year}
        connection.execute(sa.insert(tally).values(book_id=book_id, account_id=opened, **counters))


def _guard_postgresql() -> None:
    op.execute("GRANT SELECT ON sealed_hours, unsealed_hours TO passbook_service")
    op.execute("GRANT INSERT ON unsealed_hours TO passbook_service")
    op.execute("GRANT SELECT ON hours_record, sealed_hours, unsealed_hours TO passbook_sealer")
    op.execute("GRANT INSERT ON sealed_hours TO passbook_sealer")
    op.execute("GRANT DELETE ON unsealed_hours TO passbook_sealer")
    for name, event, each in (("no_change", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT")):
        op.execute(f"CREATE TRIGGER sealed_hours_{name} BEFORE {event} ON sealed_hours FOR EACH {each} EXECUTE FUNCTION refuse_change()")
        op.execute(f"ALTER TABLE sealed_hours ENABLE ALWAYS TRIGGER sealed_hours_{name}")


def _guard_sqlite() -> None:
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER sealed_hours_no_{act.lower()} BEFORE {act} ON sealed_hours "
            "BEGIN SELECT RAISE(ABORT, 'sealed_hours is append-only'); END"
        )
