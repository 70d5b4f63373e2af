"""Malformed input, at every door of the API: each field of each operation in the document is given what it cannot take.

Built from the OpenAPI document, so a new route is covered by being there. What is wrong is told by its type, a field, and both languages.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from ledger.ids import new_id
from ledger.web.kit.auth import allow
from ledger.web.kit.problems import PROBLEMS
from tests.house.conftest import Community

pytestmark = pytest.mark.walk("postgresql")

Schema = dict[str, Any]
Send = Callable[..., TestResponse]

#: Characters that no text of people has, and one that no database takes.
ODD = "a\x00b"
HUGE = "善" * 10_000


class Document:
    """The OpenAPI document, its references followed."""

    def __init__(self, raw: Schema) -> None:
        self.raw = raw

    def follow(self, schema: Schema) -> Schema:
        """Return what a schema says, also where it only refers to another."""
        for chosen in [*schema.get("allOf", []), *schema.get("anyOf", [])]:
            if chosen != {"type": "null"}:
                return {"nullable": {"type": "null"} in schema.get("anyOf", []), **self.follow(chosen)}
        if "$ref" not in schema:
            return schema
        found = self.raw
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self.follow(found)

    def writes(self) -> Iterator[tuple[str, str, Schema]]:
        """Every write: its method, its path, and what it takes."""
        for path, item in self.raw["paths"].items():
            for method in {"post", "put", "patch", "delete"} & item.keys():
                yield method, path, self.follow(item[method]["requestBody"]["content"]["application/json"]["schema"])

    def reads(self) -> Iterator[tuple[str, dict[str, bool]]]:
        """Every read: its path, and what the address may carry or has to."""
        for path, item in self.raw["paths"].items():
            if "get" in item:
                taken = [*item["get"].get("parameters", []), *item.get("parameters", [])]
                yield path, {one["name"]: one["required"] for one in taken if one["in"] == "query"}


def kinds(schema: Schema) -> set[str]:
    """The types a schema allows."""
    named = schema.get("type", [])
    return {*([named] if isinstance(named, str) else named), *(["null"] if schema.get("nullable") else [])}


def a_picture() -> str:
    """The smallest photo, as the API takes it."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "JPEG")
    return base64.b64encode(picture.getvalue()).decode()


PICTURE = a_picture()


class Forms:
    """Values right and wrong in form, for each field of the document."""

    def __init__(self, document: Document, known: dict[str, list[str]]) -> None:
        self.document, self.known = document, known

    def right(self, schema: Schema, name: str = "") -> Any:
        """A value of the form that the document asks for."""
        schema = self.document.follow(schema)
        if "enum" in schema:
            return schema["enum"][0]
        if "object" in kinds(schema):
            return {key: self.right(below, key) for key, below in schema.get("properties", {}).items()}
        if "array" in kinds(schema):
            return [self.right(schema["items"], name)]
        if name in self.known:
            return self.known[name][0]
        by_format = {"uuid": str(new_id()), "date": "2026-11-20", "date-time": "2026-11-20T09:00:00+08:00", "byte": PICTURE}
        if "pattern" in schema:
            return "x1"
        by_kind = {"integer": schema.get("minimum", 1), "boolean": True, "string": "甲" * max(1, schema.get("minLength", 1))}
        return by_format.get(schema.get("format", "")) or next(value for kind, value in by_kind.items() if kind in kinds(schema))

    def wrong_bodies(self, takes: Schema) -> Iterator[tuple[str, Schema]]:
        """Every object that is right but for one field, with the field."""
        yield from ((place.removeprefix("."), value) for place, value in self.wrong(takes) if isinstance(value, dict))

    def wrong(self, schema: Schema, name: str = "") -> Iterator[tuple[str, Any]]:
        """Everything a field cannot take, with where in it: nothing, other types, what is too little or too much."""
        schema = self.document.follow(schema)
        if "null" not in kinds(schema):
            yield "", None
        if "object" in kinds(schema):
            yield from (("", value) for value in ("x", 1, True))
            yield from self._wrong_parts(schema)
        elif "array" in kinds(schema):
            yield from (("", value) for value in ("x", {}, 1, True, *([[]] if schema.get("minItems") else [])))
            yield "", [self.right(schema["items"], name)] * (schema["maxItems"] + 1)
            yield from ((f".0{place}", [value]) for place, value in self.wrong(schema["items"], name))
        else:
            yield from (("", value) for value in self._wrong_plain(schema))

    def _wrong_parts(self, schema: Schema) -> Iterator[tuple[str, Any]]:
        whole = self.right(schema)
        yield ".not_a_field", whole | {"not_a_field": 1}
        for name, below in schema["properties"].items():
            yield from ((f".{name}{place}", whole | {name: value}) for place, value in self.wrong(below, name))
        for name in schema.get("required", []):
            yield f".{name}", {key: value for key, value in whole.items() if key != name}

    def _wrong_plain(self, schema: Schema) -> Iterator[Any]:
        if "integer" in kinds(schema):
            yield from ("1", "１", "", 1.5, True, [1], {}, -1, 2**63, 10**400, schema["minimum"] - 1, schema["maximum"] + 1)
        elif "boolean" in kinds(schema):
            yield from ("true", "yes", "", 1, 0, [], {})
        elif "enum" in schema:
            yield from ("", "?", schema["enum"][0].upper(), f"{schema['enum'][0]} ", 1, True, [schema["enum"][0]], {}, HUGE)
        elif schema.get("format") == "uuid":
            yield from ("", "x", "-" * 36, "0" * 36, str(new_id()).replace("-", ""), f"{{{new_id()}}}", 1, True, [str(new_id())], HUGE)
        elif schema.get("format") == "date":
            yield from ("", "2026-02-30", "2026-2-3", "20261123", "２０２６-11-23", "1899-12-31", "9999-12-31", 20261123, True, [], HUGE)
        elif schema.get("format") == "date-time":
            yield from ("", "x", "2026-11-23T09:00:00", "2026-11-23", "0001-01-01T00:00:00+23:59", 1_795_000_000, True, {}, HUGE)
        else:
            assert "string" in kinds(schema), schema
            yield from (1, True, [], {}, ODD, HUGE, *(["", " "] if schema.get("minLength") or "pattern" in schema else []))


