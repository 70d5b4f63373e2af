"""What anybody may set on their device, signed in or not; what a phone needs to keep the pages as an app; and what it shows offline."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from flask import Blueprint
from flask import Response
from flask import abort
from flask import json
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext

from ledger.web.kit import forms
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import forget_who
from ledger.web.kit.auth import is_https
from ledger.web.kit.extensions import LANGUAGE_COOKIE
from ledger.web.kit.extensions import LANGUAGES
from ledger.web.kit.look import COLOURS
from ledger.web.kit.look import SIZES
from ledger.web.kit.look import YEAR_S
from ledger.web.kit.look import Look
from ledger.web.kit.look import look
from ledger.web.kit.look import with_look
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show
from ledger.web.kit.writing import is_own_form
from ledger.web.pages.sign_in import safe

pages = Blueprint("settings", __name__)

#: Of every page: the whole, or for the elderly what one comes for.
VERSIONS = ("whole", "elder")
#: The icons of the app: their file, size and purpose; drawn by scripts/icons.py.
ICONS = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"), ("maskable-512.png", "512x512", "maskable"))


@pages.get("/settings")
@allow(public=True)
def home() -> ResponseReturnValue:
    """Show what can be set on this device."""
    return render_template("ledger/settings/home.html", chosen=look())


@pages.post("/settings")
@allow(public=True)
def save() -> ResponseReturnValue:
    """Keep what was chosen, in this browser alone: nothing is written down, so nobody needs to be signed in."""
    if not is_own_form():
        return show(problem_body("form-expired"))
    language = forms.choice("language", *LANGUAGES)
    chosen = Look(
        forms.choice("size", *SIZES),
        forms.choice("colours", *COLOURS),
        forms.choice("version", *VERSIONS) == VERSIONS[1],
        forms.choice("aloud", "no", "yes") == "yes",
    )
    response = with_look(make_response(redirect(url_for("settings.home", done=1), 303)), chosen)
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


@pages.get("/settings/version/<chosen>")
@allow(public=True)
def version(chosen: str) -> ResponseReturnValue:
    """Change between the whole version and the plain one, and go back."""
    if chosen not in VERSIONS:
        abort(404)
    back = safe(urlsplit(request.referrer or "").path) or url_for("public.landing")
    return with_look(make_response(redirect(back)), replace(look(), is_plain=chosen == VERSIONS[1]))


@pages.get("/manifest/<chosen>.webmanifest")
@allow(public=True)
def manifest(chosen: str) -> ResponseReturnValue:
    """Say what the app is called and looks like on a phone's screen, in one language."""
    if chosen not in LANGUAGES:
        abort(404)
    with force_locale(chosen):
        said = {
            "id": "/",
            "name": gettext("善行存折"),
            "short_name": gettext("善行存折"),
            "description": gettext("做一件好事，存折上添一行；积分可以在社区联盟的商户兑换。"),
            "lang": "en" if chosen == "en" else "zh-Hans",
            "start_url": url_for("sign_in.home"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#fbf7ef",
            "theme_color": "#981b1e",
            "icons": [_icon(*icon) for icon in ICONS],
            "shortcuts": [{"name": gettext("出示兑换码"), "url": "/code"}, {"name": gettext("我做了好事"), "url": "/me/report"}],
        }
    return Response(json.dumps(said, ensure_ascii=False), content_type="application/manifest+json; charset=utf-8")


def _icon(file: str, sizes: str, purpose: str) -> dict[str, str]:
    return {"src": url_for("static", filename=f"img/{file}"), "sizes": sizes, "type": "image/png", "purpose": purpose}


@pages.get("/offline")
@allow(public=True)
def offline() -> ResponseReturnValue:
    """Show what a phone says where it has no network: kept by the worker, so drawn as for nobody, whoever asks."""
    forget_who()
    return render_template("ledger/public/offline.html")
