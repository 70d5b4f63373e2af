"""How Alembic reaches the database: an engine handed over in `config.attributes`, else PASSBOOK_DATABASE_URL."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from alembic import context

from ledger.store import Base
from ledger.store import engine_for

# Every table of both packages must be known before the metadata is compared.
for package in ("ledger", "redeem"):
    for model in (Path(__file__).parent.parent / package).glob("*/model.py"):
        importlib.import_module(f"{package}.{model.parent.name}.model")


def migrate() -> None:
    """Run the migrations in one transaction."""
    engine = context.config.attributes.get("engine") or engine_for(os.environ["PASSBOOK_DATABASE_URL"], migrating=True)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=False, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()


migrate()
