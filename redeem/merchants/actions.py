"""Making a white unit a shop, its tills, and the people who stand at them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger import journal
from ledger import people
from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem import library
from redeem.merchants.model import ShopStaff
from redeem.merchants.model import Till
from redeem.merchants.model import WrongTry

NAME_LENGTH_MAX = 50


def add_till(session: Session, act: Act, unit_id: UUID, *, name: str, within: areas.Scope = areas.EVERYWHERE) -> Till | Refusal:
    """Open a till in a white unit; its first till makes it a shop, with an account of what it is owed."""
    unit = library.unit(session, act.book_id, unit_id, within)
    if unit.colour != "white":
        return Refusal("unit-not-a-business", "unit_id")
    if not 1 <= len(name.strip()) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("name-malformed", "name")
    journal.open_accounts(session, act.book_id, [("receivable", unit_id)], act.at)
    till = Till(book_id=act.book_id, id=new_id(), unit_id=unit_id, name=name.strip(), status="open")
    session.add(till)
    session.flush()
    return till


def hire(
    session: Session, act: Act, unit_id: UUID, *, person_id: UUID, role: str, starts_on: date, ends_on: date | None = None,
    within: areas.Scope = areas.EVERYWHERE,
) -> ShopStaff | Refusal:  # fmt: skip
    """Let somebody work in a shop, as cashier or owner."""
    library.unit(session, act.book_id, unit_id, within)
    people.person(session, act.book_id, person_id)
    if role not in people.SHOP_ROLES:
        raise Invalid("role-unknown", "role")
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    if person_id == act.actor and role == "shop_owner":
        return Refusal("role-for-oneself", "person_id")
    hired = ShopStaff(
        book_id=act.book_id, id=new_id(), unit_id=unit_id, person_id=person_id, role=role, starts_on=starts_on, ends_on=ends_on
    )  # fmt: skip
    session.add(hired)
    session.flush()
    return hired


def dismiss(session: Session, act: Act, staff_id: UUID, *, unit_ids: frozenset[UUID], ends_on: date) -> None:
    """Let somebody's work in one of the shops `unit_ids` end with a day."""
    this = (ShopStaff.book_id == act.book_id, ShopStaff.id == staff_id, ShopStaff.unit_id.in_(unit_ids))
    found = session.execute(select(ShopStaff).where(*this)).scalar_one_or_none()
    if found is None:
        raise NotFound("staff_id")
    if ends_on < found.starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    session.execute(update(ShopStaff).where(*this).values(ends_on=ends_on))


def note_wrong_tries(session: Session, tries: Iterable[tuple[Act, UUID]]) -> None:
    """Write down at which tills a code was given that is none."""
    rows = [{"book_id": act.book_id, "id": new_id(), "till_id": till_id, "tried_at": act.at} for act, till_id in tries]
    if rows:
        session.execute(insert(WrongTry), rows)
