"""The shop owner's side: offers and stock, tills, cashiers."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import people
from ledger import sign_in
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from redeem import catalogue
from redeem import library
from redeem import merchants
from redeem import redemptions
from redeem.catalogue import CASH_FEN_MAX
from redeem.catalogue import QUANTITY_MAX
from redeem.catalogue import TITLE_LENGTH_MAX
from redeem.merchants import NAME_LENGTH_MAX
from redeem.web.kit import own_shop

pages = Blueprint("shop", __name__, url_prefix="/shop")

OFFERS_MAX = 200
HANDLE_LENGTH_MAX = 20


@pages.get("")
@allow("shop_owner")
def shops() -> ResponseReturnValue:
    """Show one's shops; whoever has one only is led to it."""
    owned = library.names_of(session(), me().book_id, _own())
    if len(owned) == 1:
        return redirect(url_for("shop.offers", unit_id=next(iter(owned))))
    return render_template("redeem/shop/shops.html", shops=owned)


@pages.get("/<uuid:unit_id>")
@allow("shop_owner")
def figures(unit_id: UUID) -> ResponseReturnValue:
    """Show what the shop took today and this month, and what it is owed."""
    shop, zone = own_shop(unit_id), ZoneInfo(me().zone)
    begins = {"today": me().today, "month": me().today.replace(day=1)}
    since = {name: datetime.combine(day, time.min, zone) for name, day in begins.items()}
    return render_template(
        "redeem/shop/figures.html",
        taken={name: redemptions.taken_since(session(), me().book_id, [unit_id], moment) for name, moment in since.items()},
        owed=merchants.owed(session(), me().book_id, unit_id),
        begins=begins,
        **shop,
    )


@pages.get("/<uuid:unit_id>/about")
@allow("shop_owner")
def about(unit_id: UUID) -> ResponseReturnValue:
    """Show what customers are told of the shop, to be put right."""
    unit = library.unit(session(), me().book_id, unit_id, (), _own())
    return render_template("redeem/shop/about.html", unit=unit, most=library.ADDRESS_LENGTH_MAX, **own_shop(unit_id))


@pages.post("/<uuid:unit_id>/about")
@allow("shop_owner")
@form_write(about)
def describe(unit_id: UUID) -> str:
    """Say where the shop is, what to call, and when it is open."""
    told = {
        "address": forms.words("address", library.ADDRESS_LENGTH_MAX, least=0),
        "phone": forms.words("phone", 20, least=0),
        "open_hours": forms.words("open_hours", library.NAME_LENGTH_MAX, least=0),
    }
    library.describe(session(), act(), unit_id, **told, within=(), own=_own())
    return url_for("shop.about", unit_id=unit_id, done=1)


@pages.get("/<uuid:unit_id>/offers")
@allow("shop_owner")
def offers(unit_id: UUID) -> ResponseReturnValue:
    """Show what the shop offers and how many there are, and a form for one more."""
    return render_template("redeem/shop/offers.html", rows=_rows(unit_id), **own_shop(unit_id))


@pages.post("/<uuid:unit_id>/offers")
@allow("shop_owner")
@form_write(offers)
def add_offer(unit_id: UUID) -> str | Refusal:
    """Offer something from today on."""
    has_limit = bool(forms.text("limit_per_person"))
    made = catalogue.add_offer(
        session(),
        act(),
        unit_id,
        title=forms.words("title", TITLE_LENGTH_MAX),
        points=forms.points("points"),
        cash_fen=forms.fen("cash", CASH_FEN_MAX) if forms.text("cash") else 0,
        limit_per_person=forms.whole("limit_per_person", 1, QUANTITY_MAX) if has_limit else None,
        limit_period=forms.choice("limit_period", *catalogue.LIMIT_PERIODS) if has_limit else None,
        stock=forms.whole("stock", 0, QUANTITY_MAX) if forms.text("stock") else None,
        valid_from=me().today,
        valid_to=forms.day("valid_to") if forms.text("valid_to") else None,
        within=(),
        own=_own(),
    )
    return made if isinstance(made, Refusal) else url_for("shop.offers", unit_id=unit_id, done=1)


@pages.get("/<uuid:unit_id>/offers/<uuid:offer_id>")
@allow("shop_owner")
def offer(unit_id: UUID, offer_id: UUID) -> ResponseReturnValue:
    """Show one offer, with forms for a delivery, a count, and its end."""
    row = next((one for one in _rows(unit_id) if one.offer.id == offer_id), None)
    if row is None:
        raise NotFound("offer_id")
    return render_template("redeem/shop/offer.html", row=row, today=me().today, **own_shop(unit_id))


@pages.post("/<uuid:unit_id>/offers/<uuid:offer_id>/deliver")
@allow("shop_owner")
@form_write(offer)
def deliver(unit_id: UUID, offer_id: UUID) -> str | Refusal:
    """Take a delivery into stock."""
    quantity = forms.whole("quantity", 1, QUANTITY_MAX)
    left = catalogue.deliver(session(), act(), offer_id, quantity, within=(), own=_own())
    return left if isinstance(left, Refusal) else url_for("shop.offer", unit_id=unit_id, offer_id=offer_id, done=1)


