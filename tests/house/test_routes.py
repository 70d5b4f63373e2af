"""Who gets through which door: every route of the URL map, asked as every role and as nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from ledger import people
from ledger import sign_in
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.web.kit.auth import SESSION_COOKIE
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import rule_of
from ledger.web.kit.problems import PROBLEMS
from redeem import library
from redeem import merchants
from scripts.demo.cast import COUNTY
from tests.builders import VAULT
from tests.house.conftest import Community

pytestmark = pytest.mark.walk("sqlite")

#: Credentials by role, for pages and for the API; nobody has none.
Actors = dict[str, tuple[str, str]]
NOBODY = "nobody"


@pytest.fixture
def actors(community: Community) -> Actors:
    """Nine who may each do one thing only, and one who may do nothing."""
    return {role: _credentials(community, _one_of(community, role)) for role in (*people.ROLES, "none of them")} | {NOBODY: ("", "")}


def _one_of(community: Community, role: str) -> UUID:
    session, act = community.session, community.stage.act()
    in_areas = (role,) if role in set(people.ROLES) - people.SHOP_ROLES else ()
    person = people.enrol(session, act, VAULT, people.NewPerson(f"丁{role}", COUNTY, roles=in_areas))
    assert not isinstance(person, Refusal)
    if role in people.SHOP_ROLES:
        (shop,) = library.units(session, community.book.id, colour="white")
        hired = merchants.hire(session, act, shop.id, person_id=person.id, role=role, starts_on=local_day(act.at, community.book.zone))
        assert not isinstance(hired, Refusal)
    return person.id


def _credentials(community: Community, person_id: UUID) -> tuple[str, str]:
    session, stage, lives = community.session, community.stage, timedelta(days=1)
    opened = sign_in.open_session(session, community.book, person_id, "passkey", stage.now)
    (bearer,) = sign_in.issue_bearer(session, stage.act(), [person_id], lives=lives)
    session.commit()
    return opened, bearer


def doors(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route of the URL map with each of its methods."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            yield from ((rule, method) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def is_shut(answer: TestResponse, *, is_api: bool, role: str) -> bool:
    """Tell whether somebody was turned away at the door."""
    if role == NOBODY:
        return answer.status_code == 401 or (answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in?next="))
    says = "/problems/not-allowed" if is_api else PROBLEMS["not-allowed"].en
    return answer.status_code == 403 and says in answer.text


def knock(app: Flask, rule: Rule, method: str, credentials: tuple[str, str]) -> TestResponse:
    """Ask as little as can be asked at a door."""
    address = re.sub(r"<(?:(\w+)(?:\(.*?\))?:)?\w+>", lambda part: "1" if part[1] == "int" else str(new_id()), rule.rule)
    client, (session_token, bearer) = app.test_client(), credentials
    headers = {"Accept-Language": "en"}
    if not address.startswith("/api/"):
        client.set_cookie(SESSION_COOKIE, session_token)
        return client.open(address, method=method, headers=headers)
    headers |= {"Authorization": f"Bearer {bearer}", "Idempotency-Key": str(new_id())}
    return client.open(address, method=method, headers=headers, json=None if method == "GET" else {})


def wrongly_open_or_shut(app: Flask, actors: Actors) -> list[str]:
    """Return where somebody got through who should not, or did not who should."""
    found = []
    for rule, method in doors(app):
        declared = rule_of(rule.endpoint, app)
        assert declared is not None, rule.endpoint
        for role, credentials in actors.items():
            may = declared.public or (role != NOBODY and (not declared.roles or role in declared.roles))
            answer = knock(app, rule, method, credentials)
            if may == is_shut(answer, is_api=rule.rule.startswith("/api/"), role=role):
                found.append(f"{method} {rule.rule} as {role}: {answer.status_code}")
    return found


def test_each_door_opens_to_the_roles_it_names_and_to_nobody_else(app: Flask, actors: Actors) -> None:
    assert wrongly_open_or_shut(app, actors) == []


def test_a_credential_of_the_other_kind_opens_nothing(app: Flask, actors: Actors) -> None:
    session_token, bearer = actors["administrator"]
    for rule, method in doors(app):
        declared = rule_of(rule.endpoint, app)
        if declared and not declared.public:
            assert is_shut(knock(app, rule, method, (bearer, session_token)), is_api=False, role=NOBODY), rule.rule


def test_a_door_without_a_guard_is_found(app: Flask, actors: Actors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.before_request_funcs, None, [])
    found = wrongly_open_or_shut(app, {role: actors[role] for role in (NOBODY, "volunteer")})
    assert any(" as nobody" in one for one in found)
    assert any(" as volunteer" in one for one in found)


@pytest.mark.parametrize("path", ["/planted", "/api/v1/planted"])
@pytest.mark.own_app
def test_a_route_whose_rule_was_forgotten_is_found_and_never_served(app: Flask, client: FlaskClient, path: str) -> None:
    app.add_url_rule(path, "planted", lambda: "served")
    assert [rule.endpoint for rule, _ in doors(app) if rule_of(rule.endpoint, app) is None] == ["planted"]
    answer = client.get(path)
    assert (answer.status_code, "served" in answer.text) == (500, False)
    app.view_functions["planted"] = allow(public=True)(lambda: "served")
    assert client.get(path).text == "served"
