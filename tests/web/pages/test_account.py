from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import update

from ledger import people
from ledger import sign_in
from ledger.sign_in import Credential
from tests.authenticator import Authenticator
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import agreed
from tests.builders import an_act
from tests.journeys.browser import Browser
from tests.journeys.browser import Page
from tests.web.pages.hall import Hall
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device
from tests.web.pages.ways_in import PASSWORD
from tests.web.pages.ways_in import by_link
from tests.web.pages.ways_in import by_passkey
from tests.web.pages.ways_in import by_password
from tests.web.pages.ways_in import code_now
from tests.web.pages.ways_in import copy_of
from tests.web.pages.ways_in import give_passkey
from tests.web.pages.ways_in import give_password
from tests.web.pages.ways_in import is_in
from tests.web.pages.ways_in import link_for
from tests.web.pages.ways_in import pin_of


def app_on(page: Page) -> pyotp.TOTP:
    """Return the app that has scanned the code on the page."""
    read = pyotp.parse_uri(page.scan())
    assert isinstance(read, pyotp.TOTP)
    assert read.secret in page.text
    return read


def recovery_codes(page: Page) -> list[str]:
    return _codes_in(page.html)


def _codes_in(html: str) -> list[str]:
    return re.findall(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", html)


def test_staff_set_up_password_and_codes_by_a_link(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    browser = by_link(hall, person)
    before = copy_of(browser)
    browser.follow("设置密码和手机验证码")
    assert browser.send("保存", _new=PASSWORD, _again=PASSWORD).headings == ["设置手机验证码"]
    assert browser.open("/staff/queue").status == 403
    page = browser.open("/account/codes")
    app = app_on(page)
    shown = browser.send("确认", _typed=app.at(hall.clock.now()))
    assert shown.headings == ["备用码"]
    assert len(set(recovery_codes(shown))) == 10
    assert browser.follow("已经收好").headings[0] == "我的登录"
    assert browser.follow("开始工作").address == "/staff"
    assert not is_in(before)
    assert is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app)))
    assert is_in(by_password(hall, person.handle, PASSWORD, recovery_codes(shown)[3]))
    assert not is_in(by_password(hall, person.handle, PASSWORD, recovery_codes(shown)[3]))
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    assert "还剩 9 个" in browser.open("/account").text


