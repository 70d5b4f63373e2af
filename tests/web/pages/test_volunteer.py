from __future__ import annotations

from datetime import timedelta

import pytest

from ledger import areas
from ledger import claims
from ledger import journal
from ledger import people
from ledger.claims import Reach
from ledger.errors import Invalid
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.builders import give_points
from tests.earning import TODAY
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall

SCRIPT = "<script>alert(1)</script>"


def report(browser: Browser, **others: str) -> None:
    browser.open("/me/report?deed=patrol")
    browser.send("提交", **({"deed": "patrol", "place": "3栋", "text": "巡了一圈"} | others))


def test_home_shows_the_balance_and_what_is_held(hall: Hall) -> None:
    person, browser = hall.enter()
    hall.community.credited(person, "patrol", "meals")
    hall.session.commit()
    home = browser.open("/")
    assert (home.address, home.status) == ("/me", 200)
    assert "200分 可用 200" in home.text
    assert {"出示兑换码", "我做了好事"} <= {said for said, _ in home.links}


def test_points_that_run_out_are_told_with_the_year(hall: Hall) -> None:
    person, browser = hall.enter()
    give_points(hall.session, hall.community.book, person, 120, hall.clock.now() - timedelta(days=330))
    give_points(hall.session, hall.community.book, person, 30, hall.clock.now())
    hall.session.commit()
    assert "120 分到 2026-12-31 到期，还有 38 天" in browser.open("/me").text
    assert "30 分到 2027-12-31 到期" in browser.open("/me/passbook").text
    hall.clock.advance(days=365)
    assert "30 分到 2027-12-31 到期，还有 38 天" in hall.browser(person).open("/me").text


def test_the_passbook_lists_its_lines_newest_first_and_page_by_page(hall: Hall) -> None:
    person, browser = hall.enter()
    for _ in range(22):
        give_points(hall.session, hall.community.book, person, 5, hall.clock.advance(minutes=1))
    hall.session.commit()
    assert [row[0] for row in browser.open("/me/passbook").rows] == [str(number) for number in range(22, 2, -1)]
    assert browser.page.rows[0][-2:] == ["+5", "110"]
    assert [row[0] for row in browser.follow("更早的").rows] == ["2", "1"]
    assert browser.open("/me/passbook?cursor=x").status == 422


def test_a_passbook_is_read_year_by_year_with_its_sums(hall: Hall) -> None:
    person, _ = hall.enter()
    give_points(hall.session, hall.community.book, person, 7, hall.clock.now())
    hall.clock.advance(days=60)
    give_points(hall.session, hall.community.book, person, 5, hall.clock.now())
    hall.session.commit()
    browser = hall.browser(person)
    page = browser.open("/me/passbook")
    assert ([row[0] for row in page.rows], "2027 年存入5" in page.text) == (["2"], True)
    before = browser.follow("2026 年")
    assert ([row[0] for row in before.rows], "2026 年存入7" in before.text) == (["1"], True)
    assert "/me/passbook.pdf?year=2026" in before.html
    assert [browser.open(f"/me/passbook?year={year}").status for year in ("2025", "2028", "x")] == [404] * 3


def test_of_a_passbook_only_what_came_in_or_went_out_is_shown(hall: Hall) -> None:
    person, browser = hall.enter()
    book_id, about = hall.community.book.id, journal.About(deed_on=TODAY)
    give_points(hall.session, hall.community.book, person, 50, hall.clock.now())
    wanted = [("passbook", person.id), ("donated", book_id)]
    accounts = journal.open_accounts(hall.session, book_id, wanted, hall.clock.now())
    giver, taker = (accounts[one] for one in wanted)
    act = hall.community.act(person)
    given = journal.Transfer(act=act, from_account=giver, to_account=taker, amount=20, kind="donation", about=about)
    assert all(isinstance(one, journal.Posted) for one in journal.post(hall.session, book_id, [given]))
    hall.session.commit()
    assert [row[-2] for row in browser.open("/me/passbook").rows] == ["−20", "+50"]
    assert [row[-2] for row in browser.follow("存入").rows] == ["+50"]
    assert [row[-2] for row in browser.follow("支出").rows] == ["−20"]
    assert "2026 年存入50 2026 年支出20" in browser.page.text
    assert browser.open("/me/passbook?which=everything").status == 404


def test_a_line_is_called_after_its_deed(hall: Hall) -> None:
    person, browser = hall.enter()
    hall.community.credited(person, "patrol")
    hall.session.commit()
    assert browser.open("/me/passbook").rows == [["1", "patrol 2026-11-23 封存证明", "+50", "50"]]
    assert "存折上还没有记录" in hall.enter()[1].open("/me/passbook").text


