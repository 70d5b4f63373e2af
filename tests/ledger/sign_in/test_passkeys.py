from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from ledger.areas import Book
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.sign_in import Site
from ledger.sign_in import factors_of
from ledger.sign_in import passkeys
from ledger.sign_in.model import Passkey
from tests.authenticator import Authenticator
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START

SITE = Site("localhost", "http://localhost:8000", "善行存折", (bytes(range(32)),))
MINUTE = timedelta(minutes=1)


def asked_to_make(session: Session, book: Book, person_id: UUID) -> str:
    return passkeys.registration_options(SITE, book, person_id, "陈桂芳", factors_of(session, book.id, person_id).passkeys, START)


def registered(session: Session, book: Book, person_id: UUID, phone: Authenticator, site: Site = SITE) -> Passkey | Refusal:
    answer = phone.make(asked_to_make(session, book, person_id))
    return kept(session, book, person_id, answer, site)


def kept(session: Session, book: Book, person_id: UUID, answer: str, site: Site = SITE) -> Passkey | Refusal:
    has = factors_of(session, book.id, person_id).passkeys
    return passkeys.register(session, an_act(book), site, person_id, answer=answer, name="我的手机", has=has)


def test_a_passkey_signs_in_without_anybody_saying_who_they_are(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    person = a_person(session, book).id
    assert isinstance(registered(session, book, person, phone), Passkey)
    found = passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START)
    assert found is not None
    assert (found.book.id, found.person_id) == (book.id, person)
    assert passkeys.use(session, found, START)


def test_any_device_may_make_one_that_is_found_by_itself_and_asks_for_its_owner(session: Session) -> None:
    book = a_book(session)
    asked = json.loads(asked_to_make(session, book, a_person(session, book).id))
    wanted = asked["authenticatorSelection"]
    assert (wanted["residentKey"], wanted["requireResidentKey"], wanted["userVerification"]) == ("required", True, "required")
    assert "authenticatorAttachment" not in wanted
    assert asked["rp"]["id"] == "localhost"
    assert json.loads(passkeys.sign_in_options(SITE, START))["userVerification"] == "required"
    assert json.loads(passkeys.sign_in_options(SITE, START))["allowCredentials"] == []


def test_a_passkey_that_is_there_is_not_made_twice(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    person = a_person(session, book).id
    registered(session, book, person, phone)
    (excluded,) = json.loads(asked_to_make(session, book, person))["excludeCredentials"]
    answer = phone.make(asked_to_make(session, book, person))
    assert isinstance(kept(session, book, person, answer), Passkey)
    assert kept(session, book, person, answer) == Refusal("passkey-not-made", "answer")
    assert len(factors_of(session, book.id, person).passkeys) == 2
    assert excluded["id"]


def test_there_are_ten_passkeys_at_most(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    person = a_person(session, book).id
    outcomes = [registered(session, book, person, phone) for _ in range(11)]
    assert [isinstance(outcome, Passkey) for outcome in outcomes] == [True] * 10 + [False]
    assert outcomes[-1] == Refusal("passkeys-too-many", None, {"most": 10})


@pytest.mark.parametrize(
    "phone",
    [
        Authenticator(origin="https://evil.example"),
        Authenticator(origin="http://localhost:8001"),
        Authenticator(host="evil.example"),
        Authenticator(verifies=False),
    ],
)
def test_what_another_site_or_nobodys_finger_answered_holds_nowhere(session: Session, phone: Authenticator) -> None:
    book, good = a_book(session), Authenticator()
    person = a_person(session, book).id
    assert registered(session, book, person, phone) == Refusal("passkey-not-made", "answer")
    registered(session, book, person, good)
    phone.kept = good.kept
    assert passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START) is None


def test_a_challenge_is_good_for_five_minutes_and_once(session: Session) -> None:
    book, phone = a_book(session), Authenticator(counts=False)
    person = a_person(session, book).id
    registered(session, book, person, phone)
    answer = phone.answer(passkeys.sign_in_options(SITE, START))
    assert passkeys.answered(session, SITE, answer, START + 5 * MINUTE) is not None
    assert passkeys.answered(session, SITE, answer, START + 5 * MINUTE + timedelta(seconds=1)) is None
    assert passkeys.answered(session, SITE, answer, START - timedelta(seconds=1)) is None
    found = passkeys.answered(session, SITE, answer, START)
    assert found is not None
    assert [passkeys.use(session, found, START) for _ in range(2)] == [True, False]


def test_a_challenge_is_for_one_purpose_and_of_this_service(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    person, other = a_person(session, book).id, a_person(session, book).id
    registered(session, book, person, phone)
    has = factors_of(session, book.id, person).passkeys
    prover = (book.number, person)
    proof = passkeys.proof_options(SITE, person, has, START)
    elsewhere = replace(SITE, keys=(bytes(range(1, 33)),))
    assert passkeys.answered(session, SITE, phone.answer(proof), START) is None
    assert passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START, prover=prover) is None
    assert passkeys.answered(session, SITE, phone.answer(passkeys.proof_options(SITE, other, has, START)), START, prover=prover) is None
    assert passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(elsewhere, START)), START) is None
    made_for_other = phone.make(asked_to_make(session, book, other))
    assert kept(session, book, person, made_for_other) == Refusal("passkey-not-made", "answer")
    assert passkeys.answered(session, SITE, phone.answer(proof, which=0), START, prover=prover) is not None


