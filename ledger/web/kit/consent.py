"""Letting somebody act for oneself: on one's own device, with few tries at others' numbers, and nobody named before they agree."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask.typing import ResponseReturnValue

from ledger import people
from ledger import sign_in
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.people import Mandate
from ledger.tokens import digits_of
from ledger.web.kit import trying
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import end_reading
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from ledger.web.kit.problems import body_of
from ledger.web.kit.problems import problem_body
from ledger.web.kit.problems import show


def against_shared_device() -> ResponseReturnValue | None:
    """Return what to answer whoever asks on a device that others use too: what they leave open there gives nobody a year of access."""
    is_shared = me().signed_in.device_id or me().signed_in.way in {"card", "shift"}
    return show(problem_body("mandate-on-own-device")) if is_shared else None


def against_number(typed: str) -> ResponseReturnValue | None:
    """Count a try at somebody's number, unless it is somebody's; return what to answer after too many.

    Asked before a write begins: the try counts whatever becomes of that. What is no number does not count.
    """
    if not people.is_handle(digits_of(typed)):
        return None
    book_id, actor_id = me().book_id, me().actor_id
    reserved = trying.reserve_known(book_id, f"numbers {actor_id}", str(actor_id))
    if isinstance(reserved, Refusal):
        end_reading()
        return show(body_of(reserved))
    if people.by_handle(session(), book_id, typed):
        with transaction_of_its_own() as own:
            sign_in.give_back(own, reserved)
    end_reading()
    return None


def whose_number(typed: str, field: str) -> UUID:
    """Return whose number that is; raise Invalid where it is nobody's."""
    if (found := people.by_handle(session(), me().book_id, typed)) is None:
        raise Invalid("passbook-unknown", field, numbers=typed)
    return found.id


def names_in(found: Sequence[Mandate], *, is_own: bool) -> dict[UUID, tuple[str, str]]:
    """Return for each mandate who is acted for and who acts: masked until they have agreed, and for staff, who give no reason here."""
    ids = {person_id for one in found for person_id in (one.person_id, one.helper_id)}
    names = people.names_of(session(), services().vault, me().book_id, ids)
    masked = {person_id: people.masked_name(name) for person_id, name in names.items()}
    return {
        one.id: (shown[one.person_id], shown[one.helper_id]) for one in found for shown in (names if is_own and one.agreed_at else masked,)
    }
