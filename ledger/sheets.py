"""Opening an Excel file that somebody sends: its sheets as plain cells, and where in them a table begins; never a crash.

Merged cells and formulas are told apart. Pure: bytes in, values out.
"""

from __future__ import annotations

import html
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from collections.abc import Collection
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

#: An office's workbook is some hundred kilobytes; beyond these it is not one.
BYTES_MAX = 20_000_000
UNPACKED_BYTES_MAX = 200_000_000
CELLS_MAX = 2_000_000
SHEETS_MAX = 50

#: How far down a heading is looked for.
HEADING_ROW_MAX = 40

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ERROR = re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)")
_UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
# Every repetition is bounded and stops at the next tag, so that no file makes the search take longer than its length.
_CELL = re.compile(r'<c [^<>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"')
_FORMULA = re.compile(r'<c [^<>]{0,200}?\br="([A-Z]{1,3}[0-9]{1,7})"[^<>]{0,200}>\s{0,20}<f[^<>]{0,200}>([^<]{0,8192})</f>')
_SHEET = re.compile(r"<sheet [^<>]{0,1000}>")
_RELATION = re.compile(r"<Relationship [^<>]{0,1000}>")


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


@dataclass(frozen=True)
class Heading:
    """Where a sheet's table begins and what its columns hold."""

    #: The first row below the heading, counted from 0.
    first_row: int
    #: The heading's own last row.
    row: int
    columns: dict[str, list[int]]
    #: Columns whose heading is not understood.
    unknown: dict[int, str]


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
        raise Invalid("workbook-too-large", "file")
    if content.startswith(_ZIP):
        formulas = _formulas_of(content)
    elif content.startswith(_OLE):
        formulas = {}
    else:
        raise Invalid("workbook-unreadable", "file")
    try:
        return list(_read(content, formulas))
    except Invalid:
        raise
    except PasswordError as problem:
        raise Invalid("workbook-password", "file") from problem
    except BaseException as problem:
        # A file can make the reader panic, and a panic is not an Exception.
        if isinstance(problem, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise Invalid("workbook-unreadable", "file") from problem


def _read(content: bytes, formulas: Mapping[str, Mapping[str, str]]) -> Iterator[Sheet]:
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        if len(workbook.sheets_metadata) > SHEETS_MAX:
            raise Invalid("workbook-too-large", "file")
        for about in workbook.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(about.name)
            if sheet.total_height * sheet.total_width > CELLS_MAX:
                raise Invalid("workbook-too-large", "file")
            rows = sheet.to_python(skip_empty_area=False)
            yield Sheet(about.name, about.visible != SheetVisibleEnum.Visible, rows, sheet.merged_cell_ranges, formulas.get(about.name, {}))


def _formulas_of(content: bytes) -> dict[str, dict[str, str]]:
    # The reader gives only what a formula came to; what it says is asked of the file itself. While there, its size is checked:
    # the reader makes room for every cell up to the last one, wherever that may be.
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES_MAX:
                raise Invalid("workbook-too-large", "file")
            targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _tags(archive, "xl/_rels/workbook.xml.rels", _RELATION)}
            sheets = {
                _attribute(tag, "name"): targets.get(_attribute(tag, "r:id"), "") for tag in _tags(archive, "xl/workbook.xml", _SHEET)
            }
            if len(sheets) > SHEETS_MAX:
                raise Invalid("workbook-too-large", "file")
            if len(set(sheets.values())) < len(sheets):
                raise Invalid("workbook-unreadable", "file")
            found = {}
            for name, path in sheets.items():
                text = _text(archive, path.removeprefix("/") if path.startswith("/") else f"xl/{path}")
                # A cell need not say where it is: then it is the next one.
                if _extent(text) > CELLS_MAX or text.count("<c ") + text.count("<c>") + text.count("<c/") > CELLS_MAX:
                    raise Invalid("workbook-too-large", "file")
                found[name] = {cell: f"={html.unescape(formula)}" for cell, formula in _FORMULA.findall(text)}
            return found
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as problem:
        raise Invalid("workbook-unreadable", "file") from problem


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


def text_of(value: Value | None) -> str:
    """Return a cell as text: whole numbers without a fraction, full width as half width, no spaces around or of no width."""
    if isinstance(value, str):
        # Most cells are plain already, and a file has many.
        return value.strip() if value.isprintable() and unicodedata.is_normalized("NFKC", value) else _plain(value)
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()[:10]
    return _plain(str(value))


def _plain(text: str) -> str:
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return "".join(letter if letter.isprintable() else " " for letter in plain).strip()


def is_error(text: str) -> bool:
    """Tell whether a cell shows a spreadsheet's error instead of a value."""
    return bool(_ERROR.fullmatch(text))


def heading_word(value: Value) -> str:
    """Return the word of a heading as it is compared: half width, small letters, without brackets, spaces and colons."""
    plain = re.sub(r"[（(【\[].*", "", unicodedata.normalize("NFKC", str(value)).lower())
    return re.sub(r"[\s*:：_]", "", plain)


def heading_of(
    sheet: Sheet, field_of: Callable[[Value], str | None], *, main: str, several: Collection[str] = ()
) -> Heading | None:  # fmt: skip
    """Return the sheet's heading: the first row that names the field `main` and one more, with a second row of words where there is one.

    Each field is the first column that names it; of those in `several` it is all of them.
    """
    for row, values in enumerate(sheet.rows[:HEADING_ROW_MAX]):
        fields = {column: field for column, value in enumerate(values) if isinstance(value, str) and (field := field_of(value))}
        if main not in fields.values() or len(set(fields.values())) < 2:
            continue
        below = sheet.rows[row + 1] if row + 1 < len(sheet.rows) else []
        second = {column: field for column, value in enumerate(below) if isinstance(value, str) and (field := field_of(value))}
        is_second = bool(second) and not any(str(below[column]).strip() for column, field in fields.items() if field == main)
        words = {column: str(value) for column, value in enumerate(values) if str(value).strip()}
        if is_second:
            fields |= second
            words |= {column: str(value) for column, value in enumerate(below) if str(value).strip()}
        columns: dict[str, list[int]] = {}
        for column, field in sorted(fields.items()):
            if field in several or field not in columns:
                columns.setdefault(field, []).append(column)
        unknown = {column: word for column, word in words.items() if column not in fields}
        return Heading(row + is_second + 1, row + is_second, columns, unknown)
    return None
