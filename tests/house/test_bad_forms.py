"""Malformed input, at every form and page: what is found by walking through the pages is filled in with what nobody should type.

Whatever is typed, a page answers with a page: it goes on, or says in a sentence what is wrong; it never breaks.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from urllib.parse import quote_plus
from urllib.parse import urljoin
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from ledger.ids import new_id
from ledger.web.kit.auth import SESSION_COOKIE
from ledger.web.kit.problems import PROBLEMS
from tests.conftest import ROOT
from tests.conftest import Database
from tests.house.conftest import community_of
from tests.played import Played
from tests.played import Theatre

pytestmark = pytest.mark.walk("postgresql")

#: Of pages that differ only in whom or what they are about, so many are looked at.
ALIKE_MAX = 1
ODD = (
    "",
    " ",
    "善" * 400,
    "a\x00b",
    "\ufffe",
    "1" * 400,
    "-1",
    "１",
    "1e400",
    "NaN",
    str(2**63),
    "[1]",
    "<b>{{ 7 * 7 }}</b>",
    "2026-02-30",
    str(new_id()),
)
#: As they come over the line: what is not UTF-8, and half a character.
RAW = ("%FF", "%ED%A0%80", "%")
SIGN_OUT = "/sign-out"
#: A null, and a number of more bits than any database counts with.
CURSORS = ("WyJcdTAwMDAiXQ", "WzEyMDg5MjU4MTk2MTQ2MjkxNzQ3MDYxNzZd")


@dataclass
class Form:
    """A form of a page: where it goes, and the fields it would send untouched."""

    page: str
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads the links and forms of a page as a browser without scripts would."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.links, self.forms = page, list[str](), list[Form]()
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.append(urljoin(self.page, given["href"]))
        elif tag == "form":
            self.forms.append(Form(self.page, urljoin(self.page, given.get("action", "")), given.get("method", "get").lower()))
        elif tag in {"input", "textarea", "select", "button"} and self.forms and given.get("name"):
            form = self.forms[-1]
            if given.get("type") == "file":
                form.files.append(given["name"])
            elif given.get("type") not in {"checkbox", "radio"} or given["name"] not in form.fields:
                form.fields[given["name"]] = given.get("value", "")
            self._select = given["name"] if tag == "select" else ""
        elif tag == "option" and self._select and self.forms and not self.forms[-1].fields.get(self._select):
            self.forms[-1].fields[self._select] = given.get("value", "")


@dataclass
class Walk:
    """What was seen by somebody who followed every link."""

    client: FlaskClient
    pages: list[str]
    forms: list[Form]


@pytest.fixture
def played(theatre: Theatre, played: Played) -> Played:
    """The community after somebody has come in who may do everything: told is the token of their session."""

    def come_in(session: Session) -> str:
        community = community_of(session, played.told)
        community.make_owner_of_everything("owner")
        return community.come_in("owner")

    return theatre.once(come_in, after=played)


@pytest.fixture(scope="module")
def walks() -> dict[str, Walk]:
    """The walk through each kind of database, done once: what was seen is there, for the same session, in every copy of what was played."""
    return {}


@pytest.fixture
def walk(app: Flask, database: Database, session: Session, played: Played, walks: dict[str, Walk]) -> Walk:
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, played.told)
    if database.kind not in walks:
        walks[database.kind] = walk_through(app, client, community_of(session, {}).known())
    return replace(walks[database.kind], client=client)


def walk_through(app: Flask, client: FlaskClient, known: dict[str, list[str]]) -> Walk:
    """Follow every link, and open every page that needs no link."""
    seen, forms = set[str](), dict[tuple[str, ...], Form]()
    waiting, pages, alike = deque(_doors(app, known)), list[str](), Counter[str]()
    while waiting:
        path = waiting.popleft()
        if path in seen or alike[_endpoint(app, path)] >= ALIKE_MAX:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.status_code == 200 and answer.mimetype == "text/html":
            alike[_endpoint(app, path)] += 1
            pages.append(path)
            reader = Reader(path)
            reader.feed(answer.text)
            waiting += [link.partition("#")[0] for link in reader.links if link.startswith("/")]
            for form in reader.forms:
                forms.setdefault((form.method, _endpoint(app, form.action), *form.fields), form)
    return Walk(client, pages, list(forms.values()))


def _doors(app: Flask, known: dict[str, list[str]]) -> Iterator[str]:
    """Every page that can be opened without having been led there: of itself, or of something that there is."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= known.keys() and not rule.rule.startswith("/api/"):
            for last in range(1, ALIKE_MAX + 1):
                yield re.sub(r"<(?:\w+:)?(\w+)>", lambda part, last=last: known[part[1]][-last:][0], rule.rule)


def _endpoint(app: Flask, path: str) -> str:
    try:
        return str(app.url_map.bind("localhost").match(urlsplit(path).path, method="GET")[0])
    except HTTPException:  # the address of a form often takes no GET
        return re.sub(r"[0-9a-f-]{36}", "", path)


