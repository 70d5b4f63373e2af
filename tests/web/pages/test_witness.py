"""A till watches the log under a key of its own, cosigns what carries on, and says what does not."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ledger import audit
from ledger import seal
from ledger.ids import new_id
from ledger.seal.notes import ED25519
from ledger.seal.notes import Note
from ledger.seal.notes import Signer
from redeem.web.pages.witness import ALARMS_MAX
from tests.builders import COUNTY
from tests.builders import a_person
from tests.builders import give_points
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from tests.web.pages.paired import PIN
from tests.web.pages.paired import on_device
from tests.web.pages.paired import with_pin
from tests.web.pages.sealed import LOG_KEY
from tests.web.pages.sealed import carry_on


@dataclass
class Till:
    """A till with a shift open, which watches as js/witness.js does."""

    desk: Desk
    browser: Browser
    sealed: seal.Sealed

    @property
    def log(self) -> str:
        """Where the log is read."""
        return f"/log/{self.sealed.head.origin.rpartition('/')[2]}"

    def told(self) -> dict[str, str]:
        """What its page tells it."""
        found = re.search(r"<template data-witness ([^>]+)>", self.browser.client.get("/till").text)
        return dict(re.findall(r'data-(\w+)="([^"]*)"', found[1])) if found else {}

    def post(self, path: str, **fields: object) -> TestResponse:
        secret = next(form.fields["_csrf"][0] for form in self.browser.open("/till").forms if "_csrf" in form.fields)
        return self.browser.client.post(path, data={"_csrf": secret, "_key": new_id().hex, **fields})

    def signer(self, number: int = 1, kind: int = seal.COSIGNATURE) -> Signer:
        """A key as a till calls it."""
        private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        name = f"till-{sha256(private.public_key().public_bytes_raw()).hexdigest()[:8]}.{self.sealed.head.origin}"
        return Signer(name, kind, private)

    def watch(self, number: int = 1) -> Signer:
        """Let it watch under a key."""
        signer = self.signer(number)
        assert self.post("/till/log/key", key=str(signer.key)).status_code == 303
        return signer

    def cosign(self, signer: Signer, size: int | None = None) -> TestResponse:
        line = signer.sign(self.sealed.note.body, 1_790_000_000)
        return self.post("/till/log/cosignature", size=size or self.sealed.head.size, line=str(line))

    def watching(self) -> list[str]:
        found = [one.key for one in seal.witnesses(self.desk.session, self.desk.book.id)]
        self.desk.session.rollback()
        return found

    def cosigned(self) -> tuple[str, ...]:
        found = seal.of_size(self.desk.session, self.desk.book.id, self.sealed.head.size)
        self.desk.session.rollback()
        assert found is not None
        return found.witnesses

    def alarms(self) -> list[tuple[str, str, int | None, int]]:
        found = [(one.what, one.witness, one.seen, one.size) for one in seal.alarms(self.desk.session, self.desk.book.id)]
        self.desk.session.rollback()
        return found


def in_shift(desk: Desk) -> Browser:
    with_pin(desk.session, desk.book, desk.shop.cashier.id, "shift")
    browser = on_device(desk.app, desk.session, desk.book, unit_id=desk.shop.id)
    assert browser.send("开班", _pin=PIN).headings == ["收银"]
    return browser


@pytest.fixture
def desk(app: Flask, session: Session, clock: HandClock) -> Desk:
    return a_desk(app, session, clock)


@pytest.fixture
def till(desk: Desk, tmp_path: Path) -> Till:
    give_points(desk.session, desk.book, desk.person, 5)
    sealed = carry_on(desk.session, desk.book, desk.clock, tmp_path)
    return Till(desk, in_shift(desk), sealed)


def test_a_till_is_told_what_to_watch_and_no_other_browser_is(till: Till, desk: Desk) -> None:
    told = till.told()
    (one,) = seal.log_keys(desk.session, desk.book.id)
    desk.session.rollback()
    assert json.loads(html.unescape(told["keys"])) == [{"vkey": str(one.key), "note": ""}]
    assert (told["own"], told["head"]) == ("", f"{till.log}/proof")
    assert "data-witness" not in desk.cashier.open("/till").html
    signer = till.watch()
    assert till.told()["own"] == str(signer.key)


def test_where_nothing_is_signed_there_is_nothing_to_watch(desk: Desk) -> None:
    assert "data-witness" not in in_shift(desk).open("/till").html


@pytest.mark.parametrize("page", ["/till", "/till/card", "/till/orders", "/till/today"])
def test_every_page_of_a_till_watches(till: Till, page: str) -> None:
    assert till.browser.open(page).html.count("<template data-witness") == 1


def test_a_till_cosigns_a_head_once_however_often_it_says_so(till: Till) -> None:
    signer = till.watch()
    for _ in range(2):
        assert till.cosign(signer).status_code == 204
    assert till.cosigned() == (str(signer.key),)
    note = seal.note_of(till.browser.client.get(f"{till.log}/checkpoint").text)
    assert note.signed_by([signer.key]) == [signer.key]
    page = till.browser.open(till.log)
    assert f"收银机 {signer.name[5:13]}已见证" in page.text
    assert "1 个见证方中 1 个已见证" in page.text


def test_a_till_that_cosigns_writes_no_line_of_the_audit_log_each_time(till: Till) -> None:
    signer = till.watch()
    till.cosign(signer)
    acts = [line.act for line in audit.records(till.desk.session, till.desk.book.id, audit.Wanted())]
    till.desk.session.rollback()
    assert "POST witness.key" in acts
    assert "POST witness.cosignature" not in acts


def test_a_till_has_one_key_and_a_new_one_ends_the_old(till: Till) -> None:
    old = till.watch(1)
    assert till.watching() == [str(old.key)]
    till.watch(1)
    assert till.watching() == [str(old.key)]
    new = till.watch(2)
    assert till.watching() == [str(new.key)]
    assert till.cosign(old).status_code == 422
    assert till.cosign(new).status_code == 204
    # What has ended does not begin again.
    assert till.post("/till/log/key", key=str(old.key)).status_code == 422
    assert till.watching() == [str(new.key)]


def test_a_key_is_called_as_the_till_of_this_log_that_has_it(till: Till) -> None:
    private = till.signer().private
    wrong = (
        till.signer(kind=ED25519).key,
        Signer("till-00000000." + till.sealed.head.origin, seal.COSIGNATURE, private).key,
        Signer(till.signer().name.replace("/log/", "/log/9"), seal.COSIGNATURE, private).key,
    )
    for told in (*map(str, wrong), "x", "a+b+c", "till+00000000+AAAA", ""):
        assert till.post("/till/log/key", key=told).status_code == 422, told
    assert till.watching() == []


def test_only_a_shops_device_in_a_shift_watches(till: Till, desk: Desk) -> None:
    other = Till(desk, desk.cashier, till.sealed)
    signer = other.signer(3)
    for path, fields in (
        ("key", {"key": str(signer.key)}),
        ("cosignature", {"size": 1, "line": "x"}),
        ("refusal", {"seen": str(rewritten(till)), "note": str(till.sealed.note)}),
    ):
        assert other.post(f"/till/log/{path}", **fields).status_code == 403
        assert desk.volunteer.client.post(f"/till/log/{path}", data=fields).status_code == 403
    assert other.watching() == []
    assert other.alarms() == []


def test_without_the_secret_of_the_session_nothing_is_said(till: Till) -> None:
    signer = till.watch()
    line = str(signer.sign(till.sealed.note.body, 1))
    for path, fields in (
        ("key", {"key": str(till.signer(2).key)}),
        ("cosignature", {"size": till.sealed.head.size, "line": line}),
        ("refusal", {"seen": str(rewritten(till)), "note": str(till.sealed.note)}),
    ):
        answer = till.browser.client.post(f"/till/log/{path}", data={**fields, "_key": new_id().hex})
        assert answer.status_code == 403
    assert (till.watching(), till.cosigned(), till.alarms()) == ([str(signer.key)], (), [])


def test_what_is_no_cosignature_of_a_head_is_not_kept(till: Till) -> None:
    signer, size = till.watch(), till.sealed.head.size
    good = str(signer.sign(till.sealed.note.body, 1))
    other = str(signer.sign(till.sealed.note.body.replace(f"\n{size}\n", f"\n{size + 1}\n"), 1))
    stranger = str(till.signer(9).sign(till.sealed.note.body, 1))
    for at, line in (
        (size, other),
        (size, stranger),
        (size + 1, good),
        (size, "x"),
        (size, good[:-4]),
        (size, good[2:]),
        ("x", good),
        (size, ""),
    ):
        assert till.post("/till/log/cosignature", size=at, line=line).status_code == 422, line
    assert till.cosigned() == ()


def rewritten(till: Till, root: bytes = bytes(32), size: int | None = None) -> Note:
    """Another history under the same name, signed by the log's own key."""
    head = seal.Head(till.sealed.head.origin, size or till.sealed.head.size, root)
    key = Ed25519PrivateKey.from_private_bytes(LOG_KEY)
    return Note(str(head), (Signer(head.origin, ED25519, key).sign(str(head)),))


