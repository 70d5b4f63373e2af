"""What the service's password may change: of each table the columns that an action of the service changes; and what the sealer's may."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy import Executable
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import claims
from ledger import people
from ledger.act import OPERATOR
from ledger.claims.model import Decision
from ledger.ids import new_id
from ledger.people import Person
from ledger.people.model import EndedTie
from ledger.people.model import Grant
from ledger.people.model import TeamLeader
from ledger.people.model import Tie
from ledger.store import Base
from ledger.store import append_only_tables
from ledger.store import changing_columns
from ledger.store import sealers_tables
from tests.builders import a_mandate
from tests.conftest import Database
from tests.conftest import sealers_engine
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community

TABLES = Base.metadata.tables
#: What the authorizer of SQLite and the rights of PostgreSQL say.
REFUSED = ("not authorized", "prohibited", "permission denied")


def test_the_service_changes_only_what_the_model_says_it_changes(database: Database) -> None:
    may = {name: {column.name for column in table.columns if _may(database.engine, name, column.name)} for name, table in TABLES.items()}
    assert may == changing_columns()


def _may(engine: Engine, table: str, column: str) -> bool:
    with engine.connect() as connection:
        try:
            connection.execute(text(f"UPDATE {table} SET {column} = {column} WHERE 1 = 0 AND {_of_the_book(table)}"))
        except DatabaseError as refused:
            if any(words in str(refused) for words in REFUSED):
                return False
            raise
    return True


def _of_the_book(table: str) -> str:
    return "1 = 1" if TABLES[table].info["is_global"] else "book_id = book_id"


def test_postgresql_grants_what_the_models_say_and_no_more(database: Database) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    if database.kind == "postgresql":
        granted = text(
            "SELECT table_name, column_name FROM information_schema.column_privileges "
            "WHERE grantee = 'passbook_service' AND privilege_type = 'UPDATE' AND table_schema = 'public'"
        )
        with database.engine.connect() as connection:
            for table, column in connection.execute(granted):
                found[table].add(column)
        assert found == {table: columns for table, columns in changing_columns().items() if columns}
    else:
        # SQLite has no rights: what its authorizer lets pass is asked above, column by column.
        assert not found


def test_what_is_appended_has_no_column_that_changes() -> None:
    changing = changing_columns()
    assert not [table for table in append_only_tables() if changing[table]]


#: What an attacker with the service's password tried.
TAKEN_OVER = [
    "UPDATE credential SET person_id = person_id, scopes = '[\"administrator\"]' WHERE book_id = book_id",
    "UPDATE credential SET kind = 'bearer' WHERE book_id = book_id",
    "UPDATE role_grant SET role = 'administrator' WHERE book_id = book_id",
    "UPDATE role_grant SET person_id = granted_by WHERE book_id = book_id",
    "UPDATE role_grant SET area_code = '1', starts_on = '2025-01-01' WHERE book_id = book_id",
    "UPDATE card SET person_id = issued_by WHERE book_id = book_id",
    "UPDATE card SET number = '1', issued_at = 1 WHERE book_id = book_id",
    "UPDATE rate SET points = points * 100 WHERE book_id = book_id",
    "UPDATE category SET always_two = NULL WHERE book_id = book_id",
    "UPDATE book SET approve_alone_points_max = 1000000000",
    "UPDATE mandate SET points_per_day_max = 1000000 WHERE book_id = book_id",
    "UPDATE mandate SET kind = 'guardian', helper_id = granted_by WHERE book_id = book_id",
    "UPDATE tie SET declared_at = 1 WHERE book_id = book_id",
    "UPDATE merge SET proposed_by = kept_id WHERE book_id = book_id",
    "UPDATE device SET unit_id = NULL WHERE book_id = book_id",
    "UPDATE passkey SET public_key = credential_id WHERE book_id = book_id",
    "UPDATE person SET area_code = '1' WHERE book_id = book_id",
    "UPDATE unit SET status = status WHERE book_id = book_id",
    "UPDATE fund SET area_code = area_code WHERE book_id = book_id",
    "UPDATE redemption SET way = 'card' WHERE book_id = book_id",
    "INSERT INTO till SELECT * FROM till WHERE book_id = book_id ON CONFLICT (book_id, id) DO UPDATE SET unit_id = excluded.unit_id",
]


@pytest.mark.parametrize("statement", TAKEN_OVER)
def test_whoever_holds_the_password_takes_nothing_over(database: Database, statement: str) -> None:
    with database.engine.connect() as connection, pytest.raises(DatabaseError, match="|".join(REFUSED)):
        connection.execute(text(statement))


#: What would spoil the log: rows of somebody's own, or a queue that is emptied.
SPOILING = [
    *(f"INSERT INTO {table} SELECT * FROM {table} WHERE book_id = book_id" for table in sealers_tables("insert")),
    *(f"DELETE FROM {table} WHERE book_id = book_id" for table in sealers_tables("delete")),
]


def test_the_log_is_what_the_sealer_alone_writes() -> None:
    assert sealers_tables("insert") == ["checkpoint", "leaf", "log", "log_key", "sealed_hours", "side", "tile"]
    assert sealers_tables("delete") == ["unsealed", "unsealed_hours"]


@pytest.mark.parametrize("statement", SPOILING)
def test_the_service_writes_nothing_of_the_log_and_the_sealer_does(database: Database, statement: str) -> None:
    with database.engine.connect() as connection, pytest.raises(DatabaseError, match="|".join(REFUSED)):
        connection.execute(text(statement))
    with sealers_engine(database.engine).begin() as connection:
        connection.execute(text(statement))


def test_the_role_of_the_sealer_writes_the_log_and_what_it_hears_and_nothing_else(database: Database) -> None:
    asked = text("SELECT has_table_privilege('passbook_sealer', :table, :act)")
    found = set()
    if database.kind == "postgresql":
        with database.engine.connect() as connection:
            for act in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
                found |= {(act, table) for table in TABLES if connection.execute(asked, {"table": table, "act": act}).scalar_one()}
        own = {(act, table) for act in ("INSERT", "DELETE") for table in sealers_tables(act.lower())}
        assert found == own | {("INSERT", "alarm"), ("INSERT", "cosignature")}
    else:
        # SQLite has no roles: what its authorizer lets pass is asked above.
        assert not found


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def refused(community: Community, statement: Executable) -> str:
    """Return the name of the trigger that refuses `statement`, as the service's own role gives it; "" where none does."""
    try:
        with community.session.begin_nested():
            community.session.execute(statement)
    except DatabaseError as problem:
        return str(problem.orig).splitlines()[0]
    finally:
        community.session.commit()
    return ""


