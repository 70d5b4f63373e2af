"""Ten ways in which whoever owns the database can change what was posted or served, each as thoroughly as it can be done.

The owner takes the guards away, and computes anew whatever follows from what was changed: lines, counters, leaves, chains, tiles. Where the
kind says so, the log's own key is in those hands too. What nobody can make anew is a head that a witness cosigned and somebody else keeps.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger import activities
from ledger import journal
from ledger import seal
from ledger.act import OPERATOR
from ledger.act import Act
from ledger.areas import Book
from ledger.areas.model import Area
from ledger.ids import new_id
from ledger.journal.rules import LINED
from ledger.people import Person
from ledger.seal import actions
from ledger.seal import dumping
from ledger.seal import notes
from ledger.store import engine_for
from ledger.store import snapshot
from scripts import check_book

ORIGIN = "passbook.example.org/log/1"
_KEY = bytes(range(32))
LOG = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(_KEY))
WITNESS = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
KEYS = [str(LOG.key), str(WITNESS.key)]
START = datetime(2026, 3, 2, 1, tzinfo=UTC)

_PASSBOOKS, _MOVEMENTS = 8, 28
_ROUNDS, _WITNESSED_AFTER = 14, 12
_TRIES = 200
_LOG_TABLES = ("sealed_hours", "side", "leaf", "tile")


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.moment


@dataclass
class Scene:
    """A small book, sealed, and the one head that a witness cosigned and an auditor keeps."""

    path: Path
    folder: Path
    book_id: UUID
    clock: HandClock = field(default_factory=HandClock)
    #: Copies from before the head that was kept, as a backup has them.
    backups: list[Path] = field(default_factory=list)
    kept: str = ""
    size: int = 0
    _engines: dict[Path, Engine] = field(default_factory=dict)

    @contextmanager
    def session(self, path: Path) -> Iterator[Session]:
        """Open a copy of the database without the guards that are the service's own."""
        # One engine for all copies at a place: it knows its statements by then.
        if path not in self._engines:
            self._engines[path] = engine_for(f"sqlite:///{path}", migrating=True, poolclass=NullPool)
        with Session(self._engines[path]) as session:
            yield session

    def dump(self, path: Path) -> bytes:
        """Dump a copy."""
        with self.session(path) as session:
            snapshot(session)
            file = BytesIO()
            dumping.dump(session, self.book_id, file, self.clock.now())
        return file.getvalue()

    def check(self, dump: bytes, *, keeping: bool = True) -> check_book.Report:
        """Check a dump, holding the head that was kept, or not even that."""
        return check_book.check(BytesIO(dump), [("kept", self.kept)] if keeping else [], KEYS)


def build(template: Path, folder: Path, random: Random) -> Scene:
    """Build the book out of an empty, migrated database: some hundred entries and hours, sealed in pieces, one head witnessed."""
    scene = Scene(folder / "book.db", folder, new_id())
    shutil.copyfile(template, scene.path)
    with scene.session(scene.path) as session:
        session.execute(insert(Book).values(id=scene.book_id, number=1, name="鼓楼区", area_code="320106", zone="Asia/Shanghai"))
        owners = [("source", scene.book_id), ("fund", new_id()), *(("receivable", new_id()) for _ in range(2))]
        volunteers = [new_id() for _ in range(_PASSBOOKS)]
        owners += [("passbook", one) for one in volunteers]
        _enrol(session, scene.book_id, volunteers)
        journal.open_accounts(session, scene.book_id, owners, START - timedelta(days=1))
        session.commit()
    memory = seal.Memory(folder / "memory")
    for number in range(_ROUNDS):
        live(scene, scene.path, random)
        sealed = carry_on(scene, scene.path, memory)
        if number + 1 == _WITNESSED_AFTER:
            _witness(scene, sealed)
        if number + 1 < _WITNESSED_AFTER:
            scene.backups.append(_copy(scene.path, folder / f"backup{number}.db"))
    return scene


def _enrol(session: Session, book_id: UUID, ids: Sequence[UUID]) -> None:
    area = {"book_id": book_id, "code": "320106", "name": "鼓楼区", "level": "county", "path": "320106/", "phone": ""}
    session.execute(insert(Area).values(area))
    plain = {"book_id": book_id, "area_code": area["code"], "is_resident": True, "status": "active", "created_at": START}
    session.execute(insert(Person), [{**plain, "id": one, "handle": f"{number:08}"} for number, one in enumerate(ids)])


