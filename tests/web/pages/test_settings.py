from __future__ import annotations

import json
import re
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from ledger.store import Base
from tests.builders import a_mandate
from tests.journeys.browser import Browser
from tests.web.pages.desk import Desk
from tests.web.pages.desk import a_desk
from tests.web.pages.hall import Hall
from tests.web.pages.paired import PIN
from tests.web.pages.paired import a_card
from tests.web.pages.paired import on_device

#: Where answers and acts are kept.
KEPT = [(Base.metadata.tables["answer"], "body"), (Base.metadata.tables["audit_record"], "details")]
CHOSEN = {"version": "whole", "size": "text-18", "colours": "auto", "aloud": "no", "language": "zh_Hans_CN"}


@pytest.fixture
def desk(hall: Hall) -> Desk:
    return a_desk(hall.app, hall.session, hall.clock)


def root(browser: Browser, address: str = "/") -> str:
    """The first tag of a page, which says how it is to look."""
    (found,) = re.findall(r"<html[^>]*>", browser.open(address).html)
    return str(found)


def save(browser: Browser, **chosen: str) -> None:
    browser.open("/settings")
    assert 'class="done"' in browser.send("保存", **CHOSEN | chosen).html


def test_what_is_chosen_holds_on_every_page_of_this_device_without_signing_in(client: FlaskClient) -> None:
    browser = Browser(client.application)
    assert 'class="text-18 auto"' in root(browser)
    save(browser, size="text-30", colours="dark", aloud="yes", language="en")
    for address in ("/", "/sign-in", "/settings"):
        said = root(browser, address)
        assert 'class="text-30 dark"' in said
        assert 'lang="en"' in said
        assert said.endswith(" data-aloud>")
    assert 'class="text-18 auto"' in root(Browser(client.application)), "another device is none of it"
    kept = browser.open("/settings").forms[0].fields
    assert (kept["size"], kept["colours"], kept["aloud"], kept["language"]) == (["text-30"], ["dark"], ["yes"], ["en"])


@pytest.mark.parametrize("wrong", [{"size": "text-99"}, {"colours": "pink"}, {"version": ""}, {"aloud": "maybe"}, {"language": "tlh"}])
def test_what_nobody_offered_is_not_taken(client: FlaskClient, wrong: dict[str, str]) -> None:
    browser = Browser(client.application)
    secret = browser.open("/settings").forms[0].fields["_csrf"]
    answer = browser.client.post("/settings", data=CHOSEN | wrong | {"_csrf": secret})
    assert answer.status_code == 422
    assert not answer.headers.getlist("Set-Cookie")


def test_nothing_is_set_by_a_form_that_is_not_ones_own(client: FlaskClient) -> None:
    answer = client.post("/settings", data=CHOSEN)
    assert answer.status_code == 403
    assert not answer.headers.getlist("Set-Cookie")


@pytest.mark.parametrize("cookie", ["text-30 onload=alert(1)", '"><script>', "text-99.pink", "." * 4000])
def test_what_is_in_the_cookie_and_is_no_choice_counts_for_nothing(client: FlaskClient, cookie: str) -> None:
    client.set_cookie("look", cookie)
    assert 'class="text-18 auto"' in client.get("/").text


def test_the_plain_version_is_one_tap_away_and_leads_back(client: FlaskClient) -> None:
    went = client.get("/settings/version/elder", headers={"Referer": "http://localhost:8000/sign-in?next=/me"})
    assert went.headers["Location"] == "/sign-in"
    page = client.get("/sign-in").text
    assert 'class="text-24 auto elder"' in page
    assert "普通版" in page
    assert client.get("/settings/version/whole", headers={"Referer": "https://elsewhere.example//evil"}).headers["Location"] == "/"
    assert "elder" not in client.get("/").text.split(">", 2)[1]
    assert client.get("/settings/version/loud").status_code == 404


def test_the_plain_version_keeps_a_larger_size(client: FlaskClient) -> None:
    browser = Browser(client.application)
    save(browser, version="elder", size="text-30")
    assert 'class="text-30 auto elder"' in root(browser)


def test_the_plain_home_has_what_one_comes_for_and_little_else(desk: Desk) -> None:
    whole = desk.volunteer.open("/me")
    desk.volunteer.open("/settings/version/elder")
    plain = desk.volunteer.open("/me")
    words = [said for said, _ in plain.links]
    for needed in ("出示兑换码", "我做了好事", "普通版"):
        assert any(needed in said for said in words)
    assert "500" in plain.text
    assert len(plain.links) < len(whole.links)


@pytest.mark.parametrize(("language", "name"), [("zh_Hans_CN", "善行存折"), ("en", "Good-Deed Passbook")])
def test_phones_are_told_how_to_keep_it_as_an_app(client: FlaskClient, language: str, name: str) -> None:
    client.set_cookie("language", language)
    (address,) = re.findall(r'<link rel="manifest" href="([^"]+)">', client.get("/").text)
    answer = client.get(address)
    assert answer.mimetype == "application/manifest+json"
    said = json.loads(answer.text)
    assert (said["name"], said["display"], said["start_url"]) == (name, "standalone", "/home")
    for icon in said["icons"]:
        with client.get(icon["src"]) as picture:
            assert (picture.status_code, picture.mimetype) == (200, "image/png")
    assert {icon["purpose"] for icon in said["icons"]} == {"any", "maskable"}
    assert client.get("/manifest/xx.webmanifest").status_code == 404


