from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from ledger import people
from ledger.people import Person
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import give_points
from tests.conftest import START
from tests.earning import TODAY
from tests.web.pages.hall import Hall


@pytest.fixture
def li(hall: Hall) -> Person:
    """A resident of the first grid."""
    person = hall.community.person(name="李桂荣", phone="13800138000")
    hall.session.commit()
    return person


def grants(hall: Hall, who: Person) -> list[tuple[str, bool]]:
    """Return the roles somebody has or had, and whether each has an end."""
    found = [(one.role, one.ends_on is not None) for one in people.grants_of(hall.session, hall.community.book.id, who.id)]
    hall.session.commit()
    return found


def test_somebody_is_found_by_number_by_phone_and_by_name_with_phone(hall: Hall, li: Person) -> None:
    _, worker = hall.enter("grid_worker")
    for asked in ({"number": li.handle}, {"number": "138 0013 8000"}, {"number": "13800138000", "name": "李 桂荣"}):
        worker.open("/staff/people")
        page = worker.send("查找", **asked)
        assert [row[1] for row in page.rows if len(row) > 1] == ["李**"], asked
        assert "李桂荣" not in page.text
    worker.open("/staff/people")
    assert "没有找到" in worker.send("查找", number="13800138000", name="王丽").text
    assert "138" not in worker.page.address


def test_nobody_of_elsewhere_is_found_listed_or_shown(hall: Hall, li: Person) -> None:
    _, far = hall.enter("grid_worker", area_code=OTHER_VILLAGE)
    for asked in (li.handle, "13800138000"):
        far.open("/staff/people")
        assert "没有找到" in far.send("查找", number=asked).text
    assert li.handle[:4] not in far.open("/staff/people").text
    assert far.open(f"/staff/people/{li.id}").status == 404


def test_a_page_of_somebody_keeps_their_data_until_a_reason_is_given(hall: Hall, li: Person) -> None:
    _, worker = hall.enter("grid_worker")
    page = worker.open(f"/staff/people/{li.id}")
    assert "李**" in page.text
    assert "李桂荣" not in page.text
    shown = worker.send("查看资料", reason="counter-service")
    assert "13800138000" in shown.text
    _, other = hall.enter("grid_worker")
    assert "13800138000" not in other.open(f"/staff/people/{li.id}").text
    (opening,) = people.openings_of(hall.session, hall.community.book.id, li.id)
    assert opening.reason == "counter-service"


def test_somebody_is_enrolled_and_told_where_something_is_wrong(hall: Hall) -> None:
    _, worker = hall.enter("grid_worker", area_code=GRID)
    worker.open("/staff/people/new")
    wrong = worker.send("登记", name="王丽", area_code="第1网格", phone="12")
    assert (wrong.status, "电话号码不对" in wrong.text) == (422, True)
    assert wrong.form("登记").fields["name"] == ["王丽"]
    made = worker.send("登记", phone="13911112222")
    assert (made.status, "王*" in made.text) == (200, True)
    worker.open("/staff/people/new")
    assert "已经登记" in worker.send("登记", name="王丽", area_code="第1网格", phone="139 1111 2222").text


def test_a_child_is_enrolled_with_a_guardian(hall: Hall, li: Person) -> None:
    _, worker = hall.enter("grid_worker")
    guardian = hall.community.person(name="李建国", birth_month="1985-01")
    hall.session.commit()
    worker.open("/staff/people/new")
    refused = worker.send("登记", name="李小明", area_code="第1网格", birth_month="2016-05")
    assert refused.status == 409
    assert worker.send("登记", guardian=guardian.handle).status == 200
    helped = people.mandates(hall.session, hall.community.book.id, helper_id=guardian.id)
    assert [one.kind for one in helped] == ["guardian"]


