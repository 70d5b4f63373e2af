"""Ways in for people, for staff: one-time links, beginning anew where all is lost, and ending sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for
from marshmallow import fields

from ledger import people
from ledger import sign_in
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Truth
from ledger.web.kit.writing import act

blp = Resource("sign_in", __name__, "How people come in")

ISSUERS = ("grid_worker", "administrator")


class WayInIn(Shape):
    """A one-time link to issue."""

    #: What the person signed in with so far is gone, and every session, link and token of theirs has ended: for an administrator.
    anew = Truth(load_default=False)


class WayInMadeOut(Shape):
    """A one-time link that was issued, or that waits for another administrator."""

    id = Id(required=True)


class WayInOut(WayInMadeOut):
    """The same with its address, to be handed to the person: told again with the same key, and nowhere else."""

    link = Personal(required=True, allow_none=True, metadata={"description": "Nothing where another administrator hands it out"})


class SignedOutOut(Shape):
    """Whose sessions ended."""

    person_id = Id(required=True)
    ended = fields.Integer(required=True)


def _with_link(made: dict[str, Any]) -> dict[str, Any]:
    token = sign_in.link_told(session(), services().vault, me().book_id, UUID(made["id"]), me().actor_id)
    return {**made, "link": f"{services().settings.public_url}{url_for('sign_in.link', token=token)}" if token else None}


@blp.writes("/people/<uuid:person_id>/sign-in-links", WayInIn, WayInMadeOut, status=201, told=(WayInOut, _with_link))
@allow(*ISSUERS, fresh=True)
def issue_way_in(asked: dict[str, Any], person_id: UUID) -> dict[str, Any] | Refusal:
    """Issue a one-time link, good for a day; of staff and of witnesses, and anew, an administrator of all their areas does.

    One for somebody with a strong role waits until another administrator has confirmed it, who is told it.
    """
    within, staff_within = me().scope(*ISSUERS), me().scope("administrator")
    issued = sign_in.issue_way_in(
        session(), act(), services().vault, person_id, **asked, within=within, staff_within=staff_within, powers_of=powers_of
    )
    return issued if isinstance(issued, Refusal) else {"id": issued}


@blp.writes("/sign-in-links/<uuid:link_id>/confirm", Nothing, WayInMadeOut, told=(WayInOut, _with_link))
@allow("administrator", fresh=True)
def confirm_way_in(asked: dict[str, Any], link_id: UUID) -> sign_in.Credential | Refusal:
    """Confirm the link that another administrator asked for, for somebody of one's areas; you hand it out."""
    return sign_in.confirm_way_in(session(), act(), link_id, staff_within=me().scope("administrator"), powers_of=powers_of)


@blp.writes("/people/<uuid:person_id>/sessions/end", Nothing, SignedOutOut)
@allow("administrator")
def end_sessions(asked: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    """End every session, link and token of somebody of one's areas; what they sign in with stays."""
    people.person(session(), me().book_id, person_id, me().scope("administrator"))
    alive = sign_in.sessions_of(session(), me().book_id, person_id, act().at)
    sign_in.sign_out_everywhere(session(), act(), person_id)
    return {"person_id": person_id, "ended": len(alive)}
