"""The levels of the tree, the one ancestry test of the code base, and the reading of the national table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import Invalid

#: From the top down; a node's parent is always of a level before its own (levels may be left out, as in cities without counties).
LEVELS = ("province", "city", "county", "township", "village", "grid", "micro_grid")
PUBLISHED_LEVELS = LEVELS[:5]
GRID_KINDS = ("comprehensive", "special")
COLUMNS = ("code", "name", "level", "parent_code")
NAME_LENGTH_MAX = 100

_PHONE = re.compile(r"\+?[0-9][0-9 -]{3,18}[0-9]")
_PUBLISHED_CODE = re.compile(r"[0-9]{2,12}")
_OWN_CODE = re.compile(r"[0-9A-Za-z-]{2,40}")


def path_below(parent_path: str, code: str) -> str:
    """Return the path of the node `code` below the node whose path is `parent_path` ("" for the root)."""
    return f"{parent_path}{code}/"


def is_within(path: str, ancestor_path: str) -> bool:
    """Tell whether the node at `path` is the node at `ancestor_path` or lies below it; everything lies below "".

    Each code in a path ends with "/", so that "3201/" is no ancestor of "32010/".
    """
    return path.startswith(ancestor_path)


def range_within(ancestor_path: str) -> tuple[str, str]:
    """Return (first, end) so that first <= path < end holds exactly for the paths within `ancestor_path`: the same rule, for an index."""
    # "0" follows "/" directly, in ASCII and in the collation of the column.
    return ancestor_path, f"{ancestor_path[:-1]}0"


def is_level_below(level: str, parent_level: str) -> bool:
    """Tell whether a node of `level` may stand below one of `parent_level`."""
    return LEVELS.index(level) > LEVELS.index(parent_level)


def is_own_code(code: str, parent_code: str) -> bool:
    """Tell whether `code` can be a grid's: its parent's code with a suffix."""
    return bool(_OWN_CODE.fullmatch(code)) and code.startswith(parent_code) and code != parent_code


def is_phone(text: str) -> bool:
    """Tell whether that can be called: digits, which may be set apart."""
    return bool(_PHONE.fullmatch(text))


@dataclass(frozen=True)
class AreaRow:
    """One row of the national table."""

    code: str
    name: str
    level: str
    parent_code: str | None


@dataclass(frozen=True)
class RowFault:
    """What is wrong with one cell: the line of the file (the heading is line 1), the column, a stable code, and what stands there."""

    line: int
    column: str
    code: str
    value: str


def rows_of(content: bytes, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """Return the rows of a CSV file (UTF-8 or GB 18030) as they stand; raise Invalid where it is no table with these columns."""
    reader = csv.DictReader(io.StringIO(_text_of(content), newline=""), restkey="", restval="")
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise Invalid("columns-missing", "file", columns=", ".join(missing))
        return list(reader)
    except csv.Error as problem:
        raise Invalid("file-unreadable", "file", line=reader.line_num) from problem


def _text_of(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("file-unreadable", "file", line=1)


def check_rows(rows: Iterable[Mapping[str, str]], known: Mapping[str, str]) -> tuple[list[AreaRow], list[RowFault]]:
    """Return the rows from the top of the tree down, and every fault; `known` gives the levels of the codes there are already."""
    numbered = [(line, {column: (row.get(column) or "").strip() for column in COLUMNS}) for line, row in enumerate(rows, start=2)]
    levels = {**known, **{row["code"]: row["level"] for _, row in numbered}}
    seen: set[str] = set()
    read: list[AreaRow] = []
    faults: list[RowFault] = []
    for line, row in numbered:
        found = [RowFault(line, column, code, row[column]) for column, code in _faults_of(row, levels, seen)]
        seen.add(row["code"])
        faults += found
        if not found:
            read.append(AreaRow(row["code"], row["name"], row["level"], row["parent_code"] or None))
    return sorted(read, key=lambda row: LEVELS.index(row.level)), faults


def _faults_of(row: Mapping[str, str], levels: Mapping[str, str], seen: set[str]) -> Iterator[tuple[str, str]]:
    if not _PUBLISHED_CODE.fullmatch(row["code"]):
        yield "code", "area-code-malformed"
    elif row["code"] in seen:
        yield "code", "area-code-twice"
        return
    if not 1 <= len(row["name"]) <= NAME_LENGTH_MAX or not row["name"].isprintable():
        yield "name", "area-name-malformed"
    if row["level"] not in PUBLISHED_LEVELS:
        yield "level", "area-level-unknown"
        return
    parent = row["parent_code"]
    if not parent:
        if row["level"] != LEVELS[0]:
            yield "parent_code", "area-parent-missing"
    elif parent not in levels:
        yield "parent_code", "area-parent-unknown"
    elif levels[parent] not in PUBLISHED_LEVELS or not is_level_below(row["level"], levels[parent]):
        yield "parent_code", "area-parent-not-above"
