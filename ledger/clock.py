"""Time comes from a clock that is passed in: UTC, to the microsecond."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        return datetime.now(UTC)


def local_day(moment: datetime, zone: str) -> date:
    """Return the calendar day on which `moment` falls in the time zone named `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()
