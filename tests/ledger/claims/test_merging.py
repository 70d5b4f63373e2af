from __future__ import annotations

from datetime import date
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import areas
from ledger import claims
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from ledger.people.model import Mandate
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import START
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


@pytest.fixture
def two(community: Community) -> tuple[Person, Person]:
    """The record that is kept, and the one that goes."""
    return community.person(name="李桂荣"), community.person(name="李桂荣")


def propose(community: Community, by: Person, kept: Person, gone: Person, **scopes: Any) -> Any:
    """Propose a merge; return its id, or the refusal's code."""
    act = community.act(by)
    outcome = people.propose_merge(community.session, act, kept_id=kept.id, gone_id=gone.id, **scopes)
    return outcome.code if isinstance(outcome, Refusal) else outcome.id


def confirm(community: Community, by: Person, merge_id: UUID, **scopes: Any) -> str:
    """Confirm a merge; return its state, or the refusal's code."""
    outcome = claims.merge(community.session, community.act(by), merge_id, **scopes)
    return outcome.code if isinstance(outcome, Refusal) else outcome.state


def merged(community: Community, kept: Person, gone: Person) -> str:
    """Propose and confirm, as two who have nothing to do with it."""
    return confirm(community, community.person("grid_worker"), propose(community, community.person("grid_worker"), kept, gone))


def ties(community: Community, who: Person) -> set[tuple[UUID, str]]:
    return {(tie.other_id, tie.kind) for tie in people.ties_of(community.session, community.book.id, who.id)}


def status(community: Community, who: Person) -> str:
    return people.person(community.session, community.book.id, who.id).status


