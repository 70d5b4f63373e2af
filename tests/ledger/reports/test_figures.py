from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import reports
from ledger.areas import EVERYWHERE
from ledger.people import Person
from ledger.reports import Month
from tests.builders import GRID
from tests.builders import OTHER_GRID
from tests.builders import a_claimed_act
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community

NOVEMBER, OCTOBER = Month(2026, 11), Month(2026, 10)


def by_category(found: reports.Figures, month: Month) -> dict[str | None, tuple[int, int]]:
    return {row.category: (row.deeds, row.points) for row in found.credited if row.month == month}


def take_back(community: Community, claim_id: object, points: int) -> None:
    """The office takes back what a deed had earned, in part or in whole."""
    claim = community.claim(claim_id)  # type: ignore[arg-type]
    assert claim.entry_id
    act = a_claimed_act(community.session, community.book, community.at)
    about = journal.About(deed_on=claim.deed_on, reference=claim.id)
    taken = journal.Reversal(act=act, entry_id=claim.entry_id, amount=points, kind="clawback", about=about)
    (outcome,) = journal.post(community.session, community.book.id, [taken])
    assert isinstance(outcome, journal.Posted), outcome


def spend(community: Community, who: Person, points: int) -> None:
    """Somebody spends points in a shop."""
    session, book = community.session, community.book
    accounts = journal.open_accounts(session, book.id, [("passbook", who.id), ("receivable", book.id)], community.at)
    way = {"from_account": accounts["passbook", who.id], "to_account": accounts["receivable", book.id]}
    about = journal.About(deed_on=community.at.date())
    moved = journal.Transfer(act=community.act(), amount=points, kind="redemption", about=about, **way)
    (outcome,) = journal.post(session, book.id, [moved])
    assert isinstance(outcome, journal.Posted), outcome


def test_what_was_credited_is_told_by_category_and_area(session: Session) -> None:
    community = a_community(session)
    one, other = community.person(), community.person(area_code=OTHER_GRID)
    community.credited(one, "patrol", "meals")
    community.credited(other, "patrol")
    found = reports.figures(session, community.book, EVERYWHERE, NOVEMBER, community.at)
    assert {(row.area_code, row.category): row.points for row in found.credited} == {
        (GRID, "patrol"): 50,
        (GRID, "hardship_assistance"): 150,
        (OTHER_GRID, "patrol"): 50,
    }
    flow = found.flows[NOVEMBER]
    assert (flow.issued, flow.deeds, flow.people) == (250, 3, 2)


def test_part_of_the_book_is_told_of_alone(session: Session) -> None:
    community = a_community(session)
    one, other = community.person(), community.person(area_code=OTHER_GRID)
    community.credited(one, "patrol")
    community.credited(other, "meals")
    spend(community, one, 20)
    spend(community, other, 30)
    path = areas.path_of(session, community.book.id, OTHER_GRID)
    found = reports.figures(session, community.book, (path,), NOVEMBER, community.at)
    assert by_category(found, NOVEMBER) == {"hardship_assistance": (1, 150)}
    flow = found.flows[NOVEMBER]
    assert (flow.issued, flow.people, flow.redeemed, found.outstanding, flow.outstanding) == (150, 1, 30, 120, None)


def test_a_month_begins_at_midnight_of_the_books_own_clock(session: Session) -> None:
    community = a_community(session)
    person = community.person()
    # In Nanjing it is eight hours later than in Greenwich.
    for at, deed_on in (
        (datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC), date(2026, 11, 30)),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), date(2026, 12, 1)),
    ):
        community.at = at
        community.credited(person, "patrol", deed_on=deed_on)
    found = reports.figures(session, community.book, EVERYWHERE, Month(2026, 12), community.at)
    assert [(month, found.flows[month].issued, found.flows[month].outstanding) for month in found.months[-2:]] == [
        (NOVEMBER, 50, 50),
        (Month(2026, 12), 50, 100),
    ]


def test_what_is_taken_back_counts_out_in_the_month_in_which_it_is(session: Session) -> None:
    community = a_community(session)
    person, other = community.person(), community.person()
    ids = community.credited(person, "patrol", "meals")
    community.credited(other, "patrol")
    community.at += timedelta(days=10)
    take_back(community, ids[0], 50)
    take_back(community, ids[1], 30)
    found = reports.figures(session, community.book, EVERYWHERE, Month(2026, 12), community.at)
    assert by_category(found, NOVEMBER) == {"patrol": (2, 100), "hardship_assistance": (1, 150)}
    assert by_category(found, Month(2026, 12)) == {"patrol": (-1, -50), "hardship_assistance": (0, -30)}
    assert (found.flows[NOVEMBER].people, found.flows[Month(2026, 12)].people) == (2, 0)
    assert (found.flows[NOVEMBER].outstanding, found.flows[Month(2026, 12)].outstanding) == (250, 170)


