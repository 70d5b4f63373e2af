from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from ledger.activities import HOST_ROLES
from ledger.ids import new_id
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

#: Two hours that begin an hour after the tests' clock.
SWEEP = {
    "area_code": VILLAGE,
    "deed": "sweeping",
    "title": "清扫楼道",
    "place": "3号楼",
    "starts_at": "2026-11-23T10:00:00+08:00",
    "ends_at": "2026-11-23T12:00:00+08:00",
    "capacity": 2,
}
Planned = Callable[..., str]

pytestmark = pytest.mark.usefixtures("earning")


@pytest.fixture
def host(somebody: Somebody) -> Ask:
    return somebody("activity_host")[1]


@pytest.fixture
def planned(host: Ask) -> Planned:
    def plan(**changed: Any) -> str:
        response = host("/activities", SWEEP | changed)
        assert response.status_code == 201, response.get_json()
        return str(response.get_json()["id"])

    return plan


def outcomes(response: Any) -> list[Any]:
    """What became of each: its state, or the code of the problem."""
    assert response.status_code == 200, response.get_json()
    return [item["state"] if item["ok"] else item["problem"]["type"].rpartition("/")[2] for item in response.get_json()["items"]]


def drawn(host: Ask, activity_id: str) -> dict[str, Any]:
    code: dict[str, Any] = host(f"/activities/{activity_id}/venue-code").get_json()
    return code


@pytest.mark.parametrize("role", sorted(HOST_ROLES))
def test_whoever_may_host_plans_activities(somebody: Somebody, role: str) -> None:
    assert somebody(role)[1]("/activities", SWEEP).status_code == 201


def test_an_activity_is_planned_seen_and_signed_up_for(planned: Planned, somebody: Somebody) -> None:
    activity_id = planned()
    _, ask = somebody()
    (seen,) = ask("/activities").get_json()["items"]
    assert (seen["id"], seen["starts_at"], seen["signed_up"], seen["is_mine"]) == (activity_id, "2026-11-23T02:00:00+00:00", 0, False)
    for _ in range(2):
        assert ask(f"/activities/{activity_id}/sign-up", {}).get_json()["is_mine"] is True
    assert ask(f"/activities/{activity_id}").get_json()["signed_up"] == 1
    assert ask(f"/activities/{activity_id}/cancel-sign-up", {}).get_json()["signed_up"] == 0


def test_whoever_came_takes_a_place_with_or_without_a_sign_up(
    planned: Planned, host: Ask, somebody: Somebody, clock: HandClock
) -> None:  # fmt: skip
    activity_id = planned()
    (_, ask), (_, other) = somebody(), somebody()
    other(f"/activities/{activity_id}/sign-up", {})
    clock.advance(hours=1)
    for one in (ask, other):
        assert one("/check-in", {"code": drawn(host, activity_id)["token"]}).status_code == 200
    answer = ask(f"/activities/{activity_id}/sign-up", {}).get_json()
    assert (answer["signed_up"], answer["is_mine"], answer["has_come"]) == (2, True, True)
    seen = host(f"/activities/{activity_id}").get_json()
    assert (seen["signed_up"], seen["is_mine"], seen["has_come"]) == (2, False, False)


def test_the_host_takes_back_a_check_out_that_was_a_mistake(
    planned: Planned, host: Ask, somebody: Somebody, clock: HandClock
) -> None:  # fmt: skip
    activity_id = planned()
    person, ask = somebody()
    clock.advance(hours=1)
    for step in ("/check-in", "/check-out"):
        assert ask(step, {"code": drawn(host, activity_id)["token"]}).status_code == 200
        clock.advance(minutes=1)
    assert kind(ask("/check-in", {"code": drawn(host, activity_id)["token"]})) == (409, "checked-out-already")
    stranger, asked = somebody()
    assert kind(asked(f"/activities/{activity_id}/reopen", {"person_ids": [str(person.id)]})) == (404, "not-found")
    back = host(f"/activities/{activity_id}/reopen", {"person_ids": [str(person.id), str(stranger.id)]})
    assert outcomes(back) == ["checked_in", "not-checked-in"]
    assert host(f"/activities/{activity_id}/attendance").get_json()["items"][0]["out_at"] is None
    clock.advance(minutes=58)
    left = ask("/check-out", {"code": drawn(host, activity_id)["token"]}).get_json()
    assert (left["attendance"]["minutes"], left["claim_id"] is not None) == (60, True)


