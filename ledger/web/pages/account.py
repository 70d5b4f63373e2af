"""One's own account: what one signs in with, where one is signed in, proving again who one is; and, for administrators, other people's."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ledger import people
from ledger import sign_in
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.people import STRONG_ROLES
from ledger.sign_in import Factors
from ledger.sign_in import codes
from ledger.sign_in import passkeys
from ledger.sign_in import passwords
from ledger.web.kit import forms
from ledger.web.kit import proof
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import hand_over
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.auth import me
from ledger.web.kit.auth import powers_of
from ledger.web.kit.auth import want_proof
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.kit.writing import show_once
from ledger.web.pages.sign_in import safe

pages = Blueprint("account", __name__)

#: Asked for on any device: the proof is the person's own.
_PROOFS = frozenset({"account.proof_form", "account.prove", "account.proof_options"})


@pages.before_request
def _own_device_only() -> ResponseReturnValue | None:
    """Change nothing of anybody's account on a device that others use too."""
    who = maybe_me()
    if who and who.signed_in.device_id and request.endpoint not in _PROOFS:
        return show(problem_body("not-on-shared-device"))
    return None


@pages.get("/account")
@allow(for_others=False)
def home() -> ResponseReturnValue:
    """Show what one signs in with, and where one is signed in."""
    sessions = sign_in.sessions_of(session(), me().book_id, me().person_id, services().clock.now())
    return render_template("ledger/account/home.html", factors=_factors(), sessions=sessions, this=me().signed_in.id, code_of=_code_of)


@pages.get("/account/set-up")
@allow(for_others=False)
def set_up() -> ResponseReturnValue:
    """Offer the strong ways in to whoever has none yet."""
    return render_template("ledger/account/set_up.html", factors=_factors(), withheld=me().withheld)


@pages.get("/account/passkeys/new")
@allow(for_others=False)
def passkey_form() -> ResponseReturnValue:
    """Show the button that makes a passkey on this device or another."""
    _checked()
    return render_template("ledger/account/passkey.html", most=passkeys.NAME_LENGTH_MAX)


@pages.get("/account/passkeys/options")
@allow(for_others=False)
def passkey_options() -> ResponseReturnValue:
    """Tell a browser what passkey to make."""
    factors, who = _checked(), me()
    account = people.names_of(session(), services().vault, who.book_id, [who.person_id])[who.person_id]
    made = passkeys.registration_options(proof.site(), who.book, who.person_id, account, factors.passkeys, services().clock.now())
    return Response(made, content_type="application/json")


@pages.post("/account/passkeys/new")
@allow(for_others=False)
@form_write(passkey_form)
def add_passkey() -> str | Refusal:
    """Keep the passkey that the browser has made; whoever was setting one up is signed in with it."""
    factors, setting_up = _checked(), _is_setting_up()
    name = forms.words("name", passkeys.NAME_LENGTH_MAX)
    answer = request.form.get("_answer", "")
    made = passkeys.register(session(), act(), proof.site(), me().person_id, answer=answer, name=name, has=factors.passkeys)
    if isinstance(made, Refusal):
        return made
    return _strong_now("passkey") if setting_up else url_for("account.home", done="passkey")


@pages.post("/account/passkeys/rename")
@allow(for_others=False)
@form_write(home)
def rename_passkey() -> str:
    """Call one of one's passkeys otherwise."""
    passkeys.rename(session(), act(), me().person_id, _passkey_typed(), forms.words("name", passkeys.NAME_LENGTH_MAX))
    return url_for("account.home")


@pages.post("/account/passkeys/remove")
@allow(for_others=False)
@form_write(home)
def remove_passkey() -> str | Refusal:
    """Remove one of one's passkeys, unless it is the only strong way in of whoever needs one."""
    factors, credential_id = _checked(), _passkey_typed()
    others = [one for one in factors.passkeys if one.credential_id != credential_id]
    if not others and not factors.has_password and me().has(*STRONG_ROLES):
        return Refusal("last-way-in")
    passkeys.remove(session(), act(), me().person_id, credential_id)
    return url_for("account.home", done="removed")


@pages.get("/account/password")
@allow(for_others=False)
def password_form() -> ResponseReturnValue:
    """Ask for a new password, twice."""
    return render_template("ledger/account/password.html", factors=_checked(), least=passwords.LENGTH_MIN, most=passwords.LENGTH_MAX)


