"""How a resource of the API is declared: what it takes, what it answers, and the OpenAPI 3.1 document that follows from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from functools import partial
from functools import wraps
from typing import Any
from typing import TypeVar

import flask_smorest
from flask import Flask
from flask import Request
from flask import Response
from flask import jsonify
from flask import request
from marshmallow import EXCLUDE
from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import RequestEntityTooLarge

from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.auth import allow
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import personal_in
from ledger.web.kit.gathered import Run
from ledger.web.kit.gathered import gathered_write
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.problems import on_http_error
from ledger.web.kit.writing import api_write
from ledger.web.kit.writing import checked_key
from ledger.web.kit.writing import refused

View = TypeVar("View", bound=Callable[..., Any])
#: What a write tells besides what is kept: the schema of both together, and what makes it of what is kept.
Told = tuple[type[Schema], Callable[[dict[str, Any]], dict[str, Any]]]
#: Room for a set of 500 deeds, each told in a few lines.
BODY_BYTES_MAX = 2 * 1024 * 1024
PREFIX = "/api/v1"


class Problem(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True, metadata={"description": "Stable: /problems/<code>"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What to do, in the language that was asked for"})
    messages = fields.Dict(metadata={"description": "The same in both languages: zh, en"})
    field = fields.String(metadata={"description": "What it is about"})
    errors = fields.List(fields.Dict(), metadata={"description": "One for each field"})
    data = fields.Dict()


class StrictJson(Request):
    """A request of moderate size; its JSON is one object, without duplicate keys, NaN or lone surrogates."""

    def _load_form_data(self) -> None:
        # What the framework asks of the parts of a form with files, and of no other form.
        if self.mimetype == "application/x-www-form-urlencoded" and (self.content_length or 0) > (self.max_form_memory_size or 0):
            raise RequestEntityTooLarge
        super()._load_form_data()

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Say that the body is malformed."""
        raise Invalid("body-malformed", "body")

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the body, read once."""
        if not self.is_json:
            return super().get_json(force=force, silent=silent, cache=cache)
        if "strict_json" not in self.__dict__:
            self.__dict__["strict_json"] = _parsed(self.get_data())
        return self.__dict__["strict_json"]


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > BODY_BYTES_MAX:
        raise Invalid("too-large", "body")
    try:
        parsed = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse, parse_float=_finite)
        json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Invalid("body-malformed", "body") from None
    if not isinstance(parsed, dict):
        raise Invalid("body-malformed", "body")
    return parsed


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("duplicate keys")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    if (number := float(text)) in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return number


def _refuse_nulls() -> None:
    # No row has one in its key, and PostgreSQL takes none even to compare with.
    if "\x00" in request.path or b"%00" in request.query_string:
        raise NotFound("address")


class Parser(FlaskParser):
    """Takes nothing that was not asked for, in the body or in the address."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE, "json": RAISE, "headers": EXCLUDE}  # noqa: RUF012

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the body as `StrictJson` reads it: once, and the same for what is checked and for what is remembered."""
        return req.get_json() if req.is_json else missing


class Resource(flask_smorest.Blueprint):
    """A resource: reads and writes under /api/v1, each with its schemas."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(f"api_{name}", import_name, url_prefix=PREFIX, description=description)

    def reads(
        self, rule: str, out: type[Schema], *, query: type[Schema] | None = None, paged: bool = False
    ) -> Callable[[View], View]:  # fmt: skip
        """Declare a GET: `query` names what the address may carry; a paged one answers {items, next}."""

        def declare(view: View) -> View:
            schema = _page_of(out) if paged else out
            inner = self.response(200, schema)(_refusals_as_problems(view))
            wanted = query or (PageQuery if paged else None)
            if wanted:
                inner = self.arguments(wanted, location="query")(inner)
            return self._declare(rule, "GET", view, inner)

        return declare

    def writes(
        self, rule: str, takes: type[Schema], out: type[Schema], *, status: int = 200, method: str = "POST", told: Told | None = None
    ) -> Callable[[View], View]:  # fmt: skip
        """Declare a write under an Idempotency-Key: it takes a body of `takes` and answers `out`.

        The answer is kept for ever, so nothing personal may be in it. `told` (schema, function) adds what must not be kept, each time anew.
        """
        _keep_nothing_personal(rule, out)
        shown, add = told or (out, None)

        def declare(view: View) -> View:
            inner = self.response(status, shown)(api_write(_dumped(view, out, status), add))
            inner = _json_only(self.arguments(takes, location="json")(inner))
            inner = self.doc(parameters=[_KEY])(inner)
            return self._declare(rule, method, view, inner)

        return declare

    def takes(self, rule: str, takes: type[Schema], out: type[Schema], *, status: int = 202) -> Callable[[View], View]:
        """Declare a write that is open to everybody: nobody's requests are kept, so the view makes of its key what is done once."""
        _keep_nothing_personal(rule, out)

        def declare(view: View) -> View:
            inner = self.response(status, out)(_keyed(_refusals_as_problems(view)))
            inner = _json_only(self.arguments(takes, location="json")(inner))
            inner = self.doc(parameters=[_KEY])(inner)
            return self._declare(rule, "POST", view, inner)

        return declare

    def gathers(
        self, rule: str, takes: type[Schema], out: type[Schema], *, run: Run, status: int = 200
    ) -> Callable[[View], View]:  # fmt: skip
        """Declare a write whose concurrent requests share a transaction: the view returns how a command is made of an act."""
        _keep_nothing_personal(rule, out)

        def declare(view: View) -> View:
            inner = self.response(status, out)(gathered_write(run, out, status)(view))
            inner = _json_only(self.arguments(takes, location="json")(inner))
            inner = self.doc(parameters=[_KEY])(inner)
            return self._declare(rule, "POST", view, inner)

        return declare

    def _declare(self, rule: str, method: str, view: View, inner: Any) -> View:
        for status in _ALWAYS | (_WRITES if method != "GET" else {}):
            inner = self.alt_response(status, response=f"Problem{status}")(inner)
        # Looked for on the finished view, by the check of every request and by the tests.
        inner.access_rule = view.access_rule  # type: ignore[attr-defined]
        if view.access_rule.public:  # type: ignore[attr-defined]
            inner = self.doc(security=[])(inner)
            inner.access_rule = view.access_rule  # type: ignore[attr-defined]
        named = [
            {"in": "path", "name": name, "description": _PLACES.get(name, f"The {name.removesuffix('_id')}'s id")}
            for name in re.findall(r"<(?:\w+:)?(\w+)>", rule)
        ]
        self.route(rule, methods=[method], parameters=named)(inner)
        return view


