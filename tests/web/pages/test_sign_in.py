from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from ledger import sign_in
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall

HOMES = (
    (("volunteer",), "/me"),
    (("building_leader",), "/leader"),
    (("building_leader", "volunteer"), "/leader"),
    (("grid_worker",), "/staff"),
    (("approver",), "/staff"),
    (("activity_host", "volunteer"), "/staff"),
    (("administrator",), "/staff"),
)


def test_everybody_lands_on_the_home_of_their_role(hall: Hall) -> None:
    for roles, home in HOMES:
        _, browser = hall.enter(*roles, area_code=VILLAGE)
        assert (browser.open("/").address, browser.page.status) == (home, 200)


def test_whoever_holds_several_roles_finds_the_other_homes(hall: Hall) -> None:
    _, browser = hall.enter("volunteer", "building_leader", "approver", area_code=VILLAGE)
    browser.open("/home")
    assert browser.follow("楼长").address == "/leader"
    assert browser.follow("我的存折").address == "/me"
    assert browser.follow("社区工作").address == "/staff"


def test_a_link_signs_in_once_and_looking_does_not_use_it_up(app: Flask, hall: Hall) -> None:
    person = hall.community.person()
    token = sign_in.issue_link(hall.session, an_act(hall.community.book), person.id, lives=timedelta(hours=1))
    hall.session.commit()
    first, second = Browser(app), Browser(app)
    for _ in range(2):
        assert first.open(f"/sign-in/{token}").status == 200
    second.open(f"/sign-in/{token}")
    assert first.client.post(f"/sign-in/{token}").headers["Location"] == "/home"
    answer = second.client.post(f"/sign-in/{token}")
    assert (answer.status_code, "已用过" in answer.text) == (409, True)
    assert Browser(app).client.post("/sign-in/1-NONSENSE").status_code == 404


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8000"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://localhost:8000.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8000"}, True),
        ({"Origin": "http://localhost:8000"}, True),
        ({}, True),
    ],
)
def test_nobody_is_signed_in_from_the_page_of_another_site(app: Flask, hall: Hall, headers: dict[str, str], is_taken: bool) -> None:
    person = hall.community.person()
    token = sign_in.issue_link(hall.session, an_act(hall.community.book), person.id, lives=timedelta(hours=1))
    hall.session.commit()
    browser = Browser(app)
    assert "Set-Cookie" not in browser.client.get(f"/sign-in/{token}").headers
    answer = browser.client.post(f"/sign-in/{token}", headers=headers)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == ((303, True) if is_taken else (403, False))
    assert ("不是从本站" in answer.text) is not is_taken
    assert browser.client.post(f"/sign-in/{token}").status_code == (409 if is_taken else 303)


def test_no_form_is_taken_from_another_site(hall: Hall) -> None:
    _, browser = hall.enter()
    browser.open("/me")
    form = next(form for form in browser.page.forms if form.action.endswith("/sign-out"))
    assert browser.client.post(form.action, data=form.fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.open("/me").status == 200
    assert browser.client.get("/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_signing_in_ends_the_session_before_it(hall: Hall) -> None:
    _, browser = hall.enter()
    cookie, other = browser.client.get_cookie("passbook"), hall.community.person()
    assert cookie is not None
    token = sign_in.issue_link(hall.session, an_act(hall.community.book), other.id, lives=timedelta(hours=1))
    hall.session.commit()
    assert browser.client.post("/sign-in/1-NONSENSE").status_code == 404
    assert browser.open("/me").status == 200
    assert browser.client.post(f"/sign-in/{token}").status_code == 303
    copy = Browser(hall.app)
    copy.client.set_cookie("passbook", cookie.value)
    assert copy.open("/me").headings == ["登录"]
    assert browser.open("/me").headings != ["登录"]


def test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie(hall: Hall) -> None:
    _, browser = hall.enter()
    cookie = browser.client.get_cookie("passbook")
    assert cookie is not None
    browser.open("/me")
    form = next(form for form in browser.page.forms if form.action.endswith("/sign-out"))
    assert browser.client.post(form.action).status_code == 403
    assert browser.client.post(form.action, data=form.fields).status_code == 303
    copy = Browser(hall.app)
    copy.client.set_cookie("passbook", cookie.value)
    assert copy.open("/me").headings == ["登录"]


def test_the_chosen_language_is_kept(hall: Hall) -> None:
    _, browser = hall.enter()
    browser.client.get("/language/en", headers={"Referer": "http://localhost/me/passbook"})
    assert browser.open("/me/passbook").headings == ["My passbook"]
    browser.follow("中文")
    assert browser.open("/me/passbook").headings == ["我的存折"]


def test_nobody_is_led_elsewhere(app: Flask, hall: Hall) -> None:
    person = hall.community.person()
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        token = sign_in.issue_link(hall.session, an_act(hall.community.book), person.id, lives=timedelta(hours=1))
        hall.session.commit()
        answer = Browser(app).client.post(f"/sign-in/{token}", query_string={"next": elsewhere})
        assert answer.headers["Location"] == "/home"
        assert Browser(app).client.get("/language/en", headers={"Referer": elsewhere}).headers["Location"] == "/"


SHUT = (
    ("approver", "/me"),
    ("volunteer", "/leader"),
    ("volunteer", "/staff/queue"),
    ("grid_worker", "/staff/queue"),
    ("building_leader", "/staff/propose"),
    ("volunteer", "/attest"),
    ("approver", "/hosting"),
    ("activity_host", "/staff/propose"),
)


def test_whoever_lacks_the_role_is_told_so_on_a_page(hall: Hall) -> None:
    for role, path in SHUT:
        _, browser = hall.enter(role, area_code=VILLAGE)
        page = browser.open(path)
        assert (page.status, page.headings) == (403, ["没有办成"])
        assert "您没有做这件事的权限" in page.text
