from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import people
from ledger.areas import Book
from ledger.ids import new_id
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import an_act
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

PATROL = {"deed": "patrol", "deed_on": "2026-11-22", "place": "3号楼"}
RESCUE = PATROL | {"deed": "rescue"}

pytestmark = pytest.mark.usefixtures("earning")


def outcomes(response: Any) -> list[Any]:
    """What became of each: its state, or the code of the problem."""
    assert response.status_code in {200, 201}, response.get_json()
    return [item["state"] if item["ok"] else item["problem"]["type"].rpartition("/")[2] for item in response.get_json()["items"]]


def reported(ask: Ask, deed: dict[str, Any] = PATROL) -> str:
    response = ask("/claims", deed)
    assert response.status_code == 201, response.get_json()
    return str(response.get_json()["id"])


def states(ask: Ask, ids: Sequence[str]) -> list[str]:
    return [ask(f"/claims/{claim_id}").get_json()["state"] for claim_id in ids]


@pytest.fixture
def volunteer(somebody: Somebody) -> Ask:
    return somebody(name="李桂荣", area_code=GRID)[1]


@pytest.fixture
def worker(somebody: Somebody) -> Ask:
    return somebody("grid_worker")[1]


@pytest.fixture
def approver(somebody: Somebody) -> Ask:
    return somebody("approver")[1]


def test_how_many_must_approve_is_told_before_anybody_has(volunteer: Ask, worker: Ask) -> None:
    for deed, needed in (("patrol", 1), ("honour", 2)):
        made = volunteer("/claims", PATROL | {"deed": deed}).get_json()
        assert made["approvals_needed"] == needed
        worker("/claims/attest", {"ids": [made["id"]]})
        assert volunteer(f"/claims/{made['id']}").get_json()["approvals_needed"] == needed


def test_a_deed_is_reported_attested_approved_and_credited(volunteer: Ask, worker: Ask, approver: Ask) -> None:
    claim = volunteer("/claims", PATROL | {"text": "巡逻时发现楼道堆物"})
    assert claim.status_code == 201
    told = claim.get_json()
    assert (told["state"], told["points"]) == ("reported", 50)
    assert not told.keys() & {"name", "place", "text", "note"}
    (mine,) = volunteer("/claims/mine").get_json()["items"]
    assert (mine, mine["name"], mine["text"]) == (mine | told, "李桂荣", "巡逻时发现楼道堆物")
    assert [row["id"] for row in worker("/claims/queue?state=reported").get_json()["items"]] == [told["id"]]
    assert outcomes(worker("/claims/attest", {"ids": [told["id"]]})) == ["attested"]
    assert outcomes(approver("/claims/approve", {"ids": [told["id"]]})) == ["credited"]
    whole = volunteer(f"/claims/{told['id']}").get_json()
    assert [decision["act"] for decision in whole["decisions"]] == ["report", "attest", "approve"]
    assert whole["entry_id"]
    assert volunteer("/passbook").get_json()["balance"] == 50


def test_one_key_reports_one_deed(volunteer: Ask) -> None:
    first, again = (volunteer("/claims", PATROL, key="once") for _ in range(2))
    assert first.get_json() == again.get_json()
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert kind(volunteer("/claims", PATROL | {"place": "4号楼"}, key="once")) == (422, "idempotency-key-reused")
    assert len(volunteer("/claims/mine").get_json()["items"]) == 1


def test_a_deed_is_told_once_and_counts_a_few_times_a_day(volunteer: Ask) -> None:
    reported(volunteer)
    assert kind(volunteer("/claims", PATROL)) == (409, "deed-told-already")
    for number in range(4, 8):
        reported(volunteer, PATROL | {"place": f"{number}号楼"})
    assert kind(volunteer("/claims", PATROL | {"place": "8号楼"})) == (409, "cap-reached")


