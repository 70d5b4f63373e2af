"""The door of the journal: accounts, entries, holds; what is posted stays. It knows nothing of volunteers or shops."""

from __future__ import annotations

from ledger.errors import Fault
from ledger.journal.actions import Answered
from ledger.journal.actions import Ask
from ledger.journal.actions import Claimed
from ledger.journal.actions import Differs
from ledger.journal.actions import answer
from ledger.journal.actions import claim
from ledger.journal.actions import close_year
from ledger.journal.actions import lock_spendable
from ledger.journal.actions import open_accounts
from ledger.journal.actions import open_book_accounts
from ledger.journal.actions import post
from ledger.journal.decide import About
from ledger.journal.decide import Expired
from ledger.journal.decide import Held
from ledger.journal.decide import Locked
from ledger.journal.decide import Movement
from ledger.journal.decide import Outcome
from ledger.journal.decide import Posted
from ledger.journal.decide import PostHold
from ledger.journal.decide import Released
from ledger.journal.decide import Reserve
from ledger.journal.decide import Reversal
from ledger.journal.decide import Transfer
from ledger.journal.decide import VoidHold
from ledger.journal.queries import Balance
from ledger.journal.queries import LineRow
from ledger.journal.queries import account_ids
from ledger.journal.queries import account_of
from ledger.journal.queries import accounts
from ledger.journal.queries import as_of
from ledger.journal.queries import as_of_deed_day
from ledger.journal.queries import available_of
from ledger.journal.queries import balance_of
from ledger.journal.queries import begun_at
from ledger.journal.queries import entries_of_kinds
from ledger.journal.queries import helpers_of
from ledger.journal.queries import history
from ledger.journal.queries import lines_between
from ledger.journal.queries import lines_numbered
from ledger.journal.queries import page_between
from ledger.journal.queries import sum_of
from ledger.journal.queries import sums_between
from ledger.journal.queries import trial_balance
from ledger.journal.verify import verify

__all__ = [
    "About",
    "Answered",
    "Ask",
    "Balance",
    "Claimed",
    "Differs",
    "Expired",
    "Fault",
    "Held",
    "LineRow",
    "Locked",
    "Movement",
    "Outcome",
    "PostHold",
    "Posted",
    "Released",
    "Reserve",
    "Reversal",
    "Transfer",
    "VoidHold",
    "account_ids",
    "account_of",
    "accounts",
    "answer",
    "as_of",
    "as_of_deed_day",
    "available_of",
    "balance_of",
    "begun_at",
    "claim",
    "close_year",
    "entries_of_kinds",
    "helpers_of",
    "history",
    "lines_between",
    "lines_numbered",
    "lock_spendable",
    "open_accounts",
    "open_book_accounts",
    "page_between",
    "post",
    "sum_of",
    "sums_between",
    "trial_balance",
    "verify",
]
