"""What is done to the journal: requests are claimed and answered, accounts are opened, movements are posted."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import Protocol
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert as upsert_postgresql
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.errors import NotFound
from ledger.ids import new_id
from ledger.ids import new_ids
from ledger.journal import postgresql
from ledger.journal import sqlite
from ledger.journal.decide import AccountState
from ledger.journal.decide import AnswerRow
from ledger.journal.decide import EntryState
from ledger.journal.decide import Expire
from ledger.journal.decide import Expired
from ledger.journal.decide import HoldState
from ledger.journal.decide import Locked
from ledger.journal.decide import Movement
from ledger.journal.decide import Outcome
from ledger.journal.decide import PostHold
from ledger.journal.decide import RequestRow
from ledger.journal.decide import Reserve
from ledger.journal.decide import Reversal
from ledger.journal.decide import State
from ledger.journal.decide import Transfer
from ledger.journal.decide import VoidHold
from ledger.journal.decide import Writes
from ledger.journal.decide import decide
from ledger.journal.decide import year_of
from ledger.journal.model import Account
from ledger.journal.model import Answer
from ledger.journal.model import Entry
from ledger.journal.model import Hold
from ledger.journal.model import HoldEnd
from ledger.journal.model import Line
from ledger.journal.model import Request
from ledger.journal.model import Tally
from ledger.journal.queries import account_ids
from ledger.journal.queries import accounts
from ledger.journal.queries import balance_of
from ledger.journal.queries import earned_by_year
from ledger.journal.queries import open_holds
from ledger.journal.rules import KINDS
from ledger.journal.rules import Microseconds
from ledger.journal.rules import microseconds


class Engine(Protocol):
    """All that differs between the databases."""

    def claim(self, session: Session, book_id: UUID, requests: Sequence[RequestRow]) -> set[UUID]:
        """Insert requests in their order and return the ids of those whose key was free, once everybody who had it is done."""

    def answer(self, session: Session, book_id: UUID, answers: Sequence[AnswerRow]) -> None:
        """Insert answers."""

    def lock(self, session: Session, book_id: UUID, account_ids: Collection[UUID]) -> Locked:
        """Lock accounts in the one order and return them as they stand."""

    def write(self, session: Session, book_id: UUID, writes: Writes) -> None:
        """Write what was decided."""


def engine_of(session: Session) -> Engine:
    """Return the engine for the session's database."""
    return postgresql if session.get_bind().dialect.name == "postgresql" else sqlite


@dataclass(frozen=True)
class Ask:
    """A write that is asked for: by whom, under which key, and the SHA-256 of what."""

    actor: UUID
    key: str
    input_hash: bytes
    at: datetime
    #: What the same would have been kept as under keys that were changed since.
    former_hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Claimed:
    """The key is ours: do the work, then `answer` it in the same transaction."""

    request_id: UUID


@dataclass(frozen=True)
class Answered:
    """The same was asked before: this was the answer, and it still is."""

    request_id: UUID
    status: int
    body: Any


@dataclass(frozen=True)
class Differs:
    """The key was used before for something else."""

    request_id: UUID


def claim(session: Session, book_id: UUID, asks: Sequence[Ask]) -> list[Claimed | Answered | Differs]:
    """Claim a request for each of `asks`, before anything else of the transaction (law 5).

    Whoever asks the same at the same time waits here for the winner's answer, as long as the database's lock timeout; after it the
    database's error goes up and is a `Conflict` at the edge.
    """
    wanted = {(ask.actor, ask.key): ask for ask in asks}
    assert len(wanted) == len(asks), "each key once in a set: the second could only be answered after the first was carried out"
    # Sorted, so that two sets that share keys wait for each other in one order and never in a ring.
    requests = [RequestRow(new_id(), *who, wanted[who].input_hash, microseconds(wanted[who].at)) for who in sorted(wanted, key=_place)]
    won = engine_of(session).claim(session, book_id, requests)
    ours = {(request.actor, request.key): request.id for request in requests if request.id in won}
    # A statement of its own, after the wait: the one above could not have seen what it waited for.
    others = _asked_before(session, book_id, wanted.keys() - ours.keys()) if len(ours) < len(wanted) else {}
    outcomes: list[Claimed | Answered | Differs] = []
    for ask in asks:
        if (who := (ask.actor, ask.key)) in ours:
            outcomes.append(Claimed(ours[who]))
            continue
        request_id, input_hash, status, body = others[who]
        is_the_same = input_hash in (ask.input_hash, *ask.former_hashes)
        outcomes.append(Answered(request_id, status, body) if is_the_same else Differs(request_id))
    return outcomes


def _place(who: tuple[UUID, str]) -> tuple[int, str]:
    return who[0].int, who[1]


def _asked_before(session: Session, book_id: UUID, who: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Any]:
    rows = session.execute(
        select(Request.actor, Request.key, Request.id, Request.input_hash, Answer.status, Answer.body)
        .join(Answer, and_(Answer.book_id == Request.book_id, Answer.request_id == Request.id))
        .where(Request.book_id == book_id, tuple_(Request.actor, Request.key).in_(who))
    )
    return {(actor, key): tuple(rest) for actor, key, *rest in rows}


