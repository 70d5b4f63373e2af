"""What posting promises, act by act, on both databases."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from ledger import journal
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.journal import queries
from tests.books import Desk
from tests.books import open_desk


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


def test_a_budget_fills_a_fund_and_an_award_a_passbook(desk: Desk) -> None:
    desk.budget(1000)
    posted = desk.award("li", 80)
    assert posted.to_line == (1, 0, 80)
    assert posted.from_line == (2, 1000, 920)
    assert desk.balance("li").available == 80
    assert desk.totals() == {"source": -1000, "fund": 920, "passbook": 80}
    assert desk.faults() == []


def test_of_two_spends_of_80_from_100_in_one_set_the_second_is_refused(desk: Desk) -> None:
    desk.budget(1000)
    desk.award("li", 100)
    first, second = desk.post([desk.spend("li", 80), desk.spend("li", 80, position=1)])
    assert isinstance(first, journal.Posted)
    assert second == Refusal("points-insufficient", "amount", {"available": 20, "asked": 80})
    assert desk.balance("li").available == 20


def test_what_comes_in_earlier_in_a_set_can_be_spent_later_in_it(desk: Desk) -> None:
    desk.budget(1000)
    outcomes = desk.post([desk.give("li", 50), desk.spend("li", 50, position=1)])
    assert all(isinstance(outcome, journal.Posted) for outcome in outcomes)
    assert desk.faults() == []


def test_what_stands_together_falls_together(desk: Desk) -> None:
    desk.budget(100)
    outcomes = desk.post(
        [desk.give("li", 50, together="a"), desk.give("wang", 80, position=1, together="a"), desk.give("wang", 60, position=2)]
    )
    assert outcomes[0] == Refusal("refused-together")
    assert isinstance(outcomes[1], Refusal)
    assert isinstance(outcomes[2], journal.Posted)
    assert desk.balance("li").lines == 0
    assert desk.faults() == []


@pytest.mark.parametrize("amount", [0, -1, 2**63, True, 1.0, "5", None, [1]])
def test_what_is_no_amount_is_an_error(desk: Desk, amount: object) -> None:
    desk.budget(100)
    with pytest.raises(Invalid):
        desk.post([desk.give("li", amount)])  # type: ignore[arg-type]


def test_a_void_gives_back_no_more_than_the_rest(desk: Desk) -> None:
    desk.budget(1000)
    desk.award("li", 100)
    (spent,) = desk.post([desk.spend("li", 60)])
    assert isinstance(spent, journal.Posted)
    outcomes = [desk.post([desk.reverse(spent.entry_id, points)])[0] for points in (40, 30, 20)]
    assert isinstance(outcomes[0], journal.Posted)
    assert outcomes[1] == Refusal("reversal-exceeds-the-rest", "amount", {"left": 20})
    assert isinstance(outcomes[2], journal.Posted)
    assert desk.balance("li").available == 100
    again = desk.post([desk.reverse(outcomes[0].entry_id, 1)])
    assert again == [Refusal("reversal-of-a-reversal", "entry_id")]
    assert desk.faults() == []


def test_a_hold_keeps_points_back_and_is_posted_once(desk: Desk) -> None:
    desk.budget(1000)
    desk.award("li", 100)
    (held,) = desk.post([desk.reserve("li", 70, minutes=5)])
    assert isinstance(held, journal.Held)
    assert desk.balance("li").available == 30
    assert isinstance(desk.post([desk.spend("li", 40)])[0], Refusal)
    (posted,) = desk.post([desk.post_hold(held.hold_id, 60)])
    assert isinstance(posted, journal.Posted)
    assert desk.balance("li").available == 40
    assert desk.post([desk.post_hold(held.hold_id)]) == [Refusal("hold-ended", "hold_id")]
    assert desk.post([desk.void_hold(held.hold_id)]) == [Refusal("hold-ended", "hold_id")]
    assert desk.faults() == []


def test_a_hold_lapses_exactly_at_its_moment(desk: Desk) -> None:
    desk.budget(1000)
    desk.award("li", 100)
    (held,) = desk.post([desk.reserve("li", 70, minutes=5)])
    assert isinstance(held, journal.Held)
    desk.clock.advance(minutes=5, microseconds=-1)
    assert isinstance(desk.post([desk.spend("li", 40)])[0], Refusal)
    desk.clock.advance(microseconds=1)
    assert desk.balance("li").available == 100
    assert desk.post([desk.post_hold(held.hold_id)]) == [Refusal("hold-lapsed", "hold_id")]
    assert isinstance(desk.post([desk.spend("li", 100)])[0], journal.Posted)
    assert desk.faults() == []


def test_time_never_runs_backwards_within_an_account(desk: Desk) -> None:
    desk.budget(1000)
    first = desk.award("li", 10)
    desk.clock.advance(days=-1)
    assert desk.award("li", 10).posted_at == first.posted_at + 1
    assert desk.faults() == []


def test_points_run_out_at_the_end_of_the_year_after_they_were_earned(desk: Desk) -> None:
    desk.clock.moment = datetime(2025, 6, 1, tzinfo=UTC)
    desk.budget(1000)
    desk.award("li", 100)
    desk.clock.moment = datetime(2026, 6, 1, tzinfo=UTC)
    desk.award("li", 30)
    assert desk.balance("li").expiring == 100
    desk.post([desk.spend("li", 40)])
    assert desk.balance("li").expiring == 60
    desk.clock.moment = datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)  # a second before midnight in Nanjing
    assert desk.balance("li").available == 90
    desk.clock.advance(seconds=1)
    assert desk.balance("li").available == 30
    assert isinstance(desk.post([desk.spend("li", 31)])[0], Refusal)
    desk.post([desk.spend("li", 10)])
    assert [(line.kind, line.amount) for line in desk.lines("li")][:2] == [("redemption", -10), ("expiry", -60)]
    assert desk.faults() == []


def test_closing_the_year_books_what_has_run_out_once(desk: Desk) -> None:
    desk.clock.moment = datetime(2024, 6, 1, tzinfo=UTC)
    desk.budget(1000)
    desk.award("li", 100)
    desk.award("wang", 50)
    desk.clock.moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert desk.close_year() == 150
    assert desk.close_year() == 0
    assert desk.totals() == {"source": -1000, "fund": 850, "expired": 150, "passbook": 0}
    assert desk.faults() == []


def test_a_balance_can_be_read_as_of_a_moment_and_as_of_a_day_of_deeds(desk: Desk) -> None:
    desk.budget(1000)
    desk.award("li", 10, deed_on=date(2026, 11, 1))
    then = desk.clock.advance(seconds=1)
    desk.clock.advance(days=1)
    desk.award("li", 20, deed_on=date(2026, 10, 1))
    account = desk.account("li")
    assert journal.as_of(desk.session, desk.book_id, account, then) == 10
    assert journal.as_of(desk.session, desk.book_id, account, then - timedelta(days=1)) == 0
    assert journal.as_of_deed_day(desk.session, desk.book_id, account, date(2026, 10, 31)) == 20


def test_an_unknown_account_is_not_found(desk: Desk) -> None:
    desk.accounts["ghost"] = new_id()
    with pytest.raises(Exception, match="account_id"):
        desk.post([desk.give("ghost", 5)])


def test_more_accounts_can_be_asked_for_than_one_statement_can_name(desk: Desk) -> None:
    desk.budget(100)
    desk.award("li", 10)
    desk.post([desk.reserve("li", 5, minutes=5)])
    everybody = [new_id() for _ in range(70_000)] + [desk.account("li")]
    assert queries.earned_by_year(desk.session, desk.book_id, everybody)[desk.account("li")] == {2026: 10}
    assert [hold.amount for hold in queries.open_holds(desk.session, desk.book_id, everybody)] == [5]
    assert journal.account_ids(desk.session, desk.book_id, "passbook", everybody) == {}


def test_the_year_turns_for_both_sides_of_an_entry_at_once(desk: Desk) -> None:
    desk.clock.moment = datetime(2025, 6, 1, tzinfo=UTC)
    desk.budget(1000)
    desk.award("li", 100)
    desk.clock.moment = datetime(2026, 12, 31, 16, 0, 0, 50_000, tzinfo=UTC)  # just after midnight in Nanjing
    desk.award("wang", 10)
    desk.clock.advance(milliseconds=-100)  # a worker that read its clock before the other did
    desk.award("li", 5)
    assert [(line.kind, line.amount) for line in desk.lines("li")][:2] == [("award", 5), ("expiry", -100)]
    assert desk.balance("li").available == 5
    assert isinstance(desk.post([desk.spend("li", 40)])[0], Refusal)
    assert journal.lock_spendable(desk.session, desk.book_id, [desk.account("li")], desk.clock.now()) == {desk.account("li"): 5}
    assert desk.faults() == []
