from __future__ import annotations

from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import audit
from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.ids import new_id
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_shop
from tests.builders import agreed
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import START
from tests.conftest import HandClock
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind

#: The same in every process that collects these tests.
NOWHERE = "01900000-0000-7000-8000-000000000000"


def lines(session: Session, book: Book, **wanted: Any) -> list[tuple[str, str]]:
    """The acts and outcomes of the log, the oldest first."""
    found = [(line.act, line.outcome) for line in audit.records(session, book.id, audit.Wanted(**wanted))]
    session.rollback()
    return found[::-1]


def test_a_write_is_recorded_once_however_often_it_is_sent(somebody: Somebody, session: Session, book: Book) -> None:
    worker, ask = somebody("grid_worker", area_code=GRID)
    new = {"name": "王丽", "area_code": GRID, "phone": "13800138000"}
    made = ask("/people", new, key="once").get_json()
    ask("/people", new, key="once")
    (line,) = audit.records(session, book.id, audit.Wanted(actor=worker.id))
    assert (line.act, line.outcome, line.channel, str(line.about)) == ("POST api_people.enrol", "done", "api", made["id"])
    assert (line.at, line.network, line.request_id is None, line.credential_id is None) == (START, "127.0.0.0/24", False, False)


def test_a_refusal_of_the_rules_is_recorded_with_its_transaction(somebody: Somebody, session: Session, book: Book) -> None:
    worker, ask = somebody("grid_worker", area_code=GRID)
    new = {"name": "王丽", "area_code": GRID, "phone": "13800138000"}
    ask("/people", new)
    assert kind(ask("/people", new, key="second")) == (409, "already-enrolled")
    ask("/people", new, key="second")
    assert lines(session, book, actor=worker.id) == [("POST api_people.enrol", "done"), ("POST api_people.enrol", "already-enrolled")]


@pytest.mark.parametrize(
    ("path", "body", "act", "outcome"),
    [
        ("/people", None, "GET api_people.list_people", "not-allowed"),
        ("/funds", {"name": "x"}, "POST api_funds.open_fund", "invalid-input"),
        ("/claims", "{", "POST api_claims.report", "body-malformed"),
        (f"/claims/{NOWHERE}", None, "GET api_claims.get_claim", "not-found"),
        (f"/claims/{NOWHERE}/withdraw", {}, "POST api_claims.withdraw", "not-found"),
    ],
)
def test_what_is_refused_at_the_door_or_for_its_form_is_recorded_too(
    somebody: Somebody, session: Session, book: Book, path: str, body: Any, act: str, outcome: str
) -> None:
    person, ask = somebody("volunteer")
    assert ask(path, body).status_code >= 400
    assert lines(session, book, actor=person.id) == [(act, outcome if act.partition(".")[2] != "open_fund" else "not-allowed")]


def test_looking_at_ones_own_things_leaves_no_line(somebody: Somebody, session: Session, book: Book) -> None:
    _, ask = somebody("volunteer")
    assert ask("/me").status_code == 200
    assert lines(session, book) == []


def test_a_token_that_was_ended_is_recorded_as_whose_it_was_and_an_invented_one_is_not(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient
) -> None:
    person, _ = somebody("volunteer")
    (token,) = sign_in.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=1))
    sign_in.sign_out(session, token, START)
    session.commit()
    assert asking(client, token)("/me").status_code == 401
    assert asking(client, "1-ABCDEFGH")("/me").status_code == 401
    assert asking(client, "77-ABCDEFGH")("/me").status_code == 401
    (line,) = audit.records(session, book.id, audit.Wanted(about=person.id))
    assert (line.actor, line.outcome, len(lines(session, book))) == (None, "not-signed-in", 1)


def test_of_a_set_the_log_counts_what_became_of_each(somebody: Somebody, session: Session, earning: Book) -> None:
    _, ask = somebody("volunteer")
    approver, decide = somebody("approver", area_code=COUNTY)
    deed = {"deed": "patrol", "deed_on": "2026-11-22", "place": "小区"}
    claim = ask("/claims", deed).get_json()
    assert "id" in claim, claim
    decide("/claims/approve", {"ids": [claim["id"], str(new_id())]})
    (line,) = audit.records(session, earning.id, audit.Wanted(actor=approver.id))
    assert (line.outcome, str(line.about), sum((line.details or {}).values())) == ("done", claim["id"], 2)


def test_a_till_is_recorded_line_by_line(session: Session, book: Book, somebody: Somebody, as_person: Any) -> None:
    shop = a_shop(session, book)
    volunteer, ask = somebody("volunteer", area_code=GRID)
    give_points(session, book, volunteer, 100)
    session.commit()
    till = as_person(shop.cashier)
    code = ask("/pay-code").get_json()["address"]
    taken = till("/redemptions", {"till_id": str(shop.till_id), "points": 30, "code": code}, key="once")
    till("/redemptions", {"till_id": str(shop.till_id), "points": 30, "code": code}, key="once")
    assert kind(till("/redemptions", {"till_id": str(shop.till_id), "points": 30, "code": code})) == (409, "pay-code-used")
    found = audit.records(session, book.id, audit.Wanted(actor=shop.cashier.id))
    assert [(line.act, line.outcome) for line in found] == [
        ("POST api_redemptions.take", "pay-code-used"),
        ("POST api_redemptions.take", "done"),
    ]
    assert (str(found[1].about), found[1].network) == (taken.get_json()["id"], "127.0.0.0/24")