def test_a_challenge_of_the_key_before_is_good_while_keys_change(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    registered(session, book, a_person(session, book).id, phone)
    changed = replace(SITE, keys=(bytes(range(1, 33)), *SITE.keys))
    assert passkeys.answered(session, changed, phone.answer(passkeys.sign_in_options(SITE, START)), START) is not None


def test_a_passkey_that_counts_backwards_is_a_copy(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    registered(session, book, a_person(session, book).id, phone)
    outcomes = []
    for count in (6, 4, 6, 7):
        phone.kept[0].count = count - 1
        found = passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START)
        outcomes.append(found is not None and passkeys.use(session, found, START))
    assert outcomes == [True, False, False, True]


def test_one_that_is_not_known_and_one_of_somebody_else_are_nobodys(session: Session) -> None:
    book, phone, unknown = a_book(session), Authenticator(), Authenticator()
    person, other = a_person(session, book).id, a_person(session, book).id
    registered(session, book, person, phone)
    unknown.make(asked_to_make(session, book, person))
    assert passkeys.answered(session, SITE, unknown.answer(passkeys.sign_in_options(SITE, START)), START) is None
    phone.kept[0].user_handle = passkeys.user_handle(book.number, other)
    assert passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START) is None
    phone.kept[0].user_handle = passkeys.user_handle(book.number + 1, person)
    assert passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START) is None


@pytest.mark.parametrize("answer", ["", "x", "[]", "{}", "1", "null", '{"id": "x"}', "[" * 10_000, '"' + "x" * 30_000 + '"'])
def test_what_is_no_answer_is_nobodys(session: Session, answer: str) -> None:
    book = a_book(session)
    person = a_person(session, book).id
    assert passkeys.answered(session, SITE, answer, START) is None
    assert kept(session, book, person, answer) == Refusal("passkey-not-made", "answer")


def test_an_answer_with_a_part_changed_is_nobodys(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    registered(session, book, a_person(session, book).id, phone)
    good = json.loads(phone.answer(passkeys.sign_in_options(SITE, START)))
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        for value in ("", "AAAA", good["response"][part][:-4] + "AAAA", None, 1):
            changed = good | {"response": good["response"] | {part: value}}
            assert passkeys.answered(session, SITE, json.dumps(changed), START) is None
    assert passkeys.answered(session, SITE, json.dumps(good), START) is not None


def test_a_passkey_is_renamed_and_removed_by_its_owner_alone(session: Session) -> None:
    book, phone = a_book(session), Authenticator()
    person, other = a_person(session, book).id, a_person(session, book).id
    made = registered(session, book, person, phone)
    assert isinstance(made, Passkey)
    credential_id = made.credential_id
    for do in (
        lambda: passkeys.rename(session, an_act(book), other, credential_id, "x"),
        lambda: passkeys.remove(session, an_act(book), other, credential_id),
    ):
        with pytest.raises(NotFound):
            do()
    passkeys.rename(session, an_act(book), person, credential_id, "旧手机")
    session.expire_all()
    assert [one.name for one in factors_of(session, book.id, person).passkeys] == ["旧手机"]
    passkeys.remove(session, an_act(book), person, credential_id)
    assert factors_of(session, book.id, person).passkeys == []
    assert passkeys.answered(session, SITE, phone.answer(passkeys.sign_in_options(SITE, START)), START) is None
