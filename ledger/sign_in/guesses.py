"""Wrong guesses, counted in the database: a try is reserved before anything is compared, and given back only when it was right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from ledger.errors import Refusal
from ledger.people import Vault
from ledger.sign_in.model import Guesses
from ledger.sign_in.rules import GUESSES_AT_ONE
from ledger.sign_in.rules import GUESSES_AT_PLACE
from ledger.sign_in.rules import GUESSES_FROM_ONE
from ledger.sign_in.rules import GUESSES_HERE
from ledger.sign_in.rules import GUESSES_KEPT_FOR
from ledger.sign_in.rules import Limit
from ledger.store import to_microseconds


@dataclass(frozen=True)
class Try:
    """A reserved try: under which keys, and at which moment."""

    book_id: UUID
    keys: tuple[bytes, ...]
    moment: int
    #: Where it is wrong, there is none after it for now.
    is_last: bool = False


@dataclass(frozen=True)
class Source:
    """Whence somebody tries: each is counted for itself, and nobody takes tries from anybody who is not named with them."""

    #: The browser, session or paired device.
    device: str
    #: What they share with others who try at other things: a stranger's network, or the paired device. None where it is somebody's own.
    network: str | None = None
    #: The browser never was signed in to what is tried: all of those share what is left at it.
    is_strange: bool = False
    #: The shop or counter in which a PIN is typed.
    place: str | None = None


def reserve(session: Session, vault: Vault, book_id: UUID, *, at_what: str, source: Source, at: datetime) -> Try | Refusal:
    """Reserve a try at one card or account (`at_what`), before anything is compared.

    Whoever calls commits it at once, in a transaction of its own: a try that is under way must count for those that come meanwhile.
    Refused as "guesses-too-many" with `retry_after` in seconds where there were too many wrong ones of late; then nothing is written.
    """
    # While the pepper is being changed also under the one before: nobody is given more guesses by that.
    limits = {
        key: limit for kind, value, limit in _counted(at_what, source) for key in vault.hashes(book_id, f"guesses {kind}", value)
    }  # fmt: skip
    moment, keys = to_microseconds(at), sorted(limits)
    # Looked at before anything is written: whoever is refused, however often, adds no row and waits for nobody.
    if refused := _against({key: moments for key, moments in session.execute(_kept(book_id, keys))}, limits, moment):
        return refused
    _made(session, book_id, keys, at)
    found = _locked(session, book_id, keys)
    if refused := _against(found, limits, moment):
        return refused
    late = {key: [*_of_late(found.get(key, []), limits[key], moment), moment] for key in keys}
    for key in keys:
        _write(session, book_id, key, late[key], at)
    return Try(book_id, tuple(keys), moment, is_last=any(len(late[key]) >= limits[key].most for key in keys))


def _counted(at_what: str, source: Source) -> list[tuple[str, str, Limit]]:
    """Return all under which a try counts."""
    counted = [("here", f"{at_what}|{source.device}", GUESSES_HERE)]
    if source.is_strange:
        counted.append(("at one", at_what, GUESSES_AT_ONE))
    if source.network is not None:
        counted.append(("from one", source.network, GUESSES_FROM_ONE))
    if source.place is not None:
        counted.append(("at place", f"{at_what}|{source.place}", GUESSES_AT_PLACE))
    return counted


def give_back(session: Session, reserved: Try) -> None:
    """Give back a try that was right."""
    for key, moments in _locked(session, reserved.book_id, reserved.keys).items():
        if reserved.moment in moments:
            moments.remove(reserved.moment)
            this = (Guesses.book_id == reserved.book_id, Guesses.key == key)
            session.execute(update(Guesses).where(*this).values(moments=moments))


def sweep_guesses(session: Session, book_id: UUID, at: datetime) -> int:
    """Forget what nobody has tried for a day, and return how much that was."""
    late = delete(Guesses).where(Guesses.book_id == book_id, Guesses.tried_at < at - GUESSES_KEPT_FOR)
    return len(session.execute(late.returning(Guesses.key)).all())


def _locked(session: Session, book_id: UUID, keys: Sequence[bytes]) -> dict[bytes, list[int]]:
    """Return the moments kept under `keys`, locked in their order until the transaction ends."""
    return {key: list(moments) for key, moments in session.execute(_kept(book_id, keys).with_for_update())}


def _kept(book_id: UUID, keys: Sequence[bytes]) -> Select[bytes, list[int]]:
    return select(Guesses.key, Guesses.moments).where(Guesses.book_id == book_id, Guesses.key.in_(keys)).order_by(Guesses.key)


def _against(found: Mapping[bytes, Sequence[int]], limits: Mapping[bytes, Limit], moment: int) -> Refusal | None:
    late = {key: _of_late(moments, limits[key], moment) for key, moments in found.items()}
    waits = [_waits(moments, limits[key], moment) for key, moments in late.items() if len(moments) >= limits[key].most]
    return Refusal("guesses-too-many", None, {"retry_after": max(waits)}) if waits else None


def _of_late(moments: Sequence[int], limit: Limit, moment: int) -> list[int]:
    since = moment - int(limit.within.total_seconds() * 1_000_000)
    return [one for one in moments if one > since]


def _waits(moments: Sequence[int], limit: Limit, moment: int) -> int:
    """Return after how many seconds there is a try again."""
    free_at = moments[-limit.most] + int(limit.within.total_seconds() * 1_000_000)
    return max(1, math.ceil((free_at - moment) / 1_000_000))


def _made(session: Session, book_id: UUID, keys: Sequence[bytes], at: datetime) -> None:
    """Have a row under each of `keys`, to be locked."""
    insert = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    rows = [{"book_id": book_id, "key": key, "moments": [], "tried_at": at} for key in keys]
    session.connection().execute(insert(Guesses).on_conflict_do_nothing(), rows)


def _write(session: Session, book_id: UUID, key: bytes, moments: list[int], at: datetime) -> None:
    session.execute(update(Guesses).where(Guesses.book_id == book_id, Guesses.key == key).values(moments=moments, tried_at=at))
