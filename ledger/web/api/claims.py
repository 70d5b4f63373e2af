"""Claims: reporting and proposing deeds, deciding on them, and what became of each."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow import validate

from ledger import claims
from ledger import people
from ledger.claims import MAY
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Code
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Minutes
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import OutcomeOut
from ledger.web.kit.fields import Personal
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import PageQuery
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.pictures import Photos
from ledger.web.kit.problems import body_of
from ledger.web.kit.reach import in_words
from ledger.web.kit.reach import own
from ledger.web.kit.reach import prove_large
from ledger.web.kit.reach import reach
from ledger.web.kit.reach import shown_name
from ledger.web.kit.writing import act

blp = Resource("claims", __name__, "Claims: deeds on their way to points")

QUEUES = ("reported", "attested", "on_notice", "awaiting_funds")
AT_ONCE_MAX = 500

_PLACE = "Where; of a mediation the place and who mediated, never the parties"
_PHOTOS = f"JPEG, PNG or WebP, at most {claims.PHOTOS_MAX}, within the 2 MiB of a body; drawn anew without metadata, and sealed"
_TEXT = "In the teller's words, kept sealed; of a mediation never who the parties are or what it was about"


class DeedIn(Shape):
    """A deed as it is told."""

    deed = Code(required=True, metadata={"description": "The code of a deed of the tariff"})
    deed_on = Day(required=True)
    place = Words(claims.PLACE_LENGTH_MAX, least=0, required=True, metadata={"description": _PLACE})
    minutes = Minutes(load_default=None, allow_none=True, metadata={"description": "For deeds paid by the hour"})
    starts_at = Moment(load_default=None, allow_none=True)
    text = Words(claims.TEXT_LENGTH_MAX, least=0, lines=True, load_default="", metadata={"description": _TEXT})
    photos = Photos(metadata={"description": _PHOTOS})


class ProposedIn(DeedIn):
    """A deed of somebody else: of a person or of a team."""

    place = Words(claims.PLACE_LENGTH_MAX, least=0, load_default="", metadata={"description": _PLACE})
    person_id = Id(load_default=None, allow_none=True)
    team_id = Id(load_default=None, allow_none=True)


class ProposalsIn(Shape):
    """Deeds to propose."""

    deeds = fields.List(fields.Nested(ProposedIn), required=True, validate=validate.Length(1, AT_ONCE_MAX))


class IdsIn(Shape):
    """Claims to act on."""

    ids = fields.List(Id(), required=True, validate=validate.Length(1, AT_ONCE_MAX))


class TurnedDownIn(IdsIn):
    """Claims to return or refuse, and why."""

    reason = Choice(*claims.REASONS, required=True)
    note = Words(claims.TEXT_LENGTH_MAX, least=0, lines=True, load_default="", metadata={"description": "Told to whoever reported it"})


class ClaimMadeOut(Shape):
    """A deed on its way to points, without what people tell in words."""

    id = Id(required=True)
    state = fields.String(required=True)
    source = fields.String(required=True)
    area_code = fields.String(required=True)
    person_id = Id(required=True, allow_none=True)
    team_id = Id(required=True, allow_none=True)
    category = fields.String(required=True)
    deed = fields.String(required=True)
    name_zh = fields.String(required=True, metadata={"description": "What was done, in Chinese"})
    name_en = fields.String(required=True, metadata={"description": "What was done, in English"})
    deed_on = Day(required=True)
    starts_at = Moment(required=True, allow_none=True)
    minutes = fields.Integer(required=True, allow_none=True)
    points = fields.Integer(required=True, metadata={"description": "What the tariff gives, after the caps"})
    activity_id = Id(required=True, allow_none=True)
    reporter_id = Id(required=True)
    reported_at = Moment(required=True)
    attester_id = Id(required=True, allow_none=True)
    approvals = fields.Integer(required=True)
    approvals_needed = fields.Integer(required=True, metadata={"description": "As it stands now, until it is approved"})
    notice_ends_at = Moment(required=True, allow_none=True)
    entry_id = Id(required=True, allow_none=True, metadata={"description": "The award in the journal"})
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Why it was returned or refused: one of a fixed list"})


class ClaimOut(ClaimMadeOut):
    """A deed on its way to points, as it was told."""

    name = Personal(required=True, metadata={"description": "Whose deed it is: the person's or the team's"})
    place = Personal(required=True)
    text = Personal(required=True)
    note = Personal(required=True, allow_none=True, metadata={"description": "What was told with the reason"})


class DecisionOut(Shape):
    """One act on a claim."""

    number = fields.Integer(required=True)
    act = fields.String(required=True)
    actor_id = Id(required=True, attribute="actor")
    decided_at = Moment(required=True)
    reason = fields.String(required=True, allow_none=True)
    note = Personal(required=True, allow_none=True)


class PhotoOut(Shape):
    """A photo of a claim."""

    id = Id(required=True)
    added_at = Moment(required=True)


class PictureOut(Shape):
    """A picture."""

    content = Personal(required=True, metadata={"description": "A JPEG", "format": "byte"})


class WholeClaimOut(ClaimOut):
    """A claim with everything that was decided on it."""

    photos = fields.List(fields.Nested(PhotoOut), required=True)
    decisions = fields.List(fields.Nested(DecisionOut), required=True)


class OutcomesOut(Shape):
    """What became of each."""

    items = fields.List(fields.Nested(OutcomeOut), required=True)


class QueueQuery(PageQuery):
    """Which claims wait."""

    state = Choice(*QUEUES, load_default="reported", metadata={"description": "Where they stand"})


@blp.writes("/claims", DeedIn, ClaimMadeOut, status=201)
@allow("volunteer")
def report(asked: dict[str, Any]) -> dict[str, Any] | Refusal:
    """Report a deed of one's own."""
    outcome = claims.report(session(), act(), services().vault, claims.NewDeed(**asked))
    return outcome if isinstance(outcome, Refusal) else _own(outcome.id)


