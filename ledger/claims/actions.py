"""What is done with claims: report, propose, attest, approve, return, refuse, resubmit, withdraw, credit.

Whoever acts on a set holds the locks of its claims, in the order of their ids, and gets one outcome for each.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy.orm import Session

from ledger import activities
from ledger import areas
from ledger import people
from ledger import tariff
from ledger.act import Act
from ledger.claims import awarding
from ledger.claims import photos
from ledger.claims import queries
from ledger.claims.awarding import Moved
from ledger.claims.filing import Filing
from ledger.claims.filing import NewDeed
from ledger.claims.filing import file_claims
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.claims.queries import Reach
from ledger.claims.rules import REASONS
from ledger.claims.rules import STARTS
from ledger.claims.rules import conflict
from ledger.claims.rules import note_field
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import Vault
from ledger.store import insert_rows

Outcome = Moved | Refusal

#: What of a claim changes when it is told anew.
_TOLD_ANEW = ("rate_id", "deed_on", "starts_at", "minutes", "points", "reported_at")


def report(session: Session, act: Act, vault: Vault, deed: NewDeed) -> Claim | Refusal:
    """Report one's own deed; it earns once somebody else has attested and approved it."""
    own = replace(deed, person_id=act.subject, team_id=None)
    return file_claims(session, act, vault, [Filing(own, "volunteer", "reported")])[0]


def report_for_team(session: Session, act: Act, vault: Vault, deed: NewDeed) -> Claim | Refusal:
    """Report a deed of a team that one leads, and so belongs to: it wants somebody else's word, as one's own deed does."""
    if not _leads(session, act, deed.team_id):
        raise NotFound("team_id")
    return file_claims(session, act, vault, [Filing(replace(deed, person_id=None), "volunteer", "reported")])[0]


def _leads(session: Session, act: Act, team_id: UUID | None) -> bool:
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    return team_id in {team.id for team in people.teams_led_by(session, act.book_id, act.actor, today)}


def propose(session: Session, act: Act, vault: Vault, reach: Reach, source: str, deeds: Sequence[NewDeed]) -> list[Claim | Refusal]:
    """Propose deeds of others within reach; the proposer's own word is their attestation. One outcome for each, in order."""
    owners = {deed.person_id for deed in deeds if deed.person_id}
    teams = people.teams_by_id(session, act.book_id, {deed.team_id for deed in deeds if deed.team_id})
    if not _is_within(session, act, reach, owners, teams):
        raise NotFound("person_id")
    against = against_proposing(session, act, deeds)
    filings = [Filing(deed, source, "attested") for deed, why in zip(deeds, against, strict=True) if why is None]
    filed = iter(file_claims(session, act, vault, filings) if filings else [])
    return [next(filed) if why is None else Refusal(why, "person_id") for why in against]


def against_proposing(session: Session, act: Act, deeds: Sequence[NewDeed]) -> list[str | None]:
    """Return for each deed why whoever acts may not propose it: their own, or that of their kin or household; or None."""
    tied = people.tied(session, act.book_id, [act.actor])[act.actor]
    members = people.members_since(session, act.book_id, {(deed.team_id, deed.deed_on) for deed in deeds if deed.team_id})
    gets = [members[deed.team_id, deed.deed_on] if deed.team_id else {deed.person_id} for deed in deeds]
    return ["own-deed" if act.actor in some else "kin-or-household" if some & tied else None for some in gets]


def _is_within(session: Session, act: Act, reach: Reach, owners: Collection[UUID], teams: Mapping[UUID, people.Team]) -> bool:
    persons = people.persons(session, act.book_id, set(owners) - reach.charges)
    codes = {person.area_code for person in persons.values()} | {team.area_code for team in teams.values()}
    paths = areas.paths_of(session, act.book_id, codes)
    return len(persons) == len(set(owners) - reach.charges) and all(areas.in_scope(paths[code], reach.scope) for code in codes)


