"""The levels of the tree, and the one ancestry test of the code base."""

from __future__ import annotations

#: From the top down; a node's parent is always of a level before its own.
LEVELS = ("province", "city", "county", "township", "village", "grid", "micro_grid")


def path_below(parent_path: str, code: str) -> str:
    """Return the path of the node `code` below the node whose path is `parent_path` ("" for the root)."""
    return f"{parent_path}{code}/"


def is_within(path: str, ancestor_path: str) -> bool:
    """Tell whether the node at `path` is the node at `ancestor_path` or lies below it.

    Each code in a path ends with "/", so that "3201/" is no ancestor of "32010/".
    """
    return path.startswith(ancestor_path)
