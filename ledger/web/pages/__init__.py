"""The pages of `ledger`, one module an audience."""

from __future__ import annotations

from ledger.web.pages import account
from ledger.web.pages import audit
from ledger.web.pages import counter
from ledger.web.pages import figures
from ledger.web.pages import funds
from ledger.web.pages import helping
from ledger.web.pages import host
from ledger.web.pages import joining
from ledger.web.pages import leader
from ledger.web.pages import log
from ledger.web.pages import my_data
from ledger.web.pages import photos
from ledger.web.pages import prints
from ledger.web.pages import proofs
from ledger.web.pages import public
from ledger.web.pages import register
from ledger.web.pages import reports
from ledger.web.pages import settings
from ledger.web.pages import sign_in
from ledger.web.pages import staff
from ledger.web.pages import tariff
from ledger.web.pages import team
from ledger.web.pages import venue
from ledger.web.pages import volunteer

ALL = (
    public.pages,
    log.pages,
    sign_in.pages,
    settings.pages,
    account.pages,
    volunteer.pages,
    my_data.pages,
    photos.pages,
    venue.pages,
    leader.pages,
    staff.pages,
    host.pages,
    counter.pages,
    prints.pages,
    proofs.pages,
    helping.pages,
    audit.pages,
    reports.pages,
    joining.pages,
    register.pages,
    team.pages,
    figures.pages,
    funds.pages,
    tariff.pages,
)
