"""What is asked of the log: its tree by tiles, its newest head, and proofs of lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session

from ledger.errors import NotFound
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Unsealed
from ledger.seal import leaves
from ledger.seal import notes
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.merkle import Tree
from ledger.seal.merkle import is_included
from ledger.seal.merkle import leaf_hash
from ledger.seal.model import Alarm
from ledger.seal.model import Checkpoint
from ledger.seal.model import Cosignature
from ledger.seal.model import Leaf
from ledger.seal.model import Log
from ledger.seal.model import LogKey
from ledger.seal.model import Side
from ledger.seal.model import Tile
from ledger.seal.model import Witness

#: The log's own signatures, today's and the old key's, stand under a note as well (notes.py reads 64 in all).
_COSIGNATURES_MAX = 60
_HEADS_LOOKED_AT = 100
_ALARM_NEW = timedelta(days=30)
_STALLED_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Sealed:
    """A published head with everybody's signatures under it."""

    head: notes.Head
    note: notes.Note
    signed_at: datetime
    #: The `vkey`s of the witnesses that cosigned it.
    witnesses: tuple[str, ...]


def origin_of(session: Session, book_id: UUID) -> str | None:
    """Return the name of a book's log; none where nothing was ever sealed."""
    return session.execute(select(Log.origin).where(Log.book_id == book_id)).scalar_one_or_none()


def log_keys(session: Session, book_id: UUID) -> list[notes.Key]:
    """Return the public keys that a book's log was signed with, the first one first."""
    wanted = select(LogKey.key).where(LogKey.book_id == book_id).order_by(LogKey.since, LogKey.key)
    return [notes.key_of(key) for key in session.execute(wanted).scalars()]


def size_of(session: Session, book_id: UUID) -> int:
    """Return how many leaves the log has, signed or not yet."""
    last = session.execute(select(func.max(Leaf.number)).where(Leaf.book_id == book_id)).scalar_one()
    return 0 if last is None else int(last) + 1


def tree(session: Session, book_id: UUID, size: int) -> Tree:
    """Return the tree over the log's first `size` leaves."""
    return Tree(size, lambda level, number, width: tile(session, book_id, level, number, width))


def tile(session: Session, book_id: UUID, level: int, number: int, width: int) -> bytes:
    """Return the first `width` hashes of a tile; fewer where the log has not so many."""
    whole = select(Tile.hashes).where(Tile.book_id == book_id, Tile.level == level, Tile.number == number)
    if (found := session.execute(whole).scalar_one_or_none()) is not None:
        return found[: width * 32]
    first = number * TILE_WIDTH
    if level == 0:
        part = select(Leaf.hash).where(Leaf.book_id == book_id, Leaf.number >= first, Leaf.number < first + width).order_by(Leaf.number)
    else:
        part = select(Tile.root).where(
            Tile.book_id == book_id, Tile.level == level - 1, Tile.number >= first, Tile.number < first + width
        ).order_by(Tile.number)  # fmt: skip
    return b"".join(session.execute(part).scalars())


def entries(session: Session, book_id: UUID, number: int, width: int) -> list[bytes]:
    """Return the first `width` leaves of a bundle of 256."""
    first = number * TILE_WIDTH
    wanted = select(Leaf.data).where(Leaf.book_id == book_id, Leaf.number >= first, Leaf.number < first + width).order_by(Leaf.number)
    return list(session.execute(wanted).scalars())


def newest(session: Session, book_id: UUID, *, at_least: int = 0) -> Sealed | None:
    """Return the newest head of a book's log; none where there is none, or none of `at_least` so many leaves."""
    wanted = select(Checkpoint).where(Checkpoint.book_id == book_id, Checkpoint.size >= at_least).order_by(Checkpoint.size.desc()).limit(1)
    found = session.execute(wanted).scalar_one_or_none()
    return None if found is None else _sealed(session, found)


def of_size(session: Session, book_id: UUID, size: int) -> Sealed | None:
    """Return the head of exactly this size, if one was signed."""
    found = session.get(Checkpoint, (book_id, size))
    return None if found is None else _sealed(session, found)


