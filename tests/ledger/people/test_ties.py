from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import OPERATOR
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people.model import EndedTie
from ledger.people.rules import kin_field
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_mandate
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START


def test_a_tie_is_seen_from_both_sides_and_twice_is_once(session: Session) -> None:
    book = a_book(session)
    wife, husband, other = (a_person(session, book).id for _ in range(3))
    for _ in range(2):
        people.tie(session, an_act(book), wife, husband, "kin")
    assert people.tied(session, book.id, [wife, husband, other]) == {wife: {husband}, husband: {wife}, other: set()}
    assert len(people.ties_of(session, book.id, wife)) == 1


def test_two_records_of_one_human_are_one_however_many_there_are(session: Session) -> None:
    book = a_book(session)
    approver, volunteer, third, wife, helped, stranger = (a_person(session, book) for _ in range(6))
    for one, other in ((approver, volunteer), (volunteer, third)):
        people.tie(session, an_act(book), one.id, other.id, "same")
    people.tie(session, an_act(book), third.id, wife.id, "kin")
    a_mandate(session, book, helped, volunteer)
    tied = people.tied(session, book.id, [approver.id, wife.id, helped.id, stranger.id])
    assert tied[approver.id] == {volunteer.id, third.id, wife.id, helped.id}
    assert {approver.id, volunteer.id, third.id} <= tied[wife.id]
    assert {approver.id, volunteer.id, third.id} <= tied[helped.id]
    assert tied[stranger.id] == set()


def test_the_kin_of_whoever_acts_for_somebody_are_tied_to_them_and_theirs_no_further(session: Session) -> None:
    book = a_book(session)
    approver, husband, elder, cousin, other_elder = (a_person(session, book) for _ in range(5))
    people.tie(session, an_act(book), approver.id, husband.id, "household")
    a_mandate(session, book, elder, husband)
    people.tie(session, an_act(book), elder.id, cousin.id, "kin")
    a_mandate(session, book, other_elder, elder)
    tied = people.tied(session, book.id, [approver.id, elder.id])
    assert tied[approver.id] == {husband.id, elder.id}
    assert approver.id in tied[elder.id]


def test_a_household_ties_each_to_each(session: Session) -> None:
    book = a_book(session)
    family = [a_person(session, book).id for _ in range(3)]
    people.tie_households(session, an_act(book), [family])
    assert people.tied(session, book.id, family) == {one: set(family) - {one} for one in family}


def test_malformed_ties_are_errors(session: Session) -> None:
    book = a_book(session)
    other = areas.open_book(session, name="苏州路社区", area_code=OTHER_VILLAGE, zone="Asia/Shanghai", at=START)
    here, there = a_person(session, book).id, a_person(session, other, area_code=OTHER_VILLAGE).id
    with pytest.raises(Invalid):
        people.tie(session, an_act(book), here, here, "kin")
    with pytest.raises(Invalid):
        people.tie(session, an_act(book), here, there, "friend")
    with pytest.raises(NotFound):
        people.tie(session, an_act(book), here, there, "kin")


def test_a_leader_looks_after_households_and_not_after_herself(session: Session) -> None:
    book = a_book(session)
    leader = a_person(session, book, "building_leader").id
    one, two, three = (a_person(session, book).id for _ in range(3))
    people.tie_households(session, an_act(book), [[one, three]])
    for _ in range(2):
        people.give_charge(session, an_act(book), leader, [leader, one, two, three])
    assert people.charges_of(session, book.id, leader) == {one, two, three}
    assert sorted(map(sorted, people.households_of_leader(session, book.id, leader))) == sorted([sorted([one, three]), [two]])


def test_charges_are_given_within_the_scope_only(session: Session) -> None:
    book = a_book(session)
    leader, one = a_person(session, book, "building_leader").id, a_person(session, book).id
    elsewhere = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    for change in (people.give_charge, people.end_charges):
        with pytest.raises(NotFound):
            change(session, an_act(book), leader, [one], within=elsewhere)


