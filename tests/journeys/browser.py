"""A plain browser without JavaScript: it opens pages, follows links, fills in forms, keeps its cookies, and scans pictures of codes."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import urlencode
from urllib.parse import urljoin
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ledger import sign_in
from ledger.areas import Book
from ledger.people import Person
from tests.conftest import START
from tests.journeys.pictures import scan

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
#: Tags whose words are kept by themselves.
TOLD = frozenset({"a", "button", "h1", "h2", "option", "td"})
UNSEEN = frozenset({"head", "script", "style", "template"})


@dataclass
class Form:
    """A form with what it would send as it stands."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    #: What can be ticked, or chosen of a few, by name.
    choices: dict[str, list[str]] = field(default_factory=dict)
    #: What stands in a list to choose from, by its words.
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    #: What each of several buttons adds, by its words.
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Page:
    """A page as it was answered: where, its status, what can be read, its links and its forms."""

    address: str
    status: int
    html: str
    text: str
    links: list[tuple[str, str]]
    forms: list[Form]
    headings: list[str]
    #: The cells of its tables, row by row, without the heads.
    rows: list[list[str]]
    #: The field with the cursor in it, or the words of the link or button.
    focus: str | None
    refresh: str | None

    def form(self, words: str) -> Form:
        """Return the only form with a button that says `words`."""
        (found,) = [one for one in self.forms if any(words in said for said in one.buttons) and not one.action.endswith("/sign-out")]
        return found

    def link(self, words: str) -> str:
        """Return where the first link that says `words` leads."""
        return next(href for said, href in self.links if words in said)

    def scan(self) -> str:
        """Return what the code on the page says, read from its picture."""
        return scan(self.html)


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self.headings: list[str] = []
        self.focus: str | None = None
        self.refresh: str | None = None
        self.rows: list[list[str]] = []
        self._select: tuple[str, list[tuple[str, bool]]] | None = None
        self._area: str | None = None
        self._button: dict[str, str] = {}
        self._told: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag in TOLD:
            self._told.append((given.get("href", "focus" if "autofocus" in given else ""), []))
        if tag == "button":
            self._button = {given["name"]: given["value"]} if "name" in given else {}
        if tag == "a" and "autofocus" in given:
            self.focus = "a"
        if tag == "br":
            self.handle_data("\n")
        if tag == "tr":
            self.rows.append([])
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.refresh = given["content"]
        if tag == "form":
            self.forms.append(Form(urljoin(self.address, given.get("action") or self.address), given.get("method", "get").lower()))
        if "autofocus" in given and "name" in given:
            self.focus = given["name"]
        self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        is_choice = given.get("type") in {"checkbox", "radio"}
        if tag == "input" and is_choice:
            self.forms[-1].choices.setdefault(name, []).append(given["value"])
        if tag == "input" and name and (not is_choice or "checked" in given):
            self._put(name, given.get("value", ""))
        if tag == "textarea":
            self._area = name
            self._put(name, "")
        if tag == "select":
            self._select = (name, [])
        if tag == "option" and self._select:
            self._select[1].append((given.get("value", ""), "selected" in given))

    def _put(self, name: str, value: str) -> None:
        self.forms[-1].fields.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-1:]} of {self.address}"
        self.open.pop()
        if tag == "textarea":
            self._area = None
        if tag == "select" and self._select:
            name, options = self._select
            chosen = [value for value, is_selected in options if is_selected] or [value for value, _ in options[:1]]
            for value in chosen[:1]:
                self._put(name, value)
            self._select = None
        if tag == "tr" and not self.rows[-1]:
            self.rows.pop()
        if tag in TOLD:
            where, words = self._told.pop()
            self._close(tag, where, " ".join("".join(words).split()))

    def _close(self, tag: str, where: str, said: str) -> None:
        """Keep what stood between the tags."""
        if tag == "a":
            self.links.append((said, where))
            self.focus = said if self.focus == "a" else self.focus
        elif tag == "button":
            self.focus = said if where == "focus" else self.focus
            self.forms[-1].buttons[said] = self._button
        elif tag == "td":
            self.rows[-1].append(said)
        elif tag == "option" and self._select:
            self.forms[-1].options.setdefault(self._select[0], {})[said] = self._select[1][-1][0]
        elif tag in {"h1", "h2"}:
            self.headings.append(said)

    def handle_data(self, data: str) -> None:
        if UNSEEN & set(self.open):
            return
        self.seen.append(data)
        if self._area:
            self.forms[-1].fields[self._area][-1] += data.removeprefix("\n")
        for _, words in self._told:
            words.append(data)


def read(address: str, response: TestResponse) -> Page:
    """Return a page as somebody reads it; tags that are not closed in order fail."""
    reader = _Reader(address)
    reader.feed(response.text)
    assert not reader.open, f"{address} leaves {reader.open} open"
    text = " ".join("".join(reader.seen).split())
    return Page(
        address, response.status_code, response.text, text, reader.links, reader.forms, reader.headings, reader.rows, reader.focus,
        reader.refresh,
    )  # fmt: skip


class Browser:
    """Somebody's browser, with its own cookies and the page it shows."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.page: Page

    def open(self, address: str) -> Page:
        """Open an address, as typed, scanned or linked, and follow where it leads."""
        return self._show(self.client.get(_path(address), follow_redirects=True))

    def follow(self, words: str) -> Page:
        """Follow the first link that says `words`."""
        return self.open(self.page.link(words))

    def send(self, words: str, **filled: str | list[str]) -> Page:
        """Press the button that says `words`, with some fields of its form typed over, ticked, or chosen by the words of a list."""
        form = self.page.form(words)
        unknown = filled.keys() - form.fields.keys() - form.choices.keys()
        assert not unknown, f"no field {unknown} in {form.fields.keys() | form.choices.keys()}"
        pressed = next(adds for said, adds in form.buttons.items() if words in said)
        chosen = {name: _chosen(form.options.get(name, {}), value) for name, value in filled.items()}
        fields = form.fields | pressed | chosen
        if form.method == "get":
            return self.open(f"{_path(form.action).partition('?')[0]}?{urlencode(fields, doseq=True)}")
        return self._show(self.client.post(_path(form.action), data=fields, follow_redirects=True))

    def scan(self, other: Page) -> Page:
        """Hold the camera to another screen, and open what its code says."""
        return self.open(other.scan())

    def _show(self, response: TestResponse) -> Page:
        self.page = read(response.request.full_path.rstrip("?"), response)
        return self.page


def _chosen(options: dict[str, str], value: str | list[str]) -> str | list[str]:
    """Return what a list sends for the words that are chosen, with or without what stands in brackets after them."""
    return next((sent for words, sent in options.items() if value in {words, words.partition("（")[0]}), value) if options else value


def _path(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def signed_in(app: Flask, session: Session, book: Book, person: Person, at: datetime = START) -> Browser:
    """A browser in which somebody has come in by passkey, as whoever they are."""
    token = sign_in.open_session(session, book, person.id, "passkey", at)
    session.commit()
    browser = Browser(app)
    browser.client.set_cookie("passbook", token)
    return browser