def live(scene: Scene, path: Path, random: Random) -> None:
    """Post a set of what happens in a community: awards, redemptions, gifts, hours, and now and then something is taken back."""
    with scene.session(path) as session:
        scene.clock.moment += timedelta(hours=random.randint(2, 30), seconds=random.randint(0, 3_000))
        now, book_id = scene.clock.now(), scene.book_id
        (claimed,) = journal.claim(session, book_id, [journal.Ask(OPERATOR, str(new_id()), b"bench", now)])
        assert isinstance(claimed, journal.Claimed), "the key is new"
        act, about = Act(book_id, OPERATOR, "command", claimed.request_id, now), journal.About(deed_on=now.date())
        movements: list[Any] = [
            journal.Transfer(act=act, from_account=giver, to_account=taker, amount=amount, kind=kind, about=about, position=position)
            for position, (giver, taker, amount, kind) in enumerate(_ways(session, book_id, random))
        ]
        for entry_id in _redeemed(session, book_id)[:1] if random.random() < 0.5 else []:
            movements.append(journal.Reversal(act=act, entry_id=entry_id, amount=1, kind="void", about=about, position=len(movements)))
        journal.post(session, book_id, movements)
        journal.answer(session, book_id, [(claimed.request_id, 200, {})])
        query = "SELECT owner FROM account WHERE book_id = ? AND kind = 'passbook' ORDER BY id"
        owners = [UUID(owner) for (owner,) in session.connection().exec_driver_sql(query, (book_id.hex,))]
        served = [(one, random.choice(["credit", "honour"]), random.randint(5, 240)) for one in random.choices(owners, k=4)]
        activities.record_hours(session, act, [activities.Served(*one, now.date(), new_id()) for one in served])
        session.commit()


def _ways(session: Session, book_id: UUID, random: Random) -> Iterator[tuple[UUID, UUID, int, str]]:
    query = "SELECT kind, id FROM account WHERE book_id = ? ORDER BY id"
    accounts: dict[str, list[UUID]] = {}
    for kind, account_id in session.connection().exec_driver_sql(query, (book_id.hex,)):
        accounts.setdefault(kind, []).append(UUID(account_id))
    (source,), (fund,), passbooks = accounts["source"], accounts["fund"], accounts["passbook"]
    yield source, fund, 50_000, "budget"
    for passbook in passbooks:
        yield fund, passbook, random.randint(100, 200), "award"
    for _ in range(_MOVEMENTS - 1 - len(passbooks)):
        one, other = random.sample(passbooks, 2)
        yield random.choice([
            (fund, one, random.randint(1, 50), "award"),
            (one, random.choice(accounts["receivable"]), random.randint(2, 20), "redemption"),
            (one, other, random.randint(1, 5), "gift"),
        ])  # fmt: skip


def _redeemed(session: Session, book_id: UUID) -> list[UUID]:
    query = (
        "SELECT e.id FROM entry e WHERE e.book_id = ? AND e.kind = 'redemption' AND NOT EXISTS "
        "(SELECT 1 FROM entry r WHERE r.book_id = e.book_id AND r.reverses = e.id) ORDER BY e.id"
    )
    return [UUID(row[0]) for row in session.connection().exec_driver_sql(query, (book_id.hex,))]


def carry_on(scene: Scene, path: Path, memory: seal.Memory, *, begin_here: bool = False) -> seal.Sealed:
    """Seal and sign what waits, as the service does; `begin_here` where nothing outside of the database is to be remembered."""
    engine = engine_for(f"sqlite:///{path}", sealing=True, poolclass=NullPool)
    sealed = seal.Sealer(lambda: Session(engine), scene.book_id, ORIGIN, [_KEY], memory, scene.clock, begin_here=begin_here).work()
    engine.dispose()
    assert sealed is not None, "something waited"
    return sealed


def _witness(scene: Scene, sealed: seal.Sealed) -> None:
    signature = WITNESS.sign(sealed.note.body, int(scene.clock.now().timestamp()))
    with scene.session(scene.path) as session:
        seal.add_witness(session, scene.book_id, WITNESS.key, scene.clock.now(), address="https://witness.example.org")
        assert seal.hear(session, scene.book_id, sealed.head.size, signature, scene.clock.now()), "it holds"
        session.commit()
    scene.kept, scene.size = str(sealed.note.with_signatures([signature])), sealed.head.size


