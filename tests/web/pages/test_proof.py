from __future__ import annotations

import io

import pyotp
import pytest

from tests.authenticator import Authenticator
from tests.builders import COUNTY
from tests.builders import VILLAGE
from tests.journeys.browser import Browser
from tests.journeys.browser import Form
from tests.journeys.browser import Page
from tests.web.pages.hall import Hall
from tests.web.pages.ways_in import PASSWORD
from tests.web.pages.ways_in import answer
from tests.web.pages.ways_in import by_link
from tests.web.pages.ways_in import by_passkey
from tests.web.pages.ways_in import by_password
from tests.web.pages.ways_in import code_now
from tests.web.pages.ways_in import copy_of
from tests.web.pages.ways_in import give_passkey
from tests.web.pages.ways_in import give_password
from tests.web.pages.ways_in import is_in
from tests.web.pages.ways_in import pin_of


class Office:
    """An administrator who signed in a while ago, and somebody whose sign-in they are to see to: a form that wants a fresh proof."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.person = hall.community.person("volunteer")
        self.administrator = hall.community.person("administrator", area_code=COUNTY)
        self.app: pyotp.TOTP = give_password(hall, self.administrator)
        self.browser = self.sign_in()

    def sign_in(self) -> Browser:
        browser = by_password(self.hall, self.administrator.handle, PASSWORD, code_now(self.hall, self.app))
        self.hall.clock.advance(minutes=6)
        browser.open(f"/staff/sign-ins/{self.person.id}")
        return browser

    @property
    def form(self) -> Form:
        return self.browser.page.form("办一个登录链接")

    def ask(self) -> Page:
        return self.browser.send("办一个登录链接")

    def prove(self, password: str = PASSWORD, code: str | None = None) -> Page:
        return self.browser.send("验证并继续", _proof_password=password, _proof_code=code or code_now(self.hall, self.app))


@pytest.fixture
def office(hall: Hall) -> Office:
    return Office(hall)


def test_a_form_that_wants_a_proof_is_carried_along_and_nothing_is_typed_twice(office: Office) -> None:
    asked = office.ask()
    assert (asked.status, asked.headings) == (403, ["再验证一次"])
    assert asked.form("验证并继续").action == f"/staff/sign-ins/{office.person.id}/link"
    assert asked.form("验证并继续").fields["way"] == ["link"]
    done = office.prove()
    assert (done.status, done.headings) == (200, ["登录链接"])
    office.browser.open(f"/staff/sign-ins/{office.person.id}")
    assert office.ask().headings == ["登录链接"]


def test_a_proof_lasts_five_minutes(office: Office) -> None:
    office.ask()
    office.prove()
    office.hall.clock.advance(minutes=5)
    office.browser.open(f"/staff/sign-ins/{office.person.id}")
    assert office.ask().headings == ["登录链接"]
    office.hall.clock.advance(seconds=1)
    office.browser.open(f"/staff/sign-ins/{office.person.id}")
    assert office.ask().headings == ["再验证一次"]


def test_a_wrong_proof_does_nothing_and_carries_the_form_on(office: Office) -> None:
    office.ask()
    for password, code in ((PASSWORD + "!", None), (PASSWORD, "000000"), ("", "1")):
        again = office.prove(password, code)
        assert (again.status, "没有验证成功" in again.text) == (403, True)
        assert again.form("验证并继续").fields["way"] == ["link"]
        assert PASSWORD not in again.html
    assert office.prove().headings == ["登录链接"]


def test_of_wrong_proofs_five_are_served_and_signing_in_has_tries_of_its_own(office: Office) -> None:
    office.ask()
    statuses = [office.prove("wrong", "0").status for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    refused = office.prove()
    assert refused.status == 429
    assert "秒后再试" in refused.text
    copied = copy_of(office.browser)
    marked = office.browser.client.get_cookie("device")
    assert marked is not None
    copied.client.set_cookie("device", marked.value)
    assert is_in(by_password(office.hall, office.administrator.handle, PASSWORD, code_now(office.hall, office.app)))


def test_a_proof_gives_the_session_another_token_and_voids_the_forms_before(office: Office) -> None:
    before, form = copy_of(office.browser), office.form
    assert is_in(before)
    office.ask()
    office.prove()
    assert is_in(office.browser)
    assert not is_in(before)
    old = office.browser.client.post(form.action, data=form.fields | {"_key": "c" * 32, "way": "link"})
    assert (old.status_code, "过期" in old.text) == (403, True)


def test_a_code_proves_once(office: Office) -> None:
    code = code_now(office.hall, office.app)
    office.ask()
    office.prove(PASSWORD, code)
    office.browser.client.delete_cookie("passbook")
    office.browser = office.sign_in()
    office.ask()
    assert office.prove(PASSWORD, code).status == 403


def test_a_proof_from_another_page_or_session_is_not_taken(office: Office) -> None:
    form = office.ask().form("验证并继续")
    sent = form.fields | {"_proof_password": PASSWORD, "_proof_code": code_now(office.hall, office.app)}
    for wrong in ({"_csrf": "0" * 64}, {"_csrf": ""}):
        assert office.browser.client.post(form.action, data=sent | wrong).status_code == 403
    assert office.browser.client.post(form.action, data=sent, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert office.browser.client.post(form.action, data=sent).status_code == 200


def test_a_page_that_wants_a_proof_is_opened_after_it(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    hall.clock.advance(minutes=6)
    assert browser.open("/account/password").headings == ["再验证一次"]
    assert browser.send("验证并继续", _proof_password="wrong", _proof_code="0").status == 403
    page = browser.send("验证并继续", _proof_password=PASSWORD, _proof_code=code_now(hall, app))
    assert (page.address, page.headings) == ("/account/password", ["设置密码"])


def test_a_proof_leads_nowhere_else(office: Office) -> None:
    for elsewhere in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        office.browser.open(f"/proof?next={elsewhere}")
        form = office.browser.page.form("验证并继续")
        sent = form.fields | {"_proof_password": PASSWORD, "_proof_code": code_now(office.hall, office.app)}
        assert office.browser.client.post(form.action, data=sent).headers["Location"] == "/home"


def test_a_passkey_proves_and_only_ones_own(hall: Hall) -> None:
    phone, other = Authenticator(), Authenticator()
    people_and_phones = [(hall.community.person("administrator", area_code=COUNTY), one) for one in (phone, other)]
    for person, one in people_and_phones:
        give_passkey(by_link(hall, person), one)
    volunteer = hall.community.person("volunteer")
    hall.session.commit()
    browser = by_passkey(hall, phone)
    hall.clock.advance(minutes=6)
    browser.open(f"/staff/sign-ins/{volunteer.id}")
    assert browser.send("办一个登录链接").headings == ["再验证一次"]
    theirs = other.answer(browser.client.get("/proof/options").text)
    assert browser.send("用通行密钥验证", _proof_passkey=theirs).status == 403
    for_signing_in = answer(browser, phone)
    assert browser.send("用通行密钥验证", _proof_passkey=for_signing_in).status == 403
    mine = answer(browser, phone, "/proof/options")
    assert browser.send("用通行密钥验证", _proof_passkey=mine).headings == ["登录链接"]
    hall.clock.advance(minutes=6)
    browser.open(f"/staff/sign-ins/{volunteer.id}")
    browser.send("办一个登录链接")
    assert browser.send("用通行密钥验证", _proof_passkey=mine).status == 403


def test_a_pin_proves_where_there_is_nothing_stronger(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    pin_of(hall, person)
    browser = by_link(hall, person)
    assert browser.open("/account/passkeys/new").headings == ["再验证一次"]
    assert browser.send("验证并继续", _proof_pin="739153").status == 403
    assert browser.send("验证并继续", _proof_pin="739152").headings == ["设置通行密钥"]
    phone = Authenticator()
    give_passkey(browser, phone)
    hall.clock.advance(minutes=6)
    page = browser.open("/account/password")
    assert "卡的 6 位密码" not in page.text
    form = page.form("用通行密钥验证")
    sent = {"_csrf": form.fields["_csrf"], "_proof_pin": "739152"}
    assert browser.client.post(form.action, data=sent).status_code == 403


def test_a_pin_is_not_guessed_by_proofs(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    pin_of(hall, person)
    browser = by_link(hall, person)
    browser.open("/account/passkeys/new")
    assert [browser.send("验证并继续", _proof_pin=f"73910{number}").status for number in range(6)] == [403] * 5 + [429]


def test_a_file_is_asked_for_again(office: Office) -> None:
    form = office.form
    sent = {**form.fields, "way": "link", "sheet": (io.BytesIO(b"x"), "sheet.xlsx")}
    page = office.browser.client.post(form.action, data=sent, content_type="multipart/form-data")
    assert page.status_code == 403
    assert "请再选一次文件" in page.text
    assert 'enctype="multipart/form-data"' in page.text


def attested(hall: Hall, deed: str) -> str:
    """Let somebody tell a deed, and somebody else bear witness to it."""
    volunteer, witness = hall.community.person("volunteer"), hall.community.person("grid_worker")
    claim_id = hall.community.report(volunteer, deed)
    hall.community.attest(witness, claim_id)
    hall.session.commit()
    return str(claim_id)


def test_a_large_approval_wants_a_fresh_proof_and_a_small_one_none(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    small, large = attested(hall, "patrol"), attested(hall, "rescue")
    hall.clock.advance(minutes=6)
    browser.open("/staff/queue")
    assert "办成 1 条" in browser.send("通过所选", id=[small]).text
    browser.open("/staff/queue")
    asked = browser.send("通过所选", id=[large])
    assert (asked.status, asked.headings) == (403, ["再验证一次"])
    assert "办成 1 条" in browser.send("验证并继续", _proof_password=PASSWORD, _proof_code=code_now(hall, app)).text


def test_many_small_approvals_at_one_stroke_are_a_large_one(hall: Hall) -> None:
    person = hall.community.person("approver", area_code=VILLAGE)
    app = give_password(hall, person)
    browser = by_password(hall, person.handle, PASSWORD, code_now(hall, app))
    ids = [attested(hall, "patrol") for _ in range(5)]
    hall.clock.advance(minutes=6)
    browser.open("/staff/queue")
    assert browser.send("通过所选", id=ids[:4]).headings != ["再验证一次"]
    ids += [attested(hall, "patrol") for _ in range(4)]
    browser.open("/staff/queue")
    assert browser.send("通过所选", id=ids[4:]).headings == ["再验证一次"]
