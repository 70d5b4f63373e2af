"""What is asked of the log: its tree by tiles, its newest head, and proofs of lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy import type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger.activities import HoursRecord
from ledger.activities import UnsealedHours
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
from ledger.seal.model import SealedHours
from ledger.seal.model import Side
from ledger.seal.model import Tile
from ledger.seal.model import Witness

#: The log's own signatures, today's and the old key's, stand under a note as well (notes.py reads 64 in all).
_COSIGNATURES_MAX = 60
_HEADS_LOOKED_AT = 100
_ALARM_NEW = timedelta(days=30)
_STALLED_AFTER = timedelta(hours=1)
_IDS_AT_ONCE = 500
#: A head that enough had witnessed before so many cosignatures came in is not looked for.
_COSIGNATURES_LOOKED_AT = 5_000


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


def log_keys(session: Session, book_id: UUID) -> list[notes.LogKey]:
    """Return the public keys that a book's log was signed with, the first one first, each with what it is good for.

    What is no key signed nothing, and `verify` names it.
    """
    wanted = select(LogKey.key, LogKey.after, LogKey.note).where(LogKey.book_id == book_id).order_by(LogKey.since, LogKey.after, LogKey.key)
    return notes.followed(
        (), [notes.LogKey(notes.key_of(key), after, note=_note(note)) for key, after, note in session.execute(wanted) if is_key(key)]
    )


def is_key(text: str) -> bool:
    """Tell whether this is a public key."""
    try:
        notes.key_of(text)
    except notes.NoteError:
        return False
    return True


def _note(text: str | None) -> notes.Note | None:
    # What cannot be read vouches for nothing.
    try:
        return notes.note_of(text) if text else None
    except notes.NoteError:
        return None


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


@dataclass(frozen=True)
class Witnessed:
    """A head that enough of those who watch now have cosigned, and when the last that was wanted did."""

    size: int
    at: datetime


def witnessed(session: Session, book_id: UUID, vkeys: Collection[str], wanted: int) -> Witnessed | None:
    """Return the newest head that `wanted` of these witnesses cosigned; none where there is none among the last cosignatures."""
    if not wanted:
        return None
    lately = (
        select(Cosignature.size, Cosignature.added_at)
        .where(Cosignature.book_id == book_id, Cosignature.witness.in_(vkeys))
        .order_by(Cosignature.size.desc())
        .limit(_COSIGNATURES_LOOKED_AT)
    )
    for size, said in groupby(session.execute(lately).all(), lambda row: row[0]):
        moments = sorted(at for _, at in said)
        if len(moments) >= wanted:
            return Witnessed(size, moments[wanted - 1])
    return None


def is_signed(session: Session, book_id: UUID, note: notes.Note) -> bool:
    """Tell whether a head is of this log, and signed with a key that it may be signed with; raise NoteError where it is none, or forged."""
    head = notes.head_of(note.body)
    return head.origin == origin_of(session, book_id) and bool(note.signed_by(notes.signing(log_keys(session, book_id), head.size)))


def contradict(session: Session, book_id: UUID, one: notes.Head, other: notes.Head) -> bool:
    """Tell whether two heads that were signed are not both beginnings of the newest one, as the log is written now."""
    last = newest(session, book_id)
    size = last.head.size if last else 0
    return one != other and any(head.size > size or tree(session, book_id, head.size).root() != head.root for head in (one, other))


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


def tills(session: Session, book_id: UUID) -> dict[str, UUID]:
    """Return the device behind each name under which a till watches a book's log, or has watched it."""
    wanted = select(Witness.key, Witness.device_id).where(Witness.book_id == book_id, Witness.device_id.is_not(None))
    return {notes.key_of(key).name: device_id for key, device_id in session.execute(wanted) if device_id}


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


def waiting_entries(book_id: UUID) -> Select[UUID, datetime]:
    """Return the query for the entries that wait to be sealed, and when each was posted, in the order in which they are to be sealed.

    What stands in the queue and has a leaf waits no more.
    """
    # Asked once a row: a queue that was long a moment ago is not joined with the whole log.
    leaf = select(Leaf.number).where(Leaf.book_id == book_id, Leaf.entry_id == Unsealed.entry_id).scalar_subquery()
    return (
        select(Entry.id, Entry.posted_at)
        .join(Unsealed, (Unsealed.book_id == Entry.book_id) & (Unsealed.entry_id == Entry.id))
        .where(Entry.book_id == book_id, leaf.is_(None))
        .order_by(Entry.posted_at, Entry.id)
    )


def waiting_hours(book_id: UUID) -> Select[UUID, datetime]:
    """Return the query for the records of hours that wait to be sealed, and when each was recorded, in that order."""
    link = select(SealedHours.number).where(SealedHours.book_id == book_id, SealedHours.hours_id == UnsealedHours.hours_id)
    return (
        select(HoursRecord.id, HoursRecord.recorded_at)
        .join(UnsealedHours, (UnsealedHours.book_id == HoursRecord.book_id) & (UnsealedHours.hours_id == HoursRecord.id))
        .where(HoursRecord.book_id == book_id, link.scalar_subquery().is_(None))
        .order_by(HoursRecord.recorded_at, HoursRecord.id)
    )


def waiting_since(book_id: UUID, moment: datetime) -> tuple[Select[UUID, datetime], Select[UUID, datetime]]:
    """Return the queries for the entries and for the records of hours that have waited since before a moment."""
    return waiting_entries(book_id).where(Entry.posted_at < moment), waiting_hours(book_id).where(HoursRecord.recorded_at < moment)


