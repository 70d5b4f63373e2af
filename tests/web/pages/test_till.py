from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from ledger import journal
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.web.kit.extensions import db
from redeem import merchants
from tests.builders import a_shop
from tests.builders import an_act
from tests.conftest import Database
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.journeys.browser import read
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def test_the_cursor_stands_in_the_field_for_the_code(desk: Desk) -> None:
    assert desk.cashier.open("/till").focus == "code"


def test_a_small_scanned_code_is_taken_at_once_and_answered_in_green(desk: Desk) -> None:
    answer = desk.take(30)
    assert (answer.status, answer.headings, answer.refresh) == (200, ["已收 30 分"], None)
    assert f"存折尾号 {desk.person.handle[-2:]}" in answer.text
    assert desk.person.handle not in answer.html
    assert 'class="answer ok"' in answer.html
    assert desk.balance() == 470
    assert desk.cashier.follow("下一位").focus == "code"


def test_a_code_that_is_read_out_is_taken_too(desk: Desk) -> None:
    assert desk.take(30, desk.typed_code()).headings == ["已收 30 分"]
    assert desk.balance() == 470


def test_an_offer_is_chosen_by_a_link_so_that_the_scanner_keeps_its_field(desk: Desk) -> None:
    desk.offer(points=20, cash_fen=250, stock=5)
    desk.cashier.open("/till")
    chosen = desk.cashier.follow("菜籽油5升")
    assert (chosen.focus, chosen.form("收取").fields["quantity"]) == ("code", ["1"])
    answer = desk.cashier.send("收取", quantity="2", code=desk.code())
    assert answer.headings == ["已收 40 分"]
    assert "+ ¥5.00" in answer.text
    assert "菜籽油5升 × 2" in answer.text
    assert "请另收现金" in answer.text


def test_a_code_that_was_scanned_first_is_kept_while_something_is_chosen(desk: Desk) -> None:
    desk.offer()
    code = desk.code()
    desk.cashier.open("/till")
    asked = desk.cashier.send("收取", code=code)
    assert (asked.status, asked.form("收取").fields["code"], asked.focus) == (422, [code], "points")
    assert "请先选一项商品，或输入积分" in asked.text
    chosen = desk.cashier.follow("菜籽油5升")
    assert (chosen.form("收取").fields["code"], chosen.focus) == ([code], "收取")
    assert desk.cashier.send("收取").headings == ["已收 30 分"]


def test_a_wrong_code_is_answered_in_red_and_the_next_try_keeps_what_was_asked(desk: Desk) -> None:
    answer = desk.take(30, "123")
    assert (answer.status, answer.headings) == (404, ["没有扣分"])
    assert 'class="answer no"' in answer.html
    assert "兑换码不对" in answer.text
    again = desk.cashier.follow("再扫一次")
    assert (again.focus, again.form("收取").fields["points"], again.form("收取").fields["code"]) == ("code", ["30"], [""])
    assert desk.balance() == 500


def test_a_large_request_waits_and_the_page_asks_until_it_is_confirmed(desk: Desk) -> None:
    waiting = desk.take(60)
    assert (waiting.headings, waiting.refresh) == (["等居民在手机上确认"], f"3;url={waiting.address}")
    assert desk.balance() == 500
    desk.volunteer.open("/waiting")
    desk.volunteer.send("确认")
    answer = desk.cashier.open(waiting.address)
    assert (answer.headings, answer.refresh) == (["已收 60 分"], None)
    assert desk.balance() == 440


def test_the_page_that_waits_is_told_only_what_is_new(desk: Desk) -> None:
    waiting = desk.take(60)
    first = desk.cashier.client.get(f"{waiting.address}/live")
    assert first.get_json() == {"shown": "pending"}
    again = {"If-None-Match": first.headers["ETag"]}
    assert desk.cashier.client.get(f"{waiting.address}/live", headers=again).status_code == 304
    desk.volunteer.open("/waiting")
    desk.volunteer.send("确认")
    assert desk.cashier.client.get(f"{waiting.address}/live", headers=again).get_json() == {"shown": "posted"}
    other = a_shop(desk.session, desk.book, name="惠民粮油店")
    desk.session.commit()
    assert desk.enter(other.cashier).client.get(f"{waiting.address}/live").status_code == 404


