"""What the API and the pages of `redeem` share."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger import people
from ledger.errors import Refusal
from ledger.web.kit.auth import me
from ledger.web.kit.extensions import services
from ledger.web.kit.extensions import session
from ledger.web.kit.extensions import transaction_of_its_own
from redeem import codes


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
