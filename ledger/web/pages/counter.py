"""The counter: pairing its devices, coming in with card and PIN, and, for staff, handing cards over."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import areas
from ledger import claims
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import Card
from ledger.people import Person
from ledger.sign_in import DEVICE_NAME_LENGTH_MAX
from ledger.tokens import digits_of
from ledger.web.kit import forms
from ledger.web.kit import trail
from ledger.web.kit import trying
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.paired import PIN_LENGTH_MAX
from ledger.web.kit.paired import entered
from ledger.web.kit.paired import open_form
from ledger.web.kit.paired import pairing_shown
from ledger.web.kit.paired import proved_card
from ledger.web.kit.paired import this_device
from ledger.web.kit.paired import typed_pin
from ledger.web.kit.paired import with_device
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("counter", __name__)

WORKERS = ("grid_worker", "administrator")
AREAS_MAX = 200
CODE_LENGTH_MAX = 30
#: The last lines of a passbook that is opened.
LINES = 5
#: As printed, with its spaces.
CARD_LENGTH_MAX = 20


@pages.get("/device")
@allow(public=True)
def here() -> ResponseReturnValue:
    """Go to where people sign in on this device: the shift of a shop's, the card of a counter's."""
    device = this_device()
    if device is None:
        return redirect(url_for("sign_in.how"))
    return redirect(url_for("devices.shift" if device.unit_id else "counter.card_form"))


@pages.get("/pair")
@allow(public=True)
def pair_form() -> ResponseReturnValue:
    """Ask for the code that pairs this device."""
    return render_template("ledger/counter/pair.html", code="")


@pages.get("/pair/<code>")
@pages.get("/PAIR/<code>")
@allow(public=True)
def pair_scanned(code: str) -> ResponseReturnValue:
    """Show the button that pairs this device; looking at the page does not use the code up."""
    return render_template("ledger/counter/pair.html", code=code)


@pages.post("/pair")
@allow(public=True)
@open_form(pair_form)
def pair() -> ResponseReturnValue | Refusal:
    """Use the code up: from now on this browser is that device."""
    read = sign_in.read_code(session(), forms.words("code", CODE_LENGTH_MAX))
    if read is None:
        return Refusal("pairing-code-wrong", "code")
    book, code = read
    reserved = trying.reserve(book.id, f"pairing {code}")
    if isinstance(reserved, Refusal):
        return reserved
    end_reading()
    paired = sign_in.pair(session(), services().vault, areas.book(session(), book.id), code, services().clock.now())
    if isinstance(paired, Refusal):
        trail.note("pair", paired.code, book_id=book.id)
        return paired
    device, token = paired
    sign_in.give_back(session(), reserved)
    session().commit()
    trail.note("pair", book_id=device.book.id, about=device.id)
    return with_device(redirect(url_for("counter.here"), 303), token)


@pages.get("/counter")
@allow(public=True)
def card_form() -> ResponseReturnValue:
    """Ask for card and PIN, where this device is paired; say where else to sign in, where it is not."""
    return render_template("ledger/counter/card.html", device=this_device())


@pages.post("/counter")
@allow(public=True)
@open_form(card_form)
def enter() -> ResponseReturnValue | Refusal:
    """Sign in with card and PIN, for ten minutes."""
    device = this_device()
    if device is None:
        return Refusal("device-not-paired", "card")
    book_id, number, pin = device.book.id, forms.words("card", CARD_LENGTH_MAX), forms.words("_pin", PIN_LENGTH_MAX)
    try:
        person_id = proved_card(book_id, number, pin, str(device.id), str(device.unit_id or device.area_code))
    except Invalid as problem:
        trail.note("card sign-in", problem.code, book_id=book_id, about=device.id)
        raise
    trail.note("card sign-in", book_id=book_id, actor=person_id, about=device.id)
    return entered(redirect(url_for("sign_in.home"), 303), device, person_id, "card")


@pages.get("/counter/devices")
@allow(*WORKERS)
def devices() -> ResponseReturnValue:
    """Show the devices of one's counters, and a form for one more."""
    now, scope = services().clock.now(), me().scope(*WORKERS)
    listed = sign_in.devices_of(session(), me().book_id, within=scope, at=now)
    names = areas.names_of(session(), me().book_id, {one.area_code for one in listed if one.area_code})
    places = [(area.code, area.name) for path in scope for area in areas.subtree(session(), me().book_id, path, limit=AREAS_MAX)]
    return render_template("ledger/counter/devices.html", devices=listed, names=names, places=places)


