"""What the tests of the whole house stand on: the demonstration community, in which everything has happened once, and its people."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL
from sqlalchemy import make_url
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.store import Base
from ledger.web.kit.auth import SESSION_COOKIE
from redeem import codes
from redeem import library
from redeem import merchants
from scripts.demo.cast import COUNTY
from scripts.demo.cast import VILLAGE
from scripts.demo.community import draw_grids
from scripts.demo.community import enrol
from scripts.demo.community import fill_library
from scripts.demo.community import set_tariff
from scripts.demo.days import hold_activities
from scripts.demo.days import redeem
from scripts.demo.days import report_deeds
from scripts.demo.days import see_to_todays_activity
from scripts.demo.stage import ZONE
from scripts.demo.stage import Stage
from tests.builders import PUBLISHED
from tests.builders import VAULT
from tests.conftest import START
from tests.conftest import Database
from tests.conftest import fresh_database

CHAPTERS = (draw_grids, enrol, set_tariff, fill_library, hold_activities, report_deeds, redeem, see_to_todays_activity)


@dataclass
class Community:
    """A book in which everything has happened once."""

    session: Session
    stage: Stage

    @property
    def book(self) -> areas.Book:
        return self.stage.book

    def token(self, key: str) -> str:
        """A bearer token of somebody of the cast."""
        return self._issued(lambda act, person_id: sign_in.issue_bearer(self.session, act, [person_id], lives=timedelta(days=1))[0], key)

    def enter(self, client: FlaskClient, key: str) -> None:
        """Let somebody of the cast come in by passkey, in this browser."""
        client.set_cookie(SESSION_COOKIE, self.come_in(key))

    def come_in(self, key: str) -> str:
        """Let somebody of the cast come in by passkey; return the token of their session."""
        return self._issued(lambda act, person_id: sign_in.open_session(self.session, self.book, person_id, "passkey", act.at), key)

    def _issued(self, issue: Callable[..., str], key: str) -> str:
        issued = issue(self.stage.act(), self.stage.who(key))
        self.session.commit()
        return issued

    def known(self) -> dict[str, list[str]]:
        """Values that there are, by the names that fields and parts of addresses have: of ids, of areas, of deeds."""
        found = {
            f"{table}_id": self._column(table, "id")
            for table in ("unit", "till", "offer", "activity", "claim", "redemption", "fund", "device")
        }
        found |= {f"{table}_id": self._column(table, "id") for table in ("person", "team", "mandate", "merge", "application", "photo")}
        found |= {"credential_id": self._column("credential", "id"), "link_id": self._column("credential", "id", "asked_by")}
        found |= {"phone_id": self._column("pay_device", "id", "session_id"), "slip_id": self._column("pay_device", "id", "expires_at")}
        found |= {"grant_id": self._column("role_grant", "id"), "staff_id": self._column("shop_staff", "id")}
        found |= {"print_id": self._column("passbook_print", "id")}
        found |= dict.fromkeys(("other_id", "leader_id", "host_id"), found["person_id"])
        found |= {"ids": found["claim_id"], "person_ids": found["person_id"], "member_ids": found["person_id"]}
        found |= dict.fromkeys(("area_code", "parent_code", "below"), self._column("area", "code"))
        found |= {"book": [str(self.book.number)], "category": self._column("category", "code"), "deed": self._column("rate", "deed")}
        assert all(found.values()), "everything has happened once"
        return found

    def _column(self, table: str, column: str, told: str | None = None) -> list[str]:
        """What stands in a column, in the rows where `told` is told."""
        kept = Base.metadata.tables[table]
        rows = self.session.scalars(
            select(kept.c[column]).where(kept.c.book_id == self.book.id, kept.c[told or column].is_not(None)).order_by(kept.c[column])
        )
        values = [str(value) for value in rows]
        self.session.commit()
        return values

    def make_owner_of_everything(self, key: str) -> None:
        """Give somebody of the cast every role there is, so that no request of theirs ends at the door."""
        person_id, today = self.stage.who(key), self.stage.now.date()
        for role in sorted(set(people.ROLES) - people.SHOP_ROLES):
            people.grant_role(self.session, self.stage.act(), person_id=person_id, role=role, area_code=COUNTY, starts_on=today)
        unit_ids = {UUID(unit_id) for unit_id in self._column("till", "unit_id")}
        for unit_id in unit_ids:
            for role in sorted(people.SHOP_ROLES):
                merchants.hire(self.session, self.stage.act(), unit_id, person_id=person_id, role=role, starts_on=today)
        self.session.commit()


@dataclass(frozen=True)
class Played:
    """A database in which something was played, and what a test has to know of it."""

    database: Database
    ids: dict[str, UUID]
    token: str = ""

    def getfixturevalue(self, name: str) -> Path | URL:
        """Return what `fresh_database` copies, in the place of the empty template that the fixture `name` would be."""
        url = make_url(self.database.owner_url)
        return Path(str(url.database)) if self.database.kind == "sqlite" else url


#: Plays on a stage, and returns the token of whoever has come in, if anybody has.
Play = Callable[[Community], str]


@dataclass
class Theatre:
    """Plays once what many tests stand on: each of them has a copy of the database in which it was played."""

    kind: str
    request: pytest.FixtureRequest
    folder: Path
    stack: ExitStack
    _played: dict[Play | None, Played] = field(default_factory=dict)

    def community(self) -> Played:
        """The demonstration community."""
        return self._once(None, self.request, lambda session: (make_community(session, VAULT, START), ""))

    def after(self, play: Play) -> Played:
        """The demonstration community, after something more was played."""
        before = self.community()

        def go_on(session: Session) -> tuple[Community, str]:
            community = Community(session, Stage(session, VAULT, START, dict(before.ids)))
            return community, play(community)

        return self._once(play, before, go_on)

    def _once(self, play: Play | None, template: Any, work: Callable[[Session], tuple[Community, str]]) -> Played:
        if play not in self._played:
            database = self.stack.enter_context(fresh_database(self.kind, template, self.folder))
            with Session(database.engine) as session:
                community, token = work(session)
                session.commit()
            database.engine.dispose()
            self._played[play] = Played(database, community.stage.ids, token)
        return self._played[play]


@pytest.fixture(scope="session")
def theatre_on_sqlite(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with ExitStack() as stack:
        yield Theatre("sqlite", request, tmp_path_factory.mktemp("played"), stack)


@pytest.fixture(scope="session")
def theatre_on_postgresql(
    request: pytest.FixtureRequest, postgresql_server: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Theatre]:
    with ExitStack() as stack:
        yield Theatre("postgresql", request, tmp_path_factory.mktemp("played"), stack)


@pytest.fixture
def theatre(request: pytest.FixtureRequest) -> Theatre:
    """Where plays on this test's kind of database are kept."""
    theatre: Theatre = request.getfixturevalue(f"theatre_on_{request.node.callspec.params['database']}")
    return theatre


