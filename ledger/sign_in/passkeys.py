"""Passkeys (WebAuthn): registered by whoever is signed in, and afterwards a way in by themselves, on a phone as on a key of metal.

A challenge is nowhere kept before it is answered: it is signed, good for minutes, for one purpose, and once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session
from webauthn import generate_authentication_options
from webauthn import generate_registration_options
from webauthn import options_to_json
from webauthn import verify_authentication_response
from webauthn import verify_registration_response
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers import parse_client_data_json
from webauthn.helpers import parse_registration_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria
from webauthn.helpers.structs import PublicKeyCredentialDescriptor
from webauthn.helpers.structs import ResidentKeyRequirement
from webauthn.helpers.structs import UserVerificationRequirement

from ledger import areas
from ledger.act import Act
from ledger.areas import Book
from ledger.errors import NotFound
from ledger.errors import Refusal
from ledger.settings import Settings
from ledger.sign_in.model import Passkey
from ledger.sign_in.model import UsedChallenge
from ledger.store import EPOCH
from ledger.store import to_microseconds

CHALLENGE_LIVES = timedelta(minutes=5)
NAME_LENGTH_MAX = 50
PASSKEYS_MAX = 10
ANSWER_LENGTH_MAX = 20_000
#: What a challenge is for: to answer it in another place is no use.
SIGN_IN, PROOF, REGISTER = "sign-in", "proof", "register"

_TIMEOUT_MS = int(CHALLENGE_LIVES.total_seconds()) * 1000
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Site:
    """The service as browsers and authenticators know it, and the keys that sign its challenges."""

    host: str
    origin: str
    name: str
    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, settings: Settings, name: str) -> Site:
        """Return the site that `settings` tell."""
        parts = urlsplit(settings.public_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}".lower(), name, settings.secret_keys)


@dataclass(frozen=True)
class Answered:
    """Whose passkey answered, and what is to be written down about it."""

    book: Book
    person_id: UUID
    credential_id: bytes
    sign_count: int
    challenge: bytes


def sign_in_options(site: Site, at: datetime) -> str:
    """Return what a browser is asked to sign in with, as JSON; whoever it is need not say so before."""
    return _asked(site, _challenge(site, SIGN_IN, at), [])


def proof_options(site: Site, person_id: UUID, passkeys: Sequence[Passkey], at: datetime) -> str:
    """Return what a browser is asked, so that somebody who is signed in proves who they are, as JSON."""
    return _asked(site, _challenge(site, f"{PROOF}|{person_id}", at), passkeys)


def registration_options(site: Site, book: Book, person_id: UUID, name: str, passkeys: Sequence[Passkey], at: datetime) -> str:
    """Return what a browser is asked to make a passkey for somebody, as JSON: on this device or on another, found without a name."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=user_handle(book.number, person_id),
        user_name=name,
        challenge=_challenge(site, f"{REGISTER}|{person_id}", at),
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(passkeys),
    )
    return options_to_json(options)


def register(
    session: Session, act: Act, site: Site, person_id: UUID, *, answer: str, name: str, has: Sequence[Passkey]
) -> Passkey | Refusal:  # fmt: skip
    """Keep the passkey that somebody's browser has made."""
    if len(has) >= PASSKEYS_MAX:
        return Refusal("passkeys-too-many", None, {"most": PASSKEYS_MAX})
    try:
        credential = parse_registration_credential_json(_checked(answer))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _MALFORMED:
        return Refusal("passkey-not-made", "answer")
    if not _is_good(site, f"{REGISTER}|{person_id}", challenge, act.at) or not _use_up(session, act.book_id, challenge, act.at):
        return Refusal("passkey-not-made", "answer")
    wanted = select(Passkey.person_id).where(Passkey.book_id == act.book_id, Passkey.credential_id == made.credential_id)
    if session.execute(wanted).one_or_none():
        return Refusal("passkey-not-made", "answer")
    passkey = Passkey(
        book_id=act.book_id,
        credential_id=made.credential_id,
        person_id=person_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=name,
        created_at=act.at,
    )
    session.add(passkey)
    session.flush()
    return passkey


def answered(session: Session, site: Site, answer: str, at: datetime, *, prover: tuple[int, UUID] | None = None) -> Answered | None:
    """Return whose passkey gave the answer; None for any that does not hold, whatever is wrong with it. Nothing is written.

    `prover`: the book's number, and who is signed in to it and proves who they are, instead of signing in.
    """
    try:
        credential = parse_authentication_credential_json(_checked(answer))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        # Asked for one of several, an authenticator need not say whose it is.
        whose = prover or _read_handle(credential.response.user_handle)
        if whose is None or not _is_good(site, f"{PROOF}|{prover[1]}" if prover else SIGN_IN, challenge, at):
            return None
        book = areas.book_numbered(session, whose[0])
        if book is None:
            return None
        wanted = select(Passkey).where(Passkey.book_id == book.id, Passkey.credential_id == credential.raw_id)
        passkey = session.execute(wanted).scalar_one_or_none()
        if passkey is None or passkey.person_id != whose[1]:
            return None
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _MALFORMED:
        return None
    return Answered(book, passkey.person_id, passkey.credential_id, verified.new_sign_count, challenge)


