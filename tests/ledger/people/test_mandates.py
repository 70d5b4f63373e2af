from __future__ import annotations

from datetime import date
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Mandate
from ledger.people import NewMandate
from ledger.people import Person
from ledger.points import POINTS_MAX
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_mandate
from tests.builders import a_person
from tests.builders import agreed
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database
from tests.earning import at_once

TODAY = date(2026, 11, 23)


def given(session: Session, book: Book, by: Person | None, person: Person, helper: Person, **others: Any) -> Mandate | str:
    """Let `by`, or the operator, give a mandate; return it or why not."""
    plain = {"kind": "helper", "starts_on": TODAY, "ends_on": TODAY + timedelta(days=30)}
    act = an_act(book, actor=by.id) if by else an_act(book)
    within = {"within": others.pop("within")} if "within" in others else {}
    outcome = people.give_mandate(session, act, VAULT, NewMandate(person.id, helper.id, **(plain | others)), **within)
    return outcome.code if isinstance(outcome, Refusal) else outcome


def agreeing(session: Session, book: Book, made: Mandate) -> str | None:
    """Let the helper say yes; return why it was refused."""
    outcome = people.agree_mandate(session, an_act(book, actor=made.helper_id), made.id)
    return outcome.code if isinstance(outcome, Refusal) else None


def test_staff_let_a_helper_act_for_an_elder(session: Session) -> None:
    book = a_book(session)
    worker, elder, helper = a_person(session, book, "grid_worker"), a_person(session, book), a_person(session, book)
    made = given(session, book, worker, elder, helper, points_per_day_max=50)
    assert isinstance(made, Mandate)
    agreed(session, book, made)
    (held,) = people.mandates(session, book.id, helper_id=helper.id, person_id=elder.id, on=TODAY)
    assert (held.id, held.kind, held.points_per_day_max, held.granted_by) == (made.id, "helper", 50, worker.id)
    assert people.limits_of(session, book.id, {(helper.id, elder.id), (elder.id, helper.id)}, TODAY) == {(helper.id, elder.id): 50}
    assert [one.id for one in people.mandates_of(session, book.id, elder.id)] == [made.id]
    assert [one.id for one in people.mandates_of(session, book.id, helper.id)] == [made.id]


def test_a_mandate_acts_once_the_helper_has_agreed_and_nobody_agrees_for_them(session: Session) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    made = given(session, book, elder, elder, helper, points_per_day_max=50)
    assert isinstance(made, Mandate)
    assert people.mandates(session, book.id, helper_id=helper.id, on=TODAY) == []
    assert people.limits_of(session, book.id, {(helper.id, elder.id)}, TODAY) == {}
    assert people.tied(session, book.id, [elder.id]) == {elder.id: set()}
    for other in (elder, a_person(session, book)):
        with pytest.raises(NotFound):
            people.agree_mandate(session, an_act(book, actor=other.id), made.id)
    agreed(session, book, made)
    assert [one.id for one in people.mandates(session, book.id, helper_id=helper.id, on=TODAY)] == [made.id]
    assert people.tied(session, book.id, [elder.id]) == {elder.id: {helper.id}}
    assert agreeing(session, book, made) == "mandate-agreed-already"


def test_nobody_agrees_to_what_was_ended_or_what_a_role_forbids_them_since(session: Session) -> None:
    book = a_book(session)
    elder, helper, later = (a_person(session, book) for _ in range(3))
    ended, given_later = given(session, book, elder, elder, helper), given(session, book, elder, elder, later)
    assert isinstance(ended, Mandate)
    assert isinstance(given_later, Mandate)
    people.end_mandate(session, an_act(book, actor=elder.id), ended.id)
    assert agreeing(session, book, ended) == "mandate-ended-already"
    people.grant_role(session, an_act(book), person_id=later.id, role="building_leader", area_code=GRID, starts_on=TODAY)
    assert agreeing(session, book, given_later) == "mandate-of-staff"


def test_a_helper_spends_two_hundred_points_a_day_at_most_and_is_of_age(session: Session) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    with pytest.raises(Invalid) as refused:
        given(session, book, elder, elder, helper, points_per_day_max=201)
    assert (refused.value.code, refused.value.data) == ("number-out-of-range", {"least": 0, "most": 200})
    assert isinstance(given(session, book, elder, elder, helper, points_per_day_max=200), Mandate)
    assert given(session, book, elder, elder, a_person(session, book, birth_month="2010-01")) == "helper-unfit"


