"""The sealer has a role of its own, which alone writes the log; what leaf and side refer to is asked once a statement.

The service reads the log, and writes what it hears of others: cosignatures, alarms, witnesses. Whoever gets into it can no longer put a
leaf, a head or a key of the log into the book, nor empty the queue. SQLite has no roles: the authorizer of ledger/store.py stands in.

A key of the log comes with the word of the one before it, and says from which size on it signs. An alarm of a till keeps both heads.

Leaf and side get what 0006 gave to line and queue, for the same reasons: triggers that run once a statement and refuse what the foreign
keys refused, which stay declared and are no longer asked from PostgreSQL 18 on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: What the sealer alone inserts, what it writes of what others say, and what else it reads.
SEALERS = ("checkpoint", "leaf", "log", "log_key", "side", "tile")
HEARD = ("alarm", "cosignature")
READ = ("account", "alembic_version", "book", "entry", "line", "unsealed", "witness")

ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passbook_sealer') THEN CREATE ROLE passbook_sealer NOLOGIN; END IF;
END $$
"""

LOG = "(SELECT true FROM public.log l WHERE l.book_id = one.book_id)"
ENTRY = "(SELECT true FROM public.entry e WHERE e.book_id = one.book_id AND e.id = one.entry_id)"
ACCOUNT = "(SELECT true FROM public.account a WHERE a.book_id = one.book_id AND a.id = one.account_id)"
LEAF = "(SELECT true FROM public.leaf l WHERE l.book_id = one.book_id AND l.number = one.leaf_number)"

#: A trigger, its table, which rows it refuses, and the foreign keys that refused the same.
RULES = (
    ("leaf_is_of_an_entry", "leaf", f"{LOG} IS NULL OR {ENTRY} IS NULL", ("fk_leaf_book_id", "fk_leaf_book_id_entry_id")),
    (
        "side_is_of_a_leaf",
        "side",
        f"{ACCOUNT} IS NULL OR {LEAF} IS NULL",
        ("fk_side_book_id_account_id", "fk_side_book_id_leaf_number"),
    ),
)


def upgrade() -> None:
    """Add what keys and alarms carry, hand the log over to the sealer, and put the triggers up."""
    # The first key signs from the beginning; so does, as far as anybody knows, each that is there.
    op.add_column("log_key", sa.Column("after", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("log_key", sa.Column("note", sa.Text(), nullable=True))
    for name in ("note", "seen_note"):
        op.add_column("alarm", sa.Column(name, sa.Text(), nullable=True))
    if op.get_bind().dialect.name != "postgresql":
        return
    _hand_over()
    _ask_once_a_statement()


def _hand_over() -> None:
    op.execute(ROLE)
    op.execute(f"REVOKE INSERT ON {', '.join(SEALERS)} FROM passbook_service")
    op.execute("REVOKE DELETE ON unsealed FROM passbook_service")
    op.execute("GRANT USAGE ON SCHEMA public TO passbook_sealer")
    op.execute(f"GRANT SELECT ON {', '.join((*SEALERS, *HEARD, *READ))} TO passbook_sealer")
    op.execute(f"GRANT INSERT ON {', '.join((*SEALERS, *HEARD))} TO passbook_sealer")
    op.execute("GRANT DELETE ON unsealed TO passbook_sealer")


def _ask_once_a_statement() -> None:
    for name, table, condition, keys in RULES:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$ BEGIN "
            f"IF EXISTS (SELECT FROM brought one WHERE {condition}) THEN "
            f"RAISE EXCEPTION '{name}' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS brought FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        if op.get_bind().dialect.server_version_info >= (18,):
            for key in keys:
                op.execute(f"ALTER TABLE {table} ALTER CONSTRAINT {key} NOT ENFORCED")
