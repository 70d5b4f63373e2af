"""The audit log: who did what, for whom, when, where from, and what came of it; for those who look over everybody's shoulder."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.watching import WATCHERS
from ledger.web.kit.watching import watched

blp = Resource("audit", __name__, "The audit log")


class AuditQuery(PageQuery):
    """Which lines: those that have all of what is named."""

    actor = fields.String(
        load_default=None, metadata={"description": "Passbook number of whoever acted, or was acted for", "maxLength": 20}
    )
    about = Id(load_default=None, metadata={"description": "The id of whom or what it was about"})
    act = Words(100, load_default=None, metadata={"description": 'As it stands in the log, for example "POST api_claims.approve"'})
    outcome = Words(60, load_default=None, metadata={"description": '"done", the code of a refusal, or "refused" for all of these'})
    since = Moment(load_default=None, metadata={"description": "From then on"})
    until = Moment(load_default=None, metadata={"description": "Before then"})


class AuditLineOut(Shape):
    """One act, done or refused."""

    id = Id(required=True)
    at = Moment(required=True)
    actor = Id(required=True, allow_none=True)
    by_operator = fields.Boolean(required=True)
    actor_ends_in = fields.String(
        required=True, allow_none=True, metadata={"description": "The last four digits of whoever acted; null: nobody, or the operator"}
    )
    acted_for = Id(required=True, allow_none=True)
    acted_for_ends_in = fields.String(required=True, allow_none=True)
    channel = fields.String(required=True)
    act = fields.String(required=True)
    outcome = fields.String(required=True)
    about = Id(required=True, allow_none=True)
    details = fields.Dict(required=True, allow_none=True, metadata={"description": "Of a set: how many were done, and refused, by code"})
    request_id = Id(required=True, allow_none=True)
    credential_id = Id(required=True, allow_none=True)
    device_id = Id(required=True, allow_none=True)
    network = fields.String(required=True, allow_none=True)


@blp.reads("/audit", AuditLineOut, query=AuditQuery, paged=True)
@allow(*WATCHERS)
def read(asked: dict[str, Any]) -> Page:
    """Read the audit log of the whole book, the newest first; that it was read stands in it too."""
    return watched(**asked)