def test_an_administrator_gives_a_role_and_ends_it(hall: Hall, li: Person) -> None:
    _, admin = hall.enter("administrator")
    admin.open(f"/staff/people/{li.id}")
    page = admin.send("授予", role="楼长", area_code="第1网格", ends_on="2027-01-31")
    assert "楼长" in page.text
    assert grants(hall, li) == [("volunteer", False), ("building_leader", True)]
    admin.send("授予", role="审核员", area_code="第1网格")
    assert grants(hall, li)[-1] == ("approver", False)
    page = admin.open(f"/staff/people/{li.id}")
    assert ("确认前不生效" in page.text, "确认这个角色" in page.text) == (True, False)
    _, second = hall.enter("administrator")
    second.open(f"/staff/people/{li.id}")
    assert "确认前不生效" not in second.send("确认这个角色").text
    form = next(one for one in admin.page.forms if one.action.endswith("/end") and "/roles/" in one.action)
    admin.client.post(form.action, data=form.fields)
    assert ("volunteer", True) in grants(hall, li)


def test_nobody_gives_a_role_to_themselves_or_without_being_an_administrator(hall: Hall, li: Person) -> None:
    own, admin = hall.enter("administrator")
    admin.open(f"/staff/people/{own.id}")
    refused = admin.send("授予", role="审核员", area_code="第1网格")
    assert (refused.status, "不能给自己授权" in refused.text) == (403, True)
    assert grants(hall, own) == [("administrator", False)]
    _, worker = hall.enter("grid_worker")
    assert "授予" not in worker.open(f"/staff/people/{li.id}").text
    assert worker.client.post(f"/staff/people/{li.id}/roles", data={}).status_code == 403


def test_a_role_wants_a_fresh_proof(hall: Hall, li: Person) -> None:
    _, admin = hall.enter("administrator")
    admin.open(f"/staff/people/{li.id}")
    hall.clock.advance(minutes=6)
    admin.send("授予", role="审核员", area_code="第1网格")
    assert grants(hall, li) == [("volunteer", False)]


def test_kin_are_declared_and_a_wrong_tie_is_ended(hall: Hall, li: Person) -> None:
    other = hall.community.person(name="李建国")
    _, worker = hall.enter("grid_worker")
    worker.open(f"/staff/people/{li.id}")
    page = worker.send("登记关系", number=other.handle, kind="亲属")
    assert "李**" in page.text
    assert "解除" not in page.text
    _, admin = hall.enter("administrator")
    admin.open(f"/staff/people/{li.id}")
    admin.send("解除")
    assert people.ties_of(hall.session, hall.community.book.id, li.id) == []


def test_a_building_leader_is_given_households_and_loses_them(hall: Hall, li: Person) -> None:
    leader = hall.community.person("building_leader")
    _, worker = hall.enter("grid_worker")
    worker.open(f"/staff/people/{leader.id}")
    worker.send("分配", numbers=li.handle)
    assert people.charges_of(hall.session, hall.community.book.id, leader.id) == {li.id}
    hall.session.commit()
    worker.send("不再联系")
    assert people.charges_of(hall.session, hall.community.book.id, leader.id) == set()


def test_a_team_is_made_and_one_of_its_members_leads_it(hall: Hall, li: Person) -> None:
    other = hall.community.person()
    _, worker = hall.enter("grid_worker")
    worker.open("/staff/people/teams")
    worker.send("建团队", name="夜巡队", area_code="第1网格", numbers=li.handle)
    worker.send("加入团队", numbers=other.handle)
    assert "队长" in worker.page.text
    form = next(one for one in worker.page.forms if one.action.endswith("/leaders") and one.fields["person_id"] == [str(li.id)])
    worker.client.post(form.action, data=form.fields)
    (team,) = people.teams_led_by(hall.session, hall.community.book.id, li.id, TODAY)
    assert team.name == "夜巡队"
    hall.session.commit()
    worker.open(f"/staff/people/teams/{team.id}")
    worker.send("今天起不再当队长")
    assert people.teams_led_by(hall.session, hall.community.book.id, li.id, TODAY + timedelta(days=1)) == []
    hall.session.commit()
    worker.open(f"/staff/people/teams/{team.id}")
    out = next(one for one in worker.page.forms if one.action.endswith("/members/end") and one.fields["person_id"] == [str(li.id)])
    assert worker.client.post(out.action, data=out.fields).status_code == 303
    tomorrow = TODAY + timedelta(days=1)
    assert people.members_of_many(hall.session, hall.community.book.id, [team.id], tomorrow) == {team.id: {other.id}}


