"""Where the demonstration is played: one transaction, the people by their keys, and the days counted back from now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.errors import Refusal
from ledger.ids import new_id
from scripts.demo.cast import CAST

T = TypeVar("T")
ZONE = "Asia/Shanghai"


@dataclass
class Stage:
    """Where the demonstration is played: one transaction, the people by their keys, and days counted back from now."""

    session: Session
    vault: people.Vault
    now: datetime
    ids: dict[str, UUID] = field(default_factory=dict)

    @property
    def book(self) -> areas.Book:
        """Return the demonstration's book."""
        return areas.books(self.session)[0]

    def who(self, key: str) -> UUID:
        """Return the id of somebody of the cast; whoever was enrolled at an earlier start is found by phone."""
        if key not in self.ids:
            by_phone = people.found_by(self.session, self.vault, self.book.id, "phone", [part.phone for part in CAST])
            self.ids = {part.key: min(by_phone[part.phone]) for part in CAST}
        return self.ids[key]

    def name(self, key: str) -> str:
        """Return the name of somebody of the cast."""
        return next(part.name for part in CAST if part.key == key)

    def act(self, key: str | None = None, at: datetime | None = None) -> Act:
        """Return an act of somebody, or of the operator, under a request of its own that is answered at once."""
        actor, moment, request_key = self.who(key) if key else OPERATOR, at or self.now, str(new_id())
        ask = journal.Ask(actor, request_key, hashlib.sha256(request_key.encode()).digest(), moment)
        (claimed,) = journal.claim(self.session, self.book.id, [ask])
        assert isinstance(claimed, journal.Claimed), "the key is new"
        journal.answer(self.session, self.book.id, [(claimed.request_id, 200, {})])
        return Act(self.book.id, actor, "page" if key else "command", claimed.request_id, moment)

    def ago(self, days: int, hour: int, minute: int = 0) -> datetime:
        """Return the moment so many days ago at that time of the book's day; days ago are always past."""
        day = self.now.astimezone(ZoneInfo(ZONE)) - timedelta(days=days)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0).astimezone(UTC)


def sure(outcome: T | Refusal) -> T:
    """Return what came of an action that the demonstration is written not to be refused."""
    assert not isinstance(outcome, Refusal), outcome
    return outcome