def sent(walk: Walk, form: Form, name: str, raw: str) -> TestResponse:
    """Send a form with one field filled in as `raw` says, already encoded; the hidden fields are fresh, unless one of them is it."""
    fresh = {"_key": new_id().hex} if "_key" in form.fields else {}
    pairs = {key: quote_plus(value) for key, value in (form.fields | fresh).items()} | {name: raw}
    body = "&".join(f"{quote_plus(key)}={value}" for key, value in pairs.items())
    if form.method == "get":
        return walk.client.get(f"{urlsplit(form.action).path}?{body}")
    return walk.client.post(form.action, data=body, content_type="application/x-www-form-urlencoded", headers={"Accept-Language": "zh"})


@cache
def sentences() -> frozenset[str]:
    """The sentences for people, as far as they are always the same."""
    return frozenset(max(re.split(r"\{\w+\}", problem.zh), key=len) for problem in PROBLEMS.values())


def says_what_is_wrong(answer: TestResponse) -> bool:
    """Tell whether one of the sentences for people stands on a page."""
    return any(sentence in answer.text for sentence in sentences())


def test_whatever_is_typed_into_a_form_a_page_says_what_came_of_it(walk: Walk) -> None:
    found, asked = [], 0
    # Whoever has signed out has nothing left to type into.
    for form in sorted(walk.forms, key=lambda form: form.action == SIGN_OUT):
        assert form.action != SIGN_OUT or walk.client.get("/me").status_code == 200, "what was typed came of somebody who is in"
        for name in form.fields:
            for raw in (*map(quote_plus, ODD), *RAW):
                answer, asked = sent(walk, form, name, raw), asked + 1
                is_said = answer.status_code < 400 or says_what_is_wrong(answer)
                if answer.status_code >= 500 or not is_said:
                    found.append(f"{form.method} {form.action} {name}={raw[:40]}: {answer.status_code}")
    assert found == []
    assert [form.action for form in walk.forms].count(SIGN_OUT) == 1
    assert len(walk.forms) > 15
    assert asked > 1000


def test_a_form_without_its_secret_does_nothing(walk: Walk) -> None:
    writing = [form for form in walk.forms if form.method == "post" and "_csrf" in form.fields]
    for form in writing:
        for raw in ("", "x", "%C3%A9", "%FF", "0" * 64):
            assert sent(walk, form, "_csrf", raw).status_code == 403, form
    assert len(writing) > 10
    # Nobody is signed in yet where one signs in: there is no session whose secret a form could carry.
    bare = [form.action for form in walk.forms if form.method == "post" and "_csrf" not in form.fields]
    assert [action for action in bare if not action.startswith("/sign-in")] == []


def test_a_form_that_is_too_large_is_refused_before_it_is_read(walk: Walk) -> None:
    for form in walk.forms:
        if form.method == "post":
            assert sent(walk, form, "text", "x" * 600_000).status_code == 413, form.action


FILES = (
    *(b"", b"x", b"name,points\n", "善行".encode("gb18030"), bytes(100_000)),
    *(b"PK\x03\x04" + b"\x00" * 100, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100),
)


def test_whatever_file_is_given_a_page_says_what_came_of_it(walk: Walk) -> None:
    asked = 0
    for form in walk.forms:
        for name in form.files:
            for content in FILES:
                data = form.fields | {"_key": new_id().hex, name: (io.BytesIO(content), "a.xlsx")}
                answer, asked = walk.client.post(form.action, data=data, headers={"Accept-Language": "zh"}), asked + 1
                assert 400 <= answer.status_code < 500, form
                assert says_what_is_wrong(answer), form
    assert asked >= len(FILES)


def test_nothing_odd_in_a_page_s_address_breaks_it(app: Flask, walk: Walk) -> None:
    sources = [*ROOT.glob("*/web/pages/*.py"), *ROOT.glob("templates/**/*.html")]
    asked_for = re.compile(r"request\.(?:args|values)(?:\.get\w*)?[\[(]\s*[\"'](\w+)")
    names = {name for source in sources for name in asked_for.findall(source.read_text(encoding="utf-8"))} | {"till_id", "offer_id"}
    assert {"cursor", "code"} <= names
    found = []
    for page in walk.pages:
        for odd in (*map(quote_plus, ODD[2:6]), *RAW, quote_plus(str(2**63)), *CURSORS):
            answer = walk.client.get(f"{urlsplit(page).path}?{'&'.join(f'{name}={odd}' for name in sorted(names))}")
            found += [f"{page} {odd[:40]}"] if answer.status_code >= 500 else []
    for rule in app.url_map.iter_rules():
        if rule.arguments and rule.endpoint != "static" and "GET" in (rule.methods or ()):
            for odd in (*map(quote_plus, ODD), *RAW):
                path = re.sub(r"<[^>]+>", lambda part, odd=odd: odd or "x", rule.rule)
                found += [path[:80]] if walk.client.get(path).status_code >= 500 else []
    assert found == []
