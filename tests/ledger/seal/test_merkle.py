"""The tree is the one of RFC 6962: the published vectors, and what two libraries reckon up to a million; no forged proof passes."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pymerkle import InmemoryTree
from pymerkle.core import BaseMerkleTree
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from ledger.seal.merkle import EMPTY_ROOT
from ledger.seal.merkle import HASH_BYTES
from ledger.seal.merkle import TILE_WIDTH
from ledger.seal.merkle import Range
from ledger.seal.merkle import Tree
from ledger.seal.merkle import consistency_ranges
from ledger.seal.merkle import fold
from ledger.seal.merkle import inclusion_ranges
from ledger.seal.merkle import is_consistent
from ledger.seal.merkle import is_included
from ledger.seal.merkle import leaf_hash

MILLION = 1_000_000
FORGERIES = 100_000


class Tiles:
    """The tiles of a tree of given leaves, made once; a tree of any smaller size is read from them."""

    def __init__(self, hashes: list[bytes]) -> None:
        self.hashes = hashes
        self._levels: list[bytes] = []
        level = hashes
        while level:
            self._levels.append(b"".join(level))
            level = [fold(level[at : at + TILE_WIDTH]) for at in range(0, len(level) - TILE_WIDTH + 1, TILE_WIDTH)]

    def __call__(self, level: int, number: int, width: int) -> bytes:
        first = number * TILE_WIDTH
        return self._levels[level][first * HASH_BYTES : (first + width) * HASH_BYTES]

    def tree(self, size: int) -> Tree:
        return Tree(size, self)

    def get(self, *path: str) -> bytes | None:
        """Return a tile by its path, as tlog-scales asks a server for it."""
        _, level, *parts = path
        width = int(parts.pop()) if parts[-2:-1] and parts[-2].endswith(".p") else TILE_WIDTH
        number = int("".join(part.lstrip("x").removesuffix(".p") for part in parts))
        return self(int(level), number, width)


class Known(Tree):
    """A tree that hashes each range once, whatever its size is: for asking a great many proofs of one history."""

    def __init__(self, size: int, hashed: Callable[[Range], bytes]) -> None:
        super().__init__(size, lambda *_: pytest.fail("every range is known"))
        self._hashed = hashed

    def hash_of(self, part: Range) -> bytes:
        return self._hashed(part)


def reader_of(tiles: Tiles) -> TilesReader:
    """Return tlog-scales' own reading of these tiles; it, too, hashes each range once."""
    reader = TilesReader(tiles)
    reader.mth = cache(reader.mth)
    return reader


@pytest.fixture(scope="module")
def million() -> Tiles:
    return Tiles([leaf_hash(b"%d" % number) for number in range(MILLION)])


def bytes_of(text: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in text.split()]


# The reference vectors of Certificate Transparency, as github.com/transparency-dev/merkle has them (testonly/).
DATA = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = bytes_of("""
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
    fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
    aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
    d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
    4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
    76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
    ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
    5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""")
LEAVES = bytes_of("""
    6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
    96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7
    0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7
    07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7
    bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
    4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658
    b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f
    46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1
""")
N01, N23, N45, N67 = bytes_of("""
    fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
    5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
    0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a
    ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
""")
N0123, N4567 = bytes_of("""
    d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
    6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4
""")
PATHS = [
    (0, 1, []),
    (0, 2, [LEAVES[1]]),
    (1, 2, [LEAVES[0]]),
    (2, 3, [N01]),
    (1, 5, [LEAVES[0], N23, LEAVES[4]]),
    (0, 8, [LEAVES[1], N23, N4567]),
    (5, 8, [LEAVES[4], N67, N0123]),
]
PROOFS = [
    (1, 1, []),
    (1, 8, [LEAVES[1], N23, N4567]),
    (2, 5, [N23, LEAVES[4]]),
    (6, 8, [N45, N67, N0123]),
]


