"""Making a white unit a shop, its tills, and the people who stand at them."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import select
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
from redeem.merchants import queries
from redeem.merchants.model import ShopStaff
from redeem.merchants.model import Till
from redeem.merchants.model import WrongTry

NAME_LENGTH_MAX = 50


def add_till(
    session: Session, act: Act, unit_id: UUID, *, name: str, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> Till | Refusal:  # fmt: skip
    """Open a till in a white unit; its first till makes it a shop, with an account of what it is owed."""
    unit = library.unit(session, act.book_id, unit_id, within, own)
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("name-malformed", "name")
    if unit.colour != "white":
        return Refusal("unit-not-a-business", "unit_id")
    if any(till.name == name for till in queries.tills(session, act.book_id, [unit_id])):
        return Refusal("till-name-taken", "name")
    journal.open_accounts(session, act.book_id, [("receivable", unit_id)], act.at)
    till = Till(book_id=act.book_id, id=new_id(), unit_id=unit_id, name=name, status="open")
    session.add(till)
    session.flush()
    return till


def hire(
    session: Session, act: Act, unit_id: UUID, *, person_id: UUID, role: str, starts_on: date, ends_on: date | None = None,
    within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = (),
) -> ShopStaff | Refusal:  # fmt: skip
    """Let somebody work in a shop: as owner where it is within one's areas, as cashier also in one's own shops.

    A unit of any colour has representatives, whom only the staff of its area name.
    """
    unit = library.unit(session, act.book_id, unit_id, within, own)
    people.person(session, act.book_id, person_id)
    if role not in people.SHOP_ROLES:
        raise Invalid("role-unknown", "role")
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    if unit.colour != "white" and role != "unit_representative":
        return Refusal("unit-not-a-business", "unit_id")
    if role != "cashier" and not _lies_within(session, unit, within):
        return Refusal("owner-hires-cashiers", "role")
    if person_id == act.actor:
        return Refusal("role-for-oneself", "person_id")
    if any(
        (one.person_id, one.role) == (person_id, role)
        and one.starts_on <= (ends_on or date.max)
        and starts_on <= (one.ends_on or date.max)
        for one in queries.staff_of(session, act.book_id, unit_id)
    ):  # fmt: skip
        return Refusal("already-hired", "person_id")
    hired = ShopStaff(
        book_id=act.book_id, id=new_id(), unit_id=unit_id, person_id=person_id, role=role, starts_on=starts_on, ends_on=ends_on
    )  # fmt: skip
    session.add(hired)
    session.flush()
    return hired


def dismiss(
    session: Session, act: Act, staff_id: UUID, ends_on: date, *, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> ShopStaff | Refusal:  # fmt: skip
    """Let somebody's work in a shop end with a day; work that has ended already does not come back."""
    wanted = select(ShopStaff).where(ShopStaff.book_id == act.book_id, ShopStaff.id == staff_id)
    found = session.execute(wanted.with_for_update(key_share=True)).scalar_one_or_none()
    if found is None:
        raise NotFound("staff_id")
    unit = library.unit(session, act.book_id, found.unit_id, within, own)
    if found.role != "cashier" and not _lies_within(session, unit, within):
        return Refusal("owner-hires-cashiers", "staff_id")
    if found.ends_on and found.ends_on < ends_on:
        return Refusal("role-already-ended", "ends_on")
    if ends_on < found.starts_on:
        raise Invalid("dates-out-of-order", "ends_on")
    found.ends_on = ends_on
    session.flush()
    return found


def _lies_within(session: Session, unit: library.Unit, within: areas.Scope) -> bool:
    return areas.in_scope(areas.path_of(session, unit.book_id, unit.area_code), within)


def note_wrong_tries(session: Session, tries: Iterable[tuple[Act, UUID]]) -> None:
    """Write down at which tills a code was given that is none."""
    rows = [{"book_id": act.book_id, "id": new_id(), "till_id": till_id, "tried_at": act.at} for act, till_id in tries]
    if rows:
        session.execute(insert(WrongTry), rows)
