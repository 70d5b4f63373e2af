"""Publishing the national table, opening a book over a part of it, and drawing the grids below its communities."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger.act import Act
from ledger.areas import queries
from ledger.areas.model import Area
from ledger.areas.model import Book
from ledger.areas.model import PublishedArea
from ledger.areas.rules import GRID_KINDS
from ledger.areas.rules import LEVELS
from ledger.areas.rules import NAME_LENGTH_MAX
from ledger.areas.rules import AreaRow
from ledger.areas.rules import RowFault
from ledger.areas.rules import check_rows
from ledger.areas.rules import is_level_below
from ledger.areas.rules import is_own_code
from ledger.areas.rules import is_phone
from ledger.areas.rules import path_below
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id

Progress = Callable[[int, int], None]
#: Rows written between two reports of progress.
SET_SIZE = 1000


@dataclass(frozen=True)
class ImportReport:
    """What an import of the national table did; where it found faults it wrote nothing."""

    read: int
    added: int
    changed: int
    unchanged: int
    faults: tuple[RowFault, ...] = ()


def import_published(session: Session, rows: Iterable[Mapping[str, str]], *, progress: Progress | None = None) -> ImportReport:
    """Take in the national table, all of it or nothing; what is there already and the same is left alone.

    `progress` is called with how many rows are done, of how many.
    """
    known = {row.code: row for row in session.execute(select(PublishedArea)).scalars()}
    read, faults = check_rows(rows, {code: row.level for code, row in known.items()})
    if faults:
        return ImportReport(len(read) + len({fault.line for fault in faults}), 0, 0, 0, tuple(faults))
    added = [row for row in read if row.code not in known]
    changed = [row for row in read if row.code in known and _differs(row, known[row.code])]
    done = len(read) - len(added) - len(changed)
    report = ImportReport(len(read), len(added), len(changed), done)
    for write, pending in ((insert(PublishedArea), added), (update(PublishedArea), changed)):
        for start in range(0, len(pending), SET_SIZE):
            chunk = pending[start : start + SET_SIZE]
            session.execute(write, [vars(row) for row in chunk])
            done += len(chunk)
            if progress:
                progress(done, len(read))
    if progress and not added and not changed:
        progress(done, len(read))
    return report


def _differs(row: AreaRow, known: PublishedArea) -> bool:
    return (row.name, row.level, row.parent_code) != (known.name, known.level, known.parent_code)


def open_book(session: Session, *, name: str, area_code: str, zone: str, at: datetime) -> Book:
    """Open a book over the published area `area_code` with a copy of its subtree; it gets the next free number."""
    _check_name(name)
    try:
        local_day(at, zone)
    except (OSError, ValueError, KeyError) as problem:
        raise Invalid("zone-unknown", "zone", zone=zone) from problem
    published = _published_subtree(session, area_code)
    number = (session.execute(select(func.max(Book.number))).scalar_one() or 0) + 1
    book = Book(id=new_id(), number=number, name=name, area_code=area_code, zone=zone)
    session.add(book)
    session.flush()
    paths: dict[str | None, str] = {}
    rows = []
    for area in published:
        parent = None if area.code == area_code else area.parent_code
        paths[area.code] = path_below(paths.get(parent, ""), area.code)
        row = {"code": area.code, "name": area.name, "level": area.level, "parent_code": parent, "path": paths[area.code]}
        rows.append({"book_id": book.id, "kind": None, **row})
    session.execute(insert(Area), rows)
    return book


def _published_subtree(session: Session, area_code: str) -> list[PublishedArea]:
    # The whole table is some thousands of rows, read once in the life of a book: simpler than a recursive query.
    everything = session.execute(select(PublishedArea)).scalars().all()
    within = {area_code}
    found = []
    for area in sorted(everything, key=lambda area: (LEVELS.index(area.level), area.code)):
        if area.code == area_code or area.parent_code in within:
            within.add(area.code)
            found.append(area)
    if not found:
        raise NotFound("area_code")
    return found


def add_grid(
    session: Session, act: Act, *, parent_code: str, code: str, name: str, level: str, kind: str | None = None,
    within: queries.Scope = queries.EVERYWHERE,
) -> Area | Refusal:  # fmt: skip
    """Draw a grid below a community, or a micro-grid below a grid; its code is its parent's with a suffix."""
    parent = queries.area(session, act.book_id, parent_code, within)
    name = name.strip()
    _check_name(name)
    if level not in LEVELS[5:]:
        raise Invalid("area-level-unknown", "level")
    if not is_own_code(code, parent_code):
        raise Invalid("area-code-malformed", "code")
    if (level == "grid") != (kind is not None) or (kind is not None and kind not in GRID_KINDS):
        raise Invalid("grid-kind-malformed", "kind")
    if LEVELS.index(parent.level) < LEVELS.index("village") or not is_level_below(level, parent.level):
        return Refusal("area-parent-not-above", "parent_code")
    if queries.paths_of(session, act.book_id, [code]):
        return Refusal("area-code-taken", "code")
    if any(sibling.name == name for sibling in queries.children(session, act.book_id, parent_code)):
        return Refusal("area-name-taken", "name")
    area = Area(
        book_id=act.book_id, code=code, name=name, level=level, kind=kind, parent_code=parent_code, path=path_below(parent.path, code)
    )
    session.add(area)
    session.flush()
    return area


def set_phone(session: Session, act: Act, code: str, phone: str, *, within: queries.Scope = queries.EVERYWHERE) -> Area:
    """Set whom the residents of an area call; nobody, where there is no number."""
    area = queries.area(session, act.book_id, code, within)
    if phone and not is_phone(phone):
        raise Invalid("phone-malformed", "phone")
    area.phone = phone
    session.flush()
    return area


def _check_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("area-name-malformed", "name")
