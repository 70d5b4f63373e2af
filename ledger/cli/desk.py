"""What every command needs: the session and its one transaction, the vault, the time, an act, and words for what goes wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import TypeVar

import click
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.errors import DomainError
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import sentences

T = TypeVar("T")


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
            current.commit()
        finally:
            current.rollback()


@contextmanager
def telling() -> Iterator[None]:
    """Turn what goes wrong into a sentence in both languages and an exit status of 1."""
    try:
        yield
    except DomainError as problem:
        raise _told(problem.code, problem.field, problem.data) from problem


def done(outcome: T | Refusal) -> T:
    """Return what came of an action; end the command where it was refused."""
    if isinstance(outcome, Refusal):
        raise _told(outcome.code, outcome.field, dict(outcome.data))
    return outcome


def _told(code: str, about: str | None, data: dict[str, object]) -> click.ClickException:
    said = sentences(code, data)
    return click.ClickException(f"{said['zh']} / {said['en']} [{code}{f': {about}' if about else ''}]")
