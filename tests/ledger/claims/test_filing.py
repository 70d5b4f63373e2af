from __future__ import annotations

from datetime import date
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import claims
from ledger import tariff
from ledger.claims import Claim
from ledger.claims import Reach
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.store import Base
from tests.builders import VAULT
from tests.builders import an_act
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once

BEGAN = timedelta(hours=-8)


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def points_of(community: Community, *outcomes: Any) -> list[Any]:
    return [outcome if isinstance(outcome, str) else community.claim(outcome).points for outcome in outcomes]


def test_unseen_time_counts_two_hours_a_day_on_one_deed(community: Community) -> None:
    volunteer = community.person()
    outcomes = [community.report(volunteer, "sweeping", minutes=minutes) for minutes in (90, 60, 60)]
    assert points_of(community, *outcomes) == [15, 5, "cap-reached"]
    assert community.claim(outcomes[1]).minutes == 60, "the hours that were served stay"
    assert points_of(community, community.report(volunteer, "class", minutes=60)) == [20]
    assert points_of(community, community.report(volunteer, "sweeping", TODAY - timedelta(days=1), minutes=60)) == [10]


def test_what_was_checked_out_is_not_cut_to_two_hours(community: Community) -> None:
    host, volunteer = community.person("activity_host"), community.person()
    activity = community.activity(host, minutes=300)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=300)
    _, claim = community.check_out(activity, volunteer)
    assert claim.points == 50


@pytest.mark.parametrize(
    ("period", "apart"),
    [("day", timedelta(days=1)), ("month", timedelta(days=31)), ("year", timedelta(days=330))],
)
def test_a_cap_counts_within_its_period(community: Community, period: str, apart: timedelta) -> None:
    volunteer = community.person()
    community.cap(period, "points", 120)
    outcomes = [community.report(volunteer) for _ in range(4)]
    assert points_of(community, *outcomes) == [50, 50, 20, "cap-reached"]
    assert points_of(community, community.report(volunteer, deed_on=TODAY - apart)) == [50]


def test_a_cap_of_a_category_or_a_deed_leaves_the_others_alone(community: Community) -> None:
    volunteer = community.person()
    community.cap("year", "points", 60, category="patrol")
    community.cap("year", "deeds", 1, deed="meals")
    outcomes = [community.report(volunteer, deed) for deed in ("patrol", "patrol", "patrol", "meals", "meals", "rescue")]
    assert points_of(community, *outcomes) == [50, 10, "cap-reached", 150, "cap-reached", 300]


def test_what_is_back_dated_across_the_year_counts_in_the_year_of_the_deed(community: Community) -> None:
    volunteer = community.person()
    community.cap("year", "deeds", 1, deed="patrol")
    community.at += timedelta(days=45)
    outcomes = [community.report(volunteer, deed_on=day) for day in (date(2026, 12, 31), date(2027, 1, 1), date(2026, 12, 30))]
    assert points_of(community, *outcomes) == [50, 50, "cap-reached"]


@pytest.mark.parametrize("step", ["refuse", "return", "withdraw"])
def test_what_is_turned_down_gives_its_cap_back(community: Community, step: str) -> None:
    volunteer, leader = community.person(), community.person()
    community.cap("day", "deeds", 1, deed="patrol")
    claim_id = community.report(volunteer)
    assert community.report(volunteer) == "cap-reached"
    if step == "withdraw":
        assert community.withdraw(volunteer, claim_id) == "withdrawn"
    else:
        community.turn_down(step, leader, claim_id)
    assert points_of(community, community.report(volunteer)) == [50]


def test_told_anew_a_claim_meets_the_caps_again(community: Community) -> None:
    volunteer, leader = community.person(), community.person()
    community.cap("day", "deeds", 1, deed="patrol")
    claim_id = community.report(volunteer)
    community.turn_down("return", leader, claim_id)
    community.report(volunteer)
    assert community.resubmit(volunteer, claim_id) == "cap-reached"
    assert community.claim(claim_id).state == "returned"


def test_two_claims_at_once_do_not_exceed_a_cap(community: Community, database: Database) -> None:
    volunteer = community.person()
    community.cap("day", "points", 70)
    community.session.commit()
    works = [lambda session: Community(session, community.book).report(volunteer)] * 3
    outcomes = at_once(database, *works)
    assert sorted(map(str, points_of(community, *outcomes))) == ["20", "50", "cap-reached"]


