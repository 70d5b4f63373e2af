from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.people import Card
from tests.builders import GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device
from tests.web.pages.paired import with_pin


def counter(hall: Hall) -> Browser:
    """A browser that was paired as the device of a counter."""
    return on_device(hall.app, hall.session, hall.community.book, area_code=GRID)


def test_somebody_signs_in_with_card_and_pin_and_out_again(hall: Hall) -> None:
    person, _ = hall.enter()
    number, device = a_card(hall.session, hall.community.book, person.id), counter(hall)
    assert device.page.headings == ["刷卡登录"]
    home = device.send("登录", card=f"{number[:4]} {number[4:8]} {number[8:]}", _pin=PIN)
    assert home.address.startswith("/me")
    done = next(form for form in home.forms if "办完了，退出" in form.buttons)
    assert device.client.post("/sign-out", data=done.fields).headers["Location"] == "/counter"
    assert device.open("/me").headings == ["刷卡登录"]


def test_a_session_at_the_counter_ends_by_itself(hall: Hall) -> None:
    person, _ = hall.enter()
    number, device = a_card(hall.session, hall.community.book, person.id), counter(hall)
    device.send("登录", card=number, _pin=PIN)
    hall.clock.advance(minutes=2)
    assert device.open("/me/passbook").headings == ["我的存折"]
    hall.clock.advance(minutes=4)
    assert device.open("/me/passbook").headings == ["刷卡登录"]


def test_card_and_pin_open_nothing_on_a_device_that_is_not_paired(hall: Hall, app: Flask) -> None:
    person, _ = hall.enter()
    number, phone = a_card(hall.session, hall.community.book, person.id), Browser(app)
    assert "只在社区柜台和商店配对过的设备上能用" in phone.open("/counter").text
    form = counter(hall).page.form("登录")
    sent = phone.client.post("/counter", data=form.fields | {"card": number, "_pin": PIN})
    assert sent.status_code == 403
    assert "没有配对" in sent.text
    assert phone.client.get_cookie("passbook") is None


def test_a_card_gives_a_volunteers_powers_and_no_others(hall: Hall) -> None:
    person, _ = hall.enter("volunteer", "building_leader", "approver")
    number, device = a_card(hall.session, hall.community.book, person.id), counter(hall)
    assert device.send("登录", card=number, _pin=PIN).address.startswith("/me")
    for path in ("/leader", "/staff/queue", "/counter/cards"):
        assert device.open(path).status == 403, path


