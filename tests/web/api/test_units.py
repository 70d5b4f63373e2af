from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.people import Person
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_shop
from tests.builders import a_unit
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

AsPerson = Callable[[Person], Ask]
SHOP = {"name": "旺财便民超市", "colour": "white", "area_code": GRID, "address": "仙霞路8号"}


def test_an_administrator_takes_units_into_the_library_where_they_are_one(somebody: Somebody) -> None:
    _, ask = somebody("administrator")
    made = ask("/units", SHOP, key="once")
    assert made.status_code == 201
    assert made.get_json() == {"id": made.get_json()["id"], **SHOP}
    assert ask("/units", SHOP, key="once").get_json() == made.get_json()
    assert kind(ask("/units", SHOP)) == (409, "unit-name-taken")
    assert kind(ask("/units", SHOP | {"name": "苏州路理发店", "area_code": OTHER_VILLAGE})) == (404, "not-found")


def test_everybody_sees_the_units_by_colour_page_by_page(somebody: Somebody, session: Session, book: Book) -> None:
    for name, colour in (("党群服务中心", "red"), ("理发店", "white"), ("邻里互助队", "green"), ("面馆", "white"), ("超市", "white")):
        a_unit(session, book, name=name, colour=colour)
    _, ask = somebody()
    first = ask("/units?colour=white&limit=2").get_json()
    rest = ask(f"/units?colour=white&limit=2&cursor={first['next']}").get_json()
    assert {unit["name"] for unit in first["items"] + rest["items"]} == {"理发店", "面馆", "超市"}
    assert (len(first["items"]), rest["next"]) == (2, None)
    assert len(ask("/units").get_json()["items"]) == 5
    assert kind(ask("/units?colour=blue")) == (422, "invalid-input")


def test_what_a_unit_gives_is_written_down_by_whoever_runs_it(
    somebody: Somebody, as_person: AsPerson, session: Session, book: Book
) -> None:
    shop, unit = a_shop(session, book), a_unit(session, book, name="党群服务中心", colour="red")
    _, administrator = somebody("administrator")
    owner = as_person(shop.owner)
    given = {"kind": "place", "title": "茶馆调解室"}
    assert administrator(f"/units/{unit.id}/resources", given).status_code == 201
    assert owner(f"/units/{shop.id}/resources", {"kind": "goods", "title": "米面粮油"}).status_code == 201
    assert kind(owner(f"/units/{unit.id}/resources", given)) == (404, "not-found")
    _, volunteer = somebody()
    assert [one["title"] for one in volunteer(f"/units/{unit.id}/resources").get_json()["items"]] == ["茶馆调解室"]
    assert kind(volunteer(f"/units/{uuid4()}/resources")) == (404, "not-found")


def test_tills_are_opened_in_businesses_only(somebody: Somebody, session: Session, book: Book) -> None:
    white, red = a_unit(session, book), a_unit(session, book, name="党群服务中心", colour="red")
    _, ask = somebody("administrator")
    assert ask(f"/units/{white.id}/tills", {"name": " 1号收银台 "}).get_json()["name"] == "1号收银台"
    assert ask(f"/units/{white.id}/tills", {"name": "2号收银台"}).status_code == 201
    assert kind(ask(f"/units/{white.id}/tills", {"name": "1号收银台"})) == (409, "till-name-taken")
    assert kind(ask(f"/units/{red.id}/tills", {"name": "1号收银台"})) == (409, "unit-not-a-business")
    assert {till["name"] for till in ask(f"/units/{white.id}/tills").get_json()["items"]} == {"1号收银台", "2号收银台"}


def test_a_shop_is_run_by_its_owner_and_by_the_administrator_of_its_area(
    somebody: Somebody, as_person: AsPerson, session: Session, book: Book
) -> None:
    shop, other = a_shop(session, book), a_shop(session, book, name="苏州路理发店", area_code=OTHER_VILLAGE)
    owner, cashier, (_, administrator) = as_person(shop.owner), as_person(shop.cashier), somebody("administrator")
    for ask in (owner, administrator):
        assert len(ask(f"/units/{shop.id}/staff").get_json()["items"]) == 2
        assert len(ask(f"/units/{shop.id}/tills").get_json()["items"]) == 1
        assert kind(ask(f"/units/{other.id}/staff")) == (404, "not-found")
        assert kind(ask(f"/units/{other.id}/tills")) == (404, "not-found")
        assert kind(ask(f"/units/{other.id}/tills", {"name": "2号收银台"})) == (404, "not-found")
    assert len(cashier(f"/units/{shop.id}/tills").get_json()["items"]) == 1
    assert kind(cashier(f"/units/{other.id}/tills")) == (404, "not-found")
    assert kind(cashier(f"/units/{shop.id}/tills", {"name": "2号收银台"})) == (403, "not-allowed")
    assert kind(cashier(f"/units/{shop.id}/staff")) == (403, "not-allowed")