def test_only_who_is_a_building_leader_today_looks_after_others(session: Session) -> None:
    book = a_book(session)
    one, plain = a_person(session, book).id, a_person(session, book).id
    later = a_person(session, book).id
    tomorrow = START.date() + timedelta(days=1)
    people.grant_role(session, an_act(book), person_id=later, role="building_leader", area_code=GRID, starts_on=tomorrow)
    leader = a_person(session, book, "building_leader").id
    for other in (plain, later):
        refused = people.give_charges(session, an_act(book), {leader: [one], other: [one]})
        assert refused == Refusal("not-a-building-leader", "leader_id")
    assert people.charges_of(session, book.id, leader) == set()
    assert people.give_charge(session, an_act(book, START + timedelta(days=1)), later, [one]) is None
    assert people.charges_of(session, book.id, later) == {one}


def test_nobody_gives_charges_to_themselves(session: Session) -> None:
    book = a_book(session)
    leader, one = a_person(session, book, "building_leader", "grid_worker").id, a_person(session, book).id
    assert people.give_charge(session, an_act(book, actor=leader), leader, [one]) == Refusal("charges-for-oneself", "leader_id")
    assert people.charges_of(session, book.id, leader) == set()


def test_a_leader_looks_after_a_hundred_persons_at_most(session: Session) -> None:
    book = a_book(session)
    leader = a_person(session, book, "building_leader").id
    news = [people.NewPerson(f"王丽{number}", GRID) for number in range(101)]
    ids = [outcome.id for outcome in people.enrol_many(session, an_act(book), VAULT, news) if isinstance(outcome, people.Person)]
    assert people.give_charge(session, an_act(book), leader, ids) == Refusal("charges-too-many", "person_ids", {"most": 100})
    assert people.give_charge(session, an_act(book), leader, ids[:99]) is None
    assert people.give_charge(session, an_act(book), leader, ids[98:100]) is None
    assert people.give_charge(session, an_act(book), leader, ids[100:]) == Refusal("charges-too-many", "person_ids", {"most": 100})
    assert people.charges_of(session, book.id, leader) == set(ids[:100])


def test_charges_end_and_the_others_stay(session: Session) -> None:
    book = a_book(session)
    leader, other = (a_person(session, book, "building_leader").id for _ in range(2))
    one, two = (a_person(session, book).id for _ in range(2))
    people.give_charges(session, an_act(book), {leader: [one, two], other: [one]})
    for _ in range(2):
        people.end_charges(session, an_act(book), leader, [one])
    assert [people.charges_of(session, book.id, one_of_them) for one_of_them in (leader, other)] == [{two}, {one}]


def test_a_tie_says_who_declared_it_and_when(session: Session) -> None:
    book = a_book(session)
    worker, wife, husband = a_person(session, book, "grid_worker").id, a_person(session, book).id, a_person(session, book).id
    people.tie(session, an_act(book, actor=worker), wife, husband, "kin")
    people.tie(session, an_act(book, START + timedelta(days=1)), husband, wife, "kin")
    for person_id in (wife, husband):
        (found,) = people.ties_of(session, book.id, person_id)
        assert (found.declared_by, found.declared_at) == (worker, START)


@pytest.mark.parametrize("role", sorted(people.STAFF_ROLES))
def test_a_tie_of_staff_is_declared_by_an_administrator_of_both(session: Session, role: str) -> None:
    book = a_book(session)
    staff, one, far = a_person(session, book, role).id, a_person(session, book).id, a_person(session, book, area_code=OTHER_VILLAGE).id
    worker = a_person(session, book, "grid_worker", "approver", area_code=VILLAGE).id
    admin = a_person(session, book, "administrator", area_code=VILLAGE).id
    for by, pair in ((worker, (one, staff)), (worker, (staff, one)), (staff, (staff, one)), (admin, (staff, far))):
        if by != staff or role != "administrator":
            assert people.tie(session, an_act(book, actor=by), *pair, "kin") == Refusal("tie-of-staff", "other_id")
    assert people.tied(session, book.id, [staff]) == {staff: set()}
    assert people.tie(session, an_act(book, actor=admin), staff, one, "kin") is None
    assert people.tied(session, book.id, [staff]) == {staff: {one}}


