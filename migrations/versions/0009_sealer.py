"""The sealer has a role of its own, which alone writes the log.

The service reads the log, and writes what it hears of others: cosignatures, alarms, witnesses. Whoever gets into it can no longer put a
leaf, a head or a key of the log into the book, nor empty the queue. SQLite has no roles: the authorizer of ledger/store.py stands in.
"""

from __future__ import annotations

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


def upgrade() -> None:
    """Hand the log over to the sealer."""
    if op.get_bind().dialect.name != "postgresql":
        return
    _hand_over()


def _hand_over() -> None:
    op.execute(ROLE)
    op.execute(f"REVOKE INSERT ON {', '.join(SEALERS)} FROM passbook_service")
    op.execute("REVOKE DELETE ON unsealed FROM passbook_service")
    op.execute("GRANT USAGE ON SCHEMA public TO passbook_sealer")
    op.execute(f"GRANT SELECT ON {', '.join((*SEALERS, *HEARD, *READ))} TO passbook_sealer")
    op.execute(f"GRANT INSERT ON {', '.join((*SEALERS, *HEARD))} TO passbook_sealer")
    op.execute("GRANT DELETE ON unsealed TO passbook_sealer")
