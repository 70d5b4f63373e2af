"""Reading the deeds that an office keeps in Excel: who (by the number of the passbook), what, when, how long, where.

Pure: bytes in, values out. Whether there is such a passbook and such a deed is found out by whoever takes them in.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Any

import xlsxwriter

from ledger import sheets
from ledger.claims.rules import MINUTES_MAX
from ledger.claims.rules import PLACE_LENGTH_MAX
from ledger.claims.rules import TEXT_LENGTH_MAX
from ledger.errors import Invalid
from ledger.people.rules import HANDLE_LENGTH
from ledger.people.rules import is_handle
from ledger.people.rules import normal_name
from ledger.sheets import Heading
from ledger.sheets import Sheet
from ledger.sheets import Value
from ledger.sheets import cell_name
from ledger.sheets import heading_word
from ledger.sheets import is_error
from ledger.sheets import text_of

#: The columns of the template, in their order, by field.
COLUMNS = {"handle": "存折号", "name": "姓名", "deed": "善行", "day": "日期", "minutes": "分钟", "place": "地点", "text": "说明"}
#: Words that a heading may use besides, without what stands in brackets.
_WORDS = {
    "handle": ("存折号", "存折编号", "存折号码", "积分存折号", "passbook", "passbooknumber", "handle"),
    "name": ("姓名", "名字", "志愿者", "志愿者姓名", "居民姓名", "name"),
    "deed": ("善行", "好事", "事项", "项目", "善行名称", "服务项目", "服务内容", "活动内容", "积分项目", "deed"),
    "day": ("日期", "时间", "服务日期", "活动日期", "日", "date", "day"),
    "minutes": ("分钟", "分钟数", "时长", "服务时长", "服务分钟", "minutes"),
    "hours": ("小时", "小时数", "服务小时", "hours"),
    "place": ("地点", "服务地点", "活动地点", "place"),
    "text": ("说明", "备注", "情况说明", "note", "notes", "remark"),
}
_FIELD_OF = {word: name for name, words in _WORDS.items() for word in words}
#: Columns in which a merged cell, or a ditto mark, speaks for the rows below.
_FILLED = ("deed", "day", "minutes", "hours", "place")
_DITTO = frozenset({"同上", "〃", '"', "″", "同前", "ditto"})
_SUMS = ("小计", "合计", "总计", "共计", "subtotal", "total")


@dataclass(frozen=True)
class DeedFault:
    """A cell that cannot be taken: where, what it says, why (the code of a problem), and what the sentence needs."""

    sheet: str
    cell: str
    says: str
    code: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DeedRow:
    """One deed as the sheet has it."""

    sheet: str
    #: The row as the spreadsheet numbers it.
    line: int
    #: The columns by field, counted from 0; shared by the rows of a sheet.
    columns: Mapping[str, int]
    handle: str
    name: str
    deed: str
    day: date
    minutes: int | None
    place: str
    text: str

    def fault(self, of: str, code: str, **data: Any) -> DeedFault:
        """Return a fault of one of this row's cells; of the passbook's number, where the sheet has no such column."""
        name = of if of in self.columns else "handle"
        return DeedFault(self.sheet, self.cell(name), str(getattr(self, name) or ""), code, data)

    def cell(self, of: str) -> str:
        """Return the name of one of this row's cells."""
        return cell_name(self.line - 1, self.columns[of])


@dataclass(frozen=True)
class DeedsReading:
    """What was read: the deeds, the cells that cannot be taken, the sheets that hold no deeds, and the file's own fingerprint."""

    rows: tuple[DeedRow, ...]
    faults: tuple[DeedFault, ...]
    skipped: tuple[str, ...]
    sha256: bytes

    @property
    def count(self) -> int:
        """Return how many rows tell of a deed, readable or not."""
        return len(self.rows) + len({(fault.sheet, re.sub(r"\D", "", fault.cell)) for fault in self.faults})