def test_a_refusal_under_a_key_is_given_again(volunteer: Ask) -> None:
    gossip = PATROL | {"deed": "gossip"}
    first, again = (volunteer("/claims", gossip, key="once") for _ in range(2))
    assert kind(first) == (409, "deed-not-in-tariff")
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"deed": "夜巡"}, "deed"),
        ({"deed_on": "2026-11-24"}, "deed_on"),
        ({"deed_on": "2020-11-24"}, "deed_on"),
        ({"place": "x" * 201}, "place"),
        ({"minutes": 1441}, "minutes"),
        ({"starts_at": "2026-11-22T09:00:00"}, "starts_at"),
        ({"text": "x" * 501}, "text"),
        ({"points": 1000}, "points"),
        ({"person_id": str(new_id())}, "person_id"),
    ],
)
def test_what_is_wrong_with_a_deed_is_told_by_field(volunteer: Ask, changed: dict[str, Any], field: str) -> None:
    response = volunteer("/claims", PATROL | changed)
    assert (response.status_code, response.get_json()["field"]) == (422, field)
    assert volunteer("/claims/mine").get_json()["items"] == []


@pytest.mark.parametrize("minutes", ["0", "-1", "9223372036854775808", '"１"', '"60"', "true", "[1]", "60.5"])
def test_minutes_are_a_plain_number(volunteer: Ask, minutes: str) -> None:
    body = json.dumps(PATROL | {"deed": "sweeping"})[:-1] + f', "minutes": {minutes}}}'
    response = volunteer("/claims", body)
    assert (response.status_code, response.get_json()["field"]) == (422, "minutes")


@pytest.mark.parametrize("minutes", ["1e400", "NaN"])
def test_what_is_no_number_of_json_is_no_deed(volunteer: Ask, minutes: str) -> None:
    body = json.dumps(PATROL | {"deed": "sweeping"})[:-1] + f', "minutes": {minutes}}}'
    assert kind(volunteer("/claims", body)) == (400, "body-malformed")


def test_a_deed_paid_by_the_hour_says_how_long(volunteer: Ask) -> None:
    assert kind(volunteer("/claims", PATROL | {"deed": "sweeping"})) == (422, "minutes-missing")
    assert kind(volunteer("/claims", PATROL | {"deed": "sweeping", "minutes": 5})) == (422, "too-short-to-count")
    assert volunteer("/claims", PATROL | {"deed": "sweeping", "minutes": 90}).get_json()["points"] == 15


def test_of_a_mediation_the_place_is_told_and_never_the_parties(volunteer: Ask, client: FlaskClient) -> None:
    tea_house = PATROL | {"deed": "tea_house", "place": "茶馆"}
    assert kind(volunteer("/claims", tea_house | {"text": "张三和李四"})) == (409, "deed-told-without-text")
    claim_id = volunteer("/claims", tea_house).get_json()["id"]
    assert volunteer(f"/claims/{claim_id}").get_json()["place"] == "茶馆"
    schema = client.get("/api/v1/openapi.json").get_json()["components"]["schemas"]["DeedIn"]["properties"]
    assert "never the parties" in schema["place"]["description"]


def test_staff_propose_for_the_persons_and_teams_of_their_areas(
    worker: Ask, somebody: Somebody, session: Session, book: Book, approver: Ask
) -> None:
    one, one_asks = somebody(area_code=GRID)
    member, _ = somebody(area_code=GRID)
    far, _ = somebody(area_code=OTHER_VILLAGE)
    team = people.create_team(session, an_act(book), name="夜巡队", area_code=GRID, member_ids=[member.id])
    assert isinstance(team, people.Team)
    team_id = str(team.id)
    session.commit()
    deeds = [PATROL | {"person_id": str(one.id)}, PATROL | {"team_id": team_id}, PATROL | {"person_id": str(one.id), "deed": "gossip"}]
    made = worker("/claims/proposals", {"deeds": deeds})
    assert (made.status_code, outcomes(made)) == (201, ["attested", "attested", "deed-not-in-tariff"])
    ids = [item["id"] for item in made.get_json()["items"]]
    assert ids[2] is None
    assert outcomes(approver("/claims/approve", {"ids": ids[:2]})) == ["credited", "credited"]
    listed = worker("/claims/proposed").get_json()["items"]
    assert sorted((claim["id"], claim["name"]) for claim in listed) == sorted([(ids[0], "陈桂芳"), (ids[1], "夜巡队")])
    assert one_asks("/claims/mine").get_json()["items"][0]["source"] == "grid_worker"
    assert kind(worker("/claims/proposals", {"deeds": [PATROL | {"person_id": str(far.id)}]})) == (404, "not-found")


