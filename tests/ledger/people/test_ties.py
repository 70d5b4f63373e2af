from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_book
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
    leader, one, two, three = (a_person(session, book).id for _ in range(4))
    people.tie_households(session, an_act(book), [[one, three]])
    for _ in range(2):
        people.give_charge(session, an_act(book), leader, [leader, one, two, three])
    assert people.charges_of(session, book.id, leader) == {one, two, three}
    assert sorted(map(sorted, people.households_of_leader(session, book.id, leader))) == sorted([sorted([one, three]), [two]])
    assert people.leaders_of(session, book.id, [one, leader]) == {one: {leader}}


def test_charges_are_given_within_the_scope_only(session: Session) -> None:
    book = a_book(session)
    leader, one = a_person(session, book).id, a_person(session, book).id
    with pytest.raises(NotFound):
        people.give_charge(session, an_act(book), leader, [one], within=(areas.path_of(session, book.id, OTHER_VILLAGE),))


def test_a_team_has_a_name_of_its_own_and_members(session: Session) -> None:
    book = a_book(session)
    members = {a_person(session, book).id for _ in range(2)}
    team = people.create_team(session, an_act(book), name="红袖标巡逻队", area_code=GRID, member_ids=members)
    assert isinstance(team, people.Team)
    assert people.members_of(session, book.id, team.id, START.date()) == members
    again = people.create_team(session, an_act(book), name=" 红袖标巡逻队 ", area_code=VILLAGE, member_ids=[])
    assert again == Refusal("team-name-taken", "name")
    scope = (areas.path_of(session, book.id, VILLAGE),)
    assert [found.name for found in people.teams(session, book.id, scope)] == ["红袖标巡逻队"]
    assert not people.teams(session, book.id, (areas.path_of(session, book.id, OTHER_VILLAGE),))
