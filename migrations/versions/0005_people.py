"""Who people are, how they come in, and what is kept of it: cards, mandates, merges, sign-in, devices, the audit log.

Some checks know more words than before. On PostgreSQL the constraint is dropped and made anew; on SQLite its text is changed where the
schema is kept, the way https://www.sqlite.org/lang_altertable.html#otheralter has it: a copy of the table would lose its triggers.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit_record", "correction", "erasure", "opening", "used_challenge")
DELETABLE = ("application", "guesses", "one_time_key", "passkey", "recovery_code", "secret")
KEPT = ("card", "device", "mandate", "merge", "team_leader")

#: Of each table the columns that the service changes, and no others; what stands in no row here is never changed. Of a team and of a
#: category nothing is, but PostgreSQL locks a row only for whoever may change a column of it.
CHANGES = {
    "activity": ("venue_key",),
    "application": ("sealed",),
    "attendance": ("out_at", "out_by", "minutes"),
    "cap": ("valid_to",),
    "card": ("revoked_by", "revoked_at"),
    "category": ("rank",),
    "claim": (
        *("state", "rate_id", "deed_on", "starts_at", "minutes", "points", "reported_at", "attester_id", "approvals", "approvals_needed"),
        *("fund_id", "notice_ends_at", "entry_id"),
    ),
    "credential": ("token_hash", "expires_at", "ended_at", "way", "last_used_at", "proved_at", "acting_for", "confirmed_by"),
    "device": ("token_hash", "paired_at", "last_used_at", "ended_at", "ended_by"),
    "guesses": ("moments", "tried_at"),
    "mandate": ("agreed_at", "ended_by", "ended_at"),
    "merge": ("state", "decided_by", "decided_at"),
    "offer": ("valid_to",),
    "one_time_key": ("sealed_key", "last_step"),
    "passkey": ("sign_count", "name", "last_used_at"),
    "pay_device": ("sealed_key", "revoked_at"),
    "person": ("handle", "status", "guarded_until", "erasure_asked_by"),
    "person_key": ("wrapped", "master_key_id"),
    "published_area": ("name", "level", "parent_code"),
    "rate": ("valid_to",),
    "recovery_code": ("used_at",),
    "redemption": ("state", "person_id", "posted_at", "entry_id", "voided"),
    "role_grant": ("ends_on", "confirmed_by"),
    "sealed_field": ("sealed",),
    "secret": ("sealed_hash", "changed_at", "wrong"),
    "shop_staff": ("ends_on",),
    "stock": ("on_hand", "movements"),
    "tally": ("lines", "balance", "held", "held_until", "posted_at", "year"),
    "team": ("name",),
    "team_leader": ("ends_on",),
    "team_member": ("starts_on", "ends_on"),
}

#: Table, column, the words there were, and those there are.
WIDER = (
    (
        "role_grant",
        "role",
        ("volunteer", "building_leader", "grid_worker", "activity_host", "approver", "cashier", "shop_owner", "administrator"),
        (
            *("volunteer", "building_leader", "grid_worker", "activity_host", "approver", "cashier", "shop_owner", "administrator"),
            *("co_confirmer", "street_auditor", "county_viewer", "finance", "resident_supervisor", "unit_representative"),
        ),
    ),
    ("shop_staff", "role", ("cashier", "shop_owner"), ("cashier", "shop_owner", "unit_representative")),
    ("tie", "kind", ("household", "kin"), ("household", "kin", "same")),
    ("ended_tie", "kind", ("household", "kin"), ("household", "kin", "same")),
    ("redemption", "way", ("order_code", "pay_code"), ("order_code", "pay_code", "card")),
)

#: Who gets the points of claim `{c}`, as in 0003.
GETS = """
    SELECT {c}.person_id AS id WHERE {c}.person_id IS NOT NULL
    UNION ALL
    SELECT m.person_id FROM team_member m WHERE m.book_id = {c}.book_id AND m.team_id = {c}.team_id
        AND (m.ends_on IS NULL OR m.ends_on >= {c}.deed_on)
