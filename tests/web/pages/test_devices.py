from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.settings import Settings
from ledger.web.kit.extensions import db
from redeem import merchants
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import a_person
from tests.builders import a_shop
from tests.builders import an_act
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device
from tests.web.pages.paired import with_pin
from wsgi import create_app


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


def till(desk: Desk) -> Browser:
    """A browser that was paired as the shop's device, and whose cashier has a PIN."""
    with_pin(desk.session, desk.book, desk.shop.cashier.id, "shift")
    return on_device(desk.app, desk.session, desk.book, unit_id=desk.shop.id)


def in_shift(desk: Desk) -> Browser:
    """The same, with the shift open."""
    browser = till(desk)
    assert browser.send("开班", _pin=PIN).headings == ["收银"]
    return browser


def test_the_owner_pairs_a_device_the_cashier_takes_points_on_it_and_ends_the_shift(desk: Desk) -> None:
    desk.owner.open("/shop")
    desk.owner.follow("设备")
    shown = desk.owner.send("生成配对码", name="柜台平板")
    code = shown.text.partition("输入： ")[2][:9]
    assert f"/PAIR/{code}" in shown.scan()
    desk.owner.follow("收银员")
    given = desk.owner.send("给一个设开班密码的码")
    pin_code = given.text.partition("输入： ")[2][:9]

    device = Browser(desk.app)
    device.open(shown.scan())
    opened = device.send("配对这台设备")
    assert opened.headings == ["开班"]
    assert "姚**" in opened.text
    assert "姚春梅" not in opened.html
    assert desk.shop.cashier.handle not in opened.html
    device.follow("第一次开班")
    assert device.send("设好密码，开班", code=pin_code.lower(), _pin=PIN, _pin_again=PIN).headings == ["收银"]

    assert device.send("收取", points="30", code=desk.code()).headings == ["已收 30 分"]
    assert desk.balance() == 470
    device.follow("下一位")
    closing = device.follow("交班")
    assert "开班时间2026-11-23 09:00 兑换笔数1 收到积分30 其中已撤销0 另收现金¥0.00" in closing.text
    assert device.send("对上了，交班").headings == ["开班"]
    assert device.open("/till").headings == ["开班"]
    assert device.send("开班", _pin=PIN).headings == ["收银"]
    assert "这个码已经用过" in desk.owner.open(desk.owner.page.address).text
    assert "最近使用 2026-11-23" in desk.owner.open(f"/shop/{desk.shop.id}/devices").text


def test_a_device_that_the_owner_ends_is_turned_away_at_its_next_request(desk: Desk) -> None:
    device = in_shift(desk)
    desk.owner.open(f"/shop/{desk.shop.id}/devices")
    desk.owner.send("停用这台设备")
    assert device.open("/till").headings == ["登录"]
    assert "没有配对" in device.open("/shift").text
    assert "还没有配对的设备" in desk.owner.page.text


def test_a_shifts_cookie_opens_nothing_on_another_browser(desk: Desk) -> None:
    device = in_shift(desk)
    cookie = device.client.get_cookie("passbook")
    assert cookie is not None
    thief = Browser(desk.app)
    thief.client.set_cookie("passbook", cookie.value)
    assert thief.open("/till").headings == ["登录"]
    other = on_device(desk.app, desk.session, desk.book, unit_id=desk.shop.id)
    other.client.set_cookie("passbook", cookie.value)
    assert other.open("/till").headings == ["开班"]
    assert device.open("/till").headings == ["收银"]


def test_a_till_stays_a_till(desk: Desk) -> None:
    device = in_shift(desk)
    for path in ("/me", "/me/data", "/me/data.json", "/account", "/offers", "/code", "/shop", "/leader"):
        assert device.open(path).status == 403, path