@blp.writes("/teams/<uuid:team_id>/claims", DeedIn, ClaimMadeOut, status=201)
@allow("volunteer", for_others=False)
def report_for_team(asked: dict[str, Any], team_id: UUID) -> dict[str, Any] | Refusal:
    """Report a deed of a team that one leads; it wants somebody else's word, as one's own does."""
    outcome = claims.report_for_team(session(), act(), services().vault, claims.NewDeed(**asked, team_id=team_id))
    return outcome if isinstance(outcome, Refusal) else _own(outcome.id)


@blp.writes("/claims/proposals", ProposalsIn, OutcomesOut, status=201)
@allow(*MAY["propose"])
def propose(asked: dict[str, Any]) -> dict[str, Any]:
    """Propose deeds of those in one's charge or areas, which vouches for them; one outcome for each, in order."""
    deeds = [claims.NewDeed(**deed) for deed in asked["deeds"]]
    source = "grid_worker" if me().has("grid_worker", "administrator") else "building_leader"
    outcomes = claims.propose(session(), act(), services().vault, reach("propose"), source, deeds)
    return {"items": _outcomes([None] * len(deeds), outcomes)}


@blp.reads("/claims/mine", ClaimOut, paged=True)
@allow()
def list_mine(asked: dict[str, Any]) -> Page:
    """List one's own claims, the newest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = claims.mine(session(), me().book_id, me().person_id, after=after, limit=asked["limit"] + 1)
    return _page(found, asked["limit"], lambda row: [row.id])


@blp.reads("/claims/proposed", ClaimOut, paged=True)
@allow(*MAY["propose"])
def list_proposed(asked: dict[str, Any]) -> Page:
    """List what one proposed for others, the newest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    found = claims.reported_by(session(), me().book_id, me().person_id, after=after, limit=asked["limit"] + 1)
    return _page(found, asked["limit"], lambda row: [row.id])


@blp.reads("/claims/queue", ClaimOut, query=QueueQuery, paged=True)
@allow(*MAY["read"])
def list_queue(asked: dict[str, Any]) -> Page:
    """List the claims within reach that are in a state, the oldest first."""
    after: Any = read_cursor(asked["cursor"], moment, UUID)
    found = claims.queue(session(), me().book_id, reach("read"), [asked["state"]], after=after, limit=asked["limit"] + 1)
    return _page(found, asked["limit"], lambda row: [row.claim.reported_at, row.id])


@blp.reads("/claims/<uuid:claim_id>", WholeClaimOut)
@allow()
def get_claim(claim_id: UUID) -> dict[str, Any]:
    """Show a claim of one's own or within reach, with what was decided on it and why."""
    row = claims.claim(session(), me().book_id, claim_id, reach("read"), own=own())
    notes = claims.notes_of(session(), services().vault, me().book_id, [row])[claim_id] if in_words([row]) else {}
    decisions = claims.decisions_of(session(), me().book_id, [claim_id])[claim_id]
    columns = ("number", "act", "actor", "decided_at", "reason")
    shown, is_open = _shown([row])[0], claim_id in in_words([row])
    told = [
        {column: getattr(one, column) for column in columns} | {"note": notes.get(one.number) if is_open else None} for one in decisions
    ]
    photos = claims.photos_of(session(), me().book_id, [claim_id])[claim_id] if is_open else []
    return shown | {"decisions": told, "photos": photos}


@blp.reads("/claims/<uuid:claim_id>/photos/<uuid:photo_id>", PictureOut)
@allow()
def get_photo(claim_id: UUID, photo_id: UUID) -> dict[str, Any]:
    """Show a photo of a claim to those who may read its words."""
    row = claims.claim(session(), me().book_id, claim_id, reach("read"), own=own())
    if claim_id not in in_words([row]):
        raise NotFound("photo_id")
    content = claims.picture(session(), services().vault, me().book_id, claim_id, photo_id)
    return {"content": base64.b64encode(content).decode()}


@blp.writes("/claims/attest", IdsIn, OutcomesOut)
@allow(*MAY["attest"])
def attest(asked: dict[str, Any]) -> dict[str, Any]:
    """Bear witness that deeds within reach were done; one outcome for each, in order."""
    return {"items": _outcomes(asked["ids"], claims.attest(session(), act(), reach("attest"), asked["ids"]))}


