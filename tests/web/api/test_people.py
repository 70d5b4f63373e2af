from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from ledger.areas import Book
from ledger.ids import new_id
from tests.builders import GRID
from tests.builders import MICRO_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.conftest import HandClock
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind


def test_everybody_of_the_book_reads_its_tree(somebody: Somebody) -> None:
    _, ask = somebody()
    first = ask("/areas?limit=3").get_json()
    rest = ask(f"/areas?limit=50&cursor={first['next']}").get_json()
    codes = [area["code"] for area in first["items"] + rest["items"]]
    assert codes == ["320106", "320106001", VILLAGE, GRID, MICRO_GRID, f"{VILLAGE}-02", OTHER_VILLAGE]
    assert rest["next"] is None
    assert ask(f"/areas/{GRID}").get_json() == {
        "code": GRID, "name": "第1网格", "level": "grid", "kind": "comprehensive", "parent_code": VILLAGE,
    }  # fmt: skip
    assert len(ask(f"/areas?below={GRID}").get_json()["items"]) == 2
    assert ask("/areas/99").status_code == 404


def test_an_administrator_draws_grids_where_they_are_one(somebody: Somebody) -> None:
    _, ask = somebody("administrator")
    grid = {"parent_code": VILLAGE, "code": f"{VILLAGE}-09", "name": "第9网格", "kind": "special"}
    assert ask("/areas", grid, key="once").status_code == 201
    assert ask("/areas", grid, key="once").status_code == 201
    assert kind(ask("/areas", grid)) == (409, "area-code-taken")
    assert kind(ask("/areas", grid | {"parent_code": OTHER_VILLAGE, "code": f"{OTHER_VILLAGE}-01"})) == (404, "not-found")


def test_people_are_found_by_handle_within_ones_areas(somebody: Somebody) -> None:
    _, worker = somebody("grid_worker")
    _, far_worker = somebody("grid_worker", area_code=OTHER_VILLAGE)
    volunteer, _ = somebody(name="李桂荣", area_code=GRID)
    found = worker(f"/people?handle={volunteer.handle}").get_json()["items"]
    assert [(person["id"], person["name"]) for person in found] == [(str(volunteer.id), "李**")]
    assert far_worker(f"/people?handle={volunteer.handle}").get_json()["items"] == []
    assert worker(f"/people/{volunteer.id}").get_json()["handle"] == volunteer.handle
    assert kind(far_worker(f"/people/{volunteer.id}")) == (404, "not-found")


def test_people_are_listed_page_by_page(somebody: Somebody) -> None:
    _, ask = somebody("grid_worker")
    for _ in range(4):
        somebody()
    first = ask("/people?limit=3").get_json()
    rest = ask(f"/people?limit=3&cursor={first['next']}").get_json()
    handles = [person["handle"] for person in first["items"] + rest["items"]]
    assert (len(handles), handles) == (5, sorted(handles))
    assert kind(ask("/people?cursor=x")) == (422, "cursor-malformed")


def test_a_grid_worker_enrols_somebody_in_their_own_grid(somebody: Somebody) -> None:
    _, ask = somebody("grid_worker", area_code=GRID)
    new = {"name": "王　丽", "area_code": GRID, "phone": "138 0013 8000", "birth_month": "1951-03"}
    made = ask("/people", new, key="once")
    assert made.status_code == 201
    assert made.get_json().keys() == {"id", "handle", "area_code", "is_resident", "status"}
    assert ask(f"/people/{made.get_json()['id']}").get_json() == made.get_json() | {"name": "王*"}
    assert ask("/people", new, key="once").get_json() == made.get_json()
    assert kind(ask("/people", new)) == (409, "already-enrolled")
    assert kind(ask("/people", new | {"area_code": VILLAGE, "phone": None})) == (404, "not-found")


