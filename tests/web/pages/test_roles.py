"""The police and the auditors at their pages."""

from __future__ import annotations

import pytest

from ledger.people import Person
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall


@pytest.fixture
def li(hall: Hall) -> Person:
    """Somebody who reported a patrol and an hour of sweeping, at a door and in words."""
    person, browser = hall.enter(name="李桂荣", area_code=GRID)
    _report(browser, deed="patrol", place="河边李家", text="扶王奶奶过桥")
    _report(browser, deed="sweeping", place="3号楼李家", minutes="60")
    return person


def _report(browser: Browser, **told: str) -> None:
    browser.open("/me/report?deed=patrol")
    browser.send("提交", **told)


def test_the_police_come_home_to_what_waits_and_attest_patrols_alone(hall: Hall, li: Person) -> None:
    _, police = hall.enter("co_confirmer")
    page = police.open("/home")
    assert page.headings[0] == "社区工作"
    page = police.follow("等证明")
    assert "李桂荣" in page.text
    assert "河边李家" in page.text
    assert "3号楼李家" not in page.text
    # Returning and refusing are for the office.
    assert "退回" not in page.text
    ids = page.form("证明所选").choices["id"]
    assert len(ids) == 1
    page = police.send("证明所选", id=ids)
    assert "李桂荣" in page.text
    assert "都办完了" in police.open("/attest").text


def test_the_police_cannot_return_a_claim_by_a_form_of_their_own(hall: Hall, li: Person) -> None:
    _, police = hall.enter("co_confirmer")
    form = police.open("/attest").form("证明所选")
    told = form.fields | {"id": form.choices["id"], "step": "return", "reason": "not-done"}
    police.client.post("/attest", data=told)
    _, worker = hall.enter("grid_worker")
    assert worker.open("/attest").text.count("李桂荣") >= 2


def test_an_auditor_sees_what_was_decided_and_of_nobody_who_they_are(hall: Hall, li: Person) -> None:
    _, worker = hall.enter("grid_worker")
    form = worker.open("/attest").form("证明所选")
    worker.client.post("/attest", data=form.fields | {"id": form.choices["id"], "step": "attest"})
    _, auditor = hall.enter("street_auditor")
    assert auditor.open("/home").headings[0] == "社区工作"
    auditor.follow("查看申报和审核")
    assert "这一步没有申报" in auditor.page.text
    page = auditor.send("查看", state="等审核")
    assert page.text.count("李**") >= 2
    for told in ("李桂荣", "李家", "王奶奶", "扶"):
        assert told not in page.text
    assert "证明" in page.text
    assert page.forms[0].method == "get"
    assert auditor.open("/staff/claims?state=x").status == 422
    for path in ("/attest", "/staff/queue", "/staff/people", "/staff/propose"):
        assert auditor.open(path).status == 403


def test_an_auditor_of_elsewhere_sees_nothing_of_here(hall: Hall, li: Person) -> None:
    _, auditor = hall.enter("street_auditor", area_code=OTHER_VILLAGE)
    assert "这一步没有申报" in auditor.open("/staff/claims").text
