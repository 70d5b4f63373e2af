from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.clock import local_day
from ledger.people import Person
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_shop
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import HandClock
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind


def asked_for(person: Person, *scopes: str, **others: Any) -> dict[str, Any]:
    return {"person_id": str(person.id), "name": "收银系统", "scopes": list(scopes), "days": 90} | others


def test_a_token_is_told_once_and_stands_nowhere(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient, clock: HandClock
) -> None:
    _, ask = somebody("administrator")
    shop = a_shop(session, book)
    session.commit()
    made = ask("/tokens", asked_for(shop.cashier, "cashier"), key="once")
    assert made.status_code == 201
    token = made.get_json()["token"]
    assert asking(client, token)("/me").get_json()["id"] == str(shop.cashier.id)
    assert ask("/tokens", asked_for(shop.cashier, "cashier"), key="once").get_json()["token"] == token
    clock.advance(minutes=11)
    assert ask("/tokens", asked_for(shop.cashier, "cashier"), key="once").get_json()["token"] is None
    kept = [
        str(row)
        for table in ("request", "credential", "audit_record")
        for row in session.execute(text(f"SELECT * FROM {table} WHERE book_id IS NOT NULL AND book_id IN (SELECT id FROM book)"))
    ]
    session.rollback()
    assert not any(token in row or token.partition("-")[2] in row for row in kept)
    listed = ask("/tokens").get_json()["items"][-1]
    assert (listed["name"], listed["scopes"], "token" in listed) == ("收银系统", ["cashier"], False)


def test_a_machine_may_do_what_its_scopes_and_the_persons_roles_both_give(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient
) -> None:
    admin, _ = somebody("administrator", "grid_worker", "volunteer")
    (token,) = sign_in.issue_bearer(session, an_act(book), [admin.id], lives=timedelta(days=1), scopes=["grid_worker", "approver"])
    session.commit()
    machine = asking(client, token)
    assert machine("/people").status_code == 200
    assert kind(machine("/tokens")) == (403, "not-allowed")
    # A scope alone gives nothing: an approver is who holds the role.
    assert kind(machine("/claims/approve", {"ids": [str(admin.id)]})) == (403, "not-allowed")


def test_a_machine_loses_what_its_person_loses(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient, clock: HandClock
) -> None:  # fmt: skip
    worker, _ = somebody("grid_worker")
    (token,) = sign_in.issue_bearer(session, an_act(book), [worker.id], lives=timedelta(days=2), scopes=["grid_worker"])
    session.commit()
    clock.advance(days=1)
    machine = asking(client, token)
    assert machine("/people").status_code == 200
    (grant,) = [grant for grant in people.grants_of(session, book.id, worker.id) if grant.role == "grid_worker"]
    people.end_grant(session, an_act(book, clock.now()), grant.id, local_day(START, book.zone))
    session.commit()
    assert kind(machine("/people")) == (403, "not-allowed")


def test_what_people_do_only_with_a_fresh_proof_a_machine_does_only_where_it_was_told(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient
) -> None:
    admin, _ = somebody("administrator")
    for scopes, status in ((["administrator"], 403), (["administrator", "unattended"], 201)):
        (token,) = sign_in.issue_bearer(session, an_act(book), [admin.id], lives=timedelta(days=1), scopes=scopes)
        session.commit()
        assert asking(client, token)("/tokens", asked_for(admin, "volunteer")).status_code == status


def test_nobody_makes_a_token_with_which_to_act_in_anothers_name(somebody: Somebody) -> None:
    admin, ask = somebody("administrator")
    other, _ = somebody("approver")
    for scope in ("approver", "volunteer", "administrator", "unattended"):
        assert kind(ask("/tokens", asked_for(other, scope))) == (403, "token-for-oneself-only")
    assert ask("/tokens", asked_for(admin, "administrator")).status_code == 201


def test_an_administrator_makes_and_ends_tokens_of_their_own_areas_only(somebody: Somebody) -> None:
    other, elsewhere = somebody("administrator", area_code=OTHER_VILLAGE)
    made = elsewhere("/tokens", asked_for(other, "cashier")).get_json()
    _, ask = somebody("administrator", area_code=VILLAGE)
    assert kind(ask("/tokens", asked_for(other, "cashier"))) == (404, "not-found")
    assert kind(ask(f"/tokens/{made['id']}/end", {})) == (404, "not-found")
    assert kind(ask(f"/tokens/{made['id']}/rotate", {"days": 1})) == (404, "not-found")
    assert made["id"] not in [token["id"] for token in ask("/tokens").get_json()["items"]]


def test_an_ended_token_opens_nothing(somebody: Somebody, client: FlaskClient) -> None:
    admin, ask = somebody("administrator")
    made = ask("/tokens", asked_for(admin, "volunteer")).get_json()
    machine = asking(client, made["token"])
    assert machine("/me").status_code == 200
    assert ask(f"/tokens/{made['id']}/end", {}).status_code == 200
    assert machine("/me").status_code == 401
    assert kind(ask(f"/tokens/{made['id']}/end", {})) == (404, "not-found")


@pytest.mark.parametrize(("overlap", "still"), [(None, 23), (2, 1), (0, 0)])
def test_a_token_that_is_replaced_is_good_for_a_while_more(
    somebody: Somebody, client: FlaskClient, clock: HandClock, overlap: int | None, still: int
) -> None:
    admin, ask = somebody("administrator")
    first = ask("/tokens", asked_for(admin, "volunteer")).get_json()
    wanted = {"days": 30} | ({} if overlap is None else {"overlap_hours": overlap})
    second = ask(f"/tokens/{first['id']}/rotate", wanted).get_json()
    assert second["scopes"] == first["scopes"]
    old, new = asking(client, first["token"]), asking(client, second["token"])
    assert new("/me").status_code == 200
    assert old("/me").status_code == (200 if still else 401)
    clock.advance(hours=still, minutes=59)
    assert old("/me").status_code == (200 if still else 401)
    clock.advance(minutes=1)
    assert (old("/me").status_code, new("/me").status_code) == (401, 200)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"days": 367}, "days"),
        ({"days": 0}, "days"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"name": ""}, "name"),
    ],
)
def test_a_token_lives_a_year_at_most_and_is_good_for_something_known(somebody: Somebody, changed: dict[str, Any], field: str) -> None:
    admin, ask = somebody("administrator")
    answer = ask("/tokens", asked_for(admin, "volunteer") | changed)
    assert (kind(answer), answer.get_json()["field"]) == ((422, "invalid-input"), field)


def test_the_list_says_when_a_token_was_last_used(somebody: Somebody, client: FlaskClient, clock: HandClock) -> None:
    admin, ask = somebody("administrator")
    made = ask("/tokens", asked_for(admin, "volunteer")).get_json()

    def used() -> str | None:
        (found,) = [token for token in ask("/tokens").get_json()["items"] if token["id"] == made["id"]]
        return found["last_used_at"]

    assert used() is None
    asking(client, made["token"])("/me")
    assert used() == clock.now().isoformat()
