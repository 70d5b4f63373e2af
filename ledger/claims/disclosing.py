"""What claims keeps of somebody, and their passbook, told to themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ledger import journal
from ledger.claims import photos
from ledger.claims import queries
from ledger.people import Vault

#: As many as nobody has: an export is everything.
_ALL = 1_000_000
_LINE = ("number", "kind", "amount", "before", "after", "posted_at", "deed_on", "reference", "unit_id", "till_id", "reverses", "on_behalf")
_CLAIM = ("id", "state", "source", "deed_on", "starts_at", "minutes", "points", "reported_at")


def records_of(session: Session, vault: Vault, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    """Return somebody's passbook with every line, and their claims with every word and decision."""
    return {"passbook": _passbook(session, book_id, person_id, at), "claims": _claims(session, vault, book_id, person_id)}


def _passbook(session: Session, book_id: UUID, person_id: UUID, at: datetime) -> dict[str, Any]:
    account = journal.account_ids(session, book_id, "passbook", [person_id]).get(person_id)
    balance = journal.balance_of(session, book_id, account, at) if account else journal.Balance(0, 0, 0, 0)
    lines = journal.history(session, book_id, account, limit=_ALL) if account else []
    return {
        "balance": balance.balance,
        "held": balance.held,
        "expiring": balance.expiring,
        "lines": [{name: getattr(line, name) for name in _LINE} for line in lines],
    }


def _claims(session: Session, vault: Vault, book_id: UUID, person_id: UUID) -> list[dict[str, Any]]:
    rows = queries.mine(session, book_id, person_id, limit=_ALL)
    told = queries.told_of(session, vault, book_id, [row.claim for row in rows])
    notes = queries.notes_of(session, vault, book_id, rows)
    decisions = queries.decisions_of(session, book_id, [row.id for row in rows])
    shown = photos.photos_of(session, book_id, [row.id for row in rows])
    return [
        {
            "deed": row.rate.deed,
            "name_zh": row.rate.name_zh,
            "name_en": row.rate.name_en,
            **{name: getattr(row.claim, name) for name in _CLAIM},
            "place": told[row.id].place,
            "text": told[row.id].text,
            "photos": [{"id": one.id, "added_at": one.added_at} for one in shown[row.id]],
            "decisions": [
                {"act": one.act, "decided_at": one.decided_at, "reason": one.reason, "note": notes[row.id].get(one.number)}
                for one in decisions[row.id]
            ],
        }
        for row in rows
    ]
