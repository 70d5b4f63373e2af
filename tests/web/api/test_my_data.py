from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.ids import new_id
from ledger.people import Person
from redeem import codes
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import a_person
from tests.builders import agreed
from tests.builders import an_act
from tests.builders import give_points
from tests.conftest import START
from tests.conftest import HandClock
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import asking
from tests.web.api.conftest import kind

AsPerson = Callable[[Person], Ask]


def test_people_take_along_everything_that_is_kept_of_them(session: Session, earning: Book, somebody: Somebody) -> None:
    person, own = somebody(name="李桂荣", phone="13811112222", area_code=GRID)
    _, worker = somebody("grid_worker", area_code=GRID)
    other, _ = somebody()
    deed = {"deed": "patrol", "deed_on": "2026-11-23", "place": "3栋", "text": "夜里巡逻"}
    claim = own("/claims", deed).get_json()["id"]
    assert worker("/claims/refuse", {"ids": [claim], "reason": "not-done", "note": "没有人看见"}).get_json()["items"][0]["ok"]
    assert worker(f"/people/{person.id}/openings", {"reason": "claim-check"}).status_code == 201
    assert worker(f"/people/{person.id}/corrections", {"field": "phone", "text": "13933334444"}).status_code == 201
    give_points(session, earning, person, 30)
    tie = {"person_id": str(person.id), "other_id": str(other.id), "kind": "kin"}
    _, registrar = somebody("grid_worker")
    assert registrar("/ties", tie | {"label": "女儿"}).get_json() == tie
    card = people.issue_card(session, an_act(earning), person.id)
    assert isinstance(card, people.Card)
    number = card.number
    codes.add_device(session, VAULT, person, START)
    session.commit()
    told = own("/me/export").get_json()
    assert told["person"]["handle"] == person.handle
    assert told["fields"] == {"name": "李桂荣", "phone": "13933334444"}
    assert [(line["kind"], line["amount"], line["after"]) for line in told["passbook"]["lines"]] == [("award", 30, 30)]
    (shown,) = told["claims"]
    assert (shown["place"], shown["text"], shown["state"]) == ("3栋", "夜里巡逻", "refused")
    assert [(one["act"], one["reason"], one["note"]) for one in shown["decisions"]][-1] == ("refuse", "not-done", "没有人看见")
    assert [(one["kind"], one["label"], one["other"]) for one in told["ties"]] == [("kin", "女儿", other.handle[-4:])]
    assert [one["number"] for one in told["cards"]] == [number]
    assert [one["role"] for one in told["roles"]] == ["volunteer"]
    assert [one["kind"] for one in told["sessions"]] == ["bearer"]
    assert len(told["pay_devices"]) == 1
    (opening,) = told["openings"]
    assert (opening["reason"], opening["by"]["roles"], opening["opened_at"]) == ("claim-check", ["grid_worker"], START.isoformat())
    (correction,) = told["corrections"]
    assert (correction["field"], correction["was"], correction["by"]["roles"]) == ("phone", "13811112222", ["grid_worker"])


def test_an_export_of_somebody_new_is_empty_and_whole(somebody: Somebody) -> None:
    _, own = somebody()
    told = own("/me/export").get_json()
    assert told["passbook"] == {"balance": 0, "held": 0, "expiring": 0, "lines": []}
    assert all(told[name] == [] for name in ("claims", "hours", "redemptions", "ties", "mandates", "openings", "corrections", "cards"))


def test_export_correction_and_erasure_want_a_fresh_proof(session: Session, book: Book, client: FlaskClient) -> None:
    person = a_person(session, book)
    token = sign_in.issue_bearer(session, an_act(book), [person.id], lives=timedelta(days=1), scopes=["volunteer"])[0]
    session.commit()
    ask = asking(client, token)
    assert kind(ask("/me/export")) == (403, "proof-needed")
    assert kind(ask("/me/corrections", {"field": "phone", "text": "13933334444"})) == (403, "proof-needed")
    assert kind(ask("/me/erasure", {"sure": "yes"})) == (403, "proof-needed")


def test_people_put_their_own_phone_right_and_see_what_stood_there(somebody: Somebody) -> None:
    _, own = somebody(phone="13811112222")
    made = own("/me/corrections", {"field": "phone", "text": "13933334444"})
    assert (made.status_code, made.get_json().keys()) == (201, {"id", "field", "corrected_at"})
    told = own("/me/export").get_json()
    assert told["fields"]["phone"] == "13933334444"
    assert [(one["was"], one["by"]["is_own"]) for one in told["corrections"]] == [("13811112222", True)]
    assert own("/me/corrections", {"field": "name", "text": "李四"}).status_code == 422


def for_person(client: FlaskClient, session: Session, book: Book, helper: Person, person: Person) -> Callable[..., tuple[int, str]]:
    """A way to ask on somebody's behalf, and get the status and the code of the problem."""
    token = sign_in.issue_bearer(session, an_act(book), [helper.id], lives=timedelta(days=1))[0]
    session.commit()
    headers = {"Authorization": f"Bearer {token}", "Acting-For": str(person.id)}

    def ask(path: str, body: dict[str, str] | None = None) -> tuple[int, str]:
        sent = client.get if body is None else client.post
        more = {} if body is None else {"json": body}
        response = sent(f"/api/v1{path}", headers=headers | {"Idempotency-Key": str(new_id())}, **more)
        return kind(response) if response.status_code >= 400 else (response.status_code, "")

    return ask


