from __future__ import annotations

from datetime import timedelta

from tests.builders import GRID
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.earning import TODAY
from tests.web.pages.hall import Hall


def test_the_queue_shows_whose_what_how_old_and_how_many_must_approve(hall: Hall) -> None:
    worker = hall.community.person("grid_worker", name="郑海明")
    one, two = hall.community.person(name="陈桂芳"), hall.community.person(name="马志强")
    hall.community.propose(worker, one, "patrol", text="一圈")
    hall.community.propose(worker, two, "honour")
    hall.community.propose(worker, two, "patrol", TODAY - timedelta(days=20))
    hall.session.commit()
    hall.clock.advance(days=2)
    _, browser = hall.enter("approver", area_code=VILLAGE)
    page = browser.open("/staff/queue")
    assert "本页 3 条，最久 2 天" in page.text
    assert "陈桂芳 · patrol+50" in page.text
    assert "社区代报 郑海明 · 2 天前报 一圈 一人即可" in page.text
    assert "双人审核 0/2 突出贡献类" in page.text
    assert "双人审核 0/2 补报较早的事" in page.text


def test_several_are_approved_at_once_and_each_outcome_is_shown(hall: Hall) -> None:
    approver, browser = hall.enter("approver", area_code=VILLAGE)
    worker, friend, son = hall.community.person("grid_worker"), hall.community.person(name="马志强"), hall.community.person(name="李思远")
    hall.community.tie(approver, son)
    plain, large, own, kin = (
        hall.community.propose(worker, who, deed, place="3栋")
        for who, deed in ((friend, "patrol"), (friend, "honour"), (approver, "patrol"), (son, "patrol"))
    )
    hall.session.commit()
    browser.open("/staff/queue")
    page = browser.send("通过所选", id=[str(claim_id) for claim_id in (plain, large, own, kin)])
    assert "办成 2 条" in page.text
    assert "+50 2026-11-23 · 3栋 社区代报 陈桂芳 · 今天报 已入存折" in page.text
    assert "等审核 还要另一个人审核" in page.text
    assert "没有办成 1 个：不能为自己的事作证、代报或审批" in page.text
    assert "没有办成 1 个：这是您亲属或同户的申报" in page.text
    assert hall.balance(friend) == 50
    assert "双人审核 1/2" in browser.follow("继续").text
    assert browser.page.text.count("您已审核，等另一位") == 1
    assert "待审核2" in browser.open("/staff").text
    assert f"No. {approver.handle[:4]} {approver.handle[4:]}" in browser.page.text
    browser.open("/staff/queue")
    page = browser.send("通过所选", id=[str(large)])
    assert "没有办成 1 个：这条申报您已办过一步" in page.text
    _, second = hall.enter("approver", area_code=VILLAGE)
    second.open("/staff/queue")
    second.send("通过所选", id=[str(large)])
    assert hall.balance(friend) == 70


