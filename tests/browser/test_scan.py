"""Scanning, with a camera that sees what is held before it: at the till and on the volunteer's phone, and every way it fails."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import Route
from playwright.sync_api import expect

from scripts.browser import ARGUMENTS
from scripts.browser import program
from tests.browser.conftest import CAMERA_SIZE
from tests.browser.conftest import Camera
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.browser.neighbours import Neighbour
from tests.browser.neighbours import a_neighbour
from tests.browser.neighbours import picture

Visit = Callable[..., Visitor]

#: Writes down, in a page, when the till sends what was scanned, and when the answer stands there.
TIMES = """() => {
  document.addEventListener("submit", () => { window.sentAt = performance.now(); }, true);
  new MutationObserver(() => {
    if (document.querySelector(".answer") && !window.answeredAt) window.answeredAt = performance.now();
  }).observe(document, { childList: true, subtree: true });
}"""
#: Writes down which notes are played, and what is read aloud.
NOTES = """(() => {
  window.spoken = [];
  speechSynthesis.speak = (words) => window.spoken.push(words.text);
  window.played = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { window.played.push(this.frequency.value); return start.apply(this, when); };
})()"""
#: A camera that another program has.
TAKEN = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("in use", "NotReadableError"))"""
ALIPAY = "https://qr.alipay.com/fkx01234567890abcdef"
SLOWLY = 20_000


@pytest.fixture
def neighbour(stand: Stand) -> Neighbour:
    return a_neighbour(stand)


def ready(till: Visitor, points: int, camera: Camera, text: str) -> Page:
    """Open the till, ask for points, and hold a code before its camera."""
    camera.sees(picture(text))
    till.context.grant_permissions(["camera"])
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill(str(points))
    return page


def darkness() -> bytes:
    """A picture in which there is no light."""
    file = io.BytesIO()
    Image.new("RGB", CAMERA_SIZE).save(file, "PNG")
    return file.getvalue()


# --- The till


def test_the_tills_camera_reads_a_code_and_the_answer_is_there_within_a_second(till: Visitor, camera: Camera, neighbour: Neighbour) -> None:
    page = ready(till, 30, camera, neighbour.code())
    page.evaluate(TIMES)
    page.get_by_role("button", name="打开相机扫码").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 30 分")
    assert page.evaluate("() => window.answeredAt - window.sentAt") < 1000
    assert neighbour.points() == 70


def test_the_camera_stays_ready_for_the_next_in_the_same_page(till: Visitor, camera: Camera, stand: Stand, neighbour: Neighbour) -> None:
    page = ready(till, 30, camera, neighbour.code())
    page.evaluate("() => { window.isTheSame = true; }")
    page.get_by_role("button", name="打开相机扫码").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 30 分")
    next_one = a_neighbour(stand)
    camera.sees(picture(next_one.code()))
    page.get_by_role("link", name="下一位").click()
    # It was seen before anybody said how much: the code is kept, and the points are asked for.
    expect(page.get_by_role("alert")).to_contain_text("请先选一项商品，或输入积分")
    for digit in "15":
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="收取").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 15 分")
    assert (neighbour.points(), next_one.points()) == (70, 85)
    assert page.evaluate("() => window.isTheSame")


def test_the_keys_on_the_screen_type_points_and_leave_the_cursor_to_the_scanner(till: Visitor) -> None:
    page = till.open("/till")
    for key in ("1", "2", "0", "退一格", "5"):
        page.get_by_role("button", name=key, exact=True).click()
    expect(page.get_by_label("积分", exact=True)).to_have_value("125")
    expect(page.locator("[name=code]")).to_be_focused()
    page.get_by_role("button", name="清", exact=True).click()
    expect(page.get_by_label("积分", exact=True)).to_have_value("")


