from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import sign_in
from ledger.areas import Book
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.sign_in import Device
from ledger.sign_in import PairedDevice
from ledger.tokens import hash_of
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import a_unit
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

MINUTE = timedelta(minutes=1)


def prepared(session: Session, book: Book) -> Device:
    return sign_in.prepare_device(session, an_act(book), VAULT, name="柜台平板", area_code=GRID)


def paired(session: Session, book: Book, at: datetime = START) -> tuple[PairedDevice, str]:
    outcome = sign_in.pair(session, VAULT, book, sign_in.pairing_code(VAULT, prepared(session, book)), at)
    assert not isinstance(outcome, Refusal)
    return outcome


def test_a_code_pairs_one_device_once_and_within_ten_minutes(session: Session) -> None:
    book = a_book(session)
    device = prepared(session, book)
    code = sign_in.pairing_code(VAULT, device)
    assert len(code) == 8
    assert sign_in.pair(session, VAULT, book, code, START + 10 * MINUTE) == Refusal("pairing-code-wrong", "code")
    outcome = sign_in.pair(session, VAULT, book, code.lower(), START + 9 * MINUTE)
    assert not isinstance(outcome, Refusal)
    here, token = outcome
    assert (here.id, here.area_code, here.unit_id) == (device.id, GRID, None)
    assert sign_in.pair(session, VAULT, book, code, START + 9 * MINUTE) == Refusal("pairing-code-wrong", "code")
    found = sign_in.recognise_device(session, token)
    assert found is not None
    assert found.id == device.id


def test_of_a_device_only_hashes_are_kept(session: Session) -> None:
    book = a_book(session)
    device = prepared(session, book)
    assert sign_in.pairing_code(VAULT, device).encode() not in device.token_hash
    assert device.token_hash != hash_of(sign_in.pairing_code(VAULT, device))
    here, token = paired(session, book)
    kept = session.execute(select(Device.token_hash).where(Device.book_id == book.id, Device.id == here.id)).scalar_one()
    assert kept == hash_of(token)
    assert len(token.partition("-")[2]) * 5 >= 256


@pytest.mark.parametrize("typed", ["ABCD-EFGH", " abcd efgh ", "ABCDEFGH", "1-ABCD-EFGH", "1ABCDEFGH"])
def test_a_code_is_read_however_it_is_typed(session: Session, typed: str) -> None:
    book = a_book(session)
    read = sign_in.read_code(session, typed)
    assert read is not None
    assert (read[0].id, read[1]) == (book.id, "ABCDEFGH")


@pytest.mark.parametrize("typed", ["", "-", "ABCD", "2-ABCD-EFGH", "X-ABCD-EFGH", "²ABCDEFGH", "1" * 400, "陈桂芳"])
def test_what_is_no_code_is_none(session: Session, typed: str) -> None:
    a_book(session)
    assert sign_in.read_code(session, typed) is None


def test_where_there_are_several_books_a_code_is_shown_with_its_own(session: Session) -> None:
    book = a_book(session)
    assert sign_in.shown_code(session, book, "ABCDEFGH") == "ABCD-EFGH"
    other = areas.open_book(session, name="另一本", area_code=OTHER_VILLAGE, zone="Asia/Shanghai", at=START)
    assert sign_in.shown_code(session, other, "ABCDEFGH") == f"{other.number}-ABCD-EFGH"
    assert sign_in.read_code(session, "ABCD-EFGH") is None
    read = sign_in.read_code(session, f"{other.number}-ABCD-EFGH")
    assert read is not None
    assert read[0].id == other.id


def test_an_ended_device_opens_nothing_and_ends_what_is_signed_in_on_it(session: Session) -> None:
    book = a_book(session)
    here, token = paired(session, book)
    shift = sign_in.open_on_device(session, here, a_person(session, book).id, "shift", START)
    assert sign_in.recognise(session, shift, START) is not None
    with pytest.raises(NotFound):
        sign_in.end_device(session, an_act(book), here.id, unit_ids=[new_id()])
    sign_in.end_device(session, an_act(book), here.id, within=areas.EVERYWHERE)
    assert sign_in.recognise(session, shift, START) is None
    assert sign_in.recognise_device(session, token) is None
    assert sign_in.devices_of(session, book.id, within=areas.EVERYWHERE, at=START) == []


def test_a_device_that_was_ended_before_it_was_paired_is_paired_by_nobody(session: Session) -> None:
    book = a_book(session)
    device = prepared(session, book)
    sign_in.end_device(session, an_act(book), device.id, within=areas.EVERYWHERE)
    assert sign_in.pair(session, VAULT, book, sign_in.pairing_code(VAULT, device), START) == Refusal("pairing-code-wrong", "code")


def test_devices_are_listed_by_whose_they_are(session: Session) -> None:
    book = a_book(session)
    unit = a_unit(session, book)
    till = sign_in.prepare_device(session, an_act(book), VAULT, name="收银机", unit_id=unit.id)
    counter = prepared(session, book)
    here = (areas.path_of(session, book.id, VILLAGE),)
    assert sign_in.devices_of(session, book.id, unit_ids=[unit.id], at=START) == [till]
    assert sign_in.devices_of(session, book.id, within=here, at=START) == [counter]
    assert sign_in.devices_of(session, book.id, within=(areas.path_of(session, book.id, OTHER_VILLAGE),), at=START) == []
    assert sign_in.devices_of(session, book.id, within=here, at=START + 10 * MINUTE) == [], "nobody can pair it any more"


def test_a_device_stands_within_ones_areas_and_has_a_name(session: Session) -> None:
    book = a_book(session)
    elsewhere = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    with pytest.raises(NotFound):
        sign_in.prepare_device(session, an_act(book), VAULT, name="柜台", area_code=GRID, within=elsewhere)
    with pytest.raises(Invalid):
        sign_in.prepare_device(session, an_act(book), VAULT, name=" ", area_code=GRID)


def test_of_two_devices_that_give_a_code_at_once_one_is_paired(database: Database) -> None:
    with Session(database.engine) as session:
        book = a_book(session)
        code = sign_in.pairing_code(VAULT, prepared(session, book))
        session.commit()
        session.refresh(book)
        session.expunge(book)
    together = Barrier(6)

    def give() -> object:
        together.wait()
        with Session(database.engine) as own, own.begin():
            return sign_in.pair(own, VAULT, book, code, START)

    with ThreadPoolExecutor(6) as threads:
        outcomes = [future.result() for future in [threads.submit(give) for _ in range(6)]]
    assert sum(not isinstance(outcome, Refusal) for outcome in outcomes) == 1