def test_who_acts_for_somebody_is_recorded_with_both(somebody: Somebody, session: Session, book: Book, client: FlaskClient) -> None:
    helper, _ = somebody("volunteer")
    elder, _ = somebody("volunteer")
    given = people.give_mandate(
        session, an_act(book), VAULT, people.NewMandate(elder.id, helper.id, "helper", starts_on=date(2026, 11, 23))
    )
    assert not isinstance(given, Refusal)
    agreed(session, book, given)
    session.commit()
    (token,) = sign_in.issue_bearer(session, an_act(book), [helper.id], lives=timedelta(days=1))
    session.commit()
    headers = {"Authorization": f"Bearer {token}", "Acting-For": str(elder.id), "Idempotency-Key": str(new_id())}
    client.post(f"/api/v1/claims/{new_id()}/withdraw", json={}, headers=headers)
    for who in (helper, elder):
        (line,) = audit.records(session, book.id, audit.Wanted(actor=who.id))
        assert (line.actor, line.acted_for) == (helper.id, elder.id)


def test_the_log_is_read_by_those_who_watch_over_the_whole_book(somebody: Somebody, session: Session, book: Book) -> None:
    for role in ("resident_supervisor", "street_auditor", "administrator"):
        _, ask = somebody(role, area_code=COUNTY)
        assert ask("/audit").status_code == 200
        _, of_one_village = somebody(role, area_code=VILLAGE)
        assert kind(of_one_village("/audit")) == (403, "not-allowed")
    _, worker = somebody("grid_worker", area_code=COUNTY)
    assert kind(worker("/audit")) == (403, "not-allowed")


def test_a_line_names_nobody(somebody: Somebody, session: Session, book: Book) -> None:
    worker, ask = somebody("grid_worker", area_code=GRID, name="慕容晓晓")
    ask("/people", {"name": "欧阳婷婷", "area_code": GRID, "phone": "13800138000"})
    _, watch = somebody("resident_supervisor", area_code=COUNTY)
    answer = watch("/audit")
    (line,) = answer.get_json()["items"]
    assert (line["actor_ends_in"], line["by_operator"]) == (worker.handle[-4:], False)
    for word in ("慕容", "欧阳", "13800138000", worker.handle):
        assert word not in answer.get_data(as_text=True)


def test_that_the_log_was_read_stands_in_it(somebody: Somebody, session: Session, book: Book) -> None:
    supervisor, watch = somebody("resident_supervisor", area_code=COUNTY)
    watch("/audit")
    assert [(line["act"], line["actor"]) for line in watch("/audit").get_json()["items"]] == [("read-audit", str(supervisor.id))]


def test_lines_are_found_by_number_outcome_and_moment_and_paged(
    somebody: Somebody, session: Session, book: Book, clock: HandClock
) -> None:  # fmt: skip
    worker, ask = somebody("grid_worker", area_code=GRID)
    _, ask_other = somebody("grid_worker", area_code=OTHER_VILLAGE)
    for number in range(5):
        ask("/people", {"name": "王丽", "area_code": GRID, "phone": f"1380013800{number}"})
    ask("/people", {"name": "王丽", "area_code": GRID, "phone": "13800138000"})
    clock.advance(minutes=1)
    ask_other("/people", {"name": "王丽", "area_code": GRID, "phone": "13900138000"})
    _, watch = somebody("street_auditor", area_code=COUNTY)
    found, cursor = [], ""
    while cursor is not None:
        answer: dict[str, Any] = watch(f"/audit?limit=2&actor={worker.handle}{f'&cursor={cursor}' if cursor else ''}").get_json()
        found, cursor = found + answer["items"], answer["next"]
    assert [line["outcome"] for line in found] == ["already-enrolled", *["done"] * 5]

    def outcomes(query: str) -> list[str]:
        return [line["outcome"] for line in watch(f"/audit?{query}").get_json()["items"] if line["act"] != "read-audit"]

    assert outcomes("outcome=refused") == ["not-found", "already-enrolled"]
    assert outcomes("outcome=not-found") == ["not-found"]
    assert outcomes("act=POST%20api_people.enrol&since=2026-11-23T01:01:00Z") == ["not-found"]
    assert outcomes("until=2026-11-23T01:01:00Z&outcome=done") == ["done"] * 5
    assert outcomes("actor=12345678") == []
    assert kind(watch("/audit?since=yesterday")) == (422, "invalid-input")
