"""Paper and the browser: the camera of a till reads a printed slip, and the browser prints the passbook by itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Camera
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.browser.neighbours import a_neighbour
from tests.web.pages.papers import read

Visit = Callable[..., Visitor]


def photographed(content: bytes) -> bytes:
    """A photo of a sheet of paper."""
    file = io.BytesIO()
    with closing(pypdfium2.PdfDocument(content)) as document, closing(document[0]) as page:
        page.render(scale=2).to_pil().save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_browser_prints_the_passbook_on_a5_in_ink_and_without_buttons(visit: Visit, scheme: str) -> None:
    phone = visit("volunteer", color_scheme=scheme)
    page = phone.open("/me/passbook")
    page.evaluate("scheme => document.documentElement.classList.add(scheme)", scheme)
    paper = read(page.pdf(prefer_css_page_size=True))
    assert {(round(width / 2), round(height / 2)) for width, height in paper.sizes} == {(74, 105)}
    assert paper.says("序号 事由 积分 结余")
    assert [paper.says(words) for words in ("更早的", "首页", "退出登录")] == [False, False, False]
    page.emulate_media(media="print")
    ink = page.locator("h1").evaluate("heading => getComputedStyle(heading).color")
    assert ink == "rgb(34, 28, 24)"


def test_the_tills_camera_reads_a_slip_from_the_paper(visit: Visit, till: Visitor, camera: Camera, stand: Stand) -> None:
    neighbour = a_neighbour(stand)
    phone = neighbour.comes(visit)
    page = phone.open("/slips")
    page.get_by_role("button", name="出一张凭条").click()
    printed = phone.context.request.get(stand.home + str(page.get_by_role("link", name="打印").get_attribute("href")))
    camera.sees(photographed(printed.body()))
    till.context.grant_permissions(["camera"])
    counter = till.open("/till")
    counter.get_by_label("积分", exact=True).fill("30")
    counter.get_by_role("button", name="打开相机扫码").click()
    expect(counter.get_by_role("heading", level=1)).to_have_text("已收 30 分")
