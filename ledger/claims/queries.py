"""What is asked of claims: the queue of whoever decides, one's own, what the caps count, the public notices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import false
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
from ledger.claims.rules import MAY
from ledger.claims.rules import ONLY
from ledger.claims.rules import note_field
from ledger.claims.rules import place_field
from ledger.claims.rules import text_field
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.people import Vault
from ledger.store import words


@dataclass(frozen=True)
class Reach:
    """Whose claims somebody may act on: those of areas, of the persons in their charge, and those of a category in areas."""

    scope: areas.Scope = ()
    charges: frozenset[UUID] = frozenset()
    #: Areas in which only claims of a category are within reach.
    only: tuple[tuple[str, areas.Scope], ...] = ()

    def covers(self, book_id: UUID) -> ColumnElement[bool]:
        """Return the condition that a claim is within reach."""
        of_category = [
            and_(areas.covered(book_id, Claim.area_code, scope), Claim.rate_id.in_(_rates_of(book_id, category)))
            for category, scope in self.only
        ]
        return or_(areas.covered(book_id, Claim.area_code, self.scope), Claim.person_id.in_(self.charges), *of_category)


def _rates_of(book_id: UUID, category: str) -> Select[UUID]:
    return select(tariff.Rate.id).where(tariff.Rate.book_id == book_id, tariff.Rate.category == category)


def reach_of(session: Session, book_id: UUID, person_id: UUID, powers: Iterable[people.Power], step: str) -> Reach:
    """Return whose claims somebody with these powers may take a step on (see `rules.MAY`)."""
    held = [power for power in powers if power.role in MAY[step]]
    leads = any(power.role == "building_leader" for power in held)
    charges = people.charges_of(session, book_id, person_id) if leads else ()
    scopes = {role: tuple(power.area_path for power in held if power.role == role) for role in ONLY}
    only = tuple((category, scope) for role, scope in scopes.items() if scope for category in ONLY[role])
    return Reach(
        tuple(power.area_path for power in held if power.role != "building_leader" and power.role not in ONLY), frozenset(charges), only
    )  # fmt: skip


@dataclass(frozen=True)
class ClaimRow:
    """A claim with what a reader wants beside it."""

    claim: Claim
    rate: tariff.Rate
    #: The last decision: its number, what, and why.
    decision: int
    act: str
    reason: str | None

    @property
    def id(self) -> UUID:
        """Return the claim's id."""
        return self.claim.id


def _rows() -> Select[Claim, tariff.Rate, int, str, str | None]:
    last = (
        select(func.max(Decision.number))
        .where(Decision.book_id == Claim.book_id, Decision.claim_id == Claim.id)
        .correlate(Claim)
        .scalar_subquery()
    )
    return (
        select(Claim, tariff.Rate, Decision.number, Decision.act, Decision.reason)
        .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
        .join(Decision, and_(Decision.book_id == Claim.book_id, Decision.claim_id == Claim.id, Decision.number == last))
    )


def _read(row: Any) -> ClaimRow:
    return ClaimRow(*row)


@dataclass(frozen=True)
class Own:
    """Whose own claims: their deeds and, unless somebody acts for them, what they told of others."""

    person_id: UUID
    on_behalf: bool = False

    def covers(self) -> ColumnElement[bool]:
        """Return the condition that a claim is their own."""
        deeds = Claim.person_id == self.person_id
        return deeds if self.on_behalf else or_(deeds, Claim.reporter_id == self.person_id)


def claim(session: Session, book_id: UUID, claim_id: UUID, reach: Reach | None = None, *, own: Own | None = None) -> ClaimRow:
    """Return a claim within reach, or one's own; raise NotFound for any other."""
    allowed = ([reach.covers(book_id)] if reach else []) + ([own.covers()] if own else [])
    found = session.execute(_rows().where(Claim.book_id == book_id, Claim.id == claim_id, or_(false(), *allowed))).one_or_none()
    if found is None:
        raise NotFound("claim_id")
    return _read(found)


