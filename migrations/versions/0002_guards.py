"""The guards: what is appended is never changed, by rights and by triggers; nobody decides on what concerns themselves.

On PostgreSQL the service signs in as a member of the role `passbook_service`, which lacks the right to change or delete a line;
the triggers stop the owner of the tables too (ENABLE ALWAYS: also under session_replication_role). SQLite has no roles:
there the triggers stand alone, with the authorizer of ledger/store.py before them.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: As they were when this migration was written; a later table brings its guards in its own migration.
APPEND_ONLY = (
    "account",
    "answer",
    "decision",
    "ended_tie",
    "entry",
    "hold",
    "hold_end",
    "hours_record",
    "line",
    "request",
    "spent_step",
    "stock_movement",
    "void",
    "wrong_digits",
    "wrong_try",
)

#: Of these the service deletes rows; of no others, so that nothing that points hang on can vanish.
DELETABLE = ("charge", "person_key", "sealed_field", "sign_up", "tie")

ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passbook_service') THEN CREATE ROLE passbook_service NOLOGIN; END IF;
END $$
"""

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    """Put the guards up."""
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    op.execute(ROLE)
    op.execute(REFUSE)
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    op.execute("GRANT USAGE ON SCHEMA public TO passbook_service")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO passbook_service")
    op.execute(f"GRANT DELETE ON {', '.join(DELETABLE)} TO passbook_service")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM passbook_service")
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM passbook_service")
        op.execute(f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate")


def _guard_sqlite() -> None:
    # No authorizer is asked about what INSERT OR REPLACE deletes; a trigger is.
    for table in sorted(set(inspect(op.get_bind()).get_table_names()) - {*APPEND_ONLY, *DELETABLE, "alembic_version"}):
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{table} is kept'); END")
    for table in APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