def test_places_are_limited(planned: Planned, somebody: Somebody, clock: HandClock) -> None:
    activity_id = planned(capacity=1)
    (_, one), (_, two) = somebody(), somebody()
    one(f"/activities/{activity_id}/sign-up", {})
    assert kind(two(f"/activities/{activity_id}/sign-up", {})) == (409, "activity-full")
    clock.advance(hours=3)
    assert kind(two(f"/activities/{activity_id}/sign-up", {})) == (409, "activity-over")
    assert two("/activities").get_json()["items"] == []


def test_activities_come_page_by_page_the_soonest_first(planned: Planned, somebody: Somebody) -> None:
    ids = [planned(starts_at=f"2026-11-{day}T10:00:00+08:00", ends_at=f"2026-11-{day}T12:00:00+08:00") for day in (26, 25, 24)]
    _, ask = somebody()
    first = ask("/activities?limit=2").get_json()
    rest = ask(f"/activities?limit=2&cursor={first['next']}").get_json()
    assert [activity["id"] for activity in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


def test_whoever_scans_the_venue_code_checks_in_and_out_and_earns(
    planned: Planned, host: Ask, somebody: Somebody, clock: HandClock
) -> None:
    activity_id = planned()
    person, ask = somebody()
    clock.advance(hours=1)
    code = drawn(host, activity_id)
    assert code["address"] == f"http://localhost:8000/v/{code['token']}"
    here = ask("/check-in", {"code": code["address"].upper()})
    assert (here.status_code, here.get_json()["person_id"], here.get_json()["in_by"]) == (200, str(person.id), "venue_code")
    clock.advance(minutes=90)
    left = ask("/check-out", {"code": drawn(host, activity_id)["token"]}).get_json()
    assert left["attendance"]["minutes"] == 90
    claim = ask(f"/claims/{left['claim_id']}").get_json()
    assert (claim["state"], claim["points"], claim["activity_id"]) == ("attested", 15, activity_id)
    assert ask("/hours").get_json() == {"credit_minutes": 90, "honour_minutes": 0}
    assert kind(ask("/check-out", {"code": drawn(host, activity_id)["token"]})) == (409, "checked-out-already")


def test_the_digits_do_as_well_and_an_old_code_does_not(planned: Planned, host: Ask, somebody: Somebody, clock: HandClock) -> None:
    activity_id = planned()
    _, ask = somebody()
    clock.advance(hours=1)
    code = drawn(host, activity_id)
    clock.advance(seconds=30)
    typed = {"activity_id": activity_id, "digits": code["digits"]}
    assert ask("/check-in", typed, key="once").status_code == 200
    assert ask("/check-in", typed, key="once").headers["Idempotency-Replayed"] == "true"
    assert kind(ask("/check-in", typed | {"digits": "000000"}, key="once")) == (422, "idempotency-key-reused")
    clock.advance(seconds=60)
    assert kind(ask("/check-out", {"code": code["token"]})) == (410, "venue-code-expired")
    assert kind(ask("/check-out", typed)) == (410, "venue-code-expired")


@pytest.mark.parametrize("code", ["x", "1-", "2-ABC-DEF", "https://example.org/v/1-2-3", "一", "1-" + "0" * 26 + "-0000000000000000"])
def test_a_code_that_nobody_drew_is_not_known(somebody: Somebody, code: str) -> None:
    _, ask = somebody()
    assert kind(ask("/check-in", {"code": code})) == (404, "venue-code-unknown")


def test_a_code_is_scanned_or_typed_and_not_both(planned: Planned, somebody: Somebody) -> None:
    activity_id = planned()
    _, ask = somebody()
    for body in ({}, {"code": "1-2-3", "activity_id": activity_id, "digits": "123456"}, {"digits": "123456"}, {"activity_id": activity_id}):
        for path in ("/check-in", "/check-out"):
            assert kind(ask(path, body)) == (422, "one-of-two")


def test_check_in_is_open_around_the_activity_only(planned: Planned, host: Ask, somebody: Somebody, clock: HandClock) -> None:
    activity_id = planned()
    _, ask = somebody()
    assert kind(ask("/check-in", {"code": drawn(host, activity_id)["token"]})) == (409, "check-in-closed")
    clock.advance(hours=1)
    assert kind(ask("/check-out", {"code": drawn(host, activity_id)["token"]})) == (409, "not-checked-in")
    ask("/check-in", {"code": drawn(host, activity_id)["token"]})
    clock.advance(hours=5)
    assert kind(ask("/check-out", {"code": drawn(host, activity_id)["token"]})) == (409, "check-out-closed")


def test_nobody_is_in_two_places_at_once(planned: Planned, host: Ask, somebody: Somebody, clock: HandClock) -> None:
    here, there = planned(), planned(place="5号楼")
    _, ask = somebody()
    clock.advance(hours=1)
    ask("/check-in", {"code": drawn(host, here)["token"]})
    assert kind(ask("/check-in", {"code": drawn(host, there)["token"]})) == (409, "in-two-places")


def test_the_host_checks_persons_in_and_out(planned: Planned, host: Ask, somebody: Somebody, clock: HandClock) -> None:
    activity_id = planned()
    one, two, three = (str(somebody()[0].id) for _ in range(3))
    clock.advance(hours=1)
    came = host(f"/activities/{activity_id}/check-ins", {"person_ids": [one, two, three, one]})
    assert outcomes(came) == ["checked_in", "checked_in", "activity-full", "checked_in"]
    clock.advance(hours=1)
    left = host(f"/activities/{activity_id}/check-outs", {"person_ids": [one, three, two]})
    assert outcomes(left) == ["checked_out", "not-checked-in", "checked_out"]
    rows = host(f"/activities/{activity_id}/attendance").get_json()["items"]
    assert {(row["person_id"], row["name"], row["minutes"]) for row in rows} == {(one, "陈桂芳", 60), (two, "陈桂芳", 60)}


def test_a_host_of_another_community_disposes_of_nobodys_day_and_name(
    planned: Planned, host: Ask, somebody: Somebody, clock: HandClock
) -> None:
    activity_id = planned()
    stranger, ask = somebody(area_code=OTHER_VILLAGE)
    clock.advance(hours=1)
    ids = {"person_ids": [str(stranger.id)]}
    for path in ("check-ins", "check-outs"):
        assert outcomes(host(f"/activities/{activity_id}/{path}", ids)) == ["not-of-this-activity"]
    assert host(f"/activities/{activity_id}/attendance").get_json()["items"] == []
    ask(f"/activities/{activity_id}/sign-up", {})
    assert outcomes(host(f"/activities/{activity_id}/check-ins", ids)) == ["checked_in"]


def test_attendance_comes_page_by_page(planned: Planned, host: Ask, somebody: Somebody, clock: HandClock) -> None:
    activity_id = planned(capacity=5)
    ids = [str(somebody()[0].id) for _ in range(3)]
    clock.advance(hours=1)
    for person_id in ids:
        host(f"/activities/{activity_id}/check-ins", {"person_ids": [person_id]})
        clock.advance(minutes=1)
    first = host(f"/activities/{activity_id}/attendance?limit=2").get_json()
    rest = host(f"/activities/{activity_id}/attendance?limit=2&cursor={first['next']}").get_json()
    assert [row["person_id"] for row in first["items"] + rest["items"]] == ids


def test_only_its_host_runs_an_activity(planned: Planned, somebody: Somebody, clock: HandClock) -> None:
    activity_id = planned()
    person, _ = somebody()
    _, other = somebody("activity_host", "grid_worker", "administrator")
    clock.advance(hours=1)
    for path in ("venue-code", "attendance"):
        assert kind(other(f"/activities/{activity_id}/{path}")) == (404, "not-found")
    for path in ("check-ins", "check-outs"):
        assert kind(other(f"/activities/{activity_id}/{path}", {"person_ids": [str(person.id)]})) == (404, "not-found")


def test_an_activity_can_be_planned_for_another_host(somebody: Somebody) -> None:
    leader, leads = somebody("building_leader")
    _, worker = somebody("grid_worker")
    made = worker("/activities", SWEEP | {"host_id": str(leader.id)}).get_json()
    assert made["host_id"] == str(leader.id)
    assert leads(f"/activities/{made['id']}/venue-code").status_code == 200
    assert kind(worker("/activities", SWEEP | {"host_id": str(new_id())})) == (404, "not-found")
    far, _ = somebody("activity_host", area_code=OTHER_VILLAGE)
    assert kind(worker("/activities", SWEEP | {"host_id": str(far.id)})) == (409, "host-without-role")


def test_activities_are_planned_in_ones_own_areas(somebody: Somebody) -> None:
    _, ask = somebody("activity_host", area_code=GRID)
    assert ask("/activities", SWEEP | {"area_code": GRID}).status_code == 201
    for area_code in (VILLAGE, OTHER_VILLAGE, "99"):
        assert kind(ask("/activities", SWEEP | {"area_code": area_code})) == (404, "not-found")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": "　"}, "title"),
        ({"place": "x" * 201}, "place"),
        ({"starts_at": "2026-11-23T10:00:00"}, "starts_at"),
        ({"ends_at": "2026-11-23T10:00:00+08:00"}, "ends_at"),
        ({"ends_at": "2026-11-24T10:00:01+08:00"}, "ends_at"),
        ({"host_id": "x"}, "host_id"),
        ({"status": "open"}, "status"),
    ],
)
def test_what_is_wrong_with_an_activity_is_told_by_field(host: Ask, changed: dict[str, Any], field: str) -> None:
    response = host("/activities", SWEEP | changed)
    assert (response.status_code, response.get_json()["field"]) == (422, field)


