"""PINs, at a counter and at a till: each is set by whoever it belongs to, tried so many times, and good only on a paired device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from ledger import people
from ledger.act import Act
from ledger.errors import Invalid
from ledger.errors import Refusal
from ledger.ids import new_id
from ledger.people import Vault
from ledger.sign_in import hashing
from ledger.sign_in.devices import PairedDevice
from ledger.sign_in.devices import drawn_code
from ledger.sign_in.devices import end_sessions_on
from ledger.sign_in.devices import note_device_use
from ledger.sign_in.model import Credential
from ledger.sign_in.model import Secret
from ledger.sign_in.rules import PIN_CODE_LIVES
from ledger.sign_in.rules import WRONG_PINS_MAX
from ledger.sign_in.rules import is_easy_pin
from ledger.sign_in.rules import is_pin
from ledger.sign_in.sessions import open_session
from ledger.tokens import normalised

#: How often a shift that locked itself is traced back to its beginning.
_OPENED_AGAIN_MAX = 200


@dataclass(frozen=True)
class PinTry:
    """A try at somebody's PIN that is counted as wrong until it turns out to be right."""

    person_id: UUID
    kind: str
    sealed_hash: bytes


def set_pin(session: Session, vault: Vault, book_id: UUID, person_id: UUID, kind: str, pin: str, at: datetime) -> None:
    """Let somebody have the PIN that they typed, and forget the wrong tries; raise Invalid for one that others would try first."""
    if not is_pin(pin):
        raise Invalid("pin-malformed", "_pin")
    told = people.fields_of(session, vault, book_id, [person_id], ["birth_month", "phone"])[person_id]
    cards = [card.number for card in people.cards_of(session, book_id, person_id)]
    numbers = [people.person(session, book_id, person_id).handle, told.get("phone", ""), *cards]
    if is_easy_pin(pin, told.get("birth_month"), numbers):
        raise Invalid("pin-too-easy", "_pin")
    kept = {"sealed_hash": hashing.hashed(vault, book_id, person_id, kind, pin), "changed_at": at, "wrong": 0}
    insert_one = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    new = insert_one(Secret).values(book_id=book_id, person_id=person_id, kind=kind, **kept)
    session.execute(new.on_conflict_do_update(index_elements=["book_id", "person_id", "kind"], set_=kept))


def reserve_pin(session: Session, book_id: UUID, person_id: UUID, kind: str) -> PinTry | Refusal | None:
    """Count a try at somebody's PIN as wrong, before anything is compared; None for whoever has none.

    Whoever calls commits it at once, as with `guesses.reserve`. Refused as "pin-locked" after too many since the last right one: at a
    till or counter of which there are many, and not by whoever is signed in on a phone of their own (see `pin_of`).
    """
    this = (Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == kind)
    counted = session.execute(
        update(Secret).where(*this, Secret.wrong < WRONG_PINS_MAX).values(wrong=Secret.wrong + 1).returning(Secret.sealed_hash)
    ).scalar_one_or_none()
    if counted is not None:
        return PinTry(person_id, kind, counted)
    is_there = session.execute(select(Secret.wrong).where(*this)).scalar_one_or_none() is not None
    return Refusal("pin-locked", "_pin") if is_there else None


def pin_of(session: Session, book_id: UUID, person_id: UUID, kind: str) -> PinTry | None:
    """Return somebody's PIN to compare, for whoever is signed in as them: a session's tries are counted by `guesses` alone."""
    wanted = select(Secret.sealed_hash).where(Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == kind)
    sealed_hash = session.execute(wanted).scalar_one_or_none()
    return PinTry(person_id, kind, sealed_hash) if sealed_hash is not None else None


def pin_matches(vault: Vault, book_id: UUID, tried: PinTry | None, pin: str) -> bool:
    """Tell whether it is the PIN, in the same time whether there is one or not; no transaction waits meanwhile."""
    if tried is None:
        hashing.match_nothing(pin)
        return False
    return hashing.matches(vault, book_id, tried.person_id, tried.kind, tried.sealed_hash, pin)


def pin_set_at(session: Session, book_id: UUID, person_id: UUID, kind: str) -> datetime | None:
    """Return when somebody set their PIN: what was tried at the one before does not count at this one."""
    wanted = select(Secret.changed_at).where(Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == kind)
    return session.execute(wanted).scalar_one_or_none()


def uncount_pin(session: Session, book_id: UUID, tried: PinTry) -> None:
    """Take back that a try was counted: nothing could be compared."""
    this = (Secret.book_id == book_id, Secret.person_id == tried.person_id, Secret.kind == tried.kind)
    session.execute(update(Secret).where(*this, Secret.sealed_hash == tried.sealed_hash, Secret.wrong > 0).values(wrong=Secret.wrong - 1))


