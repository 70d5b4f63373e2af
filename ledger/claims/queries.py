"""What is asked of claims: the queue of whoever decides, one's own, what the caps count, the public notices."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger import tariff
from ledger.claims import rules
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.claims.rules import COUNTING
from ledger.claims.rules import masked
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.people import Vault


@dataclass(frozen=True)
class Reach:
    """Whose claims somebody may act on: those of areas, and of the persons in their charge."""

    scope: areas.Scope = ()
    charges: frozenset[UUID] = frozenset()

    def covers(self, book_id: UUID) -> ColumnElement[bool]:
        """Return the condition that a claim is within reach."""
        return or_(areas.covered(book_id, Claim.area_code, self.scope), Claim.person_id.in_(self.charges))


@dataclass(frozen=True)
class ClaimRow:
    """A claim with what a reader wants beside it."""

    claim: Claim
    rate: tariff.Rate
    #: The last decision: what, why, and in whose words.
    act: str | None
    reason: str | None
    note: str | None

    @property
    def id(self) -> UUID:
        """Return the claim's id."""
        return self.claim.id


def _rows() -> Select[Claim, tariff.Rate, str, str | None, str | None]:
    last = (
        select(func.max(Decision.number))
        .where(Decision.book_id == Claim.book_id, Decision.claim_id == Claim.id)
        .correlate(Claim)
        .scalar_subquery()
    )
    return (
        select(Claim, tariff.Rate, Decision.act, Decision.reason, Decision.note)
        .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
        .outerjoin(Decision, and_(Decision.book_id == Claim.book_id, Decision.claim_id == Claim.id, Decision.number == last))
    )


def _read(row: Any) -> ClaimRow:
    return ClaimRow(*row)


def claim(session: Session, book_id: UUID, claim_id: UUID, reach: Reach | None = None, *, own: UUID | None = None) -> ClaimRow:
    """Return a claim within reach, or one's own; raise NotFound for any other."""
    allowed = [reach.covers(book_id)] if reach else []
    allowed += [or_(Claim.person_id == own, Claim.reporter_id == own)] if own else []
    found = session.execute(_rows().where(Claim.book_id == book_id, Claim.id == claim_id, or_(*allowed))).one_or_none()
    if found is None:
        raise NotFound("claim_id")
    return _read(found)


def queue(
    session: Session, book_id: UUID, reach: Reach, states: Collection[str], *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[ClaimRow]:  # fmt: skip
    """Return the claims in `states` within reach, the oldest first, from after the one reported at (moment, id)."""
    wanted = _rows().where(Claim.book_id == book_id, Claim.state.in_(states), reach.covers(book_id))
    if after:
        wanted = wanted.where(tuple_(Claim.reported_at, Claim.id) > after)
    rows = session.execute(wanted.order_by(Claim.reported_at, Claim.id).limit(limit))
    return [_read(row) for row in rows]


def mine(session: Session, book_id: UUID, person_id: UUID, *, after: UUID | None = None, limit: int = 50) -> list[ClaimRow]:
    """Return a person's own claims, the newest first, from before the claim `after`."""
    wanted = _rows().where(Claim.book_id == book_id, Claim.person_id == person_id)
    if after:
        wanted = wanted.where(Claim.id < after)
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id.desc()).limit(limit))]


def reported_by(session: Session, book_id: UUID, reporter_id: UUID, *, after: UUID | None = None, limit: int = 50) -> list[ClaimRow]:
    """Return what somebody proposed for others, persons and teams, the newest first, from before the claim `after`."""
    for_others = or_(Claim.person_id.is_(None), Claim.person_id != reporter_id)
    wanted = _rows().where(Claim.book_id == book_id, Claim.reporter_id == reporter_id, for_others)
    if after:
        wanted = wanted.where(Claim.id < after)
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id.desc()).limit(limit))]


def among(session: Session, book_id: UUID, ids: Collection[UUID], reach: Reach | None = None, *, own: UUID | None = None) -> list[ClaimRow]:
    """Return those of `ids` that are claims within reach, or one's own, in the order they were made."""
    allowed = [reach.covers(book_id)] if reach else []
    allowed += [or_(Claim.person_id == own, Claim.reporter_id == own)] if own else []
    wanted = _rows().where(Claim.book_id == book_id, Claim.id.in_(ids), or_(*allowed))
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id))]


def texts_of(session: Session, vault: Vault, book_id: UUID, claims: Iterable[Claim]) -> dict[UUID, str]:
    """Return what is told in these claims, opened, in one query."""
    owners = {claim.id: claim.person_id or claim.reporter_id for claim in claims}
    fields = {f"claim:{claim_id}" for claim_id in owners}
    opened = people.fields_of(session, vault, book_id, set(owners.values()), fields)
    return {claim_id: opened[owner].get(f"claim:{claim_id}", "") for claim_id, owner in owners.items()}


def decisions_of(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, list[Decision]]:
    """Return the decisions on each claim, in their order."""
    found: dict[UUID, list[Decision]] = {claim_id: [] for claim_id in ids}
    wanted = select(Decision).where(Decision.book_id == book_id, Decision.claim_id.in_(ids)).order_by(Decision.number)
    for decision in session.execute(wanted).scalars():
        found[decision.claim_id].append(decision)
    return found


