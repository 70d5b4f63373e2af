from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger.ids import new_id
from redeem import library
from tests.builders import MICRO_GRID
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import TOWNSHIP
from tests.builders import VILLAGE
from tests.builders import a_person
from tests.builders import a_shop
from tests.builders import an_act
from tests.builders import an_offer
from tests.conftest import HandClock
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def test_the_catalogue_says_what_can_be_had_for_how_much_and_whether_ones_points_are_enough(desk: Desk) -> None:
    desk.offer(title="理发一次", points=60, limit_per_person=2, limit_period="month")
    desk.offer(title="大米5公斤", points=200, cash_fen=1000, stock=3)
    desk.offer(title="洗衣液", points=90, stock=0)
    desk.offer(title="电饭锅", points=620)
    page = desk.volunteer.open("/offers")
    assert page.headings == ["能换什么", "旺财便民超市"]
    for said in (
        "可用积分500",
        "理发一次60 分 够换 不限量，每人每月限 2 份",
        "大米5公斤200 分 + ¥10.00 够换 还有 3 份 积分以外，另付现金 10.00 元",
        "洗衣液90 分 已换完",
        "电饭锅620 分 还差 120 分 不限量",
    ):
        assert said in page.text


def test_only_what_ones_points_are_enough_for_is_shown_where_one_asks_for_it(desk: Desk) -> None:
    desk.offer(title="理发一次", points=60)
    desk.offer(title="电饭锅", points=620)
    desk.offer(title="洗衣液", points=90, stock=0)
    assert "电饭锅" in desk.volunteer.open("/offers").text
    page = desk.volunteer.follow("只看够换的")
    assert [title for title in ("理发一次", "电饭锅", "洗衣液") if title in page.text] == ["理发一次"]
    newcomer = desk.another("volunteer")
    assert "现有积分还不够换" in newcomer.open("/offers?which=enough").text
    assert newcomer.open("/offers?which=everything").status == 404


def test_the_nearest_shops_come_first_and_it_is_said_how_near_they_are(desk: Desk) -> None:
    places = {"一店": OTHER_VILLAGE, "二店": VILLAGE, "三店": MICRO_GRID, "四店": OTHER_GRID, "五店": TOWNSHIP}
    for name, area_code in places.items():
        an_offer(desk.session, desk.book, a_shop(desk.session, desk.book, name=name, area_code=area_code).id)
    person = a_person(desk.session, desk.book, area_code=MICRO_GRID)
    desk.offer(title="挂面")
    page = desk.enter(person).open("/offers")
    assert page.headings[1:] == ["三店", "旺财便民超市", "二店", "四店", "一店", "五店"]
    said = [page.text.index(words) for words in ("就在本微网格", "就在本网格", "在本社区", "在本街道")]
    assert said == sorted(said)


def test_many_shops_come_a_page_at_a_time_and_many_offers_on_the_shops_own_page(desk: Desk) -> None:
    names = [f"{number:02}号店" for number in range(11)]
    for name in names:
        an_offer(desk.session, desk.book, a_shop(desk.session, desk.book, name=name, area_code=OTHER_VILLAGE).id)
    for number in range(7):
        an_offer(desk.session, desk.book, desk.shop.id, title=f"商品{number}")
    desk.session.commit()
    page = desk.volunteer.open("/offers")
    assert page.headings[1:] == ["旺财便民超市", *names[:9]]
    assert [f"商品{number}" in page.text for number in range(7)] == [True] * 5 + [False] * 2
    shop = desk.volunteer.follow("这家店的全部")
    assert all(f"商品{number}" in shop.text for number in range(7))
    desk.volunteer.open("/offers")
    assert desk.volunteer.follow("更远的").headings[1:] == names[9:]
    assert desk.volunteer.open("/offers?cursor=x").status == 422


def test_a_shop_says_where_it_is_when_it_is_open_and_what_to_call(desk: Desk) -> None:
    desk.offer()
    plain = desk.volunteer.open(f"/offers/{desk.shop.id}")
    assert ("请问社区（就在本网格）" in plain.text, "tel:" in plain.html) == (True, False)
    told = {"address": "仙霞路8号", "phone": "025-8471 0088", "open_hours": "每天 7:00 到 21:00"}
    library.describe(desk.session, an_act(desk.book), desk.shop.id, **told)
    desk.session.commit()
    page = desk.volunteer.open(f"/offers/{desk.shop.id}")
    assert "仙霞路8号（就在本网格） 营业时间每天 7:00 到 21:00" in page.text
    assert page.link("打电话给店里") == "tel:025-84710088"
    assert desk.volunteer.open(f"/offers/{new_id()}").status == 404
