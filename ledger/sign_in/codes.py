"""One-time codes of an authenticator's app (RFC 6238), each good once, and the recovery codes that stand in for it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from uuid import UUID

import pyotp
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger import tokens
from ledger.act import Act
from ledger.errors import Refusal
from ledger.people import Vault
from ledger.people import VaultError
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import RecoveryCode
from ledger.tokens import step_at

KEY_BYTES = 20
RECOVERY_CODES = 10
#: How long a key that is shown can be confirmed.
CONFIRM_WITHIN = timedelta(minutes=30)
#: 80 bits: their plain hash tells nobody anything, and stays when the keys of the service are changed.
_RECOVERY_BYTES = 10


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown once, to be put into an app; it counts when a code of it was typed in."""

    #: For typing.
    text: str
    #: For a QR code.
    address: str
    #: What comes back with the code: the key, sealed; nothing is kept before.
    sealed: str


@dataclass(frozen=True)
class Found:
    """What a typed code is: the one of a step of time, or a recovery code."""

    step: int | None = None
    code_hash: bytes | None = None


def new_key(vault: Vault, book_id: UUID, person_id: UUID, *, account: str, issuer: str, at: datetime) -> NewKey:
    """Return a new key, which is kept nowhere yet."""
    text = base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()
    sealed = vault.seal(_context_of_new(book_id, person_id), json.dumps([text, int(at.timestamp())]).encode())
    address = pyotp.TOTP(text).provisioning_uri(name=account, issuer_name=issuer)
    return NewKey(text, address, base64.urlsafe_b64encode(sealed).decode())


def shown_again(vault: Vault, book_id: UUID, person_id: UUID, sealed: str, *, account: str, issuer: str) -> NewKey | None:
    """Return the key of a form that is drawn again."""
    opened = _opened(vault, book_id, person_id, sealed)
    return opened and NewKey(opened[0], pyotp.TOTP(opened[0]).provisioning_uri(name=account, issuer_name=issuer), sealed)


def confirm_key(session: Session, act: Act, vault: Vault, person_id: UUID, sealed: str, code: str) -> Refusal | None:
    """Keep a key that was shown, in place of the one before, now that a code of it was typed in; that code is used."""
    opened = _opened(vault, act.book_id, person_id, sealed)
    if opened is None or act.at.timestamp() - opened[1] > CONFIRM_WITHIN.total_seconds():
        return Refusal("one-time-key-expired", "code")
    step = _step_of(opened[0], code, act.at)
    if step is None:
        return Refusal("one-time-code-wrong", "code")
    sealed_key = vault.seal(context(act.book_id, person_id), opened[0].encode())
    remove_key(session, act, person_id)
    session.execute(
        insert(OneTimeKey).values(book_id=act.book_id, person_id=person_id, sealed_key=sealed_key, last_step=step, created_at=act.at)
    )
    return None


def remove_key(session: Session, act: Act, person_id: UUID) -> None:
    """Remove somebody's one-time codes, where there are any."""
    session.execute(delete(OneTimeKey).where(OneTimeKey.book_id == act.book_id, OneTimeKey.person_id == person_id))


def new_recovery_codes(session: Session, act: Act, person_id: UUID) -> list[str]:
    """Return somebody's new recovery codes, to be shown once; those before are dead."""
    remove_recovery_codes(session, act, person_id)
    codes = [tokens.to_base32(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]
    rows = [{"book_id": act.book_id, "person_id": person_id, "code_hash": _hash_of(person_id, code)} for code in codes]
    session.execute(insert(RecoveryCode), rows)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def remove_recovery_codes(session: Session, act: Act, person_id: UUID) -> None:
    """Remove somebody's recovery codes."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.book_id == act.book_id, RecoveryCode.person_id == person_id))


def find(session: Session, vault: Vault, book_id: UUID, person_id: UUID | None, code: str, at: datetime) -> Found | None:
    """Return what somebody's typed code is, where it is good; it is not used up by that."""
    if person_id is None:
        return None
    wanted = select(OneTimeKey.sealed_key, OneTimeKey.last_step).where(OneTimeKey.book_id == book_id, OneTimeKey.person_id == person_id)
    kept = session.execute(wanted).one_or_none()
    # A recovery code stands in for a one-time code that there is, never for having none.
    if kept is None:
        return None
    step = _step_of(vault.open(context(book_id, person_id), kept.sealed_key).decode(), code, at)
    if step is not None:
        return Found(step=step) if step > kept.last_step else None
    code_hash = _hash_of(person_id, code)
    is_there = select(RecoveryCode.code_hash).where(
        RecoveryCode.book_id == book_id,
        RecoveryCode.person_id == person_id,
        RecoveryCode.code_hash == code_hash,
        RecoveryCode.used_at.is_(None),
    )
    return Found(code_hash=code_hash) if session.execute(is_there).one_or_none() else None


def use(session: Session, book_id: UUID, person_id: UUID, found: Found, at: datetime) -> bool:
    """Use a code up; False where somebody else was quicker. One statement decides."""
    if found.step is not None:
        this = (OneTimeKey.book_id == book_id, OneTimeKey.person_id == person_id, OneTimeKey.last_step < found.step)
        used = session.execute(update(OneTimeKey).where(*this).values(last_step=found.step).returning(OneTimeKey.person_id))
    else:
        mine = (RecoveryCode.book_id == book_id, RecoveryCode.person_id == person_id)
        one = (RecoveryCode.code_hash == found.code_hash, RecoveryCode.used_at.is_(None))
        used = session.execute(update(RecoveryCode).where(*mine, *one).values(used_at=at).returning(RecoveryCode.person_id))
    return used.scalar_one_or_none() is not None


def _step_of(key: str, code: str, at: datetime) -> int | None:
    """Return the step of time that drew the code: this one, or the one before."""
    typed = "".join(code.split())
    now = step_at(at)
    steps = [step for step in (now - 1, now) if hmac.compare_digest(pyotp.TOTP(key).generate_otp(step).encode(), typed.encode())]
    return max(steps, default=None)


def _hash_of(person_id: UUID, code: str) -> bytes:
    plain = "".join(character for character in tokens.normalised(code) if character.isalnum())
    return hashlib.sha256(f"{person_id}|recovery code|{plain}".encode()).digest()


def context(book_id: UUID, person_id: UUID) -> str:
    """Return what somebody's key of one-time codes is sealed to: its own place."""
    return f"{book_id}|{person_id}|one-time key"


def _context_of_new(book_id: UUID, person_id: UUID) -> str:
    return f"{book_id}|{person_id}|new one-time key"


def _opened(vault: Vault, book_id: UUID, person_id: UUID, sealed: str) -> tuple[str, int] | None:
    try:
        text, made_at = json.loads(vault.open(_context_of_new(book_id, person_id), base64.urlsafe_b64decode(sealed.encode())))
    except (VaultError, binascii.Error, ValueError):
        return None
    return str(text), int(made_at)
