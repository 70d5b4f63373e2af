"""One's own data, to read, to print and to take along; putting them right, and having them erased."""

from __future__ import annotations

import base64

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import json
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import claims
from ledger import people
from ledger.errors import Refusal
from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.parts import in_json
from ledger.web.kit.parts import own_records
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import show
from ledger.web.kit.reach import against_own_data
from ledger.web.kit.reach import against_own_erasure
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write

pages = Blueprint("my_data", __name__)


@pages.get("/me/data")
@allow(fresh=True)
def home() -> ResponseReturnValue:
    """Show everything that is kept of oneself, in a form that can be printed."""
    if refusal := against_own_data():
        return show(body_of(refusal))
    return render_template("ledger/my_data/home.html", own=own_records(), fields=people.PERSONAL_FIELDS)


@pages.get("/me/data.json")
@allow(fresh=True)
def download() -> ResponseReturnValue:
    """Give the same as a file for a machine."""
    if refusal := against_own_data():
        return show(body_of(refusal))
    found = own_records()
    pictures = claims.pictures_of(session(), services().vault, me().book_id, [one["id"] for one in found["claims"]])
    for photo in (photo for one in found["claims"] for photo in one["photos"] if photo["id"] in pictures):
        photo["jpeg"] = base64.b64encode(pictures[photo["id"]]).decode()
    content = json.dumps(in_json(found), ensure_ascii=False, indent=2)
    return Response(content, mimetype="application/json", headers={"Content-Disposition": 'attachment; filename="passbook.json"'})


@pages.get("/me/data/correct")
@allow(fresh=True)
def correct_form() -> ResponseReturnValue:
    """Ask for one's phone and address as they are now."""
    if refusal := against_own_data():
        return show(body_of(refusal))
    known = people.fields_of(session(), services().vault, me().book_id, [me().person_id], people.OWN_FIELDS)[me().person_id]
    return render_template("ledger/my_data/correct.html", known=known)


@pages.post("/me/data/correct")
@allow(fresh=True)
@form_write(correct_form)
def correct() -> str | Refusal:
    """Put one's own phone or address right."""
    field = forms.choice("field", *people.OWN_FIELDS)
    text = forms.words("text", 500, least=0)
    refusal = against_own_data() or people.correct(session(), act(), services().vault, me().person_id, field, text)
    return refusal if isinstance(refusal, Refusal) else url_for("my_data.home")


@pages.get("/me/data/erase")
@allow(fresh=True)
def erase_form() -> ResponseReturnValue:
    """Say what being erased means, before anybody asks for it."""
    if refusal := against_own_erasure():
        return show(body_of(refusal))
    return render_template("ledger/my_data/erase.html", points=own_records()["passbook"]["balance"])


@pages.post("/me/data/erase")
@allow(fresh=True)
@form_write(erase_form)
def erase() -> str | Refusal:
    """Have oneself erased."""
    forms.choice("sure", "yes")
    refusal = against_own_erasure() or people.erase(session(), act(), me().person_id, current_app.extensions["leavings"])
    return refusal if isinstance(refusal, Refusal) else url_for("public.landing")
