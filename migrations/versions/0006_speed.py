"""What an entry, a line, the queue and an answer refer to is asked once a statement, no longer once a row: the same laws, cheaper.

PostgreSQL runs a trigger's query, and the one behind each foreign key, from the beginning for every row: half of the database's time for
a set of entries. The triggers here run once after each INSERT, MERGE or COPY, over all rows it brought, as they are kept. They refuse what
the foreign keys refused (and a line that is of no side of its entry, which those let pass), and they are ENABLE ALWAYS, which a foreign
key's own are not. What is referred to cannot be changed or deleted afterwards: account, request and entry are append-only (0002). So
these foreign keys stay declared but are no longer asked; before PostgreSQL 18, which brought that, they are asked as well.

Every function of a trigger, these and those before, looks for tables in the schema first and among temporary ones last, so that none of
those can stand in for a table of the book. SQLite compiles keys and triggers into the statement and stays as it is.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: Kind of entry, of the account that gives and of the one that takes, as 0004 has them.
WAYS = (
    "budget source fund",
    "award fund passbook",
    "award fund team",
    "redemption passbook receivable",
    "redemption team receivable",
    "void receivable passbook",
    "void receivable team",
    "clawback passbook fund",
    "clawback team fund",
    "gift passbook passbook",
    "gift passbook team",
    "gift team passbook",
    "gift team team",
    "donation passbook donated",
    "donation team donated",
    "expiry passbook expired",
    "closing fund source",
)
LISTED = ", ".join(f"'{way}'" for way in WAYS)
# Each is a probe by key for a row, whatever the planner knows of the tables: joined, a set of one might read all accounts.
KIND = "(SELECT a.kind FROM public.account a WHERE a.book_id = one.book_id AND a.id = one.{side})"
REQUEST = "(SELECT true FROM public.request r WHERE r.book_id = one.book_id AND r.id = one.request_id)"
ENTRY = "(SELECT {what} FROM public.entry e WHERE e.book_id = one.book_id AND e.id = one.entry_id)"
NO_WAY = f"""
    COALESCE(one.kind || ' ' || {KIND.format(side="from_account")} || ' ' || {KIND.format(side="to_account")}, '') NOT IN ({LISTED})
"""

#: A trigger, its table, which rows it refuses, as what, and the foreign keys of which the same is said.
RULES = (
    ("entry_goes_a_known_way", "entry", NO_WAY, "check_violation", ("fk_entry_from_account", "fk_entry_to_account")),
    ("entry_was_asked_for", "entry", f"{REQUEST} IS NULL", "foreign_key_violation", ("fk_entry_request",)),
    (
        "line_is_a_side_of_its_entry",
        "line",
        f"{ENTRY.format(what='one.account_id IN (e.from_account, e.to_account)')} IS NOT TRUE",
        "foreign_key_violation",
        ("fk_line_book_id_account_id", "fk_line_book_id_entry_id"),
    ),
    (
        "unsealed_is_an_entry",
        "unsealed",
        f"{ENTRY.format(what='true')} IS NULL",
        "foreign_key_violation",
        ("fk_unsealed_book_id_entry_id",),
    ),
    ("answer_was_asked_for", "answer", f"{REQUEST} IS NULL", "foreign_key_violation", ("fk_answer_book_id_request_id",)),
)

SEARCHED = """
DO $$ DECLARE found text; BEGIN
    FOR found IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', found);
    END LOOP;
END $$
"""


def upgrade() -> None:
    """Put the triggers up that ask once a statement."""
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER entry_goes_a_known_way ON entry")
    for name, table, condition, error, keys in RULES:
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF EXISTS (SELECT FROM brought one WHERE {condition}) THEN "
            f"RAISE EXCEPTION '{name}' USING ERRCODE = '{error}'; END IF; RETURN NULL; END $$"
        )
        # A trigger over all rows is for one event only; the queue is the one of these tables whose rows may be changed.
        for event in ("INSERT", "UPDATE") if table == "unsealed" else ("INSERT",):
            trigger = name if event == "INSERT" else f"{name}_still"
            op.execute(
                f"CREATE TRIGGER {trigger} AFTER {event} ON {table} REFERENCING NEW TABLE AS brought "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
        if bind.dialect.server_version_info >= (18,):
            for key in keys:
                op.execute(f"ALTER TABLE {table} ALTER CONSTRAINT {key} NOT ENFORCED")
    op.execute(SEARCHED)
