"""Builders of what a test stands on: each makes one thing, with everything plain that the test does not name."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from ledger.people import Vault
from tests.conftest import START

#: The same keys as in the fixture `settings`.
VAULT = Vault(master_key=bytes(range(32, 64)), pepper=bytes(range(64, 96)))

COUNTY, TOWNSHIP, VILLAGE, OTHER_VILLAGE = "320106", "320106001", "320106001003", "320106001004"
GRID, OTHER_GRID, MICRO_GRID = f"{VILLAGE}-01", f"{VILLAGE}-02", f"{VILLAGE}-01-1"

#: A small part of the national table.
PUBLISHED = [
    dict(zip(("code", "name", "level", "parent_code"), row, strict=True))
    for row in (
        ("32", "江苏省", "province", ""),
        ("3201", "南京市", "city", "32"),
        (COUNTY, "鼓楼区", "county", "3201"),
        (TOWNSHIP, "宁海路街道", "township", COUNTY),
        (VILLAGE, "仙霞路社区居委会", "village", TOWNSHIP),
        (OTHER_VILLAGE, "苏州路社区居委会", "village", TOWNSHIP),
    )
]

_phones = count(13800000000)


def an_act(book: Book | UUID, at: datetime = START, **others: Any) -> Act:
    """An act of the operator by command, unless told otherwise."""
    plain = {"actor": OPERATOR, "channel": "command", "request_id": new_id()}
    return Act(book_id=book if isinstance(book, UUID) else book.id, at=at, **(plain | others))


def a_book(session: Session, *, at: datetime = START, with_grids: bool = True) -> Book:
    """A book over Gulou district with two communities, and two grids and a micro-grid in the first."""
    areas.import_published(session, PUBLISHED)
    book = areas.open_book(session, name="鼓楼区善行存折", area_code=COUNTY, zone="Asia/Shanghai", at=at)
    if with_grids:
        act = an_act(book, at)
        for code, name, kind in ((GRID, "第1网格", "comprehensive"), (OTHER_GRID, "第2网格", "special")):
            areas.add_grid(session, act, parent_code=VILLAGE, code=code, name=name, level="grid", kind=kind)
        areas.add_grid(session, act, parent_code=GRID, code=MICRO_GRID, name="1号微网格", level="micro_grid")
    return book


def a_person(session: Session, book: Book, *roles: str, name: str = "陈桂芳", area_code: str = GRID, **others: Any) -> Person:
    """Somebody enrolled in a grid, a volunteer unless other roles are named, with a phone of their own."""
    new = people.NewPerson(name, area_code, **({"phone": str(next(_phones)), "roles": roles or ("volunteer",)} | others))
    person = people.enrol(session, an_act(book), VAULT, new)
    assert not isinstance(person, Refusal)
    return person