def test_a_request_that_waits_can_be_taken_back(desk: Desk) -> None:
    desk.take(60)
    answer = desk.cashier.send("取消这一笔")
    assert (answer.headings, answer.refresh) == (["已取消"], None)
    assert "没有扣分，请不要交货" in answer.text
    assert "现在没有要您确认的" in desk.volunteer.open("/waiting").text


def test_what_was_confirmed_in_the_meantime_is_not_taken_back(desk: Desk) -> None:
    waiting = desk.take(60)
    desk.volunteer.open("/waiting")
    desk.volunteer.send("确认")
    desk.cashier.page = waiting
    answer = desk.cashier.send("取消这一笔")
    assert (answer.status, answer.headings) == (409, ["已收 60 分"])
    assert desk.balance() == 440


def test_a_request_that_nobody_confirms_lapses(desk: Desk) -> None:
    waiting = desk.take(60)
    desk.clock.advance(minutes=6)
    assert desk.cashier.open(waiting.address).headings == ["已超时"]
    assert desk.balance() == 500


def test_a_form_that_is_sent_twice_takes_once(desk: Desk) -> None:
    form = desk.cashier.open("/till").form("收取")
    code = desk.code()
    first, second = (desk.cashier.client.post("/till", data=form.fields | {"points": "30", "code": code}).location for _ in range(2))
    assert first == second
    assert desk.balance() == 470


def test_what_is_still_being_carried_out_is_not_called_refused_and_is_asked_again_under_its_own_key(
    desk: Desk, database: Database
) -> None:  # fmt: skip
    # Of less patience than the service has, so that the test need not wait for it.
    patience = "PRAGMA busy_timeout = 100" if database.kind == "sqlite" else "SET lock_timeout = 100"

    def hasten(connection: Any, *_: Any) -> None:
        connection.cursor().execute(patience)
        connection.commit()

    with desk.app.app_context():
        event.listen(db.engine, "checkout", hasten)
    code, cashier_id, book_id = desk.code(), desk.shop.cashier.id, desk.book.id
    desk.session.rollback()
    desk.cashier.open("/till")
    key = desk.cashier.page.form("收取").fields["_key"][0]
    with Session(database.engine) as other:
        journal.claim(other, book_id, [journal.Ask(cashier_id, f"form:{key}", bytes(32), desk.clock.now())])
        form = desk.cashier.page.form("收取").fields | {"points": ["30"], "code": [code]}
        answer = desk.cashier.client.post("/till", data=form)
        assert answer.status_code == 409
        assert "没有扣分" not in answer.text
        other.rollback()
    unsure = desk.cashier.page = read("/till", answer)
    assert unsure.headings == ["还不知道收没收"]
    form = unsure.form("再问一次").fields
    assert form["_key"] == [key]
    again = [desk.cashier.client.post("/till", data=form).location for _ in range(2)]
    assert desk.cashier.open(again[0]).headings == ["已收 30 分"]
    assert again[0] == again[1]
    assert desk.balance() == 470


def test_a_second_use_says_when_and_at_which_till_the_first_was(desk: Desk) -> None:
    code = desk.code()
    desk.take(30, code)
    answer = desk.take(30, code)
    assert answer.status == 409
    assert "2026-11-23 09:00" in answer.text
    assert "1号收银台" in answer.text
    assert desk.balance() == 470


def test_a_till_that_guesses_has_to_wait(desk: Desk) -> None:
    statuses = [desk.take(10, "12345678 000000").status for _ in range(11)]
    assert statuses == [404] * 10 + [429]


def test_points_that_are_none_are_told_at_their_field_and_nothing_is_taken(desk: Desk) -> None:
    code = desk.code()
    desk.cashier.open("/till")
    for points in ("0", "-1", "1.5", "1e3", "一", "NaN", "1" * 30, str(2**63), "true", ""):
        asked = desk.cashier.send("收取", points=points, code=code)
        assert (asked.status, 'id="points-wrong"' in asked.html) == (422, True), points
        assert asked.form("收取").fields["points"] == [points]
    assert desk.balance() == 500


