"""The whole loop: a deed becomes points, points become goods by what cameras see of screens, and a mistake is given back."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import pypdfium2
from playwright.sync_api import Page
from playwright.sync_api import expect

from ledger import areas
from ledger import claims
from ledger.claims import Reach
from scripts.demo.cast import TOWNSHIP
from scripts.demo.stage import Stage
from scripts.demo.stage import sure
from tests.browser.conftest import Camera
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.browser.neighbours import a_neighbour
from tests.camera import written
from tests.journeys import pictures

Visit = Callable[..., Visitor]


def number(page: Page) -> str:
    """The number of the redemption that a screen shows."""
    (found,) = re.findall(r"编号\s*([0-9A-F]{6})", page.locator("main").inner_text())
    return str(found)


def earn(phone: Visitor, visit: Visit, stand: Stand) -> None:
    """Report a deed on the phone, and have it approved on the approver's screen."""
    page = phone.open("/me/report")
    page.get_by_role("link", name="文化宣传").click()
    page.get_by_role("link", name="向邻居宣讲防诈骗").click()
    page.locator("[name=place]").fill("1幢门口")
    page.get_by_role("button", name="提交").click()
    expect(page).to_have_url(re.compile(r"/me/claims/[0-9a-f-]{36}"))
    claim_id = UUID(re.findall(r"[0-9a-f-]{36}", page.url)[0])

    def attest(stage: Stage) -> None:
        scope = (areas.path_of(stage.session, stage.book.id, TOWNSHIP),)
        for outcome in claims.attest(stage.session, stage.act("grid_worker"), Reach(scope), [claim_id]):
            sure(outcome)

    stand.play(attest)
    queue = visit("first_approver", desk=True).open(f"/staff/queue?claim={claim_id}")
    queue.get_by_role("button", name="通过这一件").click()
    expect(queue.locator(".done")).to_contain_text("向邻居宣讲防诈骗")


def photographed(paper: bytes) -> bytes:
    """The first page of a print, as a camera sees it that is held over it: what is printed on it, without the margins."""
    with closing(pypdfium2.PdfDocument(paper)) as document, closing(document[0]) as page:
        image = page.render(scale=4).to_pil().convert("RGB")
    (code,) = pictures.codes_in(image)
    corners = [getattr(code.position, corner) for corner in ("top_left", "top_right", "bottom_right", "bottom_left")]
    margin = (corners[1].x - corners[0].x) // 3
    left, upper = min(at.x for at in corners) - margin, min(at.y for at in corners) - margin
    return written(image.crop((left, upper, max(at.x for at in corners) + margin, max(at.y for at in corners) + margin)), "PNG")


def lines(phone: Visitor) -> list[str]:
    """What the passbook says, line by line, the newest first."""
    return [" ".join(row.split()) for row in phone.open("/me/passbook").locator("table.book tbody tr").all_inner_texts()]


def test_a_deed_becomes_points_the_till_scans_the_phone_and_a_mistake_is_given_back(
    visit: Visit, till: Visitor, camera: Camera, stand: Stand
) -> None:  # fmt: skip
    neighbour = a_neighbour(stand, 10)
    phone = neighbour.comes(visit)
    earn(phone, visit, stand)
    assert neighbour.points() == 60

    screen = phone.open("/code")
    # The phone draws its own code, and another every 30 seconds: the place is photographed, whatever stands there.
    picture = screen.locator("[data-picture] svg.qr")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    camera.sees(screen.screenshot(clip=picture.bounding_box()))
    till.context.grant_permissions(["camera"])
    page = till.open("/till")
    page.get_by_label("积分", exact=True).fill("30")
    page.get_by_role("button", name="打开相机扫码").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 30 分")

    # The phone says so by itself, and both screens show the same redemption.
    expect(screen.get_by_text("付了 30 分")).to_be_visible(timeout=10_000)
    screen.get_by_role("link", name="看收据").click()
    expect(screen.locator(".done")).to_contain_text("已付 30 分")
    assert number(screen) == number(page)

    page.get_by_role("link", name="收错了，撤销").click()
    page.locator("[name=reason]").select_option(label="分数收错了")
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已退回 30 分")
    assert neighbour.points() == 60
    back, taken = lines(phone)[:2]
    assert ("撤销兑换：旺财便民超市" in back, "+30" in back) == (True, True)
    assert ("兑换：旺财便民超市" in taken, "−30" in taken) == (True, True)


def test_the_phone_scans_the_tills_order_and_the_till_turns_green_by_itself(
    visit: Visit, till: Visitor, camera: Camera, stand: Stand
) -> None:  # fmt: skip
    neighbour = a_neighbour(stand, 100)
    page = till.open("/till/orders")
    page.get_by_role("link", name="理发一次").click()
    expect(page.get_by_label("份数")).to_have_value("1")
    page.get_by_role("button", name="出示商户码").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("请居民扫码确认")
    camera.sees(page.locator("svg.qr").screenshot())

    phone = neighbour.comes(visit, permissions=["camera"])
    screen = phone.open("/scan")
    expect(screen.get_by_role("heading", level=1)).to_have_text("旺财便民超市")
    expect(screen.locator("main")).to_contain_text("理发一次")
    screen.get_by_role("button", name="确认").click()
    expect(screen.locator(".done")).to_contain_text("已付 40 分")
    expect(page.get_by_role("heading", level=1)).to_have_text("已收 40 分")
    assert number(screen) == number(page)
    assert neighbour.points() == 60


def test_a_printed_slip_held_before_the_tills_camera_pays_once(visit: Visit, till: Visitor, camera: Camera, stand: Stand) -> None:
    neighbour = a_neighbour(stand, 100)
    phone = neighbour.comes(visit)
    screen = phone.open("/slips")
    screen.get_by_role("button", name="出一张凭条").click()
    href = screen.get_by_role("link", name="打印").get_attribute("href")
    camera.sees(photographed(phone.context.request.get(f"{stand.home}{href}").body()))
    till.context.grant_permissions(["camera"])
    for said in ("已收 20 分", "没有扣分"):
        page = till.open("/till")
        page.get_by_label("积分", exact=True).fill("20")
        page.get_by_role("button", name="打开相机扫码").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(said)
    assert neighbour.points() == 80
