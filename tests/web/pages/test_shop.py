from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger.ids import new_id
from redeem import merchants
from tests.builders import a_person
from tests.builders import a_shop
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.journeys.browser import Page
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def add(desk: Desk, **typed: str) -> Page:
    """Let the owner fill in the form of a new offer."""
    desk.owner.open("/shop")
    return desk.owner.send("添加", **({"title": "理发一次", "points": "60"} | typed))


def test_an_offer_is_added_and_stands_at_the_till(desk: Desk) -> None:
    page = add(desk, cash="2.50", stock="5", limit_per_person="2", limit_period="month", valid_to="2026-12-31")
    assert "理发一次 库存 5，到 2026-12-31 为止60 分 + ¥2.50" in page.text.replace("理发一次库存", "理发一次 库存")
    assert "理发一次" in desk.cashier.open("/till").text
    assert "还有 5 份，每人每月限 2 份，到 2026-12-31 为止" in desk.volunteer.open("/offers").text


def test_an_offer_without_a_stock_never_runs_out(desk: Desk) -> None:
    assert "不限量" in add(desk).text
    page = desk.owner.follow("理发一次")
    assert "入库" not in page.text


WRONG = [
    ("title", " "), ("title", "长" * 101), ("points", "0"), ("points", "一"), ("points", "1e400"), ("cash", "-1"), ("cash", "1.234"),
    ("stock", "-1"), ("stock", "1000001"), ("limit_per_person", "0"), ("valid_to", "2026-02-30"), ("valid_to", "2026-11-22"),
]  # fmt: skip


def test_what_is_wrong_in_an_offer_is_told_at_its_field(desk: Desk) -> None:
    for name, typed in WRONG:
        page = add(desk, **{name: typed})
        assert (page.status, f'id="{name}-wrong"' in page.html) == (422, True), (name, typed)
        assert page.form("添加").fields[name] == [typed]
    assert "还没有商品" in desk.owner.open("/shop").text


def test_stock_is_delivered_counted_and_taken(desk: Desk) -> None:
    add(desk, stock="5")
    desk.owner.follow("理发一次")
    assert "库存 8" in desk.owner.send("入库", quantity="3").text
    assert "库存 2" in desk.owner.send("按盘点改库存", on_hand="2").text
    assert desk.owner.send("入库", quantity="0").status == 422
    assert 'id="quantity-wrong"' in desk.owner.page.html
    desk.cashier.open("/till")
    desk.cashier.follow("理发一次")
    assert desk.cashier.send("收取", quantity="3", code=desk.code()).status == 409
    assert "库存不足：还有 2 份" in desk.cashier.page.text


def test_an_offer_ends_with_a_day(desk: Desk) -> None:
    add(desk)
    desk.owner.follow("理发一次")
    assert "到 2026-11-23 为止" in desk.owner.send("到这天结束").text
    assert "理发一次" in desk.cashier.open("/till").text
    desk.clock.advance(days=1)
    assert "理发一次" not in desk.enter(desk.shop.cashier).open("/till").text


def test_a_till_is_added_once(desk: Desk) -> None:
    desk.owner.open("/shop")
    desk.owner.follow("收银台")
    assert "2号收银台" in desk.owner.send("添加", name="2号收银台").text
    again = desk.owner.send("添加", name="2号收银台")
    assert (again.status, again.form("添加").fields["name"]) == (409, ["2号收银台"])
    assert [words for words, _ in desk.cashier.open("/till").links if "2号收银台" in words]


def test_a_cashier_is_hired_by_passbook_number_and_dismissed(desk: Desk) -> None:
    person = a_person(desk.session, desk.book)
    handle = f"{person.handle[:4]} {person.handle[4:]}"
    browser = desk.enter(person)
    assert browser.open("/till").status == 403
    desk.owner.open("/shop")
    desk.owner.follow("收银员")
    assert person.handle in desk.owner.send("从今天起聘用", handle=handle).text
    assert browser.open("/till").status == 200
    desk.owner.page.forms = [form for form in desk.owner.page.forms if form.action.endswith("/end")][-1:]
    assert "到 2026-11-23 为止" in desk.owner.send("今天起结束").text
    desk.clock.advance(days=1)
    assert browser.open("/till").status == 403


