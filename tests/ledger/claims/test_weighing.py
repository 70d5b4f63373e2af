from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.orm import Session

from ledger import areas
from ledger import claims
from ledger.claims import Reach
from ledger.claims import Record
from ledger.claims.rules import Seen
from ledger.claims.rules import looks_told_twice
from ledger.people import Person
from tests.builders import VAULT
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community

NINE = datetime(2026, 11, 23, 1, tzinfo=UTC)
EVERYTHING = Reach(areas.EVERYWHERE)


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        (Seen(TODAY, None, None, ""), Seen(TODAY, None, None, ""), True),
        (Seen(TODAY, None, None, "1幢"), Seen(TODAY, None, None, "2幢"), True),
        (Seen(TODAY, NINE, 60, ""), Seen(TODAY, NINE + timedelta(minutes=30), 60, ""), True),
        (Seen(TODAY, NINE, 60, ""), Seen(TODAY, NINE + timedelta(minutes=60), 60, ""), False),
        (Seen(TODAY, NINE, 60, ""), Seen(TODAY, NINE + timedelta(hours=5), None, ""), True),
        (Seen(TODAY, None, None, "1幢"), Seen(TODAY - timedelta(days=3), None, None, "1幢"), True),
        (Seen(TODAY, None, None, "1幢"), Seen(TODAY - timedelta(days=4), None, None, "1幢"), False),
        (Seen(TODAY, None, None, "1幢"), Seen(TODAY - timedelta(days=1), None, None, "2幢"), False),
        (Seen(TODAY, None, None, ""), Seen(TODAY - timedelta(days=1), None, None, ""), False),
    ],
)
def test_a_deed_looks_told_twice_by_its_day_and_time_or_by_its_place_within_three_days(one: Seen, other: Seen, is_alike: bool) -> None:
    assert (looks_told_twice(one, other), looks_told_twice(other, one)) == (is_alike, is_alike)


def test_only_the_same_deed_of_the_same_person_that_was_not_turned_down_may_be_told_twice(community: Community) -> None:
    worker, one, other = (community.person(*roles) for roles in (("grid_worker",), (), ()))
    approver = community.person("approver")
    asked = community.propose(worker, one, "patrol", place="1幢")
    near = community.propose(worker, one, "patrol", TODAY - timedelta(days=2), place="1幢")
    community.propose(worker, one, "meals", TODAY, place="1幢")
    community.propose(worker, other, "patrol", TODAY, place="1幢")
    gone = community.propose(worker, one, "patrol", TODAY - timedelta(days=1), place="1幢")
    community.turn_down("refuse", approver, gone)
    rows = claims.among(community.session, community.book.id, [asked], EVERYTHING)
    (found,) = claims.told_twice(community.session, VAULT, community.book.id, rows)[asked]
    assert (found.id, found.deed_on, found.state, found.place) == (near, TODAY - timedelta(days=2), "attested", "1幢")


def test_whoever_must_stand_aside_is_told_before_they_try(community: Community) -> None:
    worker, friend, mother, son = (community.person(*roles) for roles in (("grid_worker",), (), (), ("approver",)))
    first, second, third = (community.person("approver") for _ in range(3))
    community.tie(mother, son)
    community.tie(first, third)
    half, hers, his = community.propose(worker, friend, "honour"), community.propose(worker, mother), community.propose(worker, son)
    community.approve(first, half)
    rows = claims.among(community.session, community.book.id, [half, hers, his], EVERYTHING)

    def aside(who: Person) -> dict[UUID, str]:
        return claims.standing_aside(community.session, community.book.id, rows, who.id)

    assert aside(son) == {hers: "kin-or-household", his: "own-deed"}
    assert aside(worker) == dict.fromkeys((half, hers, his), "acted-before")
    assert aside(first) == {half: "acted-before"}
    assert aside(third) == {half: "kin-acted-before"}
    assert aside(second) == {}


def test_a_record_counts_this_month_and_this_year_and_what_was_turned_down(community: Community) -> None:
    worker, approver, one, team_member = (community.person(*roles) for roles in (("grid_worker",), ("approver",), (), ()))
    team = community.team(team_member)
    for day in (TODAY, TODAY - timedelta(days=1), TODAY - timedelta(days=40), TODAY - timedelta(days=350)):
        community.propose(worker, one, "patrol", day)
    community.turn_down("return", approver, community.propose(worker, one, "meals", TODAY - timedelta(days=60)))
    community.propose(worker, team, "meals")
    idle = community.person()
    found = claims.records_this_year(community.session, community.book.id, {one.id, team, idle.id}, TODAY)
    assert found == {one.id: Record(2, 100, 3, 150, 1), team: Record(1, 150, 1, 150, 0), idle.id: Record()}


def test_the_last_deed_of_each_is_the_latest_that_counts(community: Community) -> None:
    worker, approver, one, idle = (community.person(*roles) for roles in (("grid_worker",), ("approver",), (), ()))
    community.propose(worker, one, "patrol", TODAY - timedelta(days=9))
    last = community.propose(worker, one, "meals", TODAY - timedelta(days=2))
    community.turn_down("refuse", approver, community.propose(worker, one, "patrol", TODAY))
    found = claims.last_deeds(community.session, community.book.id, [one.id, idle.id])
    assert {person_id: row.id for person_id, row in found.items()} == {one.id: last}


def test_what_waits_is_counted_without_what_one_has_approved_and_no_further_than_asked(community: Community) -> None:
    worker, first, second = community.person("grid_worker"), community.person("approver"), community.person("approver")
    half = community.propose(worker, community.person(), "honour")
    for _ in range(3):
        community.propose(worker, community.person())
    community.approve(first, half)

    count = partial(claims.waiting, community.session, community.book.id, EVERYTHING, ["attested"], most=100)
    assert (count(), count(halfway=True), count(halfway=False), count(most=2)) == (4, 1, 3, 2)
    assert (count(halfway=True, but_by=first.id), count(halfway=True, but_by=second.id)) == (0, 1)


def test_a_long_queue_is_weighed_in_as_many_statements_as_a_short_one(community: Community) -> None:
    worker, approver = community.person("grid_worker"), community.person("approver")
    for _ in range(25):
        person = community.person()
        for deed in ("patrol", "meals"):
            community.propose(worker, person, deed)

    def statements(limit: int) -> int:
        session, book_id = community.session, community.book.id
        rows = claims.queue(session, book_id, EVERYTHING, ["attested"], limit=limit)
        with counted() as made:
            claims.standing_aside(session, book_id, rows, approver.id)
            claims.told_twice(session, VAULT, book_id, rows)
            claims.records_this_year(session, book_id, {claims.owner_of(row.claim) for row in rows}, TODAY)
        return len(made)

    assert statements(2) == statements(50)


@contextmanager
def counted() -> Iterator[list[str]]:
    made: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)