@pytest.fixture
def document(app: Flask) -> Document:
    return Document(app.test_client().get("/api/v1/openapi.json").get_json())


@pytest.fixture
def forms(document: Document, community: Community) -> Forms:
    return Forms(document, community.known())


@pytest.fixture
def send(app: Flask, community: Community) -> Send:
    """A way to ask as somebody who may do everything, each time under a new key."""
    community.make_owner_of_everything("owner")
    token, known = community.token("owner"), community.known()

    def ask(method: str, path: str, *, key: str | None = "", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"} | more.pop("headers", {})
        if method == "post" and key is not None:
            headers["Idempotency-Key"] = key or str(new_id())
        address = re.sub(r"{(\w+)}", lambda part: known.get(part[1], ["x"])[0], path)
        return app.test_client().open(address, method=method, headers=headers, **more)

    return ask


def amiss(answer: TestResponse, about: str, field: str, code: str | None = None) -> list[str]:
    """Return what is wrong with the answer to bad input, if anything."""
    if answer.content_type.partition(";")[0] != "application/problem+json":
        return [f"{about}: answered {answer.status_code} {answer.text[:200]}"]
    told = json.loads(answer.text)
    named = told["type"].removeprefix("/problems/")
    errors = told.get("errors", [])
    is_as_promised = (
        PROBLEMS[named].status == answer.status_code == told["status"]
        and 400 <= answer.status_code < 500
        and told["detail"] == told["messages"]["en"]
        and all(said["messages"]["zh"] and said["messages"]["en"] for said in (told, *errors))
        and all(error["code"] in PROBLEMS for error in errors)
        and told.get("field") == field
        and named == (code or named)
    )
    return [] if is_as_promised else [f"{about}: {told}"]


@pytest.mark.parametrize(
    ("status", "changed"),
    [
        (200, {}),
        (500, {}),
        (422, {"field": "points"}),
        (422, {"detail": "x"}),
        (422, {"type": "/problems/not-found"}),
        (422, {"messages": {"zh": "", "en": ""}}),
    ],
)
def test_an_answer_that_tells_it_wrongly_is_found(
    app: Flask, monkeypatch: pytest.MonkeyPatch, status: int, changed: Schema
) -> None:  # fmt: skip
    said = PROBLEMS["name-malformed"]
    right = {
        "type": "/problems/name-malformed",
        "status": 422,
        "detail": said.en,
        "messages": {"zh": said.zh, "en": said.en},
        "field": "name",
    }
    for body, code, is_amiss in ((right, 422, False), (right | changed, status, True)):
        told = allow(public=True)(lambda body=body, code=code: (json.dumps(body), code, {"Content-Type": "application/problem+json"}))
        monkeypatch.setitem(app.view_functions, "public.health", told)
        assert bool(amiss(app.test_client().get("/healthz"), "", "name")) is is_amiss


def test_every_field_of_every_write_says_what_it_cannot_take(document: Document, forms: Forms, send: Send) -> None:
    found, asked = [], 0
    for method, path, takes in document.writes():
        for place, body in forms.wrong_bodies(takes):
            asked += 1
            found += amiss(send(method, path, json=body), f"{path} {str(body)[:200]}", place)
    assert found == []
    assert asked > 500


RAW = {
    "nothing": b"",
    "half": b"{",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"points": NaN}',
    "infinity": b'{"points": -Infinity}',
    "1e400": b'{"points": 1e400}',
    "a key twice": b'{"points": 1, "points": 1}',
    "half a character": b'{"name": "\\ud800"}',
    "not UTF-8": b'{"name": "\xff"}',
    "another encoding": '{"name": "善"}'.encode("gb18030"),
    "a null byte": b'{"name": "\x00"}',
    "a null byte behind": b"{}\x00",
    "two": b"{}{}",
    "an abyss": b'{"a":' * 100_000,
    "a mark of order": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
}
OTHER_TYPES = (None, "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
MIB = 1024 * 1024


def test_every_write_takes_one_plain_json_object_and_nothing_else(document: Document, send: Send) -> None:
    found = []
    for method, path, _ in document.writes():
        for name, raw in RAW.items():
            answer = send(method, path, data=raw, content_type="application/json")
            found += amiss(answer, f"{path} {name}", "body", "body-malformed")
        for content_type in OTHER_TYPES:
            answer = send(method, path, data=b"{}", content_type=content_type)
            found += amiss(answer, f"{path} {content_type}", "Content-Type", "media-type-unsupported")
        answer = send(method, path, data=b" " * (2 * MIB) + b"{}", content_type="application/json")
        found += amiss(answer, f"{path} 2 MiB", "body", "too-large")
    assert found == []


def test_a_body_of_many_mib_is_refused_before_it_is_read(document: Document, send: Send) -> None:
    method, path, _ = next(document.writes())
    for size in (10 * MIB, 11 * MIB):
        answer = send(method, path, data=b" " * size + b"{}", content_type="application/json")
        assert amiss(answer, path, "body", "too-large") == []


def test_every_write_asks_for_a_key_that_can_be_kept(document: Document, forms: Forms, send: Send) -> None:
    found = []
    for method, path, takes in document.writes():
        right = forms.right(takes)
        found += amiss(send(method, path, key=None, json=right), path, "Idempotency-Key", "idempotency-key-missing")
        for key in ("x" * 256, "two words", "\xe9"):
            answer = send(method, path, key=key, json=right)
            found += amiss(answer, f"{path} {key}", "Idempotency-Key", "idempotency-key-malformed")
    assert found == []


def a_cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


CURSORS = (
    *("", "x", "é", "善", "====", "W10", "bnVsbA"),
    *(a_cursor(part) for part in (None, ODD, "\ud800", 2**80, -1, True, [1], {}, 1.5)),
    a_cursor("a", "b", "c"),
    a_cursor("2026-11-23T09:00:00", str(new_id())),
    base64.urlsafe_b64encode(b"[" * 20_000).decode(),
)
LIMITS = ("", "0", "-1", "101", "1.0", "１", "true", " 1", "NaN", "9" * 30)
#: What may stand anywhere in an address: nobody may get an error of ours for it.
ODD_IN_ADDRESSES = (
    "",
    " ",
    "x",
    "善",
    "１",
    ODD,
    "\x7f",
    "%",
    "../..",
    "2026-13-01",
    "-1",
    str(2**63),
    "x" * 3000,
    *(a_cursor("9" * many) for many in (30, 5000)),
)


def test_every_list_says_which_part_of_its_address_it_cannot_take(document: Document, forms: Forms, send: Send) -> None:
    found, pages = [], 0
    for path, takes in document.reads():
        right = {name: forms.known[name][0] for name, is_required in takes.items() if is_required}
        if takes:
            found += amiss(send("get", path, query_string=right | {"not_a_field": 1}), path, "not_a_field")
        if "limit" in takes:
            pages += 1
            for limit in LIMITS:
                found += amiss(send("get", path, query_string=right | {"limit": limit}), f"{path} {limit}", "limit")
            for cursor in CURSORS:
                answer = send("get", path, query_string=right | {"cursor": cursor})
                is_of_others = "{" in path and answer.status_code == 404
                found += [] if is_of_others else amiss(answer, f"{path} {cursor[:50]}", "cursor", "cursor-malformed")
    assert found == []
    assert pages > 5


def test_nothing_odd_in_an_address_is_an_error_of_ours(document: Document, send: Send) -> None:
    found = []
    for path, takes in document.reads():
        for odd in ODD_IN_ADDRESSES:
            answers = [send("get", path, query_string={name: odd}) for name in takes]
            if "{" in path:
                answers.append(send("get", re.sub(r"{\w+}", quote(odd, safe=""), path)))
            found += [f"{path} {odd[:20]}: {answer.status_code}" for answer in answers if answer.status_code >= 500]
    assert found == []