def test_a_scanner_that_types_is_heard_wherever_the_cursor_is(till: Visitor, neighbour: Neighbour) -> None:
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("20")
    page.keyboard.type(neighbour.code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 20 分")
    assert neighbour.points() == 80


def test_what_is_scanned_while_an_answer_stands_there_begins_the_next_one(till: Visitor, stand: Stand, neighbour: Neighbour) -> None:
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("20")
    page.keyboard.type(neighbour.code())
    page.keyboard.press("Enter")
    expect(page.locator(".answer.ok")).to_be_visible()
    next_one = a_neighbour(stand)
    page.keyboard.type(next_one.code())
    page.keyboard.press("Enter")
    expect(page.locator("[name=code]")).to_have_value(next_one.code())
    expect(page.get_by_label("积分", exact=True)).to_be_focused()
    page.keyboard.type("12", delay=100)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 12 分")
    assert (neighbour.points(), next_one.points()) == (80, 88)


@pytest.mark.parametrize("is_aloud", [False, True])
def test_an_answer_is_heard_and_a_refusal_sounds_otherwise(till: Visitor, neighbour: Neighbour, is_aloud: bool) -> None:
    if is_aloud:
        till.context.add_cookies([{"name": "look", "value": "aloud", "url": till.stand.home}])
    till.page.add_init_script(NOTES)
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("20")
    code = neighbour.code()
    page.locator("[name=code]").fill(code)
    page.get_by_role("button", name="收取").click()
    expect(page.locator(".answer.ok")).to_be_visible()
    taken = page.evaluate("() => window.played.splice(0)")
    assert page.evaluate("() => window.spoken") == (["已收 20 分"] if is_aloud else [])
    page.get_by_role("link", name="下一位").click()
    page.get_by_label("积分", exact=True).fill("20")
    page.locator("[name=code]").fill(code)
    page.get_by_role("button", name="收取").click()
    expect(page.locator(".answer.no")).to_contain_text("这个兑换码已在")
    refused = page.evaluate("() => window.played.splice(0)")
    assert (len(taken), len(refused)) == (2, 2)
    assert min(taken) > max(refused)
    assert taken[0] < taken[1]
    assert neighbour.points() == 80


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again_and_nothing_is_taken_twice(till: Visitor, neighbour: Neighbour) -> None:
    page = till.open("/till")
    sent: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        sent.append(route.request.post_data or "")
        # The service does it; what it answers never comes.
        route.fetch(max_redirects=0)
        return route.abort("connectionfailed")

    page.route("**/till", lose)
    page.get_by_label("积分", exact=True).fill("25")
    page.locator("[name=code]").fill(neighbour.code())
    page.get_by_role("button", name="收取").click()
    expect(page.locator(".answer.wait")).to_contain_text("还不知道收没收")
    page.wait_for_timeout(2_500)
    assert len(sent) >= 2, "it is asked again by itself"
    assert len(set(sent)) == 1, "under the same key, with the same words"
    page.unroute("**/till")
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 25 分")
    assert neighbour.points() == 75


def test_what_got_no_answer_is_asked_on_when_the_page_is_opened_anew(till: Visitor, neighbour: Neighbour) -> None:
    page = till.open("/till")

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch(max_redirects=0)
            return route.abort("connectionfailed")
        return route.continue_()

    page.route("**/till", lose)
    page.get_by_label("积分", exact=True).fill("25")
    page.locator("[name=code]").fill(neighbour.code())
    page.get_by_role("button", name="收取").click()
    expect(page.locator(".answer.wait")).to_be_visible()
    page.unroute("**/till")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 25 分")
    assert neighbour.points() == 75


def test_a_service_that_says_it_is_busy_is_asked_again(till: Visitor, neighbour: Neighbour) -> None:
    page = till.open("/till")
    busy = {"status": 503, "content_type": "text/html", "body": '<main id="main">busy</main>'}
    page.route("**/till", lambda route: route.fulfill(**busy) if route.request.method == "POST" else route.continue_())
    page.get_by_label("积分", exact=True).fill("25")
    page.locator("[name=code]").fill(neighbour.code())
    page.get_by_role("button", name="收取").click()
    expect(page.locator(".answer.wait")).to_contain_text("还不知道收没收")
    page.unroute("**/till")
    page.get_by_role("button", name="现在就再问").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 25 分")
    assert neighbour.points() == 75
    till.faults[:] = [fault for fault in till.faults if "503" not in fault and not fault.startswith("500")]


def test_a_service_that_hangs_is_waited_for_and_takes_once(till: Visitor, stand: Stand, neighbour: Neighbour) -> None:
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("25")
    page.locator("[name=code]").fill(neighbour.code())
    group = os.getpgid(stand.server.process.pid)
    os.killpg(group, signal.SIGSTOP)
    try:
        page.get_by_role("button", name="收取").click()
        expect(page.locator(".answer.wait")).to_contain_text("还不知道收没收", timeout=SLOWLY)
    finally:
        os.killpg(group, signal.SIGCONT)
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 25 分", timeout=SLOWLY)
    assert neighbour.points() == 75


def test_a_code_for_paying_with_money_takes_nothing_and_says_what_it_is(till: Visitor) -> None:
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("25")
    page.keyboard.type("134567890123456789")
    page.keyboard.press("Enter")
    expect(page.locator(".answer.no")).to_contain_text("可能是付款码")


# --- What waits, and comes by itself


def test_a_request_arrives_on_the_volunteers_page_and_her_yes_at_the_till(till: Visitor, visit: Visit, neighbour: Neighbour) -> None:
    phone = neighbour.comes(visit).open("/waiting")
    expect(phone.locator("main")).to_contain_text("现在没有要您确认的")
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("60")
    page.locator("[name=code]").fill(neighbour.code())
    page.get_by_role("button", name="收取").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("等居民在手机上确认")
    expect(phone.get_by_role("alert")).to_contain_text("60 分")
    phone.get_by_role("button", name="确认").click()
    expect(phone.locator(".done")).to_contain_text("已付 60 分")
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 60 分")
    number = re.compile(r"编号\s*([0-9A-F]{6})")
    (at_the_till,), (on_the_phone,) = (number.findall(one.locator("main").inner_text()) for one in (page, phone))
    assert at_the_till == on_the_phone


def test_a_request_arrives_on_the_home_page_too(till: Visitor, visit: Visit, neighbour: Neighbour) -> None:
    phone = neighbour.comes(visit).open("/me")
    expect(phone.get_by_role("heading", name="我的存折")).to_be_visible()
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("60")
    page.locator("[name=code]").fill(neighbour.code())
    page.get_by_role("button", name="收取").click()
    expect(phone.get_by_role("alert")).to_contain_text("1 笔兑换等您确认", timeout=SLOWLY)
    phone.get_by_role("alert").get_by_role("link").click()
    phone.get_by_role("button", name="不同意").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已取消")
    assert neighbour.points() == 100


# --- The volunteer's phone


@pytest.fixture
def other_machine(browser: Browser, stand: Stand) -> Iterator[Callable[..., Visit]]:
    """Let visitors come in on a browser of a machine whose cameras are others than this one's."""
    browsers: list[Browser] = []

    def build(*films: str) -> Visit:
        other = browser.browser_type.launch(executable_path=program(), args=[*ARGUMENTS, *films])
        browsers.append(other)
        context = other.new_context(locale="zh-CN", permissions=["camera"])
        return lambda key: Visitor(stand, context, context.new_page())

    yield build
    for other in browsers:
        other.close()


def test_the_phone_scans_a_shops_order_and_is_led_to_it(till: Visitor, visit: Visit, camera: Camera, neighbour: Neighbour) -> None:
    page = till.open("/till/orders")
    page.get_by_label("积分", exact=True).fill("35")
    page.get_by_role("button", name="出示商户码").click()
    camera.sees(page.locator("svg.qr").screenshot())
    phone = neighbour.comes(visit, permissions=["camera"]).open("/scan")
    expect(phone.get_by_role("heading", level=1)).to_have_text("旺财便民超市")
    assert "/O/" in phone.url


def test_the_phone_scans_a_venues_code_and_is_led_to_it(visit: Visit, camera: Camera, stand: Stand) -> None:
    token = "1-00000000000000000000000000-0000000000000000"
    camera.sees(picture(f"{stand.home}/v/{token}".upper()))
    phone = a_neighbour(stand).comes(visit, permissions=["camera"]).open("/scan")
    expect(phone).to_have_url(re.compile(f"/V/{token}$"))


def test_another_services_code_is_told_and_not_followed(visit: Visit, camera: Camera, neighbour: Neighbour) -> None:
    camera.sees(picture(ALIPAY))
    phone = neighbour.comes(visit, permissions=["camera"]).open("/scan")
    expect(phone.locator("[data-said]")).to_contain_text("这不是善行存折的码")
    assert phone.url.endswith("/scan")


def test_a_code_that_is_seen_in_part_is_told_apart(visit: Visit, camera: Camera, stand: Stand, neighbour: Neighbour) -> None:
    camera.sees(picture(neighbour.code(), is_covered=True))
    phone = neighbour.comes(visit, permissions=["camera"]).open("/scan")
    expect(phone.locator("[data-said]")).to_contain_text("没有拍全或看不清：把整个码放进框里", timeout=SLOWLY)
    assert phone.url.endswith("/scan")


def test_where_nothing_is_seen_it_is_said_what_helps_and_the_dark_is_told_apart(
    visit: Visit, camera: Camera, neighbour: Neighbour, other_machine: Callable[..., Visit], tmp_path: Path
) -> None:  # fmt: skip
    camera.sees_nothing()
    in_the_light = neighbour.comes(visit, permissions=["camera"]).open("/scan")
    expect(in_the_light.locator("video")).to_be_visible()
    night = Camera(tmp_path / "night.y4m")
    night.sees(darkness())
    at_night = other_machine("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={night.path}")
    in_the_dark = neighbour.comes(at_night).open("/scan")
    expect(in_the_light.locator("[data-said]")).to_contain_text("还没有看到码：离近一点，换亮的地方", timeout=SLOWLY)
    expect(in_the_dark.locator("[data-said]")).to_contain_text("太暗了，看不到码：换亮的地方，离近一点", timeout=SLOWLY)


def test_a_camera_that_is_refused_is_told_and_the_other_ways_stand_there(visit: Visit, neighbour: Neighbour) -> None:
    phone = neighbour.comes(visit).open("/scan")
    expect(phone.locator("[data-said]")).to_contain_text("您没有允许使用相机")
    expect(phone.get_by_label("或者把码拍下来")).to_be_visible()
    expect(phone.get_by_role("link", name="输入商户码的数字")).to_be_visible()
    expect(phone.get_by_role("button", name="打开相机")).to_be_visible()


def test_where_there_is_no_camera_it_is_said_so(other_machine: Callable[..., Visit], neighbour: Neighbour) -> None:
    phone = neighbour.comes(other_machine()).open("/scan")
    expect(phone.locator("[data-said]")).to_contain_text("没有找到相机")


def test_where_another_program_has_the_camera_it_is_said_so(visit: Visit, neighbour: Neighbour) -> None:
    visitor = neighbour.comes(visit, permissions=["camera"])
    # No program can take a film from a browser, so the machine's own answer is put in its place.
    visitor.page.add_init_script(TAKEN)
    phone = visitor.open("/scan")
    expect(phone.locator("[data-said]")).to_contain_text("相机正被别的程序占用")


def test_without_scripts_a_photo_is_read_by_the_service(visit: Visit, till: Visitor, stand: Stand, neighbour: Neighbour) -> None:
    page = till.open("/till/orders")
    page.get_by_label("积分", exact=True).fill("35")
    page.get_by_role("button", name="出示商户码").click()
    shot = page.locator("svg.qr").screenshot()
    phone = neighbour.comes(visit, java_script_enabled=False).open("/scan")
    expect(phone.locator("[data-scan]")).to_be_hidden()
    phone.get_by_label("或者把码拍下来").set_input_files({"name": "code.png", "mimeType": "image/png", "buffer": shot})
    phone.get_by_role("button", name="看这张照片").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("旺财便民超市")
    phone.get_by_role("button", name="确认").click()
    expect(phone.locator(".done")).to_contain_text("已付 35 分")
