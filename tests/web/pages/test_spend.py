from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.builders import GRID
from tests.builders import a_person
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.journeys.pictures import scan
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def test_the_code_changes_with_time_and_its_page_refreshes_itself(desk: Desk) -> None:
    first = desk.volunteer.open("/code")
    assert first.scan().startswith(f"HTTP://LOCALHOST:8000/P/1-{desk.person.handle}-")
    assert f"{desk.person.handle[:4]} {desk.person.handle[4:]}" in first.text
    assert "500" in first.text
    assert first.refresh == "6"
    desk.clock.advance(seconds=28)
    assert desk.volunteer.open("/code").scan() == first.scan()
    assert desk.volunteer.page.refresh == "2"
    desk.clock.advance(seconds=2)
    assert desk.volunteer.open("/code").scan() != first.scan()


def test_the_codes_page_says_what_waits_and_leads_to_it(desk: Desk) -> None:
    assert "请您确认" not in desk.volunteer.open("/code").text
    assert "等您确认" not in desk.volunteer.open("/me").text
    desk.take(60)
    page = desk.volunteer.open("/code")
    assert "旺财便民超市 请您确认 60 分" in page.text
    assert "1 笔兑换等您确认" in desk.volunteer.open("/me").text
    desk.volunteer.open("/code")
    asked = desk.volunteer.follow("看一看再确认")
    assert asked.headings == ["等您确认", "旺财便民超市"]
    assert "现在可用500 付后剩下440" in asked.text


def test_the_codes_page_says_for_a_while_what_was_just_paid(desk: Desk) -> None:
    desk.take(30)
    assert "刚才在 旺财便民超市 付了 30 分" in desk.volunteer.open("/code").text
    desk.clock.advance(minutes=3)
    assert "刚才" not in desk.volunteer.open("/code").text


def test_a_code_that_was_used_is_shown_no_more_until_the_next_is_drawn(desk: Desk) -> None:
    desk.clock.advance(seconds=12)
    desk.take(30)
    used = desk.volunteer.open("/code")
    assert ("已用，18 秒后出新码" in used.text, '<svg class="qr' in used.html) == (True, False)
    desk.clock.advance(seconds=18)
    assert "已用" not in desk.volunteer.open("/code").text
    assert desk.take(30).headings == ["已收 30 分"]


def test_a_request_is_confirmed_and_becomes_a_receipt(desk: Desk) -> None:
    desk.take(60)
    desk.volunteer.open("/waiting")
    receipt = desk.volunteer.send("确认")
    assert "已付 60 分" in receipt.text
    assert "可用积分440" in receipt.text
    assert desk.balance() == 440
    assert "现在没有要您确认的" in desk.volunteer.open("/waiting").text


def test_a_line_of_the_passbook_names_the_shop_and_what_was_had(desk: Desk) -> None:
    desk.offer(title="菜籽油5升", points=10)
    desk.cashier.open("/till")
    desk.cashier.follow("菜籽油5升")
    desk.cashier.send("收取", code=desk.code(), quantity="2")
    desk.cashier.follow("收错了")
    desk.cashier.send("撤销", reason="returned")
    words = [row[1] for row in desk.volunteer.open("/me/passbook").rows]
    assert words[:2] == [f"{kind}：旺财便民超市 · 菜籽油5升 × 2 2026-11-23 封存证明" for kind in ("撤销兑换", "兑换")]
    assert "已全部退回：20 分" in desk.volunteer.follow("撤销兑换：旺财便民超市").text


def test_a_page_that_waits_is_told_only_what_is_new(desk: Desk) -> None:
    first = desk.volunteer.client.get("/live")
    assert first.get_json() == {"shown": "0", "lately": []}
    again = {"If-None-Match": first.headers["ETag"]}
    assert (desk.volunteer.client.get("/live", headers=again).status_code, first.headers["Cache-Control"]) == (304, "no-store")
    redemption = desk.take(60).address.rpartition("/")[2]
    asked = desk.volunteer.client.get("/live", headers=again)
    assert asked.get_json() == {"shown": "1", "lately": [{"id": redemption, "state": "pending"}]}
    assert desk.another().client.get("/live").get_json() == {"shown": "0", "lately": []}
    desk.clock.advance(minutes=6)
    assert desk.volunteer.client.get("/live").get_json() == {"shown": "0", "lately": []}


