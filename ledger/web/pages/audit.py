"""The audit log, to look through and to print: for those who look over everybody's shoulder."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import render_template
from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from ledger.errors import Invalid
from ledger.web.kit.auth import allow
from ledger.web.kit.auth import me
from ledger.web.kit.fields import Day
from ledger.web.kit.fields import Id
from ledger.web.kit.problems import PROBLEMS
from ledger.web.kit.watching import WATCHERS
from ledger.web.kit.watching import watched

pages = Blueprint("audit", __name__)

_AT_ONCE = 50
#: What is looked for, also by the address of the next page.
_FILTERS = ("actor", "outcome", "from", "to", "about")


@pages.get("/audit")
@allow(*WATCHERS)
def log() -> ResponseReturnValue:
    """Show what was done and what was refused, the newest first."""
    asked = {name: request.args.get(name, "").strip() for name in _FILTERS}
    first, last = _day("from"), _day("to")
    try:
        about = Id().deserialize(asked["about"]) if asked["about"] else None
    except ValidationError:
        raise Invalid("id-malformed", "about") from None
    page = watched(
        actor=asked["actor"] or None,
        cursor=request.args.get("cursor"),
        limit=_AT_ONCE,
        about=about,
        act=None,
        outcome=asked["outcome"] or None,
        since=_begins(first) if first else None,
        until=_begins(last + timedelta(days=1)) if last else None,
    )
    kept = {name: value for name, value in asked.items() if value}
    return render_template("ledger/audit/log.html", lines=page.items, next=page.next, asked=asked, kept=kept, problems=PROBLEMS)


def _day(name: str) -> date | None:
    if not (text := request.args.get(name, "").strip()):
        return None
    try:
        return Day().deserialize(text)
    except ValidationError:
        raise Invalid("day-malformed", name) from None


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(me().zone)).astimezone(UTC)
