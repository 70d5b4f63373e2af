"""A log that is recomputed in parts says what it says when it is recomputed as a whole."""

from __future__ import annotations

from itertools import pairwise
from multiprocessing import active_children
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import seal
from ledger.errors import Fault
from ledger.seal import beside
from ledger.seal import recompute
from ledger.seal import streams
from ledger.seal.merkle import fold
from ledger.seal.merkle import hash_over
from ledger.seal.merkle import leaf_hash
from ledger.seal.merkle import subtrees
from ledger.seal.model import Leaf
from ledger.seal.recompute import Recomputed
from ledger.seal.recompute import Tiles
from ledger.seal.streams import ALL
from ledger.seal.streams import Part
from ledger.seal.verify import Tree
from ledger.store import exported_snapshot
from ledger.store import snapshot
from tests.books import Desk
from tests.conftest import Database
from tests.conftest import sealers_engine
from tests.ledger.seal.test_verify import ORIGIN
from tests.ledger.seal.test_verify import faults
from tests.ledger.seal.test_verify import groundwork
from tests.ledger.seal.test_verify import sealed
from tests.ledger.seal.test_verify import tamper

ID = "(SELECT entry_id FROM leaf WHERE book_id = :book AND number = {at})"
ENTRY = f"book_id = :book AND id = {ID}"
LEAF = "book_id = :book AND number = {at}"
SIDES = "book_id = :book AND leaf_number = {at}"
TAMPERED = [
    f"UPDATE entry SET amount = amount + 1 WHERE {ENTRY}",
    f"UPDATE entry SET actor = request_id WHERE {ENTRY}",
    f"DELETE FROM entry WHERE {ENTRY}",
    f"UPDATE leaf SET data = hash WHERE {LEAF}",
    f"UPDATE leaf SET entry_id = NULL WHERE {LEAF}",
    f"UPDATE side SET hash = salt WHERE {SIDES}",
    f"UPDATE side SET salt = hash WHERE {SIDES}",
    f"UPDATE side SET number = number + 900 WHERE {SIDES}",
    f"DELETE FROM side WHERE {SIDES}",
    f"UPDATE line SET before = before + 7, after = after + 7 WHERE book_id = :book AND entry_id = {ID}",
    "UPDATE line SET before = before + 7, after = after + 7 WHERE book_id = :book AND account_id = :li",
    "DELETE FROM line WHERE book_id = :book AND account_id = :li",
    f"UPDATE side SET leaf_number = 251 WHERE {SIDES}",
]


__all__ = ["groundwork", "sealed"]


def in_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the small book of these tests be large enough for two."""
    monkeypatch.setattr(beside, "_LEAVES_EACH", 100)
    monkeypatch.setattr(beside, "_HEAD_START", 200)
    monkeypatch.setattr(beside, "readers_at_once", lambda: 2)


def parts_of(desk: Desk, *parts: Part) -> list[Recomputed]:
    """Recompute these parts of the book's log, one after the other."""
    desk.session.rollback()
    found = [recompute.recompute(desk.session, desk.book_id, part) for part in parts]
    desk.session.rollback()
    return found


def what_does_not_hold(parts: list[Recomputed]) -> list[Fault]:
    return [fault for part in parts for fault in part.faults]


@given(st.integers(1, 700), st.integers(1, 700))
def test_the_hash_over_some_leaves_is_made_of_the_subtrees_over_all(size: int, first: int) -> None:
    hashes = [leaf_hash(b"%d" % number) for number in range(max(size, first))]
    levels = subtrees(hashes)
    assert hash_over(levels, first) == fold(hashes[:first])
    assert hash_over(levels, 0) is None


@pytest.mark.parametrize("ends", [[], [256], [512], [256, 512], [700], [768]])
def test_a_tree_of_parts_has_the_tiles_and_the_roots_of_the_tree(ends: list[int]) -> None:
    size = max([700, *ends])
    hashes = [leaf_hash(b"%d" % number) for number in range(size)]
    signed = sorted({1, 2, 255, 256, 257, 511, 512, 513, 699, 700, size, size + 1})
    parts = []
    for first, last in pairwise([0, *(end for end in ends if end < size), size]):
        is_last = last == size
        tiles = Tiles(first, iter(one for one in signed if first <= one and (is_last or one < last)))
        for hashed in hashes[first:last]:
            tiles.add(hashed)
        parts.append(Recomputed([], *tiles.end(), (0, 0), (0, 0)))
    tree = Tree(parts)
    assert tree.size == tree.newest == size
    assert [tree.root(one) for one in signed] == [fold(hashes[:one]) for one in signed[:-1]] + [None]
    assert tree.root(100) is None
    assert tree.rows[0] == b"".join(hashes)
    assert tree.rows[1] == b"".join(fold(hashes[at : at + 256]) for at in range(0, size - 255, 256))


