"""The door of sign-in: the ways in, the sessions they open, and how many guesses there are."""

from __future__ import annotations

from ledger.sign_in.codes import use as use_code
from ledger.sign_in.counter import PinTry
from ledger.sign_in.counter import end_card
from ledger.sign_in.counter import forget_wrong_pins
from ledger.sign_in.counter import has_pin
from ledger.sign_in.counter import issue_pin_code
from ledger.sign_in.counter import locked_shift_on
from ledger.sign_in.counter import open_on_device
from ledger.sign_in.counter import open_pin_code
from ledger.sign_in.counter import pin_matches
from ledger.sign_in.counter import pin_of
from ledger.sign_in.counter import pin_set_at
from ledger.sign_in.counter import reserve_pin
from ledger.sign_in.counter import set_pin
from ledger.sign_in.counter import shift_began
from ledger.sign_in.counter import uncount_pin
from ledger.sign_in.counter import use_pin_code
from ledger.sign_in.devices import PairedDevice
from ledger.sign_in.devices import device_of
from ledger.sign_in.devices import devices_by_id
from ledger.sign_in.devices import devices_of
from ledger.sign_in.devices import end_device
from ledger.sign_in.devices import pair
from ledger.sign_in.devices import pairing_code
from ledger.sign_in.devices import prepare_device
from ledger.sign_in.devices import read_code
from ledger.sign_in.devices import recognise_device
from ledger.sign_in.devices import shown_code
from ledger.sign_in.disclosing import records_of
from ledger.sign_in.erasing import leaving
from ledger.sign_in.guesses import Source
from ledger.sign_in.guesses import Try
from ledger.sign_in.guesses import give_back
from ledger.sign_in.guesses import reserve
from ledger.sign_in.guesses import sweep_guesses
from ledger.sign_in.keys import sealed_parts
from ledger.sign_in.machines import end_token
from ledger.sign_in.machines import issue_token
from ledger.sign_in.machines import rotate_token
from ledger.sign_in.machines import token_told
from ledger.sign_in.machines import tokens_of
from ledger.sign_in.model import Credential
from ledger.sign_in.model import Device
from ledger.sign_in.passkeys import Answered
from ledger.sign_in.passkeys import Site
from ledger.sign_in.passkeys import answered
from ledger.sign_in.passkeys import sign_in_options
from ledger.sign_in.passkeys import use as use_answer
from ledger.sign_in.queries import Factors
from ledger.sign_in.queries import factors_of
from ledger.sign_in.queries import links_of
from ledger.sign_in.rules import DEVICE_NAME_LENGTH_MAX
from ledger.sign_in.rules import FURTHER
from ledger.sign_in.rules import OWN_PHONE
from ledger.sign_in.rules import STRONG_WAYS
from ledger.sign_in.rules import TOKEN_LIVES_MAX
from ledger.sign_in.rules import is_fresh
from ledger.sign_in.sessions import OnceHeld
from ledger.sign_in.sessions import SignedIn
from ledger.sign_in.sessions import act_for
from ledger.sign_in.sessions import end_every_way_in
from ledger.sign_in.sessions import end_session
from ledger.sign_in.sessions import held_in
from ledger.sign_in.sessions import is_open
from ledger.sign_in.sessions import issue_bearer
from ledger.sign_in.sessions import issue_link
from ledger.sign_in.sessions import note_proof
from ledger.sign_in.sessions import note_use
from ledger.sign_in.sessions import once_held
from ledger.sign_in.sessions import open_session
from ledger.sign_in.sessions import recognise
from ledger.sign_in.sessions import sessions_of
from ledger.sign_in.sessions import sign_out
from ledger.sign_in.sessions import sign_out_everywhere
from ledger.sign_in.sessions import use_link
from ledger.sign_in.staff import LINK_LIVES
from ledger.sign_in.staff import check_password
from ledger.sign_in.staff import confirm_way_in
from ledger.sign_in.staff import find_person
from ledger.sign_in.staff import forget_ways_in
from ledger.sign_in.staff import issue_way_in
from ledger.sign_in.staff import link_token
from ledger.sign_in.staff import link_told
from ledger.sign_in.staff import links_to_confirm
from ledger.sign_in.staff import links_waiting
from ledger.sign_in.staff import open_by_passkey
from ledger.sign_in.staff import open_by_password

__all__ = [
    "DEVICE_NAME_LENGTH_MAX",
    "FURTHER",
    "LINK_LIVES",
    "OWN_PHONE",
    "STRONG_WAYS",
    "TOKEN_LIVES_MAX",
    "Answered",
    "Credential",
    "Device",
    "Factors",
    "OnceHeld",
    "PairedDevice",
    "PinTry",
    "SignedIn",
    "Site",
    "Source",
    "Try",
    "act_for",
    "answered",
    "check_password",
    "confirm_way_in",
    "device_of",
    "devices_by_id",
    "devices_of",
    "end_card",
    "end_device",
    "end_every_way_in",
    "end_session",
    "end_token",
    "factors_of",
    "find_person",
    "forget_ways_in",
    "forget_wrong_pins",
    "give_back",
    "has_pin",
    "held_in",
    "is_fresh",
    "is_open",
    "issue_bearer",
    "issue_link",
    "issue_pin_code",
    "issue_token",
    "issue_way_in",
    "leaving",
    "link_token",
    "link_told",
    "links_of",
    "links_to_confirm",
    "links_waiting",
    "locked_shift_on",
    "note_proof",
    "note_use",
    "once_held",
    "open_by_passkey",
    "open_by_password",
    "open_on_device",
    "open_pin_code",
    "open_session",
    "pair",
    "pairing_code",
    "pin_matches",
    "pin_of",
    "pin_set_at",
    "prepare_device",
    "read_code",
    "recognise",
    "recognise_device",
    "records_of",
    "reserve",
    "reserve_pin",
    "rotate_token",
    "sealed_parts",
    "sessions_of",
    "set_pin",
    "shift_began",
    "shown_code",
    "sign_in_options",
    "sign_out",
    "sign_out_everywhere",
    "sweep_guesses",
    "token_told",
    "tokens_of",
    "uncount_pin",
    "use_answer",
    "use_code",
    "use_link",
    "use_pin_code",
]
