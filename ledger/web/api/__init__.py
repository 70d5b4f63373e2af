"""The API of `ledger`, one module a resource."""

from __future__ import annotations

from ledger.web.api import areas
from ledger.web.api import book
from ledger.web.api import funds
from ledger.web.api import people
from ledger.web.api import tariff

ALL = (book.blp, areas.blp, people.blp, tariff.blp, funds.blp)
