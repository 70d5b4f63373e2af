from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import activities
from ledger import claims
from ledger.activities import Attendance
from ledger.claims import Claim
from ledger.errors import NotFound
from ledger.people import Person
from tests.builders import GRID
from tests.builders import MICRO_GRID
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


@pytest.fixture
def host(community: Community) -> Person:
    return community.person("activity_host")


def claim_of(outcome: object) -> Claim:
    assert isinstance(outcome, tuple), outcome
    _, claim = outcome
    assert isinstance(claim, Claim)
    return claim


def test_hours_checked_in_and_out_are_credit_hours_and_earn_once_approved(community: Community, host: Person) -> None:
    volunteer, approver = community.person(), community.person()
    activity = community.activity(host, minutes=180)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=150)
    claim = claim_of(community.check_out(activity, volunteer))
    assert (claim.state, claim.points, claim.minutes, claim.attester_id) == ("attested", 25, 150, host.id)
    assert (community.hours(volunteer), community.balance(volunteer)) == ((150, 0), 0)
    assert community.approve(host, claim.id) == "acted-before"
    assert community.approve(approver, claim.id) == "credited"
    assert (community.hours(volunteer), community.balance(volunteer)) == ((150, 0), 25)


def test_only_what_lies_within_the_activity_counts(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host, begins=community.at + timedelta(minutes=30), minutes=60)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=150)
    assert claim_of(community.check_out(activity, volunteer)).minutes == 60


def test_who_stays_too_short_to_earn_has_the_hours_all_the_same(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=5)
    attendance, claim = community.check_out(activity, volunteer)
    assert (attendance.minutes, claim, community.hours(volunteer)) == (5, None, (5, 0))


def test_check_in_opens_half_an_hour_before_and_closes_with_the_end(community: Community, host: Person) -> None:
    activity = community.activity(host, begins=community.at + timedelta(minutes=31), minutes=60)
    assert community.check_in(activity, community.person()) == "check-in-closed"
    community.at += timedelta(minutes=1)
    assert isinstance(community.check_in(activity, community.person()), Attendance)
    community.at = activity.ends_at
    assert community.check_in(activity, community.person()) == "check-in-closed"


def test_nobody_is_in_two_places_at_once(community: Community, host: Person) -> None:
    volunteer = community.person()
    here, there = community.activity(host), community.activity(community.person("activity_host"))
    community.check_in(here, volunteer)
    assert community.check_in(there, volunteer) == "in-two-places"
    community.at += timedelta(minutes=60)
    community.check_out(here, volunteer)
    assert isinstance(community.check_in(there, volunteer), Attendance)


def test_two_check_ins_at_once_at_two_places_are_one(community: Community, host: Person, database: Database) -> None:
    volunteer = community.person()
    places = [community.activity(host), community.activity(host)]
    community.session.commit()
    works = [lambda session, place=place: Community(session, community.book).check_in(place, volunteer) for place in places]
    outcomes = at_once(database, *works)
    assert sorted(isinstance(outcome, Attendance) for outcome in outcomes) == [False, True]
    assert "in-two-places" in outcomes


def test_the_last_place_is_taken_once(community: Community, host: Person, database: Database) -> None:
    activity = community.activity(host, capacity=1)
    persons = [community.person() for _ in range(2)]
    community.session.commit()
    works = [lambda session, who=who: Community(session, community.book).check_in(activity, who) for who in persons]
    outcomes = at_once(database, *works)
    assert sorted(isinstance(outcome, Attendance) for outcome in outcomes) == [False, True]
    assert "activity-full" in outcomes


def test_no_more_hours_than_places(community: Community, host: Person) -> None:
    activity = community.activity(host, capacity=2)
    signed_up = community.person()
    activities.sign_up(community.session, community.act(signed_up), activity.id)
    one, two, three = (community.person() for _ in range(3))
    outcomes = community.check_in(activity, one, two, three, host=host)
    assert [isinstance(outcome, Attendance) for outcome in outcomes] == [True, False, False]
    assert isinstance(community.check_in(activity, signed_up), Attendance)