def test_a_till_or_offer_that_is_none_takes_nothing(desk: Desk) -> None:
    form, code = desk.cashier.open("/till").form("收取"), desk.code()
    for name in ("till_id", "offer_id"):
        for wrong, status in (("x", 422), (str(new_id()), 404)):
            sent = form.fields | {"points": ["30"], "quantity": ["1"], "code": [code], name: [wrong]}
            assert desk.cashier.client.post("/till", data=sent).status_code == status, (name, wrong)
    assert desk.balance() == 500


def test_whoever_has_several_tills_chooses_one(desk: Desk) -> None:
    added = merchants.add_till(desk.session, an_act(desk.book), desk.shop.id, name="2号收银台")
    assert not isinstance(added, Refusal)
    desk.session.commit()
    assert [words for words, _ in desk.cashier.open("/till").links if "号收银台" in words] == [
        "旺财便民超市 · 1号收银台", "旺财便民超市 · 2号收银台",
    ]  # fmt: skip
    here = desk.cashier.follow("2号收银台")
    assert "旺财便民超市 · 2号收银台" in here.text
    assert desk.cashier.send("收取", points="30", code=desk.code()).headings == ["已收 30 分"]
    assert "2号收银台" in desk.cashier.open("/till/today").text


def test_an_order_code_is_a_picture_and_a_number_until_it_is_paid(desk: Desk) -> None:
    drawn = desk.draw(80)
    assert (drawn.headings, drawn.refresh) == (["请居民扫码确认"], f"3;url={drawn.address}")
    assert "还有 120 秒" in drawn.text
    desk.volunteer.scan(drawn)
    desk.volunteer.send("确认")
    answer = desk.cashier.open(drawn.address)
    assert (answer.headings, answer.refresh) == (["已收 80 分"], None)
    assert desk.balance() == 420


def test_an_order_that_nobody_pays_in_time_lapses(desk: Desk) -> None:
    drawn = desk.draw(80)
    desk.clock.advance(seconds=121)
    assert desk.cashier.open(drawn.address).headings == ["已超时"]


def test_an_order_is_taken_back(desk: Desk) -> None:
    drawn = desk.draw(80)
    address = drawn.scan()
    assert desk.cashier.send("取消这一笔").headings == ["已取消"]
    assert desk.volunteer.open(address).status == 409


def test_an_orders_code_stands_in_no_address_of_the_till(desk: Desk) -> None:
    drawn = desk.draw(80)
    assert "?" not in drawn.address
    assert desk.cashier.open(drawn.address).scan() == drawn.scan()


def test_today_shows_sums_and_of_people_only_a_tail(desk: Desk) -> None:
    desk.take(30)
    desk.clock.advance(minutes=1)
    desk.take(20)
    desk.clock.advance(minutes=1)
    desk.take(60)
    today = desk.cashier.open("/till/today")
    assert "兑换笔数2" in today.text
    assert "收到积分50" in today.text
    assert "社区应付 旺财便民超市（累计）50 分" in today.text
    assert today.text.count("已兑换") == 2
    assert today.text.count("等确认") == 1
    assert f"存折尾号 {desk.person.handle[-2:]}" in today.text
    assert desk.person.handle not in today.html


def test_yesterday_is_not_today(desk: Desk) -> None:
    desk.take(30)
    desk.clock.advance(days=1)
    today = desk.enter(desk.shop.cashier).open("/till/today")
    assert "兑换笔数0" in today.text
    assert "社区应付 旺财便民超市（累计）30 分" in today.text


def test_a_mistake_is_voided_in_part_and_then_the_rest(desk: Desk) -> None:
    desk.take(30)
    desk.cashier.follow("收错了")
    assert desk.cashier.send("撤销", points="31", reason="wrong-amount").status == 409
    assert "最多还能撤销 30 分" in desk.cashier.page.text
    part = desk.cashier.send("撤销", points="10", reason="wrong-amount")
    assert part.headings == ["已收 20 分"]
    assert desk.balance() == 480
    desk.cashier.open("/till/today")
    desk.cashier.follow("撤销")
    assert desk.cashier.send("撤销", reason="returned").headings == ["已退回 30 分"]
    assert ("✓" in desk.cashier.page.text, "✕" in desk.cashier.page.text) == (True, False)
    assert desk.balance() == 500
    assert "其中已撤销30" in desk.cashier.open("/till/today").text


