"""Opening funds and giving them budgets: every point comes from one, and every budget is an entry."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.funds import queries
from ledger.funds.model import Fund
from ledger.ids import new_id

NAME_LENGTH_MAX = 100


def open_fund(
    session: Session, act: Act, *, name: str, area_code: str, opens_on: date, closes_on: date | None = None, budget: int | None = None,
    within: areas.Scope = areas.EVERYWHERE,
) -> Fund | Refusal:  # fmt: skip
    """Open a fund for an area and below it, with its first budget if one is given."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("name-malformed", "name")
    if closes_on is not None and closes_on < opens_on:
        raise Invalid("dates-out-of-order", "closes_on")
    areas.area(session, act.book_id, area_code, within)
    fund = Fund(book_id=act.book_id, id=new_id(), name=name, area_code=area_code, opens_on=opens_on, closes_on=closes_on)
    session.add(fund)
    session.flush()
    journal.open_accounts(session, act.book_id, [("fund", fund.id)], act.at)
    if budget is not None:
        outcome = add_budget(session, act, fund.id, budget)
        assert not isinstance(outcome, Refusal), "a budget comes from an account without a floor"
    return fund


def add_budget(
    session: Session, act: Act, fund_id: UUID, amount: int, *, within: areas.Scope = areas.EVERYWHERE
) -> journal.Posted | Refusal:
    """Give a fund more to award, by an entry from the book's source."""
    fund = queries.fund(session, act.book_id, fund_id, within)
    accounts = journal.account_ids(session, act.book_id, "fund", [fund.id]) | journal.account_ids(
        session, act.book_id, "source", [act.book_id]
    )
    if act.book_id not in accounts:
        raise NotFound("source")
    day = local_day(act.at, areas.book(session, act.book_id).zone)
    movement = journal.Transfer(
        act=act,
        from_account=accounts[act.book_id],
        to_account=accounts[fund.id],
        amount=amount,
        kind="budget",
        about=journal.About(deed_on=day, reference=fund.id),
    )
    (outcome,) = journal.post(session, act.book_id, [movement])
    assert isinstance(outcome, journal.Posted | Refusal)
    return outcome
