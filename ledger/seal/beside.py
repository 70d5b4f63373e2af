"""Share the leaves of a log out, and recompute its parts side by side, each by a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import cast
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger.seal.merkle import HASH_BYTES
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.model import Leaf
from ledger.seal.recompute import Recomputed
from ledger.seal.recompute import recompute
from ledger.seal.streams import ALL
from ledger.seal.streams import Part
from ledger.store import engine_for
from ledger.store import exported_snapshot
from ledger.store import readers_at_once
from ledger.store import snapshot
from ledger.store import without_haste

#: So many leaves the process that begins others recomputes before they come to theirs: half a second passes until they have begun, and
#: then they look for where each account stands, which takes the longer the more leaves there are.
_HEAD_START, _OF_ALL = 40_000, 20
_LEAVES_EACH = 100_000


def side_by_side(session: Session, book_id: UUID) -> Callable[[], list[Recomputed]]:
    """Recompute all leaves of the book's log, those of a large one in parts, by as many processes as there are processors.

    Returned is what is to be called for what they came to, and recomputes the first part then. The other processes take a while to begin,
    in which whoever asks can look at something else.
    """
    # SQLite has no snapshot to share.
    if session.get_bind().dialect.name != "postgresql":
        return lambda: [recompute(session, book_id, ALL)]
    lowest, highest = session.execute(select(func.min(Leaf.number), func.max(Leaf.number)).where(Leaf.book_id == book_id)).one()
    # Of another type it is where the owner of the tables has made it one.
    count = highest + 1 if lowest == 0 and isinstance(highest, int) else 0
    first, *others = _parts(count)
    if not others:
        return lambda: [recompute(session, book_id, first)]
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    same = exported_snapshot(session)
    beside = [(_begin(url, same, book_id, part), part) for part in others]

    def heard() -> list[Recomputed]:
        found = [recompute(session, book_id, first), *(_heard(one) or recompute(session, book_id, part) for one, part in beside)]
        # One that is missing, or is there twice, moves all leaves after it, and they make another tree.
        lengths = [(part.last or count) - (part.first or 0) for part in (first, *others)]
        return found if [len(one.hashes) for one in found] == [one * HASH_BYTES for one in lengths] else [recompute(session, book_id, ALL)]

    return heard


def _begin(url: str, same: str, book_id: UUID, part: Part) -> Connection:
    """Begin a process that recomputes a part, and return where it will be heard. Where nobody is left to hear it, it ends."""
    context = get_context("spawn")
    hearing, telling = context.Pipe(duplex=False)
    context.Process(target=_beside, args=(telling, url, same, book_id, part), daemon=True).start()
    telling.close()
    return hearing


def _heard(hearing: Connection) -> Recomputed | None:
    """Return what a process says; None where it ended without a word: it found no connection, or waits for one who waits for this one."""
    # It may have ended in the middle of what it said, which is told as an OSError.
    with suppress(EOFError, OSError):
        return cast("Recomputed", hearing.recv())
    return None


def _parts(count: int) -> list[Part]:
    processes = min(readers_at_once(), count // _LEAVES_EACH)
    if processes < 2:
        return [ALL]
    ahead = _HEAD_START + count // _OF_ALL
    ends = [ahead + (count - ahead) * number // processes for number in range(1, processes)]
    ends = [end // TILE_WIDTH * TILE_WIDTH for end in ends]
    return [Part(first, last) for first, last in pairwise([None, *ends, None])]


def _beside(telling: Connection, url: str, same: str, book_id: UUID, part: Part) -> None:
    engine = engine_for(url, poolclass=NullPool)
    with Session(engine) as session:
        snapshot(session, same)
        without_haste(session)
        found = recompute(session, book_id, part)
    telling.send(found)
