"""The law: what a set of movements does to the accounts it touches, judged in the order of the set; pure, the same for every database.

`decide` is given all that was read after the locks (`State`) and gives back one outcome a movement and the rows to write (`Writes`).
Each movement is judged against what its accepted predecessors left. Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from functools import lru_cache
from typing import Any
from typing import NamedTuple
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.journal.rules import ENTRY_KINDS
from ledger.journal.rules import EXPIRING
from ledger.journal.rules import LINED
from ledger.journal.rules import YEARS_ALIVE
from ledger.journal.rules import Microseconds
from ledger.journal.rules import fits
from ledger.journal.rules import microseconds
from ledger.points import is_amount

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class About:
    """What an entry concerns besides its accounts; all of it opaque to the journal."""

    deed_on: date
    reference: UUID | None = None
    contract_id: UUID | None = None
    unit_id: UUID | None = None
    till_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Something asked of the journal; `position` tells the movements of one request apart."""

    act: Act
    position: int = 0
    #: Movements of a set with the same `together` stand or fall together.
    together: object = None


@dataclass(frozen=True, kw_only=True)
class Transfer(Movement):
    """Move points from one account to another."""

    from_account: UUID
    to_account: UUID
    amount: int
    kind: str
    about: About
    #: The year the points belong to and keep when they are given away; of no use to other kinds.
    term: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reversal(Movement):
    """Take an entry back, in part or in whole: the same accounts the other way round."""

    entry_id: UUID
    amount: int
    kind: str
    about: About


@dataclass(frozen=True, kw_only=True)
class Reserve(Movement):
    """Hold points back until a moment."""

    account: UUID
    amount: int
    expires_at: datetime
    reference: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class PostHold(Movement):
    """Move held points, all or a part of them; the hold ends and what is left of it is free again."""

    hold_id: UUID
    to_account: UUID
    kind: str
    about: About
    #: All of it where nothing is said.
    amount: int | None = None


@dataclass(frozen=True, kw_only=True)
class VoidHold(Movement):
    """Let held points go."""

    hold_id: UUID


@dataclass(frozen=True, kw_only=True)
class Expire(Movement):
    """Book what has expired and lapsed on an account, and nothing else."""

    account: UUID


@dataclass(slots=True)
class AccountState:
    """An account as it stands under its lock."""

    id: UUID
    kind: str
    lines: int = 0
    balance: int = 0
    held: int = 0
    held_until: Microseconds | None = None
    posted_at: Microseconds = 0
    year: int = 0
    #: Points by the year they belong to; read where a year has turned, and where an award is taken back.
    earned: dict[int, int] = field(default_factory=dict)
    #: Its open holds: until when, and how much; read where one may have lapsed or is ended.
    holds: dict[UUID, tuple[Microseconds, int]] = field(default_factory=dict)
    #: What the journal books by itself before the first accepted movement: lapsed holds, expired points.
    lapsed: tuple[UUID, ...] = ()
    expiring: int = 0

    @property
    def available(self) -> int:
        """Return what can be spent."""
        return self.balance - self.held

    def copy(self) -> AccountState:
        """Return another one that stands the same and goes its own way."""
        return AccountState(
            self.id, self.kind, self.lines, self.balance, self.held, self.held_until, self.posted_at, self.year, dict(self.earned),
            dict(self.holds), self.lapsed, self.expiring,
        )  # fmt: skip


class Locked(NamedTuple):
    """Accounts as they stand under their locks, and the time zone of their book."""

    zone: str
    accounts: dict[UUID, AccountState]


class HoldState(NamedTuple):
    """A hold as it was read under its account's lock."""

    account: UUID
    amount: int
    expires_at: Microseconds
    is_ended: bool


class EntryState(NamedTuple):
    """An entry that is to be taken back, as it was read under its accounts' locks."""

    from_account: UUID
    to_account: UUID
    left: int
    reversals: int
    is_reversal: bool
    #: The year its points belong to.
    term: int


@dataclass(frozen=True)
class State:
    """All that was read, after the locks."""

    book_id: UUID
    zone: str
    accounts: Mapping[UUID, AccountState]
    #: Where expired points go.
    expired_account: UUID | None
    holds: Mapping[UUID, HoldState] = field(default_factory=dict)
    entries: Mapping[UUID, EntryState] = field(default_factory=dict)


