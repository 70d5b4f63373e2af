"""The lines of security that no other test proves; see lines.py for the whole list."""

from __future__ import annotations

import base64
import hmac
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from argon2 import extract_parameters
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ledger import audit
from ledger import people
from ledger import sign_in
from ledger.clock import local_day
from ledger.ids import new_id
from ledger.people.model import Person
from ledger.settings import Settings
from ledger.sign_in import hashing
from ledger.sign_in.model import Credential
from ledger.sign_in.model import Secret
from ledger.sign_in.rules import WAYS
from ledger.store import Base
from ledger.tokens import new_token
from ledger.web.kit.auth import SESSION_COOKIE
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import rule_of
from ledger.web.kit.extensions import db
from ledger.web.kit.pictures import FORM_BYTES_MAX
from ledger.web.kit.pictures import takes_photos
from ledger.web.kit.problems import PROBLEMS
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import an_act
from tests.conftest import ROOT
from tests.conftest import HandClock
from tests.journeys.browser import Browser
from tests.security.lines import LINES
from tests.web.pages.hall import Hall
from tests.web.pages.ways_in import PASSWORD
from tests.web.pages.ways_in import give_password
from wsgi import create_app

YEAR_S = 31_536_000
#: Texts that would be something else where they were not shown or written as they are.
CANARIES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "{% raw %}",
    "' OR 1=1 --",
    "%0d%0aX-Evil: 1",
    "${7*7}",
    "=1+1",
)


