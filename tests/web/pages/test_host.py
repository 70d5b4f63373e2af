from __future__ import annotations

from datetime import timedelta

from ledger import people
from ledger.errors import Refusal
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.earning import TODAY
from tests.journeys.pictures import scan
from tests.web.pages.hall import Hall

PLAN = {
    "title": "清扫日",
    "deed": "sweeping",
    "area_code": GRID,
    "place": "3栋门口",
    "starts_at": "2026-11-23T09:00",
    "ends_at": "2026-11-23T11:00",
}


def test_an_activity_is_planned_and_found_by_volunteers(hall: Hall) -> None:
    _, browser = hall.enter("activity_host", area_code=VILLAGE)
    browser.open("/staff")
    browser.follow("安排新活动")
    assert "清扫日" in browser.send("安排", **PLAN, capacity="12").headings
    assert "清扫日" in browser.open("/hosting").text
    _, volunteer = hall.enter()
    assert "2026-11-23 09:00 – 11:00 3栋门口 · 已报名 0 / 12" in volunteer.open("/activities").text


def test_each_grid_is_offered_once_whatever_roles_one_holds(hall: Hall) -> None:
    person, browser = hall.enter("activity_host", "grid_worker", area_code=VILLAGE)
    granted = people.grant_role(
        hall.session, an_act(hall.community.book), person_id=person.id, role="activity_host", area_code=GRID, starts_on=TODAY
    )
    assert not isinstance(granted, Refusal)
    hall.session.commit()
    offered = list(browser.open("/hosting/new").form("安排").options["area_code"].values())
    assert (len(offered), len(set(offered))) == (5, 5)
    areas = [words for words, where in hall.browser(person).open("/staff/propose").links if "/staff/propose?area=" in where]
    assert areas == ["仙霞路社区居委会"]


def test_an_activity_past_midnight_says_on_which_day_it_ends(hall: Hall) -> None:
    _, browser = hall.enter("activity_host", area_code=VILLAGE)
    browser.open("/hosting/new")
    page = browser.send("安排", **PLAN | {"starts_at": "2026-11-23T22:00", "ends_at": "2026-11-24T02:00"})
    assert "2026-11-23 22:00 – 2026-11-24 02:00" in page.text
    assert "2026-11-23 22:00 – 2026-11-24 02:00" in hall.enter()[1].open("/activities").text


def test_a_plan_that_cannot_be_is_said_and_what_was_typed_stays(hall: Hall) -> None:
    _, browser = hall.enter("activity_host", area_code=VILLAGE)
    browser.open("/hosting/new")
    page = browser.send("安排", **PLAN | {"ends_at": "2026-11-23T08:00"})
    assert (page.status, "结束要晚于开始" in page.text) == (422, True)
    assert page.form("安排").fields["title"] == ["清扫日"]
    assert browser.send("安排", starts_at="2026-11-23").status == 422
    form = page.form("安排")
    answer = browser.client.post(form.action, data=form.fields | {"area_code": [OTHER_VILLAGE], "ends_at": ["2026-11-23T11:00"]})
    assert answer.status_code == 404


