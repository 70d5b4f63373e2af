"""Drawing pay codes, and recognising them at a till."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from ledger import people
from ledger import sign_in
from ledger.people import Person
from ledger.people import Vault
from ledger.tokens import STEP_SECONDS
from ledger.tokens import code_at
from ledger.tokens import digits_at
from ledger.tokens import step_at
from redeem.codes.model import PayDevice
from redeem.codes.model import SpentStep
from redeem.codes.rules import PURPOSE
from redeem.codes.rules import SLIP_DIGITS_LENGTH
from redeem.codes.rules import SLIP_PURPOSE
from redeem.codes.rules import SLIP_STEP
from redeem.codes.rules import Given

#: For an hour it can still be told that a code was one, and where it was used.
STEPS_REMEMBERED = 120


@dataclass(frozen=True)
class PayCode:
    """What a volunteer shows for one step of time."""

    #: The token inside the QR code's address.
    token: str
    handle: str
    #: For typing after the handle.
    digits: str
    valid_until: datetime


@dataclass(frozen=True)
class Recognised:
    """Whose code it is, and which step of which device."""

    person_id: UUID
    handle: str
    is_active: bool
    device_id: UUID
    step: int
    #: Drawn in this step of time or the one before; an older one is only told apart.
    is_in_time: bool
    #: The last day on which a guardian acts for the person.
    guarded_until: date | None = None
    #: Of a slip: for how many points it is good at most.
    points_max: int | None = None


def context(book_id: UUID, device_id: UUID) -> str:
    """Return what a device's key is sealed for."""
    return f"{book_id}|{device_id}|pay"


def drawn_by(vault: Vault, book_number: int, device: PayDevice, handle: str, at: datetime) -> PayCode:
    """Return the code of a device at a moment."""
    key, step = vault.open(context(device.book_id, device.id), device.sealed_key), step_at(at)
    token = f"{book_number}-{handle}-{code_at(key, step, PURPOSE)}"
    return PayCode(token, handle, digits_at(key, step, PURPOSE), datetime.fromtimestamp((step + 1) * STEP_SECONDS, at.tzinfo))


def devices_of(session: Session, book_id: UUID, person_id: UUID) -> list[PayDevice]:
    """Return the devices of this service's own that draw codes for somebody, those not revoked, oldest first."""
    return list(session.execute(_devices(book_id, person_id, "service").order_by(PayDevice.id)).scalars())


