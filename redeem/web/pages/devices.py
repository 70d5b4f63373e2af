"""The devices of a shop: its owner pairs and ends them, and its cashiers open and end their shifts on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import people
from ledger import sign_in
from ledger.clock import local_day
from ledger.errors import DomainError
from ledger.errors import Refusal
from ledger.sign_in import DEVICE_NAME_LENGTH_MAX
from ledger.sign_in import PairedDevice
from ledger.tokens import digits_of
from ledger.web.kit import forms
from ledger.web.kit import trail
from ledger.web.kit import trying
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from ledger.web.kit.paired import PIN_LENGTH_MAX
from ledger.web.kit.paired import entered
from ledger.web.kit.paired import open_form
from ledger.web.kit.paired import pairing_shown
from ledger.web.kit.paired import proved
from ledger.web.kit.paired import this_device
from ledger.web.kit.paired import typed_pin
from ledger.web.kit.paired import without_session
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.kit.writing import is_own_form
from redeem import library
from redeem import merchants
from redeem import redemptions
from redeem.web.kit import end_watching
from redeem.web.kit import own_shop

pages = Blueprint("devices", __name__)

CODE_LENGTH_MAX = 20


@dataclass(frozen=True)
class Cashier:
    """Somebody who may open a shift, as the page shows them: enough to find oneself, and no more."""

    id: UUID
    name: str
    tail: str
    handle: str


@pages.get("/shop/<uuid:unit_id>/devices")
@allow("shop_owner")
def devices(unit_id: UUID) -> ResponseReturnValue:
    """Show the shop's devices, and a form for one more."""
    listed = sign_in.devices_of(session(), me().book_id, unit_ids=[unit_id], at=services().clock.now())
    return render_template("redeem/devices/devices.html", devices=listed, **own_shop(unit_id))


@pages.post("/shop/<uuid:unit_id>/devices")
@allow("shop_owner", fresh=True)
@form_write(devices)
def prepare(unit_id: UUID) -> str:
    """Let one more device of the shop be paired."""
    own_shop(unit_id)
    name = forms.words("name", DEVICE_NAME_LENGTH_MAX)
    made = sign_in.prepare_device(session(), act(), services().vault, name=name, unit_id=unit_id)
    return url_for("devices.device", unit_id=unit_id, device_id=made.id)


@pages.get("/shop/<uuid:unit_id>/devices/<uuid:device_id>")
@allow("shop_owner")
def device(unit_id: UUID, device_id: UUID) -> ResponseReturnValue:
    """Show the code that pairs the device, while it can be paired."""
    shown = own_shop(unit_id)
    found = sign_in.device_of(session(), me().book_id, device_id, unit_ids=[unit_id])
    return render_template("redeem/devices/device.html", device=found, **pairing_shown(found), **shown)


def _devices_again(unit_id: UUID, device_id: UUID) -> ResponseReturnValue:
    return devices(unit_id)


@pages.post("/shop/<uuid:unit_id>/devices/<uuid:device_id>/end")
@allow("shop_owner")
@form_write(_devices_again)
def end(unit_id: UUID, device_id: UUID) -> str:
    """End a device: a shift that is open on it ends at once."""
    own_shop(unit_id)
    sign_in.end_device(session(), act(), device_id, unit_ids=[unit_id])
    end_watching(session(), act().book_id, device_id, act().at)
    return url_for("devices.devices", unit_id=unit_id)


@pages.get("/shift")
@allow(public=True)
def shift() -> ResponseReturnValue:
    """Let a cashier of the shop find themselves and type their PIN; whose shift locked itself is asked for it at once."""
    device = _till_device()
    if device is None:
        return render_template("redeem/devices/shift.html", device=None)
    cashiers = _cashiers(device)
    shop = library.names_of(session(), device.book.id, [device.unit_id] if device.unit_id else [])
    return render_template(
        "redeem/devices/shift.html",
        device=device,
        shop=next(iter(shop.values())),
        cashiers=cashiers,
        cashier=None if "choose" in request.args else _chosen(device, cashiers),
    )


@pages.post("/shift")
@allow(public=True)
@open_form(shift)
def open_shift() -> ResponseReturnValue | Refusal:
    """Open a shift of a cashier of this shop, on this device and no other."""
    device = _till_device()
    if device is None:
        return Refusal("device-not-paired", "person_id")
    person_id, pin = forms.an_id("person_id"), digits_of(forms.words("_pin", PIN_LENGTH_MAX))
    known = person_id if any(one.id == person_id for one in _cashiers(device)) else None
    try:
        proved(device.book.id, f"shift {person_id}", str(device.id), str(device.unit_id), known, "shift", pin, "pin-wrong")
    except DomainError as problem:
        trail.note("shift", problem.code, book_id=device.book.id, about=device.id)
        raise
    trail.note("shift", book_id=device.book.id, actor=person_id, about=device.id)
    return entered(redirect(url_for("till.till"), 303), device, person_id, "shift")


