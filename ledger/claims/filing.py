"""How a set of deeds becomes claims: one rate each, what the caps leave, nobody in two places at once, told under seal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import activities
from ledger import areas
from ledger import people
from ledger import tariff
from ledger.act import Act
from ledger.claims import photos
from ledger.claims import queries
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.claims.photos import NewPhoto
from ledger.claims.rules import MINUTES_MAX
from ledger.claims.rules import PHOTOS_MAX
from ledger.claims.rules import PLACE_LENGTH_MAX
from ledger.claims.rules import TEXT_LENGTH_MAX
from ledger.claims.rules import check_day
from ledger.claims.rules import overlaps
from ledger.claims.rules import place_field
from ledger.claims.rules import text_field
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Person
from ledger.people import Vault
from ledger.store import insert_rows


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
    photos: tuple[NewPhoto, ...] = ()

    @property
    def owner(self) -> UUID:
        """Return who gets the points."""
        owner = self.person_id or self.team_id
        assert owner is not None, "checked"
        return owner

    @property
    def told(self) -> queries.Told:
        """Return what makes it the same deed where it is told twice."""
        return self.owner, self.deed, self.deed_on, self.minutes, self.starts_at, self.place.strip()


@dataclass(frozen=True)
class Filing:
    """A deed about to become a claim."""

    deed: NewDeed
    source: str
    state: str
    area_code: str | None = None
    #: Who tells it, where that is not whoever acts or is acted for.
    reporter_id: UUID | None = None
    attester_id: UUID | None = None
    activity_id: UUID | None = None
    #: Whether there are photos already, of a claim that is told anew.
    has_photo: bool = False


#: A row of `claim`.
Row = dict[str, Any]


def file_claims(
    session: Session, act: Act, vault: Vault, filings: Sequence[Filing], *, claim_id: UUID | None = None
) -> list[Claim | Refusal]:  # fmt: skip
    """Write a claim for each filing, in a handful of statements; one outcome for each, in order.

    `claim_id` files a single deed under the id of a claim that is told anew: its row is returned, not inserted.
    """
    outcomes = judge(session, act, vault, filings, claim_id=claim_id)
    filed = [(filing, row) for filing, row in zip(filings, outcomes, strict=True) if not isinstance(row, Refusal)]
    write(session, act, vault, filed, is_new=claim_id is None)
    return [row if isinstance(row, Refusal) else Claim(**row) for row in outcomes]


def judge(session: Session, act: Act, vault: Vault, filings: Sequence[Filing], *, claim_id: UUID | None = None) -> list[Row | Refusal]:
    """Return the row of each filing, or why it cannot be claimed; under locks that the rows can then be written with."""
    book = areas.book(session, act.book_id)
    for filing in filings:
        check(filing, book.zone, act.at)
    persons = _lock_persons(session, act.book_id, {filing.deed.person_id for filing in filings if filing.deed.person_id})
    teams = _lock_teams(session, act.book_id, {filing.deed.team_id for filing in filings if filing.deed.team_id})
    homes = {person.id: person.area_code for person in persons.values()} | {team.id: team.area_code for team in teams.values()}
    bench = _Bench(session, act, vault, filings)
    rows: list[Row | Refusal] = []
    for filing in filings:
        outcome = bench.judge(filing)
        rows.append(outcome if isinstance(outcome, Refusal) else _row(act, filing, *outcome, homes, claim_id or new_id()))
    return rows


def write(session: Session, act: Act, vault: Vault, filed: Sequence[tuple[Filing, Row]], *, is_new: bool = True) -> None:
    """Write the rows of claims, that they were reported, and what is told in them, under seal."""
    if filed and is_new:
        insert_rows(session, Claim, [row for _, row in filed])
        insert_rows(session, Decision, [_reported(act, row["id"]) for _, row in filed])
    # Told anew without a text or a place, the old one goes too.
    told = [
        (row["person_id"] or row["reporter_id"], field(row["id"]), text)
        for filing, row in filed
        for field, text in ((place_field, filing.deed.place.strip()), (text_field, filing.deed.text))
        if text or not is_new
    ]
    if told:
        people.seal_texts(session, vault, act.book_id, told)
    shown = [(row["id"], row["person_id"] or row["reporter_id"], photo) for filing, row in filed for photo in filing.deed.photos]
    if shown and not is_new:
        photos.remove(session, act.book_id, {claim_id for claim_id, _, _ in shown})
    photos.add(session, act, vault, shown)


def check(filing: Filing, zone: str, now: datetime) -> None:
    """Raise Invalid where a deed is not told as a deed can be."""
    deed = filing.deed
    check_day(deed.deed_on, local_day(now, zone))
    if (deed.person_id is None) == (deed.team_id is None):
        raise Invalid("field-required", "person_id")
    if deed.minutes is not None and not 1 <= deed.minutes <= MINUTES_MAX:
        raise Invalid("number-out-of-range", "minutes", least=1, most=MINUTES_MAX)
    for field, text, most in (("place", deed.place, PLACE_LENGTH_MAX), ("text", deed.text, TEXT_LENGTH_MAX)):
        if len(text) > most or "\0" in text:
            raise Invalid("text-malformed", field)
    if len(deed.photos) > PHOTOS_MAX:
        raise Invalid("photos-too-many", "photos", most=PHOTOS_MAX)
    if deed.starts_at and not filing.activity_id:
        ended = deed.starts_at + timedelta(minutes=deed.minutes or 0)
        if local_day(deed.starts_at, zone) != deed.deed_on or ended > now:
            raise Invalid("deed-time-out-of-range", "starts_at")


def _lock_persons(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Person]:
    # In the order of their ids; raise NotFound where one is not of the book.
    found: dict[UUID, Person] = {}
    for chunk in people.in_sets(sorted(ids)):
        wanted = select(Person).where(Person.book_id == book_id, Person.id.in_(chunk)).order_by(Person.id)
        found |= {person.id: person for person in session.execute(wanted.with_for_update(key_share=True)).scalars()}
    if len(found) < len(ids):
        raise NotFound("person_id")
    return found


def _lock_teams(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, people.Team]:
    if not ids:
        return {}
    wanted = select(people.Team).where(people.Team.book_id == book_id, people.Team.id.in_(ids)).order_by(people.Team.id)
    found = {team.id: team for team in session.execute(wanted.with_for_update(key_share=True)).scalars()}
    if len(found) < len(ids):
        raise NotFound("team_id")
    return found


def _reported(act: Act, claim_id: UUID) -> dict[str, Any]:
    return {
        "book_id": act.book_id, "claim_id": claim_id, "number": 1, "act": "report", "actor": act.actor, "decided_at": act.at,
        "reason": None,
    }  # fmt: skip


def _row(act: Act, filing: Filing, rate: tariff.Rate, done: tariff.Done, homes: dict[UUID, str], claim_id: UUID) -> Row:
    deed = filing.deed
    return {
        "book_id": act.book_id, "id": claim_id, "state": filing.state, "source": filing.source,
        "area_code": filing.area_code or homes[deed.owner], "person_id": deed.person_id, "team_id": deed.team_id, "rate_id": rate.id,
        "deed_on": deed.deed_on, "starts_at": deed.starts_at, "minutes": done.minutes or None, "points": done.points,
        "activity_id": filing.activity_id, "reporter_id": filing.reporter_id or act.subject, "reported_at": act.at,
        "attester_id": filing.attester_id, "approvals": 0, "approvals_needed": 1, "fund_id": None, "notice_ends_at": None,
        "entry_id": None,
    }  # fmt: skip


class _Bench:
    """What a set of filings is judged by, read once for all of them, after the locks of whoever gets the points."""

    def __init__(self, session: Session, act: Act, vault: Vault, filings: Sequence[Filing]) -> None:
        owners = {filing.deed.owner for filing in filings}
        self.rates: dict[str, list[tariff.Rate]] = defaultdict(list)
        for rate in tariff.rates_of(session, act.book_id, {filing.deed.deed for filing in filings}):
            self.rates[rate.deed].append(rate)
        self.limits = tariff.limits(session, act.book_id)
        self.silent = tariff.without_text(session, act.book_id)
        self.done = queries.done_before(session, act.book_id, owners, {filing.deed.deed_on.year for filing in filings})
        self.busy = self._busy(session, act, filings, owners)
        # What check-out says is told once for each activity already.
        self.told = queries.told_before(session, vault, act.book_id, {one.deed.told for one in filings if not one.activity_id})

    @staticmethod
    def _busy(
        session: Session, act: Act, filings: Sequence[Filing], owners: set[UUID]
    ) -> dict[UUID, list[tuple[datetime, datetime]]]:  # fmt: skip
        starts = [filing.deed.starts_at for filing in filings if filing.deed.starts_at and not filing.activity_id]
        busy: dict[UUID, list[tuple[datetime, datetime]]] = {owner: [] for owner in owners}
        if not starts:
            return busy
        since, until = min(starts) - timedelta(days=1), max(starts) + timedelta(days=1)
        for owner, began, minutes in queries.timed(session, act.book_id, owners, since, until):
            busy[owner].append((began, began + timedelta(minutes=minutes or 1)))
        for person_id, came, went in activities.presences(session, act.book_id, owners, since, until):
            busy[person_id].append((came, went))
        return busy

    def judge(self, filing: Filing) -> tuple[tariff.Rate, tariff.Done] | Refusal:  # noqa: PLR0911  one return a reason
        """Return the rate and what the caps leave of a deed, or why it cannot be claimed."""
        deed = filing.deed
        rate = next((rate for rate in self.rates[deed.deed] if _covers(rate, deed.deed_on)), None)
        if rate is None:
            return Refusal("deed-not-in-tariff", "deed", {"on": deed.deed_on.isoformat()})
        if refusal := self._against_showing(filing, rate):
            return refusal
        if rate.unit == "hour" and not deed.minutes:
            return Refusal("minutes-missing", "minutes")
        points = tariff.points_for(rate.unit, rate.points, deed.minutes)
        if points < 1:
            return Refusal("too-short-to-count", "minutes")
        if not filing.activity_id and deed.told in self.told:
            return Refusal("deed-told-already", "deed")
        before = self.done[deed.owner]
        if sum(done.minutes for done in before if done.on == deed.deed_on) + (deed.minutes or 0) > MINUTES_MAX:
            return Refusal("in-two-places", "minutes")
        span = _span(filing)
        if span and any(overlaps(span, other) for other in self.busy[deed.owner]):
            return Refusal("in-two-places", "starts_at")
        checked_in = filing.source == "activity"
        new = tariff.Done(rate.category, rate.deed, deed.deed_on, points, deed.minutes or 0, filing.activity_id, checked_in)
        left = tariff.within_caps(new, rate.unit, rate.points, before, self.limits)
        if isinstance(left, Refusal):
            return left
        # The caps limit what is earned, not the hours that were served.
        done = replace(left, minutes=new.minutes)
        before.append(done)
        self.told.add(deed.told)
        if span:
            self.busy[deed.owner].append(span)
        return rate, done

    def _against_showing(self, filing: Filing, rate: tariff.Rate) -> Refusal | None:
        deed = filing.deed
        if deed.text and rate.category in self.silent:
            return Refusal("deed-told-without-text", "text")
        if deed.photos and rate.category in self.silent:
            return Refusal("deed-told-without-photo", "photos")
        if rate.with_photo and filing.source == "volunteer" and not (deed.photos or filing.has_photo):
            return Refusal("photo-missing", "photos")
        return None


def _span(filing: Filing) -> tuple[datetime, datetime] | None:
    deed = filing.deed
    if deed.starts_at is None or filing.activity_id:
        return None
    return deed.starts_at, deed.starts_at + timedelta(minutes=deed.minutes or 1)


def _covers(rate: tariff.Rate, day: date) -> bool:
    return rate.valid_from <= day and (rate.valid_to is None or day <= rate.valid_to)