def test_two_claims_of_a_team_at_once_do_not_exceed_a_cap(community: Community, database: Database) -> None:
    worker, team = community.person(), community.team(community.person())
    community.cap("day", "points", 70)
    community.session.commit()
    works = [lambda session: Community(session, community.book).propose(worker, team)] * 3
    outcomes = at_once(database, *works)
    assert sorted(map(str, points_of(community, *outcomes))) == ["20", "50", "cap-reached"]


def test_nobody_reports_two_deeds_at_one_time(community: Community, database: Database) -> None:
    volunteer = community.person()
    began = community.at + BEGAN
    community.session.commit()
    works = [lambda session: Community(session, community.book).report(volunteer, starts_at=began, minutes=60)] * 2
    outcomes = at_once(database, *works)
    assert outcomes.count("in-two-places") == 1
    assert community.report(volunteer, starts_at=began + timedelta(minutes=59), minutes=60) == "in-two-places"
    assert community.report(volunteer, starts_at=began + timedelta(minutes=60), minutes=60) != "in-two-places"


def test_a_day_has_twenty_four_hours(community: Community) -> None:
    volunteer = community.person()
    assert points_of(community, community.report(volunteer, minutes=1400)) == [50]
    assert community.report(volunteer, minutes=60) == "in-two-places"
    assert points_of(community, community.report(volunteer, minutes=40)) == [50]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"deed_on": TODAY + timedelta(days=1)}, "deed_on"),
        ({"deed_on": TODAY - timedelta(days=367)}, "deed_on"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": -1}, "minutes"),
        ({"minutes": 1441}, "minutes"),
        ({"place": "长" * 201}, "place"),
        ({"text": "长" * 501}, "text"),
        ({"place": "\0"}, "place"),
        ({"starts_at": timedelta(minutes=-30), "minutes": 60}, "starts_at"),
        ({"starts_at": timedelta(minutes=1)}, "starts_at"),
        ({"starts_at": timedelta(days=-1)}, "starts_at"),
    ],
)
def test_what_cannot_be_a_deed_is_an_error(community: Community, changed: dict[str, Any], field: str) -> None:
    if "starts_at" in changed:
        changed = changed | {"starts_at": community.at + changed["starts_at"]}
    with pytest.raises(Invalid) as problem:
        community.report(community.person(), **changed)
    assert problem.value.field == field


@pytest.mark.parametrize(
    ("deed", "others", "code"),
    [
        ("singing", {}, "deed-not-in-tariff"),
        ("patrol", {"deed_on": date(2025, 12, 1)}, "deed-not-in-tariff"),
        ("sweeping", {}, "minutes-missing"),
        ("sweeping", {"minutes": 5}, "too-short-to-count"),
    ],
)
def test_what_the_tariff_does_not_pay_is_refused(
    community: Community, owner: Engine, deed: str, others: dict[str, Any], code: str
) -> None:  # fmt: skip
    this = (tariff.Rate.book_id == community.book.id, tariff.Rate.deed == "patrol")
    community.session.commit()
    with owner.begin() as connection:
        connection.execute(update(tariff.Rate).where(*this).values(valid_from=date(2026, 1, 1)))
    community.session.expire_all()
    assert community.report(community.person(), deed, **others) == code


def test_a_deed_keeps_the_rate_of_its_day(community: Community) -> None:
    volunteer, worker, approver = (community.person() for _ in range(3))
    claim_id = community.propose(worker, volunteer)
    new = tariff.RateRow("patrol", "patrol", "patrol", "patrol", "deed", 80)
    tariff.define_rate(community.session, an_act(community.book), new, valid_from=TODAY + timedelta(days=1))
    community.at += timedelta(days=1)
    late = community.propose(worker, volunteer)
    today = community.propose(worker, volunteer, deed_on=TODAY + timedelta(days=1))
    community.approve(approver, claim_id)
    assert points_of(community, claim_id, late, today) == [50, 50, 80]
    assert community.balance(volunteer) == 50


def test_of_a_mediation_there_are_the_mediator_and_the_place_and_never_the_parties(community: Community) -> None:
    mediator = community.person()
    assert community.report(mediator, "tea_house", text="张三和李四") == "deed-told-without-text"
    claim_id = community.report(mediator, "tea_house", place="茶馆调解室")
    assert community.place_of(claim_id) == "茶馆调解室"


