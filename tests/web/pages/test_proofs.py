"""A line of the passbook proves itself: on its page, as a file, on paper; and whoever checks it needs nothing else."""

from __future__ import annotations

import html
import re
from contextlib import closing

import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from ledger import activities
from ledger import seal
from ledger.ids import new_id
from ledger.people import Person
from ledger.seal.leaves import Opening
from ledger.seal.notes import Signer
from tests.builders import an_act
from tests.builders import give_points
from tests.journeys import pictures
from tests.sealing import WITNESS
from tests.sealing import rewrite
from tests.sealing import sealed
from tests.sealing import signer_of
from tests.sealing import watched
from tests.web.pages.hall import Hall
from tests.web.pages.papers import opened

PROMISER = "localhost:8000/promise"


def earn(hall: Hall, person: Person, lines: int = 3) -> None:
    for number in range(1, lines + 1):
        give_points(hall.session, hall.community.book, person, number, hall.clock.now())
    hall.session.commit()


def seal_all(hall: Hall, *witnesses: Signer) -> None:
    sealed(hall.session, hall.community.book, hall.clock.now(), *witnesses)
    hall.session.commit()


def packed_codes(content: bytes) -> list[list[seal.Proof]]:
    """The proofs that a camera reads from each page of a print."""
    found = []
    # Closed in this order: pages that outlive their document bring the interpreter down.
    with closing(pypdfium2.PdfDocument(content)) as document:
        for number in range(len(document)):
            with closing(document[number]) as page:
                codes = pictures.codes_in(page.render(scale=6).to_pil())
            found.append([seal.proof_of_packed(one.bytes) for one in codes if one.bytes.startswith(seal.MAGIC)])
    return found


def assert_holds(proof: seal.Proof, hall: Hall, number: int) -> None:
    assert proof.extra is not None
    opening, head = seal.opening_of(proof.extra), seal.head_of(proof.checkpoint.body)
    assert isinstance(opening, Opening)
    assert opening.side.number == number
    assert seal.is_included(seal.leaf_hash(opening.leaf), proof.index, head.size, proof.path, head.root)
    key = signer_of(hall.community.book).key
    assert proof.checkpoint.signed_by([key]) == [key]


def test_a_line_that_waits_says_so_and_is_promised(hall: Hall) -> None:
    person, browser = hall.enter()
    earn(hall, person)
    page = browser.open("/me/passbook/lines/2/proof")
    assert "等着封存" in page.text
    assert "第 2 行" in page.text
    note = seal.note_of(browser.client.get(page.link("保存承诺")).text)
    key = seal.promiser(bytes(range(32)), PROMISER).key
    assert note.signed_by([key]) == [key]
    assert "line 2\namount 2\nbefore 1\nafter 3\n" in note.body
    assert browser.client.get("/me/passbook/lines/2/line.tlog-proof").status_code == 404


def test_a_sealed_line_shows_what_it_proves_and_what_not_and_gives_its_proof(hall: Hall) -> None:
    person, browser = hall.enter()
    watched(hall.session, hall.community.book, hall.clock.now())
    earn(hall, person)
    seal_all(hall, WITNESS)
    page = browser.open("/me/passbook/lines/2/proof")
    assert "已经封存" in page.text
    assert "1 家见证方（共 1 家）已经联署：witness.example.org" in page.text
    assert page.headings[1:] == ["验证码", "证明什么", "不证明什么", "查验"]
    answer = browser.client.get(page.link("保存证明"))
    assert (answer.mimetype, answer.headers["Content-Disposition"]) == ("text/plain", 'attachment; filename="line-2.tlog-proof"')
    proof = seal.proof_of(answer.text)
    assert_holds(proof, hall, 2)
    assert proof.checkpoint.signed_by([WITNESS.key]) == [WITNESS.key]
    assert proof.extra is not None
    assert seal.opening_of(proof.extra).word in page.text
    (code,) = pictures.codes_in(pictures.drawn(page.html))
    assert seal.proof_of_packed(code.bytes) == proof
    assert browser.client.get("/me/passbook/lines/2/promise.txt").status_code == 404


def test_a_line_without_witnesses_says_that_only_the_service_signed(hall: Hall) -> None:
    person, browser = hall.enter()
    earn(hall, person)
    seal_all(hall)
    assert "还没有见证方" in browser.open("/me/passbook/lines/1/proof").text
    watched(hall.session, hall.community.book, hall.clock.now())
    hall.session.commit()
    assert "1 家见证方都还没有联署" in browser.open("/me/passbook/lines/1/proof").text


