"""Whoever goes out without a phone prints a slip, which the till scans from the paper, or whose number the cashier types."""

from __future__ import annotations

from contextlib import closing

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import HandClock
from tests.journeys import pictures
from tests.journeys.browser import Browser
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def drawn(browser: Browser) -> str:
    """Draw a slip, and return the number to type."""
    browser.open("/code")
    browser.follow("打印凭条")
    page = browser.send("出一张凭条")
    assert "最多 50 分" in page.text
    return page.text.split("最多 50 分")[0].split("兑换凭条")[-1]


def paid(desk: Desk, code: str, points: int) -> str:
    desk.cashier.open("/till")
    return desk.cashier.send("收取", points=str(points), code=code).text


def test_the_printed_slip_is_read_from_the_paper_and_pays_once(desk: Desk) -> None:
    drawn(desk.volunteer)
    answer = desk.volunteer.client.get(desk.volunteer.page.link("打印"))
    assert answer.mimetype == "application/pdf"
    with closing(pypdfium2.PdfDocument(answer.data)) as document, closing(document[0]) as page:
        picture = page.render(scale=3).to_pil()
    (code,) = pictures.codes_in(picture)
    inch = 72 * 3
    side_mm = (code.position.top_right.x - code.position.top_left.x) / inch * 25.4
    assert 35 <= side_mm <= 60
    assert code.text == desk.volunteer.page.scan()
    assert "已收 50 分" in paid(desk, code.text, 50)
    assert "已在" in paid(desk, code.text, 1)
    assert desk.balance() == 450


def test_its_number_is_typed_where_it_cannot_be_scanned(desk: Desk) -> None:
    number = drawn(desk.volunteer)
    assert "一张凭条最多付 50 分" in paid(desk, number, 51)
    assert "已收 20 分" in paid(desk, number, 20)
    assert "现在没有没用过的凭条" in desk.volunteer.open("/slips").text


def test_a_slip_that_was_lost_is_ended(desk: Desk) -> None:
    number = drawn(desk.volunteer)
    assert "现在没有没用过的凭条" in desk.volunteer.send("作废").text
    assert "没有扣分" in paid(desk, number, 20)
    assert desk.balance() == 500


def test_nobody_else_sees_a_slip(desk: Desk) -> None:
    drawn(desk.volunteer)
    assert desk.cashier.open(desk.volunteer.page.address).status == 404
    assert desk.cashier.open(desk.volunteer.page.link("打印")).status == 404
