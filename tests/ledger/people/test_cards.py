from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger import people
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Card
from ledger.people import Person
from ledger.people.rules import card_number_of
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START


def issued(session: Session, book: Book, person: Person) -> Card:
    card = people.issue_card(session, an_act(book), person.id)
    assert isinstance(card, Card)
    return card


def test_every_wrong_digit_and_every_swap_of_neighbours_of_a_card_number_is_found() -> None:
    number = card_number_of(90817263540)
    assert people.is_card_number(number)
    for place in range(12):
        for digit in "0123456789".replace(number[place], ""):
            assert not people.is_card_number(number[:place] + digit + number[place + 1 :])
    for place in range(11):
        if number[place] != number[place + 1]:
            assert not people.is_card_number(number[:place] + number[place + 1] + number[place] + number[place + 2 :])
    assert not people.is_card_number("１" * 12)
    assert not people.is_card_number(number[:-1])


def test_a_card_stands_for_somebody_until_it_is_revoked(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    card = issued(session, book, person)
    assert people.is_card_number(card.number)
    holders = people.holders_of(session, book.id, [card.number, "123456789012", "x"])
    assert {number: holder.id for number, holder in holders.items()} == {card.number: person.id}
    assert people.revoke_card(session, an_act(book), person.id) is card
    assert people.holders_of(session, book.id, [card.number]) == {}
    assert people.revoke_card(session, an_act(book), person.id) == Refusal("card-none", "person_id")


def test_a_replaced_card_is_dead_at_once(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    assert people.replace_card(session, an_act(book), person.id) == Refusal("card-none", "person_id")
    old = issued(session, book, person)
    new = people.replace_card(session, an_act(book), person.id)
    assert isinstance(new, Card)
    assert new.number != old.number
    assert set(people.holders_of(session, book.id, [old.number, new.number])) == {new.number}
    assert {card.number for card in people.cards_of(session, book.id, person.id)} == {old.number, new.number}


def test_nobody_has_two_cards(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    issued(session, book, person)
    assert people.issue_card(session, an_act(book), person.id) == Refusal("card-there-already", "person_id")
    session.add(Card(book_id=book.id, number=card_number_of(7), id=new_id(), person_id=person.id, issued_by=person.id, issued_at=START))
    with pytest.raises(IntegrityError):
        session.flush()


def test_nobody_gives_a_card_or_a_number_to_themselves_or_elsewhere(session: Session) -> None:
    book = a_book(session)
    staff = a_person(session, book, "grid_worker", area_code=VILLAGE)
    elsewhere = a_person(session, book, area_code=OTHER_VILLAGE)
    scope = (people.powers_of(session, book.id, staff.id, START.date())[0].area_path,)
    for act in (people.issue_card, people.replace_card, people.revoke_card, people.replace_handle):
        assert act(session, an_act(book, actor=staff.id), staff.id, within=scope) == Refusal("card-for-oneself", "person_id")
        with pytest.raises(NotFound):
            act(session, an_act(book, actor=staff.id), elsewhere.id, within=scope)


def test_whoever_has_left_gets_no_card(session: Session) -> None:
    book = a_book(session)
    person = people.person(session, book.id, a_person(session, book).id)
    person.status = "left"
    session.flush()
    assert people.issue_card(session, an_act(book), person.id) == Refusal("person-left", "person_id")


def test_a_replaced_passbook_number_is_nobodys(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    old = person.handle
    replaced = people.replace_handle(session, an_act(book), person.id)
    assert isinstance(replaced, Person)
    assert people.is_handle(replaced.handle)
    assert replaced.handle != old
    assert people.by_handle(session, book.id, old) is None
    assert people.by_handle(session, book.id, replaced.handle) is replaced