def test_what_is_told_is_sealed_and_goes_when_it_is_told_anew_without(community: Community) -> None:
    volunteer, leader, worker = (community.person() for _ in range(3))
    own = community.report(volunteer, text="替王奶奶买药", place="3栋502王奶奶家")
    teams = community.propose(worker, community.team(volunteer), text="给李爷爷送饭", place="1栋李爷爷家")

    def told() -> list[claims.Telling]:
        rows = [community.claim(claim_id) for claim_id in (own, teams)]
        found = claims.told_of(community.session, VAULT, community.book.id, rows)
        return [found[own], found[teams]]

    assert told() == [claims.Telling("3栋502王奶奶家", "替王奶奶买药"), claims.Telling("1栋李爷爷家", "给李爷爷送饭")]
    community.turn_down("return", leader, own, teams)
    community.resubmit(volunteer, own, place="")
    community.resubmit(worker, teams, place="")
    assert told() == [claims.Telling(), claims.Telling()]


def test_where_a_deed_was_done_stands_in_no_table_as_text(community: Community) -> None:
    community.report(community.person(), "sweeping", minutes=60, place="3栋502王奶奶家")
    tables = [table for table in Base.metadata.sorted_tables if "book_id" in table.c]
    held = {
        table.name: [
            str(value) for row in community.session.execute(select(table).where(table.c.book_id == community.book.id)) for value in row
        ]
        for table in tables
    }
    assert held["claim"]
    assert not [name for name, values in held.items() if any("王奶奶" in value for value in values)]


def test_deeds_are_proposed_only_within_reach(community: Community) -> None:
    leader, mine, theirs, far = (community.person() for _ in range(4))
    charges = Reach(charges=frozenset([mine.id]))
    assert isinstance(community.propose_all(leader, [community.told(person_id=mine.id)], reach=charges)[0], type(mine.id))
    for other in (theirs, far):
        with pytest.raises(NotFound):
            community.propose_all(leader, [community.told(person_id=other.id)], reach=charges)
    with pytest.raises(NotFound):
        community.propose_all(leader, [community.told(team_id=community.team(theirs))], reach=charges)


def test_a_person_or_team_of_another_book_is_not_found(community: Community) -> None:
    other = a_community(community.session)
    worker = community.person()
    for owner in (other.person(), other.team(other.person())):
        with pytest.raises(NotFound):
            community.propose(worker, owner)


def test_honour_hours_come_with_the_approval(community: Community) -> None:
    volunteer, leader, approver = (community.person() for _ in range(3))
    claim_id = community.report(volunteer, "sweeping", minutes=180)
    community.attest(leader, claim_id)
    assert community.hours(volunteer) == (0, 0)
    community.approve(approver, claim_id)
    assert (community.hours(volunteer), community.balance(volunteer)) == ((0, 180), 20)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["sweeping", "class", "patrol", "meals"]),
        st.integers(0, 40),
        st.integers(1, 300),
        st.one_of(st.none(), st.integers(0, 20)),
    ),
    max_size=8,
)


@given(deeds=DEEDS)
def test_a_set_of_deeds_earns_what_they_earn_one_by_one(session: Session, deeds: list[tuple[str, int, int, int | None]]) -> None:
    session.rollback()
    community = a_community(session, with_fund=False)
    for period, measure, most, others in (
        ("day", "points", 60, {}),
        ("month", "minutes", 400, {"unless_checked_in": True}),
        ("year", "deeds", 5, {"category": "patrol"}),
    ):
        community.cap(period, measure, most, **others)
    worker, alone, together = (community.person() for _ in range(3))

    def told(owner: Any, deed: tuple[str, int, int, int | None]) -> claims.NewDeed:
        name, days, minutes, hour = deed
        began = None if hour is None else community.at - timedelta(days=days, hours=-hour + 9)
        began = began if began and began + timedelta(minutes=minutes) <= community.at else None
        day = TODAY - timedelta(days=days)
        began = began if began and (began + timedelta(hours=8)).date() == day else None
        return community.told(name, day, minutes=minutes, starts_at=began, person_id=owner.id, place="3栋")

    one_by_one = [community.propose_all(worker, [told(alone, deed)])[0] for deed in deeds]
    at_a_time = community.propose_all(worker, [told(together, deed) for deed in deeds])

    def worth(outcomes: list[Any]) -> list[Any]:
        found = [outcome if isinstance(outcome, str) else community.claim(outcome) for outcome in outcomes]
        return [one if isinstance(one, str) else (one.points, one.minutes) for one in found]

    assert worth(at_a_time) == worth(one_by_one)


