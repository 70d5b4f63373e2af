"""What a month is played with, and what is remembered from one day to the next."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bench.month.client import Client
from bench.month.client import UnexpectedError
from bench.month.community import ZONE
from bench.month.community import Community
from bench.month.community import Somebody
from bench.month.opening import Shop
from bench.month.sizes import Sizes
from bench.server import MovedClock

FIRST_DAY = date(2026, 10, 1)
DAYS = 30


@dataclass(frozen=True)
class Sale:
    """A posted redemption, as the client was answered."""

    id: str
    day: int
    shop: Shop
    cashier: Somebody
    person: Somebody
    points: int
    cash_fen: int


@dataclass
class Month:
    """The story under way."""

    client: Client
    clock: MovedClock
    community: Community
    sizes: Sizes
    random: Random
    shops: list[Shop] = field(default_factory=list)
    fund_id: str = ""
    sales: list[Sale] = field(default_factory=list)
    #: Points given back at tills and by staff.
    voided: int = 0
    #: Who was seen at an activity or on patrol: they have something to spend.
    seen: dict[UUID, Somebody] = field(default_factory=dict)
    #: Approved claims that had to wait for funds.
    awaited_funds: int = 0
    #: Claims that are so large that they stand on notice.
    noticed: list[str] = field(default_factory=list)

    def at(self, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
        """Let it be that time of the story's day; time never goes back."""
        moment = self.moment(day, hour, minute, second)
        assert moment >= self.clock.now(), f"it is later than {moment} already"
        self.clock.move_to(moment)
        return moment

    def moment(self, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
        """Return that time of the story's day, the first of which is 0, on the book's own clock."""
        local = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, hour, minute, second, tzinfo=ZoneInfo(ZONE))
        return (local + timedelta(days=day)).astimezone(UTC)

    def later(self, **by: int) -> None:
        """Let so much time go by."""
        self.clock.move_to(self.clock.now() + timedelta(**by))

    def some(self, persons: Iterable[Somebody], count: int) -> list[Somebody]:
        """Return so many of these people, drawn by lot."""
        return self.random.sample(list(persons), count)

    def judged(self, items: Iterable[Mapping[str, Any]], *expects: str) -> list[Mapping[str, Any]]:
        """Return the outcomes of a set that were no refusals; refusals must be of these codes, and are counted."""
        done = []
        for item in items:
            if (problem := item.get("problem")) is None:
                done.append(item)
            elif (code := problem["type"].rpartition("/")[2]) in expects:
                self.client.refuse(code)
            else:
                raise UnexpectedError(f"in a set: {problem}, expected one of {expects or 'no refusals'}")
        return done


def day_of(day: int) -> str:
    """Return the date of the story's day, as the API takes it."""
    return (FIRST_DAY + timedelta(days=day)).isoformat()