def forget_wrong_pins(session: Session, book_id: UUID, tried: PinTry) -> None:
    """Begin to count anew: the PIN was right."""
    this = (Secret.book_id == book_id, Secret.person_id == tried.person_id, Secret.kind == tried.kind)
    session.execute(update(Secret).where(*this, Secret.sealed_hash == tried.sealed_hash).values(wrong=0))


def issue_pin_code(session: Session, act: Act, vault: Vault, person_id: UUID) -> str:
    """Return a code with which a cashier sets the PIN of their shifts, once; one that was given before opens nothing any more."""
    this = (Credential.book_id == act.book_id, Credential.person_id == person_id, Credential.kind == "link", Credential.way == "shift")
    session.execute(update(Credential).where(*this, Credential.ended_at.is_(None)).values(ended_at=act.at))
    credential_id = new_id()
    code = drawn_code(vault, act.book_id, "pin code", credential_id)
    row = {
        "book_id": act.book_id, "id": credential_id, "kind": "link", "way": "shift", "person_id": person_id,
        "token_hash": _pin_code_hashes(vault, act.book_id, code)[0], "created_at": act.at, "expires_at": act.at + PIN_CODE_LIVES,
    }  # fmt: skip
    session.execute(insert(Credential).values(row))
    return code


def open_pin_code(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> str | None:
    """Return the code that a cashier was given and has not used, drawn again: it is kept nowhere."""
    wanted = select(Credential.id).where(
        Credential.book_id == book_id,
        Credential.person_id == person_id,
        Credential.kind == "link",
        Credential.way == "shift",
        Credential.ended_at.is_(None),
        Credential.expires_at > at,
    )
    credential_id = session.execute(wanted).scalar_one_or_none()
    return drawn_code(vault, book_id, "pin code", credential_id) if credential_id else None


def use_pin_code(session: Session, vault: Vault, book_id: UUID, person_id: UUID, code: str, at: datetime) -> Refusal | None:
    """Use up the code that a cashier was given to set a PIN."""
    used = session.execute(
        update(Credential)
        .where(
            Credential.book_id == book_id,
            Credential.token_hash.in_(_pin_code_hashes(vault, book_id, code)),
            Credential.person_id == person_id,
            Credential.ended_at.is_(None),
            Credential.expires_at > at,
        )
        .values(ended_at=at)
        .returning(Credential.id)
    ).scalar_one_or_none()
    return None if used else Refusal("pin-code-wrong", "code")


def _pin_code_hashes(vault: Vault, book_id: UUID, code: str) -> tuple[bytes, ...]:
    return vault.hashes(book_id, "pin code given", normalised(code).replace("-", ""))


def open_on_device(session: Session, device: PairedDevice, person_id: UUID, way: str, at: datetime) -> str:
    """Open a session on a paired device, in place of whatever was signed in on it; return its token."""
    end_sessions_on(session, device.book.id, device.id, at)
    note_device_use(session, device, at)
    return open_session(session, device.book, person_id, way, at, device_id=device.id)


def end_card(session: Session, act: Act, person_id: UUID) -> None:
    """End what somebody's card has opened, and its PIN, which whoever gives another card out might know: the card is no longer good."""
    this = (Credential.book_id == act.book_id, Credential.person_id == person_id, Credential.kind == "session", Credential.way == "card")
    session.execute(update(Credential).where(*this, Credential.ended_at.is_(None)).values(ended_at=act.at))
    session.execute(delete(Secret).where(Secret.book_id == act.book_id, Secret.person_id == person_id, Secret.kind == "pin"))


def locked_shift_on(session: Session, book_id: UUID, device_id: UUID) -> UUID | None:
    """Return whose shift on a device was not ended by anybody: it locked itself, and its cashier comes back with the PIN."""
    wanted = select(Credential.person_id).where(
        Credential.book_id == book_id, Credential.device_id == device_id, Credential.way == "shift", Credential.ended_at.is_(None)
    )
    return session.execute(wanted.order_by(Credential.created_at.desc()).limit(1)).scalar_one_or_none()


def shift_began(session: Session, book_id: UUID, device_id: UUID, person_id: UUID) -> datetime | None:
    """Return since when somebody's newest shift on a device is open: one that locked itself and was opened again is the same one."""
    this = (Credential.book_id == book_id, Credential.device_id == device_id, Credential.person_id == person_id)
    wanted = select(Credential.created_at, Credential.ended_at).where(*this, Credential.way == "shift")
    began = None
    for created_at, ended_at in session.execute(wanted.order_by(Credential.created_at.desc()).limit(_OPENED_AGAIN_MAX)):
        # Opening it again ends what was locked, in the same moment.
        if began is not None and ended_at != began:
            break
        began = created_at
    return began


def has_pin(session: Session, book_id: UUID, person_id: UUID, kind: str) -> bool:
    """Tell whether somebody has a PIN that still opens something."""
    wanted = select(Secret.wrong).where(Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == kind)
    wrong = session.execute(wanted).scalar_one_or_none()
    return wrong is not None and wrong < WRONG_PINS_MAX
