"""Taking units into the library, and writing down what they give."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from redeem.library import queries
from redeem.library.model import Resource
from redeem.library.model import Unit
from redeem.library.rules import COLOURS
from redeem.library.rules import RESOURCE_KINDS

NAME_LENGTH_MAX = 100
ADDRESS_LENGTH_MAX = 500


def add_unit(
    session: Session, act: Act, *, name: str, colour: str, area_code: str, address: str = "", within: areas.Scope = areas.EVERYWHERE
) -> Unit | Refusal:  # fmt: skip
    """Take a unit into the library."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("name-malformed", "name")
    if colour not in COLOURS:
        raise Invalid("choice-malformed", "colour")
    if len(address.strip()) > ADDRESS_LENGTH_MAX or not address.strip().isprintable():
        raise Invalid("text-malformed", "address")
    areas.area(session, act.book_id, area_code, within)
    if session.execute(select(Unit.id).where(Unit.book_id == act.book_id, Unit.name == name)).scalar_one_or_none():
        return Refusal("unit-name-taken", "name")
    unit = Unit(book_id=act.book_id, id=new_id(), name=name, colour=colour, area_code=area_code, address=address.strip(), status="active")
    session.add(unit)
    session.flush()
    return unit


def describe(
    session: Session, act: Act, unit_id: UUID, *, address: str, phone: str, open_hours: str, within: areas.Scope = areas.EVERYWHERE,
    own: Collection[UUID] = (),
) -> Unit:  # fmt: skip
    """Say where a unit is, what to call, and when it is open."""
    unit = queries.unit(session, act.book_id, unit_id, within, own)
    if len(address.strip()) > ADDRESS_LENGTH_MAX or not address.strip().isprintable():
        raise Invalid("text-malformed", "address")
    if phone.strip() and not areas.is_phone(phone.strip()):
        raise Invalid("phone-malformed", "phone")
    if len(open_hours.strip()) > NAME_LENGTH_MAX or not open_hours.strip().isprintable():
        raise Invalid("text-malformed", "open_hours")
    unit.address, unit.phone, unit.open_hours = address.strip(), phone.strip(), open_hours.strip()
    session.flush()
    return unit


def add_resource(
    session: Session, act: Act, unit_id: UUID, *, kind: str, title: str, within: areas.Scope = areas.EVERYWHERE, own: Collection[UUID] = ()
) -> Resource:  # fmt: skip
    """Write down something that a unit gives."""
    queries.unit(session, act.book_id, unit_id, within, own)
    if kind not in RESOURCE_KINDS:
        raise Invalid("choice-malformed", "kind")
    if not 1 <= len(title.strip()) <= NAME_LENGTH_MAX or not title.isprintable():
        raise Invalid("text-malformed", "title")
    resource = Resource(book_id=act.book_id, id=new_id(), unit_id=unit_id, kind=kind, title=title.strip())
    session.add(resource)
    session.flush()
    return resource
