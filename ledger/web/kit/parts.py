"""What the pages and the API of this package are told by others, which it knows nothing of: what waits for somebody, and what was had."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Sized
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask import current_app
from sqlalchemy.orm import Session

from ledger import audit
from ledger import journal
from ledger import people
from ledger import sign_in
from ledger.people import Vault
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session

#: Gives what waits at a moment for a person of a book.
Waiting = Callable[[Session, UUID, datetime, UUID], Sized]
#: Gives for the references of lines in a passbook where something was had, and what, where it has a name.
Had = Callable[[Session, UUID, Collection[UUID]], Mapping[UUID, tuple[str, str | None]]]

#: Gives what is kept of a person of a book at a moment, under names that no other part gives.
Records = Callable[[Session, Vault, UUID, UUID, datetime], Mapping[str, Any]]

#: What staff do for somebody that lets them in or lets them pay, as the audit log names it.
HANDLED = {
    "POST account.issue_link": "link",
    "POST account.confirm_link": "link",
    "POST api_sign_in.issue_way_in": "link",
    "POST api_sign_in.confirm_way_in": "link",
    "POST api_cards.replace_handle": "number",
    "POST counter.renumber": "number",
    "POST counter.set_pin": "pin",
}


@dataclass(frozen=True)
class Parts:
    """What others tell."""

    #: What waits, by the endpoint of the page that shows it.
    waiting: Mapping[str, Waiting]
    had: Had
    #: What each capability keeps of somebody.
    records: Sequence[Records]


def init(app: Flask, parts: Parts) -> None:
    """Let `parts` tell the pages and the API of `app`."""
    app.extensions["parts"] = parts


def waiting() -> dict[str, int]:
    """Return how much waits for whoever asks, by the endpoint of the page that shows it."""
    now = services().clock.now()
    return {endpoint: len(told(session(), me().book_id, now, me().person_id)) for endpoint, told in _parts().waiting.items()}


def had(lines: Iterable[journal.LineRow]) -> Mapping[UUID, tuple[str, str | None]]:
    """Return where something was had, and what, by the reference of each of these lines that is about such a thing."""
    references = {line.reference for line in lines if line.reference and line.unit_id}
    return _parts().had(session(), me().book_id, references) if references else {}


def own_records() -> dict[str, Any]:
    """Return everything that is kept of whoever asks, or of whom they act for."""
    now = services().clock.now()
    found: dict[str, Any] = {"exported_at": now, "book": {"number": me().book.number, "name": me().book.name}}
    for records_of in _parts().records:
        found |= records_of(session(), services().vault, me().book_id, me().person_id, now)
    return found | {"handled": _handled()}


def _handled() -> list[dict[str, Any]]:
    """Return who of the staff issued a way in or a number to whoever asks, or set their PIN, the last first: each could have used it."""
    # Whoever confirms a link by the API names the link, and not whose it is.
    about = {me().person_id, *sign_in.links_of(session(), me().book_id, me().person_id)}
    done = audit.done_about(session(), me().book_id, about, HANDLED.keys())
    acts = {(line.actor, line.at) for line in done if line.actor}
    who = people.whoever_acted(session(), me().book_id, me().person_id, acts)
    return [{"what": HANDLED[line.act], "at": line.at, "by": who[line.actor, line.at]} for line in done if line.actor]


def in_json(value: Any) -> Any:
    """Return such records as JSON has them: moments in UTC, days and ids as text."""
    if isinstance(value, Mapping):
        return {name: in_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [in_json(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, date | UUID) else value


def _parts() -> Parts:
    found: Parts = current_app.extensions["parts"]
    return found