def _copy(path: Path, to: Path) -> Path:
    for left in (to, *(to.with_name(f"{to.name}-{part}") for part in ("wal", "shm"))):
        left.unlink(missing_ok=True)
    source, target = sqlite.connect(str(path)), sqlite.connect(str(to))
    source.backup(target)
    source.close()
    target.close()
    return to


Row = dict[str, Any]


class Owner:
    """Whoever owns the database: the guards are gone, and what follows from a change is written anew."""

    def __init__(self, scene: Scene, path: Path, random: Random) -> None:
        self.scene, self.path, self.random = scene, path, random
        self._connection = sqlite.connect(str(path), isolation_level=None)
        self._connection.row_factory = sqlite.Row
        self.run("PRAGMA synchronous = OFF")
        self.run("PRAGMA ignore_check_constraints = ON")
        for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self.run(f"DROP TRIGGER {name}")
        #: The entries in the order of the log, and the numbers of their leaves.
        self.entries: list[Row] = [
            dict(row) for row in self.rows("SELECT e.* FROM entry e JOIN leaf l ON l.entry_id = e.id ORDER BY l.number")
        ]  # fmt: skip
        self.leaves = {row["entry_id"]: row["number"] for row in self.rows("SELECT entry_id, number FROM leaf")}
        self.kinds = {row["id"]: row["kind"] for row in self.rows("SELECT id, kind FROM account")}
        self.passbooks = [account for account, kind in self.kinds.items() if kind == "passbook"]
        taken_back = {entry["reverses"] for entry in self.entries}
        #: Before the head that was kept, and neither taken back nor taking back: these can be changed without a trace elsewhere.
        kept = [entry for entry in self.entries if self.leaves[entry["id"]] < scene.size]
        self.plain = [entry for entry in kept if not entry["reverses"] and entry["id"] not in taken_back]

    def run(self, statement: str, *values: Any) -> None:
        """Run a statement."""
        self._connection.execute(statement, values)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return what a query gives."""
        return list(self._connection.execute(statement, values))

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def hours(self) -> list[Any]:
        """Return which records of hours were sealed before the head that was kept."""
        return [row[0] for row in self.rows("SELECT hours_id FROM sealed_hours WHERE leaf_number < ? ORDER BY 1", self.scene.size)]

    def put(self, table: str, row: Row) -> None:
        """Write a row."""
        self.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())

    def rewrite(self) -> bool:
        """Write all entries, lines and counters anew; tell whether no balance fell below zero."""
        self.entries.sort(key=lambda entry: (entry["posted_at"], entry["id"]))
        tallies = {account: [0, 0, 0] for account, kind in self.kinds.items() if kind in LINED}
        lines, is_possible = [], True
        for entry in self.entries:
            for account, points in ((entry["from_account"], -entry["amount"]), (entry["to_account"], entry["amount"])):
                if account not in tallies:
                    continue
                number, before, _ = tallies[account]
                tallies[account] = [number + 1, before + points, entry["posted_at"]]
                is_possible = is_possible and before + points >= 0
                lines.append({
                    "book_id": entry["book_id"], "account_id": account, "number": number + 1, "entry_id": entry["id"], "amount": points,
                    "before": before, "after": before + points, "term": 2026, "earned": 0, "posted_at": entry["posted_at"],
                    "deed_on": entry["deed_on"],
                })  # fmt: skip
        if not is_possible:
            return False
        self.run("BEGIN")
        self.run("DELETE FROM line")
        self.run("DELETE FROM entry")
        for table, rows in (("entry", self.entries), ("line", lines)):
            for row in rows:
                self.put(table, row)
        for account, (number, balance, posted_at) in tallies.items():
            self.run("UPDATE tally SET lines = ?, balance = ?, posted_at = ? WHERE account_id = ?", number, balance, posted_at, account)
        self.run("COMMIT")
        return True

    def reseal(self, *, signed: bool) -> None:
        """Write the whole log anew; with the log's key, its heads as well: of the same sizes, under the same moments."""
        heads = self.rows("SELECT size, signed_at FROM checkpoint ORDER BY size")
        self.run("BEGIN")
        for table in (*_LOG_TABLES, "unsealed", "unsealed_hours", *(("cosignature", "checkpoint") if signed else ())):
            self.run(f"DELETE FROM {table}")
        self.run(
            "INSERT INTO unsealed_hours SELECT h.book_id, h.id, a.id FROM hours_record h "
            "JOIN account a ON a.kind = 'passbook' AND a.owner = h.person_id"
        )
        for entry in self.entries:
            self.put("unsealed", {"book_id": entry["book_id"], "entry_id": entry["id"]})
        self.run("COMMIT")
        with self.scene.session(self.path) as session:
            for piece in actions.pieces(actions.backlog(session, self.scene.book_id)):
                actions.seal(session, self.scene.book_id, piece)
            count = len(self.entries) + len(self.rows("SELECT id FROM hours_record"))
            for size, signed_at in heads if signed else []:
                if size <= count:
                    self._sign(session, size, signed_at)
            session.commit()

    def _sign(self, session: Session, size: int, signed_at: int) -> None:
        body = str(notes.Head(ORIGIN, size, seal.tree(session, self.scene.book_id, size).root()))
        values = (self.scene.book_id.hex, size, notes.head_of(body).root, str(notes.Note(body, (LOG.sign(body),))), signed_at)
        session.connection().exec_driver_sql("INSERT INTO checkpoint (book_id, size, root, note, signed_at) VALUES (?, ?, ?, ?, ?)", values)


