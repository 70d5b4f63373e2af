"""The door of people: who they are, sealed; what they are to each other; what they may do, and for whom."""

from __future__ import annotations

from ledger.people.actions import NewGrant
from ledger.people.actions import add_members
from ledger.people.actions import confirm_grant
from ledger.people.actions import create_team
from ledger.people.actions import end_charges
from ledger.people.actions import end_grant
from ledger.people.actions import end_lead
from ledger.people.actions import end_members
from ledger.people.actions import enrol
from ledger.people.actions import enrol_many
from ledger.people.actions import give_charge
from ledger.people.actions import give_charges
from ledger.people.actions import grant_role
from ledger.people.actions import grant_roles
from ledger.people.actions import label_tie
from ledger.people.actions import lead_team
from ledger.people.actions import seal_contents
from ledger.people.actions import seal_texts
from ledger.people.actions import tie
from ledger.people.actions import tie_all
from ledger.people.actions import tie_households
from ledger.people.actions import untie
from ledger.people.cards import card_number
from ledger.people.cards import cards_of
from ledger.people.cards import holders_of
from ledger.people.cards import is_card_told
from ledger.people.cards import issue_card
from ledger.people.cards import replace_card
from ledger.people.cards import replace_handle
from ledger.people.cards import revoke_card
from ledger.people.correcting import correct
from ledger.people.correcting import corrections_of
from ledger.people.disclosing import records_of
from ledger.people.disclosing import ties_told
from ledger.people.disclosing import whoever_acted
from ledger.people.erasing import Leaving
from ledger.people.erasing import ask_to_erase
from ledger.people.erasing import erase
from ledger.people.intake import RosterChoices
from ledger.people.intake import RosterReport
from ledger.people.intake import duplicates_in
from ledger.people.intake import import_roster
from ledger.people.joining import JOINING_LEVELS
from ledger.people.joining import Applied
from ledger.people.joining import application
from ledger.people.joining import application_context
from ledger.people.joining import applications
from ledger.people.joining import applications_waiting
from ledger.people.joining import apply_to_join
from ledger.people.joining import confirm_application
from ledger.people.joining import enrolled_alike
from ledger.people.joining import refuse_application
from ledger.people.joining import sweep_applications
from ledger.people.keys import SealedPart
from ledger.people.keys import Swept
from ledger.people.keys import count_of
from ledger.people.keys import count_of_people
from ledger.people.keys import rehash
from ledger.people.keys import reseal
from ledger.people.keys import sealed_parts
from ledger.people.mandates import NewMandate
from ledger.people.mandates import agree_mandate
from ledger.people.mandates import end_mandate
from ledger.people.mandates import give_mandate
from ledger.people.mandates import mandates_of
from ledger.people.merging import lock_both
from ledger.people.merging import merge_proposed
from ledger.people.merging import merge_to_decide
from ledger.people.merging import merged_into
from ledger.people.merging import merges
from ledger.people.merging import propose_merge
from ledger.people.merging import refuse_merge
from ledger.people.merging import take_over
from ledger.people.model import Card
from ledger.people.model import Correction
from ledger.people.model import Erasure
from ledger.people.model import Grant
from ledger.people.model import Mandate
from ledger.people.model import Merge
from ledger.people.model import Opening
from ledger.people.model import PassbookPrint
from ledger.people.model import Person
from ledger.people.model import Team
from ledger.people.model import TeamLeader
from ledger.people.opening import open_person
from ledger.people.opening import opened
from ledger.people.opening import openings_of
from ledger.people.paper import ROWS_A_PAGE
from ledger.people.paper import last_print
from ledger.people.paper import last_row
from ledger.people.paper import page_and_row
from ledger.people.paper import print_lines
from ledger.people.paper import print_of
from ledger.people.queries import Power
from ledger.people.queries import PowersOf
from ledger.people.queries import by_handle
from ledger.people.queries import by_handles
from ledger.people.queries import charges_of
from ledger.people.queries import fields_of
from ledger.people.queries import found_by
from ledger.people.queries import grants_of
from ledger.people.queries import holding
from ledger.people.queries import households_of_leader
from ledger.people.queries import is_confirmed
from ledger.people.queries import is_guarded
from ledger.people.queries import is_staff
from ledger.people.queries import leaders_of
from ledger.people.queries import limits_of
from ledger.people.queries import living_in
from ledger.people.queries import mandates
from ledger.people.queries import members_of_many
from ledger.people.queries import members_since
from ledger.people.queries import names_of
from ledger.people.queries import open_contents
from ledger.people.queries import person
from ledger.people.queries import persons
from ledger.people.queries import powers_of
from ledger.people.queries import staff_since
from ledger.people.queries import team
from ledger.people.queries import team_named
from ledger.people.queries import teams
from ledger.people.queries import teams_by_id
from ledger.people.queries import teams_led_by
from ledger.people.queries import tied
from ledger.people.queries import ties_of
from ledger.people.queries import within
from ledger.people.queries import works_beyond
from ledger.people.roster import Doubt
from ledger.people.roster import RosterReading
from ledger.people.roster import RosterRow
from ledger.people.roster import read_roster
from ledger.people.rules import MANDATE_KINDS
from ledger.people.rules import MANDATE_POINTS_MAX
from ledger.people.rules import OPENING_REASONS
from ledger.people.rules import OWN_FIELDS
from ledger.people.rules import PERSONAL_FIELDS
from ledger.people.rules import PLAIN_ROLES
from ledger.people.rules import ROLES
from ledger.people.rules import SHOP_ROLES
from ledger.people.rules import STAFF_ROLES
from ledger.people.rules import STRONG_ROLES
from ledger.people.rules import TIE_KINDS
from ledger.people.rules import UNNAMED_BELOW
from ledger.people.rules import NewPerson
from ledger.people.rules import in_sets
from ledger.people.rules import is_below
from ledger.people.rules import is_card_number
from ledger.people.rules import is_handle
from ledger.people.rules import masked_name
from ledger.people.rules import normal_name
from ledger.people.rules import normal_phone
from ledger.people.taking_two import erasures_waiting
from ledger.people.taking_two import grants_waiting
from ledger.people.taking_two import merges_waiting
from ledger.people.vault import Vault
from ledger.people.vault import VaultError
from ledger.people.verify import ties_ever
from ledger.people.verify import verify

