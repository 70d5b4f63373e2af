from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from ledger import people
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.people.rules import OPEN_FOR
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START


def test_whoever_opens_somebodys_data_sees_them_for_a_quarter_of_an_hour_and_nobody_else_does(session: Session) -> None:
    book = a_book(session)
    person, worker, other = a_person(session, book, phone="13811112222"), a_person(session, book), a_person(session, book)
    assert people.opened(session, VAULT, book.id, person.id, worker.id, START) is None
    opening = people.open_person(session, an_act(book, actor=worker.id), person.id, "objection")
    shown = people.opened(session, VAULT, book.id, person.id, worker.id, START + OPEN_FOR - timedelta(seconds=1))
    assert shown == {"name": "陈桂芳", "phone": "13811112222"}
    assert people.opened(session, VAULT, book.id, person.id, worker.id, START + OPEN_FOR) is None
    assert people.opened(session, VAULT, book.id, person.id, other.id, START) is None
    assert people.opened(session, VAULT, book.id, other.id, worker.id, START) is None
    (seen,) = people.openings_of(session, book.id, person.id)
    assert (seen.id, seen.opened_by, seen.reason, seen.opened_at) == (opening.id, worker.id, "objection", START)
    assert not people.openings_of(session, book.id, worker.id)


def test_openings_are_listed_the_last_first(session: Session) -> None:
    book = a_book(session)
    person, worker = a_person(session, book), a_person(session, book)
    for minutes, reason in ((0, "audit"), (20, "safety")):
        people.open_person(session, an_act(book, START + timedelta(minutes=minutes), actor=worker.id), person.id, reason)
    assert [opening.reason for opening in people.openings_of(session, book.id, person.id)] == ["safety", "audit"]


def test_nobody_is_opened_without_a_reason_of_the_list_or_outside_ones_areas(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    with pytest.raises(Invalid, match="opening-reason-unknown"):
        people.open_person(session, an_act(book), person.id, "curiosity")
    with pytest.raises(NotFound):
        people.open_person(session, an_act(book), person.id, "audit", within=(f"{OTHER_VILLAGE}/",))
    assert not people.openings_of(session, book.id, person.id)