def test_a_page_that_asks_of_itself_keeps_nobody_signed_in(desk: Desk) -> None:
    person, device = a_person(desk.session, desk.book), on_device(desk.app, desk.session, desk.book, area_code=GRID)
    number = a_card(desk.session, desk.book, person.id)
    device.open("/counter")
    device.send("登录", card=number, _pin=PIN)
    for _ in range(3):
        desk.clock.advance(minutes=1)
        assert device.client.get("/live").status_code == 200
    desk.clock.advance(seconds=30)
    assert device.client.get("/live").status_code == 302


def test_a_request_is_declined_and_nothing_is_taken(desk: Desk) -> None:
    waiting = desk.take(60)
    desk.volunteer.open("/waiting")
    assert "没有扣分" in desk.volunteer.send("不同意").text
    assert desk.cashier.open(waiting.address).headings == ["已取消"]
    assert desk.balance() == 500


def test_a_request_that_lapsed_meanwhile_is_refused_where_it_was_asked(desk: Desk) -> None:
    desk.take(60)
    desk.volunteer.open("/waiting")
    desk.clock.advance(minutes=6)
    late = desk.volunteer.send("确认")
    assert (late.status, late.headings) == (410, ["等您确认"])
    assert "等待时间已过，没有扣分" in late.text
    assert desk.balance() == 500


def test_a_form_that_is_sent_twice_pays_once(desk: Desk) -> None:
    desk.volunteer.scan(desk.draw(80))
    form = desk.volunteer.page.form("确认")
    first, second = (desk.volunteer.client.post(form.action, data=form.fields).location for _ in range(2))
    assert first == second
    assert desk.balance() == 420


def test_an_order_shows_shop_price_and_balance_before_and_after(desk: Desk) -> None:
    desk.offer(points=80, cash_fen=1250)
    desk.cashier.open("/till/orders")
    desk.cashier.follow("菜籽油5升")
    order = desk.volunteer.scan(desk.cashier.send("出示商户码"))
    assert order.headings == ["旺财便民超市"]
    assert "菜籽油5升 80 分 + ¥12.50 ¥12.50 另付现金。 现在可用500 付后剩下420" in order.text
    receipt = desk.volunteer.send("确认")
    assert "已付 80 分" in receipt.text
    assert "可用积分420" in receipt.text


def test_both_screens_show_the_same_number(desk: Desk) -> None:
    drawn = desk.draw(80)
    desk.volunteer.scan(drawn)
    receipt = desk.volunteer.send("确认")
    number = receipt.text.partition("编号")[2][:6]
    assert f"编号 {number}" in desk.cashier.open(drawn.address).text


def test_the_number_of_an_order_is_typed_where_no_camera_is(desk: Desk) -> None:
    number = desk.draw(80).text.partition("输入： ")[2][:7]
    desk.volunteer.open("/code")
    desk.volunteer.follow("输入商户码")
    assert desk.volunteer.send("下一步", number=number).headings == ["旺财便民超市"]
    assert "已付 80 分" in desk.volunteer.send("确认").text


def test_a_number_that_is_none_is_asked_for_again(desk: Desk) -> None:
    desk.volunteer.open("/order")
    for number in ("000000", "abcdef", "１２３４５６", "'; --", "1-x", "%2e%2e"):
        again = desk.volunteer.send("下一步", number=number)
        assert (again.status, again.headings) == (404, ["输入商户码"]), number
        assert "没有这个商户码" in again.text
        assert again.form("下一步").fields["number"] == [number]


def test_a_number_that_is_too_short_is_told_how_many_digits_are_missing(desk: Desk) -> None:
    desk.volunteer.open("/order")
    for number, missing in (("12345", 1), ("12 3", 3), ("7", 5)):
        again = desk.volunteer.send("下一步", number=number)
        assert (again.status, again.form("下一步").fields["number"]) == (422, [number])
        assert again.html.count(f"还少 {missing} 位") == 2


def test_an_order_that_cannot_be_paid_has_no_button(desk: Desk) -> None:
    order = desk.volunteer.scan(desk.draw(501))
    assert "积分不够，还差 1 分" in order.text
    assert not [form for form in order.forms if "确认" in form.buttons]


def test_an_order_is_paid_by_one_and_told_to_the_next(desk: Desk) -> None:
    address = desk.draw(80).scan()
    desk.volunteer.open(address)
    desk.volunteer.send("确认")
    late = desk.another().open(address)
    assert late.status == 409
    assert "付过" in late.text


def test_an_order_that_ran_out_meanwhile_takes_nothing(desk: Desk) -> None:
    desk.volunteer.scan(desk.draw(80))
    desk.clock.advance(minutes=3)
    late = desk.volunteer.send("确认")
    assert late.status == 410
    assert "没有扣分" in late.text
    assert desk.balance() == 500