def test_two_of_the_staff_make_two_records_one(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    give_points(community.session, community.book, gone, 120)
    assert merged(community, kept, gone) == "done"
    assert (community.balance(kept), community.balance(gone)) == (120, 0)
    assert (status(community, kept), status(community, gone)) == ("active", "left")
    assert ties(community, kept) == {(gone.id, "same")}
    assert ties(community, gone) == {(kept.id, "same")}
    assert people.merged_into(community.session, community.book.id, [kept.id, gone.id]) == {gone.id: kept.id}
    assert list(journal.verify(community.session, community.book.id, START)) == []


def test_whoever_proposed_a_merge_does_not_confirm_or_refuse_it(community: Community, two: tuple[Person, Person]) -> None:
    worker, kin, other = (community.person("grid_worker") for _ in range(3))
    community.tie(worker, kin, "same")
    merge_id = propose(community, worker, *two)
    for by in (worker, kin):
        assert confirm(community, by, merge_id) == "merge-takes-two"
        refused = people.refuse_merge(community.session, community.act(by), merge_id)
        assert isinstance(refused, Refusal)
        assert refused.code == "merge-takes-two"
    assert status(community, two[1]) == "active"
    assert confirm(community, other, merge_id) == "done"
    assert confirm(community, other, merge_id) == "merge-decided-already"


def test_the_database_wants_two_people_too(community: Community, two: tuple[Person, Person]) -> None:
    worker = community.person("grid_worker")
    merge_id = propose(community, worker, *two)
    decided = {"state": "done", "decided_by": worker.id, "decided_at": START}
    with pytest.raises(DBAPIError):
        community.session.execute(
            update(people.Merge).where(people.Merge.book_id == community.book.id, people.Merge.id == merge_id).values(**decided)
        )


@pytest.mark.parametrize("kind", ["household", "kin", "same"])
def test_nobody_merges_themselves_or_their_own(community: Community, two: tuple[Person, Person], kind: str) -> None:
    kept, gone = two
    staff, other = community.person("grid_worker"), community.person("grid_worker")
    merge_id = propose(community, other, kept, gone)
    community.tie(staff, gone, kind)
    assert propose(community, staff, kept, gone) == "merge-of-ones-own"
    assert propose(community, gone, kept, gone) == "merge-of-ones-own"
    assert confirm(community, staff, merge_id) == "merge-of-ones-own"
    assert confirm(community, kept, merge_id) == "merge-of-ones-own"


def test_whoever_acts_for_one_of_them_does_not_merge_them(community: Community, two: tuple[Person, Person]) -> None:
    helper = community.person("grid_worker")
    _mandate(community, person=two[0], helper=helper)
    assert propose(community, helper, *two) == "merge-of-ones-own"


def test_both_must_lie_within_ones_areas(community: Community) -> None:
    near, far = community.person(area_code=GRID), community.person(area_code=OTHER_VILLAGE)
    worker = community.person("grid_worker", area_code=VILLAGE)
    within = (areas.path_of(community.session, community.book.id, VILLAGE),)
    for kept, gone in ((near, far), (far, near)):
        with pytest.raises(NotFound):
            propose(community, worker, kept, gone, within=within)
    merge_id = propose(community, worker, near, far)
    with pytest.raises(NotFound):
        confirm(community, community.person("grid_worker"), merge_id, within=within)
    assert people.merges(community.session, community.book.id, within) == []
    assert len(people.merges(community.session, community.book.id, areas.EVERYWHERE)) == 1


@pytest.mark.parametrize("role", ["grid_worker", "approver", "finance", "resident_supervisor", "co_confirmer"])
def test_a_staff_account_is_merged_by_administrators_only(community: Community, role: str) -> None:
    kept, gone = community.person(), community.person(role)
    worker, admin = community.person("grid_worker"), community.person("administrator")
    assert propose(community, worker, kept, gone, as_administrator=()) == "merge-of-staff"
    merge_id = propose(community, admin, kept, gone)
    assert confirm(community, worker, merge_id, as_administrator=()) == "merge-of-staff"
    assert confirm(community, worker, merge_id) == "done"
    # A role of staff does not go over: an administrator gives it, or does not.
    assert people.is_staff(community.session, community.book.id, [kept.id, gone.id], TODAY + timedelta(days=1)) == set()


def test_open_holds_are_ended_first(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    give_points(community.session, community.book, gone, 100)
    account = journal.account_of(community.session, community.book.id, "passbook", gone.id)
    reserve = journal.Reserve(act=community.act(), account=account, amount=30, expires_at=START + timedelta(minutes=5))
    journal.post(community.session, community.book.id, [reserve])
    assert merged(community, kept, gone) == "merge-holds-open"
    assert (community.balance(gone), status(community, gone)) == (100, "active")


def test_a_hold_that_has_lapsed_holds_nothing_up(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    give_points(community.session, community.book, gone, 100)
    account = journal.account_of(community.session, community.book.id, "passbook", gone.id)
    reserve = journal.Reserve(act=community.act(), account=account, amount=30, expires_at=START + timedelta(minutes=5))
    journal.post(community.session, community.book.id, [reserve])
    community.at += timedelta(minutes=5)
    assert merged(community, kept, gone) == "done"
    assert community.balance(kept) == 100


def test_claims_under_way_are_decided_first_and_then_stay_where_they_are(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    claim_id = community.report(gone)
    by, other = community.person("grid_worker"), community.person("grid_worker")
    merge_id = propose(community, by, kept, gone)
    assert confirm(community, other, merge_id) == "merge-claims-under-way"
    community.attest(community.person("grid_worker"), claim_id)
    community.approve(community.person("approver"), claim_id)
    assert confirm(community, other, merge_id) == "done"
    assert community.claim(claim_id).person_id == gone.id
    assert community.balance(kept) == 50


def test_points_keep_the_year_they_were_earned_in(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    session, book = community.session, community.book
    last_year = START - timedelta(days=365)
    give_points(session, book, gone, 70, at=last_year)
    give_points(session, book, gone, 30)
    assert merged(community, kept, gone) == "done"
    account = journal.account_of(session, book.id, "passbook", kept.id)
    now = journal.balance_of(session, book.id, account, START)
    assert (now.balance, now.expiring) == (100, 70)
    assert journal.balance_of(session, book.id, account, START + timedelta(days=60)).balance == 30
    assert list(journal.verify(session, book.id, START + timedelta(days=1))) == []


def test_what_the_gone_one_was_to_others_goes_over(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    session, book = community.session, community.book
    husband, elder, helper, leader = (community.person() for _ in range(4))
    community.tie(gone, husband, "household")
    _mandate(community, person=elder, helper=gone)
    _mandate(community, person=gone, helper=helper)
    team = community.team(gone, leader)
    people.lead_team(session, an_act(book), team_id=team, person_id=gone.id, starts_on=TODAY)
    building = community.person("building_leader")
    people.give_charge(session, an_act(book), building.id, [gone.id])
    assert merged(community, kept, gone) == "done"
    assert ties(community, kept) == {(gone.id, "same"), (husband.id, "household")}
    assert people.tied(session, book.id, [gone.id])[gone.id] == {kept.id, husband.id, elder.id, helper.id}
    assert [one.helper_id for one in people.mandates(session, book.id, person_id=elder.id, on=TODAY)] == [kept.id]
    assert [one.helper_id for one in people.mandates(session, book.id, person_id=kept.id, on=TODAY)] == [helper.id]
    assert people.mandates(session, book.id, person_id=gone.id, on=TODAY) == []
    tomorrow = TODAY + timedelta(days=1)
    assert people.members_of_many(session, book.id, [team], tomorrow)[team] == {kept.id, leader.id}
    assert people.teams_led_by(session, book.id, gone.id, tomorrow) == []
    assert people.charges_of(session, book.id, building.id) == {kept.id}


def test_a_helper_who_granted_themselves_nothing_still_did_not(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    elder = community.person()
    # The kept record gave the mandate to the gone one: taken over as it is, somebody would have given it to themselves.
    _mandate(community, person=elder, helper=gone, granted_by=kept)
    _mandate(community, person=kept, helper=gone)
    confirming = community.person("grid_worker")
    assert confirm(community, confirming, propose(community, community.person("grid_worker"), kept, gone)) == "done"
    found = people.mandates(community.session, community.book.id, helper_id=kept.id)
    assert [(one.person_id, one.granted_by) for one in found] == [(elder.id, confirming.id)]


def test_both_in_one_team_stay_one_member_and_one_who_came_back(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    team = community.team(kept, gone)
    assert merged(community, kept, gone) == "done"
    tomorrow = TODAY + timedelta(days=1)
    assert people.members_of_many(community.session, community.book.id, [team], tomorrow)[team] == {kept.id}


def test_the_gone_one_is_signed_in_nowhere_and_holds_no_role(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    session, book = community.session, community.book
    tokens = [sign_in.open_session(session, book, one.id, "link", START) for one in two]
    link = sign_in.issue_link(session, an_act(book), gone.id, lives=timedelta(hours=1))
    people.grant_role(session, an_act(book), person_id=gone.id, role="building_leader", area_code=GRID, starts_on=TODAY)
    assert merged(community, kept, gone) == "done"
    session.flush()
    assert [sign_in.recognise(session, token, START) is None for token in tokens] == [False, True]
    assert isinstance(sign_in.use_link(session, link, START), Refusal)
    assert people.powers_of(session, book.id, gone.id, TODAY + timedelta(days=1)) == []


def test_two_records_that_are_one_are_not_merged_again(community: Community, two: tuple[Person, Person]) -> None:
    kept, gone = two
    worker = community.person("grid_worker")
    assert merged(community, kept, gone) == "done"
    assert propose(community, worker, gone, community.person()) == "merge-of-one-who-left"
    with pytest.raises(Invalid):
        propose(community, worker, kept, kept)
    with pytest.raises(NotFound):
        confirm(community, worker, new_id())


def test_a_proposal_that_is_refused_changes_nothing_and_another_may_be_made(community: Community, two: tuple[Person, Person]) -> None:
    by, other = community.person("grid_worker"), community.person("grid_worker")
    merge_id = propose(community, by, *two)
    assert propose(community, other, *two) == "merge-proposed-already"
    refused = people.refuse_merge(community.session, community.act(other), merge_id)
    assert not isinstance(refused, Refusal)
    assert (refused.state, status(community, two[1])) == ("refused", "active")
    assert isinstance(propose(community, other, *two), UUID)


def test_of_two_who_confirm_at_once_one_does(community: Community, two: tuple[Person, Person], database: Any) -> None:
    give_points(community.session, community.book, two[1], 40)
    merge_id = propose(community, community.person("grid_worker"), *two)
    acts = [community.act(community.person("grid_worker")) for _ in range(2)]
    community.session.commit()

    def confirming(act: Any) -> Any:
        def work(session: Session) -> str:
            outcome = claims.merge(session, act, merge_id)
            return outcome.code if isinstance(outcome, Refusal) else outcome.state

        return work

    assert sorted(at_once(database, *map(confirming, acts))) == ["done", "merge-decided-already"]
    assert community.balance(two[0]) == 40


def _mandate(community: Community, *, person: Person, helper: Person, granted_by: Person | None = None) -> None:
    row = {
        "book_id": community.book.id, "id": new_id(), "person_id": person.id, "helper_id": helper.id, "kind": "helper",
        "points_per_day_max": 50, "starts_on": TODAY, "ends_on": date(2027, 1, 1),
        "granted_by": granted_by.id if granted_by else community.person("grid_worker").id, "granted_at": START, "agreed_at": START,
    }  # fmt: skip
    community.session.execute(Mandate.__table__.insert().values(row))
