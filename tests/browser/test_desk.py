"""The office in a real browser: the queue by keys, by thumb and without scripts, and the projector's code, read as a phone reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Page
from playwright.sync_api import expect

from ledger import claims
from ledger.areas import path_of
from ledger.claims import NewDeed
from ledger.claims import Reach
from ledger.clock import local_day
from scripts.demo.cast import VILLAGE
from scripts.demo.stage import ZONE
from scripts.demo.stage import Stage
from scripts.demo.stage import sure
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.journeys import pictures

WAITING = ("gardener", "weaver", "reader", "joiner")


def propose(stand: Stand, deed: str, place: str, *keys: str) -> None:
    """Let the grid worker propose a deed of some of the cast, one after the other."""

    def act(stage: Stage) -> None:
        reach = Reach((path_of(stage.session, stage.book.id, VILLAGE),))
        for key in keys:
            told = NewDeed(deed, local_day(stage.now, ZONE), place, person_id=stage.who(key))
            (made,) = claims.propose(stage.session, stage.act("grid_worker"), stage.vault, reach, "grid_worker", [told])
            sure(made)

    stand.play(act)


def chosen(page: Page) -> str:
    return page.locator(".chosen-one h2").inner_text()


def show(page: Page, name: str) -> None:
    """Choose somebody's claim with the key for the next, as often as it takes."""
    while not chosen(page).startswith(name):
        before = chosen(page)
        page.keyboard.press("j")
        expect(page.locator(".chosen-one h2")).not_to_have_text(before)


def test_the_queue_is_worked_by_keys_alone(visit: Callable[..., Visitor], stand: Stand) -> None:
    propose(stand, "give_blood", "献血车", *WAITING)
    page = visit("first_approver", desk=True).open("/staff/queue")
    show(page, "谢树林")
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".chosen-one h2")).to_contain_text("谢树林")
    page.keyboard.press("a")
    expect(page.locator(".done")).to_contain_text("谢树林")
    expect(page.locator(".done")).to_contain_text("已入存折")
    expect(page.locator(".chosen-one h2")).to_contain_text("宋彩云")

    page.keyboard.press("r")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("宋彩云")
    expect(page.locator(".done")).to_contain_text("退回，请补充 不属于积分范围")

    page.keyboard.press("x")
    page.keyboard.press("Escape")
    expect(page.locator("#turn-down")).not_to_have_attribute("open", "")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.locator(".chosen-one h2")).to_contain_text("许丽娟")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("许丽娟")
    expect(page.locator(".done")).to_contain_text("未通过 依据不足")

    page.keyboard.press("Shift+A")
    expect(page.get_by_role("heading", level=1)).to_have_text("办理结果")
    expect(page.locator(".done")).to_contain_text("办成")


def test_what_is_typed_into_the_note_presses_no_key_of_the_queue(visit: Callable[..., Visitor], stand: Stand) -> None:
    propose(stand, "evening_patrol", "9幢", "tailor", "swimmer")
    page = visit("second_approver", desk=True).open("/staff/queue")
    before = chosen(page)
    page.keyboard.press("r")
    page.locator("#note").focus()
    page.keyboard.type("jakax")
    expect(page.locator("#note")).to_have_value("jakax")
    assert chosen(page) == before


def test_on_a_phone_without_scripts_the_same_is_done_by_forms(visit: Callable[..., Visitor], stand: Stand) -> None:
    propose(stand, "evening_patrol", "5幢", "driver", "walker")
    page = visit("second_approver", java_script_enabled=False).open("/staff/queue")
    expect(page.locator(".chosen-one")).to_be_hidden()
    page.locator(".queue a", has_text="唐永康 · 夜间巡逻").click()
    expect(page.locator(".queue")).to_be_hidden()
    page.get_by_role("button", name="通过这一件").click()
    expect(page.locator(".done")).to_contain_text("唐永康 · 夜间巡逻 已入存折")
    page.get_by_role("link", name="回到列表").click()
    page.locator(".queue a", has_text="彭兴旺 · 夜间巡逻").click()
    page.locator("#turn-down summary").click()
    page.get_by_label("时间不对").check()
    page.get_by_role("button", name="退回补充").click()
    expect(page.locator(".done")).to_contain_text("彭兴旺 · 夜间巡逻 退回，请补充 时间不对")


def test_the_menu_of_a_phone_opens_and_closes_without_scripts(visit: Callable[..., Visitor]) -> None:
    page = visit("grid_worker", java_script_enabled=False).open("/staff/propose")
    side = page.get_by_role("navigation", name="社区工作")
    expect(side).to_be_hidden()
    page.get_by_role("link", name="菜单", exact=True).click()
    expect(side).to_be_visible()
    page.get_by_role("link", name="关上菜单").click()
    expect(side).to_be_hidden()


def test_people_are_found_among_many_as_their_name_is_typed(visit: Callable[..., Visitor]) -> None:
    page = visit("leader").open("/leader/propose")
    page.get_by_role("searchbox", name="按姓名找").fill("林秀")
    expect(page.get_by_label("何玉珍")).to_be_hidden()
    page.get_by_label("林秀英").check()
    expect(page.get_by_role("status")).to_have_text("已选 1 人")
    page.locator(".kinds summary", has_text="巡逻").click()
    page.get_by_label("夜间巡逻").check()
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".done")).to_contain_text("已申报 1 条")


def test_the_projector_shows_a_code_that_changes_and_a_phone_reads_it(visit: Callable[..., Visitor], stand: Stand) -> None:
    page = visit("grid_worker", desk=True).open("/hosting")
    page.locator("main .links a", has_text="楼道清洁日").first.click()
    page.get_by_role("link", name="显示签到码").click()
    first, present = read(page), page.locator(".shown .big").inner_text()
    visit("nurse").open(urlsplit(first).path).get_by_role("button", name="签到").click()
    expect(page.locator(".shown .big")).not_to_have_text(present)
    stand.server.clock.move_to(stand.server.clock.now() + timedelta(seconds=30))
    digits = page.locator(".shown .say").inner_text()
    expect(page.locator(".shown .say")).not_to_have_text(digits, timeout=5000)
    assert read(page) != first
    page.clock.install()
    page.reload()
    page.context.set_offline(True)
    page.clock.fast_forward(40_000)
    expect(page.locator("[data-left]")).to_contain_text("连不上网")


def read(page: Page) -> str:
    """What a camera held to the whole screen reads."""
    (code,) = pictures.codes_in(Image.open(io.BytesIO(page.screenshot())))
    return code.text
