from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import LargeBinary
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.people import Vault
from ledger.people.model import PersonKey
from ledger.settings import Settings
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import Secret
from ledger.store import Base
from ledger.web.kit.extensions import db
from redeem import codes
from redeem.codes.model import PayDevice
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import HandClock
from wsgi import create_app

#: What is kept in bytes and is no seal of the master key: hashes, public keys, and what is sealed by a person's own key.
NO_SEALS = {
    *("credential.token_hash", "device.token_hash", "guesses.key", "passkey.credential_id", "passkey.public_key"),
    *("recovery_code.code_hash", "redemption.order_hash", "request.input_hash", "search_hash.hashed", "sealed_field.sealed"),
    *("photo.sealed", "used_challenge.challenge_hash"),
    # The log: hashes, and the salts that open them.
    *("alarm.root", "checkpoint.root", "leaf.data", "leaf.hash", "leaf.salt", "side.hash", "side.salt", "tile.hashes", "tile.root"),
}

NEW_KEYS = {"master_key": os.urandom(32), "pepper": os.urandom(32), "secret_key": os.urandom(32)}


def changed(settings: Settings, *, keeps_old: bool = True) -> Settings:
    """The settings with every key new, and those before beside them."""
    old = {f"{name}_old": getattr(settings, name) for name in NEW_KEYS} if keeps_old else {}
    return replace(settings, **NEW_KEYS, **old)


@contextmanager
def served_with(settings: Settings, clock: HandClock) -> Iterator[Flask]:
    """The application with these settings, on the same database."""
    app = create_app(settings, clock=clock)
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session)
    session.commit()
    session.refresh(book)
    session.expunge(book)
    session.rollback()
    return book


def run(app: Flask, *args: str, status: int = 0) -> str:
    result = app.test_cli_runner().invoke(args=["ledger", "vault", *args])
    assert result.exit_code == status, result.output
    return result.output


def everything_sealed(session: Session, book: Book) -> people.Person:
    """Somebody of whom there is something in each part that the master key seals."""
    person = a_person(session, book, phone="13811112222", address="3栋")
    codes.add_device(session, VAULT, person, START)
    hashing = sign_in.keys.hashing
    session.add(
        Secret(
            book_id=book.id, person_id=person.id, kind="pin", changed_at=START,
            sealed_hash=hashing.hashed(VAULT, book.id, person.id, "pin", "481516"),
        )
    )  # fmt: skip
    sealed = VAULT.seal(sign_in.keys.codes.context(book.id, person.id), b"GEZDGNBVGY3TQOJQ")
    session.add(OneTimeKey(book_id=book.id, person_id=person.id, sealed_key=sealed, last_step=0, created_at=START))
    new = people.NewPerson("王丽", person.area_code, phone="13833334444")
    people.apply_to_join(session, VAULT, book.id, new, START, key="once")
    session.commit()
    return person


def test_every_seal_of_the_master_key_is_sealed_anew_by_some_part(app: Flask) -> None:
    parts = {part.name for part in app.extensions["sealed_parts"]}
    columns = [column for table in Base.metadata.tables.values() for column in table.c if isinstance(column.type, LargeBinary)]
    assert parts | NO_SEALS == {f"{column.table.name}.{column.name}" for column in columns}
    assert not parts & NO_SEALS


