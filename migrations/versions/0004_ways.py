"""Which way points may go, and what a redemption and an offer stay: the database's own check, behind that of the program.

Whoever holds the service's password can write what the program never would. An entry moves points between the kinds of account that its
own kind is for, so that nobody is given what no fund paid; what was asked for at a till, and what was posted, stays as it was taken; an
offer keeps its price, and another price is another offer.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Kind of entry, of the account that gives and of the one that takes, as ledger/journal/rules.py has them.
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
KIND = "(SELECT a.kind FROM account a WHERE a.book_id = NEW.book_id AND a.id = NEW.{side})"
LISTED = ", ".join(f"'{way}'" for way in WAYS)
NO_WAY = f"""
    COALESCE(NEW.kind || ' ' || {KIND.format(side="from_account")} || ' ' || {KIND.format(side="to_account")}, '') NOT IN ({LISTED})
"""


def changed(*columns: str) -> str:
    """Return the condition that one of `columns` is changed."""
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


ASKED = changed("book_id", "id", "way", "unit_id", "till_id", "cashier_id", "offer_id", "quantity", "points", "cash_fen", "opened_at")
TAKEN = f"OLD.state = 'posted' AND ({changed('state', 'person_id', 'posted_at', 'entry_id')})"

RULES = (
    ("entry_goes_a_known_way", "INSERT", "entry", NO_WAY),
    ("redemption_stays_as_taken", "UPDATE", "redemption", f"{ASKED} OR ({TAKEN}) OR NEW.voided < OLD.voided"),
    ("offer_keeps_its_price", "UPDATE", "offer", changed("book_id", "id", "unit_id", "title", "points", "cash_fen")),
)


def upgrade() -> None:
    """Put the triggers up."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, event, table, condition in RULES:
        if is_postgresql:
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
                f"RAISE EXCEPTION '{name}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
            )
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        else:
            op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{name}'); END")