def test_of_thirty_wrong_pins_five_are_served_and_ones_own_phone_stays_signed_in(hall: Hall) -> None:
    person, phone = hall.enter()
    number, device = a_card(hall.session, hall.community.book, person.id), counter(hall)
    form = device.page.form("登录")
    answers = [device.client.post("/counter", data=form.fields | {"card": number, "_pin": f"27{guess:04}"}) for guess in range(30)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 25
    assert answers[-1].headers["Retry-After"] == "900"
    assert device.client.post("/counter", data=form.fields | {"card": number, "_pin": PIN}).status_code == 429
    assert phone.open("/me").status == 200
    other = counter(hall)
    assert other.send("登录", card=number, _pin=PIN).address.startswith("/me"), "another device has tries of its own"


def test_wrong_card_wrong_pin_revoked_card_and_card_without_pin_are_answered_alike(hall: Hall) -> None:
    book = hall.community.book
    right, revoked, bare = (hall.enter()[0] for _ in range(3))
    numbers = [a_card(hall.session, book, person.id) for person in (right, revoked)]
    people.revoke_card(hall.session, an_act(book), revoked.id)
    without_pin = people.issue_card(hall.session, an_act(book), bare.id)
    assert isinstance(without_pin, Card)
    tries = [(numbers[0], "274914"), (numbers[1], PIN), (without_pin.number, PIN), ("123456789012", PIN), ("x", "y")]
    hall.session.commit()
    device = counter(hall)
    answers = []
    for number, pin in tries:
        page = device.send("登录", card=number, _pin=pin)
        answers.append((page.status, page.text))
        assert PIN not in page.html
        device.open("/counter")
    assert {status for status, _ in answers} == {403}
    assert len({text for _, text in answers}) == 1


def test_staff_issue_a_card_its_holder_sets_the_pin_and_a_replaced_one_is_dead(hall: Hall) -> None:
    person, _ = hall.enter()
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    worker.open("/counter/cards")
    worker.send("下一步", handle=person.handle)
    worker.follow("存折卡和密码")
    issued = worker.send("发一张卡")
    number = issued.text.partition("印在卡上： ")[2][:14]
    assert people.is_card_number(number.replace(" ", ""))
    assert "还没有能用的密码" in issued.text
    worker.follow("请本人设密码")
    assert "太容易猜" in worker.send("设好密码", card=number, _pin="111111", _pin_again="111111").text
    assert "两遍输入的密码不一样" in worker.send("设好密码", card=number, _pin=PIN, _pin_again="274914").text
    done = worker.send("设好密码", card=number, _pin=PIN, _pin_again=PIN)
    assert "密码设好了" in done.text
    assert PIN not in done.html
    device = counter(hall)
    assert device.send("登录", card=number, _pin=PIN).address.startswith("/me")

    worker.open("/counter/cards")
    worker.send("下一步", handle=person.handle)
    worker.follow("存折卡和密码")
    replaced = worker.send("换一张卡，旧卡立即作废").text.partition("印在卡上： ")[2][:14]
    assert replaced != number
    assert device.open("/me").headings == ["刷卡登录"], "what the old card opened is closed"
    assert device.send("登录", card=number, _pin=PIN).status == 403
    device.open("/counter")
    assert device.send("登录", card=replaced, _pin=PIN).status == 403, "with the card went its PIN"
    with_pin(hall.session, hall.community.book, person.id)
    device.open("/counter")
    assert device.send("登录", card=replaced, _pin=PIN).address.startswith("/me")
    hall.clock.advance(minutes=4)
    later = worker.open(worker.page.address)
    assert replaced in later.text
    hall.clock.advance(minutes=7)
    later = worker.open(worker.page.address)
    assert replaced not in later.text
    assert f"尾号 {replaced[-4:]}" in later.text
    worker.send("卡丢了，作废")
    assert device.open("/me").headings == ["刷卡登录"]


def test_a_pin_that_was_locked_is_set_anew_in_person(hall: Hall) -> None:
    person, _ = hall.enter()
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    number = a_card(hall.session, hall.community.book, person.id)
    third = counter(hall)
    for _ in range(30):
        sign_in.reserve_pin(hall.session, hall.community.book.id, person.id, "pin")
    hall.session.commit()
    locked = third.send("登录", card=number, _pin=PIN)
    assert (locked.status, "卡号或密码不对" in locked.text) == (403, True)
    worker.open("/counter/pin")
    worker.send("设好密码", card=number, _pin="274915", _pin_again="274915")
    third.open("/counter")
    assert third.send("登录", card=number, _pin="274915").address.startswith("/me")


def test_staff_do_this_within_their_areas_and_not_for_themselves(hall: Hall) -> None:
    book = hall.community.book
    elsewhere, _ = hall.enter(area_code=OTHER_VILLAGE)
    myself, worker = hall.enter("grid_worker", area_code=VILLAGE)
    number, own = a_card(hall.session, book, elsewhere.id), a_card(hall.session, book, myself.id)
    worker.open("/counter/cards")
    assert "没有这个存折号" in worker.send("下一步", handle=elsewhere.handle).text
    assert worker.open(f"/counter/cards/{elsewhere.id}").status == 404
    for card, status in ((number, 404), (own, 403)):
        worker.open("/counter/pin")
        assert worker.send("设好密码", card=card, _pin="274915", _pin_again="274915").status == status
    device = counter(hall)
    assert device.send("登录", card=number, _pin=PIN).address.startswith("/me"), "it is still the old one"


def test_a_replaced_passbook_number_stops(hall: Hall) -> None:
    person, _ = hall.enter()
    old = person.handle
    _, worker = hall.enter("administrator", area_code=VILLAGE)
    worker.open(f"/counter/cards/{person.id}")
    worker.send("换一个存折号，旧号立即作废")
    assert people.by_handle(hall.session, hall.community.book.id, old) is None
    hall.session.rollback()
    worker.open("/counter/cards")
    assert "没有这个存折号" in worker.send("下一步", handle=old).text


def test_staff_pair_and_end_the_devices_of_their_counters(hall: Hall, session: Session, clock: HandClock) -> None:
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    _, other = hall.enter("grid_worker", area_code=OTHER_VILLAGE)
    worker.open("/counter/devices")
    shown = worker.send("生成配对码", name="窗口平板", area_code="第1网格")
    device = Browser(hall.app)
    device.open(shown.scan())
    assert device.send("配对这台设备").headings == ["刷卡登录"]
    assert "窗口平板" in worker.open("/counter/devices").text
    assert "窗口平板" not in other.open("/counter/devices").text
    (listed,) = sign_in.devices_of(session, hall.community.book.id, within=("",), at=clock.now())
    device_id = listed.id
    session.rollback()
    assert other.open(f"/counter/devices/{device_id}").status == 404
    worker.send("停用这台设备")
    assert "只在社区柜台" in device.open("/counter").text


def test_whoever_stands_at_the_counter_is_served_from_one_page(hall: Hall) -> None:
    person, worker = hall.community.person(name="陈桂芳", area_code=GRID), hall.enter("grid_worker", area_code=VILLAGE)[1]
    hall.community.credited(person, "patrol", "patrol")
    hall.session.commit()
    worker.open("/staff")
    worker.follow("窗口办事")
    page = worker.send("下一步", handle=person.handle)
    assert (page.headings[0], "patrol" in page.text, "100" in page.text) == ("陈**", False, False)
    page = worker.send("查看积分", reason="counter-service")
    assert (page.headings[0], "可用100 分" in page.text) == ("陈桂芳", True)
    assert [row[2:] for row in page.rows] == [["+50", "100"], ["+50", "50"]]
    assert "窗口办事" in hall.browser(person).open("/me/data").text, "they see who looked, and why"
    page = worker.follow("替 TA 报一件好事")
    form = page.form("提交")
    assert form.fields["person_id"] == [str(person.id)]
    assert "已申报 1 条" in worker.send("提交", deed="patrol", place="1幢").text
    elsewhere = hall.community.person(area_code=OTHER_VILLAGE)
    hall.session.commit()
    assert worker.open(f"/counter/people/{elsewhere.id}").status == 404
