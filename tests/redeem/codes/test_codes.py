from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.ids import new_id
from ledger.people import Person
from ledger.tokens import STEP_SECONDS
from ledger.tokens import code_at
from ledger.tokens import digits_at
from ledger.tokens import step_at
from redeem import codes
from redeem.codes import Given
from redeem.codes.queries import STEPS_REMEMBERED
from redeem.codes.queries import context
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

STEP = timedelta(seconds=STEP_SECONDS)


def drawn(session: Session, book: Book, person: Person, *, typed: bool = False, **later: Any) -> Given:
    """The code somebody shows, as it is read at a till."""
    code = codes.pay_code(session, VAULT, book.number, person, START + timedelta(**later))
    read = codes.read(f"{code.handle}{code.digits}" if typed else code.token, book.number)
    assert read is not None
    return read


@pytest.mark.parametrize("typed", [False, True])
def test_a_code_is_recognised_in_its_step_and_the_next_and_told_apart_for_an_hour(session: Session, typed: bool) -> None:
    book = a_book(session)
    person = a_person(session, book)
    given = drawn(session, book, person, typed=typed)
    seen = []
    for step in (0, 1, 2, STEPS_REMEMBERED - 1, STEPS_REMEMBERED):
        found = codes.recognise(session, VAULT, book.id, [given], START + step * STEP).get(given)
        seen.append(found and found.is_in_time)
    assert seen == [True, True, False, False, None]
    found = codes.recognise(session, VAULT, book.id, [given], START)[given]
    assert (found.person_id, found.handle, found.is_active, found.step) == (person.id, person.handle, True, step_at(START))


def test_a_code_that_is_yet_to_be_drawn_is_none(session: Session) -> None:
    book = a_book(session)
    given = drawn(session, book, a_person(session, book), seconds=STEP_SECONDS)
    assert codes.recognise(session, VAULT, book.id, [given], START) == {}


def test_the_scanned_and_the_typed_code_are_the_same_step(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    scanned, typed = (drawn(session, book, person, typed=typed) for typed in (False, True))
    found = codes.recognise(session, VAULT, book.id, [scanned, typed], START)
    assert found[scanned] == found[typed]


def test_codes_of_many_are_told_apart_in_one_set(session: Session) -> None:
    book = a_book(session)
    persons = [a_person(session, book) for _ in range(3)]
    given = {drawn(session, book, person): person.id for person in persons}
    swapped = replace(next(iter(given)), handle=persons[1].handle)
    found = codes.recognise(session, VAULT, book.id, [*given, swapped], START)
    assert {one: recognised.person_id for one, recognised in found.items()} == given


def test_a_code_of_another_book_is_no_code_of_this_one(session: Session) -> None:
    book = a_book(session)
    given = drawn(session, book, a_person(session, book))
    assert codes.recognise(session, VAULT, new_id(), [given], START) == {}


def test_a_second_device_draws_codes_of_its_own_and_a_revoked_one_none(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    first = drawn(session, book, person)
    device = codes.add_device(session, VAULT, person, START)
    assert device.id in {one.id for one in codes.devices_of(session, book.id, person.id)}
    key = VAULT.open(context(book.id, device.id), device.sealed_key)
    second = Given(person.handle, code_at(key, step_at(START), "pay"), is_typed=False)
    found = codes.recognise(session, VAULT, book.id, [first, second], START)
    assert found[second].device_id == device.id != found[first].device_id
    session.execute(
        update(codes.PayDevice).where(codes.PayDevice.book_id == book.id, codes.PayDevice.id == device.id).values(revoked_at=START)
    )
    assert set(codes.recognise(session, VAULT, book.id, [first, second], START)) == {first}


def test_six_digits_that_another_device_drew_earlier_are_those_of_the_one_that_draws_them_now(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    keys = [bytes([number]) * 32 for number in (1, 2)]
    # So many steps from the start the second draws what the first drew 83 steps before.
    step = step_at(START) + 6775
    assert digits_at(keys[1], step, "pay") == digits_at(keys[0], step - 83, "pay")
    ids = sorted((new_id(), new_id()))
    for device_id, key in zip(ids, keys, strict=True):
        sealed = VAULT.seal(context(book.id, device_id), key)
        device = codes.PayDevice(
            book_id=book.id, id=device_id, person_id=person.id, sealed_key=sealed, created_at=START, revoked_at=None
        )  # fmt: skip
        session.add(device)
    session.flush()
    given = Given(person.handle, digits_at(keys[1], step, "pay"), is_typed=True)
    found = codes.recognise(session, VAULT, book.id, [given], START + 6775 * STEP)[given]
    assert (found.device_id, found.step, found.is_in_time) == (ids[1], step, True)


def test_the_key_of_a_device_is_sealed_for_it_alone(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    one, other = (codes.add_device(session, VAULT, person, START) for _ in range(2))
    assert len(VAULT.open(context(book.id, one.id), one.sealed_key)) == 32
    assert VAULT.open(context(book.id, one.id), one.sealed_key) not in one.sealed_key
    with pytest.raises(Exception, match="vault"):
        VAULT.open(context(book.id, one.id), other.sealed_key)


def test_a_step_is_spent_once(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    found = codes.recognise(session, VAULT, book.id, [given := drawn(session, book, person)], START)[given]
    place, redemption_id = (found.device_id, found.step), new_id()
    assert codes.spent(session, book.id, [place]) == {}
    codes.spend(session, [(an_act(book), *place, redemption_id)])
    codes.spend(session, [])
    (step,) = codes.spent(session, book.id, [place, (found.device_id, found.step + 1)]).values()
    assert (step.redemption_id, step.spent_at) == (redemption_id, START)
    with pytest.raises(IntegrityError):
        codes.spend(session, [(an_act(book), *place, new_id())])


def test_a_spent_step_stays_spent(session: Session, database: Database, owner: Engine) -> None:
    book = a_book(session)
    person = a_person(session, book)
    found = codes.recognise(session, VAULT, book.id, [given := drawn(session, book, person)], START)[given]
    codes.spend(session, [(an_act(book), found.device_id, found.step, new_id())])
    session.commit()
    with pytest.raises(Exception, match="spent_step"), owner.begin() as connection:
        connection.exec_driver_sql("DELETE FROM spent_step")
