"""The volunteer's own phone, which draws pay codes without a network: its key, what happens meanwhile, the page and the worker it keeps."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import jsonify
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import people
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.tokens import step_at
from ledger.web.kit.addresses import code_address
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import forget_who
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.writing import act
from ledger.web.kit.writing import form_write
from ledger.web.kit.writing import show_once
from redeem import codes
from redeem.web.kit import own_session
from redeem.web.pages import spend

pages = Blueprint("phone", __name__)
#: What the worker keeps besides its pages: files by their content.
KEPT = (
    "css/app.css", "js/pay.js", "js/page.js", "vendor/lean-qr/index.mjs", "img/icon.svg",
    "js/check.js", "js/log.js", "js/scan.js", "js/scan-worker.js", "vendor/zxing-wasm/reader.js", "vendor/zxing-wasm/zxing_reader.wasm",
)  # fmt: skip
#: What those import by its plain address, which says nothing of its content.
IMPORTED = ("js/fetched.js",)
#: What its pages are drawn from.
DRAWN_FROM = ("templates/**/*.htm*", "translations/**/*.mo")


@pages.post("/code/phone")
@allow("volunteer", for_others=False)
@form_write(spend.code)
def add() -> str | Refusal:
    """Give the phone that asks a key of its own and tell it, this once: it is kept in no answer, and a second try tells nothing."""
    session_id = own_session()
    if session_id is None:
        return Refusal("phone-not-own")
    phone, key = codes.add_phone(session(), act(), services().vault, me().person_id, session_id)
    opened = sign_in.sessions_of(session(), me().book_id, me().person_id, act().at)
    show_once(
        jsonify(
            id=phone.id,
            key=base64.b64encode(key).decode(),
            book=me().book.number,
            handle=people.person(session(), me().book_id, me().person_id).handle,
            address=code_address("p", ""),
            now=_milliseconds(act().at),
            until=_milliseconds(next(one.expires_at for one in opened if one.id == session_id)),
        )
    )
    return url_for("phone.mine")


@pages.get("/code/now")
@allow("volunteer", for_others=False, by_itself=True)
def now() -> ResponseReturnValue:
    """Tell a phone whether it still draws codes, whether the one of this moment was used, what happened lately, and what time it is."""
    try:
        phone_id = UUID(request.args.get("phone", ""))
    except ValueError:
        raise Invalid("id-malformed", "phone") from None
    at = services().clock.now()
    phones = codes.phones_of(session(), me().book_id, me().person_id, at)
    phone = next((one for one in phones if one.id == phone_id), None)
    is_used = phone is not None and codes.is_used_on(session(), phone, at)
    lately = render_template("redeem/spend/_lately.html", **spend.lately())
    return jsonify(is_good=phone is not None, used=step_at(at) if is_used else 0, now=_milliseconds(at), lately=lately)


@pages.get("/code/phones")
@allow("volunteer", for_others=False)
def mine() -> ResponseReturnValue:
    """Show the phones that draw codes for whoever asks without a network."""
    phones = codes.phones_of(session(), me().book_id, me().person_id, services().clock.now())
    return render_template("redeem/spend/phones.html", phones=phones, here=me().signed_in.id, most=codes.PHONES_MAX)


def _mine_again(phone_id: UUID) -> ResponseReturnValue:
    return mine()


@pages.post("/code/phones/<uuid:phone_id>/end")
@allow("volunteer", for_others=False)
@form_write(_mine_again)
def end(phone_id: UUID) -> str:
    """End a phone; where it is another than this, it is signed out too: who has it shall not come back to the code."""
    ended = codes.end_phone(session(), act(), me().person_id, phone_id)
    if ended.session_id and ended.session_id != me().signed_in.id:
        sign_in.end_session(session(), act(), me().person_id, ended.session_id)
    return url_for("phone.mine", done=1)


@pages.get("/code/offline")
@allow(public=True)
def offline() -> ResponseReturnValue:
    """Show the page in which a phone draws its code alone: kept by the worker, so drawn as for nobody, whoever asks."""
    forget_who()
    return render_template("redeem/spend/offline.html")


@pages.get("/sw.js")
@allow(public=True)
def worker() -> ResponseReturnValue:
    """Serve the worker from the root, so that it sees to all pages, with what it keeps and the version of all that."""
    kept, imported = ([url_for("static", filename=file) for file in files] for files in (KEPT, IMPORTED))
    pages_kept = [url_for(endpoint) for endpoint in ("phone.offline", "settings.offline", "proofs.check")]
    files = [*pages_kept, *kept, *(address.partition("?")[0] for address in imported)]
    root = Path(current_app.root_path)
    version = hashlib.sha256(f"{files} {imported} {_drawn_from(root)}".encode()).hexdigest()[:16]
    script = (root / "static/js/sw.js").read_text("utf-8")
    body = f'"use strict";\nconst VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(files)};\n{script}'
    return Response(body, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=1)
def _drawn_from(root: Path) -> str:
    """Return a hash of what pages are drawn from: they are kept anew when a release changes any of it."""
    found = hashlib.sha256()
    for pattern in DRAWN_FROM:
        for path in sorted(root.glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
