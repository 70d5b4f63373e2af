"""The laws, as checks of a book that has been through something: what the tests assert, and what the canary must make fail."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ledger import journal
from ledger.act import Act
from ledger.errors import Refusal
from tests.books import Desk
from tests.books import open_desk
from tests.properties.edge import Edge
from tests.properties.edge import until_answered
from tests.properties.histories import NAMES
from tests.properties.histories import Told

History = list[tuple[list[Any], int]]


def whatever_happens(engine: Engine, history: History) -> None:
    """Live through `history`, and find every law kept."""
    with Session(engine) as session:
        told = Told(open_desk(session)).live(history)
        book_is_sound(told.desk)


def book_is_sound(desk: Desk) -> None:
    """Assert conservation, no gap, nothing below the floor, by what people read; and that `verify` finds no fault."""
    totals = desk.totals()
    lined = 0
    for name in (*NAMES, "fund"):
        lines = desk.all_lines(name)
        balance = desk.balance(name)
        assert [line.number for line in lines] == list(range(len(lines), 0, -1))
        assert all(line.before + line.amount == line.after and line.after >= 0 for line in lines)
        assert [line.after for line in lines[1:]] == [line.before for line in lines[:-1]]
        assert balance.lines == len(lines)
        assert balance.available >= 0
        recorded = lines[0].after if lines else 0
        lined += recorded
        assert recorded >= balance.balance  # what has expired and is not yet booked
    # The lines say as much as the entries: what is not in a passbook or fund is where it came from or went to.
    assert lined + sum(points for kind, points in totals.items() if kind not in {"passbook", "fund"}) == 0
    assert desk.faults() == []


def whoever_sends_again(edge_of: type[Edge], engine: Engine, writes: list[tuple[str, str, int, list[int]]]) -> None:
    """Send each write as often as it has strokes, the service being struck down in between: each happens once and is answered alike."""
    with Session(engine) as session:
        once, again = open_desk(session), open_desk(session)
        for desk in (once, again):
            desk.budget(400)
            for name in NAMES:
                desk.account(name)
            session.commit()
        edge = edge_of(engine, again.book_id, again.clock)
        for number, (verb, name, amount, strokes) in enumerate(writes):
            wanted = _carried_out(session, once.act(), getattr(once, verb)(name, amount))
            session.commit()
            write = partial(edge.write, f"key {number}", b"input", partial(_carried_out, make=getattr(again, verb)(name, amount)))
            assert until_answered(edge, strokes, write) == [wanted] * len(strokes)
        for name in (*NAMES, "fund"):
            assert [_told(line) for line in again.all_lines(name)] == [_told(line) for line in once.all_lines(name)]
        book_is_sound(again)


def _carried_out(session: Session, act: Act, make: Any) -> Any:
    (outcome,) = journal.post(session, act.book_id, [make(act)])
    if isinstance(outcome, Refusal):
        return [outcome.code, dict(outcome.data)]
    assert isinstance(outcome, journal.Posted)
    return [line and list(line) for line in (outcome.from_line, outcome.to_line)]


def _told(line: journal.LineRow) -> Any:
    return line.number, line.kind, line.amount, line.before, line.after
