from __future__ import annotations

import csv
from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import tariff
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.tariff.model import Cap
from tests.builders import a_book
from tests.builders import an_act
from tests.conftest import ROOT
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def rate(points: int, **others: Any) -> tariff.RateRow:
    plain = {"category": "patrol", "deed": "patrol", "name_zh": "巡逻", "name_en": "patrol", "unit": "deed"}
    return tariff.RateRow(**(plain | others), points=points)


def define(community: Community, points: int, valid_from: date, **others: Any) -> Any:
    outcome = tariff.define_rate(community.session, an_act(community.book), rate(points, **others), valid_from=valid_from)
    return outcome.code if isinstance(outcome, Refusal) else outcome


def points_on(community: Community, day: date, deed: str = "patrol") -> int | None:
    found = tariff.rate_for(community.session, community.book.id, deed, day)
    return found.points if found else None


def test_a_new_price_holds_from_its_day_and_the_old_one_until_the_day_before(community: Community) -> None:
    define(community, 80, TODAY)
    assert [points_on(community, TODAY + timedelta(days=days)) for days in (-1, 0, 1)] == [50, 80, 80]


@pytest.mark.parametrize("days", [0, 1, 400])
def test_a_price_does_not_begin_before_the_last_one(community: Community, days: int) -> None:
    define(community, 80, TODAY)
    assert define(community, 90, TODAY - timedelta(days=days)) == "rate-not-after-the-last"
    assert points_on(community, TODAY) == 80


def test_a_deed_without_a_price_that_day_has_none(community: Community) -> None:
    assert points_on(community, date(2024, 12, 31)) is None
    assert points_on(community, TODAY, "singing") is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"category": "sport"}, "category"),
        ({"unit": "week"}, "unit"),
        ({"points": 0}, "points"),
        ({"points": -1}, "points"),
        ({"points": True}, "points"),
        ({"points": 2**63}, "points"),
        ({"points": 1.5}, "points"),
    ],
)
def test_what_cannot_be_a_price_is_an_error(community: Community, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as problem:
        tariff.define_rate(community.session, an_act(community.book), rate(1)._replace(**changed), valid_from=TODAY)
    assert problem.value.field == field


def test_two_prices_at_once_follow_each_other(community: Community, database: Database) -> None:
    community.session.commit()
    works = [lambda session, day=day: define(Community(session, community.book), 60, day) for day in (TODAY, TODAY + timedelta(days=10))]
    outcomes = at_once(database, *works)
    assert all(points_on(community, TODAY + timedelta(days=days)) in {50, 60} for days in range(-1, 15))
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] in ([], ["rate-not-after-the-last"])


def test_a_price_of_another_book_is_not_touched(community: Community) -> None:
    other = a_community(community.session)
    define(community, 80, TODAY)
    assert points_on(other, TODAY) == 50


def test_a_book_begins_with_eight_categories_and_the_caps_on_what_nobody_saw(session: Session) -> None:
    book = a_book(session)
    for _ in range(2):
        tariff.define_categories(session, an_act(book))
    found = tariff.categories(session, book.id)
    assert len(found) == 8
    assert [one.code for one in found if one.always_two] == ["outstanding_contribution"]
    assert [one.code for one in found if one.without_text] == ["dispute_mediation"]
    caps = [(cap.period, cap.measure, cap.most, cap.unless_checked_in) for cap in tariff.limits(session, book.id)]
    assert caps == [("activity", "minutes", 120, True), ("activity", "deeds", 5, True)]


def test_a_tariff_imported_twice_is_there_once_and_a_bad_one_not_at_all(session: Session) -> None:
    book = a_book(session)
    with (ROOT / "examples" / "tariff.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bad = tariff.import_tariff(session, an_act(book), [*rows, rows[0]], valid_from=TODAY)
    assert (bad.added, [(fault.line, fault.column) for fault in bad.faults]) == (0, [(19, "deed")])
    assert tariff.rates_on(session, book.id, TODAY) == []
    first = tariff.import_tariff(session, an_act(book), rows, valid_from=TODAY)
    second = tariff.import_tariff(session, an_act(book), rows, valid_from=TODAY)
    assert ((first.added, first.changed, first.unchanged), (second.added, second.changed, second.unchanged)) == ((17, 0, 0), (0, 0, 17))
    rows[0] = rows[0] | {"points": "12"}
    third = tariff.import_tariff(session, an_act(book), rows, valid_from=TODAY + timedelta(days=1))
    assert (third.added, third.changed, third.unchanged) == (0, 1, 16)


def test_a_new_cap_takes_the_place_of_the_same_cap_before_it(community: Community) -> None:
    volunteer = community.person()
    community.cap("day", "deeds", 1, deed="patrol")
    raised = tariff.define_cap(
        community.session, an_act(community.book), period="day", measure="deeds", most=2, valid_from=TODAY, deed="patrol"
    )
    assert isinstance(raised, Cap)
    assert [isinstance(community.report(volunteer), str) for _ in range(3)] == [False, False, True]
    before = [isinstance(community.report(volunteer, deed_on=TODAY - timedelta(days=1)), str) for _ in range(2)]
    assert before == [False, True]
    again = tariff.define_cap(
        community.session, an_act(community.book), period="day", measure="deeds", most=3, valid_from=TODAY, deed="patrol"
    )
    assert getattr(again, "code", None) == "cap-not-after-the-last"
    wanted = select(Cap).where(Cap.book_id == community.book.id, Cap.deed == "patrol").order_by(Cap.valid_from)
    assert [(cap.most, cap.valid_to) for cap in community.session.execute(wanted).scalars()] == [(1, TODAY - timedelta(days=1)), (2, None)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"period": "week"}, "period"),
        ({"measure": "steps"}, "measure"),
        ({"most": -1}, "most"),
        ({"most": 2**63}, "most"),
        ({"most": True}, "most"),
        ({"category": "sport"}, "category"),
        ({"deed": "singing"}, "deed"),
    ],
)
def test_what_cannot_be_a_cap_is_an_error(community: Community, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as problem:
        community.cap(**({"period": "day", "measure": "points", "most": 1} | changed))
    assert problem.value.field == field
