from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import claims
from ledger import people
from ledger.areas import EVERYWHERE
from ledger.claims.queries import Reach
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from tests.builders import VAULT
from tests.builders import an_act
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def lead(community: Community, team_id: UUID, who: Person, **others: object) -> str | None:
    """Let somebody lead a team; return the refusal's code."""
    given = people.lead_team(
        community.session, an_act(community.book), team_id=team_id, person_id=who.id, **({"starts_on": TODAY} | others)  # type: ignore[arg-type]
    )  # fmt: skip
    return given.code if isinstance(given, Refusal) else None


def report(community: Community, by: Person, team_id: UUID) -> object:
    told = community.told(team_id=team_id)
    outcome = claims.report_for_team(community.session, community.act(by), VAULT, told)
    return outcome.code if isinstance(outcome, Refusal) else outcome.id


def led(community: Community, who: Person) -> list[UUID]:
    return [team.id for team in people.teams_led_by(community.session, community.book.id, who.id, TODAY)]


def test_only_a_member_leads_a_team(community: Community) -> None:
    member, stranger = community.person(), community.person()
    team = community.team(member)
    assert lead(community, team, stranger) == "not-a-team-member"
    assert lead(community, team, member) is None
    assert led(community, member) == [team]
    people.add_members(community.session, an_act(community.book), team, [stranger.id])
    assert lead(community, team, stranger) is None


def test_nobody_makes_themselves_a_leader_nor_twice_nor_for_days_that_are_past(community: Community) -> None:
    worker = community.person("grid_worker")
    team, act = community.team(worker), an_act(community.book, actor=worker.id)
    given = people.lead_team(community.session, act, team_id=team, person_id=worker.id, starts_on=TODAY)
    assert isinstance(given, Refusal)
    assert given.code == "role-for-oneself"
    assert lead(community, team, worker) is None
    assert lead(community, team, worker, starts_on=TODAY + timedelta(days=3)) == "leads-already"
    other = community.person()
    people.add_members(community.session, an_act(community.book), team, [other.id])
    early = people.lead_team(community.session, act, team_id=team, person_id=other.id, starts_on=TODAY - timedelta(days=1))
    assert isinstance(early, Refusal)
    assert early.code == "role-in-the-past"


def test_leading_ends_with_a_day_and_does_not_come_back(community: Community) -> None:
    member = community.person()
    team, act = community.team(member), an_act(community.book)
    lead(community, team, member)
    ended = people.end_lead(community.session, act, team_id=team, person_id=member.id, ends_on=TODAY)
    assert not isinstance(ended, Refusal)
    again = people.end_lead(community.session, act, team_id=team, person_id=member.id, ends_on=TODAY + timedelta(days=9))
    assert isinstance(again, Refusal)
    assert again.code == "role-already-ended"
    assert led(community, member) == [team]
    assert people.teams_led_by(community.session, community.book.id, member.id, TODAY + timedelta(days=1)) == []
    with pytest.raises(NotFound):
        people.end_lead(community.session, act, team_id=team, person_id=community.person().id, ends_on=TODAY)


def test_a_leader_reports_for_the_team_and_somebody_else_must_bear_witness(community: Community) -> None:
    leader, member, worker, approver = (community.person(*roles) for roles in ((), (), ("grid_worker",), ("approver",)))
    team = community.team(leader, member)
    lead(community, team, leader)
    claim_id = report(community, leader, team)
    assert isinstance(claim_id, UUID)
    assert community.claim(claim_id).state == "reported"
    for one in (leader, member):
        assert community.attest(one, claim_id) == "own-deed"
    assert community.attest(worker, claim_id) == "attested"
    assert community.approve(leader, claim_id) == "own-deed"
    assert community.approve(approver, claim_id) == "credited"
    assert community.balance(team, "team") == 50


def test_whoever_does_not_lead_the_team_reports_nothing_for_it(community: Community) -> None:
    leader, member = community.person(), community.person()
    team = community.team(leader, member)
    lead(community, team, leader)
    with pytest.raises(NotFound):
        report(community, member, team)
    people.end_lead(community.session, an_act(community.book), team_id=team, person_id=leader.id, ends_on=TODAY)
    community.at += timedelta(days=1)
    with pytest.raises(NotFound):
        report(community, leader, team)


def test_a_returned_report_of_a_team_is_told_anew_as_a_report(community: Community) -> None:
    leader, worker = community.person(), community.person("grid_worker")
    team = community.team(leader)
    lead(community, team, leader)
    claim_id = report(community, leader, team)
    assert isinstance(claim_id, UUID)
    community.turn_down("return", worker, claim_id)
    assert community.resubmit(leader, claim_id, reach=Reach(())) == "reported"
    community.turn_down("return", worker, claim_id)
    people.end_lead(community.session, an_act(community.book), team_id=team, person_id=leader.id, ends_on=TODAY)
    community.at += timedelta(days=1)
    assert community.resubmit(leader, claim_id, reach=Reach(EVERYWHERE)) == "no-longer-in-reach"


def test_the_database_refuses_a_member_s_report_where_they_do_not_lead(community: Community) -> None:
    leader, member = community.person(), community.person()
    team = community.team(leader, member)
    lead(community, team, leader)
    claim_id = report(community, leader, team)
    assert isinstance(claim_id, UUID)
    table = claims.Claim.__table__
    row = community.session.execute(table.select().where(table.c.book_id == community.book.id, table.c.id == claim_id)).mappings().one()
    for changed in ({"reporter_id": member.id}, {"state": "attested"}, {"attester_id": leader.id}):
        with pytest.raises(DBAPIError), community.session.begin_nested():
            community.session.execute(table.insert().values(dict(row) | {"id": new_id()} | changed))
