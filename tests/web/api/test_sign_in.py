from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.areas import Book
from ledger.people import Person
from tests.builders import COUNTY
from tests.builders import OTHER_VILLAGE
from tests.builders import an_act
from tests.conftest import START
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind


def links(person: Person) -> str:
    return f"/people/{person.id}/sign-in-links"


def test_staff_issue_a_link_and_the_same_key_tells_it_again(session: Session, somebody: Somebody) -> None:
    person, _ = somebody("volunteer")
    _, worker = somebody("grid_worker")
    first, again = worker(links(person), {}, key="one"), worker(links(person), {}, key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert isinstance(sign_in.use_link(session, first.get_json()["link"].rpartition("/")[2], START), str)


def test_only_an_administrator_lets_somebody_begin_anew(somebody: Somebody) -> None:
    (person, theirs), (approver, _) = somebody("volunteer"), somebody("approver")
    _, worker = somebody("grid_worker")
    _, administrator = somebody("administrator", area_code=COUNTY)
    assert kind(worker(links(person), {"anew": True})) == (404, "not-found")
    assert kind(worker(links(approver), {})) == (403, "way-in-of-staff")
    assert theirs("/passbook").status_code == 200
    assert administrator(links(person), {"anew": True}).status_code == 201
    assert theirs("/passbook").status_code == 401
    assert administrator(links(approver), {}).status_code == 201


def test_nobody_issues_a_link_to_themselves_or_outside_of_their_areas(somebody: Somebody) -> None:
    (oneself, administrator), (neighbour, _) = somebody("administrator"), somebody("volunteer", area_code=OTHER_VILLAGE)
    for body in ({}, {"anew": True}):
        assert kind(administrator(links(oneself), body)) == (403, "way-in-for-oneself")
        assert kind(administrator(links(neighbour), body)) == (404, "not-found")


def test_an_administrator_ends_all_sessions_of_somebody_of_their_areas(somebody: Somebody) -> None:
    (person, theirs), (neighbour, others) = somebody("volunteer"), somebody("volunteer", area_code=OTHER_VILLAGE)
    _, administrator = somebody("administrator")
    assert administrator(f"/people/{person.id}/sessions/end", {}).get_json() == {"person_id": str(person.id), "ended": 1}
    assert theirs("/passbook").status_code == 401
    assert administrator(f"/people/{neighbour.id}/sessions/end", {}).status_code == 404
    assert others("/passbook").status_code == 200


#: What a machine does only where it was told that nobody stands beside it.
WANT_PROOF: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/grants", {}),
    ("/grants/{id}/end", {}),
    ("/ties", {}),
    ("/ties/end", {}),
    ("/funds", {}),
    ("/funds/{id}/budgets", {}),
    ("/tariff/rates", {}),
    ("/tariff/caps", {}),
    ("/units/{id}/staff", {}),
    ("/staff/{id}/end", {}),
    ("/tokens", {}),
    ("/people/{id}/sign-in-links", {}),
    ("/redemptions/{id}/void", {"reason": "wrong-item"}),
)


@pytest.mark.parametrize(("path", "body"), WANT_PROOF)
def test_a_machine_without_leave_does_nothing_that_wants_a_proof(
    session: Session, book: Book, client: FlaskClient, somebody: Somebody, path: str, body: dict[str, Any]
) -> None:
    person, allowed = somebody("administrator", area_code=COUNTY)
    (token,) = sign_in.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=1), scopes=["administrator"])
    session.commit()
    address = path.format(id=person.id)
    assert kind(asking(client, token)(address, body)) == (403, "proof-needed")
    assert kind(allowed(address, body))[1] != "proof-needed"


def test_a_machine_without_leave_approves_what_is_small_and_nothing_large(
    session: Session, earning: Book, client: FlaskClient, somebody: Somebody
) -> None:
    (_, volunteer), (_, worker) = somebody("volunteer"), somebody("grid_worker")
    approver, _ = somebody("approver")
    (token,) = sign_in.issue_bearer(session, an_act(earning), [approver.id], lives=timedelta(days=1), scopes=["approver"])
    session.commit()
    machine, ids = asking(client, token), []
    for deed in ("patrol", "rescue"):
        told = {"deed": deed, "deed_on": "2026-11-22", "place": f"1号楼 {deed}"}
        ids.append(volunteer("/claims", told).get_json()["id"])
    worker("/claims/attest", {"ids": ids})
    assert machine("/claims/approve", {"ids": ids[:1]}).get_json()["items"][0]["ok"] is True
    assert kind(machine("/claims/approve", {"ids": ids[1:]})) == (403, "proof-needed")
