from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import select

from ledger import tariff
from ledger.journal.model import Request
from ledger.tariff import Rate
from tests.builders import COUNTY
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.earning import TODAY
from tests.web.pages.hall import Hall


def done_three_times(hall: Hall) -> None:
    """Sweeping for an hour and for an hour and a half, and once before the last three months."""
    worker, person = hall.community.person("grid_worker"), hall.community.person()
    for minutes, days in ((60, 1), (90, 30), (60, 100)):
        hall.community.propose(worker, person, "sweeping", TODAY - timedelta(days=days), minutes=minutes)
    hall.session.commit()


def test_each_rate_stands_with_its_days_past_in_force_and_coming(hall: Hall) -> None:
    for points, day in ((60, TODAY - timedelta(days=10)), (70, TODAY + timedelta(days=10))):
        new = tariff.RateRow("patrol", "patrol", "夜间巡逻", "night patrol", "deed", points)
        tariff.define_rate(hall.session, an_act(hall.community.book), new, valid_from=day)
    hall.community.cap("month", "points", 200, category="patrol")
    hall.session.commit()
    _, browser = hall.enter("county_viewer", area_code=COUNTY)
    page = browser.open("/staff/tariff")
    for words in (
        "夜间巡逻 每次 60 2026-11-13 起，到 2026-12-02 为止 现在执行",
        "每次 70 2026-12-03 起 将要执行",
        "以前的标准 每次 50 2025-01-01 – 2026-11-12",
    ):
        assert words in page.text
    assert "治安巡逻 每人每月 最多 200 分" in page.text
    assert "没有扫码签退的 每场活动 最多计 120 分钟" in page.text
    assert "改标准" not in page.text


def test_what_a_new_rate_would_cost_is_shown_before_it_is_set(hall: Hall) -> None:
    done_three_times(hall)
    _, browser = hall.enter("administrator", area_code=COUNTY)
    browser.open("/staff/tariff/rate?deed=sweeping")
    page = browser.send("先看要花多少", points="30", valid_from="2026-12-01")
    assert "2026-08-24 以来有 2 次这样的善行" in page.text
    assert ["", "25", "8"] in page.rows
    assert ["", "75", "25"] in page.rows
    assert "每月大约 +16 分；新标准一个月要用掉现有经费的 1%。" in page.text
    assert "这些善行当时实际记了 25 分" in page.text
    page = browser.send("就从 2026-12-01 起用新标准")
    assert page.address.startswith("/staff/tariff")
    assert "每小时 30 2026-12-01 起 将要执行" in page.text


def test_the_preview_keeps_nothing(hall: Hall) -> None:
    done_three_times(hall)
    _, browser = hall.enter("administrator", area_code=COUNTY)
    asked = select(func.count()).select_from(Request).where(Request.book_id == hall.community.book.id)
    rates = select(func.count()).select_from(Rate).where(Rate.book_id == hall.community.book.id)
    before = [hall.session.execute(wanted).scalar_one() for wanted in (asked, rates)]
    hall.session.commit()
    browser.open("/staff/tariff/rate?deed=sweeping")
    assert browser.send("先看要花多少", points="30").status == 200
    assert [hall.session.execute(wanted).scalar_one() for wanted in (asked, rates)] == before
    hall.session.commit()


def test_what_nobody_said_the_length_of_is_left_out_of_a_rate_by_the_hour(hall: Hall) -> None:
    hall.community.propose(hall.community.person("grid_worker"), hall.community.person(), "patrol")
    hall.session.commit()
    _, browser = hall.enter("administrator", area_code=COUNTY)
    browser.open("/staff/tariff/rate?deed=patrol")
    page = browser.send("先看要花多少", points="30", unit="按小时")
    assert "其中 1 次没有记时长" in page.text
    assert "每月大约 −17 分" in page.text


def test_a_new_kind_of_deed_is_taken_in(hall: Hall) -> None:
    _, browser = hall.enter("administrator", area_code=COUNTY)
    browser.open("/staff/tariff")
    browser.follow("新增一种善行")
    told = {"category": "环境维护", "name_zh": "清理河岸", "name_en": "clean the river bank", "unit": "按次", "points": "20"}
    page = browser.send("先看要花多少", **told)
    assert "没有这样的善行，估不出要花多少" in page.text
    page = browser.send("就从 2026-11-23 起用新标准")
    assert "清理河岸 改标准 每次 20 2026-11-23 起 现在执行" in page.text
    rate = tariff.rate_for(hall.session, hall.community.book.id, "clean_the_river_bank", TODAY)
    assert rate is not None
    assert (rate.points, rate.category) == (20, "environmental_maintenance")
    hall.session.commit()


def test_what_cannot_be_a_rate_is_said_at_its_field(hall: Hall) -> None:
    _, browser = hall.enter("administrator", area_code=COUNTY)
    browser.open("/staff/tariff/rate?deed=patrol")
    page = browser.send("先看要花多少", points="0")
    assert 'id="points-wrong"' in page.html
    assert "就从" not in [said for form in page.forms for said in form.buttons]
    page = browser.send("先看要花多少", points="20", valid_from="2026-11-01")
    page = browser.send("就从 2026-11-01 起用新标准")
    assert page.status == 409
    assert 'id="valid_from-wrong"' in page.html
    assert browser.open("/staff/tariff/rate?deed=nonsense").status == 404


def test_the_tariff_is_set_for_the_whole_book_or_not_at_all(hall: Hall) -> None:
    _, browser = hall.enter("administrator", area_code=VILLAGE)
    assert "改标准" not in browser.open("/staff/tariff").text
    browser.open("/staff/tariff/rate?deed=patrol")
    browser.send("先看要花多少", points="60")
    page = browser.send("就从 2026-11-23 起用新标准")
    assert (page.status, "每次 60" in browser.open("/staff/tariff").text) == (403, False)
    _, viewer = hall.enter("county_viewer", area_code=COUNTY)
    assert viewer.open("/staff/tariff/rate?deed=patrol").status == 403