def done_before(session: Session, book_id: UUID, person_ids: Collection[UUID], years: Collection[int]) -> dict[UUID, list[tariff.Done]]:
    """Return what each person did in these years, as the caps count it."""
    found: dict[UUID, list[tariff.Done]] = {person_id: [] for person_id in person_ids}
    rows = session.execute(
        select(
            Claim.person_id, tariff.Rate.category, tariff.Rate.deed, Claim.deed_on, Claim.points, Claim.minutes, Claim.activity_id,
            Claim.source,
        )
        .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
        .where(
            Claim.book_id == book_id,
            Claim.person_id.in_(person_ids),
            Claim.state.in_(COUNTING),
            Claim.deed_on.between(date(min(years), 1, 1), date(max(years), 12, 31)),
        )
    )  # fmt: skip
    for person_id, category, deed, on, points, minutes, activity, source in rows:
        assert person_id is not None
        found[person_id].append(tariff.Done(category, deed, on, points, minutes or 0, activity, source == "activity"))
    return found


def timed(session: Session, book_id: UUID, person_ids: Collection[UUID], since: datetime, until: datetime) -> Sequence[Claim]:
    """Return these persons' claims that say when they were done, begun between two moments."""
    wanted = select(Claim).where(
        Claim.book_id == book_id,
        Claim.person_id.in_(person_ids),
        Claim.state.in_(COUNTING),
        Claim.starts_at.between(since, until),
        Claim.activity_id.is_(None),
    )
    return session.execute(wanted).scalars().all()


def month_points(
    session: Session, book_id: UUID, person_ids: Collection[UUID], months: Collection[date]
) -> dict[tuple[UUID, int, int], int]:
    """Return the points of each person's months that were attested or went further, for approval by risk."""
    last = max(months)
    until = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    rows = session.execute(
        select(Claim.person_id, Claim.deed_on, func.sum(Claim.points))
        .where(
            Claim.book_id == book_id,
            Claim.person_id.in_(person_ids),
            Claim.state.in_(COUNTING - {"reported"}),
            Claim.deed_on >= min(months).replace(day=1),
            Claim.deed_on < until,
        )
        .group_by(Claim.person_id, Claim.deed_on)
    )
    sums: dict[tuple[UUID, int, int], int] = {}
    for person_id, on, points in rows:
        assert person_id is not None
        key = (person_id, on.year, on.month)
        sums[key] = sums.get(key, 0) + int(points)
    return sums


@dataclass(frozen=True)
class Risk:
    """What of a claim says how many must approve it: its category, and who gets the points."""

    claim: Claim
    category: str
    beneficiaries: frozenset[UUID]


def why_two(session: Session, book: areas.Book, risks: Collection[Risk], on: date) -> dict[UUID, tuple[str, ...]]:
    """Return for each claim why two people must approve it, or nothing where one is enough; for all of them in a few queries."""
    if not risks:
        return {}
    persons = {person_id for risk in risks for person_id in risk.beneficiaries}
    staff = people.is_staff(session, book.id, persons, on)
    sums = month_points(session, book.id, persons, [risk.claim.deed_on for risk in risks])
    twice = tariff.always_two(session, book.id)
    why = {}
    for claim, category, beneficiaries in ((risk.claim, risk.category, risk.beneficiaries) for risk in risks):
        month = (claim.person_id, claim.deed_on.year, claim.deed_on.month)
        why[claim.id] = rules.why_two(
            month_points=max(claim.points, sums.get(month, 0)) if claim.person_id else claim.points,  # type: ignore[arg-type]
            alone_points_max=book.approve_alone_points_max,
            is_backdated=rules.is_backdated(claim.deed_on, local_day(claim.reported_at, book.zone), book.backdated_after_days),
            is_staff=bool(beneficiaries & staff),
            always_two=category in twice,
            source=claim.source,
        )
    return why


def risks_of(session: Session, book_id: UUID, rows: Collection[ClaimRow], on: date) -> list[Risk]:
    """Return what says how many must approve each of these claims."""
    members = people.members_of_many(session, book_id, {row.claim.team_id for row in rows if row.claim.team_id}, on)
    return [
        Risk(row.claim, row.rate.category, frozenset([row.claim.person_id] if row.claim.person_id else members[row.claim.team_id]))  # type: ignore[index]
        for row in rows
    ]


@dataclass(frozen=True)
class Notice:
    """A line of the public board."""

    id: UUID
    name: str
    rate: tariff.Rate
    points: int
    deed_on: date
    state: str
    notice_ends_at: datetime | None


def public_notices(
    session: Session, vault: Vault, book: areas.Book, at: datetime, *, after: UUID | None = None, limit: int = 50
) -> list[Notice]:
    """Return what stands on notice and what was credited this month, the newest first, with masked names, never those of minors."""
    today = local_day(at, book.zone)
    wanted = (
        select(Claim, tariff.Rate)
        .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
        .where(
            Claim.book_id == book.id,
            or_(Claim.state == "on_notice", and_(Claim.state == "credited", Claim.deed_on >= today.replace(day=1))),
            Claim.person_id.is_not(None),
        )
    )
    if after:
        wanted = wanted.where(Claim.id < after)
    rows = session.execute(wanted.order_by(Claim.id.desc()).limit(limit)).all()
    owners = {claim.person_id for claim, _ in rows if claim.person_id}
    fields = people.fields_of(session, vault, book.id, owners, ["name", "birth_month"])
    notices = []
    for claim, rate in rows:
        opened = fields[claim.person_id] if claim.person_id else {}
        # Whose age is not known might be a child: only stars.
        name = masked(opened.get("name", ""), keeps_surname=_is_adult(opened.get("birth_month"), today))
        notices.append(Notice(claim.id, name, rate, claim.points, claim.deed_on, claim.state, claim.notice_ends_at))
    return notices


def _is_adult(birth_month: str | None, today: date) -> bool:
    if not birth_month:
        return False
    year, month = (int(part) for part in birth_month.split("-"))
    return (today.year - year) * 12 + today.month - month > 18 * 12