def use(session: Session, found: Answered, at: datetime) -> bool:
    """Use an answer up and count on; False where it was used, or the passkey went backwards or away, meanwhile."""
    this = (Passkey.book_id == found.book.id, Passkey.credential_id == found.credential_id)
    goes_on = or_(Passkey.sign_count < found.sign_count, (Passkey.sign_count == 0) & (found.sign_count == 0))
    counted = session.execute(
        update(Passkey).where(*this, goes_on).values(sign_count=found.sign_count, last_used_at=at).returning(Passkey.person_id)
    )
    return counted.scalar_one_or_none() is not None and _use_up(session, found.book.id, found.challenge, at)


def rename(session: Session, act: Act, person_id: UUID, credential_id: bytes, name: str) -> None:
    """Call a passkey of somebody otherwise; raise NotFound for any other."""
    renamed = session.execute(update(Passkey).where(*_mine(act, person_id, credential_id)).values(name=name).returning(Passkey.name))
    if renamed.scalar_one_or_none() is None:
        raise NotFound("credential_id")


def remove(session: Session, act: Act, person_id: UUID, credential_id: bytes) -> None:
    """Remove a passkey of somebody: nobody comes in with it any more; raise NotFound for any other."""
    gone = session.execute(delete(Passkey).where(*_mine(act, person_id, credential_id)).returning(Passkey.name))
    if gone.scalar_one_or_none() is None:
        raise NotFound("credential_id")


def remove_all(session: Session, act: Act, person_id: UUID) -> None:
    """Remove all passkeys of somebody."""
    session.execute(delete(Passkey).where(Passkey.book_id == act.book_id, Passkey.person_id == person_id))


def user_handle(book_number: int, person_id: UUID) -> bytes:
    """Return what an authenticator keeps of somebody, and gives back: where to look for them, by random numbers only."""
    return book_number.to_bytes(4, "big") + person_id.bytes


def _read_handle(handle: bytes | None) -> tuple[int, UUID] | None:
    return (int.from_bytes(handle[:4], "big"), UUID(bytes=handle[4:])) if handle and len(handle) == 20 else None


def _mine(act: Act, person_id: UUID, credential_id: bytes) -> tuple[Any, ...]:
    return (Passkey.book_id == act.book_id, Passkey.person_id == person_id, Passkey.credential_id == credential_id)


def _asked(site: Site, challenge: bytes, passkeys: Sequence[Passkey]) -> str:
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=_described(passkeys),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def _described(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in passkeys]


def _checked(answer: str) -> dict[str, Any]:
    """Return a browser's answer; raise ValueError or TypeError for what is none."""
    if len(answer) > ANSWER_LENGTH_MAX:
        raise ValueError("too long")
    read = json.loads(answer)
    if not isinstance(read, Mapping):
        raise TypeError("no object")
    return dict(read)


def _challenge(site: Site, purpose: str, at: datetime) -> bytes:
    told = secrets.token_bytes(16) + to_microseconds(at).to_bytes(8, "big")
    return told + _signature(site.keys[0], purpose, told)


def _is_good(site: Site, purpose: str, challenge: bytes, at: datetime) -> bool:
    """Tell whether it is a challenge of this service, for this purpose, and not too old."""
    told, signature = challenge[:24], challenge[24:]
    if not any(hmac.compare_digest(_signature(key, purpose, told), signature) for key in site.keys):
        return False
    age = at - (EPOCH + timedelta(microseconds=int.from_bytes(told[16:], "big")))
    return timedelta(0) <= age <= CHALLENGE_LIVES


def _signature(key: bytes, purpose: str, told: bytes) -> bytes:
    return hmac.digest(key, f"passkey challenge|{purpose}|".encode() + told, "sha256")


def _use_up(session: Session, book_id: UUID, challenge: bytes, at: datetime) -> bool:
    """Write down that a challenge was answered; False where it was before."""
    insert = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    row = {"book_id": book_id, "challenge_hash": hashlib.sha256(challenge).digest(), "used_at": at}
    new = insert(UsedChallenge).values(row).on_conflict_do_nothing().returning(UsedChallenge.used_at)
    return session.execute(new).scalar_one_or_none() is not None
