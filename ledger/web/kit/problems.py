"""The one table of what can be wrong: each stable code with its status and a sentence in both languages that a person can act on.

Bodies are RFC 9457 problem details. Refusals and errors of the domain carry a code and data; words for people are only here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import Any
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Flask
from flask import Response
from flask import g
from flask import has_request_context
from flask import render_template
from flask import request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from ledger.errors import DomainError
from ledger.errors import Refusal
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import language

log = logging.getLogger(__name__)


class Sentence(NamedTuple):
    """A status and what to say, with {placeholders} for the problem's data."""

    status: int
    zh: str
    en: str


PROBLEMS: dict[str, Sentence] = {
    # The edge
    "invalid-input": Sentence(422, "有内容填写不对，请看标出的项。", "Something was filled in wrongly; see the fields named."),
    "body-malformed": Sentence(400, "请求内容不是有效的 JSON 对象。", "The request's body is not a valid JSON object."),
    "not-signed-in": Sentence(
        401,
        "请先登录，再办一次；用接口的，请带有效的令牌（Authorization: Bearer …）。",
        "Please sign in, then do it once more; over the API, send a valid token (Authorization: Bearer …).",
    ),
    "not-allowed": Sentence(
        403, "您没有做这件事的权限；需要时请联系管理员。", "You are not allowed to do this; ask an administrator if you should be."
    ),
    "not-on-behalf": Sentence(
        403,
        "代办时不能做这件事；请先停止代办，或请本人来做。",
        "This cannot be done on somebody's behalf; stop acting for them, or let them do it.",
    ),
    "mandate-missing": Sentence(
        403,
        "您现在不能替这个人办事：没有这样的委托，或者已经到期、结束。",
        "You may not act for this person now: there is no such mandate, or it has run out or was ended.",
    ),
    "proof-needed": Sentence(
        403,
        "涉及钱、角色或导出的操作，要在五分钟内证明过是本人；请再验证一次。",
        "Money, roles and exports want a proof of who you are that is not older than five minutes; please prove it again.",
    ),
    "not-on-shared-device": Sentence(
        403,
        "在公用设备上不能改登录方式；请用自己的手机或电脑。",
        "Ways in are not changed on a device that others use too; use your own phone or computer.",
    ),
    "strong-way-in-needed": Sentence(
        403,
        "用一次性链接登录时不能办社区和商户的事；请先设置通行密钥，或密码加验证码，再用它登录。",
        "A one-time link opens nothing of the community's or a shop's work; set up a passkey, or password and codes, and sign in with that.",
    ),
    "form-expired": Sentence(403, "页面已过期，请重新打开再提交。", "This page has expired; open it again and submit once more."),
    "form-from-elsewhere": Sentence(
        403,
        "这个表单不是从本站的页面提交的，没有办理；请打开本站再提交。",
        "This form was not sent from a page of this service, so nothing was done; open the service itself and submit it there.",
    ),
    "not-found": Sentence(404, "没有找到；可能已删除，或不在您的范围内。", "Not found; it may be gone, or outside of what you may see."),
    "method-not-allowed": Sentence(405, "这个地址不支持这种操作。", "This address does not take this method."),
    "busy": Sentence(
        409,
        "同样的请求正在处理，请稍候用同一编号再试。",
        "The same request is being worked on; wait a moment and try again with the same key.",
    ),
    "too-large": Sentence(413, "内容太大，请缩小后再提交。", "That is too large; make it smaller and submit again."),
    "media-type-unsupported": Sentence(415, "请用 application/json 提交。", "Please send application/json."),
    "idempotency-key-missing": Sentence(400, "写操作必须带 Idempotency-Key。", "A write needs an Idempotency-Key header."),
    "idempotency-key-malformed": Sentence(
        400, "Idempotency-Key 应为 1 到 255 个可见字符。", "The Idempotency-Key must be 1 to 255 visible ASCII characters."
    ),
    "idempotency-key-reused": Sentence(
        422,
        "这个 Idempotency-Key 已用于另一个不同的请求，请换一个新的。",
        "This Idempotency-Key was used for a different request; make a new one.",
    ),
    "too-many-requests": Sentence(429, "操作太频繁，请稍后再试。", "Too many requests; please wait a little."),
    "failed": Sentence(
        500, "系统出错，没有做任何改动；请稍后再试。", "Something failed on our side and nothing was changed; please try again later."
    ),
    "unavailable": Sentence(
        503, "系统正忙，没有做任何改动；请稍后再试。", "The service is busy and nothing was changed; please try again shortly."
    ),
    "vault-cannot-open": Sentence(
        500, "个人信息无法解封，请联系管理员检查主密钥。", "Personal data could not be opened; an administrator must check the master key."
    ),
    # Single fields of a request
    "field-required": Sentence(422, "必填。", "This is required."),
    "field-unknown": Sentence(422, "不认识这一项。", "There is no such field."),
    "field-repeated": Sentence(422, "这一项给了两次，请只给一次。", "This was given twice; give it once."),
    "field-malformed": Sentence(422, "格式不对。", "This is not of the right form."),
    "amount-malformed": Sentence(422, "请填整数，最少是 1。", "Write a whole number, 1 or more."),
    "cash-malformed": Sentence(
        422, "金额应写成 2 或 2.50（元），不超过 {most} 元。", "Write the cash in yuan, like 2 or 2.50, no more than {most}."
    ),
    "number-out-of-range": Sentence(422, "应为 {least} 到 {most} 的整数。", "This must be a whole number from {least} to {most}."),
    "text-malformed": Sentence(
        422, "文字为空、太长或含有不能用的字符。", "This text is empty, too long, or has characters that cannot be used."
    ),
    "day-malformed": Sentence(422, "日期应写成 2026-11-23 这样。", "Write the day like 2026-11-23."),
    "month-malformed": Sentence(422, "月份应写成 2026-11 这样。", "Write the month like 2026-11."),
    "moment-malformed": Sentence(422, "时间应写成 2026-11-23T09:00:00+08:00 这样。", "Write the time like 2026-11-23T09:00:00+08:00."),
    "id-malformed": Sentence(422, "编号不对。", "This is not an id."),
    "choice-malformed": Sentence(422, "请从给出的选项中选一个。", "Choose one of those given."),
    "one-of-two": Sentence(422, "请给出 {one} 或 {other}，二者只给其一。", "Give {one} or {other}, and only one of the two."),
    "cursor-malformed": Sentence(422, "翻页标记不对，请从第一页开始。", "This cursor is not valid; start from the first page."),
    "time-malformed": Sentence(422, "时间不对，请按提示填写。", "This is not a time of day."),
    "nothing-chosen": Sentence(422, "请至少选一个。", "Choose at least one."),
    "too-many-chosen": Sentence(422, "一次最多 {most} 个，请分几次。", "At most {most} at a time; do the others afterwards."),
    "passbook-unknown": Sentence(422, "没有这些存折号：{numbers}。", "There are no such passbook numbers: {numbers}."),
}

