"""A community in which deeds are earned: a book with a tariff and a fund, and whoever a test asks for, each act under a request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from itertools import count
from typing import Any
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import activities
from ledger import areas
from ledger import claims
from ledger import funds
from ledger import journal
from ledger import people
from ledger import tariff
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.activities import Activity
from ledger.areas import Book
from ledger.claims import Claim
from ledger.claims import Moved
from ledger.claims import NewDeed
from ledger.claims import Reach
from ledger.claims.model import Decision
from ledger.errors import Refusal
from ledger.people import Person
from tests.builders import GRID
from tests.builders import VAULT
from tests.builders import a_book
from tests.builders import a_claimed_act
from tests.builders import a_person
from tests.builders import an_act
from tests.conftest import START
from tests.conftest import Database

T = TypeVar("T")
_doors = count(1)
TODAY = date(2026, 11, 23)
#: Deed, category, unit and points: by the hour 10, small ones of 50, one of 150, and one that goes on notice.
RATES = (
    ("sweeping", "environmental_maintenance", "hour", 10),
    ("class", "study_education", "hour", 20),
    ("patrol", "patrol", "deed", 50),
    ("meals", "hardship_assistance", "deed", 150),
    ("rescue", "public_welfare_service", "deed", 300),
    ("honour", "outstanding_contribution", "deed", 20),
    ("tea_house", "dispute_mediation", "deed", 10),
)


@dataclass
class Community:
    """Acts in the name of its people, at the time that is set; whatever is refused comes back as the code of the refusal."""

    session: Session
    book: Book
    at: datetime = START
    scope: areas.Scope = areas.EVERYWHERE

    def act(self, actor: Person | UUID = OPERATOR) -> Act:
        return a_claimed_act(self.session, self.book, self.at, actor if isinstance(actor, UUID) else actor.id)

    def person(self, *roles: str, **others: Any) -> Person:
        return a_person(self.session, self.book, *roles, **others)

    def tie(self, one: Person, other: Person, kind: str = "kin") -> None:
        assert people.tie(self.session, an_act(self.book), one.id, other.id, kind) is None

    def team(self, *members: Person, name: str = "夜巡队") -> UUID:
        team = people.create_team(
            self.session, an_act(self.book, self.at), name=name, area_code=GRID, member_ids=[one.id for one in members]
        )
        assert not isinstance(team, Refusal)
        return team.id

    def end_role(self, who: Person, role: str, ends_on: date = TODAY) -> None:
        (grant,) = (grant for grant in people.grants_of(self.session, self.book.id, who.id) if grant.role == role)
        people.end_grant(self.session, an_act(self.book), grant.id, ends_on)

    def fund(self, budget: int | None = 100_000, **others: Any) -> UUID:
        plain = {"name": "社区积分经费", "area_code": areas.book(self.session, self.book.id).area_code, "opens_on": date(2026, 1, 1)}
        fund = funds.open_fund(self.session, self.act(), budget=budget, **(plain | others))  # type: ignore[arg-type]
        assert not isinstance(fund, Refusal)
        return fund.id

    def cap(self, period: str, measure: str, most: int, **others: Any) -> None:
        cap = tariff.define_cap(
            self.session, an_act(self.book), period=period, measure=measure, most=most, valid_from=date(2025, 1, 1), **others
        )
        assert not isinstance(cap, Refusal)

    def told(self, deed: str = "patrol", deed_on: date = TODAY, **others: Any) -> NewDeed:
        # Each at a door of its own: the same deed told twice is refused.
        return NewDeed(deed, deed_on, **({"place": f"{next(_doors)}号楼"} | others))

    def place_of(self, claim_id: UUID) -> str:
        return claims.told_of(self.session, VAULT, self.book.id, [self.claim(claim_id)])[claim_id].place

    def report(self, who: Person, deed: str = "patrol", deed_on: date = TODAY, **others: Any) -> Any:
        """A volunteer reports a deed; return the claim's id, or the refusal's code."""
        return _short(claims.report(self.session, self.act(who), VAULT, self.told(deed, deed_on, **others)))

    def propose_all(self, by: Person, deeds: Sequence[NewDeed], *, source: str = "grid_worker", reach: Reach | None = None) -> list[Any]:
        outcomes = claims.propose(self.session, self.act(by), VAULT, reach or Reach(self.scope), source, deeds)
        return [_short(outcome) for outcome in outcomes]

    def propose(self, by: Person, who: Person | UUID, deed: str = "patrol", deed_on: date = TODAY, **others: Any) -> Any:
        """Somebody proposes a deed of a person, or of a team by its id."""
        owner = {"team_id": who} if isinstance(who, UUID) else {"person_id": who.id}
        return self.propose_all(by, [self.told(deed, deed_on, **(owner | others))])[0]

    def attest(self, by: Person, *ids: UUID) -> Any:
        return _listed(claims.attest(self.session, self.act(by), Reach(self.scope), ids))

    def approve(self, by: Person, *ids: UUID) -> Any:
        return _listed(claims.approve(self.session, self.act(by), self.scope, ids))

    def turn_down(self, step: str, by: Person, *ids: UUID, reason: str = "not-done") -> Any:
        steps = {"return": claims.return_, "refuse": claims.refuse}
        return _listed(steps[step](self.session, self.act(by), VAULT, Reach(self.scope), ids, reason=reason))

    def resubmit(
        self, by: Person, claim_id: UUID, deed: str = "patrol", deed_on: date = TODAY, *, reach: Reach | None = None, **others: Any
    ) -> Any:
        told = self.told(deed, deed_on, **others)
        return _short(claims.resubmit(self.session, self.act(by), VAULT, reach or Reach(self.scope), claim_id, told))

    def withdraw(self, by: Person, claim_id: UUID) -> Any:
        return _short(claims.withdraw(self.session, self.act(by), claim_id))

    def credit_due(self, **limits: int) -> dict[UUID, str]:
        return {moved.id: moved.state for moved in claims.credit_due(self.session, self.act(), **limits)}

    def claim(self, claim_id: UUID) -> Claim:
        return claims.claim(self.session, self.book.id, claim_id, Reach(areas.EVERYWHERE)).claim

    def credited(self, who: Person, *deeds: str, deed_on: date = TODAY) -> list[UUID]:
        """Deeds of somebody, proposed and approved by whoever has nothing to do with them."""
        by, approvers = self.person("grid_worker"), [self.person("approver") for _ in range(2)]
        ids = [self.propose(by, who, deed, deed_on) for deed in deeds]
        for approver in approvers:
            self.approve(approver, *ids)
        return ids

    def balance(self, who: Person | UUID, kind: str = "passbook") -> int:
        owner = who if isinstance(who, UUID) else who.id
        account = journal.account_ids(self.session, self.book.id, kind, [owner]).get(owner)
        return journal.balance_of(self.session, self.book.id, account, self.at).balance if account else 0

    def hours(self, who: Person) -> tuple[int, int]:
        """Return the minutes of credit and of honour."""
        found = activities.hours_of(self.session, self.book.id, who.id)
        return found.credit, found.honour

    def activity(
        self, host: Person, *, deed: str = "sweeping", begins: datetime | None = None, minutes: int = 120, capacity: int = 20
    ) -> Activity:
        """An activity that begins now."""
        begins = begins or self.at
        new = activities.NewActivity(GRID, deed, "清扫日", "3栋门口", begins, begins + timedelta(minutes=minutes), capacity, host.id)
        made = activities.create(self.session, an_act(self.book, self.at), VAULT, areas.EVERYWHERE, new)
        assert not isinstance(made, Refusal), made
        return made

    def check_in(self, activity: Activity, *who: Person, host: Person | None = None) -> Any:
        by, actor = ("host", host) if host else ("venue_code", who[0])
        return _listed(activities.check_in(self.session, self.act(actor), [one.id for one in who], activity_id=activity.id, by=by))

    def check_out(self, activity: Activity, *who: Person, host: Person | None = None) -> Any:
        """Check out; return for each (attendance, claim or None) or the refusal's code."""
        by, actor = ("host", host) if host else ("venue_code", who[0])
        ids = [one.id for one in who]
        return _listed(claims.check_out(self.session, self.act(actor), VAULT, ids, activity_id=activity.id, by=by))

    def reopen(self, activity: Activity, *who: Person, host: Person) -> Any:
        return _listed(claims.reopen(self.session, self.act(host), [one.id for one in who], activity_id=activity.id))

    def decide_bare(self, claim_id: UUID, actor: UUID, step: str) -> None:
        """Insert a decision past all code, as the service's own role could."""
        number = len(self.session.query(Decision).filter_by(book_id=self.book.id, claim_id=claim_id).all()) + 1
        row = {"claim_id": claim_id, "number": number, "act": step, "actor": actor, "decided_at": self.at, "reason": None}
        self.session.execute(Decision.__table__.insert().values(book_id=self.book.id, **row))