def queue(
    session: Session, book_id: UUID, reach: Reach, states: Collection[str], *, halfway: bool | None = None,
    after: tuple[datetime, UUID] | None = None, limit: int = 50,
) -> list[ClaimRow]:  # fmt: skip
    """Return the claims in `states` within reach, the oldest first, from after the one reported at (moment, id).

    `halfway`: only those that somebody has approved already, or only those that nobody has.
    """
    wanted = select(Claim.id).where(Claim.book_id == book_id, Claim.state.in_(states), reach.covers(book_id), *_halfway(halfway))
    if after:
        wanted = wanted.where(tuple_(Claim.reported_at, Claim.id) > after)
    order = (Claim.reported_at, Claim.id)
    # The page first: what was decided last would otherwise be looked up of everything that waits.
    page = session.execute(wanted.order_by(*order).limit(limit)).scalars().all()
    rows = session.execute(_rows().where(Claim.book_id == book_id, Claim.id.in_(page)).order_by(*order))
    return [_read(row) for row in rows]


def rows_of(session: Session, book_id: UUID, ids: Collection[UUID]) -> list[ClaimRow]:
    """Return these claims, for whoever has found them by what is within reach."""
    return [_read(row) for row in session.execute(_rows().where(Claim.book_id == book_id, Claim.id.in_(ids)))]


def _halfway(asked: bool | None) -> list[ColumnElement[bool]]:
    return [] if asked is None else [Claim.approvals > 0 if asked else Claim.approvals == 0]


def waiting(
    session: Session, book_id: UUID, reach: Reach, states: Collection[str], *, most: int, halfway: bool | None = None,
    but_by: UUID | None = None,
) -> int:  # fmt: skip
    """Return how many claims in `states` are within reach, at most `most`: without those that `but_by` has approved already."""
    wanted = select(Claim.id).where(Claim.book_id == book_id, Claim.state.in_(states), reach.covers(book_id), *_halfway(halfway))
    if but_by:
        own = select(Decision.number).where(
            Decision.book_id == Claim.book_id, Decision.claim_id == Claim.id, Decision.actor == but_by, Decision.act == "approve"
        )
        wanted = wanted.where(or_(Claim.approvals == 0, ~own.exists()))
    return session.execute(select(func.count()).select_from(wanted.limit(most).subquery())).scalar_one()


def mine(session: Session, book_id: UUID, person_id: UUID, *, after: UUID | None = None, limit: int = 50) -> list[ClaimRow]:
    """Return a person's own claims, the newest first, from before the claim `after`."""
    wanted = _rows().where(Claim.book_id == book_id, Claim.person_id == person_id)
    if after:
        wanted = wanted.where(Claim.id < after)
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id.desc()).limit(limit))]


def returned_to(session: Session, book_id: UUID, person_id: UUID, *, but_of: UUID | None = None) -> int:
    """Return how many of somebody's own deeds were sent back and wait to be told anew, but for those of the activity `but_of`."""
    wanted = select(func.count()).where(
        Claim.book_id == book_id, Claim.person_id == person_id, Claim.reporter_id == person_id, Claim.state == "returned"
    )
    if but_of:
        wanted = wanted.where(Claim.activity_id.is_distinct_from(but_of))
    return session.execute(wanted).scalar_one()


def reported_by(session: Session, book_id: UUID, reporter_id: UUID, *, after: UUID | None = None, limit: int = 50) -> list[ClaimRow]:
    """Return what somebody proposed for others, persons and teams, the newest first, from before the claim `after`."""
    for_others = or_(Claim.person_id.is_(None), Claim.person_id != reporter_id)
    wanted = _rows().where(Claim.book_id == book_id, Claim.reporter_id == reporter_id, for_others)
    if after:
        wanted = wanted.where(Claim.id < after)
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id.desc()).limit(limit))]


def of_team(session: Session, book_id: UUID, team_id: UUID, *, after: UUID | None = None, limit: int = 50) -> list[ClaimRow]:
    """Return the claims of a team, the newest first, from before the claim `after`."""
    wanted = _rows().where(Claim.book_id == book_id, Claim.team_id == team_id)
    if after:
        wanted = wanted.where(Claim.id < after)
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id.desc()).limit(limit))]


