"""What the queue shows of claims besides what was told: marks of risk, who did what already, and what speaks for the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger import activities
from ledger import areas
from ledger import claims
from ledger import funds
from ledger import people
from ledger.activities import Attendance
from ledger.claims import Alike
from ledger.claims import ClaimRow
from ledger.claims import PhotoRow
from ledger.claims import Record
from ledger.claims import ToldTwice
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.pages.deeds import Listed
from ledger.web.pages.deeds import listed


@dataclass(frozen=True)
class Weighed:
    """A claim of the queue with what an approver weighs."""

    told: Listed
    #: Why whoever looks must leave it to somebody else.
    aside: str | None
    #: Other claims that may tell of the same deed.
    twice: tuple[ToldTwice, ...]
    #: Other claims with a photo that looks like one of its own.
    pictured: tuple[Alike, ...]
    record: Record

    @property
    def row(self) -> ClaimRow:
        """Return the claim."""
        return self.told.row

    @property
    def is_plain(self) -> bool:
        """Tell whether nothing about it wants a closer look: it may be approved with others at once."""
        return not (self.told.why_two or self.aside or self.twice or self.pictured)


def weighed(rows: Sequence[ClaimRow]) -> list[Weighed]:
    """Return claims as the queue lists them, everything read for all of them at once."""
    current, book_id = session(), me().book_id
    aside = claims.standing_aside(current, book_id, rows, me().actor_id)
    twice = claims.told_twice(current, services().vault, book_id, rows)
    pictured = claims.alike(current, book_id, [row.id for row in rows], services().clock.now())
    owners = {row.id: claims.owner_of(row.claim) for row in rows}
    records = claims.records_this_year(current, book_id, set(owners.values()), me().today)
    return [
        Weighed(told, aside.get(told.row.id), tuple(twice[told.row.id]), tuple(pictured[told.row.id]), records[owners[told.row.id]])
        for told in listed(rows)
    ]


@dataclass(frozen=True)
class Step:
    """One act on the claim so far."""

    act: str
    who: str
    at: datetime


@dataclass(frozen=True)
class Evidence:
    """What speaks for the claim that is chosen, and what pays for it."""

    steps: tuple[Step, ...]
    activity: str | None
    attendance: Attendance | None
    photos: tuple[PhotoRow, ...]
    #: The nearest fund, with what it has left; nothing where none is open.
    fund: tuple[str, int] | None


def evidence_of(row: ClaimRow) -> Evidence:
    """Return what there is about one claim."""
    current, book_id, claim = session(), me().book_id, row.claim
    decisions = claims.decisions_of(current, book_id, [row.id])[row.id]
    names = people.names_of(current, services().vault, book_id, {one.actor for one in decisions})
    came = None
    if claim.activity_id and claim.person_id:
        came = activities.attendance_at(current, book_id, claim.activity_id, claim.person_id)
    return Evidence(
        tuple(Step(one.act, names[one.actor], one.decided_at) for one in decisions),
        activities.activity(current, book_id, claim.activity_id).title if claim.activity_id else None,
        came,
        tuple(claims.photos_of(current, book_id, [row.id])[row.id]),
        _nearest_fund(claim.area_code, book_id),
    )


def _nearest_fund(area_code: str, book_id: UUID) -> tuple[str, int] | None:
    path = areas.paths_of(session(), book_id, {area_code})[area_code]
    near = funds.nearest(funds.open_funds(session(), book_id, me().today), path)
    left = funds.left_in(session(), book_id, [fund.id for fund in near])
    return (near[0].name, left[near[0].id]) if near else None