def test_the_published_roots() -> None:
    assert ROOTS[0] == EMPTY_ROOT
    assert [leaf_hash(data) for data in DATA] == LEAVES
    tiles = Tiles(LEAVES)
    assert [tiles.tree(size).root() for size in range(9)] == [fold(LEAVES[:size]) for size in range(9)] == ROOTS


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_the_published_inclusion_paths(index: int, size: int, path: list[bytes]) -> None:
    assert Tiles(LEAVES).tree(size).inclusion(index) == path
    assert is_included(LEAVES[index], index, size, path, ROOTS[size])


@pytest.mark.parametrize(("old", "size", "proof"), PROOFS)
def test_the_published_consistency_proofs(old: int, size: int, proof: list[bytes]) -> None:
    assert Tiles(LEAVES).tree(size).consistency(old) == proof
    assert is_consistent(old, ROOTS[old], size, ROOTS[size], proof)


def test_the_example_tree_of_the_rfc() -> None:
    # RFC 6962, 2.1.3: seven leaves; b and h are leaves, the letters above them ranges.
    assert inclusion_ranges(0, 7) == [(1, 2), (2, 4), (4, 7)]
    assert inclusion_ranges(3, 7) == [(2, 3), (0, 2), (4, 7)]
    assert inclusion_ranges(4, 7) == [(5, 6), (6, 7), (0, 4)]
    assert inclusion_ranges(6, 7) == [(4, 6), (0, 4)]
    assert consistency_ranges(3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]
    assert consistency_ranges(4, 7) == [(4, 7)]
    assert consistency_ranges(6, 7) == [(4, 6), (6, 7), (0, 4)]


def test_everything_is_as_two_other_libraries_have_it_for_all_sizes_to_300(million: Tiles) -> None:
    hashed = cache(million.tree(300).hash_of)
    theirs = InmemoryTree.init_from_entries([b"%d" % number for number in range(300)])
    reader = reader_of(million)
    roots = [million.tree(size).root() for size in range(301)]
    for size in range(1, 301):
        tree = Known(size, hashed)
        reader.set_size(size)
        assert roots[size] == theirs.get_root(size) == reader.calculate_root_hash()
        for index in range(size):
            path = tree.inclusion(index)
            # pymerkle's begins with the leaf itself.
            assert path == theirs.prove_inclusion(index + 1, size).path[1:] == reader.get_inclusion_proof(index, size).node_hashes
            assert is_included(million.hashes[index], index, size, path, roots[size])
        for old in range(1, size + 1):
            proof = tree.consistency(old)
            assert proof == reader.get_consistency_proof(old, size).node_hashes
            assert is_consistent(old, roots[old], size, roots[size], proof)


