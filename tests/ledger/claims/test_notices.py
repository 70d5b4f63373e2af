from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import claims
from ledger.areas import Book
from ledger.claims import Claim
from ledger.claims import Notice
from tests.builders import VAULT
from tests.builders import a_mandate
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community


@pytest.fixture
def community(session: Session) -> Community:
    return a_community(session)


def board(community: Community) -> list[Notice]:
    return claims.public_notices(community.session, VAULT, community.book, community.at)


def test_a_large_award_stands_on_notice_for_seven_days_and_is_credited_then(community: Community) -> None:
    volunteer = community.person()
    (claim_id,) = community.credited(volunteer, "rescue")
    claim = community.claim(claim_id)
    assert (claim.state, claim.notice_ends_at, community.balance(volunteer)) == ("on_notice", community.at + timedelta(days=7), 0)
    community.at += timedelta(days=7, microseconds=-1)
    assert community.credit_due() == {}
    community.at += timedelta(microseconds=1)
    assert community.credit_due() == {claim_id: "credited"}
    assert community.credit_due() == {}
    assert community.balance(volunteer) == 300


def test_just_at_the_threshold_an_award_is_credited_at_once(community: Community, owner: Engine) -> None:
    volunteer = community.person()
    community.session.commit()
    with owner.begin() as connection:
        connection.execute(update(Book).where(Book.id == community.book.id).values(notice_above_points=300))
    community.session.expire_all()
    (claim_id,) = community.credited(volunteer, "rescue")
    assert community.claim(claim_id).state == "credited"


def test_what_an_objection_pauses_is_not_credited(community: Community) -> None:
    (claim_id,) = community.credited(community.person(), "rescue")
    this = (claims.Claim.book_id == community.book.id, claims.Claim.id == claim_id)
    community.session.execute(update(claims.Claim).where(*this).values(state="objected"))
    community.at += timedelta(days=8)
    assert community.credit_due() == {}


def test_after_the_notice_an_award_may_yet_wait_for_funds(session: Session) -> None:
    community = a_community(session, with_fund=False)
    fund = community.fund(299)
    (claim_id,) = community.credited(community.person(), "rescue")
    community.at += timedelta(days=7)
    assert community.credit_due() == {claim_id: "awaiting_funds"}
    assert community.credit_due() == {}
    assert fund is not None
    community.fund(300, name="第二笔经费")
    assert community.credit_due() == {claim_id: "credited"}


def test_the_board_shows_masked_names_and_neither_minors_nor_those_of_unknown_age(community: Community) -> None:
    people = [
        community.person(name=name, birth_month=born) for name, born in (("陈桂芳", "1956-03"), ("何子轩", "2011-09"), ("李国强", None))
    ]
    for person in people:
        community.credited(person, "rescue")
    assert [notice.name for notice in board(community)] == ["**", "**", "陈**"]
    assert {notice.state for notice in board(community)} == {"on_notice"}


@pytest.mark.parametrize(("birth_month", "name"), [("2008-11", "**"), ("2008-10", "何**"), ("2026-12", "**")])
def test_nobody_is_named_before_the_month_of_their_18th_birthday_is_over(community: Community, birth_month: str, name: str) -> None:
    parent = community.person()
    child = community.person(name="何子轩", birth_month=birth_month, guardian_id=parent.id)
    community.credited(child, "rescue")
    assert [notice.name for notice in board(community)] == [name]


def test_the_board_does_not_say_who_told_it_for_somebody(community: Community) -> None:
    elder, helper = community.person(name="陈桂芳", birth_month="1956-03"), community.person(name="李桂荣", birth_month="1970-01")
    a_mandate(community.session, community.book, elder, helper)
    act = replace(community.act(helper), acted_for=elder.id)
    claim = claims.report(community.session, act, VAULT, community.told("rescue"))
    assert isinstance(claim, Claim)
    community.attest(community.person(), claim.id)
    community.approve(community.person(), claim.id)
    community.approve(community.person(), claim.id)
    assert [(notice.name, notice.state) for notice in board(community)] == [("陈**", "on_notice")]


def test_small_awards_are_published_in_the_month_they_are_credited_in(community: Community) -> None:
    community.credited(community.person(), "patrol", deed_on=TODAY - timedelta(days=30))
    assert [notice.state for notice in board(community)] == ["credited"]
    community.at += timedelta(days=9)
    assert board(community) == []


def test_what_is_not_decided_or_turned_down_is_not_on_the_board(community: Community) -> None:
    worker, approver = community.person(), community.person()
    community.report(community.person())
    community.propose(worker, community.person())
    community.turn_down("refuse", approver, community.propose(worker, community.person()))
    assert board(community) == []


def test_the_board_of_a_book_shows_nothing_of_another(community: Community) -> None:
    community.credited(community.person(), "rescue")
    assert board(a_community(community.session)) == []


def test_no_notice_tells_what_was_told_or_where(community: Community) -> None:
    assert {"text", "place", "person_id"} & set(Notice.__dataclass_fields__) == set()
