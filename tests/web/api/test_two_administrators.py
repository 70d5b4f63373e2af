"""What one administrator does not do alone, and what nobody does of those who work here but their own administrators."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.areas import Book
from ledger.errors import Refusal
from redeem import merchants
from tests.builders import COUNTY
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_shop
from tests.builders import an_act
from tests.conftest import START
from tests.web.api.conftest import Ask
from tests.web.api.conftest import Somebody
from tests.web.api.conftest import kind

TODAY = START.date()


def tied(session: Session, book: Book, one: people.Person, other: people.Person, how: str) -> None:
    assert people.tie(session, an_act(book), one.id, other.id, how) is None
    session.commit()


def roles_of(ask: Ask) -> list[str]:
    return sorted(role["role"] for role in ask("/me").get_json()["roles"])


def test_a_strong_role_holds_once_another_administrator_has_confirmed_it(session: Session, book: Book, somebody: Somebody) -> None:
    (_, first), (_, other), (own, theirs) = somebody("administrator"), somebody("administrator"), somebody("volunteer")
    kin, (_, elsewhere) = somebody("administrator"), somebody("administrator", area_code=COUNTY)
    tied(session, book, own, kin[0], "kin")
    given = first("/grants", {"person_id": str(own.id), "role": "approver", "area_code": VILLAGE}).get_json()
    assert (given["waits"], roles_of(theirs)) == (True, ["volunteer"])
    confirm = f"/grants/{given['id']}/confirm"
    for ask in (first, kin[1]):
        assert kind(ask(confirm, {})) == (403, "role-takes-two")
    assert theirs(confirm, {}).status_code == 403
    assert other(confirm, {}).get_json()["waits"] is False
    assert roles_of(theirs) == ["approver", "volunteer"]
    assert kind(elsewhere(confirm, {})) == (409, "role-confirmed-already")


def test_a_plain_role_holds_at_once(somebody: Somebody) -> None:
    (_, ask), (own, theirs) = somebody("administrator"), somebody("volunteer")
    assert ask("/grants", {"person_id": str(own.id), "role": "building_leader", "area_code": VILLAGE}).get_json()["waits"] is False
    assert roles_of(theirs) == ["building_leader", "volunteer"]


def test_nobody_gives_a_role_to_their_own(session: Session, book: Book, somebody: Somebody) -> None:
    (admin, ask), (husband, _), (second, _) = somebody("administrator"), somebody("volunteer"), somebody("volunteer")
    tied(session, book, admin, husband, "kin")
    tied(session, book, admin, second, "same")
    for person in (husband, second):
        for role in ("approver", "building_leader"):
            assert kind(ask("/grants", {"person_id": str(person.id), "role": role, "area_code": VILLAGE})) == (403, "role-for-own")


def test_a_link_for_staff_is_asked_for_by_one_and_handed_out_by_another(session: Session, book: Book, somebody: Somebody) -> None:
    (_, first), (_, second), (approver, theirs) = somebody("administrator"), somebody("administrator"), somebody("approver")
    asked = first(f"/people/{approver.id}/sign-in-links", {"anew": True}, key="one").get_json()
    assert asked["link"] is None
    assert theirs("/me").status_code == 200
    confirm = f"/sign-in-links/{asked['id']}/confirm"
    assert kind(first(confirm, {})) == (403, "way-in-takes-two")
    token = sign_in.link_token(session, VAULT, book.id, UUID(asked["id"]))
    assert sign_in.use_link(session, token, START) == Refusal("link-unknown", "token")
    session.rollback()
    assert second(confirm, {}).get_json()["link"].endswith(token)
    assert first(f"/people/{approver.id}/sign-in-links", {"anew": True}, key="one").get_json()["link"] is None
    assert theirs("/me").status_code == 401
    assert kind(second(confirm, {})) == (409, "way-in-decided-already")
    assert isinstance(sign_in.use_link(session, token, START), str)


def test_a_link_for_a_shops_owner_takes_two_and_none_of_a_worker(session: Session, book: Book, somebody: Somebody) -> None:
    (_, worker), (_, admin) = somebody("grid_worker"), somebody("administrator")
    shop = a_shop(session, book)
    session.commit()
    assert kind(worker(f"/people/{shop.owner.id}/sign-in-links", {})) == (403, "way-in-of-staff")
    assert admin(f"/people/{shop.owner.id}/sign-in-links", {}).get_json()["link"] is None


def test_a_link_for_whoever_bears_witness_is_an_administrators(somebody: Somebody) -> None:
    (_, worker), (_, admin) = somebody("grid_worker"), somebody("administrator")
    for role in ("building_leader", "activity_host"):
        witness, _ = somebody(role, "volunteer")
        assert kind(worker(f"/people/{witness.id}/sign-in-links", {})) == (403, "way-in-of-staff")
        assert admin(f"/people/{witness.id}/sign-in-links", {}).get_json()["link"]


def test_nobody_rotates_somebody_elses_token_that_acts_in_their_name(somebody: Somebody) -> None:
    (_, first), (other, theirs) = somebody("administrator"), somebody("administrator", "approver")
    tokens = {"person_id": str(other.id), "name": "自己用", "days": 90}
    own = theirs("/tokens", tokens | {"scopes": ["approver", "unattended"]}).get_json()
    assert kind(first(f"/tokens/{own['id']}/rotate", {"days": 90})) == (403, "token-for-oneself-only")
    assert theirs(f"/tokens/{own['id']}/rotate", {"days": 90}).get_json()["token"]


def test_no_token_reaches_out_of_the_areas_of_whoever_makes_it(session: Session, book: Book, somebody: Somebody) -> None:
    (_, ask), (resident, _) = somebody("administrator"), somebody("volunteer")
    (_, wide) = somebody("administrator", area_code=COUNTY)
    given = people.grant_role(
        session, an_act(book), person_id=resident.id, role="resident_supervisor", area_code=COUNTY, starts_on=TODAY
    )  # fmt: skip
    assert isinstance(given, people.Grant)
    session.commit()
    made = {"person_id": str(resident.id), "name": "查看", "scopes": ["resident_supervisor"], "days": 90}
    assert kind(ask("/tokens", made)) == (403, "token-beyond-areas")
    token = wide("/tokens", made).get_json()
    assert kind(ask(f"/tokens/{token['id']}/rotate", {"days": 90})) == (403, "token-beyond-areas")


def test_what_is_kept_of_staff_is_changed_by_an_administrator_of_all_their_areas(
    session: Session, book: Book, somebody: Somebody
) -> None:  # fmt: skip
    (_, worker), (admin, theirs), (_, other) = somebody("grid_worker"), somebody("administrator"), somebody("administrator")
    shop = a_shop(session, book)
    session.commit()
    for person in (admin, shop.owner):
        assert kind(worker(f"/people/{person.id}/corrections", {"field": "note", "text": "x"})) == (403, "data-of-staff")
        assert kind(worker(f"/people/{person.id}/handle", {})) == (403, "data-of-staff")
        assert kind(other(f"/people/{person.id}/corrections", {"field": "birth_month", "text": "2020-01"})) == (409, "staff-of-age")
        assert other(f"/people/{person.id}/handle", {}).status_code == 200
    assert theirs("/me").status_code == 200


def test_an_administrator_erases_only_whom_another_asked_to_erase(session: Session, book: Book, somebody: Somebody) -> None:
    (first_one, first), (_, second), (person, _) = somebody("administrator"), somebody("administrator"), somebody("volunteer")
    (kin, near) = somebody("administrator")
    tied(session, book, first_one, kin, "kin")
    erasure = f"/people/{person.id}/erasure"
    assert first(erasure, {"sure": "yes"}).get_json()["erased_at"] is None
    for ask in (first, near):
        assert kind(ask(erasure, {"sure": "yes"})) == (403, "erasure-takes-two")
    assert second(erasure, {"sure": "yes"}).get_json()["erased_at"] is not None


def test_no_administrator_ends_the_role_of_a_resident_supervisor(somebody: Somebody) -> None:
    (_, ask), (resident, _) = somebody("administrator"), somebody("resident_supervisor")
    (given,) = ask(f"/people/{resident.id}/grants").get_json()["items"]
    assert kind(ask(f"/grants/{given['id']}/end", {"ends_on": "2026-11-30"})) == (403, "supervisor-by-operator")


def test_two_grid_workers_merge_no_shops_owner(session: Session, book: Book, somebody: Somebody) -> None:
    (_, worker), (kept, _) = somebody("grid_worker"), somebody("volunteer")
    shop = a_shop(session, book)
    session.commit()
    assert kind(worker("/merges", {"kept_id": str(kept.id), "gone_id": str(shop.owner.id)})) == (403, "merge-of-staff")


def test_a_session_of_a_shops_owner_lasts_as_long_as_those_of_staff(session: Session, book: Book) -> None:
    shop = a_shop(session, book)

    def powers_of(current: Session, book_id: object, person_id: object, on: object) -> list[people.Power]:
        return merchants.powers_of(current, shop.owner.book_id, shop.owner.id, TODAY)

    token = sign_in.open_session(session, book, shop.owner.id, "passkey", START, powers_of=powers_of)
    assert sign_in.recognise(session, token, START + timedelta(minutes=29)) is not None
    assert sign_in.recognise(session, token, START + timedelta(minutes=31)) is None


def test_a_session_from_before_somebody_was_staff_gives_no_strong_role_for_longer() -> None:
    held = [people.Power("volunteer", "1/"), people.Power("approver", "1/"), people.Power("shop_owner", "1/")]
    assert sign_in.held_in("passkey", held, timedelta(hours=12)) == held
    assert sign_in.held_in("passkey", held, timedelta(hours=13)) == held[:1]
