"""Files that were made to hurt: refused for what they are, in a time that their length bounds."""

from __future__ import annotations

import io
import zipfile

import pytest

from ledger.errors import Invalid
from ledger.sheets import SHEETS_MAX
from ledger.sheets import sheets_of

_HEAD = '<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'


def a_workbook(sheet: str, *, tags: int = 1, parts: int = 1) -> bytes:
    """A workbook of `tags` sheets that lie in `parts` files, each holding `sheet`."""
    names = [(number, number % parts) for number in range(tags)]
    listed = "".join(f'<sheet name="s{number}" sheetId="{number + 1}" r:id="r{part}"/>' for number, part in names)
    related = "".join(f'<Relationship Id="r{part}" Target="worksheets/s{part}.xml"/>' for part in range(parts))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", f"{_HEAD}{listed}</sheets></workbook>")
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{related}</Relationships>")
        for part in range(parts):
            archive.writestr(f"xl/worksheets/s{part}.xml", sheet)
    return made.getvalue()


@pytest.mark.parametrize("repeated", ["<c ", '<c r="A1" ', '<c r="A1"><f>', "<c r="])
def test_a_sheet_of_tags_that_never_end_is_looked_through_once(repeated: str) -> None:
    # A search that began anew at each of a million tags would not come back; the test's own patience is the bound.
    with pytest.raises(Invalid):
        sheets_of(a_workbook(repeated * 1_000_000))


def test_many_sheets_are_refused_before_any_is_unpacked() -> None:
    with pytest.raises(Invalid, match="workbook-too-large"):
        sheets_of(a_workbook("x" * 1_000_000, tags=SHEETS_MAX + 1, parts=SHEETS_MAX + 1))


def test_one_part_under_many_names_is_no_workbook() -> None:
    with pytest.raises(Invalid, match="workbook-unreadable"):
        sheets_of(a_workbook("<c/>", tags=2, parts=1))


def test_cells_that_do_not_say_where_they_are_count_too() -> None:
    with pytest.raises(Invalid, match="workbook-too-large"):
        sheets_of(a_workbook("<sheetData><row>" + "<c><v>1</v></c>" * 2_000_001 + "</row></sheetData>"))
