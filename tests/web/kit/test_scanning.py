from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from PIL import Image
from PIL import ImageFilter
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ledger.errors import Refusal
from ledger.web.kit import scanning
from tests.camera import HEIC
from tests.camera import bomb
from tests.camera import photo
from tests.camera import with_a_broken_end
from tests.camera import written
from tests.conftest import HandClock
from tests.journeys.browser import Page
from tests.journeys.browser import read
from tests.journeys.pictures import drawn
from tests.journeys.pictures import of
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk

OWN = "HTTP://LOCALHOST:8000"
ORDER, VENUE = f"{OWN}/O/1-{'0' * 26}", f"{OWN}/V/1-{'0' * 26}-{'0' * 16}"
PAY = f"{OWN}/P/1-12345678-{'0' * 16}"
FOREIGN = (
    "https://qr.alipay.com/fkx01234567890abcdef", "wxp://f2f0abcdefghijklmnop", "134567890123456789", "https://example.org/o/1-X",
    f"HTTP://LOCALHOST:80001/O/1-{'0' * 26}", f"HTTP://LOCALHOST:8000.EXAMPLE.ORG/O/1-{'0' * 26}", f"https://user@{ORDER}",
    f"//LOCALHOST:8000/O/1-{'0' * 26}", "javascript://LOCALHOST:8000/alert(1)",
)  # fmt: skip


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def sent(desk: Desk, **fields: object) -> TestResponse:
    """Send the volunteer's form for codes, as she would without scripts."""
    form = desk.volunteer.open("/scan").form("看这张照片")
    return desk.volunteer.client.post("/scan", data=form.fields | fields)


def as_photo(content: bytes, name: str = "code.jpg") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def shown(answer: TestResponse) -> Page:
    return read("/scan", answer)


@pytest.mark.parametrize("text", [ORDER, VENUE, PAY, ORDER.lower(), f" {ORDER}\n"])
def test_a_code_of_ours_leads_to_a_path_of_ours(app: Flask, text: str) -> None:
    with app.test_request_context():
        found = scanning.scanned(text)
        assert isinstance(found, scanning.Scanned)
        assert found.path == text.strip().upper().removeprefix(OWN)


@pytest.mark.parametrize("text", FOREIGN)
def test_a_code_of_anybody_else_is_followed_nowhere(app: Flask, text: str) -> None:
    with app.test_request_context():
        refusal = scanning.scanned(text)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "scan-not-ours"


@pytest.mark.parametrize(
    "text", [ORDER[:-1], PAY[:-3], VENUE[:40], f"{OWN}/", f"{ORDER}/../sign-out", f"{OWN}/PAIR/ABCDEFGH", f"{ORDER}?next=//x"]
)
def test_a_part_of_a_code_or_another_page_of_ours_is_not_followed(app: Flask, text: str) -> None:
    with app.test_request_context():
        found = scanning.scanned(text)
        assert isinstance(found, Refusal)
        assert found.code == "scan-cut-off"


def test_what_is_typed_is_left_to_whoever_looks_it_up(app: Flask) -> None:
    with app.test_request_context():
        assert [scanning.against(text) for text in ("12345678 123456", "１２３４", "1-12345678-ABC", "123")] == [None] * 4
        assert isinstance(scanning.scanned("123456"), Refusal)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_photo_of_an_order_leads_to_it(desk: Desk, kind: str) -> None:
    page = desk.draw(30)
    picture = drawn(page.html).convert("RGB").rotate(7, expand=True, fillcolor="grey").filter(ImageFilter.GaussianBlur(1.2))
    answer = sent(desk, photo=as_photo(written(picture, kind)))
    assert (answer.status_code, answer.location) == (303, page.scan().removeprefix(OWN))


def test_a_photo_with_two_codes_is_read_as_ours(desk: Desk) -> None:
    page = desk.draw(30)
    ours, sheet = drawn(page.html).convert("RGB"), Image.new("RGB", (1200, 500), "white")
    sheet.paste(of("https://example.org"), (0, 0))
    sheet.paste(ours, (700, 0))
    assert sent(desk, photo=as_photo(written(sheet, "PNG"))).location == page.scan().removeprefix(OWN)


