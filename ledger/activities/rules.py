"""When one can check in and out of an activity, and how many minutes of it count."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta

#: Who may host: they vouch for whoever was there.
HOST_ROLES = frozenset({"activity_host", "building_leader", "grid_worker", "administrator"})
#: So many wrong digits within so long, and whoever types has to wait.
WRONG_DIGITS_MAX = 5
WRONG_DIGITS_WITHIN = timedelta(minutes=5)
#: Check-in opens this long before an activity begins ...
OPENS_BEFORE = timedelta(minutes=30)
#: ... and check-out by the venue code closes this long after it ends; then the host closes it.
CLOSES_AFTER = timedelta(hours=2)
#: No activity is longer.
LONGEST = timedelta(hours=24)


def can_check_in(starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Tell whether check-in is open."""
    return starts_at - OPENS_BEFORE <= now < ends_at


def can_check_out(ends_at: datetime, now: datetime) -> bool:
    """Tell whether one can still check out by oneself."""
    return now < ends_at + CLOSES_AFTER


def counted_minutes(starts_at: datetime, ends_at: datetime, in_at: datetime, out_at: datetime) -> int:
    """Return the whole minutes of presence within the activity's own hours."""
    present = min(ends_at, out_at) - max(starts_at, in_at)
    return max(0, present // timedelta(minutes=1))
