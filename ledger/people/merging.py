"""Two records of one person made one: one of the staff proposes which is kept, another confirms, and neither has to do with it."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import actions
from ledger.people import queries
from ledger.people.model import Charge
from ledger.people.model import Grant
from ledger.people.model import Mandate
from ledger.people.model import Merge
from ledger.people.model import Person
from ledger.people.model import TeamLeader
from ledger.people.model import TeamMember
from ledger.people.model import Tie
from ledger.people.queries import PowersOf
from ledger.people.rules import PLAIN_ROLES
from ledger.people.rules import ROLES
from ledger.store import insert_rows


def propose_merge(
    session: Session, act: Act, *, kept_id: UUID, gone_id: UUID, within: Scope = areas.EVERYWHERE,
    as_administrator: Scope = areas.EVERYWHERE, powers_of: PowersOf = queries.powers_of,
) -> Merge | Refusal:  # fmt: skip
    """Propose that the record `gone_id` is the same person as `kept_id`; both live within `within`, and another of the staff decides."""
    if kept_id == gone_id:
        raise Invalid("merge-with-itself", "gone_id")
    if refusal := _against(session, act, kept_id, gone_id, within, as_administrator, powers_of):
        return refusal
    if _waiting_for(session, act.book_id, {kept_id, gone_id}):
        return Refusal("merge-proposed-already", "gone_id")
    merge = Merge(
        book_id=act.book_id, id=new_id(), kept_id=kept_id, gone_id=gone_id, state="proposed", proposed_by=act.actor, proposed_at=act.at,
        decided_by=None, decided_at=None,
    )  # fmt: skip
    session.add(merge)
    session.flush()
    return merge


def _against(
    session: Session, act: Act, kept_id: UUID, gone_id: UUID, within: Scope, as_administrator: Scope, powers_of: PowersOf
) -> Refusal | None:  # fmt: skip
    both = lock_both(session, act.book_id, kept_id, gone_id)
    scope = as_administrator if _works_here(session, act, set(both), powers_of) else within
    if queries.within(session, act.book_id, both, scope) != set(both):
        # Whoever is no administrator may know of a colleague's record, and still not merge it.
        if queries.within(session, act.book_id, both, within) == set(both):
            return Refusal("merge-of-staff", "gone_id")
        raise NotFound("person_id")
    tied = queries.tied(session, act.book_id, both)
    if act.actor in both or any(act.actor in others for others in tied.values()):
        return Refusal("merge-of-ones-own", "gone_id")
    if any(person.status != "active" for person in both.values()):
        return Refusal("merge-of-one-who-left", "gone_id")
    return None


def lock_both(session: Session, book_id: UUID, kept_id: UUID, gone_id: UUID) -> dict[UUID, Person]:
    """Return both persons under their locks, taken in the order of their ids; raise NotFound where one is not of the book."""
    wanted = select(Person).where(Person.book_id == book_id, Person.id.in_([kept_id, gone_id])).order_by(Person.id)
    found = session.execute(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).scalars().all()
    if len(found) < 2:
        raise NotFound("person_id")
    return {person.id: person for person in found}


def _works_here(session: Session, act: Act, ids: Collection[UUID], powers_of: PowersOf) -> bool:
    today = _today(session, act)
    if any(power.role not in PLAIN_ROLES for person_id in ids for power in powers_of(session, act.book_id, person_id, today)):
        return True
    wanted = select(Grant.id).where(
        Grant.book_id == act.book_id,
        Grant.person_id.in_(ids),
        Grant.role.in_(set(ROLES) - PLAIN_ROLES),
        or_(Grant.ends_on.is_(None), Grant.ends_on >= today),
    )
    return session.execute(wanted.limit(1)).scalar_one_or_none() is not None


def _today(session: Session, act: Act) -> date:
    return local_day(act.at, areas.book(session, act.book_id).zone)


def _waiting_for(session: Session, book_id: UUID, ids: Collection[UUID]) -> bool:
    concerned = or_(Merge.kept_id.in_(ids), Merge.gone_id.in_(ids))
    wanted = select(Merge.id).where(Merge.book_id == book_id, Merge.state == "proposed", concerned)
    return session.execute(wanted.limit(1)).scalar_one_or_none() is not None


def merges(session: Session, book_id: UUID, scope: Scope, *, after: UUID | None = None, limit: int = 50) -> Sequence[Merge]:
    """Return the merges of persons of the areas within `scope`, the newest first, from before the merge `after`."""
    near = select(Person.id).where(Person.book_id == book_id, areas.covered(book_id, Person.area_code, scope))
    wanted = select(Merge).where(Merge.book_id == book_id, Merge.kept_id.in_(near), Merge.gone_id.in_(near))
    if after:
        wanted = wanted.where(Merge.id < after)
    return session.execute(wanted.order_by(Merge.id.desc()).limit(limit)).scalars().all()


def merge_proposed(session: Session, book_id: UUID, kept_id: UUID, gone_id: UUID) -> Merge | None:
    """Return the merge of these two that waits to be decided, if there is one."""
    wanted = select(Merge).where(Merge.book_id == book_id, Merge.kept_id == kept_id, Merge.gone_id == gone_id, Merge.state == "proposed")
    return session.execute(wanted).scalar_one_or_none()


def merge_to_decide(
    session: Session, act: Act, merge_id: UUID, *, within: Scope = areas.EVERYWHERE, as_administrator: Scope = areas.EVERYWHERE,
    powers_of: PowersOf = queries.powers_of,
) -> Merge | Refusal:  # fmt: skip
    """Return a proposed merge under its lock, for whoever may decide on it: not its proposer, nor one of theirs."""
    wanted = select(Merge).where(Merge.book_id == act.book_id, Merge.id == merge_id)
    merge = session.execute(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).scalar_one_or_none()
    if merge is None:
        raise NotFound("merge_id")
    if refusal := _against(session, act, merge.kept_id, merge.gone_id, within, as_administrator, powers_of):
        return refusal if merge.state == "proposed" else Refusal("merge-decided-already", "merge_id")
    if merge.state != "proposed":
        return Refusal("merge-decided-already", "merge_id")
    if act.actor == merge.proposed_by or act.actor in queries.tied(session, act.book_id, [merge.proposed_by])[merge.proposed_by]:
        return Refusal("merge-takes-two", "merge_id")
    return merge


def refuse_merge(
    session: Session, act: Act, merge_id: UUID, *, within: Scope = areas.EVERYWHERE, as_administrator: Scope = areas.EVERYWHERE,
    powers_of: PowersOf = queries.powers_of,
) -> Merge | Refusal:  # fmt: skip
    """Decide that two records are of two people."""
    merge = merge_to_decide(session, act, merge_id, within=within, as_administrator=as_administrator, powers_of=powers_of)
    if not isinstance(merge, Refusal):
        _decided(session, act, merge, "refused")
    return merge


def take_over(session: Session, act: Act, merge: Merge) -> None:
    """Let the kept record have what the gone one was to others, and end what the gone one could do; a part of confirming a merge.

    Ties and mandates stay with the gone record too: who was not to decide on its deeds still is not.
    """
    kept_id, gone_id = merge.kept_id, merge.gone_id
    book_id, today = act.book_id, _today(session, act)
    _take_ties(session, act, kept_id, gone_id)
    _take_mandates(session, act, kept_id, gone_id)
    _take_teams(session, act, kept_id, gone_id, today)
    _take_charges(session, book_id, kept_id, gone_id)
    actions.end_standing(session, act, gone_id)
    _decided(session, act, merge, "done")


def _decided(session: Session, act: Act, merge: Merge, state: str) -> None:
    merge.state, merge.decided_by, merge.decided_at = state, act.actor, act.at
    session.flush()


def _take_ties(session: Session, act: Act, kept_id: UUID, gone_id: UUID) -> None:
    rows = session.execute(select(Tie).where(Tie.book_id == act.book_id, Tie.person_id.in_([kept_id, gone_id]))).scalars().all()
    wanted = {(kept_id, gone_id, "same"), *((kept_id, tie.other_id, tie.kind) for tie in rows if tie.person_id == gone_id)}
    there = {(tie.person_id, tie.other_id, tie.kind) for tie in rows}
    missing = [
        {"person_id": one, "other_id": other, "kind": kind, "declared_by": act.actor, "declared_at": act.at}
        for person_id, other_id, kind in sorted(wanted - there)
        if other_id != kept_id
        for one, other in ((person_id, other_id), (other_id, person_id))
    ]
    _insert(session, act.book_id, Tie, missing)


def _take_mandates(session: Session, act: Act, kept_id: UUID, gone_id: UUID) -> None:
    columns = ("kind", "points_per_day_max", "starts_on", "ends_on", "granted_at", "agreed_at", "ended_by", "ended_at")
    rows = []
    for mandate in (*queries.mandates(session, act.book_id, person_id=gone_id), *queries.mandates(session, act.book_id, helper_id=gone_id)):
        two = {"person_id": mandate.person_id, "helper_id": mandate.helper_id}
        two = {column: kept_id if who == gone_id else who for column, who in two.items()}
        granted_by = act.actor if mandate.granted_by == two["helper_id"] else mandate.granted_by
        if two["person_id"] != two["helper_id"]:
            same = {column: getattr(mandate, column) for column in columns}
            rows.append({"id": new_id(), "granted_by": granted_by, **two, **same})
    _insert(session, act.book_id, Mandate, rows)
    open_ = (Mandate.book_id == act.book_id, or_(Mandate.person_id == gone_id, Mandate.helper_id == gone_id), Mandate.ended_at.is_(None))
    session.execute(update(Mandate).where(*open_).values(ended_by=act.actor, ended_at=act.at))


def _take_teams(session: Session, act: Act, kept_id: UUID, gone_id: UUID, today: date) -> None:
    two = (TeamMember.book_id == act.book_id, TeamMember.person_id.in_([kept_id, gone_id]))
    members = session.execute(select(TeamMember).where(*two)).scalars().all()
    kept = {member.team_id: member for member in members if member.person_id == kept_id}
    gone = [member for member in members if member.person_id == gone_id and (member.ends_on is None or member.ends_on >= today)]
    for member in gone:
        if there := kept.get(member.team_id):
            there.starts_on, there.ends_on = min(there.starts_on, member.starts_on), member.ends_on
    spans = [{"team_id": one.team_id, "person_id": kept_id, "starts_on": one.starts_on, "ends_on": one.ends_on} for one in gone]
    _insert(session, act.book_id, TeamMember, [span for span in spans if span["team_id"] not in kept])
    lead = (TeamLeader.book_id == act.book_id, TeamLeader.person_id == gone_id)
    leads = session.execute(select(TeamLeader).where(*lead, or_(TeamLeader.ends_on.is_(None), TeamLeader.ends_on >= today))).scalars()
    # Who leads a team is named by staff: the kept record is, where it is to lead on.
    for row in (*gone, *leads):
        row.ends_on = max(today, row.starts_on)
    session.flush()


def _take_charges(session: Session, book_id: UUID, kept_id: UUID, gone_id: UUID) -> None:
    rows = session.execute(select(Charge).where(Charge.book_id == book_id, Charge.person_id.in_([kept_id, gone_id]))).scalars().all()
    there = {charge.leader_id for charge in rows if charge.person_id == kept_id}
    leaders = {charge.leader_id for charge in rows if charge.person_id == gone_id} - there - {kept_id}
    _insert(session, book_id, Charge, [{"leader_id": leader_id, "person_id": kept_id} for leader_id in sorted(leaders)])
    # Whom the gone record looked after is given to the kept one by staff, once it is a building leader.
    ended = or_(Charge.person_id == gone_id, Charge.leader_id == gone_id)
    session.execute(delete(Charge).where(Charge.book_id == book_id, ended))


def _insert(session: Session, book_id: UUID, model: Any, rows: list[dict[str, Any]]) -> None:
    insert_rows(session, model, [{"book_id": book_id, **row} for row in rows])


def merged_into(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return for each of `ids` that is gone the record that was kept of the same person."""
    wanted = select(Merge.gone_id, Merge.kept_id).where(Merge.book_id == book_id, Merge.state == "done", Merge.gone_id.in_(ids))
    return {gone_id: kept_id for gone_id, kept_id in session.execute(wanted)}