def test_what_is_recomputed_in_parts_is_what_is_recomputed_as_a_whole(sealed: Desk) -> None:
    whole = parts_of(sealed, ALL)
    parts = parts_of(sealed, Part(None, 256), Part(256, None))
    assert what_does_not_hold(whole) == what_does_not_hold(parts) == []
    assert b"".join(part.hashes for part in parts) == whole[0].hashes
    assert [Tree(parts).root(size) for size in (41, 321)] == [Tree(whole).root(size) for size in (41, 321)]
    assert None not in (Tree(parts).root(41), Tree(parts).root(321))


@pytest.mark.parametrize("at", [100, 255, 256])
@pytest.mark.parametrize("statement", TAMPERED)
def test_a_part_tells_what_was_tampered_with_as_the_whole_does(sealed: Desk, owner: Engine, statement: str, at: int) -> None:
    sealed.session.rollback()
    tamper(owner, sealed, statement.format(at=at))
    whole = parts_of(sealed, ALL)
    parts = parts_of(sealed, Part(None, 256), Part(256, None))
    assert what_does_not_hold(parts) == what_does_not_hold(whole)
    # What lines say is for the journal's own verifier.
    assert what_does_not_hold(whole) != [] or " line " in statement


def test_processes_side_by_side_see_the_moment_that_whoever_asks_them_sees(
    sealed: Desk, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_two_processes(monkeypatch)
    whole = parts_of(sealed, ALL)
    engine = sealers_engine(database.engine)
    memory, keys = seal.Memory(tmp_path), [bytes(range(32))]
    sealer = seal.Sealer(lambda: Session(engine), sealed.book_id, ORIGIN, keys, memory, sealed.clock, begin_here=True)
    with Session(database.engine) as asking:
        snapshot(asking)
        assert asking.execute(select(func.count()).where(Leaf.book_id == sealed.book_id)).scalar_one() == 321
        # SQLite's writer waits for nobody who reads.
        newest = sealer.work()
        parts = beside.side_by_side(asking, sealed.book_id)()
    assert newest is not None
    assert newest.head.size == 361
    assert len(parts) == (2 if database.kind == "postgresql" else 1)
    assert what_does_not_hold(parts) == []
    assert Tree(parts).rows == Tree(whole).rows
    assert Tree(parts).root(321) == Tree(whole).root(321) is not None


def test_rows_come_in_pieces_and_none_is_lost_between_them(sealed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = parts_of(sealed, ALL)
    for sent, made in ((100, 7), (107, 107), (321, 320), (1, 1)):  # of 321 leaves and 642 sides
        monkeypatch.setattr(streams, "_ROWS_SENT_AT_ONCE", sent)
        monkeypatch.setattr(streams, "_ROWS_MADE_AT_ONCE", made)
        assert parts_of(sealed, ALL) == whole


@pytest.mark.parametrize("at", [0, 100, 300])
def test_a_log_that_lacks_a_leaf_is_recomputed_as_one(sealed: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    sealed.session.rollback()
    tamper(owner, sealed, f"DELETE FROM leaf WHERE {LEAF}".format(at=at))
    in_two_processes(monkeypatch)
    (found,) = beside.side_by_side(sealed.session, sealed.book_id)()
    assert found == parts_of(sealed, ALL)[0]
    assert Fault(f"leaf {at + 1}", f"stands where leaf {at} follows") in found.faults


@pytest.mark.only("postgresql")
def test_a_log_with_a_leaf_twice_is_recomputed_as_one(sealed: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed.session.rollback()
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE leaf DROP CONSTRAINT pk_leaf CASCADE"))
    # As many leaves as there should be, but one too few in the first part and one too many in the second.
    tamper(owner, sealed, f"UPDATE leaf SET number = 300 WHERE {LEAF}".format(at=100))
    whole = faults(sealed)
    in_two_processes(monkeypatch)
    assert faults(sealed) == whole != []


@pytest.mark.only("postgresql")
def test_what_a_process_could_not_recompute_the_one_that_began_it_does(
    sealed: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    sealed.session.rollback()
    tamper(owner, sealed, f"UPDATE entry SET amount = amount + 1 WHERE {ENTRY}".format(at=300))
    in_two_processes(monkeypatch)
    monkeypatch.setattr(beside, "exported_snapshot", lambda _: "00000003-0000001B-1")
    parts = beside.side_by_side(sealed.session, sealed.book_id)()
    assert "00000003-0000001B-1" in capfd.readouterr().err
    assert what_does_not_hold(parts) == what_does_not_hold(parts_of(sealed, ALL)) != []


@pytest.mark.only("postgresql")
def test_a_side_that_names_no_leaf_is_a_stray_of_the_first_part(sealed: Desk, owner: Engine) -> None:
    sealed.session.rollback()
    with owner.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("ALTER TABLE side DISABLE TRIGGER USER, ALTER leaf_number DROP NOT NULL"))
        connection.execute(
            text(
                "INSERT INTO side SELECT book_id, account_id, 900, NULL, salt, hash FROM side WHERE book_id = :book AND leaf_number = 300"
            ),
            {"book": sealed.book_id},
        )
    for parts in ([ALL], [Part(None, 256), Part(256, None)]):
        assert [part.strays for part in parts_of(sealed, *parts)] == [(2, 0), (0, 0)][: len(parts)]


@pytest.mark.only("postgresql")
def test_a_number_that_was_made_a_fraction_is_not_what_was_sealed(sealed: Desk, owner: Engine) -> None:
    sealed.session.rollback()
    with owner.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("ALTER TABLE entry ALTER position TYPE numeric"))
    tamper(owner, sealed, f"UPDATE entry SET position = position + 0.9 WHERE {ENTRY}".format(at=300))
    ((place, what),) = what_does_not_hold(parts_of(sealed, ALL))
    assert (place.partition(" ")[0], what) == ("entry", "is not what was sealed as leaf 300")


@pytest.mark.only("postgresql")
def test_what_cannot_be_recomputed_is_told_and_hides_nothing_else(sealed: Desk, owner: Engine) -> None:
    sealed.session.rollback()
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE leaf ALTER salt DROP NOT NULL, ALTER data DROP NOT NULL"))
    tamper(owner, sealed, f"UPDATE leaf SET salt = NULL, data = NULL WHERE {LEAF}".format(at=100))
    tamper(owner, sealed, f"UPDATE entry SET actor = request_id WHERE {ENTRY}".format(at=300))
    found = [f"{place}: {what}" for place, what in what_does_not_hold(parts_of(sealed, ALL))]
    assert found[0] == "leaf 100: has another hash than its own"
    assert found[1].startswith("leaf 100: cannot be recomputed from what there is")
    assert found[2].endswith("is not what was sealed as leaf 300")
    assert len(found) == 3


@pytest.mark.only("postgresql")
def test_what_has_no_number_is_told_and_ends_nothing(sealed: Desk, owner: Engine) -> None:
    sealed.session.rollback()
    with owner.begin() as connection:
        for table in ("leaf", "side"):
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table} CASCADE, ALTER number DROP NOT NULL"))
        connection.execute(text("ALTER TABLE leaf ALTER salt DROP NOT NULL"))
    tamper(owner, sealed, f"UPDATE leaf SET number = NULL WHERE {LEAF}".format(at=320))
    tamper(owner, sealed, f"UPDATE side SET number = NULL WHERE {SIDES}".format(at=200))
    tamper(owner, sealed, f"UPDATE leaf SET salt = NULL WHERE {LEAF}".format(at=200))
    found = faults(sealed)
    assert "log: has a leaf without a number" in found
    assert any(fault.startswith("leaf 200: cannot be recomputed from what there is") for fault in found)


@pytest.mark.only("postgresql")
@pytest.mark.parametrize(("number", "is_told"), [(None, False), ("1e30", True), ("'Infinity'", True)])
def test_numbers_of_leaves_may_be_of_another_type(
    sealed: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch, number: str | None, is_told: bool
) -> None:
    sealed.session.rollback()
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE leaf DROP CONSTRAINT pk_leaf CASCADE, ALTER number TYPE numeric"))
    if number:
        tamper(owner, sealed, f"UPDATE leaf SET number = {number} WHERE {LEAF}".format(at=100))
    in_two_processes(monkeypatch)
    found = faults(sealed)
    assert ("leaf 101: stands where leaf 100 follows" in found) == bool(found) == is_told


@pytest.mark.only("postgresql")
def test_a_process_that_nobody_hears_any_more_ends(sealed: Desk, database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    sealed.session.rollback()
    others = set(active_children())
    hearing = beside._begin(url, exported_snapshot(sealed.session), sealed.book_id, Part(None, 256))
    (process,) = set(active_children()) - others
    hearing.close()
    process.join(60)
    assert process.exitcode == 1
