"""What the edge tells the audit log: each write with its own transaction, and whatever was refused without one, after it was answered.

With the same transaction it is written down that a session or token was used, now and then.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask
from flask import Response
from flask import g
from flask import request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import audit
from ledger import sign_in
from ledger.act import Act
from ledger.audit import DONE
from ledger.audit import Entry
from ledger.sign_in import SignedIn
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import token_shown
from ledger.web.kit.auth import use_to_note
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import services
from ledger.web.kit.problems import PROBLEMS
from ledger.web.kit.problems import code_of
from ledger.web.kit.problems import is_api

log = logging.getLogger(__name__)

#: What is refused to whoever is signed in and belongs in the log, also of a mere reading: what they may not do, see or have so often.
_REFUSED_READING = frozenset({401, 403, 404, 429})
#: Of writes, the rules' answers too; what the service itself could not do is no refusal.
_REFUSED_WRITING = _REFUSED_READING | {400, 409, 410, 413, 415, 422}

_TOO_MANY = "guesses-too-many"

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


@dataclass(frozen=True)
class Trace:
    """What a request knows of itself before anything is done: what is asked, about what, and where from."""

    act: str
    about: UUID | None
    credential_id: UUID | None
    device_id: UUID | None
    network: str | None

    def entry(self, act: Act, status: int, body: Any) -> Entry:
        """Return the line of a write that was answered so."""
        outcome = DONE if status < 400 else code_of(body)
        return Entry(
            at=act.at,
            channel=act.channel,
            act=self.act,
            outcome=outcome,
            actor=act.actor,
            acted_for=act.acted_for,
            about=self.about or (next(_ids(body), None) if outcome == DONE else None),
            details=_counted(body) if outcome == DONE else None,
            request_id=act.request_id,
            credential_id=self.credential_id,
            device_id=self.device_id,
            network=self.network,
        )


def trace() -> Trace:
    """Return what is known of the request."""
    who = maybe_me()
    about = next((value for value in (request.view_args or {}).values() if isinstance(value, UUID)), None)
    signed_in = who.signed_in if who else None
    return Trace(
        f"{request.method} {request.endpoint}",
        about,
        signed_in.id if signed_in else None,
        signed_in.device_id if signed_in else None,
        audit.network_of(request.remote_addr),
    )


def note(act: str, outcome: str = DONE, *, book_id: UUID, actor: UUID | None = None, about: UUID | None = None) -> None:
    """Add a line to the audit log once the request is answered: what no write of the edge has recorded, such as signing in.

    `act` is a word of the log's own, such as "sign-in"; `outcome` is "done" or the code of the refusal.
    """
    _noted().append((book_id, _entry(act, outcome, actor, about)))


def note_last_try(book_id: UUID) -> None:
    """Say that the try that is under way is the last for now: where it is wrong the log says so, once, and not of each that is refused."""
    g.last_try = book_id


def is_recorded() -> None:
    """Say that the transaction of the request, or that of an earlier one with the same key, has recorded it."""
    g.is_recorded = True


def init(app: Flask) -> None:
    """Record what is refused in `app` to whoever can be named, what was noted, and who is still here."""
    app.after_request(_after)


def _after(response: Response) -> Response:
    noted = [one for one in _noted() if response.status_code < 500 or one[1].outcome != DONE]
    if not noted and not g.get("is_recorded"):
        noted = list(_refused(response))
    # Strangers could write as many lines as they liked of tries that nobody looks at any more.
    noted = [one for one in noted if one[1].outcome != _TOO_MANY]
    if (book_id := g.get("last_try")) and response.status_code >= 400:
        who = maybe_me()
        noted.append((book_id, _entry("guesses", _TOO_MANY, who.actor_id if who else None, None)))
    if noted or use_to_note():
        _write(noted, use_to_note())
    return response


def _noted() -> list[tuple[UUID, Entry]]:
    if "noted" not in g:
        g.noted = []
    found: list[tuple[UUID, Entry]] = g.noted
    return found


def _refused(response: Response) -> Iterator[tuple[UUID, Entry]]:
    reads = request.method in {"GET", "HEAD", "OPTIONS"}
    if response.status_code not in (_REFUSED_READING if reads else _REFUSED_WRITING) or request.endpoint is None:
        return
    outcome, who = g.get("problem_code") or "failed", maybe_me()
    act = f"{request.method} {request.endpoint}"
    if who:
        entry = _entry(act, outcome, who.actor_id, trace().about)
        yield who.book_id, replace(entry, acted_for=who.acted_for)
    elif response.status_code == 401 and (token := token_shown()) and (held := sign_in.once_held(_reading(), token)):
        # Only of tokens that once were good: anybody can make up any number of others, and they would fill the log.
        yield held.book_id, replace(_entry(act, outcome, None, held.person_id), credential_id=held.id)


def _reading() -> Session:
    db.session.rollback()
    current: Session = db.session()
    return current


def _entry(act: str, outcome: str, actor: UUID | None, about: UUID | None) -> Entry:
    here = trace()
    return Entry(
        at=services().clock.now(),
        channel="api" if is_api() else "page",
        act=act,
        outcome=outcome,
        actor=actor,
        about=about,
        credential_id=here.credential_id,
        device_id=here.device_id,
        network=here.network,
    )


def _write(noted: list[tuple[UUID, Entry]], use: SignedIn | None) -> None:
    # What the request itself read has ended: on SQLite, nothing can be written beside it.
    db.session.rollback()
    try:
        with Session(db.engine) as own, own.begin():
            for book_id in {book_id for book_id, _ in noted}:
                audit.record(own, book_id, [entry for about, entry in noted if about == book_id])
            sign_in.note_use(own, [use] if use else [], services().clock.now())
    except DBAPIError as problem:
        # The answer stands, and the log file still says what was refused.
        log.warning("a refusal or a use could not be recorded: %s", type(problem.orig).__name__)


def _ids(body: Any) -> Iterator[UUID]:
    """Yield the ids that an answer names, first things first; of a page, those of the address it leads on to."""
    if isinstance(body, Mapping):
        named = [body[key] for key in ("id", "location") if key in body] + [value for key, value in body.items() if key != "id"]
        for value in named:
            yield from _ids(value)
    elif isinstance(body, list):
        for value in body:
            yield from _ids(value)
    elif isinstance(body, str):
        yield from (UUID(found) for found in _ID.findall(body))


def _counted(body: Any) -> dict[str, int] | None:
    """Return of a set how many were done, and how many refused, by the code of why not."""
    if not isinstance(body, Mapping):
        return None
    codes: list[str] = []
    if isinstance(items := body.get("items"), list):
        codes = [code_of(one["problem"]) if one.get("problem") else DONE for one in items if isinstance(one, Mapping) and "ok" in one]
    elif isinstance(location := body.get("location"), str):
        codes = [name for name, _ in parse_qsl(urlsplit(location).query) if name == DONE or name in PROBLEMS]
    return {code: codes.count(code) for code in dict.fromkeys(codes)} or None