#: Changes what was posted before the head that was kept; tells whether that came to anything at the place that was drawn.
Change = Callable[[Owner], bool]


def _edit(owner: Owner) -> bool:
    if owner.random.random() < 0.25:
        owner.run("UPDATE hours_record SET minutes = minutes + 60 WHERE id = ?", owner.random.choice(owner.hours()))
        return True
    entry = owner.random.choice(owner.plain)
    what = owner.random.choice(["amount", "amount", "reference", "actor"])
    amount = entry["amount"] + owner.random.choice([1, 2, 50] if entry["amount"] < 4 else [-3, -1, 1, 50])
    entry[what] = amount if what == "amount" else new_id().hex
    return True


def _insert(owner: Owner) -> bool:
    like = owner.random.choice([entry for entry in owner.plain if entry["kind"] == "award"])
    further = {"id": new_id().hex, "posted_at": like["posted_at"] + 1, "position": 1_000, "amount": owner.random.randint(1, 50)}
    if any(entry["posted_at"] == further["posted_at"] for entry in owner.entries):
        further["posted_at"] += 10_000_000
    owner.entries.append(like | further)
    return True


def _delete(owner: Owner) -> bool:
    if owner.random.random() < 0.25:
        # The last of somebody's: no sum after it betrays it.
        last = "SELECT hours_id FROM sealed_hours s WHERE number = (SELECT max(number) FROM sealed_hours WHERE account_id = s.account_id)"
        hours = [row[0] for row in owner.rows(f"{last} AND leaf_number < ? ORDER BY 1", owner.scene.size)]
        if hours:
            owner.run("DELETE FROM hours_record WHERE id = ?", owner.random.choice(hours))
        return bool(hours)
    owner.entries.remove(owner.random.choice(owner.plain))
    return True


def _swap(owner: Owner) -> bool:
    one, other = owner.random.sample(owner.plain, 2)
    one["posted_at"], other["posted_at"] = other["posted_at"], one["posted_at"]
    return bool(one["posted_at"] != other["posted_at"])


def _swap_accounts(owner: Owner) -> bool:
    one, other = owner.random.sample(owner.passbooks, 2)
    swapped, place = {one: other, other: one}, owner.random.choice(owner.plain)
    # In one entry, or everywhere: the one's whole passbook for the other's.
    entries = [place] if owner.random.random() < 0.5 else owner.entries
    before = [(entry["from_account"], entry["to_account"]) for entry in entries]
    for entry in entries:
        for end in ("from_account", "to_account"):
            entry[end] = swapped.get(entry[end], entry[end])
    return [(entry["from_account"], entry["to_account"]) for entry in entries] != before