@dataclass(frozen=True)
class _Case:
    """A claim under its lock, with everything its rules ask for."""

    claim: Claim
    category: str
    deed: str
    beneficiaries: frozenset[UUID]
    decisions: list[Decision]
    #: The kin and household of everybody in it.
    ties: Mapping[UUID, set[UUID]]

    @property
    def approvers(self) -> set[UUID]:
        """Return who approved it since it was last told anew."""
        return queries.approvers(self.decisions)

    @property
    def tied(self) -> set[UUID]:
        """Return the kin and household of whoever gets the points."""
        return self._theirs(self.beneficiaries)

    def _theirs(self, persons: Iterable[UUID]) -> set[UUID]:
        return {other for person_id in persons for other in self.ties[person_id]}

    def conflict(self, actor: UUID) -> str | None:
        """Return why `actor` may not attest or decide."""
        acted = self.approvers | _vouched(self.claim)
        return conflict(actor, beneficiaries=self.beneficiaries, tied=self.tied, acted=acted, tied_to_acted=self._theirs(acted))

    @property
    def is_attested_by_own(self) -> bool:
        """Tell whether whoever vouched for it has become one of those it concerns, as where a tie was declared since."""
        return (self.claim.attester_id or self.claim.reporter_id) in self.beneficiaries | self.tied


def _vouched(claim: Claim) -> set[UUID]:
    return {claim.reporter_id, claim.attester_id or claim.reporter_id}


def _cases(session: Session, act: Act, ids: Collection[UUID], allowed: Any) -> dict[UUID, _Case]:
    wanted = select(Claim).where(Claim.book_id == act.book_id, Claim.id.in_(ids), allowed).order_by(Claim.id)
    locked = session.execute(
        wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    ).scalars().all()  # fmt: skip
    # Everything below is read after the locks.
    gets = queries.beneficiaries_of(session, act.book_id, locked)
    rates = tariff.rates_by_id(session, act.book_id, {claim.rate_id for claim in locked})
    decisions = queries.decisions_of(session, act.book_id, [claim.id for claim in locked])
    asked = {person_id for claim in locked for person_id in gets[claim.id] | _vouched(claim) | queries.approvers(decisions[claim.id])}
    ties = people.tied(session, act.book_id, asked)
    return {
        claim.id: _Case(
            claim,
            rates[claim.rate_id].category,
            rates[claim.rate_id].deed,
            gets[claim.id],
            decisions[claim.id],
            ties,
        )
        for claim in locked
    }


def _each(
    cases: Mapping[UUID, _Case], ids: Sequence[UUID], step: str, actor: UUID, *, checks_conflict: bool = True
) -> dict[UUID, Refusal | None]:  # fmt: skip
    """Return for each id why the step cannot be taken, or None."""
    why: dict[UUID, Refusal | None] = {}
    for claim_id in ids:
        case = cases.get(claim_id)
        if case is None:
            why[claim_id] = Refusal("not-found", "claim_id")
        elif case.claim.state not in STARTS[step]:
            why[claim_id] = Refusal("claim-not-in-state", "claim_id", {"state": case.claim.state})
        elif checks_conflict and (found := case.conflict(actor)):
            why[claim_id] = Refusal(found, "claim_id")
        elif step == "approve" and case.is_attested_by_own:
            why[claim_id] = Refusal("attested-by-own", "claim_id")
        else:
            why[claim_id] = None
    return why


def _decide(session: Session, act: Act, cases: Sequence[_Case], step: str, reason: str | None = None) -> None:
    rows = [
        {
            "book_id": act.book_id, "claim_id": case.claim.id, "number": len(case.decisions) + 1, "act": step, "actor": act.actor,
            "decided_at": act.at, "reason": reason,
        }
        for case in cases
    ]  # fmt: skip
    insert_rows(session, Decision, rows)


def attest(session: Session, act: Act, reach: Reach, ids: Sequence[UUID]) -> list[Outcome]:
    """Bear witness that reported deeds were done; one outcome for each, in order."""
    cases = _cases(session, act, ids, reach.covers(act.book_id))
    why = _each(cases, ids, "attest", act.actor)
    taken = [cases[claim_id] for claim_id in cases if why[claim_id] is None]
    _decide(session, act, taken, "attest")
    moved = awarding.write(session, act, {case.claim.id: {"state": "attested", "attester_id": act.actor} for case in taken})
    return _in_order(ids, why, moved)


def approve(session: Session, act: Act, scope: areas.Scope, ids: Sequence[UUID]) -> list[Outcome]:
    """Approve attested deeds, one or hundreds; those with all their approvals are credited in one post. One outcome for each."""
    cases = _cases(session, act, ids, Reach(scope).covers(act.book_id))
    why = _each(cases, ids, "approve", act.actor)
    taken = [cases[claim_id] for claim_id in cases if why[claim_id] is None]
    needed = _approvals_needed(session, act, taken)
    _decide(session, act, taken, "approve")
    counted = {case.claim.id: len(case.approvers) + 1 for case in taken}
    ready = [case.claim for case in taken if counted[case.claim.id] >= needed[case.claim.id]]
    awarding.record_hours(session, act, ready)
    values = {case.claim.id: {"state": "attested"} for case in taken} | awarding.award(session, act, ready)
    for claim_id, columns in values.items():
        columns |= {"approvals": counted[claim_id], "approvals_needed": needed[claim_id]}
    return _in_order(ids, why, awarding.write(session, act, values))


