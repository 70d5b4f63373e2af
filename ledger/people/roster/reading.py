"""From sheets to people: each row read, each doubtful cell named, each likely duplicate shown; nothing is decided here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from ledger.errors import Invalid
from ledger.people.roster.cells import DITTO
from ledger.people.roster.cells import NOT_KNOWN
from ledger.people.roster.cells import REMARKS
from ledger.people.roster.cells import SUBTOTALS
from ledger.people.roster.cells import Read
from ledger.people.roster.cells import gender_of
from ledger.people.roster.cells import identity_of
from ledger.people.roster.cells import month_of
from ledger.people.roster.cells import phone_of
from ledger.people.roster.cells import standing_of
from ledger.people.roster.headings import heading_of
from ledger.people.roster.headings import is_heading_again
from ledger.people.rules import NAME_LENGTH_MAX
from ledger.people.rules import TEXT_LENGTH_MAX
from ledger.people.rules import normal_name
from ledger.sheets import Heading
from ledger.sheets import Sheet
from ledger.sheets import Value
from ledger.sheets import cell_name
from ledger.sheets import is_error
from ledger.sheets import text_of

#: Columns in which a merged cell speaks for all its rows.
_FILLED = ("grid", "building", "household", "note")
_HOUSEHOLD_MAX = 10


@dataclass(frozen=True)
class Doubt:
    """A cell that is not plain: where, what it says, what is doubtful (a stable code) and what its sentence needs."""

    sheet: str
    cell: str
    says: str
    code: str
    data: Mapping[str, str] = field(default_factory=dict)
    #: Whether the import has to be told what to do.
    asks: bool = False


@dataclass(frozen=True)
class RosterRow:
    """One person as the roster has them."""

    sheet: str
    #: The row as the spreadsheet numbers it.
    line: int
    #: The cells by field, for example {"name": "D4"}.
    cells: Mapping[str, str]
    name: str
    phone: str = ""
    gender: str = ""
    birth_month: str = ""
    grid: str = ""
    building: str = ""
    household: str = ""
    volunteer_number: str = ""
    note: str = ""
    is_resident: bool = True
    is_leader: bool = False
    has_left: bool = False

    def doubt(self, of: str, code: str, *, asks: bool = False, **data: str) -> Doubt:
        """Return a doubt about one of this row's cells."""
        return Doubt(self.sheet, self.cells[of], str(getattr(self, of, "")), code, data, asks)


@dataclass(frozen=True)
class RosterReading:
    """A roster as it was read."""

    rows: tuple[RosterRow, ...]
    doubts: tuple[Doubt, ...]


def read_sheets(sheets: list[Sheet]) -> RosterReading:
    """Read all sheets; raise Invalid where there is nobody in any of them."""
    rows: list[RosterRow] = []
    doubts: list[Doubt] = []
    for sheet in sheets:
        heading = heading_of(sheet)
        if (code := _why_not(sheet, heading)) or heading is None:
            if any(text_of(value) for values in sheet.rows for value in values):
                doubts.append(Doubt(sheet.name, *_first_cell(sheet), code or "sheet-without-heading"))
            continue
        reader = _SheetReader(sheet, heading)
        rows += reader.read()
        doubts += reader.doubts
    if not rows:
        raise Invalid("roster-nobody", "file", sheets=", ".join(sheet.name for sheet in sheets))
    return RosterReading(tuple(rows), tuple(doubts + list(_household_doubts(rows)) + list(_number_doubts(rows))))


def _why_not(sheet: Sheet, heading: Heading | None) -> str | None:
    if "作废" in sheet.name or any("作废" in text_of(value) for values in sheet.rows[:3] for value in values[:3]):
        return "sheet-void"
    if heading is None:
        return "sheet-without-heading"
    return "sheet-hidden" if sheet.is_hidden else None


def _first_cell(sheet: Sheet) -> tuple[str, str]:
    filled = ((row, column) for row, values in enumerate(sheet.rows) for column, value in enumerate(values) if text_of(value))
    row, column = next(filled)
    return cell_name(row, column), text_of(sheet.rows[row][column])


