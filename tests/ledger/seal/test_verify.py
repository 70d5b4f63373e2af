"""`verify` sees what the tables' owner has changed in the log, or in what the log was made of, and says where."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger import journal
from ledger import seal
from ledger.seal import dumping
from ledger.seal import notes
from ledger.seal.leaves import EntryFacts
from ledger.seal.leaves import written
from ledger.seal.recompute import written_entry
from ledger.store import snapshot
from tests.books import Desk
from tests.books import Laid
from tests.books import open_desk
from tests.conftest import Database
from tests.conftest import Groundwork
from tests.conftest import sealers_engine

ORIGIN = "passbook.example.org/log/1"
WITNESS = notes.Signer("witness.example.org", notes.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


def seal_all(desk: Desk, database: Database, folder: Path) -> seal.Sealed:
    engine = sealers_engine(database.engine)
    sealer = seal.Sealer(lambda: Session(engine), desk.book_id, ORIGIN, [bytes(range(32))], seal.Memory(folder), desk.clock)
    sealed = sealer.work()
    assert sealed is not None
    return sealed


def fill(desk: Desk, rounds: int) -> None:
    """Post 39 entries for each round in one set, and take one of each back in another."""
    ways = [(desk.give, "li", 5), (desk.give, "wang", 3), (desk.spend, "li", 2)] * 13 * rounds
    outcomes = desk.post([way(name, points, position=position) for position, (way, name, points) in enumerate(ways)])
    spent = [one.entry_id for one in outcomes[2::39] if isinstance(one, journal.Posted)]
    assert len(spent) == rounds
    desk.post([desk.reverse(entry_id, 1, position=position) for position, entry_id in enumerate(spent)])
    desk.clock.advance(minutes=rounds)


def a_sealed_book(database: Database, folder: Path) -> Laid:
    """A book of 321 sealed entries under two heads, the second one cosigned, and 40 entries that wait."""
    with Session(database.engine) as session:
        desk = open_desk(session)
        desk.budget(100_000)
        fill(desk, 1)
        seal_all(desk, database, folder)
        fill(desk, 7)
        head = seal_all(desk, database, folder)
        assert head.head.size == 321
        seal.add_witness(session, desk.book_id, WITNESS.key, desk.clock.now(), address="https://witness.example.org")
        hear(desk, head, desk.clock.now())
        session.commit()
        fill(desk, 1)
        return desk.laid()


@pytest.fixture
def groundwork() -> Groundwork:
    """Half a second's work, on which nearly every test here stands."""
    return a_sealed_book


@pytest.fixture
def sealed(database: Database, session: Session) -> Desk:
    """The sealed book."""
    laid: Laid = database.laid
    return laid.desk(session)


@pytest.fixture
def desk(session: Session) -> Desk:
    """A book beside it, which nobody has sealed."""
    return open_desk(session)


def hear(desk: Desk, head: seal.Sealed, at: datetime) -> None:
    """Let the witness have cosigned a head at this time."""
    signature = WITNESS.sign(head.note.body, int(at.timestamp()))
    assert seal.hear(desk.session, desk.book_id, head.head.size, signature, desk.clock.now())


def faults(desk: Desk) -> list[str]:
    desk.session.rollback()
    snapshot(desk.session)
    found = [f"{place}: {what}" for place, what in seal.verify(desk.session, desk.book_id, desk.clock.now())]
    desk.session.rollback()
    return found


def test_a_log_that_was_left_alone_is_clean(sealed: Desk) -> None:
    assert faults(sealed) == []


def test_a_book_that_was_never_sealed_is_clean(desk: Desk) -> None:
    desk.budget(100)
    assert faults(desk) == []


#: By how much later than what stands around it a head is cosigned, and what is told.
MOMENTS = [
    (timedelta(hours=23), None),
    (timedelta(hours=-23), None),
    (timedelta(days=2), "was sealed after a head that was cosigned on 2026"),
    (timedelta(days=-2), "stands under a head that was cosigned on 2026"),
]


@pytest.mark.parametrize(("later", "told"), MOMENTS)
def test_no_entry_bears_a_moment_that_those_who_cosigned_rule_out(
    desk: Desk, database: Database, tmp_path: Path, later: timedelta, told: str | None
) -> None:
    desk.budget(100)
    desk.session.commit()
    first = seal_all(desk, database, tmp_path)
    seal.add_witness(desk.session, desk.book_id, WITNESS.key, desk.clock.now(), address="https://witness.example.org")
    hear(desk, first, desk.clock.now() + later)
    desk.clock.advance(minutes=1)
    desk.budget(7)
    desk.session.commit()
    seal_all(desk, database, tmp_path)
    found = faults(desk)
    assert [told in fault for fault in found if told] == [True] * bool(told)
    assert len(found) == bool(told)