def test_what_is_approved_bit_by_bit_without_a_proof_is_summed_up(hall: Hall) -> None:
    _, browser = hall.enter("approver", area_code=VILLAGE)
    worker, friend = hall.community.person("grid_worker"), hall.community.person()
    most = hall.community.book.approve_alone_points_max
    ids = [hall.community.propose(worker, friend, deed_on=TODAY - timedelta(days=day)) for day in range(most // 50 + 2)]
    hall.session.commit()
    hall.clock.advance(minutes=20)
    asked = []
    for claim_id in ids:
        browser.open("/staff/queue")
        asked.append("验证" in browser.send("通过所选", id=[str(claim_id)]).text)
    assert asked == [False] * (most // 50) + [True] * 2


def test_a_large_award_stands_on_notice_first(hall: Hall) -> None:
    worker, friend = hall.community.person("grid_worker"), hall.community.person(name="马志强", birth_month="1961-08")
    claim_id = hall.community.propose(worker, friend, "rescue")
    hall.session.commit()
    for _ in range(2):
        _, browser = hall.enter("approver", area_code=VILLAGE)
        browser.open("/staff/queue")
        browser.send("通过所选", id=[str(claim_id)])
    assert "公示中" in browser.page.text
    assert "公示到 2026-11-30 09:00" in browser.open("/staff/on-the-way").text
    board = browser.open(f"/notices/{hall.community.book.number}")
    assert "马** · rescue+300" in board.text
    assert "马志强" not in board.html


def test_what_is_turned_down_says_why(hall: Hall) -> None:
    person, volunteer = hall.enter()
    worker = hall.community.person("grid_worker")
    hall.session.commit()
    _, browser = hall.enter("approver", area_code=VILLAGE)
    for button, state in (("退回补充", "退回，请补充"), ("不通过", "未通过")):
        claim_id = hall.community.propose(worker, person)
        hall.session.commit()
        browser.open("/staff/queue")
        page = browser.send(button, id=[str(claim_id)])
        assert (page.status, "请从给出的选项中选一个" in page.text or "必填" in page.text) == (422, True)
        page = browser.send(button, id=[str(claim_id)], reason="other", note=" ")
        assert (page.status, 'id="note-wrong"' in page.html, "请写明是什么原因" in page.text) == (422, True, True)
        page = browser.send(button, id=[str(claim_id)], reason="done-twice", note="上周已记")
        assert (state in page.text, "重复申报：上周已记" in page.text) == (True, True)
        assert "重复申报：上周已记" in volunteer.open(f"/me/claims/{claim_id}").text
        assert "都办完了" in browser.open("/staff/queue").text


def test_claims_of_other_areas_are_neither_shown_nor_decided(hall: Hall) -> None:
    far = hall.community.person(name="蔡庆华", area_code=OTHER_VILLAGE)
    near = hall.community.person(name="陈桂芳")
    worker = hall.community.person("grid_worker")
    claim_id, _ = hall.community.propose(worker, far), hall.community.propose(worker, near)
    hall.session.commit()
    _, browser = hall.enter("approver", area_code=VILLAGE)
    assert "蔡庆华" not in browser.open("/staff/queue").text
    page = browser.send("通过所选", id=[str(claim_id)])
    assert "没有办成 1 个：没有找到" in page.text
    assert "蔡庆华" not in page.text
    assert hall.balance(far) == 0


def test_the_queue_comes_page_by_page(hall: Hall) -> None:
    worker = hall.community.person("grid_worker")
    persons = [hall.community.person(name=f"居民{number:02}") for number in range(52)]
    hall.community.propose_all(worker, [hall.community.told(person_id=person.id) for person in persons])
    hall.session.commit()
    _, browser = hall.enter("approver", area_code=VILLAGE)
    first = browser.open("/staff/queue").form("通过所选").choices["id"]
    rest = browser.follow("下一页").form("通过所选").choices["id"]
    assert (len(first), len(rest), len({*first, *rest})) == (50, 2, 52)
    assert browser.open("/staff/queue?cursor=bm90").status == 422


def test_a_worker_goes_down_to_a_grid_and_ticks_its_people(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    here, there = hall.community.person(name="陈桂芳", area_code=GRID), hall.community.person(name="谢树林", area_code=OTHER_GRID)
    hall.community.person(name="蔡庆华", area_code=OTHER_VILLAGE)
    team = hall.community.team(here)
    hall.session.commit()
    browser.open("/staff")
    browser.follow("批量代报")
    assert "蔡庆华" not in browser.page.text
    browser.follow("仙霞路社区居委会")
    page = browser.follow("第1网格")
    assert "谢树林" not in page.text
    spaced = f"{there.handle[:4]} {there.handle[4:]}"
    page = browser.send("提交", person_id=[str(here.id)], team_id=[str(team)], numbers=spaced, deed="patrol")
    assert "已申报 3 条" in page.text
    assert all(f"{name} · patrol" in page.text for name in ("陈桂芳", "谢树林", "夜巡队"))


def test_passbook_numbers_that_are_not_there_are_named(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    browser.open("/staff/propose")
    for numbers, said in (("12345678", "没有这些存折号：12345678"), ("张三", "没有这些存折号：张三"), ("", "请至少选一个")):
        page = browser.send("提交", numbers=numbers, deed="patrol")
        assert (page.status, said in page.text) == (422, True)


def test_people_are_ticked_by_their_numbers_and_named_whole_to_nobody_who_gives_no_reason(hall: Hall) -> None:
    _, worker = hall.enter("grid_worker", area_code=GRID)
    _, administrator = hall.enter("administrator", area_code=GRID)
    person = hall.community.person(name="陈桂芳", area_code=GRID)
    hall.session.commit()
    page = worker.open(f"/staff/propose?area={GRID}")
    assert f"陈** No. {person.handle[:4]} {person.handle[4:]}" in page.text
    assert "桂芳" not in page.html
    page = administrator.open(f"/staff/sign-ins/{person.id}")
    assert (page.headings[0], "桂芳" in page.html) == ("陈**", False)


def test_people_of_other_areas_cannot_be_proposed_for(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    far = hall.community.person(area_code=OTHER_VILLAGE)
    hall.session.commit()
    browser.open("/staff/propose")
    assert browser.send("提交", numbers=far.handle, deed="patrol").status == 404
    assert browser.open(f"/staff/propose?area={OTHER_VILLAGE}").status == 404