def test_nobody_sees_or_decides_what_is_anothers(desk: Desk) -> None:
    redemption = desk.take(60).address.rpartition("/")[2]
    other = desk.another()
    form = desk.volunteer.open("/waiting").form("不同意").fields
    assert other.open(f"/receipts/{redemption}").status == 404
    assert "现在没有要您确认的" in other.open("/waiting").text
    own_form = other.open("/code").forms[-1].fields
    for verb in ("confirm", "decline"):
        assert other.client.post(f"/waiting/{redemption}/{verb}", data=form).status_code == 403
        assert other.client.post(f"/waiting/{redemption}/{verb}", data=own_form).status_code == 404
    assert desk.balance() == 500


def test_somebody_who_has_earned_nothing_yet_is_shown_a_code_too(desk: Desk) -> None:
    newcomer = desk.enter(a_person(desk.session, desk.book))
    assert "可用积分0" in newcomer.open("/code").text
    assert scan(newcomer.page.html).startswith("HTTP://LOCALHOST:8000/P/")


def test_a_pay_code_tells_a_stranger_nothing(desk: Desk) -> None:
    code = desk.code()
    for browser in (Browser(desk.app), desk.another()):
        real = browser.open(code)
        assert (real.status, real.headings) == (200, ["请给收银员扫"])
        assert desk.person.handle not in real.html
        invented = browser.open("/P/1-12345678-0000000000000000")
        assert invented.text == real.text


def test_a_cashier_who_scans_a_pay_code_is_led_to_the_till_with_it(desk: Desk) -> None:
    token = desk.code().rpartition("/")[2]
    till = desk.cashier.open(f"/p/{token}")
    assert till.headings[:1] == ["收银"]
    assert till.form("收取").fields["code"] == [token]
    assert desk.cashier.send("收取", points="30").headings == ["已收 30 分"]


def test_nothing_of_the_volunteers_pages_needs_a_script(desk: Desk) -> None:
    desk.take(60)
    for address in ("/code", "/scan", "/waiting", "/order", "/offers"):
        page = desk.volunteer.open(address)
        assert re.sub(r'<script type="module" src="/static/js/[a-z]+.js[^"]*"></script>', "", page.html).count("<script") == 0
        assert len(page.html.encode()) < 100_000


ADDRESSES = [
    ("GET", "/code"), ("GET", "/o/{token}"), ("POST", "/o/{token}"), ("GET", "/O/{token}"), ("POST", "/O/{token}"), ("GET", "/order"),
    ("GET", "/scan"), ("POST", "/scan"), ("GET", "/live"), ("GET", "/waiting"), ("POST", "/waiting/{id}/confirm"),
    ("POST", "/waiting/{id}/decline"), ("GET", "/receipts/{id}"),
]  # fmt: skip
FOR_ALL = [("GET", "/p/{token}"), ("GET", "/P/{token}")]


def test_only_a_volunteer_is_let_in(desk: Desk) -> None:
    redemption = desk.take(60).address.rpartition("/")[2]
    token = desk.draw(30).scan().rpartition("/")[2]
    outsiders = {role: desk.another(role) for role in ("building_leader", "grid_worker", "approver", "activity_host", "administrator")}
    for method, address in ADDRESSES:
        where = address.format(id=redemption, token=token)
        for role, browser in outsiders.items():
            assert browser.client.open(where, method=method).status_code == 403, (role, method, address)
        assert Browser(desk.app).client.open(where, method=method).status_code == (302 if method == "GET" else 401), (method, address)
        # A form without its token is not carried out, but whoever may send it is not told that they may not.
        answer = desk.volunteer.client.open(where, method=method)
        assert (answer.status_code, "没有做这件事的权限" in answer.text) == (200 if method == "GET" else 403, False), (method, address)
    assert [browser.open("/offers").status for browser in outsiders.values()] == [200] * len(outsiders)
    assert Browser(desk.app).client.get("/offers").status_code == 302


def test_every_address_of_spending_is_in_the_table(desk: Desk) -> None:
    rules = {
        (method, rule.rule.replace("<uuid:redemption_id>", "{id}").replace("<token>", "{token}"))
        for rule in desk.app.url_map.iter_rules()
        if rule.endpoint.startswith("spend.")
        for method in (rule.methods or set()) & {"GET", "POST"}
    }
    assert rules == {*ADDRESSES, *FOR_ALL}
