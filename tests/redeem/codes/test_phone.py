from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.people import Person
from ledger.sign_in import Credential
from ledger.tokens import code_at
from ledger.tokens import digits_at
from ledger.tokens import hash_of
from ledger.tokens import step_at
from redeem import codes
from redeem.codes import Given
from redeem.codes.queries import context
from redeem.codes.rules import PHONES_MAX
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START


def opened(session: Session, book: Book, person: Person) -> tuple[str, UUID]:
    """Let somebody sign in; return the session's token and id."""
    token = sign_in.open_session(session, book, person.id, "link", START)
    found = session.scalars(select(Credential.id).where(Credential.book_id == book.id, Credential.token_hash == hash_of(token))).one()
    assert found
    return token, found


def drawn(key: bytes, person: Person, at: datetime = START, *, typed: bool = False) -> Given:
    """What a phone shows that has this key."""
    return Given(person.handle, (digits_at if typed else code_at)(key, step_at(at), "pay"), is_typed=typed)


def is_known(session: Session, book: Book, given: Given, at: datetime = START) -> bool:
    return given in codes.recognise(session, VAULT, book.id, [given], at)


def test_a_phone_draws_codes_with_its_key_alone(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    phone, key = codes.add_phone(session, an_act(book), VAULT, person.id, opened(session, book, person)[1])
    later = START + timedelta(days=20)
    scanned, typed = (drawn(key, person, later, typed=typed) for typed in (False, True))
    found = codes.recognise(session, VAULT, book.id, [scanned, typed], later)
    assert found[scanned] == found[typed]
    assert (found[scanned].device_id, found[scanned].person_id, found[scanned].is_in_time) == (phone.id, person.id, True)
    assert VAULT.open(context(book.id, phone.id), phone.sealed_key) == key
    assert key not in phone.sealed_key


def test_a_phone_and_the_service_draw_for_the_same_person_and_neither_stands_for_the_other(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    phone, key = codes.add_phone(session, an_act(book), VAULT, person.id, opened(session, book, person)[1])
    shown = codes.pay_code(session, VAULT, book.number, person, START)
    assert shown.token != f"{book.number}-{person.handle}-{drawn(key, person).code}"
    assert phone.id not in {device.id for device in codes.devices_of(session, book.id, person.id)}
    codes.spend(session, [(an_act(book), phone.id, step_at(START), phone.id)])
    assert codes.is_used_on(session, phone, START)
    assert not codes.is_used_on(session, phone, START + timedelta(seconds=30))
    assert not codes.is_used(session, book.id, person.id, START)


@pytest.mark.parametrize("way_out", ["signed out", "ended from elsewhere", "signed out everywhere", "run out"])
def test_the_key_of_a_phone_ends_with_the_sign_in_it_came_with(session: Session, way_out: str) -> None:
    book = a_book(session)
    person = a_person(session, book)
    token, session_id = opened(session, book, person)
    _, key = codes.add_phone(session, an_act(book), VAULT, person.id, session_id)
    at = START
    if way_out == "signed out":
        sign_in.sign_out(session, token, START)
    elif way_out == "ended from elsewhere":
        sign_in.end_session(session, an_act(book), person.id, session_id)
    elif way_out == "signed out everywhere":
        sign_in.sign_out_everywhere(session, an_act(book), person.id)
    else:
        at = START + sign_in.OWN_PHONE.absolute
        assert is_known(session, book, drawn(key, person, at - timedelta(minutes=1)), at - timedelta(minutes=1))
    assert not is_known(session, book, drawn(key, person, at), at)
    assert codes.phones_of(session, book.id, person.id, at) == []


def test_a_sign_in_has_one_key_and_the_newest_counts(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    session_id = opened(session, book, person)[1]
    (_, first), (phone, second) = (codes.add_phone(session, an_act(book), VAULT, person.id, session_id) for _ in range(2))
    assert [is_known(session, book, drawn(key, person)) for key in (first, second)] == [False, True]
    assert [one.id for one in codes.phones_of(session, book.id, person.id, START)] == [phone.id]


def test_with_one_phone_too_many_the_oldest_ends(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    keys = [codes.add_phone(session, an_act(book), VAULT, person.id, opened(session, book, person)[1])[1] for _ in range(PHONES_MAX + 2)]
    assert [is_known(session, book, drawn(key, person)) for key in keys] == [False] * 2 + [True] * PHONES_MAX


def test_a_phone_is_ended_by_its_owner_and_by_nobody_else(session: Session) -> None:
    book = a_book(session)
    person, other = a_person(session, book), a_person(session, book)
    phone, key = codes.add_phone(session, an_act(book), VAULT, person.id, opened(session, book, person)[1])
    with pytest.raises(NotFound):
        codes.end_phone(session, an_act(book), other.id, phone.id)
    assert is_known(session, book, drawn(key, person))
    assert codes.end_phone(session, an_act(book), person.id, phone.id).session_id == phone.session_id
    assert not is_known(session, book, drawn(key, person))
    with pytest.raises(NotFound):
        codes.end_phone(session, an_act(book), person.id, phone.id)


def test_what_the_service_draws_is_ended_as_no_phone(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    device = codes.add_device(session, VAULT, person, START)
    with pytest.raises(NotFound):
        codes.end_phone(session, an_act(book), person.id, device.id)
    assert [one.id for one in codes.devices_of(session, book.id, person.id)] == [device.id]


def test_the_database_keeps_no_phone_without_a_sign_in(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    device = codes.add_device(session, VAULT, person, START)
    session.flush()
    lonely = codes.PayDevice(
        book_id=book.id, id=book.id, person_id=person.id, sealed_key=device.sealed_key, created_at=START, revoked_at=None, kind="phone"
    )  # fmt: skip
    session.add(lonely)
    with pytest.raises(IntegrityError):
        session.flush()


def test_the_owner_is_told_which_devices_there_are(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    codes.add_device(session, VAULT, person, START)
    phone, _ = codes.add_phone(session, an_act(book), VAULT, person.id, opened(session, book, person)[1])
    codes.end_phone(session, an_act(book), person.id, phone.id)
    told = codes.records_of(session, VAULT, book.id, person.id, START)["pay_devices"]
    assert [(one["kind"], one["revoked_at"]) for one in told] == [("service", None), ("phone", START)]
