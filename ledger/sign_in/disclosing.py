"""What sign-in keeps of somebody, told to themselves: the ways in they have, and what is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.people import Vault
from ledger.sign_in import sessions
from ledger.sign_in.model import OneTimeKey
from ledger.sign_in.model import Passkey
from ledger.sign_in.model import Secret


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return somebody's sessions and tokens that are alive, and what they sign in with, without what is secret of it."""
    names = ("kind", "way", "created_at", "expires_at", "last_used_at")
    alive = sessions.sessions_of(session, book_id, person_id, at)
    secrets = select(Secret.kind, Secret.changed_at).where(Secret.book_id == book_id, Secret.person_id == person_id)
    keys = select(OneTimeKey.created_at).where(OneTimeKey.book_id == book_id, OneTimeKey.person_id == person_id)
    passkeys = select(Passkey.name, Passkey.created_at, Passkey.last_used_at)
    passkeys = passkeys.where(Passkey.book_id == book_id, Passkey.person_id == person_id).order_by(Passkey.created_at)
    asked = {"secrets": secrets.order_by(Secret.kind), "one_time_keys": keys, "passkeys": passkeys}
    return {
        "sessions": [{name: getattr(one, name) for name in names} for one in alive],
        **{name: [dict(row) for row in session.execute(wanted).mappings()] for name, wanted in asked.items()},
    }
