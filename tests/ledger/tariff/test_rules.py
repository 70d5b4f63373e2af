from __future__ import annotations

import csv
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refusal
from ledger.tariff.rules import CATEGORIES
from ledger.tariff.rules import COLUMNS
from ledger.tariff.rules import Done
from ledger.tariff.rules import Limit
from ledger.tariff.rules import deed_code
from ledger.tariff.rules import points_for
from ledger.tariff.rules import read_rows
from ledger.tariff.rules import within_caps
from tests.conftest import ROOT

DAY = date(2026, 11, 23)


def done(points: int = 10, minutes: int = 60, on: date = DAY, deed: str = "sweeping", **others: Any) -> Done:
    plain = {"category": "environmental_maintenance", "activity": None, "checked_in": False}
    return Done(deed=deed, on=on, points=points, minutes=minutes, **(plain | others))


def limit(period: str, measure: str, most: int, **others: Any) -> Limit:
    plain = {"category": None, "deed": None, "unless_checked_in": False, "valid_from": date(2026, 1, 1), "valid_to": None}
    return Limit(period=period, measure=measure, most=most, **(plain | others))


def left(new: Done, *limits: Limit, before: tuple[Done, ...] = (), unit: str = "hour") -> int | str:
    outcome = within_caps(new, unit, 10, before, limits)
    return outcome.code if isinstance(outcome, Refusal) else outcome.points


@pytest.mark.parametrize(
    ("unit", "minutes", "points"),
    [("hour", 60, 10), ("hour", 90, 15), ("hour", 59, 9), ("hour", 5, 0), ("hour", None, 0), ("deed", None, 10), ("activity", 5, 10)],
)
def test_hours_are_paid_by_the_minute_rounded_down_and_deeds_as_they_stand(unit: str, minutes: int | None, points: int) -> None:
    assert points_for(unit, 10, minutes) == points


def test_what_is_above_a_cap_is_cut_and_what_has_reached_it_is_refused() -> None:
    cap = limit("day", "points", 25)
    assert left(done(10), cap) == 10
    assert left(done(10), cap, before=(done(20),)) == 5
    assert left(done(10), cap, before=(done(25),)) == "cap-reached"
    assert left(done(10), cap, before=(done(90),)) == "cap-reached"


def test_minutes_are_cut_before_points() -> None:
    assert left(done(30, 180), limit("day", "points", 15), limit("day", "minutes", 120)) == 15
    assert left(done(30, 180), limit("day", "minutes", 120), limit("day", "points", 25)) == 20


def test_time_is_limited_only_where_it_is_paid_for() -> None:
    assert left(done(50, 300), limit("day", "minutes", 120), before=(done(50, 300),), unit="deed") == 50


@pytest.mark.parametrize(
    ("period", "other", "counts"),
    [
        ("day", DAY, True),
        ("day", DAY - timedelta(days=1), False),
        ("month", date(2026, 11, 1), True),
        ("month", date(2025, 11, 23), False),
        ("month", date(2026, 10, 31), False),
        ("year", date(2026, 1, 1), True),
        ("year", date(2025, 12, 31), False),
    ],
)
def test_a_period_is_that_of_the_calendar(period: str, other: date, counts: bool) -> None:
    assert left(done(10), limit(period, "points", 10), before=(done(10, on=other),)) == ("cap-reached" if counts else 10)


def test_a_cap_of_an_activity_counts_that_activity_alone() -> None:
    cap = limit("activity", "minutes", 120)
    assert left(done(20, 120, activity=1), cap, before=(done(20, 120, activity=2),)) == 20
    assert left(done(20, 120, activity=1), cap, before=(done(20, 120, activity=1, on=DAY - timedelta(days=1)),)) == "cap-reached"


def test_where_no_activity_is_named_the_same_deed_on_the_same_day_is_one() -> None:
    cap = limit("activity", "minutes", 120)
    assert left(done(20, 120), cap, before=(done(20, 120),)) == "cap-reached"
    assert left(done(20, 120), cap, before=(done(20, 120, deed="class"), done(20, 120, on=DAY - timedelta(days=1)))) == 20
    assert left(done(20, 120), cap, before=(done(20, 120, activity=1),)) == 20


def test_a_cap_on_unseen_time_neither_cuts_nor_counts_what_was_checked_in() -> None:
    cap = limit("day", "minutes", 120, unless_checked_in=True)
    assert left(done(50, 300, checked_in=True), cap) == 50
    assert left(done(20, 120), cap, before=(done(50, 300, checked_in=True),)) == 20


def test_a_cap_holds_from_its_first_day_to_its_last() -> None:
    cap = limit("day", "points", 1, valid_from=DAY, valid_to=DAY + timedelta(days=1))
    assert [left(done(10, on=DAY + timedelta(days=days)), cap) for days in (-1, 0, 1, 2)] == [10, 1, 1, 10]


def test_a_cap_of_none_refuses_everything() -> None:
    assert left(done(10), limit("year", "points", 0)) == "cap-reached"
    assert left(done(10), limit("year", "deeds", 0)) == "cap-reached"


@given(
    deeds=st.lists(st.tuples(st.integers(1, 100), st.integers(0, 3)), max_size=20),
    most=st.integers(0, 300),
    period=st.sampled_from(["day", "month", "year"]),
)
def test_no_order_of_deeds_earns_more_than_the_cap(deeds: list[tuple[int, int]], most: int, period: str) -> None:
    cap, before = limit(period, "points", most), list[Done]()
    for points, days in deeds:
        outcome = within_caps(done(points, 0, DAY - timedelta(days=days)), "deed", points, before, [cap])
        before += [] if isinstance(outcome, Refusal) else [outcome]
    by_period: dict[Any, int] = {}
    for one in before:
        key = one.on if period == "day" else one.on.year
        by_period[key] = by_period.get(key, 0) + one.points
    assert all(points <= most for points in by_period.values())
    assert all(one.points >= 1 for one in before)


def test_the_example_tariff_is_read_whole() -> None:
    with (ROOT / "examples" / "tariff.csv").open(encoding="utf-8") as file:
        read, faults = read_rows(csv.DictReader(file))
    assert (len(read), faults) == (17, [])
    assert {row.category for row in read} == {code for code, *_ in CATEGORIES}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("category", "sport"), ("deed", "？"), ("deed_zh", " "), ("unit", "week"), ("points", "0"), ("points", "-1"), ("points", "1.5"),
        ("points", "１０"), ("points", "1e3"), ("points", "9999999999999"), ("points", ""),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_line_and_column(column: str, value: str) -> None:
    good = dict(zip(COLUMNS, ("patrol", "evening patrol", "夜间巡逻", "deed", "50"), strict=True))
    read, faults = read_rows([good, good | {"deed": "another"} | {column: value}])
    assert [(fault.line, fault.column, fault.value) for fault in faults] == [(3, column, value.strip())]
    assert len(read) == 1


def test_a_deed_twice_in_a_table_is_named() -> None:
    good = dict(zip(COLUMNS, ("patrol", "evening patrol", "夜间巡逻", "deed", "50"), strict=True))
    assert [(fault.line, fault.column) for fault in read_rows([good, good | {"deed": "Evening-Patrol"}])[1]] == [(3, "deed")]


@pytest.mark.parametrize(("text", "code"), [("Evening patrol", "evening_patrol"), ("anti-fraud talk", "anti_fraud_talk"), ("巡逻", "")])
def test_a_deeds_code_comes_from_its_english_name(text: str, code: str) -> None:
    assert deed_code(text) == code
