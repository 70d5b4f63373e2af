"""What every command needs: the session and its one transaction, the vault, the time, an act, and words for what goes wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import click
from sqlalchemy.orm import Session

from ledger import areas
from ledger import audit
from ledger import journal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.audit import DONE
from ledger.audit import Entry
from ledger.errors import DomainError
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.web.kit.extensions import db
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import sentences

T = TypeVar("T")


class Refused(click.ClickException):
    """What was asked for is refused, or was asked for wrongly: a sentence in both languages, and the code for the audit log."""

    def __init__(self, code: str, about: str | None, data: dict[str, object]) -> None:
        said = sentences(code, data)
        super().__init__(f"{said['zh']} / {said['en']} [{code}{f': {about}' if about else ''}]")
        self.code = code


@dataclass(frozen=True)
class Desk:
    """Where an operator works: one transaction, at one time."""

    session: Session
    vault: Vault
    at: datetime
    public_url: str
    acts: list[Act] = field(default_factory=list)

    def book(self, number: int) -> Book:
        """Return the book with that number; raise NotFound where there is none."""
        if (found := areas.book_numbered(self.session, number)) is None:
            raise NotFound("book")
        return found

    def act(self, number: int, channel: str = "command") -> Act:
        """Return an act of the operator in that book, under a request of its own."""
        book_id = self.book(number).id
        key = str(new_id())
        ask = journal.Ask(actor=OPERATOR, key=key, input_hash=hashlib.sha256(key.encode()).digest(), at=self.at)
        claimed = journal.claim(self.session, book_id, [ask])[0]
        assert isinstance(claimed, journal.Claimed), "the key is new"
        self.acts.append(Act(book_id, OPERATOR, channel, claimed.request_id, self.at))
        return self.acts[-1]

    def link_address(self, token: str) -> str:
        """Return the address of a one-time sign-in link."""
        return f"{self.public_url}/sign-in/{token}"


@contextmanager
def at_desk() -> Iterator[Desk]:
    """Open the desk: what was done is committed at the end, or nothing of it."""
    with telling():
        current = session()
        desk = Desk(current, services().vault, services().clock.now(), services().settings.public_url)
        try:
            yield desk
            for act in desk.acts:
                journal.answer(current, act.book_id, [(act.request_id, 200, {})])
                audit.record(current, act.book_id, [_line(act, DONE, act.request_id)])
            current.commit()
        except (Refused, DomainError) as problem:
            current.rollback()
            # The requests are undone with what they asked for; that it was refused is kept.
            with Session(db.engine) as own, own.begin():
                for act in desk.acts:
                    audit.record(own, act.book_id, [_line(act, problem.code, None)])
            raise
        finally:
            current.rollback()


def _line(act: Act, outcome: str, request_id: UUID | None) -> Entry:
    names, context = [], click.get_current_context()
    while context.parent:
        names.append(context.info_name or "")
        context = context.parent
    return Entry(at=act.at, channel=act.channel, act=" ".join(reversed(names)), outcome=outcome, actor=act.actor, request_id=request_id)


@contextmanager
def telling() -> Iterator[None]:
    """Turn what goes wrong into a sentence in both languages and an exit status of 1."""
    try:
        yield
    except DomainError as problem:
        raise Refused(problem.code, problem.field, problem.data) from problem


def done(outcome: T | Refusal) -> T:
    """Return what came of an action; end the command where it was refused."""
    if isinstance(outcome, Refusal):
        raise Refused(outcome.code, outcome.field, dict(outcome.data))
    return outcome