def test_who_forgot_to_check_out_is_not_kept_from_the_next_activity(community: Community, host: Person) -> None:
    volunteer = community.person()
    first = community.activity(host, minutes=60)
    community.check_in(first, volunteer)
    community.at += timedelta(minutes=90)
    second = community.activity(community.person("activity_host"))
    assert isinstance(community.check_in(second, volunteer), Attendance)
    assert community.hours(volunteer) == (0, 0)
    assert community.check_out(first, volunteer) == "checked-out-already"
    claim = claim_of(community.check_out(first, volunteer, host=host))
    assert (claim.minutes, community.hours(volunteer)) == (60, (60, 0))
    assert community.check_out(first, volunteer, host=host) == "checked-out-already"


def test_who_has_checked_out_does_not_check_in_again_unless_the_host_takes_it_back(community: Community, host: Person) -> None:
    volunteer, approver = community.person(), community.person()
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=30)
    first = claim_of(community.check_out(activity, volunteer))
    assert community.check_in(activity, volunteer) == "checked-out-already"
    assert community.check_in(activity, volunteer, host=host) == "checked-out-already"
    back = community.reopen(activity, volunteer, host=host)
    assert (back.out_at, back.minutes, community.claim(first.id).state) == (None, None, "returned")
    assert community.reopen(activity, volunteer, host=host).out_at is None
    community.at += timedelta(minutes=60)
    second = claim_of(community.check_out(activity, volunteer))
    assert (second.id, second.minutes, second.points, community.hours(volunteer)) == (first.id, 90, 15, (90, 0))
    assert community.approve(host, second.id) == "acted-before"
    assert community.approve(approver, second.id) == "credited"
    assert (community.hours(volunteer), community.balance(volunteer)) == ((90, 0), 15)


def test_a_check_out_is_taken_back_by_the_host_alone_and_only_while_nothing_came_of_it(community: Community, host: Person) -> None:
    volunteer, approver, stranger = (community.person() for _ in range(3))
    activity = community.activity(host)
    assert community.reopen(activity, volunteer, host=host) == "not-checked-in"
    community.check_in(activity, volunteer)
    community.check_in(activity, host)
    community.at += timedelta(minutes=60)
    claim = claim_of(community.check_out(activity, volunteer))
    community.check_out(activity, host)
    with pytest.raises(NotFound):
        community.reopen(activity, volunteer, host=stranger)
    assert community.reopen(activity, host, host=host) == "host-checks-in-others"
    assert community.approve(approver, claim.id) == "credited"
    assert community.reopen(activity, volunteer, host=host) == "check-out-decided"
    assert community.balance(volunteer) == 10


def test_what_kin_of_the_host_earned_by_a_check_out_is_not_taken_back_by_the_host(community: Community, host: Person) -> None:
    son = community.person()
    community.tie(host, son)
    activity = community.activity(host)
    community.check_in(activity, son)
    community.at += timedelta(minutes=60)
    claim = claim_of(community.check_out(activity, son))
    assert community.reopen(activity, son, host=host) == "kin-or-household"
    assert community.claim(claim.id).state == "reported"


def test_a_check_out_is_not_taken_back_from_elsewhere_or_long_after_the_end(community: Community, host: Person) -> None:
    one, two = community.person(), community.person()
    activity, other = community.activity(host), community.activity(community.person("activity_host"))
    community.check_in(activity, one, two, host=host)
    community.at += timedelta(minutes=60)
    for who in (one, two):
        community.check_out(activity, who)
    community.check_in(other, one)
    assert community.reopen(activity, one, host=host) == "in-two-places"
    community.at = activity.ends_at + timedelta(hours=2)
    assert community.reopen(activity, two, host=host) == "reopening-closed"


def test_long_after_the_end_only_the_host_checks_out(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host, minutes=60)
    community.check_in(activity, volunteer)
    community.at = activity.ends_at + timedelta(hours=2)
    assert community.check_out(activity, volunteer) == "check-out-closed"
    assert claim_of(community.check_out(activity, volunteer, host=host)).minutes == 60