def test_a_deed_is_reported_in_three_steps_by_following_tiles(hall: Hall) -> None:
    _, browser = hall.enter()
    browser.open("/me")
    browser.follow("我做了好事")
    assert [said for said, _ in browser.page.links if said in {"治安巡逻", "环境维护", "突出贡献"}] == ["环境维护", "突出贡献", "治安巡逻"]
    assert "patrol 每次 50 分" in browser.follow("治安巡逻").text
    browser.follow("patrol")
    assert "已提交" in browser.send("提交", place="3栋").text
    again = browser.open("/me/report")
    assert ("又做了一次" in again.text, again.link("patrol")) == (True, "/me/report?deed=patrol")


def test_a_deed_that_is_paid_by_the_hour_asks_for_its_minutes_and_a_mediation_for_no_photo(hall: Hall) -> None:
    _, browser = hall.enter()
    assert '<input id="minutes" name="minutes" type="text" value="" required' in browser.open("/me/report?deed=sweeping").html
    assert 'name="photos"' in browser.page.html
    assert 'name="photos"' not in browser.open("/me/report?deed=tea_house").html


def test_a_deed_is_reported_and_found_among_ones_claims(hall: Hall) -> None:
    _, browser = hall.enter()
    report(browser)
    assert "已提交" in browser.page.text
    assert "等楼长或社区证明" in browser.open("/me/claims").text
    assert "巡了一圈" in browser.follow("patrol").text


