"""Reading an office's Excel: rows, doubts, duplicates. Pure: bytes in, values out."""

from __future__ import annotations

from ledger.people.roster.cells import grid_key
from ledger.people.roster.reading import Doubt
from ledger.people.roster.reading import RosterReading
from ledger.people.roster.reading import RosterRow
from ledger.people.roster.reading import read_sheets
from ledger.sheets import sheets_of

__all__ = ["Doubt", "RosterReading", "RosterRow", "grid_key", "read_roster"]


def read_roster(content: bytes) -> RosterReading:
    """Read an .xlsx or .xls file; raise Invalid where it cannot be read or nobody is in it."""
    return read_sheets(sheets_of(content))