def test_a_mandate_holds_from_its_first_day_to_its_last(session: Session) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    made = given(session, book, None, elder, helper, starts_on=TODAY + timedelta(days=1), ends_on=TODAY + timedelta(days=2))
    assert isinstance(made, Mandate)
    agreed(session, book, made)
    holding = [len(people.mandates(session, book.id, helper_id=helper.id, on=TODAY + timedelta(days=days))) for days in range(4)]
    assert holding == [0, 1, 1, 0]


def test_somebody_lets_a_helper_act_for_themselves(session: Session) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book, area_code=OTHER_VILLAGE)
    assert isinstance(given(session, book, elder, elder, helper, within=()), Mandate)
    assert given(session, book, elder, elder, a_person(session, book), kind="guardian") == "guardian-by-staff"


def test_nobody_lets_themselves_or_their_own_act_for_others(session: Session) -> None:
    book = a_book(session)
    worker, elder, kin, helped = (a_person(session, book, "grid_worker", "volunteer") for _ in range(4))
    people.tie(session, an_act(book), worker.id, kin.id, "kin")
    a_mandate(session, book, helped, worker)
    assert given(session, book, worker, elder, worker) == "mandate-for-oneself"
    assert given(session, book, worker, elder, kin) == "mandate-for-own"
    assert given(session, book, worker, elder, helped) == "mandate-for-own"
    with pytest.raises(Invalid):
        given(session, book, worker, elder, elder)


def test_a_daughter_may_be_chosen_by_whom_she_helps(session: Session) -> None:
    book = a_book(session)
    elder, daughter = a_person(session, book), a_person(session, book)
    people.tie(session, an_act(book), elder.id, daughter.id, "kin")
    assert isinstance(given(session, book, elder, elder, daughter), Mandate)


@pytest.mark.parametrize("role", ["approver", "building_leader", "co_confirmer", "activity_host"])
def test_whoever_decides_is_made_a_helper_by_an_administrator_of_where_they_live_only(session: Session, role: str) -> None:
    # Otherwise whoever wants a strict approver out of the way would make them their helper.
    book = a_book(session)
    elder, approver = a_person(session, book), a_person(session, book, role, area_code=VILLAGE)
    worker = a_person(session, book, "grid_worker", area_code=VILLAGE)
    far, near = (a_person(session, book, "administrator", area_code=area) for area in (OTHER_VILLAGE, VILLAGE))
    for giver in (elder, worker, far):
        assert given(session, book, giver, elder, approver) == "mandate-of-staff"
    made = given(session, book, near, elder, approver)
    assert isinstance(made, Mandate)
    agreed(session, book, made)


def test_staff_give_mandates_for_people_of_their_areas_only(session: Session) -> None:
    book = a_book(session)
    worker, elder, helper = a_person(session, book, "grid_worker"), a_person(session, book), a_person(session, book)
    with pytest.raises(NotFound):
        given(session, book, worker, elder, helper, within=())
    a_stranger = a_person(session, a_book(session))
    with pytest.raises(NotFound):
        given(session, book, worker, elder, a_stranger)


@pytest.mark.parametrize(
    ("starts", "ends", "field"),
    [(-1, 30, "starts_on"), (0, 367, "ends_on"), (5, 4, "ends_on"), (10, 377, "ends_on")],
)
def test_a_mandate_begins_today_or_later_and_lasts_a_year_at_most(session: Session, starts: int, ends: int, field: str) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    new = NewMandate(elder.id, helper.id, "helper", TODAY + timedelta(days=starts), TODAY + timedelta(days=ends))
    refused = people.give_mandate(session, an_act(book), VAULT, new)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.field, refused.data["earliest"]) == ("mandate-days-out-of-range", field, "2026-11-23")
    assert isinstance(given(session, book, None, elder, helper, ends_on=TODAY + timedelta(days=366)), Mandate)


def test_a_second_mandate_waits_until_the_first_has_ended(session: Session) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    first = given(session, book, None, elder, helper)
    assert isinstance(first, Mandate)
    assert given(session, book, None, elder, helper, points_per_day_max=10) == "mandate-there"
    people.end_mandate(session, an_act(book), first.id, within=("",))
    assert isinstance(given(session, book, None, elder, helper, points_per_day_max=10), Mandate)


def test_one_mandate_comes_of_two_that_are_given_at_once(session: Session, database: Database) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    new, act = NewMandate(elder.id, helper.id, "helper", TODAY, TODAY), an_act(book)
    session.commit()
    outcomes = at_once(database, *([lambda own: isinstance(people.give_mandate(own, act, VAULT, new), Mandate)] * 3))
    assert sorted(outcomes) == [False, False, True]


