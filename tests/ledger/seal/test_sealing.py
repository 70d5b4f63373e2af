"""Entries go into the log once, in the order of their accounts, and only what carries on from what was signed is signed."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from http.server import ThreadingHTTPServer
from pathlib import Path

import pysqlite3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm import SessionTransaction

from ledger.journal.model import Entry
from ledger.journal.model import Unsealed
from ledger.seal import actions
from ledger.seal import notes
from ledger.seal import queries
from ledger.seal.keeping import Memory
from ledger.seal.merkle import fold
from ledger.seal.merkle import is_included
from ledger.seal.merkle import leaf_hash
from ledger.seal.model import Checkpoint
from ledger.seal.model import Leaf
from ledger.seal.model import Side
from ledger.seal.sealer import Sealer
from ledger.seal.witness import Witness
from scripts.witness import handler_for
from tests.books import Desk
from tests.books import Laid
from tests.books import open_desk
from tests.conftest import Database
from tests.conftest import fresh_database
from tests.conftest import sealers_engine
from tests.sealing import dropped
from tests.sealing import rewrite

ORIGIN = "passbook.example.org/log/1"
SECRET = bytes(range(32))
(SIGNER,) = notes.signers_of(ORIGIN, [SECRET])


@pytest.fixture
def desk(session: Session) -> Desk:
    return open_desk(session)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the sealer remembers."""
    return tmp_path / "log"


@pytest.fixture
def sealer(desk: Desk, database: Database, folder: Path) -> Sealer:
    return sealer_of(desk, database, folder)


def sealer_of(desk: Desk, database: Database, folder: Path, *, begin_here: bool = False) -> Sealer:
    """The sealer of a book, which remembers in this folder."""
    desk.session.rollback()
    engine = sealers_engine(database.engine)
    return Sealer(lambda: Session(engine), desk.book_id, ORIGIN, [SECRET], Memory(folder), desk.clock, begin_here=begin_here, at_once=7)


def fill(desk: Desk, rounds: int) -> None:
    """Post three entries for each round, ten rounds a set."""
    desk.budget(100_000)
    for start in range(0, rounds, 10):
        ways = [(desk.give, "li", 5), (desk.give, "wang", 3), (desk.spend, "li", 2)] * min(10, rounds - start)
        desk.post([way(name, points, position=position) for position, (way, name, points) in enumerate(ways)])
        desk.clock.advance(minutes=start)


def test_every_entry_is_a_leaf_and_the_root_is_over_all_of_them(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 100)
    sealed = sealer.work()
    assert sealed is not None
    leaves = desk.session.execute(
        select(Leaf.data, Leaf.hash, Leaf.entry_id).where(Leaf.book_id == desk.book_id).order_by(Leaf.number)
    ).all()
    assert len(leaves) == sealed.head.size == 301
    assert all(leaf_hash(data) == hashed for data, hashed, _ in leaves)
    assert sealed.head.root == fold([hashed for _, hashed, _ in leaves])
    assert {entry_id for *_, entry_id in leaves} == set(
        desk.session.execute(select(Entry.id).where(Entry.book_id == desk.book_id)).scalars()
    )
    assert sealed.note.signed_by([SIGNER.key]) == [SIGNER.key]
    assert queries.waiting(desk.session, desk.book_id) == 0
    assert sealer.work() is None


def test_a_line_proves_itself_and_nothing_of_the_other_side(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 90)
    sealer.work()
    for number in (1, 2, 90, 180):
        receipt = queries.receipt(desk.session, desk.book_id, desk.account("li"), number)
        assert receipt.proof is not None
        assert receipt.opening is not None
        head = notes.head_of(receipt.proof.checkpoint.body)
        assert is_included(leaf_hash(receipt.opening.leaf), receipt.proof.index, head.size, receipt.proof.path, head.root)
        (line,) = (one for one in desk.all_lines("li") if one.number == number)
        side = receipt.opening.side
        assert (side.number, side.amount, side.before, side.after, side.kind) == (number, line.amount, line.before, line.after, line.kind)
        told = str(receipt.proof).encode() + receipt.opening.packed()
        assert desk.account("fund").bytes not in told
        assert desk.account("shop").bytes not in told


def test_a_line_that_waits_has_no_proof_yet(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 1)
    receipt = queries.receipt(desk.session, desk.book_id, desk.account("li"), 1)
    assert (receipt.opening, receipt.proof) == (None, None)