def test_without_a_check_out_nothing_is_earned(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(days=2)
    assert (community.hours(volunteer), community.balance(volunteer)) == ((0, 0), 0)
    assert claims.mine(community.session, community.book.id, volunteer.id) == []


def test_a_host_who_takes_part_is_attested_by_somebody_else(community: Community, host: Person) -> None:
    leader, approver = community.person(), community.person()
    activity = community.activity(host)
    assert community.check_in(activity, host, host=host) == "host-checks-in-others"
    community.check_in(activity, host)
    community.at += timedelta(minutes=60)
    claim = claim_of(community.check_out(activity, host))
    assert (claim.state, claim.attester_id, community.hours(host)) == ("reported", None, (0, 0))
    assert community.attest(host, claim.id) == "own-deed"
    assert community.attest(leader, claim.id) == "attested"
    assert community.approve(approver, claim.id) == "credited"
    assert (community.hours(host), community.balance(host)) == ((0, 60), 10)


@pytest.mark.parametrize("kind", ["kin", "household"])
def test_a_host_does_not_vouch_for_kin_or_household(community: Community, host: Person, kind: str) -> None:
    son, leader, approver = (community.person() for _ in range(3))
    community.tie(host, son, kind)
    activity = community.activity(host)
    community.check_in(activity, son, host=host)
    community.at += timedelta(minutes=60)
    claim = claim_of(community.check_out(activity, son, host=host))
    assert (claim.state, claim.attester_id, community.hours(son)) == ("reported", None, (0, 0))
    assert community.attest(host, claim.id) == "kin-or-household"
    assert community.attest(leader, claim.id) == "attested"
    assert community.approve(leader, claim.id) == "acted-before"
    assert community.approve(approver, claim.id) == "credited"


def test_a_person_named_twice_is_checked_out_once(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host)
    community.check_in(activity, volunteer, volunteer, host=host)
    community.at += timedelta(minutes=60)
    outcomes = community.check_out(activity, volunteer, volunteer, host=host)
    assert claim_of(outcomes[0]).minutes == 60
    assert (outcomes[1], community.hours(volunteer)) == ("checked-out-already", (60, 0))


def test_checking_out_twice_at_once_claims_once(community: Community, host: Person, database: Database) -> None:
    volunteer = community.person()
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=60)
    community.session.commit()
    works = [lambda session: Community(session, community.book, community.at).check_out(activity, volunteer)] * 2
    outcomes = at_once(database, *works)
    assert sorted(isinstance(outcome, tuple) for outcome in outcomes) == [False, True]
    assert "checked-out-already" in outcomes
    assert community.hours(volunteer) == (60, 0)


def test_what_check_out_says_is_not_told_anew(community: Community, host: Person) -> None:
    volunteer, leader, approver = (community.person() for _ in range(3))
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=60)
    claim_id = claim_of(community.check_out(activity, volunteer)).id
    community.turn_down("return", approver, claim_id)
    assert community.resubmit(volunteer, claim_id, "rescue", minutes=1400, place="天上", text="真的去了") == "reported"
    row = claims.mine(community.session, community.book.id, volunteer.id)[0]
    assert (row.rate.deed, row.claim.minutes, row.claim.points) == ("sweeping", 60, 10)
    told = claims.told_of(community.session, VAULT, community.book.id, [row.claim])
    assert told == {claim_id: claims.Telling("3栋门口", "真的去了")}
    community.attest(leader, claim_id)
    assert community.approve(approver, claim_id) == "credited"
    assert community.hours(volunteer) == (60, 0)


def test_an_activity_over_midnight_counts_for_the_day_it_began_on_in_the_book(community: Community, host: Person) -> None:
    volunteer = community.person()
    begins = datetime(2026, 11, 23, 23, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    community.at = begins
    activity = community.activity(host, begins=begins, minutes=180)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=180)
    claim = claim_of(community.check_out(activity, volunteer))
    assert (claim.deed_on, claim.minutes, claim.points) == (TODAY, 180, 30)


def test_an_activity_early_in_the_morning_counts_for_the_books_day_not_for_utcs(community: Community, host: Person) -> None:
    community.at = datetime(2026, 11, 24, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    volunteer = community.person()
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=60)
    assert claim_of(community.check_out(activity, volunteer)).deed_on == TODAY + timedelta(days=1)