def test_sending_a_form_twice_does_it_once(hall: Hall) -> None:
    person, browser = hall.enter()
    form = browser.open("/me/report?deed=patrol").form("提交")
    filled = form.fields | {"deed": ["patrol"]}
    answers = [browser.client.post(form.action, data=filled) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(claims.mine(hall.session, hall.community.book.id, person.id)) == 1


def test_a_form_without_the_secret_of_its_session_is_refused(hall: Hall) -> None:
    person, browser = hall.enter()
    _, stranger = hall.enter()
    form = browser.open("/me/report?deed=patrol").form("提交")
    theirs = stranger.open("/me/report?deed=patrol").form("提交").fields["_csrf"]
    for spoilt in ({"_csrf": [""]}, {"_csrf": theirs}, {"_key": ["short"]}, {"_key": [""]}):
        answer = browser.client.post(form.action, data=form.fields | {"deed": ["patrol"]} | spoilt)
        assert (answer.status_code, "页面已过期" in answer.text) == (403, True)
    assert claims.mine(hall.session, hall.community.book.id, person.id) == []


WRONG = (
    ({"deed": ""}, "必填"),
    ({"deed": "nonsense"}, "没有这一项"),
    ({"deed_on": "2026-13-01"}, "日期应写成"),
    ({"deed_on": "2030-01-01"}, "日期应在过去一年之内"),
    ({"deed": "sweeping"}, "请填写多少分钟"),
    ({"deed": "sweeping", "minutes": "1441"}, "1 到 1440"),
    ({"deed": "sweeping", "minutes": "十"}, "1 到 1440"),
    ({"starts_at": "25:00"}, "时间不对"),
    ({"place": "长" * 201}, "文字为空、太长"),
)


def test_what_is_filled_in_wrongly_is_said_and_what_was_typed_stays(hall: Hall) -> None:
    _, browser = hall.enter()
    for filled, said in WRONG:
        report(browser, **filled)
        page = browser.page
        assert page.status in {409, 422}
        assert said in page.text
        kept = page.form("提交").fields
        assert (kept["text"], kept["place"]) == (["巡了一圈"], [filled.get("place", "3栋")])
        assert 'aria-invalid="true"' in page.html


def test_a_returned_claim_is_told_anew(hall: Hall) -> None:
    person, browser = hall.enter()
    worker = hall.community.person("grid_worker")
    claim_id = hall.community.report(person, text="很久")
    claims.return_(
        hall.session, hall.community.act(worker), VAULT, Reach(hall.community.scope), [claim_id], reason="wrong-time", note="请写几点"
    )  # fmt: skip
    hall.session.commit()
    assert "1 条申报被退回，请补充后再提交" in browser.open("/me").text
    assert "退回，请补充" in browser.follow("1 条申报被退回").text
    page = browser.open(f"/me/claims/{claim_id}")
    assert "时间不对：请写几点" in page.text
    assert page.form("再提交").fields["text"] == ["很久"]
    assert "等楼长或社区证明" in browser.send("再提交", starts_at="08:30").text
    assert "再提交" not in browser.page.text
    assert "被退回" not in browser.open("/me").text


def test_a_claim_is_taken_back_before_it_is_decided(hall: Hall) -> None:
    person, browser = hall.enter()
    claim_id = hall.community.report(person)
    hall.session.commit()
    browser.open(f"/me/claims/{claim_id}")
    assert "已撤回" in browser.send("撤回申报").text


def test_a_claim_of_somebody_else_is_not_found(hall: Hall) -> None:
    person, _ = hall.enter()
    claim_id = hall.community.report(person)
    hall.session.commit()
    _, stranger = hall.enter()
    assert stranger.open(f"/me/claims/{claim_id}").status == 404


def test_one_signs_up_for_an_activity_and_takes_it_back(hall: Hall) -> None:
    host = hall.community.person("activity_host")
    hall.community.activity(host, begins=hall.clock.now() + timedelta(days=1), capacity=1)
    hall.session.commit()
    _, browser = hall.enter()
    assert "已报名 0 / 1" in browser.open("/activities").text
    assert "已报名 1 / 1" in browser.send("报名").text
    _, late = hall.enter()
    late.open("/activities")
    assert (late.send("报名").status, "名额已满" in late.page.text) == (409, True)
    assert "已报名 0 / 1" in browser.send("取消报名").text


def test_who_came_without_signing_up_is_counted_and_has_nothing_to_sign_up_for(hall: Hall) -> None:
    activity = hall.community.activity(hall.community.person("activity_host"), capacity=3)
    person, browser = hall.enter()
    hall.community.check_in(activity, person)
    hall.session.commit()
    page = browser.open("/activities")
    assert ("已签到" in page.text, "已报名 1 / 3" in page.text, "activities/" in page.html) == (True, True, False)
    hall.community.check_out(activity, person)
    hall.session.commit()
    assert "已签到" in browser.open("/activities").text


def test_activities_are_found_by_day_by_place_and_by_kind(hall: Hall) -> None:
    host, later = hall.community.person("activity_host"), hall.clock.now() + timedelta(days=3)
    for deed, begins in (("sweeping", hall.clock.now()), ("patrol", later), ("class", hall.clock.now() + timedelta(days=20))):
        hall.community.activity(host, deed=deed, begins=begins)
    hall.session.commit()
    _, browser = hall.enter()
    elsewhere = hall.enter(area_code=OTHER_VILLAGE)[1]
    found = {
        address: browser.open(f"/activities?{address}").html.count("/sign-up")
        for address in ("", "when=today", "when=week", "where=near", "category=patrol", "when=today&category=patrol")
    }
    assert list(found.values()) == [3, 1, 2, 3, 1, 0]
    assert "没有这样的活动" in browser.page.text
    assert elsewhere.open("/activities?where=near").html.count("/sign-up") == 0
    assert [browser.open(f"/activities?{wrong}").status for wrong in ("when=x", "where=x", "category=x", "cursor=x")] == [
        404,
        404,
        404,
        422,
    ]


def test_what_one_signed_up_for_is_shown_first_and_on_the_home_page(hall: Hall) -> None:
    hall.community.activity(hall.community.person("activity_host"), begins=hall.clock.now() + timedelta(days=1))
    hall.session.commit()
    _, browser = hall.enter()
    assert "下一个活动" not in browser.open("/me").text
    browser.open("/activities")
    assert "我报了名的" in browser.send("报名").text
    assert "下一个活动：清扫日" in browser.open("/me").text


def test_hours_are_told_by_year_and_by_what_they_come_from(hall: Hall) -> None:
    person, browser = hall.enter()
    activity = hall.community.activity(hall.community.person("activity_host"))
    hall.community.check_in(activity, person)
    hall.community.at += timedelta(minutes=75)
    hall.community.check_out(activity, person)
    told = hall.community.propose(hall.community.person("grid_worker"), person, "class", TODAY - timedelta(days=1), minutes=60)
    hall.community.approve(hall.community.person("approver"), told)
    hall.session.commit()
    page = browser.open("/me/hours")
    assert "清扫日1 小时 15 分 2026-11-23 · 信用时数" in page.text
    assert "class1 小时 0 分 2026-11-22 · 荣誉时数" in page.text
    assert browser.page.link("时数证明") == "/me/hours.pdf"
    assert browser.open("/me/hours?year=2020").status == 404
    assert "这一年还没有时数" in hall.enter()[1].open("/me/hours").text


def test_the_community_is_called_by_the_number_that_is_set_for_the_area(hall: Hall) -> None:
    person, browser = hall.enter()
    assert "tel:" not in browser.open("/me").html
    areas.set_phone(hall.session, an_act(hall.community.book), VILLAGE, "025-8471 0086")
    hall.session.commit()
    assert browser.open("/me").link("打电话给社区") == "tel:025-84710086"
    areas.set_phone(hall.session, an_act(hall.community.book), person.area_code, "12345")
    hall.session.commit()
    assert browser.open("/me").link("打电话给社区") == "tel:12345"
    with pytest.raises(Invalid):
        areas.set_phone(hall.session, an_act(hall.community.book), VILLAGE, "javascript:alert(1)")


def test_the_plain_version_of_the_home_has_only_what_one_comes_for(hall: Hall) -> None:
    _, browser = hall.enter()
    browser.open("/settings/version/elder")
    said = [said for said, _ in browser.open("/me").links]
    assert ({"出示兑换码", "我做了好事", "签到、签退", "其他功能"} <= set(said), "能换什么" in said) == (True, False)
    whole = {said for said, _ in browser.follow("其他功能").links}
    assert {"活动报名", "能换什么", "公示栏", "积分细则", "我的资料"} <= whole


def test_what_is_asked_of_a_helper_waits_on_their_home(hall: Hall) -> None:
    elder, (helper, browser) = hall.community.person(), hall.enter()
    new = people.NewMandate(elder.id, helper.id, "helper", TODAY, TODAY + timedelta(days=30), 0)
    people.give_mandate(hall.session, an_act(hall.community.book), VAULT, new)
    hall.session.commit()
    assert browser.open("/me").link("有人请您代办") == "/helping"


def test_a_claim_tells_each_step_it_took(hall: Hall) -> None:
    person, browser = hall.enter()
    worker = hall.community.person("grid_worker")
    claim_id = hall.community.report(person)
    hall.community.turn_down("return", worker, claim_id, reason="wrong-time")
    hall.community.resubmit(person, claim_id)
    hall.session.commit()
    page = browser.open(f"/me/claims/{claim_id}")
    assert [word for word in ("报了", "退回补充 时间不对", "补充后再报") if word in page.text] == [
        "报了",
        "退回补充 时间不对",
        "补充后再报",
    ]


def test_what_people_wrote_never_becomes_a_part_of_the_page(hall: Hall) -> None:
    person, browser = hall.enter(name=SCRIPT, area_code=OTHER_GRID)
    report(browser, place=SCRIPT, text=SCRIPT)
    assert SCRIPT not in browser.page.html
    assert SCRIPT in browser.page.text
    assert SCRIPT in browser.open("/me/passbook").text
    assert SCRIPT not in browser.page.html
    assert claims.mine(hall.session, hall.community.book.id, person.id)[0].claim.deed_on == TODAY


def test_hours_are_shown_apart_from_points(hall: Hall) -> None:
    person, browser = hall.enter()
    host = hall.community.person("activity_host")
    activity = hall.community.activity(host)
    hall.community.check_in(activity, person)
    hall.community.at += timedelta(minutes=75)
    hall.community.check_out(activity, person)
    hall.session.commit()
    hall.clock.advance(minutes=75)
    assert "信用时数 1 小时 15 分" in browser.open("/me").text
    assert "荣誉时数 0 小时 0 分" in browser.page.text


def test_an_address_that_is_none_leads_whoever_is_signed_in_home(hall: Hall) -> None:
    _, browser = hall.enter()
    page = browser.open("/no-such-page")
    assert (page.status, page.link("回首页"), "退出登录" in page.text) == (404, "/home", True)
    assert page.text.count("没有找到") == 1
    code = browser.open("/v/1-X-Y")
    assert (code.status, code.text.count("没有这个签到码"), code.link("回首页")) == (404, 1, "/home")


def test_words_that_were_typed_are_not_lost_where_the_session_has_ended_meanwhile(hall: Hall) -> None:
    _, browser = hall.enter()
    browser.open("/me/report?deed=patrol")
    browser.client.delete_cookie("passbook")
    page = browser.send("提交", deed="patrol", place="3栋", text="巡了一圈，看到堆物")
    assert (page.status, "巡了一圈，看到堆物" in page.text, page.link("去登录")) == (401, True, "/sign-in?next=/me/report")


def test_what_was_wrong_is_named_after_its_field_and_leads_to_it(hall: Hall) -> None:
    _, browser = hall.enter()
    report(browser, deed_on="2026-11-31")
    assert ("哪一天：日期应写成" in browser.page.text, browser.page.link("哪一天")) == (True, "#deed_on")


def test_digits_of_a_chinese_keyboard_are_taken(hall: Hall) -> None:
    _, browser = hall.enter()
    report(browser, minutes="９０")
    assert "90 分钟" in browser.page.text


def test_what_earns_nothing_is_struck_out_and_says_whom_to_ask(hall: Hall) -> None:
    person, browser = hall.enter()
    worker = hall.community.person("grid_worker")
    claim_id = hall.community.report(person)
    hall.community.turn_down("refuse", worker, claim_id)
    hall.session.commit()
    assert "<s>+50</s>" in browser.open("/me/claims").html
    page = browser.open(f"/me/claims/{claim_id}")
    assert ("<s>+50</s>" in page.html, "请找楼长，或到社区找工作人员" in page.text) == (True, True)
