"""What the API and the pages of `redeem` share."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from flask import jsonify
from flask import request
from sqlalchemy.orm import Session

from ledger import people
from ledger import seal
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from redeem import codes
from redeem import library


def if_changed(body: Any) -> Response:
    """Answer with `body`, or with 304 and nothing where whoever asks again has it: pages that wait ask once a second."""
    response = jsonify(body)
    response.set_etag(hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response


def own_pay_code() -> codes.PayCode | Refusal:
    """Return the code that whoever asks shows now; the first time, what draws it is made, although the request only reads.

    Which helper showed a code cannot be seen at a till, so their limit could not be kept: they pay the shop's orders instead.
    """
    if me().acted_for:
        return Refusal("pay-code-not-on-behalf")
    book_id, number, person_id, now = me().book_id, me().book.number, me().person_id, services().clock.now()

    def drawn(by: Session) -> codes.PayCode:
        return codes.pay_code(by, services().vault, number, people.person(by, book_id, person_id), now)

    if codes.devices_of(session(), book_id, person_id):
        return drawn(session())
    with transaction_of_its_own() as own:
        return drawn(own)


def own_session() -> UUID | None:
    """Return the sign-in that a phone's key can live with: one of one's own, on a device that nobody else uses."""
    signed_in = me().signed_in
    return None if me().acted_for or signed_in.device_id else signed_in.id


def end_watching(current: Session, book_id: UUID, device_id: UUID, at: datetime) -> None:
    """Let a shop's device watch the log no longer, so that nobody waits for its word."""
    for one in seal.witnesses(current, book_id):
        if one.device_id == device_id:
            seal.end_witness(current, book_id, seal.key_of(one.key).name, at)


def own_shop(unit_id: UUID) -> dict[str, object]:
    """Return what every page of a shop shows of it; raise NotFound for a shop that is not one's own."""
    owned = library.names_of(session(), me().book_id, me().unit_ids("shop_owner"))
    if unit_id not in owned:
        raise NotFound("unit_id")
    return {"unit_id": unit_id, "shop": owned[unit_id], "has_several": len(owned) > 1}