def test_a_tie_ends_on_both_sides_and_what_it_was_stays_known(session: Session) -> None:
    book = a_book(session)
    admin, one, two = (a_person(session, book).id for _ in range(3))
    for kind in people.TIE_KINDS:
        people.tie(session, an_act(book), one, two, kind)
    later = an_act(book, START + timedelta(days=1), actor=admin)
    assert people.untie(session, later, two, one, "kin") is None
    assert [found.kind for found in people.ties_of(session, book.id, one)] == ["household", "same"]
    assert [found.kind for found in people.ties_of(session, book.id, two)] == ["household", "same"]
    (ended,) = session.execute(select(EndedTie).where(EndedTie.book_id == book.id)).scalars()
    assert ({ended.person_id, ended.other_id}, ended.kind) == ({one, two}, "kin")
    assert (ended.declared_by, ended.declared_at, ended.ended_by, ended.ended_at) == (OPERATOR, START, admin, later.at)
    with pytest.raises(NotFound):
        people.untie(session, later, one, two, "kin")


def test_a_tie_is_ended_by_somebody_else_within_their_areas(session: Session) -> None:
    book = a_book(session)
    here, far = a_person(session, book).id, a_person(session, book, area_code=OTHER_VILLAGE).id
    people.tie(session, an_act(book), here, far, "kin")
    for own in (here, far):
        assert people.untie(session, an_act(book, actor=own), here, far, "kin") == Refusal("tie-of-ones-own", "person_id")
    with pytest.raises(NotFound):
        people.untie(session, an_act(book), here, far, "kin", within=(areas.path_of(session, book.id, VILLAGE),))
    assert people.tied(session, book.id, [here]) == {here: {far}}


def test_a_team_has_a_name_of_its_own_and_members(session: Session) -> None:
    book = a_book(session)
    members = {a_person(session, book).id for _ in range(2)}
    team = people.create_team(session, an_act(book), name="红袖标巡逻队", area_code=GRID, member_ids=members)
    assert isinstance(team, people.Team)
    assert people.members_of_many(session, book.id, [team.id], START.date()) == {team.id: members}
    again = people.create_team(session, an_act(book), name=" 红袖标巡逻队 ", area_code=VILLAGE, member_ids=[])
    assert again == Refusal("team-name-taken", "name")
    scope = (areas.path_of(session, book.id, VILLAGE),)
    assert [found.name for found in people.teams(session, book.id, scope)] == ["红袖标巡逻队"]
    assert not people.teams(session, book.id, (areas.path_of(session, book.id, OTHER_VILLAGE),))


@pytest.mark.parametrize("role", ["approver", "building_leader", "co_confirmer", "activity_host"])
def test_whoever_decides_joins_a_team_by_an_administrator_of_where_they_live_only(session: Session, role: str) -> None:
    # Otherwise whoever wants a strict approver out of the way would make the team's deeds their own.
    book = a_book(session)
    approver, volunteer = a_person(session, book, role), a_person(session, book)
    worker, far, near = (
        a_person(session, book, role, area_code=area)
        for role, area in (("grid_worker", GRID), ("administrator", OTHER_VILLAGE), ("administrator", GRID))
    )
    for by in (worker, far):
        act = an_act(book, actor=by.id)
        made = people.create_team(session, act, name="夜巡队", area_code=GRID, member_ids=[approver.id])
        assert made == Refusal("team-member-of-staff", "member_ids")
    team = people.create_team(session, an_act(book, actor=worker.id), name="夜巡队", area_code=GRID, member_ids=[volunteer.id])
    assert isinstance(team, people.Team)
    refused = people.add_members(session, an_act(book, actor=worker.id), team.id, [approver.id])
    assert refused == Refusal("team-member-of-staff", "person_ids")
    assert people.members_of_many(session, book.id, [team.id], START.date()) == {team.id: {volunteer.id}}
    assert people.add_members(session, an_act(book, actor=near.id), team.id, [approver.id]) is None
    assert people.members_of_many(session, book.id, [team.id], START.date()) == {team.id: {volunteer.id, approver.id}}