#: A lock or a statement took longer than the database's patience.
TOO_SLOW = frozenset({"55P03", "57014"})

_BY_STATUS = {
    400: "body-malformed",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    409: "busy",
    413: "too-large",
    415: "media-type-unsupported",
    422: "invalid-input",
    429: "too-many-requests",
    503: "unavailable",
}


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def sentences(code: str, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the sentence of `code` in both languages, filled from `data`."""
    problem = PROBLEMS[code]
    plain = _Missing({key: _readable(value) for key, value in data.items()})
    return {"zh": problem.zh.format_map(plain), "en": problem.en.format_map(plain)}


def problem_body(
    code: str, field: str | None = None, data: Mapping[str, Any] | None = None, spoken: str | None = None
) -> dict[str, Any]:  # fmt: skip
    """Return the problem details of `code`, in the language of the request unless another is `spoken`."""
    said = sentences(code, data or {})
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": code.replace("-", " "),
        "status": PROBLEMS[code].status,
        "detail": said["en" if (spoken or language()) == "en" else "zh"],
        "messages": said,
    }
    if field:
        body["field"] = field
    return body | ({"data": {key: _plain(value) for key, value in data.items()}} if data else {})


def _readable(value: Any) -> Any:
    """Return a moment on the clock of the book that is asked, and everything else as it is."""
    if isinstance(value, datetime):
        who = g.get("me") if has_request_context() else None
        return f"{value.astimezone(ZoneInfo(who.zone) if who else UTC):%Y-%m-%d %H:%M:%S}"
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int | str | list | dict) else str(value)


def problem_response(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return `body` (see `problem_body`) as an application/problem+json response."""
    say(body)
    response = Response(json.dumps(body, ensure_ascii=False), body["status"], content_type="application/problem+json; charset=utf-8")
    response.headers.extend(dict(headers or {}))
    if body["status"] in {409, 429, 503} and "Retry-After" not in response.headers and body["type"].endswith(("busy", "unavailable")):
        response.headers["Retry-After"] = "2"
    if body["status"] == 429 and isinstance(seconds := body.get("data", {}).get("retry_after"), int):
        response.headers["Retry-After"] = str(seconds)
    return response


def code_of(body: Mapping[str, Any]) -> str:
    """Return the code of problem details."""
    return str(body["type"]).rpartition("/")[2]


def say(body: Mapping[str, Any]) -> None:
    """Keep what the request is answered with, for the audit log."""
    if has_request_context():
        g.problem_code = code_of(body)


def body_of(problem: Refusal | DomainError, spoken: str | None = None) -> dict[str, Any]:
    """Return the problem details of a refusal or an error of the domain."""
    return problem_body(problem.code, problem.field, problem.data, spoken)


def is_api() -> bool:
    """Tell whether the request wants problem+json rather than a page."""
    return request.path.startswith("/api/")


def show(body: Mapping[str, Any]) -> Response:
    """Answer with a problem, as JSON to the API and as a page to people."""
    if is_api():
        return problem_response(body)
    say(body)
    response = Response(render_template("errors/problem.html", said=body), body["status"])
    if body["status"] == 503:
        response.headers["Retry-After"] = "2"
    if body["status"] == 429 and isinstance(seconds := body.get("data", {}).get("retry_after"), int):
        response.headers["Retry-After"] = str(seconds)
    return response


def on_domain_error(error: DomainError) -> Response:
    """Roll back and answer with what was wrong."""
    db.session.rollback()
    if error.code == "vault-cannot-open":
        log.error("the vault cannot be opened: wrong master key, or tampered rows")
    return show(body_of(error))


def on_http_error(error: HTTPException) -> Response:
    """Answer an HTTP error, also those the framework raises, as a problem."""
    db.session.rollback()
    if error.code is not None and error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    code = _BY_STATUS.get(error.code or 500, "failed" if (error.code or 500) >= 500 else "invalid-input")
    body = problem_body(code, "body" if code == "too-large" else None)
    messages = getattr(error, "data", {}).get("messages")
    if code == "invalid-input" and messages:
        body["errors"] = list(_errors(messages))
        body["field"] = body["errors"][0]["field"]
    if code == "invalid-input":
        body["status"] = 422
    response = show(body)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def on_any_error(error: Exception) -> Response:
    """Roll back, write down what happened, and say that nothing was changed."""
    db.session.rollback()
    log.error("unexpected error", exc_info=error)
    return show(problem_body("failed"))


def init(app: Flask, more: Mapping[str, Sentence]) -> None:
    """Answer whatever goes wrong in `app` as a problem; `more` are those of another package. A code means one thing."""
    assert not more.keys() & PROBLEMS.keys() or all(PROBLEMS[code] == more[code] for code in more), "a code is defined twice"
    PROBLEMS.update(more)
    app.register_error_handler(DomainError, on_domain_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(DBAPIError, on_database_error)
    app.register_error_handler(Exception, on_any_error)


def on_database_error(error: DBAPIError) -> Response:
    """Say that the database is busy where it is; anything else it says is unexpected."""
    db.session.rollback()
    if getattr(error.orig, "sqlstate", None) in TOO_SLOW or "database is locked" in str(error.orig) or error.connection_invalidated:
        log.warning("the database did not answer in time: %s", type(error.orig).__name__)
        return show(problem_body("unavailable"))
    return on_any_error(error)


def _errors(messages: Any, path: str = "") -> Any:
    """Yield one problem for each field, from marshmallow's nested messages."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            place = path if key in {"json", "query", "_schema"} else f"{path}.{key}" if path else str(key)
            yield from _errors(below, place)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        # Our own fields say a code, with its data behind a bar; marshmallow's own sentences are mapped.
        code, _, data = str(message).partition("|")
        code = code if code in PROBLEMS else _MARSHMALLOW.get(code, "field-malformed")
        yield {"field": path or "body", "code": code, "messages": sentences(code, json.loads(data) if data else {})}


_MARSHMALLOW = {
    "Missing data for required field.": "field-required",
    "Unknown field.": "field-unknown",
    "Field may not be null.": "field-required",
}