@pages.post("/counter/devices")
@allow(*WORKERS, fresh=True)
@form_write(devices)
def prepare() -> str:
    """Let one more device be paired, for the counter of an area."""
    device = sign_in.prepare_device(
        session(), act(), services().vault, name=forms.words("name", DEVICE_NAME_LENGTH_MAX), area_code=forms.words("area_code", 64),
        within=me().scope(*WORKERS),
    )  # fmt: skip
    return url_for("counter.device", device_id=device.id)


@pages.get("/counter/devices/<uuid:device_id>")
@allow(*WORKERS)
def device(device_id: UUID) -> ResponseReturnValue:
    """Show the code that pairs the device, while it can be paired."""
    found = sign_in.device_of(session(), me().book_id, device_id, within=me().scope(*WORKERS))
    return render_template("ledger/counter/device.html", device=found, **pairing_shown(found))


@pages.post("/counter/devices/<uuid:device_id>/end")
@allow(*WORKERS)
@form_write(device)
def end_device(device_id: UUID) -> str:
    """End a device: what is signed in on it is signed out at once."""
    sign_in.end_device(session(), act(), device_id, within=me().scope(*WORKERS))
    return url_for("counter.devices")


@pages.get("/counter/cards")
@allow(*WORKERS)
def cards() -> ResponseReturnValue:
    """Ask whose card it is about, by passbook number, and lead there."""
    typed = request.args.get("handle", "").strip()
    if not typed:
        return render_template("ledger/counter/cards.html", handle="", is_unknown=False)
    person = people.by_handle(session(), me().book_id, typed, me().scope(*WORKERS))
    if person is None:
        return render_template("ledger/counter/cards.html", handle=typed, is_unknown=True)
    return redirect(url_for("counter.served", person_id=person.id))


@pages.get("/counter/people/<uuid:person_id>")
@allow(*WORKERS)
def served(person_id: UUID) -> ResponseReturnValue:
    """Show everything that can be done for somebody who stands at the counter; what they have only once it is opened with a reason."""
    current, book_id = session(), me().book_id
    person = _person(person_id)
    opened = people.opened(current, services().vault, book_id, person_id, me().actor_id, services().clock.now())
    name = people.names_of(current, services().vault, book_id, [person_id])[person_id]
    balance, lines = _passbook(person_id) if opened is not None else (None, [])
    awards = {line.reference for line in lines if line.kind == "award" and line.reference}
    return render_template(
        "ledger/counter/served.html",
        person=person,
        name=people.masked_name(name) if opened is None else name,
        place=areas.names_of(current, book_id, {person.area_code})[person.area_code],
        reasons=people.OPENING_REASONS,
        balance=balance,
        lines=lines,
        deeds={row.id: row.rate for row in claims.among(current, book_id, awards, own=claims.Own(person_id))},
    )


def _passbook(person_id: UUID) -> tuple[journal.Balance, list[journal.LineRow]]:
    account = journal.account_ids(session(), me().book_id, "passbook", [person_id]).get(person_id)
    if account is None:
        return journal.Balance(0, 0, 0, 0), []
    balance = journal.balance_of(session(), me().book_id, account, services().clock.now())
    return balance, journal.history(session(), me().book_id, account, limit=LINES)


@pages.post("/counter/people/<uuid:person_id>")
@allow(*WORKERS)
@form_write(served)
def open_passbook(person_id: UUID) -> str:
    """Open what somebody has for some minutes, for a reason that they will see."""
    people.open_person(session(), act(), person_id, forms.choice("reason", *people.OPENING_REASONS), within=me().scope(*WORKERS))
    return url_for("counter.served", person_id=person_id)