def test_what_is_reported_may_not_lie_where_somebody_was_checked_in(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host, minutes=60)
    began = community.at
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=60)
    community.check_out(activity, volunteer)
    community.at += timedelta(hours=2)
    assert community.report(volunteer, starts_at=began + timedelta(minutes=30), minutes=60) == "in-two-places"
    assert community.report(volunteer, starts_at=began + timedelta(minutes=60), minutes=60) != "in-two-places"


def test_an_open_check_in_blocks_no_longer_than_the_activity_lasts(community: Community, host: Person) -> None:
    volunteer = community.person()
    activity = community.activity(host, minutes=60)
    community.check_in(activity, volunteer)
    community.at += timedelta(hours=6)
    assert community.report(volunteer, starts_at=activity.starts_at, minutes=30) == "in-two-places"
    assert community.report(volunteer, starts_at=activity.ends_at, minutes=30) != "in-two-places"


def test_only_the_host_checks_others_in_and_out_and_shows_the_code(community: Community, host: Person) -> None:
    volunteer, stranger = community.person(), community.person()
    activity = community.activity(host)
    for try_it in (community.check_in, community.check_out):
        with pytest.raises(NotFound):
            try_it(activity, volunteer, host=stranger)
    with pytest.raises(NotFound):
        activities.venue_code(community.session, VAULT, community.book, activity.id, stranger.id, community.at)


def test_somebody_of_another_book_is_not_checked_in(community: Community, host: Person) -> None:
    other = a_community(community.session)
    with pytest.raises(NotFound):
        community.check_in(community.activity(host), other.person(), host=host)


def test_the_code_changes_and_the_one_before_is_accepted(community: Community, host: Person) -> None:
    activity = community.activity(host)

    def code() -> activities.VenueCode:
        return activities.venue_code(community.session, VAULT, community.book, activity.id, host.id, community.at)

    def recognised(token: str) -> object:
        found = activities.recognise_venue_code(community.session, VAULT, community.book, token, community.at)
        return getattr(found, "code", None) or getattr(found, "id", None)

    first = code()
    assert recognised(first.token) == activity.id
    assert recognised(first.token.lower()) == activity.id
    community.at += timedelta(seconds=30)
    assert recognised(first.token) == activity.id
    assert code().token != first.token
    community.at += timedelta(seconds=30)
    assert recognised(first.token) == "venue-code-expired"
    assert recognised("1-X-Y") == "venue-code-unknown"
    typed = activities.recognise_venue_digits(community.session, community.act(host), VAULT, activity.id, code().digits)
    assert getattr(typed, "id", None) == activity.id


@pytest.mark.parametrize("way", ["{0} {1}", "{0}-{1}", " {0}　{1} ", "{0}–{1}"])
def test_the_digits_are_taken_whatever_way_they_are_typed(community: Community, host: Person, way: str) -> None:
    activity = community.activity(host)
    digits = activities.venue_code(community.session, VAULT, community.book, activity.id, host.id, community.at).digits
    full_width = digits.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    for one in (digits, full_width):
        given = way.format(one[:3], one[3:])
        typed = activities.recognise_venue_digits(community.session, community.act(host), VAULT, activity.id, given)
        assert getattr(typed, "id", None) == activity.id


def test_wrong_digits_make_whoever_types_them_wait(community: Community, host: Person) -> None:
    activity, li = community.activity(host), community.person()
    digits = activities.venue_code(community.session, VAULT, community.book, activity.id, host.id, community.at).digits
    wrong = "000000" if digits != "000000" else "000001"

    def typed(who: Person, given: str) -> object:
        found = activities.recognise_venue_digits(community.session, community.act(who), VAULT, activity.id, given)
        return getattr(found, "code", None) or getattr(found, "id", None)

    assert [typed(li, wrong) for _ in range(5)] == ["venue-code-expired"] * 5
    assert typed(li, digits) == "digits-must-wait"
    assert typed(community.person(), digits) == activity.id
    community.at += timedelta(minutes=5)
    again = activities.venue_code(community.session, VAULT, community.book, activity.id, host.id, community.at).digits
    assert typed(li, again) == activity.id


def test_only_whoever_has_a_role_for_it_hosts(community: Community) -> None:
    with pytest.raises(AssertionError, match="host-without-role"):
        community.activity(community.person())


