"""The kinds of account and of entry, and what each kind of account promises."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

#: Moments inside the journal are whole microseconds since 1970, as they are stored.
Microseconds = int

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=1024)
def microseconds(moment: datetime) -> Microseconds:
    """Return an aware `moment` in whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


class Kind(NamedTuple):
    """What a kind of account promises."""

    #: Read line by line, numbered without a gap, locked while it is written, never below zero: the four go together.
    is_lined: bool
    #: Its points run out at the end of the year after the one they were earned in.
    expires: bool
    #: Where it stands in the one order of locking: hot rows last.
    lock_rank: int


KINDS = {
    "passbook": Kind(is_lined=True, expires=True, lock_rank=1),
    "team": Kind(is_lined=True, expires=False, lock_rank=2),
    "unit": Kind(is_lined=True, expires=False, lock_rank=3),
    "fund": Kind(is_lined=True, expires=False, lock_rank=4),
    # Nobody reads these line by line and they have no floor: their side is the entry, their balance a sum.
    "receivable": Kind(is_lined=False, expires=False, lock_rank=0),
    "source": Kind(is_lined=False, expires=False, lock_rank=0),
    "expired": Kind(is_lined=False, expires=False, lock_rank=0),
    "donated": Kind(is_lined=False, expires=False, lock_rank=0),
    "settled": Kind(is_lined=False, expires=False, lock_rank=0),
}

LINED = frozenset(kind for kind in KINDS if KINDS[kind].is_lined)
EXPIRING = frozenset(kind for kind in KINDS if KINDS[kind].expires)

#: The lined kinds in the order in which they are locked.
LOCK_ORDER = tuple(sorted(LINED, key=lambda kind: KINDS[kind].lock_rank))


class Way(NamedTuple):
    """Which kinds of account a kind of entry moves points between."""

    givers: frozenset[str]
    takers: frozenset[str]


_SOURCE, _FUND, _SHOP = frozenset({"source"}), frozenset({"fund"}), frozenset({"receivable"})
_HOLDERS = frozenset({"passbook", "team"})

#: No entry goes another way: points come into a book as a budget, and to somebody only out of a fund or from somebody who had them.
WAYS = {
    "budget": Way(_SOURCE, _FUND),
    "award": Way(_FUND, _HOLDERS),
    "redemption": Way(_HOLDERS, _SHOP),
    "void": Way(_SHOP, _HOLDERS),
    "clawback": Way(_HOLDERS, _FUND),
    "gift": Way(_HOLDERS, _HOLDERS),
    "donation": Way(_HOLDERS, frozenset({"donated"})),
    "expiry": Way(EXPIRING, frozenset({"expired"})),
    "closing": Way(_FUND, _SOURCE),
}
ENTRY_KINDS = tuple(WAYS)
#: The kinds that take an entry back; no others do, and these do nothing else.
REVERSALS = frozenset({"void", "clawback"})


def fits(kind: str, giver: str, taker: str, *, takes_back: bool) -> bool:
    """Whether an entry of `kind` may move points between accounts of these kinds."""
    return giver in WAYS[kind].givers and taker in WAYS[kind].takers and takes_back == (kind in REVERSALS)


#: Points live in the year they were earned and in the next.
YEARS_ALIVE = 2
