"""What a month is played with, and what is remembered from one day to the next."""

from __future__ import annotations

from collections.abc import Collection
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

from bench.month.browser import Browser
from bench.month.client import Client
from bench.month.client import UnexpectedError
from bench.month.community import ZONE
from bench.month.community import Community
from bench.month.community import Somebody
from bench.month.opening import Shop
from bench.month.sizes import Sizes
from bench.month.staff import Officer
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


@dataclass(frozen=True)
class Elder:
    """Somebody who has no phone: their card, and the PIN that only they know."""

    who: Somebody
    card: str
    pin: str


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
    #: Approved claims that waited for funds when the fund was filled again.
    awaited_funds: int = 0
    #: Claims that are so large that they stand on notice.
    noticed: list[str] = field(default_factory=list)
    #: Staff who sign in with password and code, by their ids; the administrator too.
    officers: dict[UUID, Officer] = field(default_factory=dict)
    #: The browsers of volunteers who came in by a link, by their ids.
    phones: dict[UUID, Browser] = field(default_factory=dict)
    used_links: list[str] = field(default_factory=list)
    elders: list[Elder] = field(default_factory=list)
    #: Who acts for the first of the elders, and for the child.
    helper: Somebody = field(init=False)
    guardian: Somebody = field(init=False)
    child_id: str = ""
    #: The device at the counter.
    counter: Browser = field(init=False)

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

    def may_void(self, sale: Sale) -> bool:
        """Tell whether a sale's cashier and customer live in different homes: nobody gives points back to their own."""
        return self.community.home_of[sale.cashier.id] != self.community.home_of.get(sale.person.id)

    def is_elder(self, person: Somebody) -> bool:
        """Tell whether somebody is one of the elders without a phone."""
        return any(elder.who.id == person.id for elder in self.elders)

    def all_refused(self, outcomes: Mapping[str, Collection[str]], *expects: str) -> None:
        """Count what a page refused of a set, by its codes, which must be some of these."""
        if unexpected := outcomes.keys() - set(expects):
            raise UnexpectedError(f"on a page: {unexpected}, expected only {expects}")
        for code, ids in outcomes.items():
            for _ in ids:
                self.client.refuse(code)

    def officer(self, who: Somebody) -> Officer:
        """Return one of the staff with their browser."""
        return self.officers[who.id]

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
