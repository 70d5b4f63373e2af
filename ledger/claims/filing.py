"""How a set of deeds becomes claims: one rate each, what the caps leave, nobody in two places at once, told under seal."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import activities
from ledger import areas
from ledger import people
from ledger import tariff
from ledger.act import Act
from ledger.claims import queries
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.claims.rules import check_day
from ledger.claims.rules import overlaps
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from ledger.people import Vault

MINUTES_MAX = 1440
PLACE_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 500


@dataclass(frozen=True)
class NewDeed:
    """A deed as it is told: what, when, where, and for whom the points are."""

    #: The code of a deed of the tariff.
    deed: str
    deed_on: date
    place: str = ""
    #: How long, for deeds paid by the hour.
    minutes: int | None = None
    #: When it began, where that is known.
    starts_at: datetime | None = None
    #: In the teller's words; sealed.
    text: str = ""
    #: Who did it, where somebody else tells it: a person or a team.
    person_id: UUID | None = None
    team_id: UUID | None = None


@dataclass(frozen=True)
class Filing:
    """A deed about to become a claim."""

    deed: NewDeed
    source: str
    state: str
    area_code: str | None = None
    attester_id: UUID | None = None
    activity_id: UUID | None = None


def lock_persons(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Person]:
    """Lock persons in the order of their ids, and return them; raise NotFound where one is not of the book."""
    wanted = select(Person).where(Person.book_id == book_id, Person.id.in_(ids)).order_by(Person.id)
    found = {person.id: person for person in session.execute(wanted.with_for_update(key_share=True)).scalars()}
    if len(found) < len(set(ids)):
        raise NotFound("person_id")
    return found


def file_claims(
    session: Session, act: Act, vault: Vault, filings: Sequence[Filing], *, claim_id: UUID | None = None
) -> list[Claim | Refusal]:  # fmt: skip
    """Write a claim for each filing, in a handful of statements; one outcome for each, in order.

    `claim_id` files a single deed under the id of a claim that is told anew: its row is returned, not inserted.
    """
    book = areas.book(session, act.book_id)
    for filing in filings:
        _check(filing.deed, local_day(act.at, book.zone))
    owners = {filing.deed.person_id for filing in filings if filing.deed.person_id}
    persons = lock_persons(session, act.book_id, owners)
    teams = people.teams_by_id(session, act.book_id, {filing.deed.team_id for filing in filings if filing.deed.team_id})
    bench = _Bench(session, act, filings, owners)
    outcomes = [bench.judge(filing) for filing in filings]
    rows, told = [], []
    claims: list[Claim | Refusal] = []
    for filing, outcome in zip(filings, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            claims.append(outcome)
            continue
        rate, done = outcome
        row = _row(act, filing, rate, done, persons, teams) | {"id": claim_id or new_id()}
        rows.append(row)
        claims.append(Claim(**row))
        if filing.deed.text:
            told.append((filing.deed.person_id or act.actor, f"claim:{row['id']}", filing.deed.text))
    if rows and claim_id is None:
        session.execute(insert(Claim), rows)
        session.execute(insert(Decision), [_reported(act, row["id"]) for row in rows])
    if told:
        people.seal_texts(session, vault, act.book_id, told)
    return claims


def _check(deed: NewDeed, today: date) -> None:
    check_day(deed.deed_on, today)
    if (deed.person_id is None) == (deed.team_id is None):
        raise Invalid("field-required", "person_id")
    if deed.minutes is not None and not 1 <= deed.minutes <= MINUTES_MAX:
        raise Invalid("number-out-of-range", "minutes", least=1, most=MINUTES_MAX)
    if len(deed.place) > PLACE_LENGTH_MAX or len(deed.text) > TEXT_LENGTH_MAX:
        raise Invalid("text-malformed", "place" if len(deed.place) > PLACE_LENGTH_MAX else "text")


def _reported(act: Act, claim_id: UUID) -> dict[str, Any]:
    return {
        "book_id": act.book_id, "claim_id": claim_id, "number": 1, "act": "report", "actor": act.actor, "decided_at": act.at,
        "reason": None, "note": None,
    }  # fmt: skip


def _row(
    act: Act, filing: Filing, rate: tariff.Rate, done: tariff.Done, persons: dict[UUID, Person], teams: dict[UUID, people.Team]
) -> dict[str, Any]:  # fmt: skip
    deed = filing.deed
    home = persons[deed.person_id].area_code if deed.person_id else teams[deed.team_id].area_code if deed.team_id else ""
    return {
        "book_id": act.book_id, "state": filing.state, "source": filing.source, "area_code": filing.area_code or home,
        "person_id": deed.person_id, "team_id": deed.team_id, "rate_id": rate.id, "deed_on": deed.deed_on, "starts_at": deed.starts_at,
        "minutes": done.minutes or None, "points": done.points, "place": deed.place.strip(), "activity_id": filing.activity_id,
        "reporter_id": act.actor, "reported_at": act.at, "attester_id": filing.attester_id, "approvals": 0, "approvals_needed": 1,
        "fund_id": None, "notice_ends_at": None, "entry_id": None,
    }  # fmt: skip


class _Bench:
    """What a set of filings is judged by, read once for all of them, after the persons' locks."""

    def __init__(self, session: Session, act: Act, filings: Sequence[Filing], owners: set[UUID]) -> None:
        self.rates = tariff.rates_of(session, act.book_id, {filing.deed.deed for filing in filings})
        self.limits = tariff.limits(session, act.book_id)
        years = {filing.deed.deed_on.year for filing in filings}
        self.done = queries.done_before(session, act.book_id, owners, years)
        self.busy = self._busy(session, act, filings, owners)

    @staticmethod
    def _busy(
        session: Session, act: Act, filings: Sequence[Filing], owners: set[UUID]
    ) -> dict[UUID, list[tuple[datetime, datetime]]]:  # fmt: skip
        starts = [filing.deed.starts_at for filing in filings if filing.deed.starts_at and not filing.activity_id]
        busy: dict[UUID, list[tuple[datetime, datetime]]] = {owner: [] for owner in owners}
        if not starts:
            return busy
        since, until = min(starts) - timedelta(days=1), max(starts) + timedelta(days=1)
        for claim in queries.timed(session, act.book_id, owners, since, until):
            assert claim.person_id is not None
            assert claim.starts_at is not None
            busy[claim.person_id].append((claim.starts_at, claim.starts_at + timedelta(minutes=claim.minutes or 1)))
        for presence in activities.presences(session, act.book_id, owners, since, until):
            busy[presence.person_id].append((presence.in_at, presence.out_at or act.at))
        return busy

    def judge(self, filing: Filing) -> tuple[tariff.Rate, tariff.Done] | Refusal:  # noqa: PLR0911  one return a reason
        """Return the rate and what the caps leave of a deed, or why it cannot be claimed."""
        deed = filing.deed
        rate = next((rate for rate in self.rates if rate.deed == deed.deed and _covers(rate, deed.deed_on)), None)
        if rate is None:
            return Refusal("deed-not-in-tariff", "deed", {"deed": deed.deed, "on": deed.deed_on.isoformat()})
        if rate.unit == "hour" and not deed.minutes:
            return Refusal("minutes-missing", "minutes")
        points = tariff.points_for(rate.unit, rate.points, deed.minutes)
        if points < 1:
            return Refusal("too-short-to-count", "minutes")
        checked_in = filing.source == "activity"
        new = tariff.Done(rate.category, rate.deed, deed.deed_on, points, deed.minutes or 0, filing.activity_id, checked_in)
        if deed.person_id is None:
            return rate, new
        if deed.starts_at and not filing.activity_id:
            span = (deed.starts_at, deed.starts_at + timedelta(minutes=deed.minutes or 1))
            if any(overlaps(span, other) for other in self.busy[deed.person_id]):
                return Refusal("in-two-places", "starts_at")
            self.busy[deed.person_id].append(span)
        left = tariff.within_caps(new, rate.unit, rate.points, self.done[deed.person_id], self.limits)
        if isinstance(left, Refusal):
            return left
        self.done[deed.person_id].append(left)
        # The caps limit what is earned, not the hours that were served.
        return rate, replace(left, minutes=new.minutes)


def _covers(rate: tariff.Rate, day: date) -> bool:
    return rate.valid_from <= day and (rate.valid_to is None or day <= rate.valid_to)
