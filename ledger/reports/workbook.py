"""Figures as an office reads them: an Excel file with a sheet for each table. Pure: values in, bytes out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import xlsxwriter


class Table(NamedTuple):
    """A table with its name and heading."""

    name: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]


def workbook_of(title: str, tables: Sequence[Table]) -> bytes:
    """Return a workbook with a sheet for each table below its title; what looks like a formula or an address stays a text."""
    buffer = io.BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, plain) as workbook:
        bold, grouped = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "#,##0"})
        for table in tables:
            sheet = workbook.add_worksheet(table.name[:31])
            sheet.write_string(0, 0, title, bold)
            sheet.write_row(1, 0, table.heading, bold)
            for line, row in enumerate(table.rows, start=2):
                sheet.write_row(line, 0, row, grouped)
            sheet.set_column(0, 0, 28)
            sheet.set_column(1, max(1, len(table.heading) - 1), 14)
            sheet.freeze_panes(2, 1)
    return buffer.getvalue()
