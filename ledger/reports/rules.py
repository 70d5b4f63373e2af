"""Months of a book's own calendar, how long a fund lasts, and which figures would tell of somebody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.errors import Invalid

#: Published figures of fewer people than this could tell of somebody.
TOLD_FROM = 5
#: The pace at which a fund is used is taken over so many weeks.
PACE_WEEKS = 8
#: Who sees the figures of their areas, and who takes them along as a file.
READERS = ("grid_worker", "approver", "administrator", "finance", "county_viewer", "resident_supervisor", "street_auditor")
TAKERS = ("administrator", "finance", "county_viewer", "resident_supervisor")
#: A year of months, for what is drawn over time.
YEAR = 12

_MONTH = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])", re.ASCII)


class Month(NamedTuple):
    """A month of the calendar."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month of a day."""
        return cls(day.year, day.month)

    @classmethod
    def read(cls, text: str) -> Month:
        """Return the month that is written like 2026-11; raise Invalid for anything else."""
        if not (found := _MONTH.fullmatch(text)):
            raise Invalid("month-malformed", "month")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Return the month as it is written."""
        return f"{self.year:04}-{self.month:02}"

    @property
    def first(self) -> date:
        """Return its first day."""
        return date(self.year, self.month, 1)

    def moved(self, by: int) -> Month:
        """Return the month so many months later, or earlier where it is below zero."""
        year, month = divmod(self.year * 12 + self.month - 1 + by, 12)
        return Month(year, month + 1)

    def begins(self, zone: str) -> datetime:
        """Return the moment at which it begins in a time zone."""
        return datetime(self.year, self.month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def months_to(last: Month, count: int) -> list[Month]:
    """Return so many months up to and including `last`, the earliest first."""
    return [last.moved(by) for by in range(1 - count, 1)]


def months_between(first: Month, last: Month) -> list[Month]:
    """Return the months from `first` to `last`, both included."""
    return months_to(last, (last.year - first.year) * 12 + last.month - first.month + 1)


def stretches(months: Sequence[Month]) -> list[list[Month]]:
    """Return months, the earliest first, in stretches of which each follows the one before."""
    found: list[list[Month]] = []
    for month in months:
        if found and found[-1][-1].moved(1) == month:
            found[-1].append(month)
        else:
            found.append([month])
    return found


def weeks_left(left: int, spent: int, weeks: int = PACE_WEEKS) -> int | None:
    """Return for how many whole weeks a fund lasts that awarded `spent` in the last `weeks`; None where it awarded nothing."""
    return left * weeks // spent if spent > 0 else None


class Done(NamedTuple):
    """How often a deed took so many minutes, and how many points it was told for; None where nobody said how long."""

    minutes: int | None
    times: int
    points: int


def three_months_before(day: date) -> date:
    """Return the first day of the three months that end with `day`."""
    month = Month.of(day).moved(-3)
    last = (month.moved(1).first - timedelta(days=1)).day
    return date(month.year, month.month, min(day.day, last)) + timedelta(days=1)
