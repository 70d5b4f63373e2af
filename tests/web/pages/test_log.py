"""Anybody may read how far a book is sealed, and check it; what is in it is for auditors."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import seal
from ledger.areas import Book
from ledger.seal.merkle import fold
from ledger.seal.model import Leaf
from ledger.seal.notes import Signer
from ledger.web.kit.policy import quorum
from tests.books import Desk
from tests.books import open_desk
from tests.builders import COUNTY
from tests.conftest import HandClock
from tests.conftest import sealers_engine
from tests.journeys.browser import Browser
from tests.web.pages.hall import Hall
from tests.web.pages.sealed import LOG_KEY
from tests.web.pages.sealed import a_witness
from tests.web.pages.sealed import carry_on
from tests.web.pages.sealed import origin_of


@pytest.fixture
def desk(session: Session, clock: HandClock) -> Desk:
    desk = open_desk(session)
    desk.clock = clock
    return desk


@pytest.fixture
def book(desk: Desk) -> Book:
    book = desk.session.get_one(Book, desk.book_id)
    # On SQLite a session that is left open keeps everybody else waiting.
    desk.session.expunge(book)
    desk.session.rollback()
    return book


@pytest.fixture
def prefix(book: Book) -> str:
    return f"/log/{book.number}"


def fill(desk: Desk, rounds: int) -> None:
    """Post three entries a round, and one before them."""
    desk.budget(100_000)
    desk.post(
        [
            make
            for at in range(rounds)
            for make in (
                desk.give("li", 5, position=3 * at),
                desk.give("wang", 3, position=3 * at + 1),
                desk.spend("li", 2, position=3 * at + 2),
            )
        ]
    )


def carried_on(desk: Desk, book: Book, folder: Path) -> seal.Sealed:
    return carry_on(desk.session, book, desk.clock, folder)


def hashes(desk: Desk) -> list[bytes]:
    found = list(desk.session.execute(select(Leaf.hash).where(Leaf.book_id == desk.book_id).order_by(Leaf.number)).scalars())
    desk.session.rollback()
    return found


def test_the_newest_head_is_a_note_that_is_kept_for_a_second(
    desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path
) -> None:
    fill(desk, 3)
    sealed = carried_on(desk, book, tmp_path)
    answer = client.get(f"{prefix}/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert seal.head_of(seal.note_of(answer.text).body) == sealed.head
    assert sealed.head.size == 10


def test_of_what_was_never_signed_there_is_nothing(desk: Desk, prefix: str, client: FlaskClient) -> None:
    fill(desk, 1)
    for path in ("checkpoint", "proof", "proof?from=0", "tile/0/000.p/1"):
        assert client.get(f"{prefix}/{path}").status_code == 404, path
    assert "还没有封存过；等待封存的有 4 条" in client.get(prefix, headers={"Accept-Language": "zh"}).text
    assert client.get("/log/99998").status_code == 404


def test_tiles_are_the_hashes_of_the_tree_and_are_kept_for_good(
    desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path
) -> None:  # fmt: skip
    fill(desk, 100)
    sealed = carried_on(desk, book, tmp_path)
    found = hashes(desk)
    assert sealed.head.size == len(found) == 301
    wanted = {
        "0/000": found[:256],
        "0/000.p/7": found[:7],
        "0/001.p/45": found[256:],
        "0/001.p/1": found[256:257],
        "1/000.p/1": [fold(found[:256])],
    }
    for which, told in wanted.items():
        answer = client.get(f"{prefix}/tile/{which}")
        assert (answer.status_code, answer.data) == (200, b"".join(told)), which
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


WRONG = (
    *("0/001", "0/001.p/46", "0/002.p/1", "1/000", "1/000.p/2", "2/000.p/1", "8/000.p/1"),
    *("0/000.p/0", "0/000.p/256", "0/000.p/257", "0/000.p/01", "0/000.p/-1", "0/000.p/", "0/000.p"),
    *("0/0", "0/0000", "0/x000/000", "0/x001", "0/000/", "0/" + "x999/" * 9 + "000", "0/٠٠٠", "-1/000", "0/a"),
)


def test_there_is_no_tile_at_a_wrong_address_or_beyond_what_is_signed(
    desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path
) -> None:  # fmt: skip
    fill(desk, 100)
    carried_on(desk, book, tmp_path)
    assert {which: client.get(f"{prefix}/tile/{which}").status_code for which in WRONG} == dict.fromkeys(WRONG, 404)


def test_what_is_sealed_and_not_yet_signed_is_not_told(desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path) -> None:
    from ledger.seal import actions

    fill(desk, 1)
    carried_on(desk, book, tmp_path)
    fill(desk, 1)
    with Session(sealers_engine(desk.session.get_bind().engine)) as own, own.begin():
        actions.seal(own, desk.book_id, actions.backlog(own, desk.book_id))
    assert client.get(f"{prefix}/tile/0/000.p/4").status_code == 200
    assert client.get(f"{prefix}/tile/0/000.p/5").status_code == 404


def test_a_proof_leads_from_any_head_to_the_newest(desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path) -> None:
    fill(desk, 30)
    first = carried_on(desk, book, tmp_path)
    fill(desk, 60)
    newest = carried_on(desk, book, tmp_path)
    for old, proven_from in ((first.head, True), (newest.head, True)):
        answer = client.get(f"{prefix}/proof?from={old.size}")
        head = seal.head_of(seal.note_of(answer.json["note"]).body)
        steps = [base64.b64decode(step) for step in answer.json["proof"]]
        assert head == newest.head
        assert seal.is_consistent(old.size, old.root, head.size, head.root, steps) is proven_from
        assert answer.headers["Cache-Control"] == "public, max-age=1"
    for path in ("proof", "proof?from=0"):
        assert client.get(f"{prefix}/{path}").json["proof"] == []


def test_a_proof_from_more_than_there_is_says_how_much_there_is(
    desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path
) -> None:  # fmt: skip
    fill(desk, 3)
    carried_on(desk, book, tmp_path)
    answer = client.get(f"{prefix}/proof?from=11")
    assert (answer.status_code, answer.json) == (409, {"size": 10})
    for odd in ("-1", "1.0", "０", "", "01", "1e1", "9" * 30, "x"):
        assert client.get(f"{prefix}/proof?from={odd}").status_code == 404, odd


def test_the_policy_names_the_log_its_witnesses_and_how_many_are_enough(
    desk: Desk, book: Book, prefix: str, client: FlaskClient, tmp_path: Path
) -> None:  # fmt: skip
    fill(desk, 1)
    carried_on(desk, book, tmp_path)
    (one,) = seal.log_keys(desk.session, desk.book_id)
    key = one.key
    desk.session.rollback()
    log = f"# 鼓楼区\nlog {key} http://localhost:8000{prefix}\n"
    assert client.get(f"{prefix}/policy").text == f"{log}quorum none\n"
    street, office = a_witness("street.example.org", 1).key, a_witness("office.example.org", 2).key
    desk.clock.advance(seconds=1)
    seal.add_witness(desk.session, desk.book_id, street, desk.clock.now(), address="https://street.example.org")
    desk.clock.advance(seconds=1)
    seal.add_witness(desk.session, desk.book_id, office, desk.clock.now(), address="https://office.example.org/w")
    desk.session.commit()
    assert client.get(f"{prefix}/policy").text == (
        f"{log}witness street.example.org {street} https://street.example.org\nwitness office.example.org {office} https://office.example.org/w\n"
        "group majority 2 street.example.org office.example.org\nquorum majority\n"
    )


def test_more_than_half_of_the_witnesses_are_enough() -> None:
    assert [quorum(count) for count in range(8)] == [0, 1, 2, 2, 3, 3, 4, 4]


def test_the_page_says_how_far_it_is_sealed_and_who_witnessed_it(
    app: Flask, desk: Desk, book: Book, prefix: str, tmp_path: Path
) -> None:  # fmt: skip
    fill(desk, 3)
    browser = Browser(app)
    sealed = carried_on(desk, book, tmp_path)
    assert "还没有见证方" in browser.open(prefix).text
    street = a_witness("street.example.org", 1)
    for number, name in enumerate(("street.example.org", "office.example.org"), 1):
        seal.add_witness(desk.session, desk.book_id, a_witness(name, number).key, desk.clock.now(), address=f"https://{name}")
    assert seal.hear(desk.session, desk.book_id, sealed.head.size, street.sign(sealed.note.body, 1_790_000_000), desk.clock.now())
    desk.session.commit()
    fill(desk, 1)
    page = browser.open(prefix)
    assert "已封存10 条 等待封存4 条 签名时间11-23 09:00:00" in page.text
    assert base64.b64encode(sealed.head.root).decode() in page.text
    assert "street.example.org已见证 office.example.org还没有" in page.text
    assert "2 个见证方中 1 个已见证" in page.text
    assert "2 个（过半）见证了才算数" in page.text
    assert "没有。见证方见到的，都是同一本日志的延续" in page.text
    assert str(seal.log_keys(desk.session, desk.book_id)[0].key) in page.text
    desk.session.rollback()
    for words in ("核对存折上的一行", "最新的签名", "谁的签名", "审计员怎样核对", "核对程序"):
        assert browser.client.get(page.link(words)).status_code == 200


def test_the_page_says_which_head_enough_had_witnessed_last_and_when(
    app: Flask, desk: Desk, book: Book, prefix: str, tmp_path: Path
) -> None:
    browser = Browser(app)
    fill(desk, 3)
    sealed = carried_on(desk, book, tmp_path)
    street, office = a_witness("street.example.org", 1), a_witness("office.example.org", 2)
    till = a_witness(f"till-12345678.{origin_of(book)}", 3)
    for one in (street, office):
        seal.add_witness(desk.session, desk.book_id, one.key, desk.clock.now(), address=f"https://{one.name}")
    seal.add_witness(desk.session, desk.book_id, till.key, desk.clock.now(), device_id=desk.book_id)

    def cosign(head: seal.Sealed, *witnesses: Signer) -> None:
        for one in witnesses:
            desk.clock.advance(minutes=1)
            assert seal.hear(desk.session, desk.book_id, head.head.size, one.sign(head.note.body, 1_790_000_000), desk.clock.now())
        desk.session.commit()

    cosign(sealed, street)
    assert "近来还没有一次签名够数" in browser.open(prefix).text
    cosign(sealed, till, office)
    page = browser.open(prefix)
    assert "3 个见证方中 3 个已见证 其中别的单位 2 家中 2 家，收银机 1 台中 1 台。" in page.text
    assert "最近一次够数：10 条，11-23 09:02:00 见证到第 2 个。" in page.text
    # The newest head is one that not enough have seen yet.
    fill(desk, 1)
    cosign(carried_on(desk, book, tmp_path), till)
    page = browser.open(prefix)
    assert "已封存14 条" in page.text
    assert "3 个见证方中 1 个已见证 其中别的单位 2 家中 0 家，收银机 1 台中 1 台。" in page.text
    assert "最近一次够数：10 条，11-23 09:02:00" in page.text
    # Who watches no longer does not count.
    seal.end_witness(desk.session, desk.book_id, office.name, desk.clock.now())
    desk.session.commit()
    assert "最近一次够数：10 条，11-23 09:02:00 见证到第 2 个。" in browser.open(prefix).text


def test_the_page_says_which_keys_were_changed_and_which_nobody_vouches_for(
    app: Flask, desk: Desk, book: Book, prefix: str, tmp_path: Path
) -> None:  # fmt: skip
    second, third = bytes(range(140, 172)), bytes(range(180, 212))
    for keys, key_was_lost in (((LOG_KEY,), False), ((second, LOG_KEY), False), ((third,), True)):
        desk.clock.advance(minutes=1)
        fill(desk, 1)
        carry_on(desk.session, book, desk.clock, tmp_path, keys=keys, key_was_lost=key_was_lost)
    first, new, strange = [str(one.key) for one in seal.log_keys(desk.session, desk.book_id)]
    desk.session.rollback()
    browser = Browser(app)
    page = browser.open(prefix)
    assert f"日志的签名 已换：只签到第 4 条 {first} 日志的签名 {new}" in page.text
    assert f"passbook-log-key/v1 {new} 4" in page.text
    assert f"日志的签名 没有原来的钥匙为它作证 {strange}" in page.text
    assert [line for line in browser.client.get(f"{prefix}/policy").text.splitlines() if line.startswith("log")] == [
        f"log {new} http://localhost:8000{prefix}"
    ]
    assert "没有原来的钥匙为它作证" in browser.open("/check").text


def test_whoever_audits_gets_the_guide_and_the_checker_from_the_service_itself(client: FlaskClient) -> None:
    for name, begins in (("auditing.md", "# Auditing a book"), ("auditing.zh.md", "# 审计指南"), ("check_book.py", '"""Check a book')):
        answer = client.get(f"/check/{name}")
        assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
        assert answer.text.startswith(begins)