def test_codes_may_be_set_up_before_the_password(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    browser = by_link(hall, person)
    app = app_on(browser.open("/account/codes"))
    browser.send("确认", _typed=app.at(hall.clock.now()))
    assert browser.follow("已经收好").headings == ["设置密码"]
    assert browser.open("/staff").status == 403
    browser.open("/account/password")
    browser.send("保存", _new=PASSWORD, _again=PASSWORD)
    assert browser.follow("开始工作").address == "/staff"


def test_a_wrong_code_at_setup_shows_the_same_key_again(hall: Hall) -> None:
    browser = by_link(hall, hall.community.person("approver", area_code=VILLAGE))
    app = app_on(browser.open("/account/codes"))
    again = browser.send("确认", _typed="000000" if app.at(hall.clock.now()) != "000000" else "111111")
    assert (again.status, "验证码不对" in again.text) == (422, True)
    assert app_on(again).secret == app.secret
    assert browser.send("确认", _typed=app.at(hall.clock.now())).headings == ["备用码"]


def test_recovery_codes_are_shown_once(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    browser.open("/account")
    form = browser.page.form("换一组备用码")
    first, again = (browser.client.post(form.action, data=form.fields, follow_redirects=True) for _ in range(2))
    codes = _codes_in(first.text)
    assert len(codes) == 10
    assert not any(code in again.text for code in codes)
    assert "还剩 10 个" in again.text


@pytest.mark.parametrize(
    ("new", "again", "said"),
    [
        ("短密码", "短密码", "至少 15 个字"),
        (PASSWORD, PASSWORD + "x", "不一样"),
        ("passwordpassword", "passwordpassword", "太容易被猜到"),
        ("x" * 10 + PASSWORD * 10, "x" * 10 + PASSWORD * 10, "最多 128 个字"),
    ],
)
def test_a_password_that_is_not_taken_says_why_and_is_not_drawn_again(hall: Hall, new: str, again: str, said: str) -> None:
    browser = by_link(hall, hall.community.person("approver", area_code=VILLAGE))
    browser.open("/account/password")
    page = browser.send("保存", _new=new, _again=again)
    assert (page.status, said in page.text) == (422, True)
    assert new not in page.html


def test_changing_the_password_and_ending_the_others_end_the_tokens_of_ones_machines(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app, book = give_password(hall, person), hall.community.book

    def is_good(token: str) -> bool:
        asked = hall.app.test_client().get("/api/v1/claims/mine", headers={"Authorization": f"Bearer {token}"})
        return asked.status_code != 401

    def a_token() -> str:
        (token,) = sign_in.issue_bearer(hall.session, an_act(book, hall.clock.now()), [person.id], lives=timedelta(days=9))
        hall.session.commit()
        assert is_good(token)
        return token

    here, token = by_password(hall, person.handle, PASSWORD, code_now(hall, app)), a_token()
    here.open("/account/password")
    here.send("保存", _new=PASSWORD + "!", _again=PASSWORD + "!")
    assert not is_good(token)
    token = a_token()
    here.open("/account")
    here.client.post("/account/sessions/end-others", data=here.page.forms[0].fields | {"_key": "d" * 32})
    assert not is_good(token)


def test_changing_the_password_ends_every_other_session_and_link(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    here, elsewhere = (by_password(hall, person.handle, PASSWORD, code_now(hall, app)) for _ in range(2))
    copied = copy_of(elsewhere)
    here.open("/account/password")
    here.send("保存", _new=PASSWORD + "!", _again=PASSWORD + "!")
    assert [is_in(browser) for browser in (here, elsewhere, copied)] == [True, False, False]
    assert copied.open("/staff").headings == ["登录"]
    assert copied.client.post("/account/sessions/end-others").status_code == 401
    assert not is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app)))
    assert is_in(by_password(hall, person.handle, PASSWORD + "!", code_now(hall, app)))


def test_an_old_session_alone_changes_no_way_in(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    give_passkey(browser, Authenticator())
    hall.clock.advance(minutes=5, seconds=1)
    for address in ("/account/password", "/account/codes", "/account/passkeys/new", "/account/passkeys/options"):
        assert browser.client.get(address).headers["Location"] == f"/proof?next={address}"
    browser.open("/account")
    for words in ("删除", "换一组备用码"):
        form = browser.page.form(words)
        assert browser.client.post(form.action, data=form.fields).status_code == 403
    assert "1 把" in browser.open("/account").text


def test_somebody_at_home_comes_by_link_and_adds_a_passkey(hall: Hall) -> None:
    person, phone = hall.community.person("volunteer"), Authenticator()
    browser = by_link(hall, person)
    assert browser.page.address == "/me"
    browser.follow("我的登录")
    give_passkey(browser, phone, "老伴的手机")
    assert "老伴的手机" in browser.open("/account").text
    assert by_passkey(hall, phone).page.address == "/me"


def test_a_link_is_fresh_for_five_minutes_and_then_staff_are_asked(hall: Hall) -> None:
    browser = by_link(hall, hall.community.person("volunteer"))
    assert browser.open("/account/passkeys/new").headings == ["设置通行密钥"]
    hall.clock.advance(minutes=5, seconds=1)
    page = browser.open("/account/passkeys/new")
    assert page.headings == ["再验证一次"]
    assert "新的登录链接" in page.text


def test_a_passkey_is_renamed_and_removed(hall: Hall) -> None:
    person, phone, other = hall.community.person("approver", area_code=VILLAGE), Authenticator(), Authenticator()
    browser = by_link(hall, person)
    give_passkey(browser, phone)
    hall.clock.advance(seconds=1)
    give_passkey(browser, other)
    browser.open("/account")
    forms = [one for one in browser.page.forms if one.action.endswith("/rename")]
    renamed = browser.client.post(forms[0].action, data=forms[0].fields | {"name": "旧手机"}, follow_redirects=True)
    assert "旧手机" in renamed.text
    browser.open("/account")
    removes = [one for one in browser.page.forms if one.action.endswith("/remove")]
    assert browser.client.post(removes[0].action, data=removes[0].fields).status_code == 303
    assert not is_in(by_passkey(hall, phone))
    assert is_in(by_passkey(hall, other))


def test_staff_keep_their_last_strong_way_in(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    browser = by_link(hall, person)
    give_passkey(browser, Authenticator())
    browser.open("/account")
    page = browser.send("删除")
    assert (page.status, "唯一的可靠登录方式" in page.text) == (409, True)
    assert "1 把" in browser.open("/account").text


def test_somebody_at_home_removes_their_only_passkey(hall: Hall) -> None:
    browser = by_link(hall, hall.community.person("volunteer"))
    give_passkey(browser, Authenticator())
    browser.open("/account")
    assert "没有" in browser.send("删除").text


def test_one_sees_where_one_is_signed_in_and_ends_it_there(hall: Hall) -> None:
    person, browser = hall.enter("volunteer")
    others = [hall.browser(person) for _ in range(3)]
    page = browser.open("/account")
    assert page.text.count("退出这一处") == 3
    assert page.text.count("现在这里") == 1
    ends = [one for one in page.forms if one.action.endswith("/end")]
    assert browser.client.post(ends[0].action, data=ends[0].fields).status_code == 303
    assert [is_in(other) for other in others].count(False) == 1
    browser.open("/account")
    browser.send("退出其他所有地方")
    assert [is_in(other) for other in (*others, browser)] == [False] * 3 + [True]


def test_nobody_ends_the_session_or_has_the_passkey_of_another(hall: Hall) -> None:
    another, other = hall.enter("volunteer")
    _, browser = hall.enter("volunteer")
    theirs = by_link(hall, hall.community.person("volunteer"))
    give_passkey(theirs, Authenticator())
    theirs.open("/account")
    sent = {"_csrf": browser.open("/account").forms[0].fields["_csrf"], "_key": "a" * 32}
    for form in (one for one in theirs.page.forms if one.action.endswith("/remove")):
        assert browser.client.post(form.action, data=form.fields | sent).status_code == 404
    (theirs_too,) = sign_in.sessions_of(hall.session, hall.community.book.id, another.id, hall.clock.now())
    end = f"/account/sessions/{theirs_too.id}/end"
    hall.session.rollback()
    assert browser.client.post(end, data=sent | {"_key": "b" * 32}).status_code == 404
    assert is_in(other)
    assert is_in(theirs)


def test_a_new_password_ends_links_that_nobody_has_used(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    browser, link = by_link(hall, person), link_for(hall, person)
    browser.open("/account/password")
    browser.send("保存", _new=PASSWORD, _again=PASSWORD)
    answer = Browser(hall.app).client.post(link)
    assert (answer.status_code, "已用过" in answer.text) == (409, True)


def test_nothing_of_an_account_is_changed_on_a_device_that_others_use_too(hall: Hall) -> None:
    person, _ = hall.enter("volunteer")
    book = hall.community.book
    number, device = a_card(hall.session, book, person.id), on_device(hall.app, hall.session, book, area_code=GRID)
    assert "我的登录" not in device.send("登录", card=number, _pin=PIN).text
    for address in ("/account", "/account/passkeys/new", "/account/password", "/account/codes"):
        page = device.open(address)
        assert (page.status, "公用设备" in page.text) == (403, True)


def test_nobody_changes_the_account_of_whom_they_act_for(hall: Hall) -> None:
    helper, browser = hall.enter("volunteer")
    elder = hall.community.person("volunteer")
    hall.session.execute(
        update(Credential)
        .where(Credential.book_id == hall.community.book.id, Credential.person_id == helper.id)
        .values(acting_for=elder.id)
    )
    today = hall.clock.now().date()
    new = people.NewMandate(elder.id, helper.id, "helper", today, today)
    given = people.give_mandate(hall.session, an_act(hall.community.book, hall.clock.now()), VAULT, new)
    assert isinstance(given, people.Mandate), given
    agreed(hall.session, hall.community.book, given)
    hall.session.commit()
    for address in ("/account", "/account/passkeys/new", "/account/set-up"):
        page = browser.open(address)
        assert (page.status, "代办时不能" in page.text) == (403, True)


def test_an_administrator_lets_somebody_begin_anew(hall: Hall) -> None:
    person, phone = hall.community.person("approver", area_code=VILLAGE), Authenticator()
    app = give_password(hall, person)
    worker = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    give_passkey(worker, phone)
    copied = copy_of(worker)
    _, administrator = hall.enter("administrator", area_code=COUNTY)
    administrator.open("/staff")
    administrator.follow("登录与重办")
    page = administrator.send("查找", number=person.handle)
    assert page.address == f"/staff/sign-ins/{person.id}"
    administrator.send("重办")
    assert ("/sign-in/1-" in administrator.page.text, is_in(worker)) == (False, True)
    assert "给我链接" not in administrator.open(f"/staff/sign-ins/{person.id}").text
    _, second = hall.enter("administrator", area_code=COUNTY)
    second.open(f"/staff/sign-ins/{person.id}")
    shown = second.send("确认，给我链接")
    assert "登录方式已删去" in shown.text
    path = re.search(r"/sign-in/\S+", shown.text)
    assert path is not None
    assert shown.scan().endswith(path[0])
    assert [is_in(one) for one in (worker, copied)] == [False, False]
    assert not is_in(by_passkey(hall, phone))
    assert not is_in(by_password(hall, person.handle, PASSWORD, code_now(hall, app)))
    new = Browser(hall.app)
    new.open(path[0])
    assert new.send("登录").headings == ["设置登录方式"]
    assert new.open("/staff").status == 403


def test_the_link_is_shown_to_the_administrator_once(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    _, administrator = hall.enter("administrator", area_code=COUNTY)
    administrator.open(f"/staff/sign-ins/{person.id}")
    form = administrator.page.form("办一个登录链接")
    sent = form.fields | {"way": "link"}
    first, again = (administrator.client.post(form.action, data=sent, follow_redirects=True) for _ in range(2))
    assert "/sign-in/1-" in first.text
    assert "/sign-in/1-" not in again.text


def test_an_administrator_ends_sessions_of_their_areas_alone(hall: Hall) -> None:
    person, browser = hall.enter("volunteer")
    neighbour, theirs = hall.enter("volunteer", area_code=OTHER_VILLAGE)
    _, administrator = hall.enter("administrator", area_code=VILLAGE)
    administrator.open(f"/staff/sign-ins/{person.id}")
    administrator.send("退出这一处")
    assert not is_in(browser)
    assert administrator.open(f"/staff/sign-ins/{neighbour.id}").status == 404
    assert administrator.open(f"/staff/sign-ins?number={neighbour.handle}").headings == ["登录与重办"]
    assert is_in(theirs)


def test_nobody_begins_anew_by_their_own_hand(hall: Hall) -> None:
    person, administrator = hall.enter("administrator", area_code=COUNTY)
    administrator.open(f"/staff/sign-ins/{person.id}")
    for words in ("办一个登录链接", "重办"):
        page = administrator.send(words)
        assert (page.status, "不能给自己" in page.text) == (403, True)
    assert is_in(administrator)


def test_only_administrators_let_anybody_begin_anew(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    for role in ("grid_worker", "approver", "volunteer"):
        _, browser = hall.enter(role, area_code=VILLAGE)
        assert browser.open(f"/staff/sign-ins/{person.id}").status == 403


def test_a_disabled_person_is_nowhere_signed_in(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    phone = Authenticator()
    browser = by_link(hall, person)
    give_passkey(browser, phone)
    copied = copy_of(browser)
    sign_in.forget_ways_in(hall.session, an_act(hall.community.book, hall.clock.now() + timedelta(seconds=1)), person.id)
    hall.session.commit()
    assert [is_in(one) for one in (browser, copied, by_passkey(hall, phone))] == [False] * 3


def test_a_pin_adds_a_passkey_at_home(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    pin_of(hall, person)
    browser = by_link(hall, person)
    assert browser.open("/account/passkeys/new").headings == ["再验证一次"]
    assert browser.send("验证并继续", _proof_pin="739152").headings == ["设置通行密钥"]
