"""A small market for the race and the bench: volunteers with points and pay codes, shops with tills, everybody's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import update
from sqlalchemy.orm import Session

from bench.names import make_phone
from bench.server import Server
from ledger import areas
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import NewPerson
from ledger.people import Vault
from ledger.store import engine_for
from ledger.tokens import code_at
from ledger.tokens import step_at
from redeem import catalogue
from redeem import library
from redeem import merchants
from redeem.codes.model import PayDevice

COUNTY, GRID, ZONE = "320106", "320106001003-01", "Asia/Shanghai"
_PUBLISHED = [
    {"code": code, "name": name, "level": level, "parent_code": parent}
    for code, name, level, parent in (
        ("32", "江苏省", "province", ""),
        ("3201", "南京市", "city", "32"),
        (COUNTY, "鼓楼区", "county", "3201"),
        ("320106001", "宁海路街道", "township", COUNTY),
        ("320106001003", "仙霞路社区居委会", "village", "320106001"),
    )
]
_TOKENS_LIVE = timedelta(days=400)


@dataclass(frozen=True)
class Volunteer:
    """Somebody with points, the token they ask with, and the key that draws their pay codes."""

    id: UUID
    handle: str
    token: str
    pay_key: bytes


@dataclass(frozen=True)
class Stand:
    """A till, whoever stands at it, and what is offered there."""

    till_id: UUID
    till_name: str
    unit_id: UUID
    cashier_token: str
    offer_id: UUID


@dataclass(frozen=True)
class Market:
    """The book, its volunteers and its tills."""

    book_id: UUID
    book_number: int
    #: A grid worker, who brings the office's sheets.
    clerk_id: UUID
    volunteers: Sequence[Volunteer]
    stands: Sequence[Stand]

    def pay_code(self, volunteer: Volunteer, at: datetime) -> str:
        """Return the code that somebody shows at a moment, as their phone would draw it."""
        return f"{self.book_number}-{volunteer.handle}-{code_at(volunteer.pay_key, step_at(at), 'pay')}"


def asked_at(stand: Stand, code: str) -> dict[str, Any]:
    """Return what a till asks when a code is shown for its offer."""
    return {"till_id": str(stand.till_id), "offer_id": str(stand.offer_id), "code": code}


def open_market(server: Server, owner_url: str, *, volunteers: int, shops: int, points: int, price: int) -> Market:
    """Open a book with so many volunteers of so many points each, and shops with two tills and one limited offer each."""
    engine, vault, at = (
        engine_for(server.settings.database_url),
        Vault(server.settings.master_key, server.settings.pepper),
        server.clock.now(),
    )
    with Session(engine) as session:
        areas.import_published(session, _PUBLISHED)
        book = areas.open_book(session, name="鼓楼区善行存折", area_code=COUNTY, zone=ZONE, at=at)
        journal.open_book_accounts(session, book.id, at)
        act = _act(session, book.id, at)
        areas.add_grid(session, act, parent_code="320106001003", code=GRID, name="第1网格", level="grid", kind="comprehensive")
        persons = _enrol(session, vault, act, volunteers, "volunteer", 0)
        cashiers = _enrol(session, vault, act, shops, "volunteer", 50_000_000)
        _give_points(session, act, persons, points)
        market = Market(
            book.id,
            book.number,
            _enrol(session, vault, act, 1, "grid_worker", 60_000_000)[0].id,
            _with_codes(session, vault, act, persons),
            [stand for number, cashier in enumerate(cashiers) for stand in _open_shop(session, act, number, cashier, price)],
        )
        session.commit()
    engine.dispose()
    _let_days_be_long(owner_url)
    return market


def _let_days_be_long(owner_url: str) -> None:
    """Let nobody's day in the market end after five redemptions: how a book is set is changed by the database's owner only."""
    engine = engine_for(owner_url, migrating=True)
    with engine.begin() as connection:
        connection.execute(update(Book).values(at_once_uses_max=1_000_000))
    engine.dispose()


def _act(session: Session, book_id: UUID, at: datetime) -> Act:
    (claimed,) = journal.claim(session, book_id, [journal.Ask(OPERATOR, str(new_id()), b"market", at)])
    journal.answer(session, book_id, [(claimed.request_id, 200, {})])
    return Act(book_id, OPERATOR, "command", claimed.request_id, at)


def _enrol(session: Session, vault: Vault, act: Act, count: int, role: str, phones_from: int) -> list[people.Person]:
    enrolled: list[people.Person] = []
    for start in range(0, count, 1000):
        news = [
            NewPerson("陈桂芳", GRID, phone=make_phone(phones_from + number), roles=(role,))
            for number in range(start, min(count, start + 1000))
        ]
        for outcome in people.enrol_many(session, act, vault, news):
            assert not isinstance(outcome, Refusal), outcome
            enrolled.append(outcome)
    return enrolled


def _give_points(session: Session, act: Act, persons: Sequence[people.Person], points: int) -> None:
    fund, source = ("fund", new_id()), ("source", act.book_id)
    passbooks = [("passbook", person.id) for person in persons]
    accounts = journal.open_accounts(session, act.book_id, [fund, source, *passbooks], act.at)
    about = journal.About(deed_on=act.at.date())
    budget = journal.Transfer(
        act=act, from_account=accounts[source], to_account=accounts[fund], amount=points * len(persons), kind="budget", about=about
    )
    awards = [
        journal.Transfer(
            act=act, position=number, from_account=accounts[fund], to_account=accounts[one], amount=points, kind="award", about=about
        )
        for number, one in enumerate(passbooks, 1)
    ]  # fmt: skip
    outcomes = journal.post(session, act.book_id, [budget, *awards])
    assert all(isinstance(outcome, journal.Posted) for outcome in outcomes)


def _with_codes(session: Session, vault: Vault, act: Act, persons: Sequence[people.Person]) -> list[Volunteer]:
    tokens = sign_in.issue_bearer(session, act, [person.id for person in persons], lives=_TOKENS_LIVE)
    rows, known = [], []
    for person, token in zip(persons, tokens, strict=True):
        device_id = new_id()
        key = device_id.bytes + person.id.bytes
        sealed = vault.seal(f"{act.book_id}|{device_id}|pay", key)
        rows.append(
            {
                "book_id": act.book_id,
                "id": device_id,
                "person_id": person.id,
                "sealed_key": sealed,
                "created_at": act.at,
                "revoked_at": None,
            }
        )
        known.append(Volunteer(person.id, person.handle, token, key))
    session.execute(insert(PayDevice), rows)
    return known


def _open_shop(session: Session, act: Act, number: int, cashier: people.Person, price: int) -> list[Stand]:
    unit = library.add_unit(session, act, name=f"便民超市{number + 1}", colour="white", area_code=GRID)
    assert not isinstance(unit, Refusal)
    offer = catalogue.add_offer(
        session, act, unit.id, title="大米一份", points=price, valid_from=act.at.date(), limit_per_person=100_000, limit_period="day",
        stock=1_000_000,
    )  # fmt: skip
    assert not isinstance(offer, Refusal)
    hired = merchants.hire(session, act, unit.id, person_id=cashier.id, role="cashier", starts_on=act.at.date())
    assert not isinstance(hired, Refusal)
    (token,) = sign_in.issue_bearer(session, act, [cashier.id], lives=_TOKENS_LIVE)
    stands = []
    for name in ("1号收银台", "2号收银台"):
        till = merchants.add_till(session, act, unit.id, name=name)
        assert not isinstance(till, Refusal)
        stands.append(Stand(till.id, name, unit.id, token, offer.id))
    return stands
