"""The door of funds: where points come from."""

from __future__ import annotations

from ledger.funds.actions import NAME_LENGTH_MAX
from ledger.funds.actions import add_budget
from ledger.funds.actions import open_fund
from ledger.funds.model import Fund
from ledger.funds.queries import OpenFund
from ledger.funds.queries import fund
from ledger.funds.queries import funds
from ledger.funds.queries import left_in
from ledger.funds.queries import nearest
from ledger.funds.queries import open_funds
from ledger.funds.rules import MAY

__all__ = ["MAY", "NAME_LENGTH_MAX", "Fund", "OpenFund", "add_budget", "fund", "funds", "left_in", "nearest", "open_fund", "open_funds"]
