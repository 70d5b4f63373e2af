"""Who asks, and in which book."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger import people
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape

blp = Resource("book", __name__, "Who asks, and in which book")


class BookOut(Shape):
    """A book and its settings."""

    id = Id()
    number = fields.Integer()
    name = fields.String()
    area_code = fields.String()
    zone = fields.String()
    guide_value = fields.Integer(metadata={"description": "What a point is worth, in thousandths of a yuan: a guide"})
    approve_alone_points_max = fields.Integer()
    notice_above_points = fields.Integer()
    notice_days = fields.Integer()
    at_once_points_max = fields.Integer()
    at_once_uses_max = fields.Integer()


class RoleOut(Shape):
    """A role held today: in an area and below it, or in a shop."""

    role = fields.String()
    area_path = fields.String()
    unit_id = Id(allow_none=True)


class MeOut(Shape):
    """Whoever asks."""

    id = Id()
    name = Personal()
    handle = fields.String()
    roles = fields.List(fields.Nested(RoleOut))


@blp.reads("/book", BookOut)
@allow()
def book() -> Any:
    """Return the book of whoever asks."""
    return me().book


@blp.reads("/me", MeOut)
@allow()
def myself() -> Any:
    """Return whoever asks: name, passbook number, roles."""
    who = me()
    person = people.person(session(), who.book_id, who.person_id)
    names = people.names_of(session(), services().vault, who.book_id, [who.person_id])
    return {"id": person.id, "name": names[person.id], "handle": person.handle, "roles": who.powers(*people.ROLES)}
