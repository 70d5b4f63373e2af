"""Points are whole numbers, and there is one rule for rounding: down, so that nobody is credited what was not earned."""

from __future__ import annotations

#: The largest number of points one movement may carry; far above any use, far below what a 64-bit column holds.
POINTS_MAX = 1_000_000_000_000


def is_amount(value: object) -> bool:
    """Tell whether `value` is a number of points that can be moved: a plain int from 1 to `POINTS_MAX`."""
    return type(value) is int and 1 <= value <= POINTS_MAX


def for_minutes(points_per_hour: int, minutes: int) -> int:
    """Return the points that `minutes` earn at `points_per_hour`, rounded down."""
    return points_per_hour * minutes // 60
