"""Expiry without lots equals lots: points that run out, soonest first, replayed slowly without what was voided."""

from __future__ import annotations

from collections import defaultdict
from collections import deque
from datetime import UTC
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from ledger import journal
from tests.books import Desk
from tests.books import open_desk
from tests.conftest import Database

steps = st.one_of(
    st.tuples(st.just("award"), st.integers(1, 100)),
    st.tuples(st.just("spend"), st.integers(1, 150)),
    st.tuples(st.just("void"), st.integers(0, 4), st.integers(1, 100)),
)
years = st.lists(st.lists(steps, max_size=5), min_size=2, max_size=6)


class Lots:
    """The slow model: a queue of (year earned, points), the oldest spent first; a year's lots end with the next year."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def expired_by(self, year: int) -> int:
        """Return what has run out once `year` has begun, of a history in which what was voided never happened."""
        lots: deque[list[int]] = deque()
        expired, at = 0, 0
        for when, kind, points in [*self.events, (year, "close", 0)]:
            if when > at:
                while lots and lots[0][0] + 1 < when:
                    expired += lots.popleft()[1]
                at = when
            if kind == "award":
                lots.append([when, points])
            while kind == "spend" and points:
                taken = min(points, lots[0][1])
                lots[0][1] -= taken
                points -= taken  # noqa: PLW2901
                if not lots[0][1]:
                    lots.popleft()
        return expired


@given(history=years)
def test_points_run_out_as_lots_would(database: Database, history: Any) -> None:
    with Session(database.engine) as session:
        desk, lots = open_desk(session), Lots()
        desk.clock.moment = datetime(2025, 3, 1, tzinfo=UTC)
        desk.budget(100_000)
        for offset, chosen in enumerate(history):
            desk.clock.moment = datetime(2025 + offset, 3, 1, tzinfo=UTC)
            live_year(desk, lots, 2025 + offset, chosen)
            assert ran_out(desk) == lots.expired_by(2025 + offset)
        assert desk.faults() == []


def live_year(desk: Desk, lots: Lots, year: int, chosen: list[Any]) -> None:
    """Do the steps of a year in the book and in the model. A spend is voided in its own year only, and vanishes from the model."""
    desk.close_year()
    spends: list[tuple[UUID, int, int]] = []
    for step in chosen:
        desk.clock.advance(days=1)
        match step:
            case ("award", points):
                desk.award("li", points)
                lots.events.append((year, "award", points))
            case ("spend", points):
                (outcome,) = desk.post([desk.spend("li", points)])
                if isinstance(outcome, journal.Posted):
                    spends.append((outcome.entry_id, len(lots.events), points))
                    lots.events.append((year, "spend", points))
            case ("void", back, points) if len(spends) > back:
                entry_id, place, _ = spends[-1 - back]
                left = lots.events[place][2]
                (outcome,) = desk.post([desk.reverse(entry_id, points)])
                assert isinstance(outcome, journal.Posted) == (points <= left)
                if points <= left:
                    lots.events[place] = (year, "spend", left - points)


def ran_out(desk: Desk) -> int:
    return sum(-line.amount for line in desk.lines("li") if line.kind == "expiry")


def test_redeem_and_void_each_december_does_not_keep_points_alive(database: Database) -> None:
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.clock.moment = datetime(2025, 6, 1, tzinfo=UTC)
        desk.budget(1000)
        desk.award("li", 100)
        for year in (2025, 2026):
            desk.clock.moment = datetime(year, 12, 20, tzinfo=UTC)
            (spent,) = desk.post([desk.spend("li", 100)])
            assert isinstance(spent, journal.Posted)
            desk.post([desk.reverse(spent.entry_id, 100)])
        desk.clock.moment = datetime(2027, 1, 1, tzinfo=UTC)
        desk.close_year()
        assert desk.balance("li").available == 0
        assert desk.faults() == []


def test_what_a_void_brings_back_after_its_year_has_closed_lives_to_the_end_of_the_current_one(database: Database) -> None:
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.clock.moment = datetime(2025, 6, 1, tzinfo=UTC)
        desk.budget(1000)
        desk.award("li", 100)
        desk.clock.moment = datetime(2026, 12, 31, tzinfo=UTC)
        (spent,) = desk.post([desk.spend("li", 100)])
        assert isinstance(spent, journal.Posted)
        desk.clock.moment = datetime(2027, 1, 2, tzinfo=UTC)
        desk.post([desk.reverse(spent.entry_id, 100)])
        assert desk.balance("li").available == 100
        desk.clock.moment = datetime(2028, 1, 2, tzinfo=UTC)
        assert desk.balance("li").available == 0


GIVING = st.one_of(
    st.tuples(st.just("award"), st.sampled_from(("li", "wang")), st.integers(1, 100)),
    st.tuples(st.just("spend"), st.sampled_from(("li", "wang")), st.integers(1, 100)),
    st.tuples(st.just("gift"), st.sampled_from((("li", "wang"), ("wang", "li"))), st.integers(1, 100)),
)


@given(history=st.lists(st.lists(GIVING, max_size=6), min_size=2, max_size=6))
def test_points_given_away_keep_their_year_and_nobody_keeps_more_than_the_living_years_earned(database: Database, history: Any) -> None:
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.clock.moment = datetime(2025, 3, 1, tzinfo=UTC)
        desk.budget(100_000)
        earned = {name: defaultdict[int, int](int) for name in ("li", "wang")}
        for year, chosen in enumerate(history, 2025):
            desk.clock.moment = datetime(year, 3, 1, tzinfo=UTC)
            desk.close_year()
            for step in chosen:
                desk.clock.advance(days=1)
                match step:
                    case ("award", name, points):
                        desk.award(name, points)
                        earned[name][year] += points
                    case ("spend", name, points):
                        desk.post([desk.spend(name, points)])
                    case ("gift", (giver, taker), points):
                        give_away(desk, earned, giver, taker, points, year)
            for name, by_year in earned.items():
                assert desk.balance(name).balance <= by_year[year - 1] + by_year[year]
            living = sum(
                line.amount for name in earned for line in desk.all_lines(name) if line.kind == "award" and line.deed_on.year >= year - 1
            )
            assert sum(desk.balance(name).balance for name in earned) <= living
        assert desk.faults() == []


def give_away(desk: Desk, earned: Any, giver: str, taker: str, points: int, year: int) -> None:
    """Give points away, the oldest first, by one entry for each year they were earned in."""
    left = min(points, desk.balance(giver).available)
    for term in (year - 1, year):
        if moved := min(left, earned[giver][term]):
            (outcome,) = desk.post([desk.transfer(giver, taker, moved, "gift", term=term)])
            assert isinstance(outcome, journal.Posted)
            earned[giver][term] -= moved
            earned[taker][term] += moved
            left -= moved
