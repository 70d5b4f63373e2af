"""Slips of paper: one pay code, printed, for whoever has no phone with them; good for a month, for few points, and once.

Only the person themselves draws one, on their own phone or with card and PIN at the counter: whoever works there could spend it.
Revoking a card ends the slips that were drawn before: they lie in the same purse.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger import people
from ledger.act import Act
from ledger.clock import local_day
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.tokens import code_at
from ledger.tokens import digits_at
from redeem.codes import queries
from redeem.codes.model import PayDevice
from redeem.codes.model import SpentStep
from redeem.codes.rules import SLIP_DIGITS_LENGTH
from redeem.codes.rules import SLIP_LIVES
from redeem.codes.rules import SLIP_PURPOSE
from redeem.codes.rules import SLIP_STEP
from redeem.codes.rules import SLIPS_MAX


@dataclass(frozen=True)
class Slip:
    """What stands on a slip."""

    id: UUID
    #: The token inside the QR code's address.
    token: str
    handle: str
    #: For typing after the handle.
    digits: str
    points_max: int
    made_at: datetime
    expires_at: datetime


def draw_slip(session: Session, act: Act, vault: Vault) -> Slip | Refusal:
    """Draw a slip for whoever acts, for as many points as pass without a confirmation."""
    if act.acted_for:
        return Refusal("pay-code-not-on-behalf")
    book, person = areas.book(session, act.book_id), people.person(session, act.book_id, act.actor)
    if people.is_guarded(person, local_day(act.at, book.zone)):
        return Refusal("guardian-acts")
    if len(_open(session, act.book_id, person.id, act.at)) >= SLIPS_MAX:
        return Refusal("slips-too-many", data={"most": SLIPS_MAX})
    slip = PayDevice(
        book_id=act.book_id, id=(slip_id := new_id()), person_id=person.id,
        sealed_key=vault.seal(queries.context(act.book_id, slip_id), secrets.token_bytes(32)),
        created_at=act.at, revoked_at=None, kind="slip", expires_at=act.at + SLIP_LIVES, points_max=book.at_once_points_max,
    )  # fmt: skip
    session.add(slip)
    session.flush()
    return _drawn(vault, book.number, slip, person.handle)


def end_slip(session: Session, act: Act, slip_id: UUID) -> UUID:
    """Let a slip of whoever acts be good for nothing, and return its id; raise NotFound where there is none that is good."""
    if slip_id not in {slip.id for slip in _open(session, act.book_id, act.actor, act.at)}:
        raise NotFound("slip_id")
    this = (PayDevice.book_id == act.book_id, PayDevice.id == slip_id)
    session.execute(update(PayDevice).where(*this).values(revoked_at=act.at))
    return slip_id


def slips_of(session: Session, vault: Vault, book: areas.Book, person: people.Person, at: datetime) -> list[Slip]:
    """Return the slips of somebody that are good, the oldest first."""
    return [_drawn(vault, book.number, slip, person.handle) for slip in _open(session, book.id, person.id, at)]


def _open(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> list[PayDevice]:
    is_spent = select(SpentStep.step).where(SpentStep.book_id == book_id, SpentStep.device_id == PayDevice.id).exists()
    wanted = select(PayDevice).where(
        PayDevice.book_id == book_id, PayDevice.person_id == person_id, PayDevice.kind == "slip", PayDevice.revoked_at.is_(None),
        PayDevice.expires_at > at, ~is_spent, ~queries.card_lost_since(PayDevice.created_at),
    )  # fmt: skip
    return list(session.execute(wanted.order_by(PayDevice.id)).scalars())


def _drawn(vault: Vault, book_number: int, slip: PayDevice, handle: str) -> Slip:
    assert slip.expires_at is not None
    assert slip.points_max is not None
    key = vault.open(queries.context(slip.book_id, slip.id), slip.sealed_key)
    token = f"{book_number}-{handle}-{code_at(key, SLIP_STEP, SLIP_PURPOSE)}"
    digits = digits_at(key, SLIP_STEP, SLIP_PURPOSE, SLIP_DIGITS_LENGTH)
    return Slip(slip.id, token, handle, digits, slip.points_max, slip.created_at, slip.expires_at)
