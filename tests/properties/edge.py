"""A write as the edge carries it out, against a service that may be struck down at any statement, and callers who send again."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.orm import Session

from ledger import journal
from ledger.act import OPERATOR
from ledger.act import Act
from tests.conftest import HandClock


class StruckDownError(Exception):
    """The service stopped in the middle of a write."""


class Edge:
    """Claim, work, answer, commit, and only then does the caller have the answer: as ledger/web/kit/writing.py does it."""

    def __init__(self, engine: Engine, book_id: UUID, clock: HandClock) -> None:
        self.engine = engine
        self.book_id = book_id
        self.clock = clock

    def write(self, key: str, asked: bytes, work: Callable[[Session, Act], Any]) -> Any:
        """Carry `work` out once under `key`, and return its answer."""
        with Session(self.engine) as session:
            now = self.clock.now()
            (claimed,) = self.claim(session, [journal.Ask(OPERATOR, key, asked, now)])
            if isinstance(claimed, journal.Answered):
                return claimed.body
            assert isinstance(claimed, journal.Claimed)
            body = work(session, Act(self.book_id, OPERATOR, "command", claimed.request_id, now))
            self.finish(session, claimed.request_id, body)
            return body

    def claim(self, session: Session, asks: Sequence[journal.Ask]) -> list[Any]:
        return journal.claim(session, self.book_id, asks)

    def finish(self, session: Session, request_id: UUID, body: Any) -> None:
        journal.answer(session, self.book_id, [(request_id, 200, body)])
        session.commit()


#: Strikes the service down when all is written and it is about to commit; any other stroke falls after so many statements.
AT_COMMIT = -1


@contextmanager
def struck_down(engine: Engine, stroke: int) -> Iterator[None]:
    """Let the service be struck down; what it had not committed is gone."""
    steps = 0

    def step(*_: Any) -> None:
        nonlocal steps
        steps += 1
        if stroke != AT_COMMIT and steps > stroke:
            raise StruckDownError

    def commit(session: Session) -> None:
        step()
        if stroke == AT_COMMIT:
            raise StruckDownError

    event.listen(engine, "before_cursor_execute", step)
    event.listen(Session, "before_commit", commit)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", step)
        event.remove(Session, "before_commit", commit)


def until_answered(edge: Edge, strokes: Sequence[int], write: Callable[[], Any]) -> list[Any]:
    """Send a write again and again until it was answered as often as there are `strokes`, and return the answers.

    Whoever got no answer sends the same again.
    """
    answers = []
    for stroke in strokes:
        try:
            with struck_down(edge.engine, stroke):
                answers.append(write())
        except StruckDownError:
            answers.append(write())
    return answers
