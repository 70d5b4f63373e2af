"""Nobody attests or approves what concerns them: the database's own check, behind that of the program (trust.md, promise 6).

A decision is refused by whoever gets the points, by their declared kin and household, and by whoever reported, attested or approved the
claim before. A claim goes no further than its distinct approvals carry it, and what was decided on is not changed under the deciders.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Who gets the points of claim `c`: the person, or every member of the team.
GETS = """(
    SELECT c.person_id AS id WHERE c.person_id IS NOT NULL
    UNION ALL
    SELECT m.person_id FROM team_member m WHERE m.book_id = c.book_id AND m.team_id = c.team_id AND m.ends_on IS NULL
)"""

#: A decision that must not be: `NEW` is the decision.
DECIDES_FOR_OWN = f"""
    EXISTS (SELECT 1 FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id AND (
        EXISTS (SELECT 1 FROM {GETS} g WHERE g.id = NEW.actor)
        OR EXISTS (SELECT 1 FROM {GETS} g JOIN tie t ON t.person_id = g.id WHERE t.book_id = NEW.book_id AND t.other_id = NEW.actor)
    ))
"""
ACTED_BEFORE = """
    EXISTS (SELECT 1 FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id
            AND (c.reporter_id = NEW.actor OR c.attester_id = NEW.actor))
    OR EXISTS (SELECT 1 FROM decision d WHERE d.book_id = NEW.book_id AND d.claim_id = NEW.claim_id AND d.actor = NEW.actor
            AND d.act IN ('attest', 'approve')
            AND d.number > COALESCE((SELECT MAX(r.number) FROM decision r
                WHERE r.book_id = NEW.book_id AND r.claim_id = NEW.claim_id AND r.act = 'resubmit'), 0))
"""
#: Somebody proposes for their own kin: `NEW` is the claim.
PROPOSES_FOR_OWN = """
    NEW.person_id IS NOT NULL AND NEW.reporter_id <> NEW.person_id
    AND EXISTS (SELECT 1 FROM tie t WHERE t.book_id = NEW.book_id AND t.person_id = NEW.person_id AND t.other_id = NEW.reporter_id)
"""
#: A claim goes further than its approvals carry it.
TOO_FEW = """
    NEW.state IN ('approved', 'on_notice', 'objected', 'awaiting_funds', 'credited')
    AND (SELECT COUNT(DISTINCT d.actor) FROM decision d WHERE d.book_id = NEW.book_id AND d.claim_id = NEW.id AND d.act = 'approve'
         AND d.number > COALESCE((SELECT MAX(r.number) FROM decision r
             WHERE r.book_id = NEW.book_id AND r.claim_id = NEW.id AND r.act = 'resubmit'), 0)) < NEW.approvals_needed
"""
#: What was decided on is changed under those who decided.
CHANGED = """
    NEW.id <> OLD.id OR NEW.book_id <> OLD.book_id OR NEW.reporter_id <> OLD.reporter_id
    OR COALESCE(NEW.person_id, NEW.team_id) <> COALESCE(OLD.person_id, OLD.team_id)
    OR (NEW.points <> OLD.points AND OLD.state <> 'returned')
"""

RULES = (
    ("decision_not_for_own", "INSERT", "decision", f"NEW.act IN ('attest', 'approve', 'return', 'refuse') AND ({DECIDES_FOR_OWN})"),
    ("decision_acts_once", "INSERT", "decision", f"NEW.act IN ('attest', 'approve') AND ({ACTED_BEFORE})"),
    ("claim_not_for_own", "INSERT", "claim", PROPOSES_FOR_OWN),
    ("claim_enough_approvals", "UPDATE", "claim", TOO_FEW),
    ("claim_starts_undecided", "INSERT", "claim", "NEW.state NOT IN ('reported', 'attested')"),
    ("claim_stays_as_told", "UPDATE", "claim", CHANGED),
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
