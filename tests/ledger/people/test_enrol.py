from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people.model import PersonKey
from ledger.people.model import SealedField
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

WHOLE = people.NewPerson(
    "李　桂荣",
    GRID,
    phone="138-0013-8000",
    birth_month="1951-03",
    gender="female",
    address="17栋2单元",
    note="会评弹",
    volunteer_number="320106004641",
)
CANARIES = ("李桂荣", "李　桂荣", "13800138000", "138-0013-8000", "1951-03", "17栋2单元", "会评弹", "320106004641")


def test_whoever_is_enrolled_has_a_handle_a_name_and_a_role(session: Session) -> None:
    book = a_book(session)
    person = people.enrol(session, an_act(book), VAULT, WHOLE)
    assert isinstance(person, people.Person)
    assert people.is_handle(person.handle)
    assert people.names_of(session, VAULT, book.id, [person.id]) == {person.id: "李桂荣"}
    assert people.powers_of(session, book.id, person.id, START.date()) == [people.Power("volunteer", areas.path_of(session, book.id, GRID))]
    assert people.fields_of(session, VAULT, book.id, [person.id], people.PERSONAL_FIELDS)[person.id]["phone"] == "13800138000"


def test_a_courier_earns_where_others_live(session: Session) -> None:
    book = a_book(session)
    courier = a_person(session, book, is_resident=False, area_code=VILLAGE)
    assert not people.person(session, book.id, courier.id).is_resident


def test_the_same_name_with_the_same_phone_is_refused(session: Session) -> None:
    book = a_book(session)
    people.enrol(session, an_act(book), VAULT, WHOLE)
    again = people.enrol(session, an_act(book), VAULT, people.NewPerson("李桂荣", VILLAGE, phone="+86 13800138000"))
    assert again == Refusal("already-enrolled", "phone")
    assert isinstance(people.enrol(session, an_act(book), VAULT, people.NewPerson("李桂", GRID, phone="13800138000")), people.Person)


def test_a_set_has_one_outcome_for_each(session: Session) -> None:
    book = a_book(session)
    first, second, third = people.enrol_many(session, an_act(book), VAULT, [WHOLE, WHOLE, people.NewPerson("王丽", GRID)])
    assert isinstance(first, people.Person)
    assert second == Refusal("already-enrolled", "phone")
    assert isinstance(third, people.Person)


def test_ten_thousand_residents_are_enrolled_in_sets(session: Session) -> None:
    book = a_book(session)
    statements = count_statements(session)
    outcomes = people.enrol_many(
        session, an_act(book), VAULT, [people.NewPerson("张三", GRID, phone=str(13900000000 + n)) for n in range(2000)]
    )
    assert len({person.handle for person in outcomes if isinstance(person, people.Person)}) == 2000
    assert len(statements) < 15


def count_statements(session: Session) -> list[str]:
    from sqlalchemy import event

    seen: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *call: seen.append(call[2]))
    return seen


def test_names_take_one_query(session: Session) -> None:
    book = a_book(session)
    ids = [a_person(session, book, name=name).id for name in ("王丽", "赵敏", "钱多")]
    statements = count_statements(session)
    assert list(people.names_of(session, VAULT, book.id, ids).values()) == ["王丽", "赵敏", "钱多"]
    assert len(statements) == 1


def test_enrolling_outside_the_scope_or_the_book_finds_no_area(session: Session) -> None:
    book = a_book(session)
    scope = (areas.path_of(session, book.id, OTHER_VILLAGE),)
    with pytest.raises(NotFound):
        people.enrol(session, an_act(book), VAULT, WHOLE, within=scope)
    with pytest.raises(NotFound):
        people.enrol(session, an_act(book), VAULT, people.NewPerson("王丽", "320106999"))


def test_a_person_of_another_book_or_area_is_not_there(session: Session) -> None:
    book = a_book(session)
    other = areas.open_book(session, name="苏州路社区", area_code=OTHER_VILLAGE, zone="Asia/Shanghai", at=START)
    person = a_person(session, book)
    with pytest.raises(NotFound):
        people.person(session, other.id, person.id)
    with pytest.raises(NotFound):
        people.person(session, book.id, person.id, (areas.path_of(session, book.id, OTHER_VILLAGE),))
    assert people.by_handle(session, other.id, person.handle) is None
    found = people.by_handle(session, book.id, f"{person.handle[:4]} {person.handle[4:]}")
    assert found is not None
    assert found.id == person.id
    assert people.by_handle(session, book.id, person.handle, (areas.path_of(session, book.id, OTHER_VILLAGE),)) is None


def test_texts_are_sealed_each_in_its_own_place(session: Session) -> None:
    book = a_book(session)
    one, other = a_person(session, book), a_person(session, book, name="王丽")
    people.seal_texts(session, VAULT, book.id, [(one.id, "claim:1", "a"), (other.id, "claim:2", "b"), (other.id, "claim:1", "c")])
    people.seal_texts(session, VAULT, book.id, [(one.id, "claim:1", "d"), (other.id, "claim:2", "e")])
    opened = people.fields_of(session, VAULT, book.id, [one.id, other.id], ["claim:1", "claim:2"])
    assert opened == {one.id: {"claim:1": "d"}, other.id: {"claim:2": "e", "claim:1": "c"}}
    with pytest.raises(Invalid):
        people.seal_texts(session, VAULT, book.id, [(one.id, "note", "x" * 5000)])


def test_without_the_key_the_name_is_gone(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    for table in (SealedField, PersonKey):
        session.execute(delete(table).where(table.book_id == book.id, table.person_id == person.id))
    assert people.names_of(session, VAULT, book.id, [person.id]) == {person.id: "—"}


def encodings(canary: str) -> list[bytes]:
    return [canary.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")]


def test_no_name_or_phone_is_readable_in_the_database_or_the_log(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Session(database.engine) as session:
        book = a_book(session)
        person = people.enrol(session, an_act(book), VAULT, WHOLE)
        assert isinstance(person, people.Person)
        people.seal_texts(session, VAULT, book.id, [(person.id, "claim:1", "李桂荣扶老人回家")])
        session.commit()
        raw = everything(database, session)
    assert b"person_key" in raw
    assert not [canary for canary in CANARIES for form in encodings(canary) if form in raw]
    assert not [canary for canary in CANARIES if canary in caplog.text]


def everything(database: Database, session: Session) -> bytes:
    """Return all bytes that the database keeps: its files with WAL, or every row of every table as text."""
    if database.kind == "sqlite":
        path = Path(database.url.removeprefix("sqlite:///"))
        files = [path, *path.parent.glob(f"{path.name}-*")]
        assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
        return b"".join(file.read_bytes() for file in files)
    rows = [table.encode() for table in inspect(session.get_bind()).get_table_names()]
    with database.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for table in [row.decode() for row in rows]:
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                rows += [bytes(chunk) for chunk in copy]
    return b"\n".join(rows)
