"""Builders of what a test stands on: each makes one thing, with everything plain that the test does not name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from ledger.people import Vault
from redeem import catalogue
from redeem import library
from redeem import merchants
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


def a_mandate(
    session: Session, book: Book, person: Person, helper: Person, *, at: datetime = START, points: int = 0, days: int = 90
) -> people.Mandate:  # fmt: skip
    """A helper has agreed to act for somebody from today on, for so many points a day and so many days."""
    today = local_day(at, book.zone)
    new = people.NewMandate(person.id, helper.id, "helper", today, today + timedelta(days=days), points)
    given = people.give_mandate(session, an_act(book, at), VAULT, new)
    assert not isinstance(given, Refusal), given
    return agreed(session, book, given, at=at)


def agreed(session: Session, book: Book, given: people.Mandate, *, at: datetime = START) -> people.Mandate:
    """The mandate, now that the helper has said yes to it."""
    outcome = people.agree_mandate(session, an_act(book, at, actor=given.helper_id), given.id)
    assert not isinstance(outcome, Refusal), outcome
    return outcome


def a_claimed_act(session: Session, book: Book, at: datetime = START, actor: UUID = OPERATOR) -> Act:
    """An act under a request that is claimed and answered, as whoever posts needs it."""
    (claimed,) = journal.claim(session, book.id, [journal.Ask(actor, str(new_id()), b"input", at)])
    assert isinstance(claimed, journal.Claimed)
    journal.answer(session, book.id, [(claimed.request_id, 200, {})])
    return an_act(book, at, actor=actor, request_id=claimed.request_id)


def give_points(session: Session, book: Book, person: Person, points: int, at: datetime = START) -> None:
    """Let a fund be given points, and award them to somebody."""
    fund, passbook = ("fund", new_id()), ("passbook", person.id)
    accounts = journal.open_accounts(session, book.id, [fund, passbook, ("source", book.id)], at)
    act, about = a_claimed_act(session, book, at), journal.About(deed_on=local_day(at, book.zone))
    ways = [(accounts["source", book.id], accounts[fund], "budget"), (accounts[fund], accounts[passbook], "award")]
    movements = [
        journal.Transfer(act=act, from_account=giver, to_account=taker, amount=points, kind=kind, about=about, position=position)
        for position, (giver, taker, kind) in enumerate(ways)
    ]
    assert all(isinstance(outcome, journal.Posted) for outcome in journal.post(session, book.id, movements))


@dataclass(frozen=True)
class Shop:
    """A shop: a white unit with a till, its owner and a cashier."""

    id: UUID
    name: str
    till_id: UUID
    owner: Person
    cashier: Person


def a_unit(session: Session, book: Book, *, name: str = "旺财便民超市", colour: str = "white", area_code: str = GRID) -> library.Unit:
    """A unit of the library."""
    unit = library.add_unit(session, an_act(book), name=name, colour=colour, area_code=area_code)
    assert not isinstance(unit, Refusal)
    session.expunge(unit)  # so that reading it later begins nothing: on SQLite whoever reads holds the lock
    return unit


def a_shop(session: Session, book: Book, *, name: str = "旺财便民超市", area_code: str = GRID) -> Shop:
    """A shop with one till, its owner and a cashier, who are volunteers too."""
    unit, act, since = a_unit(session, book, name=name, area_code=area_code), an_act(book), local_day(START, book.zone)
    till = merchants.add_till(session, act, unit.id, name="1号收银台")
    assert not isinstance(till, Refusal)
    owner, cashier = a_person(session, book, name="汪旺财"), a_person(session, book, name="姚春梅")
    for person, role in ((owner, "shop_owner"), (cashier, "cashier")):
        hired = merchants.hire(session, act, unit.id, person_id=person.id, role=role, starts_on=since)
        assert not isinstance(hired, Refusal)
    return Shop(unit.id, name, till.id, owner, cashier)


def an_offer(session: Session, book: Book, unit_id: UUID, *, title: str = "菜籽油5升", points: int = 30, **others: Any) -> catalogue.Offer:
    """An offer of a shop that holds from today and never runs out, unless told otherwise."""
    plain = {"title": title, "points": points, "valid_from": local_day(START, book.zone)}
    offer = catalogue.add_offer(session, an_act(book), unit_id, **(plain | others))
    assert not isinstance(offer, Refusal)
    session.expunge(offer)
    return offer
