"""Devices of shops and counters: paired by a code that is good for ten minutes and once, known from then on by a token of their own."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import areas
from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.sign_in.model import Credential
from ledger.sign_in.model import Device
from ledger.sign_in.rules import DEVICE_NAME_LENGTH_MAX
from ledger.sign_in.rules import PAIRING_LIVES
from ledger.tokens import book_number_of
from ledger.tokens import hash_of
from ledger.tokens import normalised
from ledger.tokens import to_base32

CODE_LENGTH = 8


@dataclass(frozen=True)
class PairedDevice:
    """The device that a request comes from, and the book it belongs to."""

    id: UUID
    book: areas.Book
    #: The shop it stands in, or else the area whose counter it is.
    unit_id: UUID | None
    area_code: str | None
    name: str


def prepare_device(
    session: Session, act: Act, vault: Vault, *, name: str, unit_id: UUID | None = None, area_code: str | None = None,
    within: areas.Scope = areas.EVERYWHERE, lives: timedelta = PAIRING_LIVES,
) -> Device:  # fmt: skip
    """Let a device of a shop, or of the counter of an area within `within`, be paired; whoever calls has checked whose the shop is."""
    if not 1 <= len(name := name.strip()) <= DEVICE_NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid("name-malformed", "name")
    if area_code is not None:
        paths = areas.paths_of(session, act.book_id, [area_code])
        if area_code not in paths or not areas.in_scope(paths[area_code], within):
            raise NotFound("area_code")
    device = Device(
        book_id=act.book_id, id=new_id(), unit_id=unit_id, area_code=area_code, name=name, made_by=act.actor, made_at=act.at,
        pair_until=act.at + lives,
    )  # fmt: skip
    device.token_hash = _pairing_hashes(vault, act.book_id, pairing_code(vault, device))[0]
    session.add(device)
    session.flush()
    return device


def pairing_code(vault: Vault, device: Device) -> str:
    """Return the code that pairs a device: 8 characters, drawn again each time since they are kept nowhere."""
    return drawn_code(vault, device.book_id, "pairing code", device.id)


def drawn_code(vault: Vault, book_id: UUID, purpose: str, about: UUID) -> str:
    """Return the 8 characters (40 bits) that stand for something of which only the id is known."""
    return to_base32(vault.hashed(book_id, purpose, str(about))[:5])


def shown_code(session: Session, book: areas.Book, code: str) -> str:
    """Return a code as it is read out: in two groups, behind the number of its book where there are several."""
    groups = f"{code[:4]}-{code[4:]}"
    return f"{book.number}-{groups}" if len(areas.books(session)) > 1 else groups


def read_code(session: Session, typed: str) -> tuple[areas.Book, str] | None:
    """Return which book a typed code belongs to, and its 8 characters; None for what cannot be one."""
    plain = normalised(typed).replace("-", "")
    number, code = plain[:-CODE_LENGTH], plain[-CODE_LENGTH:]
    if len(code) < CODE_LENGTH or not (number == "" or book_number_of(f"{number}-{code}") is not None):
        return None
    if number:
        book = areas.book_numbered(session, int(number))
        return (book, code) if book else None
    books = areas.books(session)
    return (books[0], code) if len(books) == 1 else None


def pair(session: Session, vault: Vault, book: areas.Book, code: str, at: datetime) -> tuple[PairedDevice, str] | Refusal:
    """Use up a pairing code; return the device and the token by which it is known from now on."""
    token = f"{book.number}-{to_base32(secrets.token_bytes(32))}"
    this = (Device.book_id == book.id, Device.token_hash.in_(_pairing_hashes(vault, book.id, code)))
    # One statement decides: of two that come at once, the second finds nothing left to pair.
    paired = session.execute(
        update(Device)
        .where(*this, Device.paired_at.is_(None), Device.ended_at.is_(None), Device.pair_until > at)
        .values(token_hash=hash_of(token), paired_at=at, last_used_at=at)
        .returning(Device.id, Device.unit_id, Device.area_code, Device.name)
    ).one_or_none()
    if paired is None:
        return Refusal("pairing-code-wrong", "code")
    return PairedDevice(paired.id, book, paired.unit_id, paired.area_code, paired.name), token


def _pairing_hashes(vault: Vault, book_id: UUID, code: str) -> tuple[bytes, ...]:
    return vault.hashes(book_id, "pairing", normalised(code))


def recognise_device(session: Session, token: str) -> PairedDevice | None:
    """Return which device holds this token, while it is paired."""
    if (number := book_number_of(normalised(token))) is None:
        return None
    wanted = (
        select(Device.id, areas.Book, Device.unit_id, Device.area_code, Device.name)
        .join(areas.Book, areas.Book.id == Device.book_id)
        .where(areas.Book.number == number, Device.token_hash == hash_of(token), Device.paired_at.is_not(None), Device.ended_at.is_(None))
    )
    found = session.execute(wanted).one_or_none()
    if found is None:
        return None
    session.expunge(found.Book)
    return PairedDevice(*found)


def note_device_use(session: Session, device: PairedDevice, at: datetime) -> None:
    """Write down that somebody signs in on a device."""
    session.execute(update(Device).where(Device.book_id == device.book.id, Device.id == device.id).values(last_used_at=at))


def devices_of(
    session: Session, book_id: UUID, *, unit_ids: Collection[UUID] = (), within: areas.Scope = (), at: datetime
) -> Sequence[Device]:  # fmt: skip
    """Return the devices of these shops and of the counters within `within` that are paired or still can be, oldest first."""
    wanted = select(Device).where(
        Device.book_id == book_id,
        or_(Device.unit_id.in_(unit_ids), areas.covered(book_id, Device.area_code, within)),
        Device.ended_at.is_(None),
        or_(Device.paired_at.is_not(None), Device.pair_until > at),
    )
    return session.execute(wanted.order_by(Device.id)).scalars().all()


def devices_by_id(session: Session, book_id: UUID, ids: Collection[UUID]) -> dict[UUID, Device]:
    """Return those of `ids` that are devices of the book, also those that were ended."""
    return {one.id: one for one in session.execute(select(Device).where(Device.book_id == book_id, Device.id.in_(ids))).scalars()}


def device_of(
    session: Session, book_id: UUID, device_id: UUID, *, unit_ids: Collection[UUID] = (), within: areas.Scope = ()
) -> Device:  # fmt: skip
    """Return a device of one of these shops or of a counter within `within`; raise NotFound for any other."""
    wanted = select(Device).where(
        Device.book_id == book_id,
        Device.id == device_id,
        or_(Device.unit_id.in_(unit_ids), areas.covered(book_id, Device.area_code, within)),
    )
    if (found := session.execute(wanted).scalar_one_or_none()) is None:
        raise NotFound("device_id")
    return found


def end_device(
    session: Session, act: Act, device_id: UUID, *, unit_ids: Collection[UUID] = (), within: areas.Scope = ()
) -> Device:  # fmt: skip
    """End a device of one of these shops or of a counter within `within`, with whatever was signed in on it; twice is once."""
    found = device_of(session, act.book_id, device_id, unit_ids=unit_ids, within=within)
    if found.ended_at is None:
        found.ended_at, found.ended_by = act.at, act.actor
        session.flush()
        end_sessions_on(session, act.book_id, device_id, act.at)
    return found


def end_sessions_on(session: Session, book_id: UUID, device_id: UUID, at: datetime) -> None:
    """End whatever is signed in on a device."""
    this = and_(Credential.book_id == book_id, Credential.device_id == device_id, Credential.ended_at.is_(None))
    session.execute(update(Credential).where(this).values(ended_at=at))
