"""Points taken at a till for a volunteer's pay code: at once or once confirmed, given back, and what a shop has taken and is owed."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields
from sqlalchemy.orm import Session

from ledger.act import Act
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.api import Resource
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import want_proof
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.fields import Choice
from ledger.web.kit.fields import Id
from ledger.web.kit.fields import Moment
from ledger.web.kit.fields import Nothing
from ledger.web.kit.fields import Points
from ledger.web.kit.fields import Shape
from ledger.web.kit.fields import Whole
from ledger.web.kit.fields import Words
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor
from ledger.web.kit.paired import PIN_LENGTH_MAX
from ledger.web.kit.paired import device_named
from ledger.web.kit.paired import proved_card
from ledger.web.kit.writing import act
from redeem import catalogue
from redeem import library
from redeem import merchants
from redeem import redemptions

blp = Resource("redemptions", __name__, "Points taken at a till, given back, and owed to shops")

#: Who stands at a till, and who of the community looks after what was taken there.
SHOP = ("cashier", "shop_owner")
STAFF = ("approver", "administrator")
#: Who reads what a shop is owed besides: those who pay it, and those who look at figures alone.
FIGURES = ("finance", "county_viewer")
#: Who reads what a unit of their own gave.
OWN = (*SHOP, "unit_representative")
#: An address that was scanned is longer than the code in it.
CODE_LENGTH_MAX = 200
#: As printed, with its spaces.
CARD_LENGTH_MAX = 20


class AskedIn(Shape):
    """What is asked at a till: an offer so many times, or so many points; one of the two, and not both."""

    till_id = Id(required=True)
    offer_id = Id(load_default=None, allow_none=True, metadata={"description": "Either this, or `points`"})
    quantity = Whole(1, redemptions.QUANTITY_MAX, load_default=1, metadata={"description": "How many times the offer"})
    points = Points(load_default=None, allow_none=True, metadata={"description": "Either this, or `offer_id`"})


class TakingIn(AskedIn):
    """What is asked, and the volunteer's pay code: scanned, or the handle and six digits."""

    code = Words(CODE_LENGTH_MAX, required=True)


class CardTakingIn(AskedIn):
    """What is asked, and a volunteer's card with the PIN that they typed."""

    card = Words(CARD_LENGTH_MAX, required=True)
    pin = Words(PIN_LENGTH_MAX, required=True)


class VoidIn(Shape):
    """How much to give back, all that is left unless told otherwise, and why."""

    points = Points(load_default=None, allow_none=True)
    reason = Choice(*redemptions.VOID_REASONS, required=True)