class LineSeen(NamedTuple):
    """A line as its reader sees it."""

    number: int
    before: int
    after: int


class Posted(NamedTuple):
    """An entry was written; a side without lines has none to show."""

    entry_id: UUID
    posted_at: Microseconds
    from_line: LineSeen | None
    to_line: LineSeen | None


class Held(NamedTuple):
    """Points were reserved."""

    hold_id: UUID


class Released(NamedTuple):
    """Held points were let go."""

    hold_id: UUID


class Expired(NamedTuple):
    """So many points had run out."""

    points: int


Outcome = Posted | Held | Released | Expired | Refusal


class RequestRow(NamedTuple):
    """A row of `request`."""

    id: UUID
    actor: UUID
    key: str
    input_hash: bytes
    at: Microseconds


class AnswerRow(NamedTuple):
    """A row of `answer`; `body` is what JSON is made of."""

    request_id: UUID
    status: int
    body: Any


class EntryRow(NamedTuple):
    """A row of `entry`."""

    id: UUID
    from_account: UUID
    to_account: UUID
    amount: int
    kind: str
    deed_on: date
    posted_at: Microseconds
    request_id: UUID
    position: int
    actor: UUID
    acted_for: UUID | None
    channel: str
    reference: UUID | None
    contract_id: UUID | None
    unit_id: UUID | None
    till_id: UUID | None
    reverses: UUID | None
    reversal_number: int | None
    left_after: int | None


class LineRow(NamedTuple):
    """A row of `line`."""

    account_id: UUID
    number: int
    entry_id: UUID
    amount: int
    before: int
    after: int
    term: int
    earned: int
    posted_at: Microseconds
    deed_on: date


class HoldRow(NamedTuple):
    """A row of `hold`."""

    id: UUID
    account_id: UUID
    amount: int
    held_at: Microseconds
    expires_at: Microseconds
    request_id: UUID
    position: int
    reference: UUID | None


class HoldEndRow(NamedTuple):
    """A row of `hold_end`."""

    hold_id: UUID
    how: str
    entry_id: UUID | None
    request_id: UUID
    ended_at: Microseconds


@dataclass
class Writes:
    """The rows to write."""

    entries: list[EntryRow] = field(default_factory=list)
    lines: list[LineRow] = field(default_factory=list)
    holds: list[HoldRow] = field(default_factory=list)
    hold_ends: list[HoldEndRow] = field(default_factory=list)
    #: The changed accounts, as they stand after it.
    tallies: dict[UUID, AccountState] = field(default_factory=dict)


def decide(state: State, movements: Sequence[Movement]) -> tuple[list[Outcome], Writes]:
    """Judge `movements` in their order and return an outcome for each, and what is to be written.

    Raises Invalid for what no book could do (a number that is no amount, an unknown kind) and NotFound for an account, hold or entry
    that was not read; everything the rules refuse is a Refusal among the outcomes.
    """
    court = _Court(state)
    if all(movement.together is None for movement in movements):
        return [court.carry_out(movement) for movement in movements], court.writes
    outcomes: dict[int, Outcome] = {}
    for group in _groups(movements):
        outcomes |= court.judge(group)
    return [outcomes[index] for index in range(len(movements))], court.writes


def _groups(movements: Sequence[Movement]) -> Iterator[list[tuple[int, Movement]]]:
    """Yield what stands or falls together, in the order in which each group begins."""
    groups: dict[object, list[tuple[int, Movement]]] = {}
    for index, movement in enumerate(movements):
        key = ("alone", index) if movement.together is None else ("together", movement.together)
        groups.setdefault(key, []).append((index, movement))
    yield from groups.values()


