from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import people
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people.model import Credential
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

HOUR = timedelta(hours=1)


def test_a_link_opens_one_session(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    link = people.issue_link(session, an_act(book), person.id, lives=HOUR)
    opened = people.use_link(session, link, START)
    assert isinstance(opened, str)
    found = people.recognise(session, opened, START)
    assert found is not None
    assert (found.book_id, found.person_id, found.kind, found.book.number) == (book.id, person.id, "session", book.number)
    assert people.use_link(session, link, START) == Refusal("link-used", "token")


def test_a_link_is_no_session_and_a_session_no_link(session: Session) -> None:
    book = a_book(session)
    link = people.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
    assert people.recognise(session, link, START) is None
    opened = people.use_link(session, link, START)
    assert isinstance(opened, str)
    assert people.use_link(session, opened, START) == Refusal("link-unknown", "token")


def test_an_old_link_is_expired(session: Session) -> None:
    book = a_book(session)
    link = people.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
    assert people.use_link(session, link, START + HOUR) == Refusal("link-expired", "token")


@pytest.mark.parametrize("token", ["", "x", "1-", "1-AAAA", "99999-AAAA", "²-AAAA", "1" * 5000, "1-" + "A" * 500, "1-\0", "1-陈"])
def test_what_is_no_token_is_unknown(session: Session, token: str) -> None:
    a_book(session)
    assert people.use_link(session, token, START) == Refusal("link-unknown", "token")
    assert people.recognise(session, token, START) is None
    people.sign_out(session, token, START)


def test_a_token_typed_by_hand_is_the_same(session: Session) -> None:
    book = a_book(session)
    token = people.issue_bearer(session, an_act(book), [a_person(session, book).id], lives=HOUR)[0]
    assert people.recognise(session, f" {token.lower()} ", START) is not None


def test_a_session_ends_with_its_time_and_with_signing_out(session: Session) -> None:
    book = a_book(session)
    link = people.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
    opened = people.use_link(session, link, START, lives=HOUR)
    assert isinstance(opened, str)
    assert people.recognise(session, opened, START + HOUR - timedelta(microseconds=1)) is not None
    assert people.recognise(session, opened, START + HOUR) is None
    people.sign_out(session, opened, START)
    assert people.recognise(session, opened, START) is None


def test_signing_out_everywhere_ends_all_of_ones_own(session: Session) -> None:
    book = a_book(session)
    one, other = a_person(session, book).id, a_person(session, book).id
    mine, theirs = people.issue_bearer(session, an_act(book), [one, other], lives=HOUR)
    link = people.issue_link(session, an_act(book), one, lives=HOUR)
    people.sign_out_everywhere(session, an_act(book), one)
    assert people.recognise(session, mine, START) is None
    assert people.use_link(session, link, START) == Refusal("link-used", "token")
    assert people.recognise(session, theirs, START) is not None


def test_two_thousand_tokens_take_a_few_statements(session: Session) -> None:
    book = a_book(session)
    ids = [a_person(session, book).id for _ in range(3)]
    tokens = people.issue_bearer(session, an_act(book), ids * 700, lives=HOUR)
    assert len(set(tokens)) == 2100
    found = people.recognise(session, tokens[4], START)
    assert found is not None
    assert found.person_id == ids[1]


def test_only_hashes_are_kept(session: Session) -> None:
    book = a_book(session)
    token = people.issue_bearer(session, an_act(book), [a_person(session, book).id], lives=HOUR)[0]
    kept = session.execute(select(Credential.token_hash).where(Credential.book_id == book.id)).scalar_one()
    assert len(kept) == 32
    assert token.encode() not in kept


def test_nobody_unknown_gets_a_token(session: Session) -> None:
    book = a_book(session)
    with pytest.raises(NotFound):
        people.issue_link(session, an_act(book), new_id(), lives=HOUR)


def test_of_many_uses_at_once_one_opens_a_session(database: Database) -> None:
    with Session(database.engine) as session:
        book = a_book(session)
        link = people.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
        session.commit()
    together = Barrier(8)

    def use() -> str | Refusal:
        together.wait()
        with Session(database.engine) as own:
            answer = people.use_link(own, link, START)
            own.commit()
            return answer

    with ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(use) for _ in range(8)]]
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert answers.count(Refusal("link-used", "token")) == 7
