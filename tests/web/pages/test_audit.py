from __future__ import annotations

import re

from ledger import audit
from ledger.areas import Book
from tests.builders import COUNTY
from tests.builders import VILLAGE
from tests.conftest import ROOT
from tests.web.pages.hall import Hall


def log(hall: Hall, book: Book) -> list[tuple[str, str]]:
    """The acts and outcomes of the log, the newest first."""
    found = [(line.act, line.outcome) for line in audit.records(hall.session, book.id, audit.Wanted())]
    hall.session.rollback()
    return found


def test_a_form_that_was_sent_is_recorded_and_so_is_one_that_was_refused(hall: Hall) -> None:
    approver, browser = hall.enter("approver", area_code=VILLAGE)
    worker, friend = hall.community.person("grid_worker"), hall.community.person(name="马志强")
    claims = [hall.community.propose(worker, who, "patrol", place="3栋") for who in (friend, approver)]
    hall.session.commit()
    browser.open("/staff/queue")
    browser.send("通过所选", id=[str(claim) for claim in claims])
    (line,) = audit.records(hall.session, hall.community.book.id, audit.Wanted(actor=approver.id))
    assert (line.act, line.channel, line.outcome) == ("POST staff.decide", "page", "done")
    assert line.about == claims[0]
    assert line.details == {"done": 1, "own-deed": 1}
    hall.session.rollback()


def test_what_is_not_for_somebody_is_recorded_when_they_ask_for_it(hall: Hall) -> None:
    volunteer, browser = hall.enter("volunteer")
    assert browser.open("/staff/queue").status == 403
    (line,) = audit.records(hall.session, hall.community.book.id, audit.Wanted(actor=volunteer.id))
    assert (line.act, line.outcome) == ("GET staff.queue", "not-allowed")
    hall.session.rollback()


def test_a_supervisor_reads_sentences_and_no_names(hall: Hall) -> None:
    volunteer, told = hall.enter("volunteer", name="慕容晓晓")
    told.open("/me/report?deed=patrol")
    told.send("提交", deed="patrol", deed_on="2026-11-22", place="小区")
    told.open("/staff/queue")
    _, browser = hall.enter("resident_supervisor", area_code=COUNTY)
    page = browser.open("/audit")
    assert f"末四位 {volunteer.handle[-4:]} 申报善行" in page.text
    assert "已办" in page.text
    assert "拒绝：您没有做这件事的权限" in page.text
    assert "127.0.0.0/24" in page.text
    for word in ("慕容", volunteer.handle):
        assert word not in page.html
    assert "末四位" in browser.open(f"/audit?actor={volunteer.handle}").text
    assert "申报善行" not in browser.open(f"/audit?actor={volunteer.handle}&outcome=refused").text
    assert "没有符合的记录" in browser.open("/audit?actor=12345678").text
    assert "没有符合的记录" in browser.open("/audit?to=2026-11-01").text
    assert "看审计日志" in browser.open("/audit").text
    assert browser.open("/audit?from=gestern").status == 422
    assert browser.open("/audit?about=1").status == 422


def test_the_log_is_a_supervisors_home_and_a_link_away_for_others_who_watch(hall: Hall) -> None:
    _, supervisor = hall.enter("resident_supervisor", area_code=COUNTY)
    assert supervisor.open("/home").headings[0] == "审计日志"
    _, auditor = hall.enter("street_auditor", area_code=COUNTY)
    auditor.open("/home")
    assert auditor.follow("审计日志").headings[0] == "审计日志"


def test_the_log_is_also_read_in_english_and_page_by_page(hall: Hall) -> None:
    _, browser = hall.enter("street_auditor", area_code=COUNTY)
    for _ in range(55):
        browser.client.get("/audit?actor=12345678")
    browser.open("/language/en")
    first = browser.open("/audit")
    assert "Read the audit log" in first.text
    assert len(browser.follow("Next page").text) < len(first.text)


def test_every_write_that_there_is_has_words(hall: Hall) -> None:
    words = set(re.findall(r"'([^']+)': _\(", (ROOT / "templates/_macros/acts.html").read_text()))
    writes = {rule.endpoint for rule in hall.app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    assert writes - words == set()
    assert {word for word in words if re.fullmatch(r"[a-z_]+\.\w+", word)} - writes <= {"api_people.open_person"}


def test_whoever_watches_over_one_village_only_does_not_read_the_whole_log(hall: Hall) -> None:
    _, browser = hall.enter("administrator", area_code=VILLAGE)
    assert browser.open("/audit").status == 403
