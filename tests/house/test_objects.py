"""Whose is it: every route with an id in its address, asked with everybody else's ids, by all fourteen roles; and nothing foreign in lists.

One set of people works in another book, one in the same book in a grid and a shop of their own where nothing has happened.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from ledger import areas
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.store import Base
from ledger.web.kit.auth import SESSION_COOKIE
from ledger.web.kit.auth import rule_of
from ledger.web.kit.problems import PROBLEMS
from redeem import library
from redeem import merchants
from scripts.demo.cast import COUNTY
from scripts.demo.cast import VILLAGE
from tests.builders import VAULT
from tests.builders import an_act
from tests.conftest import HandClock
from tests.house.conftest import Community
from tests.house.test_bad_input import Document
from tests.house.test_bad_input import Forms

pytestmark = pytest.mark.walk("postgresql")

#: What everybody of a book may look at, or take part in: activities, what shops offer, areas, teams, the colours of units.
OPEN_WITHIN_THE_BOOK = frozenset(
    {
        "api_activities.get_activity",
        "api_activities.sign_up",
        "api_activities.cancel_sign_up",
        "volunteer.sign_up",
        "volunteer.cancel_sign_up",
        "venue.checked",
        "api_units.list_resources",
        "catalogue.shop",
    }
)
#: Tables that say who asked and how often, and nothing of what there is.
OF_ASKING = frozenset({"request", "answer", "audit_record", "credential", "guesses", "pay_device"})
FOREIGN = frozenset({401, 403, 404})
#: What fields of forms have in the tests, where they have no value that there is.
PLAIN = {
    "step": "approve",
    "points": "5",
    "name": "甲",
    "title": "甲",
    "reason": "counter-service",
    "deed_on": "2026-11-20",
    "role": "volunteer",
}


@dataclass(frozen=True)
class Intruder:
    """Somebody who holds one role where nothing has happened."""

    role: str
    session_token: str
    bearer: str


def intruders(session: Session, book: Book, clock: HandClock, area_code: str) -> list[Intruder]:
    act, today = an_act(book, clock.now()), clock.now().date()
    unit = library.add_unit(session, act, name=f"丁店{area_code}", colour="white", area_code=area_code)
    assert not isinstance(unit, Refusal)
    found = []
    for role in people.ROLES:
        in_area = () if role in people.SHOP_ROLES else (role,)
        person = people.enrol(session, act, VAULT, people.NewPerson(f"丁{role}", area_code, roles=in_area))
        assert not isinstance(person, Refusal)
        if role in people.SHOP_ROLES:
            assert not isinstance(merchants.hire(session, act, unit.id, person_id=person.id, role=role, starts_on=today), Refusal)
        (bearer,) = sign_in.issue_bearer(session, act, [person.id], lives=timedelta(days=1))
        found.append(Intruder(role, sign_in.open_session(session, book, person.id, "passkey", clock.now()), bearer))
    session.commit()
    return found


@pytest.fixture
def forms(app: Flask, community: Community) -> Forms:
    """Values that there are, also of what the demonstration has none of."""
    session, stage = community.session, community.stage
    known = dict(community.known())
    act = stage.act()
    unit_id = UUID(known["unit_id"][0])
    one, other = (people.enrol(session, act, VAULT, people.NewPerson(name, f"{VILLAGE}-01")) for name in ("戊一", "戊二"))
    assert not isinstance(one, Refusal)
    assert not isinstance(other, Refusal)
    made: dict[str, Any] = {
        "credential_id": sign_in.issue_token(
            session, act, VAULT, one.id, scopes=["cashier"], name="机", lives=timedelta(days=9), within=areas.EVERYWHERE
        ),
        "device_id": sign_in.prepare_device(session, act, VAULT, name="台", unit_id=unit_id),
        "mandate_id": people.give_mandate(
            session, act, VAULT, people.NewMandate(one.id, other.id, "helper", act.at.date(), act.at.date() + timedelta(days=30))
        ),
        "merge_id": people.propose_merge(session, act, kept_id=one.id, gone_id=other.id),
    }
    new = people.NewPerson("戊三", f"{VILLAGE}-01", phone="13900139000")
    people.apply_to_join(session, VAULT, community.book.id, new, act.at, key=str(new_id()))
    session.commit()
    for name, thing in made.items():
        assert not isinstance(thing, Refusal), thing
        known.setdefault(name, [str(thing.id)])
    known.setdefault("application_id", sorted(ids_of(community, "application")))
    known |= {"code": [known["area_code"][-1]], "token": ["1-ABCDEFGH"], "chosen": ["en"], "number": ["1"]}
    session.commit()
    return Forms(Document(app.test_client().get("/api/v1/openapi.json").get_json()), known)


def ids_of(community: Community, table: str, column: str = "id") -> set[str]:
    kept = Base.metadata.tables[table]
    return {str(found) for found in community.session.scalars(select(kept.c[column]).where(kept.c.book_id == community.book.id))}


def everything(session: Session, book: Book) -> dict[str, str]:
    """A hash of each table of the book, but for what asking itself leaves."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if "book_id" in table.c and table.name not in OF_ASKING:
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table).where(table.c.book_id == book.id)))
            found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    session.rollback()
    return found