def _change_time(owner: Owner) -> bool:
    entry = owner.random.choice(owner.plain)
    if owner.random.random() < 0.5:
        entry["deed_on"] = (date.fromisoformat(entry["deed_on"]) + timedelta(days=owner.random.choice([-30, -1, 1, 365]))).isoformat()
    else:
        entry["posted_at"] += owner.random.choice([-1, 1]) * owner.random.randint(1, 90_000_000)
    return True


_CHANGES: dict[str, Change] = {
    "edit": _edit, "insert": _insert, "delete": _delete, "swap": _swap, "swap accounts": _swap_accounts, "change a time": _change_time,
}  # fmt: skip


def _changed(change: Change) -> Change:
    """Return a tampering without the log's key: the log is left as it is, or all but its heads is written anew."""

    def tamper(owner: Owner) -> bool:
        if not change(owner) or not owner.rewrite():
            return False
        if owner.random.random() < 0.5:
            owner.reseal(signed=False)
        return True

    return tamper


def _cut(owner: Owner) -> bool:
    place = owner.random.randrange(1, owner.scene.size)
    owner.entries = [entry for entry in owner.entries if owner.leaves[entry["id"]] < place]
    owner.run("DELETE FROM unsealed")
    owner.run("DELETE FROM unsealed_hours")
    owner.run("DELETE FROM hours_record WHERE id NOT IN (SELECT hours_id FROM sealed_hours WHERE leaf_number < ?)", place)
    for table, last in (
        ("sealed_hours", "leaf_number >= ?"), ("side", "leaf_number >= ?"), ("leaf", "number >= ?"), ("cosignature", "size > ?"),
        ("checkpoint", "size > ?"),
    ):  # fmt: skip
        owner.run(f"DELETE FROM {table} WHERE {last}", place)
    owner.run("DELETE FROM tile WHERE (number + 1) << (8 * (level + 1)) > ?", place)
    return owner.rewrite()


def _rechain(owner: Owner) -> bool:
    if not owner.random.choice(list(_CHANGES.values()))(owner) or not owner.rewrite():
        return False
    owner.reseal(signed=True)
    return True


def _restore(owner: Owner) -> bool:
    owner.close()
    _copy(owner.random.choice(owner.scene.backups), owner.path)
    if owner.random.random() < 0.5:
        # Life goes on from there, another one, until the log is longer than it ever was.
        memory = seal.Memory(owner.scene.folder / str(new_id()))
        size = 0
        while size <= owner.scene.size:
            live(owner.scene, owner.path, owner.random)
            size = carry_on(owner.scene, owner.path, memory, begin_here=not size).head.size
    return True


def _forge(owner: Owner) -> bool:
    size = owner.random.choice(owner.rows("SELECT size FROM checkpoint WHERE size <= ?", owner.scene.size))[0]
    how = owner.random.choice(["another root", "another's key", "the old cosignature"])
    if how == "the old cosignature":
        cosigned = [dict(row) for row in owner.rows("SELECT * FROM cosignature")]
        if not _rechain(owner):
            return False
        for row in cosigned:
            owner.put("cosignature", row)
        return True
    root = owner.random.randbytes(32)
    signer = LOG if how == "another root" else notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.generate())
    body = str(notes.Head(ORIGIN, size, root))
    note = str(notes.Note(body, (signer.sign(body),)))
    owner.run("DELETE FROM cosignature WHERE size = ?", size)
    owner.run("UPDATE checkpoint SET root = ?, note = ? WHERE size = ?", root, note, size)
    return True


KINDS: dict[str, Change] = {
    "edit": _changed(_edit),
    "insert": _changed(_insert),
    "delete": _changed(_delete),
    "swap": _changed(_swap),
    "cut the tail": _cut,
    "re-chain everything": _rechain,
    "restore an old backup": _restore,
    "forge a checkpoint": _forge,
    "swap accounts": _changed(_swap_accounts),
    "change a time": _changed(_change_time),
}


def tampered(scene: Scene, kind: str, random: Random) -> Path:
    """Return a copy of the book that was tampered with in this way, at a place that `random` draws."""
    for _ in range(_TRIES):
        path = _copy(scene.path, scene.folder / "copy.db")
        owner = Owner(scene, path, random)
        is_done = KINDS[kind](owner)
        owner.close()
        if is_done:
            return path
    raise RuntimeError(f"nothing came of it at {_TRIES} places: {kind}")