def test_whoever_is_in_it_ends_a_mandate_and_staff_of_the_area_do(session: Session) -> None:
    book = a_book(session)
    elder, helper, stranger = (a_person(session, book) for _ in range(3))
    for by, within in ((elder, ()), (helper, ()), (stranger, ("",))):
        made = given(session, book, None, elder, helper)
        assert isinstance(made, Mandate)
        agreed(session, book, made)
        with pytest.raises(NotFound):
            people.end_mandate(session, an_act(book, actor=stranger.id), made.id)
        ended = people.end_mandate(session, an_act(book, actor=by.id), made.id, within=within)
        assert isinstance(ended, Mandate)
        assert (ended.ended_by, ended.ended_at) == (by.id, START)
        assert people.mandates(session, book.id, helper_id=helper.id, on=TODAY) == []
        again = people.end_mandate(session, an_act(book, actor=by.id), made.id, within=within)
        assert isinstance(again, Refusal)
        assert again.code == "mandate-ended-already"
    # Who was helped by whom stays known: they decide nothing for each other.
    assert people.tied(session, book.id, [elder.id]) == {elder.id: {helper.id}}


def test_the_database_keeps_mandates_and_takes_none_that_somebody_gives_themselves(session: Session) -> None:
    book = a_book(session)
    elder, helper = a_person(session, book), a_person(session, book)
    made = a_mandate(session, book, elder, helper)
    columns = ("person_id", "helper_id", "kind", "points_per_day_max", "starts_on", "ends_on", "granted_by", "granted_at")
    row = {column: getattr(made, column) for column in columns} | {"book_id": book.id, "ended_by": None, "ended_at": None}
    session.commit()
    for wrong in ({"granted_by": helper.id}, {"helper_id": elder.id}, {"points_per_day_max": -1}, {"ends_on": TODAY - timedelta(days=1)}):
        with pytest.raises(DatabaseError), session.begin_nested():
            session.execute(insert(Mandate).values(row | wrong | {"id": new_id()}))
    with pytest.raises(DatabaseError), session.begin_nested():
        session.execute(delete(Mandate).where(Mandate.book_id == book.id))


def a_child(session: Session, book: Book, guardian: UUID | None, birth_month: str = "2013-05", **others: Any) -> Person | Refusal:
    new = people.NewPerson("何子轩", GRID, birth_month=birth_month, guardian_id=guardian)
    return people.enrol(session, an_act(book, **others), VAULT, new)


def test_a_child_below_14_is_enrolled_with_a_guardian_who_acts_for_it_until_then(session: Session) -> None:
    book = a_book(session)
    assert a_child(session, book, None) == Refusal("guardian-needed", "guardian_id")
    parent = a_person(session, book)
    child = a_child(session, book, parent.id)
    assert isinstance(child, Person)
    (mandate,) = people.mandates(session, book.id, person_id=child.id, on=TODAY)
    assert (mandate.helper_id, mandate.kind, mandate.ends_on) == (parent.id, "guardian", date(2027, 5, 31))
    assert (mandate.points_per_day_max, mandate.agreed_at) == (POINTS_MAX, START)
    assert people.is_guarded(people.person(session, book.id, child.id), date(2027, 5, 31))
    assert not people.is_guarded(people.person(session, book.id, child.id), date(2027, 6, 1))


@pytest.mark.parametrize(("birth_month", "ends_on"), [("2012-11", ["2026-11-30"]), ("2012-10", []), ("2008-11", [])])
def test_a_birthday_is_over_when_its_month_is(session: Session, birth_month: str, ends_on: list[str]) -> None:
    book = a_book(session)
    child = a_child(session, book, a_person(session, book).id, birth_month)
    assert isinstance(child, Person)
    assert [one.ends_on.isoformat() for one in people.mandates(session, book.id, person_id=child.id, on=TODAY)] == ends_on
    assert people.is_guarded(child, TODAY) == bool(ends_on)