def refused(till: Till, seen: object, shown: object) -> int:
    """What is answered to a till that had seen one head and refuses the other."""
    return till.post("/till/log/refusal", seen=str(seen), note=str(shown)).status_code


def test_a_refusal_is_an_alarm_once_for_each_head_that_the_till_had_seen_and_keeps_both(till: Till) -> None:
    signer, size = till.watch(), till.sealed.head.size
    seen, longer = rewritten(till), rewritten(till, size=size + 1)
    for told in (seen, seen, longer, longer):
        assert refused(till, told, till.sealed.note) == 303
    kept = ("till-refused", signer.name)
    assert sorted(till.alarms()) == [(*kept, size, size), (*kept, size + 1, size)]
    page = till.browser.open(till.log)
    for note in (seen, longer, till.sealed.note):
        assert " ".join(str(note).split()) in page.text


def test_two_heads_of_the_log_as_it_is_written_are_no_alarm_in_whichever_order(till: Till, desk: Desk, tmp_path: Path) -> None:
    till.watch()
    earlier = till.sealed.note
    desk.clock.advance(minutes=1)
    give_points(desk.session, desk.book, desk.person, 5)
    later = carry_on(desk.session, desk.book, desk.clock, tmp_path).note
    for seen, shown in ((earlier, later), (later, earlier), (later, later), (rewritten(till), rewritten(till))):
        assert refused(till, seen, shown) == 422
    assert till.alarms() == []


