from __future__ import annotations

from flask import Flask

from ledger.web.kit.problems import PROBLEMS
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall


def test_the_landing_page_leads_to_the_tariff_and_the_notices(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    assert "做一件好事" in browser.open("/").text
    assert "每小时 10" in browser.follow("积分细则").text
    browser.open("/")
    assert "现在没有公示" in browser.follow("公示栏").text
    assert browser.follow("登录").headings == ["登录"]


def test_the_tariff_is_told_by_category(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    page = browser.open(f"/tariff/{hall.community.book.number}")
    assert page.headings[:3] == ["积分细则", "学习教育", "环境维护"]
    assert ["patrol", "每次 50"] in page.rows
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
