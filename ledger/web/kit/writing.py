"""Every write of the edge, API or page: claimed under its key, carried out, answered and committed in one transaction, or not at all.

The edge owns the transaction: a view that returns commits, also when it returns a Refusal; one that raises rolls back and leaves no trace.
The same key gets the same answer for ever (law 5 of the book).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any
from typing import NamedTuple
from typing import TypeVar

from flask import Response
from flask import current_app
from flask import g
from flask import jsonify
from flask import redirect
from flask import request
from sqlalchemy.exc import DBAPIError

from ledger import audit
from ledger import journal
from ledger import sign_in
from ledger.act import Act
from ledger.errors import Conflict
from ledger.errors import DomainError
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.web.kit.auth import ProofNeededError
from ledger.web.kit.auth import me
from ledger.web.kit.auth import use_is_noted
from ledger.web.kit.auth import use_to_note
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import end_writing
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import TOO_SLOW
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import problem_response
from ledger.web.kit.problems import say
from ledger.web.kit.problems import show
from ledger.web.kit.trail import is_recorded
from ledger.web.kit.trail import trace

Result = TypeVar("Result")

log = logging.getLogger(__name__)

KEY_LENGTH_MAX = 255
#: Proofs in a body, as fields that begin with `_` are in a form: no part of what is asked, nor of any hash that is kept.
UNKEPT = frozenset({"pin"})
_TRIES = 3
#: Serialization failure, deadlock, and a server that went away: nothing was done, the same key may try again.
_TRY_AGAIN = frozenset({"40001", "40P01", "57P01", "57P02", "57P03", "08000", "08003", "08006"})


class InputHashes(NamedTuple):
    """What is asked, as it is kept today, and as it was under a pepper that is being changed."""

    today: bytes
    former: tuple[bytes, ...]


class Reply(NamedTuple):
    """What a request is answered with, as it is stored."""

    status: int
    body: Any


def act() -> Act:
    """Return the act of the write that is under way."""
    found: Act = g.act
    return found


def carry_out(key: str, work: Callable[[], Reply]) -> tuple[Reply, bool]:
    """Do `work` once under `key` and commit; return the reply, and whether it was given before."""
    asked = input_hashes()
    try:
        return patiently(lambda: _carry_out(key, asked, work))
    except BaseException:
        db.session.rollback()
        raise
    finally:
        end_writing()


def patiently(transaction: Callable[[], Result]) -> Result:
    """Return what a whole transaction returns, tried again where the database gave up on it; raise Conflict where it took too long."""
    for attempt in range(1, _TRIES + 1):
        try:
            return transaction()
        except DBAPIError as problem:
            db.session.rollback()
            state = getattr(problem.orig, "sqlstate", None)
            if state in TOO_SLOW or "database is locked" in str(problem.orig):
                raise Conflict from problem
            if not (state in _TRY_AGAIN or problem.connection_invalidated) or attempt == _TRIES:
                raise
            log.warning("trying a write again after %s", state or "a lost connection")
    raise AssertionError("unreachable")


def _carry_out(key: str, asked: InputHashes, work: Callable[[], Reply]) -> tuple[Reply, bool]:
    current, who, now = session(), me(), services().clock.now()
    (claimed,) = journal.claim(current, who.book_id, [journal.Ask(who.actor_id, key, asked.today, now, asked.former)])
    if isinstance(claimed, journal.Answered):
        current.rollback()
        is_recorded()
        return Reply(claimed.status, claimed.body), True
    if isinstance(claimed, journal.Differs):
        raise Invalid("idempotency-key-reused", "Idempotency-Key")
    channel = "api" if request.path.startswith("/api/") else "page"
    g.act = Act(who.book_id, who.actor_id, channel, claimed.request_id, now, who.acted_for)
    reply = work()
    journal.answer(current, who.book_id, [(claimed.request_id, reply.status, reply.body)])
    audit.record(current, who.book_id, [trace().entry(g.act, reply.status, reply.body)])
    if use := use_to_note():
        sign_in.note_use(current, [use], now)
    current.commit()
    use_is_noted()
    is_recorded()
    return reply, False


def input_hashes() -> InputHashes:
    """Return hashes of what is asked: the method, the place, and the content, whatever the order of its fields.

    It is peppered: a plain one would be kept for ever, and tell whoever guesses a name or a phone that the guess is right.
    """
    if request.is_json:
        asked = {name: value for name, value in request.get_json().items() if name not in UNKEPT}
        content = json.dumps(asked, sort_keys=True, ensure_ascii=False)
    else:
        fields = sorted((name, value) for name, value in request.form.items(multi=True) if not name.startswith("_"))
        # A field for a file that was left empty is none: who sends the form again may send it in the other way of forms.
        given = [(name, file) for name, file in request.files.items(multi=True) if file.filename]
        files = sorted((name, hashlib.sha256(file.stream.read()).hexdigest()) for name, file in given)
        for file in request.files.values():
            file.stream.seek(0)
        content = json.dumps([fields, files], ensure_ascii=False)
    on_behalf = f"\n{me().acted_for}" if me().acted_for else ""
    today, *former = services().vault.hashes(me().book_id, "request", f"{request.method}\n{request.full_path}\n{content}{on_behalf}")
    return InputHashes(today, tuple(former))


def api_write(view: Callable[..., Response], add: Callable[[Any], Any] | None = None) -> Callable[..., Response]:
    """Make an API view a write: it needs an Idempotency-Key and is carried out once under it.

    `add` makes of a kept body what is answered, the first time and again, where not all of it may be kept.
    """

    @wraps(view)
    def write(*args: Any, **kwargs: Any) -> Response:
        key = checked_key()

        def work() -> Reply:
            response = view(*args, **kwargs)
            return Reply(response.status_code, response.get_json(force=True, silent=True))

        reply, is_replay = carry_out(key, work)
        if add and reply.status < 400:
            reply = Reply(reply.status, add(reply.body))
        return response_of(reply, is_replay=is_replay)

    return write


def checked_key() -> str:
    """Return the Idempotency-Key of the request; raise Invalid where it has none, or none that can be kept."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Invalid("idempotency-key-missing", "Idempotency-Key")
    if len(key) > KEY_LENGTH_MAX or not all("!" <= character <= "~" for character in key):
        raise Invalid("idempotency-key-malformed", "Idempotency-Key")
    return key