def kinds_of_answers(app: Flask) -> Iterator[tuple[str, TestResponse]]:
    """One answer of each kind: pages, the API, files, and everything that can go wrong."""
    client = app.test_client()
    for method, address in (
        ("GET", "/"),
        ("GET", "/sign-in"),
        ("GET", "/static/css/app.css"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/me"),
        ("POST", "/api/v1/claims"),
        ("GET", "/healthz"),
        ("GET", "/me"),
        ("GET", "/nowhere"),
        ("GET", "/api/v1/nowhere"),
        ("DELETE", "/sign-in"),
        ("POST", "/sign-out"),
        ("GET", "/static/../wsgi.py"),
        ("GET", "/?a=1&a=2"),
    ):
        with client.open(address, method=method) as answer:
            yield f"{method} {address}", answer


@pytest.mark.asvs(1)
def test_every_answer_asks_for_encrypted_connections_from_then_on(app: Flask) -> None:
    for about, answer in kinds_of_answers(app):
        said = answer.headers["Strict-Transport-Security"]
        found = re.fullmatch(r"max-age=(\d+); includeSubDomains", said)
        assert found, about
        assert int(found[1]) >= YEAR_S, about


@pytest.mark.asvs(2)
def test_every_answer_has_a_policy_that_forbids_what_is_not_ours(app: Flask) -> None:
    for about, answer in kinds_of_answers(app):
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'self'", about
        assert (policy["object-src"], policy["base-uri"], policy["frame-ancestors"], policy["form-action"]) == (
            *("'none'",) * 3,
            "'self'",
        ), about
        assert not {"unsafe", "*", "http"} & set(re.findall(r"unsafe|\*|http", answer.headers["Content-Security-Policy"])), about
        assert (policy["report-to"], policy["report-uri"]) == ("csp", "/csp-reports")
        assert answer.headers["Reporting-Endpoints"] == 'csp="/csp-reports"'


@pytest.mark.asvs(3)
def test_every_answer_says_its_type_with_its_characters_and_guards_windows(app: Flask) -> None:
    for about, answer in kinds_of_answers(app):
        assert answer.headers["X-Content-Type-Options"] == "nosniff", about
        assert answer.headers["Referrer-Policy"] == "same-origin", about
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", about
        assert answer.headers["Content-Type"].lower().replace(" ", "").endswith(";charset=utf-8"), (about, answer.headers["Content-Type"])


@pytest.mark.asvs(4)
def test_no_other_site_is_let_in(hall: Hall) -> None:
    person = hall.community.person()
    (token,) = sign_in.issue_bearer(hall.session, an_act(hall.community.book), [person.id], lives=timedelta(days=1))
    hall.session.commit()
    client = hall.app.test_client()
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Authorization": f"Bearer {token}"}
    for method in ("GET", "OPTIONS"):
        for address in ("/", "/api/v1/me", "/api/v1/claims", "/static/css/app.css"):
            with client.open(address, method=method, headers=asking) as answer:
                assert not [name for name in answer.headers.keys() if name.lower().startswith("access-control-")], address  # noqa: SIM118


@pytest.mark.asvs(5)
@pytest.mark.own_app
def test_cookies_that_stand_for_somebody_are_bound_to_this_host(settings: Settings, clock: HandClock, app: Flask, hall: Hall) -> None:
    person = hall.community.person()
    token = sign_in.issue_link(hall.session, an_act(hall.community.book), person.id, lives=timedelta(hours=1))
    hall.session.commit()
    secure = create_app(replace(settings, public_url="https://passbook.example.org"), clock=clock)
    client = secure.test_client()
    answers = [client.get("/sign-in"), client.get("/language/en"), client.post(f"/sign-in/{token}")]
    cookies = [value for answer in answers for name, value in answer.headers if name == "Set-Cookie"]
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"__Host-passbook", "language"}
    for cookie in cookies:
        name, parts = cookie.partition("=")[0], {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path=/"} <= parts, cookie
        assert parts & {"samesite=lax", "samesite=strict"}, cookie
        assert not [part for part in parts if part.startswith("domain=")], cookie
        assert len(cookie) < 4096
        assert name == "language" or name.startswith("__Host-"), cookie
    with secure.app_context():
        db.engine.dispose()


def csrf_of(token: str) -> str:
    return hmac.digest(bytes(range(32)), f"csrf|{token}|".encode(), "sha256").hex()


@pytest.mark.asvs(6)
def test_the_secret_of_one_session_is_none_in_another(hall: Hall) -> None:
    one, other = (hall.community.person() for _ in range(2))
    tokens = [sign_in.open_session(hall.session, hall.community.book, who.id, "passkey", hall.clock.now()) for who in (one, other)]
    hall.session.commit()
    told = {"deed": "patrol", "deed_on": "2026-11-22", "place": "小区", "_key": new_id().hex}
    client = hall.app.test_client()
    client.set_cookie(SESSION_COOKIE, tokens[0])
    refused = client.post("/me/report", data=told | {"_csrf": csrf_of(tokens[1])})
    assert (refused.status_code, PROBLEMS["form-expired"].zh in refused.text) == (403, True)
    assert client.post("/me/report", data=told | {"_csrf": csrf_of(tokens[0])}).status_code == 303


@pytest.mark.asvs(6)
def test_looking_changes_nothing(hall: Hall) -> None:
    _, browser = hall.enter("volunteer", "building_leader", "grid_worker", "approver", "administrator", area_code=VILLAGE)
    before = rows(hall)
    for rule in hall.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()) and not rule.arguments and rule.endpoint != "static":
            browser.client.get(rule.rule)
            browser.client.head(rule.rule)
    assert rows(hall) == before


def rows(hall: Hall) -> dict[str, int]:
    """How many rows there are of what people and points are."""
    kept = set(Base.metadata.tables) - {"audit_record", "credential", "guesses", "pay_device", "alembic_version"}
    found = {}
    for name in sorted(kept):
        table = Base.metadata.tables[name]
        if "book_id" in table.c:
            wanted = select(func.count()).select_from(table).where(table.c.book_id == hall.community.book.id)
            found[name] = hall.session.execute(wanted).scalar_one()
    hall.session.rollback()
    return found