def test_members_are_taken_out_of_a_team_and_what_it_did_until_then_stays_theirs(session: Session) -> None:
    book = a_book(session)
    first, second, stranger = (a_person(session, book).id for _ in range(3))
    worker = a_person(session, book, "grid_worker").id
    earlier, today = START - timedelta(days=10), START.date()
    team = people.create_team(session, an_act(book, earlier), name="夜巡队", area_code=GRID, member_ids=[first, second])
    assert isinstance(team, people.Team)
    people.lead_team(session, an_act(book, earlier), team_id=team.id, person_id=first, starts_on=earlier.date())
    act, yesterday = an_act(book, actor=worker), today - timedelta(days=1)
    past = people.end_members(session, act, team.id, [first], yesterday - timedelta(days=1))
    assert past == Refusal("role-in-the-past", "ends_on", {"earliest": yesterday.isoformat()})
    with pytest.raises(NotFound):
        people.end_members(session, act, team.id, [stranger], yesterday)
    with pytest.raises(NotFound):
        people.end_members(session, act, team.id, [first], yesterday, within=(areas.path_of(session, book.id, OTHER_VILLAGE),))
    assert people.end_members(session, act, team.id, [first], yesterday) is None
    assert people.members_of_many(session, book.id, [team.id], today) == {team.id: {second}}
    assert [leader.ends_on for leader in people.leaders_of(session, book.id, team.id)] == [yesterday]
    assert people.members_since(session, book.id, [(team.id, yesterday)]) == {(team.id, yesterday): {first, second}}
    people.add_members(session, an_act(book), team.id, [stranger])
    with pytest.raises(Invalid):
        people.end_members(session, act, team.id, [stranger], yesterday)


def test_that_two_records_are_of_one_human_is_declared_by_an_administrator_of_both(session: Session) -> None:
    book = a_book(session)
    one, other, far = (a_person(session, book, area_code=area).id for area in (VILLAGE, VILLAGE, OTHER_VILLAGE))
    worker = a_person(session, book, "grid_worker", "approver", area_code=VILLAGE).id
    admin = a_person(session, book, "administrator", area_code=VILLAGE).id
    for by, pair in ((worker, (one, other)), (one, (one, other)), (admin, (one, far))):
        assert people.tie(session, an_act(book, actor=by), *pair, "same") == Refusal("tie-by-administrator", "kind")
    assert people.tie(session, an_act(book, actor=admin), one, other, "same") is None
    assert people.tied(session, book.id, [one]) == {one: {other}}


def test_what_somebody_is_to_another_lies_sealed_and_goes_with_the_tie(session: Session) -> None:
    book = a_book(session)
    mother, daughter = a_person(session, book), a_person(session, book)
    people.tie(session, an_act(book), mother.id, daughter.id, "kin")
    people.label_tie(session, VAULT, book.id, mother.id, daughter.id, "女儿")
    field = kin_field(daughter.id)
    assert people.fields_of(session, VAULT, book.id, [mother.id], [field]) == {mother.id: {field: "女儿"}}
    assert people.untie(session, an_act(book), daughter.id, mother.id, "kin") is None
    assert people.fields_of(session, VAULT, book.id, [mother.id], [field]) == {mother.id: {}}
