"""What the tests of the whole house stand on: the demonstration community, in which everything has happened once, and its people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
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
from tests.played import Played
from tests.played import Theatre
from tests.played import database  # noqa: F401
from tests.played import theatre  # noqa: F401
from tests.played import theatre_on_postgresql  # noqa: F401
from tests.played import theatre_on_sqlite  # noqa: F401

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


@pytest.fixture
def played(theatre: Theatre) -> Played:  # noqa: F811
    """What a community begins as, and who is who in it; a file whose tests all begin later has a fixture of its own in its place."""
    return theatre.once(demonstration)


@pytest.fixture
def community(played: Played, session: Session) -> Community:
    return community_of(session, played.told)


def demonstration(session: Session) -> dict[str, UUID]:
    """Play the community, and return who is who."""
    return make_community(session, VAULT, START).stage.ids


def community_of(session: Session, ids: dict[str, UUID]) -> Community:
    """The community that was played in the session's database, by who is who."""
    return Community(session, Stage(session, VAULT, START, dict(ids)))


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
