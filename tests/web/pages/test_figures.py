from __future__ import annotations

import io
from datetime import timedelta
from urllib.parse import unquote

import pytest
from python_calamine import CalamineWorkbook

from ledger import people
from ledger import reports
from ledger.errors import Refusal
from tests.builders import COUNTY
from tests.builders import GRID
from tests.builders import OTHER_GRID
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.earning import TODAY
from tests.web.pages.hall import Hall


def fill(hall: Hall) -> None:
    """Two grids earn in November and in December."""
    one, other = hall.community.person(name="陈桂芳"), hall.community.person(name="马志强", area_code=OTHER_GRID)
    hall.community.credited(one, "patrol")
    hall.community.at = hall.clock.advance(days=30)
    later = TODAY + timedelta(days=30)
    hall.community.credited(one, "meals", "patrol", deed_on=later)
    hall.community.credited(other, "patrol", deed_on=later)
    hall.session.commit()


def test_the_month_stands_beside_the_one_before(hall: Hall) -> None:
    fill(hall)
    _, browser = hall.enter("county_viewer", area_code=COUNTY)
    page = browser.open("/figures")
    assert page.headings[0] == "鼓楼区 · 2026-12"
    assert "发放积分 250 上月 50 ↑ +200" in page.text
    assert "有积分入账的人 2 上月 1 ↑ +1" in page.text
    assert "月末居民持有 300 上月 50" in page.text
    assert ["", "150", "0", "1", "0"] in page.rows
    assert ["", "100", "50", "2", "1"] in page.rows
    assert ["1", "50", "0", "1", "0", "50"] in page.rows


def test_one_goes_down_from_the_county_to_a_grid_and_up_again(hall: Hall) -> None:
    fill(hall)
    _, browser = hall.enter("county_viewer", area_code=COUNTY)
    browser.open("/figures")
    for name in ("宁海路街道", "仙霞路社区居委会", "第2网格"):
        page = browser.follow(name)
    assert "发放积分 50 上月 0" in page.text
    assert "居民现在持有 50" in page.text
    assert [words for words, _ in page.links if words in {"鼓楼区", "宁海路街道", "仙霞路社区居委会"}] == [
        "鼓楼区",
        "宁海路街道",
        "仙霞路社区居委会",
    ]
    page = browser.follow("仙霞路社区居委会")
    assert "发放积分 250 上月 50" in page.text


def test_another_month_is_chosen(hall: Hall) -> None:
    fill(hall)
    _, browser = hall.enter("finance", area_code=COUNTY)
    browser.open("/figures")
    page = browser.send("看这个月", month="2026-11")
    assert "发放积分 50 上月 0" in page.text
    assert "月末居民持有 50 上月 0" in page.text
    assert browser.open("/figures?month=2027-01").status == 404
    page = browser.open("/figures?month=2026-13")
    assert (page.status, "月份应写成" in page.text) == (422, True)


def test_whoever_has_some_areas_sees_those_and_no_others(hall: Hall) -> None:
    fill(hall)
    _, browser = hall.enter("grid_worker", area_code=OTHER_GRID)
    page = browser.open("/figures")
    assert page.headings[0] == "第2网格 · 2026-12"
    assert "发放积分 50 上月 0" in page.text
    for code in (GRID, VILLAGE, OTHER_VILLAGE, "nowhere"):
        assert browser.open(f"/figures?area={code}").status == 404
    _, volunteer = hall.enter()
    assert volunteer.open("/figures").status == 403


def test_an_empty_book_says_what_is_to_come(hall: Hall) -> None:
    _, browser = hall.enter("approver", area_code=VILLAGE)
    page = browser.open("/figures")
    assert "这两个月还没有善行入账" in page.text
    assert "现在没有排队的申报" in page.text
    assert "近来没有发放" in page.text


