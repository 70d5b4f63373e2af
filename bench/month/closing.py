"""The end of the month: everything recomputed, every balance compared, and the figures told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.month.community import Somebody
from bench.month.month import Month
from bench.month.opening import Shop
from bench.server import Server
from bench.server import operate
from ledger import journal
from ledger.journal.model import Entry

#: Of the passbooks, each of which is recomputed by `flask ledger verify`, every tenth is asked for as well.
ASKED_EVERY = 10
#: So many of those who have earned nothing are told so.
EMPTY_ASKED = 100


@dataclass(frozen=True)
class Books:
    """What stands in the journal at the end."""

    awards: int
    issued: int
    redemptions: int
    redeemed: int
    voided: int
    outstanding: int
    left_in_fund: int


def read_books(session: Session, book_id: UUID) -> Books:
    """Return the sums of the journal."""
    rows = session.execute(select(Entry.kind, func.count(), func.sum(Entry.amount)).where(Entry.book_id == book_id).group_by(Entry.kind))
    kinds = {kind: (count, int(points)) for kind, count, points in rows}
    sums = journal.trial_balance(session, book_id)
    awards, issued = kinds.get("award", (0, 0))
    redemptions, redeemed = kinds.get("redemption", (0, 0))
    voided = kinds.get("void", (0, 0))[1]
    outstanding = sums.get("passbook", 0) + sums.get("team", 0)
    return Books(awards, issued, redemptions, redeemed, voided, outstanding, sums.get("fund", 0))


def compare(month: Month, engine: Engine) -> Books:
    """Compare what the clients were told with what stands in the journal: each difference is an error."""
    community = month.community
    persons = {one.id: one for one in (*community.volunteers, *(one for shift in community.patrols for one in shift), *community.couriers)}
    with Session(engine) as session:
        earned = journal.account_ids(session, community.book_id, "passbook", persons)
    # Asked in between: the server notes that a token is used, which waits while a session of the bench is open.
    asked = [*list(earned)[::ASKED_EVERY], *islice(persons.keys() - earned.keys(), EMPTY_ASKED)]
    told = month.client.together([partial(_told, month, persons[person_id]) for person_id in asked])
    owed = month.client.together([partial(_owed, month, shop) for shop in month.shops])
    with Session(engine) as session:
        books = read_books(session, month.community.book_id)
        sums = journal.trial_balance(session, month.community.book_id)
        _same(month, "all accounts together", 0, sum(sums.values()))
        _same(month, "issued = redeemed - voided + outstanding", books.issued, books.redeemed - books.voided + books.outstanding)
        _same(month, "redemptions", len(month.sales), books.redemptions)
        _same(month, "points redeemed", sum(sale.points for sale in month.sales), books.redeemed)
        _same(month, "points voided", month.voided, books.voided)
        _compare_passbooks(month, session, told)
        for unit_id, points in owed:
            account = journal.account_of(session, community.book_id, "receivable", UUID(unit_id))
            _same(month, f"owed to {unit_id}", points, journal.sum_of(session, community.book_id, account))
    return books


def _compare_passbooks(month: Month, session: Session, told: Sequence[tuple[UUID, int, int]]) -> None:
    accounts = journal.account_ids(session, month.community.book_id, "passbook", [person_id for person_id, _, _ in told])
    at = month.clock.now()
    for person_id, balance, lines in told:
        stands = journal.balance_of(session, month.community.book_id, accounts[person_id], at) if person_id in accounts else None
        _same(month, f"passbook of {person_id}", (balance, lines), (stands.balance, stands.lines) if stands else (0, 0))


def _told(month: Month, person: Somebody) -> tuple[UUID, int, int]:
    passbook = month.client.get(person.token, "/passbook")
    return person.id, passbook["balance"], passbook["lines"]


def _owed(month: Month, shop: Shop) -> tuple[str, int]:
    return shop.unit_id, month.client.get(shop.owner.token, "/units/{}/owed", shop.unit_id)["owed_points"]


def _same(month: Month, what: str, told: object, stands: object) -> None:
    if told != stands:
        month.client.fail(f"{what}: {told} was told, {stands} stands in the journal")


def verify(month: Month, server: Server) -> bool:
    """Run `flask ledger verify` as an operator would, and tell whether it found all clean."""
    ran = operate(server, "verify")
    if ran.returncode:
        month.client.fail(f"verify: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 0