def with_ids(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route that names something by its id, with each of its methods."""
    for rule in app.url_map.iter_rules():
        if any(name.endswith("_id") for name in rule.arguments) or rule.endpoint == "api_areas.get_area":
            yield from ((rule, method) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def ask(app: Flask, forms: Forms, rule: Rule, method: str, who: Intruder) -> TestResponse:
    address = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda part: forms.known[part[1]][0], rule.rule)
    client = app.test_client()
    if address.startswith("/api/"):
        headers = {"Authorization": f"Bearer {who.bearer}", "Idempotency-Key": str(new_id())}
        body = None
        if method != "GET":
            path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
            takes = forms.document.raw["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
            body = forms.right(takes)
        return client.open(address, method=method, headers=headers, json=body)
    client.set_cookie(SESSION_COOKIE, who.session_token)
    if method == "GET":
        return client.get(address)
    csrf = hmac.digest(bytes(range(32)), f"csrf|{who.session_token}|".encode(), "sha256").hex()
    typed = {name: values[0] for name, values in forms.known.items()} | PLAIN
    typed |= {"step": "confirm"} if rule.endpoint == "register.decide_merge" else {}
    return client.post(address, data=typed | {"_csrf": csrf, "_key": new_id().hex})


def reached(app: Flask, forms: Forms, found: list[Intruder], allowed: frozenset[str]) -> tuple[list[str], int]:
    """Return where somebody got at what is not theirs, and how often it was tried."""
    leaks, tried = [], 0
    for rule, method in with_ids(app):
        declared = rule_of(rule.endpoint, app)
        assert declared is not None
        for who in found:
            if declared.public or (declared.roles and who.role not in declared.roles):
                continue
            tried += 1
            answer = ask(app, forms, rule, method, who)
            assert PROBLEMS["form-expired"].zh not in answer.text, "the form was not taken, so nothing was tried"
            if answer.status_code not in FOREIGN and rule.endpoint not in allowed:
                leaks.append(f"{method} {rule.rule} as {who.role}: {answer.status_code} {answer.text[:150]}")
    return leaks, tried


@pytest.fixture
def strangers(session: Session, community: Community, clock: HandClock) -> list[Intruder]:
    """All roles, in another book of the same county."""
    book = areas.open_book(session, name="另一本", area_code=COUNTY, zone=community.book.zone, at=clock.now())
    journal.open_book_accounts(session, book.id, clock.now())
    return intruders(session, book, clock, COUNTY)


@pytest.fixture
def neighbours(session: Session, community: Community, clock: HandClock) -> list[Intruder]:
    """All roles, in a grid of the same book where nobody else lives."""
    code = f"{VILLAGE}-77"
    act = Act(community.book.id, OPERATOR, "command", new_id(), clock.now())
    assert not isinstance(
        areas.add_grid(session, act, parent_code=VILLAGE, code=code, name="第77网格", level="grid", kind="special"), Refusal
    )
    return intruders(session, community.book, clock, code)


def test_nothing_of_one_book_is_reached_from_another(app: Flask, community: Community, forms: Forms, strangers: list[Intruder]) -> None:
    before = everything(community.session, community.book)
    leaks, tried = reached(app, forms, strangers, frozenset({"api_areas.get_area"}))
    assert leaks == []
    assert everything(community.session, community.book) == before
    assert tried > 200


def test_nothing_of_others_is_reached_from_an_area_of_ones_own(
    app: Flask, community: Community, forms: Forms, neighbours: list[Intruder]
) -> None:
    before = everything(community.session, community.book)
    leaks, tried = reached(app, forms, neighbours, OPEN_WITHIN_THE_BOOK | {"api_areas.get_area"})
    assert leaks == []
    changed = {table for table, was in before.items() if everything(community.session, community.book)[table] != was}
    assert changed <= {"sign_up"}
    assert tried > 200


@pytest.mark.parametrize("from_", ["another book", "another area"])
def test_no_list_shows_what_is_not_theirs(
    app: Flask, community: Community, forms: Forms, request: pytest.FixtureRequest, from_: str
) -> None:  # fmt: skip
    found: list[Intruder] = request.getfixturevalue("strangers" if from_ == "another book" else "neighbours")
    kept = ["person", "claim", "redemption", "card", "mandate", "device", "entry"]
    kept += ["activity", "offer", "unit", "till", "team", "fund"] if from_ == "another book" else []
    foreign = {one for table in kept for one in ids_of(community, table)}
    # Who hosts an activity is told wherever it is.
    foreign -= ids_of(community, "activity", "host_id") if from_ == "another area" else set()
    community.session.rollback()  # on SQLite whoever reads holds the lock
    own = {one for who in found for one in own_ids(app, who)}
    leaks, asked = [], 0
    for rule in app.url_map.iter_rules():
        declared = rule_of(rule.endpoint, app) if rule.endpoint != "static" else None
        if declared is None or declared.public or rule.arguments or "GET" not in (rule.methods or set()):
            continue
        for who in found:
            if declared.roles and who.role not in declared.roles:
                continue
            asked += 1
            text = words_of(ask(app, forms, rule, "GET", who).get_data())
            shown = {one for one in foreign - own if one in text or one.replace("-", "") in text}
            leaks += [f"{rule.rule} as {who.role}: {one}" for one in sorted(shown)[:1]]
    assert leaks == []
    assert asked > 100


def words_of(raw: bytes) -> str:
    """What stands in an answer, also in a sheet of Excel."""
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            return "".join(packed.read(name).decode("latin-1") for name in packed.namelist())
    return raw.decode("latin-1")


def own_ids(app: Flask, who: Intruder) -> set[str]:
    told = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {who.bearer}"}).get_json()
    return {told["id"]}
