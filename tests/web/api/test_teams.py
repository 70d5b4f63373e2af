from __future__ import annotations

from datetime import date
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.people import Person
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import an_act
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind

PATROL = {"deed": "patrol", "deed_on": "2026-11-23", "place": "3号楼"}


def a_team(session: Session, book: Book, *members: Person) -> UUID:
    team = people.create_team(session, an_act(book), name="夜巡队", area_code=GRID, member_ids=[one.id for one in members])
    assert not isinstance(team, Refusal)
    team_id = team.id
    session.commit()
    return team_id


@pytest.fixture
def led(session: Session, earning: Book, somebody: Somebody) -> tuple[UUID, Person, Ask, Ask]:
    """A team, its leader, the leader's way to ask, and that of one of the staff."""
    leader, ask = somebody(area_code=GRID)
    _, worker = somebody("grid_worker")
    team = a_team(session, earning, leader)
    assert worker(f"/teams/{team}/leaders", {"person_id": str(leader.id)}).status_code == 201
    return team, leader, ask, worker


def test_staff_name_a_member_leader_until_they_end_it(led: tuple[UUID, Person, Ask, Ask], somebody: Somebody) -> None:
    team, leader, _, worker = led
    stranger, _ = somebody(area_code=GRID)
    assert kind(worker(f"/teams/{team}/leaders", {"person_id": str(stranger.id)})) == (409, "not-a-team-member")
    members = worker(f"/teams/{team}/members", {"person_ids": [str(stranger.id)]}).get_json()
    assert members["member_ids"] == sorted([str(leader.id), str(stranger.id)])
    assert kind(worker(f"/teams/{team}/leaders", {"person_id": str(leader.id)})) == (409, "leads-already")
    ended = worker(f"/teams/{team}/leaders/end", {"person_id": str(leader.id), "ends_on": "2026-11-23"}).get_json()
    assert (ended["starts_on"], ended["ends_on"]) == ("2026-11-23", "2026-11-23")


def test_staff_add_and_take_out_members_with_a_fresh_proof_and_whoever_decides_by_an_administrator(
    led: tuple[UUID, Person, Ask, Ask], somebody: Somebody, session: Session, earning: Book, client: FlaskClient
) -> None:
    team, _, _, worker = led
    approver, _ = somebody("approver", area_code=GRID)
    who, _ = somebody("grid_worker")
    _, administrator = somebody("administrator")
    members, one = f"/teams/{team}/members", {"person_ids": [str(approver.id)]}
    assert kind(worker(members, one)) == (403, "team-member-of-staff")
    new = {"name": "合唱队", "area_code": GRID, "member_ids": [str(approver.id)]}
    assert kind(worker("/teams", new)) == (403, "team-member-of-staff")
    assert str(approver.id) in administrator(members, one).get_json()["member_ids"]
    token = sign_in.issue_bearer(session, an_act(earning), [who.id], lives=timedelta(days=1), scopes=["grid_worker"])[0]
    session.commit()
    end = {**one, "ends_on": "2026-11-23"}
    for path, body in ((members, one), (f"{members}/end", end), ("/teams", new)):
        assert kind(asking(client, token)(path, body)) == (403, "proof-needed")
    assert worker(f"{members}/end", end).status_code == 200
    assert kind(worker(f"{members}/end", {**end, "ends_on": "2026-11-20"})) == (409, "role-in-the-past")


def test_a_leader_reports_for_the_team_and_sees_its_passbook(led: tuple[UUID, Person, Ask, Ask], somebody: Somebody) -> None:
    team, leader, ask, worker = led
    _, approver = somebody("approver")
    made = ask(f"/teams/{team}/claims", PATROL)
    assert (made.status_code, made.get_json()["state"], made.get_json()["team_id"]) == (201, "reported", str(team))
    ids = {"ids": [made.get_json()["id"]]}
    assert ask(f"/teams/{team}/passbook").get_json()["balance"] == 0
    assert worker("/claims/attest", ids).get_json()["items"][0]["ok"]
    assert approver("/claims/approve", ids).get_json()["items"][0]["state"] == "credited"
    assert ask(f"/teams/{team}/passbook").get_json()["balance"] == 50
    (line,) = ask(f"/teams/{team}/passbook/lines").get_json()["items"]
    assert (line["amount"], line["deed"]) == (50, "patrol")
    assert [one["state"] for one in ask(f"/teams/{team}/claims").get_json()["items"]] == ["credited"]
    assert ask(f"/teams/{team}/members").get_json()["member_ids"] == [str(leader.id)]


def test_whoever_leads_a_team_and_holds_a_role_decides_on_none_of_its_deeds(
    session: Session, earning: Book, somebody: Somebody
) -> None:  # fmt: skip
    leader, ask = somebody("volunteer", "approver", "grid_worker")
    _, worker = somebody("grid_worker")
    team = a_team(session, earning, leader)
    worker(f"/teams/{team}/leaders", {"person_id": str(leader.id)})
    claim_id = ask(f"/teams/{team}/claims", PATROL).get_json()["id"]
    for step, body in (("attest", {}), ("return", {"reason": "not-done"}), ("refuse", {"reason": "not-done"})):
        assert ask(f"/claims/{step}", {"ids": [claim_id], **body}).get_json()["items"][0]["problem"]["type"] == "/problems/own-deed"
    worker("/claims/attest", {"ids": [claim_id]})
    assert ask("/claims/approve", {"ids": [claim_id]}).get_json()["items"][0]["problem"]["type"] == "/problems/own-deed"


def test_a_team_is_seen_by_its_leader_and_by_staff_of_its_area(led: tuple[UUID, Person, Ask, Ask], somebody: Somebody) -> None:
    team, _, _, worker = led
    (_, stranger), (_, far_worker), (_, auditor) = somebody(), somebody("grid_worker", area_code=OTHER_VILLAGE), somebody("street_auditor")
    for path in ("members", "passbook", "passbook/lines", "claims"):
        assert worker(f"/teams/{team}/{path}").status_code == 200
        for ask in (stranger, far_worker, auditor):
            assert kind(ask(f"/teams/{team}/{path}")) == (404, "not-found")
    assert kind(stranger(f"/teams/{team}/claims", PATROL)) == (404, "not-found")
    for path, body in (
        ("leaders", {"person_id": str(team)}),
        ("leaders/end", {"person_id": str(team), "ends_on": "2026-11-23"}),
        ("members", {"person_ids": [str(team)]}),
    ):
        assert kind(far_worker(f"/teams/{team}/{path}", body)) == (404, "not-found")
        assert kind(stranger(f"/teams/{team}/{path}", body)) == (403, "not-allowed")


def test_a_leader_whose_time_is_over_sees_the_team_no_more(session: Session, earning: Book, somebody: Somebody) -> None:
    leader, ask = somebody(area_code=GRID)
    _, worker = somebody("grid_worker")
    team = a_team(session, earning, leader)
    later = {"person_id": str(leader.id), "starts_on": str(date(2026, 11, 24)), "ends_on": str(date(2026, 11, 30))}
    assert worker(f"/teams/{team}/leaders", later).status_code == 201
    assert kind(ask(f"/teams/{team}/passbook")) == (404, "not-found")
    assert kind(ask(f"/teams/{team}/claims", PATROL)) == (404, "not-found")
