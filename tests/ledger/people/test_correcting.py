from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people.model import Person
from ledger.people.model import SealedField
from ledger.people.model import SearchHash
from ledger.people.rules import was_field
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act


@pytest.fixture
def book(session: Session) -> Book:
    return a_book(session)


def known(session: Session, person: Person) -> dict[str, str]:
    return people.fields_of(session, VAULT, person.book_id, [person.id], people.PERSONAL_FIELDS)[person.id]


def found(session: Session, person: Person, field: str, value: str) -> bool:
    return person.id in people.found_by(session, VAULT, person.book_id, field, [value])[value]


def test_a_corrected_phone_is_found_and_the_former_one_is_not(session: Session, book: Book) -> None:
    person, worker = a_person(session, book, phone="13811112222", address="3栋"), a_person(session, book)
    done = people.correct(session, an_act(book, actor=worker.id), VAULT, person.id, "phone", "139 3333 4444")
    assert isinstance(done, people.Correction)
    assert known(session, person)["phone"] == "13933334444"
    assert found(session, person, "phone", "13933334444")
    assert found(session, person, "name_phone", "陈桂芳|13933334444")
    assert not found(session, person, "phone", "13811112222")
    assert not found(session, person, "name_phone", "陈桂芳|13811112222")
    assert found(session, person, "name_address", "陈桂芳|3栋")


def test_what_stood_there_before_lies_sealed_with_the_person(session: Session, book: Book) -> None:
    person, worker = a_person(session, book, phone="13811112222"), a_person(session, book)
    done = people.correct(session, an_act(book, actor=worker.id), VAULT, person.id, "phone", "13933334444")
    assert isinstance(done, people.Correction)
    field = was_field(done.id)
    assert people.fields_of(session, VAULT, book.id, [person.id], [field])[person.id] == {field: "13811112222"}
    (seen,) = people.corrections_of(session, book.id, person.id)
    assert (seen.field, seen.corrected_by) == ("phone", worker.id)
    assert not people.corrections_of(session, book.id, worker.id)


def test_a_field_is_taken_away_and_comes_again(session: Session, book: Book) -> None:
    person, worker = a_person(session, book, note="轮椅"), a_person(session, book)
    act = an_act(book, actor=worker.id)
    assert isinstance(people.correct(session, act, VAULT, person.id, "note", None), people.Correction)
    assert "note" not in known(session, person)
    kept = session.execute(select(SealedField.field).where(SealedField.book_id == book.id, SealedField.person_id == person.id)).scalars()
    assert "note" not in set(kept)
    assert isinstance(people.correct(session, act, VAULT, person.id, "note", "拐杖"), people.Correction)
    assert known(session, person)["note"] == "拐杖"
    assert len(people.corrections_of(session, book.id, person.id)) == 2


def test_another_name_is_found_with_phone_and_address(session: Session, book: Book) -> None:
    person, worker = a_person(session, book, name="陈桂方", phone="13811112222"), a_person(session, book)
    people.correct(session, an_act(book, actor=worker.id), VAULT, person.id, "name", "陈 桂芳")
    assert known(session, person)["name"] == "陈桂芳"
    assert found(session, person, "name_phone", "陈桂芳|13811112222")
    hashes = session.execute(select(SearchHash.field).where(SearchHash.book_id == book.id, SearchHash.person_id == person.id)).scalars()
    assert sorted(hashes) == ["name_address", "name_phone", "phone"]


def test_nothing_is_corrected_that_is_so_already_or_belongs_to_somebody_else(session: Session, book: Book) -> None:
    person, worker = a_person(session, book, phone="13811112222"), a_person(session, book)
    namesake = a_person(session, book, phone="13855556666")
    act = an_act(book, actor=worker.id)
    assert people.correct(session, act, VAULT, person.id, "phone", "138 1111 2222") == Refusal("nothing-to-correct", "text")
    assert people.correct(session, act, VAULT, person.id, "note", "") == Refusal("nothing-to-correct", "text")
    assert people.correct(session, act, VAULT, namesake.id, "phone", "13811112222") == Refusal("already-enrolled", "text")
    assert not people.corrections_of(session, book.id, person.id)
    assert not people.corrections_of(session, book.id, namesake.id)


def test_people_change_their_own_phone_and_address_and_nothing_else(session: Session, book: Book) -> None:
    person = a_person(session, book, birth_month="1951-03")
    own = an_act(book, actor=person.id)
    assert isinstance(people.correct(session, own, VAULT, person.id, "address", "5栋"), people.Correction)
    for field in set(people.PERSONAL_FIELDS) - set(people.OWN_FIELDS):
        assert people.correct(session, own, VAULT, person.id, field, "1950-01") == Refusal("correction-by-staff", "field")
    helper = an_act(book, actor=a_person(session, book).id, acted_for=person.id)
    assert people.correct(session, helper, VAULT, person.id, "name", "李四") == Refusal("correction-by-staff", "field")
    assert known(session, person)["birth_month"] == "1951-03"


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("phone", "123", "phone-malformed"),
        ("name", "", "name-malformed"),
        ("birth_month", "1951", "birth-month-malformed"),
        ("note", "a\0", "text-malformed"),
        ("claim:1", "x", "personal-field-unknown"),
    ],
)
def test_what_cannot_be_kept_is_not(session: Session, book: Book, field: str, text: str, code: str) -> None:
    person = a_person(session, book)
    with pytest.raises(Invalid, match=code):
        people.correct(session, an_act(book), VAULT, person.id, field, text)


def test_nobody_outside_ones_areas_is_corrected(session: Session, book: Book) -> None:
    person = a_person(session, book)
    with pytest.raises(NotFound):
        people.correct(session, an_act(book), VAULT, person.id, "note", "轮椅", within=(f"{OTHER_VILLAGE}/",))