@pytest.mark.parametrize("owner", [{"team_id": str(new_id())}, {"person_id": str(new_id())}])
def test_nobody_proposes_for_whom_the_book_does_not_know(worker: Ask, owner: dict[str, str]) -> None:
    assert kind(worker("/claims/proposals", {"deeds": [PATROL | owner]})) == (404, "not-found")


def test_a_proposal_says_whose_deed_it_is(worker: Ask) -> None:
    response = worker("/claims/proposals", {"deeds": [PATROL]})
    assert (response.status_code, response.get_json()["field"]) == (422, "person_id")


def test_a_building_leader_proposes_and_attests_for_their_charges_only(
    somebody: Somebody, session: Session, book: Book, worker: Ask
) -> None:
    leader, leads = somebody("building_leader", area_code=GRID)
    charge, charge_asks = somebody(area_code=GRID)
    neighbour, neighbour_asks = somebody(area_code=GRID)
    people.give_charge(session, an_act(book), leader.id, [charge.id])
    session.commit()
    assert outcomes(leads("/claims/proposals", {"deeds": [PATROL | {"person_id": str(charge.id)}]})) == ["attested"]
    assert kind(leads("/claims/proposals", {"deeds": [PATROL | {"person_id": str(neighbour.id)}]})) == (404, "not-found")
    own, others = (reported(ask, PATROL | {"place": "4号楼"}) for ask in (charge_asks, neighbour_asks))
    assert [claim["id"] for claim in leads("/claims/queue?state=reported").get_json()["items"]] == [own]
    assert outcomes(leads("/claims/attest", {"ids": [own, others]})) == ["attested", "not-found"]
    assert kind(leads(f"/claims/{others}")) == (404, "not-found")
    assert leads(f"/claims/{own}").status_code == 200
    assert len(worker("/claims/queue?state=attested").get_json()["items"]) == 2


def test_the_queue_comes_page_by_page_the_oldest_first(volunteer: Ask, worker: Ask, clock: HandClock) -> None:
    ids = []
    for day in (20, 21, 22):
        ids.append(reported(volunteer, PATROL | {"deed_on": f"2026-11-{day}"}))
        clock.advance(minutes=1)
    first = worker("/claims/queue?state=reported&limit=2").get_json()
    rest = worker(f"/claims/queue?state=reported&limit=2&cursor={first['next']}").get_json()
    assert [claim["id"] for claim in first["items"] + rest["items"]] == ids
    assert rest["next"] is None
    mine = volunteer("/claims/mine?limit=2").get_json()
    older = volunteer(f"/claims/mine?limit=2&cursor={mine['next']}").get_json()
    assert [claim["id"] for claim in mine["items"] + older["items"]] == ids[::-1]
    assert worker("/claims/queue?state=credited").get_json()["field"] == "state"


def test_claims_of_other_areas_are_not_to_be_found(volunteer: Ask, somebody: Somebody) -> None:
    claim_id = reported(volunteer)
    _, far = somebody("grid_worker", "approver", area_code=OTHER_VILLAGE)
    _, stranger = somebody(area_code=GRID)
    assert far("/claims/queue?state=reported").get_json()["items"] == []
    for ask in (far, stranger):
        assert kind(ask(f"/claims/{claim_id}")) == (404, "not-found")
        assert kind(ask(f"/claims/{claim_id}/withdraw", {})) == (404, "not-found")
        assert kind(ask(f"/claims/{claim_id}/resubmit", PATROL)) == (404, "not-found")
    for step, more in (("attest", {}), ("approve", {}), ("return", {"reason": "not-done"}), ("refuse", {"reason": "not-done"})):
        assert outcomes(far(f"/claims/{step}", {"ids": [claim_id]} | more)) == ["not-found"]


def test_nobody_attests_or_decides_for_themselves_or_their_kin(somebody: Somebody, session: Session, book: Book) -> None:
    own, own_asks = somebody("volunteer", "approver", "grid_worker", area_code=GRID)
    kin, kin_asks = somebody("volunteer", "approver", "grid_worker", area_code=GRID)
    _, other = somebody("grid_worker", "approver")
    people.tie(session, an_act(book), own.id, kin.id, "kin")
    session.commit()
    claim_id = reported(own_asks)
    assert outcomes(own_asks("/claims/attest", {"ids": [claim_id]})) == ["own-deed"]
    assert outcomes(kin_asks("/claims/attest", {"ids": [claim_id]})) == ["kin-or-household"]
    assert outcomes(other("/claims/attest", {"ids": [claim_id]})) == ["attested"]
    assert outcomes(other("/claims/approve", {"ids": [claim_id]})) == ["acted-before"]
    assert outcomes(own_asks("/claims/refuse", {"ids": [claim_id], "reason": "not-done"})) == ["own-deed"]
    assert outcomes(kin_asks("/claims/approve", {"ids": [claim_id]})) == ["kin-or-household"]
    proposed = kin_asks("/claims/proposals", {"deeds": [PATROL | {"person_id": str(own.id)}, PATROL | {"person_id": str(kin.id)}]})
    assert outcomes(proposed) == ["kin-or-household", "own-deed"]


