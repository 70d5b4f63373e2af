"""The door of activities: where hours come from."""

from __future__ import annotations

from ledger.activities.actions import TEXT_LENGTH_MAX
from ledger.activities.actions import NewActivity
from ledger.activities.actions import Served
from ledger.activities.actions import VenueCode
from ledger.activities.actions import cancel_sign_up
from ledger.activities.actions import check_in
from ledger.activities.actions import check_out
from ledger.activities.actions import create
from ledger.activities.actions import recognise_venue_code
from ledger.activities.actions import recognise_venue_digits
from ledger.activities.actions import record_hours
from ledger.activities.actions import reopen
from ledger.activities.actions import sign_up
from ledger.activities.actions import venue_code
from ledger.activities.disclosing import records_of
from ledger.activities.erasing import leaving
from ledger.activities.keys import sealed_parts
from ledger.activities.model import Activity
from ledger.activities.model import Attendance
from ledger.activities.model import HoursRecord
from ledger.activities.model import UnsealedHours
from ledger.activities.queries import ActivityRow
from ledger.activities.queries import Hours
from ledger.activities.queries import Service
from ledger.activities.queries import activity
from ledger.activities.queries import attendance_at
from ledger.activities.queries import attendance_of
from ledger.activities.queries import coming
from ledger.activities.queries import count_present
from ledger.activities.queries import credited
from ledger.activities.queries import hosted_by
from ledger.activities.queries import hours_by_year
from ledger.activities.queries import hours_of
from ledger.activities.queries import mine
from ledger.activities.queries import presences
from ledger.activities.queries import present_at
from ledger.activities.queries import rows_of
from ledger.activities.queries import seats_taken
from ledger.activities.queries import services_of
from ledger.activities.queries import under_way
from ledger.activities.queries import within_reach
from ledger.activities.rules import HOST_ROLES

__all__ = [
    "HOST_ROLES",
    "TEXT_LENGTH_MAX",
    "Activity",
    "ActivityRow",
    "Attendance",
    "Hours",
    "HoursRecord",
    "NewActivity",
    "Served",
    "Service",
    "UnsealedHours",
    "VenueCode",
    "activity",
    "attendance_at",
    "attendance_of",
    "cancel_sign_up",
    "check_in",
    "check_out",
    "coming",
    "count_present",
    "create",
    "credited",
    "hosted_by",
    "hours_by_year",
    "hours_of",
    "leaving",
    "mine",
    "presences",
    "present_at",
    "recognise_venue_code",
    "recognise_venue_digits",
    "record_hours",
    "records_of",
    "reopen",
    "rows_of",
    "sealed_parts",
    "seats_taken",
    "services_of",
    "sign_up",
    "under_way",
    "venue_code",
    "within_reach",
]
