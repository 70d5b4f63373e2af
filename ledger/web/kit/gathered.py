"""Writes whose concurrent requests share one transaction: the till's, where one commit each would be too slow (docs/adr/0007)."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any
from uuid import UUID

from flask import Response
from flask import current_app
from flask import request
from marshmallow import Schema
from sqlalchemy.orm import Session

from ledger import audit
from ledger import journal
from ledger import sign_in
from ledger.act import Act
from ledger.errors import DomainError
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.gathering import Gatherer
from ledger.sign_in import SignedIn
from ledger.web.kit.auth import me
from ledger.web.kit.auth import use_is_noted
from ledger.web.kit.auth import use_to_note
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import language
from ledger.web.kit.extensions import services
from ledger.web.kit.problems import body_of
from ledger.web.kit.trail import Trace
from ledger.web.kit.trail import is_recorded
from ledger.web.kit.trail import trace
from ledger.web.kit.writing import InputHashes
from ledger.web.kit.writing import Reply
from ledger.web.kit.writing import checked_key
from ledger.web.kit.writing import input_hashes
from ledger.web.kit.writing import patiently
from ledger.web.kit.writing import response_of

#: Carries out a set of commands of one book, and returns an outcome for each.
Run = Callable[[Session, Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True)
class _Asked:
    """One request on its way through the gate."""

    book_id: UUID
    actor: UUID
    acted_for: UUID | None
    key: str
    hashes: InputHashes
    #: The language to answer in: whoever leads the set answers for all.
    language: str
    trace: Trace
    #: Whose use is to be written down with it.
    use: SignedIn | None
    command: Callable[[Act], Any]


@dataclass(frozen=True)
class _Answer:
    """What became of it, and whether it was answered before."""

    reply: Reply
    is_replay: bool


class Gates:
    """One gate for each book of one route: a transaction never crosses books."""

    def __init__(self, run: Run, out: Schema, status: int) -> None:
        self._run, self._out, self._status = run, out, status
        self._gates: dict[UUID, Gatherer[_Asked, _Answer | DomainError]] = {}
        self._mutex = Lock()

    def submit(self, asked: _Asked) -> _Answer:
        """Return what became of `asked`, or raise what was wrong with it."""
        with self._mutex:
            gate = self._gates.setdefault(asked.book_id, Gatherer(self._carry_out, key=lambda one: (one.actor, one.key)))
        answer = gate.submit(asked)
        if isinstance(answer, DomainError):
            raise answer
        return answer

    def _carry_out(self, asked: Sequence[_Asked]) -> list[_Answer | DomainError]:
        return patiently(lambda: self._once(asked))

    def _once(self, asked: Sequence[_Asked]) -> list[_Answer | DomainError]:
        """Claim, carry out, answer and commit a set, in one transaction."""
        book_id, now = asked[0].book_id, services().clock.now()
        with Session(db.engine) as current, current.begin():
            asks = [journal.Ask(one.actor, one.key, one.hashes.today, now, one.hashes.former) for one in asked]
            claims = journal.claim(current, book_id, asks)
            ours = [(one, claim.request_id) for one, claim in zip(asked, claims, strict=True) if isinstance(claim, journal.Claimed)]
            acts = [Act(book_id, one.actor, "api", request_id, now, one.acted_for) for one, request_id in ours]
            commands = [one.command(act) for (one, _), act in zip(ours, acts, strict=True)]
            outcomes = self._run(current, commands) if commands else []
            done = {
                request_id: self._reply(outcome, one.language) for (one, request_id), outcome in zip(ours, outcomes, strict=True)
            }  # fmt: skip
            if done:
                journal.answer(current, book_id, [(request_id, reply.status, reply.body) for request_id, reply in done.items()])
                lines = zip(ours, acts, done.values(), strict=True)
                audit.record(current, book_id, [one.trace.entry(act, reply.status, reply.body) for (one, _), act, reply in lines])
            sign_in.note_use(current, [one.use for one in asked if one.use], now)
        return [_answered(claim, done) for claim in claims]

    def _reply(self, outcome: Any, language: str) -> Reply:
        if isinstance(outcome, Refusal):
            body = body_of(outcome, language)
            return Reply(body["status"], body)
        return Reply(self._status, self._out.dump(outcome))


def _answered(claim: journal.Claimed | journal.Answered | journal.Differs, done: dict[UUID, Reply]) -> _Answer | DomainError:
    if isinstance(claim, journal.Differs):
        return Invalid("idempotency-key-reused", "Idempotency-Key")
    if isinstance(claim, journal.Answered):
        return _Answer(Reply(claim.status, claim.body), is_replay=True)
    return _Answer(done[claim.request_id], is_replay=False)


def gathered_write(run: Run, out: type[Schema], status: int) -> Callable[[Callable[..., Callable[[Act], Any]]], Callable[..., Response]]:
    """Make an API view a gathered write: it returns how its command is made once there is an act; `run` carries out sets of them."""

    def decorate(view: Callable[..., Callable[[Act], Any]]) -> Callable[..., Response]:
        @wraps(view)
        def write(*args: Any, **kwargs: Any) -> Response:
            key = checked_key()
            command = view(*args, **kwargs)
            who = me()
            asked = _Asked(
                who.book_id, who.actor_id, who.acted_for, key, input_hashes(), language(), trace(), use_to_note(), command
            )  # fmt: skip
            # Whoever waits at the gate holds neither a connection nor, on SQLite, the lock.
            db.session.rollback()
            gates: dict[str, Gates] = current_app.extensions["gates"]
            endpoint = str(request.endpoint)
            answer = (gates.get(endpoint) or gates.setdefault(endpoint, Gates(run, out(), status))).submit(asked)
            use_is_noted()
            is_recorded()
            return response_of(answer.reply, is_replay=answer.is_replay)

        return write

    return decorate
