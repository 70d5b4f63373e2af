"""Everybody clicks through everything: from each home, in both languages, to every page that its audience may see."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from dataclasses import field
from html.parser import HTMLParser
from urllib.parse import urljoin
from urllib.parse import urlsplit

import pytest
from flask import Flask

from ledger import people
from ledger.web.kit.auth import rule_of
from tests.house.conftest import Community

pytestmark = pytest.mark.walk("sqlite")

#: Opened by a code, by a link that is handed over, after a form was sent, on a paired device, by a page that waits, from what was taken
#: on the same day, or by whatever reads a log that was sealed.
NOT_BY_CLICKING = {
    "account.of_person",
    "account.passkey_options",
    "account.proof_form",
    "account.proof_options",
    "account.set_up",
    "counter.card_form",
    "counter.here",
    "counter.pair_form",
    "counter.pair_scanned",
    "devices.close_form",
    "devices.first_pin_form",
    "devices.shift",
    "host.code_now",
    "joining.choose",
    "joining.done",
    "joining.form",
    "leader.attested",
    "leader.proposals_made",
    "log.checkpoint",
    "log.entries",
    "log.proof",
    "log.tile",
    "phone.now",
    "phone.offline",
    "phone.worker",
    "proofs.hours",
    "proofs.proof",
    "public.health",
    "public.problem_type",
    "settings.manifest",
    "settings.offline",
    "settings.version",
    "shop.pin_code",
    "sign_in.how",
    "sign_in.language",
    "sign_in.link",
    "sign_in.options",
    "spend.live",
    "spend.order",
    "spend.scanned",
    "staff.decided",
    "till.answer",
    "till.live",
    "till.void_form",
    "venue.checked",
    "venue.scanned",
}
#: Who of the cast clicks, and the roles that they hold.
CLICKERS = {
    "volunteer": ("volunteer",),
    "patrol": ("volunteer",),
    "leader": ("volunteer", "building_leader"),
    "second_leader": ("volunteer", "building_leader"),
    "first_approver": ("approver",),
    "grid_worker": ("grid_worker", "activity_host"),
    "administrator": ("administrator",),
    "cashier": ("volunteer", "cashier"),
    "owner": ("volunteer", "shop_owner"),
}
PAGE_BYTES_MAX = 100_000


class Reader(HTMLParser):
    """What a page that anybody can use is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[str] = []
        self.headings = 0
        self.language = ""
        self._in_label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids += [has["id"]] if "id" in has else []
        self.headings += tag == "h1"
        self.language = has.get("lang", "") if tag == "html" else self.language
        if tag == "a":
            self.links.append(has["href"])
        if tag == "label":
            self._in_label += 1
            self.labels |= {has["for"]} if "for" in has else set()
        is_seen = tag in {"select", "textarea"} or (tag == "input" and has.get("type") != "hidden")
        if is_seen and not self._in_label and "aria-label" not in has:
            self.fields.append(has.get("id", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_label -= tag == "label"


@dataclass
class Walk:
    """Where clicking leads."""

    addresses: set[str] = field(default_factory=set)
    faults: list[tuple[str, str]] = field(default_factory=list)


def walk(app: Flask, community: Community, key: str, language: str) -> Walk:
    """Sign in as somebody of the cast and follow every link there is."""
    client, found = app.test_client(), Walk()
    community.enter(client, key)
    client.set_cookie("language", language)
    waiting = deque(["/"])
    while waiting:
        address = waiting.popleft()
        if address in found.addresses:
            continue
        found.addresses.add(address)
        answer = client.get(address, follow_redirects=True)
        found.addresses.add(answer.request.full_path.rstrip("?"))
        if answer.mimetype != "text/html" and answer.status_code == 200:
            continue
        reader = Reader()
        reader.feed(answer.text)
        found.faults += [(address, fault) for fault in _faults(answer.status_code, answer.text, reader, language)]
        for href in reader.links:
            target = urljoin(answer.request.path, href)
            # Another language is another walk, the plain version leaves things out; and of a long list the first pages are enough.
            if target.startswith("/") and not re.match("/(language|settings/version)/", target) and "cursor=" not in address:
                waiting.append(target.partition("#")[0])
    return found


def _faults(status: int, text: str, reader: Reader, language: str) -> list[str]:
    checks = {
        f"status {status}": status == 200,
        "one heading": reader.headings == 1,
        "its language": reader.language == {"en": "en", "zh_Hans_CN": "zh-Hans"}[language],
        "ids that are there twice": len(reader.ids) == len(set(reader.ids)),
        f"fields without a label: {set(reader.fields) - reader.labels}": set(reader.fields) <= reader.labels,
        f"{len(text.encode())} bytes": len(text.encode()) <= PAGE_BYTES_MAX,
        "styles or scripts between the lines": re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", text) is None,
        "something from elsewhere": re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text) is None,
    }
    return [fault for fault, is_met in checks.items() if not is_met]


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_everybody_reaches_every_page_of_theirs_by_clicking(app: Flask, community: Community, language: str) -> None:
    adapter, reached, wanted = app.url_map.bind("localhost"), set(), set()
    for key, roles in CLICKERS.items():
        walked = walk(app, community, key, language)
        assert walked.faults == [], key
        reached |= {adapter.match(urlsplit(address).path)[0] for address in walked.addresses}
        wanted |= _pages_for(app, roles)
    assert wanted - reached - NOT_BY_CLICKING == set()


def _pages_for(app: Flask, roles: tuple[str, ...]) -> set[str]:
    assert set(roles) <= set(people.ROLES)
    found = set()
    for rule in app.url_map.iter_rules():
        access = rule_of(rule.endpoint, app)
        is_page = "GET" in (rule.methods or set()) and not rule.rule.startswith(("/api/", "/static/"))
        if is_page and access and (access.public or not access.roles or access.roles & set(roles)):
            found.add(rule.endpoint)
    return found