def test_somebodys_data_are_shown_to_whoever_gives_a_reason_and_only_for_a_while(somebody: Somebody, clock: HandClock) -> None:
    _, worker = somebody("grid_worker", area_code=GRID)
    _, far_worker = somebody("grid_worker", area_code=OTHER_VILLAGE)
    person, _ = somebody(name="李桂荣", area_code=GRID, phone="13811112222")
    why = {"reason": "counter-service"}
    opened = worker(f"/people/{person.id}/openings", why, key="once")
    assert opened.status_code == 201
    assert (opened.get_json()["name"], opened.get_json()["phone"], opened.get_json()["note"]) == ("李桂荣", "13811112222", None)
    clock.advance(minutes=16)
    again = worker(f"/people/{person.id}/openings", why, key="once").get_json()
    assert (again["id"], again["name"], again["phone"]) == (opened.get_json()["id"], None, None)
    assert kind(far_worker(f"/people/{person.id}/openings", why)) == (404, "not-found")
    assert worker(f"/people/{person.id}/openings", {"reason": "curiosity"}).status_code == 422


def test_a_grid_worker_puts_right_what_is_known_of_somebody(somebody: Somebody) -> None:
    own, worker = somebody("grid_worker", area_code=GRID)
    person, _ = somebody("volunteer", name="李桂荣", area_code=GRID, phone="13811112222")
    correction = {"field": "phone", "text": "139 3333 4444"}
    made = worker(f"/people/{person.id}/corrections", correction)
    assert made.status_code == 201
    assert made.get_json().keys() == {"id", "person_id", "field", "corrected_at"}
    assert worker(f"/people/{person.id}/openings", {"reason": "correction"}).get_json()["phone"] == "13933334444"
    assert kind(worker(f"/people/{person.id}/corrections", correction)) == (409, "nothing-to-correct")
    assert kind(worker(f"/people/{own.id}/corrections", {"field": "name", "text": "李桂蓉"})) == (403, "correction-by-staff")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"phone": "123"}, "phone"),
        ({"name": " "}, "name"),
        ({"birth_month": "1951"}, "birth_month"),
        ({"is_resident": "yes"}, "is_resident"),
        ({"x": 1}, "x"),
    ],
)
def test_malformed_people_are_told_by_field(somebody: Somebody, changed: dict[str, Any], field: str) -> None:
    _, ask = somebody("grid_worker")
    response = ask("/people", {"name": "王丽", "area_code": GRID} | changed)
    assert (response.status_code, response.get_json()["field"]) == (422, field)


def test_an_administrator_gives_and_ends_roles(somebody: Somebody) -> None:
    admin, ask = somebody("administrator")
    person, _ = somebody(area_code=GRID)
    grant = {"person_id": str(person.id), "role": "approver", "area_code": GRID}
    given = ask("/grants", grant).get_json()
    assert (given["starts_on"], given["ends_on"]) == ("2026-11-23", None)
    assert [item["role"] for item in ask(f"/people/{person.id}/grants").get_json()["items"]] == ["volunteer", "approver"]
    assert ask(f"/grants/{given['id']}/end", {"ends_on": "2026-12-31"}).get_json()["ends_on"] == "2026-12-31"
    assert kind(ask(f"/grants/{given['id']}/end", {"ends_on": "2027-12-31"})) == (409, "role-already-ended")
    assert kind(ask("/grants", grant | {"person_id": str(admin.id)})) == (403, "role-for-oneself")
    assert kind(ask("/grants", grant | {"area_code": OTHER_VILLAGE})) == (404, "not-found")
    assert ask("/grants", grant | {"role": "cashier"}).status_code == 422


def test_no_role_is_given_or_ended_for_days_that_are_past(somebody: Somebody, clock: HandClock) -> None:
    _, ask = somebody("administrator")
    person, _ = somebody(area_code=GRID)
    grant = {"person_id": str(person.id), "role": "approver", "area_code": GRID}
    early = ask("/grants", grant | {"starts_on": "2026-11-22"})
    assert (kind(early), early.get_json()["field"]) == ((409, "role-in-the-past"), "starts_on")
    assert "2026-11-23" in early.get_json()["messages"]["en"]
    given = ask("/grants", grant | {"starts_on": "2026-11-23"}).get_json()
    clock.advance(days=5)
    assert kind(ask(f"/grants/{given['id']}/end", {"ends_on": "2026-11-26"})) == (409, "role-in-the-past")
    assert ask(f"/grants/{given['id']}/end", {"ends_on": "2026-11-27"}).status_code == 200