def test_a_photo_without_a_code_or_with_anothers_is_answered_in_a_sentence(desk: Desk) -> None:
    empty = sent(desk, photo=as_photo(photo()))
    assert (empty.status_code, "照片里没有看到码" in shown(empty).text) == (422, True)
    other = sent(desk, photo=as_photo(written(of("https://example.org"), "PNG")))
    assert (other.status_code, "可能是付款码" in shown(other).text) == (404, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no picture at all", "不是照片，或者坏了"),
        (HEIC, "HEIC 照片打不开"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "不是照片，或者坏了"),
        (photo()[:900], "不是照片，或者坏了"),
        (with_a_broken_end(), "不是照片，或者坏了"),
        (bomb(5_000, 5_000), "照片太大"),
        (bomb(30_000, 30_000), "照片太大"),
    ],
    ids=["text", "heic", "svg", "torn", "broken end", "many pixels", "bomb"],
)  # fmt: skip
def test_what_is_no_photo_or_too_large_is_not_decoded(desk: Desk, content: bytes, words: str) -> None:
    answer = sent(desk, photo=as_photo(content))
    assert (answer.status_code, words in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("content", "words"), [(HEIC, "HEIC 照片打不开"), (with_a_broken_end(), "不是照片，或者坏了")], ids=["heic", "broken end"]
)
def test_what_is_no_photo_is_explained_at_the_till_too(desk: Desk, content: bytes, words: str) -> None:
    form = desk.cashier.open("/till").form("收取").fields | {"points": "30", "photo": as_photo(content)}
    answer = desk.cashier.client.post("/till", data=form)
    assert (answer.status_code, words in answer.text) == (422, True)


def test_a_photo_of_too_many_bytes_is_not_even_read(desk: Desk) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="code.jpg"\r\n\r\n' + bytes(10 * 1024 * 1024) + b"\r\n--x--\r\n"
    answer = desk.volunteer.client.post("/scan", data=body, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, "内容太大" in answer.text) == (413, True)


def test_a_form_without_code_and_photo_says_what_can_be_given(desk: Desk) -> None:
    answer = sent(desk)
    assert (answer.status_code, "请扫码、拍照，或输入数字" in shown(answer).text) == (422, True)


def test_the_till_reads_a_photo_of_the_volunteers_screen(desk: Desk) -> None:
    picture = written(drawn(desk.volunteer.open("/code").html), "PNG")
    form = desk.cashier.open("/till").form("收取").fields | {"points": "30", "photo": as_photo(picture)}
    answer = desk.cashier.client.post("/till", data=form, follow_redirects=True)
    assert "已收 30 分" in answer.text
    assert desk.balance() == 470


def test_another_services_code_at_the_till_takes_nothing_and_is_no_guess(desk: Desk) -> None:
    statuses = [desk.take(10, "https://qr.alipay.com/fkx01234567890abcdef").status for _ in range(12)]
    assert statuses == [404] * 12
    assert "可能是付款码" in desk.cashier.page.text
    assert desk.take(10).headings == ["已收 10 分"]


@pytest.mark.parametrize("digits", ["134567890123456789", "2812 3456 7890 1234 56", "301234567890123456789012"])
def test_a_code_for_paying_with_money_is_told_apart_from_a_mistyped_one(desk: Desk, digits: str) -> None:
    answer = desk.take(10, digits)
    assert (answer.status, "可能是付款码" in answer.text) == (404, True)
    assert "兑换码不对" in desk.take(10, "12345678 123456").text


def test_a_slips_eighteen_digits_are_no_wallets(desk: Desk) -> None:
    desk.volunteer.open("/slips")
    desk.volunteer.send("出一张凭条")
    typed = "".join(re.findall(r"<span>(\d{4} \d{4})</span> <span>(\d{5} \d{5})</span>", desk.volunteer.page.html)[0]).replace(" ", "")
    assert len(typed) == 18
    assert desk.take(10, typed).headings == ["已收 10 分"]
