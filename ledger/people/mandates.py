"""Who acts for whom: a helper for an elder, a guardian for a child; agreed to, for a time and an amount a day, and ended at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.areas import Scope
from ledger.clock import local_day
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import actions
from ledger.people import queries
from ledger.people.model import Mandate
from ledger.people.model import Person
from ledger.people.rules import MANDATE_KINDS
from ledger.people.rules import MANDATE_LASTS_MAX
from ledger.people.rules import MANDATE_POINTS_MAX
from ledger.people.vault import Vault
from ledger.points import POINTS_MAX


@dataclass(frozen=True)
class NewMandate:
    """A mandate to be given: who is to act for whom, from which day to which (both included)."""

    person_id: UUID
    helper_id: UUID
    kind: str
    starts_on: date
    #: Of a guardian, until the child grows out of it unless told otherwise.
    ends_on: date | None = None
    #: 0: nothing is spent for the person.
    points_per_day_max: int = 0


def give_mandate(
    session: Session, act: Act, vault: Vault, new: NewMandate, *, within: Scope = areas.EVERYWHERE
) -> Mandate | Refusal:  # fmt: skip
    """Let somebody act for a person of an area within `within`, or for oneself, as soon as they agree (see `agree_mandate`).

    Of whoever decides for others, only an administrator of where they live lets one be a helper; a guardian acts for a child only.
    """
    if new.kind not in MANDATE_KINDS:
        raise Invalid("choice-malformed", "kind")
    most = POINTS_MAX if new.kind == "guardian" else MANDATE_POINTS_MAX
    if not 0 <= new.points_per_day_max <= most:
        raise Invalid("number-out-of-range", "points_per_day_max", least=0, most=most)
    if new.person_id == new.helper_id:
        raise Invalid("mandate-of-oneself", "helper_id")
    is_own = new.person_id == act.actor
    person = queries.person(session, act.book_id, new.person_id, areas.EVERYWHERE if is_own else within)
    # Two at once for one person are given one after the other.
    session.execute(select(Person.id).where(Person.book_id == act.book_id, Person.id == new.person_id).with_for_update(key_share=True))
    helper = queries.persons(session, act.book_id, [new.helper_id]).get(new.helper_id)
    if helper is None or helper.status != "active":
        raise NotFound("helper_id")
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    if code := _against(session, act, vault, new, person, is_own=is_own, today=today):
        return Refusal(code, "kind" if code in {"guardian-by-staff", "guardian-of-adult"} else "helper_id")
    latest, ends_on = _days(new, person.guarded_until, today)
    if not today <= new.starts_on <= ends_on <= latest:
        days = {"earliest": today.isoformat(), "latest": latest.isoformat()}
        return Refusal("mandate-days-out-of-range", "ends_on" if new.starts_on >= today else "starts_on", days)
    row = actions.mandate_row(act, new.person_id, new.helper_id, new.kind, new.points_per_day_max, new.starts_on, ends_on)
    session.execute(insert(Mandate).values(book_id=act.book_id, **row))
    return Mandate(book_id=act.book_id, **row)


def _days(new: NewMandate, guarded_until: date | None, today: date) -> tuple[date, date]:
    """Return until when a mandate can be given, and until when this one is."""
    if new.kind == "guardian" and guarded_until:
        return guarded_until, new.ends_on or guarded_until
    latest = max(today, new.starts_on) + MANDATE_LASTS_MAX
    return latest, new.ends_on or latest


def _against(
    session: Session, act: Act, vault: Vault, new: NewMandate, person: Person, *, is_own: bool, today: date
) -> str | None:  # fmt: skip
    """Return why whoever acts may not give this mandate, or None."""
    if new.kind == "guardian" and is_own:
        return "guardian-by-staff"
    if new.kind == "guardian" and not queries.is_guarded(person, today):
        return "guardian-of-adult"
    if not is_own and (code := actions.against_helper(session, act, new.helper_id)):
        return code
    if queries.minors(session, vault, act.book_id, [new.helper_id], today):
        return "guardian-unfit" if new.kind == "guardian" else "helper-unfit"
    if actions.not_to_draw_in(session, act.book_id, act.actor, [new.helper_id], today):
        return "mandate-of-staff"
    there = queries.mandates(session, act.book_id, helper_id=new.helper_id, person_id=new.person_id)
    return "mandate-there" if any(one.ended_at is None and one.ends_on >= new.starts_on for one in there) else None


def agree_mandate(session: Session, act: Act, mandate_id: UUID) -> Mandate | Refusal:
    """Let whoever is to help say yes: from now on they act, and both are told who the other is."""
    found = _locked(session, act.book_id, mandate_id)
    if found is None or found.helper_id != act.actor:
        raise NotFound("mandate_id")
    if found.ended_at is not None:
        return Refusal("mandate-ended-already", "mandate_id", {"at": found.ended_at})
    if found.agreed_at is not None:
        return Refusal("mandate-agreed-already", "mandate_id")
    today = local_day(act.at, areas.book(session, act.book_id).zone)
    # They may have been given a role since they were asked.
    if actions.not_to_draw_in(session, act.book_id, found.granted_by, [found.helper_id], today):
        return Refusal("mandate-of-staff", "mandate_id")
    found.agreed_at = act.at
    session.flush()
    return found


def _locked(session: Session, book_id: UUID, mandate_id: UUID) -> Mandate | None:
    wanted = select(Mandate).where(Mandate.book_id == book_id, Mandate.id == mandate_id)
    locked = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.execute(locked).scalar_one_or_none()


def end_mandate(session: Session, act: Act, mandate_id: UUID, *, within: Scope = ()) -> Mandate | Refusal:
    """End a mandate from now on: one's own, whichever side one is on, or that of somebody within `within`."""
    found = _locked(session, act.book_id, mandate_id)
    is_own = found is not None and act.actor in {found.person_id, found.helper_id}
    if found is None or not (is_own or queries.within(session, act.book_id, [found.person_id], within)):
        raise NotFound("mandate_id")
    if found.ended_at is not None:
        return Refusal("mandate-ended-already", "mandate_id", {"at": found.ended_at})
    found.ended_by, found.ended_at = act.actor, act.at
    session.flush()
    return found


def mandates_of(session: Session, book_id: UUID, person_id: UUID) -> Sequence[Mandate]:
    """Return every mandate that somebody is in, on whichever side, the last given first."""
    wanted = select(Mandate).where(Mandate.book_id == book_id, or_(Mandate.person_id == person_id, Mandate.helper_id == person_id))
    return session.execute(wanted.order_by(Mandate.granted_at.desc(), Mandate.id.desc())).scalars().all()
