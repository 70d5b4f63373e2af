"""How people sign in, how long that lasts, what may be done with it, and how many guesses there are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from datetime import timedelta
from typing import NamedTuple

#: A one-time link; card and PIN; a cashier's shift on a paired device; a passkey; password and one-time code.
WAYS = ("link", "card", "shift", "passkey", "password")
#: Ways that no stranger with a found link or an overheard PIN can take.
STRONG_WAYS = frozenset({"passkey", "password"})
#: Roles that are only held after a strong way in.
STRONG_ROLES = frozenset(
    {
        "grid_worker",
        "approver",
        "administrator",
        "co_confirmer",
        "street_auditor",
        "county_viewer",
        "finance",
        "resident_supervisor",
        "shop_owner",
        "unit_representative",
    }
)
#: What a machine's token may be given besides roles: what people only do within minutes of proving who they are.
FURTHER = ("unattended",)

#: Money, roles and exports want a proof that is not older.
FRESH = timedelta(minutes=5)
#: How often it is written down that a session or token was used.
NOTED_EVERY = {"session": timedelta(minutes=1), "bearer": timedelta(minutes=10)}


class Lives(NamedTuple):
    """How long a session lasts: whether used or not, and unused."""

    absolute: timedelta
    rests: timedelta


#: On one's own phone somebody stays signed in; whoever works for the community or a shop does not.
OWN_PHONE = Lives(timedelta(days=180), timedelta(days=60))
STAFF = Lives(timedelta(hours=12), timedelta(minutes=30))
SHIFT = Lives(timedelta(hours=12), timedelta(minutes=15))
COUNTER = Lives(timedelta(minutes=10), timedelta(minutes=3))
#: After a link, to set up a strong way in.
SETTING_UP = Lives(timedelta(hours=1), timedelta(minutes=15))


def lives_of(way: str, roles: Collection[str]) -> Lives:
    """Return how long a session lasts that somebody with these roles opened in this way."""
    if way == "card":
        return COUNTER
    if way == "shift":
        return SHIFT
    if STRONG_ROLES & set(roles):
        return STAFF if way in STRONG_WAYS else SETTING_UP
    return OWN_PHONE


def is_fresh(proved_at: datetime | None, at: datetime) -> bool:
    """Tell whether a proof is young enough for money, roles and exports."""
    return proved_at is not None and at - proved_at <= FRESH


class Limit(NamedTuple):
    """So many wrong guesses within so long."""

    most: int
    within: timedelta


#: At one card or account from one device or address.
GUESSES_HERE = Limit(5, timedelta(minutes=15))
#: At one card or account from everywhere: above the first, so that strangers do not lock an elder's own phone out.
GUESSES_AT_ONE = Limit(100, timedelta(hours=1))
#: From one address at everything: a counter and a neighbourhood share one.
GUESSES_FROM_ONE = Limit(100, timedelta(minutes=15))
