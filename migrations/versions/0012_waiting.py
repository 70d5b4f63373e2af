"""What waits for a second administrator is found by its index: every page of staff looks for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes."""
    asked, unconfirmed = sa.text("erasure_asked_by IS NOT NULL"), sa.text("confirmed_by IS NULL")
    op.create_index("ix_person_erasure_asked", "person", ["book_id", "id"], sqlite_where=asked, postgresql_where=asked)
    op.create_index(
        "ix_role_grant_unconfirmed", "role_grant", ["book_id", "role", "id"], sqlite_where=unconfirmed, postgresql_where=unconfirmed
    )  # fmt: skip
