"""What the roles besides the office's own may do, and what they may not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ledger.areas import Book
from redeem import library
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import a_shop
from tests.builders import a_unit
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

Reported = Callable[[str], str]


@pytest.fixture
def reported(earning: Book, somebody: Somebody) -> Reported:
    """A way to let somebody of the first grid report a deed; gives the claim's id."""

    def report(deed: str) -> str:
        _, volunteer = somebody(name="李桂荣", area_code=GRID)
        told = {"deed": deed, "deed_on": "2026-11-23", "place": "3号楼李家", "text": "扶李奶奶下楼", "minutes": 60}
        made = volunteer("/claims", told)
        assert made.status_code == 201, made.get_json()
        return str(made.get_json()["id"])

    return report


def queue(ask: Ask, state: str = "reported") -> list[dict[str, Any]]:
    return list(ask(f"/claims/queue?state={state}").get_json()["items"])


def test_the_police_confirm_patrols_and_nothing_else(reported: Reported, somebody: Somebody) -> None:
    _, police = somebody("co_confirmer")
    patrol, sweeping = reported("patrol"), reported("sweeping")
    assert [(one["id"], one["name"]) for one in queue(police)] == [(patrol, "李桂荣")]
    assert kind(police(f"/claims/{sweeping}")) == (404, "not-found")
    outcomes = police("/claims/attest", {"ids": [patrol, sweeping]}).get_json()["items"]
    assert [(one["ok"], one["state"]) for one in outcomes] == [(True, "attested"), (False, None)]
    assert outcomes[1]["problem"]["type"] == "/problems/not-found"


def test_the_police_of_elsewhere_confirm_nothing_here(reported: Reported, somebody: Somebody) -> None:
    _, police = somebody("co_confirmer", area_code=OTHER_VILLAGE)
    patrol = reported("patrol")
    assert queue(police) == []
    assert police("/claims/attest", {"ids": [patrol]}).get_json()["items"][0]["problem"]["type"] == "/problems/not-found"


@pytest.mark.parametrize("step", ["approve", "return", "refuse"])
def test_the_police_decide_nothing(reported: Reported, somebody: Somebody, step: str) -> None:
    _, police = somebody("co_confirmer")
    body = {"ids": [reported("patrol")]} | ({} if step == "approve" else {"reason": "other"})
    assert kind(police(f"/claims/{step}", body)) == (403, "not-allowed")


def test_the_police_who_are_grid_workers_too_see_all_of_their_grid(reported: Reported, somebody: Somebody) -> None:
    _, both = somebody("co_confirmer", "grid_worker", area_code=GRID)
    ids = {reported("patrol"), reported("sweeping")}
    assert {one["id"] for one in queue(both)} == ids


def test_an_auditor_reads_claims_and_decisions_without_who_and_what(reported: Reported, somebody: Somebody) -> None:
    (_, auditor), (_, worker) = somebody("street_auditor"), somebody("grid_worker")
    claim_id = reported("sweeping")
    worker("/claims/return", {"ids": [claim_id], "reason": "evidence-missing", "note": "请李奶奶签字"})
    shown = auditor(f"/claims/{claim_id}").get_json()
    assert {field: shown[field] for field in ("name", "place", "text", "note", "reason")} == {
        "name": "李**", "place": "", "text": "", "note": None, "reason": "evidence-missing",
    }  # fmt: skip
    assert [(one["act"], one["note"]) for one in shown["decisions"]] == [("report", None), ("return", None)]
    second = reported("patrol")
    assert [(one["id"], one["name"], one["text"]) for one in queue(auditor)] == [(second, "李**", "")]


@pytest.mark.parametrize("step", ["attest", "approve", "return", "refuse"])
def test_an_auditor_decides_nothing(reported: Reported, somebody: Somebody, step: str) -> None:
    _, auditor = somebody("street_auditor")
    body = {"ids": [reported("sweeping")]} | ({"reason": "other"} if step in {"return", "refuse"} else {})
    assert kind(auditor(f"/claims/{step}", body)) == (403, "not-allowed")


def test_an_auditor_reads_their_own_deeds_whole_and_those_elsewhere_not_at_all(reported: Reported, somebody: Somebody) -> None:
    _, own = somebody("street_auditor", "volunteer", area_code=OTHER_VILLAGE, name="周正")
    assert queue(own) == []
    assert kind(own(f"/claims/{reported('sweeping')}")) == (404, "not-found")
    told = {"deed": "patrol", "deed_on": "2026-11-23", "place": "河边"}
    assert own(f"/claims/{own('/claims', told).get_json()['id']}").get_json()["place"] == "河边"
    assert [(one["name"], one["place"]) for one in queue(own)] == [("周正", "河边")]