@pytest.mark.asvs(7)
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "PUT", "DELETE", "PATCH", "X"])
def test_methods_that_nobody_declared_are_refused(client: FlaskClient, method: str) -> None:
    for address in ("/", "/sign-in", "/me", "/api/v1/me", "/api/v1/claims", "/healthz", "/static/css/app.css"):
        answer = client.open(address, method=method, headers={"X-HTTP-Method-Override": "GET"})
        assert (answer.status_code, "Allow" in answer.headers) == (405, True), address


FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;host=evil.example",
    "X-Original-URL": "/staff/queue",
    "X-Rewrite-URL": "/staff/queue",
}


@pytest.mark.asvs(8)
def test_who_forwards_and_from_where_is_not_believed(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    volunteer, browser = hall.enter("volunteer")
    plain, forged = browser.client.get("/me"), browser.client.get("/me", headers=FORGED)
    hidden = re.compile(r'name="_(key|csrf)" value="[^"]*"')
    assert hidden.sub("", plain.text) == hidden.sub("", forged.text)
    assert browser.client.get("/staff/queue", headers=FORGED).status_code == 403
    assert "evil.example" not in browser.client.get("/home", headers=FORGED).headers["Location"]
    assert "203.0.113" not in capsys.readouterr().err
    (line,) = audit.records(hall.session, hall.community.book.id, audit.Wanted(actor=volunteer.id))
    assert line.network == "127.0.0.0/24"
    hall.session.rollback()


@pytest.mark.asvs(8)
def test_another_address_in_a_header_gives_no_more_guesses(hall: Hall) -> None:
    person = hall.community.person("grid_worker")
    hall.session.commit()
    answers = []
    for number in range(8):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        told = {"number": person.handle, "password": "wrong", "code": "000000"}
        answers.append(hall.app.test_client().post("/sign-in", data=told, headers=headers).status_code)
    assert answers.count(429) == 3


@pytest.mark.asvs(11)
def test_a_token_has_128_random_bits() -> None:
    made = {new_token(1).partition("-")[2] for _ in range(2000)}
    assert (len(made), {len(token) for token in made}) == (2000, {26})
    for place in range(25):
        assert len({token[place] for token in made}) == 32


#: Money, roles, exports, and ways in: whatever of the pages and the API does one of these.
_FRESH = re.compile(
    r"(api_people\.(grant_role|end_grant)|api_funds\.(open_fund|add_budget)|api_tariff\.(set_rate|set_cap)"
    r"|api_tokens\.(issue|rotate)|register\.(grant_role|end_grant)|api_merchants\.(hire|dismiss)|shop\.(hire|dismiss)"
    r"|api_merges\.\w+|api_mandates\.give|account\.issue_link|(api_)?my_data\.\w*(export|download|erase)\w*|counter\.(issue|replace|renumber))"
)


@pytest.mark.asvs(14)
def test_money_roles_exports_and_ways_in_want_a_fresh_proof(app: Flask) -> None:
    found = [
        rule.endpoint for rule in app.url_map.iter_rules() if _FRESH.fullmatch(rule.endpoint) and "POST" in (rule.methods or set())
    ]  # fmt: skip
    stale = [endpoint for endpoint in found if not rule_of(endpoint, app).fresh]  # type: ignore[union-attr]
    assert stale == []
    assert len(found) > 15


@pytest.mark.asvs(14)
def test_a_proof_of_more_than_five_minutes_ago_gives_no_role(hall: Hall) -> None:
    admin = hall.community.person("administrator", area_code=VILLAGE)
    token = sign_in.open_session(hall.session, hall.community.book, admin.id, "passkey", hall.clock.now())
    hall.session.commit()
    hall.clock.advance(minutes=5, seconds=1)
    client = hall.app.test_client()
    client.set_cookie(SESSION_COOKIE, token)
    answer = client.post(
        f"/staff/people/{admin.id}/roles", data={"_csrf": csrf_of(token), "_key": new_id().hex, "role": "approver", "area_code": GRID}
    )
    assert answer.status_code == PROBLEMS["proof-needed"].status
    assert "approver" not in [grant.role for grant in people.grants_of(hall.session, hall.community.book.id, admin.id)]
    hall.session.rollback()


@pytest.mark.asvs(15)
@pytest.mark.usefixtures("real_hashing")
@pytest.mark.parametrize("kind", ["password", "pin"])
def test_what_is_kept_of_a_secret_says_that_it_is_argon2id_and_how_strong(hall: Hall, kind: str) -> None:
    person = hall.community.person()
    book_id = hall.community.book.id
    sealed = hashing.hashed(VAULT, book_id, person.id, kind, "258369 and more of it")
    kept = VAULT.open(f"{book_id}|{person.id}|secret|{kind}", sealed).decode()
    found = extract_parameters(kept)
    assert kept.startswith("$argon2id$")
    assert (found.memory_cost >= 19 * 1024, found.time_cost >= 2, found.parallelism, found.hash_len) == (True, True, 1, 32)


@pytest.mark.asvs(16)
def test_a_password_may_be_pasted_and_kept_by_a_manager(hall: Hall) -> None:
    assert "onpaste" not in Browser(hall.app).open("/sign-in").html
    html = Browser(hall.app).open("/sign-in").html
    (field,) = re.findall(r'<input[^>]*name="password"[^>]*>', html)
    assert 'autocomplete="current-password"' in field
    assert "maxlength" not in field


def both_held() -> Any:
    """Hold both places in which something may be hashed at a time."""
    gate = hashing._TWO_AT_A_TIME
    gate.acquire()
    gate.acquire()
    return gate


def guessing(hall: Hall, number: str) -> Callable[[], TestResponse]:
    client = hall.app.test_client()
    return lambda: client.post("/sign-in", data={"number": number, "password": "wrong", "code": "000000"})


@pytest.mark.asvs(18)
def test_the_sixth_guess_is_refused_before_anything_is_hashed(hall: Hall) -> None:
    person = hall.community.person("grid_worker")
    give_password(hall, person)
    guess = guessing(hall, person.handle)
    assert 429 not in [guess().status_code for _ in range(5)]
    gate = both_held()
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(guess).result(timeout=20)
    finally:
        gate.release()
        gate.release()
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 15 * 60


@pytest.mark.asvs(19)
def test_somebody_and_nobody_cost_the_same_hash_and_get_the_same_answer(hall: Hall) -> None:
    known, without = hall.community.person("grid_worker"), hall.community.person("grid_worker")
    give_password(hall, known)
    hall.session.commit()
    guesses = [guessing(hall, number) for number in (known.handle, without.handle, "99999999")]
    gate = both_held()
    with ThreadPoolExecutor(3) as pool:
        try:
            waiting = [pool.submit(guess) for guess in guesses]
            done, _ = wait(waiting, timeout=1)
        finally:
            gate.release()
            gate.release()
        answers = [one.result(timeout=30) for one in waiting]
    # None of them came back while nothing could be hashed: each hashes, whoever it is at.
    assert len(done) == 0
    # What was typed stands in the form again, and each form has a key of its own.
    hidden = re.compile(r'value="[^"]*"')
    assert len({(answer.status_code, hidden.sub("", answer.text)) for answer in answers}) == 1


@pytest.mark.asvs(20)
def test_an_empty_service_has_no_accounts(session: Session) -> None:
    for model in (Person, Credential, Secret):
        found = session.execute(select(func.count()).select_from(model).where(model.book_id.is_not(None), model.book_id == new_id()))
        assert found.scalar_one() == 0
    assert session.connection().exec_driver_sql("SELECT count(*) FROM book").scalar_one() == 0


@pytest.mark.asvs(22)
def test_nobody_types_the_password_of_somebody_else(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").get_json()
    names = set(re.findall(r'"(\w*(?:password|pin|secret)\w*)": \{"', json.dumps(document["components"]["schemas"])))
    assert {name for name in names if "password" in name} == set()
    posts = [rule.rule for rule in app.url_map.iter_rules() if "password" in rule.rule]
    assert posts
    assert all("<" not in rule for rule in posts)


@pytest.mark.asvs(23)
def test_no_way_in_hangs_on_a_telephone_number(app: Flask) -> None:
    assert set(WAYS) == {"link", "card", "shift", "passkey", "password"}
    # /code/phones are those that draw pay codes, and open nothing.
    ways = [rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/code/phone")]
    assert not [rule for rule in ways if re.search(r"sms|phone|text-message", rule)]


@pytest.mark.asvs(26)
def test_more_fields_in_a_form_give_no_more(hall: Hall) -> None:
    volunteer, browser = hall.enter("volunteer")
    other = hall.community.person()
    hall.session.commit()
    browser.open("/me/report?deed=patrol")
    more = {"points": "9999", "state": "credited", "person_id": str(other.id), "role": "approver", "balance": "9", "approved_by": "x"}
    form = browser.page.form("提交")
    own = {name: values[0] for name, values in form.fields.items() if name.startswith("_")}
    told = {"deed": "patrol", "deed_on": "2026-11-22", "place": "小区"}
    assert browser.client.post("/me/report", data=own | told | more).status_code == 303
    kept = Base.metadata.tables["claim"]
    (claim,) = hall.session.execute(select(kept).where(kept.c.book_id == hall.community.book.id))
    assert (claim.person_id, claim.state, claim.points) == (volunteer.id, "reported", 50)
    assert hall.balance(other) == hall.balance(volunteer) == 0


@pytest.mark.asvs(27)
def test_a_role_that_ends_while_somebody_is_signed_in_is_gone_at_once(hall: Hall) -> None:
    worker, browser = hall.enter("grid_worker", area_code=VILLAGE)
    book = hall.community.book
    hall.clock.advance(days=1)
    hall.session.commit()
    browser = hall.browser(worker)
    assert browser.open("/staff/propose").status == 200
    (grant,) = [grant for grant in people.grants_of(hall.session, book.id, worker.id) if grant.role == "grid_worker"]
    yesterday = local_day(hall.clock.now(), book.zone) - timedelta(days=1)
    people.end_grant(hall.session, an_act(book, hall.clock.now()), grant.id, yesterday)
    hall.session.commit()
    assert browser.open("/staff/propose").status == 403


@pytest.mark.asvs(32)
@pytest.mark.parametrize(
    "elsewhere",
    ["//x.example", "/\\x.example", "\\\\x.example", "https:x.example", "https://x.example", "/%2f%2fx.example/..//x", "\t//x.example",
     "/\n/x.example", "javascript:alert(1)", "data:text/html,x", "http:\\\\x.example", "/\u2028/x", " //x.example", "///x.example"],
)  # fmt: skip
def test_where_to_go_next_stays_on_this_host(hall: Hall, elsewhere: str) -> None:
    person = hall.community.person()
    token = sign_in.issue_link(hall.session, an_act(hall.community.book), person.id, lives=timedelta(hours=1))
    hall.session.commit()
    leads_to = hall.app.test_client().post(f"/sign-in/{token}", query_string={"next": elsewhere}).headers["Location"]
    assert re.match(r"/(?![/\\])[\x21-\x7e]*$", leads_to), leads_to
    assert "x.example" not in leads_to.partition("?")[0] or leads_to.startswith("/%2f")


@pytest.mark.asvs(33)
def test_a_sheet_that_is_given_out_holds_no_formula(hall: Hall) -> None:
    _, browser = hall.enter("grid_worker", area_code=VILLAGE)
    sheet = browser.client.get(next(rule.rule for rule in hall.app.url_map.iter_rules() if rule.endpoint == "staff.empty_sheet"))
    assert sheet.status_code == 200
    with zipfile.ZipFile(io.BytesIO(sheet.get_data())) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist() if name.endswith(".xml")}
    assert parts
    assert not [name for name, text in parts.items() if re.search(r"<f[ >]|externalLink|<hyperlink", text)]
    cells = re.findall(r"<t[^>]*>([^<]*)</t>", parts.get("xl/sharedStrings.xml", ""))
    assert cells
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r\0"]


@pytest.mark.asvs(34)
def test_nothing_takes_an_address_that_the_service_would_go_to(app: Flask) -> None:
    text = json.dumps(app.test_client().get("/api/v1/openapi.json").get_json())
    names = set(re.findall(r'"(\w*(?:url|uri|webhook|callback|link|host)\w*)": \{', text.partition('"schemas"')[2]))
    assert names <= {"host_id", "link"}
    served = [path for folder in ("ledger", "redeem") for path in (ROOT / folder).rglob("*.py")]
    goes_out = re.compile(
        r"^\s*(?:import|from) (?:urllib\.request|http\.client|requests|httpx|aiohttp|socket|smtplib|ftplib)\b", re.MULTILINE
    )
    # The sealer's own process asks witnesses, whose addresses an operator gave by command: no request leads there.
    asks = ROOT / "ledger" / "seal" / "asking.py"
    assert [path for path in served if goes_out.search(path.read_text())] == [asks]
    told_by = [path.name for path in served if re.search(r"\.ask_at\(", path.read_text())]
    assert told_by == ["seal.py"]


@pytest.mark.asvs(35)
def test_only_sheets_and_pictures_are_uploaded_and_only_forms_for_pictures_are_larger_than_ten_mib(app: Flask) -> None:
    assert app.config["MAX_CONTENT_LENGTH"] <= 10 * 1024 * 1024
    templates = [path for path in (ROOT / "templates").rglob("*.html") if 'type="file"' in path.read_text() or "'file'" in path.read_text()]
    # What the check page reads never leaves the browser: its field has no name.
    nameless = ROOT / "templates" / "ledger" / "proofs" / "check.html"
    assert "<form" in nameless.read_text()
    assert not re.search(r"<(?:input|textarea|select|button)[^>]*\sname=", nameless.read_text())
    templates.remove(nameless)
    accepted = {"".join(one) for path in templates for one in re.findall(r"accept='([^']*)'|accept=\"([^\"]*)\"", path.read_text())}
    assert {".xls" in one or one.startswith("image/") for one in accepted} == {True}
    larger = {name for name, view in app.view_functions.items() if takes_photos(view)}
    assert larger == {"volunteer.report", "volunteer.resubmit", "team.report"}
    assert FORM_BYTES_MAX <= 32 * 1024 * 1024


@pytest.mark.asvs(37)
@pytest.mark.asvs(38)
def test_what_people_write_stays_text_on_every_page(hall: Hall) -> None:
    """Every canary is told as a name, a place and a text, and every page is opened by those who see them."""
    names = [canary for canary in CANARIES if len(canary) <= 50]
    tellers = [hall.community.person(name=name, area_code=GRID) for name in names]
    hall.session.commit()
    for teller, canary in zip(tellers, CANARIES, strict=False):
        browser = hall.browser(teller)
        browser.open("/me/report?deed=patrol")
        browser.send("提交", deed="patrol", deed_on="2026-11-22", place=canary, text=canary)
    _, staff = hall.enter("grid_worker", "building_leader", "approver", "administrator", area_code=VILLAGE, name=CANARIES[0])
    seen = 0
    for rule in hall.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()) and not rule.arguments and rule.endpoint != "static":
            for browser in (staff, hall.browser(tellers[0])):
                answer = browser.client.get(rule.rule)
                if answer.mimetype != "text/html":
                    continue
                html = answer.text
                seen += "&lt;script&gt;alert(1)" in html
                assert "<script>alert" not in html, rule.rule
                assert "onerror=alert(1)>" not in html.replace("&gt;", ""), rule.rule
    assert seen >= 3
    page = staff.client.get("/attest").text
    assert "{{7*7}}" in page
    assert "X-Evil" not in dict(staff.client.get("/attest").headers)


@pytest.mark.asvs(38)
def test_what_is_looked_for_by_injection_is_not_found(hall: Hall) -> None:
    hall.community.person(area_code=GRID)
    admin = hall.community.person("administrator", area_code=VILLAGE)
    (token,) = sign_in.issue_bearer(hall.session, an_act(hall.community.book), [admin.id], lives=timedelta(days=1))
    hall.session.commit()
    client = hall.app.test_client()
    for canary in CANARIES:
        answer = client.get("/api/v1/people", query_string={"handle": canary[:20]}, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, canary
        assert answer.get_json()["items"] == []


@pytest.mark.asvs(39)
def test_signing_in_leaves_no_secret_in_the_log_or_an_address(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    person = hall.community.person("grid_worker", area_code=VILLAGE)
    app = give_password(hall, person)
    hall.clock.advance(seconds=30)
    code = app.at(hall.clock.now())
    client = hall.app.test_client()
    answer = client.post("/sign-in", data={"number": person.handle, "password": PASSWORD, "code": code})
    assert answer.status_code == 303
    cookie = client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    client.get("/home", query_string={"q": PASSWORD})
    logged = capsys.readouterr().err
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], f'"{code}"', cookie.value, person.handle):
        assert secret not in logged
        assert secret not in answer.headers["Location"]


@pytest.mark.asvs(40)
def test_nothing_that_is_for_somebody_is_kept_by_a_cache(hall: Hall) -> None:
    _, browser = hall.enter("volunteer", "grid_worker", "approver", "administrator", area_code=VILLAGE)
    asked = 0
    for rule in hall.app.url_map.iter_rules():
        declared = rule_of(rule.endpoint, hall.app) if rule.endpoint != "static" else None
        if declared and not declared.public and "GET" in (rule.methods or set()) and not rule.arguments:
            answer = browser.client.get(rule.rule)
            assert "no-store" in answer.headers["Cache-Control"], rule.rule
            asked += 1
    assert asked > 30


@pytest.mark.asvs(40)
def test_signing_out_clears_what_the_browser_kept(hall: Hall) -> None:
    _, browser = hall.enter("volunteer")
    browser.open("/me")
    form = re.search(r'name="_csrf" value="([^"]+)"', browser.client.get("/me").text)
    assert form
    answer = browser.client.post("/sign-out", data={"_csrf": form[1]})
    assert {'"cache"', '"storage"'} <= set(answer.headers["Clear-Site-Data"].split(", "))


@pytest.mark.asvs(41)
@pytest.mark.own_app
@pytest.mark.parametrize("address", ["/fails", "/api/v1/fails"])
def test_what_fails_tells_nothing_and_leaves_nothing(app: Flask, address: str) -> None:
    def fails() -> str:
        raise RuntimeError("13800138000 in /srv/secret/place.py")

    app.add_url_rule(address, "fails", allow(public=True)(fails))
    answer = app.test_client().get(address)
    assert answer.status_code == 500
    for word in ("13800138000", "Traceback", "RuntimeError", "secret", ".py", "Werkzeug", "Flask", "SQLAlchemy", "granian"):
        assert word not in answer.text
        assert word not in str(answer.headers)
    assert PROBLEMS["failed"].zh in answer.text


@pytest.mark.asvs(43)
def test_what_was_not_drawn_by_this_service_opens_nothing(hall: Hall) -> None:
    person = hall.community.person()
    book = hall.community.book
    link = sign_in.issue_link(hall.session, an_act(book), person.id, lives=timedelta(hours=1))
    opened = sign_in.open_session(hall.session, book, person.id, "link", hall.clock.now())
    (old,) = sign_in.issue_bearer(hall.session, an_act(book, hall.clock.now() - timedelta(days=2)), [person.id], lives=timedelta(days=1))
    hall.session.commit()
    part = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    signed = base64.urlsafe_b64encode(json.dumps({"sub": str(person.id)}).encode()).decode().rstrip("=")
    for token in (link, opened, old, f"{part}.{signed}.", str(person.id), person.handle, new_token(book.number), "1-", "", "null"):
        answer = hall.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token


@pytest.mark.asvs(44)
def test_no_secret_is_kept_among_the_files() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    # Others' files, of which there are hashes: scripts/vendor.py looks after them.
    of_others = "package-lock.json|examples/areas\\.csv|static/vendor/|tests/browser/vendor/|templates/print/fonts/"
    skipped = re.compile(rf"^(requirements/|translations/|docs/img/|{of_others})")
    files = [name for name in tracked if not skipped.match(name) and (ROOT / name).is_file()]
    known = json.loads((ROOT / "tests/security/known.json").read_text())
    ran = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", *files], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # The passwords of made-up people stand in tests as words; whatever is drawn by lot would be found there too.
    found = {
        f"{name}: {one['type']} {one['hashed_secret'][:12]}"
        for name, those in json.loads(ran.stdout)["results"].items()
        for one in those
        if not (name.startswith("tests/") and one["type"] == "Secret Keyword")
    }
    assert found - known.keys() == set(), "a secret, or something like one: take it out, or say in tests/security/known.json why it is none"
    assert known.keys() - found == set(), "this is found no more: take it out of tests/security/known.json"
    assert all(len(why) > 10 for why in known.values())
    assert len(files) > 200


@pytest.mark.asvs(44)
def test_a_planted_secret_is_found(tmp_path: Any) -> None:
    (tmp_path / "x.py").write_text('password = "' + "hunter2" * 3 + '"\nkey = "' + "AKIA" + 'IOSFODNN7EXAMPLF"\n')
    ran = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", "--all-files", "."],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(json.loads(ran.stdout)["results"]["x.py"]) == 2


@pytest.mark.asvs(45)
def test_every_package_that_is_served_stands_in_the_list_of_parts() -> None:
    ran = subprocess.run([sys.executable, "scripts/sbom.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = json.loads(ran.stdout)
    pinned = re.findall(r"^([A-Za-z0-9_.\[\]-]+)==(\S+)", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert {(one["name"], one["version"]) for one in listed["components"]} == {(name.partition("[")[0], ver) for name, ver in pinned}
    assert all(one["hashes"] and one["purl"].startswith("pkg:pypi/") for one in listed["components"])


@pytest.mark.asvs(45)
def test_debugging_is_off_and_no_folder_is_listed(app: Flask) -> None:
    app.testing = False
    client = app.test_client()
    assert app.debug is False
    for address in ("/static/", "/static/css/", "/static/css", "/.git/config", "/.env", "/static/../.git/config", "/static/%2e%2e/wsgi.py",
                    "/var/settings.env", "/console", "/debug", "/metrics"):  # fmt: skip
        assert client.get(address).status_code == 404, address


@pytest.mark.asvs(24)
def test_the_matrix_has_a_place_for_every_route_and_role(app: Flask, record_property: Callable[[str, object], None]) -> None:
    routes = [(rule, method) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    ours = [(rule, method) for rule, method in routes if rule.endpoint != "static"]
    named = [(rule, method) for rule, method in ours if any(name.endswith("_id") for name in rule.arguments)]
    assert all(rule_of(rule.endpoint, app) for rule, _ in ours)
    roles = len(people.ROLES) + 2
    record_property("matrix", f"{len(ours)} routes x {roles} (14 roles, none, nobody) = {len(ours) * roles}; {len(named)} with an id")


def test_the_list_has_45_lines_in_order() -> None:
    assert list(LINES) == list(range(1, 46))