def test_a_shift_is_worked_in_the_shop_of_its_device_only(desk: Desk) -> None:
    other = a_shop(desk.session, desk.book, name="另一家超市")
    today = local_day(desk.clock.now(), desk.book.zone)
    hired = merchants.hire(
        desk.session, an_act(desk.book), other.id, person_id=desk.shop.cashier.id, role="cashier", starts_on=today
    )  # fmt: skip
    assert not isinstance(hired, Refusal)
    desk.session.commit()
    device = in_shift(desk)
    assert desk.shop.name in device.page.text
    assert other.name not in device.open("/till").html
    form = device.page.form("收取")
    sent = device.client.post("/till", data=form.fields | {"till_id": str(other.till_id), "points": "5", "code": desk.code()})
    assert sent.status_code == 404
    assert desk.balance() == 500


def test_an_unused_shift_locks_itself_and_asks_the_same_cashier(desk: Desk) -> None:
    colleague = a_person(desk.session, desk.book, name="马小云")
    today = local_day(desk.clock.now(), desk.book.zone)
    merchants.hire(desk.session, an_act(desk.book), desk.shop.id, person_id=colleague.id, role="cashier", starts_on=today)
    desk.session.commit()
    device = till(desk)
    assert "马" in device.page.text
    device.follow("姚")
    assert device.send("开班", _pin=PIN).headings == ["收银"]
    desk.clock.advance(minutes=16)
    locked = device.open("/till")
    assert (locked.headings, locked.form("开班").fields["person_id"]) == (["开班"], [str(desk.shop.cashier.id)])
    assert device.send("开班", _pin=PIN).headings == ["收银"]
    device.follow("交班")
    device.send("对上了，交班")
    assert "person_id" not in {name for form in device.page.forms for name in form.fields}, "an ended shift is anybody's next"


def test_only_who_is_hired_today_opens_a_shift(desk: Desk) -> None:
    device = till(desk)
    with_pin(desk.session, desk.book, desk.person.id, "shift")
    form = device.page.form("开班")
    wrong = device.client.post("/shift", data=form.fields | {"person_id": str(desk.person.id), "_pin": PIN})
    assert wrong.status_code == 403
    assert "密码不对" in wrong.text
    device.open("/shift?choose=1")
    device.send("下一步", handle=desk.shop.cashier.handle)
    assert device.send("开班", _pin=PIN).headings == ["收银"]
    desk.owner.open(f"/shop/{desk.shop.id}/staff")
    desk.owner.send("今天起结束")
    desk.clock.advance(hours=24)
    assert "今天没有收银员" in device.open("/shift").text


def test_five_wrong_pins_have_to_wait_and_ten_a_whole_day_unless_the_owner_gives_a_code(desk: Desk) -> None:
    device = till(desk)
    another = on_device(desk.app, desk.session, desk.book, unit_id=desk.shop.id)
    statuses = []
    for _ in range(7):
        statuses.append(device.send("开班", _pin="274914").status)
        device.open("/shift")
    assert statuses == [403] * 5 + [429] * 2
    desk.clock.advance(minutes=15)
    for _ in range(5):
        device.open("/shift")
        assert device.send("开班", _pin="274914").status == 403
    desk.clock.advance(minutes=15)
    device.open("/shift")
    assert device.send("开班", _pin=PIN).status == 429
    owner = desk.enter(desk.shop.owner)
    owner.open(f"/shop/{desk.shop.id}/staff")
    code = owner.send("给一个设开班密码的码").text.partition("输入： ")[2][:9]
    device.open(f"/shift/pin?person_id={desk.shop.cashier.id}")
    assert device.send("设好密码，开班", code=code, _pin="274915", _pin_again="274915").headings == ["收银"]
    another.open("/shift")
    assert another.send("开班", _pin="274915").headings == ["收银"], "at the new one nothing was tried yet"