def test_a_claim_begins_as_it_was_told(community: Community) -> None:
    volunteer = community.person()
    claim = claims.report(community.session, community.act(volunteer), VAULT, community.told("sweeping", minutes=90, place=" 3栋 "))
    assert isinstance(claim, Claim)
    assert (claim.state, claim.source, claim.reporter_id, claim.person_id) == ("reported", "volunteer", volunteer.id, volunteer.id)
    assert (claim.minutes, claim.points, claim.area_code) == (90, 15, volunteer.area_code)
    assert community.place_of(claim.id) == "3栋"


SAME = {"deed": "patrol", "minutes": 60, "place": "3栋"}


def test_what_was_told_already_is_not_told_again_whoever_tells_it(community: Community) -> None:
    volunteer, worker, began = community.person(), community.person(), community.at + BEGAN
    team = community.team(volunteer)
    told = {"minutes": 60, "place": "3栋", "starts_at": began}
    assert community.report(volunteer, place="3栋") != "deed-told-already"
    assert community.report(volunteer, place=" 3栋 ") == "deed-told-already"
    assert community.propose(worker, volunteer, place="3栋") == "deed-told-already"
    assert community.report(volunteer, **told) != "deed-told-already"
    assert community.propose(worker, volunteer, **told) == "deed-told-already"
    others = [community.told(person_id=volunteer.id, place=place) for place in ("5栋", "5栋", "3栋")]
    assert community.propose_all(worker, others)[1:] == ["deed-told-already"] * 2
    assert [community.propose(worker, team, place="3栋") for _ in range(2)][1] == "deed-told-already"


@pytest.mark.parametrize(
    "other", [{"deed": "meals"}, {"deed_on": TODAY - timedelta(days=1)}, {"minutes": 59}, {"place": ""}, {"starts_at": BEGAN}]
)  # fmt: skip
def test_what_differs_in_one_thing_is_another_deed(community: Community, other: dict[str, Any]) -> None:
    volunteer = community.person()
    community.report(volunteer, **SAME)
    told = {name: community.at + value if name == "starts_at" else value for name, value in other.items()}
    assert community.report(volunteer, **(SAME | told)) != "deed-told-already"
    assert community.report(community.person(), **SAME) != "deed-told-already"


@pytest.mark.parametrize("step", ["refuse", "return", "withdraw"])
def test_what_was_turned_down_can_be_told_again(community: Community, step: str) -> None:
    volunteer, leader = community.person(), community.person()
    claim_id = community.report(volunteer, **SAME)
    if step == "withdraw":
        assert community.withdraw(volunteer, claim_id) == "withdrawn"
    else:
        community.turn_down(step, leader, claim_id)
    assert community.report(volunteer, **SAME) != "deed-told-already"
    if step == "return":
        assert community.resubmit(volunteer, claim_id, **SAME) == "deed-told-already"


def test_told_twice_at_once_a_deed_is_told_once(community: Community, database: Database) -> None:
    volunteer = community.person()
    community.session.commit()
    works = [lambda session: Community(session, community.book).report(volunteer, **SAME)] * 3
    assert at_once(database, *works).count("deed-told-already") == 2


def test_one_deed_that_nobody_saw_counts_a_few_times_a_day(community: Community) -> None:
    volunteer, worker = community.person(), community.person()
    began = [community.at + BEGAN + timedelta(minutes=number) for number in range(60)]
    outcomes = [community.report(volunteer, starts_at=moment) for moment in began]
    assert points_of(community, *outcomes) == [50] * 5 + ["cap-reached"] * 55
    assert community.propose(worker, volunteer) == "cap-reached"
    assert points_of(community, community.report(volunteer, "meals")) == [150]
    assert points_of(community, community.report(volunteer, deed_on=TODAY - timedelta(days=1))) == [50]


def test_a_book_may_let_a_deed_count_more_often(community: Community) -> None:
    volunteer = community.person()
    community.cap("activity", "deeds", 6, unless_checked_in=True)
    outcomes = [community.report(volunteer) for _ in range(7)]
    assert points_of(community, *outcomes) == [50] * 6 + ["cap-reached"]