"""
#: The claim is the report of somebody who leads the team: a member's own deed too, so it begins as reported, without a witness.
LEADS = """(
    NEW.team_id IS NOT NULL AND NEW.state = 'reported' AND EXISTS (SELECT 1 FROM team_leader l
        WHERE l.book_id = NEW.book_id AND l.team_id = NEW.team_id AND l.person_id = NEW.reporter_id
        AND (l.ends_on IS NULL OR l.ends_on >= NEW.deed_on))
)"""
#: Whoever is near `{who}`: the same human, theirs, who helps and who is helped (as soon as they agreed, and for ever); the kin of a helper
#: are as near as the helper. Sets of ids, each a few probes by key: joined, tables would be read from one end to the other.
SAME = """
    SELECT {who} AS id UNION ALL
    SELECT s.other_id FROM tie s WHERE s.book_id = NEW.book_id AND s.person_id = {who} AND s.kind = 'same'
"""
TIED = "SELECT t.other_id FROM tie t WHERE t.book_id = NEW.book_id AND t.person_id IN ({ids})"
HELPING = """
    SELECT h.helper_id FROM mandate h WHERE h.book_id = NEW.book_id AND h.person_id IN ({ids}) AND h.agreed_at IS NOT NULL
    UNION ALL
    SELECT h.person_id FROM mandate h WHERE h.book_id = NEW.book_id AND h.helper_id IN ({ids}) AND h.agreed_at IS NOT NULL
"""
NEAR = " UNION ALL ".join(
    (
        SAME,
        TIED.format(ids=SAME),
        HELPING.format(ids=SAME),
        TIED.format(ids=HELPING.format(ids=SAME)),
        HELPING.format(ids=TIED.format(ids=SAME)),
    )
)
NEAR_ANYBODY = """
    EXISTS (SELECT 1 FROM tie t WHERE t.book_id = NEW.book_id AND t.person_id = {who})
    OR EXISTS (SELECT 1 FROM mandate h WHERE h.book_id = NEW.book_id AND h.person_id = {who})
    OR EXISTS (SELECT 1 FROM mandate h WHERE h.book_id = NEW.book_id AND h.helper_id = {who})
"""
#: The same step by step, and who else is the same human as one of them: PostgreSQL takes a millisecond to begin the query above.
NEAR_STEPS = """
CREATE FUNCTION near(book uuid, who uuid) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    own uuid[] := who || ARRAY(SELECT other_id FROM public.tie WHERE book_id = book AND person_id = who AND kind = 'same');
    kin uuid[] := ARRAY(SELECT other_id FROM public.tie WHERE book_id = book AND person_id = ANY (own));
    helping uuid[] := helping_of(book, own);
    found uuid[] := own || kin || helping;
BEGIN
    IF kin <> '{}' THEN
        found := found || helping_of(book, kin);
    END IF;
    IF helping <> '{}' THEN
        found := found || ARRAY(SELECT other_id FROM public.tie WHERE book_id = book AND person_id = ANY (helping));
    END IF;
    IF cardinality(found) > 1 THEN
        found := found || ARRAY(SELECT other_id FROM public.tie WHERE book_id = book AND person_id = ANY (found) AND kind = 'same');
    END IF;
    RETURN found;
END $$
"""
HELPING_OF = """
CREATE FUNCTION helping_of(book uuid, ids uuid[]) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT helper_id FROM public.mandate WHERE book_id = book AND person_id = ANY (ids) AND agreed_at IS NOT NULL
        UNION ALL
        SELECT person_id FROM public.mandate WHERE book_id = book AND helper_id = ANY (ids) AND agreed_at IS NOT NULL
    );