class _Court:
    """The accounts while a set is judged."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.accounts: dict[UUID, AccountState] = {}
        self.holds = dict(state.holds)
        self.entries = dict(state.entries)
        self.writes = Writes()
        self.positions: dict[UUID, int] = {}

    def judge(self, group: list[tuple[int, Movement]]) -> dict[int, Outcome]:
        """Carry a group out, or, where one of it is refused, leave all as it was."""
        before = self._saved() if len(group) > 1 else None
        outcomes: dict[int, Outcome] = {}
        for index, movement in group:
            outcomes[index] = self.carry_out(movement)
            if isinstance(outcomes[index], Refusal):
                if before is not None:
                    self._restore(before)
                outcomes |= {other: Refusal("refused-together") for other, _ in group if other != index}
                break
        return outcomes

    def carry_out(self, movement: Movement) -> Outcome:
        """Carry one out; it checks everything before it changes anything: there is nothing to undo."""
        match movement:
            case Transfer():
                return self._transfer(movement)
            case Reversal():
                return self._reverse(movement)
            case Reserve():
                return self._reserve(movement)
            case PostHold():
                return self._post_hold(movement)
            case VoidHold():
                return self._void_hold(movement)
            case Expire():
                account = self._one(movement.account, movement.act)
                points = account.expiring
                self._begin(account, movement.act)
                return Expired(points)
        raise TypeError(movement)

    # What is asked, one method each: checks in the order of precedence, then the change.

    def _transfer(self, asked: Transfer) -> Outcome:
        _check(asked.amount, asked.kind)
        giver, taker = self._two(asked.from_account, asked.to_account, asked.act)
        _check_way(asked.kind, giver, taker)
        if refusal := _too_little(giver, asked.amount):
            return refusal
        term = asked.term if asked.kind == "gift" else None
        return self._enter(asked, giver, taker, asked.amount, asked.kind, asked.about, term=term, moves_term=asked.kind == "gift")

    def _reverse(self, asked: Reversal) -> Outcome:
        _check(asked.amount, asked.kind)
        entry = _known(self.entries, asked.entry_id, "entry_id")
        if entry.is_reversal:
            return Refusal("reversal-of-a-reversal", "entry_id")
        if asked.amount > entry.left:
            return Refusal("reversal-exceeds-the-rest", "amount", {"left": entry.left})
        giver, taker = self._two(entry.to_account, entry.from_account, asked.act)
        _check_way(asked.kind, giver, taker, takes_back=True)
        if refusal := _too_little(giver, asked.amount):
            return refusal
        entry = entry._replace(left=entry.left - asked.amount, reversals=entry.reversals + 1)
        self.entries[asked.entry_id] = entry
        reverses = (asked.entry_id, entry.reversals, entry.left)
        return self._enter(asked, giver, taker, asked.amount, asked.kind, asked.about, term=entry.term, reverses=reverses)

    def _reserve(self, asked: Reserve) -> Outcome:
        _check(asked.amount)
        account = self._one(asked.account, asked.act)
        held_at, expires_at = self._moment(asked.act, account), microseconds(asked.expires_at)
        if expires_at <= held_at:
            return Refusal("hold-already-lapsed", "expires_at")
        if refusal := _too_little(account, asked.amount):
            return refusal
        self._begin(account, asked.act)
        hold_id = new_id()
        account.held += asked.amount
        account.holds[hold_id] = (expires_at, asked.amount)
        account.held_until = min(expires_at, account.held_until or expires_at)
        self.holds[hold_id] = HoldState(account.id, asked.amount, expires_at, is_ended=False)
        act = asked.act
        self.writes.holds.append(
            HoldRow(hold_id, account.id, asked.amount, held_at, expires_at, act.request_id, asked.position, asked.reference)
        )
        return Held(hold_id)

    def _post_hold(self, asked: PostHold) -> Outcome:
        hold = _known(self.holds, asked.hold_id, "hold_id")
        amount = hold.amount if asked.amount is None else asked.amount
        _check(amount, asked.kind)
        giver, taker = self._two(hold.account, asked.to_account, asked.act)
        _check_way(asked.kind, giver, taker)
        if refusal := self._ended(hold, asked.act):
            return refusal
        if amount > hold.amount:
            return Refusal("hold-exceeded", "amount", {"held": hold.amount})
        self._begin(giver, asked.act)
        self._let_go(asked.hold_id, giver)
        posted = self._enter(asked, giver, taker, amount, asked.kind, asked.about)
        self.writes.hold_ends.append(HoldEndRow(asked.hold_id, "posted", posted.entry_id, asked.act.request_id, posted.posted_at))
        return posted

    def _void_hold(self, asked: VoidHold) -> Outcome:
        hold = _known(self.holds, asked.hold_id, "hold_id")
        account = self._one(hold.account, asked.act)
        if refusal := self._ended(hold, asked.act):
            return refusal
        self._begin(account, asked.act)
        self._let_go(asked.hold_id, account)
        self.writes.hold_ends.append(HoldEndRow(asked.hold_id, "voided", None, asked.act.request_id, microseconds(asked.act.at)))
        return Released(asked.hold_id)

    # The parts they are made of.

    def _one(self, account_id: UUID, act: Act) -> AccountState:
        """Return a lined account as it stands once what has lapsed and expired by now is gone."""
        account = self._read(account_id)
        self._settle(account, act, self._moment(act, account))
        return account

    def _read(self, account_id: UUID) -> AccountState:
        if (account := self.accounts.get(account_id)) is None:
            account = self.accounts[account_id] = _known(self.state.accounts, account_id, "account_id").copy()
        return account

    def _two(self, giver: UUID, taker: UUID, act: Act) -> tuple[AccountState, AccountState]:
        if giver == taker:
            raise Invalid("same-account", "to_account")
        two = self._read(giver), self._read(taker)
        assert two[0].kind in LINED or two[1].kind in LINED, "at least one side of every entry is locked"
        # Both by the moment of the entry: where one of them is ahead of the clock, the year turns for the other too.
        moment = self._moment(act, *two)
        for account in two:
            self._settle(account, act, moment)
        return two

    def _settle(self, account: AccountState, act: Act, moment: Microseconds) -> None:
        """Release what has lapsed (law 6) and set aside what has expired; it is written with the first movement that is accepted."""
        if account.kind not in LINED:
            return
        now = microseconds(act.at)
        if account.held_until is not None and account.held_until <= now:
            lapsed = [hold_id for hold_id, (expires_at, _) in account.holds.items() if expires_at <= now]
            for hold_id in lapsed:
                self._let_go(hold_id, account)
            account.lapsed += tuple(lapsed)
        year = year_of(moment, self.state.zone)
        if year > account.year:
            if account.kind in EXPIRING:
                alive = sum(points for term, points in account.earned.items() if term > year - YEARS_ALIVE)
                due = min(account.available, max(0, account.balance - alive))
                account.expiring += due
                account.balance -= due
            account.year = year

    def _begin(self, account: AccountState, act: Act) -> None:
        """Write what `_settle` set aside, before anything else that happens to the account."""
        if account.kind not in LINED:
            return
        self.writes.tallies[account.id] = account
        ended_at = microseconds(act.at)
        for hold_id in account.lapsed:
            self.writes.hold_ends.append(HoldEndRow(hold_id, "expired", None, act.request_id, ended_at))
        account.lapsed = ()
        if due := account.expiring:
            account.expiring = 0
            account.balance += due
            self.positions[act.request_id] = position = self.positions.get(act.request_id, 0) - 1
            posted_at = self._moment(act, account)
            about = About(deed_on=local_day(posted_at, self.state.zone))
            assert self.state.expired_account, "every book has an account for expired points"
            expired = self._one(self.state.expired_account, act)
            self._enter(Movement(act=act, position=position), account, expired, due, "expiry", about)

    @staticmethod
    def _ended(hold: HoldState, act: Act) -> Refusal | None:
        """Refuse a hold that has ended; exactly at its moment it has lapsed."""
        if hold.expires_at <= microseconds(act.at) and not hold.is_ended:
            return Refusal("hold-lapsed", "hold_id")
        return Refusal("hold-ended", "hold_id") if hold.is_ended else None

    def _let_go(self, hold_id: UUID, account: AccountState) -> None:
        _, amount = account.holds.pop(hold_id)
        self.holds[hold_id] = HoldState(account.id, amount, 0, is_ended=True)
        account.held -= amount
        account.held_until = min((expires_at for expires_at, _ in account.holds.values()), default=None)

    def _moment(self, act: Act, *accounts: AccountState) -> Microseconds:
        """Return when it is recorded: now, or just after what the accounts recorded last (law 7)."""
        return max(microseconds(act.at), *(account.posted_at + 1 for account in accounts))

    def _enter(
        self,
        asked: Movement,
        giver: AccountState,
        taker: AccountState,
        amount: int,
        kind: str,
        about: About,
        *,
        term: int | None = None,
        moves_term: bool = False,
        reverses: tuple[UUID, int, int] | tuple[None, None, None] = (None, None, None),
    ) -> Posted:
        """Write one entry and a line for each side that has lines."""
        act = asked.act
        for account in (giver, taker):
            self._begin(account, act)
        entry_id, posted_at = new_id(), self._moment(act, giver, taker)
        self.writes.entries.append(
            EntryRow(
                entry_id, giver.id, taker.id, amount, kind, about.deed_on, posted_at, act.request_id, asked.position, act.actor,
                act.acted_for, act.channel, about.reference, about.contract_id, about.unit_id, about.till_id, *reverses,
            )
        )  # fmt: skip
        takes_back, year = reverses[0] is not None, year_of(posted_at, self.state.zone)
        seen: list[LineSeen | None] = []
        for account, signed in ((giver, -amount), (taker, amount)):
            if account.kind not in LINED:
                seen.append(None)
                continue
            belongs, earned = year, 0
            if account.kind in EXPIRING:
                belongs, earned = _earned(account, signed, year, term, takes_back=takes_back, moves_term=moves_term)
            line = LineRow(
                account.id, account.lines + 1, entry_id, signed, account.balance, account.balance + signed, belongs, earned, posted_at,
                about.deed_on,
            )  # fmt: skip
            self.writes.lines.append(line)
            account.lines, account.balance, account.posted_at = line.number, line.after, posted_at
            if earned:
                account.earned[belongs] = account.earned.get(belongs, 0) + earned
            seen.append(LineSeen(line.number, line.before, line.after))
        return Posted(entry_id, posted_at, seen[0], seen[1])

    def _saved(self) -> _Court:
        """Return a court that stands where this one stands."""
        saved = _Court(self.state)
        saved.accounts = {key: account.copy() for key, account in self.accounts.items()}
        saved.holds, saved.entries, saved.positions = dict(self.holds), dict(self.entries), dict(self.positions)
        mine = self.writes
        changed = {key: saved.accounts[key] for key in mine.tallies}
        saved.writes = Writes(list(mine.entries), list(mine.lines), list(mine.holds), list(mine.hold_ends), changed)
        return saved

    def _restore(self, saved: _Court) -> None:
        self.__dict__.update(saved.__dict__)


def _check(amount: object, kind: str = "award") -> None:
    if not is_amount(amount):
        raise Invalid("amount-malformed", "amount")
    if kind not in ENTRY_KINDS:
        raise Invalid("entry-kind-unknown", "kind")


def _check_way(kind: str, giver: AccountState, taker: AccountState, *, takes_back: bool = False) -> None:
    if not fits(kind, giver.kind, taker.kind, takes_back=takes_back):
        raise Invalid("entry-kind-does-not-fit", "kind")


def _known(found: Mapping[UUID, T], key: UUID, name: str) -> T:
    if (it := found.get(key)) is None:
        raise NotFound(name)
    return it


def _too_little(account: AccountState, amount: int) -> Refusal | None:
    """Refuse what would take a floored account below zero (law 4)."""
    if account.kind in LINED and account.available < amount:
        return Refusal("points-insufficient", "amount", {"available": account.available, "asked": amount})
    return None


def _earned(account: AccountState, signed: int, year: int, term: int | None, *, takes_back: bool, moves_term: bool) -> tuple[int, int]:
    """Return the year a passbook's line belongs to, and what it adds to that year (book.md, "Expiry without lots")."""
    belongs = year if term is None else term
    if takes_back and signed < 0:  # an award taken back: never below zero for its year
        return belongs, -min(-signed, max(0, account.earned.get(belongs, 0)))
    if moves_term:
        return belongs, signed if signed > 0 else -min(-signed, max(0, account.earned.get(belongs, 0)))
    if signed > 0 and not takes_back:
        return year, signed
    return year, 0


_QUARTER_HOUR = 900_000_000


def year_of(moment: Microseconds, zone: str) -> int:
    """Return the book-local year in which `moment` falls."""
    return _year_of(moment // _QUARTER_HOUR, zone)


@lru_cache(maxsize=4096)
def _year_of(quarter_hour: int, zone: str) -> int:
    # No time zone has ever begun its day between two quarters of an hour since 1972, so one answer serves the whole of one.
    return local_day(quarter_hour * _QUARTER_HOUR, zone).year


def year_begins(year: int, zone: str) -> Microseconds:
    """Return the first moment of a book-local year."""
    return microseconds(datetime(year, 1, 1, tzinfo=ZoneInfo(zone)))


def local_day(moment: Microseconds, zone: str) -> date:
    """Return the book-local day on which `moment` falls."""
    return datetime.fromtimestamp(moment // 1_000_000, UTC).astimezone(ZoneInfo(zone)).date()