def test_a_guardian_takes_along_what_is_kept_of_a_child_and_a_helper_does_not(
    session: Session, book: Book, client: FlaskClient
) -> None:  # fmt: skip
    guardian, helper = a_person(session, book), a_person(session, book)
    child = a_person(session, book, name="小明", birth_month="2016-03", guardian_id=guardian.id)
    new = people.NewMandate(child.id, helper.id, "helper", START.date(), START.date() + timedelta(days=30))
    given = people.give_mandate(session, an_act(book), VAULT, new)
    assert isinstance(given, people.Mandate)
    agreed(session, book, given)
    helping = for_person(client, session, book, helper, child)
    assert helping("/me/export") == (403, "not-on-behalf")
    assert helping("/me/corrections", {"field": "phone", "text": "13933334444"}) == (403, "not-on-behalf")
    assert helping("/me/erasure", {"sure": "yes"}) == (403, "not-on-behalf")
    guarding = for_person(client, session, book, guardian, child)
    assert guarding("/me/export") == (200, "")
    assert guarding("/me/erasure", {"sure": "yes"}) == (403, "erasure-of-child-by-staff")
    assert people.person(session, book.id, child.id).status == "active"
    assert people.person(session, book.id, guardian.id).status == "active"


def test_whoever_is_erased_is_signed_out_and_their_points_go_to_everybody(
    session: Session, earning: Book, somebody: Somebody, clock: HandClock
) -> None:  # fmt: skip
    person, own = somebody(phone="13811112222", area_code=GRID)
    give_points(session, earning, person, 30)
    codes.add_device(session, VAULT, person, START)
    session.commit()
    claim = own("/claims", {"deed": "patrol", "deed_on": "2026-11-23", "place": "3栋"}).get_json()["id"]
    answered = own("/me/erasure", {"sure": "yes"})
    assert (answered.status_code, answered.get_json().keys()) == (201, {"erased_at"})
    assert own("/me").status_code == 401
    account = journal.account_of(session, earning.id, "passbook", person.id)
    assert journal.balance_of(session, earning.id, account, START).balance == 0
    assert journal.history(session, earning.id, account)[0].kind == "donation"
    pool = journal.account_of(session, earning.id, "donated", earning.id)
    assert journal.sum_of(session, earning.id, pool) == 30
    assert codes.devices_of(session, earning.id, person.id) == []
    session.rollback()
    _, admin = somebody("administrator")
    assert admin(f"/claims/{claim}").get_json()["state"] == "withdrawn"
    assert admin(f"/people/{person.id}").get_json()["status"] == "left"
    assert journal.verify(session, earning.id, clock.now()) == []


def test_points_on_their_way_come_first(earning: Book, somebody: Somebody) -> None:
    _, own = somebody(area_code=GRID)
    _, worker = somebody("grid_worker", area_code=GRID)
    _, approver = somebody("approver", area_code=GRID)
    _, second = somebody("approver", area_code=GRID)
    claim = own("/claims", {"deed": "rescue", "deed_on": "2026-11-23", "place": "河边", "text": "救人"}).get_json()["id"]
    assert worker("/claims/attest", {"ids": [claim]}).get_json()["items"][0]["ok"]
    for ask in (approver, second):
        assert ask("/claims/approve", {"ids": [claim]}).get_json()["items"][0]["ok"]
    assert own(f"/claims/{claim}").get_json()["state"] == "on_notice"
    assert kind(own("/me/erasure", {"sure": "yes"})) == (409, "points-on-the-way")
    assert own("/me").status_code == 200


def test_an_administrator_erases_whoever_asked_in_their_areas_and_never_themselves(somebody: Somebody) -> None:
    (administrator, admin), (_, colleague) = somebody("administrator"), somebody("administrator")
    _, far_admin = somebody("administrator", area_code=OTHER_VILLAGE)
    _, worker = somebody("grid_worker")
    person, _ = somebody(area_code=GRID)
    assert worker(f"/people/{person.id}/erasure", {"sure": "yes"}).status_code == 403
    assert kind(far_admin(f"/people/{person.id}/erasure", {"sure": "yes"})) == (404, "not-found")
    assert kind(admin(f"/people/{administrator.id}/erasure", {"sure": "yes"})) == (403, "erasure-by-another")
    assert admin(f"/people/{person.id}/erasure", {}).status_code == 422
    assert colleague(f"/people/{person.id}/erasure", {"sure": "yes"}).get_json()["erased_at"] is None
    erased = admin(f"/people/{person.id}/erasure", {"sure": "yes"}, key="once")
    assert (erased.status_code, erased.get_json()["person_id"]) == (201, str(person.id))
    assert admin(f"/people/{person.id}/erasure", {"sure": "yes"}, key="once").get_json() == erased.get_json()
    assert kind(admin(f"/people/{person.id}/erasure", {"sure": "yes"})) == (409, "person-left")
