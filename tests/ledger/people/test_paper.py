from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import OPERATOR
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import PassbookPrint
from ledger.people import Person
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import Database
from tests.earning import at_once


def printed(session: Session, book: Book, person: Person, last_line: int, anew_from: int | None = None) -> tuple[int, int, int] | str:
    outcome = people.print_lines(session, an_act(book), person.id, last_line, anew_from=anew_from)
    return outcome.code if isinstance(outcome, Refusal) else (outcome.line_from, outcome.line_to, outcome.row_from)


def test_each_print_goes_on_where_the_last_one_ended(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    assert people.last_print(session, book.id, person.id) is None
    assert printed(session, book, person, 0) == "booklet-up-to-date"
    assert [printed(session, book, person, last) for last in (5, 5, 22)] == [(1, 5, 1), "booklet-up-to-date", (6, 22, 6)]
    last = people.last_print(session, book.id, person.id)
    assert last is not None
    assert (people.last_row(last), people.page_and_row(people.last_row(last))) == (22, (2, 6))
    assert (last.printed_by, people.print_of(session, book.id, person.id, last.id)) == (OPERATOR, last)


def test_a_new_booklet_begins_in_its_first_row(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    assert [printed(session, book, person, *asked) for asked in ((20,), (20, 18), (21,))] == [(1, 20, 1), (18, 20, 1), (21, 21, 4)]
    assert printed(session, book, person, 21, 22) == "booklet-up-to-date"


def test_pages_and_rows_are_counted_from_one() -> None:
    assert [people.page_and_row(row) for row in (1, 16, 17, 32, 33)] == [(1, 1), (1, 16), (2, 1), (2, 16), (3, 1)]


def test_a_print_is_found_with_its_person_and_within_reach_only(session: Session) -> None:
    book = a_book(session)
    person, other = a_person(session, book), a_person(session, book)
    printed(session, book, person, 1)
    last = people.last_print(session, book.id, person.id)
    assert last is not None
    with pytest.raises(NotFound):
        people.print_of(session, book.id, other.id, last.id)
    with pytest.raises(NotFound):
        people.print_of(session, new_id(), person.id, last.id)
    with pytest.raises(NotFound):
        people.print_lines(session, an_act(book), person.id, 2, within=("1/",))


def test_of_two_who_print_at_once_one_prints(database: Database, session: Session) -> None:
    session.expire_on_commit = False
    book = a_book(session)
    person = a_person(session, book)
    session.commit()
    outcomes = at_once(database, *[lambda own: people.print_lines(own, an_act(book), person.id, 7)] * 2)
    assert sorted((type(one) for one in outcomes), key=str) == sorted([PassbookPrint, Refusal], key=str)