def response_of(reply: Reply, *, is_replay: bool) -> Response:
    """Return a reply to the API as it was first given, and say so where it is given again."""
    response = problem_response(reply.body) if reply.status >= 400 else jsonify(reply.body)
    response.status_code = reply.status
    if is_replay:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def refused(refusal: Refusal) -> Response:
    """Return a refusal as the response of an API view; it is stored and committed like any answer."""
    return problem_response(body_of(refusal))


def form_write(form: Callable[..., Any]) -> Callable[[Callable[..., str | Refusal]], Callable[..., Any]]:
    """Make a page view a write: it returns the address to go on to, or a Refusal, which draws `form` again with what is wrong.

    Forms carry a `_key` made when they were drawn, so that sending one twice does it once, and a `_csrf` bound to the session.
    """

    def decorate(view: Callable[..., str | Refusal]) -> Callable[..., Any]:
        @wraps(view)
        def write(*args: Any, **kwargs: Any) -> Any:
            if not is_own_form():
                return show(problem_body("form-expired"))
            key = request.form.get("_key", "")
            if not 16 <= len(key) <= 64 or not key.isascii() or not key.isalnum():
                return show(problem_body("form-expired"))

            def work() -> Reply:
                outcome = view(*args, **kwargs)
                return Reply(409, body_of(outcome)) if isinstance(outcome, Refusal) else Reply(303, {"location": outcome})

            try:
                reply, _ = carry_out(f"form:{key}", work)
            except ProofNeededError:
                raise
            except DomainError as problem:
                reply = Reply(422, body_of(problem))
            if reply.status == 303:
                return g.pop("shown_once", None) or redirect(reply.body["location"], 303)
            g.problem = reply.body
            say(reply.body)
            drawn = current_app.make_response(form(*args, **kwargs))
            drawn.status_code = reply.body["status"]
            return drawn

        return write

    return decorate


def show_once(page: str | Response) -> None:
    """Answer the form that is being carried out with a page instead of leading on, this time only: what is on it is kept nowhere."""
    g.shown_once = page


def csrf_token() -> str:
    """Return what every form of this session carries, and nobody else knows."""
    return _csrf_token(services().settings.secret_key)


def is_own_form() -> bool:
    """Tell whether the form that was sent is one of this session, drawn under today's secret key or the one that is being changed."""
    given = request.form.get("_csrf", "").encode()
    return any(hmac.compare_digest(given, _csrf_token(key).encode()) for key in services().settings.secret_keys)


def _csrf_token(key: bytes) -> str:
    found = g.get("me")
    # What was drawn for one person is not carried out for another: acting for somebody, and stopping, voids the forms drawn before.
    who = f"{found.token}|{found.acted_for or ''}" if found else ""
    return hmac.digest(key, f"csrf|{who}".encode(), "sha256").hex()


def form_key() -> str:
    """Return a fresh key for a form that is being drawn."""
    return secrets.token_hex(16)