def test_the_code_is_shown_to_its_host_only_and_renews_itself(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity = hall.community.activity(host)
    hall.session.commit()
    page = browser.open(f"/hosting/{activity.id}/code")
    assert page.refresh == "10"
    assert page.scan().startswith("HTTP://LOCALHOST:8000/V/")
    _, other = hall.enter("activity_host", area_code=VILLAGE)
    assert other.open(f"/hosting/{activity.id}/code").status == 404
    assert other.open(f"/hosting/{activity.id}").status == 404


def test_the_shown_code_is_asked_for_again_and_given_only_where_it_has_changed(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity, friend = hall.community.activity(host), hall.community.person()
    hall.session.commit()
    address = f"/hosting/{activity.id}/code/now"
    first = browser.client.get(address)
    again = browser.client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data, again.headers["X-Seconds-Left"]) == (200, 304, b"", "30")
    assert "在场 0 人" in first.text
    browser.open(f"/hosting/{activity.id}")
    browser.send("签到", numbers=friend.handle)
    come = browser.client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (come.status_code, "在场 1 人" in come.text, scan(come.text) == scan(first.text)) == (200, True, True)
    hall.clock.advance(seconds=30)
    later = browser.client.get(address, headers={"If-None-Match": come.headers["ETag"]})
    assert (later.status_code, scan(later.text) == scan(first.text)) == (200, False)
    _, other = hall.enter("activity_host", area_code=VILLAGE)
    assert other.client.get(address).status_code == 404


def test_a_building_leader_hosts_an_activity_of_their_grid(hall: Hall) -> None:
    _, browser = hall.enter("building_leader", area_code=GRID)
    browser.open("/leader")
    browser.follow("我负责的活动")
    browser.follow("安排新活动")
    page = browser.send("安排", **PLAN)
    assert "清扫日" in page.headings
    assert browser.follow("显示签到码").scan().startswith("HTTP://LOCALHOST:8000/V/")


def test_the_host_checks_people_in_by_number_and_out_by_tick(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity = hall.community.activity(host, capacity=2)
    one, two, three = (hall.community.person(name=name) for name in ("陈桂芳", "马志强", "孙守业"))
    hall.session.commit()
    browser.open(f"/hosting/{activity.id}")
    page = browser.send("签到", numbers=f"{one.handle}\n{two.handle}，{three.handle}")
    assert "办成 2 人" in page.text
    assert "没有办成 1 个：名额已满" in page.text
    assert f"No. {three.handle[:4]} {three.handle[4:]}" in page.text
    assert "到场 2 人" in page.text
    hall.clock.advance(minutes=60)
    page = browser.send("给所选的签退", person_id=[str(one.id), str(two.id)])
    assert page.text.count("09:00 – 10:00 · 60 分钟") == 2
    page = browser.send("签到", numbers=one.handle)
    assert (page.status, page.text.count("60 分钟"), "已经签退（2026-11-23 10:00:00）" in page.text) == (409, 2, True)
    assert "10 2026-11-23" in hall.browser(one).open("/me/claims").text


def test_a_number_of_somebody_else_becomes_no_name(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity = hall.community.activity(host)
    stranger = hall.community.person(name="蔡庆华", area_code=OTHER_VILLAGE)
    neighbour = hall.community.person(name="陈桂芳")
    hall.session.commit()
    browser.open(f"/hosting/{activity.id}")
    page = browser.send("签到", numbers=f"{neighbour.handle} {stranger.handle}")
    number = f"{stranger.handle[:4]} {stranger.handle[4:]}"
    assert (page.status, "没有报名" in page.text, number in page.text, "到场 0 人" in page.text) == (409, True, True, True)
    assert stranger.id.hex not in page.html.replace("-", "")
    assert "蔡庆华" not in page.html
    hall.clock.advance(minutes=5)
    form = page.form("签到")
    ticked = browser.client.post(form.action, data=form.fields | {"numbers": [""], "person_id": [str(stranger.id)]})
    assert (ticked.status_code, "蔡庆华" in ticked.text, stranger.handle[:4] in ticked.text) == (409, False, False)


def test_an_address_turns_no_person_into_a_passbook_number(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity = hall.community.activity(host)
    stranger, neighbour = hall.community.person(area_code=OTHER_VILLAGE), hall.community.person()
    hall.session.commit()
    page = browser.open(f"/hosting/{activity.id}?not-found={stranger.id.hex}&activity-full={neighbour.id.hex}")
    assert "没有办成 1 个" in page.text
    assert stranger.handle[4:] not in page.text
    assert neighbour.handle[4:] in page.text


def test_a_host_does_not_check_themselves_in(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity = hall.community.activity(host)
    hall.session.commit()
    browser.open(f"/hosting/{activity.id}")
    page = browser.send("签到", numbers=host.handle)
    assert (page.status, "负责人不为自己签到" in page.text) == (409, True)
    assert page.form("签到").fields["numbers"] == [host.handle]


def test_check_in_before_its_time_is_refused(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity = hall.community.activity(host, begins=hall.clock.now() + timedelta(hours=2))
    person = hall.community.person()
    hall.session.commit()
    browser.open(f"/hosting/{activity.id}")
    assert (browser.send("签到", numbers=person.handle).status, "30 分钟" in browser.page.text) == (409, True)


def test_whoever_shows_their_code_is_checked_in_by_scanning_it(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    _, phone = hall.enter(name="陈桂芳")
    activity = hall.community.activity(host)
    hall.session.commit()
    shown = phone.open("/code").scan()
    browser.open(f"/hosting/{activity.id}")
    form = next(form for form in browser.page.forms if "code" in form.fields)
    post = browser.client.post
    page = post(form.action, data=form.fields | {"code": [shown]}, follow_redirects=True)
    assert ("办成 1 人：陈桂芳" in page.text, "data-auto" in page.text) == (True, True)
    browser.open(f"/hosting/{activity.id}")
    form = next(form for form in browser.page.forms if "code" in form.fields)
    for code in ("https://example.org/P/1-12345678-0000000000000000", f"{shown[:-4]}", browser.open(f"/hosting/{activity.id}/code").scan()):
        answer = post(form.action, data=form.fields | {"code": [code], "_key": [code[:4] + "0" * 28]})
        assert 400 <= answer.status_code < 500, code
    assert "到场 1 人" in browser.open(f"/hosting/{activity.id}").text
