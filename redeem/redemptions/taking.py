"""The volunteer's pay code, given at a till: small amounts and slips of paper pass at once, larger ones wait for a confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from redeem import codes
from redeem import merchants
from redeem.redemptions import queries
from redeem.redemptions.charging import Charged
from redeem.redemptions.charging import carry_out
from redeem.redemptions.charging import for_the_shop
from redeem.redemptions.model import Redemption
from redeem.redemptions.pricing import Asked
from redeem.redemptions.pricing import Priced
from redeem.redemptions.pricing import new_row
from redeem.redemptions.pricing import price
from redeem.redemptions.pricing import seen
from redeem.redemptions.queries import RedemptionRow
from redeem.redemptions.rules import REQUEST_LIVES
from redeem.redemptions.rules import Charge


@dataclass(frozen=True)
class Taking:
    """A volunteer's pay code, given at a till of one of the shops in which the actor stands."""

    act: Act
    asked: Asked
    unit_ids: frozenset[UUID]
    code: str


_WRITE = insert(Redemption)


def take(session: Session, vault: Vault, takings: Sequence[Taking]) -> list[RedemptionRow | Refusal]:
    """Take points for pay codes, one or many: small ones at once, larger ones once the volunteer confirms. One outcome for each."""
    book = areas.book(session, takings[0].act.book_id)
    at = takings[0].act.at
    assert all((taking.act.book_id, taking.act.at) == (book.id, at) for taking in takings), "a set is of one book and one moment"
    priced = price(session, book, [(taking.asked, taking.unit_ids) for taking in takings], at)
    given = [codes.read(taking.code, book.number) for taking in takings]
    recognised = codes.recognise(session, vault, book.id, {one for one in given if one}, at)
    waits = merchants.waits(session, book.id, {one.till.unit_id for one in priced}, at)
    outcomes: dict[int, RedemptionRow | Refusal] = {}
    wrong: list[tuple[Act, UUID]] = []
    ready: dict[int, tuple[Charge, str]] = {}
    expired: dict[int, codes.Recognised] = {}
    for index, (taking, one, asked) in enumerate(zip(takings, given, priced, strict=True)):
        whose = recognised.get(one) if one else None
        if asked.till.unit_id in waits:
            outcomes[index] = Refusal("till-must-wait", "till_id", {"retry_after": waits[asked.till.unit_id]})
        elif whose is None:
            wrong.append((taking.act, asked.till.id))
            outcomes[index] = Refusal("pay-code-unknown", "code")
        elif not whose.is_in_time:
            expired[index] = whose
        else:
            charge = Charge(
                taking.act, new_id(), whose.person_id, asked.till.unit_id, asked.till.id, asked.till.name, taking.act.actor,
                asked.points, asked.quantity, asked.terms, (whose.device_id, whose.step), is_active=whose.is_active,
                is_guarded=bool(whose.guarded_until and local_day(at, book.zone) <= whose.guarded_until),
                is_confirmed=whose.points_max is not None, slip_points_max=whose.points_max,
            )  # fmt: skip
            ready[index] = (charge, whose.handle)
    merchants.note_wrong_tries(session, wrong)
    outcomes |= _too_late(session, book.id, expired)
    charged = carry_out(session, book, [charge for charge, _ in ready.values()]) if ready else []
    rows = []
    for (index, (charge, handle)), outcome in zip(ready.items(), charged, strict=True):
        if isinstance(outcome, Refusal):
            outcomes[index] = for_the_shop(outcome)
            continue
        rows.append(_taken_row(charge, priced[index], outcome))
        outcomes[index] = seen(rows[-1], priced[index], handle)
    if rows:
        session.connection().execute(_WRITE, rows)
    return [outcomes[index] for index in range(len(takings))]


def _taken_row(charge: Charge, priced: Priced, charged: Charged) -> dict[str, Any]:
    act = charge.act
    posted_at = act.at if charged.state == "posted" else None
    return new_row(
        act, charge.redemption_id, priced, "pay_code" if charge.slip_points_max is None else "slip", charged.state, act.at + REQUEST_LIVES,
        person_id=charge.person_id, posted_at=posted_at, entry_id=charged.entry_id,
    )  # fmt: skip


def _too_late(session: Session, book_id: UUID, expired: dict[int, codes.Recognised]) -> dict[int, RedemptionRow | Refusal]:
    """Say of codes that have run out whether they were used, and where."""
    if not expired:
        return {}
    used = queries.uses_of(session, book_id, {(whose.device_id, whose.step) for whose in expired.values()})
    refusals: dict[int, RedemptionRow | Refusal] = {}
    for index, whose in expired.items():
        use = used.get((whose.device_id, whose.step))
        refusals[index] = Refusal("pay-code-used", "code", use._asdict()) if use else Refusal("pay-code-expired", "code")
    return refusals
