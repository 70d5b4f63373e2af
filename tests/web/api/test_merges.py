from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.areas import Book
from ledger.ids import new_id
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import an_act
from tests.builders import give_points
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind


def test_one_of_the_staff_proposes_and_another_confirms(somebody: Somebody, session: Session, book: Book) -> None:
    kept, ask_kept = somebody(area_code=GRID)
    gone, ask_gone = somebody(area_code=GRID)
    give_points(session, book, gone, 80)
    session.commit()
    (_, proposer), (_, other) = somebody("grid_worker"), somebody("grid_worker")
    made = proposer("/merges", {"kept_id": str(kept.id), "gone_id": str(gone.id)})
    assert (made.status_code, made.get_json()["state"]) == (201, "proposed")
    path = f"/merges/{made.get_json()['id']}/confirm"
    assert kind(proposer(path, {})) == (403, "merge-takes-two")
    assert other(path, {}).get_json()["state"] == "done"
    assert [one["state"] for one in other("/merges").get_json()["items"]] == ["done"]
    assert ask_kept("/passbook").get_json()["balance"] == 80
    assert kind(ask_gone("/passbook")) == (401, "not-signed-in")


def test_a_merge_of_people_elsewhere_is_not_there(somebody: Somebody) -> None:
    one, two = (somebody(area_code=GRID)[0] for _ in range(2))
    (_, worker), (_, far_worker) = somebody("grid_worker"), somebody("grid_worker", area_code=OTHER_VILLAGE)
    both = {"kept_id": str(one.id), "gone_id": str(two.id)}
    assert kind(far_worker("/merges", both)) == (404, "not-found")
    merge_id = worker("/merges", both).get_json()["id"]
    for step in ("confirm", "refuse"):
        assert kind(far_worker(f"/merges/{merge_id}/{step}", {})) == (404, "not-found")
    assert far_worker("/merges").get_json()["items"] == []


def test_what_is_refused_can_be_proposed_again(somebody: Somebody) -> None:
    one, two = (somebody(area_code=GRID)[0] for _ in range(2))
    (_, worker), (_, other) = somebody("grid_worker"), somebody("administrator")
    both = {"kept_id": str(one.id), "gone_id": str(two.id)}
    merge_id = worker("/merges", both).get_json()["id"]
    assert other(f"/merges/{merge_id}/refuse", {}).get_json()["state"] == "refused"
    assert kind(worker(f"/merges/{merge_id}/confirm", {})) == (409, "merge-decided-already")
    assert worker("/merges", both).status_code == 201


def test_staff_accounts_are_merged_by_administrators(somebody: Somebody) -> None:
    kept, gone = somebody(area_code=GRID)[0], somebody("approver", area_code=GRID)[0]
    (_, worker), (_, admin), (_, second) = somebody("grid_worker"), somebody("administrator"), somebody("administrator")
    both = {"kept_id": str(kept.id), "gone_id": str(gone.id)}
    assert kind(worker("/merges", both)) == (403, "merge-of-staff")
    merge_id = admin("/merges", both).get_json()["id"]
    assert kind(worker(f"/merges/{merge_id}/confirm", {})) == (403, "merge-of-staff")
    assert second(f"/merges/{merge_id}/confirm", {}).get_json()["state"] == "done"


def test_merging_wants_a_fresh_proof(somebody: Somebody, session: Session, book: Book, client: FlaskClient) -> None:
    worker, _ = somebody("grid_worker")
    (token,) = sign_in.issue_bearer(session, an_act(book), [worker.id], lives=timedelta(days=1), scopes=["grid_worker"])
    session.commit()
    machine = asking(client, token)
    assert kind(machine("/merges", {"kept_id": str(new_id()), "gone_id": str(new_id())})) == (403, "proof-needed")
    assert machine("/merges").status_code == 200


@pytest.mark.parametrize("role", ["volunteer", "building_leader", "approver", "resident_supervisor", "finance"])
def test_only_those_who_enrol_people_merge_them(somebody: Somebody, role: str) -> None:
    _, ask = somebody(role)
    assert kind(ask("/merges")) == (403, "not-allowed")
    assert kind(ask("/merges", {"kept_id": str(new_id()), "gone_id": str(new_id())})) == (403, "not-allowed")