def among(session: Session, book_id: UUID, ids: Collection[UUID], reach: Reach | None = None, *, own: Own | None = None) -> list[ClaimRow]:
    """Return those of `ids` that are claims within reach, or one's own, in the order they were made."""
    allowed = ([reach.covers(book_id)] if reach else []) + ([own.covers()] if own else [])
    wanted = _rows().where(Claim.book_id == book_id, Claim.id.in_(ids), or_(false(), *allowed))
    return [_read(row) for row in session.execute(wanted.order_by(Claim.id))]


@dataclass(frozen=True)
class Telling:
    """What of a claim lies sealed: where it was done, and the teller's words."""

    place: str = ""
    text: str = ""


def told_of(session: Session, vault: Vault, book_id: UUID, claims: Iterable[Claim]) -> dict[UUID, Telling]:
    """Return what is told in these claims, opened, in one query."""
    return _opened(session, vault, book_id, {claim.id: claim.person_id or claim.reporter_id for claim in claims})


def _opened(session: Session, vault: Vault, book_id: UUID, keepers: Mapping[UUID, UUID]) -> dict[UUID, Telling]:
    """Return what is told in each of these claims, by in whose part of the vault it lies."""
    found = {}
    for chunk in people.in_sets(keepers.items()):
        fields = [field(claim_id) for claim_id, _ in chunk for field in (place_field, text_field)]
        opened = people.fields_of(session, vault, book_id, {keeper for _, keeper in chunk}, fields)
        for claim_id, keeper in chunk:
            found[claim_id] = Telling(opened[keeper].get(place_field(claim_id), ""), opened[keeper].get(text_field(claim_id), ""))
    return found


def notes_of(session: Session, vault: Vault, book_id: UUID, rows: Iterable[ClaimRow]) -> dict[UUID, dict[int, str]]:
    """Return what was told with the decisions on these claims, by the number of the decision, opened in one query."""
    listed = list(rows)
    owners = {row.id: row.claim.person_id or row.claim.reporter_id for row in listed}
    fields = {(row.id, number): note_field(row.id, number) for row in listed for number in range(1, row.decision + 1)}
    opened = people.fields_of(session, vault, book_id, set(owners.values()), fields.values())
    notes: dict[UUID, dict[int, str]] = {row.id: {} for row in listed}
    for (claim_id, number), field in fields.items():
        if field in opened[owners[claim_id]]:
            notes[claim_id][number] = opened[owners[claim_id]][field]
    return notes


def decisions_of(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, list[Decision]]:
    """Return the decisions on each claim, in their order."""
    found: dict[UUID, list[Decision]] = {claim_id: [] for claim_id in ids}
    wanted = select(Decision).where(Decision.book_id == book_id, Decision.claim_id.in_(ids)).order_by(Decision.number)
    for decision in session.execute(wanted).scalars():
        found[decision.claim_id].append(decision)
    return found


def approvers(decisions: Collection[Decision]) -> set[UUID]:
    """Return who approved a claim since it was last told anew, of its decisions."""
    since = max((decision.number for decision in decisions if decision.act == "resubmit"), default=0)
    return {decision.actor for decision in decisions if decision.act == "approve" and decision.number > since}


def approved_by(session: Session, book_id: UUID, ids: Collection[UUID], person_id: UUID) -> set[UUID]:
    """Return those of these claims that somebody has approved, so that another must do the rest."""
    return {claim_id for claim_id, decisions in decisions_of(session, book_id, ids).items() if person_id in approvers(decisions)}


#: Who gets the points, a person or a team.
OWNER = func.coalesce(Claim.person_id, Claim.team_id)


def owned(owners: Collection[UUID]) -> ColumnElement[bool]:
    """Return the condition that one of these, persons or teams, gets the points."""
    return or_(Claim.person_id.in_(owners), Claim.team_id.in_(owners))


