from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger.ids import new_id
from tests.builders import a_shop
from tests.conftest import HandClock
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from tests.web.pages.papers import get
from tests.web.pages.papers import opened


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def test_a_poster_names_the_shop_what_can_be_had_and_how_to_pay(desk: Desk) -> None:
    desk.offer(title="菜籽油5升", points=30, cash_fen=1250)
    desk.owner.open("/shop")
    paper = opened(desk.owner, desk.owner.page.link("海报"))
    assert paper.sizes == [(210.0, 297.0)]
    for words in ("旺财便民超市", "本店可以用善行积分兑换", "菜籽油5升", "30 分 + ¥12.50", "怎么付", "没有手机，就带存折卡"):
        assert paper.says(words), words
    assert paper.codes[0].startswith("http://localhost:8000/offers")


def test_a_poster_has_room_for_ten_offers_and_says_that_there_are_more(desk: Desk) -> None:
    assert "请问店员" in opened(desk.owner, f"/shop/{desk.shop.id}/poster.pdf").text
    for number in range(11):
        desk.offer(title=f"物品{number:02}号")
    paper = opened(desk.owner, f"/shop/{desk.shop.id}/poster.pdf")
    assert len(paper.pages) == 1
    assert [paper.says(words) for words in ("物品09号", "物品10号", "还有更多")] == [True, False, True]


def test_a_poster_is_the_owners_of_that_shop(desk: Desk) -> None:
    other = a_shop(desk.session, desk.book, name="别家")
    desk.session.commit()
    assert [get(desk.owner, f"/shop/{one}/poster.pdf").status_code for one in (other.id, new_id())] == [404, 404]
    assert get(desk.cashier, f"/shop/{desk.shop.id}/poster.pdf").status_code == 403


def test_a_redemption_is_printed_as_a_receipt_and_says_when_it_was_taken_back(desk: Desk) -> None:
    desk.take(30)
    desk.volunteer.open("/me/passbook")
    receipt = desk.volunteer.follow("旺财便民超市")
    address = receipt.link("打印收据")
    paper = opened(desk.volunteer, address)
    assert paper.sizes == [(105.0, 148.0)]
    number = address.split("/")[2][-6:].upper()
    for words in ("兑换收据", "旺财便民超市", "30 分", "已付 30 分", number, "1号收银台", desk.person.handle[:4]):
        assert paper.says(words), words
    assert get(desk.another("volunteer"), address).status_code == 404
    assert get(desk.volunteer, f"/receipts/{new_id()}/receipt.pdf").status_code == 404


def test_what_was_not_paid_has_no_receipt(desk: Desk) -> None:
    desk.take(200)
    waiting = desk.volunteer.open("/waiting")
    (redemption_id,) = {form.action.split("/")[-2] for form in waiting.forms if "/waiting/" in form.action}
    assert get(desk.volunteer, f"/receipts/{redemption_id}/receipt.pdf").status_code == 404


def test_a_printed_slip_is_read_back_from_the_paper_and_taken_at_the_till(desk: Desk) -> None:
    slip = desk.volunteer.open("/slips")
    slip = desk.volunteer.send(slip_button(slip))
    paper = opened(desk.volunteer, slip.link("打印"))
    assert paper.sizes == [(105.0, 148.0)]
    (code,) = paper.codes
    assert code == slip.scan(), "the paper says what the page says"
    assert "最多 50 分" in paper.text
    desk.cashier.open("/till")
    assert "30" in desk.cashier.send("收取", points="30", code=code).text
    assert desk.balance() == 470


def slip_button(page: Any) -> str:
    return next(words for form in page.forms if form.action == "/slips" for words in form.buttons)