def test_a_tie_ends_only_where_it_is_written_down_who_ended_it(community: Community) -> None:
    one, other, third = (community.person() for _ in range(3))
    for who in (other, third):
        community.tie(one, who)
    assert "tie_ends_in_the_open" in refused(community, delete(Tie).where(Tie.book_id == community.book.id))
    assert people.untie(community.session, community.act(), one.id, other.id, "kin") is None
    assert {tie.other_id for tie in people.ties_of(community.session, community.book.id, one.id)} == {third.id}
    # What is written of another tie lets go of no more than that.
    assert "tie_ends_in_the_open" in refused(community, delete(Tie).where(Tie.book_id == community.book.id))


@pytest.mark.parametrize("kind", ["approve", "attest", "refuse"])
@pytest.mark.parametrize("way", ["record_of_kin", "kin_of_record", "records_of_both", "kin_of_helper", "helped_by_record"])
def test_the_database_carries_a_tie_on(community: Community, way: str, kind: str) -> None:
    volunteer, second, between, worker, stranger = (community.person("volunteer") for _ in range(5))
    decider, record = community.person("approver"), community.person()
    links: dict[str, list[tuple[Person, Person, str]]] = {
        "record_of_kin": [(decider, second, "kin"), (second, volunteer, "same")],
        "kin_of_record": [(decider, record, "same"), (record, volunteer, "household")],
        "records_of_both": [(decider, record, "same"), (record, second, "kin"), (second, volunteer, "same")],
        "kin_of_helper": [(decider, between, "kin"), (volunteer, between, "helper")],
        "helped_by_record": [(decider, record, "same"), (volunteer, record, "helper")],
    }
    claim_id = community.propose(worker, volunteer)
    for one, other, link in links[way]:
        if link == "helper":
            a_mandate(community.session, community.book, one, other)
        else:
            community.tie(one, other, link)
    community.session.commit()
    decision = {"book_id": community.book.id, "claim_id": claim_id, "number": 2, "act": kind, "decided_at": community.at}
    assert "decision_not_for_own" in refused(community, insert(Decision).values(actor=decider.id, **decision))
    assert refused(community, insert(Decision).values(actor=stranger.id, **decision)) == ""


