from __future__ import annotations

from datetime import date
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from ledger.claims.model import Decision
from ledger.people.model import TeamMember
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def test_what_a_volunteer_reports_earns_once_attested_and_approved_by_others(community: Community) -> None:
    volunteer, leader, approver = (community.person(role) for role in ("volunteer", "building_leader", "approver"))
    claim_id = community.report(volunteer)
    assert community.approve(approver, claim_id) == "claim-not-in-state"
    assert community.attest(leader, claim_id) == "attested"
    assert community.balance(volunteer) == 0
    assert community.approve(approver, claim_id) == "credited"
    assert community.balance(volunteer) == 50


def test_what_a_leader_proposes_is_attested_by_their_word(community: Community) -> None:
    leader, volunteer, approver = (community.person(role) for role in ("building_leader", "volunteer", "approver"))
    assert community.approve(approver, community.propose(leader, volunteer)) == "credited"


def test_a_month_of_two_hundred_points_wants_one_approver_and_more_wants_two(community: Community) -> None:
    worker, volunteer, one, two = (community.person(role) for role in ("grid_worker", "volunteer", "approver", "approver"))
    ids = [community.propose(worker, volunteer, deed) for deed in ("patrol", "meals")]
    assert community.approve(one, *ids) == ["credited", "credited"]
    another = community.propose(worker, volunteer)
    assert community.approve(one, another) == "attested"
    assert (community.claim(another).approvals, community.claim(another).approvals_needed) == (1, 2)
    assert community.balance(volunteer) == 200
    assert community.approve(two, another) == "credited"
    assert community.balance(volunteer) == 250


def test_many_small_deeds_approved_at_once_are_counted_together(community: Community) -> None:
    worker, volunteer, neighbour, one, two = (community.person() for _ in range(5))
    ids = [community.propose(worker, volunteer) for _ in range(5)] + [community.propose(worker, neighbour)]
    assert community.approve(one, *ids) == [*["attested"] * 5, "credited"]
    assert community.approve(two, *ids) == [*["credited"] * 5, "claim-not-in-state"]
    assert community.balance(volunteer) == 250


def test_deeds_of_two_months_are_not_added_up(community: Community) -> None:
    worker, volunteer, one = (community.person() for _ in range(3))
    last = TODAY.replace(month=10, day=31)
    community.at -= timedelta(days=20)
    ids = [community.propose(worker, volunteer, "meals", last), community.propose(worker, volunteer, "meals", TODAY.replace(day=1))]
    assert community.approve(one, *ids) == ["credited", "credited"]


def test_a_teams_month_is_added_up_too(community: Community) -> None:
    worker, one = community.person(), community.person()
    team = community.team(community.person())
    assert community.approve(one, *[community.propose(worker, team, "meals") for _ in range(2)]) == ["attested", "attested"]


@pytest.mark.parametrize(
    ("deed", "days_ago", "roles", "why"),
    [
        ("honour", 0, ("volunteer",), "outstanding contribution"),
        ("patrol", 8, ("volunteer",), "back-dated"),
        ("patrol", 0, ("volunteer", "grid_worker"), "staff"),
        ("rescue", 0, ("volunteer",), "large"),
    ],
)
def test_two_approve_whatever_is_risky(community: Community, deed: str, days_ago: int, roles: tuple[str, ...], why: str) -> None:
    worker, one, two = (community.person() for _ in range(3))
    claim_id = community.propose(worker, community.person(*roles), deed, TODAY - timedelta(days=days_ago))
    assert community.approve(one, claim_id) == "attested", why
    assert community.approve(one, claim_id) == "acted-before"
    assert community.approve(two, claim_id) in {"credited", "on_notice"}


def test_seven_days_are_not_back_dated(community: Community) -> None:
    worker, volunteer, one = (community.person() for _ in range(3))
    assert community.approve(one, community.propose(worker, volunteer, deed_on=TODAY - timedelta(days=7))) == "credited"


def test_staff_who_lay_down_their_role_before_the_approval_still_want_two(community: Community) -> None:
    worker, one = community.person(), community.person()
    staff = community.person("volunteer", "grid_worker")
    claim_id = community.propose(worker, staff)
    community.end_role(staff, "grid_worker")
    community.at += timedelta(days=3)
    assert community.approve(one, claim_id) == "attested"


def test_a_deed_done_after_somebody_was_staff_wants_one(community: Community) -> None:
    worker, one = community.person(), community.person()
    former = community.person("volunteer", "grid_worker")
    community.end_role(former, "grid_worker")
    community.at += timedelta(days=3)
    assert community.approve(one, community.propose(worker, former, deed_on=TODAY + timedelta(days=1))) == "credited"


def test_two_approvers_at_once_approve_one_after_the_other(community: Community, database: Database) -> None:
    worker, volunteer, *approvers = (community.person() for _ in range(4))
    claim_id = community.propose(worker, volunteer, "honour")
    community.session.commit()
    works = [lambda session, by=by: Community(session, community.book).approve(by, claim_id) for by in approvers]
    assert sorted(at_once(database, *works)) == ["attested", "credited"]
    assert community.balance(volunteer) == 20


