"""Nobody attests or approves what concerns them: the database's own check, behind that of the program (trust.md, promise 6).

A decision is refused by whoever gets the points, by their declared kin and household, and by whoever reported, attested or approved the
claim before, or is declared kin or household of somebody who did. A claim goes no further than its distinct approvals carry it, and what
was decided on is not changed under the deciders.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Who gets the points of claim `{c}`: the person, or whoever belonged to the team on the day of the deed or since.
GETS = """(
    SELECT {c}.person_id AS id WHERE {c}.person_id IS NOT NULL
    UNION ALL
    SELECT m.person_id FROM team_member m WHERE m.book_id = {c}.book_id AND m.team_id = {c}.team_id
        AND (m.ends_on IS NULL OR m.ends_on >= {c}.deed_on)
)"""
#: `{who}` gets them, or is declared kin or household of somebody who does; IN, since SQLite reads every tie of the book for a join.
OWN = f"""(
    EXISTS (SELECT 1 FROM {GETS} g WHERE g.id = {{who}})
    OR EXISTS (SELECT 1 FROM tie t WHERE t.book_id = {{c}}.book_id AND t.other_id = {{who}} AND t.person_id IN {GETS})
)"""
#: Decisions on `{claim}` since it was last told anew: those before count no more.
SINCE = """d.book_id = {book} AND d.claim_id = {claim} AND d.number > COALESCE((SELECT MAX(r.number) FROM decision r
    WHERE r.book_id = {book} AND r.claim_id = {claim} AND r.act = 'resubmit'), 0)"""

#: A decision that must not be: `NEW` is the decision.
DECIDES_FOR_OWN = f"""
    EXISTS (SELECT 1 FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id AND {OWN.format(c="c", who="NEW.actor")})
"""
ACTED_BEFORE = f"""
    EXISTS (SELECT 1 FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id
            AND (c.reporter_id = NEW.actor OR c.attester_id = NEW.actor))
    OR EXISTS (SELECT 1 FROM decision d WHERE {SINCE.format(book="NEW.book_id", claim="NEW.claim_id")}
            AND d.actor = NEW.actor AND d.act IN ('attest', 'approve'))
"""
#: Whoever decides is kin or household of somebody who acted before: a couple is not two persons.
KIN_ACTED_BEFORE = f"""
    EXISTS (SELECT 1 FROM tie t WHERE t.book_id = NEW.book_id AND t.other_id = NEW.actor AND t.person_id IN (
        SELECT c.reporter_id FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id
        UNION ALL
        SELECT c.attester_id FROM claim c WHERE c.book_id = NEW.book_id AND c.id = NEW.claim_id
        UNION ALL
        SELECT d.actor FROM decision d WHERE {SINCE.format(book="NEW.book_id", claim="NEW.claim_id")} AND d.act IN ('attest', 'approve')))
"""
#: Somebody proposes for their own or vouches for them: `NEW` is the claim. One's own deed begins as reported, without a witness.
PROPOSES_FOR_OWN = f"""
    (NEW.reporter_id <> COALESCE(NEW.person_id, NEW.team_id) AND {OWN.format(c="NEW", who="NEW.reporter_id")})
    OR (NEW.attester_id IS NOT NULL AND (NEW.attester_id = NEW.reporter_id OR {OWN.format(c="NEW", who="NEW.attester_id")}))
    OR (NEW.state = 'attested' AND NEW.attester_id IS NULL AND {OWN.format(c="NEW", who="NEW.reporter_id")})
"""
#: A claim goes further than its approvals carry it, or takes fewer than what can be seen of it asks for.
TOO_FEW = f"""
    NEW.state IN ('approved', 'on_notice', 'objected', 'awaiting_funds', 'credited') AND (
        (SELECT COUNT(DISTINCT d.actor) FROM decision d WHERE {SINCE.format(book="NEW.book_id", claim="NEW.id")}
            AND d.act = 'approve') < NEW.approvals_needed
        OR (NEW.approvals_needed < 2 AND (
            NEW.source = 'import'
            OR NEW.points > (SELECT b.approve_alone_points_max FROM book b WHERE b.id = NEW.book_id)
            OR EXISTS (SELECT 1 FROM rate r JOIN category k ON k.book_id = r.book_id AND k.code = r.category
                       WHERE r.book_id = NEW.book_id AND r.id = NEW.rate_id AND k.always_two)
        ))
    )
"""
#: A deed that nobody but its doer and theirs has spoken for goes on as if somebody had: the witness is whoever decided to be one. What
#: has all its approvals goes on, whoever is declared kin after that.
NOBODY_ATTESTED = f"""
    NEW.state NOT IN ('reported', 'returned', 'refused', 'withdrawn') AND (
        (OLD.state IN ('reported', 'attested', 'returned') AND {OWN.format(c="NEW", who="COALESCE(NEW.attester_id, NEW.reporter_id)")})
        OR (NEW.attester_id IS NOT NULL AND COALESCE(OLD.attester_id <> NEW.attester_id, TRUE) AND NOT EXISTS (
            SELECT 1 FROM decision d WHERE {SINCE.format(book="NEW.book_id", claim="NEW.id")}
            AND d.act = 'attest' AND d.actor = NEW.attester_id))
    )
"""
#: What was decided on is changed under those who decided, or what is settled is opened again.
CHANGED = """
    NEW.id <> OLD.id OR NEW.book_id <> OLD.book_id OR NEW.reporter_id <> OLD.reporter_id OR NEW.source <> OLD.source
    OR COALESCE(NEW.person_id, NEW.team_id) <> COALESCE(OLD.person_id, OLD.team_id)
    OR (OLD.state <> 'returned' AND (NEW.points <> OLD.points OR NEW.rate_id <> OLD.rate_id OR NEW.deed_on <> OLD.deed_on
        OR COALESCE(NEW.minutes, 0) <> COALESCE(OLD.minutes, 0)))
    OR (OLD.state IN ('credited', 'refused', 'withdrawn') AND NEW.state <> OLD.state)
"""

RULES = (
    ("decision_not_for_own", "INSERT", "decision", f"NEW.act IN ('attest', 'approve', 'return', 'refuse') AND ({DECIDES_FOR_OWN})"),
    ("decision_acts_once", "INSERT", "decision", f"NEW.act IN ('attest', 'approve') AND ({ACTED_BEFORE})"),
    ("decision_not_for_kin", "INSERT", "decision", f"NEW.act IN ('attest', 'approve') AND ({KIN_ACTED_BEFORE})"),
    ("claim_not_for_own", "INSERT", "claim", PROPOSES_FOR_OWN),
    ("claim_enough_approvals", "UPDATE", "claim", TOO_FEW),
    ("claim_somebody_attested", "UPDATE", "claim", NOBODY_ATTESTED),
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