def _approvals_needed(session: Session, act: Act, cases: Sequence[_Case]) -> dict[UUID, int]:
    book = areas.book(session, act.book_id)
    risks = [queries.Risk(case.claim, case.category, case.beneficiaries) for case in cases]
    why = queries.why_two(session, book, risks, local_day(act.at, book.zone))
    return {claim_id: 2 if reasons else 1 for claim_id, reasons in why.items()}


def _in_order(ids: Sequence[UUID], why: Mapping[UUID, Refusal | None], moved: Sequence[Moved]) -> list[Outcome]:
    done = {outcome.id: outcome for outcome in moved}
    return [why[claim_id] or done[claim_id] for claim_id in ids]


def return_(
    session: Session, act: Act, vault: Vault, reach: Reach, ids: Sequence[UUID], *, reason: str, note: str = ""
) -> list[Outcome]:  # fmt: skip
    """Send claims back to whoever reported them, with a reason they read and a note under seal; they can be told anew."""
    return _turn_down(session, act, vault, reach, ids, "return", "returned", reason, note)


def refuse(
    session: Session, act: Act, vault: Vault, reach: Reach, ids: Sequence[UUID], *, reason: str, note: str = ""
) -> list[Outcome]:  # fmt: skip
    """Refuse claims for good, with a reason the volunteer reads and a note under seal."""
    return _turn_down(session, act, vault, reach, ids, "refuse", "refused", reason, note)


def _turn_down(
    session: Session, act: Act, vault: Vault, reach: Reach, ids: Sequence[UUID], step: str, state: str, reason: str, note: str
) -> list[Outcome]:  # fmt: skip
    if reason not in REASONS:
        raise Invalid("choice-malformed", "reason")
    if reason == "other" and not note.strip():
        raise Invalid("note-missing", "note")
    cases = _cases(session, act, ids, reach.covers(act.book_id))
    # Whoever attested or approved may think better of it; the beneficiary and theirs may not decide either way.
    why = _each(cases, ids, step, act.actor, checks_conflict=False)
    for claim_id, case in cases.items():
        found = conflict(act.actor, beneficiaries=case.beneficiaries, tied=case.tied)
        why[claim_id] = why[claim_id] or (Refusal(found, "claim_id") if found else None)
    taken = [cases[claim_id] for claim_id in cases if why[claim_id] is None]
    _decide(session, act, taken, step, reason)
    if note:
        told = [
            (case.claim.person_id or case.claim.reporter_id, note_field(case.claim.id, len(case.decisions) + 1), note) for case in taken
        ]
        people.seal_texts(session, vault, act.book_id, told)
    return _in_order(ids, why, awarding.write(session, act, {case.claim.id: {"state": state} for case in taken}))


def resubmit(session: Session, act: Act, vault: Vault, reach: Reach, claim_id: UUID, deed: NewDeed) -> Outcome:
    """Tell a returned claim that one reported anew; it goes through attestation and approval from the start.

    A deed of somebody else is proposed again with that, which takes whatever it takes to propose it today: see `propose` for `reach`.
    """
    allowed = Claim.reporter_id == act.subject
    cases = _cases(session, act, [claim_id], and_(allowed, Claim.person_id == act.acted_for) if act.acted_for else allowed)
    if claim_id not in cases:
        raise NotFound("claim_id")
    case = cases[claim_id]
    if refusal := _each(cases, [claim_id], "resubmit", act.actor, checks_conflict=False)[claim_id]:
        return refusal
    claim = case.claim
    place = queries.told_of(session, vault, act.book_id, [claim])[claim_id].place
    told = _again(claim, deed, case.deed, place)
    # One's own word does not attest one's own deed, nor that of a team one belongs to.
    state = "reported" if claim.person_id == act.subject or claim.source == "volunteer" else "attested"
    if state == "reported" and claim.team_id and not _leads(session, act, claim.team_id):
        return Refusal("no-longer-in-reach", "claim_id")
    if state == "attested" and (refusal := _against_proposing_again(session, act, reach, told)):
        return refusal
    has_photo = bool(photos.photos_of(session, act.book_id, [claim_id])[claim_id])
    again = Filing(told, claim.source, state, claim.area_code, activity_id=claim.activity_id, has_photo=has_photo)
    (filed,) = file_claims(session, act, vault, [again], claim_id=claim_id)
    if isinstance(filed, Refusal):
        return filed
    _decide(session, act, [case], "resubmit")
    values = {column: getattr(filed, column) for column in _TOLD_ANEW} | {"state": state, "attester_id": None, "approvals": 0}
    return awarding.write(session, act, {claim_id: values})[0]