@pytest.mark.parametrize("capacity", ["0", "-1", "100001", "9223372036854775808", '"１"', "true", "[1]"])
def test_capacity_is_a_plain_number_within_bounds(host: Ask, capacity: str) -> None:
    response = host("/activities", json.dumps(SWEEP).replace('"capacity": 2', f'"capacity": {capacity}'))
    assert (response.status_code, response.get_json()["field"]) == (422, "capacity")


@pytest.mark.parametrize("capacity", ["1e400", "NaN"])
def test_what_is_no_number_of_json_is_no_activity(host: Ask, capacity: str) -> None:
    body = json.dumps(SWEEP).replace('"capacity": 2', f'"capacity": {capacity}')
    assert kind(host("/activities", body)) == (400, "body-malformed")


def test_what_the_tariff_does_not_have_is_no_activity(host: Ask) -> None:
    refused = host("/activities", SWEEP | {"deed": "gossip"})
    assert kind(refused) == (409, "deed-not-in-tariff")
    assert "2026-11-23" in refused.get_json()["messages"]["zh"]


@pytest.mark.parametrize("ids", [[], ["x"], [1], [str(new_id())] * 501])
def test_a_host_names_one_to_five_hundred_persons(planned: Planned, host: Ask, ids: list[Any]) -> None:
    activity_id = planned()
    response = host(f"/activities/{activity_id}/check-ins", {"person_ids": ids})
    assert (response.status_code, response.get_json()["field"].partition(".")[0]) == (422, "person_ids")


def test_what_there_is_not_is_not_found(host: Ask, planned: Planned, clock: HandClock) -> None:
    activity_id = planned()
    clock.advance(hours=1)
    assert kind(host(f"/activities/{activity_id}/check-ins", {"person_ids": [str(new_id())]})) == (404, "not-found")
    for path in ("", "/venue-code", "/attendance"):
        assert kind(host(f"/activities/{new_id()}{path}")) == (404, "not-found")
    for path in ("/sign-up", "/cancel-sign-up"):
        assert kind(host(f"/activities/{new_id()}{path}", {})) == (404, "not-found")


def test_who_may_plan_and_who_may_look(somebody: Somebody, client: FlaskClient) -> None:
    _, volunteer = somebody()
    assert kind(volunteer("/activities", SWEEP)) == (403, "not-allowed")
    assert volunteer("/activities").status_code == 200
    assert kind(client.get("/api/v1/activities")) == (401, "not-signed-in")
