"""The door of claims: deeds on their way to points."""

from __future__ import annotations

from ledger.claims.actions import approve
from ledger.claims.actions import attest
from ledger.claims.actions import check_out
from ledger.claims.actions import credit_due
from ledger.claims.actions import propose
from ledger.claims.actions import refuse
from ledger.claims.actions import reopen
from ledger.claims.actions import report
from ledger.claims.actions import report_for_team
from ledger.claims.actions import resubmit
from ledger.claims.actions import return_
from ledger.claims.actions import withdraw
from ledger.claims.awarding import Moved
from ledger.claims.disclosing import records_of
from ledger.claims.erasing import leaving
from ledger.claims.filing import NewDeed
from ledger.claims.intake import DeedsReport
from ledger.claims.intake import import_claims
from ledger.claims.merging import merge
from ledger.claims.model import Claim
from ledger.claims.model import Decision
from ledger.claims.photos import Alike
from ledger.claims.photos import NewPhoto
from ledger.claims.photos import PhotoRow
from ledger.claims.photos import alike
from ledger.claims.photos import photos_of
from ledger.claims.photos import picture
from ledger.claims.photos import pictures_of
from ledger.claims.queries import ClaimRow
from ledger.claims.queries import Notice
from ledger.claims.queries import Own
from ledger.claims.queries import Reach
from ledger.claims.queries import Telling
from ledger.claims.queries import among
from ledger.claims.queries import approvals_needed
from ledger.claims.queries import approved_by
from ledger.claims.queries import claim
from ledger.claims.queries import decisions_of
from ledger.claims.queries import mine
from ledger.claims.queries import notes_of
from ledger.claims.queries import of_team
from ledger.claims.queries import owner_of
from ledger.claims.queries import points_approved_by
from ledger.claims.queries import points_of
from ledger.claims.queries import public_notices
from ledger.claims.queries import queue
from ledger.claims.queries import reach_of
from ledger.claims.queries import reported_by
from ledger.claims.queries import returned_to
from ledger.claims.queries import risks_of
from ledger.claims.queries import told_of
from ledger.claims.queries import waiting
from ledger.claims.queries import why_two
from ledger.claims.rules import MAY
from ledger.claims.rules import ONLY
from ledger.claims.rules import PHOTOS_MAX
from ledger.claims.rules import PLACE_LENGTH_MAX
from ledger.claims.rules import REASONS
from ledger.claims.rules import STATES
from ledger.claims.rules import TEXT_LENGTH_MAX
from ledger.claims.verify import verify
from ledger.claims.weighing import Record
from ledger.claims.weighing import ToldTwice
from ledger.claims.weighing import last_deeds
from ledger.claims.weighing import records_this_year
from ledger.claims.weighing import standing_aside
from ledger.claims.weighing import told_twice
from ledger.claims.workbook import COLUMNS
from ledger.claims.workbook import DeedFault
from ledger.claims.workbook import DeedsReading
from ledger.claims.workbook import empty_sheet
from ledger.claims.workbook import read_deeds

__all__ = [
    "COLUMNS",
    "MAY",
    "ONLY",
    "PHOTOS_MAX",
    "PLACE_LENGTH_MAX",
    "REASONS",
    "STATES",
    "TEXT_LENGTH_MAX",
    "Alike",
    "Claim",
    "ClaimRow",
    "Decision",
    "DeedFault",
    "DeedsReading",
    "DeedsReport",
    "Moved",
    "NewDeed",
    "NewPhoto",
    "Notice",
    "Own",
    "PhotoRow",
    "Reach",
    "Record",
    "Telling",
    "ToldTwice",
    "alike",
    "among",
    "approvals_needed",
    "approve",
    "approved_by",
    "attest",
    "check_out",
    "claim",
    "credit_due",
    "decisions_of",
    "empty_sheet",
    "import_claims",
    "last_deeds",
    "leaving",
    "merge",
    "mine",
    "notes_of",
    "of_team",
    "owner_of",
    "photos_of",
    "picture",
    "pictures_of",
    "points_approved_by",
    "points_of",
    "propose",
    "public_notices",
    "queue",
    "reach_of",
    "read_deeds",
    "records_of",
    "records_this_year",
    "refuse",
    "reopen",
    "report",
    "report_for_team",
    "reported_by",
    "resubmit",
    "return_",
    "returned_to",
    "risks_of",
    "standing_aside",
    "told_of",
    "told_twice",
    "verify",
    "waiting",
    "why_two",
    "withdraw",
]
