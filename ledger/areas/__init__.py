"""The door of areas: the tree from province to micro-grid, the books that operate its parts, and the one ancestry rule."""

from __future__ import annotations

from ledger.areas.actions import ImportReport
from ledger.areas.actions import add_grid
from ledger.areas.actions import import_published
from ledger.areas.actions import open_book
from ledger.areas.actions import set_phone
from ledger.areas.model import Area
from ledger.areas.model import Book
from ledger.areas.queries import EVERYWHERE
from ledger.areas.queries import Scope
from ledger.areas.queries import area
from ledger.areas.queries import areas_by_code
from ledger.areas.queries import book
from ledger.areas.queries import book_numbered
from ledger.areas.queries import books
from ledger.areas.queries import children
from ledger.areas.queries import community_of
from ledger.areas.queries import covered
from ledger.areas.queries import in_scope
from ledger.areas.queries import names_of
from ledger.areas.queries import path_of
from ledger.areas.queries import paths_of
from ledger.areas.queries import phone_for
from ledger.areas.queries import subtree
from ledger.areas.queries import widest
from ledger.areas.rules import GRID_KINDS
from ledger.areas.rules import LEVELS
from ledger.areas.rules import NAME_LENGTH_MAX
from ledger.areas.rules import RowFault
from ledger.areas.rules import is_phone
from ledger.areas.rules import is_within
from ledger.areas.rules import rows_of

__all__ = [
    "EVERYWHERE",
    "GRID_KINDS",
    "LEVELS",
    "NAME_LENGTH_MAX",
    "Area",
    "Book",
    "ImportReport",
    "RowFault",
    "Scope",
    "add_grid",
    "area",
    "areas_by_code",
    "book",
    "book_numbered",
    "books",
    "children",
    "community_of",
    "covered",
    "import_published",
    "in_scope",
    "is_phone",
    "is_within",
    "names_of",
    "open_book",
    "path_of",
    "paths_of",
    "phone_for",
    "rows_of",
    "set_phone",
    "subtree",
    "widest",
]
