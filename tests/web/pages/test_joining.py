from __future__ import annotations

from flask import Flask

from ledger import areas
from ledger import people
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall


def waiting(hall: Hall) -> list[people.Applied]:
    found = people.applications(hall.session, VAULT, hall.community.book.id, areas.EVERYWHERE, hall.clock.now())
    hall.session.commit()
    return found


def test_anybody_asks_to_be_enrolled_from_the_first_page(hall: Hall, app: Flask) -> None:
    stranger = Browser(app)
    stranger.open("/")
    stranger.follow("申请登记")
    page = stranger.send("提交申请", name="王丽", phone="138 0013 8000", area_code="仙霞路社区居委会", birth_month="1951-03")
    assert (page.status, page.headings) == (200, ["申请已收到"])
    (applied,) = waiting(hall)
    assert (applied.area_code, applied.fields["name"], applied.fields["phone"]) == (VILLAGE, "王丽", "13800138000")


def test_whoever_is_enrolled_already_reads_the_same(hall: Hall, app: Flask) -> None:
    hall.community.person(name="王丽", phone="13800138000")
    hall.session.commit()
    stranger, pages = Browser(app), []
    for phone in ("13800138000", "13911112222"):
        stranger.open("/join")
        pages.append(stranger.send("提交申请", name="王丽", phone=phone, area_code="仙霞路社区居委会").html)
    assert pages[0] == pages[1]


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(hall: Hall, app: Flask) -> None:
    stranger = Browser(app)
    stranger.open("/join")
    page = stranger.send("提交申请", name="王丽", phone="12", area_code="仙霞路社区居委会")
    assert (page.status, "电话号码不对" in page.text) == (422, True)
    assert page.form("提交申请").fields["name"] == ["王丽"]
    assert waiting(hall) == []


def test_a_form_sent_twice_is_one_application(hall: Hall, app: Flask) -> None:
    stranger = Browser(app)
    form = stranger.open("/join").form("提交申请")
    told = form.fields | {"name": "王丽", "phone": "13800138000", "area_code": VILLAGE}
    for _ in range(2):
        assert stranger.client.post(form.action, data=told).status_code == 303
    assert len(waiting(hall)) == 1
    assert stranger.client.post(form.action, data=told | {"_csrf": "x"}).status_code == 403


def test_too_many_from_one_address_are_told_to_wait(hall: Hall, app: Flask, clock: HandClock) -> None:
    stranger = Browser(app)
    for number in range(6):
        stranger.open("/join")
        page = stranger.send("提交申请", name="王丽", phone=f"1380013800{number}", area_code="仙霞路社区居委会")
    assert page.status == 429
    assert len(waiting(hall)) == 5


def test_a_book_that_is_not_there_asks_nothing(hall: Hall, app: Flask) -> None:
    assert Browser(app).open("/join/99").status == 404