@pages.get("/shift/pin")
@allow(public=True)
def first_pin_form() -> ResponseReturnValue:
    """Let a cashier set the PIN of their shifts by the code that the owner gave them."""
    device = _till_device()
    cashier = _chosen(device, _cashiers(device)) if device else None
    return render_template("redeem/devices/first_pin.html", cashier=cashier)


@pages.post("/shift/pin")
@allow(public=True)
@open_form(first_pin_form)
def first_pin() -> ResponseReturnValue | Refusal:
    """Use the owner's code up, keep the PIN, and open the shift."""
    device = _till_device()
    if device is None:
        return Refusal("device-not-paired", "code")
    person_id, code, pin = forms.an_id("person_id"), forms.words("code", CODE_LENGTH_MAX), typed_pin()
    is_known = any(one.id == person_id for one in _cashiers(device))
    reserved = trying.reserve_known(device.book.id, f"pin code {person_id}", str(device.id))
    if isinstance(reserved, Refusal):
        return reserved
    end_reading()
    now, vault = services().clock.now(), services().vault
    if not is_known or sign_in.use_pin_code(session(), vault, device.book.id, person_id, code, now):
        trail.note("shift PIN", "pin-code-wrong", book_id=device.book.id, about=device.id)
        return Refusal("pin-code-wrong", "code")
    try:
        sign_in.set_pin(session(), vault, device.book.id, person_id, "shift", pin, now)
    except DomainError:
        # The code was right and is still good; it was the PIN that others would try first.
        with transaction_of_its_own() as own:
            sign_in.give_back(own, reserved)
        raise
    sign_in.give_back(session(), reserved)
    trail.note("shift PIN", book_id=device.book.id, actor=person_id, about=device.id)
    return entered(redirect(url_for("till.till"), 303), device, person_id, "shift")


@pages.get("/shift/end")
@allow("cashier")
def close_form() -> ResponseReturnValue:
    """Show what was taken in the shift, to be compared with the slips and the cash, before it ends."""
    who = me()
    if who.signed_in.way != "shift" or who.signed_in.device_id is None:
        return redirect(url_for("till.today"))
    began = sign_in.shift_began(session(), who.book_id, who.signed_in.device_id, who.actor_id) or who.signed_in.created_at
    taken = redemptions.taken_since(session(), who.book_id, who.unit_ids("cashier"), began, cashier_id=who.actor_id)
    return render_template("redeem/devices/close.html", began=began, taken=taken)


@pages.post("/shift/end")
@allow("cashier")
def end_shift() -> ResponseReturnValue:
    """End the shift: the next cashier opens their own."""
    if not is_own_form():
        return show(problem_body("form-expired"))
    sign_in.sign_out(session(), me().token, services().clock.now())
    session().commit()
    return without_session(redirect(url_for("devices.shift"), 303))


def _till_device() -> PairedDevice | None:
    """Return the device that the request comes from, where it is one of a shop."""
    device = this_device()
    return device if device and device.unit_id else None


def _cashiers(device: PairedDevice) -> list[Cashier]:
    """Return who works as a cashier today in the shop of a device."""
    assert device.unit_id
    today = local_day(services().clock.now(), device.book.zone)
    ids = merchants.cashiers_on(session(), device.book.id, device.unit_id, today)
    persons = people.persons(session(), device.book.id, ids)
    names = people.names_of(session(), services().vault, device.book.id, ids)
    return [
        Cashier(one.id, people.masked_name(names[one.id]), one.handle[-4:], one.handle)
        for one in (persons[person_id] for person_id in ids)
        if one.status == "active"
    ]


def _chosen(device: PairedDevice, cashiers: Sequence[Cashier]) -> Cashier | None:
    """Return whom the form or the address names, or whose shift locked itself on the device, or the only one there is."""
    asked, typed = request.values.get("person_id", ""), "".join(request.values.get("handle", "").split())
    if not asked and not typed:
        asked = str(sign_in.locked_shift_on(session(), device.book.id, device.id) or "")
        if not asked and len(cashiers) == 1:
            return cashiers[0]
    return next((one for one in cashiers if str(one.id) == asked or one.handle == typed), None)