@blp.writes("/claims/approve", IdsIn, OutcomesOut)
@allow("approver")
def approve(asked: dict[str, Any]) -> dict[str, Any]:
    """Approve attested deeds of one's areas; those with all their approvals are credited. One outcome for each, in order."""
    prove_large(asked["ids"])
    return {"items": _outcomes(asked["ids"], claims.approve(session(), act(), me().scope("approver"), asked["ids"]))}


@blp.writes("/claims/return", TurnedDownIn, OutcomesOut)
@allow(*MAY["return"])
def return_(asked: dict[str, Any]) -> dict[str, Any]:
    """Send claims within reach back with a reason, to be told anew; one outcome for each, in order."""
    return {"items": _outcomes(asked["ids"], claims.return_(session(), act(), services().vault, reach("return"), **asked))}


@blp.writes("/claims/refuse", TurnedDownIn, OutcomesOut)
@allow(*MAY["refuse"])
def refuse(asked: dict[str, Any]) -> dict[str, Any]:
    """Refuse claims of one's areas for good, with a reason; one outcome for each, in order."""
    return {"items": _outcomes(asked["ids"], claims.refuse(session(), act(), services().vault, reach("refuse"), **asked))}


@blp.writes("/claims/<uuid:claim_id>/resubmit", DeedIn, ClaimMadeOut)
@allow()
def resubmit(asked: dict[str, Any], claim_id: UUID) -> dict[str, Any] | Refusal:
    """Tell a returned claim that one reported anew; of somebody else's deed, while one may still propose for them."""
    outcome = claims.resubmit(session(), act(), services().vault, reach("propose"), claim_id, claims.NewDeed(**asked))
    return outcome if isinstance(outcome, Refusal) else _own(claim_id)


@blp.writes("/claims/<uuid:claim_id>/withdraw", Nothing, ClaimMadeOut)
@allow()
def withdraw(asked: dict[str, Any], claim_id: UUID) -> dict[str, Any] | Refusal:
    """Take back a claim of one's own before it is decided."""
    outcome = claims.withdraw(session(), act(), claim_id)
    return outcome if isinstance(outcome, Refusal) else _own(claim_id)


@blp.writes("/claims/credit-due", Nothing, OutcomesOut)
@allow("approver", "administrator")
def credit_due(asked: dict[str, Any]) -> dict[str, Any]:
    """Credit what has stood on notice long enough and what waited for funds that have come; answer those that moved."""
    moved = claims.credit_due(session(), act())
    return {"items": _outcomes([one.id for one in moved], moved)}


def _own(claim_id: UUID) -> dict[str, Any]:
    row = claims.claim(session(), me().book_id, claim_id, own=own())
    return _plain(row, _needed([row]))


def _page(found: Sequence[claims.ClaimRow], limit: int, key: Any) -> Page:
    page = page_of(found, limit, key)
    return Page(_shown(page.items), page.next)


_COLUMNS = (
    "id", "state", "source", "area_code", "person_id", "team_id", "deed_on", "starts_at", "minutes", "points", "activity_id",
    "reporter_id", "reported_at", "attester_id", "approvals", "notice_ends_at", "entry_id",
)  # fmt: skip


def _shown(rows: Sequence[claims.ClaimRow]) -> list[dict[str, Any]]:
    current, vault, book_id = session(), services().vault, me().book_id
    names = people.names_of(current, vault, book_id, {row.claim.person_id for row in rows if row.claim.person_id})
    teams = people.teams_by_id(current, book_id, {row.claim.team_id for row in rows if row.claim.team_id})
    names |= {team.id: team.name for team in teams.values()}
    is_open = in_words(rows)
    opened = [row for row in rows if row.id in is_open]
    told = {row.id: claims.Telling() for row in rows} | claims.told_of(current, vault, book_id, [row.claim for row in opened])
    notes: dict[UUID, dict[int, str]] = {row.id: {} for row in rows} | claims.notes_of(current, vault, book_id, opened)
    needed = _needed(rows)
    return [
        _plain(row, needed)
        | {"name": shown_name(row, names, is_open), "place": told[row.id].place}
        | {"text": told[row.id].text, "note": notes[row.id].get(row.decision)}
        for row in rows
    ]


def _needed(rows: Sequence[claims.ClaimRow]) -> dict[UUID, int]:
    return claims.approvals_needed(session(), me().book, rows, me().today)


def _plain(row: claims.ClaimRow, needed: Mapping[UUID, int]) -> dict[str, Any]:
    """Return what of a claim nobody told in words."""
    named = {name: getattr(row.rate, name) for name in ("category", "deed", "name_zh", "name_en")}
    told = {column: getattr(row.claim, column) for column in _COLUMNS}
    return told | named | {"reason": row.reason, "approvals_needed": needed[row.id]}


def _outcomes(ids: Iterable[UUID | None], outcomes: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {"id": asked, "ok": False, "state": None, "problem": body_of(outcome)}
        if isinstance(outcome, Refusal)
        else {"id": outcome.id, "ok": True, "state": outcome.state, "problem": None}
        for asked, outcome in zip(ids, outcomes, strict=True)
    ]