def test_an_entry_that_is_held_back_for_more_than_a_day_is_told(sealed: Desk) -> None:
    sealed.clock.advance(hours=23)
    assert faults(sealed) == []
    sealed.clock.advance(hours=2)
    found = faults(sealed)
    assert len(found) == 40
    assert all(re.fullmatch(r"entry [-0-9a-f]{36}: waits since 2026.* UTC, and was to be sealed within a day", one) for one in found), found


GUARDED = ("log_key", "entry", "line", "leaf", "side", "tile", "checkpoint", "cosignature", "log")
LI = "book_id = :book AND account_id = :li AND number = 30"
LEAF = "book_id = :book AND number = 100"
WAITING = "SELECT entry_id FROM unsealed WHERE book_id = :book LIMIT 1"
ENTRY = "book_id = :book AND id = (SELECT entry_id FROM leaf WHERE book_id = :book AND number = 100)"

TAMPERED = [
    (f"UPDATE entry SET amount = amount + 1 WHERE {ENTRY}", r"entry ID: is not what was sealed as leaf 100"),
    (f"UPDATE entry SET amount = amount + 1 WHERE {ENTRY}", r"account ID line \d+: is not what was sealed, or does not follow .*"),
    (f"UPDATE entry SET deed_on = '2020-01-01' WHERE {ENTRY}", r"entry ID: is not what was sealed as leaf 100"),
    (f"UPDATE entry SET posted_at = posted_at + 1 WHERE {ENTRY}", r"entry ID: is not what was sealed as leaf 100"),
    (f"UPDATE entry SET actor = request_id WHERE {ENTRY}", r"entry ID: is not what was sealed as leaf 100"),
    (f"UPDATE entry SET reference = request_id WHERE {ENTRY}", r"entry ID: is not what was sealed as leaf 100"),
    (f"UPDATE entry SET to_account = :expired WHERE {ENTRY}", r"leaf 100: does not have one side for each account of its entry"),
    (f"DELETE FROM entry WHERE {ENTRY}", r"leaf 100: has lost its entry"),
    (f"UPDATE leaf SET salt = hash WHERE {LEAF}", r"entry ID: is not what was sealed as leaf 100"),
    (f"UPDATE leaf SET salt = hash WHERE {LEAF}", r"leaf 100: has a salt of 32 bytes, where 16 belong"),
    (f"UPDATE entry SET channel = 'x' WHERE {ENTRY}", r"entry ID: came by x, which is no way in"),
    (f"UPDATE leaf SET data = hash WHERE {LEAF}", r"leaf 100: has another hash than its own"),
    (f"UPDATE leaf SET data = hash WHERE {LEAF}", r"leaf 100: is not made of its sides"),
    (f"UPDATE leaf SET data = hash WHERE {LEAF}", r"checkpoint 321: has another root than the leaves"),
    (f"UPDATE leaf SET hash = salt WHERE {LEAF}", r"leaf 100: has another hash than its own"),
    (f"UPDATE leaf SET number = 999 WHERE {LEAF}", r"leaf 101: stands where leaf 100 follows"),
    (f"UPDATE leaf SET number = 999 WHERE {LEAF}", r"log: has 2 sides of leaves that are not there"),
    (f"DELETE FROM leaf WHERE {LEAF}", r"entry ID: is neither sealed nor waiting"),
    (f"UPDATE leaf SET entry_id = ({WAITING}) WHERE {LEAF}", r"entry ID: is not what .* leaf 100"),
    (f"UPDATE leaf SET entry_id = ({WAITING}) WHERE {LEAF}", r"entry ID: is neither .* nor waiting"),
    ("DELETE FROM unsealed WHERE book_id = :book", r"entry ID: is neither sealed nor waiting"),
    (f"INSERT INTO unsealed SELECT book_id, entry_id FROM leaf WHERE {LEAF}", r"entry ID: is sealed as leaf 100 and waits still"),
    (f"UPDATE side SET hash = salt WHERE {LI}", r"account LI line 30: is not what was sealed, or does not follow the line before it"),
    (f"UPDATE side SET hash = salt WHERE {LI}", r"account LI line 31: is not what was sealed, or does not follow the line before it"),
    (f"UPDATE side SET salt = hash WHERE {LI}", r"account LI line 30: is not what was sealed, or does not follow the line before it"),
    (f"UPDATE side SET salt = hash WHERE {LI}", r"account LI line 30: has a salt of 32 bytes, where 16 belong"),
    (f"UPDATE side SET number = 900 WHERE {LI}", r"account LI line 900: is sealed where line 30 follows"),
    (f"UPDATE side SET account_id = :wang, number = 900 WHERE {LI}", r"leaf \d+: does not have one side for each account of its entry"),
    (f"DELETE FROM side WHERE {LI}", r"leaf \d+: does not have one side for each account of its entry"),
    ("UPDATE side SET leaf_number = 900 WHERE book_id = :book AND leaf_number = 320", r"log: has 2 sides of leaves that are not there"),
    ("UPDATE tile SET root = hashes WHERE book_id = :book", r"tile 0/0: is not the tree's over the leaves"),
    ("UPDATE tile SET hashes = root WHERE book_id = :book", r"tile 0/0: is not the tree's over the leaves"),
    ("UPDATE tile SET number = 1 WHERE book_id = :book", r"tile 0/0: is not there"),
    ("UPDATE tile SET number = 1 WHERE book_id = :book", r"tile 0/1: is of more leaves than there are"),
    ("UPDATE checkpoint SET root = :book_bytes WHERE book_id = :book AND size = 41", r"checkpoint 41: has another root than the leaves"),
    ("UPDATE checkpoint SET note = 'nothing' WHERE book_id = :book AND size = 41", r"checkpoint 41: was published with other words, .*"),
    ("UPDATE log SET origin = 'another.example.org' WHERE book_id = :book", r"checkpoint 41: was published with other words, .*"),
    ("DELETE FROM checkpoint WHERE book_id = :book", r"log: has 321 leaves and no head over them, though it was signed"),
    ("UPDATE log_key SET key = 'rubbish' WHERE book_id = :book", r"log: has a key that cannot be read: 'rubbish'"),
    ("UPDATE cosignature SET line = 'nothing' WHERE book_id = :book", r"checkpoint 321: has a cosignature that does not hold, of .*"),
]  # fmt: skip


