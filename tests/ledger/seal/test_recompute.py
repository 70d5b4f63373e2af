"""A log that is recomputed in parts says what it says when it is recomputed as a whole."""

from __future__ import annotations

import os
from itertools import pairwise
from multiprocessing import active_children
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import seal
from ledger.errors import Fault
from ledger.seal import recompute
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
]


__all__ = ["groundwork", "sealed"]


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
    assert what_does_not_hold(whole) != [] or statement.startswith("UPDATE line")


def test_processes_side_by_side_see_the_moment_that_whoever_asks_them_sees(
    sealed: Desk, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "_LEAVES_EACH", 100)
    monkeypatch.setattr(recompute, "_HEAD_START", 200)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    whole = parts_of(sealed, ALL)
    engine = sealers_engine(database.engine)
    memory, keys = seal.Memory(tmp_path), [bytes(range(32))]
    sealer = seal.Sealer(lambda: Session(engine), sealed.book_id, ORIGIN, keys, memory, sealed.clock, begin_here=True)
    with Session(database.engine) as asking:
        snapshot(asking)
        assert asking.execute(select(func.count()).where(Leaf.book_id == sealed.book_id)).scalar_one() == 321
        # SQLite's writer waits for nobody who reads.
        newest = sealer.work()
        parts = recompute.side_by_side(asking, sealed.book_id)()
    assert newest is not None
    assert newest.head.size == 361
    assert len(parts) == (2 if database.kind == "postgresql" else 1)
    assert what_does_not_hold(parts) == []
    assert Tree(parts).rows == Tree(whole).rows
    assert Tree(parts).root(321) == Tree(whole).root(321) is not None


def test_a_part_that_could_not_be_recomputed_is_no_part_that_holds(
    sealed: Desk, database: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if database.kind == "sqlite":
        return
    monkeypatch.setattr(recompute, "_LEAVES_EACH", 100)
    monkeypatch.setattr(recompute, "_HEAD_START", 200)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(recompute, "exported_snapshot", lambda _: "00000003-0000001B-1")
    with pytest.raises(RuntimeError, match="ended without a word"):
        recompute.side_by_side(sealed.session, sealed.book_id)()
    assert "00000003-0000001B-1" in capfd.readouterr().err


def test_a_process_that_nobody_hears_any_more_ends(sealed: Desk, database: Database) -> None:
    if database.kind == "sqlite":
        return
    url = database.engine.url.render_as_string(hide_password=False)
    sealed.session.rollback()
    others = set(active_children())
    hearing = recompute._begin(url, exported_snapshot(sealed.session), sealed.book_id, Part(None, 256))
    (process,) = set(active_children()) - others
    hearing.close()
    process.join(60)
    assert process.exitcode == 1
