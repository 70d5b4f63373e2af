"""Bearer tokens of machines: a shop's POS, the city's platform. Each stands for a person, and for no more than its scopes say."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow import validate

from ledger import people
from ledger import sign_in
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.writing import act

blp = Resource("tokens", __name__, "Tokens of machines")

SCOPES = (*people.ROLES, *sign_in.FURTHER)
DAYS_MAX = sign_in.TOKEN_LIVES_MAX.days
#: A machine that is set up anew by hand once a week still finds its old token good.
OVERLAP_HOURS_MAX = 24 * 7


class TokenMadeOut(Shape):
    """A token, without what it says."""

    id = Id(required=True)
    person_id = Id(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True)


class TokenToldOut(TokenMadeOut):
    """A token as it is told whoever made it, for ten minutes and never again."""

    token = Personal(required=True, allow_none=True)


class TokenOut(TokenMadeOut):
    """A token in the list of those that are good."""

    name = Personal(required=True)
    last_used_at = Moment(required=True, allow_none=True, metadata={"description": "To an hour"})


class TokenIn(Shape):
    """A token to make: whom it stands for, what it is good for, and how long."""

    person_id = Id(required=True)
    name = Words(50, required=True)
    scopes = fields.List(Choice(*SCOPES), required=True, validate=validate.Length(1, len(SCOPES)))
    days = Whole(1, DAYS_MAX, required=True)


class RotateIn(Shape):
    """How long the new token is good, and how much longer the old one."""

    days = Whole(1, DAYS_MAX, required=True)
    overlap_hours = Whole(0, OVERLAP_HOURS_MAX, load_default=24)


def _with_token(kept: dict[str, Any]) -> dict[str, Any]:
    made_id, made_at = UUID(kept["id"]), datetime.fromisoformat(kept["created_at"])
    token = sign_in.token_told(services().vault, me().book.number, me().book_id, made_id, made_at, services().clock.now())
    return kept | {"token": token}


@blp.reads("/tokens", TokenOut, paged=True)
@allow("administrator")
def list_tokens(asked: dict[str, Any]) -> Page:
    """List the tokens of people of one's areas that are good; what they say is nowhere."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    now, scope = services().clock.now(), me().scope("administrator")
    rows = sign_in.tokens_of(session(), me().book_id, now, scope, after=after, limit=asked["limit"] + 1)
    page = page_of(rows, asked["limit"], lambda token: [token.id])
    columns = ("id", "person_id", "scopes", "created_at", "expires_at", "last_used_at")
    return Page([{"name": row.way or ""} | {column: getattr(row, column) for column in columns} for row in page.items], page.next)


@blp.writes("/tokens", TokenIn, TokenMadeOut, status=201, told=(TokenToldOut, _with_token))
@allow("administrator", fresh=True)
def issue(asked: dict[str, Any]) -> sign_in.Credential | Refusal:
    """Make a token for oneself, or one for a till or for reading that stands for somebody of one's areas."""
    lives, scope = timedelta(days=asked.pop("days")), me().scope("administrator")
    return sign_in.issue_token(session(), act(), services().vault, **asked, lives=lives, within=scope, powers_of=powers_of)


@blp.writes("/tokens/<uuid:credential_id>/end", Nothing, TokenMadeOut)
@allow("administrator")
def end(asked: dict[str, Any], credential_id: UUID) -> sign_in.Credential:
    """End a token at once."""
    return sign_in.end_token(session(), act(), credential_id, within=me().scope("administrator"))


@blp.writes("/tokens/<uuid:credential_id>/rotate", RotateIn, TokenMadeOut, status=201, told=(TokenToldOut, _with_token))
@allow("administrator", fresh=True)
def rotate(asked: dict[str, Any], credential_id: UUID) -> sign_in.Credential | Refusal:
    """Make another token like this one, which stays good for a while, so that a machine can be changed over; one's own, or a till's."""
    lives, overlap = timedelta(days=asked["days"]), timedelta(hours=asked["overlap_hours"])
    scope = me().scope("administrator")
    return sign_in.rotate_token(
        session(), act(), services().vault, credential_id, lives=lives, overlap=overlap, within=scope, powers_of=powers_of
    )