def test_a_returned_claim_says_why_and_is_told_anew(volunteer: Ask, worker: Ask, approver: Ask) -> None:
    claim_id = reported(volunteer)
    returned = {"ids": [claim_id], "reason": "evidence-missing", "note": "请补一张照片"}
    assert outcomes(worker("/claims/return", returned)) == ["returned"]
    shown = volunteer(f"/claims/{claim_id}").get_json()
    assert (shown["state"], shown["reason"], shown["note"]) == ("returned", "evidence-missing", "请补一张照片")
    assert shown["decisions"][-1]["reason"] == "evidence-missing"
    anew = volunteer(f"/claims/{claim_id}/resubmit", PATROL | {"place": "5号楼", "text": "照片已交"})
    assert (anew.status_code, anew.get_json()["state"]) == (200, "reported")
    assert volunteer(f"/claims/{claim_id}").get_json()["place"] == "5号楼"
    assert kind(volunteer(f"/claims/{claim_id}/resubmit", PATROL)) == (409, "claim-not-in-state")
    assert outcomes(worker("/claims/attest", {"ids": [claim_id]})) == ["attested"]
    assert outcomes(approver("/claims/refuse", {"ids": [claim_id], "reason": "not-done"})) == ["refused"]
    assert kind(volunteer(f"/claims/{claim_id}/withdraw", {})) == (409, "claim-not-in-state")


def test_a_claim_is_withdrawn_by_its_own(volunteer: Ask, worker: Ask) -> None:
    claim_id = reported(volunteer)
    assert volunteer(f"/claims/{claim_id}/withdraw", {}).get_json()["state"] == "withdrawn"
    assert outcomes(worker("/claims/attest", {"ids": [claim_id]})) == ["claim-not-in-state"]


def test_an_outstanding_contribution_takes_two_different_approvers(volunteer: Ask, worker: Ask, approver: Ask, somebody: Somebody) -> None:
    claim_id = reported(volunteer, PATROL | {"deed": "honour"})
    worker("/claims/attest", {"ids": [claim_id]})
    assert outcomes(approver("/claims/approve", {"ids": [claim_id]})) == ["attested"]
    assert outcomes(approver("/claims/approve", {"ids": [claim_id]})) == ["acted-before"]
    assert states(volunteer, [claim_id]) == ["attested"]
    _, second = somebody("approver")
    assert outcomes(second("/claims/approve", {"ids": [claim_id]})) == ["credited"]


def test_a_large_award_stands_on_notice_and_is_credited_when_it_is_due(
    volunteer: Ask, worker: Ask, approver: Ask, somebody: Somebody, clock: HandClock
) -> None:
    claim_id = reported(volunteer, RESCUE)
    worker("/claims/attest", {"ids": [claim_id]})
    approver("/claims/approve", {"ids": [claim_id]})
    _, second = somebody("approver")
    assert outcomes(second("/claims/approve", {"ids": [claim_id]})) == ["on_notice"]
    assert [claim["id"] for claim in worker("/claims/queue?state=on_notice").get_json()["items"]] == [claim_id]
    assert approver("/claims/credit-due", {}).get_json()["items"] == []
    clock.moment = clock.moment.replace(day=30, minute=1)
    _, third = somebody("administrator")
    due = third("/claims/credit-due", {}).get_json()["items"]
    assert [(item["id"], item["state"]) for item in due] == [(claim_id, "credited")]


