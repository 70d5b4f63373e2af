"""Opening an Excel file that somebody sends: its sheets as plain cells, with merged cells and formulas told apart; never a crash."""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta

from python_calamine import CalamineWorkbook
from python_calamine import PasswordError
from python_calamine import SheetTypeEnum
from python_calamine import SheetVisibleEnum

from ledger.errors import Invalid

Value = int | float | str | bool | time | date | datetime | timedelta

#: An office's roster is some hundred kilobytes; beyond these it is not one.
BYTES_MAX = 20_000_000
UNPACKED_BYTES_MAX = 200_000_000
CELLS_MAX = 2_000_000
SHEETS_MAX = 50

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CELL = re.compile(r'<c [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_FORMULA = re.compile(r'<c [^>]*?\br="([A-Z]{1,3}[0-9]{1,7})"[^>]*>\s*<f[^>]*>([^<]*)</f>')
_SHEET = re.compile(r"<sheet [^>]*>")
_RELATION = re.compile(r"<Relationship [^>]*>")


@dataclass(frozen=True)
class Sheet:
    """One sheet: rows of values from A1 on ("" where a cell is empty)."""

    name: str
    is_hidden: bool
    rows: list[list[Value]]
    #: Merged ranges as ((first row, first column), (last row, last column)), counted from 0; None where the file does not tell.
    merged: list[tuple[tuple[int, int], tuple[int, int]]] | None
    #: Formulas by cell, for example {"J6": "=1+1"}, as far as the file tells.
    formulas: Mapping[str, str]


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell as a spreadsheet shows it; `row` and `column` are counted from 0."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row + 1}"


def sheets_of(content: bytes) -> list[Sheet]:
    """Return the sheets of an .xlsx or .xls file; raise Invalid where it is none, is protected by a password, or is too large."""
    if len(content) > BYTES_MAX:
        raise Invalid("roster-too-large", "file")
    if content.startswith(_ZIP):
        formulas = _formulas_of(content)
    elif content.startswith(_OLE):
        formulas = {}
    else:
        raise Invalid("roster-unreadable", "file")
    try:
        return list(_read(content, formulas))
    except Invalid:
        raise
    except PasswordError as problem:
        raise Invalid("roster-password", "file") from problem
    except BaseException as problem:
        # A file can make the reader panic, and a panic is not an Exception.
        if isinstance(problem, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise Invalid("roster-unreadable", "file") from problem


def _read(content: bytes, formulas: Mapping[str, Mapping[str, str]]) -> Iterator[Sheet]:
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        if len(workbook.sheets_metadata) > SHEETS_MAX:
            raise Invalid("roster-too-large", "file")
        for about in workbook.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(about.name)
            if sheet.total_height * sheet.total_width > CELLS_MAX:
                raise Invalid("roster-too-large", "file")
            rows = sheet.to_python(skip_empty_area=False)
            yield Sheet(about.name, about.visible != SheetVisibleEnum.Visible, rows, sheet.merged_cell_ranges, formulas.get(about.name, {}))


def _formulas_of(content: bytes) -> dict[str, dict[str, str]]:
    # The reader gives only what a formula came to; what it says is asked of the file itself. While there, its size is checked:
    # the reader makes room for every cell up to the last one, wherever that may be.
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES_MAX:
                raise Invalid("roster-too-large", "file")
            targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _tags(archive, "xl/_rels/workbook.xml.rels", _RELATION)}
            found = {}
            for tag in _tags(archive, "xl/workbook.xml", _SHEET):
                path = targets.get(_attribute(tag, "r:id"), "")
                text = _text(archive, path.removeprefix("/") if path.startswith("/") else f"xl/{path}")
                if _extent(text) > CELLS_MAX:
                    raise Invalid("roster-too-large", "file")
                found[_attribute(tag, "name")] = {cell: f"={html.unescape(formula)}" for cell, formula in _FORMULA.findall(text)}
            return found
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as problem:
        raise Invalid("roster-unreadable", "file") from problem


def _tags(archive: zipfile.ZipFile, path: str, tag: re.Pattern[str]) -> list[str]:
    return tag.findall(_text(archive, path))


def _text(archive: zipfile.ZipFile, path: str) -> str:
    with archive.open(path) as file:
        raw = file.read(UNPACKED_BYTES_MAX)
    return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", errors="replace")


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\s{name}=(?:"([^"]*)"|'([^']*)')""", tag)
    return html.unescape(found[1] or found[2] or "") if found else ""


def _extent(text: str) -> int:
    rows = columns = 0
    for letters, row in _CELL.findall(text):
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        rows, columns = max(rows, int(row)), max(columns, column)
    return rows * columns