class _SheetReader:
    """Reads the rows of one sheet, from the heading down."""

    def __init__(self, sheet: Sheet, heading: Heading) -> None:
        self.sheet = sheet
        self.heading = heading
        self.doubts: list[Doubt] = []
        self.above: dict[str, str] = {}
        self.grid = ""
        self.since_subtotal = 0
        self.in_grid = 0
        self.line = 0
        self.filled = self._merged_cells()

    def read(self) -> list[RosterRow]:
        """Return the people of the sheet."""
        for column, word in self.heading.unknown.items():
            self._doubt(self.heading.row, column, word, "column-unknown")
        for column in self.heading.columns.get("identity", []):
            self._doubt(self.heading.row, column, text_of(self.sheet.rows[self.heading.row][column]), "identity-not-kept")
        found = []
        for line in range(self.heading.first_row, len(self.sheet.rows)):
            self.line = line
            values = self.sheet.rows[line]
            if any(text_of(value) for value in values) and not is_heading_again(values, self.heading) and (row := self._row(values)):
                found.append(row)
                self.in_grid = self.in_grid + 1 if len(found) > 1 and found[-2].grid == row.grid else 1
                self.since_subtotal += 1
        return found

    def _merged_cells(self) -> dict[tuple[int, int], tuple[int, int]]:
        columns = {column for name in _FILLED for column in self.heading.columns.get(name, [])}
        return {
            (row, first[1]): first
            for first, last in self.sheet.merged or []
            if first[1] == last[1] and first[1] in columns and first[0] >= self.heading.first_row
            for row in range(first[0] + 1, min(last[0], len(self.sheet.rows) - 1) + 1)
        }

    def _doubt(self, row: int, column: int, says: str, code: str, **data: str) -> None:
        self.doubts.append(Doubt(self.sheet.name, cell_name(row, column), says, code, data))

    def _doubt_here(self, name: str, code: str, **data: str) -> None:
        column = self.heading.columns[name][0]
        self._doubt(self.line, column, self._says(column), code, **data)

    def _says(self, column: int) -> str:
        return self.sheet.formulas.get(cell_name(self.line, column)) or text_of(self._value(self.line, column))

    def _value(self, row: int, column: int) -> Value:
        row, column = self.filled.get((row, column), (row, column))
        values = self.sheet.rows[row]
        return values[column] if column < len(values) else ""

    def _row(self, values: list[Value]) -> RosterRow | None:
        if self._is_no_person(values):
            return None
        texts = {name: self._text(name) for name in ("name", "grid", "building", "household", "volunteer_number", "note")}
        name = normal_name(texts["name"])
        if not self._is_name(name):
            return None
        self._look_at_name(name)
        phone, birth, gender = self._read("phone"), self._read("birth"), self._read("gender")
        if "identity" in self.heading.columns:
            birth, gender = self._with_identity(birth, gender)
        note = self._note(texts["note"])
        standing = standing_of("" if self._is_ditto("note") else note)
        for code in standing.doubts:
            self._doubt_here("note", code)
        row = RosterRow(
            self.sheet.name, self.line + 1, self._cells(), name, phone, gender, birth, self._grid(texts["grid"]), texts["building"],
            texts["household"], texts["volunteer_number"], note, standing.is_resident, standing.is_leader, standing.has_left,
        )  # fmt: skip
        return self._short_enough(row)

    def _is_no_person(self, values: list[Value]) -> bool:
        texts = [(column, text) for column, value in enumerate(values) if (text := text_of(value))]
        for column, text in texts:
            if re.sub(r"[\s:：]", "", text).lower().startswith(SUBTOTALS):
                counted = next((int(number) for _, number in texts if number.isdecimal() and len(number) < 7), None)
                # A grid's subtotal may be missing above: then this one counts its own grid alone.
                wrong = counted not in (None, self.since_subtotal, self.in_grid) and not re.match(r"合|总|累|共|total", text)
                data = {"counted": str(counted), "found": str(self.since_subtotal)}
                self._doubt(self.line, column, text, "subtotal-differs" if wrong else "subtotal", **(data if wrong else {}))
                self.since_subtotal = 0
                return True
        column, text = texts[0]
        if len(texts) <= 2 and (text.startswith(REMARKS) or (len(text) > NAME_LENGTH_MAX / 2 and not self._text("name"))):
            self._doubt(self.line, column, text, "remark")
            return True
        # A row that has nothing but a serial number, or the grid filled into it, is an empty form line.
        told = {column for name, columns in self.heading.columns.items() if name not in ("serial", "grid") for column in columns}
        return not any(column in told for column, _ in texts)

    def _text(self, name: str) -> str:
        columns = self.heading.columns.get(name, [])
        texts = []
        for column in columns:
            value = self._value(self.line, column)
            text = text_of(value)
            formula = self.sheet.formulas.get(cell_name(self.line, column))
            if is_error(text):
                self._doubt(self.line, column, text, "cell-error")
            elif name == "note" and (formula or text.startswith("=") or (text and not isinstance(value, str))):
                self._doubt(self.line, column, formula or text, "note-formula")
            elif text in DITTO and name != "note":
                texts.append(self._ditto(name, column))
            elif text.lower() not in NOT_KNOWN:
                if formula:
                    self._doubt(self.line, column, formula, "cell-formula", value=text)
                texts.append(text)
        text = " ".join(text for text in texts if text)
        if columns and name != "note":
            self.above[name] = text
        return text

    def _ditto(self, name: str, column: int) -> str:
        above = self.above.get(name, "")
        # Two people of one name, or with one number, do not follow from a ditto mark: those cells are left empty.
        value = above if name in ("grid", "building", "household") else ""
        self._doubt(self.line, column, self._says(column), "ditto" if value else "ditto-of-nothing", value=value)
        return value

    def _is_name(self, name: str) -> bool:
        if not name:
            self._doubt_here("name", "name-missing")
        elif len(name) > NAME_LENGTH_MAX or not re.search(r"[^\W\d_]", name):
            self._doubt_here("name", "name-malformed")
        else:
            return True
        return False

    def _look_at_name(self, name: str) -> None:
        is_odd = re.search(r"[^\w\s·.•'’-]|[\d_]", name) or (re.fullmatch(r"[\u3400-\u9fff]+", name) and not 2 <= len(name) <= 4)
        if is_odd:
            self._doubt_here("name", "name-odd")

    def _read(self, name: str) -> str:
        reads = {"phone": phone_of, "birth": month_of, "gender": gender_of}
        columns = self.heading.columns.get(name)
        if not columns:
            return ""
        found = Read()
        for column in columns:
            value = self._value(self.line, column)
            text = text_of(value)
            found = Read(doubt="cell-error") if is_error(text) else reads[name](value)
            if text in DITTO:
                found = Read(doubt="ditto-of-nothing", data=(("value", ""),))
            if found.value or (text and found.doubt):
                break
        else:
            column = columns[0]
        if found.doubt:
            self._doubt(self.line, column, self._says(column), found.doubt, **dict(found.data))
        elif found.value and (formula := self.sheet.formulas.get(cell_name(self.line, column))):
            self._doubt(self.line, column, formula, "cell-formula", value=found.value)
        return found.value

    def _with_identity(self, birth: str, gender: str) -> tuple[str, str]:
        column = self.heading.columns["identity"][0]
        value = self._value(self.line, column)
        if not text_of(value):
            return birth, gender
        # The number itself is not repeated in the list of doubts either.
        if (known := identity_of(value)) is None:
            self._doubt(self.line, column, "***", "identity-malformed")
            return birth, gender
        if birth and birth != known[0]:
            self._doubt(self.line, column, "***", "identity-differs", birth_month=birth)
        return birth or known[0], gender or known[1]

    def _is_ditto(self, name: str) -> bool:
        return any(text_of(self._value(self.line, column)) in DITTO for column in self.heading.columns.get(name, []))

    def _note(self, text: str) -> str:
        if not self._is_ditto("note"):
            self.above["note"] = text
            return text
        above = self.above.get("note", "")
        self._doubt_here("note", "note-ditto" if above else "ditto-of-nothing", value=above)
        return above

    def _grid(self, text: str) -> str:
        if not self.heading.columns.get("grid"):
            return self.sheet.name if "网格" in self.sheet.name else ""
        if not text and self.grid and self.sheet.merged:
            self._doubt_here("grid", "grid-from-above", grid=self.grid)
        self.grid = self.above["grid"] = text or self.grid
        return self.grid

    def _cells(self) -> dict[str, str]:
        name_column = self.heading.columns["name"]
        headed = {name: name for name in (*_FILLED, "name", "phone", "volunteer_number")} | {"birth_month": "birth"}
        return {name: cell_name(self.line, (self.heading.columns.get(word) or name_column)[0]) for name, word in headed.items()}

    def _short_enough(self, row: RosterRow) -> RosterRow:
        for name in ("building", "household", "volunteer_number", "note", "grid"):
            if len(getattr(row, name)) > TEXT_LENGTH_MAX:
                self.doubts.append(replace(row.doubt(name, "text-too-long"), says=f"{getattr(row, name)[:20]}..."))
                row = replace(row, **{name: getattr(row, name)[:TEXT_LENGTH_MAX]})
        return row


def _household_doubts(rows: list[RosterRow]) -> Iterator[Doubt]:
    households: dict[str, list[RosterRow]] = defaultdict(list)
    for row in rows:
        if row.household:
            households[row.household].append(row)
    for members in households.values():
        first, *others = members
        cells = ", ".join(row.cells["household"] for row in members)
        if other := next((row for row in others if _house(row) != _house(first)), None):
            yield other.doubt("household", "household-in-two-houses", cells=cells)
        if len(members) > _HOUSEHOLD_MAX:
            yield first.doubt("household", "household-large", cells=cells, members=str(len(members)))


def _house(row: RosterRow) -> tuple[str, str]:
    # 18栋 and 18栋2单元 may be the same house: only the house itself is compared.
    found = re.match(r".*?\d+\s*(?:栋|幢|号楼|座)", row.building)
    return row.grid, found[0] if found else row.building


def _number_doubts(rows: list[RosterRow]) -> Iterator[Doubt]:
    seen: dict[str, RosterRow] = {}
    for row in rows:
        if row.volunteer_number and (first := seen.setdefault(row.volunteer_number, row)) is not row:
            yield row.doubt("volunteer_number", "number-twice", cell=first.cells["volunteer_number"])
