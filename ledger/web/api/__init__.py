"""The API of `ledger`, one module a resource."""

from __future__ import annotations

from ledger.web.api import accounts
from ledger.web.api import activities
from ledger.web.api import applications
from ledger.web.api import areas
from ledger.web.api import audit
from ledger.web.api import book
from ledger.web.api import cards
from ledger.web.api import claims
from ledger.web.api import funds
from ledger.web.api import mandates
from ledger.web.api import merges
from ledger.web.api import my_data
from ledger.web.api import notices
from ledger.web.api import people
from ledger.web.api import proofs
from ledger.web.api import sign_in
from ledger.web.api import tariff
from ledger.web.api import teams
from ledger.web.api import tokens

ALL = (
    book.blp,
    areas.blp,
    people.blp,
    my_data.blp,
    sign_in.blp,
    cards.blp,
    tariff.blp,
    funds.blp,
    activities.blp,
    claims.blp,
    accounts.blp,
    proofs.blp,
    notices.blp,
    mandates.blp,
    audit.blp,
    tokens.blp,
    applications.blp,
    merges.blp,
    teams.blp,
)
