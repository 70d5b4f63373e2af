from __future__ import annotations

from datetime import timedelta

from ledger import people
from tests.builders import GRID
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.earning import TODAY
from tests.web.pages.hall import Hall


def test_the_queue_shows_whose_what_how_old_and_how_many_must_approve(hall: Hall) -> None:
    worker = hall.community.person("grid_worker", name="郑海明")
    one, two = hall.community.person(name="陈桂芳"), hall.community.person(name="马志强")
    plain = hall.community.propose(worker, one, "patrol", text="一圈")
    hall.community.propose(worker, two, "honour")
    late = hall.community.propose(worker, two, "patrol", TODAY - timedelta(days=20))
    hall.session.commit()
    hall.clock.advance(days=2)
    _, browser = hall.enter("approver", area_code=VILLAGE)
    page = browser.open(f"/staff/queue?claim={plain}")
    assert "本页 3 条，最久 2 天" in page.text
    assert "陈桂芳 · patrol+50" in page.text
    assert "社区代报 郑海明 · 2 天前报 ✓ 可批量" in page.text
    assert "② 双人 0/2" in page.text
    assert ("一圈" in page.text, "郑海明 申报" in page.text, "本月 1 件 50 分" in page.text) == (True, True, True)
    assert "社区积分经费 余 100,000 分" in page.text
    page = browser.open(f"/staff/queue?claim={late}")
    assert "↺ 补报 ② 双人 0/2" in page.text
    assert "双人审核补报较早的事" in page.text


def test_several_are_approved_at_once_and_each_outcome_is_shown(hall: Hall) -> None:
    approver, browser = hall.enter("approver", area_code=VILLAGE, name="周建国")
    worker, friend, son = hall.community.person("grid_worker"), hall.community.person(name="马志强"), hall.community.person(name="李思远")
    hall.community.tie(approver, son)
    plain, large, own, kin = (
        hall.community.propose(worker, who, deed, place="3栋")
        for who, deed in ((friend, "patrol"), (friend, "honour"), (approver, "patrol"), (son, "patrol"))
    )
    hall.session.commit()
    assert browser.open("/staff/queue").text.count("⊘ 回避") == 2
    page = browser.send("通过所选", id=[str(claim_id) for claim_id in (plain, large, own, kin)])
    assert "办成 2 条" in page.text
    assert "+50 2026-11-23 · 3栋 社区代报 陈桂芳 · 今天报 已入存折" in page.text
    assert "等审核 还要另一个人审核" in page.text
    assert "没有办成 1 个：不能为自己的事作证、代报或审批" in page.text
    assert "没有办成 1 个：这是您亲属或同户的申报" in page.text
    assert hall.balance(friend) == 50
    page = browser.open("/staff/queue?stage=second")
    assert ("双人 1/2" in page.text, "您已办过，等另一位" in page.text) == (True, True)
    assert "通过这一件" not in page.text
    assert "待审核2 复审0" in browser.open("/staff").text
    assert f"No. {approver.handle[:4]} {approver.handle[4:]}" in browser.page.text
    browser.open("/staff/queue?stage=second")
    page = browser.send("通过所选", id=[str(large)])
    assert "没有办成 1 个：这条申报您已办过一步" in page.text
    _, second = hall.enter("approver", area_code=VILLAGE)
    assert "复审1" in second.open("/staff").text
    assert "周建国 通过" in second.follow("复审").text
    second.send("通过这一件")
    assert hall.balance(friend) == 70


def test_one_after_the_other_is_decided_and_the_next_is_shown(hall: Hall) -> None:
    worker, persons = hall.community.person("grid_worker"), [hall.community.person(name=name) for name in ("陈桂芳", "马志强", "孙守业")]
    for person in persons:
        hall.community.propose(worker, person)
    hall.session.commit()
    _, browser = hall.enter("approver", area_code=VILLAGE)
    browser.open("/staff/queue")
    page = browser.send("通过这一件")
    assert ("陈桂芳 · patrol 已入存折" in page.text, page.headings[1:2]) == (True, ["马志强 · patrol"])
    page = browser.send("退回补充", reason="evidence-missing")
    assert ("马志强 · patrol 退回，请补充" in page.text, page.headings[1:2]) == (True, ["孙守业 · patrol"])
    page = browser.send("通过这一件")
    assert ("孙守业 · patrol 已入存折" in page.text, "都办完了，没有待审核的" in page.text) == (True, True)


