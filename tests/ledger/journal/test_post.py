"""What posting promises, act by act, on both databases."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger import journal
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.journal import queries
from tests.books import Desk
from tests.books import open_desk
from tests.conftest import START


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
    spendable, _ = journal.lock_spendable(desk.session, desk.book_id, [desk.account("li")], desk.clock.now())
    assert spendable == {desk.account("li"): 5}
    assert desk.faults() == []


#: One of each kind of account, and where the entries between them come from.
KINDS_OF_ACCOUNT = ("source", "fund", "passbook", "team", "unit", "receivable", "donated", "expired", "settled")
WAYS_ALLOWED = {
    "budget": "source>fund",
    "award": "fund>passbook fund>team",
    "redemption": "passbook>receivable team>receivable",
    "gift": "passbook>passbook passbook>team team>passbook team>team",
    "donation": "passbook>donated team>donated",
    "expiry": "passbook>expired",
    "closing": "fund>source",
}


def one_of_each(desk: Desk) -> None:
    """Open one account of each kind and another passbook and team, all lined ones with points."""
    wanted = [(kind, new_id()) for kind in ("team", "unit", "donated", "settled", "team")]
    opened = journal.open_accounts(desk.session, desk.book_id, wanted, desk.clock.now())
    desk.accounts |= {kind: account_id for (kind, _), account_id in opened.items()}
    desk.accounts |= {"other team": opened[wanted[-1]], "team": opened[wanted[0]], "receivable": desk.account("shop")}
    desk.account("passbook")
    desk.account("other passbook")
    desk.budget(1000)
    for name in ("passbook", "team"):
        desk.award(name, 100)


@pytest.mark.parametrize("kind", [*WAYS_ALLOWED, "void", "clawback"])
def test_points_go_no_way_that_their_entry_is_not_for(desk: Desk, kind: str) -> None:
    one_of_each(desk)
    allowed = WAYS_ALLOWED.get(kind, "").split()
    for giver in KINDS_OF_ACCOUNT:
        for taker in KINDS_OF_ACCOUNT:
            if f"{giver}>{taker}" in allowed or not {giver, taker} & {"passbook", "team", "unit", "fund"}:
                continue
            asked = desk.transfer(giver, f"other {taker}" if giver == taker and taker in {"passbook", "team"} else taker, 1, kind)
            act = desk.act()
            with pytest.raises(Invalid) as problem:
                journal.post(desk.session, desk.book_id, [asked(act)])
            assert problem.value.code in {"entry-kind-does-not-fit", "same-account"}, (giver, taker)
            assert (problem.value.code == "same-account") == (giver == taker and taker in {"unit", "fund"})
    for way in allowed:
        giver, taker = way.split(">")
        (outcome,) = desk.post([desk.transfer(giver, f"other {taker}" if giver == taker else taker, 1, kind)])
        assert isinstance(outcome, journal.Posted), way
    assert desk.faults() == []


def test_what_takes_back_is_of_the_kind_for_it(desk: Desk) -> None:
    desk.budget(1000)
    award = desk.award("li", 100)
    (spent,) = desk.post([desk.spend("li", 60)])
    assert isinstance(spent, journal.Posted)
    for entry_id, kinds in ((award.entry_id, ("void", "closing", "award")), (spent.entry_id, ("clawback", "redemption", "gift"))):
        for kind in kinds:
            with pytest.raises(Invalid) as problem:
                desk.post([desk.reverse(entry_id, 1, kind)])
            assert problem.value.code == "entry-kind-does-not-fit"
            desk.session.rollback()
    desk.post([desk.reverse(award.entry_id, 1, "clawback"), desk.reverse(spent.entry_id, 1, "void", position=1)])
    assert desk.faults() == []


WRITTEN = (
    "INSERT INTO entry (book_id, id, from_account, to_account, amount, kind, deed_on, posted_at, request_id, position, actor, channel) "
    "SELECT book_id, :id, :giver, :taker, 1, :kind, deed_on, posted_at, request_id, 99, actor, channel "
    "FROM entry WHERE book_id = :book AND kind = 'award'"
)


@pytest.mark.parametrize(
    ("giver", "taker", "kind"),
    [
        ("source", "li", "gift"),
        ("source", "li", "budget"),
        ("source", "li", "award"),
        ("shop", "li", "gift"),
        ("shop", "li", "void"),
        ("expired", "li", "gift"),
        ("li", "fund", "clawback"),
        ("fund", "shop", "redemption"),
    ],
)
def test_the_database_takes_no_points_from_nothing(desk: Desk, giver: str, taker: str, kind: str) -> None:
    desk.budget(1000)
    desk.award("li", 100)
    is_text = desk.session.get_bind().dialect.name == "sqlite"
    ids = {"id": new_id(), "giver": desk.account(giver), "taker": desk.account(taker), "book": desk.book_id}
    named = {name: id_.hex if is_text else id_ for name, id_ in ids.items()}
    with pytest.raises(IntegrityError, match=r"entry_goes_a_known_way|takes_back"):
        desk.session.execute(text(WRITTEN), named | {"kind": kind})
    desk.session.rollback()
    ids = {"giver": desk.account("fund"), "taker": desk.account("li"), "id": new_id()}
    desk.session.execute(text(WRITTEN), named | {name: id_.hex if is_text else id_ for name, id_ in ids.items()} | {"kind": "award"})


_ENTRY = (
    "INSERT INTO entry (book_id, id, from_account, to_account, amount, kind, deed_on, posted_at, request_id, position, actor, channel) "
)
_LINE = "INSERT INTO line (book_id, account_id, number, entry_id, amount, before, after, term, earned, posted_at, deed_on) "


@pytest.mark.parametrize(
    "statement",
    [
        f"{_ENTRY} SELECT book_id, :no, :no, to_account, 1, kind, deed_on, posted_at, request_id, 99, actor, channel FROM entry",
        f"{_ENTRY} SELECT book_id, :no, from_account, :no, 1, kind, deed_on, posted_at, request_id, 99, actor, channel FROM entry",
        f"{_ENTRY} SELECT book_id, :no, from_account, to_account, 1, kind, deed_on, posted_at, :no, 99, actor, channel FROM entry",
        f"{_LINE} SELECT book_id, :no, 1, entry_id, amount, before, after, term, earned, posted_at, deed_on FROM line",
        f"{_LINE} SELECT book_id, account_id, 99, :no, amount, before, after, term, earned, posted_at, deed_on FROM line",
        "INSERT INTO unsealed (book_id, entry_id) SELECT book_id, :no FROM entry",
        "UPDATE unsealed SET entry_id = :no",
        "INSERT INTO answer (book_id, request_id, status, body) SELECT book_id, :no, status, body FROM answer",
    ],
)
def test_the_database_takes_nothing_that_belongs_to_nothing(desk: Desk, owner: Engine, statement: str) -> None:
    desk.budget(1000)
    no, is_text = new_id(), desk.session.get_bind().dialect.name == "sqlite"
    asked = {"no": no.hex if is_text else no, "book": desk.book_id.hex if is_text else desk.book_id}
    desk.session.commit()
    refused = pytest.raises(IntegrityError, match=r"FOREIGN KEY|goes_a_known_way|was_asked_for|is_a_side_of|is_an_entry")
    with owner.begin() as connection, refused:
        connection.execute(text(f"{statement} WHERE book_id = :book"), asked)


def test_no_line_of_an_account_that_its_entry_does_not_touch_goes_unseen(desk: Desk) -> None:
    """PostgreSQL refuses it; on SQLite the recomputation finds it."""
    desk.budget(1000)
    statement = f"{_LINE} SELECT book_id, :li, 1, entry_id, amount, before, after, term, earned, posted_at, deed_on FROM line"
    li, is_text = desk.account("li"), desk.session.get_bind().dialect.name == "sqlite"
    asked = {"li": li.hex if is_text else li, "book": desk.book_id.hex if is_text else desk.book_id}
    if is_text:
        desk.session.execute(text(f"{statement} WHERE book_id = :book"), asked)
        assert journal.verify(desk.session, desk.book_id, START) != []
        return
    with pytest.raises(IntegrityError, match="line_is_a_side_of_its_entry"):
        desk.session.execute(text(f"{statement} WHERE book_id = :book"), asked)
