"""The public notices: whose deeds are to be credited or were, masked, for everybody to see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow import validate

from ledger import areas
from ledger import claims
from ledger.errors import NotFound
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor

blp = Resource("notices", __name__, "The public notices, with masked names")

BOOK_NUMBER_MAX = 99_999


class NoticeOut(Shape):
    """An award on the public board."""

    id = Id(required=True)
    name = Personal(required=True, metadata={"description": "Masked: a surname and stars, or stars alone"})
    category = fields.String(required=True)
    deed = fields.String(required=True)
    name_zh = fields.String(required=True, metadata={"description": "What was done, in Chinese"})
    name_en = fields.String(required=True, metadata={"description": "What was done, in English"})
    points = fields.Integer(required=True)
    deed_on = Day(required=True)
    state = fields.String(required=True)
    notice_ends_at = Moment(required=True, allow_none=True)


class NoticesQuery(PageQuery):
    """Whose notices."""

    book = fields.Integer(
        required=True,
        validate=validate.Range(1, BOOK_NUMBER_MAX),
        metadata={"description": "The number of the book", "minimum": 1, "maximum": BOOK_NUMBER_MAX},
    )


@blp.reads("/notices", NoticeOut, query=NoticesQuery, paged=True)
@allow(public=True)
def list_notices(asked: dict[str, Any]) -> Page:
    """List what stands on notice and what was credited this month, the newest first, with masked names."""
    if (book := areas.book_numbered(session(), asked["book"])) is None:
        raise NotFound("book")
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    now, more = services().clock.now(), asked["limit"] + 1
    found = claims.public_notices(session(), services().vault, book, now, after=after, limit=more)
    page = page_of(found, asked["limit"], lambda notice: [notice.id])
    return Page([_shown(notice) for notice in page.items], page.next)


def _shown(notice: claims.Notice) -> dict[str, Any]:
    rate = notice.rate
    return vars(notice) | {"category": rate.category, "deed": rate.deed, "name_zh": rate.name_zh, "name_en": rate.name_en}