END $$
"""
#: Decisions on the claim since it was last told anew, as in 0003, and whoever told it or bore witness: who acted before.
ACTED = """
    SELECT c.reporter_id AS id FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id
    UNION ALL
    SELECT c.attester_id FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id
    UNION ALL
    SELECT d.actor FROM decision d WHERE d.book_id = NEW.book_id AND d.claim_id = NEW.claim_id AND d.act IN ('attest', 'approve')
        AND d.number > COALESCE((SELECT MAX(r.number) FROM decision r
            WHERE r.book_id = NEW.book_id AND r.claim_id = NEW.claim_id AND r.act = 'resubmit'), 0)
"""
#: A tie ends where it is written down first who ended it: what it kept somebody from stays known.
ENDS_UNSEEN = """
    NOT EXISTS (SELECT 1 FROM ended_tie e WHERE e.book_id = OLD.book_id AND e.kind = OLD.kind AND e.declared_at = OLD.declared_at
        AND ((e.person_id = OLD.person_id AND e.other_id = OLD.other_id) OR (e.person_id = OLD.other_id AND e.other_id = OLD.person_id)))
"""
#: Those of 0003 that mean more by one's own now.
REMADE = ("decision_not_for_own", "decision_not_for_kin", "claim_not_for_own", "claim_somebody_attested")


def among(ids: str, who: str, *, is_postgresql: bool) -> str:
    """Return the condition that one of `ids`, or another record of one of them, is near `who`."""
    if is_postgresql:
        return f"EXISTS (SELECT 1 FROM ({ids}) g WHERE g.id = ANY ((SELECT near(NEW.book_id, {who}))::uuid[]))"
    same = f"SELECT s.other_id FROM tie s WHERE s.book_id = NEW.book_id AND s.kind = 'same' AND s.person_id IN ({ids})"
    # With a limit the set is made once; else SQLite asks anew in each of its parts.
    far = f"EXISTS (SELECT 1 FROM ({NEAR.format(who=who)} LIMIT -1) n WHERE n.id IN ({ids} UNION ALL {same}))"
    # Most people are near nobody, which takes three probes to see.
    return f"(EXISTS (SELECT 1 FROM ({ids}) g WHERE g.id = {who}) OR (({NEAR_ANYBODY.format(who=who)}) AND {far}))"


def rules(*, is_postgresql: bool) -> tuple[tuple[str, str, str, str], ...]:
    """Return the triggers: name, event, table, and what is refused."""
    near = partial(among, is_postgresql=is_postgresql)
    gets = GETS.format(c="NEW")
    proposes_for_own = f"""
        (NEW.reporter_id <> COALESCE(NEW.person_id, NEW.team_id) AND NOT {LEADS} AND {near(gets, "NEW.reporter_id")})
        OR (NEW.attester_id IS NOT NULL AND (NEW.attester_id = NEW.reporter_id OR {near(gets, "NEW.attester_id")}))
        OR (NEW.state = 'attested' AND NEW.attester_id IS NULL AND {near(gets, "NEW.reporter_id")})
    """
    decides_for_own = f"""
        NEW.act IN ('attest', 'approve', 'return', 'refuse') AND EXISTS (SELECT 1 FROM claim c
            WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id AND {near(GETS.format(c="c"), "NEW.actor")})
    """
    # A couple is not two persons, nor are helper and helped.
    near_acted_before = f"NEW.act IN ('attest', 'approve') AND {near(ACTED, 'NEW.actor')}"
    # As in 0003, with what is meant by one's own here.
    nobody_attested = f"""
        NEW.state NOT IN ('reported', 'returned', 'refused', 'withdrawn') AND (
            (OLD.state IN ('reported', 'attested', 'returned') AND {near(gets, "COALESCE(NEW.attester_id, NEW.reporter_id)")})
            OR (NEW.attester_id IS NOT NULL AND COALESCE(OLD.attester_id <> NEW.attester_id, TRUE) AND NOT EXISTS (
                SELECT 1 FROM decision d WHERE d.book_id = NEW.book_id AND d.claim_id = NEW.id AND d.number > COALESCE((
                    SELECT MAX(r.number) FROM decision r WHERE r.book_id = NEW.book_id AND r.claim_id = NEW.id AND r.act = 'resubmit'
                ), 0) AND d.act = 'attest' AND d.actor = NEW.attester_id))
        )
    """
    # Nobody gives a role, or the lead of a team, to themselves or to their own.
    gives_to_own = near("SELECT NEW.person_id AS id", "NEW.granted_by")
    # Nobody confirms one that they, or one of theirs, gave or get, and what was confirmed stays so.
    confirms_for_own = f"""
        NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by AND (OLD.confirmed_by IS NOT NULL
            OR {near("SELECT NEW.granted_by AS id UNION ALL SELECT NEW.person_id", "NEW.confirmed_by")})
    """
    return (
        ("decision_not_for_own", "INSERT", "decision", decides_for_own),
        ("decision_not_for_kin", "INSERT", "decision", near_acted_before),
        ("claim_not_for_own", "INSERT", "claim", proposes_for_own),
        ("claim_somebody_attested", "UPDATE", "claim", nobody_attested),
        ("tie_ends_in_the_open", "DELETE", "tie", ENDS_UNSEEN),
        ("role_not_to_own", "INSERT", "role_grant", gives_to_own),
        ("leader_not_of_own", "INSERT", "team_leader", gives_to_own),
        ("role_confirmed_by_another", "UPDATE", "role_grant", confirms_for_own),
    )


def upgrade() -> None:
    """Make the tables, widen the checks, put the guards up."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, column, before, after in WIDER:
        (_widen_postgresql if is_postgresql else _widen_sqlite)(table, column, before, after)
    _make_tables()
    _add_columns()
    op.create_index("ix_ended_tie_person", "ended_tie", ["book_id", "person_id", "other_id"], unique=False)
    (_guard_postgresql if is_postgresql else _guard_sqlite)()
    if is_postgresql:
        op.execute(HELPING_OF)
        op.execute(NEAR_STEPS)
    for name, event, table, condition in rules(is_postgresql=is_postgresql):
        if name in REMADE:
            op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if is_postgresql else ""))
        if is_postgresql:
            op.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
                f"RAISE EXCEPTION '{name}' USING ERRCODE = 'check_violation'; END IF; "
                f"RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$"
            )
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        else:
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{name}'); END")