@pages.post("/<uuid:unit_id>/offers/<uuid:offer_id>/count")
@allow("shop_owner")
@form_write(offer)
def count(unit_id: UUID, offer_id: UUID) -> str | Refusal:
    """Put the stock at what was counted."""
    left = catalogue.count(session(), act(), offer_id, forms.whole("on_hand", 0, QUANTITY_MAX), within=(), own=_own())
    return left if isinstance(left, Refusal) else url_for("shop.offer", unit_id=unit_id, offer_id=offer_id, done=1)


@pages.post("/<uuid:unit_id>/offers/<uuid:offer_id>/end")
@allow("shop_owner")
@form_write(offer)
def end_offer(unit_id: UUID, offer_id: UUID) -> str | Refusal:
    """Let an offer end with a day."""
    catalogue.end_offer(session(), act(), offer_id, forms.day("valid_to"), within=(), own=_own())
    return url_for("shop.offers", unit_id=unit_id)


@pages.get("/<uuid:unit_id>/tills")
@allow("shop_owner")
def tills(unit_id: UUID) -> ResponseReturnValue:
    """Show the shop's tills, and a form for one more."""
    return render_template("redeem/shop/tills.html", tills=merchants.tills(session(), me().book_id, [unit_id]), **own_shop(unit_id))


@pages.post("/<uuid:unit_id>/tills")
@allow("shop_owner")
@form_write(tills)
def add_till(unit_id: UUID) -> str | Refusal:
    """Open a till."""
    made = merchants.add_till(session(), act(), unit_id, name=forms.words("name", NAME_LENGTH_MAX), within=(), own=_own())
    return made if isinstance(made, Refusal) else url_for("shop.tills", unit_id=unit_id)


@pages.get("/<uuid:unit_id>/staff")
@allow("shop_owner")
def staff(unit_id: UUID) -> ResponseReturnValue:
    """Show who works in the shop, by passbook number, and a form for one more cashier."""
    hired = merchants.staff_of(session(), me().book_id, unit_id)
    who = people.persons(session(), me().book_id, [one.person_id for one in hired])
    return render_template("redeem/shop/staff.html", hired=hired, who=who, today=me().today, **own_shop(unit_id))


@pages.post("/<uuid:unit_id>/staff")
@allow("shop_owner", fresh=True)
@form_write(staff)
def hire(unit_id: UUID) -> str | Refusal:
    """Let somebody work as a cashier from today on."""
    person = people.by_handle(session(), me().book_id, forms.words("handle", HANDLE_LENGTH_MAX))
    if person is None:
        raise NotFound("handle")
    hired = merchants.hire(
        session(), act(), unit_id, person_id=person.id, role="cashier", starts_on=me().today, within=(), own=_own()
    )  # fmt: skip
    return hired if isinstance(hired, Refusal) else url_for("shop.staff", unit_id=unit_id)


def _staff_again(unit_id: UUID, staff_id: UUID) -> ResponseReturnValue:
    return staff(unit_id)


@pages.post("/<uuid:unit_id>/staff/<uuid:staff_id>/end")
@allow("shop_owner", fresh=True)
@form_write(_staff_again)
def dismiss(unit_id: UUID, staff_id: UUID) -> str | Refusal:
    """Let somebody's work end with today."""
    ended = merchants.dismiss(session(), act(), staff_id, me().today, within=(), own=_own())
    return ended if isinstance(ended, Refusal) else url_for("shop.staff", unit_id=unit_id)


@pages.post("/<uuid:unit_id>/staff/<uuid:staff_id>/pin-code")
@allow("shop_owner", fresh=True)
@form_write(_staff_again)
def give_pin_code(unit_id: UUID, staff_id: UUID) -> str:
    """Give a cashier a code with which they set the PIN of their shifts, on one of the shop's devices; an earlier one is dead."""
    sign_in.issue_pin_code(session(), act(), services().vault, _cashier(unit_id, staff_id).person_id)
    return url_for("shop.pin_code", unit_id=unit_id, staff_id=staff_id)


@pages.get("/<uuid:unit_id>/staff/<uuid:staff_id>/pin-code")
@allow("shop_owner")
def pin_code(unit_id: UUID, staff_id: UUID) -> ResponseReturnValue:
    """Show the code that a cashier was given, until it is used."""
    person_id, now = _cashier(unit_id, staff_id).person_id, services().clock.now()
    code = sign_in.open_pin_code(session(), services().vault, me().book_id, person_id, now)
    person = people.person(session(), me().book_id, person_id)
    return render_template("redeem/shop/pin_code.html", person=person, code=code, **own_shop(unit_id))


def _cashier(unit_id: UUID, staff_id: UUID) -> merchants.ShopStaff:
    """Return somebody who works as a cashier today in a shop that is one's own."""
    own_shop(unit_id)
    hired = merchants.staff_of(session(), me().book_id, unit_id)
    found = next((one for one in hired if one.id == staff_id and one.role == "cashier"), None)
    if found is None or not found.starts_on <= me().today <= (found.ends_on or date.max):
        raise NotFound("staff_id")
    return found


def _own() -> frozenset[UUID]:
    return me().unit_ids("shop_owner")


def _rows(unit_id: UUID) -> list[catalogue.OfferRow]:
    return catalogue.offers(session(), me().book_id, me().today, unit_ids=[unit_id], limit=OFFERS_MAX)
