from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from ledger import sign_in
from tests.authenticator import Authenticator
from tests.builders import VILLAGE
from tests.builders import a_shop
from tests.builders import an_act
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall
from tests.web.pages.ways_in import PASSWORD
from tests.web.pages.ways_in import by_link
from tests.web.pages.ways_in import by_passkey
from tests.web.pages.ways_in import by_password
from tests.web.pages.ways_in import code_now
from tests.web.pages.ways_in import copy_of
from tests.web.pages.ways_in import give_passkey
from tests.web.pages.ways_in import give_password
from tests.web.pages.ways_in import is_in

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


def test_staff_sign_in_with_number_password_and_code(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    for number in (person.handle, f"1-{person.handle}"):
        browser = by_password(hall, number, PASSWORD, code_now(hall, app))
        assert (browser.page.status, browser.page.address) == (200, "/staff")


def test_nobody_is_told_what_was_wrong_nor_who_is_there(hall: Hall) -> None:
    person, without = hall.community.person("approver", area_code=VILLAGE), hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    code, nobody = code_now(hall, app), "99999994"
    tries = [
        (person.handle, PASSWORD + "!", code),
        (person.handle, PASSWORD, "000000"),
        (person.handle, "", ""),
        (without.handle, PASSWORD, code),
        (nobody, PASSWORD, code),
        ("x", PASSWORD, code),
        (f"9-{person.handle}", PASSWORD, code),
    ]
    answers = set()
    for number, password, typed in tries:
        browser = by_password(hall, number, password, typed)
        assert is_in(browser) is False
        answers.add((browser.page.status, browser.page.text, browser.page.html.replace(f'value="{number}"', "")))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 403
    assert is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app)))


def test_what_was_typed_of_a_password_is_not_drawn_again(hall: Hall) -> None:
    page = by_password(hall, "12345678", "s3cret of mine", "123456").page
    assert "12345678" in page.html
    assert "s3cret" not in page.html
    assert '123456"' not in page.html


def test_a_code_signs_in_once(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    code = code_now(hall, app)
    assert is_in(by_password(hall, person.handle, PASSWORD, code))
    assert not is_in(by_password(hall, person.handle, PASSWORD, code))


def test_of_thirty_guesses_from_one_browser_five_are_served_and_another_still_signs_in(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app, stranger = give_password(hall, person), Browser(hall.app)
    statuses = [by_password(hall, person.handle, f"guess {number}", "000000", stranger).page.status for number in range(30)]
    assert statuses == [403] * 5 + [429] * 25
    answer = stranger.client.post("/sign-in", data={"number": person.handle, "password": PASSWORD, "code": code_now(hall, app)})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert answer.headers["Retry-After"] in answer.text
    assert is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app)))
    hall.clock.advance(minutes=15)
    assert is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app), stranger))


def test_guesses_at_somebody_and_at_nobody_end_alike(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    give_password(hall, person)
    for number in (person.handle, "99999994", "x"):
        browser = Browser(hall.app)
        assert [by_password(hall, number, "guess", "0", browser).page.status for _ in range(6)] == [403] * 5 + [429]


def test_a_browser_without_cookies_is_counted_by_its_address(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    give_password(hall, person)
    asked = {"number": person.handle, "password": "guess", "code": "0"}
    assert [hall.app.test_client().post("/sign-in", data=asked).status_code for _ in range(6)] == [403] * 5 + [429]


def test_right_tries_are_not_counted(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app, browser = give_password(hall, person), Browser(hall.app)
    for _ in range(8):
        assert is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app), browser))


def test_the_sign_in_page_marks_the_browser_once(hall: Hall) -> None:
    client = hall.app.test_client()
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("device=")
    assert "HttpOnly" in cookie
    assert "Set-Cookie" not in client.get("/sign-in").headers


def test_a_passkey_signs_in_and_one_that_is_not_known_is_answered_alike(hall: Hall) -> None:
    person, phone, other = hall.community.person("approver", area_code=VILLAGE), Authenticator(), Authenticator()
    give_passkey(by_link(hall, person), phone)
    browser = by_passkey(hall, phone)
    assert (browser.page.status, browser.page.address) == (200, "/staff")
    other.make(by_link(hall, hall.community.person()).client.get("/account/passkeys/options").text)
    unknown = by_passkey(hall, other)
    phone.kept[0].count = 0
    copied = by_passkey(hall, phone)
    assert (unknown.page.status, copied.page.status) == (403, 403)
    assert unknown.page.text == copied.page.text
    assert not is_in(unknown)


def test_signing_in_gives_another_session_and_ends_the_one_before(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    before = copy_of(browser)
    assert is_in(before)
    by_password(hall, person.handle, PASSWORD, code_now(hall, app), browser)
    assert is_in(browser)
    assert not is_in(before)


def test_after_signing_in_one_comes_where_one_wanted_to(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app, browser = give_password(hall, person), Browser(hall.app)
    assert browser.open("/staff/queue").headings == ["登录"]
    browser.send("用密码登录", number=person.handle, password=PASSWORD, code=code_now(hall, app))
    assert browser.page.address == "/staff/queue"
    asked = {"number": person.handle, "password": PASSWORD, "code": code_now(hall, app)}
    assert browser.client.post("/sign-in?next=//evil.example/", data=asked).headers["Location"] == "/home"


def test_staff_begin_with_a_strong_way_in_and_have_no_power_until_then(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    browser = by_link(hall, person)
    assert browser.page.headings == ["设置登录方式"]
    refused = browser.open("/staff/queue")
    assert (refused.status, "一次性链接" in refused.text) == (403, True)
    assert browser.follow("设置登录方式").headings == ["设置登录方式"]
    give_passkey(browser, Authenticator())
    assert browser.follow("开始工作").address == "/staff"
    assert browser.open("/staff/queue").status == 200


def test_a_cashier_too_begins_with_a_strong_way_in_but_finds_their_passbook(hall: Hall) -> None:
    shop = a_shop(hall.session, hall.community.book)
    hall.session.commit()
    browser = by_link(hall, shop.cashier)
    assert browser.page.headings == ["设置登录方式"]
    assert browser.open("/till").status == 403
    browser.open("/home")
    assert browser.follow("先去我的存折").address == "/me"


def test_a_link_opens_nothing_for_staff_who_have_a_way_in(hall: Hall) -> None:
    person = hall.community.person("approver", "volunteer", area_code=VILLAGE)
    give_password(hall, person)
    browser = by_link(hall, person)
    assert browser.page.status == 403
    assert "请用它登录" in browser.page.text
    assert not is_in(browser)


def test_signing_out_forgets_what_the_browser_kept(hall: Hall) -> None:
    _, browser = hall.enter()
    form = next(one for one in browser.open("/me").forms if one.action.endswith("/sign-out"))
    answer = browser.client.post(form.action, data=form.fields)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
