"""Nobody decides on what concerns them: who may do what with whose claim, by every way in, as one table."""

from __future__ import annotations

import io
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ledger import claims
from ledger import people
from ledger import sign_in
from ledger.claims import Reach
from ledger.claims.model import Claim
from ledger.ids import new_id
from ledger.people import Person
from ledger.people.model import TeamMember
from ledger.web.kit.problems import PROBLEMS
from tests.builders import VAULT
from tests.builders import VILLAGE
from tests.builders import a_mandate
from tests.builders import an_act
from tests.conftest import HandClock
from tests.earning import TODAY
from tests.earning import Community
from tests.earning import a_community
from tests.journeys.browser import Browser
from tests.journeys.browser import signed_in
from tests.web.api.conftest import asking

# What somebody who stands in a relation to a claim may do with it. What is proposed is attested by the proposer's word and so comes too
# late to be attested ("late"); the database, which is asked past all code, refuses that too, for the reason behind the stroke. Whoever is
# near somebody is their kin or of their household: a couple is not two persons. Nor are two records of one human, nor who helps and who
# is helped, also once it has ended.
TABLE = """
                  propose   attest      approve   second    return   refuse
beneficiary       own       own         own       own       own      own
household         kin       kin         kin       kin       kin      kin
kin               kin       kin         kin       kin       kin      kin
member            own       late/own    own       own       own      own
kin_of_member     kin       late/kin    kin       kin       kin      kin
proposer          yes       late/acted  acted     acted     yes      yes
attester          yes       late/acted  acted     acted     yes      yes
earlier_approver  yes       late/acted  acted     acted     yes      yes
near_proposer     yes       late/near   near      near      yes      yes
near_attester     yes       late/near   near      near      yes      yes
near_approver     yes       late/near   near      near      yes      yes
helper            kin       kin         kin       kin       kin      kin
former_helper     kin       kin         kin       kin       kin      kin
helped            kin       kin         kin       kin       kin      kin
same_human        kin       kin         kin       kin       kin      kin
helps_proposer    yes       late/near   near      near      yes      yes
helped_approver   yes       late/near   near      near      yes      yes
leader            yes       yes         yes       yes       yes      yes
stranger          yes       yes         yes       yes       yes      yes
"""
HEADING, *ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = {(relation, act): cell for relation, *cells in ROWS for act, cell in zip(HEADING, cells, strict=True)}
SHORT = {"own-deed": "own", "kin-or-household": "kin", "acted-before": "acted", "kin-acted-before": "near", "claim-not-in-state": "late"}
OF_A_TEAM = {"member", "kin_of_member"}
ROLES = ("volunteer", "building_leader", "grid_worker", "approver")


@dataclass
class Cast:
    """A volunteer and a team, whoever stands in some relation to them, and a claim in the state that an act begins from."""

    community: Community
    volunteer: Person
    team: UUID
    actors: dict[str, Person]
    others: list[Person]
    days: Iterator[int] = field(default_factory=partial(count, 0))

    def day(self) -> date:
        """Return a day for another deed: one deed counts a few times a day."""
        return TODAY - timedelta(days=next(self.days))

    def owner(self, relation: str) -> Person | UUID:
        return self.team if relation in OF_A_TEAM else self.volunteer

    def claim(self, relation: str, act: str) -> UUID:
        """Return a claim about which the relation's actor is about to act: of a deed that always takes two approvers."""
        community, owner = self.community, self.owner(relation)
        proposer, approver, _ = self.others
        is_attested = relation in {"attester", "near_attester"}
        is_told_by_its_doer = is_attested or (act == "attest" and CELLS[relation, act] in {"yes", "own", "kin"})
        if is_told_by_its_doer:
            claim_id = community.report(self.volunteer, "honour", self.day())
        else:
            by = self.actors["proposer"] if relation in {"proposer", "near_proposer", "helps_proposer"} else proposer
            claim_id = community.propose(by, owner, "honour", self.day())
        if is_attested:
            assert community.attest(self.actors["attester"], claim_id) == "attested"
        if relation in {"earlier_approver", "near_approver", "helped_approver"}:
            assert community.approve(self.actors["earlier_approver"], claim_id) == "attested"
        elif act == "second":
            assert community.approve(approver, claim_id) == "attested"
        community.session.commit()
        assert isinstance(claim_id, UUID)
        return claim_id


