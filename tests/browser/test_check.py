"""The check page: what is printed is checked in the browser, without a network; and whatever was altered is refused, in plain words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from ledger import activities
from ledger import seal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.ids import new_id
from ledger.seal import notes
from ledger.seal.leaves import Opening
from ledger.seal.leaves import check_word
from ledger.seal.packed import MAGIC
from ledger.seal.packed import packed
from scripts.demo.stage import Stage
from tests.browser.conftest import Camera
from tests.browser.conftest import Stand
from tests.browser.conftest import Visitor
from tests.browser.neighbours import Neighbour
from tests.browser.neighbours import a_neighbour
from tests.camera import written
from tests.journeys import pictures
from tests.sealing import WITNESS
from tests.sealing import sealed
from tests.sealing import signer_named
from tests.sealing import watched

Visit = Callable[..., Visitor]

CHINA = ZoneInfo("Asia/Shanghai")
WORKER_READY = "navigator.serviceWorker.ready.then(() => true)"
BLANK = written(Image.new("RGB", (200, 200), "white"), "PNG")
HOLDS, PATH = "对得上：账上封存的就是这一行。", "对不上：这一行不是账上封存的那一行"
HOURS_HOLD = "对得上：账上封存的就是这些时数。"


@dataclass
class Paper:
    """A page of a passbook as it was printed."""

    picture: Image.Image
    proof: seal.Proof

    @property
    def photo(self) -> bytes:
        return written(self.picture.convert("RGB"), "PNG")

    @property
    def opening(self) -> Opening:
        assert self.proof.extra is not None
        opening = seal.opening_of(self.proof.extra)
        assert isinstance(opening, Opening)
        return opening

    def with_side(self, **changes: object) -> seal.Proof:
        """The proof with other fields of the line."""
        altered = self.opening._replace(side=self.opening.side._replace(**changes))
        return dataclasses.replace(self.proof, extra=altered.packed())


@pytest.fixture(scope="module", autouse=True)
def witnessed(stand: Stand) -> None:
    stand.play(lambda stage: watched(stage.session, stage.book, stage.now))


@pytest.fixture(scope="module")
def paper(stand: Stand, browser: Browser, witnessed: None) -> Paper:
    """The passbook of somebody with two sealed lines, printed, and what a camera reads of its large code."""
    neighbour = a_neighbour(stand)

    def sealing(stage: Stage) -> None:
        sealed(stage.session, stage.book, stage.now, WITNESS)

    stand.play(sealing)
    return printed(asked_for(neighbour, browser, "/me/passbook.pdf"))


@pytest.fixture(scope="module")
def certificate(stand: Stand, browser: Browser, witnessed: None) -> Paper:
    """The proof of hours of somebody with three records just after midnight, printed, and what a camera reads of its large code."""
    neighbour = a_neighbour(stand)

    def serving(stage: Stage) -> None:
        midnight = stage.now.astimezone(CHINA).replace(hour=0, minute=0, second=7, microsecond=0).astimezone(UTC)
        for number, (kind, minutes) in enumerate((("credit", 3_000), ("honour", 45), ("credit", 90))):
            act = Act(stage.book.id, OPERATOR, "command", new_id(), midnight + timedelta(minutes=number))
            served = activities.Served(neighbour.id, kind, minutes, date(2026, 11, 20), new_id())
            activities.record_hours(stage.session, act, [served])
        sealed(stage.session, stage.book, stage.now, WITNESS)

    stand.play(serving)
    return printed(asked_for(neighbour, browser, "/me/hours.pdf"))


def asked_for(neighbour: Neighbour, browser: Browser, path: str) -> bytes:
    """What the neighbour gets from an address."""
    with browser.new_context() as context:
        neighbour.signs_in(context)
        answer = context.request.get(neighbour.stand.home + path)
        assert answer.ok
        return answer.body()


def printed(content: bytes) -> Paper:
    """What a camera reads of a print."""
    with closing(pypdfium2.PdfDocument(content)) as document, closing(document[0]) as page:
        picture = page.render(scale=6).to_pil()
    codes = [one.bytes for one in pictures.codes_in(picture)]
    (code,) = [one for one in codes if one.startswith(MAGIC)]
    return Paper(picture, seal.proof_of_packed(code))


def opened(visit: Visit, **options: str) -> Page:
    """The check page, without a network from now on."""
    visitor = visit(None, **options)
    page = visitor.open("/check")
    expect(page.get_by_role("button", name="查验")).to_be_visible()
    page.evaluate(WORKER_READY)
    visitor.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("button", name="查验")).to_be_visible()
    return page


def shown(page: Page, picture: bytes) -> None:
    """Choose a picture."""
    page.get_by_label("证明文件，或者大码的照片").set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": picture})


def pasted(page: Page, text: str) -> None:
    """Paste a proof and have it checked."""
    page.get_by_label("或者把证明粘贴在这里").fill(text)
    page.get_by_role("button", name="查验", exact=True).click()


def code_of(proof: seal.Proof) -> bytes:
    return written(pictures.of(packed(proof)), "PNG")


def test_a_photo_of_the_printed_page_is_checked_offline_and_holds(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    shown(page, paper.photo)
    said = page.locator("[data-result]")
    expect(said).to_contain_text(HOLDS)
    side = paper.opening.side
    for words in (
        f"第 {side.number} 行",
        f"+{side.amount}",
        side.deed_on.isoformat(),
        paper.opening.word,
        f"结余 {side.before} → {side.after}",
    ):
        expect(said).to_contain_text(words)
    expect(said).to_contain_text("1 家见证方（认得的共 1 家）联署过同样的日志：witness.example.org")
    expect(said).to_contain_text("证明里没有姓名")
    assert all(one.startswith("GET ") and "/static/" in one for one in asked), asked


def test_the_camera_reads_the_code_and_the_check_word_is_compared(visit: Visit, paper: Paper, camera: Camera) -> None:
    camera.sees(code_of(paper.proof))
    page = opened(visit)
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="打开相机扫码").click()
    said = page.locator("[data-result]")
    expect(said).to_contain_text(HOLDS)
    word = page.get_by_label("大码证明的那一行或时数的验证码（可不填）")
    word.fill(paper.opening.word.lower().replace("-", " "))
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("纸上的验证码也对得上。")
    other = "0" if paper.opening.word[0] != "0" else "1"
    word.fill(other + paper.opening.word[1:])
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("不能这样核对")
    expect(said).not_to_contain_text(HOLDS)


ALTERED = {
    "account": new_id(),
    "number": 2,
    "amount": 1_000_000,
    "before": 5,
    "after": 1_000_100,
    "kind": "gift",
    "deed_on": date(2020, 1, 1),
    "posted_at": 1_600_000_000_000_000,
    "previous": b"\x01" * 32,
}


def test_whatever_is_altered_in_the_line_is_refused(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    assert set(ALTERED) == set(paper.opening.side._fields)
    for field, value in ALTERED.items():
        shown(page, code_of(paper.proof))
        expect(said).to_contain_text(HOLDS)
        shown(page, code_of(paper.with_side(**{field: value})))
        expect(said).to_contain_text(PATH)
        expect(said).not_to_contain_text(HOLDS)


def test_a_proof_that_is_altered_elsewhere_is_refused_by_what_does_not_hold(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    whole = str(paper.proof)
    pasted(page, whole)
    expect(said).to_contain_text(HOLDS)
    own, other = paper.proof.checkpoint.signatures
    head = seal.head_of(paper.proof.checkpoint.body)
    forged = notes.Signature(own.name, own.key_id, bytes(64))
    late = notes.Signature(other.name, other.key_id, (1).to_bytes(8) + other.value[8:])
    elsewhere = dataclasses.replace(head, origin="elsewhere.example.org/log/1")
    altered = {
        PATH: dataclasses.replace(paper.proof, path=(bytes(32), *paper.proof.path[1:])),
        "对不上：账簿的签名是假的": _signed(paper, head, forged, other),
        "对不上：有一个以见证方名义的签名是假的": _signed(paper, head, own, late),
        "不能判断：不认得这本账的公钥": _signed(paper, elsewhere, own, other),
    }
    for words, proof in altered.items():
        pasted(page, str(proof))
        expect(said).to_contain_text(words)
    pasted(page, str(_signed(paper, head, other)))
    expect(said).to_contain_text("对不上：账簿的签名是假的，或者不在证明里")
    pasted(page, str(_signed(paper, head, own)))
    expect(said).to_contain_text("没有认得的见证方联署")
    for broken in (whole[:-40], "x", whole.replace("index ", "index 0")):
        pasted(page, broken)
        expect(said).to_contain_text("不是一份完整的证明")


def _signed(paper: Paper, head: seal.Head, *signatures: notes.Signature) -> seal.Proof:
    return dataclasses.replace(paper.proof, checkpoint=seal.Note(str(head), signatures))


def test_a_file_is_checked_by_ones_own_keys_alone(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    origin = seal.head_of(paper.proof.checkpoint.body).origin
    content = {"name": "line.tlog-proof", "mimeType": "", "buffer": str(paper.proof).encode()}
    page.get_by_text("用哪些公钥查验").click()
    (log_key,) = [
        key for key in page.locator("[data-key]").evaluate_all("all => all.map(one => one.dataset.key)") if key.startswith(origin)
    ]
    page.get_by_label("我自己的公钥").fill(str(WITNESS.key))
    page.get_by_label("证明文件，或者大码的照片").set_input_files(content)
    expect(said).to_contain_text("不能判断：不认得这本账的公钥")
    page.get_by_label("我自己的公钥").fill(f"{log_key}\n")
    page.get_by_label("证明文件，或者大码的照片").set_input_files([])
    page.get_by_label("证明文件，或者大码的照片").set_input_files(content)
    expect(said).to_contain_text("按您粘贴的公钥查验。")
    expect(said).to_contain_text("没有认得的见证方联署")
    page.get_by_label("我自己的公钥").fill(log_key[:-6])
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("粘贴的公钥里有一个不完整")


@pytest.mark.parametrize(("earlier", "words"), [(0, HOLDS), (1, "在这么多条时，签名的不是这本日志的钥匙")])
def test_a_key_that_was_changed_before_a_head_counts_no_longer_for_it(visit: Visit, paper: Paper, earlier: int, words: str) -> None:
    head = seal.head_of(paper.proof.checkpoint.body)
    new = notes.Signer(head.origin, notes.ED25519, Ed25519PrivateKey.generate()).key
    body = str(notes.Change(new, head.size - earlier))
    note = str(seal.Note(body, (signer_named(head.origin).sign(body),)))
    page = opened(visit)
    page.evaluate(
        """([origin, key, note]) => {
          const told = document.createElement("li");
          Object.assign(told.dataset, { key, note });
          document.querySelector(`[data-log="${origin}"]`).append(told);
        }""",
        [head.origin, str(new), note],
    )
    pasted(page, str(paper.proof))
    expect(page.locator("[data-result]")).to_contain_text(words)


def test_a_promise_is_told_from_a_proof(visit: Visit, stand: Stand) -> None:
    told = a_neighbour(stand).comes(visit).context.request.get(f"{stand.home}/me/passbook/lines/1/promise.txt").text()
    page = opened(visit)
    said = page.locator("[data-result]")
    pasted(page, told)
    expect(said).to_contain_text("这是本服务的承诺，不是证明")
    expect(said).to_contain_text("+100")
    pasted(page, told.replace("amount 100", "amount 900"))
    expect(said).to_contain_text("对不上：账簿的签名是假的")


def test_a_picture_without_a_code_and_nothing_at_all_are_answered(visit: Visit) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("请先扫码、选文件或粘贴证明。")
    shown(page, BLANK)
    expect(said).to_contain_text("没有看到存折的大码")


def test_a_photo_of_the_printed_proof_of_hours_is_checked_offline_and_says_what_they_come_to(visit: Visit, certificate: Paper) -> None:
    page = opened(visit)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    shown(page, certificate.photo)
    said = page.locator("[data-result]")
    expect(said).to_contain_text(HOURS_HOLD)
    opening = hours_of(certificate)
    for words in ("51 小时 30 分", "0 小时 45 分", "共 3 条服务记录", "最后一条：2026-11-20，信用时数 1 小时 30 分", opening.word):
        expect(said).to_contain_text(words)
    expect(said).to_contain_text("1 家见证方（认得的共 1 家）联署过同样的日志：witness.example.org")
    expect(said).to_contain_text("证明里没有姓名")
    word = page.get_by_label("大码证明的那一行或时数的验证码（可不填）")
    word.fill(opening.word)
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("纸上的验证码也对得上。")
    assert opening.hours.previous is not None
    word.fill(check_word(opening.hours.previous))
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("您输入的是前 2 条记录的验证码：那些时数也对得上。")
    word.fill("000-000")
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("对不上：纸上的验证码不是这些时数的")
    assert all(one.startswith("GET ") and "/static/" in one for one in asked), asked


def hours_of(certificate: Paper) -> seal.HoursOpening:
    assert certificate.proof.extra is not None
    opening = seal.opening_of(certificate.proof.extra)
    assert isinstance(opening, seal.HoursOpening)
    return opening


ALTERED_HOURS = {
    "id": new_id(),
    "account": new_id(),
    "number": 9,
    "kind": "honour",
    "minutes": 900,
    "served_on": date(2020, 1, 1),
    "recorded_at": 1_600_000_000_000_000,
    "credit": 60_000,
    "honour": 60_000,
    "previous": b"\x01" * 32,
}


def test_whatever_is_altered_in_the_hours_is_refused(visit: Visit, certificate: Paper) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    opening = hours_of(certificate)
    assert set(ALTERED_HOURS) == set(opening.hours._fields)
    for field, value in ALTERED_HOURS.items():
        pasted(page, str(certificate.proof))
        expect(said).to_contain_text(HOURS_HOLD)
        altered = opening._replace(hours=opening.hours._replace(**{field: value}))
        pasted(page, str(dataclasses.replace(certificate.proof, extra=altered.packed())))
        expect(said).to_contain_text("对不上：这些时数不是账上封存的")
        expect(said).not_to_contain_text(HOURS_HOLD)


def test_what_shows_no_proof_takes_the_place_of_one_that_was_given_before(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    shown(page, paper.photo)
    expect(said).to_contain_text(HOLDS)
    shown(page, BLANK)
    expect(said).to_contain_text("没有看到存折的大码")
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("请先扫码、选文件或粘贴证明。")


def test_the_small_code_takes_the_place_of_a_proof_that_was_given_before(visit: Visit, paper: Paper, camera: Camera) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    shown(page, paper.photo)
    expect(said).to_contain_text(HOLDS)
    camera.sees(written(pictures.of(page.url), "PNG"))
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="打开相机扫码").click()
    expect(said).to_contain_text("这是小码")
    page.get_by_role("button", name="查验", exact=True).click()
    expect(said).to_contain_text("请先扫码、选文件或粘贴证明。")


def test_the_verdict_is_on_the_screen_of_a_small_phone(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    pasted(page, str(paper.proof))
    expect(page.locator("[data-result] .done")).to_be_in_viewport()
    pasted(page, str(paper.with_side(amount=5)))
    expect(page.locator("[data-result] .problem")).to_be_in_viewport()


def test_the_word_of_another_line_is_not_called_a_forgery(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    said = page.locator("[data-result]")
    page.get_by_label("大码证明的那一行或时数的验证码（可不填）").fill("0000-00")
    shown(page, paper.photo)
    number = paper.opening.side.number
    expect(said).to_contain_text(f"不能这样核对：您输入的不是第 {number} 行的验证码，也不是前一行的。大码只证明第 {number} 行")
    expect(said).not_to_contain_text(HOLDS)


def test_the_proof_of_a_scanned_paper_is_shown_and_kept_as_a_file(visit: Visit, paper: Paper) -> None:
    page = opened(visit)
    shown(page, paper.photo)
    page.get_by_text("证明全文").click()
    expect(page.locator("[data-result] pre")).to_have_text(str(paper.proof))
    with page.expect_download() as download:
        page.get_by_role("link", name="保存证明（文件）").click()
    assert download.value.suggested_filename == f"line-{paper.opening.side.number}.tlog-proof"
    assert download.value.path().read_text(encoding="utf-8") == str(paper.proof)


def test_the_printed_file_itself_is_told_from_a_proof(visit: Visit) -> None:
    page = opened(visit)
    content = {"name": "passbook.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n"}
    page.get_by_label("证明文件，或者大码的照片").set_input_files(content)
    expect(page.locator("[data-result]")).to_contain_text("PDF 不能直接查验")


def test_moments_are_told_as_the_book_tells_them_wherever_the_browser_is(visit: Visit, paper: Paper, certificate: Paper) -> None:
    page = opened(visit, timezone_id="America/New_York")
    shown(page, paper.photo)
    recorded = datetime.fromtimestamp(paper.opening.side.posted_at // 1_000_000, CHINA)
    expect(page.locator("[data-result]")).to_contain_text(f"{recorded:%Y-%m-%d %H:%M:%S} 中国标准时间 记账")
    shown(page, certificate.photo)
    expect(page.locator("[data-result]")).to_contain_text(" 00:02:07 中国标准时间")


def test_the_other_language_tells_moments_alike(visit: Visit, certificate: Paper) -> None:
    page = visit(None, timezone_id="America/New_York", locale="en-US").open("/check")
    picture = {"name": "photo.png", "mimeType": "image/png", "buffer": certificate.photo}
    page.get_by_label("A proof file, or a photo").set_input_files(picture)
    expect(page.locator("[data-result]")).to_contain_text(" 00:02:07 China Standard Time")
