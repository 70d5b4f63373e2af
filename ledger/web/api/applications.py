"""Asking to be enrolled, which anybody may; and confirming or refusing it, which staff do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow import validate

from ledger import people
from ledger.errors import Refusal
from ledger.web.api.notices import BOOK_NUMBER_MAX
from ledger.web.api.people import WRITERS
from ledger.web.api.people import PersonMadeOut
from ledger.web.kit import joining
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("applications", __name__, "Asking to be enrolled, and what staff answer")

_ALIKE = "Who of one's areas is enrolled with the same phone, or with the same name and address"
_BOOK = "The number of the book; needed where the service keeps several"


class ApplicationIn(Shape):
    """Somebody who asks to be enrolled."""

    book_number = Whole(1, BOOK_NUMBER_MAX, load_default=None, allow_none=True, metadata={"description": _BOOK})
    area_code = Code(required=True, metadata={"description": "The community where they live, or a grid of it"})
    #: As typed: full-width spaces and digits are made plain before they are checked.
    name = fields.String(required=True, validate=validate.Length(1, 100), metadata={"minLength": 1, "maxLength": 100})
    phone = fields.String(required=True, validate=validate.Length(1, 50), metadata={"minLength": 1, "maxLength": 50})
    birth_month = Words(7, load_default=None, allow_none=True)
    address = Words(500, load_default=None, allow_none=True)


class ReceivedOut(Shape):
    """What everybody is answered, enrolled already or not."""

    state = fields.String(required=True, metadata={"description": "Always: received"})


class ApplicationOut(Shape):
    """An application as staff read it."""

    id = Id(required=True)
    area_code = fields.String(required=True)
    applied_at = Moment(required=True)
    name = Personal(required=True)
    phone = Personal(required=True)
    birth_month = Personal(required=True, allow_none=True)
    address = Personal(required=True, allow_none=True)
    alike = fields.List(
        Id(), required=True, metadata={"description": "Who of one's areas is enrolled with the same phone, or name and address"}
    )


class AcceptIn(Shape):
    """What staff put right of an application."""

    area_code = Code(load_default=None, allow_none=True, metadata={"description": "Where somebody lives, if not where they said"})
    guardian_id = Id(load_default=None, allow_none=True, metadata={"description": "Who acts for somebody below 14; needed there"})


class RefusedOut(Shape):
    """An application that is gone."""

    id = Id(required=True)


@blp.takes("/applications", ApplicationIn, ReceivedOut)
@allow(public=True)
def apply_to_join(asked: dict[str, Any], key: str) -> dict[str, str] | Refusal:
    """Ask to be enrolled; the same key is the same application. The answer tells nobody whether somebody is enrolled already."""
    book = joining.book_of(asked.pop("book_number"))
    return joining.received(book, people.NewPerson(**asked), key) or {"state": "received"}


@blp.reads("/applications", ApplicationOut, query=PageQuery, paged=True)
@allow(*WRITERS)
def list_applications(asked: dict[str, Any]) -> Page:
    """List who asks to be enrolled in one's areas, the oldest first; after thirty days nobody is shown."""
    scope, vault, after = me().scope(*WRITERS), services().vault, read_cursor(asked["cursor"], moment, UUID)
    found = people.applications(
        session(), vault, me().book_id, scope, services().clock.now(), after=after, limit=asked["limit"] + 1
    )  # fmt: skip
    page = page_of(found, asked["limit"], lambda one: [one.applied_at, one.id])
    alike = joining.alike(page.items, scope)
    shown = [
        {"id": one.id, "area_code": one.area_code, "applied_at": one.applied_at, "alike": sorted(alike[one.id])}
        | {field: one.fields.get(field) for field in ("name", "phone", "birth_month", "address")}
        for one in page.items
    ]
    return Page(shown, page.next)


@blp.writes("/applications/<uuid:application_id>/confirm", AcceptIn, PersonMadeOut, status=201)
@allow(*WRITERS)
def confirm(asked: dict[str, Any], application_id: UUID) -> people.Person | Refusal:
    """Enrol whoever asked for it in one of one's areas; what they told is deleted with it."""
    return people.confirm_application(session(), act(), services().vault, application_id, **asked, within=me().scope(*WRITERS))


@blp.writes("/applications/<uuid:application_id>/refuse", Nothing, RefusedOut)
@allow(*WRITERS)
def refuse(asked: dict[str, Any], application_id: UUID) -> dict[str, UUID]:
    """Delete an application of one of one's areas."""
    people.refuse_application(session(), act(), application_id, within=me().scope(*WRITERS))
    return {"id": application_id}