def _ids(owner: Engine, desk: Desk) -> dict[str, object]:
    ids = {"book": desk.book_id, "li": desk.account("li"), "wang": desk.account("wang"), "expired": desk.account("expired")}
    told = {name: value if owner.dialect.name == "postgresql" else value.hex for name, value in ids.items()}
    return {**told, "book_bytes": desk.book_id.bytes}


def tamper(owner: Engine, desk: Desk, statement: str) -> None:
    """Do what only the tables' owner can: change what is guarded, with the guards taken away."""
    values = {name: value for name, value in _ids(owner, desk).items() if re.search(rf":{name}\b", statement)}
    if owner.dialect.name == "postgresql":
        with owner.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("ALTER TABLE entry DROP CONSTRAINT IF EXISTS ck_entry_channel_known"))
            for table in GUARDED:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            connection.execute(text(statement), values)
        return
    with contextlib.closing(owner.raw_connection()) as pooled:
        connection: Any = pooled.driver_connection
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, values)


@pytest.mark.parametrize(("statement", "told"), TAMPERED)
def test_what_was_tampered_with_is_found_and_its_place_is_told(sealed: Desk, owner: Engine, statement: str, told: str) -> None:
    li = str(sealed.account("li"))
    sealed.session.rollback()
    tamper(owner, sealed, statement)
    found = faults(sealed)
    wanted = re.compile(told.replace("LI", li).replace("ID", "[-0-9a-f]{36}"))
    assert any(wanted.fullmatch(fault) for fault in found), found


NO_IDS = [
    (f"UPDATE entry SET actor = 'rubbish' WHERE {ENTRY}", r"entry [0-9a-f]{32}: has an id that is none, actor 'rubbish'"),
    (f"UPDATE entry SET id = 'rubbish' WHERE {ENTRY}", r"entry rubbish: has an id that is none, id 'rubbish'"),
    ("UPDATE account SET id = 'rubbish' WHERE book_id = :book AND id = :li", r"account rubbish: has an id that is none, id 'rubbish'"),
    (f"UPDATE side SET account_id = 'rubbish' WHERE {LI}", r"side rubbish 30: has an id that is none, account_id 'rubbish'"),
    (f"UPDATE line SET entry_id = 'rubbish' WHERE {LI}", r"line [0-9a-f]{32} 30: has an id that is none, entry_id 'rubbish'"),
    (f"UPDATE leaf SET entry_id = 'rubbish' WHERE {LEAF}", r"leaf 100: has an id that is none, entry_id 'rubbish'"),
]


