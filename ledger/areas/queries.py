"""What is asked of books and of their trees."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy.orm import Session

from ledger.areas.model import Area
from ledger.areas.model import Book
from ledger.areas.rules import is_within
from ledger.areas.rules import range_within
from ledger.errors import NotFound

#: Paths of areas; somebody acts within them and below.
Scope = tuple[str, ...]
#: The scope of an operator: the whole book.
EVERYWHERE: Scope = ("",)


def book(session: Session, book_id: UUID) -> Book:
    """Return the book; raise NotFound where there is none."""
    if (found := session.get(Book, book_id)) is None:
        raise NotFound("book")
    return found


def book_numbered(session: Session, number: int) -> Book | None:
    """Return the book with that short number, which codes and links carry."""
    return session.execute(select(Book).where(Book.number == number)).scalar_one_or_none()


def books(session: Session) -> Sequence[Book]:
    """Return all books, by number."""
    return session.execute(select(Book).order_by(Book.number)).scalars().all()


def area(session: Session, book_id: UUID, code: str, within: Scope = EVERYWHERE) -> Area:
    """Return the area `code` of the book; raise NotFound where there is none within `within`."""
    found = session.execute(select(Area).where(Area.book_id == book_id, Area.code == code)).scalar_one_or_none()
    if found is None or not in_scope(found.path, within):
        raise NotFound("area_code")
    return found


def path_of(session: Session, book_id: UUID, code: str) -> str:
    """Return the path of the area `code`; raise NotFound where there is none."""
    return area(session, book_id, code).path


def paths_of(session: Session, book_id: UUID, codes: Collection[str]) -> dict[str, str]:
    """Return the paths of those of `codes` that the book has."""
    rows = session.execute(select(Area.code, Area.path).where(Area.book_id == book_id, Area.code.in_(codes)))
    return dict(rows.all())


def names_of(session: Session, book_id: UUID, codes: Collection[str]) -> dict[str, str]:
    """Return the names of those of `codes` that the book has."""
    rows = session.execute(select(Area.code, Area.name).where(Area.book_id == book_id, Area.code.in_(codes)))
    return dict(rows.all())


def areas_by_code(session: Session, book_id: UUID, codes: Collection[str]) -> Sequence[Area]:
    """Return those of `codes` that are areas of the book."""
    return session.execute(select(Area).where(Area.book_id == book_id, Area.code.in_(codes))).scalars().all()


def phone_for(session: Session, book_id: UUID, path: str) -> str:
    """Return whom residents of the area at `path` call: its own number, or that of the nearest area above that has one."""
    codes = path.rstrip("/").split("/")
    wanted = select(Area.code, Area.phone).where(Area.book_id == book_id, Area.code.in_(codes), Area.phone != "")
    phones = dict(session.execute(wanted).all())
    return next((phones[code] for code in reversed(codes) if code in phones), "")


def community_of(session: Session, book_id: UUID, path: str) -> Area | None:
    """Return the village or community in which the area at `path` lies, or which it is; none for what lies above them."""
    wanted = select(Area).where(Area.book_id == book_id, Area.code.in_(path.rstrip("/").split("/")), Area.level == "village")
    return session.execute(wanted).scalar_one_or_none()


def subtree(session: Session, book_id: UUID, path: str, *, after: str = "", limit: int | None = None) -> Sequence[Area]:
    """Return the area at `path` and all below it, parents first, from after the path `after`."""
    wanted = select(Area).where(Area.book_id == book_id, _path_within(path), Area.path > after)
    return session.execute(wanted.order_by(Area.path).limit(limit)).scalars().all()


def children(session: Session, book_id: UUID, parent_code: str) -> Sequence[Area]:
    """Return the areas directly below `parent_code`, by code."""
    wanted = select(Area).where(Area.book_id == book_id, Area.parent_code == parent_code)
    return session.execute(wanted.order_by(Area.code)).scalars().all()


def widest(scope: Scope) -> Scope:
    """Return the paths of a scope without those that lie within others of it, and each once."""
    paths = tuple(dict.fromkeys(scope))
    return tuple(path for path in paths if not in_scope(path, tuple(other for other in paths if other != path)))


def in_scope(path: str, scope: Scope) -> bool:
    """Tell whether the area at `path` lies within one of the scope's paths."""
    return any(is_within(path, ancestor) for ancestor in scope)


def covered(book_id: UUID, column: Any, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that the area whose code is in `column` lies within one of the scope's paths: `is_within`, in SQL."""
    # No path is before "": a plain `false` would be folded together with the caller's own conditions, and the book's with them.
    within = or_(*(_path_within(path) for path in scope)) if scope else Area.path < ""
    codes: ColumnElement[bool] = column.in_(select(Area.code).where(Area.book_id == book_id, within))
    return codes


def _path_within(path: str) -> ColumnElement[bool]:
    if not path:
        return true()
    first, end = range_within(path)
    return and_(Area.path >= first, Area.path < end)