def test_nobody_gives_a_role_or_a_team_to_their_own_by_the_database_alone(community: Community) -> None:
    giver, record, kin, second, other = (community.person() for _ in range(5))
    for one, two, kind in ((giver, record, "same"), (record, kin, "kin"), (kin, second, "same")):
        community.tie(one, two, kind)
    team_id = community.team(giver, second, other)
    dated = {"book_id": community.book.id, "granted_by": giver.id, "starts_on": TODAY}
    role = {"role": "building_leader", "area_code": community.book.area_code}
    for who in (giver, record, kin, second):
        assert "role_not_to_own" in refused(community, insert(Grant).values(id=new_id(), person_id=who.id, **dated, **role))
    assert "leader_not_of_own" in refused(community, insert(TeamLeader).values(team_id=team_id, person_id=second.id, **dated))
    grant_id = new_id()
    assert refused(community, insert(Grant).values(id=grant_id, person_id=other.id, **dated, **role)) == ""
    assert refused(community, insert(TeamLeader).values(team_id=team_id, person_id=other.id, **dated)) == ""
    confirm = update(Grant).where(Grant.book_id == community.book.id, Grant.id == grant_id)
    assert "role_confirmed_by_another" in refused(community, confirm.values(confirmed_by=second.id))


def test_whoever_lifts_a_tie_to_decide_is_found(community: Community) -> None:
    worker, approver, volunteer = community.person("grid_worker"), community.person("approver"), community.person()
    community.tie(approver, volunteer, "household")
    community.at += timedelta(days=1)
    claim_id = community.propose(worker, volunteer)
    assert claims.verify(community.session, community.book.id) == []
    (tie,) = people.ties_of(community.session, community.book.id, approver.id)
    told = {"book_id": community.book.id, "kind": tie.kind, "declared_by": tie.declared_by, "declared_at": tie.declared_at}
    two = [{"person_id": approver.id, "other_id": volunteer.id}, {"person_id": volunteer.id, "other_id": approver.id}]
    ended = {"id": new_id(), "ended_by": approver.id, "ended_at": community.at + timedelta(hours=1)}
    community.session.execute(insert(EndedTie).values(**told, **ended, **two[0]))
    community.session.execute(delete(Tie).where(Tie.book_id == community.book.id))
    assert community.approve(approver, claim_id) == "credited"
    (fault,) = claims.verify(community.session, community.book.id)
    assert fault == (f"claim {claim_id} decision 2", "is to approve it, by somebody who was tied to whoever gets the points")
    # As much where it is put back as it was.
    community.session.execute(insert(Tie), [told | pair for pair in two])
    assert claims.verify(community.session, community.book.id) == [fault]


def test_what_became_a_tie_later_is_no_fault(community: Community) -> None:
    volunteer, approver, team_mate = (community.person("approver") for _ in range(3))
    team_id = community.team(volunteer, team_mate)
    worker = community.person("grid_worker")
    ids = [community.propose(worker, volunteer), community.propose(worker, team_id)]
    community.approve(approver, *ids)
    community.session.execute(insert(Tie), _both_ways(community, approver, volunteer, community.at + timedelta(days=1)))
    assert claims.verify(community.session, community.book.id) == []


def _both_ways(community: Community, one: Person, other: Person, at: datetime) -> list[dict[str, object]]:
    told = {"book_id": community.book.id, "kind": "kin", "declared_by": OPERATOR, "declared_at": at}
    return [told | {"person_id": one.id, "other_id": other.id}, told | {"person_id": other.id, "other_id": one.id}]


@pytest.mark.parametrize("tied_to", ["giver", "confirmer", "each_other"])
def test_a_role_from_ones_own_is_found(community: Community, tied_to: str) -> None:
    giver, confirmer, friend = (community.person("administrator") for _ in range(3))
    new = {"id": new_id(), "person_id": friend.id, "role": "approver", "area_code": community.book.area_code, "starts_on": TODAY}
    given = {"book_id": community.book.id, "granted_by": giver.id, "confirmed_by": confirmer.id}
    community.session.execute(insert(Grant).values(**new, **given))
    assert people.verify(community.session, community.book.id) == []
    one, other = {"giver": (giver, friend), "confirmer": (friend, confirmer), "each_other": (confirmer, giver)}[tied_to]
    community.session.execute(insert(Tie), _both_ways(community, one, other, community.at - timedelta(days=9)))
    (fault,) = people.verify(community.session, community.book.id)
    assert fault == (f"grant {new['id']}", "of approver was given or confirmed by somebody tied to whom it concerns")
