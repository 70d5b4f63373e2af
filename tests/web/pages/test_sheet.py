from __future__ import annotations

from io import BytesIO

from openpyxl import Workbook
from openpyxl import load_workbook

from ledger import claims
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall

HEADING = ("存折号", "姓名", "善行", "日期", "分钟", "地点")


def a_sheet(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "十一月"
    for row in (HEADING, *rows):
        sheet.append(row)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def send(browser: Browser, content: bytes, step: str = "take") -> str:
    """Send a file with the page's form, and return what the page then says."""
    form = browser.open("/staff/sheet").form("导入")
    data = {name: values[0] for name, values in form.fields.items()} | {"step": step, "file": (BytesIO(content), "deeds.xlsx")}
    answer = browser.client.post(form.action, data=data, content_type="multipart/form-data", follow_redirects=True)
    return answer.text


def test_a_sheet_is_looked_at_taken_in_and_never_taken_twice(hall: Hall) -> None:
    worker, browser = hall.enter("grid_worker", area_code=VILLAGE)
    one, two = hall.community.person(name="陈桂芳"), hall.community.person(name="马志强")
    hall.session.commit()
    content = a_sheet((one.handle, "陈桂芳", "patrol", "2026-11-22", None, "3栋"), (two.handle, "", "sweeping", "2026-11-21", 90, "5栋"))
    assert "可以导入：2 条，共 65 分" in send(browser, content, "look")
    assert claims.reported_by(hall.session, hall.community.book.id, worker.id) == []
    hall.session.commit()
    assert "已申报 2 条" in send(browser, content)
    assert "马志强 · sweeping" in browser.open("/proposals").text
    again = send(browser, content)
    assert ("没有再导入" in again, "这份文件已于 2026-11-23 09:00:00 导入过" in again) == (True, True)
    assert len(claims.reported_by(hall.session, hall.community.book.id, worker.id)) == 2


def test_each_cell_that_is_wrong_is_named_and_nothing_is_half_done(hall: Hall) -> None:
    worker, browser = hall.enter("grid_worker", area_code=VILLAGE)
    near, far = hall.community.person(name="陈桂芳"), hall.community.person(name="蔡庆华", area_code=OTHER_VILLAGE)
    hall.session.commit()
    said = send(
        browser,
        a_sheet(
            (near.handle, "陈桂芳", "patrol", "2026-11-22", None, "3栋"),
            (near.handle, "李国强", "patrol", "2026-11-21", None, "3栋"),
            (near.handle, "", "nonsense", "2026-11-21", None, "3栋"),
            (near.handle, "", "patrol", "上周", None, "3栋"),
            (far.handle, "", "patrol", "2026-11-20", None, "3栋"),
            (worker.handle, "", "patrol", "2026-11-20", None, "3栋"),
        ),
    )
    assert "有 5 格不能导入，整份都没有导入" in said
    for cell, says, why in (
        ("B3", "李国强", "姓名与存折号不符"),
        ("C4", "nonsense", "2026-11-21 的积分细则里没有这一项"),
        ("D5", "上周", "看不懂这个日期"),
        ("A6", far.handle, "没有这个存折号"),
        ("A7", worker.handle, "不能为自己的事"),
    ):
        assert f'<td class="num">十一月 {cell}</td><td>{says}</td><td>{why}' in said
    assert claims.reported_by(hall.session, hall.community.book.id, worker.id) == []


def test_everything_that_is_wrong_in_a_row_is_told_at_once(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    near = hall.community.person(name="陈桂芳")
    hall.session.commit()
    said = send(
        browser, a_sheet((near.handle, "李国强", "nonsense", "2026-11-21", None, "3栋"), ("00000000", "", "x", "2026-11-21")), "look"
    )
    assert "有 4 格不能导入" in said
    for cell in ("B2", "C2", "A3", "C3"):
        assert f'<td class="num">十一月 {cell}</td>' in said


def test_no_file_is_said_to_be_none(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    form = browser.open("/staff/sheet").form("导入")
    data = {name: values[0] for name, values in form.fields.items()} | {"step": "look", "file": (BytesIO(b""), "")}
    answer = browser.client.post(form.action, data=data, content_type="multipart/form-data")
    assert (answer.status_code, "还没有选文件" in answer.text, 'id="file-wrong"' in answer.text) == (422, True, True)


def test_a_file_that_is_no_sheet_is_refused(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    for content in (b"", b"nonsense", a_sheet()):
        assert 'class="problem"' in send(browser, content)


def test_the_empty_sheet_can_be_filled_in_and_sent(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    person = hall.community.person()
    hall.session.commit()
    browser.open("/staff/sheet")
    book = load_workbook(BytesIO(browser.client.get(browser.page.link("下载空表")).data))
    book.worksheets[0].append((person.handle, None, "patrol", "2026-11-22"))
    content = BytesIO()
    book.save(content)
    assert "已申报 1 条" in send(browser, content.getvalue())
