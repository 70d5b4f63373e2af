"""What people tell, and what is told of them, is readable nowhere but in the vault: a canary in every such field, and no trace of it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.people import Person
from tests.builders import GRID
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import Database
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.api.conftest import Ask
from tests.web.api.conftest import asking
from tests.web.pages.hall import Hall
from tests.web.pages.hall import a_hall

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
    assert staff(f"/people/{enrolled.get_json()['id']}").get_json()["name"] == f"{word} Name"
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
    browser.open("/me/report")
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


def test_what_is_not_personal_is_found_where_it_stands(hall: Hall, database: Database, owner: Engine) -> None:
    """Whoever looks for traces would see one."""
    hall.community.team(name=SUNG[0])
    give_points(hall.session, hall.community.book, hall.community.person(), 10)
    hall.session.commit()
    assert traces(database, owner, [*SUNG]) == {SUNG[0]}