def _sealed(session: Session, found: Checkpoint) -> Sealed:
    # Of whoever watches now, those who are asked first; and not more than anybody reads under one note.
    lines = session.execute(
        select(Cosignature.witness, Cosignature.line)
        .join(Witness, (Witness.book_id == Cosignature.book_id) & (Witness.key == Cosignature.witness))
        .where(Cosignature.book_id == found.book_id, Cosignature.size == found.size, Witness.ended_at.is_(None))
        .order_by(Witness.address.is_(None), Witness.added_at, Witness.id)
        .limit(_COSIGNATURES_MAX)
    ).all()
    note = notes.note_of(found.note).with_signatures(notes.signature_of(line) for _, line in lines)
    return Sealed(notes.head_of(note.body), note, found.signed_at, tuple(witness for witness, _ in lines))


def best_head(session: Session, book_id: UUID, at_least: int) -> Sealed | None:
    """Return the head of `at_least` so many leaves that most witnesses cosigned, of the first ones that there are; else the newest."""
    sizes = select(Checkpoint.size).where(Checkpoint.book_id == book_id, Checkpoint.size >= at_least)
    first = list(session.execute(sizes.order_by(Checkpoint.size).limit(_HEADS_LOOKED_AT)).scalars())
    if not first:
        return None
    counted = (
        select(Cosignature.size)
        .join(Witness, (Witness.book_id == Cosignature.book_id) & (Witness.key == Cosignature.witness))
        .where(Cosignature.book_id == book_id, Cosignature.size.between(first[0], first[-1]), Witness.ended_at.is_(None))
        .group_by(Cosignature.size)
        .order_by(func.count().desc(), Cosignature.size.desc())
        .limit(1)
    )
    best = session.execute(counted).scalar_one_or_none()
    return of_size(session, book_id, best) if best is not None else newest(session, book_id)


def seen_by(session: Session, book_id: UUID, keys: Collection[str]) -> dict[str, int]:
    """Return of each of these witnesses the largest head that it cosigned."""
    wanted = (
        select(Cosignature.witness, func.max(Cosignature.size))
        .where(Cosignature.book_id == book_id, Cosignature.witness.in_(keys))
        .group_by(Cosignature.witness)
    )
    return {witness: size for witness, size in session.execute(wanted)}


def has_watched(session: Session, book_id: UUID, key: notes.Key) -> bool:
    """Tell whether this key is a witness's of the book, or was one's."""
    return bool(session.execute(select(Witness.id).where(Witness.book_id == book_id, Witness.key == str(key)).limit(1)).first())


def witnesses(session: Session, book_id: UUID) -> list[Witness]:
    """Return the witnesses of a book that watch its log now."""
    wanted = select(Witness).where(Witness.book_id == book_id, Witness.ended_at.is_(None)).order_by(Witness.added_at, Witness.id)
    return list(session.execute(wanted).scalars())


def alarms(session: Session, book_id: UUID, limit: int = 50) -> list[Alarm]:
    """Return the newest alarms of a book's log."""
    return list(session.execute(select(Alarm).where(Alarm.book_id == book_id).order_by(Alarm.at.desc(), Alarm.id).limit(limit)).scalars())


def is_telling(session: Session, book_id: UUID, now: datetime) -> ColumnElement[bool]:
    """Return the condition that an alarm of this book is to be looked at: it is new, or holds still.

    That the log does not carry on holds until it is signed again, and a refusal until that witness cosigns again. A line that is not what
    was sealed is told anew by whoever reads it.
    """
    newest_at = select(Checkpoint.signed_at).where(Checkpoint.book_id == book_id).order_by(Checkpoint.size.desc()).limit(1)
    signed_at = session.execute(newest_at).scalar_one_or_none()
    cosigned = exists().where(
        Cosignature.book_id == book_id,
        Cosignature.size >= func.coalesce(Alarm.seen, 0),
        func.substr(Cosignature.witness, 1, func.length(Alarm.witness) + 1) == Alarm.witness + "+",
        Cosignature.added_at > Alarm.at,
    )
    return or_(
        Alarm.at >= now - _ALARM_NEW,
        and_(Alarm.what == "does-not-extend", true() if signed_at is None else Alarm.at > signed_at),
        and_(Alarm.what.in_(("witness-refused", "till-refused")), ~cosigned),
    )