def test_nobody_is_hired_by_a_number_that_is_none(desk: Desk) -> None:
    desk.owner.open(f"/shop/{desk.shop.id}/staff")
    for handle in ("00000000", "1234", "abcdefgh", "１２３４５６７８", "' OR 1=1"):
        again = desk.owner.send("从今天起聘用", handle=handle)
        assert (again.status, again.form("聘用").fields["handle"]) == (404, [handle])


def test_an_owner_neither_hires_nor_ends_an_owner(desk: Desk) -> None:
    page = desk.owner.open(f"/shop/{desk.shop.id}/staff")
    assert len([form for form in page.forms if form.action.endswith("/end")]) == 1
    assert desk.owner.send("从今天起聘用", handle=desk.shop.owner.handle).status == 403
    assert desk.owner.send("从今天起聘用", handle=desk.shop.cashier.handle).status == 409


def test_whoever_owns_several_shops_chooses_one(desk: Desk) -> None:
    assert desk.owner.open("/shop").headings == ["商品"]
    other, owner, today = a_shop(desk.session, desk.book, name="惠民粮油店"), desk.shop.owner.id, START.date()
    merchants.hire(desk.session, an_act(desk.book), other.id, person_id=owner, role="shop_owner", starts_on=today)
    desk.session.commit()
    page = desk.owner.open("/shop")
    assert (page.headings, sorted(words for words, _ in page.links if words.endswith(("店", "市")))) == (
        ["店铺"],
        ["惠民粮油店", "旺财便民超市"],
    )
    assert str(other.id) in desk.owner.follow("惠民粮油店").address


GETS = [
    "/shop/{unit}",
    "/shop/{unit}/about",
    "/shop/{unit}/offers",
    "/shop/{unit}/offers/{offer}",
    "/shop/{unit}/tills",
    "/shop/{unit}/staff",
    "/shop/{unit}/staff/{staff}/pin-code",
]
POSTS = [
    "/shop/{unit}/offers", "/shop/{unit}/offers/{offer}/deliver", "/shop/{unit}/offers/{offer}/count", "/shop/{unit}/offers/{offer}/end",
    "/shop/{unit}/tills", "/shop/{unit}/staff", "/shop/{unit}/staff/{staff}/end", "/shop/{unit}/staff/{staff}/pin-code",
    "/shop/{unit}/about",
]  # fmt: skip
ADDRESSES = [("GET", "/shop"), *(("GET", address) for address in GETS), *(("POST", address) for address in POSTS)]
FILLED = {
    "title": "x", "points": "1", "quantity": "1", "on_hand": "1", "valid_to": "2026-12-31", "name": "x", "handle": "{handle}",
}  # fmt: skip


def places(desk: Desk) -> dict[str, str]:
    """Return the ids of the shop, of an offer and of a cashier's work there."""
    add(desk, stock="5")
    offer = desk.owner.page.link("理发一次").rpartition("/")[2]
    ends = [form.action for form in desk.owner.open(f"/shop/{desk.shop.id}/staff").forms if form.action.endswith("/end")]
    staff = ends[0].split("/")[-2]
    return {"unit": str(desk.shop.id), "offer": offer, "staff": staff}


