"""Reading the audit log, for the API and the page alike: of the whole book or not at all, and never without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort

from ledger import audit
from ledger import people
from ledger.act import OPERATOR
from ledger.audit import Wanted
from ledger.web.kit import trail
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import session
from ledger.web.kit.paging import Page
from ledger.web.kit.paging import moment
from ledger.web.kit.paging import page_of
from ledger.web.kit.paging import read_cursor

#: Who may read it, where they hold the role for the whole book.
WATCHERS = ("resident_supervisor", "street_auditor", "administrator")
_COLUMNS = ("id", "at", "actor", "acted_for", "channel", "act", "outcome", "about", "details")
_ORIGINS = ("request_id", "credential_id", "device_id", "network")


def watched(*, actor: str | None, cursor: str | None, limit: int, **wanted: Any) -> Page:
    """Return a page of the log, the newest first; of people the last four digits of their numbers, and no names."""
    if f"{me().book.area_code}/" not in me().scope(*WATCHERS):
        abort(403)
    after: Any = read_cursor(cursor, moment, UUID)
    trail.note("read-audit", book_id=me().book_id, actor=me().actor_id, about=wanted["about"])
    person = people.by_handle(session(), me().book_id, actor) if actor else None
    if actor and person is None:
        return Page([], None)
    rows = _rows(Wanted(actor=person.id if person else None, **wanted), after, limit + 1)
    page = page_of(rows, limit, lambda line: [line["at"].isoformat(), line["id"]])
    ids = {one for line in page.items for one in (line["actor"], line["acted_for"]) if one}
    ends = {one: found.handle[-4:] for one, found in people.persons(session(), me().book_id, ids).items()}
    return Page([line | _ends(line, ends) for line in page.items], page.next)


def _rows(wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[dict[str, Any]]:
    found = audit.records(session(), me().book_id, wanted, after, limit)
    return [{column: getattr(line, column) for column in (*_COLUMNS, *_ORIGINS)} for line in found]


def _ends(line: Mapping[str, Any], ends: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "actor_ends_in": ends.get(line["actor"]),
        "acted_for_ends_in": ends.get(line["acted_for"]),
        "by_operator": line["actor"] == OPERATOR,
    }
