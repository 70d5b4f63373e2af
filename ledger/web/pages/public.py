"""What anybody may see: the landing page, what a problem's code means, and whether the service is up."""

from __future__ import annotations

from flask import Blueprint
from flask import abort
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue

from ledger.web.kit.auth import allow
from ledger.web.kit.auth import maybe_me
from ledger.web.kit.problems import PROBLEMS

pages = Blueprint("public", __name__)


@pages.get("/healthz")
@allow(public=True)
def health() -> ResponseReturnValue:
    """Say that the service is up; nothing else is asked."""
    return {"status": "ok"}


@pages.get("/")
@allow(public=True)
def landing() -> ResponseReturnValue:
    """Show what this is, or, to somebody signed in, their own home."""
    if maybe_me():
        return redirect(url_for("sign_in.home"))
    return render_template("ledger/public/landing.html")


@pages.get("/problems/<code>")
@allow(public=True)
def problem_type(code: str) -> ResponseReturnValue:
    """Explain a problem's code in both languages."""
    if code not in PROBLEMS:
        abort(404)
    return render_template("ledger/public/problem.html", code=code, problem=PROBLEMS[code])
