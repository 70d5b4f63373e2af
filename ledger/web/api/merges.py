"""Two records of one person: one of the staff proposes to merge them, another confirms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from ledger import claims
from ledger import people
from ledger.errors import Refusal
from ledger.web.api.people import WRITERS
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Shape
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("merges", __name__, "Two records of one person, made one by two of the staff")


class MergeIn(Shape):
    """Two records of one person: the one to keep, and the one that goes."""

    kept_id = Id(required=True)
    gone_id = Id(required=True)


class MergeOut(MergeIn):
    """A merge, and where it stands."""

    id = Id(required=True)
    state = fields.String(required=True)
    proposed_by = Id(required=True)
    proposed_at = Moment(required=True)
    decided_by = Id(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)


@blp.reads("/merges", MergeOut, paged=True)
@allow(*WRITERS)
def list_merges(asked: dict[str, Any]) -> Page:
    """List the merges of people of one's areas, the newest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = people.merges(session(), me().book_id, me().scope(*WRITERS), after=after, limit=asked["limit"] + 1)
    return page_of(found, asked["limit"], lambda merge: [merge.id])


@blp.writes("/merges", MergeIn, MergeOut, status=201)
@allow(*WRITERS, fresh=True)
def propose(asked: dict[str, Any]) -> people.Merge | Refusal:
    """Propose to merge two records of one's areas; those of staff only as an administrator."""
    return people.propose_merge(session(), act(), **asked, **_reach())


@blp.writes("/merges/<uuid:merge_id>/confirm", Nothing, MergeOut)
@allow(*WRITERS, fresh=True)
def confirm(asked: dict[str, Any], merge_id: UUID) -> people.Merge | Refusal:
    """Confirm what somebody else proposed: points, ties and mandates go over, and nobody signs in as the other any more."""
    return claims.merge(session(), act(), merge_id, **_reach())


@blp.writes("/merges/<uuid:merge_id>/refuse", Nothing, MergeOut)
@allow(*WRITERS, fresh=True)
def refuse(asked: dict[str, Any], merge_id: UUID) -> people.Merge | Refusal:
    """Decide that what somebody else proposed are two people."""
    return people.refuse_merge(session(), act(), merge_id, **_reach())


def _reach() -> dict[str, Any]:
    return {"within": me().scope(*WRITERS), "as_administrator": me().scope("administrator"), "powers_of": powers_of}