__all__ = [
    "JOINING_LEVELS",
    "MANDATE_KINDS",
    "MANDATE_POINTS_MAX",
    "OPENING_REASONS",
    "OWN_FIELDS",
    "PERSONAL_FIELDS",
    "PLAIN_ROLES",
    "ROLES",
    "ROWS_A_PAGE",
    "SHOP_ROLES",
    "STAFF_ROLES",
    "STRONG_ROLES",
    "TIE_KINDS",
    "UNNAMED_BELOW",
    "Applied",
    "Card",
    "Correction",
    "Doubt",
    "Erasure",
    "Grant",
    "Leaving",
    "Mandate",
    "Merge",
    "NewGrant",
    "NewMandate",
    "NewPerson",
    "Opening",
    "PassbookPrint",
    "Person",
    "Power",
    "PowersOf",
    "RosterChoices",
    "RosterReading",
    "RosterReport",
    "RosterRow",
    "SealedPart",
    "Swept",
    "Team",
    "TeamLeader",
    "Vault",
    "VaultError",
    "add_members",
    "agree_mandate",
    "application",
    "application_context",
    "applications",
    "applications_waiting",
    "apply_to_join",
    "ask_to_erase",
    "by_handle",
    "by_handles",
    "card_number",
    "cards_of",
    "charges_of",
    "confirm_application",
    "confirm_grant",
    "correct",
    "corrections_of",
    "count_of",
    "count_of_people",
    "create_team",
    "duplicates_in",
    "end_charges",
    "end_grant",
    "end_lead",
    "end_mandate",
    "end_members",
    "enrol",
    "enrol_many",
    "enrolled_alike",
    "erase",
    "erasures_waiting",
    "fields_of",
    "found_by",
    "give_charge",
    "give_charges",
    "give_mandate",
    "grant_role",
    "grant_roles",
    "grants_of",
    "grants_waiting",
    "holders_of",
    "holding",
    "households_of_leader",
    "import_roster",
    "in_sets",
    "is_below",
    "is_card_number",
    "is_card_told",
    "is_confirmed",
    "is_guarded",
    "is_handle",
    "is_staff",
    "issue_card",
    "label_tie",
    "last_print",
    "last_row",
    "lead_team",
    "leaders_of",
    "limits_of",
    "living_in",
    "lock_both",
    "mandates",
    "mandates_of",
    "masked_name",
    "members_of_many",
    "members_since",
    "merge_proposed",
    "merge_to_decide",
    "merged_into",
    "merges",
    "merges_waiting",
    "names_of",
    "normal_name",
    "normal_phone",
    "open_contents",
    "open_person",
    "opened",
    "openings_of",
    "page_and_row",
    "person",
    "persons",
    "powers_of",
    "print_lines",
    "print_of",
    "propose_merge",
    "read_roster",
    "records_of",
    "refuse_application",
    "refuse_merge",
    "rehash",
    "replace_card",
    "replace_handle",
    "reseal",
    "revoke_card",
    "seal_contents",
    "seal_texts",
    "sealed_parts",
    "staff_since",
    "sweep_applications",
    "take_over",
    "team",
    "team_named",
    "teams",
    "teams_by_id",
    "teams_led_by",
    "tie",
    "tie_all",
    "tie_households",
    "tied",
    "ties_ever",
    "ties_of",
    "ties_told",
    "untie",
    "verify",
    "whoever_acted",
    "within",
    "works_beyond",
]