@pytest.fixture
def played(theatre: Theatre) -> Played:
    """What this test's community begins as; a file whose tests all begin later has a fixture of its own in its place."""
    return theatre.community()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database; where the test is about the community, one in which it was played already."""
    template: Any = request.getfixturevalue("played") if "played" in request.fixturenames else request
    with fresh_database(request.param, template, tmp_path) as database:
        yield database


@pytest.fixture
def community(played: Played, session: Session) -> Community:
    return Community(session, Stage(session, VAULT, START, dict(played.ids)))


def make_community(session: Session, vault: people.Vault, now: datetime) -> Community:
    """Play the demonstration, and what it leaves out, until `now`."""
    areas.import_published(session, PUBLISHED)
    book = areas.open_book(session, name="鼓楼区善行存折", area_code=COUNTY, zone=ZONE, at=now)
    journal.open_book_accounts(session, book.id, now)
    stage = Stage(session, vault, now)
    for play in CHAPTERS:
        play(stage)
    open_counters(stage)
    keep_the_register(stage)
    session.commit()
    return Community(session, stage)


def open_counters(stage: Stage) -> None:
    """Let a till and a counter wait to be paired, a cashier set a PIN, a volunteer have card and phone, links wait for a second word."""
    (shop,) = library.units(stage.session, stage.book.id, colour="white")
    sign_in.prepare_device(stage.session, stage.act("owner"), stage.vault, name="收银平板", unit_id=shop.id)
    sign_in.prepare_device(stage.session, stage.act("grid_worker"), stage.vault, name="窗口平板", area_code=VILLAGE)
    sign_in.issue_pin_code(stage.session, stage.act("owner"), stage.vault, stage.who("cashier"))
    people.issue_card(stage.session, stage.act("grid_worker"), stage.who("volunteer"))
    people.print_lines(stage.session, stage.act("grid_worker"), stage.who("volunteer"), 1)
    codes.draw_slip(stage.session, stage.act("volunteer"), stage.vault)
    sign_in.open_session(stage.session, stage.book, stage.who("volunteer"), "passkey", stage.now)
    (opened, *_) = sign_in.sessions_of(stage.session, stage.book.id, stage.who("volunteer"), stage.now)
    assert opened.id
    codes.add_phone(stage.session, stage.act("volunteer"), stage.vault, stage.who("volunteer"), opened.id)
    for key in ("first_approver", "second_approver"):
        asked = sign_in.issue_way_in(
            stage.session, stage.act("grid_worker"), stage.vault, stage.who(key), anew=False,
            within=areas.EVERYWHERE, staff_within=areas.EVERYWHERE,
        )  # fmt: skip
        assert isinstance(asked, UUID)


def keep_the_register(stage: Stage) -> None:
    """Let two people ask to be enrolled, two records wait to be merged, somebody act for another, and a second team be there."""
    for name in ("王丽", "吴生"):
        told = people.NewPerson(name, VILLAGE, phone="13800138000")
        people.apply_to_join(stage.session, stage.vault, stage.book.id, told, stage.now, key=name)
    for kept, gone in (("driver", "joiner"), ("reader", "weaver")):
        people.propose_merge(stage.session, stage.act(), kept_id=stage.who(kept), gone_id=stage.who(gone))
    today = local_day(stage.now, ZONE)
    for person, helper in (("walker", "swimmer"), ("gardener", "nurse")):
        new = people.NewMandate(stage.who(person), stage.who(helper), "helper", today, today + timedelta(days=90), 0)
        given = people.give_mandate(stage.session, stage.act(), stage.vault, new)
        assert not isinstance(given, Refusal)
        people.agree_mandate(stage.session, stage.act(helper), given.id)
    singers = [stage.who("singer"), stage.who("singer_too")]
    people.create_team(stage.session, stage.act(), name="仙霞路合唱队", area_code=VILLAGE, member_ids=singers)
