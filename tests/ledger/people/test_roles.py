from __future__ import annotations

from datetime import date
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START

TODAY = START.date()


def roles_on(session: Session, book_id: UUID, person_id: UUID, day: date) -> set[str]:
    return {power.role for power in people.powers_of(session, book_id, person_id, day)}


def test_a_role_holds_from_its_first_day_to_its_last(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    week = {"starts_on": TODAY, "ends_on": TODAY + timedelta(days=6)}
    people.grant_role(session, an_act(book), person_id=person.id, role="approver", area_code=VILLAGE, **week)
    held = [day for day in range(-1, 8) if "approver" in roles_on(session, book.id, person.id, TODAY + timedelta(days=day))]
    assert held == list(range(7))


def test_a_power_says_where_it_holds(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver", area_code=VILLAGE)
    assert people.powers_of(session, book.id, person.id, TODAY) == [
        people.Power("approver", areas.path_of(session, book.id, VILLAGE), None)
    ]


def test_nobody_gives_a_role_to_themselves(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "administrator")
    own = an_act(book, actor=person.id)
    refusal = people.grant_role(session, own, person_id=person.id, role="approver", area_code=GRID, starts_on=TODAY)
    assert refusal == Refusal("role-for-oneself", "person_id")
    assert roles_on(session, book.id, person.id, TODAY) == {"administrator"}


def test_a_role_ends_and_does_not_come_back(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, "approver")
    grant = people.grants_of(session, book.id, person.id)[0]
    ended = people.end_grant(session, an_act(book), grant.id, TODAY)
    assert isinstance(ended, people.Grant)
    assert ended.ends_on == TODAY
    assert roles_on(session, book.id, person.id, TODAY) == {"approver"}
    assert roles_on(session, book.id, person.id, TODAY + timedelta(days=1)) == set()
    assert people.end_grant(session, an_act(book), grant.id, TODAY + timedelta(days=9)) == Refusal("role-already-ended", "ends_on")


def test_roles_are_given_and_ended_within_the_scope_only(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    scope = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    with pytest.raises(NotFound):
        people.grant_role(session, an_act(book), person_id=person.id, role="approver", area_code=GRID, starts_on=TODAY, within=scope)
    with pytest.raises(NotFound):
        people.end_grant(session, an_act(book), people.grants_of(session, book.id, person.id)[0].id, TODAY, within=scope)


def test_only_the_operator_gives_a_role_for_days_that_are_past(session: Session) -> None:
    book = a_book(session)
    person, admin = a_person(session, book), a_person(session, book, "administrator")
    yesterday = TODAY - timedelta(days=1)
    grant = {"person_id": person.id, "role": "approver", "area_code": GRID}
    refused = people.grant_role(session, an_act(book, actor=admin.id), **grant, starts_on=yesterday)
    assert refused == Refusal("role-in-the-past", "starts_on", {"earliest": "2026-11-23"})
    assert isinstance(people.grant_role(session, an_act(book), **grant, starts_on=yesterday), people.Grant)
    assert isinstance(people.grant_role(session, an_act(book, actor=admin.id), **grant, starts_on=TODAY), people.Grant)


def test_only_the_operator_ends_a_role_before_yesterday(session: Session) -> None:
    book = a_book(session)
    person, admin = a_person(session, book), a_person(session, book, "administrator")
    since = TODAY - timedelta(days=9)
    given = people.grant_role(session, an_act(book), person_id=person.id, role="approver", area_code=GRID, starts_on=since)
    assert isinstance(given, people.Grant)
    early, yesterday = TODAY - timedelta(days=2), TODAY - timedelta(days=1)
    refused = people.end_grant(session, an_act(book, actor=admin.id), given.id, early)
    assert refused == Refusal("role-in-the-past", "ends_on", {"earliest": "2026-11-22"})
    assert isinstance(people.end_grant(session, an_act(book, actor=admin.id), given.id, yesterday), people.Grant)
    assert roles_on(session, book.id, person.id, TODAY) == {"volunteer"}
    assert isinstance(people.end_grant(session, an_act(book), given.id, early), people.Grant)


def test_malformed_grants_are_errors(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    plain = {"person_id": person.id, "role": "approver", "area_code": GRID, "starts_on": TODAY}
    with pytest.raises(Invalid):
        people.grant_role(session, an_act(book), **(plain | {"role": "king"}))
    with pytest.raises(Invalid):
        people.grant_role(session, an_act(book), **plain, ends_on=TODAY - timedelta(days=1))
    with pytest.raises(NotFound):
        people.grant_role(session, an_act(book), **(plain | {"person_id": new_id()}))


def test_staff_are_those_who_work_for_the_community_that_day(session: Session) -> None:
    book = a_book(session)
    staff = {a_person(session, book, role).id for role in ("grid_worker", "approver", "administrator")}
    others = {a_person(session, book, role).id for role in ("volunteer", "building_leader", "activity_host")}
    assert people.is_staff(session, book.id, staff | others, TODAY) == staff
    assert people.is_staff(session, book.id, staff | others, TODAY - timedelta(days=1)) == set()


def test_roles_begin_with_the_books_own_day(session: Session) -> None:
    book = a_book(session)
    evening = START.replace(hour=20)  # the next morning in Nanjing
    outcome = people.grant_role(
        session,
        an_act(book),
        person_id=a_person(session, book, "volunteer").id,
        role="approver",
        area_code=GRID,
        starts_on=date(2026, 11, 24),
    )
    assert isinstance(outcome, people.Grant)
    token = sign_in.issue_bearer(session, an_act(book), [outcome.person_id], lives=timedelta(days=1))[0]
    for moment, roles in ((START, {"volunteer"}), (evening, {"volunteer", "approver"})):
        found = sign_in.recognise(session, token, moment)
        assert found is not None
        assert {power.role for power in found[1]} == roles


def test_the_database_keeps_roles_from_ones_own_and_takes_two(session: Session) -> None:
    book = a_book(session)
    admin, kin, other, person = (a_person(session, book, *roles) for roles in (["administrator"], [], ["administrator"], []))
    assert people.tie(session, an_act(book), admin.id, kin.id, "kin") is None
    row = {"book_id": book.id, "role": "approver", "area_code": GRID, "starts_on": TODAY, "granted_by": admin.id}
    for to in (admin, kin):
        with pytest.raises(DatabaseError), session.begin_nested():
            session.execute(insert(people.Grant), [row | {"id": new_id(), "person_id": to.id}])
    proposal = new_id()
    session.execute(insert(people.Grant), [row | {"id": proposal, "person_id": person.id}])
    this = (people.Grant.book_id == book.id, people.Grant.id == proposal)
    for by in (admin, kin, person):
        with pytest.raises(DatabaseError), session.begin_nested():
            session.execute(update(people.Grant).where(*this).values(confirmed_by=by.id))
    assert "approver" not in roles_on(session, book.id, person.id, TODAY)
    session.execute(update(people.Grant).where(*this).values(confirmed_by=other.id))
    assert "approver" in roles_on(session, book.id, person.id, TODAY)
    with pytest.raises(DatabaseError), session.begin_nested():
        session.execute(update(people.Grant).where(*this).values(confirmed_by=None))