@pages.get("/counter/cards/<uuid:person_id>")
@allow(*WORKERS)
def holder(person_id: UUID) -> ResponseReturnValue:
    """Show which cards somebody has or had; the number of one that was just issued, to be printed on it."""
    person = _person(person_id)
    listed = people.cards_of(session(), me().book_id, person_id)
    live = next((card for card in listed if card.revoked_at is None), None)
    name = people.names_of(session(), services().vault, me().book_id, [person_id])[person_id]
    return render_template(
        "ledger/counter/holder.html",
        person=person,
        name=people.masked_name(name),
        cards=listed,
        live=live,
        is_new=live is not None and people.is_card_told(live.issued_at, services().clock.now()),
        has_pin=sign_in.has_pin(session(), me().book_id, person_id, "pin"),
    )


@pages.post("/counter/cards/<uuid:person_id>/issue")
@allow(*WORKERS, fresh=True)
@form_write(holder)
def issue(person_id: UUID) -> str | Refusal:
    """Give somebody a card."""
    return _led(people.issue_card(session(), act(), person_id, within=me().scope(*WORKERS)), person_id)


@pages.post("/counter/cards/<uuid:person_id>/replace")
@allow(*WORKERS, fresh=True)
@form_write(holder)
def replace(person_id: UUID) -> str | Refusal:
    """Give somebody another card in place of the one they had."""
    replaced = people.replace_card(session(), act(), person_id, within=me().scope(*WORKERS))
    if not isinstance(replaced, Refusal):
        sign_in.end_card(session(), act(), person_id)
    return _led(replaced, person_id)


@pages.post("/counter/cards/<uuid:person_id>/revoke")
@allow(*WORKERS)
@form_write(holder)
def revoke(person_id: UUID) -> str | Refusal:
    """Let somebody's card open nothing any more."""
    revoked = people.revoke_card(session(), act(), person_id, within=me().scope(*WORKERS))
    if not isinstance(revoked, Refusal):
        sign_in.end_card(session(), act(), person_id)
    return _led(revoked, person_id)


@pages.post("/counter/cards/<uuid:person_id>/number")
@allow(*WORKERS, fresh=True)
@form_write(holder)
def renumber(person_id: UUID) -> str | Refusal:
    """Give somebody another passbook number in place of the one they had."""
    within, staff_within = me().scope(*WORKERS), me().scope("administrator")
    given = people.replace_handle(session(), act(), person_id, within=within, staff_within=staff_within, powers_of=powers_of)
    return _led(given, person_id)


@pages.get("/counter/pin")
@allow(*WORKERS, fresh=True)
def pin_form() -> ResponseReturnValue:
    """Hand the keys to whoever the card is for: they type a PIN of their own, twice, and staff look away."""
    return render_template("ledger/counter/pin.html", is_set="done" in request.args)


@pages.post("/counter/pin")
@allow(*WORKERS, fresh=True)
@form_write(pin_form)
def set_pin() -> str | Refusal:
    """Let the PIN of a card be the one that was typed; wrong tries are forgotten."""
    number = digits_of(forms.words("card", CARD_LENGTH_MAX))
    found = people.holders_of(session(), me().book_id, [number]).get(number)
    if found is None:
        raise NotFound("card")
    person = _person(found.id)
    if person.id == me().actor_id:
        return Refusal("card-for-oneself", "card")
    sign_in.set_pin(session(), services().vault, me().book_id, person.id, "pin", typed_pin(), act().at)
    # Whose PIN it is stands in the address, and so in the audit log, where they find who set it.
    return url_for("counter.pin_form", done=person.id)


def _person(person_id: UUID) -> Person:
    return people.person(session(), me().book_id, person_id, me().scope(*WORKERS))


def _led(outcome: Card | Person | Refusal, person_id: UUID) -> str | Refusal:
    return outcome if isinstance(outcome, Refusal) else url_for("counter.holder", person_id=person_id)
