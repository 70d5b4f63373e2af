from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people.model import Charge
from ledger.people.model import Erasure
from ledger.people.model import Mandate
from ledger.people.model import Merge
from ledger.people.model import PersonKey
from ledger.people.model import SealedField
from ledger.people.model import SearchHash
from ledger.people.model import TeamMember
from ledger.people.rules import kin_field
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START


@pytest.fixture
def book(session: Session) -> Book:
    return a_book(session)


def kept(session: Session, model: Any, person: people.Person) -> list[Any]:
    """What there is of somebody in a table."""
    return list(session.execute(select(model).where(model.book_id == person.book_id, model.person_id == person.id)).scalars())


def test_nothing_of_what_somebody_was_is_left_and_nobody_finds_them(session: Session, book: Book) -> None:
    person = a_person(session, book, phone="13811112222", address="3栋")
    own = an_act(book, actor=person.id)
    people.correct(session, own, VAULT, person.id, "phone", "13933334444")
    people.seal_texts(session, VAULT, book.id, [(person.id, "claim:1", "扶了老人")])
    done = people.erase(session, own, person.id, [])
    assert isinstance(done, Erasure)
    assert [kept(session, model, person) for model in (PersonKey, SealedField, SearchHash)] == [[], [], []]
    assert people.names_of(session, VAULT, book.id, [person.id]) == {person.id: "—"}
    assert people.found_by(session, VAULT, book.id, "phone", ["13933334444"]) == {"13933334444": set()}
    left = people.person(session, book.id, person.id)
    assert (left.status, left.guarded_until) == ("left", None)
    assert len(people.corrections_of(session, book.id, person.id)) == 1


def test_what_somebody_was_to_others_ends(session: Session, book: Book) -> None:
    person, helper, child = a_person(session, book), a_person(session, book), a_person(session, book)
    leader = a_person(session, book, "building_leader")
    earlier = an_act(book, START - timedelta(days=9))
    team = people.create_team(session, earlier, name="巡逻队", area_code=GRID, member_ids=[person.id])
    assert isinstance(team, people.Team)
    assert people.give_charge(session, an_act(book), leader.id, [person.id]) is None
    people.issue_card(session, an_act(book), person.id)
    for one, other in ((person, helper), (child, person)):
        new = people.NewMandate(one.id, other.id, "helper", START.date(), START.date() + timedelta(days=30))
        assert isinstance(people.give_mandate(session, an_act(book), VAULT, new), Mandate)
    people.tie(session, an_act(book), person.id, helper.id, "kin")
    people.seal_texts(session, VAULT, book.id, [(helper.id, kin_field(person.id), "母亲"), (helper.id, kin_field(child.id), "侄子")])
    people.erase(session, an_act(book, actor=person.id), person.id, [])
    (member,) = kept(session, TeamMember, person)
    assert member.ends_on == START.date() - timedelta(days=1)
    assert not kept(session, Charge, person)
    (card,) = people.cards_of(session, book.id, person.id)
    assert (card.revoked_at, card.revoked_by) == (START, person.id)
    assert all(mandate.ended_at == START for mandate in people.mandates_of(session, book.id, person.id))
    assert people.powers_of(session, book.id, person.id, START.date() + timedelta(days=1)) == []
    labels = people.fields_of(session, VAULT, book.id, [helper.id], [kin_field(person.id), kin_field(child.id)])
    assert labels[helper.id] == {kin_field(child.id): "侄子"}
    # The pairs themselves are random numbers, and still keep people from deciding for each other.
    assert helper.id in people.tied(session, book.id, [person.id])[person.id]


def test_former_records_of_the_same_person_are_erased_with_the_one_that_was_kept(session: Session, book: Book) -> None:
    person, former, first = a_person(session, book), a_person(session, book, name="陈桂方"), a_person(session, book, name="陈贵芳")
    workers = a_person(session, book), a_person(session, book)
    for kept_one, gone in ((former, first), (person, former)):
        merge = people.propose_merge(session, an_act(book, actor=workers[0].id), kept_id=kept_one.id, gone_id=gone.id)
        assert isinstance(merge, Merge)
        people.take_over(session, an_act(book, actor=workers[1].id), merge)
    people.erase(session, an_act(book, actor=person.id), person.id, [])
    assert [kept(session, PersonKey, one) for one in (person, former, first)] == [[], [], []]
    assert [len(kept(session, Erasure, one)) for one in (person, former, first)] == [1, 1, 1]


def test_each_part_is_asked_before_any_ends_something(session: Session, book: Book) -> None:
    person, ended = a_person(session, book), list[UUID]()
    part = people.Leaving(lambda _session, _act, person_id: ended.append(person_id))
    against = people.Leaving(part.end, lambda _session, _act, _person_id: Refusal("points-held", "person_id"))
    own = an_act(book, actor=person.id)
    assert people.erase(session, own, person.id, [part, against]) == Refusal("points-held", "person_id")
    assert (ended, kept(session, Erasure, person), len(kept(session, PersonKey, person))) == ([], [], 1)
    assert isinstance(people.erase(session, own, person.id, [part, part]), Erasure)
    assert ended == [person.id, person.id]


def test_whoever_works_for_the_community_is_not_erased_before_the_roles_have_ended(session: Session, book: Book) -> None:
    worker = a_person(session, book, "grid_worker")
    own = an_act(book, actor=worker.id)
    assert people.erase(session, own, worker.id, []) == Refusal("erasure-of-staff", "person_id")
    (grant,) = people.grants_of(session, book.id, worker.id)
    people.end_grant(session, an_act(book), grant.id, grant.starts_on)
    later = an_act(book, START + timedelta(days=1), actor=worker.id)
    assert isinstance(people.erase(session, later, worker.id, []), Erasure)


def test_nobody_erases_their_kin_or_somebody_twice_or_elsewhere(session: Session, book: Book) -> None:
    admin, person, kin = a_person(session, book, "administrator"), a_person(session, book), a_person(session, book)
    people.tie(session, an_act(book), admin.id, kin.id, "kin")
    act = an_act(book, actor=admin.id)
    assert people.erase(session, act, kin.id, []) == Refusal("kin-or-household", "person_id")
    with pytest.raises(NotFound):
        people.erase(session, act, person.id, [], within=(f"{OTHER_VILLAGE}/",))
    assert isinstance(people.erase(session, act, person.id, []), Erasure)
    assert people.erase(session, act, person.id, []) == Refusal("person-left", "person_id")
    assert people.correct(session, act, VAULT, person.id, "note", "x") == Refusal("person-left", "person_id")
