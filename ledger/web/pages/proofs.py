"""The proofs of single lines and of hours: one's own, to keep; and the page on which anybody checks one, in the browser and offline."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger import seal
from ledger.errors import NotFound
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import forget_who
from ledger.web.kit.extensions import services
from ledger.web.kit.sealing import Differs
from ledger.web.kit.sealing import Promised
from ledger.web.kit.sealing import Proven
from ledger.web.kit.sealing import ProvenHours
from ledger.web.kit.sealing import hours_receipt
from ledger.web.kit.sealing import known
from ledger.web.kit.sealing import promise_keys
from ledger.web.kit.sealing import receipt
from ledger.web.kit.templating import entry_kind

pages = Blueprint("proofs", __name__)

#: What stands in passbooks.
KINDS = ("award", "redemption", "void", "clawback", "gift", "donation", "expiry", "closing")
#: Where what an auditor takes along lies beside the program, by its name in the address.
GUIDES = {"auditing.md": "docs/auditing.md", "auditing.zh.md": "docs/auditing.zh.md", "check_book.py": "scripts/check_book.py"}


@pages.get("/me/passbook/lines/<int:number>/proof")
@allow("volunteer")
def line(number: int) -> ResponseReturnValue:
    """Show whether a line of one's passbook is sealed, what that proves and what not, and how to check it."""
    found = receipt(number)
    code = seal.for_paper(found.proof) if isinstance(found, Proven) else None
    address = services().settings.public_url + url_for("proofs.check")
    differs = isinstance(found, Differs)
    return render_template("ledger/proofs/line.html", found=found, line=found.line, differs=differs, code=code, address=address)


@pages.get("/me/passbook/lines/<int:number>/line.tlog-proof")
@allow("volunteer")
def proof(number: int) -> ResponseReturnValue:
    """Return the proof of a sealed line as a file (https://c2sp.org/tlog-proof)."""
    found = receipt(number)
    if not isinstance(found, Proven):
        raise NotFound("proof")
    return _file(str(found.proof), f"line-{number}.tlog-proof")


@pages.get("/me/passbook/lines/<int:number>/promise.txt")
@allow("volunteer")
def promise(number: int) -> ResponseReturnValue:
    """Return the signed promise for a line that waits to be sealed as a file."""
    found = receipt(number)
    if not isinstance(found, Promised):
        raise NotFound("promise")
    return _file(str(found.note), f"line-{number}-promise.txt")


@pages.get("/me/hours/hours.tlog-proof")
@allow("volunteer")
def hours() -> ResponseReturnValue:
    """Return the proof of one's hours, all that are sealed, as a file (https://c2sp.org/tlog-proof)."""
    found = hours_receipt()
    if not isinstance(found, ProvenHours):
        raise NotFound("proof")
    return _file(str(found.proof), "hours.tlog-proof")


@pages.get("/check")
@allow(public=True)
def check() -> ResponseReturnValue:
    """Show the page that checks a proof: kept by phones and shown offline, so drawn as for nobody, whoever asks."""
    forget_who()
    kinds = {kind: entry_kind(kind) for kind in KINDS}
    return render_template("ledger/proofs/check.html", logs=known(), promise_keys=promise_keys(), kinds=kinds, magic=seal.MAGIC.hex())


@pages.get("/check/auditing.md", defaults={"name": "auditing.md"})
@pages.get("/check/auditing.zh.md", defaults={"name": "auditing.zh.md"})
@pages.get("/check/check_book.py", defaults={"name": "check_book.py"})
@allow(public=True)
def guide(name: str) -> ResponseReturnValue:
    """Give what whoever audits a book takes along: how it is done, in either language, and the program that does it."""
    text = (Path(current_app.root_path) / GUIDES[name]).read_text(encoding="utf-8")
    return Response(text, content_type="text/plain; charset=utf-8")


def _file(text: str, name: str) -> Response:
    return Response(text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})