def test_after_the_change_the_old_keys_are_not_needed(
    app: Flask, settings: Settings, clock: HandClock, session: Session, book: Book
) -> None:  # fmt: skip
    person = everything_sealed(session, book)
    with served_with(changed(settings), clock) as between:
        said = run(between, "rotate")
        assert "person_key.wrapped: 1，已更换 1，打不开 0" in said
        assert "left under older keys: 0" in said
        assert "pay_device.sealed_key: 1，已更换 1" in said
    vault = Vault(NEW_KEYS["master_key"], NEW_KEYS["pepper"])
    assert people.names_of(session, vault, book.id, [person.id]) == {person.id: "陈桂芳"}
    for field, value in (("phone", "13811112222"), ("name_phone", "陈桂芳|13811112222"), ("name_address", "陈桂芳|3栋")):
        assert people.found_by(session, vault, book.id, field, [value]) == {value: {person.id}}
        assert people.found_by(session, VAULT, book.id, field, [value]) == {value: set()}
    device = session.execute(select(PayDevice).where(PayDevice.book_id == book.id)).scalar_one()
    assert codes.pay_code(session, vault, book.number, person, START).token
    assert vault.sealed_by(f"{book.id}|{device.id}|pay", device.sealed_key) == vault.master_key_id
    secret = session.execute(select(Secret).where(Secret.book_id == book.id)).scalar_one()
    assert sign_in.keys.hashing.matches(vault, book.id, person.id, "pin", secret.sealed_hash, "481516")
    (applied,) = people.applications(session, vault, book.id, (f"{book.area_code}/",), START)
    assert applied.fields["name"] == "王丽"
    kept = session.execute(select(PersonKey.master_key_id).where(PersonKey.book_id == book.id)).scalar_one()
    assert kept == vault.master_key_id


def test_status_says_what_is_left_and_rotate_goes_on_where_it_was_stopped(
    app: Flask, settings: Settings, clock: HandClock, session: Session, book: Book
) -> None:  # fmt: skip
    assert "everything is under today's keys" in run(app, "status")
    people.enrol_many(session, an_act(book), VAULT, [people.NewPerson(f"人{number}", GRID) for number in range(501)])
    session.commit()
    with served_with(changed(settings), clock) as between:
        vault = Vault.of(between.extensions["passbook"].settings)
        people.enrol(session, an_act(book), vault, people.NewPerson("新来的", GRID))
        session.commit()
        assert "person_key.wrapped: 502，待更换 501" in run(between, "status")
        part = next(part for part in between.extensions["sealed_parts"] if part.name == "person_key.wrapped")
        stopped = people.reseal(session, vault, book.id, part)
        session.commit()
        assert (stopped.seen, stopped.lost) == (500, 0)
        assert f"待更换 {501 - stopped.old}" in run(between, "status")
        said = run(between, "rotate")
        assert f"person_key.wrapped: 502，已更换 {501 - stopped.old}，" in said
        assert "search_hash: 502，已更换 501，" in said
        assert "search_hash: 502，已更换 0，" in run(between, "rotate")
        assert "everything is under today's keys" in run(between, "status")
    assert vault.old_master_key_id == VAULT.master_key_id


def test_without_the_key_before_nothing_is_changed_and_the_command_says_which_is_missing(
    app: Flask, settings: Settings, clock: HandClock, session: Session, book: Book
) -> None:  # fmt: skip
    person = a_person(session, book)
    session.commit()
    with served_with(changed(settings, keeps_old=False), clock) as too_soon:
        for command in ("status", "rotate"):
            assert "PASSBOOK_MASTER_KEY_OLD" in run(too_soon, command, status=1)
    assert people.names_of(session, VAULT, book.id, [person.id]) == {person.id: "陈桂芳"}


def test_a_correction_while_the_pepper_changes_leaves_no_former_value_to_be_found(session: Session, book: Book) -> None:
    person, worker = a_person(session, book, phone="13811112222"), a_person(session, book)
    vault = Vault(NEW_KEYS["master_key"], NEW_KEYS["pepper"], VAULT.master_key, VAULT.pepper)
    people.correct(session, an_act(book, actor=worker.id), vault, person.id, "phone", "13933334444")
    assert people.found_by(session, vault, book.id, "phone", ["13811112222"]) == {"13811112222": set()}
    assert people.found_by(session, vault, book.id, "phone", ["13933334444"]) == {"13933334444": {person.id}}
    people.rehash(session, vault, book.id)
    assert people.found_by(session, Vault(vault.master_key, vault.pepper), book.id, "phone", ["13933334444"]) == {
        "13933334444": {person.id}
    }
