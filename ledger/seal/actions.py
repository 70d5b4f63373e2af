"""What is done to the log: entries and hours are sealed, heads are signed, witnesses are heard.

Sealing and signing are transactions of their own, one after the other: leaves are written first, and only what is written is signed. A
sealer that is killed anywhere leaves either nothing or a whole piece of work; the next one carries on from what is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import type_coerce
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert_postgresql
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger.activities import HoursRecord
from ledger.activities import UnsealedHours
from ledger.ids import new_id
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Unsealed
from ledger.seal import leaves
from ledger.seal import notes
from ledger.seal import postgresql
from ledger.seal import queries
from ledger.seal.keeping import Memory
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.merkle import Tree
from ledger.seal.merkle import fold
from ledger.seal.merkle import is_consistent
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
from ledger.store import insert_rows

#: How many entries and records of hours are sealed in one transaction.
AT_ONCE = 2_000
_IDS_AT_ONCE = 500


class SealError(Exception):
    """The log cannot be carried on: what the journal or the log says does not follow from what was sealed before."""


class UnknownPastError(SealError):
    """The database tells of heads that were signed, and the memory beside it of none."""

    def __init__(self) -> None:
        super().__init__(
            "there are signed heads, and the folder keeps none of them: is it the right folder? 目录里没有已签名的头. "
            "Where it was lost, put a witness's copy there (see docs/operating.md); --begin-here takes the database's word"
        )


class StrangeKeyError(SealError):
    """What would sign is not the log's key: it was changed without the word of the one before it, or is one that was changed."""

    def __init__(self) -> None:
        super().__init__(
            "the log is signed with another key: give that one as PASSBOOK_LOG_KEY_OLD; where it is lost, "
            "--key-was-lost goes on with a key that nobody vouches for, and `flask ledger verify` says so for good"
        )


class DoesNotExtendError(SealError):
    """The log as it is written does not begin with a head that was signed; that head's size, and what would have been signed."""

    def __init__(self, head: notes.Head, signed: int) -> None:
        super().__init__(f"the log of {head.size} leaves does not carry on from the head of {signed} that was signed")
        self.head, self.signed = head, signed


class ForgedHeadError(DoesNotExtendError):
    """The newest head that the database tells of was signed by none of the log's own keys."""

    def __init__(self, head: notes.Head, forged: int) -> None:
        SealError.__init__(self, f"the head of {forged} leaves that the database tells of is not signed by the log's own keys")
        self.head, self.signed = head, forged


def begin(session: Session, book_id: UUID, origin: str, at: datetime) -> str:
    """Give the book's log its name, which it keeps, and return it; where it has one already, that one."""
    lock(session, book_id)
    if (found := queries.origin_of(session, book_id)) is not None:
        return found
    session.execute(insert(Log).values(book_id=book_id, origin=origin, begun_at=at))
    return origin


