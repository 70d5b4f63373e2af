"""What the faces need to keep: phones and slips that draw pay codes, photos of deeds, and what was printed into paper passbooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WAYS = "'order_code', 'pay_code', 'card'"
WIDER_WAYS = f"{WAYS}, 'slip'"


def upgrade() -> None:
    """Make the tables and columns, with their guards and rights."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    (_widen_postgresql if is_postgresql else _widen_sqlite)()
    # With their checks: SQLite adds none to a table that is there, but as part of a column.
    op.execute(
        "ALTER TABLE pay_device ADD COLUMN kind TEXT NOT NULL DEFAULT 'service' "
        "CONSTRAINT ck_pay_device_kind_known CHECK (kind IN ('service', 'phone', 'slip'))"
    )
    whole = "BIGINT" if is_postgresql else "INTEGER"
    op.execute(f"ALTER TABLE pay_device ADD COLUMN expires_at {whole}")
    op.execute(
        f"ALTER TABLE pay_device ADD COLUMN points_max {whole} CONSTRAINT ck_pay_device_slip_has_bounds "
        "CHECK ((kind = 'slip') = (expires_at IS NOT NULL AND points_max IS NOT NULL))"
    )
    unit = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE pay_device ADD COLUMN session_id {unit} CONSTRAINT ck_pay_device_phone_has_session "
        "CHECK ((kind = 'phone') = (session_id IS NOT NULL))"
    )
    kind, default = ("BOOLEAN", "false") if is_postgresql else ("INTEGER", "0")
    op.execute(f"ALTER TABLE rate ADD COLUMN with_photo {kind} NOT NULL DEFAULT {default}")
    for table, column in (("area", "phone"), ("unit", "phone"), ("unit", "open_hours")):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
    _make_tables()
    (_guard_postgresql if is_postgresql else _guard_sqlite)()


def _widen_postgresql() -> None:
    op.execute("ALTER TABLE redemption DROP CONSTRAINT ck_redemption_way_known")
    op.execute(f"ALTER TABLE redemption ADD CONSTRAINT ck_redemption_way_known CHECK (way IN ({WIDER_WAYS}))")


def _widen_sqlite() -> None:
    # As 0005 does: a copy of the table would lose its triggers.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :old, :new) WHERE name = 'redemption' AND instr(sql, :old) > 0"),
        {"old": f"way IN ({WAYS})", "new": f"way IN ({WIDER_WAYS})"},
    )
    assert changed.rowcount == 1, "redemption has the check of its way as 0005 left it"
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _make_tables() -> None:
    op.create_table(
        "photo",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("likeness", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id", "claim_id"], ["claim.book_id", "claim.id"], name=op.f("fk_photo_book_id_claim_id")),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_photo_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_photo")),
        sqlite_strict=True,
    )
    op.create_index("ix_photo_claim", "photo", ["book_id", "claim_id", "added_at", "id"], unique=False)
    op.create_index("ix_photo_person", "photo", ["book_id", "person_id"], unique=False)
    # Whatever is asked of many photos stands in an index: SQLite would read through each picture to come to what lies behind it.
    op.create_index("ix_photo_added_at", "photo", ["book_id", "added_at", "claim_id", "likeness"], unique=False)
    op.create_index("ix_photo_likeness", "photo", ["book_id", "claim_id", "likeness", "added_at"], unique=False)
    op.create_table(
        "passbook_print",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("line_from", sa.BigInteger(), nullable=False),
        sa.Column("line_to", sa.BigInteger(), nullable=False),
        sa.Column("row_from", sa.BigInteger(), nullable=False),
        sa.Column("printed_by", sa.Uuid(), nullable=False),
        sa.Column("printed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("line_from >= 1 AND line_to >= line_from AND row_from >= 1", name=op.f("ck_passbook_print_lines_in_order")),
        sa.ForeignKeyConstraint(
            ["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_passbook_print_book_id_person_id")
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_passbook_print")),
        sqlite_strict=True,
    )
    op.create_index("ix_passbook_print_person", "passbook_print", ["book_id", "person_id", "printed_at"], unique=False)


def _guard_postgresql() -> None:
    op.execute("GRANT SELECT, INSERT ON photo, passbook_print TO passbook_service")
    op.execute("GRANT DELETE ON photo TO passbook_service")
    op.execute("GRANT UPDATE (phone) ON area TO passbook_service")
    op.execute("GRANT UPDATE (address, phone, open_hours) ON unit TO passbook_service")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON passbook_print FROM passbook_service")
    op.execute("REVOKE UPDATE, TRUNCATE ON photo FROM passbook_service")
    for name, event in (("no_change", "UPDATE OR DELETE"), ("no_truncate", "TRUNCATE")):
        each = "ROW" if name == "no_change" else "STATEMENT"
        op.execute(
            f"CREATE TRIGGER passbook_print_{name} BEFORE {event} ON passbook_print FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE passbook_print ENABLE ALWAYS TRIGGER passbook_print_{name}")


def _guard_sqlite() -> None:
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER passbook_print_no_{act.lower()} BEFORE {act} ON passbook_print "
            "BEGIN SELECT RAISE(ABORT, 'passbook_print is append-only'); END"
        )