def _add_confirmed_by(table: str, asked_by: str) -> None:
    # With its check: SQLite adds none to a table that is there, but as part of a column.
    kind = sa.Uuid().compile(dialect=op.get_bind().dialect)
    check = f"CONSTRAINT ck_{table}_two_people CHECK (confirmed_by NOT IN ({asked_by}, person_id))"
    op.execute(f"ALTER TABLE {table} ADD COLUMN confirmed_by {kind} {check}")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _widen_postgresql(table: str, column: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}_known")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{column}_known CHECK ({column} IN ({_listed(after)}))")


def _widen_sqlite(table: str, column: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    connection = op.get_bind()
    old, new = f"{column} IN ({_listed(before)})", f"{column} IN ({_listed(after)})"
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = :table AND instr(sql, :old) > 0"),
        {"old": old, "new": new, "table": table},
    )
    assert changed.rowcount == 1, f"{table} has no check of its {column} as migration 0001 made it"
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _guard_postgresql() -> None:
    op.execute(f"GRANT SELECT, INSERT ON {', '.join((*APPEND_ONLY, *DELETABLE, *KEPT))} TO passbook_service")
    op.execute("REVOKE UPDATE ON ALL TABLES IN SCHEMA public FROM passbook_service")
    for table, columns in CHANGES.items():
        op.execute(f"GRANT UPDATE ({', '.join(columns)}) ON {table} TO passbook_service")
    op.execute(f"GRANT DELETE ON {', '.join((*DELETABLE, 'search_hash'))} TO passbook_service")
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM passbook_service")
        op.execute(f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate")


def _guard_sqlite() -> None:
    op.execute("DROP TRIGGER search_hash_no_delete")
    for table in KEPT:
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{table} is kept'); END")
    for table in APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _make_tables() -> None:
    op.create_table(
        "audit_record",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("acted_for", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("channel IN ('page', 'api', 'command', 'import')", name=op.f("ck_audit_record_channel_known")),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_audit_record_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_audit_record")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_record_about", "audit_record", ["book_id", "about", "at"], unique=False)
    op.create_index("ix_audit_record_actor", "audit_record", ["book_id", "actor", "at"], unique=False)
    op.create_index("ix_audit_record_acted_for", "audit_record", ["book_id", "acted_for", "at"], unique=False)
    op.create_index("ix_audit_record_at", "audit_record", ["book_id", "at", "id"], unique=False)
    op.create_table(
        "guesses",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("moments", sa.JSON(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_guesses_book_id")),
        sa.PrimaryKeyConstraint("book_id", "key", name=op.f("pk_guesses")),
        sqlite_strict=True,
    )
    op.create_index("ix_guesses_tried", "guesses", ["book_id", "tried_at"], unique=False)
    op.create_table(
        "used_challenge",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("challenge_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_used_challenge_book_id")),
        sa.PrimaryKeyConstraint("book_id", "challenge_hash", name=op.f("pk_used_challenge")),
        sqlite_strict=True,
    )
    op.create_table(
        "application",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"], name=op.f("fk_application_book_id_area_code")),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_application_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_application")),
        sqlite_strict=True,
    )
    op.create_index("ix_application_area", "application", ["book_id", "area_code"], unique=False)
    op.create_table(
        "device",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("pair_until", sa.BigInteger(), nullable=False),
        sa.Column("paired_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(unit_id IS NULL) <> (area_code IS NULL)", name=op.f("ck_device_somewhere")),
        sa.ForeignKeyConstraint(["book_id", "area_code"], ["area.book_id", "area.code"], name=op.f("fk_device_book_id_area_code")),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_device_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_device")),
        sa.UniqueConstraint("book_id", "token_hash", name=op.f("uq_device_book_id_token_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_device_area", "device", ["book_id", "area_code"], unique=False)
    op.create_index("ix_device_unit", "device", ["book_id", "unit_id"], unique=False)
    op.create_table(
        "card",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_card_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "number", name=op.f("pk_card")),
        sa.UniqueConstraint("book_id", "id", name=op.f("uq_card_book_id_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_card_person", "card", ["book_id", "person_id"], unique=False)
    is_live = sa.text("revoked_at IS NULL")
    op.create_index("ux_card_live", "card", ["book_id", "person_id"], unique=True, sqlite_where=is_live, postgresql_where=is_live)
    op.create_table(
        "correction",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=False),
        sa.Column("corrected_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_correction_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_correction")),
        sqlite_strict=True,
    )
    op.create_index("ix_correction_person", "correction", ["book_id", "person_id", "corrected_at"], unique=False)
    op.create_table(
        "erasure",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("erased_by", sa.Uuid(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_erasure_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "person_id", name=op.f("pk_erasure")),
        sqlite_strict=True,
    )
    op.create_table(
        "mandate",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("helper_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("points_per_day_max", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('helper', 'guardian')", name=op.f("ck_mandate_kind_known")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_mandate_dates_in_order")),
        sa.CheckConstraint("granted_by <> helper_id", name=op.f("ck_mandate_not_for_oneself")),
        sa.CheckConstraint("person_id <> helper_id", name=op.f("ck_mandate_two_persons")),
        sa.CheckConstraint("points_per_day_max >= 0", name=op.f("ck_mandate_points_per_day")),
        sa.ForeignKeyConstraint(["book_id", "helper_id"], ["person.book_id", "person.id"], name="fk_mandate_helper"),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_mandate_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_mandate")),
        sqlite_strict=True,
    )
    op.create_index("ix_mandate_helper", "mandate", ["book_id", "helper_id"], unique=False)
    op.create_index("ix_mandate_person", "mandate", ["book_id", "person_id"], unique=False)
    op.create_table(
        "merge",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("gone_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name=op.f("ck_merge_decided_by_somebody")),
        sa.CheckConstraint("state IN ('proposed', 'done', 'refused')", name=op.f("ck_merge_state_known")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_merge_two_people")),
        sa.CheckConstraint("kept_id <> gone_id", name=op.f("ck_merge_two_records")),
        sa.ForeignKeyConstraint(["book_id", "gone_id"], ["person.book_id", "person.id"], name="fk_merge_gone"),
        sa.ForeignKeyConstraint(["book_id", "kept_id"], ["person.book_id", "person.id"], name="fk_merge_kept"),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_merge")),
        sqlite_strict=True,
    )
    op.create_index("ix_merge_gone", "merge", ["book_id", "gone_id"], unique=False)
    op.create_table(
        "one_time_key",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_one_time_key_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "person_id", name=op.f("pk_one_time_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "opening",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('counter-service', 'claim-check', 'objection', 'correction', 'duplicate-check', 'safety', 'audit')",
            name=op.f("ck_opening_reason_known"),
        ),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_opening_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_opening")),
        sqlite_strict=True,
    )
    op.create_index("ix_opening_person", "opening", ["book_id", "person_id", "opened_at"], unique=False)
    op.create_table(
        "passkey",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_passkey_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "credential_id", name=op.f("pk_passkey")),
        sqlite_strict=True,
    )
    op.create_index("ix_passkey_person", "passkey", ["book_id", "person_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_recovery_code_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "person_id", "code_hash", name=op.f("pk_recovery_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "secret",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed_hash", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("wrong", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('password', 'pin', 'shift')", name=op.f("ck_secret_kind_known")),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_secret_book_id_person_id")),
        sa.PrimaryKeyConstraint("book_id", "person_id", "kind", name=op.f("pk_secret")),
        sqlite_strict=True,
    )
    op.create_table(
        "team_leader",
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_team_leader_dates_in_order")),
        sa.ForeignKeyConstraint(["book_id", "person_id"], ["person.book_id", "person.id"], name=op.f("fk_team_leader_book_id_person_id")),
        sa.ForeignKeyConstraint(["book_id", "team_id"], ["team.book_id", "team.id"], name=op.f("fk_team_leader_book_id_team_id")),
        sa.PrimaryKeyConstraint("book_id", "team_id", "person_id", "starts_on", name=op.f("pk_team_leader")),
        sqlite_strict=True,
    )
    op.create_index("ix_team_leader_person", "team_leader", ["book_id", "person_id"], unique=False)


def _add_columns() -> None:
    op.add_column("person", sa.Column("guarded_until", sa.Date(), nullable=True))
    op.add_column("person", sa.Column("erasure_asked_by", sa.Uuid(), nullable=True))
    op.add_column("credential", sa.Column("id", sa.Uuid(), nullable=True))
    op.add_column("credential", sa.Column("way", sa.Text(), nullable=True))
    op.add_column("credential", sa.Column("last_used_at", sa.BigInteger(), nullable=True))
    op.add_column("credential", sa.Column("rests_max_s", sa.BigInteger(), nullable=True))
    op.add_column("credential", sa.Column("proved_at", sa.BigInteger(), nullable=True))
    op.add_column("credential", sa.Column("acting_for", sa.Uuid(), nullable=True))
    op.add_column("credential", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.add_column("credential", sa.Column("scopes", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("credential", sa.Column("asked_by", sa.Uuid(), nullable=True))
    _add_confirmed_by("credential", "asked_by")
    _add_confirmed_by("role_grant", "granted_by")
    # Whoever upgrades answers for the roles that there are.
    operator = sa.bindparam("operator", UUID(int=0), sa.Uuid())
    op.execute(
        sa.text("UPDATE role_grant SET confirmed_by = :operator WHERE book_id = book_id AND granted_by <> :operator").bindparams(operator)
    )
    op.create_index("ux_credential_id", "credential", ["book_id", "id"], unique=True)
    op.create_index("ix_credential_device", "credential", ["book_id", "device_id", "ended_at"], unique=False)
    op.create_index("ix_search_hash_person", "search_hash", ["book_id", "person_id"], unique=False)