class Other(BaseMerkleTree):
    """pymerkle over leaf hashes that are there already."""

    def __init__(self, hashes: list[bytes]) -> None:
        super().__init__()
        self._hashes = hashes

    def _encode_entry(self, data: bytes) -> bytes:
        return data

    def _store_leaf(self, data: bytes, digest: bytes) -> int:
        raise AssertionError("the hashes are given: nothing is stored")

    def _get_leaf(self, index: int) -> bytes:
        return self._hashes[index - 1]

    def _get_leaves(self, offset: int, width: int) -> list[bytes]:
        return self._hashes[offset : offset + width]

    def _get_size(self) -> int:
        return len(self._hashes)

    @cache  # noqa: B019  it lives as long as the test
    def _get_subroot(self, offset: int, width: int) -> bytes:
        # It would hash half a million leaves anew for each of them; this way each node is hashed once.
        if width <= TILE_WIDTH:
            return self._get_subroot_uncached(offset, width)
        return self.hash_pair(self._get_subroot(offset, width // 2), self._get_subroot(offset + width // 2, width // 2))


def test_and_for_random_sizes_to_a_million(million: Tiles) -> None:
    theirs, reader, chance = Other(million.hashes), reader_of(million), random.Random(6962)
    sizes = [MILLION, MILLION - 1, 2**19, 2**19 + 1, 2**16, 2**16 - 1, *(chance.randint(301, MILLION) for _ in range(50))]
    for size in sizes:
        tree = million.tree(size)
        reader.set_size(size)
        root = tree.root()
        assert root == theirs.get_root(size) == reader.calculate_root_hash()
        for index in (0, size - 1, *(chance.randrange(size) for _ in range(4))):
            path = tree.inclusion(index)
            assert path == theirs.prove_inclusion(index + 1, size).path[1:] == reader.get_inclusion_proof(index, size).node_hashes
            assert is_included(million.hashes[index], index, size, path, root)
        for old in (1, size, *(chance.randint(1, size) for _ in range(4))):
            proof = tree.consistency(old)
            assert proof == reader.get_consistency_proof(old, size).node_hashes
            assert is_consistent(old, million.tree(old).root(), size, root, proof)


def test_the_tiles_are_those_that_another_log_would_serve(tmp_path: Path) -> None:
    writer = TilesWriter.create(tmp_path / "log", "example.org/log")
    for upto in (3, 256, 300, 700):
        for number in range(writer.size, upto):
            writer.add_leaf(b"%d" % number)
        writer.commit([], gc=False)
    tiles = Tiles([leaf_hash(b"%d" % number) for number in range(700)])
    for path, told in (("0/000", (0, 0, 256)), ("0/001", (0, 1, 256)), ("0/002.p/188", (0, 2, 188)), ("1/000.p/2", (1, 0, 2))):
        assert (tmp_path / "log" / "tile" / path).read_bytes() == tiles(*told)


WAYS = (
    *("bit of a step", "step dropped", "step added", "step doubled", "steps swapped", "step cut"),
    *("number", "head", "root", "bit of the root", "leaf", "bit of the leaf"),
)
HEADS = [2, 3, 7, 8, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, 500_000, 2**19, 999_999, MILLION]
# A proof that is presented: the leaf or the old root, its number or the old size, the size, the path, the root.
Presented = tuple[bytes, int, int, list[bytes], bytes]


def flipped(value: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(value) * 8)
    return (int.from_bytes(value) ^ 1 << at).to_bytes(len(value))


def altered(told: Presented, tiles: Tiles, chance: random.Random) -> tuple[str, Presented]:
    """Return what was done to a proof, and the proof after it."""
    first, number, size, path, root = told
    others, how = [one for one in HEADS if one != size], chance.choice(WAYS)
    if "step" in how and (steps := with_other_steps(how, told, chance)) != path:
        path = steps
    elif how == "head":
        # A size never stands alone: it is signed together with its root.
        size = chance.choice(others)
        root = root_of(tiles, size)
    elif how == "root":
        root = root_of(tiles, chance.choice(others))
    elif how == "bit of the root":
        root = flipped(root, chance)
    elif how == "leaf":
        first = chance.choice([one for one in (root, *path, tiles.hashes[chance.randrange(MILLION)]) if one != first])
    elif how == "bit of the leaf":
        first = flipped(first, chance)
    else:
        # Also where a step was swapped with itself.
        near = (number - 1, number + 1, -number, size - 1, size, size + 1, chance.randrange(size))
        number = chance.choice([one for one in near if one != number])
    return how, (first, number, size, path, root)


def with_other_steps(how: str, told: Presented, chance: random.Random) -> list[bytes]:
    first, _, _, path, root = told
    path, at, other = list(path), chance.randrange(len(path)), chance.randrange(len(path))
    if how == "bit of a step":
        path[at] = flipped(path[at], chance)
    elif how == "step dropped":
        del path[at]
    elif how == "step added":
        path.insert(at, chance.choice((root, first, chance.randbytes(HASH_BYTES))))
    elif how == "step doubled":
        path.insert(at, path[at])
    elif how == "steps swapped":
        path[at], path[other] = path[other], path[at]
    else:
        path[at] = path[at][:-1]
    return path


@cache
def root_of(tiles: Tiles, size: int) -> bytes:
    return tiles.tree(size).root()


def test_of_a_hundred_thousand_altered_proofs_none_is_accepted(million: Tiles) -> None:
    chance = random.Random(9162)
    told: list[tuple[bool, Presented]] = []
    for size in HEADS:
        tree = million.tree(size)
        for _ in range(5):
            index, old = chance.randrange(size), chance.randrange(1, size)
            told.append((True, (million.hashes[index], index, size, tree.inclusion(index), tree.root())))
            told.append((False, (million.tree(old).root(), old, size, tree.consistency(old), tree.root())))
    assert all(accepted(is_leaf, one) for is_leaf, one in told)
    tried: dict[str, int] = {}
    for number in range(FORGERIES):
        is_leaf, one = told[number % len(told)]
        how, forged = altered(one, million, chance)
        assert not accepted(is_leaf, forged), (how, forged)
        tried[how] = tried.get(how, 0) + 1
    assert set(tried) == set(WAYS)
    assert min(tried.values()) > FORGERIES // 20


def accepted(is_leaf: bool, told: Presented) -> bool:
    first, number, size, path, root = told
    return is_included(first, number, size, path, root) if is_leaf else is_consistent(number, first, size, root, path)


@given(some.integers(1, 600), some.data())
def test_every_leaf_has_a_path_and_every_beginning_a_proof(size: int, data: some.DataObject) -> None:
    hashes = [sha256(b"%d" % number).digest() for number in range(size)]
    tiles = Tiles(hashes)
    tree, index, old = tiles.tree(size), data.draw(some.integers(0, size - 1)), data.draw(some.integers(0, size))
    root = tree.root()
    assert root == fold(hashes)
    assert is_included(hashes[index], index, size, tree.inclusion(index), root)
    assert is_consistent(old, fold(hashes[:old]), size, root, tree.consistency(old))
    assert len(tree.inclusion(index)) <= (size - 1).bit_length()


@given(some.integers(1, 600), some.data())
def test_a_history_with_another_leaf_anywhere_before_is_another_history(size: int, data: some.DataObject) -> None:
    hashes = [sha256(b"%d" % number).digest() for number in range(size)]
    old, changed = data.draw(some.integers(1, size)), data.draw(some.integers(0, size - 1))
    rewritten = Tiles([b"\x00" * 32 if number == changed else hashed for number, hashed in enumerate(hashes)]).tree(size)
    seen = fold(hashes[:old])
    assert is_consistent(old, seen, size, rewritten.root(), rewritten.consistency(old)) == (changed >= old)


@given(
    some.integers(-3, 40), some.integers(-3, 40), some.lists(some.binary(min_size=31, max_size=33), max_size=8), some.binary(max_size=33)
)
def test_what_is_no_proof_is_refused_and_never_a_mistake(number: int, size: int, path: list[bytes], root: bytes) -> None:
    first = leaf_hash(b"of no tree")
    assert not is_included(first, number, size, path, root)
    assert not is_consistent(number, first, size, root, path)


def test_an_empty_beginning_carries_on_to_everything_and_proves_nothing() -> None:
    assert is_consistent(0, EMPTY_ROOT, 8, ROOTS[8], [])
    assert is_consistent(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert not is_consistent(0, EMPTY_ROOT, 0, ROOTS[1], [])
    assert not is_consistent(0, ROOTS[1], 8, ROOTS[8], [])
    assert not is_consistent(0, EMPTY_ROOT, 8, ROOTS[8], [LEAVES[0]])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_path_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "size"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_from_a_size_that_is_no_beginning(old: int, size: int) -> None:
    with pytest.raises(ValueError, match="no beginning"):
        consistency_ranges(old, size)
