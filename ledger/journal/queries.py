"""What is asked of the journal: balances, lines, the past, and sums."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger import areas
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Hold
from ledger.journal.model import HoldEnd
from ledger.journal.model import Line
from ledger.journal.model import Tally
from ledger.journal.rules import KINDS
from ledger.journal.rules import LINED
from ledger.journal.rules import YEARS_ALIVE
from ledger.store import MICROSECOND

#: Far below what one statement can carry as parameters.
_IDS_AT_ONCE = 1000


@dataclass(frozen=True)
class Balance:
    """An account as it stands at a moment, lapsed holds and expired points already gone."""

    balance: int
    held: int
    lines: int
    #: Points that run out at the end of this year if they are not spent.
    expiring: int

    @property
    def available(self) -> int:
        """Return what can be spent."""
        return self.balance - self.held


@dataclass(frozen=True)
class LineRow:
    """A passbook line with what its entry says of it."""

    number: int
    entry_id: UUID
    kind: str
    amount: int
    before: int
    after: int
    posted_at: datetime
    deed_on: date
    reference: UUID | None
    unit_id: UUID | None
    till_id: UUID | None
    reverses: UUID | None
    #: A helper did it for the person whose passbook it is.
    on_behalf: bool


# What is asked with every request is put together once: putting it together took longer than asking it.
_ACCOUNT_IDS = select(Account.kind, Account.owner, Account.id).where(
    Account.book_id == bindparam("book_id"),
    Account.kind.in_(bindparam("kinds", expanding=True)),
    Account.owner.in_(bindparam("owners", expanding=True)),
)
_TALLY = (
    select(Account.kind, Tally.balance, Tally.held, Tally.held_until, Tally.lines, Tally.year, Tally.posted_at)
    .join(Tally, and_(Tally.book_id == Account.book_id, Tally.account_id == Account.id))
    .where(Account.book_id == bindparam("book_id"), Account.id == bindparam("account_id"))
)
_EARNED = (
    select(Line.account_id, Line.term, func.sum(Line.earned))
    .where(
        Line.book_id == bindparam("book_id"),
        Line.account_id.in_(bindparam("ids", expanding=True)),
        Line.term >= bindparam("since"),
    )
    .group_by(Line.account_id, Line.term)
)
_OPEN_HOLDS = (
    select(Hold)
    .outerjoin(HoldEnd, and_(HoldEnd.book_id == Hold.book_id, HoldEnd.hold_id == Hold.id))
    .where(Hold.book_id == bindparam("book_id"), Hold.account_id.in_(bindparam("ids", expanding=True)), HoldEnd.hold_id.is_(None))
)
_LINES = (
    select(
        Line.number, Line.entry_id, Entry.kind, Line.amount, Line.before, Line.after, Line.posted_at, Line.deed_on, Entry.reference,
        Entry.unit_id, Entry.till_id, Entry.reverses, Entry.acted_for.is_not(None),
    )
    .join(Entry, and_(Entry.book_id == Line.book_id, Entry.id == Line.entry_id))
    .where(Line.book_id == bindparam("book_id"), Line.account_id == bindparam("account_id"))
)  # fmt: skip
_HISTORY = _LINES.where(Line.number < bindparam("before")).order_by(Line.number.desc()).limit(bindparam("limit"))
#: A number that no line has.
_AFTER_ALL = 2**62


def account_ids(session: Session, book_id: UUID, kind: str, owners: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the account of `kind` of each of `owners` that has one."""
    return {owner: account_id for (_, owner), account_id in accounts(session, book_id, {(kind, owner) for owner in owners}).items()}


def accounts(session: Session, book_id: UUID, wanted: Collection[tuple[str, UUID]]) -> dict[tuple[str, UUID], UUID]:
    """Return the account of each (kind, owner) that has one."""
    found: dict[tuple[str, UUID], UUID] = {}
    kinds, owners = {kind for kind, _ in wanted}, sorted({owner for _, owner in wanted})
    for start in range(0, len(owners), _IDS_AT_ONCE):
        chunk = owners[start : start + _IDS_AT_ONCE]
        rows = session.connection().execute(_ACCOUNT_IDS, {"book_id": book_id, "kinds": list(kinds), "owners": chunk})
        found |= {(kind, owner): account_id for kind, owner, account_id in rows}
    return {pair: found[pair] for pair in wanted if pair in found}


def account_of(session: Session, book_id: UUID, kind: str, owner: UUID) -> UUID:
    """Return the account of `kind` that `owner` has; raise NotFound where there is none."""
    found = account_ids(session, book_id, kind, [owner])
    if owner not in found:
        raise NotFound("account_id")
    return found[owner]