@pytest.mark.parametrize(("statement", "told"), NO_IDS)
def test_an_id_that_is_none_is_named_or_refused_by_the_database(sealed: Desk, owner: Engine, statement: str, told: str) -> None:
    sealed.session.rollback()
    if owner.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="invalid input syntax for type uuid"):
            tamper(owner, sealed, statement)
        return
    tamper(owner, sealed, statement)
    assert any(re.fullmatch(told, fault) for fault in faults(sealed))
    in_journal = [": ".join(fault) for fault in sealed.faults()]
    assert any(re.fullmatch(told, fault) for fault in in_journal) == (not told.startswith(("side", "leaf")))
    records = list(dumping.records(sealed.session, sealed.book_id, sealed.clock.now()))
    assert records[-1][0] == "end"


@pytest.mark.parametrize(("written", "told"), [("actor || char(0) || 'x'", r"[0-9a-f]{32}\\x00x"), ("CAST(X'ff' AS TEXT)", r"\\udcff")])
def test_an_id_with_something_behind_it_and_text_that_is_none_are_told_on_sqlite(
    sealed: Desk, owner: Engine, written: str, told: str
) -> None:
    if owner.dialect.name == "postgresql":
        return
    sealed.session.rollback()
    tamper(owner, sealed, f"UPDATE entry SET actor = {written} WHERE {ENTRY}")
    for found in (faults(sealed), [": ".join(fault) for fault in sealed.faults()]):
        assert re.fullmatch(rf"entry [0-9a-f]{{32}}: has an id that is none, actor '{told}'", found[0]), found
    sealed.session.rollback()
    tamper(owner, sealed, f"UPDATE entry SET actor = request_id, channel = CAST(X'ff' AS TEXT) WHERE {ENTRY}")
    assert any(fault.endswith("which is no way in") for fault in faults(sealed))


HEADS = "DELETE FROM checkpoint WHERE book_id = :book"


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ([f"{HEADS} AND size = 321"], "log: has 280 leaves under no head, the first of them since 2026"),
        ([HEADS, "DELETE FROM log_key WHERE book_id = :book"], "log: has 321 leaves under no head, the first of them since 2026"),
    ],
)
def test_a_log_whose_heads_were_taken_away_is_told(sealed: Desk, owner: Engine, gone: list[str], told: str) -> None:
    sealed.session.rollback()
    for statement in gone:
        tamper(owner, sealed, statement)
    assert [fault for fault in faults(sealed) if "under no head" in fault] == []
    sealed.clock.advance(days=2)
    assert any(fault.startswith(told) for fault in faults(sealed))


def test_one_change_is_told_at_its_own_place_and_not_at_every_line_after_it(sealed: Desk, owner: Engine) -> None:
    sealed.session.rollback()
    tamper(owner, sealed, f"UPDATE entry SET amount = amount + 1 WHERE {ENTRY}")
    assert len(faults(sealed)) <= 4


def test_what_a_balance_was_is_read_from_the_line_where_it_does_not_follow(sealed: Desk, owner: Engine) -> None:
    # A line that is told otherwise than it was sealed is found by the journal's own verifier; the log's holds on.
    sealed.session.rollback()
    tamper(owner, sealed, f"UPDATE line SET before = before + 7, after = after + 7 WHERE {LI}")
    assert faults(sealed) == []
    assert any(fault.place == f"account {sealed.account('li')} line 30" for fault in sealed.faults())


def test_an_entry_is_written_as_the_log_writes_it() -> None:
    ids = [bytes([number]) * 16 for number in range(10)]
    full = [*ids[:3], 250, "void", "2026-11-26", 1_764_000_000_000_000, ids[3], -1, ids[4], ids[5], "till", *ids[5:10], 1, 0]
    bare = [*full[:10], None, "card", *[None] * 7]
    for entry in (full, bare):
        assert len(entry) == len(EntryFacts._fields)
        moment, said, whole = written_entry(entry, b"s" * 16)
        assert (moment, whole) == (entry[6], b"\x10" + b"s" * 16 + written(tuple(entry)))
        assert said in whole


def test_one_book_s_log_says_nothing_of_another_s(sealed: Desk, database: Database, tmp_path: Path, owner: Engine) -> None:
    other = open_desk(sealed.session)
    other.budget(100)
    seal_all(other, database, tmp_path / "other")
    sealed.session.rollback()
    tamper(owner, sealed, f"UPDATE entry SET actor = request_id WHERE {ENTRY}")
    assert faults(other) == []
    assert faults(sealed) != []