def answer(session: Session, book_id: UUID, answers: Iterable[tuple[UUID, int, Any]]) -> None:
    """Store what each request was answered (its id, a status, a body for JSON), last of all in its transaction."""
    engine_of(session).answer(session, book_id, [AnswerRow(*one) for one in answers])


def open_accounts(
    session: Session, book_id: UUID, wanted: Iterable[tuple[str, UUID]], at: datetime
) -> dict[tuple[str, UUID], UUID]:  # fmt: skip
    """Open an account for each (kind, owner) that has none, and return the accounts of all; done twice it does nothing."""
    asked = sorted(set(wanted))
    found = accounts(session, book_id, asked)
    missing = [(kind, owner) for kind, owner in asked if (kind, owner) not in found]
    if not missing:
        return found
    upsert = upsert_postgresql if session.get_bind().dialect.name == "postgresql" else upsert_sqlite
    # A dump tells accounts in the order of their ids, and not whose they are.
    rows = [
        {"book_id": book_id, "id": one, "kind": kind, "owner": owner, "opened_at": at}
        for one, (kind, owner) in zip(new_ids(len(missing)), missing, strict=True)
    ]
    opened = set(
        session.execute(
            upsert(Account).on_conflict_do_nothing(index_elements=["book_id", "kind", "owner"]).returning(Account.id), rows
        ).scalars()
    )
    year = year_of(microseconds(at), areas.book(session, book_id).zone)
    counters = {"book_id": book_id, "lines": 0, "balance": 0, "held": 0, "held_until": None, "posted_at": at, "year": year}
    lined = [{"account_id": row["id"], **counters} for row in rows if row["id"] in opened and KINDS[str(row["kind"])].is_lined]
    if lined:
        session.execute(insert(Tally), lined)
    return found | accounts(session, book_id, missing)


def open_book_accounts(session: Session, book_id: UUID, at: datetime) -> None:
    """Open the accounts that every book has: where budgets come from, and where expired points go."""
    open_accounts(session, book_id, [("source", book_id), ("expired", book_id), ("donated", book_id), ("settled", book_id)], at)


def lock_spendable(
    session: Session, book_id: UUID, account_ids: Collection[UUID], at: datetime, *, takers: Collection[UUID] = ()
) -> tuple[dict[UUID, int], Locked]:  # fmt: skip
    """Lock passbooks before `post` does, and return what can be spent of each: where something else is checked under the same locks.

    What is locked, `takers` too, is for `post` to go on from.
    """
    now, found = microseconds(at), {}
    locked = zone, accounts = engine_of(session).lock(session, book_id, {*account_ids, *takers})
    for account_id in account_ids:
        it = accounts[account_id]
        is_settled = (it.held_until is None or it.held_until > now) and it.year >= year_of(max(now, it.posted_at + 1), zone)
        found[account_id] = it.available if is_settled else balance_of(session, book_id, account_id, at).available
    return found, locked


def post(session: Session, book_id: UUID, movements: Sequence[Movement], *, locked: Locked | None = None) -> list[Outcome]:
    """Post a set of movements, one or thousands, and return an outcome for each.

    Lock, read, decide, write: the same handful of statements whatever the number. All movements of one request are posted by one call.
    `locked` is what `lock_spendable` has locked before, in the same transaction; nothing was posted since.
    """
    assert all(movement.act.book_id == book_id for movement in movements), "points never cross books"
    engine = engine_of(session)
    entries = _entries(session, book_id, {m.entry_id for m in movements if isinstance(m, Reversal)})
    holds = _holds(session, book_id, {m.hold_id for m in movements if isinstance(m, PostHold | VoidHold)})
    touched = _touched(movements, entries, holds)
    if locked is None or not touched <= locked.accounts.keys():
        locked = engine.lock(session, book_id, touched)
    if not touched <= locked.accounts.keys():
        raise NotFound("account_id")
    outcomes, writes = decide(_state(session, book_id, movements, locked, entries, holds), movements)
    if writes.tallies:
        engine.write(session, book_id, writes)
    return outcomes


def _touched(movements: Sequence[Movement], entries: dict[UUID, Entry], holds: dict[UUID, Hold]) -> set[UUID]:
    touched: set[UUID] = set()
    for movement in movements:
        match movement:
            case Transfer():
                touched |= {movement.from_account, movement.to_account}
            case Reversal() if movement.entry_id in entries:
                touched |= {entries[movement.entry_id].from_account, entries[movement.entry_id].to_account}
            case Reserve() | Expire():
                touched.add(movement.account)
            case PostHold() if movement.hold_id in holds:
                touched |= {holds[movement.hold_id].account_id, movement.to_account}
            case VoidHold() if movement.hold_id in holds:
                touched.add(holds[movement.hold_id].account_id)
    return touched