def alarming(session: Session, book_id: UUID, now: datetime) -> int:
    """Return how many alarms there are to be looked at; that the sealer stands still is one."""
    wanted = select(func.count()).where(Alarm.book_id == book_id, is_telling(session, book_id, now))
    return session.execute(wanted).scalar_one() + is_stalled(session, book_id, now)


def is_stalled(session: Session, book_id: UUID, now: datetime) -> bool:
    """Tell whether an entry waits longer to be sealed than any does while a sealer runs: none does, or it cannot."""
    wanted = (
        select(Unsealed.entry_id)
        .join(Entry, (Entry.book_id == Unsealed.book_id) & (Entry.id == Unsealed.entry_id))
        .where(Unsealed.book_id == book_id, Entry.posted_at < now - _STALLED_AFTER)
        .limit(1)
    )
    return session.execute(wanted).first() is not None


@dataclass(frozen=True)
class Receipt:
    """What the journal says of a passbook line, and what proves it; no proof yet where it waits to be sealed."""

    facts: leaves.SideFacts
    opening: leaves.Opening | None = None
    proof: notes.Proof | None = None
    #: Where the journal says something else than what was sealed: the number of the leaf, and the head over it. Then nothing is proved.
    differs_at: tuple[int, notes.Head] | None = None


def waiting(session: Session, book_id: UUID) -> int:
    """Return how many entries wait to be sealed."""
    return session.execute(select(func.count()).where(Unsealed.book_id == book_id)).scalar_one()


def side_facts(session: Session, book_id: UUID, account_id: UUID, number: int) -> leaves.SideFacts:
    """Return what the journal says of a line, with the hash of the side before it; raise NotFound where there is no such line."""
    raw: Any = type_coerce(Line.posted_at, BigInteger)
    found = session.execute(
        select(Line.amount, Line.before, Line.after, Entry.kind, Line.deed_on, raw)
        .join(Entry, (Entry.book_id == Line.book_id) & (Entry.id == Line.entry_id))
        .where(Line.book_id == book_id, Line.account_id == account_id, Line.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound("line")
    previous = session.execute(
        select(Side.hash).where(Side.book_id == book_id, Side.account_id == account_id, Side.number == number - 1)
    ).scalar_one_or_none()
    amount, before, after, kind, deed_on, posted_at = found
    return leaves.SideFacts(account_id, number, amount, before, after, kind, deed_on, posted_at, previous)


def receipt(session: Session, book_id: UUID, account_id: UUID, number: int) -> Receipt:
    """Return what proves line `number` of an account; raise NotFound where there is no such line."""
    facts = side_facts(session, book_id, account_id, number)
    found = session.execute(
        select(Side.salt, Side.hash, Leaf.number, Leaf.data)
        .join(Leaf, (Leaf.book_id == Side.book_id) & (Leaf.number == Side.leaf_number))
        .where(Side.book_id == book_id, Side.account_id == account_id, Side.number == number)
    ).one_or_none()
    if found is None:
        return Receipt(facts)
    salt, own, leaf_number, data = found
    entry, giver, taker = data[2:34], data[34:66], data[66:98]
    opening = leaves.Opening(facts, salt, entry, taker if own == giver else giver)
    sealed = best_head(session, book_id, leaf_number + 1)
    if sealed is None:
        return Receipt(facts, opening)
    head, path = sealed.head, tree(session, book_id, sealed.head.size).inclusion(leaf_number)
    if not is_included(leaf_hash(opening.leaf), leaf_number, head.size, path, head.root):
        return Receipt(facts, differs_at=(leaf_number, head))
    return Receipt(facts, opening, notes.Proof(leaf_number, tuple(path), sealed.note, opening.packed()))


def check_words(session: Session, book_id: UUID, account_id: UUID, first: int, last: int) -> dict[int, str]:
    """Return the check words of an account's lines from `first` to `last`, as far as they are sealed."""
    wanted = select(Side.number, Side.hash).where(
        Side.book_id == book_id, Side.account_id == account_id, Side.number >= first, Side.number <= last
    )
    return {number: leaves.check_word(hashed) for number, hashed in session.execute(wanted)}
