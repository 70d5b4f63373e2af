"""A volunteer without JavaScript reports a deed with a photo, in three steps; whoever decides sees it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.camera import photo


def is_seen(page: Page) -> bool:
    picture = page.locator("ul.photos img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    return bool(picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth > 0 }"))


def test_a_deed_is_reported_with_a_photo_without_javascript(visit: Callable[..., Visitor]) -> None:
    page = visit("gardener", java_script_enabled=False).open("/me")
    page.get_by_role("link", name="我做了好事").first.click()
    page.get_by_role("link", name="环境维护").click()
    page.get_by_role("link", name="清扫公共区域").click()
    page.get_by_label("多少分钟").fill("30")
    page.get_by_label("在哪里").fill("3幢楼道")
    page.get_by_label("照片").set_input_files({"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": photo(9, turned=6)})
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("status")).to_contain_text("已提交")
    address = page.url.partition("?")[0]
    mine = visit("gardener").open(address.partition("/me/")[1] + address.partition("/me/")[2])
    assert is_seen(mine)


def test_what_was_typed_stays_where_the_photo_is_none(visit: Callable[..., Visitor]) -> None:
    page = visit("gardener", java_script_enabled=False).open("/me/report?deed=sweep_or_clear_a_shared_space")
    page.get_by_label("多少分钟").fill("45")
    page.get_by_label("经过").fill("清了两车杂物")
    page.get_by_label("照片").set_input_files({"name": "IMG_2.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert").first).to_contain_text("这个文件不是照片，或者坏了")
    expect(page.get_by_label("经过")).to_have_value("清了两车杂物")
    expect(page.get_by_label("多少分钟")).to_have_value("45")
