"""A book without a database: what `decide` decides is written into dictionaries, and each row is judged by the laws as it comes."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any
from uuid import UUID

from ledger.act import OPERATOR
from ledger.act import Act
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.journal import decide as law
from ledger.journal.rules import KINDS
from ledger.journal.rules import microseconds
from tests.conftest import START
from tests.properties.histories import NAMES

ZONE = "Asia/Shanghai"


class PureBook:
    """Accounts by name, everything that was ever written, and the laws."""

    def __init__(self, budget: int = 600) -> None:
        self.book_id, self.now = new_id(), START
        kinds = {**dict.fromkeys(NAMES, "passbook"), "fund": "fund", "shop": "receivable", "source": "source", "expired": "expired"}
        self.ids = {name: new_id() for name in kinds}
        self.accounts = {self.ids[name]: law.AccountState(self.ids[name], kind, year=START.year) for name, kind in kinds.items()}
        self.lines: dict[UUID, list[law.LineRow]] = {account_id: [] for account_id in self.accounts}
        self.entries: dict[UUID, law.EntryRow] = {}
        self.taken_back: dict[UUID, list[law.EntryRow]] = {}
        self.holds: dict[UUID, law.HoldRow] = {}
        self.ends: dict[UUID, law.HoldEndRow] = {}
        self.made: dict[str, list[UUID]] = {"spend": [], "give": [], "reserve": []}
        self.post([("transfer", "source", "fund", budget, "budget")])

    def live(self, history: Any) -> PureBook:
        """Go through `history` and return yourself."""
        self.post([("give", name, 100) for name in NAMES])
        for steps, minutes in history:
            self.post(steps)
            self.now += timedelta(minutes=minutes)
        return self

    def post(self, steps: list[Any]) -> list[law.Outcome]:
        """Let a set be decided, write it, and find every law kept."""
        act = Act(self.book_id, OPERATOR, "command", new_id(), self.now)
        movements = [movement for position, step in enumerate(steps) if (movement := self._movement(step, act, position))]
        read = self._state()
        outcomes, writes = law.decide(deepcopy(read), movements)
        again, _ = law.decide(read, movements)
        assert read == self._state(), "it changes nothing that it was given"
        assert [type(outcome) for outcome in again] == [type(outcome) for outcome in outcomes]
        self._write(writes)
        self._judge(outcomes, writes)
        asked = [step for step in steps if self._movement(step, act, 0)]
        for step, outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, law.Posted | law.Held) and step[0] in self.made:
                self.made[step[0]].append(outcome[0])
        return outcomes

    def _movement(self, step: Any, act: Act, position: int) -> law.Movement | None:  # noqa: PLR0911  one return a kind of step
        of = {"void": "spend", "claw": "give", "post_hold": "reserve", "void_hold": "reserve"}.get(step[0])
        if of and len(self.made[of]) <= step[1]:
            return None
        about = law.About(deed_on=self.now.date())
        base: dict[str, Any] = {"act": act, "position": position}
        match step:
            case ("transfer", giver, taker, amount, kind):
                ends = {"from_account": self.ids[giver], "to_account": self.ids[taker]}
                return law.Transfer(**base, **ends, amount=amount, kind=kind, about=about)
            case ("give", name, amount):
                return self._movement(("transfer", "fund", name, amount, "award"), act, position)
            case ("spend", name, amount):
                return self._movement(("transfer", name, "shop", amount, "redemption"), act, position)
            case ("void" | "claw" as verb, back, amount):
                kind = "void" if verb == "void" else "clawback"
                return law.Reversal(**base, entry_id=self.made[str(of)][-1 - back], amount=amount, kind=kind, about=about)
            case ("reserve", name, amount, minutes):
                until = self.now + timedelta(minutes=minutes)
                return law.Reserve(**base, account=self.ids[name], amount=amount, expires_at=until)
            case ("post_hold", back, amount):
                hold_id = self.made["reserve"][-1 - back]
                return law.PostHold(**base, hold_id=hold_id, to_account=self.ids["shop"], kind="redemption", about=about, amount=amount)
            case ("void_hold", back):
                return law.VoidHold(**base, hold_id=self.made["reserve"][-1 - back])
        raise AssertionError(step)

    def _state(self) -> law.State:
        """Return everything there is, as if all of it had been read after the locks."""
        holds = {id_: law.HoldState(hold.account_id, hold.amount, hold.expires_at, id_ in self.ends) for id_, hold in self.holds.items()}
        for account_id, account in self.accounts.items():
            account.holds = {
                id_: (hold.expires_at, hold.amount) for id_, hold in holds.items() if hold.account == account_id and not hold.is_ended
            }
            account.earned = {}
            for line in self.lines[account_id]:
                account.earned[line.term] = account.earned.get(line.term, 0) + line.earned
        entries = {}
        for id_, entry in self.entries.items():
            back = self.taken_back.get(id_, [])
            left = entry.amount - sum(taken.amount for taken in back)
            terms = [line.term for lines in self.lines.values() for line in lines if line.entry_id == id_]
            entries[id_] = law.EntryState(
                entry.from_account, entry.to_account, left, len(back), entry.reverses is not None, max(terms, default=START.year)
            )  # fmt: skip
        return law.State(self.book_id, ZONE, self.accounts, self.ids["expired"], holds, entries)

    def _write(self, writes: law.Writes) -> None:
        for entry in writes.entries:
            assert entry.amount >= 1
            self.entries[entry.id] = entry
            if entry.reverses:
                back = self.taken_back.setdefault(entry.reverses, [])
                back.append(entry)
                assert entry.reversal_number == len(back)
                assert sum(taken.amount for taken in back) + (entry.left_after or 0) == self.entries[entry.reverses].amount
                assert (entry.left_after or 0) >= 0
        for line in writes.lines:
            lines = self.lines[line.account_id]
            assert line.number == len(lines) + 1
            assert line.before == (lines[-1].after if lines else 0)
            assert line.before + line.amount == line.after >= 0
            assert not lines or line.posted_at > lines[-1].posted_at
            lines.append(line)
        for hold in writes.holds:
            self.holds[hold.id] = hold
        for end in writes.hold_ends:
            assert end.hold_id not in self.ends, "a hold ends once"
            self.ends[end.hold_id] = end
        self.accounts |= writes.tallies

    def _judge(self, outcomes: list[law.Outcome], writes: law.Writes) -> None:
        for entry in writes.entries:
            signed = {line.account_id: line.amount for line in writes.lines if line.entry_id == entry.id}
            wanted = {entry.from_account: -entry.amount, entry.to_account: entry.amount}
            assert signed == {id_: amount for id_, amount in wanted.items() if KINDS[self.accounts[id_].kind].is_lined}
        for account_id, account in self.accounts.items():
            open_holds = [hold for id_, hold in self.holds.items() if hold.account_id == account_id and id_ not in self.ends]
            lines = self.lines[account_id]
            assert (account.lines, account.balance) == (len(lines), lines[-1].after if lines else 0)
            assert account.held == sum(hold.amount for hold in open_holds)
            assert account.held_until == min((hold.expires_at for hold in open_holds), default=None)
            assert account.available >= 0
        posted = [outcome for outcome in outcomes if isinstance(outcome, law.Posted)]
        assert len(posted) == sum(entry.position >= 0 for entry in writes.entries)
        if all(isinstance(outcome, Refusal) for outcome in outcomes):
            assert writes == law.Writes()
        for end in writes.hold_ends:
            hold = self.holds[end.hold_id]
            assert (end.how == "expired") == (hold.expires_at <= microseconds(self.now))
            assert end.how != "posted" or self.entries[end.entry_id].amount <= hold.amount  # type: ignore[index]
