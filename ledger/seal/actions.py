"""What is done to the log: entries are sealed, heads are signed, witnesses are heard.

Sealing and signing are transactions of their own, one after the other: leaves are written first, and only what is written is signed. A
sealer that is killed anywhere leaves either nothing or a whole piece of work; the next one carries on from what is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
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
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from ledger.ids import new_id
from ledger.journal.model import Account
from ledger.journal.model import Entry
from ledger.journal.model import Line
from ledger.journal.model import Unsealed
from ledger.seal import leaves
from ledger.seal import notes
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
from ledger.seal.model import Side
from ledger.seal.model import Tile
from ledger.seal.model import Witness

#: How many entries are sealed in one transaction.
AT_ONCE = 2_000
_IDS_AT_ONCE = 500


class SealError(Exception):
    """The log cannot be carried on: what the journal or the log says does not follow from what was sealed before."""


class DoesNotExtendError(SealError):
    """The log as it is written does not begin with a head that was signed; that head's size, and what would have been signed."""

    def __init__(self, head: notes.Head, signed: int) -> None:
        super().__init__(f"the log of {head.size} leaves does not carry on from the head of {signed} that was signed")
        self.head, self.signed = head, signed


def begin(session: Session, book_id: UUID, origin: str, at: datetime) -> str:
    """Give the book's log its name, which it keeps, and return it; where it has one already, that one."""
    lock(session, book_id)
    if (found := queries.origin_of(session, book_id)) is not None:
        return found
    session.execute(insert(Log).values(book_id=book_id, origin=origin, begun_at=at))
    return origin


