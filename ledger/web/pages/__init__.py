"""The pages of `ledger`, one module an audience."""

from __future__ import annotations

from ledger.web.pages import public
from ledger.web.pages import sign_in

ALL = (public.pages, sign_in.pages)