def test_an_owner_hires_and_dismisses_cashiers_and_nobody_else(
    somebody: Somebody, as_person: AsPerson, session: Session, book: Book
) -> None:
    shop, (person, hired_ask) = a_shop(session, book), somebody()
    owner, (admin, administrator) = as_person(shop.owner), somebody("administrator")
    new = {"person_id": str(person.id), "role": "cashier"}
    assert hired_ask(f"/units/{shop.id}/tills").status_code == 403
    hired = owner(f"/units/{shop.id}/staff", new).get_json()
    assert (hired["role"], hired["starts_on"], hired["ends_on"]) == ("cashier", "2026-11-23", None)
    assert hired_ask(f"/units/{shop.id}/tills").status_code == 200
    assert kind(owner(f"/units/{shop.id}/staff", new)) == (409, "already-hired")
    assert kind(owner(f"/units/{shop.id}/staff", new | {"role": "shop_owner"})) == (403, "owner-hires-cashiers")
    assert kind(administrator(f"/units/{shop.id}/staff", new | {"person_id": str(admin.id)})) == (403, "role-for-oneself")
    assert kind(owner(f"/units/{shop.id}/staff", new | {"person_id": str(uuid4())})) == (404, "not-found")
    second_owner = administrator(f"/units/{shop.id}/staff", new | {"role": "shop_owner"}).get_json()
    assert kind(owner(f"/staff/{second_owner['id']}/end", {"ends_on": "2026-11-23"})) == (403, "owner-hires-cashiers")
    assert administrator(f"/staff/{second_owner['id']}/end", {"ends_on": "2026-11-30"}).get_json()["ends_on"] == "2026-11-30"
    assert owner(f"/staff/{hired['id']}/end", {"ends_on": "2026-11-23"}).get_json()["ends_on"] == "2026-11-23"
    assert kind(owner(f"/staff/{hired['id']}/end", {"ends_on": "2026-12-31"})) == (409, "role-already-ended")
    assert kind(owner(f"/staff/{hired['id']}/end", {"ends_on": "2026-11-01"})) == (422, "dates-out-of-order")


def test_staff_of_another_shop_are_nobodys_to_dismiss(as_person: AsPerson, somebody: Somebody, session: Session, book: Book) -> None:
    shop, other = a_shop(session, book), a_shop(session, book, name="苏州路理发店", area_code=OTHER_VILLAGE)
    owner, stranger = as_person(shop.owner), as_person(other.owner)
    _, far = somebody("administrator", area_code=OTHER_VILLAGE)
    (cashier,) = [one for one in owner(f"/units/{shop.id}/staff").get_json()["items"] if one["role"] == "cashier"]
    for ask in (stranger, far):
        assert kind(ask(f"/staff/{cashier['id']}/end", {"ends_on": "2026-11-23"})) == (404, "not-found")
    assert kind(owner(f"/staff/{uuid4()}/end", {"ends_on": "2026-11-23"})) == (404, "not-found")


MALFORMED = [
    ({"name": ""}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"name": "长" * 101}, "name"),
    ({"name": 8}, "name"),
    ({"colour": "blue"}, "colour"),
    ({"colour": ["white"]}, "colour"),
    ({"area_code": "１"}, "area_code"),
    ({"address": "a\nb"}, "address"),
    ({"status": "left"}, "status"),
]


def test_malformed_units_are_told_by_field(somebody: Somebody) -> None:
    _, ask = somebody("administrator")
    for changed, field in MALFORMED:
        response = ask("/units", SHOP | changed)
        assert (response.status_code, response.get_json()["field"]) == (422, field), changed


def test_whoever_runs_no_shop_changes_none(somebody: Somebody, session: Session, book: Book) -> None:
    unit = a_unit(session, book)
    for role in ("volunteer", "building_leader", "grid_worker", "approver"):
        person, ask = somebody(role, area_code=VILLAGE)
        for path, body in (
            ("/units", SHOP),
            (f"/units/{unit.id}/resources", {"kind": "goods", "title": "米面粮油"}),
            (f"/units/{unit.id}/tills", {"name": "1号收银台"}),
            (f"/units/{unit.id}/tills", None),
            (f"/units/{unit.id}/staff", {"person_id": str(person.id), "role": "cashier"}),
            (f"/units/{unit.id}/staff", None),
            (f"/staff/{uuid4()}/end", {"ends_on": "2026-11-23"}),
        ):
            assert kind(ask(path, body)) == (403, "not-allowed")


def test_nothing_of_the_library_is_shown_without_signing_in(client: FlaskClient) -> None:
    for path in ("/units", f"/units/{uuid4()}/resources", f"/units/{uuid4()}/tills", f"/units/{uuid4()}/staff", "/offers", "/pay-code"):
        assert kind(client.get(f"/api/v1{path}")) == (401, "not-signed-in")