def _against_proposing_again(session: Session, act: Act, reach: Reach, deed: NewDeed) -> Refusal | None:
    persons = {deed.person_id} if deed.person_id else set()
    teams = people.teams_by_id(session, act.book_id, {deed.team_id} if deed.team_id else set())
    if not _is_within(session, act, reach, persons, teams):
        return Refusal("no-longer-in-reach", "claim_id")
    (code,) = against_proposing(session, act, [deed])
    return Refusal(code, "claim_id") if code else None


def _again(claim: Claim, deed: NewDeed, code: str, place: str) -> NewDeed:
    if claim.activity_id is None:
        return replace(deed, person_id=claim.person_id, team_id=claim.team_id)
    # What check-in and check-out say is not told anew, only the words beside it.
    return NewDeed(code, claim.deed_on, place, claim.minutes, claim.starts_at, deed.text, claim.person_id, photos=deed.photos)


def withdraw(session: Session, act: Act, claim_id: UUID) -> Outcome:
    """Take back a claim that one reported, or that is one's own, before it is decided; on somebody's behalf only what is theirs."""
    allowed = Claim.person_id == act.subject
    cases = _cases(session, act, [claim_id], allowed if act.acted_for else or_(Claim.reporter_id == act.actor, allowed))
    if claim_id not in cases:
        raise NotFound("claim_id")
    if refusal := _each(cases, [claim_id], "withdraw", act.actor, checks_conflict=False)[claim_id]:
        return refusal
    _decide(session, act, [cases[claim_id]], "withdraw")
    return awarding.write(session, act, {claim_id: {"state": "withdrawn"}})[0]


def withdraw_all(session: Session, act: Act, person_id: UUID) -> None:
    """Take back every claim of somebody who leaves that nobody has decided."""
    own = and_(Claim.person_id == person_id, Claim.state.in_(STARTS["withdraw"]))
    ids = session.execute(select(Claim.id).where(Claim.book_id == act.book_id, own)).scalars().all()
    cases = _cases(session, act, ids, own)
    _decide(session, act, list(cases.values()), "withdraw")
    awarding.write(session, act, {claim_id: {"state": "withdrawn"} for claim_id in cases})


def credit_due(session: Session, act: Act, *, limit: int = 1000) -> list[Moved]:
    """Credit what has stood on notice long enough, and what waited for funds that have come, the oldest first."""
    payable = awarding.payable(session, act)
    wanted = select(Claim.id).where(
        Claim.book_id == act.book_id,
        or_(and_(Claim.state == "awaiting_funds", payable), and_(Claim.state == "on_notice", Claim.notice_ends_at <= act.at)),
    )
    ids = session.execute(wanted.order_by(Claim.reported_at, Claim.id).limit(limit)).scalars().all()
    cases = _cases(session, act, ids, Claim.state.in_(STARTS["credit"]))
    due = sorted((case.claim for case in cases.values()), key=lambda claim: (claim.reported_at, claim.id))
    values = awarding.award(session, act, due, after_notice=True)
    changed = {claim.id: values[claim.id] for claim in due if values[claim.id]["state"] != claim.state}
    _decide(session, act, [cases[claim_id] for claim_id, columns in changed.items() if columns["state"] == "credited"], "credit")
    return awarding.write(session, act, changed)


