from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from ledger import claims
from ledger import funds
from ledger import journal
from ledger import tariff
from ledger.areas import EVERYWHERE
from ledger.areas import Book
from ledger.claims import Claim
from ledger.claims import NewDeed
from ledger.claims import Reach
from ledger.errors import Refusal
from tests.builders import COUNTY
from tests.builders import OTHER_VILLAGE
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_book
from tests.builders import a_claimed_act
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *args, **options: app.test_cli_runner().invoke(args=["ledger", *map(str, args)], **options)


@pytest.fixture
def book(session: Session) -> Book:
    book = a_book(session)
    journal.open_book_accounts(session, book.id, START)
    session.refresh(book)
    session.expunge(book)
    session.commit()
    return book


def opened(run: Run, *more: object, area: str = COUNTY) -> str:
    result = run("funds", "open", "--book", 1, "--name", "积分经费", "--area", area, *more)
    assert result.exit_code == 0, result.output
    return re.findall(r"[0-9a-f-]{36}", result.output)[0]


def test_a_fund_is_opened_given_more_and_listed(run: Run, book: Book) -> None:
    fund_id = opened(run, "--budget", 1000)
    assert "1,500 points left" in run("funds", "budget", "--book", 1, "--fund", fund_id, "--points", 500).output
    listed = run("funds", "list", "--book", 1).output
    assert all(text in listed for text in ("积分经费", COUNTY, "1,500", "2026-11-23"))
    assert "verify: clean" in run("verify", "--book", 1).output


@pytest.mark.own_app
def test_everything_is_verified_in_one_snapshot_that_keeps_nobody_waiting(run: Run, app: Flask, database: Database, book: Book) -> None:
    fund_id = opened(run, "--budget", 1000)
    seen: list[dict[str, int]] = []

    def look_post_and_look(session: Session, book_id: UUID) -> list[journal.Fault]:
        seen.append(journal.trial_balance(session, book_id))
        with Session(database.engine) as own, own.begin():
            funds.add_budget(own, a_claimed_act(own, book), UUID(fund_id), 500)
        seen.append(journal.trial_balance(session, book_id))
        return []

    app.extensions["verifiers"] = (look_post_and_look, *app.extensions["verifiers"])
    result = run("verify", "--book", 1)
    assert "verify: clean" in result.output, result.output
    assert seen == [{"fund": 1000, "source": -1000}] * 2
    assert "fund +1,500" in run("verify", "--book", 1).output


@pytest.mark.own_app
def test_many_faults_of_one_part_hide_none_of_another(run: Run, app: Flask, book: Book) -> None:
    def many(session: Session, book_id: UUID) -> list[journal.Fault]:
        return [journal.Fault(f"claim {number}", "is wrong") for number in range(318)]

    app.extensions["verifiers"] = (many, lambda session, book_id: [journal.Fault("log", "is wrong too")])
    said = run("verify", "--book", 1).output
    assert said.count("is wrong\n") == 50
    assert "268 处未列出 / more that are not shown" in said
    assert "log: is wrong too" in said
    assert "verify: 319 faults" in said


def test_what_is_wrong_with_a_fund_ends_with_a_sentence(run: Run, book: Book) -> None:
    fund_id = opened(run)
    for points in (0, -1, 2**63):
        result = run("funds", "budget", "--book", 1, "--fund", fund_id, "--points", points)
        assert (result.exit_code, "amount-malformed" in result.output) == (1, True)
    nobody = run("funds", "budget", "--book", 1, "--fund", book.id, "--points", 5)
    assert (nobody.exit_code, "not-found" in nobody.output) == (1, True)
    dates = run("funds", "open", "--book", 1, "--name", "x", "--area", VILLAGE, "--from", "2026-02-01", "--to", "2026-01-01")
    assert (dates.exit_code, "dates-out-of-order" in dates.output) == (1, True)
    assert "not-found" in run("funds", "open", "--book", 1, "--name", "x", "--area", "99").output
    assert "not-found" in run("funds", "list", "--book", 7).output


def test_what_waited_for_funds_is_credited_when_they_come(run: Run, session: Session, book: Book) -> None:
    tariff.define_categories(session, an_act(book))
    row = tariff.RateRow("patrol", "patrol", "巡逻", "patrol", "deed", 50)
    assert not isinstance(tariff.define_rate(session, an_act(book), row, valid_from=START.date()), Refusal)
    worker, approver, volunteer = (a_person(session, book, role) for role in ("grid_worker", "approver", "volunteer"))
    deed = NewDeed("patrol", START.date(), person_id=volunteer.id)
    act = a_claimed_act(session, book, actor=worker.id)
    (claim,) = claims.propose(session, act, VAULT, Reach(EVERYWHERE), "grid_worker", [deed])
    assert isinstance(claim, Claim)
    (moved,) = claims.approve(session, a_claimed_act(session, book, actor=approver.id), EVERYWHERE, [claim.id])
    assert isinstance(moved, claims.Moved)
    assert moved.state == "awaiting_funds"
    session.commit()
    opened(run, "--budget", 1000, area=OTHER_VILLAGE)
    assert "0 credited" in run("claims", "credit-due", "--book", 1).output
    opened(run, "--budget", 1000)
    assert "1 credited" in run("claims", "credit-due", "--book", 1).output
    assert "0 credited" in run("claims", "credit-due", "--book", 1).output
    assert "verify: clean" in run("verify", "--book", 1).output
