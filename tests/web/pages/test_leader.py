from __future__ import annotations

from datetime import timedelta

from ledger import people
from ledger.claims import Reach
from ledger.web.pages.deeds import AT_ONCE
from tests.builders import an_act
from tests.earning import TODAY
from tests.web.pages.hall import Hall


def test_a_leader_sees_the_households_in_their_charge(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    wife, husband = (hall.community.person(name=name, address="1幢302") for name in ("陈桂芳", "李国强"))
    single = hall.community.person(name="孙守业", address="1幢201")
    hall.community.tie(wife, husband, "household")
    hall.community.person(name="外人")
    hall.charge(leader, wife, husband, single)
    page = browser.open("/leader/households")
    assert sorted(page.headings[1:]) == ["1幢201", "1幢302"]
    assert "陈桂芳" in page.text
    assert "外人" not in page.text


def test_each_household_shows_its_last_deed_and_a_way_to_tell_of_another(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    wife, husband = (hall.community.person(name=name, address="1幢302") for name in ("陈桂芳", "李国强"))
    single = hall.community.person(name="孙守业", address="1幢201")
    hall.community.tie(wife, husband, "household")
    hall.charge(leader, wife, husband, single)
    hall.community.report(wife, "tea_house", TODAY - timedelta(days=3))
    hall.community.report(husband, "patrol", TODAY - timedelta(days=1))
    hall.session.commit()
    page = browser.open("/leader/households")
    assert "最近：2026-11-22 李国强 · patrol 等楼长或社区证明" in page.text
    assert page.text.count("最近：") == 1
    assert "1幢201 还没有记过好事" in page.text
    hrefs = [href for words, href in page.links if words == "替 TA 申报"]
    form = browser.open(next(href for href in hrefs if str(single.id) in href)).form("提交")
    assert form.fields["person_id"] == [str(single.id)]
    assert "已申报 1 条" in browser.send("提交", deed="patrol").text
    again = browser.open("/leader/propose")
    assert again.text.index("最近报过的") < again.text.index("做了什么") + 20


def test_a_leader_attests_what_was_ticked(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    one, other = hall.community.person(name="陈桂芳"), hall.community.person(name="李国强")
    hall.charge(leader, one, other)
    ids = [hall.community.report(person, text="扫了楼道") for person in (one, other)]
    hall.session.commit()
    assert "等我证明的好事2" in browser.open("/leader").text.replace(" ", "")
    assert "扫了楼道" in browser.follow("去证明").text
    page = browser.send("证明所选的确做了", id=[str(ids[0])])
    assert "办成 1 条" in page.text
    assert "陈桂芳 · patrol" in page.text
    assert "李国强" in browser.follow("继续").text
    assert "陈桂芳" not in browser.page.text


def test_what_is_returned_is_read_by_whoever_reported_it(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    person, volunteer = hall.enter()
    hall.charge(leader, person)
    claim_id = hall.community.report(person)
    hall.session.commit()
    browser.open("/attest")
    browser.send("退回补充", id=[str(claim_id)], reason="evidence-missing", note="请写地点")
    assert "退回，请补充" in browser.page.text
    assert "依据不足：请写地点" in volunteer.open(f"/me/claims/{claim_id}").text


def test_attesting_for_ones_kin_is_refused_and_said(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    son, friend = hall.community.person(name="李思远"), hall.community.person(name="马志强")
    hall.community.tie(leader, son)
    hall.charge(leader, son, friend)
    ids = [hall.community.report(person) for person in (son, friend)]
    hall.session.commit()
    browser.open("/attest")
    page = browser.send("证明所选的确做了", id=[str(claim_id) for claim_id in ids])
    assert "办成 1 条" in page.text
    assert "没有办成 1 个：这是您亲属或同户的申报" in page.text


def test_what_waits_for_a_leaders_word_comes_page_by_page_the_oldest_first(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    person = hall.community.person()
    hall.charge(leader, person)
    days = [TODAY - timedelta(days=number) for number in range(AT_ONCE + 2)]
    ids = [str(hall.community.report(person, deed_on=day)) for day in days]
    hall.session.commit()
    first = browser.open("/attest").form("证明所选的确做了").choices["id"]
    rest = browser.follow("下一页").form("证明所选的确做了").choices["id"]
    assert (len(first), first + rest) == (AT_ONCE, ids)
    browser.send("证明所选的确做了", id=rest)
    assert "下一页" not in browser.open("/attest").text
    assert browser.open("/attest?cursor=x").status == 422


def test_nothing_ticked_is_said(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    person = hall.community.person()
    hall.charge(leader, person)
    hall.community.report(person)
    hall.session.commit()
    browser.open("/attest")
    assert (browser.send("证明所选的确做了").status, "请至少选一个" in browser.page.text) == (422, True)


def test_claims_of_others_charges_are_neither_shown_nor_attested(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    mine, theirs = hall.community.person(name="陈桂芳"), hall.community.person(name="外人")
    hall.charge(leader, mine)
    ids = [hall.community.report(person) for person in (mine, theirs)]
    hall.session.commit()
    assert "外人" not in browser.open("/attest").text
    page = browser.send("证明所选的确做了", id=[str(ids[1])])
    assert "没有办成 1 个：没有找到" in page.text
    assert "外人" not in page.text


def test_a_leader_proposes_a_deed_for_several_of_their_charges(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    son, friend = hall.community.person(name="李思远"), hall.community.person(name="马志强")
    people.tie(hall.session, an_act(hall.community.book), leader.id, son.id, "kin")
    hall.charge(leader, son, friend)
    browser.open("/leader/propose")
    page = browser.send("提交", person_id=[str(son.id), str(friend.id)], deed="patrol", place="1幢")
    assert "已申报 1 条" in page.text
    assert "没有办成 1 个：这是您亲属或同户的申报" in page.text
    assert "李思远" in page.text
    assert "马志强 · patrol" in browser.follow("我代报的").text
    assert "李思远" not in browser.page.text


def test_a_proposal_refused_alone_draws_the_form_again(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    friend = hall.community.person()
    hall.charge(leader, friend)
    browser.open("/leader/propose")
    page = browser.send("提交", person_id=[str(friend.id)], deed="sweeping", place="1幢")
    assert (page.status, "请填写多少分钟" in page.text) == (422, True)
    assert page.form("提交").fields["person_id"] == [str(friend.id)]
    assert page.form("提交").fields["place"] == ["1幢"]
    outsider = hall.community.person()
    hall.session.commit()
    form = page.form("提交")
    answer = browser.client.post(form.action, data=form.fields | {"person_id": [str(outsider.id)], "minutes": ["60"]})
    assert (answer.status_code, "没有找到" in answer.text) == (404, True)


def test_a_returned_proposal_is_told_anew_by_its_proposer_and_taken_back(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    friend, volunteer = hall.enter()
    hall.charge(leader, friend)
    told = [hall.community.told(person_id=friend.id)]
    (claim_id,) = hall.community.propose_all(leader, told, source="building_leader", reach=Reach(charges=frozenset([friend.id])))
    hall.community.turn_down("return", hall.community.person("approver"), claim_id)
    hall.session.commit()
    assert "再提交" not in volunteer.open(f"/me/claims/{claim_id}").text
    assert "经了解没有做" in browser.open(f"/proposals/{claim_id}").text
    assert "等审核" in browser.send("再提交", place="2幢").text
    assert "已撤回" in browser.send("撤回申报").text
    _, stranger = hall.enter("building_leader")
    assert stranger.open(f"/proposals/{claim_id}").status == 404


def test_a_building_leader_returns_and_does_not_refuse_for_good(hall: Hall) -> None:
    leader, browser = hall.enter("building_leader")
    neighbour = hall.community.person()
    hall.charge(leader, neighbour)
    claim_id = hall.community.report(neighbour)
    hall.session.commit()
    page = browser.open("/attest")
    assert "退回补充" in page.text
    assert "不通过" not in page.text
    assert (
        "没有找到"
        in browser.client.post(
            "/attest",
            data=browser.page.form("退回补充").fields | {"id": str(claim_id), "step": "refuse", "reason": "not-done"},
            follow_redirects=True,
        ).text
    )
    assert hall.community.claim(claim_id).state == "reported"