def test_the_page_tells_alarms_in_plain_words(app: Flask, desk: Desk, book: Book, prefix: str, tmp_path: Path) -> None:
    fill(desk, 3)
    head = carried_on(desk, book, tmp_path).head
    told = (
        ("till-refused", f"till-12345678.{head.origin}", 12),
        ("witness-refused", "street.example.org", 11),
        ("does-not-extend", head.origin, 13),
    )
    for what, witness, seen in told:
        desk.clock.advance(minutes=1)
        seal.alarm(desk.session, desk.book_id, what, witness, head, seen, desk.clock.now())
    desk.session.commit()
    text = Browser(app).open(prefix).text
    assert "收银机 12345678 没有见证：它见过 12 条的日志，后来给它看的 10 条不是那一本的延续。" in text
    assert "见证方 street.example.org 没有见证：它见过 11 条的日志" in text
    assert "没有签名：现在的 10 条不是签过名的 13 条的延续。" in text


@pytest.fixture
def hall_sealed(hall: Hall, tmp_path: Path) -> seal.Sealed:
    hall.community.credited(hall.community.person(), "patrol")
    return carry_on(hall.session, hall.community.book, hall.clock, tmp_path)


def test_a_supervisor_sees_at_home_how_many_alarms_there_are(hall: Hall, hall_sealed: seal.Sealed) -> None:
    book = hall.community.book
    _, supervisor = hall.enter("resident_supervisor", area_code=COUNTY)
    assert "次警报" not in supervisor.open("/home").text
    for seen in (98, 99):
        seal.alarm(hall.session, book.id, "till-refused", f"till-12345678.{origin_of(book)}", hall_sealed.head, seen, hall.clock.now())
    hall.session.commit()
    assert "账本日志有 2 次警报" in supervisor.open("/home").text
    assert supervisor.follow("次警报").headings[0] == "账本日志"
    assert "账本日志有 2 次警报" in supervisor.open("/figures").text