def a_community(session: Session, *, with_fund: bool = True) -> Community:
    # On SQLite whoever reads holds the lock: what was committed is not read again behind a test's back.
    session.expire_on_commit = False
    book = a_book(session)
    journal.open_book_accounts(session, book.id, START - timedelta(days=365))
    act = an_act(book)
    tariff.define_categories(session, act)
    for deed, category, unit, points in RATES:
        new = tariff.RateRow(category, deed, deed, deed, unit, points)
        assert not isinstance(tariff.define_rate(session, act, new, valid_from=date(2025, 1, 1)), Refusal)
    community = Community(session, book)
    if with_fund:
        community.fund()
    return community


def _short(outcome: Any) -> Any:
    if isinstance(outcome, Refusal):
        return outcome.code
    return outcome.state if isinstance(outcome, Moved) else outcome.id if isinstance(outcome, Claim) else outcome


def _listed(outcomes: Sequence[Any]) -> Any:
    short = [_short(outcome) for outcome in outcomes]
    return short[0] if len(short) == 1 else short


def at_once(database: Database, *works: Callable[[Session], T]) -> list[T]:
    """Do works in transactions that begin together, each on a connection of its own, and commit each; return what came of them."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[Session], T]) -> T:
        with Session(database.engine) as session:
            start.wait()
            outcome = work(session)
            session.commit()
            return outcome

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
