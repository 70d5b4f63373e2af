"""The cashier's side: the till, the order code, the answer on the screen, today's redemptions and their voids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from flask import Blueprint
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit import scanning
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paired import PIN_LENGTH_MAX
from ledger.web.kit.paired import device_named
from ledger.web.kit.paired import open_form
from ledger.web.kit.paired import proved_card
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from redeem import catalogue
from redeem import library
from redeem import merchants
from redeem import redemptions
from redeem.redemptions import Asked
from redeem.redemptions import CardTaking
from redeem.redemptions import Taking
from redeem.web.kit import if_changed

pages = Blueprint("till", __name__)

Thing = TypeVar("Thing", merchants.Till, catalogue.Offer)

ROLES = ("cashier", "shop_owner")
OFFERS_MAX = 200
TODAY_MAX = 200
#: As printed, with its spaces.
CARD_LENGTH_MAX = 20


@pages.get("/till")
@allow(*ROLES)
def till() -> ResponseReturnValue:
    """Show the till: one field for the scanned or typed code, and what is asked."""
    return _desk("redeem/till/till.html")


@pages.post("/till")
@allow(*ROLES)
@scanning.with_photo("photo")
@form_write(till)
def take() -> str | Refusal:
    """Take the code, scanned, typed or photographed: paid at once, or the volunteer is asked."""
    code = scanning.code_given("code", "photo")
    if refusal := scanning.against(code):
        return refusal
    taking = Taking(act(), _asked(), me().unit_ids(*ROLES), code)
    (taken,) = redemptions.take(session(), services().vault, [taking])
    if isinstance(taken, Refusal) and taken.code == "pay-code-unknown" and scanning.is_of_a_wallet(code):
        return Refusal("scan-not-ours", "code")
    return taken if isinstance(taken, Refusal) else url_for("till.answer", redemption_id=taken.id)


@pages.get("/till/card")
@allow(*ROLES)
def card_form() -> ResponseReturnValue:
    """Show a form for what is asked, and for a volunteer's card and PIN, which they type themselves."""
    return _desk("redeem/till/card.html")


@pages.post("/till/card")
@allow(*ROLES)
@open_form(card_form)
def take_by_card() -> ResponseReturnValue:
    """Take points for card and PIN, at once: the PIN is proved before anything is written."""
    number = forms.words("card", CARD_LENGTH_MAX)
    asked, pin = _asked(), forms.words("_pin", PIN_LENGTH_MAX)
    place = str(redemptions.shop_of(session(), me().book_id, asked.till_id, me().unit_ids(*ROLES)))
    person_id = proved_card(me().book_id, number, pin, device_named(), place)
    answer: ResponseReturnValue = _write_by_card(asked, number, person_id)
    return answer


def _card_form_again(asked: Asked, number: str, person_id: UUID) -> ResponseReturnValue:
    return card_form()


@form_write(_card_form_again)
def _write_by_card(asked: Asked, number: str, person_id: UUID) -> str | Refusal:
    taking = CardTaking(act(), asked, me().unit_ids(*ROLES), number, person_id)
    (taken,) = redemptions.take_by_card(session(), [taking])
    return taken if isinstance(taken, Refusal) else url_for("till.answer", redemption_id=taken.id)


@pages.get("/till/orders")
@allow(*ROLES)
def order_form() -> ResponseReturnValue:
    """Show what an order code can be drawn for."""
    return _desk("redeem/till/order.html")


@pages.post("/till/orders")
@allow(*ROLES)
@form_write(order_form)
def order() -> str | Refusal:
    """Draw an order code."""
    opened = redemptions.open_order(session(), act(), services().vault, _asked(), unit_ids=me().unit_ids(*ROLES))
    return opened if isinstance(opened, Refusal) else url_for("till.answer", redemption_id=opened.id)


@pages.get("/till/redemptions/<uuid:redemption_id>")
@allow(*ROLES)
def answer(redemption_id: UUID) -> ResponseReturnValue:
    """Show how a redemption stands, over the full width; while it waits, the page refreshes itself."""
    now = services().clock.now()
    row = redemptions.redemption(session(), me().book_id, now, redemption_id, unit_ids=me().unit_ids(*ROLES))
    code = redemptions.order_code(session(), services().vault, me().book, row.id) if row.state == "open" else None
    return render_template(
        "redeem/till/answer.html",
        row=row,
        address=code and code_address("o", code.token),
        number=code and code.number,
        seconds=max(0, int((row.expires_at - now).total_seconds())),
    )


