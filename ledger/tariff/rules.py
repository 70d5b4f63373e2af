"""The arithmetic of the tariff."""

from __future__ import annotations

UNITS = ("hour", "deed", "activity")
PERIODS = ("day", "month", "year", "activity")