def test_what_was_decided_by_another_meanwhile_is_said_and_nothing_is_done(hall: Hall) -> None:
    worker, friend = hall.community.person("grid_worker"), hall.community.person()
    claim_id = hall.community.propose(worker, friend)
    hall.session.commit()
    _, browser = hall.enter("approver", area_code=VILLAGE)
    browser.open("/staff/queue")
    hall.community.approve(hall.community.person("approver"), claim_id)
    hall.session.commit()
    page = browser.send("通过这一件")
    assert (page.status, "这条申报已不在这一步" in page.text, hall.balance(friend)) == (409, True, 50)


def test_what_may_be_told_twice_is_marked_and_not_approved_with_the_others(hall: Hall) -> None:
    worker, friend, other = hall.community.person("grid_worker"), hall.community.person(name="陈桂芳"), hall.community.person()
    first = hall.community.propose(worker, friend, "patrol", TODAY - timedelta(days=2), place="3栋")
    hall.community.propose(worker, friend, "patrol", TODAY, place="3栋")
    for who, deed, day in ((friend, "tea_house", TODAY), (other, "patrol", TODAY), (other, "tea_house", TODAY)):
        hall.community.propose(worker, who, deed, day, place="3栋")
    hall.session.commit()
    _, browser = hall.enter("approver", area_code=VILLAGE)
    page = browser.open(f"/staff/queue?claim={first}")
    assert page.text.count("≈ 疑似重复") == 3
    assert f"疑似重复{TODAY} · 3栋 等审核" in page.text
    assert "批量通过 3 件可批量的" in page.text
    assert "办成 3 条" in browser.send("批量通过").text
    assert [hall.balance(who) for who in (friend, other)] == [10, 60]


def test_whoever_was_at_an_activity_is_shown_with_the_time_of_coming_and_going(hall: Hall) -> None:
    host, browser = hall.enter("activity_host", area_code=VILLAGE)
    activity, friend = hall.community.activity(host), hall.community.person()
    hall.session.commit()
    browser.open(f"/hosting/{activity.id}")
    browser.send("签到", numbers=friend.handle)
    hall.clock.advance(minutes=60)
    browser.open(f"/hosting/{activity.id}")
    browser.send("给所选的签退", person_id=[str(friend.id)])
    _, approver = hall.enter("approver", area_code=VILLAGE)
    page = approver.open("/staff/queue")
    assert "09:00 签到，10:00 签退" in page.text


def test_what_waits_for_a_second_administrator_stands_on_one_page(hall: Hall) -> None:
    first, _ = hall.enter("administrator", area_code=VILLAGE)
    _, second = hall.enter("administrator", area_code=VILLAGE)
    member, gone = hall.community.person(name="陈桂芳"), hall.community.person(name="马志强")
    session, book = hall.session, hall.community.book
    people.grant_role(session, hall.community.act(first), person_id=member.id, role="approver", area_code=VILLAGE, starts_on=TODAY)
    people.propose_merge(session, hall.community.act(first), kept_id=member.id, gone_id=gone.id)
    left = hall.community.person(name="孙守业")
    people.ask_to_erase(session, hall.community.act(first), left.id, [])
    session.commit()
    assert "等第二位管理员3" in second.open("/staff").text
    page = second.follow("等第二位管理员")
    assert page.headings[1:4] == ["角色", "永久删除", "合并重复的记录"]
    assert ("陈**" in page.text, "审核员" in page.text, "陈桂芳" in page.text) == (True, True, False)
    assert book.id == left.book_id
    own = hall.browser(first).open("/staff/second-word")
    assert "没有等您确认的" in own.text


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
    for stage in ("first", "second"):
        _, browser = hall.enter("approver", area_code=VILLAGE)
        browser.open(f"/staff/queue?stage={stage}")
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
    browser.follow("替居民代报")
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
