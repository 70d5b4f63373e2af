from __future__ import annotations

from datetime import UTC
from datetime import datetime
from urllib.parse import quote

from ledger.ids import new_id
from tests.builders import OTHER_VILLAGE
from tests.builders import VILLAGE
from tests.builders import a_mandate
from tests.builders import give_points
from tests.web.pages.hall import Hall
from tests.web.pages.papers import Paper
from tests.web.pages.papers import get
from tests.web.pages.papers import opened

A4, A5, CARD = (210.0, 297.0), (148.0, 210.0), (85.6, 54.0)


def earn(hall: Hall, person: object, lines: int, at: datetime | None = None) -> None:
    for number in range(1, lines + 1):
        give_points(hall.session, hall.community.book, person, number, at or hall.clock.now())  # type: ignore[arg-type]
    hall.session.commit()


def numbers(paper: Paper) -> list[list[str]]:
    """The numbers of the lines on each page."""
    return [[words.split(" ")[0] for _, words in page] for page in paper.lines]


def test_the_passbook_of_a_year_is_printed_on_a5_with_every_line_of_it(hall: Hall) -> None:
    person, browser = hall.enter(name="王堃𬤇")
    earn(hall, person, 3, datetime(2025, 12, 31, 15, 59, tzinfo=UTC))
    earn(hall, person, 2, datetime(2025, 12, 31, 16, 0, tzinfo=UTC))
    hall.community.credited(person, "patrol")
    hall.session.commit()
    paper = opened(browser, "/me/passbook.pdf")
    assert (paper.sizes, paper.codes) == ([A5], [])
    assert all(
        words in paper.text for words in ("善行存折", "王堃𬤇", person.handle[:4], "2026 年", "第 1 页，共 1 页", "http://localhost:8000")
    )
    assert "上年结余 6 · 存入 +53 · 支出 0 · 结余 59" in paper.text
    assert paper.beginning_with("3 ") == []
    assert paper.beginning_with("4 ") == ["4 2026-01-01 善行积分 +1 7"]
    assert paper.beginning_with("6 ") == ["6 2026-11-23 patrol +50 59"]
    before = opened(browser, "/me/passbook.pdf?year=2025")
    assert "上年结余 0 · 存入 +6 · 支出 0 · 结余 6" in before.text
    assert "2025 年" in before.text


def test_a_passbook_leaves_room_for_the_proof_on_every_page(hall: Hall) -> None:
    person, browser = hall.enter()
    earn(hall, person, 35)
    paper = opened(browser, "/me/passbook.pdf")
    assert len(paper.pages) == 3
    assert all("验证码印在这里" in page and f"第 {number} 页，共 3 页" in page for number, page in enumerate(paper.pages, 1))


def test_a_year_without_lines_says_so(hall: Hall) -> None:
    _, browser = hall.enter()
    assert "这一年没有记录" in opened(browser, "/me/passbook.pdf").text


def test_a_year_that_is_none_is_not_found(hall: Hall) -> None:
    _, browser = hall.enter()
    for year in ("2027", "1999", "x", "", "２０２６", "2026.0", "99999999999999999999"):
        assert get(browser, f"/me/passbook.pdf?year={quote(year)}").status_code == 404, year


def test_a_print_is_named_kept_by_nobody_and_guarded_like_a_page(hall: Hall) -> None:
    _, browser = hall.enter()
    answer, page = get(browser, "/me/passbook.pdf"), get(browser, "/me")
    assert answer.headers["Content-Disposition"] == f"inline; filename*=UTF-8''{quote('善行存折 2026.pdf')}"
    assert answer.headers["Cache-Control"] == "no-store"
    for header in ("Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security", "Referrer-Policy"):
        assert answer.headers[header] == page.headers[header]


def test_prints_speak_the_readers_language(hall: Hall) -> None:
    person, browser = hall.enter()
    earn(hall, person, 1)
    browser.client.set_cookie("language", "en")
    paper = opened(browser, "/me/passbook.pdf")
    assert "Good-Deed Passbook" in paper.text
    assert "Page 1 of 1" in paper.text
    assert "Proof of volunteer hours" in opened(browser, "/me/hours.pdf").text


