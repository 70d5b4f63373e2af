from __future__ import annotations

import pytest
from flask import Flask

from ledger.web.kit.problems import PROBLEMS
from tests.builders import a_shop
from tests.builders import a_unit
from tests.builders import an_offer
from tests.earning import TODAY
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall


def test_the_landing_page_leads_to_the_tariff_and_the_notices(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    assert "做一件好事" in browser.open("/").text
    assert "每小时 10" in browser.follow("积分细则").text
    browser.open("/")
    assert "现在没有公示" in browser.follow("公示栏").text
    assert browser.follow("登录").headings == ["登录"]


def test_the_landing_page_leads_everybody_in_and_to_all_that_is_public(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    for words, heading in (("志愿者登录", "登录"), ("商户登录", "登录"), ("社区工作人员登录", "登录"), ("申请登记", "申请登记")):
        browser.open("/")
        assert heading in browser.follow(words).headings[0]
    for words in ("积分细则", "公示栏", "每月数字", "联盟单位和商户"):
        browser.open("/")
        assert browser.follow(words).headings[0].startswith(words)


def test_the_figures_of_a_month_name_no_number_of_very_few(app: Flask, hall: Hall) -> None:
    persons = [hall.community.person() for _ in range(5)]
    for person in persons:
        hall.community.credited(person, "patrol")
    hall.community.credited(persons[0], "meals", "meals")
    hall.community.credited(persons[1], "meals")
    hall.session.commit()
    page = Browser(app).open(f"/figures/{hall.community.book.number}")
    assert ["", "250", "5", "5"] in page.rows
    assert ["少于 5 人"] in page.rows
    assert "困难帮扶" in page.text
    # Nor can it be reckoned from the total, or from what is drawn over the year.
    assert "善行数 5 记入存折的积分 250" in page.text
    assert ["5", "250"] in page.rows
    assert not {"700", "450", "8", "12"} & {cell for row in page.rows for cell in row}


def test_the_figures_of_an_earlier_month_are_chosen(app: Flask, hall: Hall) -> None:
    for person in [hall.community.person() for _ in range(3)]:
        hall.community.credited(person, "patrol")
    hall.session.commit()
    browser = Browser(app)
    assert "这个月还没过完" in browser.open(f"/figures/{hall.community.book.number}").text
    page = browser.send("看这个月", month="2026-10")
    assert "这个月还没有记入存折的善行" in page.text
    assert page.headings[0] == "每月数字 · 2026-10"
    assert browser.open(f"/figures/{hall.community.book.number}?month=2026-12").status == 404
    assert browser.open(f"/figures/{hall.community.book.number}?month=x").status == 422
    assert browser.open("/figures/99").status == 404


def test_the_partners_stand_by_colour_with_what_they_have(app: Flask, hall: Hall) -> None:
    book = hall.community.book
    browser = Browser(app)
    assert "联盟还没有单位" in browser.open(f"/partners/{book.number}").text
    shop = a_shop(hall.session, book)
    a_unit(hall.session, book, name="党群服务中心", colour="red")
    an_offer(hall.session, book, shop.id, title="菜籽油5升", points=80)
    an_offer(hall.session, book, shop.id, title="上月的米", points=80, valid_to=TODAY)
    hall.session.commit()
    page = browser.open(f"/partners/{book.number}")
    assert page.headings == ["联盟单位和商户", "白色库：商户和企业", "红色库：党政单位"]
    assert "旺财便民超市 菜籽油5升80 分" in page.text
    hall.clock.advance(days=1)
    assert "上月的米" not in browser.open(f"/partners/{book.number}").text
    for number in range(50):
        a_unit(hall.session, book, name=f"单位{number:02}", colour="green")
    hall.session.commit()
    browser.open(f"/partners/{book.number}")
    assert "旺财便民超市" in browser.follow("下一页").text
    assert browser.open("/partners/99").status == 404


@pytest.mark.parametrize("page", ["", "tariff/{}", "figures/{}", "partners/{}"])
def test_what_everybody_sees_alike_may_be_kept_for_five_minutes(app: Flask, hall: Hall, page: str) -> None:
    address = "/" + page.format(hall.community.book.number)
    client = app.test_client()
    first = client.get(address)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert {"Cookie", "Accept-Language"} <= set(first.headers["Vary"].replace(" ", "").split(","))
    assert "Set-Cookie" not in first.headers
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    client.set_cookie("language", "en")
    assert client.get(address).headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("page", ["tariff/{}", "figures/{}", "partners/{}"])
def test_a_page_with_somebodys_name_in_its_corner_is_kept_nowhere(app: Flask, hall: Hall, page: str) -> None:
    address = "/" + page.format(hall.community.book.number)
    _, browser = hall.enter()
    answer = browser.client.get(address)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "退出登录" in answer.text
    browser.client.set_cookie("passbook", "no-such-session")
    assert browser.client.get(address).headers["Cache-Control"] == "no-store"


def test_the_notices_are_kept_nowhere(app: Flask, hall: Hall) -> None:
    answer = app.test_client().get(f"/notices/{hall.community.book.number}")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_tariff_is_told_by_category(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    page = browser.open(f"/tariff/{hall.community.book.number}")
    assert page.headings[:3] == ["积分细则", "学习教育", "环境维护"]
    assert "patrol 每次 50" in page.text
    assert "这一类一律由两人审核" in page.text
    assert browser.open("/tariff/99").status == 404


def test_the_notices_name_nobody_whole_and_no_child_at_all(app: Flask, hall: Hall) -> None:
    adult = hall.community.person(name="陈桂芳", birth_month="1956-03")
    child = hall.community.person(name="何子轩", birth_month="2015-09", guardian_id=adult.id)
    for person in (adult, child):
        hall.community.credited(person, "patrol")
    hall.session.commit()
    page = Browser(app).open(f"/notices/{hall.community.book.number}")
    assert " 陈** · patrol+50" in page.text
    assert " ** · patrol+50" in page.text
    assert "何" not in page.text
    assert "桂芳" not in page.html


def test_the_notices_come_page_by_page(app: Flask, hall: Hall) -> None:
    worker, approver = hall.community.person("grid_worker"), hall.community.person("approver")
    persons = [hall.community.person(name=f"张{number}") for number in range(51)]
    ids = hall.community.propose_all(worker, [hall.community.told(person_id=person.id) for person in persons])
    hall.community.approve(approver, *ids)
    hall.session.commit()
    browser = Browser(app)
    assert browser.open(f"/notices/{hall.community.book.number}").text.count("+50") == 50
    assert browser.follow("更早的").text.count("+50") == 1
    assert browser.open(f"/notices/{hall.community.book.number}?cursor=x").status == 422


def test_every_problem_is_explained_in_both_languages(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    for code, problem in PROBLEMS.items():
        page = browser.open(f"/problems/{code}")
        assert page.status == 200
        assert " ".join(problem.zh.split()) in page.text
        assert " ".join(problem.en.split()) in page.text
    assert browser.open("/problems/nonsense").status == 404