def told_to_a_supervisor(hall: Hall) -> str:
    _, supervisor = hall.enter("resident_supervisor", area_code=COUNTY)
    return supervisor.open("/home").text


def test_an_alarm_that_holds_still_does_not_fall_silent(hall: Hall, hall_sealed: seal.Sealed, tmp_path: Path) -> None:
    book, witness = hall.community.book, a_witness("street.example.org")
    seal.add_witness(hall.session, book.id, witness.key, hall.clock.now(), address="https://street.example.org")
    hall.clock.advance(minutes=1)
    for what, name in (("witness-refused", "street.example.org"), ("does-not-extend", hall_sealed.head.origin)):
        seal.alarm(hall.session, book.id, what, name, hall_sealed.head, 2, hall.clock.now())
    hall.session.commit()
    hall.clock.advance(days=31)
    assert "账本日志有 2 次警报" in told_to_a_supervisor(hall)
    # The log is signed again, and the witness cosigns that.
    hall.community.credited(hall.community.person(), "patrol")
    sealed = carry_on(hall.session, book, hall.clock, tmp_path)
    assert "账本日志有 1 次警报" in told_to_a_supervisor(hall)
    assert seal.hear(hall.session, book.id, sealed.head.size, witness.sign(sealed.note.body, 1), hall.clock.now())
    hall.session.commit()
    assert "次警报" not in told_to_a_supervisor(hall)
    # What is told again after that is a new alarm.
    seal.alarm(hall.session, book.id, "witness-refused", "street.example.org", hall_sealed.head, 2, hall.clock.now())
    hall.session.commit()
    assert "账本日志有 1 次警报" in told_to_a_supervisor(hall)


