from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.journal.model import Answer
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.conftest import HandClock
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind
from tests.web.pages.paired import a_card
from tests.web.pages.paired import with_pin


def test_a_cards_number_is_told_with_the_answer_and_kept_in_none(somebody: Somebody, session: Session, book: Book) -> None:
    person, _ = somebody()
    _, worker = somebody("grid_worker")
    issued = worker("/cards", {"person_id": str(person.id)}, key="once")
    assert issued.status_code == 201
    number = issued.get_json()["number"]
    assert people.is_card_number(number)
    assert worker("/cards", {"person_id": str(person.id)}, key="once").get_json() == issued.get_json()
    kept = [str(body) for body in session.scalars(select(Answer.body).where(Answer.book_id == book.id)) if body]
    session.rollback()
    assert any(str(person.id) in body for body in kept)
    assert not any(number in body for body in kept)


def test_a_cards_number_is_told_for_ten_minutes_and_never_again(somebody: Somebody, clock: HandClock) -> None:
    person, _ = somebody()
    _, worker = somebody("grid_worker")
    for path in ("/cards", "/cards/replace"):
        number = worker(path, {"person_id": str(person.id)}, key=path).get_json()["number"]
        clock.advance(minutes=10)
        assert worker(path, {"person_id": str(person.id)}, key=path).get_json()["number"] == number
        clock.advance(seconds=1)
        again = worker(path, {"person_id": str(person.id)}, key=path)
        assert (again.status_code, again.get_json()["number"]) == (201, None)


def test_a_card_that_is_replaced_or_revoked_takes_its_pin_with_it(somebody: Somebody, session: Session, book: Book) -> None:
    person, _ = somebody()
    myself, worker = somebody("grid_worker")
    for one in (person, myself):
        a_card(session, book, one.id)
    for path in ("/cards/replace", "/cards/revoke"):
        assert worker(f"/people/{person.id}/cards").get_json()["has_pin"] is True
        assert worker(path, {"person_id": str(person.id)}).status_code in {200, 201}
        assert worker(f"/people/{person.id}/cards").get_json()["has_pin"] is False
        with_pin(session, book, person.id)
        assert kind(worker(path, {"person_id": str(myself.id)})) == (403, "card-for-oneself")
    assert kind(worker("/cards/revoke", {"person_id": str(person.id)})) == (409, "card-none")
    assert sign_in.has_pin(session, book.id, person.id, "pin"), "what is refused ends nothing"
    assert sign_in.has_pin(session, book.id, myself.id, "pin")
    session.rollback()


def test_cards_are_listed_by_their_ends(somebody: Somebody) -> None:
    person, asked = somebody()
    _, worker = somebody("administrator")
    first = worker("/cards", {"person_id": str(person.id)}).get_json()
    second = worker("/cards/replace", {"person_id": str(person.id)}, key="replace")
    assert second.status_code == 201
    assert worker("/cards/replace", {"person_id": str(person.id)}, key="replace").get_json() == second.get_json()
    listed = worker(f"/people/{person.id}/cards").get_json()
    assert listed["has_pin"] is False
    assert {card["tail"] for card in listed["items"]} == {first["number"][-4:], second.get_json()["number"][-4:]}
    assert "number" not in str(listed)
    assert [card["revoked_at"] is None for card in listed["items"]].count(True) == 1
    assert kind(asked(f"/people/{person.id}/cards")) == (403, "not-allowed")


def test_a_revoked_card_is_none(somebody: Somebody) -> None:
    person, _ = somebody()
    _, worker = somebody("grid_worker")
    body = {"person_id": str(person.id)}
    assert kind(worker("/cards/revoke", body)) == (409, "card-none")
    assert kind(worker("/cards/replace", body)) == (409, "card-none")
    worker("/cards", body)
    assert kind(worker("/cards", body)) == (409, "card-there-already")
    assert worker("/cards/revoke", body).get_json()["revoked_at"]


def test_cards_are_given_within_ones_areas_and_to_others(somebody: Somebody) -> None:
    elsewhere, _ = somebody(area_code=OTHER_VILLAGE)
    myself, worker = somebody("grid_worker", area_code=VILLAGE)
    for path in ("/cards", "/cards/replace", "/cards/revoke"):
        assert kind(worker(path, {"person_id": str(elsewhere.id)})) == (404, "not-found")
        assert kind(worker(path, {"person_id": str(myself.id)})) == (403, "card-for-oneself")
    assert kind(worker(f"/people/{elsewhere.id}/handle", {})) == (404, "not-found")
    assert kind(worker(f"/people/{elsewhere.id}/cards")) == (404, "not-found")


def test_a_passbook_number_is_replaced(somebody: Somebody) -> None:
    person, _ = somebody()
    _, worker = somebody("grid_worker")
    replaced = worker(f"/people/{person.id}/handle", {}).get_json()
    assert (replaced["id"], replaced["handle"] == person.handle) == (str(person.id), False)
    assert worker(f"/people?handle={person.handle}").get_json()["items"] == []
    assert worker(f"/people?handle={replaced['handle']}").get_json()["items"][0]["id"] == str(person.id)
