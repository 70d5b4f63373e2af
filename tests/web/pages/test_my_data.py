from __future__ import annotations

import json

from ledger import people
from ledger.web.kit.parts import HANDLED
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import an_act
from tests.builders import give_points
from tests.web.pages.hall import Hall


def test_somebodys_page_shows_what_is_kept_of_them_and_who_looked(hall: Hall) -> None:
    person, browser = hall.enter(name="李桂荣", phone="13811112222")
    worker, _ = hall.enter("grid_worker")
    hall.community.report(person, "patrol")
    give_points(hall.session, hall.community.book, person, 30)
    act = an_act(hall.community.book, hall.clock.now(), actor=worker.id)
    people.open_person(hall.session, act, person.id, "objection")
    people.correct(hall.session, act, VAULT, person.id, "phone", "13933334444")
    hall.session.commit()
    page = browser.open("/me/data")
    assert page.headings[0] == "我的资料"
    assert "李桂荣" in page.text
    assert "电话13933334444" in page.text.replace(" ", "")
    assert f"网格员 尾号 {worker.handle[-4:]} · 处理异议" in page.text
    assert "原来是：13811112222" in page.text
    assert (page.rows[0][1].split()[0], *page.rows[0][2:]) == ("善行积分", "+30", "30")
    assert "13811112222" not in browser.open("/").text


def test_somebody_sees_who_issued_them_a_way_in_a_card_a_number_and_a_pin(hall: Hall) -> None:
    (person, browser), (worker, of_worker), (administrator, of_administrator) = (
        hall.enter(area_code=GRID),
        hall.enter("grid_worker", area_code=GRID),
        hall.enter("administrator", area_code=GRID),
    )
    assert "没有人办过" in browser.open("/me/data").text
    of_administrator.open(f"/staff/sign-ins/{person.id}")
    assert of_administrator.send("办一个登录链接").status == 200
    issued = people.issue_card(hall.session, an_act(hall.community.book, hall.clock.now(), actor=worker.id), person.id)
    assert isinstance(issued, people.Card)
    card = issued.number
    hall.session.commit()
    of_worker.open("/counter/pin")
    assert of_worker.send("设好密码", card=card, _pin="492817", _pin_again="492817").status == 200
    of_worker.open(f"/counter/cards/{person.id}")
    of_worker.send("换一个存折号")
    of_worker.send("换一张卡")
    page = browser.open("/me/data").text
    by = f"网格员 尾号 {worker.handle[-4:]}"
    for what in (f"{by} · 换了存折号", f"{by} · 陪同设了卡的密码", f"{by} · 办了存折卡", f"{by} · 作废了存折卡"):
        assert what in page, what
    assert f"管理员 尾号 {administrator.handle[-4:]} · 办了登录链接" in page
    told = json.loads(browser.client.get("/me/data.json").text)
    assert [one["what"] for one in told["handled"]] == ["number", "pin", "link"]
    assert told["handled"][1]["by"] == {
        "handle_tail": worker.handle[-4:], "roles": ["grid_worker"], "is_own": False, "is_operator": False
    }  # fmt: skip


def test_whoever_confirmed_a_link_is_shown_like_whoever_asked_for_it(hall: Hall) -> None:
    person, browser = hall.enter("approver", area_code=GRID)
    (first, of_first), (second, of_second) = (hall.enter("administrator", area_code=GRID) for _ in range(2))
    of_first.open(f"/staff/sign-ins/{person.id}")
    assert of_first.send("办一个登录链接").status == 200
    of_second.open(f"/staff/sign-ins/{person.id}")
    assert of_second.send("确认").status == 200
    page = browser.open("/me/data").text
    for administrator in (first, second):
        assert f"管理员 尾号 {administrator.handle[-4:]} · 办了登录链接" in page


def test_what_is_shown_as_handled_are_routes_that_there_are(hall: Hall) -> None:
    assert {act.split()[1] for act in HANDLED} <= hall.app.view_functions.keys()


def test_the_same_is_a_file_for_a_machine(hall: Hall) -> None:
    person, browser = hall.enter(name="李桂荣")
    response = browser.client.get("/me/data.json")
    assert response.headers["Content-Disposition"] == 'attachment; filename="passbook.json"'
    told = json.loads(response.text)
    assert (told["fields"]["name"], told["person"]["handle"]) == ("李桂荣", person.handle)


def test_people_change_their_phone_and_address_themselves(hall: Hall) -> None:
    _, browser = hall.enter(phone="13811112222")
    browser.open("/me/data")
    browser.follow("改电话或住址")
    assert browser.send("保存电话", text="139 3333 4444").headings[0] == "我的资料"
    assert "13933334444" in browser.page.text
    browser.follow("改电话或住址")
    assert "电话号码不对" in browser.send("保存电话", text="12").text
    assert browser.page.status == 422
    assert "5栋" in browser.send("保存住址", text="5栋").text


def test_somebody_who_is_erased_is_nobody_any_more(hall: Hall) -> None:
    person, browser = hall.enter(name="李桂荣")
    give_points(hall.session, hall.community.book, person, 30)
    hall.session.commit()
    browser.open("/me/data")
    browser.follow("抹除我的资料")
    assert "剩下的 30 分归大家的公益池" in browser.page.text
    assert browser.send("抹除我的资料").status == 422
    assert browser.send("抹除我的资料", sure="yes").headings != ["抹除我的资料"]
    assert browser.open("/me/data").headings == ["登录"]
    assert people.names_of(hall.session, VAULT, hall.community.book.id, [person.id]) == {person.id: "—"}


def test_whoever_works_for_the_community_is_told_what_comes_first(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker")
    browser.open("/me/data/erase")
    page = browser.send("抹除我的资料", sure="yes")
    assert (page.status, "先由另一位管理员结束这些角色" in page.text) == (409, True)