def is_stalled(session: Session, book_id: UUID, now: datetime) -> bool:
    """Tell whether anything waits longer to be sealed than it does while a sealer runs: none does, or it cannot."""
    long = waiting_since(book_id, now - _STALLED_AFTER)
    return any(session.execute(waits.order_by(None).limit(1)).first() is not None for waits in long)


@dataclass(frozen=True)
class Receipt:
    """What the journal says of a passbook line, and what proves it; no proof yet where it waits to be sealed."""

    facts: leaves.SideFacts
    opening: leaves.Opening | None = None
    proof: notes.Proof | None = None
    #: Where the journal says something else than what was sealed: the number of the leaf, and the head over it. Then nothing is proved.
    differs_at: tuple[int, notes.Head] | None = None


def waiting(session: Session, book_id: UUID) -> int:
    """Return how many entries and records of hours wait to be sealed."""
    counted = (select(func.count()).where(queue.book_id == book_id) for queue in (Unsealed, UnsealedHours))
    return sum(session.execute(one).scalar_one() for one in counted)


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
    proof, differs_at = _proof(session, book_id, leaf_number, opening)
    return Receipt(facts, None if differs_at else opening, proof, differs_at)


def _proof(
    session: Session, book_id: UUID, leaf_number: int, opening: leaves.Opening | leaves.HoursOpening
) -> tuple[notes.Proof | None, tuple[int, notes.Head] | None]:
    """Return what proves an opening, and else the number of the leaf and the head over it where that is not what was sealed."""
    sealed = best_head(session, book_id, leaf_number + 1)
    if sealed is None:
        return None, None
    head, path = sealed.head, tree(session, book_id, sealed.head.size).inclusion(leaf_number)
    if not is_included(leaf_hash(opening.leaf), leaf_number, head.size, path, head.root):
        return None, (leaf_number, head)
    return notes.Proof(leaf_number, tuple(path), sealed.note, opening.packed()), None


@dataclass(frozen=True)
class HoursReceipt:
    """Hours of service that are sealed, up to a record of them, with what proves them; no proof yet where no head is signed over it."""

    opening: leaves.HoursOpening
    proof: notes.Proof | None
    #: As of a line.
    differs_at: tuple[int, notes.Head] | None


def hours_receipt(session: Session, book_id: UUID, account_id: UUID, number: int | None = None) -> HoursReceipt | None:
    """Return what proves the first `number` records of an account's hours, or all that are sealed; none where so many are not."""
    link = (SealedHours.book_id == book_id, SealedHours.account_id == account_id)
    raw: Any = type_coerce(HoursRecord.recorded_at, BigInteger)
    found = session.execute(
        select(
            SealedHours.number, SealedHours.credit, SealedHours.honour, HoursRecord.id, HoursRecord.kind, HoursRecord.minutes,
            HoursRecord.served_on, raw, Leaf.number, Leaf.salt,
        )
        .join(HoursRecord, (HoursRecord.book_id == SealedHours.book_id) & (HoursRecord.id == SealedHours.hours_id))
        .join(Leaf, (Leaf.book_id == SealedHours.book_id) & (Leaf.number == SealedHours.leaf_number))
        .where(*link, SealedHours.number == number if number is not None else true())
        .order_by(SealedHours.number.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    if found is None:
        return None
    last, credit, honour, hours_id, kind, minutes, served_on, recorded_at, leaf_number, salt = found
    before = (
        select(Leaf.data)
        .join(SealedHours, (SealedHours.book_id == Leaf.book_id) & (SealedHours.leaf_number == Leaf.number))
        .where(*link, SealedHours.number == last - 1)
    )
    data = session.execute(before).scalar_one_or_none()
    facts = leaves.HoursFacts(
        hours_id, account_id, last, kind, minutes, served_on, recorded_at, credit, honour, data and leaves.hours_in(data)
    )
    opening = leaves.HoursOpening(facts, salt)
    return HoursReceipt(opening, *_proof(session, book_id, leaf_number, opening))


def heads_of_hours(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> dict[UUID, tuple[int, int, int, bytes]]:
    """Return of each account that has hours in the log how many records, their minutes of credit and of honour, and the last one's hash."""
    of_account = aliased(SealedHours)
    last = (
        select(func.max(of_account.number))
        .where(of_account.book_id == SealedHours.book_id, of_account.account_id == SealedHours.account_id)
        .correlate(SealedHours).scalar_subquery()
    )  # fmt: skip
    wanted = (
        select(SealedHours.account_id, SealedHours.number, SealedHours.credit, SealedHours.honour, Leaf.data)
        .join(Leaf, (Leaf.book_id == SealedHours.book_id) & (Leaf.number == SealedHours.leaf_number))
        .where(SealedHours.book_id == book_id, SealedHours.number == last)
    )
    heads: dict[UUID, tuple[int, int, int, bytes]] = {}
    ids = list(account_ids)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        chunk = wanted.where(SealedHours.account_id.in_(ids[start : start + _IDS_AT_ONCE]))
        heads |= {row[0]: (*row[1:4], leaves.hours_in(row[4])) for row in session.execute(chunk)}
    return heads


def check_words(session: Session, book_id: UUID, account_id: UUID, first: int, last: int) -> dict[int, str]:
    """Return the check words of an account's lines from `first` to `last`, as far as they are sealed."""
    wanted = select(Side.number, Side.hash).where(
        Side.book_id == book_id, Side.account_id == account_id, Side.number >= first, Side.number <= last
    )
    return {number: leaves.check_word(hashed) for number, hashed in session.execute(wanted)}
