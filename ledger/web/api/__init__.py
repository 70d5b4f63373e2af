"""The API of `ledger`, one module a resource."""

from __future__ import annotations

from ledger.web.api import accounts
from ledger.web.api import activities
from ledger.web.api import areas
from ledger.web.api import book
from ledger.web.api import claims
from ledger.web.api import funds
from ledger.web.api import notices
from ledger.web.api import people
from ledger.web.api import tariff

ALL = (book.blp, areas.blp, people.blp, tariff.blp, funds.blp, activities.blp, claims.blp, accounts.blp, notices.blp)