def test_after_thirty_wrong_pins_a_shift_opens_nowhere_until_the_owner_gives_a_code(desk: Desk) -> None:
    device = till(desk)
    for _ in range(30):
        sign_in.reserve_pin(desk.session, desk.book.id, desk.shop.cashier.id, "shift")
    desk.session.commit()
    locked = device.send("开班", _pin=PIN)
    assert (locked.status, "已锁住" in locked.text) == (403, True)


def test_a_pin_that_is_too_easy_or_typed_differently_keeps_the_code(desk: Desk) -> None:
    device = till(desk)
    code = sign_in.issue_pin_code(desk.session, an_act(desk.book), VAULT, desk.shop.cashier.id)
    desk.session.commit()
    device.follow("第一次开班")
    assert "两遍输入的密码不一样" in device.send("设好密码，开班", code=code, _pin=PIN, _pin_again="274914").text
    for _ in range(6):
        assert "太容易猜" in device.send("设好密码，开班", code=code, _pin="123456", _pin_again="123456").text
    assert "这个码不对" in device.send("设好密码，开班", code="AAAA-AAAA", _pin=PIN, _pin_again=PIN).text
    assert device.send("设好密码，开班", code=code, _pin=PIN, _pin_again=PIN).headings == ["收银"]


def test_a_pairing_code_is_good_once_and_for_ten_minutes(desk: Desk) -> None:
    desk.owner.open(f"/shop/{desk.shop.id}/devices")
    shown = desk.owner.send("生成配对码", name="柜台平板")
    code = shown.text.partition("输入： ")[2][:9]
    first, second = Browser(desk.app), Browser(desk.app)
    for browser in (first, second):
        browser.open("/pair")
    assert first.send("配对这台设备", code=code.replace("-", " ").lower()).headings == ["开班"]
    again = second.send("配对这台设备", code=code)
    assert (again.status, "配对码不对" in again.text) == (409, True)
    assert "已经配对好了" in desk.owner.open(desk.owner.page.address).text
    desk.owner.open(f"/shop/{desk.shop.id}/devices")
    late = desk.owner.send("生成配对码", name="第二台").text.partition("输入： ")[2][:9]
    desk.clock.advance(minutes=10)
    assert second.send("配对这台设备", code=late).status == 409
    assert "这个配对码不能用了" in desk.owner.open(desk.owner.page.address).text


def test_pairing_codes_are_not_guessed_for_ever_from_one_address(desk: Desk) -> None:
    guesser = Browser(desk.app)
    form = guesser.open("/pair").form("配对这台设备")
    statuses = [guesser.client.post("/pair", data=form.fields | {"code": f"AAAA{number:04}"}).status_code for number in range(102)]
    assert statuses == [409] * 100 + [429] * 2
    desk.clock.advance(minutes=15)
    assert guesser.client.post("/pair", data=form.fields | {"code": "AAAA9999"}).status_code == 409


def test_a_shop_is_paired_and_its_devices_ended_by_its_owner_only(desk: Desk) -> None:
    other = a_shop(desk.session, desk.book, name="另一家超市")
    desk.session.commit()
    stranger = desk.enter(other.owner)
    assert desk.cashier.open(f"/shop/{desk.shop.id}/devices").status == 403
    assert stranger.open(f"/shop/{desk.shop.id}/devices").status == 404
    device = on_device(desk.app, desk.session, desk.book, unit_id=desk.shop.id)
    (listed,) = sign_in.devices_of(desk.session, desk.book.id, unit_ids=[desk.shop.id], at=desk.clock.now())
    device_id = listed.id
    desk.session.rollback()
    form = stranger.open(f"/shop/{other.id}/devices").form("生成配对码")
    for path in (f"/shop/{desk.shop.id}/devices", f"/shop/{desk.shop.id}/devices/{device_id}/end"):
        stranger.client.post(path, data=form.fields | {"name": "x"})
    assert device.open("/shift").headings == ["开班"]
    assert len(sign_in.devices_of(desk.session, desk.book.id, unit_ids=[desk.shop.id], at=desk.clock.now())) == 1


