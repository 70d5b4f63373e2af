"""A browser of the story: it opens pages and fills in the forms that are on them, and keeps its cookies as people's browsers do."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

from bench.month.client import Client
from bench.month.client import UnexpectedError
from ledger.web.kit.problems import PROBLEMS
from ledger.web.problems import LEDGER_PROBLEMS
from redeem.web.problems import REDEEM_PROBLEMS

SENTENCES = PROBLEMS | LEDGER_PROBLEMS | REDEEM_PROBLEMS
REDIRECTS_MAX = 5
#: The page that asks for a proof says so in words of its own.
ASKING = "再验证一次"

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_INPUT = re.compile(r"<(?:input|textarea|select|button)\b[^>]*>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass(frozen=True)
class Page:
    """A page as it was answered."""

    address: str
    status: int
    html: str

    def found(self, pattern: str) -> str:
        """Return what the first group of a pattern says on the page."""
        if (found := re.search(pattern, self.html, re.DOTALL)) is None:
            raise UnexpectedError(f"{self.address} does not show {pattern}")
        return html.unescape(found[1])

    @property
    def asked(self) -> dict[str, list[str]]:
        """Return what its address asks."""
        return parse_qs(urlsplit(self.address).query)

    @property
    def ticks(self) -> list[str]:
        """Return what can be ticked on it."""
        return re.findall(r'<input type="checkbox" name="id" value="([^"]+)"', self.html)

    @property
    def last(self) -> str:
        """Return the last part of its path: mostly an id."""
        return urlsplit(self.address).path.rpartition("/")[2]


class Browser:
    """Somebody's browser: on a phone, at a desk in the office, on a till's device."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}
        self.page = Page("", 0, "")

    def copied(self) -> Browser:
        """Return another browser with the same cookies, showing the same page: as if somebody had stolen them."""
        other = copy.copy(self)
        other.cookies = dict(self.cookies)
        return other

    def open(self, address: str, expects: str = "", **asked: object) -> Page:
        """Open an address, and follow where it leads; `expects` is the code of the refusal that must come."""
        parts = urlsplit(address)
        query = urlencode(asked) or parts.query
        return self._show("GET", parts.path + (f"?{query}" if query else ""), None, expects)

    def send(self, action: str, expects: str = "", **filled: str | Iterable[str]) -> Page:
        """Fill in the form on the page that goes to `action`, "" for where the page is, and send it."""
        target, names, fields = self._form(action)
        if unknown := filled.keys() - names:
            raise UnexpectedError(f"{self.page.address} asks for no {unknown}, only {names}")
        return self._show("POST", target, urlencode(fields | filled, doseq=True).encode(), expects)

    def _form(self, action: str) -> tuple[str, set[str], dict[str, str]]:
        """Return where a form goes, the names of its fields, and what it sends of itself."""
        here = self.page.address
        for attributes, inside in _FORM.findall(self.page.html):
            given = _attributes(attributes)
            target = given.get("action", here)
            if given.get("method", "get") != "post" or (target if action else given.get("action", "")).partition("?")[0] != action:
                continue
            inputs = [_attributes(tag) for tag in _INPUT.findall(inside)]
            hidden = {one["name"]: one.get("value", "") for one in inputs if one.get("type") == "hidden"}
            return target, {one["name"] for one in inputs if "name" in one}, hidden
        raise UnexpectedError(f"{here} has no form to {action or 'itself'}")

    def _show(self, method: str, address: str, body: bytes | None, expects: str) -> Page:
        for _ in range(REDIRECTS_MAX):
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            reply = self._client.exchange(method, address, body, headers, f"{method} {_route(address)}")
            self._keep(reply.headers.get_all("Set-Cookie") or [])
            if not 300 <= reply.status < 400:
                break
            method, body, address = "GET", None, reply.headers["Location"]
        self.page = Page(address, reply.status, reply.content.decode())
        self._judge(f"{method} {address}", expects)
        return self.page

    def _keep(self, cookies: Iterable[str]) -> None:
        for one in cookies:
            for name, morsel in SimpleCookie(one).items():
                self.cookies.pop(name, None)
                if morsel.value:
                    self.cookies[name] = morsel.value

    def _judge(self, what: str, expects: str) -> None:
        """Raise Unexpected unless the page is one that was expected: a refusal is known by its status and its sentence."""
        page = self.page
        if not expects:
            if page.status >= 400:
                found = re.findall(r'<p class="(?:problem|why|wrong)"[^>]*>(.*?)</p>', page.html, re.DOTALL)
                raise UnexpectedError(f"{what}: {page.status} {found[:2]}, expected success")
            return
        sentence = SENTENCES[expects]
        said = ASKING if expects == "proof-needed" else ".*?".join(re.escape(part) for part in re.split(r"\{\w+\}", sentence.zh))
        if page.status != sentence.status or not re.search(said, html.unescape(page.html)):
            raise UnexpectedError(f"{what}: {page.status}, expected {expects}")
        self._client.refuse(expects)


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}


def _route(address: str) -> str:
    """Return a path without what is only of one person, code or thing."""
    parts = urlsplit(address).path.strip("/").split("/")
    return "/" + "/".join(part if re.fullmatch("[a-z-]*", part) else "…" for part in parts)
