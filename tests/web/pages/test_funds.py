from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import VILLAGE
from tests.conftest import HandClock
from tests.earning import TODAY
from tests.earning import a_community
from tests.web.pages.hall import Hall


def test_each_fund_says_what_it_was_given_what_is_used_and_what_is_left(hall: Hall) -> None:
    hall.community.credited(hall.community.person(), "meals")
    hall.session.commit()
    _, browser = hall.enter("grid_worker", area_code=COUNTY)
    page = browser.open("/funds")
    assert "社区积分经费 在用" in page.text
    assert "已用 150 还剩 99,850 共拨 100,000" in page.text
    assert 'aria-label="已用 150，还剩 99,850"' in page.html
    assert "社区积分经费" not in [words for words, _ in page.links]
    assert "新设经费" not in page.text


def test_whoever_keeps_the_funds_reads_where_it_went_month_by_month(hall: Hall) -> None:
    hall.community.credited(hall.community.person(), "meals", deed_on=TODAY)
    hall.session.commit()
    _, browser = hall.enter("resident_supervisor", area_code=COUNTY)
    browser.open("/funds")
    page = browser.follow("社区积分经费")
    assert ["1", "150", "99,850"] in page.rows
    assert "+100,000" in page.text
    assert "照近八周的发放，还够 5325 周" in page.text
    assert "增拨积分" not in page.text


def test_a_fund_is_opened_and_given_more(hall: Hall) -> None:
    _, browser = hall.enter("finance", area_code=COUNTY)
    browser.open("/funds")
    browser.follow("新设经费")
    page = browser.send("设立", name="夜巡专项", area_code="仙霞路社区居委会", opens_on="2026-11-23", budget="500")
    assert page.headings[0] == "夜巡专项"
    assert "还剩 500" in page.text
    browser.follow("增拨积分")
    page = browser.send("增拨积分", points="250")
    assert "还剩 750" in page.text
    assert "+250" in page.text
    assert "夜巡专项" in browser.open("/funds").text


def test_what_is_wrong_with_a_fund_is_said_at_its_field(hall: Hall) -> None:
    _, browser = hall.enter("administrator", area_code=COUNTY)
    browser.open("/funds/new")
    page = browser.send("设立", name="夜巡专项", area_code=VILLAGE, opens_on="2026-11-23", closes_on="2026-11-01")
    assert page.status == 422
    assert 'id="closes_on-wrong"' in page.html
    page = browser.send("设立", name="夜巡专项", opens_on="2026-11-23", closes_on="", budget="0")
    assert "请填整数，最少是 1" in page.text


def test_giving_money_wants_a_fresh_proof(hall: Hall) -> None:
    _, browser = hall.enter("finance", area_code=COUNTY)
    hall.clock.advance(minutes=20)
    assert "验证" in browser.open("/funds/new").text


def test_nobody_gives_to_a_fund_outside_of_their_areas(hall: Hall) -> None:
    fund = hall.community.fund(name="村里的", area_code=VILLAGE)
    hall.session.commit()
    _, browser = hall.enter("finance", area_code="320106001004")
    assert "还没有积分经费" in browser.open("/funds").text
    assert browser.open(f"/funds/{fund}").status == 404
    assert browser.open(f"/funds/{fund}/budget").status == 404
    browser.open("/funds/new")
    page = browser.send("设立", name="夜巡专项", opens_on="2026-11-23", area_code=GRID)
    assert page.status == 404


def test_what_waits_for_a_fund_is_counted_and_credited_when_it_comes(app: Flask, session: Session, clock: HandClock) -> None:
    community = a_community(session, with_fund=False)
    session.commit()
    hall = Hall(app, session, clock, community)
    person = community.person()
    community.credited(person, "patrol", "meals")
    session.commit()
    _, browser = hall.enter("administrator", area_code=COUNTY)
    page = browser.open("/funds")
    assert "有 2 条善行已审核，等经费：共 200 分" in page.text
    assert "没有经费，审核通过的善行会一直等着" in page.text
    assert "已记入存折 0 条" in browser.send("给到期和等经费的记入存折").text
    browser.follow("新设经费")
    browser.send("设立", name="迟来的经费", opens_on="2026-01-01", budget="1000")
    browser.open("/funds")
    page = browser.send("给到期和等经费的记入存折")
    assert "已记入存折 2 条" in page.text
    assert "没有善行在等经费" in page.text
    assert hall.balance(person) == 200


def test_only_those_who_credit_have_the_button(hall: Hall) -> None:
    _, finance = hall.enter("finance", area_code=COUNTY)
    assert "给到期和等经费的记入存折" not in finance.open("/funds").text
    _, approver = hall.enter("approver", area_code=COUNTY)
    assert "给到期和等经费的记入存折" in approver.open("/funds").text
    assert "新设经费" not in approver.page.text