def test_a_host_holds_the_role_where_the_activity_is(community: Community) -> None:
    for area_code in (OTHER_VILLAGE, OTHER_GRID, MICRO_GRID):
        with pytest.raises(AssertionError, match="host-without-role"):
            community.activity(community.person("activity_host", area_code=area_code))
    assert community.activity(community.person("activity_host", area_code=VILLAGE)).area_code == GRID


def test_a_host_disposes_only_of_who_signed_up_or_lives_where_they_host(community: Community, host: Person) -> None:
    neighbour, below, signed, scanned, stranger = (
        community.person(area_code=area) for area in (GRID, MICRO_GRID, OTHER_VILLAGE, OTHER_VILLAGE, OTHER_VILLAGE)
    )
    activity = community.activity(host)
    activities.sign_up(community.session, community.act(signed), activity.id)
    community.check_in(activity, scanned)
    came = community.check_in(activity, neighbour, stranger, below, signed, scanned, host=host)
    assert [getattr(outcome, "in_by", outcome) for outcome in came] == ["host", "not-of-this-activity", "host", "host", "venue_code"]
    community.at += timedelta(minutes=60)
    left = community.check_out(activity, scanned, stranger, signed, host=host)
    assert [claim_of(left[0]).minutes, left[1], claim_of(left[2]).minutes] == [60, "not-of-this-activity", 60]
    assert community.check_in(community.activity(community.person("activity_host")), stranger) != "in-two-places"


def test_a_host_disposes_of_neighbours_on_the_days_of_the_role_only(community: Community, host: Person) -> None:
    neighbour = community.person()
    activity = community.activity(host, begins=community.at + timedelta(days=1))
    community.end_role(host, "activity_host")
    community.at = activity.starts_at
    assert community.check_in(activity, neighbour, host=host) == "not-of-this-activity"
    assert isinstance(community.check_in(activity, neighbour), Attendance)


def test_the_code_of_another_book_is_unknown(community: Community, host: Person) -> None:
    code = activities.venue_code(community.session, VAULT, community.book, community.activity(host).id, host.id, community.at)
    other = a_community(community.session)
    found = activities.recognise_venue_code(community.session, VAULT, other.book, code.token, community.at)
    assert getattr(found, "code", None) == "venue-code-unknown"


def test_a_cancelled_activity_takes_nobody_in(community: Community, host: Person, owner: Engine) -> None:
    activity = community.activity(host)
    table = activities.Activity
    volunteer = community.person()
    community.session.commit()
    with owner.begin() as connection:
        connection.execute(update(table).where(table.book_id == community.book.id, table.id == activity.id).values(status="cancelled"))
    community.session.expire_all()
    with pytest.raises(NotFound):
        community.check_in(activity, volunteer)


def test_signing_up_twice_is_once_and_can_be_taken_back(community: Community, host: Person) -> None:
    activity, volunteer, other = community.activity(host, capacity=1), community.person(), community.person()
    for _ in range(2):
        assert activities.sign_up(community.session, community.act(volunteer), activity.id) is not None
    assert getattr(activities.sign_up(community.session, community.act(other), activity.id), "code", None) == "activity-full"
    activities.cancel_sign_up(community.session, community.act(volunteer), activity.id)
    assert getattr(activities.sign_up(community.session, community.act(other), activity.id), "code", None) is None
    community.at = activity.ends_at
    assert getattr(activities.sign_up(community.session, community.act(volunteer), activity.id), "code", None) == "activity-over"


def test_the_database_knows_one_open_attendance_a_person(community: Community, host: Person) -> None:
    volunteer = community.person()
    community.check_in(community.activity(host), volunteer)
    wanted = select(Attendance).where(Attendance.book_id == community.book.id, Attendance.person_id == volunteer.id)
    (row,) = community.session.execute(wanted).scalars()
    other = community.activity(host)
    columns = {"activity_id": other.id, "person_id": volunteer.id, "in_at": row.in_at, "in_by": "host", "book_id": community.book.id}
    with pytest.raises(Exception, match=r"(?i)unique"), community.session.begin_nested():
        community.session.execute(Attendance.__table__.insert().values(**columns))