def done_before(session: Session, book_id: UUID, owners: Collection[UUID], years: Collection[int]) -> dict[UUID, list[tariff.Done]]:
    """Return what each person and team did in these years, as the caps count it."""
    found: dict[UUID, list[tariff.Done]] = {owner: [] for owner in owners}
    for chunk in people.in_sets(found):
        rows = session.execute(
            select(
                OWNER, tariff.Rate.category, tariff.Rate.deed, Claim.deed_on, Claim.points, Claim.minutes, Claim.activity_id, Claim.source
            )
            .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
            .where(
                Claim.book_id == book_id,
                owned(chunk),
                Claim.state.in_(words(COUNTING)),
                Claim.deed_on.between(date(min(years), 1, 1), date(max(years), 12, 31)),
            )
        )
        for owner, category, deed, on, points, minutes, activity, source in rows:
            found[owner].append(tariff.Done(category, deed, on, points, minutes or 0, activity, source == "activity"))
    return found


#: A deed as it would be told twice: whose, which of the tariff, on which day, how many minutes, from when, where.
Told = tuple[UUID, str, date, int | None, datetime | None, str]


def told_before(session: Session, vault: Vault, book_id: UUID, asked: Collection[Told]) -> set[Told]:
    """Return those of `asked` that were told already, except for what was turned down since."""
    alike, days = {told[:-1] for told in asked}, {told[2] for told in asked}
    keepers: dict[UUID, UUID] = {}
    found = {}
    for chunk in people.in_sets({told[0] for told in asked}):
        rows = session.execute(
            select(
                Claim.id, func.coalesce(Claim.person_id, Claim.reporter_id), OWNER, tariff.Rate.deed, Claim.deed_on, Claim.minutes,
                Claim.starts_at,
            )
            .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
            .where(Claim.book_id == book_id, owned(chunk), Claim.state.in_(words(COUNTING)), Claim.deed_on.between(min(days), max(days)))
        )  # fmt: skip
        for claim_id, keeper, owner, deed, on, minutes, starts_at in rows:
            if (told := (owner, deed, on, minutes, starts_at)) in alike:
                found[claim_id], keepers[claim_id] = told, keeper
    # Where they were done is sealed: only what is alike in everything else is opened.
    return {(*found[claim_id], telling.place) for claim_id, telling in _opened(session, vault, book_id, keepers).items()}


def timed(
    session: Session, book_id: UUID, owners: Collection[UUID], since: datetime, until: datetime
) -> list[tuple[UUID, datetime, int | None]]:  # fmt: skip
    """Return who did something that was told with its time, begun between two moments: who, when it began, how many minutes."""
    found: list[tuple[UUID, datetime, int | None]] = []
    for chunk in people.in_sets(owners):
        rows = session.execute(
            select(OWNER, Claim.starts_at, Claim.minutes).where(
                Claim.book_id == book_id,
                owned(chunk),
                Claim.state.in_(words(COUNTING)),
                Claim.starts_at.between(since, until),
                Claim.activity_id.is_(None),
            )
        )
        found += [(owner, began, minutes) for owner, began, minutes in rows if began]
    return found


def points_of(session: Session, book_id: UUID, ids: Iterable[UUID]) -> int:
    """Return how many points these claims are for, all together."""
    total = 0
    for chunk in people.in_sets(set(ids)):
        wanted = select(func.coalesce(func.sum(Claim.points), 0)).where(Claim.book_id == book_id, Claim.id.in_(chunk))
        total += int(session.execute(wanted).scalar_one())
    return total


def points_approved_by(session: Session, book_id: UUID, person_id: UUID, since: datetime) -> int:
    """Return how many points somebody has approved after `since`, all together."""
    wanted = (
        select(func.coalesce(func.sum(Claim.points), 0))
        .select_from(Decision)
        .join(Claim, (Claim.book_id == Decision.book_id) & (Claim.id == Decision.claim_id))
        .where(Decision.book_id == book_id, Decision.actor == person_id, Decision.act == "approve", Decision.decided_at > since)
    )
    return int(session.execute(wanted).scalar_one())