#: What of an address is no id.
_PLACES = {"code": "The code, as it was scanned or typed", "number": "The number of the line"}


_ALWAYS = {
    400: "malformed",
    401: "not signed in",
    403: "not allowed",
    404: "not found",
    409: "refused by the rules, or busy",
    410: "too late",
    422: "invalid input",
    429: "too many requests",
    503: "busy",
}
_WRITES = {413: "too large", 415: "not JSON"}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Made once for each intent; the same key gets the same answer for ever.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


_ABOUT = """Deeds, points and what they are spent on; docs/api.md has examples.

**Writing.** Every write carries an `Idempotency-Key`, made once for each intent. Sent again with the same key and body, it is done once:
the answer is the first one, for ever, and says `Idempotency-Replayed: true`. The same key with another body is refused with 422. A refusal
by the rules (403, 404, 409, 410) is an answer and is kept; malformed input (400, 422) leaves nothing behind, so its key stays free.

**Trying again.** After a time-out, or 409 `busy`, 429 and 503, send the same with the same key; `Retry-After` says after how many seconds.

**Lists** come a page at a time: `items`, and `next`, which is the `cursor` of the page after; null ends the list.

**Problems** are RFC 9457 bodies: `type` is `/problems/<code>` and stays; `messages` says what to do, in Chinese and in English."""


@cache
def _page_of(out: type[Schema]) -> type[Schema]:
    return Shape.from_dict(
        {"items": fields.List(fields.Nested(out), required=True), "next": fields.String(allow_none=True, required=True)},
        name=f"{out.__name__}Page",
    )


def _refusals_as_problems(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        outcome = view(*args, **kwargs)
        return refused(outcome) if isinstance(outcome, Refusal) else outcome

    return answer


def _keyed(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        return view(*args, key=checked_key(), **kwargs)

    return answer


def _dumped(view: Callable[..., Any], out: type[Schema], status: int) -> Callable[..., Response]:
    schema = out()

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        outcome = view(*args, **kwargs)
        if isinstance(outcome, Refusal):
            return refused(outcome)
        response = jsonify(schema.dump(outcome))
        response.status_code = status
        return response

    return answer


def _keep_nothing_personal(rule: str, out: type[Schema]) -> None:
    assert not personal_in(out), f"{rule}: answers of writes are kept for ever; read this instead: {', '.join(personal_in(out))}"


def _json_only(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def check(*args: Any, **kwargs: Any) -> Response:
        if not request.is_json:
            raise Invalid("media-type-unsupported", "Content-Type")
        return view(*args, **kwargs)

    return check


class Api(flask_smorest.Api):
    """The API as a whole: its document, and its errors as problem+json."""

    ERROR_SCHEMA = Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer an HTTP error: a page to people, problem+json to the API."""
        return on_http_error(error)


def init(app: Flask) -> Api:
    """Make the API of `app`; its document is public at /api/v1/openapi.json."""
    app.request_class = StrictJson
    app.before_request(_refuse_nulls)
    app.extensions["gates"] = {}
    app.config |= {
        "API_TITLE": "Good-Deed Passbook 善行存折",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": PREFIX,
        "OPENAPI_JSON_PATH": "openapi.json",
        "MAX_CONTENT_LENGTH": 10 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 512 * 1024,
    }
    bearer = {"type": "http", "scheme": "bearer", "description": "A token issued by `flask ledger people token`."}
    # What people read is written as they write it.
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    security = {"components": {"securitySchemes": {"bearer": bearer}}, "security": [{"bearer": []}]}
    api = Api(app, spec_kwargs=security | {"info": {"description": _ABOUT}})
    for status, about in (_ALWAYS | _WRITES).items():
        shown = {"description": about, "content": {"application/problem+json": {"schema": Problem}}}
        api.spec.components.response(f"Problem{status}", shown)
    document: Any = app.view_functions["api-docs.openapi_json"]
    app.view_functions["api-docs.openapi_json"] = allow(public=True)(partial(document))
    return api
