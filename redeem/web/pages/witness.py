"""A till as a witness of the log: its own key, its word for each head that carries on, and its refusal of one that does not.

What it saw is kept in its browser (js/witness.js), where nobody who changes the database can reach it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from flask import Blueprint
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from ledger import seal
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show
from ledger.web.kit.watching import WATCHERS
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.kit.writing import is_own_form
from ledger.web.kit.writing import patiently
from redeem import library
from redeem.web.kit import end_watching
from redeem.web.pages import till

pages = Blueprint("witness", __name__)

LINE_LENGTH_MAX = 500
SIZE_MAX = 10**18 - 1
#: One till's refusals are kept up to so many: more say nothing that these do not.
ALARMS_MAX = 20
_ALARMS_READ = 1_000


@dataclass(frozen=True)
class Watched:
    """What a page of a till tells it of the log: the book's number, the keys that sign, and the till's own key as it is known here.

    Each key comes with the word of the one before it: the till follows from the first that it saw.
    """

    device_id: UUID
    number: int
    keys: list[dict[str, str]]
    own: str | None


def watched() -> Watched | None:
    """Return what this till watches; nothing where it is no device of a shop with a shift open, or where nothing was signed yet."""
    device_id = _device()
    keys = seal.log_keys(session(), me().book_id) if device_id else []
    if device_id is None or not keys:
        return None
    told = [{"vkey": str(one.key), "note": str(one.note) if one.note else ""} for one in keys]
    return Watched(device_id, me().book.number, told, next(iter(_keys_of(device_id)), None))


pages.add_app_template_global(watched, "watched")


def tills_watching() -> Mapping[str, str]:
    """Return shop and device behind each name under which a till watches the log, for whoever looks over the whole book; else nothing."""
    who = maybe_me()
    if who is None or f"{who.book.area_code}/" not in who.scope(*WATCHERS):
        return {}
    behind = seal.tills(session(), who.book_id)
    devices = sign_in.devices_by_id(session(), who.book_id, {*behind.values()})
    shops = library.names_of(session(), who.book_id, {one.unit_id for one in devices.values() if one.unit_id})
    named = {one.id: f"{shops[one.unit_id]} · {one.name}" for one in devices.values() if one.unit_id in shops}
    return {name: named[device_id] for name, device_id in behind.items() if device_id in named}


pages.add_app_template_global(tills_watching, "tills_watching")


@pages.post("/till/log/key")
@allow(*till.ROLES, by_itself=True)
@form_write(till.till)
def key() -> str | Refusal:
    """Let the till watch the log under this key from now on, in place of the one before."""
    device_id = _device()
    if device_id is None:
        return Refusal("device-not-paired", "key")
    book_id, told = act().book_id, _key(forms.words("key", LINE_LENGTH_MAX))
    if str(told) not in _keys_of(device_id):
        if seal.has_watched(session(), book_id, told):
            # It was watching before and was ended, or it is another till's.
            raise Invalid("witness-key-wrong", "key")
        end_watching(session(), book_id, device_id, act().at)
        try:
            with session().begin_nested():
                seal.add_witness(session(), book_id, told, act().at, device_id=device_id)
        except IntegrityError:
            # It came twice at once.
            raise Invalid("witness-key-wrong", "key") from None
    return url_for("till.till")


@pages.post("/till/log/cosignature")
@allow(*till.ROLES, by_itself=True)
def cosignature() -> ResponseReturnValue:
    """Keep the till's word that a head carries on from all that it saw.

    The log itself keeps it, for good and once however often it is sent: it needs neither a key nor a line of the audit log, which would be
    one a minute from each till.
    """
    if not is_own_form():
        return show(problem_body("form-expired"))
    if _device() is None:
        return show(body_of(Refusal("device-not-paired", "line")))
    size, line = forms.whole("size", 1, SIZE_MAX), forms.words("line", LINE_LENGTH_MAX)
    if not patiently(lambda: _is_heard(size, line)):
        raise Invalid("cosignature-wrong", "line")
    return "", 204


@pages.post("/till/log/refusal")
@allow(*till.ROLES, by_itself=True)
@form_write(till.till)
def refusal() -> str | Refusal:
    """Keep it that the till was shown a head that does not carry on from the one that it had seen, both signed by the log; once.

    They are held against the log as it is written: of two that are both beginnings of it, no refusal is believed.
    """
    device_id = _device()
    if device_id is None:
        return Refusal("device-not-paired", "note")
    book_id, told = act().book_id, (_signed("note"), _signed("seen"))
    shown, seen = (seal.head_of(note.body) for note in told)
    name = next((seal.key_of(vkey).name for vkey in _keys_of(device_id)), None)
    if name is None:
        raise Invalid("witness-key-wrong", "note")
    if not seal.contradict(session(), book_id, shown, seen):
        raise Invalid("heads-agree", "note")
    if sum(one.witness == name for one in seal.alarms(session(), book_id, _ALARMS_READ)) < ALARMS_MAX:
        seal.alarm(session(), book_id, "till-refused", name, shown, seen.size, act().at, told)
    return url_for("till.till")


def _device() -> UUID | None:
    """Return the shop's device on which the shift is open that asks."""
    who = maybe_me()
    return who.signed_in.device_id if who and who.signed_in.way == "shift" else None


def _keys_of(device_id: UUID) -> list[str]:
    return [one.key for one in seal.witnesses(session(), me().book_id) if one.device_id == device_id]


def _key(vkey: str) -> seal.Key:
    """Read a till's key: of a witness, and called as a till of this log is."""
    origin = seal.origin_of(session(), me().book_id)
    if origin is None:
        raise NotFound("log")
    try:
        found = seal.key_of(vkey)
    except seal.NoteError:
        raise Invalid("witness-key-wrong", "key") from None
    if found.kind != seal.COSIGNATURE or found.name != f"till-{sha256(found.public).hexdigest()[:8]}.{origin}":
        raise Invalid("witness-key-wrong", "key")
    return found


def _is_heard(size: int, line: str) -> bool:
    try:
        is_heard = seal.hear(session(), me().book_id, size, seal.signature_of(line), services().clock.now())
        session().commit()
    except seal.NoteError:
        return False
    return is_heard


def _signed(field: str) -> seal.Note:
    """Read a head that the log signed."""
    try:
        note = seal.note_of(request.form.get(field, ""))
        is_signed = seal.is_signed(session(), me().book_id, note)
    except seal.NoteError:
        raise Invalid("head-not-signed", field) from None
    if not is_signed:
        raise Invalid("head-not-signed", field)
    return note