def test_cash_goes_back_with_the_whole_and_is_counted_no_more(desk: Desk) -> None:
    desk.offer(title="菜籽油5升", points=30, cash_fen=250)
    for _ in range(2):
        desk.cashier.open("/till")
        desk.cashier.follow("菜籽油5升")
        desk.cashier.send("收取", code=desk.code())
        desk.clock.advance(seconds=30)
    desk.cashier.open("/till/today")
    assert "另收现金¥5.00" in desk.cashier.page.text
    desk.cashier.follow("撤销")
    assert "全部撤销，请另退现金 ¥2.50" in desk.cashier.page.text
    assert "现金不退" in desk.cashier.send("撤销", points="10", reason="wrong-amount").text
    assert "另收现金¥5.00" in desk.cashier.open("/till/today").text
    desk.cashier.follow("撤销")
    assert "请退还现金 ¥2.50" in desk.cashier.send("撤销", reason="returned").text
    assert "另收现金¥2.50" in desk.cashier.open("/till/today").text


def test_a_void_wants_a_reason(desk: Desk) -> None:
    desk.take(30)
    desk.cashier.follow("收错了")
    asked = desk.cashier.send("撤销")
    assert asked.status == 422
    assert 'id="reason-wrong"' in asked.html
    assert desk.balance() == 470


def test_tomorrow_a_cashier_voids_no_more(desk: Desk) -> None:
    answer = desk.take(30)
    void = f"{answer.address}/void"
    desk.clock.advance(days=1)
    cashier = desk.enter(desk.shop.cashier)
    cashier.open(void)
    refused = cashier.send("撤销", reason="returned")
    assert refused.status == 409
    assert "只能撤销当天" in refused.text
    assert desk.balance() == 470


def test_another_shop_sees_and_changes_nothing(desk: Desk) -> None:
    other = a_shop(desk.session, desk.book, name="惠民粮油店")
    stranger = desk.enter(other.cashier)
    paid, waiting = desk.take(30).address, None
    desk.clock.advance(minutes=1)
    waiting = desk.take(60).address
    for address in (paid, f"{paid}/void", waiting):
        assert stranger.open(address).status == 404
    form = stranger.open("/till/orders").form("出示商户码").fields
    for address in (f"{waiting}/cancel", f"{paid}/void"):
        assert stranger.client.post(address, data=form | {"reason": "other", "points": ""}).status_code == 404
    assert desk.balance() == 470


ADDRESSES = [
    ("GET", "/till"), ("POST", "/till"), ("GET", "/till/orders"), ("POST", "/till/orders"), ("GET", "/till/today"),
    ("GET", "/till/redemptions/{id}"), ("POST", "/till/redemptions/{id}/cancel"), ("GET", "/till/redemptions/{id}/void"),
    ("POST", "/till/redemptions/{id}/void"), ("GET", "/till/card"), ("POST", "/till/card"), ("GET", "/till/redemptions/{id}/live"),
]  # fmt: skip


def test_only_who_stands_at_a_till_is_let_in(desk: Desk) -> None:
    redemption = desk.take(30).address.rpartition("/")[2]
    outsiders = {role: desk.another(role) for role in ("volunteer", "building_leader", "grid_worker", "approver", "administrator")}
    for method, address in ADDRESSES:
        where = address.format(id=redemption)
        for role, browser in outsiders.items():
            assert browser.client.open(where, method=method).status_code == 403, (role, method, address)
        assert Browser(desk.app).client.open(where, method=method).status_code == (302 if method == "GET" else 401), (method, address)
        for browser in (desk.cashier, desk.owner):
            # A form without its token is not carried out, but whoever may send it is not told that they may not.
            answer = browser.client.open(where, method=method)
            assert (answer.status_code, "没有做这件事的权限" in answer.text) == (200 if method == "GET" else 403, False), (method, address)


def test_every_address_of_the_till_is_in_the_table(desk: Desk) -> None:
    rules = {
        (method, rule.rule.replace("<uuid:redemption_id>", "{id}"))
        for rule in desk.app.url_map.iter_rules()
        if rule.endpoint.startswith("till.")
        for method in (rule.methods or set()) & {"GET", "POST"}
    }
    assert rules == set(ADDRESSES)