def test_a_guardian_is_an_adult_who_is_enrolled_and_not_chosen_for_their_own_sake(session: Session) -> None:
    book = a_book(session)
    brother, left = a_person(session, book, birth_month="2008-12"), a_person(session, book)
    session.execute(update(Person).where(Person.book_id == book.id, Person.id == left.id).values(status="left"))
    for unfit in (brother, left):
        assert a_child(session, book, unfit.id) == Refusal("guardian-unfit", "guardian_id")
    worker, kin = a_person(session, book, "grid_worker"), a_person(session, book)
    people.tie(session, an_act(book), worker.id, kin.id, "household")
    assert a_child(session, book, worker.id, actor=worker.id) == Refusal("mandate-for-oneself", "guardian_id")
    assert a_child(session, book, kin.id, actor=worker.id) == Refusal("mandate-for-own", "guardian_id")
    leader = a_person(session, book, "building_leader")
    assert a_child(session, book, leader.id, actor=worker.id) == Refusal("mandate-of-staff", "guardian_id")
    assert isinstance(a_child(session, book, leader.id), Person)
    with pytest.raises(NotFound):
        a_child(session, book, new_id())


def test_an_adult_has_no_guardian_by_enrolment(session: Session) -> None:
    book = a_book(session)
    adult = a_child(session, book, a_person(session, book).id, "1990-01")
    assert isinstance(adult, Person)
    assert people.mandates(session, book.id, person_id=adult.id) == []


@pytest.mark.parametrize("birth_month", [None, "1956-03", "2012-10"])
def test_nobody_is_named_the_guardian_of_somebody_who_needs_none(session: Session, birth_month: str | None) -> None:
    book = a_book(session)
    worker, friend = a_person(session, book, "grid_worker"), a_person(session, book)
    person = a_person(session, book, birth_month=birth_month)
    for by in (worker, None):
        assert given(session, book, by, person, friend, kind="guardian", ends_on=None) == "guardian-of-adult"
    assert people.mandates(session, book.id, person_id=person.id) == []


def test_a_guardian_by_a_mistaken_birthday_acts_no_more_once_that_is_put_right(session: Session) -> None:
    book = a_book(session)
    friend = a_person(session, book)
    person = a_child(session, book, friend.id)
    assert isinstance(person, Person)
    assert len(people.mandates(session, book.id, helper_id=friend.id, on=TODAY)) == 1
    people.correct(session, an_act(book), VAULT, person.id, "birth_month", "1956-03")
    assert people.mandates(session, book.id, helper_id=friend.id, on=TODAY) == []


def test_staff_give_a_guardian_until_the_child_grows_out_of_it(session: Session) -> None:
    book = a_book(session)
    worker, parent, aunt = a_person(session, book, "grid_worker"), a_person(session, book), a_person(session, book)
    child = a_child(session, book, parent.id)
    assert isinstance(child, Person)
    made = given(session, book, worker, child, aunt, kind="guardian", ends_on=None, points_per_day_max=POINTS_MAX)
    assert isinstance(made, Mandate)
    assert (made.ends_on, made.agreed_at) == (date(2027, 5, 31), None)
    assert (
        given(session, book, worker, child, a_person(session, book), kind="guardian", ends_on=date(2027, 6, 1))
        == "mandate-days-out-of-range"
    )
    assert given(session, book, worker, child, a_person(session, book, birth_month="2010-01"), kind="guardian") == "guardian-unfit"


def test_below_14_nobody_comes_in_by_themselves(session: Session) -> None:
    book = a_book(session)
    teenager = a_person(session, book, birth_month="2012-10")
    child = a_child(session, book, a_person(session, book).id, "2012-12")
    assert isinstance(child, Person)
    with pytest.raises(Invalid) as refused:
        sign_in.issue_link(session, an_act(book), child.id, lives=timedelta(days=60))
    assert refused.value.code == "guardian-acts"
    for way in ("card", "passkey", "link", "password"):
        assert sign_in.recognise(session, sign_in.open_session(session, book, teenager.id, way, START), START) is not None
        with pytest.raises(Invalid):
            sign_in.open_session(session, book, child.id, way, START)
    grown = START + timedelta(days=39)
    assert local_day(grown, book.zone) == date(2027, 1, 1)
    assert sign_in.recognise(session, sign_in.open_session(session, book, child.id, "card", grown), grown) is not None


def test_whoever_turns_out_to_be_a_child_is_signed_out(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book, birth_month="1913-05")
    token = sign_in.open_session(session, book, person.id, "card", START)
    assert sign_in.recognise(session, token, START) is not None
    people.correct(session, an_act(book), VAULT, person.id, "birth_month", "2013-05")
    session.expire_all()
    assert sign_in.recognise(session, token, START) is None
    people.correct(session, an_act(book), VAULT, person.id, "birth_month", "1913-05")
    assert sign_in.recognise(session, token, START) is not None