def test_a_line_that_is_not_what_was_sealed_says_so_everywhere_and_is_an_alarm(hall: Hall, owner: Engine) -> None:
    person, browser = hall.enter()
    earn(hall, person)
    seal_all(hall)
    rewrite(owner, hall.community.book.id, "UPDATE line SET deed_on = '2020-01-01' WHERE book_id = :book AND number = 3")
    page = browser.open("/me/passbook/lines/3/proof")
    assert "对不上：这一行现在写的，不是封存时写的。请联系监督员" in page.text
    assert "已经封存" not in page.text
    assert "验证码" not in page.text
    assert "这一行的证明" not in page.html
    for what in ("line.tlog-proof", "promise.txt"):
        assert browser.client.get(f"/me/passbook/lines/3/{what}").status_code == 404
    assert "已经封存" in browser.open("/me/passbook/lines/2/proof").text
    assert packed_codes(browser.client.get("/me/passbook.pdf").data) == [[]]
    assert opened(browser, "/me/passbook.pdf").says("第 3 行对不上：它不是封存时写的，请联系监督员。")
    (alarm,) = seal.alarms(hall.session, hall.community.book.id)
    assert (alarm.what, alarm.seen) == ("line-differs", alarm.size)
    hall.session.rollback()
    assert f"第 {alarm.seen} 条对不上：存折上现在写的，不是封存时写的。" in browser.open(f"/log/{hall.community.book.number}").text


@pytest.mark.parametrize("number", ["0", "4", "99999999999999999999999"])
def test_a_line_that_is_none_is_not_found(hall: Hall, number: str) -> None:
    person, browser = hall.enter()
    earn(hall, person)
    seal_all(hall)
    for what in ("proof", "line.tlog-proof", "promise.txt"):
        assert browser.client.get(f"/me/passbook/lines/{number}/{what}").status_code == 404


def test_nobody_sees_the_proof_of_anothers_line(hall: Hall) -> None:
    person, _ = hall.enter()
    earn(hall, person)
    seal_all(hall)
    _, other = hall.enter()
    assert other.client.get("/me/passbook/lines/1/proof").status_code == 404


def test_the_passbook_shows_check_words_and_leads_to_the_proof_of_each_line(hall: Hall) -> None:
    person, browser = hall.enter()
    earn(hall, person)
    assert ("封存证明", "/me/passbook/lines/2/proof") in browser.open("/me/passbook").links
    seal_all(hall)
    word = seal.opening_of(seal.proof_of(browser.client.get("/me/passbook/lines/2/line.tlog-proof").text).extra or b"").word
    assert word in browser.open("/me/passbook").text


