"""The door of the tariff: what deeds are worth, from which day, and how much of it counts."""

from __future__ import annotations

from ledger.tariff.actions import TariffReport
from ledger.tariff.actions import define_cap
from ledger.tariff.actions import define_categories
from ledger.tariff.actions import define_rate
from ledger.tariff.actions import import_tariff
from ledger.tariff.model import Category
from ledger.tariff.model import Rate
from ledger.tariff.queries import always_two
from ledger.tariff.queries import categories
from ledger.tariff.queries import limits
from ledger.tariff.queries import rate_for
from ledger.tariff.queries import rates
from ledger.tariff.queries import rates_by_id
from ledger.tariff.queries import rates_of
from ledger.tariff.queries import rates_on
from ledger.tariff.queries import without_text
from ledger.tariff.rules import COLUMNS
from ledger.tariff.rules import MEASURES
from ledger.tariff.rules import PERIODS
from ledger.tariff.rules import UNITS
from ledger.tariff.rules import Done
from ledger.tariff.rules import Limit
from ledger.tariff.rules import RateRow
from ledger.tariff.rules import RowFault
from ledger.tariff.rules import deed_code
from ledger.tariff.rules import points_for
from ledger.tariff.rules import within_caps

__all__ = [
    "COLUMNS",
    "MEASURES",
    "PERIODS",
    "UNITS",
    "Category",
    "Done",
    "Limit",
    "Rate",
    "RateRow",
    "RowFault",
    "TariffReport",
    "always_two",
    "categories",
    "deed_code",
    "define_cap",
    "define_categories",
    "define_rate",
    "import_tariff",
    "limits",
    "points_for",
    "rate_for",
    "rates",
    "rates_by_id",
    "rates_of",
    "rates_on",
    "within_caps",
    "without_text",
]