def test_a_sealer_that_stands_still_is_an_alarm(hall: Hall, hall_sealed: seal.Sealed, tmp_path: Path) -> None:
    hall.community.credited(hall.community.person(), "patrol")
    hall.session.commit()
    hall.clock.advance(minutes=59)
    assert "次警报" not in told_to_a_supervisor(hall)
    hall.clock.advance(minutes=2)
    assert "账本日志有 1 次警报" in told_to_a_supervisor(hall)
    assert "有记录等了一个多小时" in Browser(hall.app).open(f"/log/{hall.community.book.number}").text
    carry_on(hall.session, hall.community.book, hall.clock, tmp_path)
    assert "次警报" not in told_to_a_supervisor(hall)


def test_the_landing_page_leads_to_the_log(app: Flask, hall: Hall) -> None:
    browser = Browser(app)
    browser.open("/")
    assert browser.follow("账本日志").headings[0] == "账本日志"


def test_leaves_are_for_whoever_audits_the_book(hall: Hall, hall_sealed: seal.Sealed) -> None:
    size = hall_sealed.head.size
    path = f"/log/{hall.community.book.number}/tile/entries/000.p/{size}"
    hall.session.rollback()
    _, volunteer = hall.enter("volunteer")
    assert volunteer.client.get(path).status_code == 403
    assert hall.app.test_client().get(path).status_code == 302
    _, auditor = hall.enter("street_auditor", area_code=COUNTY)
    bundle, found = auditor.client.get(path).data, []
    while bundle:
        length = int.from_bytes(bundle[:2])
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert len(found) == size
    assert fold([seal.leaf_hash(one) for one in found]) == hall_sealed.head.root
