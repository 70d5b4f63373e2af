"""The edge, seen from outside: who is let in, what is malformed, and that every route has a rule."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields
from sqlalchemy.orm import Session

from ledger import sign_in
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import rule_of
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import personal_in
from tests.builders import a_book
from tests.builders import a_person
from tests.builders import an_act


def test_the_service_says_that_it_is_up(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_every_route_declares_who_it_is_for(app: Flask) -> None:
    undeclared = [rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint != "static" and rule_of(rule.endpoint, app) is None]
    assert undeclared == []


class Told(Shape):
    words = Personal()


class Item(Shape):
    told = fields.List(fields.Nested(Told))


class Answer(Shape):
    id = fields.String()
    items = fields.List(fields.Nested(Item))


def test_no_write_can_be_declared_whose_kept_answer_holds_what_people_tell() -> None:
    resource = Resource("x", __name__, "")
    for out in (Told, Item, Answer):
        for declare in (resource.writes, partial(resource.gathers, run=list)):
            with pytest.raises(AssertionError, match="words"):
                declare("/x", Nothing, out)
    assert personal_in(Answer) == ["items.told.words"]
    resource.reads("/x", Answer)


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/book"])
def test_a_stranger_is_told_to_sign_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer.content_type.startswith("application/problem+json")
    assert answer.get_json(force=True)["type"] == "/problems/not-signed-in"


def test_the_document_is_public(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    assert "/api/v1/me" in document["paths"]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "1", '{"a": NaN}', '{"a": 1e400}', '{"name": "x", "name": "x"}', '{"name": "\\ud800"}', '{"a": ' + "[" * 100_000],
)
def test_a_body_is_one_object_of_plain_json(client: FlaskClient, session: Session, body: str) -> None:
    book = a_book(session)
    token = sign_in.issue_bearer(session, an_act(book), [a_person(session, book, "grid_worker").id], lives=timedelta(days=1))[0]
    session.commit()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
    answer = client.post("/api/v1/people", data=body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (400, "/problems/body-malformed")


def test_the_document_says_how_to_write_and_try_again_and_describes_every_parameter(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json(force=True)
    for word in ("Idempotency-Key", "Idempotency-Replayed", "Retry-After", "cursor"):
        assert word in document["info"]["description"]
    bare = [
        (path, parameter["name"])
        for path, item in document["paths"].items()
        for operation in item.values()
        for parameter in [*item.get("parameters", []), *(operation.get("parameters", []) if isinstance(operation, dict) else [])]
        if not parameter.get("description")
    ]
    assert bare == []
