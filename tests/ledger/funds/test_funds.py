from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from ledger import funds
from ledger import journal
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.people import Person
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.conftest import START
from tests.conftest import Database
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.earning import at_once


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session, with_fund=False)


def approved(community: Community, deed: str = "patrol", area_code: str = GRID) -> tuple[Person, UUID]:
    """A deed of somebody of that area, proposed and approved; return who, and the claim."""
    who, worker, one, two = community.person(area_code=area_code), *(community.person() for _ in range(3))
    claim_id = community.propose(worker, who, deed)
    community.approve(one, claim_id)
    community.approve(two, claim_id)
    return who, claim_id


def left(community: Community, fund_id: UUID) -> int:
    account = journal.account_ids(community.session, community.book.id, "fund", [fund_id])[fund_id]
    return journal.balance_of(community.session, community.book.id, account, community.at).balance


def test_a_budget_is_an_entry_and_the_books_sum_is_nought(community: Community) -> None:
    fund = community.fund(500)
    funds.add_budget(community.session, community.act(), fund, 250)
    totals = journal.trial_balance(community.session, community.book.id)
    assert (left(community, fund), totals["fund"], totals["source"], sum(totals.values())) == (750, 750, -750, 0)


@pytest.mark.parametrize("points", [0, -1, True, 2**63, 1.5])
def test_a_budget_that_is_no_number_of_points_is_an_error(community: Community, points: object) -> None:
    with pytest.raises(Invalid):
        community.fund(points)  # type: ignore[arg-type]


def test_a_fund_ends_after_it_begins_and_has_a_name(community: Community) -> None:
    for wrong in ({"opens_on": TODAY, "closes_on": TODAY - timedelta(days=1)}, {"name": " "}, {"name": "长" * 101}):
        with pytest.raises(Invalid):
            community.fund(1, **wrong)


def test_a_fund_is_opened_and_fed_only_within_ones_areas(community: Community) -> None:
    fund, scope = community.fund(10), ("320106/320106001/320106001004/",)
    with pytest.raises(NotFound):
        community.fund(10, area_code=VILLAGE, within=scope)
    with pytest.raises(NotFound):
        funds.add_budget(community.session, community.act(), fund, 5, within=scope)


def test_the_nearest_fund_pays_and_the_one_above_it_when_that_is_used_up(community: Community) -> None:
    county, village, other = community.fund(1000), community.fund(60, area_code=VILLAGE), community.fund(1000, area_code=OTHER_VILLAGE)
    for _ in range(2):
        approved(community)
    assert (left(community, village), left(community, county), left(community, other)) == (10, 950, 1000)


def test_used_up_a_fund_leaves_deeds_waiting_and_refuses_none(community: Community) -> None:
    fund = community.fund(50)
    first, waiting = approved(community), approved(community)
    assert [community.claim(claim_id).state for _, claim_id in (first, waiting)] == ["credited", "awaiting_funds"]
    assert community.credit_due() == {}
    funds.add_budget(community.session, community.act(), fund, 50)
    assert community.credit_due() == {waiting[1]: "credited"}
    assert (community.balance(waiting[0]), left(community, fund)) == (50, 0)


def test_without_any_fund_deeds_wait(community: Community) -> None:
    _, claim_id = approved(community)
    assert community.claim(claim_id).state == "awaiting_funds"


def test_a_fund_pays_from_the_day_it_opens_to_the_day_it_closes(community: Community) -> None:
    fund = community.fund(500, opens_on=TODAY, closes_on=TODAY + timedelta(days=1))
    states = []
    for days in (-1, 0, 1, 2):
        community.at = START + timedelta(days=days)
        worker, who, one = (community.person() for _ in range(3))
        claim_id = community.propose(worker, who, deed_on=TODAY - timedelta(days=1))
        community.approve(one, claim_id)
        states.append(community.claim(claim_id).state)
    assert (states, left(community, fund)) == (["awaiting_funds", "credited", "credited", "awaiting_funds"], 400)


def test_what_waits_for_a_closed_fund_is_paid_by_the_next(community: Community) -> None:
    community.fund(10, closes_on=TODAY)
    who, claim_id = approved(community)
    community.at += timedelta(days=30)
    new = community.fund(100, opens_on=TODAY + timedelta(days=1), name="新经费")
    assert community.credit_due() == {claim_id: "credited"}
    assert (community.balance(who), left(community, new)) == (50, 50)


def test_who_waits_for_one_fund_holds_up_nobody_of_another(community: Community) -> None:
    old = [approved(community)[1] for _ in range(3)]
    _, waiting = approved(community, area_code=OTHER_VILLAGE)
    community.fund(50, area_code=OTHER_VILLAGE)
    assert community.credit_due(limit=2) == {waiting: "credited"}
    assert [community.claim(claim_id).state for claim_id in old] == ["awaiting_funds"] * 3


def test_two_approvals_at_once_do_not_overdraw_a_fund(community: Community, database: Database) -> None:
    fund = community.fund(50)
    worker, *approvers = (community.person() for _ in range(3))
    ids = [community.propose(worker, community.person()) for _ in range(2)]
    community.session.commit()
    pairs = zip(approvers, ids, strict=True)
    works = [lambda session, by=by, one=one: Community(session, community.book).approve(by, one) for by, one in pairs]
    assert sorted(at_once(database, *works)) == ["awaiting_funds", "credited"]
    assert left(community, fund) == 0


def test_two_who_credit_at_once_credit_once(community: Community, database: Database) -> None:
    who, _ = approved(community)
    community.fund(500)
    community.session.commit()
    outcomes = at_once(database, *[lambda session: Community(session, community.book).credit_due()] * 2)
    assert sorted(len(outcome) for outcome in outcomes) == [0, 1]
    assert community.balance(who) == 50


def test_funds_of_another_book_do_not_pay(community: Community) -> None:
    a_community(community.session)
    _, claim_id = approved(community)
    assert community.claim(claim_id).state == "awaiting_funds"
