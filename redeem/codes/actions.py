"""Giving somebody a device that draws pay codes, and using a code up."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger.act import Act
from ledger.ids import new_id
from ledger.people import Person
from ledger.people import Vault
from redeem.codes import queries
from redeem.codes.model import PayDevice
from redeem.codes.model import SpentStep
from redeem.codes.queries import PayCode


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
