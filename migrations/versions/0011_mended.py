"""An alarm says that a line is not what was sealed; a witness that moved or was ended may come back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ALARMS = "'witness-refused', 'till-refused', 'does-not-extend'"
WIDER_ALARMS = f"{ALARMS}, 'line-differs'"


def upgrade() -> None:
    """Widen the check of alarms; let one witness's key stand in several rows, of which one watches."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE alarm DROP CONSTRAINT ck_alarm_what_known")
        op.execute(f"ALTER TABLE alarm ADD CONSTRAINT ck_alarm_what_known CHECK (what IN ({WIDER_ALARMS}))")
        op.execute("ALTER TABLE witness DROP CONSTRAINT uq_witness_book_id_key")
    else:
        _widen_sqlite()
        _loosen_sqlite()
    watching = sa.text("ended_at IS NULL")
    op.create_index("ux_witness_watching", "witness", ["book_id", "key"], unique=True, sqlite_where=watching, postgresql_where=watching)


def _widen_sqlite() -> None:
    # As 0005 does: a copy of the table would lose its triggers.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :old, :new) WHERE name = 'alarm' AND instr(sql, :old) > 0"),
        {"old": f"what IN ({ALARMS})", "new": f"what IN ({WIDER_ALARMS})"},
    )
    assert changed.rowcount == 1, "alarm has the check of its kinds as 0008 left it"
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _loosen_sqlite() -> None:
    # A key that is part of a table goes with the table alone: it is made anew without it, and gets its triggers back.
    connection = op.get_bind()
    wanted = "SELECT type, sql FROM sqlite_schema WHERE tbl_name = 'witness' AND sql IS NOT NULL ORDER BY type = 'trigger'"
    (_, table), *more = connection.exec_driver_sql(wanted).all()
    unique = 'CONSTRAINT uq_witness_book_id_key UNIQUE (book_id, "key"), '
    assert unique in " ".join(table.split()), "witness has the key that 0008 gave it"
    made = " ".join(table.split()).replace(unique, "").replace("CREATE TABLE witness ", "CREATE TABLE new_witness ", 1)
    connection.exec_driver_sql(made)
    connection.exec_driver_sql("INSERT INTO new_witness SELECT * FROM witness WHERE book_id = book_id")
    connection.exec_driver_sql("DROP TABLE witness")
    connection.exec_driver_sql("ALTER TABLE new_witness RENAME TO witness")
    for _, statement in more:
        connection.exec_driver_sql(statement)