def month_points(
    session: Session, book_id: UUID, owners: Collection[UUID], months: Collection[date]
) -> dict[tuple[UUID, int, int], int]:  # fmt: skip
    """Return the points of each owner's months that were attested or went further, for approval by risk."""
    last = max(months)
    until = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    sums: dict[tuple[UUID, int, int], int] = defaultdict(int)
    for chunk in people.in_sets(owners):
        rows = session.execute(
            select(OWNER, Claim.deed_on, func.sum(Claim.points))
            .where(
                Claim.book_id == book_id,
                owned(chunk),
                Claim.state.in_(COUNTING - {"reported"}),
                Claim.deed_on >= min(months).replace(day=1),
                Claim.deed_on < until,
            )
            .group_by(OWNER, Claim.deed_on)
        )
        for owner, on, points in rows:
            sums[owner, on.year, on.month] += int(points)
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
    asked = {(person_id, risk.claim.deed_on) for risk in risks for person_id in risk.beneficiaries}
    staff = people.staff_since(session, book.id, asked, on)
    sums = month_points(session, book.id, {owner_of(risk.claim) for risk in risks}, [risk.claim.deed_on for risk in risks])
    twice = tariff.always_two(session, book.id)
    why = {}
    for claim, category, beneficiaries in ((risk.claim, risk.category, risk.beneficiaries) for risk in risks):
        month = (owner_of(claim), claim.deed_on.year, claim.deed_on.month)
        why[claim.id] = rules.why_two(
            month_points=sums.get(month, 0) + (claim.points if claim.state == "reported" else 0),
            alone_points_max=book.approve_alone_points_max,
            is_backdated=rules.is_backdated(claim.deed_on, local_day(claim.reported_at, book.zone), book.backdated_after_days),
            is_staff=any((person_id, claim.deed_on) in staff for person_id in beneficiaries),
            always_two=category in twice,
            source=claim.source,
        )
    return why


def owner_of(claim: Claim) -> UUID:
    """Return who gets the points: a person or a team."""
    owner = claim.person_id or claim.team_id
    assert owner is not None, "a CHECK of the table"
    return owner


def beneficiaries_of(session: Session, book_id: UUID, claims: Iterable[Claim]) -> dict[UUID, frozenset[UUID]]:
    """Return for each claim who has something of it: the person, or whoever belonged to the team on the day of the deed or since."""
    listed = list(claims)
    members = people.members_since(session, book_id, {(claim.team_id, claim.deed_on) for claim in listed if claim.team_id})
    return {
        claim.id: frozenset([claim.person_id] if claim.person_id else members[claim.team_id, claim.deed_on] if claim.team_id else ())
        for claim in listed
    }


def risks_of(session: Session, book_id: UUID, rows: Collection[ClaimRow]) -> list[Risk]:
    """Return what says how many must approve each of these claims."""
    gets = beneficiaries_of(session, book_id, (row.claim for row in rows))
    return [Risk(row.claim, row.rate.category, gets[row.claim.id]) for row in rows]


def approvals_needed(session: Session, book: areas.Book, rows: Collection[ClaimRow], on: date) -> dict[UUID, int]:
    """Return how many must approve each of these claims: of those that are decided as it was then, of the others as it is on that day."""
    waiting = [row for row in rows if row.claim.state in {"reported", "attested"}]
    why = why_two(session, book, risks_of(session, book.id, waiting), on)
    return {row.id: row.claim.approvals_needed for row in rows} | {claim_id: 2 if reasons else 1 for claim_id, reasons in why.items()}


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
    month = datetime(today.year, today.month, 1, tzinfo=ZoneInfo(book.zone)).astimezone(UTC)
    credited = select(Decision.number).where(
        Decision.book_id == Claim.book_id,
        Decision.claim_id == Claim.id,
        Decision.act.in_(words(("approve", "credit"))),
        Decision.decided_at >= month,
    )
    wanted = (
        select(Claim, tariff.Rate)
        .join(tariff.Rate, and_(tariff.Rate.book_id == Claim.book_id, tariff.Rate.id == Claim.rate_id))
        .where(
            Claim.book_id == book.id,
            or_(Claim.state == "on_notice", and_(Claim.state == "credited", credited.exists())),
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
        name = people.masked_name(opened.get("name", ""), keeps_surname=_is_adult(opened.get("birth_month"), today))
        notices.append(Notice(claim.id, name, rate, claim.points, claim.deed_on, claim.state, claim.notice_ends_at))
    return notices


def _is_adult(birth_month: str | None, today: date) -> bool:
    return birth_month is not None and not people.is_below(birth_month, people.UNNAMED_BELOW, today)