def lock(session: Session, book_id: UUID) -> None:
    """Wait until nobody else seals or signs this book, and keep others waiting until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        # On SQLite whoever writes holds the whole database.
        number = int.from_bytes(sha256(b"log" + book_id.bytes).digest()[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def backlog(session: Session, book_id: UUID) -> list[UUID]:
    """Return the entries that wait, in the order in which they are to be sealed.

    Read in one statement: an account is locked from before its entry is decided until that is committed, so of no account a later entry is
    seen without its earlier ones, and moments within an account go up. What is committed later comes after all of these.
    """
    wanted = (
        select(Unsealed.entry_id)
        .join(Entry, (Entry.book_id == Unsealed.book_id) & (Entry.id == Unsealed.entry_id))
        .where(Unsealed.book_id == book_id)
        .order_by(Entry.posted_at, Entry.id)
    )
    return list(session.execute(wanted).scalars())


def pieces(ids: Sequence[UUID], most: int = AT_ONCE) -> Iterator[Sequence[UUID]]:
    """Return a backlog piece by piece, as each is sealed in a transaction of its own."""
    return (ids[start : start + most] for start in range(0, len(ids), most))


@dataclass
class _Growth:
    """What is added to the log in one transaction."""

    book_id: UUID
    size: int
    #: Of each level of tiles, the hashes of the one that is not full yet.
    edges: list[list[bytes]]
    #: Of each account, the number and hash of its last side.
    heads: dict[UUID, tuple[int, bytes | None]]
    leaves: list[dict[str, Any]] = field(default_factory=list)
    sides: list[dict[str, Any]] = field(default_factory=list)
    tiles: list[dict[str, Any]] = field(default_factory=list)

    def side(self, facts: leaves.SideFacts) -> bytes:
        salt = secrets.token_bytes(leaves.SALT_BYTES)
        found = leaves.side_hash(salt, facts)
        self.sides.append(
            {"book_id": self.book_id, "account_id": facts.account, "number": facts.number, "leaf_number": self.size, "salt": salt, "hash": found}
        )
        self.heads[facts.account] = (facts.number, found)
        return found

    def leaf(self, entry_id: UUID, salt: bytes, data: bytes) -> None:
        hashed = leaf_hash(data)
        self.leaves.append({"book_id": self.book_id, "number": self.size, "entry_id": entry_id, "salt": salt, "data": data, "hash": hashed})
        self._grow(0, hashed)
        self.size += 1

    def _grow(self, level: int, hashed: bytes) -> None:
        if level == len(self.edges):
            self.edges.append([])
        edge = self.edges[level]
        edge.append(hashed)
        if len(edge) == TILE_WIDTH:
            root, number = fold(edge), self.size >> 8 * (level + 1)
            self.tiles.append({"book_id": self.book_id, "level": level, "number": number, "hashes": b"".join(edge), "root": root})
            edge.clear()
            self._grow(level + 1, root)


def seal(session: Session, book_id: UUID, entry_ids: Sequence[UUID]) -> int:
    """Write these entries of the backlog to the log, in this order, and return how many leaves it has then.

    Entries that somebody else has sealed meanwhile are passed over. Raise SealError where an account's line does not follow the last of it
    that was sealed.
    """
    lock(session, book_id)
    growth = _growth(session, book_id)
    found = _entries(session, book_id, entry_ids)
    rows = [found[entry_id] for entry_id in entry_ids if entry_id in found]
    growth.heads = _heads(session, book_id, {account for row in rows for account in (row.entry.from_account, row.entry.to_account)})
    for row in rows:
        entry, salt = row.entry, secrets.token_bytes(leaves.SALT_BYTES)
        giver = growth.side(_side(growth, entry, entry.from_account, -entry.amount, row.giver))
        taker = growth.side(_side(growth, entry, entry.to_account, entry.amount, row.taker))
        growth.leaf(entry.id, salt, leaves.leaf_of(leaves.entry_hash(salt, entry), giver, taker))
    for table, added in ((Leaf, growth.leaves), (Side, growth.sides), (Tile, growth.tiles)):
        if added:
            session.execute(insert(table), added)
    for start in range(0, len(rows), _IDS_AT_ONCE):
        ids = [row.entry.id for row in rows[start : start + _IDS_AT_ONCE]]
        session.execute(delete(Unsealed).where(Unsealed.book_id == book_id, Unsealed.entry_id.in_(ids)))
    return growth.size


def _growth(session: Session, book_id: UUID) -> _Growth:
    size, edges = queries.size_of(session, book_id), []
    level = 0
    while size >> 8 * level:
        number, width = divmod(size >> 8 * level, TILE_WIDTH)
        hashes = queries.tile(session, book_id, level, number, width) if width else b""
        if len(hashes) != width * 32:
            raise SealError(f"level {level} of the tree lacks hashes")
        edges.append([hashes[at : at + 32] for at in range(0, len(hashes), 32)])
        level += 1
    return _Growth(book_id, size, edges, {})


@dataclass(frozen=True)
class _Row:
    entry: leaves.EntryFacts
    #: The number, before and after of each line; none where the account has no lines.
    giver: tuple[int | None, int | None, int | None]
    taker: tuple[int | None, int | None, int | None]


def _entries(session: Session, book_id: UUID, entry_ids: Sequence[UUID]) -> dict[UUID, _Row]:
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
    found, last = {}, len(columns)
    for start in range(0, len(entry_ids), _IDS_AT_ONCE):
        for row in session.execute(wanted.where(Entry.id.in_(entry_ids[start : start + _IDS_AT_ONCE]))):
            whole = tuple(row)
            entry = leaves.EntryFacts(*whole[:last])
            found[entry.id] = _Row(entry, whole[last : last + 3], whole[last + 3 :])
    return found


def _heads(session: Session, book_id: UUID, account_ids: Iterable[UUID]) -> dict[UUID, tuple[int, bytes | None]]:
    def last(column: Any) -> Any:
        return (
            select(column)
            .where(Side.book_id == Account.book_id, Side.account_id == Account.id)
            .order_by(Side.number.desc()).limit(1).correlate(Account).scalar_subquery()
        )  # fmt: skip

    wanted, heads, ids = select(Account.id, last(Side.number), last(Side.hash)).where(Account.book_id == book_id), {}, list(account_ids)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        for account_id, number, hashed in session.execute(wanted.where(Account.id.in_(ids[start : start + _IDS_AT_ONCE]))):
            heads[account_id] = (number or 0, hashed)
    return heads


def _side(
    growth: _Growth, entry: leaves.EntryFacts, account_id: UUID, amount: int, line: tuple[int | None, int | None, int | None]
) -> leaves.SideFacts:
    (last, previous), (number, before, after) = growth.heads[account_id], line
    if number is not None and number != last + 1:
        raise SealError(f"line {number} of account {account_id} does not follow line {last}, the last that was sealed")
    return leaves.SideFacts(account_id, last + 1, amount, before, after, entry.kind, entry.deed_on, entry.posted_at, previous)


def sign(session: Session, book_id: UUID, signers: Sequence[notes.Signer], memory: Memory, at: datetime) -> queries.Sealed | None:
    """Sign the log as it is written, and return the new head; none where nothing was added since the last.

    Never without proof that it carries on from the last head that was signed, both the one in the database and the one that `memory` keeps
    outside of it: raise DoesNotExtendError otherwise.
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
    body = str(head)
    note = notes.Note(body, tuple(signer.sign(body) for signer in signers))
    # First where no backup of the database can turn it back: what was signed is known from here on, published or not.
    memory.keep(note)
    session.execute(insert(Checkpoint).values(book_id=book_id, size=size, root=head.root, note=str(note), signed_at=at))
    return queries.Sealed(head, note, at, ())


def _extends(now: Tree, head: notes.Head, earlier: notes.Head) -> bool:
    if earlier.size > head.size:
        return False
    return is_consistent(earlier.size, earlier.root, head.size, head.root, now.consistency(earlier.size) if earlier.size < head.size else [])


def add_witness(session: Session, book_id: UUID, key: notes.Key, at: datetime, *, address: str | None = None, device_id: UUID | None = None) -> UUID:
    """Let a witness watch the log: one that is asked at `address`, or one that lives on a shop's device."""
    witness_id = new_id()
    session.execute(
        insert(Witness).values(book_id=book_id, id=witness_id, key=str(key), address=address, device_id=device_id, added_at=at, ended_at=None)
    )
    return witness_id


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
                session.execute(insert(Cosignature).values(row))
            return True
    return False


def alarm(session: Session, book_id: UUID, what: str, witness: str, shown: notes.Head, seen: int | None, at: datetime) -> None:
    """Keep it that a witness refused a head: for the supervisor, and for good."""
    row = {"book_id": book_id, "id": new_id(), "what": what, "witness": witness, "size": shown.size, "seen": seen, "root": shown.root, "at": at}
    session.execute(insert(Alarm).values(row))