def test_a_head_that_is_smaller_than_one_that_was_signed_is_an_alarm(till: Till) -> None:
    # The log was turned back: of the larger head that was signed it knows nothing.
    till.watch()
    assert refused(till, rewritten(till, size=till.sealed.head.size + 9), till.sealed.note) == 303
    assert len(till.alarms()) == 1


def test_nobody_can_fill_the_log_with_alarms(till: Till) -> None:
    till.watch()
    for more in range(1, ALARMS_MAX + 4):
        assert refused(till, rewritten(till, size=till.sealed.head.size + more), till.sealed.note) == 303
    assert len(till.alarms()) == ALARMS_MAX


def test_whoever_looks_over_the_book_is_told_which_till_it_is_and_what_to_do(till: Till, desk: Desk) -> None:
    signer, session = till.watch(), desk.session
    seal.alarm(session, desk.book.id, "till-refused", signer.name, till.sealed.head, 9, desk.clock.now())
    supervisor = desk.enter(a_person(session, desk.book, "resident_supervisor", area_code=COUNTY))
    text = supervisor.open(till.log).text
    assert re.search(r"收银机 \S+ · 柜台平板 没有见证：它见过 9 条", text)
    assert "请停止发放和兑换，保留现状" in text
    text = desk.volunteer.open(till.log).text
    assert f"收银机 {signer.name[5:13]} 没有见证：它见过 9 条" in text
    assert "请停止发放和兑换" not in text


def test_what_the_log_did_not_sign_is_no_alarm(till: Till) -> None:
    till.watch()
    head, good = str(till.sealed.head), rewritten(till)
    stranger = Signer(till.sealed.head.origin, ED25519, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    forged = str(good).replace("— ", "— x", 1)
    elsewhere = str(seal.Head("elsewhere.example.org/log/1", 3, bytes(32)))
    for note in (Note(head, (stranger.sign(head),)), Note(elsewhere, (stranger.sign(elsewhere),)), forged, "x", "", head, 9):
        assert refused(till, good, note) == 422, note
        assert refused(till, note, good) == 422, note
    assert till.alarms() == []


def test_a_till_that_does_not_watch_has_nothing_to_refuse(till: Till) -> None:
    assert refused(till, rewritten(till), till.sealed.note) == 422
    assert till.alarms() == []


def test_a_device_that_is_ended_watches_no_longer(till: Till, desk: Desk) -> None:
    till.watch()
    desk.owner.open(f"/shop/{desk.shop.id}/devices")
    (form,) = [form for form in desk.owner.page.forms if form.action.endswith("/end")]
    assert desk.owner.client.post(form.action, data=form.fields).status_code == 303
    assert till.watching() == []


def test_whoever_signs_out_at_a_till_does_not_make_it_forget_what_it_saw(till: Till) -> None:
    form = next(one for one in till.browser.open("/till").forms if one.action.endswith("/sign-out"))
    answer = till.browser.client.post(form.action, data=form.fields)
    assert answer.headers["Clear-Site-Data"] == '"cache"'