def test_making_a_pairing_code_wants_a_proof_that_is_not_older_than_five_minutes(desk: Desk) -> None:
    form = desk.owner.open(f"/shop/{desk.shop.id}/devices").form("生成配对码")
    desk.clock.advance(minutes=6)
    refused = desk.owner.client.post(urlsplit(form.action).path, data=form.fields | {"name": "柜台平板"})
    assert refused.status_code == 403
    assert sign_in.devices_of(desk.session, desk.book.id, unit_ids=[desk.shop.id], at=desk.clock.now()) == []


def test_a_counter_is_no_till(desk: Desk) -> None:
    counter = on_device(desk.app, desk.session, desk.book, area_code=GRID)
    assert counter.page.headings == ["刷卡登录"]
    assert "没有配对给商店" in counter.open("/shift").text


def test_a_volunteer_pays_with_card_and_pin_on_the_tills_device(desk: Desk) -> None:
    number = a_card(desk.session, desk.book, desk.person.id)
    device = in_shift(desk)
    device.follow("用卡和密码")
    wrong = device.send("收取", points="60", card=number, _pin="274914")
    assert (wrong.status, wrong.headings) == (403, ["没有扣分"])
    assert PIN not in wrong.html
    again = device.follow("再试一次")
    assert again.form("收取").fields["points"] == ["60"]
    paid = device.send("收取", points="60", card=f"{number[:4]} {number[4:8]} {number[8:]}", _pin=PIN)
    assert paid.headings == ["已收 60 分"], "the PIN is the volunteer's yes, also to more than fifty points"
    assert f"存折尾号 {desk.person.handle[-2:]}" in paid.text
    assert number not in paid.html
    assert desk.balance() == 440
    assert device.open(paid.link("下一位")).headings == ["收银"]


def test_of_thirty_wrong_pins_at_a_till_five_are_served_and_the_elders_own_phone_pays(desk: Desk) -> None:
    number = a_card(desk.session, desk.book, desk.person.id)
    device = in_shift(desk)
    form = device.open("/till/card").form("收取").fields | {"card": number, "points": "5"}
    answers = [device.client.post("/till/card", data=form | {"_key": f"{guess:032}", "_pin": f"27{guess:04}"}) for guess in range(30)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 25
    assert answers[-1].headers["Retry-After"] == "900"
    assert desk.volunteer.open("/me").status == 200
    device.open("/till")
    assert device.send("收取", points="5", code=desk.code()).headings == ["已收 5 分"]


def test_a_form_with_card_and_pin_that_is_sent_twice_takes_once(desk: Desk) -> None:
    number = a_card(desk.session, desk.book, desk.person.id)
    device = in_shift(desk)
    form = device.open("/till/card").form("收取").fields | {"card": number, "points": "5", "_pin": PIN}
    first, second = (device.client.post("/till/card", data=form) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert desk.balance() == 495


def test_where_the_service_is_reached_by_https_the_devices_cookie_is_bound_to_its_host(
    settings: Settings, session: Session, clock: HandClock
) -> None:
    app = create_app(replace(settings, public_url="https://passbook.example"), clock=clock)
    desk = a_desk(app, session, clock)
    device = sign_in.prepare_device(session, an_act(desk.book), VAULT, name="柜台平板", unit_id=desk.shop.id)
    code = sign_in.pairing_code(VAULT, device)
    session.commit()
    browser = Browser(app)
    form = browser.open(f"/pair/{code}").form("配对这台设备")
    answer = browser.client.post("/pair", data=form.fields)
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-paired=")]
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    with app.app_context():
        db.engine.dispose()


def test_the_devices_token_lies_in_a_cookie_that_no_script_reads(desk: Desk) -> None:
    device = on_device(desk.app, desk.session, desk.book, unit_id=desk.shop.id)
    cookie = device.client.get_cookie("paired")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    assert cookie.max_age is not None
    assert cookie.max_age > timedelta(days=365).total_seconds()
