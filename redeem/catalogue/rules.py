"""When an offer holds, and the day, month or year in which a person's limit counts."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from datetime import time
from zoneinfo import ZoneInfo

LIMIT_PERIODS = ("day", "month", "year")


def holds_on(valid_from: date, valid_to: date | None, day: date) -> bool:
    """Tell whether an offer can be had on a day."""
    return valid_from <= day and (valid_to is None or day <= valid_to)


def period_begins(period: str, day: date, zone: str) -> datetime:
    """Return the moment at which the period that `day` belongs to began, on the book's own clock."""
    first = {"day": day, "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[period]
    return datetime.combine(first, time(), ZoneInfo(zone))
