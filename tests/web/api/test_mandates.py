"""On somebody's behalf, by the API: who lets whom act for whom, and what a helper then does and does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.ids import new_id
from ledger.journal.model import Entry
from ledger.journal.model import Request
from ledger.people import Person
from ledger.people.rules import handle_of
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import a_mandate
from tests.builders import a_shop
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind

DEED = {"deed": "patrol", "deed_on": "2026-11-23", "place": "5幢"}
UNTIL = "2027-01-31"


def a_pair(somebody: Somebody, session: Session, book: Book, points: int = 0) -> tuple[Person, Person, Ask]:
    """An elder with a helper, who may spend so many points a day, and a way to ask as the helper."""
    elder, _ = somebody(name="陈桂芳", area_code=GRID)
    helper, ask = somebody(name="李桂荣", area_code=GRID)
    a_mandate(session, book, elder, helper, points=points)
    session.commit()
    return elder, helper, ask


def test_staff_give_a_mandate_and_whoever_is_in_it_sees_it(somebody: Somebody) -> None:
    _, worker = somebody("grid_worker", area_code=GRID)
    (elder, of_elder), (helper, of_helper) = somebody(name="陈桂芳", area_code=GRID), somebody(name="李桂荣", area_code=OTHER_VILLAGE)
    new = {"person_id": str(elder.id), "helper_id": str(helper.id), "kind": "helper", "ends_on": UNTIL, "points_per_day_max": 50}
    made = worker("/mandates", new, key="once")
    assert made.status_code == 201
    assert made.get_json() == {
        **new, "id": made.get_json()["id"], "starts_on": "2026-11-23", "agreed_at": None, "ended_at": None,
    }  # fmt: skip
    assert worker("/mandates", new, key="once").get_json() == made.get_json()
    masked, whole = {"person_name": "陈**", "helper_name": "李**"}, {"person_name": "陈桂芳", "helper_name": "李桂荣"}
    for ask in (of_elder, of_helper, worker):
        assert ask(f"/people/{elder.id}/mandates" if ask is worker else "/mandates/mine").get_json() == {
            "items": [made.get_json() | masked]
        }
    assert kind(of_helper("/passbook", acting_for=elder.id)) == (403, "mandate-missing")
    assert kind(of_elder(f"/mandates/{made.get_json()['id']}/agree", {})) == (404, "not-found")
    agreed = of_helper(f"/mandates/{made.get_json()['id']}/agree", {}).get_json()
    assert agreed["agreed_at"] is not None
    for ask in (of_elder, of_helper):
        assert ask("/mandates/mine").get_json() == {"items": [agreed | whole]}
    assert worker(f"/people/{elder.id}/mandates").get_json() == {"items": [agreed | masked]}
    assert of_helper("/passbook", acting_for=elder.id).status_code == 200
    assert kind(worker("/mandates", new)) == (409, "mandate-there")


def test_staff_give_and_see_mandates_of_their_areas_only_and_with_a_fresh_proof(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient
) -> None:
    worker, ask = somebody("grid_worker", area_code=OTHER_VILLAGE)
    (elder, of_elder), (helper, _) = somebody(area_code=GRID), somebody(area_code=GRID)
    new = {"person_id": str(elder.id), "helper_id": str(helper.id), "kind": "helper", "ends_on": UNTIL}
    assert kind(ask("/mandates", new)) == (404, "not-found")
    assert kind(ask(f"/people/{elder.id}/mandates")) == (404, "not-found")
    assert kind(of_elder("/mandates", new)) == (403, "not-allowed")
    token = sign_in.issue_bearer(session, an_act(book), [worker.id], lives=timedelta(days=1), scopes=["grid_worker"])[0]
    session.commit()
    assert kind(asking(client, token)("/mandates", new)) == (403, "proof-needed")


def test_somebody_lets_a_neighbour_act_for_themselves_and_ends_it(somebody: Somebody) -> None:
    (elder, ask), (helper, of_helper) = somebody(area_code=GRID), somebody(area_code=GRID)
    made = ask("/mandates/own", {"helper_handle": helper.handle, "ends_on": UNTIL, "points_per_day_max": 20})
    assert made.status_code == 201
    assert (made.get_json()["helper_id"], made.get_json()["person_id"]) == (str(helper.id), str(elder.id))
    mandate_id = made.get_json()["id"]
    assert of_helper(f"/mandates/{mandate_id}/agree", {}).status_code == 200
    assert of_helper("/passbook", acting_for=elder.id).status_code == 200
    _, stranger = somebody(area_code=GRID)
    assert kind(stranger(f"/mandates/{mandate_id}/end", {})) == (404, "not-found")
    assert ask(f"/mandates/{mandate_id}/end", {}).get_json()["ended_at"] is not None
    assert kind(of_helper("/passbook", acting_for=elder.id)) == (403, "mandate-missing")
    assert kind(of_helper(f"/mandates/{mandate_id}/end", {})) == (409, "mandate-ended-already")
    assert kind(ask("/mandates/own", {"helper_handle": "12345678", "ends_on": UNTIL})) == (422, "passbook-unknown")
    assert kind(ask("/mandates/own", {"helper_handle": elder.handle, "ends_on": UNTIL})) == (422, "mandate-of-oneself")


def test_letting_somebody_act_wants_a_fresh_proof_and_a_limit(
    somebody: Somebody, session: Session, book: Book, client: FlaskClient
) -> None:
    (elder, ask), (helper, _) = somebody(area_code=GRID), somebody(area_code=GRID)
    own = {"helper_handle": helper.handle, "ends_on": UNTIL, "points_per_day_max": 200}
    token = sign_in.issue_bearer(session, an_act(book), [elder.id], lives=timedelta(days=1), scopes=["volunteer"])[0]
    session.commit()
    assert kind(asking(client, token)("/mandates/own", own)) == (403, "proof-needed")
    assert kind(ask("/mandates/own", own | {"points_per_day_max": 201})) == (422, "number-out-of-range")
    assert ask("/mandates/own", own).status_code == 201


def test_five_numbers_that_are_nobodys_have_to_wait_and_one_that_is_costs_nothing(somebody: Somebody, clock: HandClock) -> None:
    (_, ask), (helper, _), (_, other) = (somebody(area_code=GRID) for _ in range(3))
    own = {"helper_handle": helper.handle, "ends_on": UNTIL}
    assert ask("/mandates/own", own).status_code == 201
    for number in range(5):
        assert kind(ask("/mandates/own", own | {"helper_handle": handle_of(1234560 + number)})) == (422, "passbook-unknown")
    assert kind(ask("/mandates/own", own | {"helper_handle": "1234"})) == (422, "passbook-unknown")
    for handle in (handle_of(7654321), helper.handle):
        assert kind(ask("/mandates/own", own | {"helper_handle": handle})) == (429, "guesses-too-many")
    assert other("/mandates/own", own).status_code == 201
    clock.advance(minutes=16)
    assert kind(ask("/mandates/own", own)) == (409, "mandate-there")


def test_a_guardian_is_named_for_a_child_only(somebody: Somebody) -> None:
    _, worker = somebody("grid_worker", area_code=GRID)
    (adult, _), (friend, of_friend) = somebody(birth_month="1956-03", area_code=GRID), somebody(area_code=GRID)
    new = {"person_id": str(adult.id), "helper_id": str(friend.id), "kind": "guardian"}
    assert kind(worker("/mandates", new)) == (409, "guardian-of-adult")
    assert kind(of_friend("/me/export", acting_for=adult.id)) == (403, "mandate-missing")


def test_whoever_names_a_person_without_a_mandate_is_told_so(
    somebody: Somebody, session: Session, book: Book, clock: HandClock, client: FlaskClient
) -> None:
    elder, helper, ask = a_pair(somebody, session, book)
    (stranger, of_stranger), (other, _) = somebody(), somebody()
    assert ask("/me", acting_for=elder.id).get_json()["id"] == str(elder.id)
    for wrong in (other.id, new_id(), helper.id):
        assert kind(ask("/me", acting_for=wrong)) == (403, "mandate-missing")
    assert kind(of_stranger("/me", acting_for=elder.id)) == (403, "mandate-missing")
    assert kind(ask("/me", acting_for="nobody")) == (422, "id-malformed")
    assert kind(ask("/claims", DEED, acting_for=stranger.id)) == (403, "mandate-missing")
    clock.advance(days=91)
    assert kind(ask("/me", acting_for=elder.id)) == (403, "mandate-missing")


def test_a_token_that_is_no_volunteers_acts_for_nobody(somebody: Somebody, session: Session, book: Book, client: FlaskClient) -> None:
    elder, helper, _ = a_pair(somebody, session, book)
    for scopes, status in ((["volunteer"], 200), (["cashier"], 403), ([], 403)):
        token = sign_in.issue_bearer(session, an_act(book), [helper.id], lives=timedelta(days=1), scopes=scopes)[0]
        session.commit()
        assert asking(client, token)("/passbook", acting_for=elder.id).status_code == status, scopes


def test_no_role_of_either_is_held_on_behalf(somebody: Somebody, session: Session, book: Book) -> None:
    approver, _ = somebody("approver", "volunteer")
    worker, ask = somebody("grid_worker", "volunteer")
    a_mandate(session, book, approver, worker)
    session.commit()
    roles = ask("/me", acting_for=approver.id).get_json()["roles"]
    assert [role["role"] for role in roles] == ["volunteer"]
    assert kind(ask("/claims/queue?state=attested", acting_for=approver.id)) == (403, "not-allowed")
    assert kind(ask("/people", acting_for=approver.id)) == (403, "not-allowed")


def test_a_helper_reports_a_deed_that_is_the_elders(somebody: Somebody, session: Session, earning: Book) -> None:
    elder, helper, ask = a_pair(somebody, session, earning)
    made = ask("/claims", DEED, key="once", acting_for=elder.id).get_json()
    assert (made["person_id"], made["reporter_id"], made["state"], made["source"]) == (
        str(elder.id),
        str(elder.id),
        "reported",
        "volunteer",
    )
    assert [claim["id"] for claim in ask("/claims/mine", acting_for=elder.id).get_json()["items"]] == [made["id"]]
    assert ask("/claims/mine").get_json()["items"] == []
    decided = session.execute(select(Decision.act, Decision.actor).where(Decision.book_id == earning.id)).all()
    assert decided == [("report", helper.id)]
    session.rollback()
    # The same key for oneself is another request.
    assert kind(ask("/claims", DEED, key="once")) == (422, "idempotency-key-reused")
    assert ask("/claims", DEED, key="once", acting_for=elder.id).get_json() == made
    asked = session.execute(select(Request.actor).where(Request.book_id == earning.id, Request.key == "once")).scalars().all()
    assert asked == [helper.id]


def test_a_helper_tells_anew_and_takes_back_what_is_the_elders(somebody: Somebody, session: Session, earning: Book) -> None:
    elder, _, ask = a_pair(somebody, session, earning)
    _, worker = somebody("grid_worker")
    first, second = (ask("/claims", DEED | {"place": place}, acting_for=elder.id).get_json()["id"] for place in ("5幢", "6幢"))
    worker("/claims/return", {"ids": [first], "reason": "wrong-time"})
    assert kind(ask(f"/claims/{first}/resubmit", DEED | {"place": "7幢"})) == (404, "not-found")
    told = ask(f"/claims/{first}/resubmit", DEED | {"place": "7幢"}, acting_for=elder.id)
    assert (told.status_code, told.get_json()["state"]) == (200, "reported")
    assert ask(f"/claims/{second}/withdraw", {}, acting_for=elder.id).get_json()["state"] == "withdrawn"
    assert kind(ask(f"/claims/{second}")) == (404, "not-found")


def test_what_an_elder_told_of_others_is_no_affair_of_the_helpers(somebody: Somebody, session: Session, earning: Book) -> None:
    worker, of_worker = somebody("grid_worker", "volunteer")
    volunteer, _ = somebody()
    helper, ask = somebody()
    a_mandate(session, earning, worker, helper)
    session.commit()
    (told,) = of_worker("/claims/proposals", {"deeds": [DEED | {"person_id": str(volunteer.id)}]}).get_json()["items"]
    assert of_worker(f"/claims/{told['id']}").status_code == 200
    assert kind(ask(f"/claims/{told['id']}", acting_for=worker.id)) == (404, "not-found")
    assert kind(ask(f"/claims/{told['id']}/withdraw", {}, acting_for=worker.id)) == (404, "not-found")
    _, other = somebody("approver")
    other("/claims/return", {"ids": [told["id"]], "reason": "wrong-time"})
    assert kind(ask(f"/claims/{told['id']}/resubmit", DEED, acting_for=worker.id)) == (404, "not-found")


def test_who_reported_for_an_elder_does_not_decide_on_it_in_another_role(somebody: Somebody, session: Session, earning: Book) -> None:
    elder, _ = somebody()
    helper, ask = somebody("volunteer", "grid_worker", "approver")
    a_mandate(session, earning, elder, helper)
    session.commit()
    claim_id = ask("/claims", DEED, acting_for=elder.id).get_json()["id"]
    for step, more in (("attest", {}), ("return", {"reason": "not-done"}), ("refuse", {"reason": "not-done"})):
        (item,) = ask(f"/claims/{step}", {"ids": [claim_id]} | more).get_json()["items"]
        assert item["problem"]["type"] == "/problems/kin-or-household", step
    _, worker = somebody("grid_worker")
    worker("/claims/attest", {"ids": [claim_id]})
    (item,) = ask("/claims/approve", {"ids": [claim_id]}).get_json()["items"]
    assert item["problem"]["type"] == "/problems/kin-or-household"


def test_a_helper_signs_an_elder_up_and_checks_them_in_and_out(
    somebody: Somebody, session: Session, earning: Book, clock: HandClock
) -> None:
    elder, _, ask = a_pair(somebody, session, earning)
    _, of_host = somebody("activity_host")
    activity = of_host(
        "/activities",
        {
            "area_code": GRID, "deed": "sweeping", "title": "清扫日", "place": "3栋门口", "capacity": 10,
            "starts_at": "2026-11-23T09:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00",
        },
    ).get_json()  # fmt: skip
    here = f"/activities/{activity['id']}"
    assert ask(f"{here}/sign-up", {}, acting_for=elder.id).get_json()["is_mine"]
    assert [ask(here, acting_for=who).get_json()["is_mine"] for who in (elder.id, None)] == [True, False]
    assert not ask(f"{here}/cancel-sign-up", {}, acting_for=elder.id).get_json()["is_mine"]
    came = ask("/check-in", {"code": of_host(f"{here}/venue-code").get_json()["token"]}, acting_for=elder.id).get_json()
    assert came["person_id"] == str(elder.id)
    clock.advance(minutes=60)
    shown = of_host(f"{here}/venue-code").get_json()["digits"]
    left = ask("/check-out", {"activity_id": activity["id"], "digits": shown}, acting_for=elder.id).get_json()
    assert left["attendance"]["minutes"] == 60
    claim = ask(f"/claims/{left['claim_id']}", acting_for=elder.id).get_json()
    assert (claim["person_id"], claim["state"]) == (str(elder.id), "attested")
    hours = [ask("/hours", acting_for=who).get_json()["credit_minutes"] for who in (elder.id, None)]
    assert hours == [60, 0]


def test_whoever_helps_somebody_does_not_stand_for_their_having_been_there(
    somebody: Somebody, session: Session, earning: Book, clock: HandClock
) -> None:
    elder, of_elder = somebody(area_code=GRID)
    host, of_host = somebody("activity_host", "volunteer")
    a_mandate(session, earning, elder, host)
    session.commit()
    activity = of_host(
        "/activities",
        {
            "area_code": GRID, "deed": "sweeping", "title": "清扫日", "place": "3栋门口", "capacity": 10,
            "starts_at": "2026-11-23T09:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00",
        },
    ).get_json()  # fmt: skip
    of_host(f"/activities/{activity['id']}/check-ins", {"person_ids": [str(elder.id)]})
    clock.advance(minutes=60)
    of_host(f"/activities/{activity['id']}/check-outs", {"person_ids": [str(elder.id)]})
    (claim,) = of_elder("/claims/mine").get_json()["items"]
    assert (claim["state"], claim["attester_id"]) == ("reported", None)


def test_a_helper_is_no_host_in_the_hosts_stead(somebody: Somebody, session: Session, earning: Book) -> None:
    host, of_host = somebody("activity_host", "volunteer")
    helper, ask = somebody()
    a_mandate(session, earning, host, helper)
    session.commit()
    activity = of_host(
        "/activities",
        {
            "area_code": GRID, "deed": "sweeping", "title": "清扫日", "place": "3栋门口", "capacity": 10,
            "starts_at": "2026-11-23T09:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00",
        },
    ).get_json()  # fmt: skip
    here, someone = f"/activities/{activity['id']}", {"person_ids": [str(helper.id)]}
    asked: tuple[tuple[str, dict[str, Any] | None], ...] = (
        ("venue-code", None), ("attendance", None), ("check-ins", someone), ("check-outs", someone), ("reopen", someone),
    )  # fmt: skip
    for path, body in asked:
        assert kind(ask(f"{here}/{path}", body, acting_for=host.id)) == (403, "not-on-behalf"), path


def test_a_helper_pays_a_shops_order_and_the_passbook_marks_it(
    somebody: Somebody, as_person: Callable[[Person], Ask], session: Session, book: Book
) -> None:
    elder, helper, ask = a_pair(somebody, session, book, points=50)
    shop = a_shop(session, book)
    give_points(session, book, elder, 100)
    cashier = as_person(shop.cashier)
    order = cashier("/orders", {"till_id": str(shop.till_id), "points": 30}).get_json()
    assert ask(f"/orders/{order['number']}", acting_for=elder.id).get_json()["points"] == 30
    paid = ask("/orders/confirm", {"code": order["number"]}, acting_for=elder.id)
    assert (paid.status_code, paid.get_json()["handle_tail"]) == (200, elder.handle[-2:])
    lines = ask("/passbook/lines", acting_for=elder.id).get_json()["items"]
    assert [(line["kind"], line["amount"], line["on_behalf"]) for line in lines] == [("redemption", -30, True), ("award", 100, False)]
    assert ask("/passbook", acting_for=elder.id).get_json()["balance"] == 70
    assert [one["id"] for one in ask("/redemptions/mine", acting_for=elder.id).get_json()["items"]] == [paid.get_json()["id"]]
    (entry,) = session.execute(select(Entry).where(Entry.book_id == book.id, Entry.kind == "redemption")).scalars()
    assert (entry.actor, entry.acted_for, entry.channel) == (helper.id, elder.id, "api")
    session.rollback()
    second = cashier("/orders", {"till_id": str(shop.till_id), "points": 21}).get_json()
    refused = ask("/orders/confirm", {"code": second["number"]}, acting_for=elder.id)
    assert (kind(refused), refused.get_json()["data"]) == ((409, "mandate-limit"), {"left": 20})


def test_no_pay_code_is_drawn_for_somebody_else(somebody: Somebody, session: Session, book: Book) -> None:
    elder, _, ask = a_pair(somebody, session, book, points=50)
    assert kind(ask("/pay-code", acting_for=elder.id)) == (403, "pay-code-not-on-behalf")
    assert ask("/pay-code").status_code == 200


def test_mandates_themselves_are_nobody_elses_to_give_end_or_see(somebody: Somebody, session: Session, book: Book) -> None:
    elder, _, ask = a_pair(somebody, session, book)
    third, _ = somebody()
    (mandate,) = people.mandates(session, book.id, person_id=elder.id)
    mandate_id = mandate.id
    session.rollback()
    own = {"helper_handle": third.handle, "ends_on": UNTIL}
    for path, body in (("/mandates/mine", None), ("/mandates/own", own), (f"/mandates/{mandate_id}/end", {})):
        assert kind(ask(path, body, acting_for=elder.id)) == (403, "not-on-behalf"), path


def test_a_child_is_enrolled_with_a_guardian_who_acts_for_it(somebody: Somebody, session: Session, earning: Book) -> None:
    _, worker = somebody("grid_worker", area_code=GRID)
    parent, ask = somebody(area_code=GRID)
    child = {"name": "何子轩", "area_code": GRID, "birth_month": "2014-05"}
    assert kind(worker("/people", child)) == (409, "guardian-needed")
    made = worker("/people", child | {"guardian_id": str(parent.id)})
    assert made.status_code == 201
    child_id = made.get_json()["id"]
    assert ask("/claims", DEED, acting_for=child_id).get_json()["person_id"] == child_id
    assert kind(worker("/people", child | {"name": "何小轩", "guardian_id": child_id})) == (409, "guardian-unfit")


def test_a_child_whose_guardian_is_gone_waits_for_another(somebody: Somebody, session: Session, book: Book, client: FlaskClient) -> None:
    parent, ask = somebody()
    new = people.NewPerson("何子轩", GRID, birth_month="2014-05", guardian_id=parent.id)
    child = people.enrol(session, an_act(book), VAULT, new)
    assert isinstance(child, Person)
    (mandate,) = people.mandates(session, book.id, person_id=child.id)
    child_id, mandate_id = child.id, mandate.id
    assert mandate.ends_on == date(2028, 5, 31)
    session.commit()
    assert ask("/passbook", acting_for=child_id).status_code == 200
    assert ask(f"/mandates/{mandate_id}/end", {}).status_code == 200
    assert kind(ask("/passbook", acting_for=child_id)) == (403, "mandate-missing")


def test_a_claim_of_an_elder_is_never_attested_past_all_code_by_the_helper(somebody: Somebody, session: Session, earning: Book) -> None:
    elder, helper, ask = a_pair(somebody, session, earning)
    claim_id = UUID(ask("/claims", DEED, acting_for=elder.id).get_json()["id"])
    row = {"claim_id": claim_id, "number": 2, "act": "attest", "actor": helper.id, "decided_at": an_act(earning).at, "reason": None}
    with pytest.raises(DatabaseError, match=r"decision_not_(for|with)_(helped|kin)"):
        session.execute(Decision.__table__.insert().values(book_id=earning.id, **row))
    session.rollback()
    assert session.execute(select(Claim.state).where(Claim.book_id == earning.id)).scalars().all() == ["reported"]
