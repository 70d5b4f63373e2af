"""The door of people: who they are, sealed; what they are to each other; what they may do, and for whom."""

from __future__ import annotations

from ledger.people.actions import NewGrant
from ledger.people.actions import create_team
from ledger.people.actions import end_charges
from ledger.people.actions import end_grant
from ledger.people.actions import enrol
from ledger.people.actions import enrol_many
from ledger.people.actions import give_charge
from ledger.people.actions import give_charges
from ledger.people.actions import grant_role
from ledger.people.actions import grant_roles
from ledger.people.actions import seal_texts
from ledger.people.actions import tie
from ledger.people.actions import tie_all
from ledger.people.actions import tie_households
from ledger.people.actions import untie
from ledger.people.intake import RosterChoices
from ledger.people.intake import RosterReport
from ledger.people.intake import duplicates_in
from ledger.people.intake import import_roster
from ledger.people.model import Grant
from ledger.people.model import Mandate
from ledger.people.model import Person
from ledger.people.model import Team
from ledger.people.queries import Power
from ledger.people.queries import by_handle
from ledger.people.queries import by_handles
from ledger.people.queries import charges_of
from ledger.people.queries import fields_of
from ledger.people.queries import found_by
from ledger.people.queries import grants_of
from ledger.people.queries import holding
from ledger.people.queries import households_of_leader
from ledger.people.queries import is_staff
from ledger.people.queries import living_in
from ledger.people.queries import mandates
from ledger.people.queries import members_of_many
from ledger.people.queries import members_since
from ledger.people.queries import names_of
from ledger.people.queries import person
from ledger.people.queries import persons
from ledger.people.queries import powers_of
from ledger.people.queries import staff_since
from ledger.people.queries import teams
from ledger.people.queries import teams_by_id
from ledger.people.queries import tied
from ledger.people.queries import ties_of
from ledger.people.queries import within
from ledger.people.roster import Doubt
from ledger.people.roster import RosterReading
from ledger.people.roster import RosterRow
from ledger.people.roster import read_roster
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.rules import ROLES
from ledger.people.rules import SHOP_ROLES
from ledger.people.rules import STAFF_ROLES
from ledger.people.rules import TIE_KINDS
from ledger.people.rules import NewPerson
from ledger.people.rules import in_sets
from ledger.people.rules import is_handle
from ledger.people.rules import normal_name
from ledger.people.rules import normal_phone
from ledger.people.vault import Vault
from ledger.people.vault import VaultError

__all__ = [
    "PERSONAL_FIELDS",
    "ROLES",
    "SHOP_ROLES",
    "STAFF_ROLES",
    "TIE_KINDS",
    "Doubt",
    "Grant",
    "Mandate",
    "NewGrant",
    "NewPerson",
    "Person",
    "Power",
    "RosterChoices",
    "RosterReading",
    "RosterReport",
    "RosterRow",
    "Team",
    "Vault",
    "VaultError",
    "by_handle",
    "by_handles",
    "charges_of",
    "create_team",
    "duplicates_in",
    "end_charges",
    "end_grant",
    "enrol",
    "enrol_many",
    "fields_of",
    "found_by",
    "give_charge",
    "give_charges",
    "grant_role",
    "grant_roles",
    "grants_of",
    "holding",
    "households_of_leader",
    "import_roster",
    "in_sets",
    "is_handle",
    "is_staff",
    "living_in",
    "mandates",
    "members_of_many",
    "members_since",
    "names_of",
    "normal_name",
    "normal_phone",
    "person",
    "persons",
    "powers_of",
    "read_roster",
    "seal_texts",
    "staff_since",
    "teams",
    "teams_by_id",
    "tie",
    "tie_all",
    "tie_households",
    "tied",
    "ties_of",
    "untie",
    "within",
]