@pages.post("/account/password")
@allow(for_others=False)
@form_write(password_form)
def set_password() -> str | Refusal:
    """Set the password, and end every other session, link and machine's token."""
    factors, setting_up = _checked(), _is_setting_up()
    typed = request.form.get("_new", "")
    if passwords.normal(typed) != passwords.normal(request.form.get("_again", "")):
        return Refusal("passwords-differ", "password")
    if refused := passwords.set_password(session(), act(), services().vault, me().person_id, typed):
        return refused
    sign_in.sign_out_everywhere(session(), act(), me().person_id, keep=me().signed_in.token_hash)
    if factors.codes_since is None:
        return url_for("account.codes_form")
    return _strong_now("password") if setting_up else url_for("account.home", done="password")


@pages.get("/account/codes")
@allow(for_others=False)
def codes_form() -> ResponseReturnValue:
    """Show a new key of one-time codes, to be put into an app and confirmed."""
    _checked()
    vault, who = services().vault, me()
    person = people.person(session(), who.book_id, who.person_id)
    said = {"account": f"{who.book.number}-{person.handle}", "issuer": gettext("善行存折")}
    again = request.form.get("_sealed") if request.method == "POST" else None
    shown = codes.shown_again(vault, who.book_id, who.person_id, again, **said) if again else None
    shown = shown or codes.new_key(vault, who.book_id, who.person_id, **said, at=services().clock.now())
    return render_template("ledger/account/codes.html", key=shown)


@pages.post("/account/codes")
@allow(for_others=False)
@form_write(codes_form)
def confirm_codes() -> str | Refusal:
    """Let the one-time codes count, now that one was typed in; show the recovery codes, once."""
    factors, setting_up = _checked(), _is_setting_up()
    sealed, typed = request.form.get("_sealed", ""), request.form.get("_typed", "")
    if refused := codes.confirm_key(session(), act(), services().vault, me().person_id, sealed, typed):
        return refused
    lead_on = url_for("account.home", done="codes")
    if setting_up:
        lead_on = url_for("account.password_form") if factors.password_since is None else _strong_now("password")
    return _recovery_codes_shown(lead_on)


@pages.post("/account/recovery-codes")
@allow(for_others=False)
@form_write(home)
def renew_recovery_codes() -> str:
    """Make new recovery codes and show them, once; those before are dead."""
    if _checked().codes_since is None:
        raise NotFound("codes")
    return _recovery_codes_shown(url_for("account.home", done="codes"))


@pages.post("/account/sessions/<uuid:credential_id>/end")
@allow(for_others=False)
@form_write(lambda credential_id: home())
def end_session(credential_id: UUID) -> str:
    """End one of one's sessions, or one of one's machines' tokens."""
    sign_in.end_session(session(), act(), me().person_id, credential_id)
    return url_for("account.home", done="ended")


@pages.post("/account/sessions/end-others")
@allow(for_others=False)
@form_write(home)
def end_others() -> str:
    """End every session but this one, every link that was not used, and the tokens of one's machines."""
    sign_in.sign_out_everywhere(session(), act(), me().person_id, keep=me().signed_in.token_hash)
    return url_for("account.home", done="ended")


@pages.get("/proof")
@allow()
def proof_form() -> ResponseReturnValue:
    """Ask whoever is signed in to prove again who they are, on the way to another page."""
    return proof.page_that_asks(url_for("account.prove", next=safe(request.args.get("next"))))


@pages.get("/proof/options")
@allow()
def proof_options() -> ResponseReturnValue:
    """Tell a browser which passkeys prove who is signed in."""
    who = me()
    factors = sign_in.factors_of(session(), who.book_id, who.actor_id)
    asked = passkeys.proof_options(proof.site(), who.actor_id, factors.passkeys, services().clock.now())
    return Response(asked, content_type="application/json")


@pages.post("/proof")
@allow(fresh=True)
def prove() -> ResponseReturnValue:
    """Lead on: the proof was read before this is served."""
    return redirect(safe(request.args.get("next")) or url_for("sign_in.home"), 303)


@pages.get("/staff/sign-ins")
@allow("administrator")
def look_up() -> ResponseReturnValue:
    """Ask whose sign-in it is about, and go on to it."""
    number = request.args.get("number", "")
    person = people.by_handle(session(), me().book_id, number, me().scope("administrator")) if number else None
    if person:
        return redirect(url_for("account.of_person", person_id=person.id))
    return render_template("ledger/account/look_up.html", number=number, is_unknown=bool(number))


