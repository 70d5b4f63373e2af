"""Reads: what somebody can prove with who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.sign_in.model import Credential
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import Passkey
from ledger.sign_in.model import RecoveryCode
from ledger.sign_in.model import Secret


@dataclass(frozen=True)
class Factors:
    """What somebody can prove with who they are."""

    passkeys: Sequence[Passkey]
    #: When the password was last changed; None where there is none.
    password_since: datetime | None
    #: Since when there are one-time codes; None where there are none.
    codes_since: datetime | None
    recovery_codes_left: int

    @property
    def has_password(self) -> bool:
        """Tell whether there is the way in of a password: with the one-time codes that it wants."""
        return self.password_since is not None and self.codes_since is not None

    @property
    def is_strong(self) -> bool:
        """Tell whether there is a way in that no stranger with a found link or an overheard PIN can take."""
        return bool(self.passkeys) or self.has_password


def factors_of(session: Session, book_id: UUID, person_id: UUID) -> Factors:
    """Return what somebody can prove with who they are."""
    passkeys = select(Passkey).where(Passkey.book_id == book_id, Passkey.person_id == person_id)
    password = select(Secret.changed_at).where(Secret.book_id == book_id, Secret.person_id == person_id, Secret.kind == "password")
    codes = select(OneTimeKey.created_at).where(OneTimeKey.book_id == book_id, OneTimeKey.person_id == person_id)
    left = select(func.count()).where(
        RecoveryCode.book_id == book_id, RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
    )  # fmt: skip
    return Factors(
        passkeys=session.execute(passkeys.order_by(Passkey.created_at, Passkey.credential_id)).scalars().all(),
        password_since=session.execute(password).scalar_one_or_none(),
        codes_since=session.execute(codes).scalar_one_or_none(),
        recovery_codes_left=session.execute(left).scalar_one(),
    )


def links_of(session: Session, book_id: UUID, person_id: UUID) -> set[UUID]:
    """Return the ids of the one-time links that were issued for somebody, used or not."""
    wanted = select(Credential.id).where(Credential.book_id == book_id, Credential.person_id == person_id, Credential.kind == "link")
    return {link_id for link_id in session.execute(wanted).scalars() if link_id}
