"""Paper passbooks: what was printed into somebody's booklet, and where the next line goes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import queries
from ledger.people.model import PassbookPrint
from ledger.people.model import Person

#: What a page of the booklet holds.
ROWS_A_PAGE = 16


def prints_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[PassbookPrint]:
    """Return what was printed into somebody's booklets, the last first."""
    wanted = select(PassbookPrint).where(PassbookPrint.book_id == book_id, PassbookPrint.person_id == person_id)
    return session.execute(wanted.order_by(PassbookPrint.printed_at.desc(), PassbookPrint.id.desc())).scalars().all()


def last_print(session: Session, book_id: UUID, person_id: UUID) -> PassbookPrint | None:
    """Return what was last printed into somebody's booklet."""
    wanted = select(PassbookPrint).where(PassbookPrint.book_id == book_id, PassbookPrint.person_id == person_id)
    return session.execute(wanted.order_by(PassbookPrint.printed_at.desc(), PassbookPrint.id.desc()).limit(1)).scalar_one_or_none()


def print_of(session: Session, book_id: UUID, person_id: UUID, print_id: UUID) -> PassbookPrint:
    """Return one of the prints into somebody's booklet; raise NotFound where there is none."""
    wanted = select(PassbookPrint).where(
        PassbookPrint.book_id == book_id, PassbookPrint.person_id == person_id, PassbookPrint.id == print_id
    )
    found = session.execute(wanted).scalar_one_or_none()
    if found is None:
        raise NotFound("print_id")
    return found


def last_row(last: PassbookPrint) -> int:
    """Return the row, counted over the booklet's pages, in which the last line of a print stands."""
    return last.row_from + last.line_to - last.line_from


def page_and_row(row: int) -> tuple[int, int]:
    """Return on which page of a booklet a row is, and which of that page's."""
    return (row - 1) // ROWS_A_PAGE + 1, (row - 1) % ROWS_A_PAGE + 1


def print_lines(
    session: Session, act: Act, person_id: UUID, last_line: int, *, anew_from: int | None = None, within: Scope = areas.EVERYWHERE
) -> PassbookPrint | Refusal:  # fmt: skip
    """Write down that the lines since the last print, up to `last_line`, go into the next free rows of somebody's booklet.

    `anew_from`: a new booklet begins with this line, in its first row.
    """
    queries.person(session, act.book_id, person_id, within)
    # Of two who print at once, the second finds what the first printed.
    locked = select(Person.id).where(Person.book_id == act.book_id, Person.id == person_id)
    session.execute(locked.with_for_update(key_share=True))
    last = last_print(session, act.book_id, person_id)
    if anew_from is not None or last is None:
        line_from, row_from = anew_from or 1, 1
    else:
        line_from, row_from = last.line_to + 1, last_row(last) + 1
    if line_from > last_line:
        return Refusal("booklet-up-to-date")
    printed = PassbookPrint(
        book_id=act.book_id, id=new_id(), person_id=person_id, line_from=line_from, line_to=last_line, row_from=row_from,
        printed_by=act.actor, printed_at=act.at,
    )  # fmt: skip
    session.add(printed)
    session.flush()
    return printed