def check_out(
    session: Session, act: Act, vault: Vault, person_ids: Sequence[UUID], *, activity_id: UUID, by: str
) -> list[tuple[activities.Attendance, Claim | None] | Refusal]:  # fmt: skip
    """Check persons out of an activity: their hours are recorded, and what they earn is claimed and attested, in one transaction.

    The host stands for who was there, whoever drew the code, and so does not approve it; for oneself, for kin and household nobody
    stands: what they earn waits for somebody else's attestation.
    """
    outcomes = activities.check_out(session, act, person_ids, activity_id=activity_id, by=by)
    stayed = [outcome for outcome in outcomes if isinstance(outcome, activities.Attendance) and outcome.minutes]
    if not stayed:
        return [outcome if isinstance(outcome, Refusal) else (outcome, None) for outcome in outcomes]
    activity = activities.activity(session, act.book_id, activity_id)
    day = local_day(activity.starts_at, areas.book(session, act.book_id).zone)
    unseen = {activity.host_id} | people.tied(session, act.book_id, [activity.host_id])[activity.host_id]
    filings = []
    for attendance in stayed:
        person_id, began = attendance.person_id, max(attendance.in_at, activity.starts_at)
        deed = NewDeed(activity.deed, day, activity.place, attendance.minutes, began, person_id=person_id)
        state, attester = ("reported", None) if person_id in unseen else ("attested", activity.host_id)
        filings.append(Filing(deed, "activity", state, activity.area_code, person_id, attester, activity_id))
    filed = _filed_or_told_anew(session, act, vault, filings, _claimed(session, act, activity_id, [one.person_id for one in stayed]))
    answers: list[tuple[activities.Attendance, Claim | None] | Refusal] = []
    for outcome in outcomes:
        claim = None if isinstance(outcome, Refusal) else filed.get(outcome.person_id)
        answers.append(outcome if isinstance(outcome, Refusal) else (outcome, claim if isinstance(claim, Claim) else None))
    return answers


def _filed_or_told_anew(
    session: Session, act: Act, vault: Vault, filings: Sequence[Filing], claim_ids: Sequence[UUID]
) -> dict[UUID, Claim | Refusal]:  # fmt: skip
    """Claim what was earned by staying; of a check-out that was taken back, the claim that was returned is told anew."""
    before = {case.claim.person_id: case for case in _cases(session, act, claim_ids, true()).values()} if claim_ids else {}
    new = [filing for filing in filings if filing.deed.person_id not in before]
    outcomes = dict(zip([filing.deed.owner for filing in new], file_claims(session, act, vault, new), strict=True)) if new else {}
    values: dict[UUID, dict[str, Any]] = {}
    for filing in filings:
        case = before.get(filing.deed.person_id)
        if case is None or case.claim.state not in STARTS["resubmit"]:
            continue
        claim_id = case.claim.id
        (again,) = file_claims(session, act, vault, [filing], claim_id=claim_id)
        outcomes[filing.deed.owner] = again
        if isinstance(again, Claim):
            _decide(session, act, [case], "resubmit")
            values[claim_id] = {column: getattr(again, column) for column in _TOLD_ANEW} | {"state": filing.state}
    awarding.write(session, act, values)
    return outcomes


def reopen(session: Session, act: Act, person_ids: Sequence[UUID], *, activity_id: UUID) -> list[activities.Attendance | Refusal]:
    """Take check-outs back, as the host, and return what was claimed of them until the next check-out tells it anew.

    What is decided already stays, and so does what was claimed for kin and household of the host. One outcome for each, in order.
    """
    cases: dict[UUID, _Case] = {}

    def kept() -> dict[UUID, Refusal]:
        found = _cases(session, act, _claimed(session, act, activity_id, person_ids), true())
        cases.update({case.claim.person_id: case for case in found.values() if case.claim.person_id})
        why = {}
        for person_id, case in cases.items():
            if case.claim.state not in STARTS["return"] or case.approvers:
                why[person_id] = Refusal("check-out-decided", "person_id")
            elif code := conflict(act.actor, beneficiaries=case.beneficiaries, tied=case.tied):
                why[person_id] = Refusal(code, "person_id")
        return why

    outcomes = activities.reopen(session, act, person_ids, activity_id=activity_id, kept=kept)
    back = {outcome.person_id for outcome in outcomes if isinstance(outcome, activities.Attendance)}
    returned = [case for person_id, case in cases.items() if person_id in back and case.claim.state in STARTS["return"]]
    _decide(session, act, returned, "return", "wrong-time")
    awarding.write(session, act, {case.claim.id: {"state": "returned"} for case in returned})
    return outcomes


def _claimed(session: Session, act: Act, activity_id: UUID, person_ids: Collection[UUID]) -> Sequence[UUID]:
    """Return the claims of these persons that came of an activity."""
    wanted = select(Claim.id).where(Claim.book_id == act.book_id, Claim.activity_id == activity_id, Claim.person_id.in_(person_ids))
    return session.execute(wanted).scalars().all()