def test_the_worker_is_served_from_the_root_and_asked_for_every_time(client: FlaskClient) -> None:
    answer = client.get("/sw.js")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/javascript", "no-cache")
    (files,) = re.findall(r"const FILES = (\[.*\]);", answer.text)
    for address in json.loads(files):
        with client.get(address) as kept:
            assert kept.status_code == 200, address
    (version,) = re.findall(r'const VERSION = "([0-9a-f]{16})";', answer.text)
    assert re.findall(r'const VERSION = "([0-9a-f]{16})";', client.get("/sw.js").text) == [version]


def test_what_the_worker_keeps_imports_nothing_that_it_does_not_keep(client: FlaskClient) -> None:
    (told,) = re.findall(r"const FILES = (\[.*\]);", client.get("/sw.js").text)
    files = json.loads(told)
    imported = set()
    for address in files:
        with client.get(address) as kept:
            if kept.mimetype == "text/javascript":
                imported |= {urljoin(address, name) for name in re.findall(r'^import .*"(.+)";$', kept.text, re.MULTILINE)}
    assert imported
    assert imported <= set(files)


def test_what_the_worker_keeps_is_the_same_whoever_asks(desk: Desk) -> None:
    for address in ("/code/offline", "/offline"):
        strangers = Browser(desk.app).open(address).html
        assert desk.volunteer.open(address).html == strangers
        assert desk.person.handle not in strangers
        assert "_csrf" not in strangers


# --- The key of a phone, as it is given


def given(browser: Browser) -> dict[str, str]:
    """What the page's script asks for the first time."""
    browser.open("/code")
    form = browser.page.form("让这部手机没有网络也能出码")
    answer = browser.client.post(form.action, data=form.fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(json.loads(answer.text))


def test_a_key_is_told_once_and_kept_in_no_answer(desk: Desk) -> None:
    desk.volunteer.open("/code")
    form = desk.volunteer.page.form("让这部手机没有网络也能出码")
    first, again = (desk.volunteer.client.post(form.action, data=form.fields) for _ in range(2))
    told = json.loads(first.text)
    assert (told["handle"], told["book"], told["address"]) == (desk.person.handle, desk.book.number, "HTTP://LOCALHOST:8000/P/")
    assert (again.status_code, again.headers["Location"]) == (303, "/code/phones")
    assert told["key"] not in again.text
    kept = [list(desk.session.execute(select(table.c[column]).where(table.c.book_id == desk.book.id)).scalars()) for table, column in KEPT]
    assert all(kept)
    assert told["key"] not in str(kept)
    desk.session.rollback()


def test_a_phone_is_told_whether_it_draws_codes_and_whether_this_one_was_used(desk: Desk) -> None:
    phone = given(desk.volunteer)

    def told() -> dict[str, object]:
        return dict(json.loads(desk.volunteer.client.get(f"/code/now?phone={phone['id']}").text))

    assert (told()["is_good"], told()["used"]) == (True, 0)
    assert told()["now"] == int(desk.clock.now().timestamp() * 1000)
    desk.take(30)
    assert "付了 30 分" in str(told()["lately"])
    desk.volunteer.open("/code/phones")
    assert "已停用" in desk.volunteer.send("停用").text
    assert told()["is_good"] is False
    assert desk.volunteer.client.get("/code/now?phone=x").status_code == 422


def test_a_phone_that_is_lost_is_ended_and_signed_out_from_another(desk: Desk) -> None:
    lost, here = desk.volunteer, desk.enter(desk.person)
    given(lost)
    page = here.open("/code/phones")
    assert "就是这部" not in page.text
    here.send("停用")
    assert lost.open("/me").headings == ["登录"]
    assert "还没有" in here.open("/code/phones").text


def test_nobody_ends_anothers_phone(desk: Desk) -> None:
    phone = given(desk.volunteer)
    other = desk.another("volunteer")
    other.open("/code")
    form = other.page.form("让这部手机没有网络也能出码")
    assert other.client.post(f"/code/phones/{phone['id']}/end", data=form.fields).status_code == 404
    assert json.loads(other.client.get(f"/code/now?phone={phone['id']}").text)["is_good"] is False
    assert "就是这部" in desk.volunteer.open("/code/phones").text


def test_a_device_that_others_use_too_is_given_no_key(hall: Hall) -> None:
    person = hall.community.person("volunteer")
    number = a_card(hall.session, hall.community.book, person.id)
    browser = on_device(hall.app, hall.session, hall.community.book, area_code=person.area_code)
    browser.open("/counter")
    browser.send("登录", card=number, _pin=PIN)
    page = browser.open("/code")
    assert "没有网络也能出码" not in page.text
    form = next(form for form in page.forms if "_csrf" in form.fields)
    refused = browser.client.post("/code/phone", data=form.fields | {"_key": "e" * 32})
    assert (refused.status_code, "公用设备" in refused.text) == (403, True)


def test_nobody_is_given_a_key_for_somebody_else(hall: Hall) -> None:
    (elder, _), (helper, browser) = hall.enter(name="陈桂芳"), hall.enter(name="李桂荣")
    a_mandate(hall.session, hall.community.book, elder, helper)
    hall.session.commit()
    browser.open("/helping")
    home = browser.send("替 TA 办理")
    form = next(form for form in home.forms if "_csrf" in form.fields)
    assert browser.client.post("/code/phone", data=form.fields | {"_key": "e" * 32}).status_code == 403
    assert browser.client.get("/code/phones").status_code == 403
    assert browser.client.get("/code/now?phone=x").status_code == 403