def balance_of(session: Session, book_id: UUID, account_id: UUID, at: datetime) -> Balance:
    """Return a lined account as it stands at `at`: what the next post would find."""
    row = session.execute(_TALLY, {"book_id": book_id, "account_id": account_id}).one_or_none()
    if row is None:
        raise NotFound("account_id")
    held = row.held
    if row.held_until is not None and row.held_until <= at:
        held = sum(hold.amount for hold in open_holds(session, book_id, [account_id]) if hold.expires_at > at)
    balance, expiring = row.balance, 0
    if KINDS[row.kind].expires and balance:
        # As the next post, which is recorded after the last one even where the clock has been set back.
        year = local_day(max(at, row.posted_at + MICROSECOND), areas.book(session, book_id).zone).year
        earned = earned_by_year(session, book_id, [account_id], since=year + 1 - YEARS_ALIVE)[account_id]
        if year > row.year:
            balance -= min(balance - held, max(0, balance - sum(earned.values())))
        alive_next = sum(points for term, points in earned.items() if term > year + 1 - YEARS_ALIVE)
        expiring = max(0, balance - alive_next)
    return Balance(balance, held, row.lines, expiring)


def available_of(session: Session, book_id: UUID, ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return what is left in each of these accounts; a look without a lock, which `post` may yet refuse."""
    wanted = select(Tally.account_id, Tally.balance - Tally.held).where(Tally.book_id == book_id, Tally.account_id.in_(list(ids)))
    return {account_id: int(left) for account_id, left in session.execute(wanted)}


def open_holds(session: Session, book_id: UUID, ids: Collection[UUID]) -> list[Hold]:
    """Return the holds of these accounts that have not been ended."""
    found, asked = list[Hold](), list(ids)
    for start in range(0, len(asked), _IDS_AT_ONCE):
        found += session.execute(_OPEN_HOLDS, {"book_id": book_id, "ids": asked[start : start + _IDS_AT_ONCE]}).scalars()
    return found


def earned_by_year(session: Session, book_id: UUID, ids: Collection[UUID], *, since: int = 0) -> dict[UUID, dict[int, int]]:
    """Return for each account the points by the year they belong to, of the years from `since` on."""
    found: dict[UUID, dict[int, int]] = {account_id: {} for account_id in ids}
    asked = list(ids)
    for start in range(0, len(asked), _IDS_AT_ONCE):
        rows = session.execute(_EARNED, {"book_id": book_id, "ids": asked[start : start + _IDS_AT_ONCE], "since": since})
        for account_id, term, earned in rows:
            found[account_id][term] = int(earned)
    return found


def history(
    session: Session, book_id: UUID, account_id: UUID, *, before_number: int | None = None, limit: int = 50
) -> list[LineRow]:  # fmt: skip
    """Return the account's lines, the newest first, those before `before_number` where it is given."""
    before = _AFTER_ALL if before_number is None else before_number
    rows = session.execute(_HISTORY, {"book_id": book_id, "account_id": account_id, "before": before, "limit": limit})
    return [LineRow(*tuple(row)) for row in rows]


def lines_between(session: Session, book_id: UUID, account_id: UUID, since: datetime, until: datetime) -> list[LineRow]:
    """Return the account's lines that were posted from `since` on and before `until`, the oldest first."""
    wanted = _LINES.where(Line.posted_at >= since, Line.posted_at < until).order_by(Line.number)
    return [LineRow(*tuple(row)) for row in session.execute(wanted, {"book_id": book_id, "account_id": account_id})]


def page_between(
    session: Session, book_id: UUID, account_id: UUID, since: datetime, until: datetime, *, sign: int = 0, before: int | None = None,
    limit: int = 50,
) -> list[LineRow]:  # fmt: skip
    """Return such lines, the newest first, those before a number where it is given; only what came in (1) or went out (-1) by `sign`."""
    wanted = _LINES.where(Line.posted_at >= since, Line.posted_at < until, Line.number < (_AFTER_ALL if before is None else before))
    if sign:
        wanted = wanted.where(Line.amount > 0 if sign > 0 else Line.amount < 0)
    rows = session.execute(wanted.order_by(Line.number.desc()).limit(limit), {"book_id": book_id, "account_id": account_id})
    return [LineRow(*tuple(row)) for row in rows]


def sums_between(session: Session, book_id: UUID, account_id: UUID, since: datetime, until: datetime) -> tuple[int, int]:
    """Return what came into an account and what went out of it from `since` on and before `until`, both as whole numbers from zero."""
    came = func.sum(case((Line.amount > 0, Line.amount), else_=0))
    went = func.sum(case((Line.amount < 0, -Line.amount), else_=0))
    this = (Line.book_id == book_id, Line.account_id == account_id, Line.posted_at >= since, Line.posted_at < until)
    row = session.execute(select(came, went).where(*this)).one()
    return int(row[0] or 0), int(row[1] or 0)


def begun_at(session: Session, book_id: UUID, account_id: UUID) -> datetime | None:
    """Return when the first line of an account was posted, if there is any."""
    wanted = select(Line.posted_at).where(Line.book_id == book_id, Line.account_id == account_id).order_by(Line.number).limit(1)
    return session.execute(wanted).scalar_one_or_none()


def lines_numbered(session: Session, book_id: UUID, account_id: UUID, first: int, last: int) -> list[LineRow]:
    """Return the account's lines with these numbers, from `first` to `last`, the oldest first."""
    wanted = _LINES.where(Line.number.between(first, last)).order_by(Line.number)
    return [LineRow(*tuple(row)) for row in session.execute(wanted, {"book_id": book_id, "account_id": account_id})]


def as_of(session: Session, book_id: UUID, account_id: UUID, moment: datetime) -> int:
    """Return the balance as it was recorded at `moment`: one probe of an index."""
    wanted = (
        select(Line.after)
        .where(Line.book_id == book_id, Line.account_id == account_id, Line.posted_at <= moment)
        .order_by(Line.posted_at.desc())
        .limit(1)
    )
    return session.execute(wanted).scalar_one_or_none() or 0


def as_of_deed_day(session: Session, book_id: UUID, account_id: UUID, day: date) -> int:
    """Return what the account's deeds up to and including `day` come to, whenever they were recorded."""
    wanted = select(func.sum(Line.amount)).where(Line.book_id == book_id, Line.account_id == account_id, Line.deed_on <= day)
    return int(session.execute(wanted).scalar_one() or 0)


def sum_of(session: Session, book_id: UUID, account_id: UUID) -> int:
    """Return the balance of an account without lines: what its entries come to."""
    moved = []
    for side in (Entry.to_account, Entry.from_account):
        wanted = select(func.sum(Entry.amount)).where(Entry.book_id == book_id, side == account_id)
        moved.append(int(session.execute(wanted).scalar_one() or 0))
    return moved[0] - moved[1]


def trial_balance(session: Session, book_id: UUID) -> dict[str, int]:
    """Return the sum of the balances of each kind of account; all of them together are zero (law 1).

    What is read line by line says its balance by its counters, everything else by its entries: two tellings, which can differ.
    """
    counted = (
        select(Account.kind, func.sum(Tally.balance))
        .select_from(Tally)
        .join(Account, and_(Account.book_id == Tally.book_id, Account.id == Tally.account_id))
        .where(Tally.book_id == book_id)
        .group_by(Account.kind)
    )
    totals = {kind: int(points) for kind, points in session.execute(counted)}
    for side, sign in ((Entry.to_account, 1), (Entry.from_account, -1)):
        rows = session.execute(
            select(Account.kind, func.sum(Entry.amount))
            .select_from(Entry)
            .join(Account, and_(Account.book_id == Entry.book_id, Account.id == side))
            .where(Entry.book_id == book_id, Account.kind.not_in(LINED))
            .group_by(Account.kind)
        )
        for kind, amount in rows:
            totals[kind] = totals.get(kind, 0) + sign * int(amount)
    return totals


class EntrySeen(NamedTuple):
    """An entry with whose accounts it moved between, for those who check what it is about."""

    id: UUID
    kind: str
    amount: int
    reference: UUID | None
    unit_id: UUID | None
    till_id: UUID | None
    reverses: UUID | None
    giver: tuple[str, UUID]
    taker: tuple[str, UUID]


def helpers_of(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return who acted in each of these entries that was posted on somebody's behalf."""
    found: dict[UUID, UUID] = {}
    asked = list(ids)
    for start in range(0, len(asked), _IDS_AT_ONCE):
        wanted = select(Entry.id, Entry.actor).where(
            Entry.book_id == book_id, Entry.id.in_(asked[start : start + _IDS_AT_ONCE]), Entry.acted_for.is_not(None)
        )
        found |= {entry_id: actor for entry_id, actor in session.execute(wanted)}
    return found


def entries_of_kinds(session: Session, book_id: UUID, kinds: Collection[str]) -> Iterator[EntrySeen]:
    """Yield the entries of these kinds, streamed, in no order."""
    giver, taker = aliased(Account), aliased(Account)
    wanted = (
        select(
            Entry.id, Entry.kind, Entry.amount, Entry.reference, Entry.unit_id, Entry.till_id, Entry.reverses,
            giver.kind, giver.owner, taker.kind, taker.owner,
        )
        .join(giver, and_(giver.book_id == Entry.book_id, giver.id == Entry.from_account))
        .join(taker, and_(taker.book_id == Entry.book_id, taker.id == Entry.to_account))
        .where(Entry.book_id == book_id, Entry.kind.in_(kinds))
    )  # fmt: skip
    for row in session.execute(wanted.execution_options(yield_per=10_000)):
        entry_id, kind, amount, reference, unit_id, till_id, reverses, *owners = row
        yield EntrySeen(entry_id, kind, amount, reference, unit_id, till_id, reverses, (owners[0], owners[1]), (owners[2], owners[3]))
