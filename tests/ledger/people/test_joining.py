from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.areas import EVERYWHERE
from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people.joining import KEPT_FOR
from ledger.people.model import Application
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import TOWNSHIP
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START

WANG = {"name": "王　丽", "phone": "138 0013 8000", "birth_month": "1951-03", "address": "3栋502"}


@pytest.fixture
def book(session: Session) -> Book:
    return a_book(session)


def ask(session: Session, book: Book, *, area_code: str = VILLAGE, key: str = "once", at: timedelta = timedelta(0), **told: str) -> None:
    new = people.NewPerson(area_code=area_code, **(WANG | told))  # type: ignore[arg-type]
    people.apply_to_join(session, VAULT, book.id, new, START + at, key=key)


def waiting(session: Session, book: Book, later: timedelta = timedelta(0), **others: str) -> list[people.Applied]:
    scope = (people_path(session, book, others["area_code"]),) if others else EVERYWHERE
    return people.applications(session, VAULT, book.id, scope, START + later)


def people_path(session: Session, book: Book, code: str) -> str:
    return areas.path_of(session, book.id, code)


def test_what_somebody_tells_lies_sealed_and_is_read_by_staff_of_their_area(session: Session, book: Book) -> None:
    ask(session, book)
    (kept,) = session.execute(select(Application.sealed).where(Application.book_id == book.id)).scalars()
    assert "王丽".encode() not in kept
    assert b"13800138000" not in kept
    (applied,) = waiting(session, book, area_code=VILLAGE)
    assert applied.fields == WANG | {"name": "王丽", "phone": "13800138000"}
    assert waiting(session, book, area_code=OTHER_VILLAGE) == []


def test_the_same_key_is_the_same_application(session: Session, book: Book) -> None:
    ask(session, book)
    ask(session, book)
    ask(session, book, key="twice")
    assert len(waiting(session, book)) == 2


def test_asking_tells_nobody_whether_somebody_is_enrolled(session: Session, book: Book) -> None:
    known = a_person(session, book, name="王丽", phone="13800138000")
    ask(session, book)
    (applied,) = waiting(session, book)
    assert people.enrolled_alike(session, VAULT, book.id, [applied]) == {applied.id: {known.id}}
    refused = people.confirm_application(session, an_act(book), VAULT, applied.id)
    assert isinstance(refused, Refusal)
    assert (refused.code, len(waiting(session, book))) == ("already-enrolled", 1)


def test_who_is_confirmed_is_enrolled_and_their_application_is_gone(session: Session, book: Book) -> None:
    ask(session, book)
    (applied,) = waiting(session, book)
    person = people.confirm_application(session, an_act(book), VAULT, applied.id, area_code=GRID)
    assert not isinstance(person, Refusal)
    assert (person.area_code, people.names_of(session, VAULT, book.id, [person.id])[person.id]) == (GRID, "王丽")
    assert waiting(session, book) == []
    with pytest.raises(NotFound):
        people.confirm_application(session, an_act(book), VAULT, applied.id)


def test_a_child_is_confirmed_with_a_guardian_only(session: Session, book: Book) -> None:
    ask(session, book, birth_month="2016-05")
    (applied,) = waiting(session, book)
    refused = people.confirm_application(session, an_act(book), VAULT, applied.id)
    assert isinstance(refused, Refusal)
    assert refused.code == "guardian-needed"
    guardian = a_person(session, book, birth_month="1985-01")
    child = people.confirm_application(session, an_act(book), VAULT, applied.id, guardian_id=guardian.id)
    assert not isinstance(child, Refusal)
    assert [one.helper_id for one in people.mandates(session, book.id, person_id=child.id)] == [guardian.id]


def test_staff_of_another_area_can_do_nothing_with_it(session: Session, book: Book) -> None:
    ask(session, book)
    (applied,) = waiting(session, book)
    elsewhere = (people_path(session, book, OTHER_VILLAGE),)
    for act_on in (
        lambda: people.confirm_application(session, an_act(book), VAULT, applied.id, within=elsewhere),
        lambda: people.refuse_application(session, an_act(book), applied.id, within=elsewhere),
        lambda: people.application(session, VAULT, book.id, applied.id, START, elsewhere),
    ):
        with pytest.raises(NotFound):
            act_on()
    people.refuse_application(session, an_act(book), applied.id)
    assert waiting(session, book) == []


def test_what_nobody_answers_in_thirty_days_is_shown_no_more_and_swept(session: Session, book: Book) -> None:
    ask(session, book)
    ask(session, book, key="later", at=timedelta(days=1))
    (applied, _) = waiting(session, book, KEPT_FOR - timedelta(seconds=1))
    assert len(waiting(session, book, KEPT_FOR)) == 1
    with pytest.raises(NotFound):
        people.confirm_application(session, an_act(book, START + KEPT_FOR), VAULT, applied.id)
    assert people.sweep_applications(session, book.id, START + KEPT_FOR) == 1
    assert len(session.execute(select(Application.id).where(Application.book_id == book.id)).all()) == 1


@pytest.mark.parametrize(
    ("told", "field"),
    [({"name": " "}, "name"), ({"phone": ""}, "phone"), ({"phone": "12"}, "phone"), ({"birth_month": "1951"}, "birth_month")],
)
def test_an_application_is_told_like_an_enrolment(session: Session, book: Book, told: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        ask(session, book, **told)
    assert raised.value.field == field


def test_somebody_asks_for_a_community_or_a_grid_of_it(session: Session, book: Book) -> None:
    ask(session, book, area_code=GRID)
    with pytest.raises(Invalid):
        ask(session, book, area_code=TOWNSHIP)
    with pytest.raises(NotFound):
        ask(session, book, area_code="99")