@pages.get("/staff/sign-ins/<uuid:person_id>")
@allow("administrator")
def of_person(person_id: UUID) -> ResponseReturnValue:
    """Show what somebody of one's areas signs in with and where, but for what only they may know."""
    person = people.person(session(), me().book_id, person_id, me().scope("administrator"))
    sessions = sign_in.sessions_of(session(), me().book_id, person_id, services().clock.now())
    factors = sign_in.factors_of(session(), me().book_id, person_id)
    name = people.masked_name(people.names_of(session(), services().vault, me().book_id, [person_id])[person_id])
    waiting = sign_in.links_waiting(session(), me().book_id, person_id, services().clock.now())
    return render_template(
        "ledger/account/of_person.html", person=person, name=name, factors=factors, sessions=sessions, waiting=waiting, own=me().actor_id
    )  # fmt: skip


@pages.post("/staff/sign-ins/<uuid:person_id>/link")
@allow("administrator", fresh=True)
@form_write(of_person)
def issue_link(person_id: UUID) -> str | Refusal:
    """Issue a one-time link and show it, once; `anew`: all that the person signed in with is gone before.

    One for somebody with a strong role is only asked for: another administrator confirms it, and is shown it.
    """
    anew = forms.choice("way", "link", "anew") == "anew"
    within = me().scope("administrator")
    issued = sign_in.issue_way_in(
        session(), act(), services().vault, person_id, anew=anew, within=within, staff_within=within, powers_of=powers_of
    )
    return issued if isinstance(issued, Refusal) else _link_shown(person_id, issued, anew=anew)


@pages.post("/staff/sign-ins/<uuid:person_id>/links/<uuid:link_id>/confirm")
@allow("administrator", fresh=True)
@form_write(lambda person_id, link_id: of_person(person_id))
def confirm_link(person_id: UUID, link_id: UUID) -> str | Refusal:
    """Confirm the link that another administrator asked for, and show it, once."""
    confirmed = sign_in.confirm_way_in(session(), act(), link_id, staff_within=me().scope("administrator"), powers_of=powers_of)
    if isinstance(confirmed, Refusal):
        return confirmed
    return _link_shown(confirmed.person_id, link_id, anew=confirmed.way == "anew")


def _link_shown(person_id: UUID, link_id: UUID, *, anew: bool) -> str:
    """Show the link where it is for whoever asks to hand out, and lead back to the person."""
    if token := sign_in.link_told(session(), services().vault, me().book_id, link_id, me().actor_id):
        address = f"{services().settings.public_url}{url_for('sign_in.link', token=token)}"
        show_once(render_template("ledger/account/link.html", address=address, person_id=person_id, hours=_LINK_HOURS, anew=anew))
    return url_for("account.of_person", person_id=person_id)


@pages.post("/staff/sign-ins/<uuid:person_id>/sessions/<uuid:credential_id>/end")
@allow("administrator")
@form_write(lambda person_id, credential_id: of_person(person_id))
def end_session_of(person_id: UUID, credential_id: UUID) -> str:
    """End one of the sessions of somebody of one's areas."""
    people.person(session(), me().book_id, person_id, me().scope("administrator"))
    sign_in.end_session(session(), act(), person_id, credential_id)
    return url_for("account.of_person", person_id=person_id)


_LINK_HOURS = int(sign_in.LINK_LIVES.total_seconds()) // 3600


def _factors() -> Factors:
    return sign_in.factors_of(session(), me().book_id, me().person_id)


def _is_setting_up() -> bool:
    """Tell whether somebody came by a link to set up a strong way in, and has none yet: that is all their session is for."""
    return me().signed_in.way == "link" and bool(me().withheld) and not _factors().is_strong


def _checked() -> Factors:
    """Return one's factors where they may be changed now: with a fresh proof, unless one is setting up the first."""
    if not _is_setting_up():
        want_proof()
    return _factors()


def _strong_now(way: str) -> str:
    """Let whoever has just set up a strong way in go on as if they had come by it: the link's session ends."""
    who, now = me(), act().at
    token = sign_in.open_session(session(), who.book, who.person_id, way, now, powers_of=powers_of)
    sign_in.sign_out(session(), who.token, now)
    opened = sign_in.recognise(session(), token, now)
    assert opened is not None, "it was opened just now"
    hand_over(opened[0], token)
    return url_for("account.home", done="strong")


def _recovery_codes_shown(lead_on: str) -> str:
    made = codes.new_recovery_codes(session(), act(), me().person_id)
    show_once(render_template("ledger/account/recovery_codes.html", codes=made, lead_on=lead_on))
    return lead_on


def _code_of(credential_id: bytes) -> str:
    return base64.urlsafe_b64encode(credential_id).decode().rstrip("=")


def _passkey_typed() -> bytes:
    try:
        typed = forms.text("passkey")
        return base64.urlsafe_b64decode(typed + "=" * (-len(typed) % 4))
    except (binascii.Error, ValueError):
        raise NotFound("passkey") from None