@pytest.fixture
def cast(session: Session) -> Cast:
    community = a_community(session)
    relations = [relation for relation, *_ in ROWS]
    actors = {relation: community.person(*ROLES, area_code=VILLAGE) for relation in relations}
    volunteer, member = actors["beneficiary"], actors["member"]
    community.tie(volunteer, actors["household"], "household")
    community.tie(volunteer, actors["kin"])
    community.tie(member, actors["kin_of_member"])
    community.tie(actors["proposer"], actors["near_proposer"])
    community.tie(actors["near_attester"], actors["attester"], "household")
    community.tie(actors["earlier_approver"], actors["near_approver"])
    community.tie(volunteer, actors["same_human"], "same")
    book, ended = community.book, a_mandate(session, community.book, volunteer, actors["former_helper"])
    people.end_mandate(session, an_act(book), ended.id, within=community.scope)
    for helped, helper in (
        ("beneficiary", "helper"),
        ("helped", "beneficiary"),
        ("proposer", "helps_proposer"),
        ("helped_approver", "earlier_approver"),
    ):
        a_mandate(session, book, actors[helped], actors[helper])
    people.give_charge(session, an_act(community.book), actors["leader"].id, [volunteer.id])
    team = community.team(member, community.person())
    others = [community.person(*ROLES, area_code=VILLAGE) for _ in range(3)]
    session.commit()
    return Cast(community, volunteer, team, actors, others)


def played(cast: Cast, does: Callable[[Person, str, Any], str], *, acts: tuple[str, ...] = tuple(HEADING)) -> dict[tuple[str, str], str]:
    """Let each actor try each act by one way in, and return what came of it."""
    found = {}
    for relation, act in CELLS:
        if act in acts:
            about = cast.owner(relation) if act == "propose" else cast.claim(relation, act)
            found[relation, act] = does(cast.actors[relation], act.replace("second", "approve"), about)
    return found