def test_one_approver_twice_at_once_counts_once(community: Community, database: Database) -> None:
    worker, volunteer, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, volunteer, "honour")
    community.session.commit()
    works = [lambda session: Community(session, community.book).approve(approver, claim_id)] * 2
    assert sorted(at_once(database, *works)) == ["acted-before", "attested"]
    assert community.balance(volunteer) == 0


def test_a_claim_named_twice_in_a_set_is_approved_once(community: Community) -> None:
    worker, volunteer, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, volunteer)
    assert community.approve(approver, claim_id, claim_id) == ["credited", "credited"]
    assert community.balance(volunteer) == 50


def test_told_anew_a_claim_is_approved_from_the_start(community: Community) -> None:
    worker, volunteer, one, two = (community.person() for _ in range(4))
    claim_id = community.propose(worker, volunteer, "honour")
    assert community.approve(one, claim_id) == "attested"
    assert community.turn_down("return", two, claim_id, reason="evidence-missing") == "returned"
    assert community.resubmit(worker, claim_id, "honour", place="礼堂") == "attested"
    assert community.approve(two, claim_id) == "attested"
    assert community.approve(one, claim_id) == "credited"


def test_told_anew_a_volunteers_claim_is_attested_anew(community: Community) -> None:
    volunteer, leader, approver = (community.person() for _ in range(3))
    claim_id = community.report(volunteer)
    community.attest(leader, claim_id)
    community.turn_down("return", approver, claim_id)
    assert community.resubmit(volunteer, claim_id, "meals") == "reported"
    assert community.claim(claim_id).points == 150
    assert community.approve(approver, claim_id) == "claim-not-in-state"
    assert community.attest(leader, claim_id) == "attested"
    assert community.approve(approver, claim_id) == "credited"


def test_only_who_told_a_claim_tells_it_anew(community: Community) -> None:
    worker, volunteer, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, volunteer)
    community.turn_down("return", approver, claim_id)
    with pytest.raises(Exception, match="not-found"):
        community.resubmit(volunteer, claim_id)


def test_a_refused_claim_stays_refused(community: Community) -> None:
    worker, volunteer, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, volunteer)
    assert community.turn_down("refuse", approver, claim_id) == "refused"
    assert community.approve(approver, claim_id) == "claim-not-in-state"
    assert community.resubmit(worker, claim_id) == "claim-not-in-state"
    assert community.withdraw(worker, claim_id) == "claim-not-in-state"


def test_a_credited_claim_is_neither_returned_nor_withdrawn(community: Community) -> None:
    volunteer, approver = community.person(), community.person()
    (claim_id,) = community.credited(volunteer, "patrol")
    assert community.turn_down("return", approver, claim_id) == "claim-not-in-state"
    assert community.withdraw(volunteer, claim_id) == "claim-not-in-state"
    assert community.balance(volunteer) == 50


def test_claims_of_another_part_of_the_tree_or_of_another_book_are_not_found(community: Community) -> None:
    worker, volunteer, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, volunteer)
    community.scope = ("320106/320106001/320106001004/",)
    assert community.approve(approver, claim_id) == "not-found"
    assert community.attest(approver, claim_id) == "not-found"
    assert community.turn_down("refuse", approver, claim_id) == "not-found"


def test_every_step_is_kept_with_who_took_it(community: Community) -> None:
    volunteer, leader, approver = (community.person() for _ in range(3))
    claim_id = community.report(volunteer)
    community.attest(leader, claim_id)
    community.approve(approver, claim_id)
    steps = community.session.query(Decision).filter_by(book_id=community.book.id, claim_id=claim_id).order_by(Decision.number)
    assert [(step.number, step.act, step.actor) for step in steps] == [
        (1, "report", volunteer.id),
        (2, "attest", leader.id),
        (3, "approve", approver.id),
    ]


def test_who_left_the_team_after_the_deed_does_not_approve_it(community: Community) -> None:
    worker, member, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, community.team(member))
    community.session.query(TeamMember).filter_by(book_id=community.book.id, person_id=member.id).update({"ends_on": TODAY})
    community.at += timedelta(days=2)
    assert community.approve(member, claim_id) == "own-deed"
    assert community.approve(approver, claim_id) == "credited"


def test_who_was_of_the_team_long_before_may_approve_its_deed(community: Community) -> None:
    worker, member = community.person(), community.person()
    team = community.team(member)
    former = community.session.query(TeamMember).filter_by(book_id=community.book.id, person_id=member.id)
    former.update({"starts_on": date(2025, 1, 1), "ends_on": date(2025, 6, 30)})
    assert community.approve(member, community.propose(worker, team)) == "credited"
    assert community.balance(team, "team") == 50
