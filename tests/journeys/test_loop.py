from __future__ import annotations

from datetime import UTC
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import HandClock
from tests.journeys.browser import Page
from tests.journeys.community import Community
from tests.journeys.community import a_community


@pytest.fixture
def community(app: Flask, session: Session, clock: HandClock) -> Community:
    return a_community(app, session, clock)


def at(clock: HandClock, hour: int, minute: int) -> None:
    """Let it be that time of the first day, in Nanjing."""
    clock.moment = datetime(2026, 11, 23, hour - 8, minute, tzinfo=UTC)


def plan(community: Community) -> None:
    """Let the host plan two hours of service."""
    community.host.open("/")
    community.host.open("/hosting/new")
    planned = community.host.send(
        "安排", title="重阳节助老", deed="社区活动志愿服务", area_code="第1网格", place="仙霞路广场", starts_at="2026-11-23T10:00",
        ends_at="2026-11-23T12:00",
    )  # fmt: skip
    assert planned.headings[0] == "重阳节助老"


def approve(community: Community) -> None:
    """Let the approver tick all that waits, and say yes."""
    community.begin_work()
    queue = community.approver.open("/staff/queue")
    done = community.approver.send("通过所选", id=queue.form("通过所选").choices["id"])
    assert "办成 1 条" in done.text


def attend(community: Community) -> None:
    """Let the volunteer scan the host's screen when coming and when going, and the approver say yes."""
    plan(community)
    at(community.clock, 9, 50)
    community.volunteer.scan(community.host.follow("显示签到码"))
    assert community.volunteer.send("签到").headings == ["签到成功"]
    at(community.clock, 12, 1)
    screen = community.host.open(community.host.page.address)
    community.volunteer.scan(screen)
    left = community.volunteer.send("签退")
    assert left.headings == ["签退成功"]
    assert "共 120 分钟" in left.text
    approve(community)


def report(community: Community) -> None:
    """Let the volunteer tell of a deed, the building leader bear witness, and the approver say yes."""
    community.volunteer.open("/me/report")
    community.volunteer.follow("文化宣传")
    community.volunteer.follow("向邻居宣讲防诈骗")
    community.volunteer.send("提交", place="1幢门口")
    claim = community.volunteer.page.address.partition("?")[0]
    assert "等楼长或社区证明" in community.volunteer.page.text
    witnessed = community.leader.open("/attest")
    community.leader.send("证明所选", id=witnessed.form("证明所选").choices["id"])
    assert "等审核" in community.volunteer.open(claim).text
    approve(community)
    assert "已入存折" in community.volunteer.open(claim).text


def ask(community: Community, points: int, code: str) -> Page:
    """Let the cashier type points and scan a code."""
    community.cashier.open("/till")
    return community.cashier.send("收取", points=str(points), code=code)


def lines(community: Community) -> list[tuple[str, str, str, str]]:
    """Return number, amount, balance and words of each line, the oldest first."""
    return [(number, amount, after, words.split()[0]) for number, words, amount, after in reversed(community.passbook())]


def test_deeds_become_points_and_points_become_goods_by_scanned_codes(community: Community) -> None:
    attend(community)
    assert lines(community) == [("1", "+20", "20", "社区活动志愿服务")]
    report(community)
    assert lines(community)[1:] == [("2", "+50", "70", "向邻居宣讲防诈骗")]

    # The shop's order code: the volunteer scans the screen and confirms.
    community.cashier.open("/till/orders")
    screen = community.cashier.send("出示商户码", points="10")
    order = community.volunteer.scan(screen)
    assert "现在可用70 付后剩下60" in order.text
    assert "已付 10 分" in community.volunteer.send("确认").text
    assert community.cashier.open(screen.address).headings == ["已收 10 分"]

    # The volunteer's pay code: a small one is taken at once, and only once.
    code = community.volunteer.open("/code").scan()
    assert ask(community, 5, code).headings == ["已收 5 分"]
    community.clock.advance(seconds=20)
    again = ask(community, 5, code)
    assert (again.status, again.headings) == (409, ["没有扣分"])
    assert "2026-11-23 12:01" in again.text
    assert "1号收银台" in again.text

    # A large one waits until the volunteer says yes.
    community.clock.advance(minutes=1)
    waiting = ask(community, 51, community.volunteer.open("/code").scan())
    assert waiting.headings == ["等居民在手机上确认"]
    assert "旺财便民超市 请您确认 51 分" in community.volunteer.open("/code").text
    community.volunteer.follow("看一看再确认")
    assert "可用积分4" in community.volunteer.send("确认").text
    assert community.cashier.open(waiting.address).headings == ["已收 51 分"]

    # It was a mistake: given back, and both lines stay.
    community.cashier.follow("收错了")
    assert community.cashier.send("撤销", reason="wrong-item").headings == ["已退回 51 分"]
    assert lines(community)[2:] == [
        ("3", "−10", "60", "兑换：旺财便民超市"), ("4", "−5", "55", "兑换：旺财便民超市"), ("5", "−51", "4", "兑换：旺财便民超市"),
        ("6", "+51", "55", "撤销兑换：旺财便民超市"),
    ]  # fmt: skip

    today = community.cashier.open("/till/today")
    assert "收到积分66 其中已撤销51" in today.text
    assert "社区应付 旺财便民超市（累计）15 分" in today.text
    assert "可用 55" in community.volunteer.open("/me").text
    assert community.sums() == {"source": -10_000, "fund": 9_930, "passbook": 55, "receivable": 15}
    assert community.faults() == []


def test_the_same_is_done_by_typing_where_no_camera_is(community: Community) -> None:
    plan(community)
    for hour, minute, way, said in ((9, 50, "签到", "签到成功"), (12, 1, "签退", "签退成功")):
        at(community.clock, hour, minute)
        screen = community.host.open(community.host.page.link("显示签到码") if minute == 50 else community.host.page.address)
        digits = screen.text.partition("签到、签退 ")[2][:7].replace(" ", "")
        community.volunteer.open("/check-in")
        assert community.volunteer.send(way, digits=digits).headings == [said]
    approve(community)

    community.cashier.open("/till/orders")
    screen = community.cashier.send("出示商户码", points="10")
    community.volunteer.open("/code")
    community.volunteer.follow("输入商户码")
    community.volunteer.send("下一步", number=screen.text.partition("输入： ")[2][:7])
    assert "已付 10 分" in community.volunteer.send("确认").text

    handle = f"{community.person.handle[:4]} {community.person.handle[4:]}"
    digits = community.volunteer.open("/code").text.partition(f"{handle} ")[2][:7]
    assert ask(community, 5, f"{handle} {digits}").headings == ["已收 5 分"]
    assert ask(community, 5, f"{handle} {digits}").status == 409

    spent = [("2", "−10", "10", "兑换：旺财便民超市"), ("3", "−5", "5", "兑换：旺财便民超市")]
    assert lines(community) == [("1", "+20", "20", "社区活动志愿服务"), *spent]
    assert community.sums() == {"source": -10_000, "fund": 9_980, "passbook": 5, "receivable": 15}
    assert community.faults() == []


def test_a_code_photographed_at_home_opens_nothing(community: Community) -> None:
    plan(community)
    at(community.clock, 9, 50)
    photograph = community.host.follow("显示签到码").scan()
    community.clock.advance(minutes=2)
    late = community.volunteer.open(photograph)
    assert late.status == 410
    code = community.volunteer.open("/code").scan()
    community.clock.advance(minutes=2)
    assert ask(community, 5, code).status == 410
    assert community.passbook() == []
