"""The states of a claim, who may move it, and who may not: proposer, attester, approvers and beneficiary are different people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from itertools import pairwise

from ledger.errors import Invalid

STATES = (
    "reported",
    "attested",
    "approved",
    "on_notice",
    "objected",
    "awaiting_funds",
    "credited",
    "returned",
    "refused",
    "withdrawn",
)
SOURCES = ("volunteer", "building_leader", "grid_worker", "activity", "import")
ACTS = ("report", "attest", "approve", "return", "refuse", "resubmit", "withdraw", "credit")

#: States of a claim whose points count for caps and for the month.
COUNTING = frozenset(STATES) - {"returned", "refused", "withdrawn"}
#: From which states each act may start.
STARTS = {
    "attest": {"reported"},
    "approve": {"attested"},
    "return": {"reported", "attested"},
    "refuse": {"reported", "attested"},
    "resubmit": {"returned"},
    "withdraw": {"reported", "attested", "returned"},
    "credit": {"on_notice", "awaiting_funds"},
}
#: Decided, and on their way to the passbook.
ON_THE_WAY = frozenset({"approved", "on_notice", "objected", "awaiting_funds"})
#: Who may take which step on claims of others: building leaders with those in their charge, everybody else with those of their areas.
MAY = {
    "read": ("building_leader", "grid_worker", "approver", "administrator", "co_confirmer", "street_auditor"),
    # With names and in the tellers' words: an auditor reads whether things went by the rules, and of nobody who they are.
    "open": ("building_leader", "grid_worker", "approver", "administrator", "co_confirmer"),
    "propose": ("building_leader", "grid_worker", "administrator"),
    "import": ("grid_worker", "administrator"),
    "attest": ("building_leader", "grid_worker", "approver", "co_confirmer"),
    "approve": ("approver",),
    "return": ("building_leader", "grid_worker", "approver"),
    # Refusing is for good, so it takes somebody who works for the community.
    "refuse": ("grid_worker", "approver"),
    "credit": ("approver", "administrator"),
}
#: Who has to do only with claims of some categories: the community police confirm patrols.
ONLY = {"co_confirmer": ("patrol",)}
#: Why a claim was returned or refused; the volunteer reads the sentence and the note.
REASONS = ("evidence-missing", "not-a-deed", "not-done", "done-twice", "wrong-person", "wrong-time", "other")

#: What can be told of a deed.
MINUTES_MAX = 1440
PLACE_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 500
PHOTOS_MAX = 3
#: Pictures of which so few of 64 bits differ look alike; looked for among those of so many days.
LIKENESS_BITS, ALIKE_BITS_MAX, ALIKE_WITHIN = 64, 5, timedelta(days=90)

#: The oldest deed that can still be reported.
OLDEST = timedelta(days=366)
#: The same deed at the same place so soon before or after may be one that was told twice.
NEAR = timedelta(days=3)


def conflict(
    actor: object,
    *,
    beneficiaries: Collection[object],
    tied: Collection[object],
    acted: Collection[object] = (),
    tied_to_acted: Collection[object] = (),
) -> str | None:
    """Return why `actor` may not attest or decide, or None where nothing stands against it.

    `beneficiaries` get the points; `tied` are their declared kin and household; `acted` reported, attested or approved it before, and
    `tied_to_acted` are theirs: a couple is not two persons.
    """
    against = {
        "own-deed": beneficiaries, "kin-or-household": tied, "acted-before": acted, "kin-acted-before": tied_to_acted,
    }  # fmt: skip
    return next((code for code, persons in against.items() if actor in persons), None)


def why_two(
    *, month_points: int, alone_points_max: int, is_backdated: bool, is_staff: bool, always_two: bool, source: str
) -> tuple[str, ...]:  # fmt: skip
    """Return why two different people must approve, where more is at stake or less can be seen; nothing where one is enough."""
    reasons = {
        "month-points": month_points > alone_points_max,
        "back-dated": is_backdated,
        "staff": is_staff,
        "category": always_two,
        "import": source == "import",
    }
    return tuple(reason for reason, applies in reasons.items() if applies)


def is_backdated(deed_on: date, reported_on: date, after_days: int) -> bool:
    """Tell whether a deed was reported more than `after_days` days after it was done."""
    return (reported_on - deed_on).days > after_days


def check_day(deed_on: date, today: date) -> None:
    """Raise Invalid for a day that has not come, or is too long ago to be told."""
    if not today - OLDEST <= deed_on <= today:
        raise Invalid("deed-day-out-of-range", "deed_on", today=today.isoformat())


def overlaps(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
    """Tell whether two times have a moment in common; one that begins when the other ends does not."""
    return one[0] < other[1] and other[0] < one[1]


@dataclass(frozen=True)
class Seen:
    """When and where something was done, as it was told."""

    deed_on: date
    starts_at: datetime | None
    minutes: int | None
    place: str


def looks_told_twice(one: Seen, other: Seen) -> bool:
    """Tell whether two tellings of the same deed of the same person may be one: by day and time, or by place within some days."""
    if one.deed_on == other.deed_on:
        times = [
            (seen.starts_at, seen.starts_at + timedelta(minutes=seen.minutes)) for seen in (one, other) if seen.starts_at and seen.minutes
        ]
        return len(times) < 2 or overlaps(times[0], times[1])
    return bool(one.place) and one.place == other.place and abs(one.deed_on - other.deed_on) <= NEAR


def text_field(claim_id: object) -> str:
    """Return under which name what is told in a claim lies in the vault."""
    return f"claim:{claim_id}"


def place_field(claim_id: object) -> str:
    """Return under which name the place of a claim lies in the vault: it may be the address of somebody who was helped."""
    return f"place:{claim_id}"


def photo_name(photo_id: object) -> str:
    """Return what a photo is sealed to, besides whose key it is."""
    return f"photo:{photo_id}"


def bands_of(likeness: int) -> list[tuple[int, int]]:
    """Return the bits of a likeness in one band more than may differ, each with its place: pictures that look alike have one in common."""
    bits = likeness % (1 << LIKENESS_BITS)
    edges = [LIKENESS_BITS * band // (ALIKE_BITS_MAX + 1) for band in range(ALIKE_BITS_MAX + 2)]
    return [(low, (bits >> low) & ((1 << (high - low)) - 1)) for low, high in pairwise(edges)]


def looks_alike(one: int, other: int) -> bool:
    """Tell whether two likenesses differ in few bits."""
    return ((one ^ other) % (1 << LIKENESS_BITS)).bit_count() <= ALIKE_BITS_MAX


def note_field(claim_id: object, number: int) -> str:
    """Return under which name the note of a claim's decision lies in the vault."""
    return f"note:{claim_id}:{number}"
