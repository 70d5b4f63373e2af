from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import audit
from ledger.areas import Book
from ledger.audit import Entry
from ledger.audit import Wanted
from ledger.audit.model import AuditRecord
from ledger.ids import new_id
from tests.builders import a_book
from tests.conftest import START


@pytest.fixture
def book(session: Session) -> Book:
    return a_book(session, with_grids=False)


def at(minute: int) -> dict[str, object]:
    return {"at": START + timedelta(minutes=minute), "channel": "api", "act": "POST api_claims.approve", "outcome": "done"}


def minutes(found: object) -> list[int]:
    return [(line.at - START) // timedelta(minutes=1) for line in found]  # type: ignore[attr-defined]


def test_lines_are_found_by_who_what_when_and_what_came_of_it(session: Session, book: Book) -> None:
    one, other, claim = new_id(), new_id(), new_id()
    told = [
        Entry(**at(0) | {"actor": one, "about": claim}),
        Entry(**at(1) | {"actor": other, "acted_for": one, "outcome": "kin"}),
        Entry(**at(2) | {"actor": other, "act": "POST api_claims.refuse", "outcome": "not-found"}),
    ]
    audit.record(session, book.id, told)

    def found(**wanted: object) -> list[int]:
        return minutes(audit.records(session, book.id, Wanted(**wanted)))  # type: ignore[arg-type]

    assert found() == [2, 1, 0]
    assert found(actor=one) == [1, 0]
    assert found(about=claim) == [0]
    assert found(act="POST api_claims.refuse") == [2]
    assert found(outcome="refused") == [2, 1]
    assert found(outcome="kin") == [1]
    assert found(since=START + timedelta(minutes=1), until=START + timedelta(minutes=2)) == [1]


def test_lines_of_one_moment_are_paged_without_a_gap_or_a_repetition(session: Session, book: Book) -> None:
    audit.record(session, book.id, [Entry(**at(0)) for _ in range(7)])
    seen, after = [], None
    while lines := audit.records(session, book.id, Wanted(), after, limit=3):
        seen += [line.id for line in lines]
        after = lines[-1].at, lines[-1].id
    assert (len(seen), seen) == (7, sorted(seen, reverse=True))


def test_another_book_has_another_log(session: Session, book: Book) -> None:
    audit.record(session, book.id, [Entry(**at(0))])
    assert audit.records(session, new_id(), Wanted()) == []


@pytest.mark.parametrize("change", [update(AuditRecord).values(outcome="done"), delete(AuditRecord)])
def test_no_line_is_ever_changed_or_deleted(session: Session, book: Book, change: object) -> None:
    audit.record(session, book.id, [Entry(**at(0))])
    session.commit()
    with pytest.raises(DBAPIError):
        session.execute(change.where(AuditRecord.book_id == book.id))  # type: ignore[attr-defined]