def phones_of(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> list[PayDevice]:
    """Return the phones that draw codes for somebody alone, those not ended, oldest first."""
    alive = _devices(book_id, person_id, "phone").where(sign_in.is_open(book_id, PayDevice.session_id, at))
    return list(session.execute(alive.order_by(PayDevice.id)).scalars())


def _devices(book_id: UUID, person_id: UUID, kind: str) -> Select[PayDevice]:
    this = (PayDevice.book_id == book_id, PayDevice.person_id == person_id, PayDevice.kind == kind)
    return select(PayDevice).where(*this, PayDevice.revoked_at.is_(None))


def card_lost_since(drawn_at: Any) -> ColumnElement[bool]:
    """Tell of each device whether a card of its person was revoked after it was made: whoever loses a purse loses the slips in it."""
    lost = (people.Card.book_id == PayDevice.book_id, people.Card.person_id == PayDevice.person_id, people.Card.revoked_at >= drawn_at)
    return exists().where(*lost)


# Asked at every till, so it is put together once; so is what follows.
_DEVICES = (
    select(
        PayDevice.id,
        PayDevice.sealed_key,
        PayDevice.expires_at,
        PayDevice.points_max,
        Person.id,
        Person.handle,
        Person.status,
        Person.guarded_until,
    )
    .join(Person, and_(Person.book_id == PayDevice.book_id, Person.id == PayDevice.person_id))
    .where(
        PayDevice.book_id == bindparam("book_id"),
        Person.handle.in_(bindparam("handles", expanding=True)),
        PayDevice.revoked_at.is_(None),
        or_(PayDevice.kind != "slip", ~card_lost_since(PayDevice.created_at)),
        or_(PayDevice.session_id.is_(None), sign_in.is_open(bindparam("book_id"), PayDevice.session_id, bindparam("at"))),
    )
    .order_by(PayDevice.id)
    .with_for_update(key_share=True, of=PayDevice)
)
_SPENT = select(SpentStep).where(
    SpentStep.book_id == bindparam("book_id"), tuple_(SpentStep.device_id, SpentStep.step).in_(bindparam("steps", expanding=True))
)


def recognise(session: Session, vault: Vault, book_id: UUID, given: Collection[Given], at: datetime) -> dict[Given, Recognised]:
    """Return whose codes were given; what is missing is no code of anybody's, or older than an hour.

    The devices found are locked until the transaction ends, so that one code is judged at one till at a time.
    """
    handles = list({one.handle for one in given})
    rows = session.connection().execute(_DEVICES, {"book_id": book_id, "handles": handles, "at": at}).all() if handles else []
    found: dict[Given, Recognised] = {}
    for device_id, sealed, expires_at, points_max, person_id, handle, status, guarded_until in rows:
        key = vault.open(context(book_id, device_id), sealed)
        for one in given:
            if one.handle != handle or (step := _slips_step(key, one) if expires_at else _step_of(key, one, step_at(at))) is None:
                continue
            # Six digits are short: what another device drew long ago may look like what this one draws now.
            if one not in found or step > found[one].step:
                is_in_time = at < expires_at if expires_at else step >= step_at(at) - 1
                found[one] = Recognised(person_id, handle, status == "active", device_id, step, is_in_time, guarded_until, points_max)
    return found


def _slips_step(key: bytes, given: Given) -> int | None:
    drawn = digits_at(key, SLIP_STEP, SLIP_PURPOSE, SLIP_DIGITS_LENGTH) if given.is_typed else code_at(key, SLIP_STEP, SLIP_PURPOSE)
    return SLIP_STEP if hmac.compare_digest(drawn.encode(), given.code.encode()) else None


def _step_of(key: bytes, given: Given, now: int) -> int | None:
    """Return the step in which a code was drawn: this one, or one of those before."""
    draw, code = (digits_at if given.is_typed else code_at), given.code.encode()
    for step in range(now, now - STEPS_REMEMBERED, -1):
        if hmac.compare_digest(draw(key, step, PURPOSE).encode(), code):
            return step
    return None


def spent(session: Session, book_id: UUID, steps: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], SpentStep]:
    """Return what used up those of `steps` (device, step) that are; asked after the devices' locks."""
    rows = session.execute(_SPENT, {"book_id": book_id, "steps": list(steps)}).scalars()
    return {(row.device_id, row.step): row for row in rows}


def is_used(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> bool:
    """Tell whether the code that this service draws for somebody at a moment was used already."""
    steps = [(device.id, step_at(at)) for device in devices_of(session, book_id, person_id)[:1]]
    return bool(steps) and bool(spent(session, book_id, steps))


def is_used_on(session: Session, phone: PayDevice, at: datetime) -> bool:
    """Tell whether the code that a phone draws at a moment was used already."""
    return bool(spent(session, phone.book_id, [(phone.id, step_at(at))]))


def used_up(book_id: UUID) -> Select[*tuple[Any, ...]]:
    """Return what says how many steps each redemption has used up, of whose devices, and when; for those who verify."""
    return (
        select(SpentStep.redemption_id, PayDevice.person_id, SpentStep.spent_at, func.count().label("steps"))
        .join(PayDevice, and_(PayDevice.book_id == SpentStep.book_id, PayDevice.id == SpentStep.device_id))
        .where(SpentStep.book_id == book_id)
        .group_by(SpentStep.redemption_id, PayDevice.person_id, SpentStep.spent_at)
    )
