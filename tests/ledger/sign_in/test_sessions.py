from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.sign_in.model import Credential
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

HOUR = timedelta(hours=1)


def test_a_link_opens_one_session(session: Session) -> None:
    book = a_book(session)
    person = a_person(session, book)
    link = sign_in.issue_link(session, an_act(book), person.id, lives=HOUR)
    opened = sign_in.use_link(session, link, START)
    assert isinstance(opened, str)
    found = sign_in.recognise(session, opened, START)
    assert found is not None
    signed_in, _ = found
    assert (signed_in.book_id, signed_in.person_id, signed_in.kind, signed_in.book.number) == (book.id, person.id, "session", book.number)
    assert (signed_in.way, signed_in.proved_at) == ("link", START)
    assert sign_in.use_link(session, link, START) == Refusal("link-used", "token")


def test_a_link_is_no_session_and_a_session_no_link(session: Session) -> None:
    book = a_book(session)
    link = sign_in.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
    assert sign_in.recognise(session, link, START) is None
    opened = sign_in.use_link(session, link, START)
    assert isinstance(opened, str)
    assert sign_in.use_link(session, opened, START) == Refusal("link-unknown", "token")


def test_an_old_link_is_expired(session: Session) -> None:
    book = a_book(session)
    link = sign_in.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
    assert sign_in.use_link(session, link, START + HOUR) == Refusal("link-expired", "token")


@pytest.mark.parametrize("token", ["", "x", "1-", "1-AAAA", "99999-AAAA", "²-AAAA", "1" * 5000, "1-" + "A" * 500, "1-\0", "1-陈"])
def test_what_is_no_token_is_unknown(session: Session, token: str) -> None:
    a_book(session)
    assert sign_in.use_link(session, token, START) == Refusal("link-unknown", "token")
    assert sign_in.recognise(session, token, START) is None
    sign_in.sign_out(session, token, START)


def test_a_token_typed_by_hand_is_the_same(session: Session) -> None:
    book = a_book(session)
    token = sign_in.issue_bearer(session, an_act(book), [a_person(session, book).id], lives=HOUR)[0]
    assert sign_in.recognise(session, f" {token.lower()} ", START) is not None


#: Roles, way in, how long whether used or not, how long unused.
LIVES = [
    (("volunteer",), "link", timedelta(days=180), timedelta(days=60)),
    (("volunteer", "building_leader"), "link", timedelta(days=180), timedelta(days=60)),
    (("volunteer",), "passkey", timedelta(days=180), timedelta(days=60)),
    (("approver",), "password", timedelta(hours=12), timedelta(minutes=30)),
    (("administrator",), "passkey", timedelta(hours=12), timedelta(minutes=30)),
    (("approver",), "link", timedelta(hours=1), timedelta(minutes=15)),
    (("volunteer",), "card", timedelta(minutes=10), timedelta(minutes=3)),
    (("cashier",), "shift", timedelta(hours=12), timedelta(minutes=15)),
]


@pytest.mark.parametrize(("roles", "way", "absolute", "rests"), LIVES)
def test_a_session_ends_with_its_time_and_when_it_rests(
    session: Session, roles: tuple[str, ...], way: str, absolute: timedelta, rests: timedelta
) -> None:
    book, moment = a_book(session), timedelta(microseconds=1)
    token = sign_in.open_session(session, book, a_person(session, book, *roles).id, way, START)
    assert sign_in.recognise(session, token, START + rests) is not None
    assert sign_in.recognise(session, token, START + rests + timedelta(seconds=1)) is None
    at = START
    while at + rests < START + absolute:
        at += rests
        found = sign_in.recognise(session, token, at)
        assert found is not None
        sign_in.note_use(session, [found[0]], at)
    assert sign_in.recognise(session, token, START + absolute - moment) is not None
    assert sign_in.recognise(session, token, START + absolute) is None