def test_the_print_carries_check_words_and_the_proof_of_the_last_sealed_line_of_each_page(hall: Hall) -> None:
    person, browser = hall.enter()
    watched(hall.session, hall.community.book, hall.clock.now())
    earn(hall, person, 20)
    seal_all(hall, WITNESS)
    give_points(hall.session, hall.community.book, person, 7, hall.clock.now())
    hall.session.commit()
    content = browser.client.get("/me/passbook.pdf").data
    (first,), (last,) = packed_codes(content)
    for proof, number in ((first, 16), (last, 20)):
        assert_holds(proof, hall, number)
        assert proof.checkpoint.signed_by([WITNESS.key]) == [WITNESS.key]
    paper = opened(browser, "/me/passbook.pdf")
    for number in range(1, 21):
        served = seal.proof_of(browser.client.get(f"/me/passbook/lines/{number}/line.tlog-proof").text)
        assert served.extra is not None
        assert paper.text.count(seal.opening_of(served.extra).word) == 1
    assert len(re.findall(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}\b", paper.text)) == 20
    assert paper.codes.count("http://localhost:8000/check") == 2
    assert paper.text.count("http://localhost:8000/check") == 2
    assert paper.says("第 16 行的封存证明")
    assert paper.says("大码只证明第 16 行。")
    assert not paper.says("验证码印在这里")


def serve(hall: Hall, person: Person, *served: tuple[str, int]) -> None:
    """Record hours of somebody, one after the other."""
    for kind, minutes in served:
        at = hall.clock.advance(minutes=1)
        hours = activities.Served(person.id, kind, minutes, at.date(), new_id())
        activities.record_hours(hall.session, an_act(hall.community.book, at), [hours])
    hall.session.commit()


def test_the_proof_of_hours_that_wait_leaves_room_as_a_page_of_the_passbook_does(hall: Hall) -> None:
    person, browser = hall.enter()
    serve(hall, person, ("credit", 90))
    paper = opened(browser, "/me/hours.pdf")
    assert paper.says("验证码印在这里")
    assert paper.codes == []
    assert browser.client.get("/me/hours/hours.tlog-proof").status_code == 404
    assert "封存证明" not in browser.open("/me/hours").text


def test_the_printed_proof_of_hours_carries_its_proof_and_says_what_that_covers(hall: Hall) -> None:
    person, browser = hall.enter()
    watched(hall.session, hall.community.book, hall.clock.now())
    serve(hall, person, ("credit", 90), ("honour", 45), ("credit", 30))
    seal_all(hall, WITNESS)
    serve(hall, person, ("credit", 600))
    content = browser.client.get("/me/hours.pdf").data
    ((proof,),) = packed_codes(content)
    assert proof.extra is not None
    opening, head = seal.opening_of(proof.extra), seal.head_of(proof.checkpoint.body)
    assert isinstance(opening, seal.HoursOpening)
    assert (opening.hours.number, opening.hours.credit, opening.hours.honour) == (3, 120, 45)
    assert seal.is_included(seal.leaf_hash(opening.leaf), proof.index, head.size, proof.path, head.root)
    keys = [signer_of(hall.community.book).key, WITNESS.key]
    assert proof.checkpoint.signed_by(keys) == keys
    paper = opened(browser, "/me/hours.pdf")
    assert paper.says("前 3 条服务记录的封存证明：信用 2 小时 0 分，荣誉 0 小时 45 分")
    assert paper.says(f"验证码 {opening.word}")
    assert paper.codes.count("http://localhost:8000/check") == 1
    assert not paper.says("验证码印在这里")
    assert len(paper.pages) == 1
    page = browser.open("/me/hours")
    assert opening.word in page.text
    assert seal.proof_of(browser.client.get(page.link("保存时数的封存证明")).text).extra == proof.extra


def test_hours_that_are_not_what_was_sealed_say_so_on_the_page_and_on_paper(hall: Hall, owner: Engine) -> None:
    person, browser = hall.enter()
    serve(hall, person, ("credit", 90))
    seal_all(hall)
    rewrite(owner, hall.community.book.id, "UPDATE hours_record SET minutes = 900 WHERE book_id = :book")
    page = browser.open("/me/hours")
    assert "对不上：时数现在写的，不是封存时写的。请联系监督员" in page.text
    assert "验证码" not in page.text
    assert browser.client.get("/me/hours/hours.tlog-proof").status_code == 404
    assert packed_codes(browser.client.get("/me/hours.pdf").data) == [[]]
    assert opened(browser, "/me/hours.pdf").says("时数对不上：它不是封存时写的，请联系监督员。")
    (alarm,) = seal.alarms(hall.session, hall.community.book.id)
    assert alarm.what == "line-differs"


def test_nobody_is_given_the_proof_of_anothers_hours(hall: Hall) -> None:
    person, _ = hall.enter()
    serve(hall, person, ("credit", 90))
    seal_all(hall)
    _, other = hall.enter()
    assert other.client.get("/me/hours/hours.tlog-proof").status_code == 404
    assert opened(other, "/me/hours.pdf").says("验证码印在这里")


def test_the_check_page_carries_the_keys_of_every_log_and_nothing_of_whoever_asks(hall: Hall, client: FlaskClient) -> None:
    person, browser = hall.enter()
    assert "还没有一个账簿开始封存" in client.get("/check").text
    watched(hall.session, hall.community.book, hall.clock.now())
    earn(hall, person)
    seal_all(hall)
    answer = client.get("/check")
    keys = {html.unescape(key) for key in re.findall(r' data-key="([^"]+)"', answer.text)}
    assert keys == {str(signer_of(hall.community.book).key), str(WITNESS.key)}
    promised = {html.unescape(key) for key in re.findall(r' data-promise-key="([^"]+)"', answer.text)}
    assert promised == {str(seal.promiser(bytes(range(32)), PROMISER).key)}
    assert browser.client.get("/check").text == answer.text
    assert "_csrf" not in answer.text
    assert not re.search(r'<(input|textarea)[^>]* name="', answer.text)