def _state(
    session: Session,
    book_id: UUID,
    movements: Sequence[Movement],
    locked: Locked,
    entries: dict[UUID, Entry],
    holds: dict[UUID, Hold],
) -> State:
    """Read, after the locks, what the movements will be judged by, and only that."""
    zone, accounts = locked
    now = max((microseconds(movement.act.at) for movement in movements), default=0)
    with_holds = {hold.account_id for hold in holds.values()}
    with_holds |= {it.id for it in accounts.values() if it.held_until is not None and it.held_until <= now}
    with_holds |= {m.account for m in movements if isinstance(m, Reserve) and accounts[m.account].held}
    if with_holds:
        for hold in open_holds(session, book_id, with_holds):
            accounts[hold.account_id].holds[hold.id] = (microseconds(hold.expires_at), hold.amount)
    expired_account = _read_terms(session, book_id, movements, accounts, entries, now, zone)
    return State(
        book_id, zone, accounts, expired_account, _hold_states(session, book_id, holds), _entry_states(session, book_id, entries)
    )  # fmt: skip


def _read_terms(
    session: Session,
    book_id: UUID,
    movements: Sequence[Movement],
    accounts: dict[UUID, AccountState],
    entries: dict[UUID, Entry],
    now: Microseconds,
    zone: str,
) -> UUID | None:
    """Read the points by year of the accounts whose year has turned or whose awards are taken back; return where expired points go."""
    # By the latest moment that any entry of the set can get: an account that is ahead of the clock takes the others along.
    latest = max([now, *(it.posted_at + 1 for it in accounts.values())])
    expiring = {it.id for it in accounts.values() if KINDS[it.kind].expires and it.year < year_of(latest, zone)}
    givers = {entries[m.entry_id].to_account for m in movements if isinstance(m, Reversal) and m.entry_id in entries}
    givers |= {m.from_account for m in movements if isinstance(m, Transfer) and m.kind == "gift"}
    wanted = expiring | {account_id for account_id in givers if KINDS[accounts[account_id].kind].expires}
    if wanted:
        for account_id, earned in earned_by_year(session, book_id, wanted).items():
            accounts[account_id].earned = earned
    if not expiring:
        return None
    expired_account = account_ids(session, book_id, "expired", [book_id]).get(book_id)
    if expired_account and expired_account not in accounts:
        accounts[expired_account] = AccountState(expired_account, "expired")
    return expired_account


def _entries(session: Session, book_id: UUID, ids: set[UUID]) -> dict[UUID, Entry]:
    if not ids:
        return {}
    return {entry.id: entry for entry in session.execute(select(Entry).where(Entry.book_id == book_id, Entry.id.in_(ids))).scalars()}


def _entry_states(session: Session, book_id: UUID, entries: dict[UUID, Entry]) -> dict[UUID, EntryState]:
    if not entries:
        return {}
    # Under the locks of the entries' accounts: the same rows read before them may be stale (120 was once taken back of 100 so).
    taken = {
        entry_id: (int(points), count)
        for entry_id, points, count in session.execute(
            select(Entry.reverses, func.sum(Entry.amount), func.count())
            .where(Entry.book_id == book_id, Entry.reverses.in_(entries))
            .group_by(Entry.reverses)
        )
    }
    terms = {
        entry_id: term
        for entry_id, term in session.execute(
            select(Line.entry_id, func.max(Line.term)).where(Line.book_id == book_id, Line.entry_id.in_(entries)).group_by(Line.entry_id)
        )
    }
    return {
        entry.id: EntryState(
            entry.from_account, entry.to_account, entry.amount - taken.get(entry.id, (0, 0))[0], taken.get(entry.id, (0, 0))[1],
            entry.reverses is not None, terms[entry.id],
        )
        for entry in entries.values()
    }  # fmt: skip


def _holds(session: Session, book_id: UUID, ids: set[UUID]) -> dict[UUID, Hold]:
    if not ids:
        return {}
    return {hold.id: hold for hold in session.execute(select(Hold).where(Hold.book_id == book_id, Hold.id.in_(ids))).scalars()}


def _hold_states(session: Session, book_id: UUID, holds: dict[UUID, Hold]) -> dict[UUID, HoldState]:
    if not holds:
        return {}
    ended = set(session.execute(select(HoldEnd.hold_id).where(HoldEnd.book_id == book_id, HoldEnd.hold_id.in_(holds))).scalars())
    return {hold.id: HoldState(hold.account_id, hold.amount, microseconds(hold.expires_at), hold.id in ended) for hold in holds.values()}


def close_year(session: Session, act: Act) -> int:
    """Book what has expired on every passbook whose year has turned, and return how many points ran out.

    The first post of a new year does the same for the account it touches; this is so that nobody has to wait for one.
    """
    year = year_of(microseconds(act.at), areas.book(session, act.book_id).zone)
    expiring = [kind for kind in KINDS if KINDS[kind].expires]
    due = session.execute(
        select(Tally.account_id)
        .join(Account, and_(Account.book_id == Tally.book_id, Account.id == Tally.account_id))
        .where(Tally.book_id == act.book_id, Tally.year < year, Tally.balance > 0, Account.kind.in_(expiring))
    ).scalars()
    outcomes = post(session, act.book_id, [Expire(act=act, account=account_id) for account_id in due])
    return sum(outcome.points for outcome in outcomes if isinstance(outcome, Expired))