def test_a_session_ends_with_signing_out(session: Session) -> None:
    book = a_book(session)
    opened = sign_in.open_session(session, book, a_person(session, book).id, "link", START)
    sign_in.sign_out(session, opened, START)
    assert sign_in.recognise(session, opened, START) is None


def test_a_proof_gives_the_session_another_token(session: Session) -> None:
    book = a_book(session)
    old = sign_in.open_session(session, book, a_person(session, book).id, "link", START)
    found = sign_in.recognise(session, old, START)
    assert found is not None
    new = sign_in.note_proof(session, found[0], START + HOUR)
    assert sign_in.recognise(session, old, START) is None
    proved = sign_in.recognise(session, new, START + HOUR)
    assert proved is not None
    assert (proved[0].id, proved[0].proved_at) == (found[0].id, START + HOUR)


def test_sessions_are_listed_and_ended_one_by_one(session: Session) -> None:
    book = a_book(session)
    mine, theirs = a_person(session, book).id, a_person(session, book).id
    first = sign_in.open_session(session, book, mine, "link", START)
    second = sign_in.open_session(session, book, mine, "passkey", START + timedelta(seconds=1))
    sign_in.open_session(session, book, theirs, "link", START)
    listed = sign_in.sessions_of(session, book.id, mine, START)
    assert [one.way for one in listed] == ["passkey", "link"]
    assert listed[1].id is not None
    with pytest.raises(NotFound):
        sign_in.end_session(session, an_act(book), theirs, listed[1].id)
    sign_in.end_session(session, an_act(book), mine, listed[1].id)
    assert sign_in.recognise(session, first, START) is None
    assert sign_in.recognise(session, second, START) is not None


def test_signing_out_everywhere_ends_all_of_ones_own(session: Session) -> None:
    book = a_book(session)
    one, other = a_person(session, book).id, a_person(session, book).id
    mine, theirs = sign_in.issue_bearer(session, an_act(book), [one, other], lives=HOUR)
    link = sign_in.issue_link(session, an_act(book), one, lives=HOUR)
    sign_in.sign_out_everywhere(session, an_act(book), one)
    assert sign_in.recognise(session, mine, START) is None
    assert sign_in.use_link(session, link, START) == Refusal("link-used", "token")
    assert sign_in.recognise(session, theirs, START) is not None


def test_two_thousand_tokens_take_a_few_statements(session: Session) -> None:
    book = a_book(session)
    ids = [a_person(session, book).id for _ in range(3)]
    tokens = sign_in.issue_bearer(session, an_act(book), ids * 700, lives=HOUR)
    assert len(set(tokens)) == 2100
    found = sign_in.recognise(session, tokens[4], START)
    assert found is not None
    assert found[0].person_id == ids[1]


def test_only_hashes_are_kept(session: Session) -> None:
    book = a_book(session)
    token = sign_in.issue_bearer(session, an_act(book), [a_person(session, book).id], lives=HOUR)[0]
    kept = session.execute(select(Credential.token_hash).where(Credential.book_id == book.id)).scalar_one()
    assert len(kept) == 32
    assert token.encode() not in kept


def test_nobody_unknown_gets_a_token(session: Session) -> None:
    book = a_book(session)
    with pytest.raises(NotFound):
        sign_in.issue_link(session, an_act(book), new_id(), lives=HOUR)


def test_of_many_uses_at_once_one_opens_a_session(database: Database) -> None:
    with Session(database.engine) as session:
        book = a_book(session)
        link = sign_in.issue_link(session, an_act(book), a_person(session, book).id, lives=HOUR)
        session.commit()
    together = Barrier(8)

    def use() -> str | Refusal:
        together.wait()
        with Session(database.engine) as own:
            answer = sign_in.use_link(own, link, START)
            own.commit()
            return answer

    with ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(use) for _ in range(8)]]
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert answers.count(Refusal("link-used", "token")) == 7