def test_somebody_from_whom_all_is_taken_back_in_the_month_was_not_active(session: Session) -> None:
    community = a_community(session)
    (claim_id,) = community.credited(community.person(), "patrol")
    take_back(community, claim_id, 50)
    flow = reports.figures(session, community.book, EVERYWHERE, NOVEMBER, community.at).flows[NOVEMBER]
    assert (flow.people, flow.deeds, flow.issued) == (0, 0, 0)


def test_all_months_together_come_to_what_the_journal_has(session: Session) -> None:
    community = a_community(session)
    persons = [community.person() for _ in range(3)]
    for days, person in ((0, persons[0]), (35, persons[1]), (70, persons[2]), (71, persons[0])):
        community.at += timedelta(days=days)
        community.credited(person, "patrol", deed_on=community.at.date())
        spend(community, person, 20)
    team = community.team(persons[0], persons[1])
    worker, approver = community.person("grid_worker"), community.person("approver")
    community.approve(approver, community.propose(worker, team, "patrol", community.at.date()))
    totals = journal.trial_balance(session, community.book.id)
    found = reports.figures(session, community.book, EVERYWHERE, Month.of(community.at.date()), community.at)
    flows = found.flows.values()
    assert sum(flow.issued for flow in flows) == 100_000 - totals["fund"]
    assert sum(flow.redeemed for flow in flows) == totals["receivable"] == 80
    assert found.outstanding == totals["passbook"] + totals["team"]
    assert sum(flow.issued - flow.redeemed - flow.expired - flow.donated for flow in flows) == found.outstanding
    assert sum(row.points for row in found.credited) == sum(flow.issued for flow in flows)
    # What was held when a month ended is what the journal had then.
    held = sum(
        journal.as_of(session, community.book.id, account_id, datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
        for kind, owners in (("passbook", [person.id for person in persons]), ("team", [team]))
        for account_id in journal.account_ids(session, community.book.id, kind, owners).values()
    )
    assert found.flows[Month(2026, 12)].outstanding == held
    # Seen from an earlier month, what came after is taken off.
    assert reports.figures(session, community.book, EVERYWHERE, Month(2026, 12), community.at).flows[Month(2026, 12)].outstanding == held


def test_points_that_run_out_leave_what_people_hold(session: Session) -> None:
    community = a_community(session)
    person = community.person()
    community.credited(person, "patrol")
    community.at = datetime(2028, 1, 10, tzinfo=UTC)
    community.credited(person, "meals", deed_on=community.at.date())
    found = reports.figures(session, community.book, EVERYWHERE, Month(2028, 1), community.at)
    flow = found.flows[Month(2028, 1)]
    assert (flow.issued, flow.expired, flow.outstanding) == (150, 50, 150)


def test_hours_are_told_where_the_deed_or_the_activity_was(session: Session) -> None:
    community = a_community(session)
    host, person, other = community.person("activity_host"), community.person(), community.person(area_code=OTHER_GRID)
    activity = community.activity(host)
    community.check_in(activity, person)
    community.at += timedelta(minutes=90)
    community.check_out(activity, person)
    worker, approver = community.person("grid_worker"), community.person("approver")
    community.approve(approver, community.propose(worker, other, "sweeping", minutes=60))
    found = reports.figures(session, community.book, EVERYWHERE, NOVEMBER, community.at)
    part = reports.figures(session, community.book, (areas.path_of(session, community.book.id, GRID),), NOVEMBER, community.at)
    assert (found.flows[NOVEMBER].minutes, part.flows[NOVEMBER].minutes) == (150, 90)


def test_what_waits_is_told_with_its_oldest_and_its_middle_one(session: Session) -> None:
    community = a_community(session)
    assert reports.waiting(session, community.book.id, EVERYWHERE) == reports.Waiting(0, None, None)
    began = community.at
    for _ in range(3):
        community.report(community.person())
        community.at += timedelta(days=2)
    found = reports.waiting(session, community.book.id, EVERYWHERE)
    assert (found.count, found.oldest, found.median) == (3, began, began + timedelta(days=2))
    elsewhere = (areas.path_of(session, community.book.id, OTHER_GRID),)
    assert reports.waiting(session, community.book.id, elsewhere).count == 0


def test_a_fund_lasts_as_long_as_it_does_at_the_pace_of_the_last_weeks(session: Session) -> None:
    community = a_community(session, with_fund=False)
    fund = community.fund(budget=450)
    elsewhere = community.fund(budget=1000, name="苏州路", area_code="320106001004")
    community.credited(community.person(), "meals", "meals", "meals", deed_on=TODAY)
    (cover, other) = sorted(
        reports.covers(session, community.book.id, EVERYWHERE, TODAY, community.at), key=lambda one: [fund, elsewhere].index(one.id)
    )
    assert (cover.left, cover.spent, cover.weeks) == (0, 450, 0)
    assert (other.left, other.spent, other.weeks) == (1000, 0, None)
    part = (areas.path_of(session, community.book.id, GRID),)
    assert [one.id for one in reports.covers(session, community.book.id, part, TODAY, community.at)] == [fund]
    much_later = community.at + timedelta(weeks=8, seconds=1)
    assert [one.spent for one in reports.covers(session, community.book.id, part, TODAY, much_later)] == [0]


def test_what_is_published_counts_people_and_teams_together(session: Session) -> None:
    community = a_community(session)
    one, other = community.person(), community.person()
    community.credited(one, "patrol", "patrol")
    community.credited(other, "patrol", "meals")
    worker, approver = community.person("grid_worker"), community.person("approver")
    community.approve(approver, community.propose(worker, community.team(one, other), "patrol"))
    told = {row.category: (row.deeds, row.points, row.owners) for row in reports.told(session, community.book, NOVEMBER, community.at)}
    assert told == {"patrol": (4, 200, 3), "hardship_assistance": (1, 150, 1)}
    assert reports.told(session, community.book, OCTOBER, community.at) == []


def test_what_a_fund_was_given_and_awarded_is_told_month_by_month(session: Session) -> None:
    community = a_community(session, with_fund=False)
    fund = community.fund(budget=500)
    community.credited(community.person(), "patrol")
    assert reports.given_to(session, community.book.id, [fund]) == {fund: 500}
    ((given_at, points),) = reports.budgets_of(session, community.book.id, fund)
    assert (given_at.date(), points) == (community.at.date(), 500)
    *_, before, month = reports.awarded_by(session, community.book, fund, NOVEMBER)
    assert (before.points, before.left) == (0, 0)
    assert (month.deeds, month.points, month.left) == (1, 50, 450)


def test_what_waits_for_a_fund_is_counted(session: Session) -> None:
    community = a_community(session, with_fund=False)
    community.credited(community.person(), "patrol", "meals")
    assert reports.awaiting_funds(session, community.book.id, EVERYWHERE) == (2, 200)
    elsewhere = (areas.path_of(session, community.book.id, OTHER_GRID),)
    assert reports.awaiting_funds(session, community.book.id, elsewhere) == (0, 0)


def test_a_new_rate_is_reckoned_with_what_was_done(session: Session) -> None:
    community = a_community(session)
    worker, person = community.person("grid_worker"), community.person()
    for minutes, days in ((60, 0), (95, 10), (60, 100)):
        community.propose(worker, person, "sweeping", TODAY - timedelta(days=days), minutes=minutes)
    refused = community.propose(worker, person, "sweeping", TODAY - timedelta(days=1), minutes=60)
    community.turn_down("refuse", community.person("grid_worker"), refused)
    done = reports.done_of(session, community.book.id, "sweeping", reports.three_months_before(TODAY), TODAY)
    assert sorted(one.minutes or 0 for one in done) == [60, 95]
    assert [reports.cost_of(done, unit, points) for unit, points in (("hour", 10), ("hour", 20), ("deed", 30))] == [25, 51, 60]


def test_how_many_statements_it_takes_does_not_grow_with_the_book(session: Session, database: Database) -> None:
    community = a_community(session)
    counted: list[str] = []
    listen(database.engine, "before_cursor_execute", lambda _connection, _cursor, statement, *_: counted.append(statement))

    def statements() -> int:
        counted.clear()
        reports.figures(session, community.book, EVERYWHERE, NOVEMBER, community.at)
        reports.waiting(session, community.book.id, EVERYWHERE)
        reports.covers(session, community.book.id, EVERYWHERE, TODAY, community.at)
        reports.told(session, community.book, NOVEMBER, community.at)
        return len(counted)

    small = statements()
    for _ in range(5):
        community.credited(community.person(), "patrol", "meals")
    community.report(community.person())
    assert statements() <= small + 1


def test_what_is_known_of_months_that_are_over_is_what_would_be_reckoned(session: Session) -> None:
    community = a_community(session)
    community.credited(community.person(), "patrol", "meals")
    community.at += timedelta(days=40)
    reports.figures(session, community.book, EVERYWHERE, Month(2027, 1), community.at)
    community.credited(community.person(), "patrol", deed_on=community.at.date())
    again = reports.figures(session, community.book, EVERYWHERE, Month(2027, 1), community.at)
    assert [(again.flows[month].issued, again.flows[month].outstanding) for month in again.months[-3:]] == [(200, 200), (0, 200), (50, 250)]