@pytest.mark.parametrize("role", ["street_auditor", "county_viewer", "finance", "resident_supervisor", "co_confirmer"])
def test_none_of_them_sees_people(earning: Book, somebody: Somebody, role: str) -> None:
    _, ask = somebody(role)
    person, _ = somebody(area_code=GRID)
    for path in ("/people", f"/people/{person.id}", "/applications", "/merges"):
        assert kind(ask(path)) == (403, "not-allowed")
    if role not in {"street_auditor", "co_confirmer"}:
        assert kind(ask("/claims/queue")) == (403, "not-allowed")


@pytest.mark.parametrize("role", ["county_viewer", "finance", "resident_supervisor"])
def test_whoever_looks_at_figures_sees_what_funds_have_left(earning: Book, somebody: Somebody, role: str) -> None:
    _, ask = somebody(role, area_code=earning.area_code)
    assert [fund["left"] for fund in ask("/funds").get_json()["items"]] == [10_000]
    assert ask("/tariff").status_code == 200


def test_who_keeps_the_funds_opens_them_and_reads_them_line_by_line(earning: Book, somebody: Somebody) -> None:
    _, finance = somebody("finance", area_code=earning.area_code)
    _, supervisor = somebody("resident_supervisor", area_code=earning.area_code)
    _, viewer = somebody("county_viewer", area_code=earning.area_code)
    opened = finance("/funds", {"name": "第二笔", "area_code": earning.area_code, "opens_on": "2026-11-23", "budget": 500})
    assert opened.status_code == 201
    fund_id = opened.get_json()["id"]
    assert finance(f"/funds/{fund_id}/budgets", {"points": 50}).get_json()["left"] == 550
    for ask in (finance, supervisor):
        assert [(line["kind"], line["amount"], line["after"]) for line in ask(f"/funds/{fund_id}/lines").get_json()["items"]] == [
            ("budget", 50, 550), ("budget", 500, 500),
        ]  # fmt: skip
    assert kind(viewer(f"/funds/{fund_id}/lines")) == (403, "not-allowed")
    for ask in (supervisor, viewer):
        assert kind(ask(f"/funds/{fund_id}/budgets", {"points": 50})) == (403, "not-allowed")


def test_who_keeps_the_funds_of_elsewhere_opens_none_here(earning: Book, somebody: Somebody) -> None:
    _, finance = somebody("finance", area_code=OTHER_VILLAGE)
    assert kind(finance("/funds", {"name": "第二笔", "area_code": GRID, "opens_on": "2026-11-23"})) == (404, "not-found")
    (_, here) = somebody("finance", area_code=earning.area_code)
    (fund,) = here("/funds").get_json()["items"]
    assert finance("/funds").get_json()["items"] == []
    assert kind(finance(f"/funds/{fund['id']}/lines")) == (404, "not-found")


@pytest.mark.parametrize("role", ["finance", "county_viewer"])
def test_what_a_shop_is_owed_is_a_figure_and_what_it_sold_is_not(session: Session, earning: Book, somebody: Somebody, role: str) -> None:
    shop = a_shop(session, earning)
    session.commit()
    (_, ask), (_, far) = somebody(role, area_code=earning.area_code), somebody(role, area_code=OTHER_VILLAGE)
    assert ask(f"/units/{shop.id}/owed").get_json()["owed_points"] == 0
    assert kind(far(f"/units/{shop.id}/owed")) == (404, "not-found")
    assert kind(ask(f"/units/{shop.id}/redemptions")) == (403, "not-allowed")


@pytest.mark.parametrize("colour", library.COLOURS)
def test_a_unit_of_any_colour_has_a_representative_who_says_what_it_gives(
    session: Session, earning: Book, somebody: Somebody, colour: str
) -> None:  # fmt: skip
    unit, other = a_unit(session, earning, colour=colour), a_unit(session, earning, name="另一家", colour=colour)
    session.commit()
    (_, admin), (person, ask) = somebody("administrator"), somebody()
    hired = admin(f"/units/{unit.id}/staff", {"person_id": str(person.id), "role": "unit_representative"})
    assert hired.status_code == 201
    assert ask(f"/units/{unit.id}/resources", {"kind": "place", "title": "会议室"}).status_code == 201
    assert [one["title"] for one in ask(f"/units/{unit.id}/resources").get_json()["items"]] == ["会议室"]
    assert ask(f"/units/{unit.id}/redemptions").get_json()["items"] == []
    assert kind(ask(f"/units/{other.id}/resources", {"kind": "place", "title": "会议室"})) == (404, "not-found")
    assert kind(ask(f"/units/{other.id}/redemptions")) == (404, "not-found")
    assert kind(ask(f"/units/{unit.id}/staff", {"person_id": str(person.id), "role": "cashier"})) == (403, "not-allowed")


def test_a_shop_s_owner_names_no_representative(session: Session, earning: Book, somebody: Somebody, as_person: Any) -> None:
    shop = a_shop(session, earning)
    session.commit()
    person, _ = somebody()
    hired = as_person(shop.owner)(f"/units/{shop.id}/staff", {"person_id": str(person.id), "role": "unit_representative"})
    assert kind(hired) == (403, "owner-hires-cashiers")
