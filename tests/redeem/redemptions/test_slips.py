"""A slip of paper pays once, at once, few points, for whoever has no phone with them; and a shop takes so much a day by slips."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from ledger import people
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import Person
from redeem import codes
from redeem import redemptions
from tests.builders import VAULT
from tests.redeem.redemptions.conftest import Market
from tests.redeem.redemptions.test_take import posted


def a_slip(market: Market, person: Person) -> codes.Slip:
    drawn = market.done(codes.draw_slip(market.session, market.act(person), VAULT))
    assert isinstance(drawn, codes.Slip), drawn
    return drawn


def shown(market: Market, person: Person) -> list[codes.Slip]:
    return codes.slips_of(market.session, VAULT, market.book, person, market.clock.now())


@pytest.mark.parametrize("is_typed", [False, True])
def test_a_slip_pays_once_and_is_gone(market: Market, is_typed: bool) -> None:
    chen = market.volunteer("陈桂芳", 100)
    slip = a_slip(market, chen)
    assert shown(market, chen) == [slip]
    code = f"{slip.handle} {slip.digits}" if is_typed else slip.token
    market.clock.advance(days=29)
    row = posted(market.take(code, 50))
    assert (row.way, row.state, row.points, row.posted_at) == ("slip", "posted", 50, row.opened_at)
    assert market.take(code, 1, till=1) == Refusal("pay-code-used", "code", {"at": row.posted_at, "till": "1号收银台"})
    assert shown(market, chen) == []
    assert market.points(chen) == 50
    assert market.faults() == []
    market.void(row.id)
    assert market.points(chen) == 100
    assert market.faults() == []


def test_a_slip_pays_no_more_than_stands_on_it_and_a_refusal_does_not_use_it_up(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    slip = a_slip(market, chen)
    assert slip.points_max == market.book.at_once_points_max == 50
    assert market.take(slip.token, 51) == Refusal("slip-limit", "points", {"most": 50})
    assert posted(market.take(slip.token, 49)).points == 49


def test_slips_leave_the_five_that_the_phone_pays_at_once(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 500)
    for slip in [a_slip(market, chen) for _ in range(5)]:
        posted(market.take(slip.token, 40))
    assert market.take(a_slip(market, chen).token, 1) == Refusal("card-limit", "points", {"most": 200})
    assert posted(market.take(market.code(chen), 10)).state == "posted"


def test_a_shop_takes_500_points_a_day_by_slips_however_many_come_together(market: Market) -> None:
    residents = [market.volunteer(f"居民{number}", 200) for number in range(11)]
    takings = [market.taking(a_slip(market, person).token, 50) for person in residents]
    outcomes = market.take_all(takings)
    assert [outcome.points for outcome in outcomes if isinstance(outcome, redemptions.RedemptionRow)] == [50] * 10
    assert outcomes[10] == Refusal("slip-limit-of-shop", "points", {"left": 0})
    assert posted(market.take(market.code(residents[10]), 50)).state == "posted"
    market.void(posted(outcomes[0]).id)
    slip = shown(market, residents[10])[0]
    assert posted(market.take(slip.token, 50)).way == "slip"
    market.clock.advance(days=1)
    assert posted(market.take(a_slip(market, residents[0]).token, 50)).way == "slip"
    assert market.faults() == []


def test_a_slip_ends_after_a_month_or_when_its_person_says_so(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    old, lost = a_slip(market, chen), a_slip(market, chen)
    market.done(codes.end_slip(market.session, market.act(chen), lost.id))
    assert market.take(lost.token, 10) == Refusal("pay-code-unknown", "code")
    market.clock.advance(days=30)
    assert market.take(old.token, 10) == Refusal("pay-code-expired", "code")
    assert shown(market, chen) == []
    with pytest.raises(NotFound):
        codes.end_slip(market.session, market.act(chen), old.id)


def test_whoever_loses_the_card_loses_no_slip_to_the_finder(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    people.issue_card(market.session, market.act(), chen.id)
    slip = a_slip(market, chen)
    market.clock.advance(hours=1)
    market.done(people.replace_card(market.session, market.act(), chen.id))
    assert market.take(slip.token, 10) == Refusal("pay-code-unknown", "code")
    assert shown(market, chen) == []
    market.clock.advance(seconds=1)
    assert posted(market.take(a_slip(market, chen).token, 10)).way == "slip"


def test_nobody_ends_or_draws_a_slip_of_somebody_else(market: Market) -> None:
    chen, ma = market.volunteer("陈桂芳", 100), market.volunteer("马志强", 100)
    slip = a_slip(market, chen)
    with pytest.raises(NotFound):
        codes.end_slip(market.session, market.act(ma), slip.id)
    on_behalf = replace(market.act(ma), acted_for=chen.id)
    assert codes.draw_slip(market.session, on_behalf, VAULT) == Refusal("pay-code-not-on-behalf")


def test_a_child_has_none_and_nobody_has_more_than_five(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    slips = [a_slip(market, chen) for _ in range(5)]
    assert codes.draw_slip(market.session, market.act(chen), VAULT) == Refusal("slips-too-many", data={"most": 5})
    market.done(codes.end_slip(market.session, market.act(chen), slips[0].id))
    a_slip(market, chen)
    child = market.volunteer("何子轩", 100)
    until = (market.clock.now() + timedelta(days=400)).date()
    market.session.execute(update(Person).where(Person.book_id == market.book.id, Person.id == child.id).values(guarded_until=until))
    assert codes.draw_slip(market.session, market.act(child), VAULT) == Refusal("guardian-acts")


def test_wrong_numbers_of_slips_are_counted_as_wrong_codes_are(market: Market) -> None:
    chen = market.volunteer("陈桂芳", 100)
    slip = a_slip(market, chen)
    wrong = f"{(int(slip.digits) + 1) % 10**10:010}"
    refusals = [market.take(slip.handle + wrong, 1) for _ in range(12)]
    assert {refusal.code for refusal in refusals if isinstance(refusal, Refusal)} == {"pay-code-unknown", "till-must-wait"}