def as_written(cells: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    return {key: cell.partition("/")[0] for key, cell in cells.items()}


def test_by_the_capability(cast: Cast) -> None:
    community = cast.community

    def does(actor: Person, act: str, about: Any) -> str:
        if act == "propose":
            outcome = community.propose(actor, about, "honour", cast.day())
        elif act in {"return", "refuse"}:
            outcome = community.turn_down(act, actor, about)
        else:
            outcome = getattr(community, act)(actor, about)
        community.session.commit()
        return SHORT.get(outcome, "yes")

    assert played(cast, does) == as_written(CELLS)


@pytest.mark.walk("postgresql")
def test_by_the_api(cast: Cast, app: Flask) -> None:
    session, book = cast.community.session, cast.community.book

    def does(actor: Person, act: str, about: Any) -> str:
        token = sign_in.issue_bearer(session, an_act(book), [actor.id], lives=timedelta(days=1))[0]
        session.commit()
        ask = asking(app.test_client(), token)
        if act == "propose":
            who = {"team_id": str(about)} if isinstance(about, UUID) else {"person_id": str(about.id)}
            told = {"deed": "honour", "deed_on": cast.day().isoformat(), "place": "礼堂"}
            response = ask("/claims/proposals", {"deeds": [told | who]})
        else:
            reason = {"reason": "not-done"} if act in {"return", "refuse"} else {}
            response = ask(f"/claims/{act}", {"ids": [str(about)]} | reason)
        (item,) = response.get_json()["items"]
        return "yes" if item["ok"] else SHORT[item["problem"]["type"].rpartition("/")[2]]

    assert played(cast, does) == as_written(CELLS)


@pytest.mark.walk("sqlite")
def test_by_the_pages(cast: Cast, app: Flask) -> None:
    community, browsers, secrets_of = cast.community, dict[UUID, Browser](), dict[UUID, str]()
    places = {"attest": "/attest", "propose": "/staff/propose"}

    def does(actor: Person, act: str, about: Any) -> str:
        if actor.id not in browsers:
            browsers[actor.id] = signed_in(app, community.session, community.book, actor)
            secrets_of[actor.id] = _secret(browsers[actor.id])
        place = places.get(act, "/staff/queue")
        browser = browsers[actor.id]
        # A form of somebody's own session, filled in by somebody who writes to its address whatever a page shows.
        carried = {"_csrf": secrets_of[actor.id], "_key": new_id().hex}
        if act == "propose":
            who = {"team_id": str(about)} if isinstance(about, UUID) else {"person_id": str(about.id)}
            told = who | {
                "deed": "honour",
                "deed_on": cast.day().isoformat(),
                "place": "礼堂",
                "minutes": "",
                "began": "",
                "text": "",
                "numbers": "",
            }
        else:
            told = {"id": str(about), "step": act, "reason": "not-done", "note": ""}
        response = browser.client.post(place, data=carried | told)
        if response.status_code == 303:
            (code,) = parse_qs(urlsplit(response.location).query)
            return SHORT.get(code, "yes")
        (code,) = (code for code in SHORT if PROBLEMS[code].zh in response.text)
        return SHORT[code]

    assert played(cast, does) == as_written(CELLS)


def _secret(browser: Browser) -> str:
    browser.open("/")
    return next(form.fields["_csrf"] for form in browser.page.forms if "_csrf" in form.fields)


def a_sheet(who: Person, line: int) -> bytes:
    """A sheet with one deed, which no other sheet tells of."""
    made, day = openpyxl.Workbook(), TODAY - timedelta(days=line)
    for row in (["存折号", "善行", "日期", "地点"], [who.handle, "honour", day.isoformat(), "礼堂"]):
        made.active.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


#: A sheet tells of persons, and whoever brings it proposes them.
OF_SHEETS = {key: cell for key, cell in CELLS.items() if key[1] == "propose" and key[0] not in OF_A_TEAM}


def test_by_a_sheet(cast: Cast) -> None:
    community = cast.community

    def does(actor: Person, line: int) -> str:
        reading = claims.read_deeds(a_sheet(cast.volunteer, line))
        reach = Reach(community.scope)
        report = claims.import_claims(community.session, community.act(actor), VAULT, reach, reading, dry_run=False)
        assert isinstance(report, claims.DeedsReport)
        codes = [SHORT[fault.code] for fault in report.faults]
        assert report.is_written == (not codes)
        return codes[0] if codes else "yes"

    assert {key: does(cast.actors[key[0]], line) for line, key in enumerate(OF_SHEETS)} == OF_SHEETS


def test_by_the_command(cast: Cast, app: Flask, tmp_path: Path) -> None:
    def does(actor: Person, line: int) -> str:
        file = tmp_path / f"{line}.xlsx"
        file.write_bytes(a_sheet(cast.volunteer, line))
        command = ["ledger", "claims", "import", str(file), "--book", "1", "--by", actor.handle, "--write"]
        result = app.test_cli_runner().invoke(args=command)
        if result.exit_code == 0:
            return "yes"
        (code,) = (code for code in SHORT if PROBLEMS[code].zh in result.output)
        return SHORT[code]

    assert {key: does(cast.actors[key[0]], line) for line, key in enumerate(OF_SHEETS)} == OF_SHEETS


def test_by_the_database_alone(cast: Cast) -> None:
    community = cast.community
    session, book_id = community.session, community.book.id
    template = community.propose(cast.others[0], cast.volunteer, "honour")
    row = dict(session.execute(select(Claim.__table__).where(Claim.book_id == book_id, Claim.id == template)).one()._mapping)
    session.commit()

    def does(actor: Person, act: str, about: Any) -> str:
        if act != "propose":
            return _tried(session, lambda: community.decide_bare(about, actor.id, act))
        who = {"team_id": about, "person_id": None} if isinstance(about, UUID) else {"person_id": about.id, "team_id": None}
        return _tried(session, lambda: session.execute(insert(Claim).values(row | who | {"id": new_id(), "reporter_id": actor.id})))

    assert played(cast, does) == {key: "yes" if cell == "yes" else "refused" for key, cell in CELLS.items()}


def test_two_attest_alone_where_they_are_near_each_other_by_the_database_alone(cast: Cast) -> None:
    # What somebody else told waits to be attested only past all code: there too a couple is not two persons.
    community, near = cast.community, cast.actors["near_proposer"]
    session, book_id = community.session, community.book.id
    proposed = community.propose(cast.actors["proposer"], cast.volunteer, "honour")
    row = dict(session.execute(select(Claim.__table__).where(Claim.book_id == book_id, Claim.id == proposed)).one()._mapping)
    told = new_id()
    session.execute(insert(Claim).values(row | {"id": told, "state": "reported"}))
    assert _tried(session, lambda: community.decide_bare(told, near.id, "attest")) == "refused"
    assert _tried(session, lambda: community.decide_bare(told, cast.actors["stranger"].id, "attest")) == "yes"


def _tried(session: Session, work: Callable[[], object]) -> str:
    """Return "yes", or "refused" where a trigger, a constraint or a missing right of the database says no."""
    try:
        with session.begin_nested():
            work()
    except DatabaseError:
        return "refused"
    finally:
        session.commit()
    return "yes"


def test_the_database_lets_no_claim_go_further_than_its_deciders_carry_it(cast: Cast) -> None:
    community = cast.community
    session, book_id = community.session, community.book.id
    proposer, approver, leader = cast.others

    def changed(claim_id: UUID, **columns: Any) -> str:
        return _tried(
            session, lambda: session.execute(update(Claim).where(Claim.book_id == book_id, Claim.id == claim_id).values(**columns))
        )

    proposed, reported = community.propose(proposer, cast.volunteer, "honour"), community.report(cast.volunteer, "honour")
    small = community.propose(proposer, cast.volunteer, "patrol")
    (entry,) = [community.claim(claim_id).entry_id for claim_id in community.credited(community.person(), "patrol")]
    done = {"state": "credited", "entry_id": entry, "approvals": 2, "approvals_needed": 2}
    notice = {"state": "on_notice", "notice_ends_at": community.at, "approvals": 1, "approvals_needed": 1}
    # Nobody approved it, or one where two are needed, whatever the counters are set to.
    assert changed(proposed, **done) == "refused"
    assert changed(small, **notice) == "refused"
    community.decide_bare(proposed, approver.id, "approve")
    community.decide_bare(small, approver.id, "approve")
    assert changed(proposed, **done) == "refused"
    assert changed(proposed, **notice) == "refused"
    assert changed(small, **notice) == "yes"
    community.decide_bare(proposed, leader.id, "approve")
    assert changed(proposed, **done) == "yes"
    # Attested by nobody, by the beneficiary's own, or by somebody who never said so.
    assert changed(reported, state="attested") == "refused"
    for relation in ("beneficiary", "household", "kin", "stranger"):
        assert changed(reported, state="attested", attester_id=cast.actors[relation].id) == "refused", relation
    community.decide_bare(reported, leader.id, "attest")
    assert changed(reported, state="attested", attester_id=leader.id) == "yes"
    assert changed(reported, attester_id=cast.actors["stranger"].id) == "refused"
    # What was told stays as it was told, and what is settled stays settled.
    told = {
        "points": 9000,
        "minutes": 5,
        "reporter_id": leader.id,
        "person_id": leader.id,
        "deed_on": TODAY.replace(day=1),
        "source": "activity",
    }
    for column, value in told.items():
        assert changed(reported, **{column: value}) == "refused", column
    assert changed(proposed, state="attested", entry_id=None) == "refused"
    assert changed(reported, state="credited", entry_id=new_id(), approvals=2, approvals_needed=2) == "refused"
    assert _tried(session, lambda: session.execute(delete(Claim).where(Claim.book_id == book_id, Claim.id == reported))) == "refused"


def test_the_database_takes_no_claim_that_begins_decided(cast: Cast) -> None:
    community, volunteer = cast.community, cast.volunteer
    session, book_id = community.session, community.book.id
    template = community.propose(cast.others[0], volunteer, "honour")
    row = dict(session.execute(select(Claim.__table__).where(Claim.book_id == book_id, Claim.id == template)).one()._mapping)
    session.commit()

    def begun(**columns: Any) -> str:
        return _tried(session, lambda: session.execute(insert(Claim).values(row | {"id": new_id()} | columns)))

    kin, stranger = cast.actors["kin"].id, cast.actors["stranger"].id
    assert begun() == "yes"
    assert begun(reporter_id=volunteer.id, state="reported") == "yes"
    assert begun(reporter_id=volunteer.id, attester_id=stranger) == "yes"
    assert begun(reporter_id=volunteer.id) == "refused"
    assert begun(reporter_id=volunteer.id, attester_id=volunteer.id) == "refused"
    assert begun(reporter_id=volunteer.id, attester_id=kin) == "refused"
    assert begun(reporter_id=kin, state="reported") == "refused"
    assert begun(state="on_notice", notice_ends_at=community.at, approvals=1) == "refused"


def test_a_couple_declared_after_the_first_approval_does_not_give_the_second(cast: Cast) -> None:
    community, (proposer, one, two) = cast.community, cast.others
    claim_id = community.propose(proposer, cast.volunteer, "honour")
    assert community.approve(one, claim_id) == "attested"
    community.tie(one, two, "household")
    assert community.approve(two, claim_id) == "kin-acted-before"
    assert community.approve(cast.actors["stranger"], claim_id) == "credited"


def test_told_anew_a_claim_may_be_decided_by_those_near_its_deciders_before(cast: Cast) -> None:
    community, (proposer, one, two) = cast.community, cast.others
    community.tie(one, two)
    claim_id = community.propose(proposer, cast.volunteer, "honour")
    assert community.approve(one, claim_id) == "attested"
    community.turn_down("return", one, claim_id)
    assert community.resubmit(proposer, claim_id, "honour") == "attested"
    assert community.approve(two, claim_id) == "attested"
    assert community.approve(one, claim_id) == "kin-acted-before"


def test_the_host_who_stood_for_an_activity_is_near_their_spouse_too(session: Session) -> None:
    community = a_community(session)
    host, spouse, volunteer, approver = (community.person("volunteer", "activity_host") for _ in range(4))
    community.tie(host, spouse, "household")
    activity = community.activity(host)
    community.check_in(activity, volunteer)
    community.at += timedelta(minutes=60)
    _, claim = community.check_out(activity, volunteer)
    assert community.approve(spouse, claim.id) == "kin-acted-before"
    assert community.approve(approver, claim.id) == "credited"


def test_the_word_of_whoever_became_kin_carries_no_approval(cast: Cast) -> None:
    community, (proposer, approver, other) = cast.community, cast.others
    proposed, reported = community.propose(proposer, cast.volunteer), community.report(cast.volunteer)
    community.attest(other, reported)
    for voucher in (proposer, other):
        community.tie(cast.volunteer, voucher)
    assert community.approve(approver, proposed, reported) == ["attested-by-own"] * 2
    assert community.turn_down("return", approver, proposed, reported) == ["returned", "returned"]
    assert community.resubmit(cast.volunteer, reported) == "reported"
    assert community.attest(cast.actors["stranger"], reported) == "attested"
    assert community.approve(approver, reported) == "attested"


def test_the_word_of_whoever_became_kin_carries_no_approval_by_the_database_alone(cast: Cast) -> None:
    community, (proposer, approver, other) = cast.community, cast.others
    session, book_id = community.session, community.book.id
    proposed, reported = community.propose(proposer, cast.volunteer), community.report(cast.volunteer)
    community.attest(other, reported)
    for claim_id, voucher in ((proposed, proposer), (reported, other)):
        community.tie(cast.volunteer, voucher)
        community.decide_bare(claim_id, approver.id, "approve")
        session.commit()
        this = (Claim.book_id == book_id, Claim.id == claim_id)
        values = {"state": "on_notice", "notice_ends_at": community.at, "approvals": 1}
        assert _tried(session, lambda this=this, values=values: session.execute(update(Claim).where(*this).values(**values))) == "refused"


def test_a_tie_declared_during_the_notice_holds_up_nobodys_points(cast: Cast) -> None:
    community, (proposer, _, _) = cast.community, cast.others
    ids = [community.propose(proposer, who, "rescue") for who in (cast.volunteer, cast.actors["stranger"])]
    for approver in (cast.others[1], cast.others[2]):
        community.approve(approver, *ids)
    community.tie(cast.volunteer, proposer)
    community.at += timedelta(days=7)
    assert community.credit_due() == dict.fromkeys(ids, "credited")


def returned(cast: Cast, owner: Person | UUID) -> UUID:
    """A claim that the first of the others proposed, and that came back."""
    proposer, approver, _ = cast.others
    claim_id = cast.community.propose(proposer, owner, "honour")
    assert cast.community.turn_down("return", approver, claim_id) == "returned"
    cast.community.session.commit()
    assert isinstance(claim_id, UUID)
    return claim_id


NOBODY, ELSEWHERE = Reach(), Reach(("320106/320106001/320106001004/",))


def test_whoever_may_no_longer_propose_tells_nothing_anew_for_others(cast: Cast) -> None:
    community, proposer = cast.community, cast.others[0]
    for owner in (cast.volunteer, cast.team):
        claim_id = returned(cast, owner)
        for reach in (NOBODY, ELSEWHERE, Reach(charges=frozenset([proposer.id]))):
            assert community.resubmit(proposer, claim_id, "honour", reach=reach) == "no-longer-in-reach"
        assert community.claim(claim_id).state == "returned"
        assert community.resubmit(proposer, claim_id, "honour") == "attested"
    charges = Reach(charges=frozenset([cast.volunteer.id]))
    assert community.resubmit(proposer, returned(cast, cast.volunteer), "honour", reach=charges) == "attested"


def test_ones_own_deed_is_told_anew_whatever_ones_roles(cast: Cast) -> None:
    community, approver = cast.community, cast.others[0]
    claim_id = community.report(cast.volunteer)
    community.turn_down("return", approver, claim_id)
    assert community.resubmit(cast.volunteer, claim_id, reach=NOBODY) == "reported"


def test_whoever_became_kin_or_a_member_proposes_nothing_anew(cast: Cast) -> None:
    community, proposer = cast.community, cast.others[0]
    own, teams = returned(cast, cast.volunteer), returned(cast, cast.team)
    community.tie(cast.volunteer, proposer, "household")
    assert community.resubmit(proposer, own, "honour") == "kin-or-household"
    community.tie(cast.actors["member"], proposer)
    assert community.resubmit(proposer, teams, "honour") == "kin-or-household"
    joined = {"book_id": community.book.id, "team_id": cast.team, "person_id": proposer.id, "starts_on": TODAY}
    community.session.execute(insert(TeamMember).values(joined))
    assert community.resubmit(proposer, teams, "honour") == "own-deed"


def test_a_dismissed_worker_proposes_nothing_anew_by_the_api_and_the_pages(cast: Cast, app: Flask, clock: HandClock) -> None:
    community, (proposer, _, _) = cast.community, cast.others
    session, claim_id = community.session, returned(cast, cast.volunteer)
    for role in ("building_leader", "grid_worker"):
        community.end_role(proposer, role)
    token = sign_in.issue_bearer(session, an_act(community.book), [proposer.id], lives=timedelta(days=2))[0]
    session.commit()
    clock.advance(days=1)
    told = {"deed": "honour", "deed_on": TODAY.isoformat(), "place": "礼堂"}
    refused = asking(app.test_client(), token)(f"/claims/{claim_id}/resubmit", told)
    assert (refused.status_code, refused.get_json()["type"].rpartition("/")[2]) == (403, "no-longer-in-reach")
    browser = signed_in(app, session, community.book, proposer, clock.now())
    browser.open(f"/me/claims/{claim_id}")
    assert PROBLEMS["no-longer-in-reach"].zh in browser.send("再提交", place="礼堂").text
    assert browser.open(f"/proposals/{claim_id}").status == 403
    assert community.claim(claim_id).state == "returned"


def test_kin_declared_after_an_approval_do_not_give_the_second(cast: Cast) -> None:
    community, (proposer, one, two) = cast.community, cast.others
    claim_id = community.propose(proposer, cast.volunteer, "honour")
    assert community.approve(one, claim_id) == "attested"
    community.tie(cast.volunteer, two)
    assert community.approve(two, claim_id) == "kin-or-household"
    assert community.approve(cast.actors["stranger"], claim_id) == "credited"
