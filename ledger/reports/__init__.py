"""The door of reports: what everything comes to. It reads across the capabilities, the journal's tables included, and writes nothing."""

from __future__ import annotations

from ledger.reports.queries import Cover
from ledger.reports.queries import Credited
from ledger.reports.queries import Figures
from ledger.reports.queries import Flow
from ledger.reports.queries import FundMonth
from ledger.reports.queries import Told
from ledger.reports.queries import Waiting
from ledger.reports.queries import awaiting_funds
from ledger.reports.queries import awarded_by
from ledger.reports.queries import budgets_of
from ledger.reports.queries import cost_of
from ledger.reports.queries import covers
from ledger.reports.queries import done_of
from ledger.reports.queries import figures
from ledger.reports.queries import given_to
from ledger.reports.queries import told
from ledger.reports.queries import waiting
from ledger.reports.rules import PACE_WEEKS
from ledger.reports.rules import READERS
from ledger.reports.rules import TAKERS
from ledger.reports.rules import TOLD_FROM
from ledger.reports.rules import YEAR
from ledger.reports.rules import Month
from ledger.reports.rules import months_to
from ledger.reports.rules import three_months_before
from ledger.reports.workbook import Table
from ledger.reports.workbook import workbook_of

__all__ = [
    "PACE_WEEKS",
    "READERS",
    "TAKERS",
    "TOLD_FROM",
    "YEAR",
    "Cover",
    "Credited",
    "Figures",
    "Flow",
    "FundMonth",
    "Month",
    "Table",
    "Told",
    "Waiting",
    "awaiting_funds",
    "awarded_by",
    "budgets_of",
    "cost_of",
    "covers",
    "done_of",
    "figures",
    "given_to",
    "months_to",
    "three_months_before",
    "told",
    "waiting",
    "workbook_of",
]
