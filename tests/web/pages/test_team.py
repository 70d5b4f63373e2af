from __future__ import annotations

from uuid import UUID

import pytest

from ledger import claims
from ledger import people
from ledger.people import Person
from tests.builders import an_act
from tests.earning import TODAY
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall


@pytest.fixture
def led(hall: Hall) -> tuple[UUID, Person, Browser]:
    """A team, its leader, and the leader's browser."""
    leader, browser = hall.enter(name="赵队长")
    team = hall.community.team(leader, hall.community.person(name="钱二"))
    given = people.lead_team(hall.session, an_act(hall.community.book), team_id=team, person_id=leader.id, starts_on=TODAY)
    assert isinstance(given, people.TeamLeader)
    hall.session.commit()
    return team, leader, browser


def test_a_leader_comes_from_home_to_the_team_and_reports_for_it(hall: Hall, led: tuple[UUID, Person, Browser]) -> None:
    team, _, browser = led
    browser.open("/me")
    browser.follow("我带的队")
    browser.follow("夜巡队")
    assert "钱*" in browser.page.text
    browser.follow("替队里申报")
    page = browser.send("提交", deed="patrol", place="河边")
    assert "等楼长或社区证明" in page.text
    assert "还没有积分" in browser.open(f"/teams/{team}/passbook").text
    worker, approver = hall.community.person("grid_worker"), hall.community.person("approver")
    (row,) = _rows(hall, team)
    assert hall.community.attest(worker, row) == "attested"
    assert hall.community.approve(approver, row) == "credited"
    hall.session.commit()
    assert "+50" in browser.open(f"/teams/{team}/passbook").text


def test_a_team_is_no_affair_of_others(hall: Hall, led: tuple[UUID, Person, Browser]) -> None:
    team, _, _ = led
    _, stranger = hall.enter()
    for path in ("", "/passbook", "/report"):
        assert stranger.open(f"/teams/{team}{path}").status == 404
    assert "没有带队" in stranger.open("/teams").text
    assert "我带的队" not in stranger.open("/me").text


def _rows(hall: Hall, team: UUID) -> list[UUID]:
    found = [row.id for row in claims.of_team(hall.session, hall.community.book.id, team)]
    hall.session.commit()
    return found