def test_what_a_used_up_fund_cannot_pay_waits_for_more(volunteer: Ask, worker: Ask, approver: Ask, somebody: Somebody) -> None:
    _, admin = somebody("administrator", area_code=COUNTY)
    ids = [reported(volunteer, PATROL | {"deed_on": f"2026-11-{day}"}) for day in (18, 19)]
    worker("/claims/attest", {"ids": ids})
    fund = admin("/funds").get_json()["items"][0]["id"]
    small = {"name": "小额", "area_code": GRID, "opens_on": "2026-01-01", "budget": 50}
    assert fund
    assert admin("/funds", small).status_code == 201
    assert outcomes(approver("/claims/approve", {"ids": ids})) == ["credited", "credited"]
    left = {one["name"]: one["left"] for one in admin("/funds").get_json()["items"]}
    assert left == {"小额": 0, "积分经费": 9_950}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ids": []}, "ids"),
        ({"ids": ["x"]}, "ids.0"),
        ({"ids": [1]}, "ids.0"),
        ({"ids": [str(UUID(int=1))] * 501}, "ids"),
        ({"ids": str(UUID(int=1))}, "ids"),
        ({}, "ids"),
        ({"ids": [str(UUID(int=1))], "all": True}, "all"),
    ],
)
def test_a_set_is_of_one_to_five_hundred_ids(approver: Ask, body: dict[str, Any], field: str) -> None:
    response = approver("/claims/approve", body)
    assert (response.status_code, response.get_json()["field"]) == (422, field)


def test_unknown_claims_of_a_set_are_told_one_by_one(volunteer: Ask, worker: Ask) -> None:
    claim_id = reported(volunteer)
    assert outcomes(worker("/claims/attest", {"ids": [str(new_id()), claim_id, claim_id]})) == ["not-found", "attested", "attested"]


def test_five_hundred_deeds_are_proposed_at_once(worker: Ask, somebody: Somebody) -> None:
    person, _ = somebody(area_code=OTHER_GRID)
    days = [str(date(2026, 11, 22) - timedelta(days=number // 5)) for number in range(500)]
    told = PATROL | {"person_id": str(person.id), "text": "夜里巡逻" * 50}
    deeds = [told | {"place": f"{number}号楼", "deed_on": day} for number, day in enumerate(days)]
    assert outcomes(worker("/claims/proposals", {"deeds": deeds})) == ["attested"] * 500
    response = worker("/claims/proposals", {"deeds": [*deeds, deeds[0]]})
    assert (response.status_code, response.get_json()["field"]) == (422, "deeds")


def test_whoever_turns_down_gives_a_reason_of_the_list(volunteer: Ask, approver: Ask) -> None:
    claim_id = reported(volunteer)
    for body, field in (
        ({}, "reason"),
        ({"reason": "因为"}, "reason"),
        ({"reason": "other", "note": "x" * 501}, "note"),
        ({"reason": "other"}, "note"),
    ):
        response = approver("/claims/refuse", {"ids": [claim_id]} | body)
        assert (response.status_code, response.get_json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("role", "path", "body"),
    [
        ("grid_worker", "/claims", PATROL),
        ("volunteer", "/claims/proposals", {"deeds": [PATROL]}),
        ("approver", "/claims/proposals", {"deeds": [PATROL]}),
        ("volunteer", "/claims/queue?state=reported", None),
        ("volunteer", "/claims/attest", {"ids": [str(UUID(int=1))]}),
        ("administrator", "/claims/attest", {"ids": [str(UUID(int=1))]}),
        ("grid_worker", "/claims/approve", {"ids": [str(UUID(int=1))]}),
        ("building_leader", "/claims/approve", {"ids": [str(UUID(int=1))]}),
        ("building_leader", "/claims/refuse", {"ids": [str(UUID(int=1))], "reason": "other"}),
        ("volunteer", "/claims/return", {"ids": [str(UUID(int=1))], "reason": "other"}),
        ("grid_worker", "/claims/credit-due", {}),
        ("volunteer", "/claims/credit-due", {}),
    ],
)
def test_whoever_lacks_the_role_is_not_allowed(somebody: Somebody, role: str, path: str, body: dict[str, Any] | None) -> None:
    _, ask = somebody(role)
    assert kind(ask(path, body)) == (403, "not-allowed")


def test_claims_are_not_shown_without_signing_in(client: FlaskClient) -> None:
    for path in ("/claims/mine", "/claims/queue", "/claims/proposed", f"/claims/{new_id()}"):
        assert kind(client.get(f"/api/v1{path}")) == (401, "not-signed-in")