def test_what_waits_and_how_long_the_fund_lasts_is_told(hall: Hall) -> None:
    fill(hall)
    hall.community.report(hall.community.person())
    hall.session.commit()
    hall.clock.advance(days=3)
    _, browser = hall.enter("approver", area_code=VILLAGE)
    page = browser.open("/figures")
    assert "现在有 1 条等证明或审核：最久的等了 3 天，一半等了 3 天以上" in page.text
    assert ["99,700", "300", "2658 周"] in page.rows


def test_every_chart_stands_beside_its_numbers_and_says_what_it_shows(hall: Hall) -> None:
    fill(hall)
    _, browser = hall.enter("county_viewer", area_code=COUNTY)
    html = browser.open("/figures").html
    assert html.count('role="img"') == html.count('role="img" aria-label')
    assert 'aria-label="本月 150，上月 0"' in html
    assert "发放：从 0 到 250。" in html
    assert 'width="98.0%"' in html
    assert " style=" not in html


@pytest.mark.parametrize("role", ["administrator", "finance", "county_viewer", "resident_supervisor"])
def test_the_table_is_taken_along_as_a_file(hall: Hall, role: str) -> None:
    fill(hall)
    _, browser = hall.enter(role, area_code=COUNTY)
    browser.open("/figures")
    answer = browser.client.get(browser.page.link("下载 Excel"))
    assert answer.mimetype.endswith("spreadsheetml.sheet")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.sheet_names == ["按类别", "按区域", "按月"]
    categories = book.get_sheet_by_name("按类别").to_python()
    assert categories[0][0] == "鼓楼区 2026-12"
    assert ["困难帮扶", 1, 150, 0, 0] in categories
    assert ["2026-12", 3, 250, 2, 0, 0, 0, 0, 300] in book.get_sheet_by_name("按月").to_python()


def test_a_file_wants_a_fresh_proof_and_whoever_only_looks_gets_none(hall: Hall) -> None:
    _, browser = hall.enter("finance", area_code=COUNTY)
    hall.clock.advance(minutes=20)
    page = browser.open("/figures/table.xlsx?month=2026-11")
    assert unquote(page.address) == "/proof?next=/figures/table.xlsx?month=2026-11"
    assert "验证" in page.text
    _, looker = hall.enter("grid_worker", area_code=GRID)
    assert "下载 Excel" not in looker.open("/figures").text
    assert looker.open("/figures/table.xlsx").status == 403


def test_an_areas_name_is_never_a_formula(hall: Hall) -> None:
    file = reports.workbook_of("=1+1", [reports.Table("按区域", ("=SUM(A1)",), [('=HYPERLINK("x")', 1), ("+86", 2), ("http://x", 3)])])
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(0).to_python()
    assert rows == [["=1+1", ""], ["=SUM(A1)", ""], ['=HYPERLINK("x")', 1], ["+86", 2], ["http://x", 3]]


@pytest.mark.parametrize("role", ["finance", "county_viewer"])
def test_whoever_works_with_figures_begins_with_them_and_clicks_to_the_rest(hall: Hall, role: str) -> None:
    _, browser = hall.enter(role, area_code=COUNTY)
    assert browser.open("/").address == "/figures"
    for words, heading in (("积分经费", "积分经费"), ("积分细则", "积分细则"), ("对外公布的数字", "每月数字 · 2026-11")):
        browser.open("/figures")
        assert browser.follow(words).headings[0] == heading


def test_whoever_has_areas_apart_from_each_other_sees_them_together_and_one_by_one(hall: Hall) -> None:
    fill(hall)
    person, browser = hall.enter("grid_worker", area_code=GRID)
    given = people.grant_role(
        hall.session, an_act(hall.community.book), person_id=person.id, role="grid_worker", area_code=OTHER_VILLAGE, starts_on=TODAY
    )
    assert not isinstance(given, Refusal)
    hall.session.commit()
    page = browser.open("/figures")
    assert page.headings[0] == "我负责的各处 · 2026-12"
    assert "发放积分 200 上月 50" in page.text
    assert browser.follow("第1网格").headings[0] == "第1网格 · 2026-12"
