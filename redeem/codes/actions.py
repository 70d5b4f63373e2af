"""Giving somebody a device that draws pay codes, and using a code up."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger.act import Act
from ledger.errors import NotFound
from ledger.ids import new_id
from ledger.people import Person
from ledger.people import Vault
from redeem.codes import queries
from redeem.codes.model import PayDevice
from redeem.codes.model import SpentStep
from redeem.codes.queries import PayCode
from redeem.codes.rules import PHONES_MAX


def add_device(session: Session, vault: Vault, person: Person, at: datetime) -> PayDevice:
    """Give somebody a device of this service's own, for those whose phone draws nothing."""
    device_id = new_id()
    device = PayDevice(
        book_id=person.book_id,
        id=device_id,
        person_id=person.id,
        sealed_key=vault.seal(queries.context(person.book_id, device_id), secrets.token_bytes(32)),
        created_at=at,
        revoked_at=None,
    )
    session.add(device)
    session.flush()
    return device


def add_phone(session: Session, act: Act, vault: Vault, person_id: UUID, session_id: UUID) -> tuple[PayDevice, bytes]:
    """Give the phone on which a session was opened a key to draw codes with alone; return it with the key, which is told this once.

    A key lives as long as its session, and a session has one: the key that the same phone had before ends, and so does the oldest of many.
    """
    phones = queries.phones_of(session, act.book_id, person_id, act.at)
    others = [phone for phone in phones if phone.session_id != session_id]
    kept = {phone.id for phone in others[-(PHONES_MAX - 1) :]}
    _revoke(session, act, person_id, [phone.id for phone in phones if phone.id not in kept])
    device_id, key = new_id(), secrets.token_bytes(32)
    phone = PayDevice(
        book_id=act.book_id,
        id=device_id,
        person_id=person_id,
        sealed_key=vault.seal(queries.context(act.book_id, device_id), key),
        created_at=act.at,
        revoked_at=None,
        kind="phone",
        session_id=session_id,
    )
    session.add(phone)
    session.flush()
    return phone, key


def end_phone(session: Session, act: Act, person_id: UUID, phone_id: UUID) -> PayDevice:
    """End one of somebody's phones, and return it; raise NotFound for any other."""
    phones = queries.phones_of(session, act.book_id, person_id, act.at)
    if (phone := next((one for one in phones if one.id == phone_id), None)) is None:
        raise NotFound("phone_id")
    _revoke(session, act, person_id, [phone_id])
    return phone


def _revoke(session: Session, act: Act, person_id: UUID, device_ids: list[UUID]) -> None:
    these = (PayDevice.book_id == act.book_id, PayDevice.person_id == person_id, PayDevice.id.in_(device_ids))
    session.execute(update(PayDevice).where(*these, PayDevice.revoked_at.is_(None)).values(revoked_at=act.at))


def pay_code(session: Session, vault: Vault, book_number: int, person: Person, at: datetime) -> PayCode:
    """Return the code somebody shows now, drawn by this service in place of a phone."""
    devices = queries.devices_of(session, person.book_id, person.id)
    device = devices[0] if devices else add_device(session, vault, person, at)
    return queries.drawn_by(vault, book_number, device, person.handle, at)


_SPEND = insert(SpentStep)


def spend(session: Session, uses: Iterable[tuple[Act, UUID, int, UUID]]) -> None:
    """Use up steps, each given as (act, device, step, redemption); the key of a step lets it be used once."""
    rows = [
        {"book_id": act.book_id, "device_id": device_id, "step": step, "redemption_id": redemption_id, "spent_at": act.at}
        for act, device_id, step, redemption_id in uses
    ]
    if rows:
        session.connection().execute(_SPEND, rows)