class RedemptionOut(Shape):
    """A redemption; of the person only what a shop may see: the last two digits of the passbook's number."""

    id = Id(required=True)
    state = fields.String(required=True)
    way = fields.String(required=True)
    points = fields.Integer(required=True)
    cash_fen = fields.Integer(required=True)
    offer_id = Id(required=True, allow_none=True)
    offer_title = fields.String(required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    unit_id = Id(required=True)
    unit_name = fields.String(required=True)
    till_name = fields.String(required=True)
    handle_tail = fields.String(required=True, allow_none=True)
    opened_at = Moment(required=True)
    expires_at = Moment(required=True)
    posted_at = Moment(required=True, allow_none=True)
    voided = fields.Integer(required=True)


class TakenOut(Shape):
    """What was taken since a moment."""

    count = fields.Integer(required=True)
    points = fields.Integer(required=True)
    cash_fen = fields.Integer(
        required=True, metadata={"description": "Without that of what was wholly voided; a part that is voided gives back points alone"}
    )
    voided = fields.Integer(required=True)


class OwedOut(Shape):
    """What a shop is owed, and what it took today."""

    owed_points = fields.Integer(required=True)
    taken_today = fields.Nested(TakenOut, required=True)


def _take(session: Session, takings: Sequence[redemptions.Taking]) -> list[redemptions.RedemptionRow | Refusal]:
    return redemptions.take(session, services().vault, takings)


@blp.gathers("/redemptions", TakingIn, RedemptionOut, run=_take, status=201)
@allow(*SHOP)
def take(asked: dict[str, Any]) -> Callable[[Act], redemptions.Taking]:
    """Take points for a volunteer's pay code at a till of one's own shop: posted, or pending until the volunteer confirms."""
    unit_ids, code = me().unit_ids(*SHOP), asked.pop("code")
    return lambda act: redemptions.Taking(act, redemptions.Asked(**asked), unit_ids, code)


def _take_by_card(session: Session, takings: Sequence[redemptions.CardTaking]) -> list[redemptions.RedemptionRow | Refusal]:
    return redemptions.take_by_card(session, takings)


@blp.gathers("/redemptions/by-card", CardTakingIn, RedemptionOut, run=_take_by_card, status=201)
@allow(*SHOP)
def take_by_card(asked: dict[str, Any]) -> Callable[[Act], redemptions.CardTaking]:
    """Take points for a volunteer's card and PIN at a till of one's own shop, at once: 200 a day, and five tries in 15 minutes."""
    unit_ids, card, pin = me().unit_ids(*SHOP), asked.pop("card"), asked.pop("pin")
    place = str(redemptions.shop_of(session(), me().book_id, asked["till_id"], unit_ids))
    person_id = proved_card(me().book_id, card, pin, device_named(), place, field="pin")
    return lambda act: redemptions.CardTaking(act, redemptions.Asked(**asked), unit_ids, card, person_id)


@blp.reads("/redemptions/mine", RedemptionOut, paged=True)
@allow("volunteer")
def list_mine(asked: dict[str, Any]) -> Page:
    """List one's own redemptions, the newest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    now = services().clock.now()
    rows = redemptions.of_person(session(), me().book_id, now, me().person_id, after=after, limit=asked["limit"] + 1)
    return page_of(rows, asked["limit"], lambda row: [row.id])


@blp.reads("/redemptions/waiting", RedemptionOut, paged=True)
@allow("volunteer")
def list_waiting(asked: dict[str, Any]) -> Page:
    """List what waits for one's own confirmation, the oldest first."""
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    rows = redemptions.waiting_for(session(), me().book_id, services().clock.now(), me().person_id)
    later = [row for row in rows if after is None or row.id > after]
    return page_of(later[: asked["limit"] + 1], asked["limit"], lambda row: [row.id])


@blp.reads("/redemptions/<uuid:redemption_id>", RedemptionOut)
@allow()
def get_redemption(redemption_id: UUID) -> redemptions.RedemptionRow:
    """Show a redemption of one's own, of one's shop, or of one's areas."""
    row = redemptions.redemption(session(), me().book_id, services().clock.now(), redemption_id)
    if row.person_id != me().person_id:
        try:
            library.unit(session(), me().book_id, row.unit_id, me().scope(*STAFF), me().unit_ids(*SHOP))
        except NotFound:
            raise NotFound("redemption_id") from None
    return row


@blp.writes("/redemptions/<uuid:redemption_id>/confirm", Nothing, RedemptionOut)
@allow("volunteer")
def confirm(asked: dict[str, Any], redemption_id: UUID) -> redemptions.RedemptionRow | Refusal:
    """Say yes to what waits for one's confirmation: now it is paid."""
    return redemptions.confirm(session(), act(), redemption_id)


@blp.writes("/redemptions/<uuid:redemption_id>/decline", Nothing, RedemptionOut)
@allow("volunteer")
def decline(asked: dict[str, Any], redemption_id: UUID) -> redemptions.RedemptionRow | Refusal:
    """Say no to what waits for one's confirmation."""
    return redemptions.decline(session(), act(), redemption_id)


@blp.writes("/redemptions/<uuid:redemption_id>/cancel", Nothing, RedemptionOut)
@allow(*SHOP)
def cancel(asked: dict[str, Any], redemption_id: UUID) -> redemptions.RedemptionRow | Refusal:
    """Take back an order or a request of one's own shop that nobody has confirmed."""
    return redemptions.cancel(session(), act(), redemption_id, unit_ids=me().unit_ids(*SHOP))


@blp.writes("/redemptions/<uuid:redemption_id>/void", VoidIn, RedemptionOut)
@allow(*SHOP, *STAFF)
def void(asked: dict[str, Any], redemption_id: UUID) -> redemptions.RedemptionRow | Refusal:
    """Give points back: the shop on the same day, staff of its area later too."""
    if me().has(*STAFF):
        want_proof()
    return redemptions.void(session(), act(), redemption_id, **asked, unit_ids=me().unit_ids(*SHOP), scope=me().scope(*STAFF))


@blp.reads("/units/<uuid:unit_id>/redemptions", RedemptionOut, paged=True)
@allow(*OWN, *STAFF)
def list_of_unit(asked: dict[str, Any], unit_id: UUID) -> Page:
    """List what was asked for at a shop's tills, the newest first."""
    unit = library.unit(session(), me().book_id, unit_id, me().scope(*STAFF), me().unit_ids(*OWN))
    (after,) = read_cursor(asked["cursor"], UUID) or (None,)
    now = services().clock.now()
    rows = redemptions.of_units(session(), me().book_id, now, [unit.id], after=after, limit=asked["limit"] + 1)
    return page_of(rows, asked["limit"], lambda row: [row.id])


@blp.reads("/units/<uuid:unit_id>/owed", OwedOut)
@allow(*OWN, *STAFF, *FIGURES)
def owed(unit_id: UUID) -> dict[str, Any]:
    """Show what a shop is owed, and what it took today."""
    unit = library.unit(session(), me().book_id, unit_id, me().scope(*STAFF, *FIGURES), me().unit_ids(*OWN))
    since = catalogue.period_begins("day", me().today, me().zone)
    return {
        "owed_points": merchants.owed(session(), me().book_id, unit.id),
        "taken_today": redemptions.taken_since(session(), me().book_id, [unit.id], since),
    }
