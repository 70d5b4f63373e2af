"""Wrong guesses, counted in the database: a try is reserved before anything is compared, and given back only when it was right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from ledger.errors import Refusal
from ledger.people import Vault
from ledger.sign_in.model import Guesses
from ledger.sign_in.rules import GUESSES_AT_ONE
from ledger.sign_in.rules import GUESSES_FROM_ONE
from ledger.sign_in.rules import GUESSES_HERE
from ledger.sign_in.rules import Limit
from ledger.store import to_microseconds


@dataclass(frozen=True)
class Try:
    """A reserved try: under which keys, and at which moment."""

    book_id: UUID
    keys: tuple[bytes, ...]
    moment: int


def reserve(session: Session, vault: Vault, book_id: UUID, *, at_what: str, device: str, address: str, at: datetime) -> Try | Refusal:
    """Reserve a try at one card or account (`at_what`) from one device or address, before anything is compared.

    Whoever calls commits it at once, in a transaction of its own: a try that is under way must count for those that come meanwhile.
    Refused as "guesses-too-many" with `retry_after` in seconds where there were too many wrong ones of late.
    """
    counted = (("here", f"{at_what}|{device}", GUESSES_HERE), ("at one", at_what, GUESSES_AT_ONE), ("from one", address, GUESSES_FROM_ONE))
    # While the pepper is being changed also under the one before: nobody is given more guesses by that.
    limits = {key: limit for kind, value, limit in counted for key in vault.hashes(book_id, f"guesses {kind}", value)}
    moment, keys = to_microseconds(at), sorted(limits)
    late = {key: _of_late(moments, limits[key], moment) for key, moments in _locked(session, book_id, keys).items()}
    waits = [_waits(late[key], limits[key], moment) for key in keys if len(late[key]) >= limits[key].most]
    if waits:
        return Refusal("guesses-too-many", None, {"retry_after": max(waits)})
    for key in keys:
        _write(session, book_id, key, [*late[key], moment])
    return Try(book_id, tuple(keys), moment)


def give_back(session: Session, reserved: Try) -> None:
    """Give back a try that was right."""
    for key, moments in _locked(session, reserved.book_id, reserved.keys).items():
        if reserved.moment in moments:
            moments.remove(reserved.moment)
            _write(session, reserved.book_id, key, moments)


def _locked(session: Session, book_id: UUID, keys: Sequence[bytes]) -> dict[bytes, list[int]]:
    """Return the moments kept under `keys`, locked in their order until the transaction ends."""
    insert = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    rows = [{"book_id": book_id, "key": key, "moments": []} for key in keys]
    session.connection().execute(insert(Guesses).on_conflict_do_nothing(), rows)
    wanted = select(Guesses.key, Guesses.moments).where(Guesses.book_id == book_id, Guesses.key.in_(keys)).order_by(Guesses.key)
    return {key: list(moments) for key, moments in session.execute(wanted.with_for_update())}


def _of_late(moments: Sequence[int], limit: Limit, moment: int) -> list[int]:
    since = moment - int(limit.within.total_seconds() * 1_000_000)
    return [one for one in moments if one > since]


def _waits(moments: Sequence[int], limit: Limit, moment: int) -> int:
    """Return after how many seconds there is a try again."""
    free_at = moments[-limit.most] + int(limit.within.total_seconds() * 1_000_000)
    return max(1, math.ceil((free_at - moment) / 1_000_000))


def _write(session: Session, book_id: UUID, key: bytes, moments: list[int]) -> None:
    session.execute(update(Guesses).where(Guesses.book_id == book_id, Guesses.key == key).values(moments=moments))
