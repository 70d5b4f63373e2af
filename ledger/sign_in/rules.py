"""How people sign in, how long that lasts, what may be done with it, and how many guesses there are."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from ledger.people.rules import STRONG_ROLES

#: A one-time link; card and PIN; a cashier's shift on a paired device; a passkey; password and one-time code.
WAYS = ("link", "card", "shift", "passkey", "password")
#: A password; the PIN of one's card; the PIN with which a cashier opens a shift, which a shop's owner may have set anew and the card's not.
SECRET_KINDS = ("password", "pin", "shift")
#: Ways that no stranger with a found link or an overheard PIN can take.
STRONG_WAYS = frozenset({"passkey", "password"})
#: A session through which somebody bears witness to others' deeds: whoever may give a link to one of these could do so in their name.
WITNESS_ROLES = frozenset({"building_leader", "activity_host"})
#: What a machine's token may be given besides roles: what people only do within minutes of proving who they are.
FURTHER = ("unattended",)

#: Money, roles and exports want a proof that is not older.
FRESH = timedelta(minutes=5)
#: How often it is written down that a session or token was used.
NOTED_EVERY = {"session": timedelta(minutes=1), "bearer": timedelta(hours=1)}


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


#: At one card or account from one browser, session or device.
GUESSES_HERE = Limit(5, timedelta(minutes=15))
#: At one card or account from every browser that never was signed in to it: those that were do not share it.
GUESSES_AT_ONE = Limit(100, timedelta(hours=1))
#: From one address, or paired device, at everything: strangers at an address take nothing from its tills.
GUESSES_FROM_ONE = Limit(100, timedelta(minutes=15))
#: At one PIN in one shop or at one counter, whatever the devices: what is tried there closes it nowhere else.
GUESSES_AT_PLACE = Limit(10, timedelta(days=1))
#: The longest of these; what nobody tried for so long is forgotten.
GUESSES_KEPT_FOR = timedelta(days=1)

#: How long a device can be paired by the code that was made for it, and how long a first PIN can be set by a code.
PAIRING_LIVES = timedelta(minutes=10)
PIN_CODE_LIVES = timedelta(hours=24)
PIN_LENGTH = 6
#: Wrong PINs in all places since the last right one; then it opens nothing at any till or counter until it was set anew, in person.
WRONG_PINS_MAX = 30
DEVICE_NAME_LENGTH_MAX = 50

_DATE = re.compile(
    r"(19|20)\d\d(0[1-9]|1[0-2])|(0[1-9]|1[0-2])(19|20)\d\d|\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", re.ASCII
)  # fmt: skip


#: What a token may be good for that is made for somebody else: a till, and reading. With anything more it would act in their name.
FOR_MACHINES = frozenset({"cashier", "county_viewer", "street_auditor", "resident_supervisor"})
TOKEN_LIVES_MAX = timedelta(days=366)
#: So long whoever made a token is told it again where the answer was lost.
TOKEN_TOLD_FOR = timedelta(minutes=10)


def is_pin(text: str) -> bool:
    """Tell whether `text` has the form of a PIN."""
    return len(text) == PIN_LENGTH and text.isascii() and text.isdigit()


def is_easy_pin(pin: str, birth_month: str | None = None, numbers: Iterable[str] = ()) -> bool:
    """Tell whether a PIN is one of the first that somebody would try: one digit, a run, a date, or part of a number of theirs."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return True
    year, _, month = (birth_month or "").partition("-")
    born = {year[2:] + month, month + year[2:]} if birth_month else set()
    return bool(_DATE.fullmatch(pin)) or any(part in pin for part in born) or any(pin in number for number in numbers)
