"""One's own passbook and hours: the balance, the lines, the past."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import activities
from ledger import claims
from ledger import journal
from ledger.errors import Invalid
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Shape
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.parts import had
from ledger.web.kit.reach import own

blp = Resource("accounts", __name__, "One's own passbook and hours")


class PassbookOut(Shape):
    """A passbook as it stands: what the next line would find."""

    balance = fields.Integer(required=True)
    held = fields.Integer(required=True, metadata={"description": "Reserved, not yet spent"})
    available = fields.Integer(required=True)
    expiring = fields.Integer(required=True, metadata={"description": "Runs out at the end of this year if it is not spent"})
    lines = fields.Integer(required=True, metadata={"description": "How many lines there are"})


class LineOut(Shape):
    """A line of the passbook; nothing of it ever changes."""

    number = fields.Integer(required=True)
    entry_id = Id(required=True)
    kind = fields.String(required=True)
    amount = fields.Integer(required=True)
    before = fields.Integer(required=True)
    after = fields.Integer(required=True)
    posted_at = Moment(required=True)
    deed_on = Day(required=True)
    reference = Id(required=True, allow_none=True, metadata={"description": "What it is about: a claim, a redemption"})
    deed = fields.String(required=True, allow_none=True, metadata={"description": "What an award is for"})
    name_zh = fields.String(required=True, allow_none=True)
    name_en = fields.String(required=True, allow_none=True)
    shop = fields.String(required=True, allow_none=True, metadata={"description": "Where points were spent"})
    goods = fields.String(required=True, allow_none=True, metadata={"description": "What they were spent on, where that has a name"})
    unit_id = Id(required=True, allow_none=True)
    till_id = Id(required=True, allow_none=True)
    reverses = Id(required=True, allow_none=True, metadata={"description": "The entry that it takes back"})
    on_behalf = fields.Boolean(required=True, metadata={"description": "A helper did it for whose passbook it is"})


class PastQuery(Shape):
    """A moment, for what was recorded by then; or a day, for the deeds done by then, whenever they were recorded."""

    moment = Moment(load_default=None, metadata={"description": "What was recorded by then"})
    day = Day(load_default=None, metadata={"description": "The deeds of this day and before"})


class PastOut(Shape):
    """The balance of a moment or a day."""

    balance = fields.Integer(required=True)


class HoursOut(Shape):
    """Minutes of service: they are not points, and never expire."""

    credit_minutes = fields.Integer(required=True, metadata={"description": "Attested by check-in"})
    honour_minutes = fields.Integer(required=True, metadata={"description": "Reported, and attested by somebody"})


@blp.reads("/passbook", PassbookOut)
@allow()
def passbook() -> journal.Balance:
    """Show one's own balance; whoever has earned nothing yet has a passbook of zeros."""
    account_id = _account_id()
    if account_id is None:
        return journal.Balance(0, 0, 0, 0)
    return journal.balance_of(session(), me().book_id, account_id, services().clock.now())


@blp.reads("/passbook/lines", LineOut, paged=True)
@allow()
def lines(asked: dict[str, Any]) -> Page:
    """List the lines of one's own passbook, the newest first."""
    (before,) = read_cursor(asked["cursor"], int) or (None,)
    account_id = _account_id()
    if account_id is None:
        return Page([], None)
    found = journal.history(session(), me().book_id, account_id, before_number=before, limit=asked["limit"] + 1)
    page = page_of(found, asked["limit"], lambda line: [line.number])
    about = {line.reference for line in page.items if line.reference and line.kind == "award"}
    deeds = {row.id: row.rate for row in claims.among(session(), me().book_id, about, own=own())}
    things = had(page.items)
    return Page([line_told(line, deeds.get(line.reference), things.get(line.reference)) for line in page.items], page.next)


@blp.reads("/passbook/as-of", PastOut, query=PastQuery)
@allow()
def as_of(asked: dict[str, Any]) -> dict[str, int]:
    """Show what one's own passbook came to at a moment, or by the deeds of a day and before."""
    if (asked["moment"] is None) == (asked["day"] is None):
        raise Invalid("one-of-two", "moment", one="moment", other="day")
    account_id = _account_id()
    if account_id is None:
        return {"balance": 0}
    if asked["moment"] is not None:
        return {"balance": journal.as_of(session(), me().book_id, account_id, asked["moment"])}
    return {"balance": journal.as_of_deed_day(session(), me().book_id, account_id, asked["day"])}


@blp.reads("/hours", HoursOut)
@allow()
def hours() -> dict[str, int]:
    """Show one's own hours of service."""
    served = activities.hours_of(session(), me().book_id, me().person_id)
    return {"credit_minutes": served.credit, "honour_minutes": served.honour}


def _account_id() -> UUID | None:
    return journal.account_ids(session(), me().book_id, "passbook", [me().person_id]).get(me().person_id)


def line_told(line: journal.LineRow, rate: Any, thing: tuple[str, str | None] | None) -> dict[str, Any]:
    """Return a line as it is told: what deed it was for, or where points were spent and on what."""
    shop, goods = thing or (None, None)
    return vars(line) | {name: getattr(rate, name, None) for name in ("deed", "name_zh", "name_en")} | {"shop": shop, "goods": goods}
