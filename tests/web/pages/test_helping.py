"""On somebody's behalf, by the pages: beginning, what is seen and done meanwhile, stopping, and a mandate that ends under way."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.journal.model import Entry
from ledger.people import Mandate
from ledger.people import Person
from ledger.people.rules import handle_of
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_mandate
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from tests.web.pages.hall import Hall
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device

BANNER = "正在替陈桂芳办理"


def a_helped_elder(hall: Hall, points: int = 50) -> tuple[Person, Browser, Person, Browser]:
    """An elder and a helper, each with their browser."""
    (elder, of_elder), (helper, of_helper) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    a_mandate(hall.session, hall.community.book, elder, helper, points=points)
    hall.session.commit()
    return elder, of_elder, helper, of_helper


def test_a_helper_finds_whom_they_may_act_for_begins_and_stops(hall: Hall) -> None:
    _, of_elder, _, browser = a_helped_elder(hall)
    browser.open("/me")
    page = browser.follow("代办")
    assert "陈桂芳 代办人 · 到 2027-02-21 · 每天最多兑换 50 分" in page.text
    home = browser.send("替 TA 办理")
    assert (home.address, home.status) == ("/me", 200)
    assert BANNER in home.text
    for address in ("/me/passbook", "/me/report", "/offers", "/activities", "/staff", "/helping"):
        assert BANNER in browser.open(address).text, address
    assert BANNER not in of_elder.open("/me").text
    browser.open("/me")
    assert browser.send("停止代办").address == "/helping"
    assert BANNER not in browser.page.text
    assert BANNER not in browser.open("/me").text


def test_each_browser_acts_for_itself(hall: Hall) -> None:
    _, _, helper, first = a_helped_elder(hall)
    second = hall.browser(helper)
    first.open("/helping")
    first.send("替 TA 办理")
    assert BANNER not in second.open("/me").text


def test_what_a_helper_reports_is_the_elders(hall: Hall) -> None:
    elder, of_elder, helper, browser = a_helped_elder(hall)
    browser.open("/helping")
    browser.send("替 TA 办理")
    browser.open("/me/report?deed=patrol")
    told = browser.send("提交", deed="patrol", place="3栋", text="巡了一圈")
    assert told.status == 200
    assert "patrol" in of_elder.open("/me/claims").text
    claim = hall.session.execute(select(Claim).where(Claim.book_id == hall.community.book.id)).scalar_one()
    decided = hall.session.execute(select(Decision.actor).where(Decision.book_id == hall.community.book.id)).scalars().all()
    assert (claim.person_id, claim.reporter_id, decided) == (elder.id, elder.id, [helper.id])
    hall.session.rollback()
    browser.open(told.address)
    assert browser.send("撤回申报").status == 200
    assert "已撤回" in of_elder.open("/me/claims").text


def test_a_form_that_was_drawn_for_oneself_is_not_carried_out_for_somebody_else(hall: Hall) -> None:
    *_, browser = a_helped_elder(hall)
    browser.open("/me/report?deed=patrol")
    form = browser.page.form("提交").fields
    browser.open("/helping")
    browser.send("替 TA 办理")
    sent = browser.client.post("/me/report", data={**form, "deed": "patrol", "place": "3栋"})
    assert sent.status_code == 403
    assert "页面已过期" in sent.text
    assert hall.session.execute(select(Claim.id).where(Claim.book_id == hall.community.book.id)).all() == []


@pytest.mark.parametrize("how", ["it is ended", "it runs out"])
def test_a_mandate_that_ends_meanwhile_leaves_the_helper_as_themselves(hall: Hall, clock: HandClock, how: str) -> None:
    (elder, of_elder), (helper, browser) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    a_mandate(hall.session, hall.community.book, elder, helper, days=0)
    hall.session.commit()
    browser.open("/helping")
    browser.send("替 TA 办理")
    browser.open("/me/report?deed=patrol")
    form = browser.page.form("提交").fields
    if how == "it is ended":
        of_elder.open("/helping")
        of_elder.send("不再让 TA 代办")
    else:
        clock.advance(hours=15)
    sent = browser.client.post("/me/report", data={**form, "deed": "patrol", "place": "3栋"})
    assert sent.status_code == 403
    assert "代办已结束，现在是您本人。" in sent.text
    assert "代办已结束" not in browser.open("/me").text
    assert (browser.page.status, BANNER in browser.page.text) == (200, False)
    assert hall.session.execute(select(Claim.id).where(Claim.book_id == hall.community.book.id)).all() == []


def test_nobody_begins_without_a_mandate(hall: Hall) -> None:
    elder, *_ = a_helped_elder(hall)
    _, stranger = hall.enter()
    form = stranger.open("/helping/give").form("委托").fields
    sent = stranger.client.post(f"/helping/{elder.id}/act", data={name: form[name] for name in ("_key", "_csrf")})
    assert sent.status_code == 403
    assert "没有这样的委托" in sent.text
    assert BANNER not in stranger.open("/me").text


def test_an_elder_lets_a_neighbour_act_and_ends_it(hall: Hall) -> None:
    (_, browser), (helper, of_helper) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    browser.open("/helping")
    browser.follow("委托一个人")
    assert "没有这些存折号" in browser.send("委托", helper="12345678").text
    assert browser.page.status == 422
    home = browser.send("委托", helper=f"{helper.handle[:4]} {helper.handle[4:]}", points_per_day_max="0")
    assert "李** 等 TA 同意 代办人 · 到 2027-02-21 · 不能兑换积分" in home.text
    asked = of_helper.open("/helping")
    assert "陈** 代办人" in asked.text
    assert not [word for word in ("桂芳", "替 TA 办理") if word in asked.html]
    assert "陈桂芳 代办人" in of_helper.send("同意代办").text
    assert "替 TA 办理" in of_helper.page.html
    assert "李桂荣 代办人" in browser.open("/helping").text
    browser.open("/helping")
    assert "您没有委托别人" in browser.send("不再让 TA 代办").text
    assert "没有人委托您代办" in of_helper.open("/helping").text


def test_a_helper_says_no(hall: Hall) -> None:
    (_, browser), (helper, of_helper) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    browser.open("/helping/give")
    browser.send("委托", helper=helper.handle)
    of_helper.open("/helping")
    assert "没有人委托您代办" in of_helper.send("不同意").text
    assert "桂荣" not in browser.open("/helping").html


def test_letting_somebody_act_wants_a_fresh_proof(hall: Hall) -> None:
    (elder, browser), (helper, _) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    browser.open("/helping/give")
    hall.clock.advance(minutes=6)
    asked = browser.send("委托", helper=helper.handle)
    assert asked.status == 403
    assert people.mandates(hall.session, hall.community.book.id, person_id=elder.id) == []


def test_nobody_is_let_act_on_a_device_that_others_use_too(hall: Hall) -> None:
    elder, _ = hall.enter(name="陈桂芳")
    device = on_device(hall.app, hall.session, hall.community.book, area_code=GRID)
    device.send("登录", card=a_card(hall.session, hall.community.book, elder.id), _pin=PIN)
    assert device.open("/helping").status == 200
    page = device.open("/helping/give")
    assert (page.status, "在公用设备上不能委托别人" in page.text) == (403, True)


def test_five_numbers_that_are_nobodys_have_to_wait(hall: Hall) -> None:
    (_, browser), (helper, _) = hall.enter(), hall.enter(name="李桂荣")
    for number in range(5):
        browser.open("/helping/give")
        assert "没有这些存折号" in browser.send("委托", helper=handle_of(1234560 + number)).text
    browser.open("/helping/give")
    assert browser.send("委托", helper=helper.handle).status == 429
    assert "李" not in browser.open("/helping").text.partition("谁可以替我办")[2]


def test_a_helper_gives_it_up(hall: Hall) -> None:
    _, of_elder, _, browser = a_helped_elder(hall)
    browser.open("/helping")
    assert "没有人委托您代办" in browser.send("以后不再代办").text
    assert "您没有委托别人" in of_elder.open("/helping").text


def test_staff_enter_a_helper_and_a_guardian(hall: Hall) -> None:
    _, office = hall.enter("grid_worker", area_code=VILLAGE)
    elder, helper = hall.community.person(name="陈桂芳"), hall.community.person(name="李桂荣")
    hall.session.commit()
    page = office.open(f"/staff/mandates?number={elder.handle}")
    assert "还没有登记过" in page.text
    page = office.send("登记", helper=helper.handle, kind="代办人", points_per_day_max="30")
    assert page.status == 200
    assert "李** 替 陈** 办 等 TA 同意" in page.text
    assert "每天最多兑换 30 分" in page.text
    assert "已结束" in office.send("结束").text
    page = office.send("登记", helper=helper.handle, kind="监护人", ends_on="")
    assert "监护人只给未满 14 岁的孩子登记" in page.text
    child = hall.community.person(name="何子轩", birth_month="2015-09", guardian_id=elder.id)
    hall.session.commit()
    office.open(f"/staff/mandates?number={child.handle}")
    page = office.send("登记", helper=helper.handle, kind="监护人", ends_on="", points_per_day_max="")
    assert "李** 替 何** 办 等 TA 同意 监护人 · 到 2029-09-30" in page.text
    assert not [name for name in ("桂芳", "桂荣", "子轩") if name in page.html]
    assert "您的片区里没有这个存折号" in office.open("/staff/mandates?number=12345678").text


def test_staff_enter_nothing_for_people_of_other_areas(hall: Hall) -> None:
    _, office = hall.enter("grid_worker", area_code=OTHER_VILLAGE)
    near, helper, elder = hall.community.person(area_code=OTHER_VILLAGE), hall.community.person(), hall.community.person(area_code=GRID)
    hall.session.commit()
    assert "您的片区里没有这个存折号" in office.open(f"/staff/mandates?number={elder.handle}").text
    office.open(f"/staff/mandates?number={near.handle}")
    assert office.send("登记", helper=helper.handle, person=elder.handle).status == 404
    assert people.mandates(hall.session, hall.community.book.id, person_id=elder.id) == []


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


@pytest.fixture
def helper(desk: Desk) -> Browser:
    """The browser of somebody who acts for the volunteer at the desk, and may spend 50 points a day."""
    helper = a_person(desk.session, desk.book)
    a_mandate(desk.session, desk.book, desk.person, helper, points=50)
    browser = desk.enter(helper)
    browser.open("/helping")
    browser.send("替 TA 办理")
    return browser


def test_a_helper_pays_by_the_shops_code_and_the_passbook_says_so(desk: Desk, helper: Browser) -> None:
    desk.draw(30)
    asked = helper.scan(desk.cashier.page)
    assert "30" in asked.text
    paid = helper.send("确认")
    assert paid.status == 200
    assert desk.balance() == 470
    rows = desk.volunteer.open("/me/passbook").rows
    assert ["代办" in row[1] for row in rows] == [True, False]
    entry = desk.session.execute(select(Entry).where(Entry.book_id == desk.book.id, Entry.kind == "redemption")).scalar_one()
    assert (entry.acted_for, entry.channel) == (desk.person.id, "page")
    assert entry.actor not in {desk.person.id, desk.shop.cashier.id}
    desk.session.rollback()
    desk.draw(21)
    helper.scan(desk.cashier.page)
    refused = helper.send("确认")
    assert (refused.status, "今天还可以替本人兑换 20 分" in refused.text) == (409, True)


def test_on_behalf_no_code_is_shown_but_a_shops_digits_are_typed(desk: Desk, helper: Browser) -> None:
    page = helper.open("/code")
    assert page.status == 403
    assert "请收银员出示商户码" in page.text
    assert "<svg" not in page.html.partition("<nav")[0]
    assert page.form("下一步").fields.keys() == {"number"}


def test_the_database_has_mandates_of_the_book_only(hall: Hall) -> None:
    elder, *_ = a_helped_elder(hall)
    made = hall.session.execute(select(Mandate).where(Mandate.book_id == hall.community.book.id)).scalars().all()
    assert [(one.person_id, one.granted_by) for one in made] == [(elder.id, an_act(hall.community.book).actor)]


def test_the_family_is_told_by_what_one_calls_them_and_the_end_of_their_number(hall: Hall) -> None:
    (mother, _), (daughter, browser) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    assert "没有登记家人" in browser.open("/helping").text
    hall.community.tie(mother, daughter, "household")
    people.seal_texts(hall.session, VAULT, hall.community.book.id, [(daughter.id, f"kin:{mother.id}", "妈妈")])
    hall.session.commit()
    page = browser.open("/helping")
    assert f"妈妈 同住一户存折尾号 {mother.handle[-4:]}" in page.text
    assert ("陈桂芳" in page.text, mother.handle in page.text) == (False, False)