def read_deeds(content: bytes) -> DeedsReading:
    """Read an .xlsx or .xls file; raise Invalid where it cannot be read or tells of no deed."""
    rows: list[DeedRow] = []
    faults: list[DeedFault] = []
    skipped: list[str] = []
    for sheet in sheets.sheets_of(content):
        heading = None if sheet.is_hidden else sheets.heading_of(sheet, _field_of, main="handle")
        if heading is None or not {"deed", "day"} <= heading.columns.keys():
            skipped += [sheet.name] if any(text_of(value) for values in sheet.rows for value in values) else []
            continue
        for outcome in _SheetReader(sheet, heading).read():
            if isinstance(outcome, DeedRow):
                rows.append(outcome)
            else:
                faults += outcome
    if not rows and not faults:
        raise Invalid("sheet-without-deeds", "file", sheets=", ".join(skipped))
    return DeedsReading(tuple(rows), tuple(faults), tuple(skipped), hashlib.sha256(content).digest())


def _field_of(value: Value) -> str | None:
    # 时长（小时） and 时长（分钟） differ only in their brackets.
    found = _FIELD_OF.get(heading_word(value))
    return "hours" if found == "minutes" and "小时" in str(value) else found


def empty_sheet(deeds: Sequence[str]) -> bytes:
    """Return an empty workbook with the heading, and `deeds` to choose from; numbers of passbooks keep their noughts."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        sheet, choices = workbook.add_worksheet("善行"), workbook.add_worksheet("积分细则")
        bold, text, day = (workbook.add_format(form) for form in ({"bold": True}, {"num_format": "@"}, {"num_format": "yyyy-mm-dd"}))
        choices.write_column(0, 0, deeds)
        sheet.write_row(0, 0, COLUMNS.values(), bold)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, 30 if name in {"deed", "text"} else 14, {"handle": text, "day": day}.get(name))
        if deeds:
            source = f"=积分细则!$A$1:$A${len(deeds)}"
            sheet.data_validation(1, 2, 10_000, 2, {"validate": "list", "source": source, "error_type": "warning"})
    return buffer.getvalue()


class _SheetReader:
    """Reads the rows of one sheet, from the heading down."""

    def __init__(self, sheet: Sheet, heading: Heading) -> None:
        self.sheet, self.heading = sheet, heading
        self.columns = {name: columns[0] for name, columns in heading.columns.items()}
        if "hours" in self.columns:
            self.columns.setdefault("minutes", self.columns["hours"])
        self.above: dict[str, Value] = {}
        self.line = heading.first_row
        self.values: dict[str, Value] = {}
        self.faults: list[DeedFault] = []
        filled = {self.columns[name] for name in _FILLED if name in self.columns}
        self.merged = {
            (row, first[1]): first
            for first, last in sheet.merged or []
            if first[1] == last[1] and first[1] in filled and first[0] >= heading.first_row
            for row in range(first[0] + 1, min(last[0], len(sheet.rows) - 1) + 1)
        }

    def read(self) -> Iterator[DeedRow | list[DeedFault]]:
        """Yield each deed, or what is wrong with its row."""
        for line in range(self.heading.first_row, len(self.sheet.rows)):
            values = {name: self._value(line, column) for name, column in self.columns.items()}
            if self._tells(values):
                yield self._row(line, values)

    def _value(self, line: int, column: int) -> Value:
        row, column = self.merged.get((line, column), (line, column))
        values = self.sheet.rows[row]
        return values[column] if column < len(values) else ""

    def _tells(self, values: dict[str, Value]) -> bool:
        handle = text_of(values["handle"])
        if _field_of(handle) == "handle":
            return False
        own = [text for name, value in values.items() if name not in _FILLED and (text := text_of(value))]
        first = own[0] if own else text_of(values["deed"])
        # A row that only stands below a merged cell is an empty line of the form; sums and remarks at the foot are no deeds either.
        return (
            bool(own or text_of(values["day"]))
            and not first.lower().startswith(_SUMS)
            and not (len(own) == 1 and handle and _is_remark(handle))
        )

    def _row(self, line: int, values: dict[str, Value]) -> DeedRow | list[DeedFault]:
        self.line, self.values, self.faults = line, self._without_dittos(values), []
        handle, deed, day = self._handle(), text_of(values["deed"]), day_of(values["day"])
        if not deed:
            self._fault("deed", "sheet-deed-missing")
        if day is None:
            self._fault("day", "sheet-day-malformed")
        minutes = self._minutes()
        place, text = self._words("place", PLACE_LENGTH_MAX), self._words("text", TEXT_LENGTH_MAX)
        name = normal_name(text_of(values.get("name")))
        self._look_for_errors()
        if self.faults or day is None:
            return self.faults
        return DeedRow(self.sheet.name, line + 1, self.columns, handle, name, deed, day, minutes, place, text)

    def _without_dittos(self, values: dict[str, Value]) -> dict[str, Value]:
        for name in _FILLED:
            if name in values and text_of(values[name]) in _DITTO:
                values[name] = self.above.get(name, "")
        self.above = {name: values[name] for name in _FILLED if name in values}
        return values

    def _fault(self, name: str, code: str, **data: Any) -> None:
        cell = cell_name(self.line, self.columns.get(name, self.columns["handle"]))
        self.faults.append(DeedFault(self.sheet.name, cell, text_of(self.values.get(name)), code, data))

    def _look_for_errors(self) -> None:
        # Where a cell shows an error of the spreadsheet, that is what is wrong with it.
        self.faults, others = [], self.faults
        for name, value in self.values.items():
            if is_error(text_of(value)):
                self._fault(name, "cell-error")
        cells = {fault.cell for fault in self.faults}
        self.faults += [fault for fault in others if fault.cell not in cells]

    def _handle(self) -> str:
        value = self.values["handle"]
        digits = re.sub(r"[\s-]", "", text_of(value))
        # A number loses the noughts it begins with.
        handle = digits.zfill(HANDLE_LENGTH) if isinstance(value, int | float) else digits
        if not is_handle(handle):
            self._fault("handle", "sheet-handle-malformed")
        return handle

    def _minutes(self) -> int | None:
        value = self.values.get("minutes", "")
        if not text_of(value):
            return None
        minutes = minutes_of(value, 60 if self.columns.get("hours") == self.columns["minutes"] else 1)
        if minutes is None or not 1 <= minutes <= MINUTES_MAX:
            self._fault("minutes", "sheet-minutes-malformed", most=MINUTES_MAX)
        return minutes

    def _words(self, name: str, most: int) -> str:
        text = text_of(self.values.get(name))
        if len(text) > most:
            self._fault(name, "sheet-text-too-long", most=most)
        return text


def _is_remark(text: str) -> bool:
    return not any(letter.isdigit() for letter in text) or len(text) > 20


_DAY = (
    re.compile(r"(20\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:\s.*)?"),
    re.compile(r"(20\d{2})(\d{2})(\d{2})"),
)


def day_of(value: Value) -> date | None:
    """Return the day that a cell says, as a date or in any of the ways it is written, or None; a day without its year is none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 36_526 <= value < 73_051:  # a day, shown without a date's format
        return date(1899, 12, 30) + timedelta(days=int(value))
    text = text_of(value)
    for form in _DAY:
        if found := form.fullmatch(text):
            try:
                return date(int(found[1]), int(found[2]), int(found[3]))
            except ValueError:
                return None
    return None


_SPAN = re.compile(r"(?:(\d{1,2}(?:\.\d{1,2})?)\s*(?:个?小时|时|h|hours?))?\s*(?:(\d{1,4})\s*(?:分钟?|min|minutes?))?", re.IGNORECASE)


def minutes_of(value: Value, per: int = 1) -> int | None:
    """Return the minutes that a cell says: a number (of hours, where `per` is 60), a duration, or words such as 1小时30分; or None."""
    if isinstance(value, time):
        return value.hour * 60 + value.minute
    if isinstance(value, timedelta):
        return value // timedelta(minutes=1)
    text = text_of(value)
    if re.fullmatch(r"\d{1,4}(\.\d{1,4})?", text):
        minutes = float(text) * per
        return int(minutes) if minutes.is_integer() else None
    if (found := _SPAN.fullmatch(text)) and (found[1] or found[2]):
        minutes = float(found[1] or 0) * 60 + int(found[2] or 0)
        return int(minutes) if minutes.is_integer() else None
    return None