def lock(session: Session, book_id: UUID) -> None:
    """Wait until nobody else seals or signs this book, and keep others waiting until the transaction ends."""
    if _is_postgresql(session):
        # On SQLite whoever writes holds the whole database.
        number = int.from_bytes(sha256(b"log" + book_id.bytes).digest()[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def backlog(session: Session, book_id: UUID) -> list[UUID]:
    """Return what waits, in the order in which it is to be sealed: the entries, and after them the records of hours.

    What stands in the queue and has a leaf waits no more.

    Entries are read in one statement: an account is locked from before its entry is decided until that is committed, so of no account a
    later entry is seen without its earlier ones, and moments within an account go up. What is committed later comes after all of these.
    Hours have no numbers of their own, and are numbered as they are sealed.
    """
    entries, hours = queries.waiting_entries(book_id), queries.waiting_hours(book_id)
    return [one for wanted in (entries, hours) for one in session.execute(wanted).scalars()]


def pieces(ids: Sequence[UUID], most: int = AT_ONCE) -> Iterator[Sequence[UUID]]:
    """Return a backlog piece by piece, as each is sealed in a transaction of its own."""
    return (ids[start : start + most] for start in range(0, len(ids), most))


@dataclass
class Growth:
    """The log's growing end, and what is added to it in one transaction."""

    book_id: UUID
    size: int
    #: The hash of the last leaf.
    last: bytes | None
    #: Of each level of tiles, the hashes of the one that is not full yet.
    edges: list[list[bytes]]
    #: Of each account that was met, the number and hash of its last side.
    heads: dict[UUID, tuple[int, bytes | None]] = field(default_factory=dict)
    #: Rows, without the book: number, entry, salt, data, hash; account, number, leaf, salt, hash; level, number, hashes, root;
    #: account, number, hours, leaf, credit, honour.
    leaf_rows: list[tuple[Any, ...]] = field(default_factory=list)
    side_rows: list[tuple[Any, ...]] = field(default_factory=list)
    tile_rows: list[tuple[Any, ...]] = field(default_factory=list)
    hours_rows: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, row: _Row) -> None:
        """Add an entry: its two sides, then the leaf over them."""
        entry, salts = row.entry, secrets.token_bytes(3 * leaves.SALT_BYTES)
        salt, giver_salt, taker_salt = (salts[at : at + leaves.SALT_BYTES] for at in range(0, len(salts), leaves.SALT_BYTES))
        giver = self._side(entry, entry.from_account, -entry.amount, row.giver, giver_salt)
        taker = self._side(entry, entry.to_account, entry.amount, row.taker, taker_salt)
        self._add(entry.id, salt, leaves.leaf_of(leaves.entry_hash(salt, entry), giver, taker))

    def add_hours(self, hours: leaves.HoursFacts) -> bytes:
        """Add a record of hours, and return its hash."""
        salt = secrets.token_bytes(leaves.SALT_BYTES)
        found = leaves.hours_hash(salt, hours)
        self.hours_rows.append((hours.account, hours.number, hours.id, self.size, hours.credit, hours.honour))
        self._add(None, salt, leaves.leaf_of_hours(found))
        return found

    def _add(self, entry_id: UUID | None, salt: bytes, data: bytes) -> None:
        self.last = leaf_hash(data)
        self.leaf_rows.append((self.size, entry_id, salt, data, self.last))
        self._grow(0, self.last)
        self.size += 1

    def _side(self, entry: leaves.EntryFacts, account: UUID, amount: int, line: _Numbers, salt: bytes) -> bytes:
        (last, previous), (number, before, after) = self.heads[account], line
        if number is not None and number != last + 1:
            raise SealError(f"line {number} of account {account} does not follow line {last}, the last that was sealed")
        facts = leaves.SideFacts(account, last + 1, amount, before, after, entry.kind, entry.deed_on, entry.posted_at, previous)
        found = leaves.side_hash(salt, facts)
        self.side_rows.append((account, last + 1, self.size, salt, found))
        self.heads[account] = (last + 1, found)
        return found

    def _grow(self, level: int, hashed: bytes) -> None:
        if level == len(self.edges):
            self.edges.append([])
        edge = self.edges[level]
        edge.append(hashed)
        if len(edge) == TILE_WIDTH:
            root = fold(edge)
            self.tile_rows.append((level, self.size >> 8 * (level + 1), b"".join(edge), root))
            edge.clear()
            self._grow(level + 1, root)


def seal(session: Session, book_id: UUID, ids: Sequence[UUID], before: Growth | None = None) -> Growth:
    """Write this piece of the backlog to the log, in this order, and return the log's end as it is then.

    What somebody else has sealed meanwhile is passed over. `before` is what the piece before this one returned, committed since:
    what is known from there is not read again. Raise SealError where an account's line does not follow the last of it that was sealed.
    """
    lock(session, book_id)
    growth = _growth(session, book_id, before)
    found = _entries(session, book_id, ids)
    rows = [found[entry_id] for entry_id in ids if entry_id in found]
    met = {account for row in rows for account in (row.entry.from_account, row.entry.to_account)}
    growth.heads |= _heads(session, book_id, met - growth.heads.keys())
    for row in rows:
        growth.add(row)
    if others := [one for one in ids if one not in found]:
        _add_hours(session, growth, others)
    if growth.leaf_rows:
        _write(session, growth)
    return growth


def _add_hours(session: Session, growth: Growth, ids: Sequence[UUID]) -> None:
    rows: dict[UUID, Any] = {}
    wanted = (
        select(
            HoursRecord.id, UnsealedHours.account_id, HoursRecord.kind, HoursRecord.minutes, HoursRecord.served_on,
            type_coerce(HoursRecord.recorded_at, BigInteger),
        )
        .join(UnsealedHours, (UnsealedHours.book_id == HoursRecord.book_id) & (UnsealedHours.hours_id == HoursRecord.id))
        .where(HoursRecord.book_id == growth.book_id)
    )  # fmt: skip
    for start in range(0, len(ids), _IDS_AT_ONCE):
        rows |= {row.id: row for row in session.execute(wanted.where(HoursRecord.id.in_(ids[start : start + _IDS_AT_ONCE])))}
    met = {row.account_id for row in rows.values()}
    heads = dict.fromkeys(met, (0, 0, 0, None)) | queries.heads_of_hours(session, growth.book_id, met)
    for one in ids:
        if one not in rows:
            continue
        _, account, kind, minutes, served_on, recorded_at = rows[one]
        last, credit, honour, previous = heads[account]
        credit, honour = (credit + minutes, honour) if kind == "credit" else (credit, honour + minutes)
        hours = leaves.HoursFacts(one, account, last + 1, kind, minutes, served_on, recorded_at, credit, honour, previous)
        heads[account] = (last + 1, credit, honour, growth.add_hours(hours))


def _growth(session: Session, book_id: UUID, before: Growth | None) -> Growth:
    newest = select(Leaf.number, Leaf.hash).where(Leaf.book_id == book_id).order_by(Leaf.number.desc()).limit(1)
    number, last = session.execute(newest).one_or_none() or (-1, None)
    size = number + 1
    # Every leaf is salted: whoever finds the same last one finds the same log.
    if before is not None and (before.size, before.last) == (size, last):
        before.leaf_rows, before.side_rows, before.tile_rows, before.hours_rows = [], [], [], []
        return before
    edges: list[list[bytes]] = []
    level = 0
    while size >> 8 * level:
        number, width = divmod(size >> 8 * level, TILE_WIDTH)
        hashes = queries.tile(session, book_id, level, number, width) if width else b""
        if len(hashes) != width * 32:
            raise SealError(f"level {level} of the tree lacks hashes")
        edges.append([hashes[at : at + 32] for at in range(0, len(hashes), 32)])
        level += 1
    return Growth(book_id, size, last, edges)


#: The number, before and after of a line; none where the account has no lines.
_Numbers = tuple[int | None, int | None, int | None]


@dataclass(frozen=True)
class _Row:
    entry: leaves.EntryFacts
    giver: _Numbers
    taker: _Numbers


def _entries(session: Session, book_id: UUID, entry_ids: Sequence[UUID]) -> dict[UUID, _Row]:
    rows = postgresql.entries(session, book_id, entry_ids) if _is_postgresql(session) else _entries_sqlite(session, book_id, entry_ids)
    last = len(leaves.EntryFacts._fields)
    return {row[0]: _Row(leaves.EntryFacts._make(row[:last]), row[last : last + 3], row[last + 3 :]) for row in rows}


def _entries_sqlite(session: Session, book_id: UUID, entry_ids: Sequence[UUID]) -> Iterator[tuple[Any, ...]]:
    giver, taker = aliased(Line), aliased(Line)
    columns: list[Any] = [getattr(Entry, name) for name in leaves.EntryFacts._fields]
    columns[leaves.EntryFacts._fields.index("posted_at")] = type_coerce(Entry.posted_at, BigInteger)
    wanted = (
        select(*columns, giver.number, giver.before, giver.after, taker.number, taker.before, taker.after)
        .join(Unsealed, (Unsealed.book_id == Entry.book_id) & (Unsealed.entry_id == Entry.id))
        .outerjoin(giver, (giver.book_id == Entry.book_id) & (giver.entry_id == Entry.id) & (giver.account_id == Entry.from_account))
        .outerjoin(taker, (taker.book_id == Entry.book_id) & (taker.entry_id == Entry.id) & (taker.account_id == Entry.to_account))
        .where(Entry.book_id == book_id)
    )
    for start in range(0, len(entry_ids), _IDS_AT_ONCE):
        yield from map(tuple, session.execute(wanted.where(Entry.id.in_(entry_ids[start : start + _IDS_AT_ONCE]))))


def _heads(session: Session, book_id: UUID, account_ids: Collection[UUID]) -> dict[UUID, tuple[int, bytes | None]]:
    heads: dict[UUID, tuple[int, bytes | None]] = dict.fromkeys(account_ids, (0, None))
    if _is_postgresql(session):
        return heads | {account_id: (number, hashed) for account_id, number, hashed in postgresql.heads(session, book_id, account_ids)}

    def last(column: Any) -> Any:
        return (
            select(column)
            .where(Side.book_id == Account.book_id, Side.account_id == Account.id)
            .order_by(Side.number.desc()).limit(1).correlate(Account).scalar_subquery()
        )  # fmt: skip

    wanted, ids = select(Account.id, last(Side.number), last(Side.hash)).where(Account.book_id == book_id), list(account_ids)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        for account_id, number, hashed in session.execute(wanted.where(Account.id.in_(ids[start : start + _IDS_AT_ONCE]))):
            heads[account_id] = (number or 0, hashed)
    return heads


def _write(session: Session, growth: Growth) -> None:
    book_id = growth.book_id
    if _is_postgresql(session):
        postgresql.write(session, book_id, growth.leaf_rows, growth.side_rows, growth.tile_rows)
    else:
        for table, rows in ((Leaf, growth.leaf_rows), (Side, growth.side_rows), (Tile, growth.tile_rows)):
            _insert(session, book_id, table, rows)
        _unqueue(session, book_id, Unsealed, Unsealed.entry_id, [entry_id for _, entry_id, *_ in growth.leaf_rows if entry_id])
    _insert(session, book_id, SealedHours, growth.hours_rows)
    _unqueue(session, book_id, UnsealedHours, UnsealedHours.hours_id, [hours_id for _, _, hours_id, *_ in growth.hours_rows])


def _insert(session: Session, book_id: UUID, table: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    names = [column.name for column in table.__table__.columns]
    insert_rows(session, table, [dict(zip(names, (book_id, *row), strict=True)) for row in rows])


def _unqueue(session: Session, book_id: UUID, queue: Any, column: Any, ids: Sequence[UUID]) -> None:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        session.execute(delete(queue).where(queue.book_id == book_id, column.in_(ids[start : start + _IDS_AT_ONCE])))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def compare(
    session: Session, book_id: UUID, memory: Memory, keys: Collection[bytes], *, begin_here: bool = False, key_was_lost: bool = False
) -> None:  # fmt: skip
    """Hold what the database tells of the log against what is remembered outside of it, before anything is added.

    What others signed meanwhile with these keys is remembered if the log begins with it; `begin_here` takes the database's word where
    nothing is remembered, and `key_was_lost` for the keys that signed before these. Raise UnknownPastError, or DoesNotExtendError where
    the database was turned back or rewritten.
    """
    origin, last = queries.origin_of(session, book_id), queries.newest(session, book_id)
    if origin is None:
        return
    remembered = memory.head(origin)
    if remembered == (last.head if last else None):
        return
    if remembered is None and not begin_here:
        raise UnknownPastError
    # Leaves may be written that nobody has signed yet: a sealer may have been killed between the two.
    now = queries.tree(session, book_id, queries.size_of(session, book_id))
    head = notes.Head(origin, now.size, now.root())
    if remembered is not None and not _extends(now, head, remembered):
        raise DoesNotExtendError(head, remembered.size)
    if last is not None and (remembered is None or last.head.size > remembered.size):
        # Whoever writes to the database can write a head: what was once taken over would outlast its being put right.
        if not _is_signed(last.note, notes.log_keys_of(origin, keys)):
            if not _is_signed(last.note, notes.signing(queries.log_keys(session, book_id), last.head.size)):
                raise ForgedHeadError(head, last.head.size)
            if not key_was_lost:
                raise StrangeKeyError
        if not _extends(now, head, last.head):
            raise DoesNotExtendError(head, last.head.size)
        memory.keep(last.note)


def _is_signed(note: notes.Note, keys: Collection[notes.Key]) -> bool:
    try:
        return bool(note.signed_by(keys))
    except notes.NoteError:
        return False


def sign(
    session: Session, book_id: UUID, signers: Sequence[notes.Signer], memory: Memory, at: datetime, *, key_was_lost: bool = False
) -> queries.Sealed | None:  # fmt: skip
    """Sign the log as it is written, and return the new head; none where nothing was added since the last.

    Never without proof that it carries on from the last head that was signed, both the one in the database and the one that `memory` keeps
    outside of it: raise DoesNotExtendError otherwise. Nor with a key of which the one before it says nothing, unless that `key_was_lost`:
    raise StrangeKeyError.
    """
    lock(session, book_id)
    size, origin = queries.size_of(session, book_id), queries.origin_of(session, book_id)
    last = queries.newest(session, book_id)
    if origin is None or size == 0 or (last is not None and last.head.size == size):
        return None
    now = queries.tree(session, book_id, size)
    head = notes.Head(origin, size, now.root())
    for earlier in (last.head if last else None, memory.head(origin)):
        if earlier is not None and not _extends(now, head, earlier):
            raise DoesNotExtendError(head, earlier.size)
    _know_keys(session, book_id, signers, last.head.size if last else 0, at, key_was_lost=key_was_lost)
    body = str(head)
    note = notes.Note(body, tuple(signer.sign(body) for signer in signers))
    # First where no backup of the database can turn it back: what was signed is known from here on, published or not.
    memory.keep(note)
    session.execute(insert(Checkpoint).values(book_id=book_id, size=size, root=head.root, note=str(note), signed_at=at))
    return queries.Sealed(head, note, at, ())


def _know_keys(
    session: Session, book_id: UUID, signers: Sequence[notes.Signer], signed: int, at: datetime, *, key_was_lost: bool
) -> None:  # fmt: skip
    """Write down each key that signs for the first time, with the word of the one before it; the old one comes last among `signers`."""
    known = queries.log_keys(session, book_id)
    for signer in reversed(signers):
        if any(one.key == signer.key for one in known):
            continue
        before = next((one for one in signers if any(key.key == one.key and key.until is None for key in known)), None)
        if known and before is None and not key_was_lost:
            raise StrangeKeyError
        body = str(notes.Change(signer.key, signed))
        note = str(notes.Note(body, (before.sign(body),))) if before else None
        row = {"book_id": book_id, "key": str(signer.key), "since": at, "after": signed if known else 0, "note": note}
        session.execute(insert(LogKey).values(row))
        known = queries.log_keys(session, book_id)
    if not any(one.until is None and one.key == signer.key for one in known for signer in signers):
        raise StrangeKeyError


def _extends(now: Tree, head: notes.Head, earlier: notes.Head) -> bool:
    if earlier.size > head.size:
        return False
    return is_consistent(
        earlier.size, earlier.root, head.size, head.root, now.consistency(earlier.size) if earlier.size < head.size else []
    )


def add_witness(
    session: Session, book_id: UUID, key: notes.Key, at: datetime, *, address: str | None = None, device_id: UUID | None = None
) -> UUID:
    """Let a witness watch the log: one that is asked at `address`, or one that lives on a shop's device."""
    witness_id = new_id()
    session.execute(
        insert(Witness).values(
            book_id=book_id, id=witness_id, key=str(key), address=address, device_id=device_id, added_at=at, ended_at=None
        )
    )
    return witness_id


def ask_at(session: Session, book_id: UUID, key: notes.Key, address: str, at: datetime) -> bool:
    """Let a witness be asked at this address from now on, wherever it was before; tell whether that is anything new."""
    for one in queries.witnesses(session, book_id):
        if one.key == str(key):
            if one.address == address:
                return False
            session.execute(update(Witness).where(Witness.book_id == book_id, Witness.id == one.id).values(ended_at=at))
    add_witness(session, book_id, key, at, address=address)
    return True


def end_witness(session: Session, book_id: UUID, name: str, at: datetime) -> bool:
    """Let a witness watch no longer; tell whether there was one of that name."""
    ids = [one.id for one in queries.witnesses(session, book_id) if notes.key_of(one.key).name == name]
    session.execute(update(Witness).where(Witness.book_id == book_id, Witness.id.in_(ids)).values(ended_at=at))
    return bool(ids)


def hear(session: Session, book_id: UUID, size: int, signature: notes.Signature, at: datetime) -> bool:
    """Keep a witness's cosignature of a head; tell whether it is one: by a witness of this book, of a head of this log, and valid."""
    sealed = queries.of_size(session, book_id, size)
    if sealed is None:
        return False
    for witness in queries.witnesses(session, book_id):
        key = notes.key_of(witness.key)
        if signature.is_by(key) and key.holds(signature.value, sealed.note.body):
            if witness.key not in sealed.witnesses:
                row = {"book_id": book_id, "size": size, "witness": witness.key, "line": str(signature), "added_at": at}
                # The same one may come twice at once: of two sealers, or sent again.
                upsert = upsert_postgresql if _is_postgresql(session) else upsert_sqlite
                session.execute(upsert(Cosignature).values(row).on_conflict_do_nothing())
            return True
    return False


def alarm(
    session: Session, book_id: UUID, what: str, witness: str, shown: notes.Head, seen: int | None, at: datetime,
    told: tuple[notes.Note, notes.Note] | None = None,
) -> None:  # fmt: skip
    """Keep what does not hold: for the supervisor, and for good; once as long as it is new or holds still, however often it is said.

    A till told both heads, the one that it was shown and the one that it had seen.
    """
    telling = queries.is_telling(session, book_id, at)
    said = select(Alarm.id).where(Alarm.book_id == book_id, Alarm.what == what, Alarm.witness == witness, telling)
    if session.execute(said.where(Alarm.seen.is_(None) if seen is None else Alarm.seen == seen).limit(1)).first():
        return
    row = {
        "book_id": book_id,
        "id": new_id(),
        "what": what,
        "witness": witness,
        "size": shown.size,
        "seen": seen,
        "root": shown.root,
        "at": at,
        "note": str(told[0]) if told else None,
        "seen_note": str(told[1]) if told else None,
    }
    session.execute(insert(Alarm).values(row))