def test_a_helper_prints_the_passbook_of_whom_they_act_for(hall: Hall) -> None:
    person, _ = hall.enter(name="陈桂芳")
    helper, browser = hall.enter(name="李小妹")
    a_mandate(hall.session, hall.community.book, person, helper)
    earn(hall, person, 1)
    browser.open("/helping")
    browser.send("替")
    assert "陈桂芳" in opened(browser, "/me/passbook.pdf").text


def test_the_proof_of_hours_tells_credit_and_honour_by_year_and_the_law(hall: Hall) -> None:
    host, _ = hall.enter("activity_host")
    person, browser = hall.enter(name="王堃")
    activity = hall.community.activity(host)
    hall.community.check_in(activity, person)
    hall.community.at = hall.clock.advance(minutes=90)
    hall.community.check_out(activity, person)
    hall.session.commit()
    paper = opened(browser, "/me/hours.pdf")
    assert paper.sizes == [A4]
    assert all(paper.says(words) for words in ("志愿服务时数证明", "王堃", "盖章处", "验证码印在这里"))
    for words in ("2026 年", "1 小时 30 分", "0 小时 0 分", "民政部令第67号", "不收取任何费用"):
        assert paper.says(words), words
    assert paper.says(f"编号 1-{person.handle}-20261123")


def test_a_card_is_printed_when_it_was_just_issued_and_not_later(hall: Hall) -> None:
    person, _ = hall.enter(area_code=VILLAGE)
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    address = f"/counter/cards/{person.id}/card.pdf"
    assert get(worker, address).status_code == 404
    worker.open(f"/counter/cards/{person.id}")
    number = worker.send("发一张卡").text.partition("印在卡上： ")[2][:14]
    assert worker.page.link("打印这张卡") == address
    paper = opened(worker, address)
    assert paper.sizes == [CARD, CARD]
    assert number in paper.pages[0]
    assert paper.says("旧卡立即作废")
    assert "陈桂芳" not in paper.text, "whoever finds it learns no name"
    hall.clock.advance(minutes=11)
    assert get(worker, address).status_code == 404
    assert "打印这张卡" not in worker.open(f"/counter/cards/{person.id}").text


def test_an_activitys_sheet_is_the_hosts_with_names_masked_where_it_is_hung_up(hall: Hall) -> None:
    host, at_venue = hall.enter("volunteer", "activity_host", name="周明")
    person, browser = hall.enter(name="欧阳堃")
    activity = hall.community.activity(host, capacity=30)
    hall.session.commit()
    browser.open("/activities")
    browser.send("报名")
    address = f"/hosting/{activity.id}/sheet.pdf"
    paper = opened(at_venue, address)
    assert set(paper.sizes) == {A4}
    handle = f"{person.handle[:4]} {person.handle[4:]}"
    for words in ("清扫日", "3栋门口", "2026-11-23 09:00 – 11:00", "30 人，已报名 1 人", "欧阳堃", handle):
        assert paper.says(words), words
    assert paper.codes[0].startswith("http://localhost:8000/activities")
    masked = opened(at_venue, f"{address}?masked=1")
    assert "欧**" in masked.text
    assert "欧阳堃" not in masked.text
    _, other_host = hall.enter("activity_host")
    assert get(other_host, address).status_code == 404


def test_a_booklet_is_filled_from_the_next_free_row_on(hall: Hall) -> None:
    person, _ = hall.enter(area_code=VILLAGE)
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    earn(hall, person, 14)
    worker.open(f"/counter/paper/{person.id}")
    assert "还没有打印过纸存折" in worker.page.text
    assert "请放入第 1 页，从第 1 格打起" in worker.page.text
    first = worker.send("打印新记录")
    assert "已记下：第 1 到 14 行" in first.text
    begun = opened(worker, worker.page.link("打开并打印"))
    assert len(begun.pages) == 1
    assert numbers(begun) == [[str(number) for number in range(1, 15)]]

    earn(hall, person, 4)
    hall.clock.advance(minutes=5)
    assert "有 4 行新记录" in worker.open(f"/counter/paper/{person.id}").text
    assert "请放入第 1 页，从第 15 格打起" in worker.page.text
    worker.send("打印新记录")
    further = opened(worker, worker.page.link("打开并打印"))
    assert numbers(further) == [["15", "16"], ["17", "18"]], "the second page goes on with the next booklet page's first row"
    assert "纸上打到第 18 行，在第 2 页第 2 格" in worker.open(f"/counter/paper/{person.id}").text
    assert "打印新记录" not in worker.page.text
    assert opened(worker, worker.page.link("再打一遍")) == further