@pages.get("/till/redemptions/<uuid:redemption_id>/live")
@allow(*ROLES, by_itself=True)
def live(redemption_id: UUID) -> ResponseReturnValue:
    """Tell how a redemption stands, for the page that waits; nothing where nothing changed."""
    now = services().clock.now()
    standing = redemptions.standing(session(), me().book_id, now, redemption_id, unit_ids=me().unit_ids(*ROLES))
    return if_changed({"shown": standing})


@pages.post("/till/redemptions/<uuid:redemption_id>/cancel")
@allow(*ROLES)
@form_write(answer)
def cancel(redemption_id: UUID) -> str | Refusal:
    """Take back an order, or what a volunteer was asked."""
    done = redemptions.cancel(session(), act(), redemption_id, unit_ids=me().unit_ids(*ROLES))
    return done if isinstance(done, Refusal) else url_for("till.answer", redemption_id=redemption_id)


@pages.get("/till/redemptions/<uuid:redemption_id>/void")
@allow(*ROLES)
def void_form(redemption_id: UUID) -> ResponseReturnValue:
    """Show what can be given back of a redemption."""
    row = redemptions.redemption(session(), me().book_id, services().clock.now(), redemption_id, unit_ids=me().unit_ids(*ROLES))
    return render_template("redeem/till/void.html", row=row)


@pages.post("/till/redemptions/<uuid:redemption_id>/void")
@allow(*ROLES)
@form_write(void_form)
def void(redemption_id: UUID) -> str | Refusal:
    """Give points back, in part or all that is left."""
    points = forms.points("points") if forms.text("points") else None
    reason = forms.choice("reason", *redemptions.VOID_REASONS)
    done = redemptions.void(session(), act(), redemption_id, points=points, reason=reason, unit_ids=me().unit_ids(*ROLES))
    return done if isinstance(done, Refusal) else url_for("till.answer", redemption_id=redemption_id)


@pages.get("/till/today")
@allow(*ROLES)
def today() -> ResponseReturnValue:
    """Show today's redemptions, their sums, and what each shop is owed."""
    now, unit_ids = services().clock.now(), me().unit_ids(*ROLES)
    since = catalogue.period_begins("day", me().today, me().zone)
    return render_template(
        "redeem/till/today.html",
        rows=redemptions.of_units(session(), me().book_id, now, unit_ids, since=since, limit=TODAY_MAX),
        taken=redemptions.taken_since(session(), me().book_id, unit_ids, since),
        owed=[(name, merchants.owed(session(), me().book_id, unit_id)) for unit_id, name in _shops(_tills()).items()],
    )


def _tills() -> Sequence[merchants.Till]:
    return merchants.tills(session(), me().book_id, me().unit_ids(*ROLES))


def _shops(tills: Sequence[merchants.Till]) -> dict[UUID, str]:
    return library.names_of(session(), me().book_id, {one.unit_id for one in tills})


def _desk(template: str) -> ResponseReturnValue:
    """Draw a form that asks for something at one till: the one that was chosen, or the only one."""
    tills = _tills()
    shops = _shops(tills)
    here = _chosen(tills, "till_id") or (tills[0] if len(tills) == 1 else None)
    if here is None:
        return render_template("redeem/till/choose.html", tills=tills, shops=shops)
    rows = catalogue.offers(session(), me().book_id, me().today, unit_ids=[here.unit_id], limit=OFFERS_MAX)
    offer = _chosen([row.offer for row in rows], "offer_id")
    return render_template(template, here=here, shop=shops[here.unit_id], rows=rows, offer=offer, has_several=len(tills) > 1)


def _chosen(things: Sequence[Thing], name: str) -> Thing | None:
    """Return the one that the form or the address names."""
    return next((one for one in things if str(one.id) == request.values.get(name)), None)


def _asked() -> Asked:
    """Read what is asked: an offer so many times, or, where none is chosen, points."""
    till_id = forms.an_id("till_id")
    if forms.text("offer_id"):
        return Asked(till_id, forms.an_id("offer_id"), forms.whole("quantity", 1, redemptions.QUANTITY_MAX))
    if not forms.text("points"):
        raise Invalid("nothing-asked", "points")
    return Asked(till_id, points=forms.points("points"))
