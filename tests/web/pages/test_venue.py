from __future__ import annotations

from datetime import timedelta

from ledger.activities import Activity
from ledger.people import Person
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall


def an_activity(hall: Hall) -> tuple[Person, Browser, Activity]:
    """An activity that begins now, its host, and the host's browser."""
    host, browser = hall.enter("activity_host")
    activity = hall.community.activity(host)
    hall.session.commit()
    return host, browser, activity


def test_the_venues_code_is_scanned_to_come_and_to_go(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    _, volunteer = hall.enter()
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    assert volunteer.page.address.startswith("/V/")
    assert "签到成功" in volunteer.send("签到").headings
    hall.clock.advance(minutes=90)
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    assert "09:00 签到" in volunteer.page.text
    assert "签退成功" in volunteer.send("签退").headings
    assert "共 90 分钟" in volunteer.page.text
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    assert "您已签到签退" in volunteer.page.text
    assert "等审核" in volunteer.open("/me/claims").text


def test_a_code_that_has_changed_says_so(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    _, volunteer = hall.enter()
    code = host.open(f"/hosting/{activity.id}/code").scan()
    volunteer.open(code)
    hall.clock.advance(seconds=61)
    assert (volunteer.send("签到").status, "已过期" in volunteer.page.text) == (410, True)
    assert volunteer.open(code).status == 410
    assert volunteer.open("/v/1-X-Y").status == 404


def test_the_digits_can_be_typed_instead(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    _, volunteer = hall.enter()
    shown = host.open(f"/hosting/{activity.id}/code").text.partition("签到、签退 ")[2][:7]
    digits = "".join(shown.split())
    volunteer.open("/check-in")
    wrong = f"{(int(digits) + 1) % 1_000_000:06}"
    assert (volunteer.send("签到", digits=wrong).status, volunteer.page.form("签到").fields["digits"]) == (410, [wrong])
    assert "签到成功" in volunteer.send("签到", digits=shown).headings
    assert "您正在参加：清扫日" in volunteer.open("/me").text
    volunteer.open("/check-in")
    page = volunteer.send("签退", digits=digits)
    assert (page.status, "您刚签到不久" in page.text) == (409, True)
    assert "签退成功" in volunteer.send("真的要走，签退").headings
    assert "没有记时数和积分" in volunteer.page.text


def test_who_checks_out_by_mistake_is_asked_told_whom_to_ask_and_taken_back_by_the_host(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    _, volunteer = hall.enter(name="马志强")
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    volunteer.send("签到")
    hall.clock.advance(minutes=1)
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    assert (volunteer.send("签退").status, "请再点一次签退" in volunteer.page.text) == (409, True)
    assert "共 1 分钟，已记为信用时数" in volunteer.send("真的要走，签退").text
    volunteer.open("/check-in")
    digits = host.open(f"/hosting/{activity.id}/code").text.partition("签到、签退 ")[2][:7]
    page = volunteer.send("签到", digits=digits)
    assert (page.status, "已经签退（2026-11-23 09:01:00）" in page.text, "负责人恢复在场" in page.text) == (409, True, True)
    host.open(f"/hosting/{activity.id}")
    assert "马志强" in host.send("签退按错了，恢复在场").text
    assert "给所选的签退" in host.page.text
    hall.clock.advance(minutes=59)
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    assert "共 60 分钟，已记为信用时数" in volunteer.send("签退").text
    assert "信用时数 1 小时 0 分" in volunteer.open("/me").text


def test_hours_for_which_nobody_stands_yet_are_not_said_to_be_recorded(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    host.scan(host.open(f"/hosting/{activity.id}/code"))
    assert host.page.status == 403
    person, both = hall.enter("volunteer", "activity_host")
    own = hall.community.activity(person)
    hall.session.commit()
    both.scan(both.open(f"/hosting/{own.id}/code"))
    both.send("签到")
    hall.clock.advance(minutes=30)
    both.scan(both.open(f"/hosting/{own.id}/code"))
    assert "共 30 分钟，等别人证明" in both.send("签退").text


def test_nobody_leaves_before_they_came(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    _, volunteer = hall.enter()
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    form = volunteer.page.form("签到")
    answer = volunteer.client.post(form.action, data=form.fields | {"way": ["out"]})
    assert (answer.status_code, "还没有签到" in answer.text) == (409, True)
    assert volunteer.open(f"/check-in/{activity.id}").status == 404


def test_nobody_is_in_two_places_at_once(hall: Hall) -> None:
    _, host, activity = an_activity(hall)
    other = hall.community.activity(hall.community.person("activity_host"))
    person, volunteer = hall.enter()
    hall.community.check_in(other, person)
    hall.session.commit()
    volunteer.scan(host.open(f"/hosting/{activity.id}/code"))
    assert (volunteer.send("签到").status, "同一时间只算一处" in volunteer.page.text) == (409, True)


def test_without_anything_under_way_the_coming_activities_are_named(hall: Hall) -> None:
    host = hall.community.person("activity_host")
    hall.community.activity(host, begins=hall.clock.now() + timedelta(hours=3))
    hall.session.commit()
    _, volunteer = hall.enter()
    assert "现在没有可以签到的活动" in volunteer.open("/check-in").text
    assert "清扫日" in volunteer.follow("看近期活动").text