def test_printed_rows_fall_on_the_rows_of_the_booklets_page(hall: Hall) -> None:
    person, browser = hall.enter(area_code=VILLAGE)
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    earn(hall, person, 3)
    worker.open(f"/counter/paper/{person.id}")
    worker.send("打印新记录")
    earn(hall, person, 2)
    worker.open(f"/counter/paper/{person.id}")
    hall.clock.advance(minutes=1)
    worker.send("打印新记录")
    added = opened(worker, worker.page.link("打开并打印")).lines[0]
    whole = opened(browser, "/me/passbook.pdf").lines[0]
    assert len(added) == 2
    assert set(added) <= set(whole), "the same words at the same height"
    assert opened(worker, "/counter/paper.pdf").sizes == [A5]


def test_a_new_booklet_begins_in_the_first_row_with_the_line_that_is_wanted(hall: Hall) -> None:
    person, _ = hall.enter(area_code=VILLAGE)
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    earn(hall, person, 5)
    worker.open(f"/counter/paper/{person.id}")
    worker.send("打印新记录")
    for typed in ("0", "6", "x", ""):
        worker.open(f"/counter/paper/{person.id}")
        assert worker.send("开新本子", line_from=typed).status == 422, typed
    worker.open(f"/counter/paper/{person.id}")
    hall.clock.advance(minutes=1)
    worker.send("开新本子", line_from="4")
    assert "纸上打到第 5 行，在第 1 页第 2 格" in worker.page.text
    begun = opened(worker, worker.page.link("打开并打印"))
    assert numbers(begun) == [["4", "5"]]


def test_a_form_sent_twice_is_written_down_once(hall: Hall) -> None:
    person, _ = hall.enter(area_code=VILLAGE)
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    earn(hall, person, 2)
    worker.open(f"/counter/paper/{person.id}")
    form = worker.page.form("打印新记录")
    places = [worker.client.post(form.action, data=form.fields).headers["Location"] for _ in range(2)]
    assert places[0] == places[1]
    other = worker.open(f"/counter/paper/{person.id}").form("开新本子")
    assert "没有新记录要打" in worker.client.post(form.action, data=other.fields).text


def test_nobody_prints_what_is_not_within_their_reach(hall: Hall) -> None:
    person, _ = hall.enter(area_code=VILLAGE)
    _, worker = hall.enter("grid_worker", area_code=VILLAGE)
    _, elsewhere = hall.enter("grid_worker", area_code=OTHER_VILLAGE)
    other, volunteer = hall.enter(area_code=VILLAGE)
    earn(hall, person, 1)
    worker.open(f"/counter/paper/{person.id}")
    worker.send("打印新记录")
    printed = worker.page.link("打开并打印")
    assert get(worker, printed).status_code == 200
    paths = [printed, f"/counter/paper/{person.id}", f"/counter/cards/{person.id}/card.pdf"]
    assert [get(elsewhere, path).status_code for path in paths] == [404, 404, 404]
    assert [get(volunteer, path).status_code for path in paths] == [403, 403, 403]
    assert get(worker, printed.replace(str(person.id), str(other.id))).status_code == 404
    assert get(worker, f"/counter/paper/{person.id}/{new_id()}.pdf").status_code == 404
    form = worker.open(f"/counter/paper/{other.id}")
    assert form.status == 200
    assert get(worker, f"/hosting/{new_id()}/sheet.pdf").status_code == 404


def test_ones_own_data_say_who_printed_ones_paper_passbook(hall: Hall) -> None:
    person, browser = hall.enter(area_code=VILLAGE)
    clerk, worker = hall.enter("grid_worker", area_code=VILLAGE)
    earn(hall, person, 2)
    worker.open(f"/counter/paper/{person.id}")
    worker.send("打印新记录")
    assert f"网格员 尾号 {clerk.handle[-4:]} · 打印了纸存折第 1–2 行" in browser.open("/me/data").text
    (told,) = browser.client.get("/me/data.json").get_json()["paper_prints"]
    assert (told["line_from"], told["line_to"], told["by"]["handle_tail"]) == (1, 2, clerk.handle[-4:])
