"""The Merkle tree of RFC 6962 and RFC 9162, kept as C2SP tiles: roots, both kinds of proof, and how each is checked. Pure.

Everything is said in ranges of leaves: a proof is a list of ranges whose hashes it carries (`inclusion_ranges`, `consistency_ranges`), and
a range's hash is folded from the perfect subtrees that it is made of (`Tree.hash_of`). A perfect subtree lies within one tile of 256
hashes (https://c2sp.org/tlog-tiles), so a proof reads as many tiles as the tree has levels of tiles: three at sixteen million leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from hashlib import sha256

#: How many hashes a full tile has, and how many levels of the tree it spans.
TILE_WIDTH = 256
TILE_HEIGHT = 8
HASH_BYTES = 32
#: RFC 6962, 2.1: the root of a tree without leaves.
EMPTY_ROOT = sha256(b"").digest()

#: Leaves from the first up to and without the second.
Range = tuple[int, int]
#: Gives the first `width` hashes (32 bytes each, one after the other) of the tile `number` of a level of tiles.
Tiles = Callable[[int, int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962, 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over these hashes as leaves' or perfect subtrees' of one height: the root of a tree of them."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        above = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def subtrees(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the hashes of all perfect subtrees over these hashes of one height: they themselves, those of their pairs, and so on."""
    levels = [list(hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        # As `node_hash`, written out: who recomputes a log would call it a million times.
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in zip(below[::2], below[1::2], strict=False)])
    return levels


def hash_over(levels: Sequence[Sequence[bytes]], size: int, rest: bytes | None = None) -> bytes | None:
    """Return the hash over the first `size` of what `subtrees` was given, followed by what `rest` is the hash over (RFC 6962, 2.1).

    None where there is nothing to be hashed.
    """
    for height, hashes in enumerate(levels):
        if size >> height & 1:
            peak = hashes[(size >> height) - 1]
            rest = peak if rest is None else node_hash(peak, rest)
    return rest


def _split(length: int) -> int:
    # The largest power of two below `length`: where RFC 6962 parts a tree.
    return 1 << (length - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, from the leaf upwards (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    found, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that the tree of `size` leaves begins with that of `old` leaves (RFC 6962, 2.1.2)."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} is no beginning of one of {size}")
    found, start, end, whole = [], 0, size, True
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    return [*([] if whole else [(start, end)]), *reversed(found)]


class Tree:
    """A tree of `size` leaves as its tiles tell it; each tile is asked for once."""

    def __init__(self, size: int, tiles: Tiles) -> None:
        self.size = size
        self._tiles = tiles
        self._seen: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        """Return the hash over all leaves."""
        return self.hash_of((0, self.size)) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """Return the path from leaf `index` to the root."""
        return [self.hash_of(part) for part in inclusion_ranges(index, self.size)]

    def consistency(self, old: int) -> list[bytes]:
        """Return the proof that this tree begins with its first `old` leaves; empty where there are none, or no more than those."""
        return [self.hash_of(part) for part in consistency_ranges(old, self.size)] if old else []

    def hash_of(self, part: Range) -> bytes:
        """Return the hash over the leaves of a range that begins where a subtree begins."""
        *first, whole = _subtrees(part)
        found = self._subtree(*whole)
        for level, number in reversed(first):
            found = node_hash(self._subtree(level, number), found)
        return found

    def _subtree(self, level: int, number: int) -> bytes:
        tiles_level, height = divmod(level, TILE_HEIGHT)
        first = number << height
        tile, at = divmod(first, TILE_WIDTH)
        if (tiles_level, tile) not in self._seen:
            width = min(TILE_WIDTH, (self.size >> TILE_HEIGHT * tiles_level) - tile * TILE_WIDTH)
            self._seen[tiles_level, tile] = self._tiles(tiles_level, tile, width)
        hashes = self._seen[tiles_level, tile][at * HASH_BYTES : (at + (1 << height)) * HASH_BYTES]
        return fold([hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)])


def _subtrees(part: Range) -> Iterator[tuple[int, int]]:
    # The perfect subtrees that a range is made of, from the left, each by its height and its number among those of its height.
    start, end = part
    while start < end:
        height = (end - start).bit_length() - 1
        yield height, start >> height
        start += 1 << height


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `path` leads from the leaf with this hash, number `index` of `size`, to this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in path:
        if last == 0 or len(step) != HASH_BYTES:
            return False
        if at % 2 or at == last:
            found = node_hash(step, found)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether `proof` shows that the tree of `size` leaves begins with the one of `old` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size or any(len(step) != HASH_BYTES for step in proof):
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (size > 0 or root == EMPTY_ROOT)
    if old == size:
        return not proof and old_root == root
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    at, last = old - 1, size - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    found_old = found = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            found_old, found = node_hash(step, found_old), node_hash(step, found)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found_old == old_root and found == root