def test_ties_charges_and_teams_are_made_within_ones_areas(somebody: Somebody) -> None:
    _, ask = somebody("grid_worker")
    one, two, far = (somebody(area_code=area)[0] for area in (GRID, GRID, OTHER_VILLAGE))
    assert ask("/ties", {"person_id": str(one.id), "other_id": str(two.id), "kind": "household"}).status_code == 201
    assert kind(ask("/ties", {"person_id": str(one.id), "other_id": str(far.id), "kind": "kin"})) == (404, "not-found")
    leader, _ = somebody("building_leader")
    charges = ask("/charges", {"leader_id": str(leader.id), "person_ids": [str(one.id), str(two.id)]}).get_json()
    assert [len(household) for household in charges["households"]] == [2]
    assert kind(ask("/charges", {"leader_id": str(leader.id), "person_ids": [str(far.id)]})) == (404, "not-found")
    assert ask("/teams", {"name": "巡逻队", "area_code": GRID, "member_ids": [str(one.id)]}).status_code == 201
    assert kind(ask("/teams", {"name": "巡逻队", "area_code": GRID})) == (409, "team-name-taken")
    assert [team["name"] for team in ask("/teams").get_json()["items"]] == ["巡逻队"]


def test_an_administrator_mends_what_was_declared_wrongly(somebody: Somebody) -> None:
    _, worker = somebody("grid_worker")
    _, admin = somebody("administrator")
    one, two, far, approver = (
        somebody(*roles, area_code=area)[0] for roles, area in (((), GRID), ((), GRID), ((), OTHER_VILLAGE), (("approver",), GRID))
    )
    tie = {"person_id": str(one.id), "other_id": str(two.id), "kind": "kin"}
    worker("/ties", tie)
    assert kind(worker("/ties/end", tie)) == (403, "not-allowed")
    assert admin("/ties/end", tie | {"person_id": tie["other_id"], "other_id": tie["person_id"]}).status_code == 200
    assert kind(admin("/ties/end", tie)) == (404, "not-found")
    assert kind(admin("/ties/end", tie | {"other_id": str(far.id)})) == (404, "not-found")
    assert kind(worker("/ties", tie | {"other_id": str(approver.id)})) == (403, "tie-of-staff")
    assert admin("/ties", tie | {"other_id": str(approver.id)}).status_code == 201


def test_charges_are_given_to_building_leaders_and_end(somebody: Somebody) -> None:
    own, ask = somebody("grid_worker", "building_leader")
    leader, _ = somebody("building_leader", area_code=GRID)
    one, two = (somebody(area_code=GRID)[0] for _ in range(2))
    charges = {"leader_id": str(leader.id), "person_ids": [str(one.id), str(two.id)]}
    assert ask("/charges", charges).status_code == 200
    assert ask("/charges/end", charges | {"person_ids": [str(two.id)]}).get_json()["households"] == [[str(one.id)]]
    assert kind(ask("/charges", charges | {"leader_id": str(own.id)})) == (403, "charges-for-oneself")
    assert kind(ask("/charges", charges | {"leader_id": str(two.id), "person_ids": [str(one.id)]})) == (409, "not-a-building-leader")
    _, far_worker = somebody("grid_worker", area_code=OTHER_VILLAGE)
    assert kind(far_worker("/charges/end", charges)) == (404, "not-found")


@pytest.mark.parametrize(
    ("role", "path", "body"),
    [
        ("volunteer", "/people", None),
        ("building_leader", "/people", None),
        ("volunteer", "/people", {"name": "王丽", "area_code": GRID}),
        ("approver", "/people", {"name": "王丽", "area_code": GRID}),
        ("grid_worker", "/areas", {"parent_code": VILLAGE, "code": f"{VILLAGE}-09", "name": "第9网格", "kind": "special"}),
        ("grid_worker", "/grants", {"person_id": str(new_id()), "role": "approver", "area_code": GRID}),
        ("volunteer", "/teams", {"name": "巡逻队", "area_code": GRID}),
    ],
)
def test_whoever_lacks_the_role_is_not_allowed(somebody: Somebody, role: str, path: str, body: dict[str, Any] | None) -> None:
    _, ask = somebody(role)
    assert kind(ask(path, body)) == (403, "not-allowed")


def test_nothing_is_shown_without_signing_in(client: FlaskClient, book: Book) -> None:
    for path in ("/areas", f"/areas/{GRID}", "/people", "/teams"):
        assert kind(client.get(f"/api/v1{path}")) == (401, "not-signed-in")