def test_only_an_owner_is_let_in(desk: Desk) -> None:
    ids = places(desk)
    roles = ("volunteer", "building_leader", "grid_worker", "approver", "administrator")
    outsiders = {"cashier": desk.cashier} | {role: desk.another(role) for role in roles}
    for method, address in ADDRESSES:
        where = address.format(**ids)
        for role, browser in outsiders.items():
            assert browser.client.open(where, method=method).status_code == 403, (role, method, address)
        assert Browser(desk.app).client.open(where, method=method).status_code == (302 if method == "GET" else 401), (method, address)
        # A form without its token is not carried out, but whoever may send it is not told that they may not.
        answer = desk.owner.client.open(where, method=method, follow_redirects=True)
        assert (answer.status_code, "没有做这件事的权限" in answer.text) == (200 if method == "GET" else 403, False), (method, address)


def test_an_owner_of_another_shop_sees_and_changes_nothing(desk: Desk) -> None:
    ids = places(desk)
    other = a_shop(desk.session, desk.book, name="惠民粮油店")
    newcomer = a_person(desk.session, desk.book)
    stranger = desk.enter(other.owner)
    form = stranger.open("/shop").form("添加").fields
    for address in GETS:
        assert stranger.open(address.format(**ids)).status == 404, address
    filled = {name: value.format(handle=newcomer.handle) for name, value in FILLED.items()}
    for address in POSTS:
        # Drawn again it would show the shop, so nothing of it is drawn.
        sent = form | filled | {"_key": [new_id().hex]}
        answer = stranger.client.post(address.format(**ids), data=sent)
        assert (answer.status_code, "旺财便民超市" in answer.text) == (404, False), address
    assert "库存 5" in desk.owner.open("/shop").text


def test_every_address_of_the_owner_is_in_the_table(desk: Desk) -> None:
    names = {"<uuid:unit_id>": "{unit}", "<uuid:offer_id>": "{offer}", "<uuid:staff_id>": "{staff}"}
    rules = set()
    for rule in desk.app.url_map.iter_rules():
        if rule.endpoint.startswith("shop."):
            said = rule.rule
            for name, short in names.items():
                said = said.replace(name, short)
            rules |= {(method, said) for method in (rule.methods or set()) & {"GET", "POST"}}
    assert rules == set(ADDRESSES)


def test_a_shop_sees_what_it_took_today_and_this_month_and_what_it_is_owed(desk: Desk) -> None:
    empty = desk.owner.open(f"/shop/{desk.shop.id}")
    assert ("本月还没有收过积分" in empty.text, "社区还欠本店0 分" in empty.text) == (True, True)
    desk.cashier.open("/till")
    desk.cashier.send("收取", points="40", code=desk.code())
    desk.clock.advance(days=1)
    desk.owner = desk.enter(desk.shop.owner)
    desk.cashier = desk.enter(desk.shop.cashier)
    desk.volunteer = desk.enter(desk.person)
    desk.cashier.open("/till")
    desk.cashier.send("收取", points="30", code=desk.code())
    page = desk.owner.open(f"/shop/{desk.shop.id}")
    today, month = page.text.split("本月到现在")
    assert ("笔数1 收积分30" in today, "笔数2 收积分70" in month, "社区还欠本店70 分" in month) == (True, True, True)


def test_a_shop_tells_where_it_is_and_residents_read_it(desk: Desk) -> None:
    desk.owner.open(f"/shop/{desk.shop.id}/about")
    assert "已保存" in desk.owner.send("保存", address="仙霞路8号", phone="025-8471 0088", open_hours="每天 7:00 到 21:00").text
    assert "仙霞路8号（就在本网格）" in desk.volunteer.open(f"/offers/{desk.shop.id}").text
    wrong = desk.owner.send("保存", phone="打给老汪")
    assert (wrong.status, "phone-wrong" in wrong.html, wrong.form("保存").fields["phone"]) == (422, True, ["打给老汪"])


def test_what_runs_short_is_marked_in_words(desk: Desk) -> None:
    desk.offer(title="大米", stock=2)
    desk.offer(title="挂面", stock=0)
    page = desk.owner.open("/shop")
    assert ("库存 2 快没了" in page.text, "库存 0 已换完" in page.text) == (True, True)
