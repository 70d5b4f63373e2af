"""What stands at the side of every page of the office: how much waits on each of the ways that whoever looks may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g

from ledger import claims
from ledger import people
from ledger import sign_in
from ledger.claims import MAY
from ledger.web.kit.auth import Me
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.reach import reach

STAFF = ("approver", "grid_worker", "activity_host", "administrator", "co_confirmer", "street_auditor")
WORKERS = ("grid_worker", "administrator")
#: So many are counted; of more it is said that there are more.
COUNTED_MAX = 100


@dataclass(frozen=True)
class Office:
    """How much waits for whoever looks; nothing where it is not theirs to do."""

    to_approve: int = 0
    to_second: int = 0
    to_attest: int = 0
    #: Who asks to be enrolled.
    applications: int = 0
    #: What another administrator began.
    to_confirm: int = 0


def office() -> Office | None:
    """Return what waits for whoever looks, or nothing where they do not work in an office; counted once a page."""
    who = maybe_me()
    if who is None or not who.has(*STAFF):
        return None
    if "office" not in g:
        g.office = _counted(who)
    found: Office = g.office
    return found


def _counted(who: Me) -> Office:
    return Office(
        to_approve=_waiting("approve", "attested", halfway=False),
        to_second=_waiting("approve", "attested", halfway=True),
        to_attest=_waiting("attest", "reported") if who.has("grid_worker", "approver", "co_confirmer") else 0,
        applications=_applications(),
        to_confirm=sum(len(found) for found in to_confirm().values()) if who.has(*WORKERS) else 0,
    )


def _waiting(step: str, state: str, *, halfway: bool | None = None) -> int:
    if not me().has(*MAY[step]):
        return 0
    return claims.waiting(
        session(), me().book_id, reach(step), [state], halfway=halfway, most=COUNTED_MAX, but_by=me().actor_id if halfway else None
    )


def _applications() -> int:
    scope = me().scope(*WORKERS)
    if not scope:
        return 0
    return people.applications_waiting(session(), me().book_id, scope, services().clock.now(), most=COUNTED_MAX)


def to_confirm() -> dict[str, list[Any]]:
    """Return what waits for a second administrator in one's areas, and was not begun by oneself, by what it is."""
    current, book_id, limit = session(), me().book_id, COUNTED_MAX
    administers, works, own = me().scope("administrator"), me().scope(*WORKERS), me().actor_id
    grants = people.grants_waiting(current, book_id, administers, me().today, limit=limit)
    links = sign_in.links_to_confirm(current, book_id, administers, services().clock.now(), limit=limit)
    erasures = people.erasures_waiting(current, book_id, administers, limit=limit)
    merges = people.merges_waiting(current, book_id, works, limit=limit)
    return {
        "grants": [one for one in grants if own not in {one.granted_by, one.person_id}],
        "links": [one for one in links if own not in {one.asked_by, one.person_id}],
        "erasures": [one for one in erasures if own not in {one.erasure_asked_by, one.id}],
        "merges": [one for one in merges if one.proposed_by != own],
    }