def test_somebody_is_erased_once_two_administrators_have_said_so(hall: Hall, li: Person) -> None:
    (_, first), (_, second) = hall.enter("administrator"), hall.enter("administrator")
    first.open(f"/staff/people/{li.id}")
    assert first.send("提出删除").status == 422
    assert "您已提出，要由另一位管理员确认" in first.send("提出删除", sure="yes").text
    second.open("/staff/second-word")
    second.follow("另一位管理员要删除 TA 的资料")
    assert "已不用" in second.send("确认删除", sure="yes").text
    assert second.page.headings[0].startswith("—")
    assert "没有等您确认的" in second.open("/staff/second-word").text


def test_two_of_the_staff_merge_two_records(hall: Hall, li: Person, session: Session) -> None:
    gone = hall.community.person(name="李桂荣")
    give_points(hall.session, hall.community.book, gone, 60)
    hall.session.commit()
    (_, proposer), (_, other) = hall.enter("grid_worker"), hall.enter("grid_worker")
    proposer.open("/staff/people/merges")
    page = proposer.send("提出", kept=li.handle, gone=gone.handle)
    assert "要由另一位工作人员确认" in page.text
    assert "确认合并" not in page.text
    other.open("/staff/people/merges")
    forged = next(one for one in other.page.forms if one.action.rpartition("/")[0].endswith("/merges"))
    # The proposer's own page has no such button; whoever sends the form anyway is refused.
    proposer.open("/staff/people/merges")
    own = proposer.page.form("提出").fields
    answer = proposer.client.post(forged.action, data={"_csrf": own["_csrf"][0], "_key": own["_key"][0], "step": "confirm"})
    assert (answer.status_code, "另一位工作人员确认" in answer.text) == (403, True)
    assert hall.balance(li) == 0
    done = other.send("确认合并")
    assert "已合并" in done.text
    assert (hall.balance(li), hall.balance(gone)) == (60, 0)
    assert "已并入" in other.open(f"/staff/people/{gone.id}").text


def test_what_is_not_the_same_person_stays_two(hall: Hall, li: Person) -> None:
    twin = hall.community.person(name="李桂荣")
    (_, proposer), (_, other) = hall.enter("grid_worker"), hall.enter("administrator")
    proposer.open("/staff/people/merges")
    proposer.send("提出", kept=li.handle, gone=twin.handle)
    other.open("/staff/people/merges")
    assert "没有合并" in other.send("不是同一人").text
    assert people.person(hall.session, hall.community.book.id, twin.id).status == "active"


def test_applications_are_confirmed_or_deleted(hall: Hall, li: Person) -> None:
    for number, name in enumerate(("王丽", "吴生")):
        new = people.NewPerson(name, GRID, phone=f"1391111222{number}")
        people.apply_to_join(hall.session, VAULT, hall.community.book.id, new, START, key=name)
    hall.session.commit()
    _, worker = hall.enter("grid_worker")
    page = worker.open("/staff/people/applications")
    assert "13911112220" in page.text
    first, second = [one for one in page.forms if one.action.endswith("/confirm")]
    answer = worker.client.post(first.action, data=first.fields, follow_redirects=True)
    assert answer.status_code == 200
    worker.open("/staff/people/applications")
    assert second.action in [one.action for one in worker.page.forms]
    worker.send("不登记，删去")
    assert "没有等确认的申请" in worker.page.text
    book_id = hall.community.book.id
    enrolled = people.found_by(hall.session, VAULT, book_id, "phone", ["13911112220", "13911112221"])
    assert sorted(len(ids) for ids in enrolled.values()) == [0, 1]


@pytest.mark.parametrize("path", ["", "/new", "/teams", "/applications", "/merges"])
def test_the_register_is_for_staff(hall: Hall, path: str) -> None:
    for role in ("volunteer", "building_leader", "street_auditor", "county_viewer", "finance"):
        _, somebody = hall.enter(role)
        assert somebody.open(f"/staff/people{path}").status == 403, role