CHANGES = [
    "UPDATE line SET deed_on = '2020-01-01' WHERE book_id = :book AND number = 3",
    "UPDATE side SET salt = hash WHERE book_id = :book AND number = 3",
    "UPDATE leaf SET data = (SELECT data FROM leaf WHERE book_id = :book AND number = 1) WHERE book_id = :book AND number >= 4",
    "UPDATE leaf SET hash = (SELECT hash FROM leaf WHERE book_id = :book AND number = 1) WHERE book_id = :book AND number >= 4",
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_line_that_is_not_what_was_sealed_is_proved_no_longer(
    desk: Desk, database: Database, owner: Engine, tmp_path: Path, change: str
) -> None:
    fill(desk, 5)
    sealed = sealer_of(desk, database, tmp_path / "log").work()
    assert sealed is not None
    before = queries.receipt(desk.session, desk.book_id, desk.account("li"), 3)
    assert before.proof is not None
    assert before.differs_at is None
    desk.session.rollback()
    rewrite(owner, desk.book_id, change)
    found = queries.receipt(desk.session, desk.book_id, desk.account("li"), 3)
    assert (found.opening, found.proof) == (None, None)
    assert found.differs_at == (before.proof.index, sealed.head)


def test_the_sides_of_an_account_are_a_chain_in_the_order_of_its_lines(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 20)
    sealer.work()
    for name in ("li", "wang", "fund"):
        previous = None
        for line in desk.all_lines(name)[::-1]:
            opening = queries.receipt(desk.session, desk.book_id, desk.account(name), line.number).opening
            assert opening is not None
            assert opening.side.previous == previous
            previous = desk.session.execute(
                select(Side.hash).where(Side.book_id == desk.book_id, Side.account_id == desk.account(name), Side.number == line.number)
            ).scalar_one()  # fmt: skip


def test_a_log_grown_bit_by_bit_is_the_same_tree(desk: Desk, sealer: Sealer) -> None:
    heads = []
    for _ in range(12):
        fill(desk, 30)
        heads.append(sealer.work())
    hashes = list(desk.session.execute(select(Leaf.hash).where(Leaf.book_id == desk.book_id).order_by(Leaf.number)).scalars())
    for sealed in heads:
        assert sealed is not None
        assert sealed.head.root == fold(hashes[: sealed.head.size])


def test_what_is_remembered_from_piece_to_piece_is_dropped_where_it_no_longer_holds(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 200)
    actions.begin(desk.session, desk.book_id, ORIGIN, desk.clock.now())
    growth = None
    for number, piece in enumerate(actions.pieces(actions.backlog(desk.session, desk.book_id), 50)):
        if number == 5:
            # Another sealer is faster with a part of it.
            actions.seal(desk.session, desk.book_id, piece[:20])
            desk.session.commit()
        if number == 8:
            actions.seal(desk.session, desk.book_id, piece, growth)
            desk.session.rollback()
        growth = actions.seal(desk.session, desk.book_id, piece, growth)
        desk.session.commit()
    sealed = sealer.work()
    assert sealed is not None
    assert sealed.head.size == 601
    assert_whole(desk)


class Killed(BaseException):
    """The process was ended at this point."""


STEPS: list[tuple[object, str]] = [
    *((actions, name) for name in ("compare", "backlog", "begin", "seal", "sign")),
    *((actions, name) for name in ("lock", "_growth", "_entries", "_heads", "_write", "insert", "delete", "_extends")),
    (Memory, "keep"),
    (SessionTransaction, "commit"),
]


def a_book_half_sealed(database: Database, folder: Path) -> tuple[Laid, Path]:
    """A book of 16 sealed entries and as many that wait, and where its sealer remembers."""
    with Session(database.engine) as session:
        desk = open_desk(session)
        fill(desk, 5)
        sealer_of(desk, database, folder / "log").work()
        fill(desk, 5)
        return desk.laid(), folder / "log"


@pytest.mark.parametrize("groundwork", [a_book_half_sealed], ids=["half sealed"])
@pytest.mark.parametrize(("where", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_sealer_killed_at_any_step_leaves_no_fork_and_no_gap(
    session: Session, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, where: object, name: str, after: bool, times: int
) -> None:
    laid, remembered = database.laid
    desk = laid.desk(session)
    shutil.copytree(remembered, folder)
    killed = sealer_of(desk, database, folder)
    step, calls = getattr(where, name), iter(range(1, 1_000))

    def killing(*values: object, **named: object) -> object:
        dies = next(calls) == times
        if dies and not after:
            raise Killed
        answer = step(*values, **named)
        if dies:
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(where, name, killing)
        with contextlib.suppress(Killed):
            killed.work()
    fill(desk, 2)
    sealed = sealer_of(desk, database, folder).work()
    assert sealed is not None
    assert sealed.head.size == 3 + 3 * 12
    assert_whole(desk)


def assert_whole(desk: Desk) -> None:
    """Assert that every entry is sealed once, that the numbers have no gap, and that every signed head is a beginning of the newest."""
    session = desk.session
    rows = session.execute(select(Leaf.number, Leaf.hash).where(Leaf.book_id == desk.book_id).order_by(Leaf.number)).all()
    assert [number for number, _ in rows] == list(range(len(rows)))
    assert session.execute(select(Unsealed.entry_id).where(Unsealed.book_id == desk.book_id)).all() == []
    assert len(rows) == len(session.execute(select(Entry.id).where(Entry.book_id == desk.book_id)).all())
    for size, root in session.execute(select(Checkpoint.size, Checkpoint.root).where(Checkpoint.book_id == desk.book_id)):
        assert root == fold([hashed for _, hashed in rows[:size]])


def test_two_sealers_at_once_write_one_log(desk: Desk, database: Database, tmp_path: Path) -> None:
    fill(desk, 60)
    sealers = [sealer_of(desk, database, tmp_path / name, begin_here=True) for name in ("one", "other")]
    faults: list[BaseException] = []

    def work(sealer: Sealer) -> None:
        try:
            sealer.work()
        except BaseException as fault:  # noqa: BLE001  told below, in the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=work, args=[sealer]) for sealer in sealers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    fill(desk, 1)
    for sealer in sealers:
        sealer.work()
    assert_whole(desk)
    newest = queries.newest(desk.session, desk.book_id)
    assert newest is not None
    assert [sealer.memory.head(ORIGIN) for sealer in sealers] == [newest.head, newest.head]


class Meeting(Memory):
    """A memory before which another sealer has its turn, once, after whoever reads it has read the database."""

    other: Callable[[], object] | None = None

    def head(self, origin: str) -> notes.Head | None:
        if self.other:
            turn, self.other = self.other, None
            turn()
        return super().head(origin)


def test_a_sealer_that_was_overtaken_by_another_raises_no_alarm(desk: Desk, sealer: Sealer, database: Database, folder: Path) -> None:
    slow, met = sealer_of(desk, database, folder), Meeting(folder)
    fill(desk, 3)
    sealer.work()
    fill(desk, 3)
    slow.memory, met.other = met, sealer.work
    assert slow.work() is None
    assert queries.alarms(desk.session, desk.book_id) == []
    assert_whole(desk)


def test_what_is_sealed_and_stands_in_the_queue_again_keeps_nothing_from_being_sealed(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 3)
    sealer.work()
    again = select(Leaf.book_id, Leaf.entry_id).where(Leaf.book_id == desk.book_id, Leaf.number == 8)
    desk.session.execute(insert(Unsealed).from_select(["book_id", "entry_id"], again))
    desk.session.commit()
    fill(desk, 3)
    sealed = sealer.work()
    assert sealed is not None
    assert sealed.head.size == 20
    assert actions.backlog(desk.session, desk.book_id) == []
    desk.clock.advance(hours=2)
    assert not queries.is_stalled(desk.session, desk.book_id, desk.clock.now())


def test_a_clock_set_back_a_day_makes_no_gap(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 5)
    sealer.work()
    desk.clock.advance(days=-1)
    desk.award("zhao", 5)
    fill(desk, 5)
    sealer.work()
    assert_whole(desk)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE leaf SET hash = data WHERE book_id = :book AND number = 3",
        "UPDATE tile SET root = (SELECT hash FROM leaf WHERE book_id = :book AND number = 5) WHERE book_id = :book",
        "DELETE FROM leaf WHERE book_id = :book AND number = 300",
    ],
)
def test_nothing_is_signed_on_a_log_that_was_rewritten(desk: Desk, sealer: Sealer, owner: Engine, change: str) -> None:
    fill(desk, 100)
    sealer.work()
    for table in ("leaf", "tile", "side"):
        dropped(owner, table)
    book = {"book": desk.book_id if owner.dialect.name == "postgresql" else desk.book_id.hex}
    with owner.begin() as connection:
        if owner.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        if change.startswith("DELETE"):
            connection.execute(text("DELETE FROM side WHERE book_id = :book AND leaf_number = 300"), book)
        connection.execute(text(change), book)
    fill(desk, 1)
    sizes = desk.session.execute(select(Checkpoint.size).where(Checkpoint.book_id == desk.book_id)).scalars().all()
    desk.session.rollback()
    if "leaf SET" in change:
        # Leaf 3 stands in a full tile: what is signed is read from there, and the leaf is found by `verify`.
        sealer.work()
    else:
        with pytest.raises(actions.SealError):
            sealer.work()
        desk.session.rollback()
        assert desk.session.execute(select(Checkpoint.size).where(Checkpoint.book_id == desk.book_id)).scalars().all() == sizes


def test_a_database_turned_back_to_a_backup_is_not_signed_over(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with fresh_database("sqlite", request, tmp_path) as database:
        path, backup = Path(str(database.engine.url.database)), tmp_path / "backup.db"
        with Session(database.engine) as session:
            desk = open_desk(session)
            sealer = sealer_of(desk, database, tmp_path / "log")
            fill(desk, 3)
            sealer.work()
            with closing(pysqlite3.dbapi2.connect(path)) as connection:
                connection.execute(f"VACUUM INTO '{backup}'")
            fill(desk, 3)
            signed = sealer.work()
            assert signed is not None
        database.engine.dispose()
        for kept in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            kept.unlink(missing_ok=True)
        shutil.copyfile(backup, path)
        with Session(database.engine) as session:
            desk = Desk(session, desk.book_id, desk.accounts, desk.clock)
            for rounds in (0, 2, 4):
                # Whether it is shorter than what was signed, as long or longer; and before anything waits.
                if rounds:
                    fill(desk, rounds)
                with pytest.raises(actions.DoesNotExtendError):
                    sealer.work()
            assert sealer.memory.head(ORIGIN) == signed.head
            heads = session.execute(select(Checkpoint.size).where(Checkpoint.book_id == desk.book_id)).scalars().all()
            assert heads == [10]
            assert {(one.what, one.seen) for one in queries.alarms(session, desk.book_id)} == {("does-not-extend", signed.head.size)}


def test_a_folder_that_remembers_nothing_is_not_taken_for_the_right_one(
    desk: Desk, sealer: Sealer, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    fill(desk, 3)
    sealed = sealer.work()
    assert sealed is not None
    with pytest.raises(actions.UnknownPastError):
        sealer_of(desk, database, tmp_path / "elsewhere").work()
    told = sealer_of(desk, database, tmp_path / "elsewhere", begin_here=True)
    assert told.work() is None
    assert told.memory.head(ORIGIN) == sealed.head


def forge(desk: Desk, owner: Engine, head: notes.Head, signer: notes.Signer) -> None:
    """Write a head into the database that no sealer signed."""
    desk.session.rollback()
    note = notes.Note(str(head), (signer.sign(str(head)),))
    row = {"book_id": desk.book_id, "size": head.size, "root": head.root, "note": str(note), "signed_at": desk.clock.now()}
    with owner.begin() as connection:
        connection.execute(insert(Checkpoint).values(row))


def test_a_head_of_a_key_that_is_not_at_hand_is_no_forgery(desk: Desk, sealer: Sealer, database: Database, tmp_path: Path) -> None:
    fill(desk, 3)
    sealed = sealer.work()
    assert sealed is not None
    other = sealer_of(desk, database, tmp_path / "other", begin_here=True)
    other.keys = [bytes(range(2, 34))]
    with pytest.raises(actions.StrangeKeyError):
        other.work()
    assert other.memory.head(ORIGIN) is None
    assert queries.alarms(desk.session, desk.book_id) == []
    desk.session.rollback()
    other.key_was_lost = True
    assert other.work() is None
    assert other.memory.head(ORIGIN) == sealed.head


STRANGER = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


@pytest.mark.parametrize(("signer", "root"), [(STRANGER, None), (SIGNER, b"\x07" * 32)], ids=["of another key", "of other leaves"])
@pytest.mark.parametrize("begin_here", [False, True])
def test_a_made_up_head_is_refused_and_not_remembered(
    desk: Desk, database: Database, owner: Engine, tmp_path: Path, signer: notes.Signer, root: bytes | None, begin_here: bool
) -> None:
    sealer = sealer_of(desk, database, tmp_path / "log")
    fill(desk, 5)
    first = sealer.work()
    assert first is not None
    fill(desk, 1)
    actions.seal(desk.session, desk.book_id, actions.backlog(desk.session, desk.book_id))
    desk.session.commit()
    size = first.head.size + 4
    true = queries.tree(desk.session, desk.book_id, size).root()
    forge(desk, owner, notes.Head(ORIGIN, size, root or true), signer)
    if begin_here:
        sealer = sealer_of(desk, database, tmp_path / "new", begin_here=True)
    fill(desk, 1)
    with pytest.raises(actions.DoesNotExtendError):
        sealer.work()
    assert sealer.memory.head(ORIGIN) == (None if begin_here else first.head)
    assert [(one.what, one.seen) for one in queries.alarms(desk.session, desk.book_id)] == [("does-not-extend", size)]
    desk.session.rollback()
    # Once the forgery is gone, the log goes on.
    dropped(owner, "checkpoint")
    with owner.begin() as connection:
        connection.execute(delete(Checkpoint).where(Checkpoint.book_id == desk.book_id, Checkpoint.size == size))
    sealed = sealer.work()
    assert sealed is not None
    assert sealed.head.size == size + 4
    assert_whole(desk)


def test_what_another_sealer_signed_is_remembered_here_too(desk: Desk, sealer: Sealer, database: Database, tmp_path: Path) -> None:
    other = sealer_of(desk, database, tmp_path / "other")
    fill(desk, 3)
    other.work()
    begun = sealer_of(desk, database, tmp_path / "log", begin_here=True)
    assert begun.work() is None
    fill(desk, 3)
    sealed = other.work()
    assert sealed is not None
    assert sealer.work() is None
    assert sealer.memory.head(ORIGIN) == sealed.head


def test_what_was_written_and_not_signed_is_signed_by_the_next(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 3)
    sealer.work()
    fill(desk, 1)
    actions.seal(desk.session, desk.book_id, actions.backlog(desk.session, desk.book_id))
    desk.session.commit()
    sealed = sealer.work()
    assert sealed is not None
    assert sealed.head.size == 14


def test_an_entry_and_each_of_its_sides_have_salts_of_their_own(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 3)
    sealer.work()
    salts = [*desk.session.execute(select(Leaf.salt).where(Leaf.book_id == desk.book_id)).scalars()]
    salts += desk.session.execute(select(Side.salt).where(Side.book_id == desk.book_id)).scalars()
    assert len(salts) == len(set(salts)) == 3 * 10


def cosign(desk: Desk, sealed: queries.Sealed | None, *names: str) -> None:
    """Let witnesses of these names cosign a head; whoever is new begins to watch."""
    assert sealed is not None
    for name in names:
        own = notes.Signer(name, notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))
        if str(own.key) not in {one.key for one in queries.witnesses(desk.session, desk.book_id)}:
            actions.add_witness(desk.session, desk.book_id, own.key, desk.clock.now(), address="https://w.example")
        assert actions.hear(desk.session, desk.book_id, sealed.head.size, own.sign(sealed.note.body, 1), desk.clock.now())
    desk.session.commit()


def test_a_line_is_proved_by_the_head_that_most_witnesses_cosigned(desk: Desk, sealer: Sealer) -> None:
    heads = []
    for names in (("a.example",), ("a.example", "b.example"), ("b.example",), ()):
        fill(desk, 1)
        heads.append(sealer.work())
        cosign(desk, heads[-1], *names)

    def proving(number: int) -> notes.Head:
        proof = queries.receipt(desk.session, desk.book_id, desk.account("li"), number).proof
        assert proof is not None
        return notes.head_of(proof.checkpoint.body)

    first, second, third, newest = (sealed.head for sealed in heads if sealed)
    # Two lines of each set.
    assert [proving(number) for number in (1, 3, 5, 7)] == [second, second, third, newest]
    assert first not in (second, third, newest)


def test_a_witness_that_was_ended_counts_no_longer(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 1)
    sealed = sealer.work()
    cosign(desk, sealed, "a.example", "b.example")
    assert actions.end_witness(desk.session, desk.book_id, "a.example", desk.clock.now())
    shown = queries.newest(desk.session, desk.book_id)
    assert shown is not None
    assert [notes.key_of(key).name for key in shown.witnesses] == ["b.example"]
    assert [signature.name for signature in shown.note.signatures] == [ORIGIN, "b.example"]


def test_of_many_witnesses_no_more_are_shown_than_a_note_may_have(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 3)
    sealed = sealer.work()
    assert sealed is not None
    for number in range(70):
        own = notes.Signer(f"w{number}.example", notes.COSIGNATURE, Ed25519PrivateKey.generate())
        actions.add_witness(
            desk.session,
            desk.book_id,
            own.key,
            desk.clock.now(),
            address="https://w.example" if number == 69 else None,
            device_id=None if number == 69 else desk.book_id,
        )
        assert actions.hear(desk.session, desk.book_id, sealed.head.size, own.sign(sealed.note.body, 1), desk.clock.now())
    shown = queries.newest(desk.session, desk.book_id)
    assert shown is not None
    assert notes.key_of(shown.witnesses[0]).name == "w69.example"
    assert notes.note_of(str(shown.note)).body == sealed.note.body


OTHER_BOOK = "'00000000-0000-7000-8000-000000000000'"
LEAF = "INSERT INTO leaf (book_id, number, entry_id, salt, data, hash) SELECT {}, {}, {}, salt, data, hash FROM leaf WHERE book_id = :book"
SIDE = (
    "INSERT INTO side (book_id, account_id, number, leaf_number, salt, hash) "
    "SELECT {}, {}, {}, {}, salt, hash FROM side WHERE book_id = :book"
)


@pytest.mark.parametrize(
    "row",
    [
        LEAF.format("book_id", "number + 10", OTHER_BOOK) + " AND number = 3",
        LEAF.format(OTHER_BOOK, "number", "entry_id") + " AND number = 3",
        SIDE.format("book_id", OTHER_BOOK, "1", "leaf_number") + " AND leaf_number = 3",
        SIDE.format("book_id", "account_id", "number + 90", "10") + " AND leaf_number = 3",
    ],
    ids=["of no entry", "of no log", "of no account", "of no leaf"],
)
def test_a_leaf_is_of_an_entry_of_its_log_and_a_side_is_of_a_leaf(desk: Desk, sealer: Sealer, row: str) -> None:
    fill(desk, 3)
    sealed = sealer.work()
    assert sealed is not None
    assert sealed.head.size == 10
    is_sqlite = desk.session.get_bind().dialect.name == "sqlite"
    statement = text(row.replace("-", "") if is_sqlite else row.replace(OTHER_BOOK, f"{OTHER_BOOK}::uuid"))
    with pytest.raises(IntegrityError):
        desk.session.execute(statement, {"book": desk.book_id.hex if is_sqlite else desk.book_id})


def test_a_witness_that_does_not_know_the_logs_key_is_named_once(
    desk: Desk, sealer: Sealer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(desk, 3)
    sealed, own = sealer.work(), notes.Signer("w.example", notes.COSIGNATURE, Ed25519PrivateKey.generate())
    assert sealed is not None
    before = notes.Signer(ORIGIN, notes.ED25519, Ed25519PrivateKey.generate()).key
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(Witness(own, [before], Memory(tmp_path / "witness"), desk.clock)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    actions.add_witness(desk.session, desk.book_id, own.key, desk.clock.now(), address=address)
    desk.session.commit()
    assert [sealer.ask_witnesses(sealed) for _ in range(2)] == [[], []]
    # It answered, and is asked again about the next head.
    assert sealer.resting == {}
    server.shutdown()
    server.server_close()
    assert capsys.readouterr().err.count("见证方 w.example 不认得日志的公钥 / does not know the log's key (403)") == 1


def test_the_same_refusal_is_one_alarm(desk: Desk, sealer: Sealer) -> None:
    fill(desk, 3)
    sealed = sealer.work()
    assert sealed is not None
    for _ in range(3):
        actions.alarm(desk.session, desk.book_id, "witness-refused", "w.example", sealed.head, 9, desk.clock.now())
    assert len(queries.alarms(desk.session, desk.book_id)) == 1
