"""The statement guard: every statement on a tenant table filters on its book, or joins it by book to a table that is filtered.

It stands for Citus, where there is none: there, a statement without the tenant would go to every shard, or be refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import sqlglot
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event
from sqlglot import exp

from ledger.store import Base

_MANY = re.compile(r"\(\?(?:, \?)+\)")


def tenant_tables() -> frozenset[str]:
    """Return the names of the tables that are kept per book."""
    return frozenset(table.name for table in Base.metadata.tables.values() if not table.info["is_global"])


@lru_cache(maxsize=4096)
def unfiltered(statement: str, dialect: str) -> tuple[str, ...]:
    """Return the tenant tables that `statement` reads or changes without naming their book in a condition."""
    tree = sqlglot.parse_one(statement, dialect="postgres" if dialect == "postgresql" else "sqlite")
    found: list[str] = []
    for scope in tree.find_all(exp.Select, exp.Update, exp.Delete):
        tables = [table for table in scope.find_all(exp.Table) if table.find_ancestor(exp.Select, exp.Update, exp.Delete) is scope]
        conditions = [node for node in scope.find_all(exp.EQ, exp.In) if not isinstance(node.parent, exp.Update)]
        filtered = {
            column.table
            for node in conditions
            for column in (node.this, *([node.expression] if isinstance(node, exp.EQ) else []))
            if isinstance(column, exp.Column) and column.name == "book_id"
        }
        found += [
            table.name
            for table in tables
            if table.name in tenant_tables() and table.alias_or_name not in filtered and not ("" in filtered and len(tables) == 1)
        ]
    return tuple(found)


def listen() -> None:
    """Check every statement of every engine from now on."""

    @event.listens_for(Engine, "before_cursor_execute")
    def check(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            return
        if "pg_catalog.pg_" in statement and not tenant_tables() & set(re.findall(r"\w+", statement)):
            return  # what the tables are, which is nobody's
        # However many values there are, it is the same statement.
        tables = unfiltered(_MANY.sub("(?)", statement), connection.dialect.name)
        assert not tables, f"{', '.join(tables)}: no book_id in a condition of: {statement}"
