"""The log over each book: leaves, sides, tiles, checkpoints, witnesses; and the right to empty the queue of what is not sealed yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPEND_ONLY = ("alarm", "checkpoint", "cosignature", "leaf", "log", "log_key", "side", "tile")


def upgrade() -> None:
    """Make the tables, with their guards and rights."""
    _make_tables()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _make_tables() -> None:
    _table("log", ("book_id",), _text("origin"), _whole("begun_at"), _key("book_id", to="book.id"))
    _table("log_key", ("book_id", "key"), _text("key"), _whole("since"), _key("book_id", to="log.book_id"))
    _table(
        "leaf", ("book_id", "number"), _whole("number"), _id("entry_id"), _bytes("salt"), _bytes("data"), _bytes("hash"),
        _key("book_id", to="log.book_id"), _key("book_id", "entry_id", to="entry.id"),
        sa.UniqueConstraint("book_id", "entry_id", name=op.f("uq_leaf_book_id_entry_id")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_leaf_numbered_from_zero")),
    )  # fmt: skip
    _table(
        "side", ("book_id", "account_id", "number"),
        _id("account_id"), _whole("number"), _whole("leaf_number"), _bytes("salt"), _bytes("hash"),
        _key("book_id", "account_id", to="account.id"), _key("book_id", "leaf_number", to="leaf.number"),
        sa.CheckConstraint("number >= 1", name=op.f("ck_side_numbered_from_one")),
    )  # fmt: skip
    _table(
        "tile", ("book_id", "level", "number"), _whole("level"), _whole("number"), _bytes("hashes"), _bytes("root"),
        _key("book_id", to="log.book_id"),
        sa.CheckConstraint("level >= 0 AND number >= 0", name=op.f("ck_tile_counted_from_zero")),
    )  # fmt: skip
    _table(
        "checkpoint",
        ("book_id", "size"),
        _whole("size"),
        _bytes("root"),
        _text("note"),
        _whole("signed_at"),
        _key("book_id", to="log.book_id"),
    )
    _table(
        "cosignature", ("book_id", "size", "witness"), _whole("size"), _text("witness"), _text("line"), _whole("added_at"),
        _key("book_id", "size", to="checkpoint.size"),
    )  # fmt: skip
    _table(
        "alarm", ("book_id", "id"),
        _id("id"), _text("what"), _text("witness"), _whole("size"), _whole("seen", nullable=True), _bytes("root"),
        _whole("at"), _key("book_id", to="log.book_id"),
        sa.CheckConstraint("what IN ('witness-refused', 'till-refused', 'does-not-extend')", name=op.f("ck_alarm_what_known")),
    )  # fmt: skip
    _table(
        "witness", ("book_id", "id"), _id("id"), _text("key"), _text("address", nullable=True), _id("device_id", nullable=True),
        _whole("added_at"), _whole("ended_at", nullable=True), _key("book_id", to="log.book_id"),
        sa.UniqueConstraint("book_id", "key", name=op.f("uq_witness_book_id_key")),
        sa.CheckConstraint("(address IS NULL) <> (device_id IS NULL)", name=op.f("ck_witness_asked_or_comes_by_itself")),
    )  # fmt: skip


def _table(name: str, keys: tuple[str, ...], *parts: sa.Column | sa.Constraint) -> None:
    named = [part if isinstance(part, sa.Column) or part.name else _named(name, part) for part in parts]
    key = sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{name}"))
    op.create_table(name, _id("book_id"), *named, key, sqlite_strict=True)


def _named(table: str, key: sa.Constraint) -> sa.Constraint:
    key.name = op.f(f"fk_{table}_{'_'.join(key.column_keys)}")
    return key


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _bytes(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _key(*columns: str, to: str) -> sa.ForeignKeyConstraint:
    table, last = to.split(".")
    return sa.ForeignKeyConstraint(columns, [f"{table}.{name}" for name in (*columns[:-1], last)])


def _guard_postgresql() -> None:
    op.execute(f"GRANT SELECT, INSERT ON {', '.join((*APPEND_ONLY, 'witness'))} TO passbook_service")
    op.execute("GRANT UPDATE (ended_at) ON witness TO passbook_service")
    op.execute("GRANT DELETE ON unsealed TO passbook_service")
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM passbook_service")
        for name, event, each in (("no_change", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT")):
            op.execute(f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change()")
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


def _guard_sqlite() -> None:
    op.execute("DROP TRIGGER unsealed_no_delete")
    op.execute("CREATE TRIGGER witness_no_delete BEFORE DELETE ON witness BEGIN SELECT RAISE(ABORT, 'witness is kept'); END")
    for table in APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
